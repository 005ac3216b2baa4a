//! A value as a caller wrote it.

use std::fmt;

use crate::date;
use crate::wording::shorten;

/// A value as a caller wrote it, before it is checked against its feature.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell<'a> {
    /// `null`, or a token such as `NaN`.
    Missing,
    /// `true` or `false`.
    Boolean(bool),
    /// A JSON number with all its digits.
    Number(&'a str),
    /// A double, for example from an `FP64` tensor.
    Double(f64),
    /// An integer of any width and sign, for example from an `INT64` tensor.
    Integer(i128),
    /// A JSON string.
    Text(&'a str),
    /// Untyped text from a CSV file, which is read as the feature's type.
    Field(&'a str),
    /// A date by its type, in days since 1970-01-01 (UTC), for example from a Parquet file.
    Date(f64),
    /// An array in the place of a value.
    Array,
    /// An object in the place of a value.
    Object,
}

/// For messages: `the string "high"`.
impl fmt::Display for Cell<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => out.write_str("null"),
            Self::Boolean(value) => write!(out, "{value}"),
            Self::Number(text) => write!(out, "the number {}", shorten(text)),
            Self::Double(value) => write!(out, "the number {value}"),
            Self::Integer(value) => write!(out, "the number {value}"),
            Self::Text(text) => write!(out, "the string {:?}", shorten(text)),
            Self::Field(text) => write!(out, "{:?}", shorten(text)),
            Self::Date(days) => write!(out, "the date {}", date::to_iso(*days)),
            Self::Array => out.write_str("an array"),
            Self::Object => out.write_str("an object"),
        }
    }
}
