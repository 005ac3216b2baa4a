//! Where models come from; independent of HTTP.
//!
//! A [`ModelUri`] names a location, a [`ModelSource`] fetches the complete file from there, and a
//! [`catalog::Catalog`] loads each model once and shares it.

pub mod bundled;
pub mod catalog;
mod error;
pub mod file;
pub mod s3;
mod uri;

use std::fmt::Debug;
use std::pin::Pin;

use bytes::Bytes;

pub use error::{Causes, SourceError};
pub use uri::{ModelUri, ObjectLocation, UriError};

/// The size limit of a model file: 64 MiB. Sources do not read beyond it.
pub const MAX_MODEL_BYTES: u64 = 64 << 20;

/// A boxed future, which makes [`ModelSource`] usable as a trait object.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The location of one model file.
pub trait ModelSource: Debug + Send + Sync {
    /// The location for logs and errors: `bundled:line`, `file:///models/line.json`, `s3://bucket/line.json`. Contains
    /// no credentials.
    fn describe(&self) -> String;

    /// Fetches the complete file, of at most [`MAX_MODEL_BYTES`], within a time limit.
    ///
    /// # Errors
    /// See [`SourceError`]. The next call starts again.
    fn fetch(&self) -> BoxFuture<'_, Result<Bytes, SourceError>>;
}
