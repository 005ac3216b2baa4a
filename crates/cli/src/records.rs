//! Tables as they come: CSV from files or standard input, or Parquet files. A header, then one record at a time that
//! knows where it stands.

mod error;
mod lines;

use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::vec;

use csv::{ReaderBuilder, StringRecord};

use super::parquet;
use super::progress::Progress;
pub(super) use error::RecordsError;
use lines::{Lines, Watched};
use ordinate_model::Model;
use ordinate_model::wording::shorten;
use ordinate_table::delimiter::{delimiter, header_line};
use ordinate_table::{DataError, Header, Location, expanded, foreign, lines_before_the_open_field, same_header};

/// What stands for standard input and output in place of a file.
pub(super) const DASH: &str = "-";

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

/// Files that are read as one table, one after the other, each with the header of the first.
pub(super) struct Records {
    label: String,
    header: StringRecord,
    file: Open,
    /// Those still to be read.
    rest: vec::IntoIter<PathBuf>,
    dialect: Dialect,
    progress: Arc<Progress>,
}

/// How the fields of CSV files are told apart.
#[derive(Debug, Clone, Default)]
pub(super) struct Dialect {
    /// The delimiter, where it is given.
    delimiter: Option<u8>,
    /// Columns that a header should have: the delimiter that gives them is the right one.
    columns: Vec<String>,
}

impl Dialect {
    /// That of a file for a model, with the other columns that a command needs.
    pub(super) fn new(delimiter: Option<u8>, model: &Model, others: &[&str]) -> Self {
        let features = model.signature().features().iter().map(|feature| feature.name.as_str());
        Self { delimiter, columns: features.chain(others.iter().copied()).map(str::to_owned).collect() }
    }
}

/// A file whose header has been read.
struct Open {
    path: PathBuf,
    /// What messages call it.
    name: String,
    delimiter: u8,
    rows: Rows,
}

enum Rows {
    Csv(Box<csv::Reader<Lines>>),
    Parquet(Box<parquet::Table>),
}

impl Records {
    /// Opens files, patterns, or standard input for `-`, and reads all headers. Without a delimiter, it is the one under
    /// which the header has the columns of the dialect, otherwise the one that it has most of.
    ///
    /// # Errors
    /// See [`RecordsError`].
    pub(super) fn open(data: &[PathBuf], dialect: Dialect, quiet: bool) -> Result<Self, RecordsError> {
        let files = expanded(data)?;
        let progress = Arc::new(Progress::of_bytes(total_bytes(&files), !quiet));
        let mut rest = files.into_iter();
        let first = rest.next().unwrap_or_default();
        let (file, header) = Open::new(first, &dialect, &progress)?;
        let label = match rest.len() {
            0 => file.name.clone(),
            others => format!("{} and {others} more", file.name),
        };
        let records = Self { label, header, file, rest, dialect, progress };
        // A file that does not belong here is told before the first row of another is written. Standard input comes once.
        for path in records.rest.as_slice().iter().filter(|path| path.as_os_str() != DASH) {
            records.open_alike(path.clone())?;
        }
        Ok(records)
    }

    /// Opens a file that has the header of the first.
    fn open_alike(&self, path: PathBuf) -> Result<Open, RecordsError> {
        let (file, header) = Open::new(path, &self.dialect, &self.progress)?;
        let trimmed = |header: &StringRecord| header.iter().map(|name| name.trim().to_owned()).collect::<Vec<_>>();
        same_header(file.header(), &trimmed(&header), Path::new(&self.label), &trimmed(&self.header))?;
        Ok(file)
    }

    /// Goes on to the next file; whether there is one.
    ///
    /// # Errors
    /// See [`RecordsError`].
    pub(super) fn next_file(&mut self) -> Result<bool, RecordsError> {
        let Some(path) = self.rest.next() else { return Ok(false) };
        self.file = self.open_alike(path)?;
        Ok(true)
    }

    /// What messages call the whole table.
    pub(super) fn label(&self) -> &str {
        &self.label
    }

    /// What messages call the file that is being read.
    pub(super) fn name(&self) -> &str {
        &self.file.name
    }

    /// The file that is being read, if it is one of Parquet.
    pub(super) fn parquet_path(&self) -> Option<&Path> {
        matches!(self.file.rows, Rows::Parquet(_)).then_some(&self.file.path)
    }

    /// Whether a column of the file that is being read holds integers by its type, as columns of CSV do not.
    pub(super) fn is_integer(&self, column: usize) -> bool {
        matches!(&self.file.rows, Rows::Parquet(rows) if rows.is_integer(column))
    }

    /// What stands between the fields.
    pub(super) fn delimiter(&self) -> u8 {
        self.file.delimiter
    }

    /// The names of the columns, as they came.
    pub(super) fn header(&self) -> &StringRecord {
        &self.header
    }

    /// Reads the next record of the file; whether there was one.
    ///
    /// # Errors
    /// See [`RecordsError`]; there is nothing to be read after it.
    pub(super) fn next(&mut self, row: &mut Row) -> Result<bool, RecordsError> {
        self.file.next(row, &self.header)
    }

    /// What messages call the header: the file, and the line where there is one.
    pub(super) fn header_name(&self) -> String {
        self.file.header().to_string()
    }
}

