//! `ordinate diff`: what changes for callers and in the model between two models.

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use ordinate_model::scalar::Scalar;
use ordinate_model::wording::counted;
use ordinate_model::{Model, Wanted};
use ordinate_releases::breaking_changes;
use ordinate_table::{TableReader, each_once, expanded};
use ordinate_train::intercept::intercepts;
use ordinate_train::text_table::{Align, TextTable};
use serde::Serialize;

use super::coefficients::INTERCEPT;
use super::reading::ReadingArguments;
use super::train::significant;
use super::{metric_table, model, print, print_error};
use ordinate_batch::scoring::{Batch, Scorer, ScoringError};

/// Compare two models: signature, coefficients, metrics, and predictions for the rows of files
///
/// The exit code is 1 if requests that the first model accepts would be rejected by the second one, mean something else,
/// or have another kind of answer.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  ordinate diff old.json new.json
  ordinate diff models/price@live models/price@4 --data houses.csv")]
pub(super) struct Arguments {
    #[arg(value_name = "OLD", help = model::HELP, long_help = model::LONG_HELP)]
    old: String,
    #[arg(value_name = "NEW", help = model::HELP, long_help = model::LONG_HELP)]
    new: String,
    /// Rows to compare the predictions for: CSV or Parquet files; rows that cannot be used are left out
    #[arg(long, value_name = "DATA", num_args = 1..)]
    data: Vec<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten, next_help_heading = "Reading files")]
    reading: ReadingArguments,
}

/// The output of `--json`.
#[derive(Serialize)]
struct Difference {
    old: String,
    new: String,
    /// The changes that break requests or their answers.
    breaking: Vec<String>,
    coefficients: Vec<Coefficient>,
    #[serde(skip_serializing_if = "Option::is_none")]
    predictions: Option<Predictions>,
}

/// The coefficients of a column in the unit of the column, or the intercepts; `None` where a model does not have them.
#[derive(Serialize)]
struct Coefficient {
    column: String,
    old: Option<Vec<f64>>,
    new: Option<Vec<f64>>,
}

/// The differences of predictions.
#[derive(Debug, Default, Serialize)]
struct Predictions {
    rows: u64,
    /// The rows with another prediction.
    different: u64,
    /// The mean of the absolute differences of numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    mean_difference: Option<f64>,
    /// The largest absolute difference of numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    largest_difference: Option<f64>,
}

/// Returns the differences as text or JSON.
pub(super) fn run(arguments: &Arguments) -> Result<String, Box<dyn Error>> {
    let (old, new) = (model::load(&arguments.old)?, model::load(&arguments.new)?);
    let label = |model: &Model| format!("{}@{}", model.name(), model.version());
    let mut labels = (label(&old), label(&new));
    if labels.0 == labels.1 {
        labels = (arguments.old.clone(), arguments.new.clone());
    }
    let breaking: Vec<String> = breaking_changes(&old, &new).iter().map(ToString::to_string).collect();
    let predictions = match predictions(arguments, [&old, &new]) {
        // Models of different features cannot both predict the same rows.
        Err(error) if !breaking.is_empty() => {
            print_error(&format!("note: predictions are not compared: {error}\n"));
            None
        }
        predictions => predictions?,
    };
    let difference =
        Difference { old: labels.0, new: labels.1, breaking, coefficients: coefficients(&old, &new), predictions };
    let text =
        if arguments.json { serde_json::to_string(&difference)? + "\n" } else { difference.text([&old, &new])? };
    match difference.breaking.len() {
        0 => Ok(text),
        count => {
            print(&text);
            Err(format!("{} for callers of {}", counted(count, "breaking change", "breaking changes"), arguments.old)
                .into())
        }
    }
}

impl Difference {
    fn text(&self, models: [&Model; 2]) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        match self.breaking.as_slice() {
            [] => writeln!(text, "Requests for {} work with {}.\n", self.old, self.new)?,
            changes => {
                writeln!(text, "Requests for {} break with {}:", self.old, self.new)?;
                for change in changes {
                    writeln!(text, "- {change}")?;
                }
                text.push('\n');
            }
        }
        let cell = |values: &Option<Vec<f64>>| match values {
            None => "–".to_owned(),
            Some(values) => values.iter().map(|value| significant(*value)).collect::<Vec<_>>().join(" "),
        };
        let titles = [("column", Align::Left), (self.old.as_str(), Align::Right), (self.new.as_str(), Align::Right)];
        let mut table = TextTable::new(titles);
        for Coefficient { column, old, new } in &self.coefficients {
            table.push([column.clone(), cell(old), cell(new)]);
        }
        writeln!(text, "Coefficients, for one unit of the column\n{table}")?;
        for (name, model) in [&self.old, &self.new].into_iter().zip(models) {
            let columns = metric_table::of_training(&model.document().training, None);
            writeln!(text, "Metrics of {name}\n{}", metric_table::table(&columns))?;
        }
        if let Some(Predictions { rows, different, mean_difference, largest_difference }) = &self.predictions {
            write!(text, "Predictions: {different} of {} differ", counted(*rows, "row", "rows"))?;
            if let (Some(mean), Some(largest)) = (mean_difference, largest_difference) {
                write!(text, "; mean difference {}, largest {}", significant(*mean), significant(*largest))?;
            }
            text.push_str(".\n");
        }
        Ok(text)
    }
}

