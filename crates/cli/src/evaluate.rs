//! `ordinate evaluate`: how good a model is on rows whose answer is known.

use std::error::Error;
use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use indexmap::IndexMap;
use serde::Serialize;

use super::columns::Columns;
use super::confusion::Confusion;
use super::records::{Dialect, Records, Row};
use super::scoring::{Scored, Scorer, ScoringError};
use super::skipped::{Complaint, OnError, PassedOver};
use super::text_table::{Grid, Side};
use super::train::significant;
use super::{delimiter, model, tell};
use ordinate_model::cell::Cell;
use ordinate_model::field;
use ordinate_model::number::parse_double;
use ordinate_model::scalar::Scalar;
use ordinate_model::signature::{CellError, Feature, FeatureType};
use ordinate_model::wording::shorten;
use ordinate_model::{Answer, Model, PredictedRow, Wanted};
use ordinate_table::{NamedColumn, Purpose, each_once, expanded};
use ordinate_train::evaluate::{Bin, Classification, Evaluation, Metrics, Regression, title};

/// Measure a model on CSV or Parquet files that have the answers in them
///
/// The model answers every row exactly as it does over HTTPS. The files are read as a stream; columns are found by their
/// names, in any order, and those the model does not use are passed over.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[arg(value_name = "MODEL", help = model::HELP)]
    model: String,
    /// The rows: CSV files with a header that names the model's features and the target, or Parquet files, patterns such as
    /// 'part-*.csv', or - for CSV from standard input. Several files with one header are read as one
    #[arg(value_name = "DATA", required = true)]
    data: Vec<PathBuf>,
    /// The column with the answers; by default the one the model was trained on
    #[arg(long, value_name = "NAME")]
    target: Option<String>,
    /// A column that says how much each row counts, above zero: to the metrics, a row of weight 2 is two rows
    #[arg(long, value_name = "NAME")]
    weights: Option<String>,
    /// What separates the fields: one character, or tab; by default found in the header
    #[arg(long, value_name = "CHARACTER", value_parser = delimiter::parse)]
    delimiter: Option<u8>,
    /// What to do with a row that cannot be used: end with an error, or leave it out
    #[arg(long, value_name = "WHAT", default_value = "stop", value_parser = on_error())]
    on_error: OnError,
    /// Print one JSON object for machines
    #[arg(long)]
    json: bool,
    /// Show no progress
    #[arg(long, short)]
    quiet: bool,
}

fn on_error() -> impl TypedValueParser<Value = OnError> {
    PossibleValuesParser::new(["stop", "skip"]).map(|text| if text == "skip" { OnError::Skip } else { OnError::Stop })
}

/// Measures, and says what came of it.
pub(super) fn run(arguments: &Arguments) -> Result<String, Box<dyn Error>> {
    let model = model::load(&arguments.model)?;
    let target = arguments.target.as_deref().unwrap_or(&model.signature().target().name);
    let data = each_once(expanded(&arguments.data)?)?;
    let others: Vec<&str> = [target].into_iter().chain(arguments.weights.as_deref()).collect();
    let dialect = Dialect::new(arguments.delimiter, &model, &others);
    let mut records = Records::open(&data, dialect, arguments.quiet)?;
    let columns = Columns::of(&records);
    let wanted = Wanted::default();
    let scorer = Scorer::new(&model, &columns, wanted, model.predictor(&wanted)?)?;
    let find = |name: &str, option: &str| Ok::<_, ScoringError>(columns.find(&[name], option)?.into_iter().next());
    let place = find(target, "--target")?.unwrap_or_default();
    let weights = arguments.weights.as_deref().map(|name| Ok::<_, ScoringError>((name, find(name, "--weights")?)));
    let weights = weights.transpose()?.and_then(|(name, place)| Some((name, place?)));
    let name = records.label().to_owned();

    let mut passed_over = PassedOver::new(arguments.on_error);
    let mut side = Measured::new(&model, (target, place), weights);
    let rows = scorer.score::<ScoringError>(&mut records, |scored| side.push(scored, &mut passed_over))?;
    drop(records);
    let left_out = passed_over.total();
    tell(&passed_over.report(&name, rows)?);

    let too_large = || format!("{name}: the errors are too large for a double. Rescale columns of extreme size");
    let metrics = side.evaluation.finish().ok_or_else(too_large)?;
    let outcome = Outcome {
        model: model.name(),
        version: model.version(),
        data: &name,
        target,
        weights: arguments.weights.as_deref(),
        rows: metrics.rows,
        left_out,
        metrics: metrics.by_name(),
        confusion: side.confusion(),
        calibration: side.calibration(),
    };
    if arguments.json { Ok(serde_json::to_string(&outcome)? + "\n") } else { Ok(report(&outcome, &metrics, &model)) }
}

