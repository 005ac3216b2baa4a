//! One file of a table: its format, its header and its rows.

use std::fs::{self, File};
use std::io::{self, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use super::csv::{self, Csv, CsvRows, Stream};
use super::foreign::foreign;
use super::parquet::{self, ParquetRows};
use super::paths::{STANDARD_INPUT, is_standard_input};
use super::row::{Row, RowNumber, Values};
use super::{DataError, Header, Watch};

/// A file whose header has been read.
#[derive(Debug)]
pub(super) struct DataFile {
    /// The path that is opened.
    pub(super) path: PathBuf,
    /// The name in messages.
    pub(super) name: PathBuf,
    pub(super) format: Format,
    /// The names of the columns as they are in the file.
    pub(super) header: Vec<String>,
}

/// The format of a file.
#[derive(Debug)]
pub(super) enum Format {
    Csv(Csv),
    Parquet {
        /// Names of the columns that pandas stored as the index of the rows.
        index: Vec<String>,
        /// What each column contains, if a model cannot use it.
        unusable: Vec<Option<&'static str>>,
    },
}

/// The rows of a file, one by one.
pub(super) enum FileRows<R> {
    Csv(CsvRows<R>),
    Parquet(ParquetRows),
}

impl<R: Read> FileRows<R> {
    /// Reads the next row; `false` at the end of the file.
    pub(super) fn next(&mut self, row: &mut Row) -> Result<bool, DataError> {
        let number = match self {
            Self::Csv(rows) => {
                if matches!(row.values, Values::Parquet(_)) {
                    row.values = Values::default();
                }
                let Values::Csv(fields) = &mut row.values else { return Ok(false) };
                rows.next(fields)?.map(RowNumber::Line)
            }
            Self::Parquet(rows) => {
                if matches!(row.values, Values::Csv(_)) {
                    row.values = Values::Parquet(Vec::new());
                }
                let Values::Parquet(values) = &mut row.values else { return Ok(false) };
                rows.next(values)?.map(RowNumber::Row)
            }
        };
        row.number = number.unwrap_or_default();
        Ok(number.is_some())
    }
}

/// A file that reports the bytes read.
struct Watched {
    inner: Stream,
    watch: Option<Watch>,
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        if let Some(watch) = &self.watch {
            watch.report(count as u64);
        }
        Ok(count)
    }
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

impl DataFile {
    /// Opens a file, or standard input for `-`, and reads its header. `known` are columns that the header should have.
    pub(super) fn open(
        path: &Path,
        delimiter: Option<u8>,
        known: &[String],
        watch: Option<&Watch>,
    ) -> Result<(Self, FileRows<Stream>), DataError> {
        let name = if is_standard_input(path) { Path::new(STANDARD_INPUT) } else { path };
        Self::open_as(path, name, delimiter, known, watch)
    }

    /// The same for a file that has another name in messages.
    pub(super) fn open_as(
        path: &Path,
        name: &Path,
        delimiter: Option<u8>,
        known: &[String],
        watch: Option<&Watch>,
    ) -> Result<(Self, FileRows<Stream>), DataError> {
        let unreadable = |source| DataError::Unreadable { path: name.to_owned(), source };
        let inner: Stream = if is_standard_input(path) {
            Box::new(io::stdin().lock())
        } else {
            Box::new(File::open(path).map_err(unreadable)?)
        };
        let mut stream = Watched { inner, watch: None };
        let mut begin = beginning(&mut stream).map_err(unreadable)?;
        if begin.starts_with(&parquet::MAGIC) {
            if !fs::metadata(path).is_ok_and(|metadata| metadata.is_file()) {
                return Err(DataError::PipedParquet { path: name.to_owned() });
            }
            let parquet::Columns { names, index, unusable } = parquet::columns(path, name)?;
            let rows = FileRows::Parquet(ParquetRows::open(path, name, None, watch)?);
            let format = Format::Parquet { index, unusable };
            return Ok((Self { path: path.to_owned(), name: name.to_owned(), format, header: names }, rows));
        }
        if let Some((what, advice)) = foreign(&begin) {
            return Err(DataError::Foreign { path: name.to_owned(), what, advice });
        }
        stream.watch = watch.cloned();
        let mark = if begin.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        let stream = BufReader::with_capacity(1 << 16, Cursor::new(begin.split_off(mark)).chain(stream));
        let (csv, rows) = csv::open(stream, mark as u64, name, delimiter, known)?;
        let header = rows.header().to_vec();
        let file = Self { path: path.to_owned(), name: name.to_owned(), format: Format::Csv(csv), header };
        Ok((file, FileRows::Csv(rows)))
    }

    /// The header in messages.
    pub(super) fn header_location(&self) -> Header {
        Header::new(&self.name, matches!(self.format, Format::Parquet { .. }))
    }

    /// The names of the columns without the spaces around them.
    pub(super) fn trimmed_header(&self) -> Vec<String> {
        self.header.iter().map(|name| name.trim().to_owned()).collect()
    }

    /// Checks that a model can use the values of a column.
    pub(super) fn check_column(&self, position: usize, is_optional: bool) -> Result<(), DataError> {
        let Format::Parquet { unusable, .. } = &self.format else { return Ok(()) };
        let Some(kind) = unusable.get(position).copied().flatten() else { return Ok(()) };
        let column = self.header.get(position).cloned().unwrap_or_default();
        Err(DataError::ColumnKind { path: self.name.clone(), column, kind, is_optional })
    }
}

/// The first bytes of a file: what is available, and enough to recognize its format.
fn beginning(file: &mut impl Read) -> io::Result<Vec<u8>> {
    const ENOUGH: usize = parquet::MAGIC.len();
    let mut bytes = vec![0; 1 << 13];
    let mut length = 0;
    while length < ENOUGH {
        match file.read(bytes.split_at_mut(length).1) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(length);
    Ok(bytes)
}
