//! CSV cut into chunks that end where a row ends, so that each can be read separately.

use std::io::{self, Read};
use std::path::Path;

use memchr::{memchr, memchr_iter, memrchr};

use super::row::RowNumber;
use super::{DataError, Location, MAX_ROW_BYTES};

/// Some whole rows.
#[derive(Debug)]
pub(super) struct Chunk {
    /// The line of the file in which they begin.
    pub(super) line: u64,
    pub(super) bytes: Vec<u8>,
}

/// Why no further chunk can be read.
#[derive(Debug)]
pub(super) enum ChunkError {
    Unreadable(io::Error),
    /// The row that begins in this line is too long.
    Endless(u64),
    /// This line has a zero byte, which no text has.
    Binary(u64),
    /// The quote that opens in this line is never closed.
    OpenQuote(u64),
    /// The quote that opens in a line is closed in a later line, but not at the end of its field.
    MisplacedQuote {
        opened: u64,
        closed: u64,
    },
}

impl From<io::Error> for ChunkError {
    fn from(error: io::Error) -> Self {
        Self::Unreadable(error)
    }
}

impl ChunkError {
    pub(super) fn in_file(self, name: &Path) -> DataError {
        let location = |line| Location { path: name.to_owned(), row: RowNumber::Line(line) };
        match self {
            Self::Unreadable(source) => DataError::unreadable(name, source),
            Self::Endless(line) => DataError::Endless { location: location(line) },
            Self::Binary(line) => DataError::Binary { location: location(line) },
            Self::OpenQuote(line) => DataError::OpenQuote { location: location(line) },
            Self::MisplacedQuote { opened, closed } => DataError::MisplacedQuote { location: location(opened), closed },
        }
    }
}

/// The number of line ends.
pub(super) fn line_ends(bytes: &[u8]) -> u64 {
    memchr_iter(b'\n', bytes).count() as u64
}

/// Reads chunks.
#[derive(Debug)]
pub(super) struct Chunks<R> {
    inner: R,
    /// Bytes to read at a time.
    size: usize,
    /// Whether a chunk may be smaller, if no more bytes are available yet.
    is_streaming: bool,
    /// The line in which the next chunk begins, and the bytes read of it.
    line: u64,
    rest: Vec<u8>,
    quotes: Quotes,
}

impl<R: Read> Chunks<R> {
    /// Reads from the beginning of this line.
    pub(super) fn new(inner: R, line: u64, delimiter: u8, size: usize) -> Self {
        let quotes = Quotes::new(delimiter);
        Self { inner, size, is_streaming: false, line, rest: Vec::new(), quotes }
    }

    /// Returns rows as soon as they can be read, without waiting for a full chunk.
    pub(super) fn streaming(self) -> Self {
        Self { is_streaming: true, ..self }
    }

    /// The next rows; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Chunk>, ChunkError> {
        let mut bytes = std::mem::take(&mut self.rest);
        if self.quotes.is_misplaced {
            return Err(self.quote_error(&bytes));
        }
        loop {
            let before = bytes.len();
            let count = self.read(&mut bytes)?;
            let end = match self.quotes.last_end(bytes.get(before..).unwrap_or_default()) {
                Some(end) => before + end,
                None if self.quotes.is_misplaced || count == 0 && self.quotes.quoted => {
                    return Err(self.quote_error(&bytes));
                }
                // Old systems end text with this mark.
                None if count == 0 && bytes == b"\x1a" => return Ok(None),
                None if count == 0 => bytes.len(),
                None if bytes.len() as u64 > MAX_ROW_BYTES => {
                    let blank = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
                    return Err(ChunkError::Endless(self.line + line_ends(&blank.copied().collect::<Vec<u8>>())));
                }
                // A row that is longer than one read.
                None => continue,
            };
            if end == 0 {
                return Ok(None);
            }
            self.rest = bytes.split_off(end);
            let line = self.line;
            if let Some(zero) = memchr(0, &bytes) {
                return Err(ChunkError::Binary(line + line_ends(bytes.get(..zero).unwrap_or_default())));
            }
            self.line += line_ends(&bytes);
            return Ok(Some(Chunk { line, bytes }));
        }
    }

    /// The error of the last quote in the beginning of a chunk, which was not closed or not at the end of its field.
    fn quote_error(&self, bytes: &[u8]) -> ChunkError {
        let mut quotes = Quotes::new(self.quotes.delimiter);
        quotes.last_end(bytes);
        let line = |at: usize| self.line + line_ends(bytes.get(..at).unwrap_or_default());
        let opened = line(quotes.opened);
        if quotes.is_misplaced {
            ChunkError::MisplacedQuote { opened, closed: line(quotes.closed) }
        } else {
            ChunkError::OpenQuote(opened)
        }
    }

    fn read(&mut self, bytes: &mut Vec<u8>) -> io::Result<usize> {
        if !self.is_streaming {
            return self.inner.by_ref().take(self.size as u64).read_to_end(bytes);
        }
        let before = bytes.len();
        bytes.resize(before + self.size, 0);
        let count = loop {
            match self.inner.read(bytes.split_at_mut(before).1) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                count => break count,
            }
        };
        bytes.truncate(before + count.as_ref().map_or(0, |count| *count));
        count
    }
}

