//! One file with its predictions: reads rows, predicts them, writes them and the side file of rejected rows.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ordinate_model::Model;
use ordinate_table::{Compression, DataError, FileOptions, RowBlock, TableReader, Watch, Watched, parallel};

use crate::columns::{Columns, check_names, output_columns};
use crate::encoder::Encoder;
use crate::error::BatchError;
use crate::failure::Failure;
use crate::json_lines::{self, LineBlocks};
use crate::rejected::{self, Input as RejectedInput};
use crate::scoring::{Scorer, ScoringError};
use crate::skipped::RowError;
use crate::table_output::{TableFormat, TableOutput};
use crate::warning_column::rows_with_warnings;

/// The first bytes of a Parquet file.
pub(crate) const PARQUET: &[u8] = b"PAR1";

/// Bytes that are read at a time.
const BUFFER: usize = 1 << 17;

/// The work on each file.
#[derive(Debug, Clone)]
pub struct Task {
    /// The model.
    pub model: Arc<Model>,
    /// The columns that are added.
    pub columns: Columns,
    /// How text files are read.
    pub options: FileOptions,
    /// The number of threads that predict the rows of one text file, whose output does not depend on it.
    pub threads: usize,
    /// Whether outputs replace files that no batch wrote.
    pub force: bool,
}

impl Task {
    /// The columns that files should have.
    pub(crate) fn known(&self) -> Vec<String> {
        self.model.signature().features().iter().map(|feature| feature.name.clone()).collect()
    }
}

/// How rows are written in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// CSV or Parquet, which the first bytes show.
    Table,
    /// JSON Lines.
    JsonLines,
}

/// A stream of bytes.
pub type Stream = Box<dyn Read + Send>;

/// The rows of a file.
#[allow(missing_debug_implementations, reason = "streams and callbacks have no text")]
pub enum Rows {
    /// A file of this machine.
    File(PathBuf),
    /// A text, from its beginning.
    Stream(Stream),
    /// The first part of a text.
    FirstPart(Stream),
    /// A part of a text that begins in this line, where a row begins. `beginning` is the first megabyte of the text.
    Part {
        /// The first megabyte of the whole.
        beginning: Vec<u8>,
        /// The part.
        part: Stream,
        /// The line in which it begins.
        line: u64,
    },
}

/// A file that is scored.
#[allow(missing_debug_implementations, reason = "streams and callbacks have no text")]
pub struct Input<'n> {
    /// Its name in messages.
    pub name: &'n Path,
    /// How its rows are written.
    pub layout: Layout,
    /// Its rows.
    pub rows: Rows,
}

/// The counts of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// Rows of the input, with those that cannot be predicted.
    pub rows: u64,
    /// Rows that cannot be predicted.
    pub rejected: u64,
    /// Rows with warnings, if they are requested.
    pub warned: u64,
    /// The first row that cannot be predicted, and why.
    pub first_rejected: Option<String>,
}

impl Totals {
    /// Rows with a prediction, which are those of the output.
    #[must_use]
    pub fn predicted(&self) -> u64 {
        self.rows.saturating_sub(self.rejected)
    }

    /// Adds the counts of later rows.
    fn add(&mut self, later: Self) {
        self.rows += later.rows;
        self.rejected += later.rejected;
        self.warned += later.warned;
        self.first_rejected = self.first_rejected.take().or(later.first_rejected);
    }

    pub(crate) fn reject(&mut self, error: &RowError) {
        self.rejected += 1;
        self.first_rejected.get_or_insert_with(|| error.to_string());
    }
}

/// Checks and reports between batches of rows.
#[derive(Default)]
#[allow(missing_debug_implementations, reason = "streams and callbacks have no text")]
pub struct Checks<'c> {
    /// Whether there is no more time.
    pub is_out_of_time: Option<&'c (dyn Fn() -> bool + Sync)>,
    /// Gets the bytes that were read.
    pub watch: Option<Watch>,
    /// The input in messages.
    pub place: String,
}

impl Checks<'_> {
    pub(crate) fn check(&self, totals: &Totals) -> Result<(), Failure> {
        if self.is_out_of_time.is_some_and(|is_out| is_out()) {
            return Err(io::Error::from(BatchError::OutOfTime { place: self.place.clone(), rows: totals.rows }).into());
        }
        Ok(())
    }
}

