//! Writing an object: as one request if it is small, otherwise as a multipart upload, which is complete or absent.

use std::collections::HashMap;
use std::io::{self, Write};

use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use bytes::{Bytes, BytesMut};
use ordinate::source::ObjectLocation;
use ordinate::source::s3::from_sdk;
use tokio::task::JoinHandle;

use super::{ObjectVersion, S3, write_error};
use crate::error::BatchError;
use crate::store::{Existing, Output};

/// Bytes of a part. Two are in memory: one is filled while the other is sent.
const PART: usize = 8 << 20;

/// Parts of this size, after which they double, since an upload has at most 10,000.
const PARTS_OF_A_SIZE: usize = 1_500;

/// The smallest part of an upload, except for the last.
pub(crate) const LEAST_PART: u64 = 5 << 20;

/// The attributes of an object that is written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Attributes {
    pub(crate) metadata: HashMap<String, String>,
    pub(crate) content_type: Option<String>,
}

/// An object that is written.
pub(crate) struct Upload {
    s3: S3,
    location: ObjectLocation,
    attributes: Attributes,
    /// The state that is replaced; `None` if any may be.
    replaces: Option<Existing>,
    buffer: BytesMut,
    id: Option<String>,
    parts: Vec<CompletedPart>,
    pending: Option<JoinHandle<Result<CompletedPart, BatchError>>>,
}

impl Upload {
    pub(crate) fn new(s3: &S3, location: ObjectLocation, attributes: Attributes, replaces: Option<Existing>) -> Self {
        let buffer = BytesMut::new();
        Self { s3: s3.clone(), location, attributes, replaces, buffer, id: None, parts: Vec::new(), pending: None }
    }

    /// The values of `If-None-Match` and `If-Match`.
    fn conditions(&self) -> (Option<String>, Option<String>) {
        match &self.replaces {
            None => (None, None),
            Some(Existing::Absent) => (Some("*".to_owned()), None),
            Some(Existing::Present { tag, .. }) => (None, tag.clone()),
        }
    }

    fn part_size(&self) -> usize {
        PART << (self.parts.len() / PARTS_OF_A_SIZE).min(6)
    }

    /// The upload, which is begun if it is not yet.
    fn begun(&mut self) -> Result<String, BatchError> {
        if let Some(id) = &self.id {
            return Ok(id.clone());
        }
        let Attributes { metadata, content_type } = self.attributes.clone();
        let created = self.s3.block(async {
            let request = self.s3.sdk().await.create_multipart_upload();
            let request = request.bucket(self.location.bucket()).key(self.location.key()).set_metadata(Some(metadata));
            request.set_content_type(content_type).send().await
        });
        let created = created.map_err(|error| from_sdk(self.location.to_string(), "s3:PutObject", error))?;
        let id = created.upload_id().unwrap_or_default().to_owned();
        self.id = Some(id.clone());
        Ok(id)
    }

    fn next_number(&self) -> i32 {
        i32::try_from(self.parts.len() + usize::from(self.pending.is_some()) + 1).unwrap_or(i32::MAX)
    }

    /// Waits for the part that is being sent.
    fn settle(&mut self) -> Result<(), BatchError> {
        let Some(pending) = self.pending.take() else { return Ok(()) };
        let part = self.s3.block(pending).map_err(|error| BatchError::Other(error.to_string()))??;
        self.parts.push(part);
        Ok(())
    }

    /// Sends the buffer as the next part.
    fn send(&mut self) -> Result<(), BatchError> {
        let id = self.begun()?;
        self.settle()?;
        let body = self.buffer.split().freeze();
        let (s3, location, number) = (self.s3.clone(), self.location.clone(), self.next_number());
        self.pending = Some(self.s3.handle.spawn(async move { send_part(&s3, &location, id, number, body).await }));
        Ok(())
    }

