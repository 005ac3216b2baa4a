//! Files that are read as one table.

use std::collections::HashSet;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::chunks::Chunks;
use super::csv::{Csv, line};
use super::foreign::{beginning, foreign};
use super::paths::{each_once, expanded};
use super::selection::find;
use super::standard_input::StandardInput;
use super::{DataError, Header, Location, Selection, parquet};
use ordinate_model::cell::Cell;
use ordinate_model::identity::Checksum;

/// Where the data are and how they are written.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// Files, patterns such as `part-*.csv`, or `-` for standard input; read one after the other.
    pub paths: Vec<PathBuf>,
    /// What stands between the fields of a CSV file; found in the header when it is not given.
    pub delimiter: Option<u8>,
    /// Whoever wants to see how far reading is.
    pub watch: Option<Watch>,
}

/// Is told the bytes that have been read since it was told last.
#[derive(Clone)]
pub struct Watch(pub Arc<dyn Fn(u64) + Send + Sync>);

impl fmt::Debug for Watch {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Watch")
    }
}

/// One file.
#[derive(Debug)]
pub(super) struct Part {
    /// Where it is read.
    pub(super) path: PathBuf,
    /// What it is called in messages.
    pub(super) shown: PathBuf,
    pub(super) format: Format,
}

impl Part {
    /// Where it says what its columns are called.
    fn header(&self) -> Header {
        Header::of(&self.shown, matches!(self.format, Format::Parquet))
    }
}

/// How a file is written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Format {
    Csv(Csv),
    Parquet,
}

/// Where a row stands; [`Source::location`] says it in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub(super) part: usize,
    /// The byte in which a line begins, or the number of a row.
    pub(super) at: u64,
}

/// Bytes of a CSV file that are read together.
pub(super) const CHUNK: usize = 1 << 20;

/// One row as it stands in the data.
pub trait Record {
    /// The value of a column, by its place among the names that are read.
    fn cell(&self, column: usize) -> Cell<'_>;

    /// Where it stands.
    fn place(&self) -> Place;
}

/// Hands rows on.
pub(crate) type Each<'a, E> = &'a mut dyn FnMut(&dyn Record) -> Result<(), E>;

/// What a pass over all files has seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// Rows below the headers.
    pub rows: u64,
    /// SHA-256 of the files' bytes, one after the other.
    pub sha256: Checksum,
}

/// Files whose header has been read and holds the columns asked for.
#[derive(Debug)]
pub struct Source {
    pub(super) parts: Vec<Part>,
    /// The names that are read: the features, then the target, then the weights.
    pub(super) names: Vec<String>,
    /// Whether the last of them says how much a row counts.
    pub has_weights: bool,
    /// The place of each in the header.
    pub(super) places: Vec<usize>,
    /// All columns of the files.
    pub header: Vec<String>,
    /// Columns that are the index of the rows, and are left out because nobody asked for them.
    pub index: Vec<String>,
    /// What is to be left out of the design.
    excluded_terms: Vec<String>,
    /// Standard input, kept as long as a fault may have to be found in it.
    _input: Option<StandardInput>,
    pub(super) watch: Option<Watch>,
}

impl Source {
    /// Reads the headers and finds the columns.
    ///
    /// # Errors
    /// [`DataError`] when there is no header, its names are not usable, or a column asked for is not there.
    pub fn open(origin: &Origin, selection: &Selection) -> Result<Self, DataError> {
        let mut parts: Vec<Part> = Vec::new();
        let (mut header, mut index): (Vec<String>, Vec<String>) = Default::default();
        let (files, input) = origin.files()?;
        for (path, shown) in files {
            if !fs::metadata(&path).map_err(|source| unreadable(&shown, source))?.is_file() {
                return Err(DataError::NotAFile { path: shown });
            }
            let begin = beginning(&path).map_err(|source| unreadable(&shown, source))?;
            let (format, (names, of_index)) = if begin.starts_with(&parquet::MAGIC) {
                (Format::Parquet, parquet::names(&path, &shown)?)
            } else if let Some((what, advice)) = foreign(&begin) {
                return Err(DataError::Foreign { path: shown, what, advice });
            } else {
                let (csv, names) = Csv::open(&path, &shown, origin.delimiter, &selection.known())?;
                (Format::Csv(csv), (names, Vec::new()))
            };
            let place = Header::of(&shown, matches!(format, Format::Parquet));
            check_names(&names, &place)?;
            match parts.first() {
                None => (header, index) = (names, of_index),
                Some(first) => same_header(place, &names, &first.shown, &header)?,
            }
            parts.push(Part { path, shown, format });
        }
        let first = parts.first().map_or(Header::of(Path::new(""), false), Part::header);
        let names = selection.names(&header, &index, &first)?;
        index.retain(|name| !names.contains(name) && !selection.exclude.contains(name));
        let places = names.iter().map(|name| find(&header, name, &first)).collect::<Result<_, _>>()?;
        let excluded_terms = selection.excluded_terms(&header);
        let has_weights = selection.weights.is_some();
        Ok(Self {
            parts,
            names,
            has_weights,
            places,
            header,
            index,
            excluded_terms,
            _input: input,
            watch: origin.watch.clone(),
        })
    }

