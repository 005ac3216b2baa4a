//! Files under temporary names, next to the files that they become, and the removal of those that interrupted
//! processes left.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use tempfile::{Builder, NamedTempFile};

/// The beginning and end of temporary names. They are hidden, so that nobody reads the files as data or as models.
const PREFIX: &str = ".ordinate-";
const SUFFIX: &str = ".tmp";

/// The age from which a file is a leftover where files cannot be locked.
const ABANDONED: Duration = Duration::from_hours(24);

/// A new file, which is removed unless it is kept. It is locked, which a file that was left behind is not.
///
/// Errors do not have its name, which means nothing to users.
#[derive(Debug)]
pub struct TemporaryFile(NamedTempFile);

impl TemporaryFile {
    /// Creates a file in a folder, with the permissions of a new file: others may read it unless the umask forbids it.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn create_in(folder: &Path) -> io::Result<Self> {
        let open = |path: &Path| File::options().read(true).write(true).create_new(true).open(path);
        loop {
            let file = Builder::new().prefix(PREFIX).suffix(SUFFIX).make_in(folder, open)?;
            match file.as_file().try_lock() {
                // Another process may have removed the file before it was locked.
                Ok(()) if file.path().exists() => return Ok(Self(file)),
                Ok(()) | Err(TryLockError::WouldBlock) => {}
                // A file system without locks, on which the age decides.
                Err(TryLockError::Error(_)) => return Ok(Self(file)),
            }
        }
    }

    /// Writes everything to the disk.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn sync_all(&self) -> io::Result<()> {
        self.0.as_file().sync_all()
    }

    /// Renames the file. It replaces another one of this name.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn persist(self, path: &Path) -> io::Result<()> {
        self.0.persist(path).map(drop).map_err(|failed| failed.error)
    }

    /// As [`Self::persist`], unless there is a file of this name.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] if there is one, and others of the file system.
    pub fn persist_noclobber(self, path: &Path) -> io::Result<()> {
        self.0.persist_noclobber(path).map(drop).map_err(|failed| failed.error)
    }
}

impl Write for TemporaryFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.as_file_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.as_file_mut().flush()
    }
}

/// Removes the temporary files that interrupted processes left in a folder. Failures are of no consequence: the files
/// are only not needed.
pub fn remove_leftovers(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        let is_temporary = name.starts_with(PREFIX.as_bytes()) && name.ends_with(SUFFIX.as_bytes());
        if !is_temporary || !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        let path = entry.path();
        // Some file systems lock only files that are open for writing, which a file of another user may not be.
        let file = OpenOptions::new().read(true).write(true).open(&path).or_else(|_| File::open(&path));
        let locked = file.as_ref().ok().map(File::try_lock);
        let age = || entry.metadata().and_then(|found| found.modified()).ok()?.elapsed().ok();
        if is_leftover(locked.as_ref(), age) {
            // The lock lasts until here. A file that was renamed meanwhile does not have this name any more.
            let _ = fs::remove_file(&path);
        }
    }
}

/// Whether nobody uses a file, by the outcome of an attempt to lock it; `None` if it could not be opened.
fn is_leftover(locked: Option<&Result<(), TryLockError>>, age: impl FnOnce() -> Option<Duration>) -> bool {
    match locked {
        Some(Ok(())) => true,
        Some(Err(TryLockError::WouldBlock)) => false,
        Some(Err(TryLockError::Error(_))) | None => age().is_some_and(|age| age > ABANDONED),
    }
}

#[cfg(test)]
mod tests {
    use tempfile::tempdir;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_has_the_permissions_of_a_new_file_and_is_removed_unless_it_is_kept() {
        let folder = tempdir().unwrap();
        let [new, kept] = ["new", "kept"].map(|name| folder.path().join(name));
        fs::write(&new, "").unwrap();
        let mut file = TemporaryFile::create_in(folder.path()).unwrap();
        file.write_all(b"text").unwrap();
        file.persist(&kept).unwrap();
        drop(TemporaryFile::create_in(folder.path()).unwrap());
        assert_eq!(names(folder.path()), ["kept", "new"]);
        let [new, kept] = [new, kept].map(|path| fs::metadata(path).unwrap().permissions());
        assert_eq!(new, kept);
    }

    #[test]
    fn a_file_that_exists_is_replaced_only_by_persist() {
        let folder = tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "before").unwrap();
        let after = || {
            let mut file = TemporaryFile::create_in(folder.path()).unwrap();
            file.write_all(b"after").unwrap();
            file
        };
        let error = after().persist_noclobber(&path).unwrap_err();
        assert_eq!((error.kind(), fs::read_to_string(&path).unwrap()), (io::ErrorKind::AlreadyExists, "before".into()));
        after().persist(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "after");
        assert_eq!(names(folder.path()), ["file"]);
    }

    #[test]
    fn an_error_does_not_have_the_temporary_name() {
        let error = TemporaryFile::create_in(&tempdir().unwrap().path().join("absent")).unwrap_err();
        assert_eq!(error.to_string(), "No such file or directory (os error 2)");
    }

    #[test]
    fn leftovers_are_removed_and_files_in_use_are_not() {
        let folder = tempdir().unwrap();
        fs::create_dir(folder.path().join(".ordinate-folder.tmp")).unwrap();
        for name in [".ordinate-AbC123.tmp", ".other-AbC123.tmp", ".ordinate-notes.md"] {
            fs::write(folder.path().join(name), "half").unwrap();
        }
        let mut file = TemporaryFile::create_in(folder.path()).unwrap();
        file.write_all(b"whole").unwrap();
        remove_leftovers(folder.path());
        file.persist(&folder.path().join("file")).unwrap();
        assert_eq!(names(folder.path()), [".ordinate-folder.tmp", ".ordinate-notes.md", ".other-AbC123.tmp", "file"]);
    }

    #[test]
    fn many_writers_that_remove_leftovers_lose_nothing() {
        let folder = tempdir().unwrap();
        std::thread::scope(|scope| {
            for writer in 0..8 {
                let path = folder.path().join(writer.to_string());
                let folder = folder.path();
                scope.spawn(move || {
                    for round in 0..50 {
                        remove_leftovers(folder);
                        let mut file = TemporaryFile::create_in(folder).unwrap();
                        write!(file, "{round}").unwrap();
                        file.persist(&path).unwrap();
                    }
                });
            }
        });
        assert_eq!(names(folder.path()), ["0", "1", "2", "3", "4", "5", "6", "7"]);
    }

    #[test]
    fn without_locks_the_age_decides() {
        let no_locks = || Err(TryLockError::Error(io::ErrorKind::Unsupported.into()));
        let (day, minute) = (Duration::from_hours(25), Duration::from_mins(1));
        for (locked, age, expected) in [
            (Some(Ok(())), Some(minute), true),
            (Some(Err(TryLockError::WouldBlock)), Some(day), false),
            (Some(no_locks()), Some(minute), false),
            (Some(no_locks()), Some(day), true),
            (Some(no_locks()), None, false),
            (None, Some(minute), false),
            (None, Some(day), true),
        ] {
            assert_eq!(is_leftover(locked.as_ref(), || age), expected, "{locked:?} {age:?}");
        }
    }
}
