//! The bytes of a pickle.

use crate::file::error::FileError;

/// A position in the bytes of a pickle.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
    /// The position of the last opcode, for messages.
    opcode: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0, opcode: 0 }
    }

    /// The place of the last opcode.
    pub(super) fn place(&self) -> String {
        format!("byte {}", self.opcode)
    }

    pub(super) fn remaining(&self) -> usize {
        self.bytes.len().saturating_sub(self.position)
    }

    pub(super) fn opcode(&mut self) -> Result<u8, FileError> {
        self.opcode = self.position;
        self.byte()
    }

    pub(super) fn byte(&mut self) -> Result<u8, FileError> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], FileError> {
        let bytes = self.take(N as u64)?;
        bytes.try_into().map_err(|_| self.ends())
    }

    /// So many bytes.
    pub(super) fn take(&mut self, length: u64) -> Result<&'a [u8], FileError> {
        let end = usize::try_from(length).ok().and_then(|length| self.position.checked_add(length));
        let bytes = end.and_then(|end| self.bytes.get(self.position..end)).ok_or_else(|| self.ends())?;
        self.position += bytes.len();
        Ok(bytes)
    }

    /// The text up to the end of the line.
    pub(super) fn line(&mut self) -> Result<&'a str, FileError> {
        let rest = self.bytes.get(self.position..).unwrap_or_default();
        let length = rest.iter().position(|byte| *byte == b'\n').ok_or_else(|| self.ends())?;
        let line = rest.get(..length).unwrap_or_default();
        self.position += length + 1;
        std::str::from_utf8(line).map_err(|_| FileError::damaged(self.place(), "a text is not UTF-8"))
    }

    /// The bytes up to the end of the line.
    pub(super) fn raw_line(&mut self) -> Result<&'a [u8], FileError> {
        let rest = self.bytes.get(self.position..).unwrap_or_default();
        let length = rest.iter().position(|byte| *byte == b'\n').ok_or_else(|| self.ends())?;
        self.position += length + 1;
        Ok(rest.get(..length).unwrap_or_default())
    }

    /// The number in a line.
    pub(super) fn number(&mut self) -> Result<u32, FileError> {
        self.line()?.parse().map_err(|_| FileError::damaged(self.place(), "a number is not one"))
    }

    fn ends(&self) -> FileError {
        FileError::damaged(self.place(), "the file ends within this part")
    }
}
