//! Folders that can be written: each write is conditional, and nobody sees half of a file.

use std::error::Error;
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use bytes::Bytes;
use ordinate::source::file::LocalFolder;
use ordinate::source::s3::{S3Client, S3Folder, from_sdk};
use ordinate::source::{BoxFuture, Content, ModelFolder, ObjectLocation, SourceError};
use ordinate_table::{TemporaryFile, remove_leftovers};
use uuid::Uuid;

/// The name of the metadata of an object by which the publisher recognizes its own write.
const MARKER: &str = "ordinate-write";

/// The condition for writing a file.
#[derive(Debug, Clone, Copy)]
pub enum Condition<'a> {
    /// The file does not exist.
    Absent,
    /// The file still has this content.
    Unchanged(&'a Content),
    /// No condition: the file cannot be read, and is replaced whatever it is.
    Any,
}

/// Why a file was not written.
#[derive(Debug, thiserror::Error)]
pub enum PutError {
    /// The condition does not hold: somebody else has written the file.
    #[error("somebody else has written the file")]
    Conflict,
    /// The service does not write it although the condition holds, as far as can be seen.
    #[error("{0}")]
    Refused(Refusal),
    /// It cannot be written.
    #[error(transparent)]
    Source(#[from] SourceError),
}

/// A write that a service refuses although its condition holds.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{location}: the service refuses {}", self.change())]
pub struct Refusal {
    /// The object.
    pub location: String,
    /// Whether it does not exist.
    pub is_new: bool,
}

impl Refusal {
    fn change(&self) -> &'static str {
        if self.is_new {
            // Some servers have folders, whose names no object can have.
            "to create the object (If-None-Match: *), although it does not exist; a folder of its name would be in the way"
        } else {
            "to change the object (If-Match), although nobody else has changed it"
        }
    }
}

/// The folders that were made, the innermost first. Dropping it removes those that are empty.
#[derive(Debug, Default)]
pub struct Made(Vec<PathBuf>);

impl Drop for Made {
    fn drop(&mut self) {
        for folder in &self.0 {
            // Fails, as it should, if there is something in it, and if it was not made.
            let _ = fs::remove_dir(folder);
        }
    }
}

/// A folder whose files can be written.
pub trait WritableFolder: ModelFolder {
    /// Makes the folder exist. It is removed again with the result if nothing was written to it.
    ///
    /// # Errors
    /// [`SourceError`] if it cannot be made.
    fn create(&self) -> Result<Made, SourceError>;

    /// Checks that a folder below it can be written if that costs little; otherwise, the first write finds out.
    ///
    /// # Errors
    /// [`SourceError`] if it cannot be written.
    fn check_writable(&self, path: &str) -> Result<(), SourceError>;

    /// Whether a change of the file at this path waits, because another program has locked its folder.
    fn is_locked(&self, path: &str) -> bool;

    /// Deletes what writers that were killed have left next to the file at this path. What cannot be deleted stays:
    /// nobody reads it.
    fn tidy(&self, path: &str);

    /// Writes a file as a whole if the condition holds. A write whose answer was lost is recognized as one's own.
    ///
    /// # Errors
    /// See [`PutError`]; the folder is unchanged then.
    fn put<'a>(&'a self, path: &'a str, bytes: Bytes, condition: Condition<'a>) -> BoxFuture<'a, Result<(), PutError>>;

    /// Deletes a file that still has this content. One that is gone, as after a lost answer, counts as deleted in S3.
    ///
    /// # Errors
    /// See [`PutError`]; the folder is unchanged then.
    fn delete<'a>(&'a self, path: &'a str, content: &'a Content) -> BoxFuture<'a, Result<(), PutError>>;
}

impl WritableFolder for S3Folder {
    /// A prefix exists with its first object.
    fn create(&self) -> Result<Made, SourceError> {
        Ok(Made::default())
    }

    /// Permissions show only when something is written, and what was written can remain as an old version.
    fn check_writable(&self, _: &str) -> Result<(), SourceError> {
        Ok(())
    }

    fn is_locked(&self, _: &str) -> bool {
        false
    }

    /// An object appears as a whole.
    fn tidy(&self, _: &str) {}

