//! The datatypes of tensors, and their values in JSON and in bytes.

use half::f16;
use serde::Deserialize;

use super::reject;
use crate::http::server::error::ApiError;
use ordinate_model::cell::Cell;
use ordinate_model::number::{has_fraction, parse_double};

/// The datatype of a tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(in crate::http) enum Datatype {
    Bool,
    Uint8,
    Uint16,
    Uint32,
    Uint64,
    Int8,
    Int16,
    Int32,
    Int64,
    Fp16,
    Fp32,
    Fp64,
    Bytes,
}

/// A value of a tensor.
pub(in crate::http::decode) type Value<'a> = Result<Cell<'a>, WrongType<'a>>;

/// A value that does not match the datatype of its tensor.
#[derive(Debug, Clone, Copy)]
pub(in crate::http::decode) struct WrongType<'a> {
    /// The value.
    pub(in crate::http::decode) cell: Cell<'a>,
    /// The datatype of the tensor.
    pub(in crate::http::decode) datatype: Datatype,
}

/// A function that receives the values one by one.
pub(in crate::http::decode) trait Sink: FnMut(Value<'_>) -> Result<(), ApiError> {}

impl<F: FnMut(Value<'_>) -> Result<(), ApiError>> Sink for F {}

impl Datatype {
    /// Its name in the protocol.
    pub(in crate::http) fn name(self) -> &'static str {
        match self {
            Self::Bool => "BOOL",
            Self::Uint8 => "UINT8",
            Self::Uint16 => "UINT16",
            Self::Uint32 => "UINT32",
            Self::Uint64 => "UINT64",
            Self::Int8 => "INT8",
            Self::Int16 => "INT16",
            Self::Int32 => "INT32",
            Self::Int64 => "INT64",
            Self::Fp16 => "FP16",
            Self::Fp32 => "FP32",
            Self::Fp64 => "FP64",
            Self::Bytes => "BYTES",
        }
    }

    /// The bytes of a value; those of the length of a string.
    pub(in crate::http::decode) fn size(self) -> usize {
        match self {
            Self::Bool | Self::Uint8 | Self::Int8 => 1,
            Self::Uint16 | Self::Int16 | Self::Fp16 => 2,
            Self::Uint32 | Self::Int32 | Self::Fp32 | Self::Bytes => 4,
            Self::Uint64 | Self::Int64 | Self::Fp64 => 8,
        }
    }

    /// A JSON value as a value of this type. Numbers are not rounded: they keep their digits.
    pub(super) fn check_json(self, cell: Cell<'_>) -> Value<'_> {
        match (self, cell) {
            (_, Cell::Missing)
            | (Self::Bool, Cell::Boolean(_))
            | (Self::Bytes, Cell::Text(_))
            | (Self::Fp16 | Self::Fp32 | Self::Fp64, Cell::Number(_)) => Some(cell),
            (_, Cell::Number(digits)) => self.integer(digits).map(Cell::Integer),
            _ => None,
        }
        .ok_or(WrongType { cell, datatype: self })
    }

    /// A number as an integer of this type. `4.0` and `2e1` are integers too, as they are for a `long` in every
    /// protocol.
    fn integer(self, digits: &str) -> Option<i128> {
        let whole = |value: &f64| value.fract() == 0.0 && !has_fraction(digits);
        // A larger value becomes the largest i128, which is out of the range of every type.
        #[allow(clippy::cast_possible_truncation)]
        let from_double = || parse_double(digits).ok().filter(whole).map(|value| value as i128);
        let value = digits.parse().ok().or_else(from_double)?;
        let (smallest, largest) = self.range()?;
        (smallest..=largest).contains(&value).then_some(value)
    }

    /// The smallest and the largest value of an integer type.
    fn range(self) -> Option<(i128, i128)> {
        Some(match self {
            Self::Uint8 => (0, u8::MAX.into()),
            Self::Uint16 => (0, u16::MAX.into()),
            Self::Uint32 => (0, u32::MAX.into()),
            Self::Uint64 => (0, u64::MAX.into()),
            Self::Int8 => (i8::MIN.into(), i8::MAX.into()),
            Self::Int16 => (i16::MIN.into(), i16::MAX.into()),
            Self::Int32 => (i32::MIN.into(), i32::MAX.into()),
            Self::Int64 => (i64::MIN.into(), i64::MAX.into()),
            Self::Bool | Self::Fp16 | Self::Fp32 | Self::Fp64 | Self::Bytes => return None,
        })
    }

    /// Reads little-endian values.
    ///
    /// # Errors
    /// 400 if the bytes are not `count` values of this type; errors of `sink`.
    pub(in crate::http::decode) fn read(
        self,
        name: &str,
        bytes: &[u8],
        count: usize,
        mut sink: impl Sink,
    ) -> Result<(), ApiError> {
        match self {
            Self::Bool => fixed(name, bytes, count, |[byte]| {
                sink(match byte {
                    0 => Ok(Cell::Boolean(false)),
                    1 => Ok(Cell::Boolean(true)),
                    other => Err(WrongType { cell: Cell::Integer(other.into()), datatype: self }),
                })
            }),
            Self::Uint8 => fixed(name, bytes, count, |value| sink(Ok(Cell::Integer(u8::from_le_bytes(value).into())))),
            Self::Uint16 => {
                fixed(name, bytes, count, |value| sink(Ok(Cell::Integer(u16::from_le_bytes(value).into()))))
            }
            Self::Uint32 => {
                fixed(name, bytes, count, |value| sink(Ok(Cell::Integer(u32::from_le_bytes(value).into()))))
            }
            Self::Uint64 => {
                fixed(name, bytes, count, |value| sink(Ok(Cell::Integer(u64::from_le_bytes(value).into()))))
            }
            Self::Int8 => fixed(name, bytes, count, |value| sink(Ok(Cell::Integer(i8::from_le_bytes(value).into())))),
            Self::Int16 => fixed(name, bytes, count, |value| sink(Ok(Cell::Integer(i16::from_le_bytes(value).into())))),
            Self::Int32 => fixed(name, bytes, count, |value| sink(Ok(Cell::Integer(i32::from_le_bytes(value).into())))),
            Self::Int64 => fixed(name, bytes, count, |value| sink(Ok(Cell::Integer(i64::from_le_bytes(value).into())))),
            Self::Fp16 => fixed(name, bytes, count, |value| sink(Ok(Cell::Double(f16::from_le_bytes(value).to_f64())))),
            Self::Fp32 => fixed(name, bytes, count, |value| sink(Ok(Cell::Double(f32::from_le_bytes(value).into())))),
            Self::Fp64 => fixed(name, bytes, count, |value| sink(Ok(Cell::Double(f64::from_le_bytes(value))))),
            Self::Bytes => texts(name, bytes, count, sink),
        }
    }
}

/// Values of `SIZE` bytes each.
fn fixed<const SIZE: usize>(
    name: &str,
    bytes: &[u8],
    count: usize,
    each: impl FnMut([u8; SIZE]) -> Result<(), ApiError>,
) -> Result<(), ApiError> {
    // On overflow, the bytes cannot be enough.
    if count.checked_mul(SIZE) != Some(bytes.len()) {
        let detail = format!("expected {count} values of {SIZE} bytes by the shape, got {} bytes", bytes.len());
        return Err(reject(name, detail));
    }
    bytes.as_chunks::<SIZE>().0.iter().copied().try_for_each(each)
}

/// Strings, each after its length.
fn texts(name: &str, mut bytes: &[u8], count: usize, mut sink: impl Sink) -> Result<(), ApiError> {
    let mut position = 0;
    while let Some((length, rest)) = bytes.split_first_chunk() {
        let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let Some((text, rest)) = rest.split_at_checked(length) else {
            let left = rest.len();
            return Err(reject(name, format!("value {position}: expected {length} bytes, got {left}")));
        };
        let Ok(text) = std::str::from_utf8(text) else {
            return Err(reject(name, format!("value {position} is not UTF-8")));
        };
        sink(Ok(Cell::Text(text)))?;
        position += 1;
        bytes = rest;
    }
    if !bytes.is_empty() {
        return Err(reject(name, format!("value {position}: expected 4 bytes with its length, got {}", bytes.len())));
    }
    super::check_count(name, position, count)
}
