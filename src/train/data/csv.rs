//! CSV: UTF-8 (a byte-order mark is fine), a header with one name a column, LF or CRLF, spaces around a field ignored.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use csv::{Position, ReaderBuilder, StringRecord, Trim};

use super::delimiter;
use super::source::{Each, Part, Place, Record, unreadable};
use super::{DataError, Location};
use crate::model::frame::Cell;
use crate::train::TrainError;

/// How one file is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Csv {
    delimiter: u8,
}

impl Csv {
    /// Reads the header.
    pub(super) fn open(path: &Path, shown: &Path, delimiter: Option<u8>) -> Result<(Self, Vec<String>), DataError> {
        let open = || File::open(path).map_err(|source| unreadable(shown, source));
        let delimiter = if let Some(delimiter) = delimiter {
            delimiter
        } else {
            let header = delimiter::header_line(BufReader::new(open()?));
            delimiter::most_frequent(&header.map_err(|source| unreadable(shown, source))?)
        };
        let csv = Self { delimiter };
        let mut record = StringRecord::new();
        let read = csv.reader(open()?).read_record(&mut record);
        if !read.map_err(|error| fault(error, shown, |_| None, |at| line(path, shown, at)))? {
            return Err(DataError::Empty { path: shown.to_owned() });
        }
        Ok((csv, record.iter().map(str::to_owned).collect()))
    }

    /// Hands every row below the header to `each`.
    pub(super) fn scan(
        self,
        part: &Part,
        number: usize,
        header: &[String],
        places: &[usize],
        file: impl Read,
        each: Each<'_>,
    ) -> Result<(), TrainError> {
        let mut reader = self.reader(file);
        let mut record = StringRecord::new();
        let fault = |error| {
            fault(error, &part.shown, |field| header.get(field).cloned(), |at| line(&part.path, &part.shown, at))
        };
        let mut is_header = true;
        while reader.read_record(&mut record).map_err(fault)? {
            if std::mem::take(&mut is_header) {
                continue;
            }
            let place = Place { part: number, at: record.position().map_or(0, Position::byte) };
            if record.len() != header.len() {
                let location = line(&part.path, &part.shown, place.at);
                return Err(DataError::Ragged { location, expected: header.len(), got: record.len() }.into());
            }
            each(&CsvRecord { record: &record, places, place })?;
        }
        Ok(())
    }

    fn reader<R: Read>(self, file: R) -> csv::Reader<R> {
        // The header is read as a record like any other and rows of any width are let through, so that all faults
        // are ours to word.
        let mut builder = ReaderBuilder::new();
        builder.has_headers(false).flexible(true).trim(Trim::All).delimiter(self.delimiter).buffer_capacity(1 << 16);
        builder.from_reader(file)
    }
}

struct CsvRecord<'r> {
    record: &'r StringRecord,
    places: &'r [usize],
    place: Place,
}

impl Record for CsvRecord<'_> {
    fn cell(&self, column: usize) -> Cell<'_> {
        let text = self.places.get(column).and_then(|place| self.record.get(*place)).unwrap_or_default();
        if is_missing(text) { Cell::Missing } else { Cell::Field(text) }
    }

    fn place(&self) -> Place {
        self.place
    }
}

/// Empty, or one of the words that programs write for "no value".
fn is_missing(text: &str) -> bool {
    // Numbers are what there is most of, and none is as short as the shortest word and begins with its letter.
    match text.as_bytes().first() {
        None => true,
        Some(b'n' | b'N') => ["na", "n/a", "nan", "null", "none"].iter().any(|word| text.eq_ignore_ascii_case(word)),
        Some(_) => false,
    }
}

/// The line a record begins in. The position that `csv` gives is where it began to look for the record: blank lines
/// and the second half of a CRLF may come first. So the lines before are counted, once, when there is a fault to tell.
pub(super) fn line(path: &Path, shown: &Path, at: u64) -> Location {
    let before = File::open(path).map_or(0, |file| {
        let bytes = BufReader::new(file).bytes().map_while(Result::ok).zip(0_u64..);
        let before = bytes.take_while(|(byte, offset)| *offset < at || matches!(byte, b'\r' | b'\n'));
        before.filter(|(byte, _)| *byte == b'\n').map(|_| 1).sum()
    });
    Location { path: shown.to_owned(), line: 1 + before, is_row: false }
}

fn fault(
    error: csv::Error,
    shown: &Path,
    column: impl Fn(usize) -> Option<String>,
    line: impl Fn(u64) -> Location,
) -> DataError {
    match error.into_kind() {
        csv::ErrorKind::Utf8 { pos, err } => {
            DataError::NotUtf8 { location: line(pos.as_ref().map_or(0, Position::byte)), column: column(err.field()) }
        }
        csv::ErrorKind::Io(source) => unreadable(shown, source),
        other => unreadable(shown, io::Error::other(format!("{other:?}"))),
    }
}
