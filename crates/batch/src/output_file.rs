//! Output files that are either complete or not written.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use ordinate_table::{TemporaryFile, remove_leftovers};

/// An output file: written under a temporary name in the same folder, then renamed, so that the file of the given name
/// is always complete, also when the process is interrupted. Until [`keep`](Self::keep), an existing file is unchanged.
///
/// A pipe or device is written directly.
#[derive(Debug)]
pub struct OutputFile(BufWriter<Content>);

#[derive(Debug)]
enum Content {
    Temporary { file: TemporaryFile, target: PathBuf },
    Direct(File),
}

impl OutputFile {
    /// Creates the temporary file, and removes what interrupted processes left in its folder.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn create(path: &Path) -> io::Result<Self> {
        remove_leftovers(folder_of(path));
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
                file.sync_all()?;
                file.persist(&target)?;
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

/// A temporary file in the folder of the target.
fn temporary(target: &Path) -> io::Result<TemporaryFile> {
    if target.file_name().is_none() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a file name"));
    }
    TemporaryFile::create_in(folder_of(target))
}

impl Write for Content {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Temporary { file, .. } => file.write(bytes),
            Self::Direct(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Temporary { file, .. } => file.flush(),
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
