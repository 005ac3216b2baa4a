//! The parameters of a URL.

/// The parameters that routes read; all others are dropped from Lambda events.
pub(crate) const PARAMETERS: [&str; 3] = ["interval", "explain", "probabilities"];
