//! Files that training reads, more than once, as one table.

use std::collections::HashSet;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::csv::CsvRows;
use super::data_file::{DataFile, FileRows, Format};
use super::infer::{listed, name_option, shown};
use super::parquet::ParquetRows;
use super::paths::{each_once, expanded, is_standard_input};
use super::row::{Row, RowNumber};
use super::selection::find;
use super::standard_input::StandardInput;
use super::{DataError, Decision, Header, Location, Selection};
use ordinate_model::cell::Cell;
use ordinate_model::identity::Checksum;

/// Data files and how they are read.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// Files, patterns such as `part-*.csv`, or `-` for standard input; read one after the other.
    pub paths: Vec<PathBuf>,
    /// The delimiter of CSV files; detected from the header if it is not given.
    pub delimiter: Option<u8>,
    /// A callback for progress.
    pub watch: Option<Watch>,
}

/// A callback that gets the number of bytes read since its last call.
#[derive(Clone)]
pub struct Watch(pub Arc<dyn Fn(u64) + Send + Sync>);

impl Watch {
    pub(super) fn report(&self, bytes: u64) {
        (self.0)(bytes);
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Watch")
    }
}

/// A row of a [`Source`]; [`Source::location`] words it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RowId {
    pub(super) file: usize,
    pub(super) row: RowNumber,
}

/// Bytes of a CSV file that are read together.
pub(super) const CHUNK: usize = 1 << 20;

/// The columns of one row that training reads.
#[derive(Debug)]
pub struct Record<'r> {
    row: &'r Row,
    /// For each column that is read, its position in the row.
    positions: &'r [usize],
    file: usize,
}

impl Record<'_> {
    /// The value of a column, by its position among the names that are read, for a feature to accept.
    #[must_use]
    pub fn cell(&self, column: usize) -> Cell<'_> {
        self.positions.get(column).map_or(Cell::Missing, |position| self.row.cell(*position))
    }

    /// The value of a column, for a type to be inferred.
    pub(super) fn typed_cell(&self, column: usize) -> Cell<'_> {
        self.positions.get(column).map_or(Cell::Missing, |position| self.row.typed_cell(*position))
    }

    /// The row in messages.
    #[must_use]
    pub fn id(&self) -> RowId {
        RowId { file: self.file, row: self.row.number() }
    }
}

/// A callback for rows.
pub(crate) type Each<'a, E> = &'a mut dyn FnMut(&Record<'_>) -> Result<(), E>;

/// The result of a pass over all files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// Rows below the headers.
    pub rows: u64,
    /// SHA-256 of the bytes of the files, one after the other.
    pub sha256: Checksum,
}

/// Files whose headers have been read and have the selected columns.
#[derive(Debug)]
pub struct Source {
    pub(super) files: Vec<DataFile>,
    /// The names that are read: the features, then the target, then the weights.
    pub(super) names: Vec<String>,
    /// Whether the last of them are weights.
    pub has_weights: bool,
    /// The position of each name in the header.
    pub(super) positions: Vec<usize>,
    /// All columns of the files.
    pub header: Vec<String>,
    /// Columns that are the index of the rows and are not used.
    pub index: Vec<String>,
    excluded_terms: Vec<String>,
    /// Whether the features were given, and not chosen as all other columns.
    pub features_are_given: bool,
    /// What was decided about the files.
    pub(super) decisions: Vec<Decision>,
    /// Standard input, which is kept as long as it is read.
    _input: Option<StandardInput>,
    pub(super) watch: Option<Watch>,
}

