//! Rows of numbers from a CSV file, one at a time: what does not fit in memory can still be read.
//!
//! UTF-8 (a byte-order mark is fine), comma-separated, a header with one name a column, LF or CRLF, spaces around a
//! field ignored. Every fault ends the reading with the file, the line and the column it is in.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use csv::{Position, ReaderBuilder, StringRecord, Trim};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::model::frame::shorten;
use crate::model::identity::Checksum;
use crate::model::number::{NumberError, parse_double};

/// A fault of the file, or of what was asked of it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TableError {
    /// The file cannot be opened or read.
    #[error("{}: cannot be read: {source}. Check the path and its permissions", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Not even a header.
    #[error("{}: the file is empty. It needs a header line with one name a column, then one row a line", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A header and nothing else.
    #[error("{}: the file has a header but no rows. Add at least one row below it", path.display())]
    HeaderOnly {
        /// The file.
        path: PathBuf,
    },
    /// A column has no name.
    #[error("{}: line 1: column {column} has no name. Give every column a name in the header", path.display())]
    UnnamedColumn {
        /// The file.
        path: PathBuf,
        /// Its place, counted from 1.
        column: usize,
    },
    /// Two columns share a name.
    #[error("{}: line 1: the column name {name:?} appears twice. Rename one of them", path.display())]
    DuplicateColumn {
        /// The file.
        path: PathBuf,
        /// The name.
        name: String,
    },
    /// A column that was asked for is not in the header.
    #[error("{}: line 1: there is no column {name:?}{} The columns are {}", path.display(), suggestion(nearest.as_deref()), listed(columns))]
    NoSuchColumn {
        /// The file.
        path: PathBuf,
        /// The name that was asked for.
        name: String,
        /// The most similar name that is there, if one is similar.
        nearest: Option<String>,
        /// All names that are there.
        columns: Vec<String>,
    },
    /// Nothing is left to learn from.
    #[error("{}: no feature is left beside the target {target:?}. Name at least one other column", path.display())]
    NoFeatures {
        /// The file.
        path: PathBuf,
        /// The target.
        target: String,
    },
    /// The target was named as a feature too, which would make the model copy the answer.
    #[error("the column {target:?} cannot be the target and a feature. Take it out of --features")]
    TargetAsFeature {
        /// The target.
        target: String,
    },
    /// A row is wider or narrower than the header.
    #[error("{}: line {line}: {got} fields where the header has {expected}. Check the line for a missing or an unquoted comma", path.display())]
    Ragged {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// Columns of the header.
        expected: usize,
        /// Fields of the row.
        got: usize,
    },
    /// A cell has no value.
    #[error("{}: line {line}, column {column:?}: the value is missing. Fill it in, or remove the row or the column (--exclude {column:?})", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// The column.
        column: String,
    },
    /// A cell is not a number that a double can hold.
    #[error("{}: line {line}, column {column:?}: {value:?} is {why}. Correct it, or leave the column out (--exclude {column:?})", path.display())]
    NotANumber {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// The column.
        column: String,
        /// What stands there.
        value: String,
        /// What is wrong with it.
        why: NumberError,
    },
    /// A field is not UTF-8.
    #[error("{}: line {line}{}: the text is not UTF-8. Convert the file, for example with iconv -f LATIN1 -t UTF-8", path.display(), column.as_ref().map(|name| format!(", column {name:?}")).unwrap_or_default())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// The column, once the header has been read.
        column: Option<String>,
    },
    /// Two passes over the file did not see the same bytes.
    #[error("{}: the file changed while it was read. Train again when it is complete", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
}

fn listed(columns: &[String]) -> String {
    const SHOWN: usize = 20;
    let mut names: Vec<String> = columns.iter().take(SHOWN).map(|name| format!("{:?}", shorten(name))).collect();
    if columns.len() > SHOWN {
        names.push(format!("and {} more", columns.len() - SHOWN));
    }
    names.join(", ")
}

fn suggestion(nearest: Option<&str>) -> String {
    nearest.map_or_else(|| ".".to_owned(), |name| format!(": did you mean {name:?}?"))
}

/// Which columns to read.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// The column to be predicted.
    pub target: String,
    /// The columns to predict it from, in this order; all others when empty.
    pub features: Vec<String>,
    /// Columns to leave out.
    pub exclude: Vec<String>,
}

/// A CSV file whose header has been read and holds the columns asked for.
#[derive(Debug, Clone)]
pub struct Table {
    path: PathBuf,
    header: Vec<String>,
    /// The features, then the target.
    names: Vec<String>,
    /// The place of each of `names` in the header.
    places: Vec<usize>,
}

/// What a pass over the whole file has seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// Rows below the header.
    pub rows: u64,
    /// SHA-256 of the file's bytes.
    pub sha256: Checksum,
}

impl Table {
    /// Reads the header and finds the columns.
    ///
    /// # Errors
    /// [`TableError`] when there is no header, its names are not usable, or a column asked for is not there.
    pub fn open(path: &Path, selection: &Selection) -> Result<Self, TableError> {
        let mut table = Self { path: path.to_owned(), header: Vec::new(), names: Vec::new(), places: Vec::new() };
        let mut record = StringRecord::new();
        let mut reader = table.reader()?;
        if !reader.read_record(&mut record).map_err(|error| table.fault(error))? {
            return Err(TableError::Empty { path: path.to_owned() });
        }
        table.header = record.iter().map(str::to_owned).collect();
        let mut seen = HashSet::new();
        for (place, name) in table.header.iter().enumerate() {
            if name.is_empty() {
                return Err(TableError::UnnamedColumn { path: path.to_owned(), column: place + 1 });
            }
            if !seen.insert(name) {
                return Err(TableError::DuplicateColumn { path: path.to_owned(), name: name.clone() });
            }
        }
        table.select(selection)?;
        Ok(table)
    }