/// Whether the bytes so far end within quotes, by the rules of the CSV reader: a quote opens a field only at its first
/// byte, and a quote directly after a closing quote continues the field.
///
/// The CSV reader accepts any text after a closing quote. If the quoted text has several lines, it is that of a quote
/// that was not closed, up to the opening quote of a later field.
#[derive(Debug)]
// Independent facts.
#[allow(clippy::struct_excessive_bools)]
pub(super) struct Quotes {
    delimiter: u8,
    quoted: bool,
    previous: u8,
    /// Whether the previous byte closed a field.
    has_closed: bool,
    /// Whether the field in quotes has a line end so far, apart from that in the bytes of the current call.
    has_lines: bool,
    /// Whether a quote was closed in another line than that in which it opens, and not at the end of its field. Nothing
    /// after it is examined.
    is_misplaced: bool,
    /// Where the last field in quotes opens and closes in the bytes of the last call, if it does there.
    opened: usize,
    closed: usize,
}

impl Quotes {
    /// Before the first byte.
    pub(super) fn new(delimiter: u8) -> Self {
        Self {
            delimiter,
            quoted: false,
            previous: b'\n',
            has_closed: false,
            has_lines: false,
            is_misplaced: false,
            opened: 0,
            closed: 0,
        }
    }

    /// The end of the last row that ends within the next bytes, and before a misplaced quote.
    pub(super) fn last_end(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut end = None;
        // The byte after the last quote.
        let mut from = 0;
        (self.opened, self.closed) = (0, 0);
        if self.is_misplaced || self.has_closed && self.continues(bytes, 0) && self.has_lines {
            self.is_misplaced = true;
            return None;
        }
        for quote in memchr_iter(b'"', bytes) {
            let adjacent = quote == from;
            let previous = quote.checked_sub(1).and_then(|at| bytes.get(at)).copied().unwrap_or(self.previous);
            if self.quoted {
                self.quoted = false;
                self.has_closed = true;
                self.closed = quote;
                if self.continues(bytes, quote + 1) && self.is_over_lines(bytes, quote) {
                    self.is_misplaced = true;
                    return end;
                }
            } else {
                end = end_of_row(bytes, from, quote).or(end);
                let begins = previous == self.delimiter || matches!(previous, b'\n' | b'\r');
                if begins {
                    (self.opened, self.has_lines) = (quote, false);
                }
                self.quoted = begins || (adjacent && self.has_closed);
                self.has_closed = false;
            }
            from = quote + 1;
        }
        if !self.quoted {
            end = end_of_row(bytes, from, bytes.len()).or(end);
        }
        if let Some(last) = bytes.last() {
            self.has_closed &= from == bytes.len();
            self.previous = *last;
            self.has_lines = (self.quoted || self.has_closed) && self.is_over_lines(bytes, bytes.len());
        }
        end
    }

    /// Whether the byte at this position, after a closing quote, is neither the end of its field, a doubled quote, nor
    /// a blank.
    fn continues(&self, bytes: &[u8], at: usize) -> bool {
        let is_other = |byte: &u8| *byte != self.delimiter && !matches!(byte, b'"' | b'\n' | b'\r' | b' ' | b'\t');
        bytes.get(at).is_some_and(is_other)
    }

    /// Whether the field in quotes that ends here has a line end.
    fn is_over_lines(&self, bytes: &[u8], end: usize) -> bool {
        self.has_lines || bytes.get(self.opened..end).is_some_and(|field| memchr(b'\n', field).is_some())
    }
}

