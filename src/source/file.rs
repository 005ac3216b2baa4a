//! A model in a local file.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{self, Path, PathBuf};

use bytes::Bytes;

use super::{BoxFuture, MAX_MODEL_BYTES, ModelSource, SourceError};

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
        format!("file://{}", self.path.display())
    }

    fn fetch(&self) -> BoxFuture<'_, Result<Bytes, SourceError>> {
        let path = self.path.clone();
        let location = self.describe();
        // In a thread: reading from a network mount may block, and the caller's time limit must still apply.
        let reading = tokio::task::spawn_blocking(move || read(&path, location));
        Box::pin(async move {
            match reading.await {
                Ok(outcome) => outcome,
                Err(panicked) => Err(SourceError::Io { location: self.describe(), source: panicked.into() }),
            }
        })
    }
}

fn read(path: &Path, location: String) -> Result<Bytes, SourceError> {
    match read_capped(path, MAX_MODEL_BYTES) {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => Err(SourceError::TooLarge { location, limit: MAX_MODEL_BYTES }),
        Err(error) => Err(from_io(location, error)),
    }
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

/// The content of the file, or `None` if it exceeds `limit` bytes.
fn read_capped(path: &Path, limit: u64) -> std::io::Result<Option<Bytes>> {
    // Before opening: opening a pipe blocks until another process writes to it.
    let metadata = std::fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(ErrorKind::IsADirectory.into());
    }
    if !metadata.is_file() {
        return Err(std::io::Error::new(ErrorKind::InvalidInput, "not a regular file"));
    }
    if metadata.len() > limit {
        return Ok(None);
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default());
    // One byte more than the limit, to detect a file that grew in the meantime.
    File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    let fits = u64::try_from(bytes.len()).is_ok_and(|length| length <= limit);
    Ok(fits.then(|| bytes.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_the_limit_is_read_and_a_larger_one_is_not() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), [7; 10]).unwrap();
        assert_eq!(read_capped(file.path(), 10).unwrap().unwrap().len(), 10);
        assert!(read_capped(file.path(), 9).unwrap().is_none());
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
        assert!(!read_capped(Path::new("/proc/self/status"), 1 << 20).unwrap().unwrap().is_empty());
        assert!(read_capped(Path::new("/proc/self/status"), 10).unwrap().is_none());
    }
}
