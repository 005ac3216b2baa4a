//! `ordinate predict`: a table in, the same table with a model's predictions out.

mod added;
mod csv;
mod parquet;

use std::collections::HashSet;
use std::error::Error;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::columns::Columns;
use super::output::{WholeFile, is_standard_output, same_file};
use super::records::{DASH, Dialect, Records};
use super::scoring::{Scored, Scorer, ScoringError};
use super::skipped::{OnError, PassedOver};
use super::warning_column::rows_with_warnings;
use super::{delimiter, model, tell, wrong_usage};
use added::{Added, Asked, columns, said};
use csv::{CsvTable, Target};
use ordinate_model::interval::IntervalError;
use ordinate_model::warning::WarningScope;
use ordinate_model::wording::counted;
use ordinate_model::{Model, Predictor, Wanted};
use ordinate_table::expanded;
use parquet::ParquetTable;

/// Predict every row of CSV or Parquet files, and write them as CSV or Parquet with the predictions beside them
///
/// The files are read as a stream, in bounded memory whatever their size. Columns are found by their names, in any order;
/// all of them, also those the model does not use, are written as they came: from Parquet to Parquet with their types,
/// from CSV to Parquet as text.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[arg(value_name = "MODEL", help = model::HELP)]
    model: String,
    /// The rows: CSV files with a header that names the model's features, or Parquet files, patterns such as 'part-*.csv',
    /// or - for CSV from standard input. Several files with one header are read as one
    #[arg(value_name = "DATA", required = true)]
    data: Vec<PathBuf>,
    /// Where to write; - for standard output, which takes CSV only. A file is replaced when all went well, and left alone
    /// otherwise
    #[arg(long, value_name = "FILE", default_value = DASH)]
    out: PathBuf,
    /// How to write; by default Parquet to a file whose name ends in .parquet, CSV to anything else
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// The name of the column that holds the predictions
    #[arg(long, value_name = "NAME", default_value = "prediction")]
    column: String,
    #[command(flatten)]
    asked: Asked,
    /// What separates the fields, in and out: one character, or tab; by default as in the header, or a comma
    #[arg(long, value_name = "CHARACTER", value_parser = delimiter::parse)]
    delimiter: Option<u8>,
    /// What to do with a row that cannot be predicted
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = OnError::Stop)]
    on_error: OnError,
    /// Print one JSON object for machines that says what was written with --out
    #[arg(long)]
    json: bool,
    /// Show no progress
    #[arg(long, short)]
    quiet: bool,
}

/// How the table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Csv,
    Parquet,
}

impl Arguments {
    fn to_file(&self) -> bool {
        !is_standard_output(&self.out)
    }

    fn format(&self) -> Format {
        let is_parquet = self.out.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("parquet"));
        self.format.unwrap_or(if is_parquet { Format::Parquet } else { Format::Csv })
    }
}

/// Predicts, and says how many rows when they went to a file.
pub(super) fn run(arguments: &Arguments) -> Result<String, Box<dyn Error>> {
    let to_file = arguments.to_file();
    if arguments.json && !to_file {
        wrong_usage("predict", "the rows and --json would both go to standard output. Name a file with --out");
    }
    if let Some(data) = expanded(&arguments.data)?.iter().find(|data| to_file && same_file(&arguments.out, data)) {
        return Err(format!("{}: --out is the data itself. Choose another file", data.display()).into());
    }
    if !to_file && arguments.format() == Format::Parquet {
        let advice = "Parquet is not written to standard output: name a file with --out, or write CSV (--format csv)";
        return Err(advice.into());
    }
    let model = model::load(&arguments.model)?;
    // A bar and rows would write over each other.
    let quiet = arguments.quiet || !to_file && io::stdout().is_terminal();
    let dialect = Dialect::new(arguments.delimiter, &model, &[]);
    let mut records = Records::open(&arguments.data, dialect, quiet)?;
    let there = Columns::of(&records);
    let asked = &arguments.asked;
    let scorer = Scorer::new(&model, &there, wanted(asked, &model), answering(asked, &model)?)?;
    let added = columns(&arguments.column, &arguments.asked, &model)?;
    let mut taken = HashSet::new();
    if let Some(twice) = added.iter().find(|added| there.contains(&added.name) || !taken.insert(&added.name)) {
        let (place, name) = (records.header_name(), &twice.name);
        let or = if name.starts_with(&arguments.column) { ", or name the new one with --column" } else { "" };
        return Err(format!("{place}: there is a column {name:?} already. Rename it{or}").into());
    }

    let told = |failure| match failure {
        Failure::Write(error) => unwritable(arguments, &error),
        Failure::Scoring(error) => error.into(),
    };
    let mut out = Out::open(arguments, &records, &added).map_err(told)?;
    let mut passed_over = PassedOver::new(arguments.on_error);
    let label = records.label().to_owned();
    let mut warned = 0;
    let rows = scorer.score(&mut records, |scored| {
        warned += scored.answer.iter().map(|answer| rows_with_warnings(&answer.warnings)).sum::<usize>();
        out.write(&scored, &mut passed_over, arguments)
    });
    // A reader that has seen enough (`| head`) is no failure.
    let seen_enough = |error: &io::Error| !to_file && error.kind() == io::ErrorKind::BrokenPipe;
    let rows = match rows {
        Ok(rows) => rows,
        Err(Failure::Write(error)) if seen_enough(&error) => return Ok(String::new()),
        Err(failure) => {
            // What was read before it can be used: written out, then told.
            out.flush();
            return Err(told(failure));
        }
    };
    let [predicted, unanswered] = [rows - passed_over.total(), passed_over.total()];
    let report = passed_over.report(&label, rows);
    match out.finish(report.is_ok()) {
        Err(Failure::Write(error)) if seen_enough(&error) => {}
        outcome => outcome.map_err(told)?,
    }
    tell(&report?);
    let kept = arguments.on_error == OnError::Empty;
    let outcome = Outcome {
        model: model.name(),
        version: model.version(),
        data: &label,
        rows: predicted,
        left_out: if kept { 0 } else { unanswered },
        without_prediction: if kept { unanswered } else { 0 },
        rows_with_warnings: arguments.asked.warnings.then_some(warned),
        out: &arguments.out,
    };
    Ok(if arguments.json {
        serde_json::to_string(&outcome)? + "\n"
    } else if to_file {
        let rows = counted(predicted, "row", "rows");
        format!("{rows} predicted by {}@{}: {}\n", model.name(), model.version(), arguments.out.display())
    } else {
        String::new()
    })
}

