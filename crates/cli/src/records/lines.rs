//! Bytes that are handed out so that a record knows its line and cannot go on for ever.

use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;

use crate::progress::Progress;
use ordinate_table::MAX_ROW_BYTES;

/// Hands out at most one line at a time: whoever parses is in the line that was handed out last.
pub(super) struct Lines {
    bytes: BufReader<Box<dyn Read>>,
    /// The line handed out last, from 1.
    pub(super) line: u64,
    /// Whether that line has ended.
    ended: bool,
    /// The line in which the current record was begun, and the bytes handed out since.
    pub(super) record_line: u64,
    record_bytes: u64,
}

impl Lines {
    pub(super) fn new(bytes: Box<dyn Read>) -> Self {
        let bytes = BufReader::with_capacity(1 << 16, bytes);
        Self { bytes, line: 0, ended: true, record_line: 1, record_bytes: 0 }
    }

    pub(super) fn begin_record(&mut self) {
        self.record_line = self.line + u64::from(self.ended);
        self.record_bytes = 0;
    }

    /// Whether nothing follows what was handed out, as far as can be told.
    pub(super) fn is_at_end(&mut self) -> bool {
        self.bytes.fill_buf().is_ok_and(<[u8]>::is_empty)
    }

    pub(super) fn is_over(&self) -> bool {
        self.record_bytes > MAX_ROW_BYTES
    }
}

impl Read for Lines {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let ready = self.bytes.fill_buf()?;
        let ready = ready.get(..ready.len().min(buffer.len())).unwrap_or(ready);
        let end = ready.iter().position(|byte| *byte == b'\n');
        let count = end.map_or(ready.len(), |end| end + 1);
        if count == 0 {
            return Ok(0);
        }
        for (slot, byte) in buffer.iter_mut().zip(ready.iter().take(count)) {
            *slot = *byte;
        }
        self.bytes.consume(count);
        self.line += u64::from(std::mem::replace(&mut self.ended, end.is_some()));
        self.record_bytes += u64::try_from(count).unwrap_or(u64::MAX);
        if self.is_over() { Err(io::Error::other("the record does not end")) } else { Ok(count) }
    }
}

/// Tells how much has been read.
pub(super) struct Watched {
    pub(super) bytes: Box<dyn Read>,
    pub(super) progress: Arc<Progress>,
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.read(buffer)?;
        self.progress.inc(u64::try_from(count).unwrap_or(0));
        Ok(count)
    }
}
