//! Headers of our own, and of other servers.

use http::HeaderName;

/// How many warnings an answer came with, where there are any.
pub(crate) const WARNINGS: HeaderName = HeaderName::from_static("x-ordinate-warnings");

/// The header that says where the JSON ends and the tensors' bytes begin.
pub(crate) const JSON_LENGTH: HeaderName = HeaderName::from_static("inference-header-content-length");
