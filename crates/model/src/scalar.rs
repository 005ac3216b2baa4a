//! A JSON value that is not a list or object: a class label, an imputed value, a golden value.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::cell::Cell;

/// A value in a model file or an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a number, a text, true, false or null")]
pub enum Scalar {
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number that is written without a fraction, such as a class label.
    Integer(i64),
    /// A finite number.
    Number(f64),
    /// Text.
    Text(String),
    /// A missing value: `null`.
    Missing,
}

impl Scalar {
    /// The value as a caller would write it.
    #[must_use]
    pub fn cell(&self) -> Cell<'_> {
        match self {
            Self::Boolean(value) => Cell::Boolean(*value),
            // Labels and levels are far below 2^53, up to which every integer is a double.
            #[allow(clippy::cast_precision_loss)]
            Self::Integer(value) => Cell::Double(*value as f64),
            Self::Number(value) => Cell::Double(*value),
            Self::Text(text) => Cell::Text(text),
            Self::Missing => Cell::Missing,
        }
    }

    /// A class label as text, written as in JSON: `1.0` for a number, `1` for an integer.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::Number(value) => format!("{value:?}"),
            other => other.to_string(),
        }
    }
}

/// The value as in the training data, without quotes.
impl fmt::Display for Scalar {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean(value) => write!(out, "{value}"),
            Self::Integer(value) => write!(out, "{value}"),
            Self::Number(value) => write!(out, "{value}"),
            Self::Text(text) => out.write_str(text),
            Self::Missing => out.write_str("null"),
        }
    }
}
