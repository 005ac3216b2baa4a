//! Opcodes that push a value which follows in the file: numbers, texts, bytes and empty containers.

use std::borrow::Cow;

use super::reader::Reader;
use crate::file::error::FileError;
use crate::file::graph::{Graph, Node};

impl<'a> Reader<'a> {
    /// The value of an opcode; `None` for any other opcode.
    pub(super) fn literal(&mut self, opcode: u8, graph: &mut Graph<'a>) -> Result<Option<Node<'a>>, FileError> {
        Ok(Some(match opcode {
            b'N' => Node::None,
            0x88 => Node::Bool(true),
            0x89 => Node::Bool(false),
            b']' => Node::List(Vec::new()),
            b'}' => Node::Dict(Vec::new()),
            b')' => Node::Tuple(Vec::new()),
            0x8f => Node::Set,
            b'K' => Node::Int(self.byte()?.into()),
            b'M' => Node::Int(u16::from_le_bytes(self.array()?).into()),
            b'J' => Node::Int(i32::from_le_bytes(self.array()?).into()),
            b'I' => match self.line()? {
                "00" => Node::Bool(false),
                "01" => Node::Bool(true),
                digits => self.decimal(digits)?,
            },
            b'L' => {
                let line = self.line()?;
                self.decimal(line.strip_suffix('L').unwrap_or(line))?
            }
            0x8a => {
                let length = self.byte()?;
                integer(self.take(length.into())?)
            }
            0x8b => {
                let length = i32::from_le_bytes(self.array()?);
                let length = u64::try_from(length).map_err(|_| self.damaged("an integer has a negative length"))?;
                integer(self.take(length)?)
            }
            b'F' => Node::Float(self.line()?.parse().map_err(|_| self.damaged("a number is not one"))?),
            b'G' => Node::Float(f64::from_be_bytes(self.array()?)),
            b'V' => {
                let line = self.raw_line()?;
                graph.decode(line.len())?;
                Node::Text(unescaped(line).ok_or_else(|| self.damaged("a text has a wrong escape"))?)
            }
            0x8c | b'X' | 0x8d => {
                let bytes = self.counted([0x8c, b'X', 0x8d], opcode)?;
                Node::Text(Cow::Borrowed(std::str::from_utf8(bytes).map_err(|_| self.damaged("a text is not UTF-8"))?))
            }
            b'C' | b'B' | 0x8e => Node::Bytes(Cow::Borrowed(self.counted([b'C', b'B', 0x8e], opcode)?)),
            0x96 => {
                let length = u64::from_le_bytes(self.array()?);
                Node::Bytes(Cow::Borrowed(self.take(length)?))
            }
            _ => return Ok(None),
        }))
    }

    /// The bytes after a length of one, four or eight bytes, for the first, second and third opcode.
    fn counted(&mut self, opcodes: [u8; 3], opcode: u8) -> Result<&'a [u8], FileError> {
        let [short, medium, _] = opcodes;
        let length = if opcode == short {
            self.byte()?.into()
        } else if opcode == medium {
            u32::from_le_bytes(self.array()?).into()
        } else {
            u64::from_le_bytes(self.array()?)
        };
        self.take(length)
    }

    fn decimal(&self, digits: &str) -> Result<Node<'a>, FileError> {
        let unsigned = digits.strip_prefix('-').unwrap_or(digits);
        match digits.parse() {
            Ok(value) => Ok(Node::Int(value)),
            Err(_) if !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit()) => Ok(Node::BigInt),
            Err(_) => Err(self.damaged("a number is not one")),
        }
    }

    fn damaged(&self, reason: &str) -> FileError {
        FileError::damaged(self.place(), reason)
    }
}

/// An integer in two's complement, the lowest byte first.
fn integer<'a>(bytes: &[u8]) -> Node<'a> {
    let fill = if bytes.last().is_some_and(|highest| *highest >= 0x80) { 0xff } else { 0 };
    let mut eight = [fill; 8];
    match eight.get_mut(..bytes.len()) {
        Some(low) => {
            low.copy_from_slice(bytes);
            Node::Int(i64::from_le_bytes(eight))
        }
        None => Node::BigInt,
    }
}

/// The text of Python's `raw-unicode-escape`: Latin-1 with `\uXXXX` and `\UXXXXXXXX`.
fn unescaped(line: &[u8]) -> Option<Cow<'_, str>> {
    let mut text = String::with_capacity(line.len());
    let mut rest = line;
    while let [first, tail @ ..] = rest {
        let length = match tail {
            [b'u', ..] if *first == b'\\' => 4,
            [b'U', ..] if *first == b'\\' => 8,
            _ => {
                text.push(char::from(*first));
                rest = tail;
                continue;
            }
        };
        let digits = tail.get(1..=length).and_then(|digits| std::str::from_utf8(digits).ok())?;
        text.push(char::from_u32(u32::from_str_radix(digits, 16).ok()?)?);
        rest = tail.get(length + 1..)?;
    }
    Some(Cow::Owned(text))
}
