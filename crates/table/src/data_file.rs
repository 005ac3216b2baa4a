//! One file of a table: its format, its header and its rows.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::csv::{self, Csv, CsvRows, Opened, Stream};
use super::file_options::{FileOptions, HeaderOption};
use super::layout::{Layout, looks_like_row};
use super::parquet::{self, BatchRow, ParquetRows};
use super::partitions::{Partition, partitions};
use super::paths::{STANDARD_INPUT, is_standard_input};
use super::row::{Row, RowNumber, Values};
use super::text_file::{PIPE_SAMPLE, SAMPLE, TextFile, TextFormat};
use super::{DataError, Decision, Header, Watch, Watched};
use ordinate_model::header::{column_names, index_columns};
use ordinate_model::wording::{NAMED, listed};

/// A file whose header has been read.
#[derive(Debug, Clone)]
pub(super) struct DataFile {
    /// The path that is opened.
    pub(super) path: PathBuf,
    /// The name in messages.
    pub(super) name: PathBuf,
    pub(super) format: Format,
    /// How the bytes of CSV become text.
    pub(super) text_format: Option<TextFormat>,
    /// The names of the columns as they are in the file, with those of its folders.
    pub(super) header: Vec<String>,
    /// The names of the columns in options and models, all of which are different.
    pub(super) names: Vec<String>,
    /// Names of the columns that are the index of the rows.
    pub(super) index: Vec<String>,
    /// The columns that are in the names of folders, which are the last.
    pub(super) partitions: Vec<Partition>,
    /// For each column of the first file, its position in this file, if they are in another order.
    pub(super) order: Option<Arc<[usize]>>,
    /// The decisions about the file.
    pub(super) decisions: Vec<Decision>,
    /// The line of the header, if it has one.
    header_line: Option<u64>,
}

/// The format of a file.
#[derive(Debug, Clone)]
pub(super) enum Format {
    Csv(Csv),
    Parquet {
        /// What each column contains, if a model cannot use it.
        unusable: Vec<Option<&'static str>>,
    },
}

/// The rows of a file, one by one.
pub(super) enum FileRows<R> {
    Csv(Box<CsvRows<R>>),
    Parquet(Box<ParquetRows>),
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
                    row.values = Values::Parquet(BatchRow::default());
                }
                let Values::Parquet(values) = &mut row.values else { return Ok(false) };
                rows.next(values)?.map(RowNumber::Row)
            }
        };
        row.number = number.unwrap_or_default();
        Ok(number.is_some())
    }
}

impl DataFile {
    /// Opens a file, or standard input for `-`, and reads its header. `known` are columns that the header should have.
    pub(super) fn open(
        path: &Path,
        options: &FileOptions,
        known: &[String],
        watch: Option<&Watch>,
    ) -> Result<(Self, FileRows<Stream>), DataError> {
        let name = if is_standard_input(path) { Path::new(STANDARD_INPUT) } else { path };
        Self::open_as(path, name, options, known, watch)
    }

    /// The same for a file that has another name in messages.
    pub(super) fn open_as(
        path: &Path,
        name: &Path,
        options: &FileOptions,
        known: &[String],
        watch: Option<&Watch>,
    ) -> Result<(Self, FileRows<Stream>), DataError> {
        let unreadable = |source| DataError::unreadable(name, source);
        let is_regular = !is_standard_input(path) && fs::metadata(path).is_ok_and(|metadata| metadata.is_file());
        let mut file: Stream = if is_standard_input(path) {
            Box::new(io::stdin())
        } else {
            Box::new(File::open(path).map_err(unreadable)?)
        };
        let begin = beginning(&mut file).map_err(unreadable)?;
        let found = partitions(name);
        if begin.starts_with(&parquet::MAGIC) {
            if !is_regular {
                return Err(DataError::PipedParquet { path: name.to_owned() });
            }
            return Self::parquet(path, name, found, watch);
        }
        if let Some(watch) = watch {
            watch.report(begin.len() as u64);
        }
        let file = Box::new(Watched::new(file, watch.cloned()));
        let size = if is_regular { SAMPLE } else { PIPE_SAMPLE };
        let text = TextFile::open(begin, file, size, is_regular.then_some(path), name, options, known)?;
        Self::csv(text, path, name, found)
    }

    /// Opens CSV that is read as a stream, and reads its header.
    pub(super) fn from_stream(
        mut stream: Stream,
        name: &Path,
        options: &FileOptions,
        known: &[String],
    ) -> Result<(Self, FileRows<Stream>), DataError> {
        let begin = beginning(&mut stream).map_err(|source| DataError::unreadable(name, source))?;
        let text = TextFile::open(begin, stream, SAMPLE, None, name, options, known)?;
        Self::csv(text, name, name, partitions(name))
    }

    fn csv(
        mut text: TextFile,
        path: &Path,
        name: &Path,
        found: Vec<Partition>,
    ) -> Result<(Self, FileRows<Stream>), DataError> {
        let partitions = absent(found, &text.layout.header);
        text.add_columns(&partitions);
        let (format, layout) = (text.format.clone(), std::mem::take(&mut text.layout));
        let given = text.header.take();
        let Opened { csv, header_line, mut rows } = match &given {
            None => csv::open(text.text(), name, &layout)?,
            Some(_) => csv::open_without_header(text.text(), name, &layout),
        };
        let header = header(&rows, given.as_ref(), &layout, &partitions);
        let mut file = Self {
            path: path.to_owned(),
            name: name.to_owned(),
            format: Format::Csv(csv),
            text_format: Some(format),
            names: column_names(&header),
            header,
            index: Vec::new(),
            partitions,
            order: None,
            decisions: layout.decisions,
            header_line,
        };
        rows.set_header(&file.names);
        if header_line.is_some() && looks_like_row(&file.header) {
            let text =
                "the first line is read as the header, although it looks like a row (--header none reads it as a row)";
            file.decisions.push(Decision::without_options(text));
        }
        file.index = file.names.iter().take(index_columns(&file.names)).cloned().collect();
        file.note_names();
        Ok((file, FileRows::Csv(Box::new(rows))))
    }

