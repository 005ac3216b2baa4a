//! Tables as they come: CSV from a file or standard input, or a Parquet file. A header, then one record at a time that
//! knows where it stands.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use csv::{ReaderBuilder, StringRecord};
use thiserror::Error;

use super::parquet;
use super::progress::Progress;
use crate::model::frame::shorten;
use crate::train::data::delimiter::{header_line, most_frequent};

/// What stands for standard input and output in place of a file.
pub(super) const DASH: &str = "-";

/// The most bytes one record may have. A quote that is never closed makes one record of all that follows: without a
/// limit it would be held in memory.
const MAX_RECORD_BYTES: u64 = 16 << 20;

/// Why there are no records, or no more.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(super) enum RecordsError {
    /// The file cannot be opened or read.
    #[error("{name}: cannot be read: {source}. Check the path and its permissions")]
    Unreadable {
        /// The file.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// Not even a header.
    #[error("{name}: there is nothing in it. It needs a header line with one name a column, then one row a line")]
    Empty {
        /// The file.
        name: String,
    },
    /// Bytes that are not text.
    #[error("{name}: line {line}{}: the text is not UTF-8. Convert the file, for example with iconv -f LATIN1 -t UTF-8", column.as_ref().map(|name| format!(", column {name:?}")).unwrap_or_default())]
    NotUtf8 {
        /// The file.
        name: String,
        /// The line.
        line: u64,
        /// The column, when it has a name.
        column: Option<String>,
    },
    /// A Parquet file that cannot be read.
    #[error("{name}: a Parquet file that cannot be read: {reason}. Write it again, or convert it to CSV")]
    BrokenParquet {
        /// The file.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A Parquet file where only bytes in their order can be had.
    #[error("{name}: Parquet is read from its end, which a pipe does not allow. Save it to a file first")]
    PipedParquet {
        /// The pipe.
        name: String,
    },
    /// A record that does not end.
    #[error(
        "{name}: line {line}: a row begins here that has more than {MAX_RECORD_BYTES} bytes. Look for a quote that is not closed"
    )]
    Endless {
        /// The file.
        name: String,
        /// The line the record begins in.
        line: u64,
    },
}

/// One record.
#[derive(Debug, Clone, Default)]
pub(super) struct Row {
    /// Its fields, exactly as they came, without their quotes.
    pub(super) fields: StringRecord,
    /// Where it is.
    pub(super) place: Place,
}

/// Where a record stands in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The line it begins in, from 1.
    Line(u64),
    /// Its number, from 1.
    Row(u64),
}

impl Default for Place {
    fn default() -> Self {
        Self::Line(0)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(out, "line {line}"),
            Self::Row(row) => write!(out, "row {row}"),
        }
    }
}

/// A table whose header has been read.
pub(super) struct Records {
    name: String,
    delimiter: u8,
    header: StringRecord,
    source: Source,
}

enum Source {
    Csv(Box<csv::Reader<Lines>>),
    Parquet(Box<parquet::Table>),
}

impl Records {
    /// Opens a file, or standard input for `-`, and reads its header. Without a delimiter, it is what the header has
    /// most of.
    ///
    /// # Errors
    /// See [`RecordsError`].
    pub(super) fn open(path: &Path, delimiter: Option<u8>, quiet: bool) -> Result<Self, RecordsError> {
        let standard_input = path.as_os_str() == DASH;
        let name = if standard_input { "standard input".to_owned() } else { path.display().to_string() };
        if !standard_input && parquet::is_parquet(path).unwrap_or(false) {
            let rows = parquet::Table::open(path, quiet).map_err(|error| broken(&name, &error))?;
            let header = rows.header().clone();
            let delimiter = delimiter.unwrap_or(b',');
            return Ok(Self { name, delimiter, header, source: Source::Parquet(Box::new(rows)) });
        }
        let (bytes, total): (Box<dyn Read>, _) = if standard_input {
            (Box::new(io::stdin().lock()), None)
        } else {
            let unreadable = |source| RecordsError::Unreadable { name: name.clone(), source };
            let file = File::open(path).map_err(unreadable)?;
            let metadata = file.metadata().map_err(unreadable)?;
            let total = metadata.is_file().then_some(metadata.len());
            (Box::new(file), total)
        };
        let progress = Progress::of_bytes(total, !quiet);
        Self::read(name, Box::new(Watched { bytes, progress }), delimiter)
    }

