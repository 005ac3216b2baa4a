//! Regression or classification.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The kind of prediction of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// A number.
    Regression,
    /// One of several classes.
    Classification,
}

impl fmt::Display for Task {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Regression => "regression",
            Self::Classification => "classification",
        })
    }
}
