//! The query of a URL.

/// The parameters that routes read; others are not passed on by Lambda events.
pub(crate) const PARAMETERS: [&str; 3] = ["interval", "explain", "probabilities"];