impl Source {
    /// Reads the headers and finds the columns.
    ///
    /// # Errors
    /// [`DataError`] when a file has no header or another one, a name is empty or not unique, or a column does not exist.
    pub fn open(origin: &Origin, selection: &Selection) -> Result<Self, DataError> {
        let mut files: Vec<DataFile> = Vec::new();
        let (mut header, mut index): (Vec<String>, Vec<String>) = Default::default();
        let (paths, input) = origin.files()?;
        for (path, name) in paths {
            let metadata = fs::metadata(&path).map_err(|source| unreadable(&name, source))?;
            if !metadata.is_file() {
                return Err(DataError::NotAFile { path: name });
            }
            let (file, _) = DataFile::open_as(&path, &name, origin.delimiter, &selection.known(), None)?;
            let names = file.trimmed_header();
            check_names(&names, &file.header_location())?;
            match files.first() {
                None => {
                    header = names;
                    if let Format::Parquet { index: names, .. } = &file.format {
                        index.clone_from(names);
                    }
                }
                Some(first) => same_header(file.header_location(), &names, &first.name, &header)?,
            }
            files.push(file);
        }
        let first = files.first().map_or(Header::new(Path::new(""), false), DataFile::header_location);
        let names = selection.names(&header, &index, &first)?;
        index.retain(|name| !names.contains(name) && !selection.exclude.contains(name));
        let decisions = index_decision(&index).into_iter().collect();
        let positions: Vec<usize> =
            names.iter().map(|name| find(&header, name, &first)).collect::<Result<_, DataError>>()?;
        let excluded_terms = selection.excluded_terms(&header);
        let has_weights = selection.weights.is_some();
        Ok(Self {
            files,
            names,
            has_weights,
            positions,
            header,
            index,
            excluded_terms,
            features_are_given: !selection.features.is_empty(),
            decisions,
            _input: input,
            watch: origin.watch.clone(),
        })
    }

    /// The names that are read: the features, then the target, then the weights.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// What was decided about the files.
    #[must_use]
    pub fn decisions(&self) -> &[Decision] {
        &self.decisions
    }

    /// The delimiter of the first file, if it is CSV.
    #[must_use]
    pub fn delimiter(&self) -> Option<u8> {
        match &self.files.first()?.format {
            Format::Csv(csv) => Some(csv.delimiter),
            Format::Parquet { .. } => None,
        }
    }

    /// The excluded columns of the design.
    pub fn excluded_terms(&self) -> &[String] {
        &self.excluded_terms
    }

    /// The name of all files together in messages.
    #[must_use]
    pub fn label(&self) -> String {
        let first = self.first().display().to_string();
        match self.files.len() {
            0 | 1 => first,
            several => format!("{first} and {} more", several - 1),
        }
    }

    pub(super) fn first(&self) -> &Path {
        self.files.first().map_or(Path::new(""), |file| &file.name)
    }

    /// Hands every row to `each`, one by one, on this thread.
    ///
    /// # Errors
    /// [`DataError`] at the first error, after `each` got the rows before it. An error of `each` ends the pass.
    pub fn scan<E: From<DataError>>(&self, each: Each<'_, E>) -> Result<Scan, E> {
        let mut digest = Sha256::new();
        let mut rows = 0;
        let mut counted = |record: &Record<'_>| {
            rows += 1;
            each(record)
        };
        for (number, file) in self.files.iter().enumerate() {
            let mut hashed = file.hashed(&mut digest, self.watch.as_ref())?;
            if let Format::Csv(csv) = file.format {
                let rows = CsvRows::new(csv, &file.name, &file.header, hashed, CHUNK);
                let rows = rows.map_err(|source| unreadable(&file.name, source))?;
                self.each_row(number, FileRows::Csv(rows), &mut counted)?;
            } else {
                io::copy(&mut hashed, &mut io::sink()).map_err(|source| unreadable(&file.name, source))?;
                self.each_parquet_row(number, &mut counted)?;
            }
        }
        if rows == 0 {
            return Err(DataError::HeaderOnly { path: self.first().to_owned() }.into());
        }
        Ok(Scan { rows, sha256: Checksum::from_digest(digest.finalize().as_ref()) })
    }

    /// Hands every row of a Parquet file to `each`. Only the columns that are needed are decoded.
    pub(super) fn each_parquet_row<E: From<DataError>>(&self, number: usize, each: Each<'_, E>) -> Result<(), E> {
        let Some(file) = self.files.get(number) else { return Ok(()) };
        for position in &self.positions {
            file.check_column(*position, true)?;
        }
        let rows = ParquetRows::open(&file.path, &file.name, Some(&self.names), None)?;
        self.each_row::<io::Empty, E>(number, FileRows::Parquet(rows), each)
    }

    /// Hands every row to `each`.
    pub(super) fn each_row<R: Read, E: From<DataError>>(
        &self,
        number: usize,
        mut rows: FileRows<R>,
        each: Each<'_, E>,
    ) -> Result<(), E> {
        let is_csv = matches!(rows, FileRows::Csv(_));
        // Decoded columns are in the order of the file.
        let decoded = |position: &usize| self.positions.iter().filter(|other| *other < position).count();
        let positions = if is_csv { self.positions.clone() } else { self.positions.iter().map(decoded).collect() };
        let mut row = Row::default();
        while rows.next(&mut row)? {
            let (expected, got) = (self.header.len(), row.width());
            if is_csv && got != expected {
                let location = self.location(RowId { file: number, row: row.number() });
                let several_lines = row.has_several_lines();
                return Err(DataError::Ragged { location, expected, got, several_lines }.into());
            }
            each(&Record { row: &row, positions: &positions, file: number })?;
        }
        Ok(())
    }

    /// A row in messages.
    pub fn location(&self, id: RowId) -> Location {
        let path = self.files.get(id.file).map(|file| file.name.clone()).unwrap_or_default();
        Location { path, row: id.row }
    }
}

