//! The parameters of a URL.

/// The parameters of a prediction.
pub(crate) const PARAMETERS: [&str; 3] = ["interval", "explain", "probabilities"];

/// The parameters of the list of models.
pub(crate) const LIST_PARAMETERS: [&str; 2] = ["after", "limit"];
