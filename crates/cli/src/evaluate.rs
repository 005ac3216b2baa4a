//! `ordinate evaluate`: metrics of a model on rows with known answers.

use std::error::Error;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use indexmap::IndexMap;
use serde::Serialize;
use serde_json::Value;

use super::confusion::Confusion;
use super::line_width::line_width;
use super::metric_table::{self, MetricColumn};
use super::model;
use super::print_error;
use super::progress::{Progress, total_bytes};
use super::reading::ReadingArguments;
use super::scoring::{Batch, Scorer, ScoringError};
use super::skipped::{OnError, RowError, SkippedRows};
use ordinate_model::artifact::Training;
use ordinate_model::cell::Cell;
use ordinate_model::reading::Reading;
use ordinate_model::scalar::Scalar;
use ordinate_model::signature::{CellError, Feature, FeatureType};
use ordinate_model::wording::{counted, shorten};
use ordinate_model::{Answer, Model, PredictedRow, Wanted};
use ordinate_table::{NamedColumn, Purpose, Row, TableReader, each_once, expanded};
use ordinate_train::evaluate::{Bin, ClassMetrics, Evaluation, by_name};
use ordinate_train::measured_rows::MeasuredRows;

/// Measure a model on rows with known answers
///
/// The model answers every row exactly as it does over HTTPS. Files are read as a stream. Columns are found by name, in
/// any order; columns that the model does not use are ignored. Rows without a known answer are left out and counted.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  ordinate evaluate price.json new-houses.csv
  zcat houses.csv.gz | ordinate evaluate price.json - --on-error skip --json")]
pub(super) struct Arguments {
    #[arg(value_name = "MODEL", help = model::HELP, long_help = model::LONG_HELP)]
    model: String,
    /// Rows to measure on: CSV or Parquet files, folders, patterns such as 'part-*.csv', or - for CSV from standard input
    ///
    /// The header must name the features of the model and the target. Several files with the same columns are read as
    /// one table.
    #[arg(value_name = "DATA", required = true)]
    data: Vec<PathBuf>,
    /// Column with the known answers; by default the target of the model
    #[arg(long, value_name = "NAME")]
    target: Option<String>,
    /// Column with the weight of each row, zero or more
    ///
    /// A row of weight 2 counts as two rows in the metrics.
    #[arg(long, value_name = "NAME")]
    weights: Option<String>,
    /// Treatment of rows that cannot be used: stop with an error, or skip them
    #[arg(long, value_name = "ACTION", default_value = "stop", value_parser = on_error())]
    on_error: OnError,
    /// Print the metrics as one JSON object
    #[arg(long)]
    json: bool,
    /// Do not show progress
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten, next_help_heading = "Reading files")]
    reading: ReadingArguments,
}

fn on_error() -> impl TypedValueParser<Value = OnError> {
    PossibleValuesParser::new(["stop", "skip"]).map(|text| if text == "skip" { OnError::Skip } else { OnError::Stop })
}

