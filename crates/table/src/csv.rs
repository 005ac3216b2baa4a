//! CSV: UTF-8 (a byte-order mark is fine), a header with one name a column, LF or CRLF, spaces around a field ignored.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use csv::{Position, ReaderBuilder, StringRecord};

use super::chunks::Chunk;
use super::delimiter;
use super::source::{Each, Part, Place, Record, unreadable};
use super::{DataError, Location, MAX_ROW_BYTES};
use ordinate_model::cell::Cell;

/// How one file is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Csv {
    pub(super) delimiter: u8,
    /// The byte at which the header ends.
    pub(super) header_end: u64,
}

impl Csv {
    /// Reads the header. Without a delimiter, it is one that gives the columns that are known to be there.
    pub(super) fn open(
        path: &Path,
        shown: &Path,
        delimiter: Option<u8>,
        known: &[&String],
    ) -> Result<(Self, Vec<String>), DataError> {
        let open = || File::open(path).map_err(|source| unreadable(shown, source));
        let delimiter = if let Some(delimiter) = delimiter {
            delimiter
        } else {
            let header = delimiter::header_line(BufReader::new(open()?));
            delimiter::delimiter(&header.map_err(|source| unreadable(shown, source))?, known)
        };
        let mut csv = Self { delimiter, header_end: 0 };
        let file = open()?;
        let length = file.metadata().map_err(|source| unreadable(shown, source))?.len();
        let mut reader = csv.reader(file.take(MAX_ROW_BYTES));
        let mut record = StringRecord::new();
        let read = reader.read_record(&mut record);
        if !read.map_err(|error| fault(error, shown, |_| None, |at| line(path, shown, at)))? {
            return Err(DataError::Empty { path: shown.to_owned() });
        }
        csv.header_end = reader.position().byte();
        if csv.header_end >= length.min(MAX_ROW_BYTES)
            && let Some(before) = lines_before_the_open_field(&record)
        {
            let mut location = line(path, shown, record.position().map_or(0, Position::byte));
            location.line += before;
            return Err(DataError::OpenHeader { location });
        }
        Ok((csv, record.iter().map(|name| name.trim().to_owned()).collect()))
    }

    /// Hands some rows, which begin at this byte of the file, to `each`, one by one and up to the first fault.
    pub(super) fn scan<E: From<DataError>>(
        self,
        part: &Part,
        number: usize,
        (header, places): (&[String], &[usize]),
        chunk: &Chunk,
        each: Each<'_, E>,
    ) -> Result<(), E> {
        let mut records = self.records(&chunk.bytes, chunk.at);
        let fault = |error| {
            fault(
                error,
                &part.shown,
                |field| header.get(field).cloned(),
                |at| line(&part.path, &part.shown, chunk.at + at),
            )
        };
        while let Some((record, at)) = records.next().map_err(fault)? {
            let place = Place { part: number, at };
            if record.len() != header.len() {
                let location = line(&part.path, &part.shown, at);
                let (expected, got) = (header.len(), record.len());
                let several_lines = record.as_slice().contains('\n');
                return Err(DataError::Ragged { location, expected, got, several_lines }.into());
            }
            each(&CsvRecord { record, places, place })?;
        }
        Ok(())
    }

    /// The rows in these bytes of a file, which begin at this one.
    pub(super) fn records(self, bytes: &[u8], at: u64) -> Records<'_> {
        // A byte-order mark is one only where a file begins: behind a blank line it is left alone.
        Records { reader: self.reader(b"\n".chain(bytes)), record: StringRecord::new(), at }
    }

    fn reader<R: Read>(self, file: R) -> csv::Reader<R> {
        // The header is read as a record like any other and rows of any width are let through, so that all faults
        // are ours to word.
        let mut builder = ReaderBuilder::new();
        builder.has_headers(false).flexible(true).delimiter(self.delimiter).buffer_capacity(1 << 16);
        builder.from_reader(file)
    }
}

/// Rows, one after the other.
pub(super) struct Records<'b> {
    reader: csv::Reader<io::Chain<&'b [u8], &'b [u8]>>,
    record: StringRecord,
    at: u64,
}

impl Records<'_> {
    /// The next row, and the byte of the file at which it begins, or blank lines before it do.
    pub(super) fn next(&mut self) -> Result<Option<(&StringRecord, u64)>, csv::Error> {
        if !self.reader.read_record(&mut self.record)? {
            return Ok(None);
        }
        // The line feed in front of the bytes is not the file's.
        let before = self.record.position().map_or(0, Position::byte).saturating_sub(1);
        Ok(Some((&self.record, self.at + before)))
    }
}

struct CsvRecord<'r> {
    record: &'r StringRecord,
    places: &'r [usize],
    place: Place,
}

impl Record for CsvRecord<'_> {
    fn cell(&self, column: usize) -> Cell<'_> {
        Cell::Field(self.places.get(column).and_then(|place| self.record.get(*place)).unwrap_or_default())
    }

    fn place(&self) -> Place {
        self.place
    }
}

/// Where nothing follows a header whose last field goes over several lines, a quote was not closed: how many of its lines
/// come before the field.
pub fn lines_before_the_open_field(header: &StringRecord) -> Option<u64> {
    let ends = |text: &str| text.bytes().filter(|byte| *byte == b'\n').map(|_| 1).sum::<u64>();
    let last = header.iter().next_back().map(ends).filter(|ends| *ends > 0)?;
    Some(ends(header.as_slice()) - last)
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
