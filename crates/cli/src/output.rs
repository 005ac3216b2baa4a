//! Where output is written.

use std::fs;
use std::io;
use std::path::Path;

pub(super) use ordinate_batch::output_file::OutputFile;

/// Whether a path means standard output.
pub(super) fn is_standard_output(path: &Path) -> bool {
    path == Path::new("-") || path == Path::new("/dev/stdout")
}

/// Whether both paths are of one existing file.
pub(super) fn same_file(one: &Path, other: &Path) -> bool {
    matches!((fs::canonicalize(one), fs::canonicalize(other)), (Ok(one), Ok(other)) if one == other)
}

/// Whether output to both paths would be written to one file, which may not exist yet.
pub(super) fn one_place(one: &Path, other: &Path) -> bool {
    let place = |path: &Path| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::canonicalize(path)
            .or_else(|_| Ok::<_, io::Error>(fs::canonicalize(folder)?.join(path.file_name().unwrap_or_default())))
    };
    let is_file = |path: &Path| fs::metadata(path).map_or(true, |metadata| metadata.is_file());
    match (is_standard_output(one), is_standard_output(other)) {
        (false, false) => is_file(one) && matches!((place(one), place(other)), (Ok(one), Ok(other)) if one == other),
        (one, other) => one && other,
    }
}