/// Returns the metrics as text or JSON.
pub(super) fn run(arguments: &Arguments) -> Result<String, Box<dyn Error>> {
    let files = each_once(expanded(&arguments.data)?)?;
    model::check_standard_input(&arguments.model, &files)?;
    let model = model::load(&arguments.model)?;
    let target = arguments.target.as_deref().unwrap_or(&model.signature().target().name);
    let progress = Arc::new(Progress::of_bytes(total_bytes(&files), !arguments.quiet));
    let features = model.signature().features().iter().map(|feature| feature.name.clone());
    let others = [target].into_iter().chain(arguments.weights.as_deref()).map(str::to_owned);
    let known = features.chain(others).collect();
    let mut reader = TableReader::open(files, arguments.reading.options(), known, Some(progress.watch()))?;
    let wanted = Wanted::default();
    let scorer = Scorer::new(&model, &reader, wanted, model.predictor(&wanted)?)?;
    let find = |name: &str, option, purpose, reading: &Reading| {
        let position = reader.find(&[name], option)?.first().copied().unwrap_or_default();
        Ok::<_, ScoringError>(NumberColumn::new(name, purpose, position, reading.clone()))
    };
    let plain = Reading::default();
    let weights = arguments.weights.as_deref();
    let weights = weights.map(|name| find(name, "--weights", Purpose::Weight, &plain)).transpose()?;
    // The conventions of the training file; another column with known answers has them, too.
    let known = find(target, "--target", Purpose::Target, &model.signature().target().reading)?;
    let mut measured = Measured::new(&model, known, weights);
    let used = measured.positions();
    let label = reader.label().to_owned();

    let mut skipped = SkippedRows::new(arguments.on_error);
    let rows = scorer.score::<ScoringError>(&mut reader, &used, |batch| measured.push(batch, &mut skipped))?;
    drop((reader, progress));
    let left_out = skipped.total();
    print_error(&skipped.report(&label, rows - measured.without_target)?);
    if measured.without_target == rows {
        return Err(format!("{label}: no row has a value of the target {target:?}").into());
    }

    if let Some(weights) = arguments.weights.as_deref()
        && measured.without_weight + measured.without_target + left_out == rows
    {
        let error = format!(
            "{label}: no row has a weight above zero in the column {weights:?}\nhelp: correct the column, or leave \
             --weights away"
        );
        return Err(error.into());
    }

    let too_large =
        || format!("{label}: the errors are too large for a double\nhelp: rescale columns with extreme values");
    let baseline = &model.document().training.baseline;
    let metrics = measured.evaluation.measure(baseline, model.threshold()).ok_or_else(too_large)?;
    let report = EvaluationReport {
        model: model.name(),
        version: model.version(),
        data: &label,
        target,
        weights: arguments.weights.as_deref(),
        rows: metrics.rows,
        left_out,
        without_target: measured.without_target,
        imputed: measured.imputed_features(),
        metrics: metrics.by_name(),
        standard_errors: by_name(&metrics.standard_errors),
        baseline: by_name(&metrics.baseline),
        class_metrics: measured.confusion().map(|confusion| confusion.class_metrics()),
        confusion: measured.confusion(),
        calibration: measured.calibration(),
    };
    if arguments.json { Ok(serde_json::to_string(&report)? + "\n") } else { Ok(report.text(&model)) }
}

/// The output of `--json`.
#[derive(Serialize)]
struct EvaluationReport<'a> {
    model: &'a str,
    version: &'a str,
    data: &'a str,
    target: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    weights: Option<&'a str>,
    rows: u64,
    /// Rows that cannot be used.
    left_out: u64,
    /// Rows without a known answer.
    without_target: u64,
    /// The features that were missing in some rows and imputed, with the number of these rows.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    imputed: IndexMap<&'a str, u64>,
    metrics: IndexMap<String, f64>,
    standard_errors: IndexMap<String, f64>,
    /// The metrics of a prediction without features: the mean of the target in training, or the frequencies of the classes.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    baseline: IndexMap<String, f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confusion: Option<Confusion<'a>>,
    /// Of each class, in their order.
    #[serde(skip_serializing_if = "Option::is_none")]
    class_metrics: Option<Vec<ClassMetrics>>,
    /// Bins of rows by the probability of the second of two classes, or of the predicted one of more: its mean, and the
    /// fraction of rows of that class.
    #[serde(skip_serializing_if = "Option::is_none")]
    calibration: Option<Vec<Bin>>,
}

/// Predictions compared with known answers.
struct Measured<'m> {
    model: &'m Model,
    classes: &'m [Scalar],
    target: NumberColumn,
    weights: Option<NumberColumn>,
    evaluation: Evaluation,
    /// Rows without a known answer.
    without_target: u64,
    /// Rows of weight zero, which are ignored.
    without_weight: u64,
    /// For each feature, the number of rows in which it is imputed.
    imputed: Vec<u64>,
}

/// A column of known answers or weights.
struct NumberColumn {
    feature: Feature,
    purpose: Purpose,
    position: usize,
}

impl NumberColumn {
    /// Any number is accepted, whatever its type was at training.
    fn new(name: &str, purpose: Purpose, position: usize, reading: Reading) -> Self {
        Self { feature: Feature { reading, ..Feature::new(name, FeatureType::Double) }, purpose, position }
    }

    fn cell<'r>(&self, row: &'r Row) -> Cell<'r> {
        row.cell(self.position)
    }

    fn number(&self, row: &Row) -> Result<f64, RowError> {
        self.feature.accept(self.cell(row)).map_err(|error| {
            let detail = match error {
                CellError::Missing => "the value is missing".to_owned(),
                other => other.to_string(),
            };
            self.error(row, detail)
        })
    }

    fn error(&self, row: &Row, detail: String) -> RowError {
        let column = NamedColumn { name: self.feature.name.as_str().into(), purpose: self.purpose };
        RowError { row: row.number(), column: Some(column), detail }
    }
}

