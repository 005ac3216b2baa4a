//! `ordinate predict`: copies a table with the predictions of a model.

mod target;

use std::error::Error;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::extra_columns::ExtraColumns;
use super::on_error::OnErrorAction;
use super::output::{is_standard_output, same_file};
use super::progress::{Progress, total_bytes};
use super::reading::ReadingArguments;
use super::{model, print_error, wrong_usage};
use ordinate_batch::columns::{PREDICTION, check_names, output_columns};
use ordinate_batch::failure::Failure;
use ordinate_batch::scoring::Scorer;
use ordinate_batch::skipped::{OnError, SkippedRows};
use ordinate_batch::table_output::{TableFormat, TableOutput};
use ordinate_batch::warning_column::rows_with_warnings;
use ordinate_model::Model;
use ordinate_model::wording::counted;
use ordinate_table::{TableReader, expanded};
use target::Target;

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
    #[arg(long, value_name = "NAME", default_value = PREDICTION)]
    column: String,
    #[command(flatten)]
    extra: ExtraColumns,
    /// Treatment of rows that cannot be predicted
    #[arg(long, value_enum, value_name = "ACTION", default_value_t = OnErrorAction::Stop)]
    on_error: OnErrorAction,
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

    fn format(&self) -> TableFormat {
        let is_parquet = self
            .out
            .extension()
            .is_some_and(|extension| ["parquet", "pq"].iter().any(|name| extension.eq_ignore_ascii_case(name)));
        match self.format {
            Some(Format::Csv) => TableFormat::Csv,
            Some(Format::Parquet) => TableFormat::Parquet,
            None => {
                if is_parquet {
                    TableFormat::Parquet
                } else {
                    TableFormat::Csv
                }
            }
        }
    }

    fn check(&self, files: &[PathBuf]) -> Result<(), String> {
        if !self.writes_file() && self.format() == TableFormat::Parquet {
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
    let columns = arguments.extra.columns(&arguments.column);
    let scorer = Scorer::new(&model, &reader, columns.wanted(&model), columns.predictor(&model)?)?;
    let added = output_columns(&columns, &model)?;
    check_names(&columns, &reader, &added)?;

    let on_error: OnError = arguments.on_error.into();
    let target = Target::open(&arguments.out).map_err(Failure::Write);
    let output = target.and_then(|target| TableOutput::new(target, arguments.format(), &reader, &added));
    let mut output = output.map_err(|failure| message(failure, arguments))?;
    let mut skipped = SkippedRows::new(on_error);
    let label = reader.label().to_owned();
    let mut warned = 0;
    let rows = scorer.score(&mut reader, &[], |batch| {
        warned += batch.answer.iter().map(|answer| rows_with_warnings(&answer.warnings)).sum::<usize>();
        output.write(&columns, &batch, |file, _, error| {
            skipped.add(file, error.clone())?;
            Ok(on_error == OnError::Empty)
        })
    });
    drop(progress);
    // A closed pipe (`| head`) is not a failure.
    let is_closed = |error: &io::Error| !writes_file && error.kind() == io::ErrorKind::BrokenPipe;
    let rows = match Failure::or_no_rows(rows) {
        Ok(rows) => rows,
        Err(Failure::Write(error)) if is_closed(&error) => return Ok(String::new()),
        Err(failure) => {
            // The rows before the error are valid.
            let _ = output.flush();
            return Err(message(failure, arguments));
        }
    };
    let counts = [rows - skipped.total(), skipped.total()];
    let report = skipped.report(&label, rows);
    match finish(output, report.is_ok()) {
        Err(Failure::Write(error)) if is_closed(&error) => {}
        outcome => outcome.map_err(|failure| message(failure, arguments))?,
    }
    print_error(&report?);
    summary(arguments, &model, &label, counts, warned)
}

/// The summary of a written file; nothing for standard output.
fn summary(
    arguments: &Arguments,
    model: &Model,
    label: &str,
    [predicted, unanswered]: [u64; 2],
    warned: usize,
) -> Result<String, Box<dyn Error>> {
    let is_kept = matches!(arguments.on_error, OnErrorAction::Empty);
    let summary = Summary {
        model: model.name(),
        version: model.version(),
        data: label,
        rows: predicted,
        left_out: if is_kept { 0 } else { unanswered },
        without_prediction: if is_kept { unanswered } else { 0 },
        rows_with_warnings: arguments.extra.warnings.then_some(warned),
        out: &arguments.out,
    };
    Ok(if arguments.json {
        serde_json::to_string(&summary)? + "\n"
    } else if arguments.writes_file() {
        let rows = counted(predicted, "row", "rows");
        format!("{rows} predicted by {}@{}: {}\n", model.name(), model.version(), arguments.out.display())
    } else {
        String::new()
    })
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

/// An error as a message for the user.
fn message(failure: Failure, arguments: &Arguments) -> Box<dyn Error> {
    match failure {
        Failure::Scoring(error) => error.into(),
        Failure::Columns(error) => error.into(),
        Failure::Write(error) if arguments.writes_file() => {
            format!("{}: cannot be written: {error}", arguments.out.display()).into()
        }
        Failure::Write(error) => format!("cannot write to standard output: {error}").into(),
    }
}

/// Ends the output, and keeps or discards a file.
fn finish(output: TableOutput<Target>, keep: bool) -> Result<(), Failure> {
    match output {
        // Nothing more is written to a file that is discarded.
        TableOutput::Parquet(_) if !keep => Ok(()),
        output => match output.finish()? {
            Target::File(file) if keep => Ok(file.keep()?),
            Target::File(_) => Ok(()),
            Target::Stdout(mut stdout) => Ok(stdout.flush()?),
        },
    }
}