    fn put<'a>(&'a self, path: &'a str, bytes: Bytes, condition: Condition<'a>) -> BoxFuture<'a, Result<(), PutError>> {
        let location = self.location(path);
        Box::pin(async move {
            let client = self.client();
            let marker = Uuid::new_v4().to_string();
            let request = client.get().await.put_object().bucket(location.bucket()).key(location.key());
            let request = request.content_type("application/json").metadata(MARKER, &marker).body(bytes.into());
            let request = match condition {
                Condition::Absent => request.if_none_match("*"),
                Condition::Unchanged(content) => request.if_match(content.tag.0.clone()),
                Condition::Any => request,
            };
            let sending = Box::pin(async {
                request.send().await.map_err(|error| write_error(location.to_string(), "s3:PutObject", error)).map(drop)
            });
            let Err(failure) = client.limited(&location, sending).await else { return Ok(()) };
            let found = Box::pin(client.limited(&location, head(client, &location))).await;
            // The write may have succeeded: without an answer, the SDK repeats it, and then the condition does not
            // hold.
            let is_written = found.as_ref().is_ok_and(|found| found.as_ref().and_then(marker_of) == Some(&marker));
            if is_written { Ok(()) } else { Err(explained(failure, found, &condition)) }
        })
    }

    fn delete<'a>(&'a self, path: &'a str, content: &'a Content) -> BoxFuture<'a, Result<(), PutError>> {
        let location = self.location(path);
        Box::pin(async move {
            let client = self.client();
            let request = client.get().await.delete_object().bucket(location.bucket()).key(location.key());
            let sending = Box::pin(async {
                let sent = request.if_match(content.tag.0.clone()).send().await;
                sent.map_err(|error| write_error(location.to_string(), "s3:DeleteObject", error)).map(drop)
            });
            let Err(failure) = client.limited(&location, sending).await else { return Ok(()) };
            // The object may be deleted: without an answer, the SDK repeats the request, and then there is no such
            // object.
            let found = Box::pin(client.limited(&location, head(client, &location))).await;
            let is_deleted = matches!(found, Ok(None));
            if is_deleted { Ok(()) } else { Err(explained(failure, found, &Condition::Unchanged(content))) }
        })
    }
}

/// The marker of the write that made an object.
fn marker_of(found: &HeadObjectOutput) -> Option<&String> {
    found.metadata().and_then(|metadata| metadata.get(MARKER))
}

/// A failure by the state of the object after it: a refusal is a conflict if its condition does not hold.
fn explained(
    failure: PutError,
    found: Result<Option<HeadObjectOutput>, SourceError>,
    condition: &Condition<'_>,
) -> PutError {
    match (failure, found) {
        // It is not known whether somebody else has written the file.
        (PutError::Conflict | PutError::Refused(_), Err(error)) => PutError::Source(error),
        (PutError::Refused(refusal), Ok(found)) => match (condition, found) {
            (Condition::Absent, None) => PutError::Refused(Refusal { is_new: true, ..refusal }),
            (Condition::Unchanged(content), Some(found)) if found.e_tag() == Some(&content.tag.0) => {
                PutError::Refused(refusal)
            }
            _ => PutError::Conflict,
        },
        (failure, _) => failure,
    }
}

/// The headers of an object; `None` without an object.
async fn head(client: &S3Client, location: &ObjectLocation) -> Result<Option<HeadObjectOutput>, SourceError> {
    match client.get().await.head_object().bucket(location.bucket()).key(location.key()).send().await {
        Ok(found) => Ok(Some(found)),
        Err(error) => match from_sdk(location.to_string(), "s3:GetObject", error) {
            SourceError::NotFound { .. } => Ok(None),
            other => Err(other),
        },
    }
}

/// 412 is the status of a condition that does not hold, 409 that of another write at the same time, and 404 that of an
/// object to be replaced that is gone.
fn write_error<E>(location: String, permission: &str, error: SdkError<E, HttpResponse>) -> PutError
where
    E: Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    let is_no_bucket = error.as_service_error().and_then(|error| error.meta().code()) == Some("NoSuchBucket");
    match error.raw_response().map(|response| response.status().as_u16()) {
        Some(412) => PutError::Refused(Refusal { location, is_new: false }),
        Some(409) => PutError::Conflict,
        Some(404) if !is_no_bucket => PutError::Conflict,
        _ => from_sdk(location, permission, error).into(),
    }
}

impl WritableFolder for LocalFolder {
    fn create(&self) -> Result<Made, SourceError> {
        // Before they are made, so that a failure removes those that were made until then.
        let made = Made(self.path().ancestors().take_while(|folder| !folder.exists()).map(Path::to_owned).collect());
        let unwritable = |source| SourceError::Unwritable { location: self.describe(), source };
        fs::create_dir_all(self.path()).map_err(unwritable)?;
        Ok(made)
    }