impl<'m> Measured<'m> {
    fn new(model: &'m Model, target: NumberColumn, weights: Option<NumberColumn>) -> Self {
        let evaluation = Evaluation::new(model);
        let classes = model.classes().unwrap_or_default();
        let imputed = vec![0; model.signature().width()];
        Self { model, classes, target, weights, evaluation, without_target: 0, without_weight: 0, imputed }
    }

    /// The positions of the columns.
    fn positions(&self) -> Vec<usize> {
        [&self.target].into_iter().chain(&self.weights).map(|column| column.position).collect()
    }

    fn push(&mut self, batch: Batch<'_>, skipped: &mut SkippedRows) -> Result<(), ScoringError> {
        let Batch { reader, rows, errors, answer, imputed, exposures } = batch;
        for (total, count) in self.imputed.iter_mut().zip(imputed) {
            *total += count;
        }
        let mut answers = answer.iter().flat_map(Answer::rows).zip(exposures);
        for (row, error) in rows.iter().zip(errors) {
            let answer = if error.is_none() { answers.next() } else { None };
            if self.lacks_target(row) {
                self.without_target += 1;
                continue;
            }
            if let Err(error) = error.map_or_else(|| self.measure(row, answer), Err) {
                skipped.add(&reader.file_name(), error)?;
            }
        }
        Ok(())
    }

    /// Whether the known answer of a row is missing: not a number or class, but a missing-value marker.
    fn lacks_target(&self, row: &Row) -> bool {
        let cell = self.target.cell(row);
        row.width() > self.target.position
            && self.target.feature.is_missing(cell)
            && class(cell, self.classes, &self.target.feature.reading).is_err()
    }

    fn imputed_features(&self) -> IndexMap<&'m str, u64> {
        let features = self.model.signature().features().iter().zip(&self.imputed);
        features.filter(|(_, count)| **count > 0).map(|(feature, count)| (feature.name.as_str(), *count)).collect()
    }

    /// Adds a row with its prediction and its exposure.
    fn measure(&mut self, row: &Row, answer: Option<(PredictedRow<'_>, f64)>) -> Result<(), RowError> {
        let weight = self.weight(row)?;
        if weight == 0.0 {
            self.without_weight += 1;
            return Ok(());
        }
        match (&mut self.evaluation, answer) {
            (Evaluation::Regression(evaluation), Some((PredictedRow::Value(predicted), exposure))) => {
                let actual = self.target.number(row)?;
                let family = self.model.document().estimator.glm_family();
                if let Some(family) = family.filter(|family| !family.has(actual)) {
                    let expected = family.targets();
                    return Err(self.target.error(row, format!("expected {expected}, got {actual}")));
                }
                evaluation.push_with_exposure(actual, predicted, weight, exposure);
            }
            (
                Evaluation::Classification(evaluation),
                Some((PredictedRow::Class { class: predicted, probabilities }, _)),
            ) => {
                let actual = class(self.target.cell(row), self.classes, &self.target.feature.reading);
                let actual = actual.map_err(|detail| self.target.error(row, detail))?;
                evaluation.push(actual, predicted, probabilities, weight);
            }
            // The evaluation is of the model's task.
            _ => {}
        }
        Ok(())
    }

    fn weight(&self, row: &Row) -> Result<f64, RowError> {
        let Some(weights) = &self.weights else { return Ok(1.0) };
        let weight = weights.number(row)?;
        let too_small = || weights.error(row, format!("expected a number of at least zero, got {weight}"));
        if weight >= 0.0 { Ok(weight) } else { Err(too_small()) }
    }

    fn calibration(&self) -> Option<Vec<Bin>> {
        match &self.evaluation {
            Evaluation::Classification(evaluation) => Some(evaluation.calibration_bins()),
            Evaluation::Regression(_) => None,
        }
    }

    fn confusion(&self) -> Option<Confusion<'_>> {
        self.evaluation.confusion().map(|rows| Confusion { classes: self.classes, rows })
    }
}