fn end_of_row(bytes: &[u8], from: usize, to: usize) -> Option<usize> {
    let span = bytes.get(from..to)?;
    memrchr(b'\n', span).or_else(|| memrchr(b'\r', span)).map(|at| from + at + 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn chunks(text: &[u8], size: usize) -> Vec<Chunk> {
        let mut chunks = Chunks::new(text, 7, b',', size);
        std::iter::from_fn(|| chunks.next().unwrap()).collect()
    }

    fn records(bytes: &[u8]) -> Vec<::csv::ByteRecord> {
        let mut builder = ::csv::ReaderBuilder::new();
        let mut reader = builder.has_headers(false).flexible(true).from_reader(bytes);
        reader.byte_records().map(Result::unwrap).collect()
    }

    #[test]
    fn chunks_do_not_end_within_quotes() {
        let texts: Vec<String> = chunks(b"a,\"b\n\"\"c\n\",d\ne,f\n", 1)
            .into_iter()
            .map(|chunk| String::from_utf8(chunk.bytes).unwrap())
            .collect();
        assert_eq!(texts, ["a,\"b\n\"\"c\n\",d\n", "e,f\n"]);
    }

    #[test]
    fn a_quote_that_is_never_closed_does_not_fill_memory() {
        let endless = io::repeat(b'5');
        let mut chunks = Chunks::new((&b"1,2\n3,\"4\n"[..]).chain(endless), 7, b',', 1 << 19);
        assert_eq!(chunks.next().unwrap().unwrap().bytes, b"1,2\n");
        assert!(matches!(chunks.next(), Err(ChunkError::Endless(8))));
    }

    /// Why chunks cannot be read, if so: the lines of the quote and of its end.
    fn error(text: &[u8], size: usize) -> Option<(u64, Option<u64>)> {
        let mut chunks = Chunks::new(text, 1, b',', size);
        loop {
            match chunks.next() {
                Ok(Some(_)) => {}
                Ok(None) => return None,
                Err(ChunkError::OpenQuote(line)) => return Some((line, None)),
                Err(ChunkError::MisplacedQuote { opened, closed }) => return Some((opened, Some(closed))),
                Err(other) => panic!("{other:?}"),
            }
        }
    }

    /// The same, byte by byte.
    fn expected_error(text: &[u8]) -> Option<(u64, Option<u64>)> {
        let (mut quoted, mut closed, mut at_start, mut line, mut opened) = (false, false, true, 1, 1);
        for byte in text {
            if closed && !matches!(byte, b'"' | b',' | b'\n' | b'\r' | b' ' | b'\t') && line > opened {
                return Some((opened, Some(line)));
            }
            if quoted {
                closed = *byte == b'"';
                quoted = !closed;
            } else {
                if *byte == b'"' && at_start {
                    opened = line;
                }
                quoted = *byte == b'"' && (at_start || closed);
                closed = false;
                at_start = matches!(byte, b',' | b'\n' | b'\r');
            }
            line += u64::from(*byte == b'\n');
        }
        quoted.then_some((opened, None))
    }

    #[test]
    fn a_quote_that_is_not_closed_where_its_field_ends_has_a_line() {
        for (text, expected) in [
            (&b"x,y\n1,\"a\n2,b\n3,c\n"[..], Some((2, None))),
            (b"x,y\n1,\"a\n2,b\n3,\"c\"\n", Some((2, Some(4)))),
            (b"x,y\n\"\n\",\"a\n2,\"\"b\n", Some((3, None))),
            (b"x,y\n1,\"", Some((2, None))),
            (b"x,y\n1,\"a\n\"\"\n\"\n2,3\"\n", None),
            (b"x,y\n1,\"a\" b\n2,\"c\nd\" ,\n", None),
        ] {
            assert_eq!(expected_error(text), expected, "{}", String::from_utf8_lossy(text));
            for size in 1..=text.len() {
                assert_eq!(error(text, size), expected, "{size}: {}", String::from_utf8_lossy(text));
            }
        }
    }

    #[test]
    fn the_rows_before_a_quote_that_is_never_closed_are_read() {
        for text in [&b"1,2\n3,\"4\n5,6\n"[..], b"1,2\n3,\"4\n5,\"6\"\n"] {
            let mut chunks = Chunks::new(text, 1, b',', 1 << 10);
            assert_eq!(chunks.next().unwrap().unwrap().bytes, b"1,2\n");
            assert!(chunks.next().is_err());
        }
    }

    proptest! {
        #[test]
        fn quotes_are_checked_in_chunks_of_any_size(text in "[a,\"\n]{0,20}", size in 1_usize..9) {
            prop_assert_eq!(error(text.as_bytes(), size), expected_error(text.as_bytes()));
        }

        #[test]
        fn chunks_of_any_size_hold_the_records_of_the_whole(text in "[a,\"\n\r]{0,40}", size in 1_usize..9) {
            prop_assume!(expected_error(text.as_bytes()).is_none());
            let chunks = chunks(text.as_bytes(), size);
            prop_assert_eq!(chunks.concat_bytes(), text.as_bytes());
            let parts: Vec<_> = chunks.iter().flat_map(|chunk| records(&chunk.bytes)).collect();
            prop_assert_eq!(parts, records(text.as_bytes()));
            let lines = |line: &mut u64, chunk: &Chunk| Some(std::mem::replace(line, *line + line_ends(&chunk.bytes)));
            prop_assert!(chunks.iter().map(|chunk| chunk.line).eq(chunks.iter().scan(7, lines)));
        }
    }

    trait Concat {
        fn concat_bytes(&self) -> Vec<u8>;
    }

    impl Concat for Vec<Chunk> {
        fn concat_bytes(&self) -> Vec<u8> {
            self.iter().flat_map(|chunk| chunk.bytes.clone()).collect()
        }
    }
}
