//! One input and its output: skipped if it is done, otherwise scored, with all or nothing written.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use ordinate_table::DataError;

use crate::error::BatchError;
use crate::identity::Identity;
use crate::rejected;
use crate::s3::{ObjectReader, ObjectVersion, S3};
use crate::score::{Checks, Input, Layout, PARQUET, Rows, Task, Totals, score};
use crate::scoring::ScoringError;
use crate::store::{Existing, Output, Store, replaceable};

/// A file or object that is scored.
#[derive(Debug, Clone)]
pub enum Source {
    /// A file of this machine.
    File {
        /// The path.
        path: PathBuf,
        /// The path without links, from the root.
        real: PathBuf,
    },
    /// An object.
    Object {
        /// The client.
        s3: S3,
        /// The version.
        object: ObjectVersion,
        /// The most bytes of an object that is copied to a temporary file, which Parquet needs.
        spool_limit: u64,
    },
}

/// A part of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// The first byte.
    pub start: u64,
    /// The byte after the last.
    pub end: u64,
    /// The line of the first byte.
    pub line: u64,
}

/// The outcome for an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was scored.
    Written(Totals),
    /// The outputs of its parts were joined.
    Joined,
    /// The output was made of the same before.
    Unchanged,
}

impl Source {
    /// Its name in messages.
    #[must_use]
    pub fn place(&self) -> String {
        match self {
            Self::File { path, .. } => path.display().to_string(),
            Self::Object { object, .. } => object.location.to_string(),
        }
    }

    /// The identity of the output that a task makes of it.
    ///
    /// # Errors
    /// [`BatchError`] if the file cannot be examined.
    pub fn identity(&self, task: &Task) -> Result<Identity, BatchError> {
        match self {
            Self::File { path, real } => {
                let error = |source| ScoringError::from(DataError::Unreadable { path: path.clone(), source });
                let metadata = fs::metadata(path).map_err(error)?;
                let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
                let version = format!("{} bytes, {} ns", metadata.len(), modified.unwrap_or_default().as_nanos());
                Ok(Identity::new(&real.display().to_string(), &version, task))
            }
            Self::Object { object, .. } => Ok(Identity::new(&object.location.to_string(), &object.identity(), task)),
        }
    }

    /// The rows. The temporary file, if there is one, exists until it is dropped.
    fn rows(&self, layout: Layout) -> Result<(Rows, Option<tempfile::TempPath>), BatchError> {
        let (s3, object, limit) = match self {
            Self::File { path, .. } => return Ok((Rows::File(path.clone()), None)),
            Self::Object { s3, object, spool_limit } => (s3, object, *spool_limit),
        };
        let mut reader = ObjectReader::new(s3, object, 0, object.size);
        let is_parquet = layout == Layout::Table && s3.range(object, 0, PARQUET.len() as u64)?.starts_with(PARQUET);
        if !is_parquet {
            return Ok((Rows::Stream(Box::new(reader)), None));
        }
        let place = object.location.to_string();
        if object.size > limit {
            return Err(BatchError::TooLarge { place, size: object.size, limit });
        }
        let mut spool = || -> io::Result<tempfile::TempPath> {
            let mut file = tempfile::NamedTempFile::new()?;
            io::copy(&mut reader, &mut file)?;
            Ok(file.into_temp_path())
        };
        let path = spool().map_err(|error| BatchError::from_failure(error.into(), &place))?;
        Ok((Rows::File(path.to_path_buf()), Some(path)))
    }
}

/// Scores an input.
///
/// # Errors
/// [`BatchError`], without an output.
pub fn run(
    task: &Task,
    source: &Source,
    layout: Layout,
    (store, name): (&dyn Store, &str),
    checks: &Checks<'_>,
) -> Result<Outcome, BatchError> {
    let identity = source.identity(task)?;
    let existing = replaceable(store, name, task.force)?;
    if existing.is(&identity) {
        store.sweep(name);
        return Ok(Outcome::Unchanged);
    }
    let (rows, temporary) = source.rows(layout)?;
    let place = source.place();
    let input = Input { name: Path::new(&place), layout, rows };
    let written = write(task, input, &identity, (store, name, existing), checks);
    drop(temporary);
    unless_done(written, &identity, store, name)
}

/// Scores a part of an object. Its output has no header unless it is the first.
///
/// # Errors
/// [`BatchError`], without an output.
pub fn run_part(
    task: &Task,
    (s3, object): (&S3, &ObjectVersion),
    part: Part,
    layout: Layout,
    (store, name): (&dyn Store, &str),
    checks: &Checks<'_>,
) -> Result<Outcome, BatchError> {
    let source = Source::Object { s3: s3.clone(), object: object.clone(), spool_limit: 0 };
    let identity = source.identity(task)?.of_part(part.start, part.end);
    let existing = replaceable(store, name, task.force)?;
    if existing.is(&identity) {
        return Ok(Outcome::Unchanged);
    }
    let stream = Box::new(ObjectReader::new(s3, object, part.start, part.end));
    let rows = if part.start == 0 {
        Rows::FirstPart(stream)
    } else {
        let beginning = s3.range(object, 0, BEGINNING)?.to_vec();
        Rows::Part { beginning, part: stream, line: part.line }
    };
    let place = source.place();
    let input = Input { name: Path::new(&place), layout, rows };
    unless_done(write(task, input, &identity, (store, name, existing), checks), &identity, store, name)
}

/// Another delivery of the same may have been faster, or the answer to a request was lost.
fn unless_done(
    written: Result<Outcome, BatchError>,
    identity: &Identity,
    store: &dyn Store,
    name: &str,
) -> Result<Outcome, BatchError> {
    match written {
        Err(BatchError::Raced { .. }) if store.existing(name)?.is(identity) => Ok(Outcome::Unchanged),
        written => written,
    }
}

/// The bytes in which the format of a text is detected.
pub(crate) const BEGINNING: u64 = 1 << 20;

fn write(
    task: &Task,
    input: Input<'_>,
    identity: &Identity,
    (store, name, existing): (&dyn Store, &str, Existing),
    checks: &Checks<'_>,
) -> Result<Outcome, BatchError> {
    let side = format!("{name}{}", rejected::SUFFIX);
    let mut rejected = SideFile { store, name: &side, identity, force: task.force, output: None };
    let output = store.create(name, identity, Some(existing))?;
    let scored = score(task, input, output, &mut rejected, checks);
    let (output, totals) = scored.map_err(|failure| BatchError::from_failure(failure, &store.place(name)))?;
    // The side file first: the output shows that all is done.
    match rejected.output.take() {
        Some(side) => side.commit()?,
        None => store.remove(&side)?,
    }
    output.commit()?;
    store.sweep(name);
    Ok(Outcome::Written(totals))
}

/// The side file, which is begun by the first rejected row.
struct SideFile<'s> {
    store: &'s dyn Store,
    name: &'s str,
    identity: &'s Identity,
    force: bool,
    output: Option<Box<dyn Output>>,
}

impl Write for SideFile<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.output.is_none() {
            replaceable(self.store, self.name, self.force)?;
            self.output = Some(self.store.create(self.name, self.identity, None)?);
        }
        match &mut self.output {
            Some(output) => output.write(bytes),
            None => Ok(0),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