/// What `--json` prints.
#[derive(Serialize)]
struct Outcome<'a> {
    model: &'a str,
    version: &'a str,
    data: &'a str,
    target: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    weights: Option<&'a str>,
    rows: u64,
    left_out: u64,
    metrics: IndexMap<String, f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confusion: Option<Confusion<'a>>,
    /// Bins of rows by the probability of the second of two classes, or of the predicted one of more: its mean, and the
    /// share of rows that were of that class.
    #[serde(skip_serializing_if = "Option::is_none")]
    calibration: Option<Vec<Bin>>,
}

/// Rows measured against the column with the answers.
struct Measured<'m> {
    classes: &'m [Scalar],
    target: Known,
    weights: Option<Known>,
    evaluation: Evaluation,
}

/// A column of what is known of the rows, and its place.
struct Known {
    column: Feature,
    purpose: Purpose,
    place: usize,
}

impl Known {
    /// Whatever the numbers were at training: measured are numbers.
    fn new((name, place): (&str, usize), purpose: Purpose) -> Self {
        Self { column: Feature::new(name, FeatureType::Double), purpose, place }
    }

    fn text<'r>(&self, row: &'r Row) -> &'r str {
        row.fields.get(self.place).unwrap_or_default()
    }

    fn number(&self, row: &Row, what_for: &str) -> Result<f64, Complaint> {
        let number = self.column.accept(Cell::Field(self.text(row)));
        number.map_err(|error| {
            let detail = match error {
                CellError::Missing => format!("the value is missing, and it is what {what_for}"),
                other => other.to_string(),
            };
            self.complain(row, detail)
        })
    }

    fn complain(&self, row: &Row, detail: String) -> Complaint {
        let column = NamedColumn { name: self.column.name.as_str().into(), purpose: self.purpose };
        Complaint { place: row.place, column: Some(column), detail }
    }
}

impl<'m> Measured<'m> {
    fn new(model: &'m Model, target: (&str, usize), weights: Option<(&str, usize)>) -> Self {
        let evaluation = match model.classes() {
            Some(classes) => Evaluation::Classification(Classification::new(classes.len())),
            None => Evaluation::Regression(Regression::new(None)),
        };
        let classes = model.classes().unwrap_or_default();
        Self {
            classes,
            target: Known::new(target, Purpose::Target),
            weights: weights.map(|column| Known::new(column, Purpose::Weight)),
            evaluation,
        }
    }

    fn push(&mut self, scored: Scored<'_>, passed_over: &mut PassedOver) -> Result<(), ScoringError> {
        let Scored { records, rows, complaints, answer } = scored;
        let mut answers = answer.iter().flat_map(Answer::rows);
        for (row, complaint) in rows.iter().zip(complaints) {
            let answer = if complaint.is_none() { answers.next() } else { None };
            if let Err(complaint) = complaint.map_or_else(|| self.measure(row, answer), Err) {
                passed_over.note(records.name(), complaint)?;
            }
        }
        Ok(())
    }

