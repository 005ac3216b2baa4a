//! Arrays of numpy: types of elements, and elements from bytes.

use std::borrow::Cow;

use super::graph::{Array, Graph, Node};
use crate::value::Elements;

/// The most dimensions of an array: more than any attribute of scikit-learn has.
pub(super) const MAX_DIMENSIONS: usize = 8;

/// The most bytes of the code of a type.
const MAX_CODE: usize = 32;

/// The type of the elements of an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dtype {
    pub(super) kind: Kind,
    /// Bytes of an element.
    pub(super) size: usize,
    pub(super) is_big_endian: bool,
}

/// The kind of the elements of an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    Int,
    Unsigned,
    Float,
    /// Characters of four bytes.
    Text,
    Object,
    /// Bytes, dates, complex numbers and long doubles: their elements are not read.
    Other,
}

impl Dtype {
    /// The type of a code such as `f8` or `<U5`; `None` for structured types and unknown ones.
    pub(super) fn parse(code: &str) -> Option<Self> {
        if code.len() > MAX_CODE {
            return None;
        }
        let order = code.chars().next().filter(|order| "<>|=".contains(*order));
        let code = code.strip_prefix(['<', '>', '|', '=']).unwrap_or(code);
        let kind = code.chars().next()?;
        let digits = code.get(1..)?;
        // The unit of dates: `M8[ns]`.
        let digits = digits.split_once('[').map_or(digits, |(digits, _)| digits);
        let length = if digits.is_empty() && kind == 'O' { 8 } else { digits.parse::<u32>().ok()? as usize };
        let (kind, size) = match (kind, length) {
            ('b', 1) => (Kind::Bool, 1),
            ('i', 1 | 2 | 4 | 8) => (Kind::Int, length),
            ('u', 1 | 2 | 4 | 8) => (Kind::Unsigned, length),
            ('f', 2 | 4 | 8) => (Kind::Float, length),
            ('U', _) => (Kind::Text, length.checked_mul(4)?),
            ('O', _) => (Kind::Object, 8),
            ('f', 10 | 12 | 16) | ('c', 8 | 16 | 32) | ('M' | 'm', 8) | ('S', _) => (Kind::Other, length),
            _ => return None,
        };
        Some(Self { kind, size, is_big_endian: order == Some('>') })
    }

    /// The bytes of an array of this shape.
    pub(super) fn bytes(&self, shape: &[usize]) -> Option<usize> {
        count(shape)?.checked_mul(self.size)
    }

    fn ordered<const N: usize>(self, bytes: &[u8]) -> Option<[u8; N]> {
        let mut bytes = <[u8; N]>::try_from(bytes).ok()?;
        if self.is_big_endian {
            bytes.reverse();
        }
        Some(bytes)
    }

    fn float(self, bytes: &[u8]) -> Option<f64> {
        Some(match self.size {
            2 => half::f16::from_le_bytes(self.ordered(bytes)?).to_f64(),
            4 => f64::from(f32::from_le_bytes(self.ordered(bytes)?)),
            _ => f64::from_le_bytes(self.ordered(bytes)?),
        })
    }

    fn int(self, bytes: &[u8]) -> Option<i64> {
        let is_signed = self.kind == Kind::Int;
        Some(match self.size {
            1 if is_signed => i8::from_le_bytes(self.ordered(bytes)?).into(),
            1 => u8::from_le_bytes(self.ordered(bytes)?).into(),
            2 if is_signed => i16::from_le_bytes(self.ordered(bytes)?).into(),
            2 => u16::from_le_bytes(self.ordered(bytes)?).into(),
            4 if is_signed => i32::from_le_bytes(self.ordered(bytes)?).into(),
            4 => u32::from_le_bytes(self.ordered(bytes)?).into(),
            _ if is_signed => i64::from_le_bytes(self.ordered(bytes)?),
            _ => i64::try_from(u64::from_le_bytes(self.ordered(bytes)?)).ok()?,
        })
    }

    /// The text without the characters 0 at its end.
    fn text(self, bytes: &[u8]) -> Option<String> {
        let codes = bytes.chunks_exact(4).map(|code| self.ordered(code).map(u32::from_le_bytes));
        let text: Option<String> = codes.map(|code| char::from_u32(code?)).collect();
        text.map(|text| text.trim_end_matches('\0').to_owned())
    }

    /// The elements in the order of the bytes; `None` for objects and types that are not read.
    pub(super) fn elements(self, bytes: &[u8], count: usize) -> Option<Elements> {
        let each = || (0..count).map(|position| bytes.get(position * self.size..(position + 1) * self.size));
        Some(match self.kind {
            Kind::Bool => Elements::Bools(each().map(|one| Some(*one?.first()? != 0)).collect::<Option<_>>()?),
            Kind::Int | Kind::Unsigned => Elements::Ints(each().map(|one| self.int(one?)).collect::<Option<_>>()?),
            Kind::Float => Elements::Floats(each().map(|one| self.float(one?)).collect::<Option<_>>()?),
            Kind::Text => Elements::Texts(each().map(|one| self.text(one?)).collect::<Option<_>>()?),
            Kind::Object | Kind::Other => return None,
        })
    }