/// The position of the class in a cell, read by the conventions of the target. As in training, text is not a number,
/// and spaces are part of a class.
fn class(cell: Cell<'_>, classes: &[Scalar], reading: &Reading) -> Result<usize, String> {
    let read = |kind| Feature { reading: reading.clone(), ..Feature::new("", kind) }.accept(cell).ok();
    let (number, boolean) = (read(FeatureType::Double), read(FeatureType::Boolean));
    // Classes are exact doubles.
    #[allow(clippy::cast_precision_loss)]
    let is = |class: &Scalar| match class {
        Scalar::Integer(value) => number == Some(*value as f64),
        Scalar::Number(value) => number == Some(*value),
        Scalar::Boolean(value) => boolean == Some(f64::from(u8::from(*value))),
        other => matches!(cell, Cell::Text(text) | Cell::Field(text) if other.to_string() == text),
    };
    classes.iter().position(is).ok_or_else(|| {
        const LISTED: usize = 8;
        let listed: Vec<String> = classes.iter().take(LISTED).map(|class| shorten(&class.label())).collect();
        let more = if classes.len() > LISTED { ", …" } else { "" };
        format!("expected one of the classes {}{more}, got {cell}", listed.join(", "))
    })
}

impl EvaluationReport<'_> {
    fn text(&self, model: &Model) -> String {
        let Self { model: name, version, data, target, rows, .. } = self;
        let mut text = format!("{name}@{version} on {data}: {target}, {rows} rows\n\n");
        let column = |title: &str, values, standard_errors| {
            let title = title.to_owned();
            MetricColumn { title, values, standard_errors }
        };
        let here = column("these rows", &self.metrics, Some(&self.standard_errors).filter(|errors| !errors.is_empty()));
        let baseline = (!self.baseline.is_empty()).then(|| column("baseline", &self.baseline, None));
        let training = &model.document().training.metrics;
        let errors = training.get("test_standard_errors");
        let measured = MeasuredRows::from_training(&model.document().training).title();
        let title = format!("{measured} at training");
        let before = training.get("test").map(|metrics| column(&title, metrics, errors));
        let columns: Vec<MetricColumn<'_>> = [here].into_iter().chain(baseline).chain(before).collect();
        text.push_str(&metric_table::table(&columns).within(line_width()));
        if let Some(note) = self.note_on_weights(&model.document().training) {
            let _ = writeln!(text, "\n{note}");
        }
        if self.without_target > 0 {
            let rows = counted(self.without_target, "row", "rows");
            let _ = writeln!(text, "\n{rows} without a value of the target left out.");
        }
        if !self.imputed.is_empty() {
            let features = self.imputed.iter().map(|(name, count)| format!("{name} ({count})"));
            let total = counted(self.imputed.values().sum::<u64>(), "missing value was", "missing values were");
            let _ = writeln!(text, "\n{total} imputed: {}.", features.collect::<Vec<_>>().join(", "));
        }
        if let Some(confusion) = &self.confusion {
            text.extend(["\n", &confusion.table("rows").within(line_width())]);
        }
        text
    }

    /// Where only the metrics of one side are weighted.
    fn note_on_weights(&self, training: &Training) -> Option<String> {
        let at_training = training.parameters.get("weights").and_then(Value::as_str);
        match (self.weights, at_training) {
            (None, Some(name)) => Some(format!(
                "The metrics at training are weighted by {}; those of these rows are not (--weights weights them).",
                name.escape_debug()
            )),
            (Some(name), None) => Some(format!(
                "The metrics of these rows are weighted by {}; those at training are not weighted.",
                name.escape_debug()
            )),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_found_as_it_is_in_the_data() {
        let class = |cell: Cell<'_>, classes: &[Scalar]| class(cell, classes, &Reading::default());
        let text = |text: &str| Scalar::Text(text.into());
        let integers = [Scalar::Integer(0), Scalar::Integer(1)];
        assert_eq!(class(Cell::Field("b"), &[text("a"), text("b")]), Ok(1));
        assert_eq!(class(Cell::Field("1.0"), &integers), Ok(1));
        assert_eq!(class(Cell::Integer(1), &integers), Ok(1));
        assert_eq!(class(Cell::Field("true"), &[Scalar::Boolean(false), Scalar::Boolean(true)]), Ok(1));
        assert_eq!(class(Cell::Boolean(true), &[Scalar::Boolean(false), Scalar::Boolean(true)]), Ok(1));
        assert_eq!(
            class(Cell::Field("B"), &[text("a"), text("b")]).unwrap_err(),
            "expected one of the classes a, b, got \"B\""
        );
        for cell in [Cell::Field(""), Cell::Text("1"), Cell::Missing] {
            assert!(class(cell, &integers).is_err(), "{cell:?}");
        }
    }
}
