//! Data as they are given on a command line: files, patterns, standard input.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::DataError;

/// The name of standard input in messages.
pub(super) const STANDARD_INPUT: &str = "standard input";

/// Whether a path means standard input.
pub(super) fn is_standard_input(path: &Path) -> bool {
    path == Path::new("-")
}

/// The ends of the names of data files in a folder, without those of compression.
const EXTENSIONS: [&str; 5] = ["csv", "tsv", "tab", "parquet", "pq"];

/// Replaces patterns such as `part-*.csv` by the files that match, and folders by the CSV and Parquet files in them, in the
/// order of their names; `-` stays as it is.
///
/// # Errors
/// [`DataError`] when no file matches a pattern or is in a folder, or standard input is given twice.
pub fn expanded(paths: &[PathBuf]) -> Result<Vec<PathBuf>, DataError> {
    let mut files = Vec::new();
    for path in paths {
        match path.to_str().filter(|text| text.contains(['*', '?', '[']) && !path.exists()) {
            Some(pattern) => files.extend(matching(pattern)?),
            None if path.is_dir() => files.extend(in_folder(path)?),
            None => files.push(path.clone()),
        }
    }
    if files.iter().filter(|path| is_standard_input(path)).count() > 1 {
        let reason = "standard input can be read only once".to_owned();
        return Err(DataError::Pattern { pattern: "-".to_owned(), reason });
    }
    Ok(files)
}

/// Checks that no file is given twice, under whatever name: its rows would count twice.
///
/// # Errors
/// [`DataError::NamedTwice`].
pub fn each_once(files: Vec<PathBuf>) -> Result<Vec<PathBuf>, DataError> {
    let mut seen = HashSet::new();
    // A missing file is reported when it is opened.
    let twice = files.iter().find(|path| fs::canonicalize(path).is_ok_and(|place| !seen.insert(place)));
    match twice {
        Some(path) => Err(DataError::NamedTwice { path: path.clone() }),
        None => Ok(files),
    }
}

fn matching(pattern: &str) -> Result<Vec<PathBuf>, DataError> {
    let error = |reason: String| DataError::Pattern { pattern: pattern.to_owned(), reason };
    let found = glob::glob(pattern).map_err(|invalid| error(format!("the pattern is not valid: {}", invalid.msg)))?;
    let paths: Vec<PathBuf> = found
        .map(|path| path.map_err(|error| DataError::Unreadable { path: error.path().into(), source: error.into() }))
        .filter(|path| path.as_ref().map_or(true, |path| path.is_file()))
        .collect::<Result<_, _>>()?;
    if paths.is_empty() { Err(error("no file matches the pattern".into())) } else { Ok(paths) }
}

/// Whether a file or folder of this name is not read as one of a folder: others keep notes and unfinished files under
/// such names.
#[must_use]
pub fn is_hidden(name: &[u8]) -> bool {
    name.starts_with(b".") || name.starts_with(b"_")
}

/// The data files in a folder and the folders in it.
fn in_folder(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let unreadable = |source| DataError::Unreadable { path: folder.clone(), source };
        for entry in fs::read_dir(&folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let (path, name) = (entry.path(), entry.file_name());
            if is_hidden(name.as_encoded_bytes()) {
                continue;
            }
            // A link to a folder could lead back to it.
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(path);
            } else if path.is_file() && is_data(&path) {
                files.push(path);
            }
        }
    }
    files.sort();
    if files.is_empty() { Err(DataError::EmptyFolder { path: folder.to_owned() }) } else { Ok(files) }
}

/// Whether a file in a folder is read, by its name.
fn is_data(path: &Path) -> bool {
    let extension = |path: &Path| path.extension().map(std::ffi::OsStr::to_ascii_lowercase);
    let is_compressed = extension(path).is_some_and(|extension| extension == "gz" || extension == "zst");
    let uncompressed = path.file_stem().map(Path::new).filter(|_| is_compressed).unwrap_or(path);
    extension(uncompressed).is_some_and(|extension| EXTENSIONS.iter().any(|known| extension == *known))
}

#[cfg(test)]
mod tests {
    use tempfile::tempdir;

    use super::*;

    #[test]
    fn a_folder_is_its_data_files_in_the_order_of_their_paths() {
        let folder = tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("g=b")).unwrap();
        fs::create_dir_all(root.join("_temporary")).unwrap();
        for name in
            ["z.csv", "g=b/2.CSV.gz", "a.parquet", "notes.txt", "_metadata.parquet", ".x.csv", "_temporary/1.csv"]
        {
            fs::write(root.join(name), "").unwrap();
        }
        let found = expanded(&[root.to_owned()]).unwrap();
        assert_eq!(found, ["a.parquet", "g=b/2.CSV.gz", "z.csv"].map(|name| root.join(name)));
        let empty = expanded(&[root.join("_temporary"), root.join("g=b")]).unwrap();
        assert_eq!(empty.len(), 2);
        fs::create_dir(root.join("empty")).unwrap();
        assert!(expanded(&[root.join("empty")]).unwrap_err().to_string().ends_with("no CSV or Parquet files"));
    }
}