    /// The only element.
    pub(super) fn scalar<'a>(self, bytes: &[u8]) -> Option<Node<'a>> {
        if bytes.len() != self.size {
            return None;
        }
        Some(match self.elements(bytes, 1)? {
            Elements::Floats(values) => Node::Float(*values.first()?),
            Elements::Ints(values) => Node::Int(*values.first()?),
            Elements::Bools(values) => Node::Bool(*values.first()?),
            Elements::Texts(mut values) => Node::Text(Cow::Owned(values.pop()?)),
            Elements::Objects(_) | Elements::TooMany(_) => return None,
        })
    }
}

/// The number of elements of a shape.
pub(super) fn count(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1_usize, |count, length| count.checked_mul(*length))
}

impl Array {
    /// Whether the content has the size of the shape.
    pub(super) fn is_complete(&self, graph: &Graph<'_>) -> bool {
        let Some(content) = self.content else { return false };
        let (expected, length) = match self.dtype.kind {
            Kind::Object => (count(&self.shape), graph.sequence(content).map(<[_]>::len)),
            _ => (self.dtype.bytes(&self.shape), graph.bytes(content).map(<[_]>::len)),
        };
        expected.is_some() && expected == length
    }
}

/// Elements in row-major order, of elements in column-major order.
pub(super) fn row_major<T: Clone>(elements: &[T], shape: &[usize]) -> Vec<T> {
    let mut strides = Vec::with_capacity(shape.len());
    let mut stride = 1_usize;
    for length in shape {
        strides.push(stride);
        stride = stride.saturating_mul(*length);
    }
    let mut position = vec![0_usize; shape.len()];
    let mut ordered = Vec::with_capacity(elements.len());
    for _ in 0..elements.len() {
        let offset: usize = position.iter().zip(&strides).map(|(index, stride)| index * stride).sum();
        ordered.extend(elements.get(offset).cloned());
        for (index, length) in position.iter_mut().zip(shape).rev() {
            *index += 1;
            if *index < *length {
                break;
            }
            *index = 0;
        }
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elements(code: &str, bytes: &[u8]) -> Option<Elements> {
        let dtype = Dtype::parse(code)?;
        dtype.elements(bytes, bytes.len() / dtype.size)
    }

    #[test]
    fn numbers_of_any_size_and_order_are_read() {
        for (code, bytes) in [
            ("<f8", 1.5_f64.to_le_bytes().to_vec()),
            (">f8", 1.5_f64.to_be_bytes().to_vec()),
            (">f4", 1.5_f32.to_be_bytes().to_vec()),
            ("<f2", vec![0x00, 0x3e]),
        ] {
            assert_eq!(elements(code, &bytes), Some(Elements::Floats(vec![1.5])), "{code}");
        }
        for (code, bytes) in [
            ("i1", vec![0xfe]),
            (">i2", vec![0xff, 0xfe]),
            ("<i4", (-2_i32).to_le_bytes().to_vec()),
            (">i8", (-2_i64).to_be_bytes().to_vec()),
        ] {
            assert_eq!(elements(code, &bytes), Some(Elements::Ints(vec![-2])), "{code}");
        }
        assert_eq!(elements("u1", &[200]), Some(Elements::Ints(vec![200])));
        assert_eq!(elements("<u8", &[0xff; 8]), None);
        assert_eq!(elements("b1", &[0, 1]), Some(Elements::Bools(vec![false, true])));
        let text = ['K', 'ö', '\0'].map(|letter| u32::from(letter).to_be_bytes()).concat();
        assert_eq!(elements(">U3", &text), Some(Elements::Texts(vec!["Kö".to_owned()])));
    }

    #[test]
    fn structured_and_unknown_types_are_not_read() {
        for code in
            ["V16", "f3", "i16", "U", "U99999999999", "", "é8", "f00000000000000000000000000000008", "[('a', 'f8')]"]
        {
            assert_eq!(Dtype::parse(code), None, "{code}");
        }
        for code in ["M8[ns]", "S5", "c16", "f16"] {
            assert_eq!(Dtype::parse(code).unwrap().kind, Kind::Other, "{code}");
        }
    }

    #[test]
    fn column_major_elements_become_row_major() {
        assert_eq!(row_major(&[1, 4, 2, 5, 3, 6], &[2, 3]), [1, 2, 3, 4, 5, 6]);
        assert_eq!(row_major(&[0, 4, 2, 6, 1, 5, 3, 7], &[2, 2, 2]), [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(row_major::<u8>(&[], &[0, 3]), [0; 0]);
    }
}
