//! `ordinate predict`: a table in, the same table with a model's predictions out.

use std::error::Error;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::PathBuf;

use clap::Args;

use super::output::{WholeFile, same_file};
use super::records::{self, DASH, Records, Row};
use super::scoring::{Columns, OnError, PassedOver, Scored, Scorer, ScoringError};
use super::{model, tell};
use crate::model::scalar::Scalar;
use crate::model::{Model, Probabilities};

/// Predict every row of a CSV or Parquet file, and write it as CSV with the predictions beside it
///
/// The file is read as a stream, in bounded memory whatever its size. Columns are found by their names, in any order;
/// all of them, also those the model does not use, are written as they came.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The model: a file that `ordinate train` wrote, its file:// address, or the name of a bundled model such as line
    #[arg(value_name = "MODEL")]
    model: String,
    /// The rows: CSV with a header that names the model's features, or Parquet; - for CSV from standard input
    #[arg(value_name = "DATA")]
    data: PathBuf,
    /// Where to write; - for standard output. A file is replaced when all went well, and left alone otherwise
    #[arg(long, value_name = "FILE", default_value = DASH)]
    out: PathBuf,
    /// The name of the column that holds the predictions
    #[arg(long, value_name = "NAME", default_value = "prediction")]
    column: String,
    /// Write the ends of an interval too, as `prediction_low` and `prediction_high`, that holds the answer with this
    /// probability, such as 0.95
    #[arg(long, value_name = "LEVEL", allow_negative_numbers = true)]
    interval: Option<f64>,
    /// Write the probability of each class too, as `probability_CLASS`
    #[arg(long)]
    probabilities: bool,
    /// What separates the fields, in and out: one character, or tab; by default as in the header, or a comma
    #[arg(long, value_name = "CHARACTER", value_parser = records::delimiter)]
    delimiter: Option<u8>,
    /// What to do with a row that cannot be predicted
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = OnError::Stop)]
    on_error: OnError,
    /// Show no progress
    #[arg(long, short)]
    quiet: bool,
}

/// Predicts, and says how many rows when they went to a file.
pub(super) fn run(arguments: &Arguments) -> Result<String, Box<dyn Error>> {
    let to_file = arguments.out.as_os_str() != DASH;
    if to_file && same_file(&arguments.out, &arguments.data) {
        return Err(format!("{}: --out is the data itself. Choose another file", arguments.data.display()).into());
    }
    let model = model::load(&arguments.model)?;
    // A bar and rows would write over each other.
    let quiet = arguments.quiet || !to_file && io::stdout().is_terminal();
    let mut records = Records::open(&arguments.data, arguments.delimiter, quiet)?;
    let columns = Columns::of(&records);
    let interval = arguments.interval.map(|level| model.intervals(level)).transpose();
    let interval = interval.map_err(|error| format!("--interval: {error}"))?;
    let scorer = Scorer::new(&model, &columns)?.with_interval(interval);
    let added = added(arguments, &model)?;
    if let Some(taken) = added.iter().find(|name| columns.contains(name)) {
        return Err(format!(
            "{}: there is a column {taken:?} already. Rename it, or name the new one with --column",
            records.header_name()
        )
        .into());
    }

    let mut out = Out::open(arguments, &records, &added)?;
    let mut passed_over = PassedOver::new(arguments.on_error);
    let name = records.name().to_owned();
    let rows = scorer.score(&mut records, |scored| out.write(&name, scored, &mut passed_over));
    let rows = match rows {
        Ok(rows) => rows,
        // A reader that has seen enough (`| head`) is no failure.
        Err(Failure::Write(error)) if !to_file && error.kind() == io::ErrorKind::BrokenPipe => return Ok(String::new()),
        Err(Failure::Write(error)) => return Err(unwritable(arguments, &error)),
        Err(Failure::Scoring(error)) => {
            // What was read before it can be used: written out, then told.
            let _ = out.rows.flush();
            return Err(error.into());
        }
    };
    let predicted = rows - passed_over.total();
    let report = passed_over.report(&name, rows);
    match out.finish(report.is_ok()) {
        Err(error) if to_file || error.kind() != io::ErrorKind::BrokenPipe => {
            return Err(unwritable(arguments, &error));
        }
        _ => tell(&report?),
    }
    Ok(if to_file {
        format!("{predicted} rows predicted by {}@{}: {}\n", model.name(), model.version(), arguments.out.display())
    } else {
        String::new()
    })
}

