//! The `OpenAPI` document, assembled from the operations of each protocol, and the page that shows it.

pub(crate) mod error;
pub(crate) mod openapi;
pub(crate) mod operation;
pub(crate) mod reader;
pub(crate) mod schema;
pub(crate) mod shared;
