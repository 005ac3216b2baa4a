//! Reading one version of an object.

use std::collections::HashMap;
use std::io::{self, Read};
use std::time::Duration;

use aws_sdk_s3::primitives::DateTime;
use bytes::{Buf, Bytes};
use ordinate::source::s3::from_sdk;
use ordinate::source::{ObjectLocation, SourceError};
use tokio::task::JoinHandle;

use super::S3;
use crate::error::BatchError;

/// Bytes of a request. One is read ahead.
const RANGE: u64 = 8 << 20;

/// Attempts to read a range whose body is cut off, and the pause before the second.
const ATTEMPTS: u32 = 4;
const PAUSE: Duration = Duration::from_millis(200);

/// A version of an object.
#[derive(Debug, Clone)]
pub struct ObjectVersion {
    /// Where it is.
    pub location: ObjectLocation,
    /// Its size in bytes.
    pub size: u64,
    /// The tag of its content.
    pub etag: String,
    /// The version, in a bucket with versions.
    pub version: Option<String>,
    /// When it was written, in seconds since 1970.
    pub written: i64,
    /// Its metadata.
    pub metadata: HashMap<String, String>,
}

impl ObjectVersion {
    /// The tag and version of the content.
    pub(crate) fn identity(&self) -> String {
        match &self.version {
            Some(version) => format!("{} {version}", self.etag),
            None => self.etag.clone(),
        }
    }
}

impl S3 {
    /// The current version of an object; `None` if it does not exist.
    ///
    /// # Errors
    /// [`SourceError`].
    pub fn head(&self, location: &ObjectLocation) -> Result<Option<ObjectVersion>, SourceError> {
        let sent = self
            .block(async { self.sdk().await.head_object().bucket(location.bucket()).key(location.key()).send().await });
        let found = match sent {
            Ok(found) => found,
            Err(error) => {
                return match from_sdk(location.to_string(), "s3:GetObject", error) {
                    SourceError::NotFound { .. } => Ok(None),
                    other => Err(other),
                };
            }
        };
        Ok(Some(ObjectVersion {
            location: location.clone(),
            size: u64::try_from(found.content_length().unwrap_or_default()).unwrap_or_default(),
            etag: found.e_tag().unwrap_or_default().to_owned(),
            version: found.version_id().filter(|version| *version != "null").map(str::to_owned),
            written: found.last_modified().map_or(i64::MIN, DateTime::secs),
            metadata: found.metadata().cloned().unwrap_or_default(),
        }))
    }

    /// The content of an object as a stream; `None` if it does not exist.
    ///
    /// # Errors
    /// That of the request.
    pub fn open(&self, location: &ObjectLocation) -> Result<Option<Box<dyn Read + Send>>, SourceError> {
        let found = self.head(location)?;
        Ok(found.map(|object| -> Box<dyn Read + Send> { Box::new(ObjectReader::new(self, &object, 0, object.size)) }))
    }

    /// The content of a small object; `None` if it does not exist.
    ///
    /// # Errors
    /// Those of the requests.
    pub(crate) fn read(&self, location: &ObjectLocation) -> Result<Option<Bytes>, BatchError> {
        match self.head(location)? {
            None => Ok(None),
            Some(found) => self.range(&found, 0, found.size).map(Some),
        }
    }

    /// The bytes of an object from `start` up to `end`.
    ///
    /// # Errors
    /// [`BatchError::Replaced`] if the object has another content by now.
    pub(crate) fn range(&self, object: &ObjectVersion, start: u64, end: u64) -> Result<Bytes, BatchError> {
        self.block(self.get(object, start, end.min(object.size)))
    }

    async fn get(&self, object: &ObjectVersion, start: u64, end: u64) -> Result<Bytes, BatchError> {
        if start >= end {
            return Ok(Bytes::new());
        }
        let location = &object.location;
        let mut attempt = 1;
        loop {
            let request = self.sdk().await.get_object().bucket(location.bucket()).key(location.key());
            let request = request.range(format!("bytes={start}-{}", end - 1)).if_match(&object.etag);
            let response = request.send().await.map_err(|error| {
                match error.raw_response().map(|response| response.status().as_u16()) {
                    // A shorter object does not have the range.
                    Some(412 | 416) => BatchError::Replaced { place: location.to_string() },
                    _ => from_sdk(location.to_string(), "s3:GetObject", error).into(),
                }
            })?;
            let cut_off = match response.body.collect().await {
                Ok(body) => {
                    let bytes = body.into_bytes();
                    if bytes.len() as u64 == end - start {
                        return Ok(bytes);
                    }
                    SourceError::Interrupted {
                        location: location.to_string(),
                        source: format!("expected {} bytes, got {}", end - start, bytes.len()).into(),
                    }
                }
                Err(error) => SourceError::Interrupted { location: location.to_string(), source: error.into() },
            };
            if attempt == ATTEMPTS {
                return Err(cut_off.into());
            }
            tokio::time::sleep(PAUSE * attempt).await;
            attempt += 1;
        }
    }
}

/// The bytes of an object, or of a part of it, range by range. Every range is of the same version.
pub(crate) struct ObjectReader {
    s3: S3,
    object: ObjectVersion,
    /// The next byte to request, and the end.
    next: u64,
    end: u64,
    current: Bytes,
    ahead: Option<JoinHandle<Result<Bytes, BatchError>>>,
}

impl ObjectReader {
    /// The bytes from `start` up to `end`.
    pub(crate) fn new(s3: &S3, object: &ObjectVersion, start: u64, end: u64) -> Self {
        let end = end.min(object.size);
        Self { s3: s3.clone(), object: object.clone(), next: start, end, current: Bytes::new(), ahead: None }
    }

    /// Requests the next range.
    fn request(&mut self) -> Option<JoinHandle<Result<Bytes, BatchError>>> {
        if self.next >= self.end {
            return None;
        }
        let (start, end) = (self.next, self.end.min(self.next + RANGE));
        self.next = end;
        let (s3, object) = (self.s3.clone(), self.object.clone());
        Some(self.s3.handle.spawn(async move { s3.get(&object, start, end).await }))
    }
}

impl Read for ObjectReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.current.is_empty() {
            let Some(pending) = self.ahead.take().or_else(|| self.request()) else { return Ok(0) };
            self.ahead = self.request();
            self.current = self.s3.block(pending).map_err(io::Error::other)??;
        }
        let count = buffer.len().min(self.current.len());
        self.current.copy_to_slice(buffer.split_at_mut(count).0);
        Ok(count)
    }
}

impl Drop for ObjectReader {
    fn drop(&mut self) {
        if let Some(pending) = &self.ahead {
            pending.abort();
        }
    }
}
