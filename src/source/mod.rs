//! Where models come from. Knows nothing of HTTP.
//!
//! A [`ModelUri`] says where; a [`ModelSource`] brings the bytes, whole or not at all; the [`catalog::Catalog`] makes a
//! model of them, once, and shares it.

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

/// The most bytes a model file may have: 64 MiB. No source reads further.
pub const MAX_MODEL_BYTES: u64 = 64 << 20;

/// A boxed future, so that sources can stand behind one trait object.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One place that holds one model file.
pub trait ModelSource: Debug + Send + Sync {
    /// The place, for logs and errors: `bundled:line`, `file:///models/line.json`, `s3://bucket/line.json`. Never a credential.
    fn describe(&self) -> String;

    /// Brings the whole file, at most [`MAX_MODEL_BYTES`], in bounded time.
    ///
    /// # Errors
    /// See [`SourceError`]; the next call tries again from the beginning.
    fn fetch(&self) -> BoxFuture<'_, Result<Bytes, SourceError>>;
}
