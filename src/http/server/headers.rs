//! Names of headers.

use http::HeaderName;

/// The number of warnings of a response, if it has any.
pub(crate) const WARNINGS: HeaderName = HeaderName::from_static("x-ordinate-warnings");

/// The length of the JSON in a body whose tensors follow as bytes.
pub(crate) const JSON_LENGTH: HeaderName = HeaderName::from_static("inference-header-content-length");

/// The version of the Model Context Protocol that a client speaks.
pub(crate) const MCP_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");

/// The headers that clients of the Model Context Protocol send.
pub(crate) const MCP_HEADERS: [HeaderName; 3] =
    [MCP_VERSION, HeaderName::from_static("mcp-method"), HeaderName::from_static("mcp-name")];
