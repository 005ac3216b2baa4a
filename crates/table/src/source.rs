//! Files that training reads, more than once, as one table.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};

use super::csv::CsvRows;
use super::data_file::{DataFile, FileRows, Format};
use super::infer::{name_option, shown};
use super::origin::Origin;
use super::parquet::ParquetRows;
use super::progress::{Hashed, Watch};
use super::ragged::RaggedRows;
use super::row::{Row, RowNumber};
use super::selection::{OffsetColumn, find};
use super::standard_input::StandardInput;
use super::{DataError, Decision, Header, Location, Selection};
use ordinate_model::cell::Cell;
use ordinate_model::identity::Checksum;
use ordinate_model::wording::{NAMED, listed};

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
    /// The column of a term without a coefficient, which is among the features.
    pub offset: Option<OffsetColumn>,
    /// The position of each name in the header.
    pub(super) positions: Vec<usize>,
    /// All columns of the files.
    pub header: Vec<String>,
    /// Columns that are the index of the rows and are not used.
    pub index: Vec<String>,
    /// Columns of types that a model cannot use.
    pub unusable: Vec<String>,
    excluded_terms: Vec<String>,
    /// Whether the features were given, and not chosen as all other columns.
    pub features_are_given: bool,
    /// The decisions about the files.
    decisions: Vec<Decision>,
    /// The rows that are left out in the current pass, and in the last.
    ragged: Mutex<[RaggedRows; 2]>,
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
        let (paths, input) = origin.files()?;
        for (path, name) in paths {
            let metadata = fs::metadata(&path).map_err(|source| DataError::unreadable(&name, source))?;
            if !metadata.is_file() {
                return Err(DataError::NotAFile { path: name });
            }
            let (mut file, _) = DataFile::open_as(&path, &name, &origin.options, &selection.known(), None)?;
            if file.names.is_empty() {
                return Err(DataError::NoColumns { header: file.header_location() });
            }
            if let Some(first) = files.first() {
                file.match_columns(&first.name, &first.names)?;
            }
            files.push(file);
        }
        let first = files.first().map_or(Header::new(Path::new(""), None), DataFile::header_location);
        let header = files.first().map(|file| file.names.clone()).unwrap_or_default();
        let mut index = files.first().map(|file| file.index.clone()).unwrap_or_default();
        let found = unusable(&files, &header);
        let mut unusable: Vec<String> = found.iter().map(|(name, _)| name.clone()).collect();
        let not_features = [index.as_slice(), &unusable].concat();
        let names = selection.names(&header, &not_features, &first)?;
        // With --features, no column is left out by a decision.
        let is_ignored = selection.features.is_empty();
        let is_unused = |name: &String| is_ignored && !names.contains(name) && !selection.exclude.contains(name);
        index.retain(is_unused);
        unusable.retain(is_unused);
        let mut decisions = decisions_of(&files);
        decisions.extend(ignored(&index, "the row index is ignored", |name| shown(name)));
        let kind = |name: &String| found.iter().find(|(other, _)| other == name).map_or("", |(_, kind)| kind);
        let with_kind = |name: &String| format!("{} ({})", shown(name), kind(name));
        decisions.extend(ignored(&unusable, "columns that a model cannot use are ignored", with_kind));
        let positions: Vec<usize> =
            names.iter().map(|name| find(&header, name, &first)).collect::<Result<_, DataError>>()?;
        let excluded_terms = selection.excluded_terms(&header);
        let has_weights = selection.weights.is_some();
        Ok(Self {
            files,
            names,
            has_weights,
            offset: selection.offset.clone(),
            positions,
            header,
            index,
            unusable,
            excluded_terms,
            features_are_given: !selection.features.is_empty(),
            decisions,
            ragged: Mutex::default(),
            _input: input,
            watch: origin.watch.clone(),
        })
    }

    /// The callback for progress.
    #[must_use]
    pub fn watch(&self) -> Option<&Watch> {
        self.watch.as_ref()
    }

    /// Begins a pass over all files.
    pub(super) fn begin_pass(&self) {
        if let Some(watch) = &self.watch {
            let length = |file: &DataFile| fs::metadata(&file.path).map_or(0, |metadata| metadata.len());
            watch.stage("reading", self.files.iter().map(length).sum());
        }
    }

    /// The decisions about the files, including rows that the last pass left out.
    #[must_use]
    pub fn decisions(&self) -> Vec<Decision> {
        let left_out = self.ragged().get(1).and_then(RaggedRows::decision);
        self.decisions.iter().cloned().chain(left_out).collect()
    }

    fn ragged(&self) -> MutexGuard<'_, [RaggedRows; 2]> {
        self.ragged.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends a pass over all rows, of which so many were used.
    pub(super) fn end_of_pass(&self, used: u64) -> Result<(), DataError> {
        let [current, last] = &mut *self.ragged();
        *last = std::mem::take(current);
        last.check(used, self)
    }

    /// The positions of the names that are read, in this file.
    pub(super) fn positions_in(&self, file: &DataFile) -> Vec<usize> {
        self.positions.iter().map(|position| file.position(*position)).collect()
    }

    /// The names that are read: the features, then the target, then the weights.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
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
                let rows = CsvRows::new(csv, &file.name, &file.names, file.text(&mut hashed)?, CHUNK);
                let rows = rows.map_err(|source| DataError::unreadable(&file.name, source))?;
                self.each_row(number, FileRows::Csv(Box::new(rows)), &mut counted)?;
                // The checksum is of the whole file, even if its compressed content ends earlier.
                io::copy(&mut hashed, &mut io::sink()).map_err(|source| DataError::unreadable(&file.name, source))?;
            } else {
                io::copy(&mut hashed, &mut io::sink()).map_err(|source| DataError::unreadable(&file.name, source))?;
                self.each_parquet_row(number, &mut counted)?;
            }
        }
        self.end_of_pass(rows)?;
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
        let needed = self.positions_in(file);
        let rows = ParquetRows::open(&file.path, &file.name, Some(&needed), &file.partitions, None)?;
        self.each_row::<io::Empty, E>(number, FileRows::Parquet(Box::new(rows)), each)
    }

    /// Hands every row to `each`. Rows that are wider or narrower than the header are left out, and counted.
    pub(super) fn each_row<R: Read, E: From<DataError>>(
        &self,
        number: usize,
        mut rows: FileRows<R>,
        each: Each<'_, E>,
    ) -> Result<(), E> {
        let Some(file) = self.files.get(number) else { return Ok(()) };
        let positions = self.positions_in(file);
        let is_csv = matches!(rows, FileRows::Csv(_));
        let mut row = Row::default();
        while rows.next(&mut row)? {
            let (expected, got) = (self.header.len(), row.width());
            if is_csv && got != expected {
                let id = RowId { file: number, row: row.number() };
                if row.has_several_lines() {
                    return Err(
                        DataError::Ragged { location: self.location(id), expected, got, several_lines: true }.into()
                    );
                }
                let [current, _] = &mut *self.ragged();
                current.push(id, expected, got);
                continue;
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
        let inner = File::open(&self.path).map_err(|source| DataError::unreadable(&self.name, source))?;
        Ok(Hashed { inner, digest, watch })
    }

    /// The text of a file with these bytes.
    pub(super) fn text<'r>(&self, bytes: impl Read + Send + 'r) -> Result<Box<dyn Read + Send + 'r>, DataError> {
        match &self.text_format {
            None => Ok(Box::new(bytes)),
            Some(format) => format.text(bytes).map_err(|source| DataError::unreadable(&self.name, source)),
        }
    }
}