    fn read(name: String, bytes: Box<dyn Read>, delimiter: Option<u8>) -> Result<Self, RecordsError> {
        let mut bytes = BufReader::new(bytes);
        if bytes.fill_buf().is_ok_and(|begin| begin.starts_with(&parquet::MAGIC)) {
            return Err(RecordsError::PipedParquet { name });
        }
        let mut begin = Vec::new();
        let delimiter = if let Some(delimiter) = delimiter {
            delimiter
        } else {
            begin =
                header_line(&mut bytes).map_err(|source| RecordsError::Unreadable { name: name.clone(), source })?;
            most_frequent(&begin)
        };
        let bytes = Lines::new(Box::new(io::Cursor::new(begin).chain(bytes)));
        // The header is a record like any other, and records of any width are let through: all faults are worded here
        // and by the frame.
        let mut builder = ReaderBuilder::new();
        builder.has_headers(false).flexible(true).delimiter(delimiter);
        let mut records = Self {
            name,
            delimiter,
            header: StringRecord::new(),
            source: Source::Csv(Box::new(builder.from_reader(bytes))),
        };
        let mut first = Row::default();
        if !records.next(&mut first)? {
            return Err(RecordsError::Empty { name: records.name });
        }
        records.header = first.fields;
        Ok(records)
    }

    /// What messages call the file.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// What stands between the fields.
    pub(super) fn delimiter(&self) -> u8 {
        self.delimiter
    }

    /// The names of the columns, as they came.
    pub(super) fn header(&self) -> &StringRecord {
        &self.header
    }

    /// Reads the next record; whether there was one.
    ///
    /// # Errors
    /// See [`RecordsError`]; there is nothing to be read after it.
    pub(super) fn next(&mut self, row: &mut Row) -> Result<bool, RecordsError> {
        match &mut self.source {
            Source::Csv(reader) => {
                reader.get_mut().begin_record();
                let read = reader.read_record(&mut row.fields);
                let there_is_one = read.map_err(|error| fault(error, &self.name, &self.header, reader.get_ref()))?;
                // Lines are handed out one by one, so the last one is that in which the record ends.
                let within = row.fields.as_slice().bytes().filter(|byte| *byte == b'\n').fold(0, |count, _| count + 1);
                row.place = Place::Line(reader.get_ref().line.saturating_sub(within));
                Ok(there_is_one)
            }
            Source::Parquet(rows) => {
                let number = rows.next(&mut row.fields).map_err(|error| broken(&self.name, &error))?;
                row.place = Place::Row(number.unwrap_or(0));
                Ok(number.is_some())
            }
        }
    }

    /// What messages call the header: the file, and the line where there is one.
    pub(super) fn header_name(&self) -> String {
        match self.source {
            Source::Csv(_) => format!("{}: line 1", self.name),
            Source::Parquet(_) => self.name.clone(),
        }
    }
}

fn broken(name: &str, error: &::parquet::errors::ParquetError) -> RecordsError {
    RecordsError::BrokenParquet { name: name.to_owned(), reason: error.to_string() }
}

fn fault(error: csv::Error, name: &str, header: &StringRecord, lines: &Lines) -> RecordsError {
    let (name, line) = (name.to_owned(), lines.line);
    match error.into_kind() {
        csv::ErrorKind::Utf8 { err, .. } => {
            let column = header.get(err.field()).filter(|name| !name.is_empty()).map(shorten);
            RecordsError::NotUtf8 { name, line, column }
        }
        csv::ErrorKind::Io(_) if lines.is_over() => RecordsError::Endless { name, line: lines.record_line },
        csv::ErrorKind::Io(source) => RecordsError::Unreadable { name, source },
        other => RecordsError::Unreadable { name, source: io::Error::other(format!("{other:?}")) },
    }
}

/// Hands out at most one line at a time: whoever parses is in the line that was handed out last.
struct Lines {
    bytes: BufReader<Box<dyn Read>>,
    /// The line handed out last, from 1.
    line: u64,
    /// Whether that line has ended.
    ended: bool,
    /// The line in which the current record was begun, and the bytes handed out since.
    record_line: u64,
    record_bytes: u64,
}

impl Lines {
    fn new(bytes: Box<dyn Read>) -> Self {
        let bytes = BufReader::with_capacity(1 << 16, bytes);
        Self { bytes, line: 0, ended: true, record_line: 1, record_bytes: 0 }
    }

    fn begin_record(&mut self) {
        self.record_line = self.line + u64::from(self.ended);
        self.record_bytes = 0;
    }

