//! `ordinate predict`: copies a table with the predictions of a model.

mod csv;
mod output_columns;
mod parquet;

use std::collections::HashSet;
use std::error::Error;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::output::{OutputFile, is_standard_output, same_file};
use super::progress::{Progress, total_bytes};
use super::reading::ReadingArguments;
use super::scoring::{Batch, Scorer, ScoringError};
use super::skipped::{OnError, SkippedRows};
use super::warning_column::rows_with_warnings;
use super::{model, print_error, wrong_usage};
use csv::{CsvOutput, Target};
use ordinate_model::answer::WarningScope;
use ordinate_model::wording::counted;
use ordinate_model::{Model, Predictor, Wanted};
use ordinate_table::{DataError, TableReader, expanded};
use output_columns::{ExtraColumns, OutputColumn, output_columns, output_values};
use parquet::ParquetOutput;

/// Predict each row of CSV or Parquet files and write the rows with the predictions
///
/// Files are read as a stream, in bounded memory. Columns are found by name, in any order. All input columns, including
/// those that the model does not use, are copied: from Parquet to Parquet with their types, from CSV to Parquet as text.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  ordinate predict price.json new-houses.csv > predictions.csv
  ordinate predict price.json 'part-*.parquet' --interval 0.95 --out predictions.parquet
  ordinate predict line - --on-error empty < rows.csv")]
pub(super) struct Arguments {
    #[arg(value_name = "MODEL", help = model::HELP, long_help = model::LONG_HELP)]
    model: String,
    /// Rows to predict: CSV or Parquet files, folders, patterns such as 'part-*.csv', or - for CSV from standard input
    ///
    /// The header must name the features of the model. Several files with the same columns are read as one table.
    #[arg(value_name = "DATA", required = true)]
    data: Vec<PathBuf>,
    /// File to write to; - for standard output, CSV only
    ///
    /// An existing file is replaced only if the command succeeds.
    #[arg(long, value_name = "FILE", default_value = "-")]
    out: PathBuf,
    /// Output format; by default parquet for a file name that ends in .parquet, and csv otherwise
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Name of the prediction column
    #[arg(long, value_name = "NAME", default_value = "prediction")]
    column: String,
    #[command(flatten)]
    extra: ExtraColumns,
    /// Treatment of rows that cannot be predicted
    #[arg(long, value_enum, value_name = "ACTION", default_value_t = OnError::Stop)]
    on_error: OnError,
    /// Print a summary of the written file as one JSON object; needs --out
    #[arg(long)]
    json: bool,
    /// Do not show progress
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten, next_help_heading = "Reading files")]
    reading: ReadingArguments,
}

/// The format of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Csv,
    Parquet,
}

impl Arguments {
    fn writes_file(&self) -> bool {
        !is_standard_output(&self.out)
    }

    fn format(&self) -> Format {
        let is_parquet = self
            .out
            .extension()
            .is_some_and(|extension| ["parquet", "pq"].iter().any(|name| extension.eq_ignore_ascii_case(name)));
        self.format.unwrap_or(if is_parquet { Format::Parquet } else { Format::Csv })
    }

    fn check(&self, files: &[PathBuf]) -> Result<(), String> {
        if !self.writes_file() && self.format() == Format::Parquet {
            return Err("--format parquet needs --out\nhelp: name a file with --out, or use --format csv".to_owned());
        }
        match files.iter().find(|data| self.writes_file() && same_file(&self.out, data)) {
            Some(data) => Err(format!("{}: --out is the data file\nhelp: choose another file", data.display())),
            None => Ok(()),
        }
    }
}