    fn measure(&mut self, row: &Row, answer: Option<PredictedRow<'_>>) -> Result<(), Complaint> {
        let weight = self.weight(row)?;
        match (&mut self.evaluation, answer) {
            (Evaluation::Regression(side), Some(PredictedRow::Value(predicted))) => {
                side.push(self.target.number(row, "the model is measured by")?, predicted, weight);
            }
            (Evaluation::Classification(side), Some(PredictedRow::Class { class: chosen, probabilities })) => {
                let actual = class(self.target.text(row), self.classes);
                side.push(actual.map_err(|detail| self.target.complain(row, detail))?, chosen, probabilities, weight);
            }
            // A model answers what it is for.
            _ => {}
        }
        Ok(())
    }

    fn weight(&self, row: &Row) -> Result<f64, Complaint> {
        let Some(weights) = &self.weights else { return Ok(1.0) };
        let weight = weights.number(row, "the row counts by")?;
        let too_small = || weights.complain(row, format!("{weight} is not above zero, and a weight must be"));
        if weight > 0.0 { Ok(weight) } else { Err(too_small()) }
    }

    fn calibration(&self) -> Option<Vec<Bin>> {
        match &self.evaluation {
            Evaluation::Classification(side) => Some(side.calibration()),
            Evaluation::Regression(_) => None,
        }
    }

    fn confusion(&self) -> Option<Confusion<'_>> {
        self.evaluation.confusion().map(|rows| Confusion { classes: self.classes, rows })
    }
}

/// The position of the class that a field names.
fn class(text: &str, classes: &[Scalar]) -> Result<usize, String> {
    // Whole numbers are small: their doubles are exact.
    #[allow(clippy::cast_precision_loss, clippy::float_cmp)]
    let is = |class: &Scalar| match class {
        Scalar::Integer(value) => parse_double(text.trim()) == Ok(*value as f64),
        Scalar::Number(value) => parse_double(text.trim()) == Ok(*value),
        Scalar::Boolean(value) => field::boolean(text) == Some(*value),
        other => other.to_string() == text,
    };
    classes.iter().position(is).ok_or_else(|| {
        const NAMED: usize = 8;
        let named: Vec<String> = classes.iter().take(NAMED).map(|class| shorten(&class.to_string())).collect();
        let more = if classes.len() > NAMED { ", …" } else { "" };
        format!("expected one of the model's classes ({}{more}), got {:?}", named.join(", "), shorten(text))
    })
}

/// What a person reads.
fn report(outcome: &Outcome<'_>, metrics: &Metrics, model: &Model) -> String {
    let Outcome { model: name, version, data, target, rows, .. } = outcome;
    let mut text = format!("{name}@{version} on {data}: {target}, {rows} rows\n\n");
    let trained = &model.document().training.metrics;
    let unseen = trained.get("test");
    let mut grid = Grid::new([
        ("", Side::Left),
        ("here", Side::Right),
        (if unseen.is_some() { "held out when trained" } else { "" }, Side::Right),
    ]);
    for (metric, value) in &metrics.values {
        let before = unseen.and_then(|metrics| metrics.get(*metric)).map(|value| significant(*value));
        grid.push([title(metric).to_owned(), significant(*value), before.unwrap_or_default()]);
    }
    text.push_str(&grid.to_string());
    if let Some(confusion) = &outcome.confusion {
        text.extend(["\n", &confusion.grid("rows of class").to_string()]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_found_as_it_stands_in_the_data() {
        let text = |text: &str| Scalar::Text(text.into());
        assert_eq!(class("b", &[text("a"), text("b")]), Ok(1));
        assert_eq!(class("1.0", &[Scalar::Integer(0), Scalar::Integer(1)]), Ok(1));
        assert_eq!(class("true", &[Scalar::Boolean(false), Scalar::Boolean(true)]), Ok(1));
        assert_eq!(
            class("B", &[text("a"), text("b")]).unwrap_err(),
            "expected one of the model's classes (a, b), got \"B\""
        );
        assert!(class("", &[Scalar::Integer(0), Scalar::Integer(1)]).is_err());
    }
}