impl DataFile {
    /// The bytes of the file, added to a digest as they are read.
    pub(super) fn hashed<'d>(&self, digest: &'d mut Sha256, watch: Option<&'d Watch>) -> Result<Hashed<'d>, DataError> {
        let inner = File::open(&self.path).map_err(|source| unreadable(&self.name, source))?;
        Ok(Hashed { inner, digest, watch })
    }
}

/// The decision to ignore the index of the rows.
fn index_decision(index: &[String]) -> Option<Decision> {
    if index.is_empty() {
        return None;
    }
    let names = listed(index.iter().map(|name| shown(name)).collect());
    let options = index.iter().flat_map(|name| ["--exclude".to_owned(), name_option(name)]);
    let text = format!("the row index is ignored: {names} (--features includes it)");
    Some(Decision::new(text, options.collect::<Vec<_>>()))
}

fn check_names(names: &[String], header: &Header) -> Result<(), DataError> {
    if names.is_empty() {
        return Err(DataError::NoColumns { header: header.clone() });
    }
    let mut seen = HashSet::new();
    for (position, name) in names.iter().enumerate() {
        if name.is_empty() {
            return Err(DataError::UnnamedColumn { header: header.clone(), column: position + 1 });
        }
        if !seen.insert(name) {
            return Err(DataError::DuplicateColumn { header: header.clone(), name: name.clone() });
        }
    }
    Ok(())
}

pub(super) fn unreadable(name: &Path, source: io::Error) -> DataError {
    DataError::Unreadable { path: name.to_owned(), source }
}

/// Files, each with its path and its name in messages, and the file that standard input was copied to.
type Files = (Vec<(PathBuf, PathBuf)>, Option<StandardInput>);

impl Origin {
    fn files(&self) -> Result<Files, DataError> {
        let mut files = Vec::new();
        let mut input = None;
        for path in each_once(expanded(&self.paths)?)? {
            if is_standard_input(&path) {
                let name = PathBuf::from(super::paths::STANDARD_INPUT);
                let file = StandardInput::read().map_err(|source| unreadable(&name, source))?;
                files.push((file.path().to_owned(), name));
                input = Some(file);
            } else {
                files.push((path.clone(), path));
            }
        }
        Ok((files, input))
    }
}

/// Checks that a file has the header of the first file.
pub(super) fn same_header(
    header: Header,
    names: &[String],
    first: &Path,
    expected: &[String],
) -> Result<(), DataError> {
    let other = names.iter().zip(expected).position(|(name, expected)| name != expected);
    let difference = match other.and_then(|column| Some((column, names.get(column)?, expected.get(column)?))) {
        Some((column, name, expected)) => format!("expected {expected:?} as column {}, got {name:?}", column + 1),
        None if names.len() == expected.len() => return Ok(()),
        None => format!("expected {} columns, got {}", expected.len(), names.len()),
    };
    Err(DataError::OtherHeader { header, first: first.to_owned(), difference })
}

/// A file that is added to a digest, and whose progress is reported, as it is read.
#[derive(Debug)]
pub(super) struct Hashed<'d> {
    inner: File,
    digest: &'d mut Sha256,
    watch: Option<&'d Watch>,
}

impl Read for Hashed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.digest.update(buffer.get(..count).unwrap_or_default());
        if let Some(watch) = self.watch {
            watch.report(count as u64);
        }
        Ok(count)
    }
}