/// The bytes of all files; none when one of them does not say.
fn total_bytes(files: &[PathBuf]) -> Option<u64> {
    let length = |path: &PathBuf| fs::metadata(path).ok().filter(fs::Metadata::is_file).map(|metadata| metadata.len());
    files.iter().map(length).sum()
}

impl Open {
    fn new(path: PathBuf, dialect: &Dialect, progress: &Arc<Progress>) -> Result<(Self, StringRecord), RecordsError> {
        let standard_input = path.as_os_str() == DASH;
        let name = if standard_input { "standard input".to_owned() } else { path.display().to_string() };
        if !standard_input && parquet::is_parquet(&path).unwrap_or(false) {
            let rows = parquet::Table::open(&path, Arc::clone(progress)).map_err(|error| broken(&name, &error))?;
            let header = rows.header().clone();
            let delimiter = dialect.delimiter.unwrap_or(b',');
            let file = Self { path, name, delimiter, rows: Rows::Parquet(Box::new(rows)) };
            if header.is_empty() {
                return Err(DataError::NoColumns { header: file.header() }.into());
            }
            return Ok((file, header));
        }
        let bytes: Box<dyn Read> = if standard_input {
            Box::new(io::stdin().lock())
        } else {
            Box::new(File::open(&path).map_err(|source| RecordsError::Unreadable { name: name.clone(), source })?)
        };
        Self::read(path, name, Box::new(Watched { bytes, progress: Arc::clone(progress) }), dialect)
    }

    fn read(
        path: PathBuf,
        name: String,
        bytes: Box<dyn Read>,
        dialect: &Dialect,
    ) -> Result<(Self, StringRecord), RecordsError> {
        let mut bytes = BufReader::new(bytes);
        let begin = bytes.fill_buf().unwrap_or_default();
        if begin.starts_with(&parquet::MAGIC) {
            return Err(RecordsError::PipedParquet { name });
        }
        if let Some((what, advice)) = foreign(begin) {
            return Err(DataError::Foreign { path: name.into(), what, advice }.into());
        }
        let mut begin = Vec::new();
        let delimiter = if let Some(delimiter) = dialect.delimiter {
            delimiter
        } else {
            begin =
                header_line(&mut bytes).map_err(|source| RecordsError::Unreadable { name: name.clone(), source })?;
            delimiter(&begin, &dialect.columns)
        };
        let bytes = Lines::new(Box::new(io::Cursor::new(begin).chain(bytes)));
        // The header is a record like any other, and records of any width are let through: all faults are worded here
        // and by the frame.
        let mut builder = ReaderBuilder::new();
        builder.has_headers(false).flexible(true).delimiter(delimiter);
        let mut file = Self { path, name, delimiter, rows: Rows::Csv(Box::new(builder.from_reader(bytes))) };
        let mut first = Row::default();
        if !file.next(&mut first, &StringRecord::new())? {
            return Err(RecordsError::Empty { name: file.name });
        }
        if let (Rows::Csv(reader), Some(before)) = (&mut file.rows, lines_before_the_open_field(&first.fields))
            && reader.get_mut().is_at_end()
        {
            let location =
                Location { path: file.name.into(), line: reader.get_ref().record_line + before, is_row: false };
            return Err(DataError::OpenHeader { location }.into());
        }
        Ok((file, first.fields))
    }

    /// Where it says what its columns are called.
    fn header(&self) -> Header {
        Header::of(Path::new(&self.name), matches!(self.rows, Rows::Parquet(_)))
    }

    fn next(&mut self, row: &mut Row, header: &StringRecord) -> Result<bool, RecordsError> {
        match &mut self.rows {
            Rows::Csv(reader) => {
                reader.get_mut().begin_record();
                let read = reader.read_record(&mut row.fields);
                let there_is_one = read.map_err(|error| fault(error, &self.name, header, reader.get_ref()))?;
                // Lines are handed out one by one, so the last one is that in which the record ends.
                let within = row.fields.as_slice().bytes().filter(|byte| *byte == b'\n').fold(0, |count, _| count + 1);
                // Behind a quote that is not closed the last one may end with the file.
                let lines = reader.get_ref();
                row.place = Place::Line(lines.line.saturating_sub(within).max(lines.record_line));
                Ok(there_is_one)
            }
            Rows::Parquet(rows) => {
                let number = rows.next(&mut row.fields).map_err(|error| broken(&self.name, &error))?;
                row.place = Place::Row(number.unwrap_or(0));
                Ok(number.is_some())
            }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: impl Into<Vec<u8>>) -> Result<Vec<(u64, Vec<String>)>, String> {
        let bytes = io::Cursor::new(text.into());
        let opened = Open::read(PathBuf::new(), "data".into(), Box::new(bytes), &Dialect::default());
        let (mut file, header) = opened.map_err(|error| error.to_string())?;
        let mut rows = vec![(1, header.iter().map(str::to_owned).collect())];
        let mut row = Row::default();
        while file.next(&mut row, &header).map_err(|error| error.to_string())? {
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
        assert_eq!(read("\r\n\na;b\n1;2,3\n").unwrap()[1], (4, vec!["1".to_owned(), "2,3".to_owned()]));
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
