//! A value as a caller wrote it.

use std::fmt;

use crate::wording::shorten;

/// A value as a caller wrote it, before it is held against its feature.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell<'a> {
    /// `null`, or a token such as `NaN`.
    Missing,
    /// `true` or `false`.
    Boolean(bool),
    /// A JSON number, digit by digit as it was written.
    Number(&'a str),
    /// A number that was a double all along.
    Double(f64),
    /// A number that was an integer all along, of any width and sign.
    Integer(i128),
    /// A JSON string.
    Text(&'a str),
    /// Text without a type, of a CSV file; the feature's type says how to read it.
    Field(&'a str),
    /// An array where a value was due.
    Array,
    /// An object where a value was due.
    Object,
}

/// In words, for messages: `the string "high"`.
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
            Self::Array => out.write_str("an array"),
            Self::Object => out.write_str("an object"),
        }
    }
}
