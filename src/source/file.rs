//! A model in a local file, and the models in a folder.

use std::fs::{self, File, Metadata};
use std::io::{ErrorKind, Read};
use std::path::{self, Path, PathBuf};

use super::uri::file_uri;
use super::{BoxFuture, Content, Listing, MAX_MODEL_BYTES, ModelFolder, ModelSource, SourceError, Tag};

/// A regular file of at most [`MAX_MODEL_BYTES`].
#[derive(Debug, Clone)]
pub struct FileSource {
    path: PathBuf,
}

impl FileSource {
    /// The file at this path, which may be relative to the working directory. Does not open it.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self { path: path::absolute(&path).unwrap_or(path) }
    }
}

impl ModelSource for FileSource {
    fn describe(&self) -> String {
        file_uri(&self.path)
    }

    fn fetch_changed<'a>(&'a self, known: Option<&'a Tag>) -> BoxFuture<'a, Result<Option<Content>, SourceError>> {
        let (path, known) = (self.path.clone(), known.cloned());
        in_thread(self.describe(), move |location| read(&path, known.as_ref(), location))
    }
}

/// A folder of models on this machine.
#[derive(Debug, Clone)]
pub struct LocalFolder {
    path: PathBuf,
}

impl LocalFolder {
    /// The folder at this path, which may be relative to the working directory. Does not open it.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self { path: path::absolute(&path).unwrap_or(path) }
    }

    /// The path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl ModelFolder for LocalFolder {
    fn describe(&self) -> String {
        let path = file_uri(&self.path);
        if path.ends_with('/') { path } else { path + "/" }
    }

    fn file(&self, path: &str) -> Box<dyn ModelSource> {
        Box::new(FileSource { path: self.path.join(path) })
    }

    fn list<'a>(
        &'a self,
        path: &'a str,
        after: Option<&'a str>,
        most: usize,
    ) -> BoxFuture<'a, Result<Listing, SourceError>> {
        let (root, folder, after) = (self.clone(), self.path.join(path), after.map(str::to_owned));
        in_thread(self.describe() + path, move |location| {
            if !root.path.is_dir() {
                let (location, reason) = (root.describe(), "no such folder".into());
                return Err(SourceError::NotFound { location, reason, source: None });
            }
            let names = list(&folder).map_err(|error| from_io(location, error))?;
            Listing::page(&names, after.as_deref(), most)
        })
    }
}

/// Runs this in a thread: reading from a network mount may block, and the caller's time limit must still apply.
fn in_thread<'a, T: Send + 'static>(
    location: String,
    work: impl FnOnce(String) -> Result<T, SourceError> + Send + 'static,
) -> BoxFuture<'a, Result<T, SourceError>> {
    let running = tokio::task::spawn_blocking({
        let location = location.clone();
        move || work(location)
    });
    Box::pin(async move {
        match running.await {
            Ok(outcome) => outcome,
            Err(panicked) => Err(SourceError::Io { location, source: panicked.into() }),
        }
    })
}

/// The names in a folder in ascending order.
fn list(path: &Path) -> std::io::Result<Vec<String>> {
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry?;
        // Names that are not UTF-8 are not names of models; links are followed.
        let Ok(name) = entry.file_name().into_string() else { continue };
        let is_folder = fs::metadata(entry.path()).is_ok_and(|metadata| metadata.is_dir());
        names.push(if is_folder { name + "/" } else { name });
    }
    names.sort();
    Ok(names)
}

/// The file, or `None` if it has the tag `known`.
fn read(path: &Path, known: Option<&Tag>, location: String) -> Result<Option<Content>, SourceError> {
    match read_capped(path, known, MAX_MODEL_BYTES) {
        Ok(Reading::Content(content)) => Ok(Some(content)),
        Ok(Reading::Unchanged) => Ok(None),
        Ok(Reading::TooLarge) => Err(SourceError::TooLarge { location, limit: MAX_MODEL_BYTES }),
        Err(error) => Err(from_io(location, error)),
    }
}

/// The outcome of reading a file.
#[derive(Debug)]
enum Reading {
    Content(Content),
    Unchanged,
    TooLarge,
}

fn from_io(location: String, error: std::io::Error) -> SourceError {
    match error.kind() {
        ErrorKind::NotFound => SourceError::NotFound { location, reason: "no such file".into(), source: None },
        ErrorKind::PermissionDenied => {
            let reason = "the process needs permission to read the file and to enter its directories".into();
            SourceError::AccessDenied { location, reason, source: error.into() }
        }
        _ => SourceError::Io { location, source: error },
    }
}

fn read_capped(path: &Path, known: Option<&Tag>, limit: u64) -> std::io::Result<Reading> {
    // Before opening: opening a pipe blocks until another process writes to it.
    let metadata = fs::metadata(path).map_err(|error| match error.kind() {
        // Something is there, unlike a file that is absent.
        ErrorKind::NotFound if path.is_symlink() => {
            std::io::Error::new(ErrorKind::InvalidInput, "a link to a file that does not exist")
        }
        _ => error,
    })?;
    if metadata.is_dir() {
        return Err(ErrorKind::IsADirectory.into());
    }
    if !metadata.is_file() {
        return Err(std::io::Error::new(ErrorKind::InvalidInput, "not a regular file"));
    }
    if known.is_some_and(|known| *known == tag(&metadata)) {
        return Ok(Reading::Unchanged);
    }
    let file = File::open(path)?;
    // The file may have been replaced before it was opened, and the tag must be that of what is read.
    let metadata = file.metadata()?;
    if metadata.len() > limit {
        return Ok(Reading::TooLarge);
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default());
    // One byte more than the limit, to detect a file that grew in the meantime.
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).map_or(true, |length| length > limit) {
        return Ok(Reading::TooLarge);
    }
    Ok(Reading::Content(Content { bytes: bytes.into(), tag: tag(&metadata) }))
}

/// The identity, length and time of change of a file.
fn tag(metadata: &Metadata) -> Tag {
    let modified = metadata.modified().map(|time| format!("{time:?}")).unwrap_or_default();
    #[cfg(unix)]
    let identity = {
        use std::os::unix::fs::MetadataExt;
        format!("{} {} {} {}", metadata.dev(), metadata.ino(), metadata.ctime(), metadata.ctime_nsec())
    };
    #[cfg(not(unix))]
    let identity = String::new();
    Tag(format!("{identity} {} {modified}", metadata.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The content of a file, or `None` if it is too large.
    fn content(path: &Path, limit: u64) -> Option<Content> {
        match read_capped(path, None, limit).unwrap() {
            Reading::Content(content) => Some(content),
            Reading::TooLarge => None,
            Reading::Unchanged => panic!("no tag was known"),
        }
    }

    #[test]
    fn a_file_of_the_limit_is_read_and_a_larger_one_is_not() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), [7; 10]).unwrap();
        assert_eq!(content(file.path(), 10).unwrap().bytes.len(), 10);
        assert!(content(file.path(), 9).is_none());
    }

    #[test]
    fn a_permission_error_is_access_denied() {
        // Not with a real file, since root, as which tests often run, can read every file.
        let error = from_io("file:///secret.json".into(), ErrorKind::PermissionDenied.into());
        assert!(matches!(error, SourceError::AccessDenied { .. }), "{error:?}");
    }

    #[test]
    fn a_file_of_unknown_length_is_read_to_its_end() {
        // Files in /proc report the length 0.
        assert!(!content(Path::new("/proc/self/status"), 1 << 20).unwrap().bytes.is_empty());
        assert!(content(Path::new("/proc/self/status"), 10).is_none());
    }
}