    fn parquet(
        path: &Path,
        name: &Path,
        found: Vec<Partition>,
        watch: Option<&Watch>,
    ) -> Result<(Self, FileRows<Stream>), DataError> {
        let parquet::Columns { names: mut header, index, mut unusable } = parquet::columns(path, name)?;
        let partitions = absent(found, &header);
        let rows = ParquetRows::open(path, name, None, &partitions, watch)?;
        header.extend(partitions.iter().map(|partition| partition.name.clone()));
        unusable.resize(header.len(), None);
        let names = column_names(&header);
        let unnamed = index_columns(&names);
        let index = names
            .iter()
            .enumerate()
            .filter(|(position, _)| *position < unnamed || index.contains(position))
            .map(|(_, name)| name.clone())
            .collect();
        let mut file = Self {
            path: path.to_owned(),
            name: name.to_owned(),
            format: Format::Parquet { unusable },
            text_format: None,
            header,
            names,
            index,
            partitions,
            order: None,
            decisions: Vec::new(),
            header_line: None,
        };
        file.note_names();
        Ok((file, FileRows::Parquet(Box::new(rows))))
    }

    /// Notes the columns that got another name.
    fn note_names(&mut self) {
        let named = self.header.iter().map(|name| name.trim()).zip(&self.names);
        let list = |names: Vec<String>| listed(names, NAMED);
        let mut repeated = Vec::new();
        let mut unnamed = Vec::new();
        for (header, name) in named.filter(|(header, name)| header != name && !self.index.contains(*name)) {
            if header.is_empty() {
                unnamed.push(format!("{name:?}"));
            } else {
                repeated.push(format!("{header:?} ({name:?})"));
            }
        }
        if !unnamed.is_empty() {
            self.decisions
                .push(Decision::without_options(format!("columns without a name are named {}", list(unnamed))));
        }
        if !repeated.is_empty() {
            let text = format!("columns with the name of another column are renamed: {}", list(repeated));
            self.decisions.push(Decision::without_options(text));
        }
    }

    /// The header in messages.
    pub(super) fn header_location(&self) -> Header {
        Header::new(&self.name, self.header_line)
    }

    /// The position in this file of a column of the first file.
    pub(super) fn position(&self, column: usize) -> usize {
        self.order.as_ref().and_then(|order| order.get(column)).copied().unwrap_or(column)
    }

    /// The contents of a column of the first file, if a model cannot use it.
    pub(super) fn unusable(&self, column: usize) -> Option<&'static str> {
        let Format::Parquet { unusable, .. } = &self.format else { return None };
        unusable.get(self.position(column)).copied().flatten()
    }

    /// Checks that a model can use the values of a column of the first file.
    pub(super) fn check_column(&self, column: usize, is_optional: bool) -> Result<(), DataError> {
        let Some(kind) = self.unusable(column) else { return Ok(()) };
        let column = self.names.get(self.position(column)).cloned().unwrap_or_default();
        Err(DataError::ColumnKind { path: self.name.clone(), column, kind, is_optional })
    }

    /// Matches the columns with those of the first file, by name.
    pub(super) fn match_columns(&mut self, first: &Path, expected: &[String]) -> Result<(), DataError> {
        if self.names == expected {
            return Ok(());
        }
        let position = |name: &String| self.names.iter().position(|other| other == name);
        let order: Option<Vec<usize>> = expected.iter().map(position).collect();
        let Some(order) = order.filter(|order| order.len() == self.names.len()) else {
            let (header, difference) = (self.header_location(), difference(&self.names, expected));
            return Err(DataError::OtherHeader { header, first: first.to_owned(), difference });
        };
        self.order = Some(order.into());
        Ok(())
    }
}

/// The first difference between the columns of two files.
fn difference(names: &[String], expected: &[String]) -> String {
    let has: HashSet<&String> = names.iter().collect();
    let missing = expected.iter().position(|name| !has.contains(name));
    let got = missing.and_then(|column| Some((column, expected.get(column)?, names.get(column)?)));
    match got.filter(|_| names.len() == expected.len()) {
        Some((column, expected, name)) => format!("expected {expected:?} as column {}, got {name:?}", column + 1),
        None => format!("expected {} columns, got {}", expected.len(), names.len()),
    }
}

/// The partitions that the file does not have as columns.
fn absent(partitions: Vec<Partition>, header: &[String]) -> Vec<Partition> {
    let is_absent = |partition: &Partition| !header.iter().any(|name| name.trim() == partition.name);
    partitions.into_iter().filter(is_absent).collect()
}

/// The names of the columns of a CSV file and its folders.
fn header(
    rows: &CsvRows<Stream>,
    given: Option<&HeaderOption>,
    layout: &Layout,
    partitions: &[Partition],
) -> Vec<String> {
    let mut header = match given {
        // The filter added the values of the folders.
        None => {
            let read = rows.header().len().saturating_sub(partitions.len());
            layout.names(rows.header().iter().take(read).cloned().collect())
        }
        Some(names) => names.names(layout.width),
    };
    header.extend(partitions.iter().map(|partition| partition.name.clone()));
    header
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