    fn check_writable(&self, path: &str) -> Result<(), SourceError> {
        // With a slash at its end, a file in the place of the folder would not exist.
        let folder = self.path().join(path.trim_end_matches('/'));
        // Folders that do not exist are made in this one.
        let existing = folder.ancestors().find(|folder| folder.exists()).unwrap_or(self.path());
        let unwritable = |source| SourceError::Unwritable { location: self.file(path).describe(), source };
        TemporaryFile::create_in(existing).map(drop).map_err(unwritable)
    }

    fn is_locked(&self, path: &str) -> bool {
        let file = self.path().join(path);
        let folder = file.parent().map(File::open).and_then(Result::ok);
        folder.is_some_and(|folder| matches!(folder.try_lock(), Err(TryLockError::WouldBlock)))
    }

    fn tidy(&self, path: &str) {
        if let Some(folder) = self.path().join(path).parent() {
            remove_leftovers(folder);
        }
    }

    fn put<'a>(&'a self, path: &'a str, bytes: Bytes, condition: Condition<'a>) -> BoxFuture<'a, Result<(), PutError>> {
        let file = self.path().join(path);
        let location = self.file(path).describe();
        let expected = match condition {
            Condition::Absent => Expected::Nothing,
            Condition::Unchanged(content) => Expected::Content(content.bytes.clone()),
            Condition::Any => Expected::Anything,
        };
        in_thread(location, move || write(&file, &bytes, &expected))
    }

    fn delete<'a>(&'a self, path: &'a str, content: &'a Content) -> BoxFuture<'a, Result<(), PutError>> {
        let (file, expected) = (self.path().join(path), content.bytes.clone());
        in_thread(self.file(path).describe(), move || delete(&file, &expected))
    }
}

/// The state of the place where a file is written.
enum Expected {
    Nothing,
    Content(Bytes),
    Anything,
}

/// Runs a change of a file in a thread. It returns whether its condition held.
fn in_thread<'a>(
    location: String,
    change: impl FnOnce() -> io::Result<bool> + Send + 'static,
) -> BoxFuture<'a, Result<(), PutError>> {
    Box::pin(async move {
        match tokio::task::spawn_blocking(change).await {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => Err(PutError::Conflict),
            Ok(Err(source)) => Err(SourceError::Unwritable { location, source }.into()),
            Err(panicked) => Err(SourceError::Unwritable { location, source: panicked.into() }.into()),
        }
    })
}

/// Writes a file as a whole if its content is the expected one. Returns whether it was written.
fn write(path: &Path, bytes: &[u8], expected: &Expected) -> io::Result<bool> {
    let folder = path.parent().ok_or(ErrorKind::InvalidInput)?;
    fs::create_dir_all(folder)?;
    let mut temporary = TemporaryFile::create_in(folder)?;
    temporary.write_all(bytes)?;
    temporary.sync_all()?;
    let content = match expected {
        Expected::Nothing => {
            return match temporary.persist_noclobber(path) {
                Ok(()) => sync(folder).map(|()| true),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
                Err(error) => Err(error),
            };
        }
        Expected::Content(content) => Some(content),
        Expected::Anything => None,
    };
    if_unchanged(path, folder, content, || temporary.persist(path))
}

/// Deletes a file if it has this content. Returns whether it was deleted.
fn delete(path: &Path, content: &Bytes) -> io::Result<bool> {
    let folder = path.parent().ok_or(ErrorKind::InvalidInput)?;
    if_unchanged(path, folder, Some(content), || fs::remove_file(path))
}

/// Changes a file of a folder if it has this content, or in any case without one. Returns whether it was changed.
fn if_unchanged(
    path: &Path,
    folder: &Path,
    content: Option<&Bytes>,
    change: impl FnOnce() -> io::Result<()>,
) -> io::Result<bool> {
    // Comparing and changing are two steps, so writers lock the folder. The lock ends with the handle.
    let lock = File::open(folder)?;
    lock.lock()?;
    let is_unchanged = match content {
        None => true,
        Some(content) => match fs::read(path) {
            Ok(found) => found == *content,
            Err(error) if error.kind() == ErrorKind::NotFound => false,
            Err(error) => return Err(error),
        },
    };
    if is_unchanged {
        change()?;
        sync(folder)?;
    }
    Ok(is_unchanged)
}

/// Makes the new name of a file durable.
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