/// What `--json` prints.
#[derive(Serialize)]
struct Outcome<'a> {
    model: &'a str,
    version: &'a str,
    data: &'a str,
    /// Those with a prediction.
    rows: u64,
    /// Those that could not be predicted, and were not written.
    left_out: u64,
    /// Those that could not be predicted, and were written all the same.
    without_prediction: u64,
    /// Those with something unusual about them, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    rows_with_warnings: Option<usize>,
    out: &'a Path,
}

/// What the options request of the model.
fn wanted(asked: &Asked, model: &Model) -> Wanted {
    let classifies = model.classes().is_some();
    Wanted {
        interval: asked.interval.filter(|_| !classifies),
        mean_interval: asked.mean_interval,
        prediction_sets: asked.interval.filter(|_| classifies),
        explanation: asked.explain,
        warnings: if asked.warnings { WarningScope::All } else { WarningScope::None },
    }
}

/// The model, ready to answer that.
fn answering<'m>(asked: &Asked, model: &'m Model) -> Result<Predictor<'m>, String> {
    if asked.mean_interval.is_some() && model.classes().is_some() {
        let name = model.name();
        return Err(format!("--mean-interval: the model {name} predicts classes, which have no mean. Leave it out"));
    }
    // Each option by itself, so that an error names it.
    let named = |option: &'static str| move |error: IntervalError| format!("{option}: {error}");
    let all = wanted(asked, model);
    let mean = Wanted { mean_interval: all.mean_interval, ..Wanted::default() };
    model.predictor(&Wanted { mean_interval: None, ..all }).map_err(named("--interval"))?;
    model.predictor(&mean).map_err(named("--mean-interval"))?;
    model.predictor(&all).map_err(|error| error.to_string())
}

fn unwritable(arguments: &Arguments, error: &io::Error) -> Box<dyn Error> {
    let place = if arguments.to_file() { arguments.out.display().to_string() } else { "standard output".to_owned() };
    format!("{place}: cannot be written: {error}. Choose another --out").into()
}

/// Why it ended early.
enum Failure {
    Scoring(ScoringError),
    Write(io::Error),
}

impl From<ScoringError> for Failure {
    fn from(error: ScoringError) -> Self {
        Self::Scoring(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Write(error)
    }
}

/// The table that is written.
enum Out {
    Csv(Box<CsvTable>),
    Parquet(Box<ParquetTable>),
}

impl Out {
    fn open(arguments: &Arguments, records: &Records, added: &[Added]) -> Result<Self, Failure> {
        if arguments.format() == Format::Parquet {
            let file = WholeFile::create(&arguments.out)?;
            return Ok(Self::Parquet(Box::new(ParquetTable::new(file, records, added)?)));
        }
        let target = if arguments.to_file() { Target::file(&arguments.out)? } else { Target::stdout() };
        Ok(Self::Csv(Box::new(CsvTable::new(target, records, added)?)))
    }

    /// Writes the rows of a batch, each with what the model says to it.
    fn write(
        &mut self,
        scored: &Scored<'_>,
        passed_over: &mut PassedOver,
        arguments: &Arguments,
    ) -> Result<(), Failure> {
        let Scored { records, rows, complaints, answer } = scored;
        let mut answered = answer.iter().flat_map(|answer| said(&arguments.asked, answer));
        for (row, complaint) in rows.iter().zip(complaints) {
            let said = match complaint {
                Some(complaint) => {
                    passed_over.note(records.name(), complaint.clone())?;
                    None
                }
                None => answered.next(),
            };
            let keep = said.is_some() || arguments.on_error == OnError::Empty;
            match self {
                Self::Csv(_) if !keep => {}
                Self::Csv(table) => table.push(row, said)?,
                Self::Parquet(table) => table.push(records, row, said, keep)?,
            }
        }
        Ok(())
    }

    /// Lets go what can be read before the end is there.
    fn flush(&mut self) {
        if let Self::Csv(table) = self {
            table.flush();
        }
    }

    fn finish(self, keep: bool) -> Result<(), Failure> {
        match self {
            Self::Csv(table) => Ok(table.finish(keep)?),
            Self::Parquet(table) if keep => table.finish(),
            Self::Parquet(_) => Ok(()),
        }
    }
}