/// The columns that a model cannot use in one of the files, each with what it contains.
fn unusable(files: &[DataFile], header: &[String]) -> Vec<(String, &'static str)> {
    let kind = |column: usize| files.iter().find_map(|file| file.unusable(column));
    header.iter().enumerate().filter_map(|(column, name)| Some((name.clone(), kind(column)?))).collect()
}

/// The decision to ignore columns.
fn ignored(names: &[String], what: &str, shown: impl Fn(&String) -> String) -> Option<Decision> {
    let them = if names.len() == 1 { "it" } else { "them" };
    let text = format!("{what}: {} (--features includes {them})", listed(names.iter().map(shown), NAMED));
    let options = names.iter().flat_map(|name| ["--exclude".to_owned(), name_option(name)]);
    (!names.is_empty()).then(|| Decision::new(text, options.collect::<Vec<_>>()))
}

/// The decisions about each file; those about some of several files have their names.
fn decisions_of(files: &[DataFile]) -> Vec<Decision> {
    let mut decisions: Vec<Decision> = Vec::new();
    for file in files {
        for decision in &file.decisions {
            let decision = if files.iter().all(|file| file.decisions.contains(decision)) {
                decision.clone()
            } else {
                Decision { text: format!("{}: {}", file.name.display(), decision.text), ..decision.clone() }
            };
            if !decisions.contains(&decision) {
                decisions.push(decision);
            }
        }
    }
    decisions
}
