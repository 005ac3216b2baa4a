//! The header of an NPY file: the signature, a version, a length, and a literal of Python such as
//! `{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }`.
//!
//! A parser of our own for this one form: the crates that read NPY files parse all literals of Python, with a parser
//! generator and big integers.

use super::super::tensor::Datatype;
use super::invalid;
use crate::http::server::body::NPY;
use crate::http::server::error::{ApiError, ErrorCode};
use ordinate_model::wording::shorten;

/// The longest header, as in numpy: longer ones belong to structured arrays.
const LONGEST: usize = 10_000;

/// The header of an array.
#[derive(Debug, PartialEq)]
pub(super) struct Header {
    pub(super) element: Element,
    pub(super) order: ByteOrder,
    /// Whether columns, not rows, are contiguous.
    pub(super) fortran_order: bool,
    pub(super) shape: Vec<usize>,
}

/// The order of the bytes of a number or a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ByteOrder {
    Little,
    Big,
}

/// The type of the values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    /// Numbers and booleans.
    Number(Datatype),
    /// Text of this many characters, four bytes each.
    Utf32 { characters: usize },
    /// Text of this many bytes.
    Bytes { bytes: usize },
}

impl Element {
    /// The bytes of a value.
    pub(super) fn size(self) -> usize {
        match self {
            Self::Number(datatype) => datatype.size(),
            // Not more than can be in memory: the digits of the header are limited.
            Self::Utf32 { characters } => characters.saturating_mul(4),
            Self::Bytes { bytes } => bytes,
        }
    }

    /// The bytes that a byte order applies to.
    pub(super) fn unit(self) -> usize {
        match self {
            Self::Number(datatype) => datatype.size(),
            Self::Utf32 { .. } => 4,
            Self::Bytes { .. } => 1,
        }
    }
}

impl Header {
    /// Reads the header; returns it with the bytes of the values.
    ///
    /// # Errors
    /// 400 if it is malformed, or if the type of the values is not supported.
    pub(super) fn parse(body: &[u8]) -> Result<(Self, &[u8]), ApiError> {
        let Some(rest) = body.strip_prefix(&NPY) else {
            return Err(invalid("it does not begin with the bytes \\x93NUMPY"));
        };
        let ended = || invalid("it ends within its header");
        let ([major, _minor], rest) = rest.split_first_chunk().ok_or_else(ended)?;
        let (length, rest) = if *major == 1 {
            let (length, rest) = rest.split_first_chunk().ok_or_else(ended)?;
            (u32::from(u16::from_le_bytes(*length)), rest)
        } else if matches!(major, 2 | 3) {
            let (length, rest) = rest.split_first_chunk().ok_or_else(ended)?;
            (u32::from_le_bytes(*length), rest)
        } else {
            return Err(invalid(format!("expected version 1, 2 or 3 of the format, got {major}")));
        };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > LONGEST {
            return Err(invalid(format!("expected a header of at most {LONGEST} bytes, got {length}")));
        }
        let (literal, values) = rest.split_at_checked(length).ok_or_else(ended)?;
        let literal = std::str::from_utf8(literal).map_err(|_| invalid("its header is not UTF-8"))?;
        Ok((Literal { rest: literal }.header()?, values))
    }

    /// The shape as Python writes it.
    pub(super) fn shape_text(&self) -> String {
        match self.shape.as_slice() {
            [only] => format!("({only},)"),
            several => format!("({})", several.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")),
        }
    }
}

/// Reads a literal of Python from the start.
struct Literal<'h> {
    rest: &'h str,
}

impl<'h> Literal<'h> {
    fn header(mut self) -> Result<Header, ApiError> {
        let (mut element, mut fortran_order, mut shape) = (None, None, None);
        self.expect('{')?;
        while !self.next_is('}') {
            let key = self.text()?;
            self.expect(':')?;
            match key {
                "descr" => element = Some(self.element()?),
                "fortran_order" => fortran_order = Some(self.boolean()?),
                "shape" => shape = Some(self.shape()?),
                other => return Err(invalid(format!("its header has the unknown key {:?}", shorten(other)))),
            }
            if !self.next_is(',') {
                self.expect('}')?;
                break;
            }
        }
        if !self.rest.trim().is_empty() {
            return Err(invalid("its header has text after the closing brace"));
        }
        let missing = |key: &str| invalid(format!("its header has no {key:?}"));
        let (element, order) = element.ok_or_else(|| missing("descr"))?;
        Ok(Header {
            element,
            order,
            fortran_order: fortran_order.ok_or_else(|| missing("fortran_order"))?,
            shape: shape.ok_or_else(|| missing("shape"))?,
        })
    }