    /// Adds a range of another object as the next part, without reading it.
    fn copy(&mut self, object: &ObjectVersion) -> Result<(), BatchError> {
        let id = self.begun()?;
        self.settle()?;
        let number = self.next_number();
        let source = encoded_source(&object.location);
        let copied = self.s3.block(async {
            let request = self.s3.sdk().await.upload_part_copy().bucket(self.location.bucket());
            let request = request.key(self.location.key()).upload_id(id).part_number(number);
            request.copy_source(source).copy_source_if_match(&object.etag).send().await
        });
        let copied = copied.map_err(|error| write_error(&self.location, "s3:GetObject", error))?;
        let tag = copied.copy_part_result().and_then(|result| result.e_tag()).unwrap_or_default();
        self.parts.push(CompletedPart::builder().e_tag(tag).part_number(number).build());
        Ok(())
    }

    /// Writes a small object by one request.
    fn put(&mut self) -> Result<(), BatchError> {
        let Attributes { metadata, content_type } = self.attributes.clone();
        let (absent, tag) = self.conditions();
        let body = self.buffer.split().freeze();
        let put = self.s3.block(async {
            let request = self.s3.sdk().await.put_object().bucket(self.location.bucket()).key(self.location.key());
            let request = request.set_metadata(Some(metadata)).set_content_type(content_type);
            let request = request.set_if_none_match(absent).set_if_match(tag);
            request.body(body.into()).send().await
        });
        put.map(drop).map_err(|error| write_error(&self.location, "s3:PutObject", error))
    }

    fn complete(&mut self) -> Result<(), BatchError> {
        if !self.buffer.is_empty() {
            self.send()?;
        }
        self.settle()?;
        let (absent, tag) = self.conditions();
        let parts = CompletedMultipartUpload::builder().set_parts(Some(self.parts.clone())).build();
        let completed = self.s3.block(async {
            let request = self.s3.sdk().await.complete_multipart_upload().bucket(self.location.bucket());
            let request = request.key(self.location.key()).set_upload_id(self.id.clone()).multipart_upload(parts);
            request.set_if_none_match(absent).set_if_match(tag).send().await
        });
        completed.map_err(|error| write_error(&self.location, "s3:PutObject", error))?;
        self.id = None;
        Ok(())
    }
}

async fn send_part(
    s3: &S3,
    location: &ObjectLocation,
    id: String,
    number: i32,
    body: Bytes,
) -> Result<CompletedPart, BatchError> {
    let request = s3.sdk().await.upload_part().bucket(location.bucket()).key(location.key());
    let sent = request.upload_id(id).part_number(number).body(body.into()).send().await;
    let sent = sent.map_err(|error| write_error(location, "s3:PutObject", error))?;
    Ok(CompletedPart::builder().e_tag(sent.e_tag().unwrap_or_default()).part_number(number).build())
}

/// Writes an object that consists of others, in their order, all but the last of which have the least size of a part.
pub(crate) fn copied(mut upload: Upload, objects: &[ObjectVersion]) -> Result<(), BatchError> {
    for object in objects {
        upload.copy(object)?;
    }
    upload.complete()
}

/// The header `x-amz-copy-source`.
fn encoded_source(location: &ObjectLocation) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    format!("{}/{}", location.bucket(), utf8_percent_encode(location.key(), KEPT))
}

impl Write for Upload {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.part_size().saturating_sub(self.buffer.len());
        let taken = bytes.get(..room).unwrap_or(bytes);
        self.buffer.extend_from_slice(taken);
        if self.buffer.len() >= self.part_size() {
            self.send()?;
        }
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Output for Upload {
    fn commit(mut self: Box<Self>) -> Result<(), BatchError> {
        if self.id.is_some() { self.complete() } else { self.put() }
    }
}

/// Aborts an upload that is not complete.
impl Drop for Upload {
    fn drop(&mut self) {
        if let Some(pending) = self.pending.take() {
            pending.abort();
        }
        let Some(id) = self.id.take() else { return };
        let aborted = self.s3.block(async {
            let request = self.s3.sdk().await.abort_multipart_upload().bucket(self.location.bucket());
            request.key(self.location.key()).upload_id(id).send().await
        });
        if let Err(error) = aborted {
            tracing::warn!(location = %self.location, ?error, "an upload is not aborted");
        }
    }
}
