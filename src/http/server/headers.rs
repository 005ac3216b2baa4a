//! Names of headers.

use http::HeaderName;

/// The id of a request.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The number of warnings of a response, if it has any.
pub(crate) const WARNINGS: HeaderName = HeaderName::from_static("x-ordinate-warnings");

/// The length of the JSON in a body whose tensors follow as bytes.
pub(crate) const JSON_LENGTH: HeaderName = HeaderName::from_static("inference-header-content-length");

/// The version of the Model Context Protocol that a client speaks.
pub(crate) const MCP_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