/// Writes the predictions, and returns a summary if they were written to a file.
pub(super) fn run(arguments: &Arguments) -> Result<String, Box<dyn Error>> {
    let writes_file = arguments.writes_file();
    if arguments.json && !writes_file {
        wrong_usage("predict", "--json needs --out, because the rows are written to standard output");
    }
    let files = expanded(&arguments.data)?;
    arguments.check(&files)?;
    model::check_standard_input(&arguments.model, &files)?;
    let model = model::load(&arguments.model)?;
    // A progress bar and rows would overwrite each other.
    let quiet = arguments.quiet || !writes_file && io::stdout().is_terminal();
    let progress = Arc::new(Progress::of_bytes(total_bytes(&files), !quiet));
    let known = model.signature().features().iter().map(|feature| feature.name.clone()).collect();
    let mut reader = TableReader::open(files, arguments.reading.options(), known, Some(progress.watch()))?;
    let scorer = Scorer::new(&model, &reader, wanted(&arguments.extra, &model), predictor(&arguments.extra, &model)?)?;
    let added = output_columns(&arguments.column, &arguments.extra, &model)?;
    check_names(arguments, &reader, &added)?;

    let mut output = Output::open(arguments, &reader, &added).map_err(|failure| failure.message(arguments))?;
    let mut skipped = SkippedRows::new(arguments.on_error);
    let label = reader.label().to_owned();
    let mut warned = 0;
    let rows = scorer.score(&mut reader, &[], |batch| {
        warned += batch.answer.iter().map(|answer| rows_with_warnings(&answer.warnings)).sum::<usize>();
        output.write(&batch, &mut skipped, arguments)
    });
    drop(progress);
    // A closed pipe (`| head`) is not a failure.
    let is_closed = |error: &io::Error| !writes_file && error.kind() == io::ErrorKind::BrokenPipe;
    let rows = match rows {
        Ok(rows) => rows,
        Err(Failure::Write(error)) if is_closed(&error) => return Ok(String::new()),
        Err(failure) => {
            // The rows before the error are valid.
            output.flush();
            return Err(failure.message(arguments));
        }
    };
    let [predicted, unanswered] = [rows - skipped.total(), skipped.total()];
    let report = skipped.report(&label, rows);
    match output.finish(report.is_ok()) {
        Err(Failure::Write(error)) if is_closed(&error) => {}
        outcome => outcome.map_err(|failure| failure.message(arguments))?,
    }
    print_error(&report?);
    let is_kept = arguments.on_error == OnError::Empty;
    let summary = Summary {
        model: model.name(),
        version: model.version(),
        data: &label,
        rows: predicted,
        left_out: if is_kept { 0 } else { unanswered },
        without_prediction: if is_kept { unanswered } else { 0 },
        rows_with_warnings: arguments.extra.warnings.then_some(warned),
        out: &arguments.out,
    };
    Ok(if arguments.json {
        serde_json::to_string(&summary)? + "\n"
    } else if writes_file {
        let rows = counted(predicted, "row", "rows");
        format!("{rows} predicted by {}@{}: {}\n", model.name(), model.version(), arguments.out.display())
    } else {
        String::new()
    })
}

/// Checks that no output column has the name of another column.
fn check_names(arguments: &Arguments, reader: &TableReader, added: &[OutputColumn]) -> Result<(), String> {
    let mut names = HashSet::new();
    let Some(twice) = added.iter().find(|added| reader.has_column(&added.name) || !names.insert(&added.name)) else {
        return Ok(());
    };
    let (header, name) = (reader.header_location(), &twice.name);
    let advice = if name.starts_with(&arguments.column) {
        "rename it, or give the predictions another name with --column"
    } else {
        "rename it"
    };
    Err(format!("{header}: a column {name:?} exists already\nhelp: {advice}"))
}

/// The output of `--json`.
#[derive(Serialize)]
struct Summary<'a> {
    model: &'a str,
    version: &'a str,
    data: &'a str,
    /// Rows with a prediction.
    rows: u64,
    /// Rows that cannot be predicted and were not written.
    left_out: u64,
    /// Rows that cannot be predicted and were written without a prediction.
    without_prediction: u64,
    /// Rows with warnings, if they were requested.
    #[serde(skip_serializing_if = "Option::is_none")]
    rows_with_warnings: Option<usize>,
    out: &'a Path,
}

