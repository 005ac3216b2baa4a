//! Requests to S3, which block the calling thread; the runtime of the handle does them.

mod object;
mod upload;

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use ordinate::source::s3::{S3Client, S3Settings, TimeLimits, from_sdk};
use ordinate::source::{ObjectLocation, SourceError};
use tokio::runtime::Handle;

use crate::error::BatchError;
pub(crate) use object::ObjectReader;
pub use object::ObjectVersion;
pub(crate) use upload::{Attributes, LEAST_PART, Upload, copied};

/// Time limits of a request. The parts of an output are larger than a model, and nobody waits for an answer.
const LIMITS: TimeLimits = TimeLimits {
    connect: Duration::from_secs(3),
    read: Duration::from_secs(20),
    attempt: Duration::from_mins(1),
    operation: Duration::from_mins(4),
    total: Duration::from_mins(5),
    attempts: 8,
};

/// A client of S3 for threads that may block.
#[derive(Debug, Clone)]
pub struct S3 {
    client: Arc<S3Client>,
    handle: Handle,
}

/// An object in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Where it is.
    pub location: ObjectLocation,
    /// Its size in bytes.
    pub size: u64,
    /// The tag of its content.
    pub etag: String,
}

impl S3 {
    /// A client that uses this runtime. `location` is for the error.
    ///
    /// # Errors
    /// [`SourceError::Misconfigured`] if the settings are incomplete or invalid.
    pub fn new(location: &ObjectLocation, settings: S3Settings, handle: Handle) -> Result<Self, SourceError> {
        let client = S3Client::new(location, S3Settings { limits: LIMITS, ..settings })?;
        Ok(Self { client: Arc::new(client), handle })
    }

    fn block<T>(&self, work: impl Future<Output = T>) -> T {
        self.handle.block_on(work)
    }

    async fn sdk(&self) -> &Client {
        self.client.get().await
    }

    /// The objects whose keys begin with that of the location, in the order of their keys.
    ///
    /// # Errors
    /// [`SourceError`].
    pub fn list(&self, location: &ObjectLocation) -> Result<Vec<Listed>, SourceError> {
        self.block(async {
            let request = self.sdk().await.list_objects_v2().bucket(location.bucket()).prefix(location.key());
            let mut pages = request.into_paginator().send();
            let mut found = Vec::new();
            while let Some(page) = pages.next().await {
                let page = page.map_err(|error| from_sdk(location.to_string(), "s3:ListBucket", error))?;
                found.extend(page.contents().iter().filter_map(|object| {
                    let size = u64::try_from(object.size().unwrap_or_default()).unwrap_or_default();
                    let etag = object.e_tag().unwrap_or_default().to_owned();
                    // All of these keys begin with that of the location.
                    let location = location.join(object.key()?.strip_prefix(location.key())?);
                    Some(Listed { location, size, etag })
                }));
            }
            Ok(found)
        })
    }

    /// Deletes an object, if it exists.
    ///
    /// # Errors
    /// [`SourceError`].
    pub fn delete(&self, location: &ObjectLocation) -> Result<(), SourceError> {
        self.block(async {
            let request = self.sdk().await.delete_object().bucket(location.bucket()).key(location.key());
            let deleted = request.send().await;
            deleted.map(drop).map_err(|error| from_sdk(location.to_string(), "s3:DeleteObject", error))
        })
    }

    /// Aborts the uploads of an object that were not completed. Failures are logged: the lifecycle rule of the bucket
    /// removes them, too.
    pub fn abort_uploads(&self, location: &ObjectLocation) {
        let outcome: Result<(), SourceError> = self.block(async {
            let client = self.sdk().await;
            let request = client.list_multipart_uploads().bucket(location.bucket()).prefix(location.key());
            let listed = request.send().await;
            let listed =
                listed.map_err(|error| from_sdk(location.to_string(), "s3:ListBucketMultipartUploads", error))?;
            for upload in listed.uploads().iter().filter(|upload| upload.key() == Some(location.key())) {
                let Some(id) = upload.upload_id() else { continue };
                let request = client.abort_multipart_upload().bucket(location.bucket()).key(location.key());
                match request.upload_id(id).send().await {
                    Ok(_) => tracing::info!(%location, "aborted an upload that was interrupted"),
                    Err(error) => return Err(from_sdk(location.to_string(), "s3:AbortMultipartUpload", error)),
                }
            }
            Ok(())
        });
        if let Err(error) = outcome {
            tracing::warn!(%location, %error, "interrupted uploads are not aborted");
        }
    }
}

/// The error of a write with a condition that does not hold: 412 and 409 are the statuses for it, and 404 is that of an
/// object to be replaced that is gone, or of an upload that another process aborted.
fn write_error<E>(location: &ObjectLocation, permission: &str, error: SdkError<E, HttpResponse>) -> BatchError
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    let code = error.code().map(str::to_owned);
    match error.raw_response().map(|response| response.status().as_u16()) {
        Some(409 | 412) => BatchError::Raced { place: location.to_string() },
        Some(404) if code.as_deref() != Some("NoSuchBucket") => BatchError::Raced { place: location.to_string() },
        _ => from_sdk(location.to_string(), permission, error).into(),
    }
}