/// The names of the columns that are added: the prediction, then the ends of its interval and one a class where they
/// are asked for.
fn added(arguments: &Arguments, model: &Model) -> Result<Vec<String>, String> {
    let mut names = vec![arguments.column.clone()];
    if arguments.interval.is_some() {
        names.extend(["low", "high"].map(|end| format!("{}_{end}", arguments.column)));
    }
    if arguments.probabilities {
        let classes = model.classes().ok_or_else(|| {
            format!("--probabilities: the model {} predicts numbers, not classes. Leave it out", model.name())
        })?;
        names.extend(classes.iter().map(|class| format!("probability_{class}")));
    }
    Ok(names)
}

fn unwritable(arguments: &Arguments, error: &io::Error) -> Box<dyn Error> {
    let place = if arguments.out.as_os_str() == DASH {
        "standard output".to_owned()
    } else {
        arguments.out.display().to_string()
    };
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

impl From<csv::Error> for Failure {
    fn from(error: csv::Error) -> Self {
        Self::Write(to_io(error))
    }
}

fn to_io(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

/// Where the bytes go.
enum Target {
    File(WholeFile),
    Stdout(BufWriter<io::StdoutLock<'static>>),
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.write(bytes),
            Self::Stdout(stdout) => stdout.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File(file) => file.flush(),
            Self::Stdout(stdout) => stdout.flush(),
        }
    }
}

/// The table that is written.
struct Out {
    rows: csv::Writer<Target>,
    /// Columns that came.
    width: usize,
    /// Columns that are added.
    added: usize,
    on_error: OnError,
}

impl Out {
    fn open(arguments: &Arguments, records: &Records, added: &[String]) -> Result<Self, Box<dyn Error>> {
        let target = if arguments.out.as_os_str() == DASH {
            Target::Stdout(BufWriter::with_capacity(1 << 16, io::stdout().lock()))
        } else {
            Target::File(WholeFile::create(&arguments.out).map_err(|error| unwritable(arguments, &error))?)
        };
        let mut rows = csv::WriterBuilder::new().delimiter(records.delimiter()).flexible(true).from_writer(target);
        let names = records.header().iter().chain(added.iter().map(String::as_str));
        rows.write_record(names).map_err(|error| unwritable(arguments, &to_io(error)))?;
        Ok(Self { rows, width: records.header().len(), added: added.len(), on_error: arguments.on_error })
    }

    fn write(&mut self, name: &str, scored: Scored<'_>, passed_over: &mut PassedOver) -> Result<(), Failure> {
        let Scored { rows, complaints, answers } = scored;
        let mut predictions = answers.prediction.iter().flat_map(|prediction| prediction.scalars());
        let mut intervals = answers.intervals.iter();
        let mut probabilities = answers.probabilities.iter().flat_map(Probabilities::rows);
        for (row, complaint) in rows.iter().zip(complaints) {
            if let Some(complaint) = complaint {
                passed_over.note(name, complaint)?;
                if self.on_error == OnError::Empty {
                    self.came(row)?;
                    for _ in 0..self.added {
                        self.rows.write_field("")?;
                    }
                    self.rows.write_record(None::<&[u8]>)?;
                }
                continue;
            }
            self.came(row)?;
            self.rows.write_field(text(&predictions.next().unwrap_or(Scalar::Missing)))?;
            for end in intervals.next().into_iter().flatten() {
                self.rows.write_field(digits(*end))?;
            }
            for probability in probabilities.next().unwrap_or_default().iter().take(self.added - 1) {
                self.rows.write_field(digits(*probability))?;
            }
            self.rows.write_record(None::<&[u8]>)?;
        }
        Ok(())
    }

    /// The fields of a row, as many as the header has: one that is too short is filled up, one that is too long is cut.
    fn came(&mut self, row: &Row) -> Result<(), Failure> {
        for place in 0..self.width {
            self.rows.write_field(row.fields.get(place).unwrap_or_default())?;
        }
        Ok(())
    }

    fn finish(self, keep: bool) -> io::Result<()> {
        let target = self.rows.into_inner().map_err(csv::IntoInnerError::into_error)?;
        match target {
            Target::File(file) if keep => file.keep(),
            Target::File(_) => Ok(()),
            Target::Stdout(mut stdout) => stdout.flush(),
        }
    }
}

/// A label as it stood in the training data, a number with all the digits that bring it back.
fn text(scalar: &Scalar) -> String {
    match scalar {
        Scalar::Number(value) => digits(*value),
        other => other.to_string(),
    }
}

/// The digits that an answer over HTTPS has.
fn digits(value: f64) -> String {
    serde_json::Number::from_f64(value).map(|number| number.to_string()).unwrap_or_default()
}