    /// The names that are read: the features, then the target, then the weights.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// What is to be left out of the design.
    pub fn excluded_terms(&self) -> &[String] {
        &self.excluded_terms
    }

    /// What to call the data in a message.
    #[must_use]
    pub fn label(&self) -> String {
        let first = self.first().display().to_string();
        match self.parts.len() {
            0 | 1 => first,
            several => format!("{first} and {} more", several - 1),
        }
    }

    pub(super) fn first(&self) -> &Path {
        self.parts.first().map_or(Path::new(""), |part| &part.shown)
    }

    /// Hands every row to `each`, one by one, on this thread.
    ///
    /// # Errors
    /// [`DataError`] at the first fault; `each` has seen the rows before it. Whatever `each` fails with ends the pass.
    pub fn scan<E: From<DataError>>(&self, each: Each<'_, E>) -> Result<Scan, E> {
        let mut digest = Sha256::new();
        let mut rows = 0;
        let mut counted = |record: &dyn Record| {
            rows += 1;
            each(record)
        };
        for (number, part) in self.parts.iter().enumerate() {
            let failed = |source| unreadable(&part.shown, source);
            let file = File::open(&part.path).map_err(failed)?;
            let mut file = Hashed { inner: file, digest: &mut digest, watch: self.watch.as_ref() };
            match part.format {
                Format::Csv(csv) => {
                    io::copy(&mut file.by_ref().take(csv.header_end), &mut io::sink()).map_err(failed)?;
                    let mut chunks = Chunks::new(file, csv.header_end, csv.delimiter, CHUNK);
                    while let Some(chunk) = chunks.next().map_err(|fault| fault.of(part))? {
                        csv.scan(part, number, (&self.header, &self.places), &chunk, &mut counted)?;
                    }
                }
                Format::Parquet => {
                    io::copy(&mut file, &mut io::sink()).map_err(failed)?;
                    parquet::scan(part, number, &self.names, &mut counted)?;
                }
            }
        }
        if rows == 0 {
            return Err(DataError::HeaderOnly { path: self.first().to_owned() }.into());
        }
        Ok(Scan { rows, sha256: Checksum::from_digest(digest.finalize().as_ref()) })
    }

    /// A place in words.
    pub fn location(&self, place: Place) -> Location {
        match self.parts.get(place.part) {
            Some(Part { path, shown, format: Format::Csv(_) }) => line(path, shown, place.at),
            part => {
                let path = part.map(|part| part.shown.clone()).unwrap_or_default();
                Location { path, line: place.at + 1, is_row: true }
            }
        }
    }
}

fn check_names(names: &[String], header: &Header) -> Result<(), DataError> {
    if names.is_empty() {
        return Err(DataError::NoColumns { header: header.clone() });
    }
    let mut seen = HashSet::new();
    for (place, name) in names.iter().enumerate() {
        if name.is_empty() {
            return Err(DataError::UnnamedColumn { header: header.clone(), column: place + 1 });
        }
        if !seen.insert(name) {
            return Err(DataError::DuplicateColumn { header: header.clone(), name: name.clone() });
        }
    }
    Ok(())
}

pub(super) fn unreadable(shown: &Path, source: io::Error) -> DataError {
    DataError::Unreadable { path: shown.to_owned(), source }
}

/// Files to read, each with what to call it, and the one that holds standard input.
type Files = (Vec<(PathBuf, PathBuf)>, Option<StandardInput>);

impl Origin {
    /// The files to read.
    fn files(&self) -> Result<Files, DataError> {
        let mut files = Vec::new();
        let mut input = None;
        for path in each_once(expanded(&self.paths)?)? {
            if path == Path::new("-") {
                let name = PathBuf::from(StandardInput::NAME);
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

/// Whether a file has the header of the first.
///
/// # Errors
/// [`DataError`] where it has another.
pub fn same_header(header: Header, names: &[String], first: &Path, expected: &[String]) -> Result<(), DataError> {
    let other = names.iter().zip(expected).position(|(name, expected)| name != expected);
    let difference = match other.and_then(|column| Some((column, names.get(column)?, expected.get(column)?))) {
        Some((column, name, expected)) => format!("column {} is {name:?}, there it is {expected:?}", column + 1),
        None if names.len() == expected.len() => return Ok(()),
        None => format!("it has {} columns, there are {}", names.len(), expected.len()),
    };
    Err(DataError::OtherHeader { header, first: first.to_owned(), difference })
}

/// A file of which the digest is taken as it is read, and which tells how far it is.
#[derive(Debug)]
pub(super) struct Hashed<'d> {
    pub(super) inner: File,
    pub(super) digest: &'d mut Sha256,
    pub(super) watch: Option<&'d Watch>,
}

impl Read for Hashed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.digest.update(buffer.get(..count).unwrap_or_default());
        if let Some(Watch(tell)) = self.watch {
            tell(count as u64);
        }
        Ok(count)
    }
}