/// A target that may be compressed.
struct Destination<W> {
    target: W,
    compression: Option<Compression>,
}

/// Scores a file, and returns the target with everything written to it.
///
/// # Errors
/// [`Failure`] if the file cannot be read, none of its rows can be predicted, or an output cannot be written.
pub fn score<W: Write + Send>(
    task: &Task,
    input: Input<'_>,
    target: W,
    rejected: &mut dyn Write,
    checks: &Checks<'_>,
) -> Result<(W, Totals), Failure> {
    let Input { name, layout, rows } = input;
    let unreadable = |source| DataError::Unreadable { path: name.to_owned(), source };
    let is_whole = matches!(rows, Rows::File(_) | Rows::Stream(_));
    let (target, totals) = match (layout, rows) {
        (Layout::Table, Rows::File(path)) => {
            let begin = beginning(&mut File::open(&path).map_err(unreadable)?).map_err(unreadable)?;
            let reader = TableReader::open_as(&path, name, task.options.clone(), task.known(), checks.watch.as_ref())?;
            let format = if begin.starts_with(PARQUET) { TableFormat::Parquet } else { TableFormat::Csv };
            score_table(
                task,
                reader,
                format,
                Destination { target, compression: Compression::of(&begin) },
                rejected,
                checks,
            )
        }
        (Layout::Table, Rows::Stream(mut stream) | Rows::FirstPart(mut stream)) => {
            let begin = beginning(&mut stream).map_err(unreadable)?;
            let compression = Compression::of(&begin);
            let stream = Box::new(Cursor::new(begin).chain(stream));
            let reader = TableReader::from_stream(stream, name, task.options.clone(), task.known())?;
            score_table(task, reader, TableFormat::Csv, Destination { target, compression }, rejected, checks)
        }
        (Layout::Table, Rows::Part { beginning, part, line }) => {
            let reader = TableReader::from_part(beginning, part, line, name, task.options.clone(), task.known())?;
            let added = output_columns(&task.columns, &task.model)?;
            let output = TableOutput::continued(target, &reader, &added);
            score_rows(task, reader, output, rejected, checks)
        }
        (Layout::JsonLines, Rows::File(path)) => {
            let file = File::open(&path).map_err(unreadable)?;
            let watched = Watched::new(file, checks.watch.clone());
            score_lines(task, Box::new(watched), name, target, rejected, checks)
        }
        (Layout::JsonLines, Rows::Stream(stream) | Rows::FirstPart(stream)) => {
            score_lines(task, stream, name, target, rejected, checks)
        }
        (Layout::JsonLines, Rows::Part { part, line, .. }) => {
            let mut target = target;
            let lines = LineBlocks::new(BufReader::with_capacity(BUFFER, part), line, name);
            let totals = json_lines::score(task, lines, &mut target, rejected, checks)?;
            Ok((target, totals))
        }
    }?;
    if is_whole && totals.rows > 0 && totals.rejected == totals.rows {
        let (label, first) = (name.display().to_string(), totals.first_rejected.unwrap_or_default());
        return Err(ScoringError::AllRows { label, rows: totals.rows, first }.into());
    }
    Ok((target, totals))
}

fn score_table<W: Write + Send>(
    task: &Task,
    reader: TableReader,
    format: TableFormat,
    destination: Destination<W>,
    rejected: &mut dyn Write,
    checks: &Checks<'_>,
) -> Result<(W, Totals), Failure> {
    let added = output_columns(&task.columns, &task.model)?;
    check_names(&task.columns, &reader, &added)?;
    let target = Encoder::new(destination.target, destination.compression)?;
    let output = TableOutput::new(target, format, &reader, &added)?;
    let (target, totals) = score_rows(task, reader, output, rejected, checks)?;
    Ok((target.finish()?, totals))
}