    /// Skips a character after spaces, if it is next.
    fn next_is(&mut self, expected: char) -> bool {
        match self.rest.trim_start().strip_prefix(expected) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, expected: char) -> Result<(), ApiError> {
        if self.next_is(expected) { Ok(()) } else { Err(self.unexpected(&format!("{expected:?}"))) }
    }

    fn unexpected(&self, expected: &str) -> ApiError {
        invalid(format!("its header: expected {expected} at {:?}", shorten(self.rest.trim())))
    }

    /// A string without escapes.
    fn text(&mut self) -> Result<&'h str, ApiError> {
        let rest = self.rest.trim_start();
        let quote = rest.chars().next().filter(|quote| matches!(quote, '\'' | '"'));
        let text = quote.and_then(|quote| rest.strip_prefix(quote)?.split_once(quote));
        let (text, rest) = text.ok_or_else(|| self.unexpected("a string"))?;
        self.rest = rest;
        Ok(text)
    }

    fn boolean(&mut self) -> Result<bool, ApiError> {
        let rest = self.rest.trim_start();
        for (word, value) in [("True", true), ("False", false)] {
            if let Some(rest) = rest.strip_prefix(word) {
                self.rest = rest;
                return Ok(value);
            }
        }
        Err(self.unexpected("True or False"))
    }

    /// A tuple of whole numbers. Python 2 wrote some of them with an `L`.
    fn shape(&mut self) -> Result<Vec<usize>, ApiError> {
        self.expect('(')?;
        let mut shape = Vec::new();
        while !self.next_is(')') {
            let rest = self.rest.trim_start();
            let end = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
            let (digits, rest) = rest.split_at_checked(end).unwrap_or_default();
            shape.push(digits.parse().map_err(|_| self.unexpected("a whole number"))?);
            self.rest = rest.strip_prefix('L').unwrap_or(rest);
            if !self.next_is(',') {
                self.expect(')')?;
                break;
            }
        }
        Ok(shape)
    }

    /// The type of the values, such as `<f8`.
    fn element(&mut self) -> Result<(Element, ByteOrder), ApiError> {
        const SUPPORTED: &str = "send booleans, integers, floats of up to 8 bytes, or strings, for example with \
                                 .astype(\"float64\")";
        if self.rest.trim_start().starts_with('[') {
            let detail = "an array of records (a structured dtype) is not supported; send one column per feature";
            return Err(ApiError::new(ErrorCode::NotSupported, detail));
        }
        let name = self.text()?;
        let unsupported = || {
            let detail = format!("an array of the type {:?} is not supported; {SUPPORTED}", shorten(name));
            ApiError::new(ErrorCode::NotSupported, detail)
        };
        let (order, kind) = match name.split_at_checked(1) {
            Some(("<" | "|", kind)) => (ByteOrder::Little, kind),
            Some((">", kind)) => (ByteOrder::Big, kind),
            _ => return Err(unsupported()),
        };
        let length = || {
            let length = kind.get(1..).and_then(|digits| digits.parse().ok());
            length.filter(|length| *length > 0).ok_or_else(unsupported)
        };
        let element = match kind {
            "b1" => Element::Number(Datatype::Bool),
            "u1" => Element::Number(Datatype::Uint8),
            "u2" => Element::Number(Datatype::Uint16),
            "u4" => Element::Number(Datatype::Uint32),
            "u8" => Element::Number(Datatype::Uint64),
            "i1" => Element::Number(Datatype::Int8),
            "i2" => Element::Number(Datatype::Int16),
            "i4" => Element::Number(Datatype::Int32),
            "i8" => Element::Number(Datatype::Int64),
            "f2" => Element::Number(Datatype::Fp16),
            "f4" => Element::Number(Datatype::Fp32),
            "f8" => Element::Number(Datatype::Fp64),
            _ if kind.starts_with('U') => Element::Utf32 { characters: length()? },
            _ if kind.starts_with('S') => Element::Bytes { bytes: length()? },
            _ => return Err(unsupported()),
        };
        Ok((element, order))
    }
}
