//! Where models come from; independent of HTTP.
//!
//! A [`ModelUri`] names a location. A [`ModelSource`] fetches one file from there, and a [`ModelFolder`] has the files of
//! many models. A [`catalog::Catalog`] loads each model once and shares it.

pub mod bundled;
pub mod catalog;
mod error;
pub mod file;
pub mod s3;
mod uri;

use std::fmt::Debug;
use std::pin::Pin;

use bytes::Bytes;
use ordinate_model::wording::shorten;

pub use error::{Causes, SourceError};
pub use uri::{ModelUri, ObjectLocation, UriError};

/// The size limit of a model file: 64 MiB. Sources do not read beyond it.
pub const MAX_MODEL_BYTES: u64 = 64 << 20;

/// A boxed future, which makes [`ModelSource`] usable as a trait object.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The location of one file: a model, or an alias of a catalog.
pub trait ModelSource: Debug + Send + Sync {
    /// The location for logs and errors: `bundled:line`, `file:///models/line.json`, `s3://bucket/line.json`. Contains
    /// no credentials.
    fn describe(&self) -> String;

    /// Fetches the complete file, of at most [`MAX_MODEL_BYTES`], within a time limit; `None` if it still has the tag
    /// `known`.
    ///
    /// # Errors
    /// See [`SourceError`]. The next call starts again.
    fn fetch_changed<'a>(&'a self, known: Option<&'a Tag>) -> BoxFuture<'a, Result<Option<Content>, SourceError>>;

    /// Fetches the complete file.
    ///
    /// # Errors
    /// See [`SourceError`].
    fn fetch(&self) -> BoxFuture<'_, Result<Bytes, SourceError>> {
        Box::pin(async {
            let unexpected =
                || SourceError::Interrupted { location: self.describe(), source: "nothing was returned".into() };
            Ok(self.fetch_changed(None).await?.ok_or_else(unexpected)?.bytes)
        })
    }
}

/// A complete file.
#[derive(Debug, Clone)]
pub struct Content {
    /// Its bytes.
    pub bytes: Bytes,
    /// Its tag.
    pub tag: Tag,
}

/// The identity of a version of a file, such as the `ETag` of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag(pub String);

/// The files of many models: the bundled models, a folder, or the objects in S3 whose keys have the same prefix.
pub trait ModelFolder: Debug + Send + Sync {
    /// The location for logs and errors, which ends with a slash.
    fn describe(&self) -> String;

    /// The file at a path below the folder, such as `price/3.json`. It need not exist.
    fn file(&self, path: &str) -> Box<dyn ModelSource>;

    /// The names in the folder `path` (empty, or ending with a slash), at most `most`, in a fixed order: from the start,
    /// or from `after`, the [`Listing::next`] of the page before. A folder that does not exist is empty.
    ///
    /// # Errors
    /// See [`SourceError`]; [`SourceError::UnknownPage`] for any other `after`.
    fn list<'a>(
        &'a self,
        path: &'a str,
        after: Option<&'a str>,
        most: usize,
    ) -> BoxFuture<'a, Result<Listing, SourceError>>;
}

/// A part of the names in a folder.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    /// The names; those of folders end with a slash.
    pub names: Vec<String>,
    /// Where the next page starts, if there is one.
    pub next: Option<String>,
}

impl Listing {
    /// A page of these names, which starts after the name `after`.
    ///
    /// # Errors
    /// [`SourceError::UnknownPage`] if `after` is not one of the names.
    pub fn page(all: &[String], after: Option<&str>, most: usize) -> Result<Self, SourceError> {
        let start = match after {
            None => 0,
            Some(after) => match all.iter().position(|name| name == after) {
                Some(position) => position + 1,
                None => return Err(SourceError::UnknownPage { after: shorten(after) }),
            },
        };
        let names: Vec<_> = all.iter().skip(start).take(most).cloned().collect();
        let next = names.last().filter(|_| start + names.len() < all.len()).cloned();
        Ok(Self { names, next })
    }
}