fn score_rows<W: Write + Send>(
    task: &Task,
    reader: TableReader,
    output: TableOutput<W>,
    rejected: &mut dyn Write,
    checks: &Checks<'_>,
) -> Result<(W, Totals), Failure> {
    let Task { model, columns, threads, .. } = task;
    let scorer = Scorer::new(model, &reader, columns.wanted(model), columns.predictor(model)?)?;
    if *threads == 1 || !matches!(output, TableOutput::Csv(_)) {
        return score_reader(&scorer, task, reader, output, rejected, checks);
    }
    let mut blocks = match reader.into_blocks() {
        Ok(blocks) => blocks,
        Err(reader) => return score_reader(&scorer, task, *reader, output, rejected, checks),
    };
    let (table, added) = (blocks.table(), output_columns(columns, model)?);
    let score_block = |block: RowBlock| {
        let reader = table.reader(block)?;
        let output = TableOutput::continued(Vec::new(), &reader, &added);
        let mut rejected = Vec::new();
        let (written, totals) = score_reader(&scorer, task, reader, output, &mut rejected, &Checks::default())?;
        Ok(Scored { written, rejected, totals })
    };
    let mut target = output.finish()?;
    let next = || blocks.next_block().map_err(Failure::from);
    let totals = in_blocks(*threads, next, score_block, (&mut target, rejected), checks)?;
    Ok((target, totals))
}

/// The output of a block of rows.
pub(crate) struct Scored {
    pub(crate) written: Vec<u8>,
    pub(crate) rejected: Vec<u8>,
    pub(crate) totals: Totals,
}

/// Scores blocks on several threads, and writes their outputs in order.
pub(crate) fn in_blocks<B: Send>(
    threads: usize,
    next: impl FnMut() -> Result<Option<B>, Failure> + Send,
    score: impl Fn(B) -> Result<Scored, Failure> + Sync,
    (out, rejected): (&mut dyn Write, &mut dyn Write),
    checks: &Checks<'_>,
) -> Result<Totals, Failure> {
    let mut totals = Totals::default();
    parallel::in_order(threads, next, score, |scored| {
        let scored = scored?;
        out.write_all(&scored.written)?;
        if !scored.rejected.is_empty() {
            rejected.write_all(&scored.rejected)?;
        }
        totals.add(scored.totals);
        checks.check(&totals)
    })?;
    Ok(totals)
}

fn score_reader<W: Write + Send>(
    scorer: &Scorer<'_>,
    task: &Task,
    mut reader: TableReader,
    mut output: TableOutput<W>,
    rejected: &mut dyn Write,
    checks: &Checks<'_>,
) -> Result<(W, Totals), Failure> {
    let columns = &task.columns;
    let mut totals = Totals::default();
    let outcome = scorer.score::<Failure>(&mut reader, &[], |batch| {
        totals.warned += batch.answer.iter().map(|answer| rows_with_warnings(&answer.warnings) as u64).sum::<u64>();
        output.write(columns, &batch, |_, row, error| {
            totals.reject(error);
            rejected::write(rejected, error, RejectedInput::from(row))?;
            Ok(false)
        })?;
        totals.rows += batch.rows.len() as u64;
        checks.check(&totals)
    });
    Failure::or_no_rows(outcome)?;
    Ok((output.finish()?, totals))
}

fn score_lines<W: Write + Send>(
    task: &Task,
    mut stream: Stream,
    name: &Path,
    target: W,
    rejected: &mut dyn Write,
    checks: &Checks<'_>,
) -> Result<(W, Totals), Failure> {
    let unreadable = |source| DataError::Unreadable { path: name.to_owned(), source };
    let begin = beginning(&mut stream).map_err(unreadable)?;
    let compression = Compression::of(&begin);
    let stream: Stream = Box::new(Cursor::new(begin).chain(stream));
    let text = match compression {
        None => stream,
        Some(compression) => compression.decompressed(stream).map_err(unreadable)?,
    };
    let mut target = io::BufWriter::with_capacity(BUFFER, Encoder::new(target, compression)?);
    let lines = LineBlocks::new(BufReader::with_capacity(BUFFER, text), 1, name);
    let totals = json_lines::score(task, lines, &mut target, rejected, checks)?;
    let encoder = target.into_inner().map_err(io::IntoInnerError::into_error)?;
    Ok((encoder.finish()?, totals))
}

/// The first bytes of a file, enough to recognize its format.
pub(crate) fn beginning(file: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut begin = Vec::new();
    file.take(PARQUET.len() as u64).read_to_end(&mut begin)?;
    Ok(begin)
}