/// The coefficients of all columns, those of the first model first, then the intercepts.
fn coefficients(old: &Model, new: &Model) -> Vec<Coefficient> {
    let of = |model: &Model, column: &str| {
        let document = model.document();
        let scale = document.preprocess.columns.iter().find(|known| known.name == column)?.scale;
        Some(document.estimator.get(column)?.iter().map(|value| value / scale).collect())
    };
    let columns = |model: &'_ Model| -> Vec<String> {
        model.document().preprocess.columns.iter().map(|column| column.name.clone()).collect()
    };
    let first = columns(old);
    let known: BTreeSet<&String> = first.iter().collect();
    let others = columns(new).into_iter().filter(|name| !known.contains(name)).collect::<Vec<_>>();
    let each = |column: &String| Coefficient { old: of(old, column), new: of(new, column), column: column.clone() };
    let constant = |model: &Model| {
        let document = model.document();
        (!document.preprocess.through_origin).then(|| intercepts(document))
    };
    let constants = Coefficient { column: INTERCEPT.to_owned(), old: constant(old), new: constant(new) };
    let constants = Some(constants).filter(|row| row.old.is_some() || row.new.is_some());
    first.iter().chain(&others).map(each).chain(constants).collect()
}

/// The predictions of a model for the rows of files; `None` for rows that cannot be used.
fn predictions_of(arguments: &Arguments, model: &Model) -> Result<Vec<Option<Scalar>>, Box<dyn Error>> {
    let files = each_once(expanded(&arguments.data)?)?;
    let known = model.signature().features().iter().map(|feature| feature.name.clone()).collect();
    let mut reader = TableReader::open(files, arguments.reading.options(), known, None)?;
    let wanted = Wanted::default();
    let scorer = Scorer::new(model, &reader, wanted, model.predictor(&wanted)?)?;
    let mut predictions = Vec::new();
    scorer.score::<ScoringError>(&mut reader, &[], |batch: Batch<'_>| {
        let mut answered = batch.answer.iter().flat_map(|answer| answer.prediction.scalars());
        for error in &batch.errors {
            predictions.push(if error.is_none() { answered.next() } else { None });
        }
        Ok(())
    })?;
    Ok(predictions)
}

fn predictions(arguments: &Arguments, [old, new]: [&Model; 2]) -> Result<Option<Predictions>, Box<dyn Error>> {
    if arguments.data.is_empty() {
        return Ok(None);
    }
    if arguments.data.iter().any(|path| path.as_os_str() == "-") {
        return Err("--data: the rows are read twice, which standard input does not allow\nhelp: name a file".into());
    }
    let (before, after) = (predictions_of(arguments, old)?, predictions_of(arguments, new)?);
    let (mut found, mut skipped) = (Predictions::default(), 0_u64);
    let (mut total, mut numbers) = (0.0, 0.0_f64);
    // Classes can be numbers, whose differences mean nothing.
    let has_numbers = old.classes().is_none() && new.classes().is_none();
    for pair in before.into_iter().zip(after) {
        let (Some(was), Some(is)) = pair else {
            skipped += 1;
            continue;
        };
        found.rows += 1;
        found.different += u64::from(was != is);
        if let (Scalar::Number(was), Scalar::Number(is), true) = (was, is, has_numbers) {
            let difference = (is - was).abs();
            total += difference;
            numbers += 1.0;
            found.largest_difference = Some(found.largest_difference.unwrap_or(0.0).max(difference));
        }
    }
    found.mean_difference = (numbers > 0.0).then(|| total / numbers);
    if skipped > 0 {
        print_error(&format!("note: left out {} that one of the models cannot use\n", counted(skipped, "row", "rows")));
    }
    Ok(Some(found))
}
