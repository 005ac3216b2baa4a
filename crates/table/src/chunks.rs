//! A file cut into pieces that end where a row does, so that each can be read for itself.

use std::io::{self, Read};

use memchr::{memchr_iter, memrchr};

use super::csv::line;
use super::source::{Part, unreadable};
use super::{DataError, MAX_ROW_BYTES};

/// Some whole rows.
#[derive(Debug)]
pub(super) struct Chunk {
    /// Where they begin in the file.
    pub(super) at: u64,
    pub(super) bytes: Vec<u8>,
}

/// Why there are no more.
#[derive(Debug)]
pub(super) enum Uncut {
    Unreadable(io::Error),
    /// A row has begun at this byte and does not end.
    Endless(u64),
}

impl From<io::Error> for Uncut {
    fn from(error: io::Error) -> Self {
        Self::Unreadable(error)
    }
}

impl Uncut {
    /// What to tell of this file.
    pub(super) fn of(self, part: &Part) -> DataError {
        match self {
            Self::Unreadable(source) => unreadable(&part.shown, source),
            Self::Endless(at) => DataError::Endless { location: line(&part.path, &part.shown, at) },
        }
    }
}

/// Cuts what a reader gives.
#[derive(Debug)]
pub(super) struct Chunks<R> {
    inner: R,
    /// Bytes that are read at a time.
    size: u64,
    /// Where the next chunk begins in the file, and what has been read of it.
    at: u64,
    rest: Vec<u8>,
    quotes: Quotes,
}

impl<R: Read> Chunks<R> {
    /// The rows from this byte of the file on, at which the reader stands.
    pub(super) fn new(inner: R, at: u64, delimiter: u8, size: usize) -> Self {
        let quotes = Quotes { delimiter, quoted: false, previous: b'\n', has_closed: false };
        Self { inner, size: size as u64, at, rest: Vec::new(), quotes }
    }

    /// The next rows; none at the end.
    pub(super) fn next(&mut self) -> Result<Option<Chunk>, Uncut> {
        let mut bytes = std::mem::take(&mut self.rest);
        loop {
            let before = bytes.len();
            let count = self.inner.by_ref().take(self.size).read_to_end(&mut bytes)?;
            let end = match self.quotes.last_end(bytes.get(before..).unwrap_or_default()) {
                Some(end) => before + end,
                None if count == 0 => bytes.len(),
                None if bytes.len() as u64 > MAX_ROW_BYTES => return Err(Uncut::Endless(self.at)),
                // A row that is longer than what is read at a time.
                None => continue,
            };
            if end == 0 {
                return Ok(None);
            }
            self.rest = bytes.split_off(end);
            let at = self.at;
            self.at += end as u64;
            return Ok(Some(Chunk { at, bytes }));
        }
    }
}

/// Whether the bytes so far end within quotes, by the rules of the reader: a quote opens a field only where one begins, and
/// one right behind the quote that closed it goes on with it.
#[derive(Debug)]
struct Quotes {
    delimiter: u8,
    quoted: bool,
    previous: u8,
    /// Whether the previous byte closed a field.
    has_closed: bool,
}

impl Quotes {
    /// The end of the last row that ends within the bytes that come next.
    fn last_end(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut end = None;
        // What is behind the last quote.
        let mut from = 0;
        for quote in memchr_iter(b'"', bytes) {
            let adjacent = quote == from;
            let previous = quote.checked_sub(1).and_then(|at| bytes.get(at)).copied().unwrap_or(self.previous);
            if self.quoted {
                self.quoted = false;
                self.has_closed = true;
            } else {
                end = end_of_row(bytes, from, quote).or(end);
                let begins = previous == self.delimiter || matches!(previous, b'\n' | b'\r');
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
        }
        end
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
    fn a_line_end_in_quotes_is_no_place_to_cut() {
        let texts: Vec<String> = chunks(b"a,\"b\n\"\"c\n\",d\ne,f\n", 1)
            .into_iter()
            .map(|chunk| String::from_utf8(chunk.bytes).unwrap())
            .collect();
        assert_eq!(texts, ["a,\"b\n\"\"c\n\",d\n", "e,f\n"]);
    }

    #[test]
    fn a_quote_that_is_never_closed_does_not_fill_the_memory() {
        let endless = io::repeat(b'5');
        let mut chunks = Chunks::new((&b"1,2\n3,\"4\n"[..]).chain(endless), 7, b',', 1 << 19);
        assert_eq!(chunks.next().unwrap().unwrap().bytes, b"1,2\n");
        assert!(matches!(chunks.next(), Err(Uncut::Endless(11))));
    }

    proptest! {
        #[test]
        fn chunks_of_any_size_hold_the_records_of_the_whole(text in "[a,\"\n\r]{0,40}", size in 1_usize..9) {
            let chunks = chunks(text.as_bytes(), size);
            prop_assert_eq!(chunks.concat_bytes(), text.as_bytes());
            let parts: Vec<_> = chunks.iter().flat_map(|chunk| records(&chunk.bytes)).collect();
            prop_assert_eq!(parts, records(text.as_bytes()));
            let starts = chunks.iter().scan(7, |at, chunk| Some(std::mem::replace(at, *at + chunk.bytes.len() as u64)));
            prop_assert!(chunks.iter().map(|chunk| chunk.at).eq(starts));
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