fn wanted(extra: &ExtraColumns, model: &Model) -> Wanted {
    let classifies = model.classes().is_some();
    Wanted {
        interval: extra.interval.filter(|_| !classifies),
        mean_interval: extra.mean_interval,
        prediction_sets: extra.interval.filter(|_| classifies),
        explanation: extra.explain,
        warnings: if extra.warnings { WarningScope::All } else { WarningScope::None },
    }
}

/// The model, prepared for the options.
fn predictor<'m>(extra: &ExtraColumns, model: &'m Model) -> Result<Predictor<'m>, String> {
    if extra.mean_interval.is_some() && model.classes().is_some() {
        return Err(format!("--mean-interval needs a regression model, and {} predicts classes", model.name()));
    }
    let wanted = wanted(extra, model);
    model.predictor(&wanted).map_err(|error| {
        // The error belongs to --mean-interval if the predictions are possible without it.
        let without_mean = model.predictor(&Wanted { mean_interval: None, ..wanted });
        without_mean.err().map_or_else(|| format!("--mean-interval: {error}"), |error| format!("--interval: {error}"))
    })
}

/// Why the command ended early.
enum Failure {
    Scoring(ScoringError),
    Write(io::Error),
}

impl Failure {
    fn message(self, arguments: &Arguments) -> Box<dyn Error> {
        match self {
            Self::Scoring(error) => error.into(),
            Self::Write(error) if arguments.writes_file() => {
                format!("{}: cannot be written: {error}", arguments.out.display()).into()
            }
            Self::Write(error) => format!("cannot write to standard output: {error}").into(),
        }
    }
}

impl From<ScoringError> for Failure {
    fn from(error: ScoringError) -> Self {
        Self::Scoring(error)
    }
}

impl From<DataError> for Failure {
    fn from(error: DataError) -> Self {
        Self::Scoring(error.into())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Write(error)
    }
}

/// The table that is written.
enum Output {
    Csv(Box<CsvOutput>),
    Parquet(Box<ParquetOutput>),
}

impl Output {
    fn open(arguments: &Arguments, reader: &TableReader, added: &[OutputColumn]) -> Result<Self, Failure> {
        if arguments.format() == Format::Parquet {
            let file = OutputFile::create(&arguments.out)?;
            return Ok(Self::Parquet(Box::new(ParquetOutput::new(file, reader, added)?)));
        }
        let target = if arguments.writes_file() { Target::file(&arguments.out)? } else { Target::stdout() };
        Ok(Self::Csv(Box::new(CsvOutput::new(target, reader, added)?)))
    }

    /// Writes the rows of a batch with their predictions.
    fn write(&mut self, batch: &Batch<'_>, skipped: &mut SkippedRows, arguments: &Arguments) -> Result<(), Failure> {
        let Batch { reader, rows, errors, answer, .. } = batch;
        let mut answered = answer.iter().flat_map(|answer| output_values(&arguments.extra, answer));
        for (row, error) in rows.iter().zip(errors) {
            let values = match error {
                Some(error) => {
                    skipped.add(&reader.file_name(), error.clone())?;
                    None
                }
                None => answered.next(),
            };
            let keep = values.is_some() || arguments.on_error == OnError::Empty;
            match self {
                Self::Csv(_) if !keep => {}
                Self::Csv(output) => output.push(row, values)?,
                Self::Parquet(output) => output.push(reader, row, values, keep)?,
            }
        }
        Ok(())
    }

    /// Writes the rows so far to standard output.
    fn flush(&mut self) {
        if let Self::Csv(output) = self {
            output.flush();
        }
    }

    fn finish(self, keep: bool) -> Result<(), Failure> {
        match self {
            Self::Csv(output) => Ok(output.finish(keep)?),
            Self::Parquet(output) if keep => output.finish(),
            Self::Parquet(_) => Ok(()),
        }
    }
}
