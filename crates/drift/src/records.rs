//! A stream, split into JSON objects and other lines, in bounded memory.

use std::io::{self, BufRead};

/// The most bytes of a record: an envelope of a log subscription, which is at most a few megabytes of gzip, or a row.
const MAX_BYTES: usize = 64 << 20;

/// The records of a stream: its JSON objects, of which a line may have several, as Data Firehose writes them; and its
/// other lines. An object ends at the end of its line, even if it is not complete, so that the next one can be read.
#[derive(Debug)]
pub(crate) struct Records<R> {
    stream: R,
    limit: usize,
    /// The number of the line at which the stream is.
    line: u64,
    bytes: Vec<u8>,
}

/// A record.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Record<'r> {
    /// The number of its line.
    pub(crate) line: u64,
    /// Its text; `None` if it is longer than the limit.
    pub(crate) text: Option<&'r [u8]>,
}

impl<R: BufRead> Records<R> {
    pub(crate) fn new(stream: R) -> Self {
        Self { stream, limit: MAX_BYTES, line: 1, bytes: Vec::new() }
    }

    /// The next record that is not blank.
    pub(crate) fn next(&mut self) -> io::Result<Option<Record<'_>>> {
        loop {
            let line = self.line;
            let Some(is_complete) = self.read()? else { return Ok(None) };
            if is_complete && self.bytes.trim_ascii().is_empty() {
                continue;
            }
            let text = self.bytes.trim_ascii();
            return Ok(Some(Record { line, text: is_complete.then_some(text) }));
        }
    }

    /// Reads a record, and returns whether all of it was kept; `None` at the end of the stream.
    fn read(&mut self) -> io::Result<Option<bool>> {
        self.bytes.clear();
        let mut end = ObjectEnd::default();
        let (mut is_empty, mut is_complete) = (true, true);
        loop {
            let chunk = match self.stream.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if chunk.is_empty() {
                return Ok((!is_empty).then_some(is_complete));
            }
            is_empty = false;
            let last = chunk.iter().position(|byte| *byte == b'\n' || end.is_at(*byte));
            let taken = chunk.get(..=last.unwrap_or(chunk.len() - 1)).unwrap_or(chunk);
            is_complete &= self.bytes.len() + taken.len() <= self.limit;
            if is_complete {
                self.bytes.extend_from_slice(taken);
            }
            self.line += u64::from(taken.ends_with(b"\n"));
            let count = taken.len();
            self.stream.consume(count);
            if last.is_some() {
                return Ok(Some(is_complete));
            }
        }
    }
}

/// Finds the end of an object, byte by byte.
#[derive(Debug, Default)]
struct ObjectEnd {
    /// Whether the record has begun, and is not an object.
    is_other: bool,
    depth: u64,
    in_string: bool,
    is_escaped: bool,
}

impl ObjectEnd {
    /// Whether this byte is the last of the object.
    fn is_at(&mut self, byte: u8) -> bool {
        if self.is_other {
            return false;
        }
        if self.in_string {
            self.in_string = self.is_escaped || byte != b'"';
            self.is_escaped = !self.is_escaped && byte == b'\\';
            return false;
        }
        match byte {
            b'"' if self.depth > 0 => self.in_string = true,
            b'{' => self.depth += 1,
            b'}' if self.depth > 0 => self.depth -= 1,
            _ if self.depth == 0 => self.is_other = !byte.is_ascii_whitespace(),
            _ => {}
        }
        byte == b'}' && self.depth == 0 && !self.is_other
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Read};

    use super::*;

    fn records(text: &[u8], limit: usize) -> Vec<(u64, Option<String>)> {
        // Every boundary of chunks.
        let all: Vec<Vec<_>> = (1..6)
            .map(|capacity| {
                let mut records = Records { limit, ..Records::new(BufReader::with_capacity(capacity, text)) };
                let mut found = Vec::new();
                while let Some(Record { line, text }) = records.next().unwrap() {
                    found.push((line, text.map(|text| String::from_utf8(text.to_vec()).unwrap())));
                }
                found
            })
            .collect();
        assert!(all.windows(2).all(|pair| pair[0] == pair[1]), "{all:?}");
        all.into_iter().next().unwrap()
    }

    #[test]
    fn a_line_may_have_several_objects_and_an_object_ends_with_its_line() {
        let text = br#"
START {x}
{"a":{"b":"}\"{\\"}}{"c":1} {"d":"cut
{"e":[{}]}
}
{"f":2}"#;
        let expected = [
            (2, "START {x}"),
            (3, r#"{"a":{"b":"}\"{\\"}}"#),
            (3, r#"{"c":1}"#),
            (3, r#"{"d":"cut"#),
            (4, r#"{"e":[{}]}"#),
            (5, "}"),
            (6, r#"{"f":2}"#),
        ];
        assert_eq!(records(text, 100), expected.map(|(line, text)| (line, Some(text.to_owned()))));
        assert_eq!(records(b" \n\r\n", 100), []);
    }

    #[test]
    fn a_record_beyond_the_limit_is_not_kept_and_the_next_is_read() {
        let text = b"{\"a\":\"0123456789\"}{\"b\":1}\n0123456789012\n{\"c\":1}";
        let expected = [(1, None), (1, Some("{\"b\":1}".to_owned())), (2, None), (3, Some("{\"c\":1}".to_owned()))];
        assert_eq!(records(text, 12), expected);
    }

    #[test]
    fn an_endless_line_needs_bounded_memory() {
        let endless = BufReader::new(io::repeat(b'x').take(10_000_000));
        let mut records = Records { limit: 1000, ..Records::new(endless) };
        assert_eq!(records.next().unwrap(), Some(Record { line: 1, text: None }));
        assert!(records.bytes.capacity() < 10_000);
    }
}