    fn is_over(&self) -> bool {
        self.record_bytes > MAX_RECORD_BYTES
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
struct Watched {
    bytes: Box<dyn Read>,
    progress: Progress,
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.read(buffer)?;
        self.progress.inc(u64::try_from(count).unwrap_or(0));
        Ok(count)
    }
}

/// `--delimiter`: one character of ASCII, or `tab`.
pub(super) fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        _ if matches!(text, "tab" | "\\t") => Ok(b'\t'),
        [b'"' | b'\n' | b'\r'] => Err("a quote or a line's end cannot separate fields".to_owned()),
        [byte] if byte.is_ascii() => Ok(*byte),
        _ => Err("one character is needed, such as , or ; or tab".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: impl Into<Vec<u8>>) -> Result<Vec<(u64, Vec<String>)>, String> {
        let bytes = io::Cursor::new(text.into());
        let mut records = Records::read("data".into(), Box::new(bytes), None).map_err(|error| error.to_string())?;
        let mut rows = vec![(1, records.header().iter().map(str::to_owned).collect())];
        let mut row = Row::default();
        while records.next(&mut row).map_err(|error| error.to_string())? {
            let Place::Line(line) = row.place else { panic!("{:?}", row.place) };
            rows.push((line, row.fields.iter().map(str::to_owned).collect()));
        }
        Ok(rows)
    }

    fn lines(text: &str) -> Vec<u64> {
        read(text).unwrap().into_iter().map(|(line, _)| line).collect()
    }

    #[test]
    fn each_record_knows_the_line_it_begins_in() {
        assert_eq!(lines("a,b\n1,2\n3,4\n"), [1, 2, 3]);
        assert_eq!(lines("a,b\r\n1,2\r\n3,4\r\n"), [1, 2, 3]);
        assert_eq!(lines("a,b\n1,2\n3,4"), [1, 2, 3]);
        // Blank lines are none, and a quoted field goes over several.
        assert_eq!(lines("a,b\n\n\n1,2\n\r\n3,4"), [1, 4, 6]);
        assert_eq!(lines("a,b\n1,\"x\ny\n\"\n3,4\n\"\n\",6\n7,8"), [1, 2, 5, 6, 8]);
        assert_eq!(lines("a,b\r\n1,\"x\r\ny\"\r\n3,4\r\n"), [1, 2, 4]);
    }

    #[test]
    fn fields_come_as_they_are_and_a_byte_order_mark_is_none_of_them() {
        let rows = read("\u{feff}a, b\n \"1 ,2\n\"1,\"\"\",\n").unwrap();
        let fields: Vec<Vec<String>> = rows.into_iter().map(|(_, fields)| fields).collect();
        assert_eq!(fields, [["a", " b"], [" \"1 ", "2"], ["1,\"", ""]]);
    }

    #[test]
    fn what_is_no_text_is_told_by_line_and_column() {
        let error = read(b"a,b\n1,2\n3,\xff\n".to_vec()).unwrap_err();
        assert!(error.starts_with("data: line 3, column \"b\": the text is not UTF-8"), "{error}");
        assert!(read("").unwrap_err().contains("nothing in it"));
        assert!(read("\n\n").unwrap_err().contains("nothing in it"));
    }

    #[test]
    fn a_quote_that_is_never_closed_does_not_fill_the_memory() {
        let mut text = "a,b\n1,2\n3,\"4\n".to_owned();
        text.push_str(&"5,6\n".repeat(5_000_000));
        assert!(read(text).unwrap_err().starts_with("data: line 3: a row begins here"));
    }

    #[test]
    fn a_delimiter_is_found_in_the_header() {
        for (header, delimiter) in
            [("a", b','), ("a;b,c;d", b';'), ("\"a;b;c\",d", b','), ("a\tb", b'\t'), ("a|b|c;d", b'|'), ("a,b;c", b',')]
        {
            assert_eq!(most_frequent(header.as_bytes()), delimiter, "{header}");
        }
        assert_eq!(read("\r\n\na;b\n1;2,3\n").unwrap()[1], (4, vec!["1".to_owned(), "2,3".to_owned()]));
    }

    #[test]
    fn a_delimiter_is_one_character() {
        assert_eq!((delimiter(";"), delimiter("tab"), delimiter("\\t")), (Ok(b';'), Ok(b'\t'), Ok(b'\t')));
        for text in ["", ",,", "é", "\"", "\n"] {
            assert!(delimiter(text).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let _ = read(bytes);
        }

        #[test]
        fn lines_are_those_an_editor_shows(fields in prop::collection::vec("[a-z]?(\n[a-z]){0,2}", 1..8), crlf: bool) {
            let end = if crlf { "\r\n" } else { "\n" };
            let (mut text, mut line, mut expected) = ("h,i".to_owned(), 2, vec![1]);
            for field in &fields {
                text.extend([end, "x,\"", field, "\""]);
                expected.push(line);
                line += 1 + field.matches('\n').count() as u64;
            }
            prop_assert_eq!(lines(&text), expected);
        }
    }
}
