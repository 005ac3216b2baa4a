//! Outputs in S3, each with what it was made of in its metadata.

use std::collections::HashMap;
use std::io::Read;

use ordinate::source::ObjectLocation;

use super::{Existing, Output, Store};
use crate::error::BatchError;
use crate::identity::{IDENTITY, Identity, MODEL, SOURCE_VERSION};
use crate::kind::content_type;
use crate::s3::{Attributes, S3, Upload};

/// Objects whose keys begin with a prefix.
#[derive(Debug, Clone)]
pub struct Prefix {
    s3: S3,
    location: ObjectLocation,
}

impl Prefix {
    /// The objects below this location, whose key is empty or ends with a slash.
    #[must_use]
    pub fn new(s3: S3, location: ObjectLocation) -> Self {
        Self { s3, location }
    }

    /// The client.
    pub(crate) fn client(&self) -> &S3 {
        &self.s3
    }

    /// The location of an output.
    #[must_use]
    pub fn location(&self, name: &str) -> ObjectLocation {
        self.location.join(name)
    }

    /// Begins an output like [`Store::create`], with the encoding of its content.
    pub(crate) fn upload(&self, name: &str, identity: &Identity, replaces: Option<Existing>) -> Upload {
        let entry = |key: &str, value: &str| (key.to_owned(), ascii(value));
        let metadata = HashMap::from([
            entry(IDENTITY, identity.as_str()),
            entry(MODEL, &identity.model),
            entry(SOURCE_VERSION, &identity.source_version),
        ]);
        let attributes = Attributes { metadata, content_type: content_type(name).map(str::to_owned) };
        Upload::new(&self.s3, self.location(name), attributes, replaces)
    }
}

/// Metadata are headers, which are ASCII.
fn ascii(text: &str) -> String {
    text.chars()
        .map(|character| if character.is_ascii_graphic() || character == ' ' { character } else { '?' })
        .collect()
}

impl Store for Prefix {
    fn place(&self, name: &str) -> String {
        self.location(name).to_string()
    }

    fn existing(&self, name: &str) -> Result<Existing, BatchError> {
        Ok(match self.s3.head(&self.location(name))? {
            None => Existing::Absent,
            Some(found) => {
                let identity = found.metadata.get(IDENTITY).cloned();
                Existing::Present { is_of_batch: identity.is_some(), identity, tag: Some(found.etag) }
            }
        })
    }

    fn create(
        &self,
        name: &str,
        identity: &Identity,
        replaces: Option<Existing>,
    ) -> Result<Box<dyn Output>, BatchError> {
        Ok(Box::new(self.upload(name, identity, replaces)))
    }

    fn open(&self, name: &str) -> Result<Option<Box<dyn Read + Send>>, BatchError> {
        Ok(self.s3.open(&self.location(name))?)
    }

    fn remove(&self, name: &str) -> Result<(), BatchError> {
        // Without a look first, a bucket with versions would get a marker for each name that never existed.
        if self.existing(name)?.is_of_batch() {
            self.s3.delete(&self.location(name))?;
        }
        Ok(())
    }

    fn sweep(&self, name: &str) {
        self.s3.abort_uploads(&self.location(name));
    }
}