    fn select(&mut self, selection: &Selection) -> Result<(), TableError> {
        let target = &selection.target;
        self.place(target)?;
        for name in &selection.exclude {
            self.place(name)?;
        }
        if selection.features.contains(target) {
            return Err(TableError::TargetAsFeature { target: target.clone() });
        }
        let wanted = if selection.features.is_empty() { &self.header } else { &selection.features };
        let mut names: Vec<String> = Vec::new();
        for name in wanted {
            if name != target && !selection.exclude.contains(name) && !names.contains(name) {
                names.push(name.clone());
            }
        }
        if names.is_empty() {
            return Err(TableError::NoFeatures { path: self.path.clone(), target: target.clone() });
        }
        names.push(target.clone());
        self.places = names.iter().map(|name| self.place(name)).collect::<Result<_, _>>()?;
        self.names = names;
        Ok(())
    }

    fn place(&self, name: &str) -> Result<usize, TableError> {
        self.header.iter().position(|column| column == name).ok_or_else(|| {
            let similar =
                |column: &String| (strsim::jaro_winkler(&column.to_lowercase(), &name.to_lowercase()), column.clone());
            let nearest =
                self.header.iter().map(similar).max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(score, _)| *score > 0.7);
            TableError::NoSuchColumn {
                path: self.path.clone(),
                name: name.to_owned(),
                nearest: nearest.map(|(_, column)| column),
                columns: self.header.clone(),
            }
        })
    }

    /// The names of what a row holds: the features, then the target.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Hands every row to `each`: its number, counted from 0, and its values in the order of [`Table::names`].
    ///
    /// # Errors
    /// [`TableError`] at the first fault; `each` has seen the rows before it. Whatever `each` fails with ends the pass.
    pub fn scan<E: From<TableError>>(&self, mut each: impl FnMut(u64, &[f64]) -> Result<(), E>) -> Result<Scan, E> {
        let mut reader = self.reader()?;
        let mut record = StringRecord::new();
        let mut values = Vec::with_capacity(self.places.len());
        let mut rows = 0;
        let mut header = true;
        while reader.read_record(&mut record).map_err(|error| self.fault(error))? {
            if std::mem::take(&mut header) {
                continue;
            }
            self.parse(&record, &mut values)?;
            each(rows, &values)?;
            rows += 1;
        }
        if rows == 0 {
            return Err(TableError::HeaderOnly { path: self.path.clone() }.into());
        }
        let digest = reader.into_inner().digest.finalize();
        Ok(Scan { rows, sha256: Checksum::from_digest(digest.as_ref()) })
    }

    /// The error for a file that is not what an earlier pass read.
    pub(super) fn changed(&self) -> TableError {
        TableError::Changed { path: self.path.clone() }
    }

    fn parse(&self, record: &StringRecord, values: &mut Vec<f64>) -> Result<(), TableError> {
        let path = || self.path.clone();
        let line = || self.line(record.position());
        if record.len() != self.header.len() {
            return Err(TableError::Ragged {
                path: path(),
                line: line(),
                expected: self.header.len(),
                got: record.len(),
            });
        }
        values.clear();
        for (place, column) in self.places.iter().zip(&self.names) {
            let text = record.get(*place).unwrap_or_default();
            if is_missing(text) {
                return Err(TableError::Missing { path: path(), line: line(), column: column.clone() });
            }
            let value = parse_double(text).map_err(|why| TableError::NotANumber {
                path: path(),
                line: line(),
                column: column.clone(),
                value: shorten(text),
                why,
            })?;
            values.push(value);
        }
        Ok(())
    }

    fn reader(&self) -> Result<csv::Reader<Hashed<File>>, TableError> {
        let file =
            File::open(&self.path).map_err(|source| TableError::Unreadable { path: self.path.clone(), source })?;
        // The header is read as a record like any other and rows of any width are let through, so that all faults are ours to word.
        let mut builder = ReaderBuilder::new();
        builder.has_headers(false).flexible(true).trim(Trim::All);
        Ok(builder.from_reader(Hashed { inner: file, digest: Sha256::new() }))
    }

    /// The line a record begins in. The position that `csv` gives is where it began to look for the record: blank lines
    /// and the second half of a CRLF may come first. So the lines before are counted, once, when there is a fault to tell.
    fn line(&self, position: Option<&Position>) -> u64 {
        let (Some(start), Ok(file)) = (position.map(Position::byte), File::open(&self.path)) else { return 1 };
        let bytes = BufReader::new(file).bytes().map_while(Result::ok).zip(0_u64..);
        let before = bytes.take_while(|(byte, offset)| *offset < start || matches!(byte, b'\r' | b'\n'));
        1 + before.filter(|(byte, _)| *byte == b'\n').map(|_| 1).sum::<u64>()
    }

    fn fault(&self, error: csv::Error) -> TableError {
        let path = self.path.clone();
        match error.into_kind() {
            csv::ErrorKind::Utf8 { pos, err } => TableError::NotUtf8 {
                path,
                line: self.line(pos.as_ref()),
                column: self.header.get(err.field()).cloned(),
            },
            csv::ErrorKind::Io(source) => TableError::Unreadable { path, source },
            other => TableError::Unreadable { path, source: io::Error::other(format!("{other:?}")) },
        }
    }
}

/// Empty, or one of the words that programs write for "no value".
fn is_missing(text: &str) -> bool {
    text.is_empty() || ["na", "n/a", "nan", "null", "none"].iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// A reader that takes the digest of what passes through.
#[derive(Debug)]
struct Hashed<R> {
    inner: R,
    digest: Sha256,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.digest.update(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}
