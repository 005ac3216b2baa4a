//! Output files that are either complete or not written.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

/// The beginning and end of temporary names.
const PREFIX: &str = ".ordinate-";
const SUFFIX: &str = ".tmp";

/// An output file: written under a temporary name in the same folder, then renamed, so that the file of the given name
/// is always complete, also when the process is interrupted. Until [`keep`](Self::keep), an existing file is unchanged.
/// The temporary file is locked, which a file that was left behind is not.
///
/// A pipe or device is written directly.
#[derive(Debug)]
pub struct OutputFile(BufWriter<Content>);

#[derive(Debug)]
enum Content {
    Temporary { file: NamedTempFile, target: PathBuf },
    Direct(File),
}

impl OutputFile {
    /// Creates the temporary file, and removes what interrupted processes left in its folder.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn create(path: &Path) -> io::Result<Self> {
        sweep(folder_of(path));
        Self::begin(path)
    }

    /// Creates the temporary file.
    ///
    /// # Errors
    /// Those of the file system.
    pub(crate) fn begin(path: &Path) -> io::Result<Self> {
        // A rename would replace a link, so its target is replaced.
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let is_device = fs::metadata(&target).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir());
        let content = if is_device {
            Content::Direct(OpenOptions::new().write(true).open(&target)?)
        } else {
            Content::Temporary { file: temporary(&target)?, target }
        };
        Ok(Self(BufWriter::with_capacity(1 << 16, content)))
    }

    /// Writes everything to the disk and renames the file.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn keep(self) -> io::Result<()> {
        match self.0.into_inner().map_err(io::IntoInnerError::into_error)? {
            Content::Temporary { file, target } => {
                file.as_file().sync_all()?;
                file.persist(target)?;
            }
            Content::Direct(mut file) => file.flush()?,
        }
        Ok(())
    }
}

/// The folder in which a file is.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A locked file in the folder of the target, with the permissions of a new file.
fn temporary(target: &Path) -> io::Result<NamedTempFile> {
    if target.file_name().is_none() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a file name"));
    }
    let mut builder = Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    loop {
        let file = builder.tempfile_in(folder_of(target)).map_err(|error| {
            // The system's error, without the temporary path that the crate adds to it.
            let text = error.to_string();
            text.rsplit_once(" at path ").map_or_else(
                || io::Error::from(error.kind()),
                |(cause, _)| io::Error::new(error.kind(), cause.to_owned()),
            )
        })?;
        match file.as_file().try_lock() {
            // Another process may have swept the file before it was locked.
            Ok(()) if file.path().exists() => return Ok(file),
            Ok(()) | Err(TryLockError::WouldBlock) => {}
            // A file system without locks, on which nothing is swept.
            Err(TryLockError::Error(_)) => return Ok(file),
        }
    }
}

/// Removes the temporary files in a folder that no process has locked, because theirs was interrupted. Failures are of
/// no consequence: the files are only not needed.
pub(crate) fn sweep(folder: &Path) {
    let is_ours = |entry: &fs::DirEntry| {
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        name.starts_with(PREFIX.as_bytes())
            && name.ends_with(SUFFIX.as_bytes())
            && entry.file_type().is_ok_and(|kind| kind.is_file())
    };
    for entry in fs::read_dir(folder).into_iter().flatten().flatten().filter(is_ours) {
        let path = entry.path();
        // Some file systems lock only files that are open for writing.
        if let Ok(file) = OpenOptions::new().read(true).write(true).open(&path)
            && file.try_lock().is_ok()
        {
            // Of a file that was renamed meanwhile, this name does not exist.
            let _ = fs::remove_file(&path);
        }
    }
}

impl Write for Content {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Temporary { file, .. } => file.as_file_mut().write(bytes),
            Self::Direct(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Temporary { file, .. } => file.as_file_mut().flush(),
            Self::Direct(file) => file.flush(),
        }
    }
}

impl Write for OutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_replaced_when_it_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        fs::write(&path, "before").unwrap();
        let mut file = OutputFile::create(&path).unwrap();
        file.write_all(b"after").unwrap();
        file.flush().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "before");
        file.keep().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "after");
        assert_eq!(names(folder.path()), ["out"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_has_the_permissions_of_a_new_file() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let [new, kept] = ["new", "kept"].map(|name| folder.path().join(name));
        fs::write(&new, "").unwrap();
        OutputFile::create(&kept).unwrap().keep().unwrap();
        let [new, kept] = [new, kept].map(|path| fs::metadata(path).unwrap().permissions().mode());
        assert_eq!(new, kept);
    }

    #[test]
    fn an_error_does_not_have_the_temporary_name() {
        let folder = tempfile::tempdir().unwrap();
        let error = OutputFile::create(&folder.path().join("absent/out")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert_eq!(error.to_string(), "No such file or directory (os error 2)");
    }

    #[test]
    fn a_file_that_is_dropped_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = OutputFile::create(&folder.path().join("out")).unwrap();
        file.write_all(b"half").unwrap();
        drop(file);
        assert_eq!(names(folder.path()), [""; 0]);
    }

    #[test]
    fn files_that_were_left_behind_are_removed_and_files_in_use_are_not() {
        let folder = tempfile::tempdir().unwrap();
        for name in [".ordinate-AbC123.tmp", ".other-AbC123.tmp", ".ordinate-notes.md"] {
            fs::write(folder.path().join(name), "half").unwrap();
        }
        let mut first = OutputFile::create(&folder.path().join("first")).unwrap();
        first.write_all(b"first").unwrap();
        assert_eq!(names(folder.path()).len(), 3);
        let mut second = OutputFile::create(&folder.path().join("second")).unwrap();
        second.write_all(b"second").unwrap();
        first.keep().unwrap();
        second.keep().unwrap();
        assert_eq!(names(folder.path()), [".ordinate-notes.md", ".other-AbC123.tmp", "first", "second"]);
        assert_eq!(fs::read_to_string(folder.path().join("first")).unwrap(), "first");
    }

    #[test]
    fn many_writers_at_once_lose_nothing() {
        let folder = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for writer in 0..8 {
                let path = folder.path().join(writer.to_string());
                scope.spawn(move || {
                    for round in 0..50 {
                        let mut file = OutputFile::create(&path).unwrap();
                        write!(file, "{round}").unwrap();
                        file.keep().unwrap();
                    }
                });
            }
        });
        assert_eq!(names(folder.path()), ["0", "1", "2", "3", "4", "5", "6", "7"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "before").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let mut whole = OutputFile::create(&link).unwrap();
        whole.write_all(b"after").unwrap();
        whole.keep().unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&file).unwrap(), "after");
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_is_written_to_and_not_replaced() {
        use std::process::{Command, Stdio};

        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let reader = Command::new("cat").arg(&pipe).stdout(Stdio::piped()).spawn().unwrap();
        let mut whole = OutputFile::create(&pipe).unwrap();
        whole.write_all(b"anything").unwrap();
        whole.keep().unwrap();
        assert_eq!(reader.wait_with_output().unwrap().stdout, b"anything");
        assert_eq!(names(folder.path()), ["pipe"]);
    }
}
