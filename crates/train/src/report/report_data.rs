//! Statistics of the rows for a report, in memory that does not depend on the number of rows.

use std::collections::BinaryHeap;

use super::influence::{InfluenceCollector, InfluentialRow};
use crate::evaluate::{Batch, Label, Measured, Sides};
use crate::solver::leverage::WorkingInformation;
use crate::summary::Residuals;
use ordinate_model::cell::Cell;
use ordinate_model::estimator::Coefficients;
use ordinate_model::inference::Inference;
use ordinate_model::preprocess::TargetTransform;
use ordinate_model::signature::{Feature, FeatureType};
use ordinate_model::{AnswerError, Model, PredictedRow};

/// The most rows in a chart.
pub const SAMPLE_ROWS: usize = 2000;

/// The bars of a histogram.
const BARS: usize = 24;

/// Evaluates a model as [`Measurement`](crate::evaluate::Measurement) does, and collects the data of a report.
#[derive(Debug)]
pub struct ReportDataCollector<'m> {
    model: &'m Model,
    batch: Batch<'m>,
    predictions: PredictionStatistics,
    columns: Vec<ColumnStatistics>,
    target: ColumnStatistics,
    classes: Vec<u64>,
    held_out: u64,
    test_rows: u64,
}

/// Statistics of the predictions.
#[derive(Debug)]
struct PredictionStatistics {
    sides: Sides,
    residuals: Residuals,
    transform: TargetTransform,
    rows: u64,
    /// The total weight of the fitted rows.
    weight: f64,
    sample: BinaryHeap<(u64, SampledRow)>,
    influence: InfluenceCollector,
}

/// The data of a report.
#[derive(Debug, Clone)]
pub struct ReportData {
    /// The number of rows, including test data.
    pub rows: u64,
    /// The number of held-out rows, including test data.
    pub held_out: u64,
    /// The number of rows of test data, which columns and classes do not include.
    pub test_rows: u64,
    /// The features, in the order of the signature.
    pub columns: Vec<ColumnStatistics>,
    /// The target of a regression.
    pub target: ColumnStatistics,
    /// The number of rows of each class of a classifier.
    pub classes: Vec<u64>,
    /// Metrics, calibration, and the evaluation for the curves: on held-out rows, or on all rows if none were held out.
    pub measured: Measured,
    /// A sample of at most [`SAMPLE_ROWS`] rows, in order.
    pub sample: Vec<SampledRow>,
    /// The residuals of the fitted rows, in order.
    pub residuals: Residuals,
    /// The fitted rows with the largest influence on the fit, of tables that are not too large.
    pub influential: Vec<InfluentialRow>,
}

/// One row in a chart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SampledRow {
    /// The number of the row, from 0.
    pub row: u64,
    /// Whether the row was held out.
    pub held_out: bool,
    /// The target.
    pub actual: f64,
    /// The prediction.
    pub predicted: f64,
    /// Target − prediction, or the difference of their logarithms if the logarithm was fitted. For a generalised linear
    /// model divided by the standard deviation of its family at the prediction (Pearson residual).
    pub residual: f64,
    /// The weight.
    pub weight: f64,
    /// The leverage, in (0, 1], for least squares.
    pub leverage: Option<f64>,
}

/// Statistics of one column.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnStatistics {
    /// The number of values.
    pub present: u64,
    /// The number of missing values.
    pub missing: u64,
    /// The smallest and the largest value.
    pub range: Option<[f64; 2]>,
    /// The mean of the values.
    pub mean: f64,
    /// `Σ(x − mean)²`, by Welford's update.
    spread: f64,
    /// The number of values in each bar of the training range, or of each level.
    pub counts: Vec<u64>,
}

impl ColumnStatistics {
    fn with_bars(bars: usize) -> Self {
        Self { present: 0, missing: 0, range: None, mean: 0.0, spread: 0.0, counts: vec![0; bars] }
    }

    /// The standard deviation; none with fewer than two values.
    #[must_use]
    pub fn standard_deviation(&self) -> Option<f64> {
        (self.present > 1).then(|| (self.spread / (self.present - 1) as f64).sqrt())
    }

    fn new(feature: &Feature) -> Self {
        Self::with_bars(match feature.kind {
            FeatureType::String => feature.levels.len(),
            FeatureType::Boolean => 2,
            _ => BARS,
        })
    }

    fn push(&mut self, value: f64) {
        self.present += 1;
        let from_mean = value - self.mean;
        self.mean += from_mean / self.present as f64;
        self.spread += from_mean * (value - self.mean);
        let [low, high] = self.range.unwrap_or([value, value]);
        self.range = Some([low.min(value), high.max(value)]);
    }

    fn count(&mut self, bar: f64) {
        // Values outside the range count in the first and the last bar; `as` saturates at 0.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let bar = (bar as usize).min(self.counts.len().saturating_sub(1));
        if let Some(count) = self.counts.get_mut(bar) {
            *count += 1;
        }
    }

    fn add_cell(&mut self, feature: &Feature, cell: Cell<'_>) {
        let value = if feature.is_missing(cell) { None } else { feature.accept(cell).ok() };
        match value {
            Some(value) => self.add_value(feature, value),
            None => self.missing += 1,
        }
    }

    fn add_value(&mut self, feature: &Feature, value: f64) {
        self.push(value);
        match (feature.kind, feature.range) {
            (FeatureType::String | FeatureType::Boolean, _) if value >= 0.0 => self.count(value),
            (FeatureType::Double | FeatureType::Long | FeatureType::Date, Some([low, high])) => {
                self.count((value - low) / (high - low) * BARS as f64);
            }
            _ => {}
        }
    }
}

impl<'m> ReportDataCollector<'m> {
    /// A collector for predictions of this model.
    #[must_use]
    pub fn new(model: &'m Model) -> Self {
        let predictions = PredictionStatistics {
            sides: Sides::new(model),
            residuals: Residuals::default(),
            transform: model.document().preprocess.target_transform,
            rows: 0,
            weight: 0.0,
            sample: BinaryHeap::new(),
            influence: InfluenceCollector::new(model),
        };
        Self {
            model,
            batch: Batch::new(model),
            predictions,
            columns: model.signature().features().iter().map(ColumnStatistics::new).collect(),
            target: ColumnStatistics::with_bars(0),
            classes: vec![0; model.classes().map_or(0, <[_]>::len)],
            held_out: 0,
            test_rows: 0,
        }
    }

    /// Measures a fit that has this number of parameters, for adjusted R².
    #[must_use]
    pub fn of_parameters(mut self, parameters: Option<u64>) -> Self {
        self.predictions.sides = self.predictions.sides.of_parameters(parameters);
        self
    }

    /// The influence of rows on a fit of classes with this information about its coefficients.
    #[must_use]
    pub fn of_information(mut self, information: Option<&WorkingInformation>) -> Self {
        if let Some(information) = information {
            self.predictions.influence = self.predictions.influence.of_information(information);
        }
        self
    }

    /// Measures calibrated probabilities, if calibration on the held-out rows is worth it.
    #[must_use]
    pub fn calibrating(mut self, calibrates: bool) -> Self {
        self.predictions.sides = self.predictions.sides.calibrating(calibrates);
        self
    }

    /// Adds a row of numbers: the features in the order of the signature, then the target.
    ///
    /// # Errors
    /// [`AnswerError`] when a batch is full and the model cannot predict it.
    pub fn push(&mut self, row: &[f64], held_out: bool) -> Result<(), AnswerError> {
        let Some((target, features)) = row.split_last() else { return Ok(()) };
        let kinds = self.model.signature().features().iter().map(|feature| feature.kind);
        let cell = |(value, kind)| if kind == FeatureType::Date { Cell::Date(value) } else { Cell::Double(value) };
        let cells: Vec<Cell<'_>> = features.iter().copied().zip(kinds).map(cell).collect();
        self.push_cells(&cells, Label::new(*target, held_out))
    }

    /// Adds a row with the features in the order of the signature, as cells of a request.
    ///
    /// # Errors
    /// [`AnswerError`] when a batch is full and the model cannot predict it, or one of its rows does not match the signature.
    pub fn push_cells(&mut self, cells: &[Cell<'_>], label: Label) -> Result<(), AnswerError> {
        let features = self.model.signature().features();
        for ((column, feature), cell) in self.columns.iter_mut().zip(features).zip(cells) {
            column.add_cell(feature, *cell);
        }
        self.count(label);
        self.predict_later(cells, label)
    }

    /// Adds a row of encoded features with its prediction.
    pub(crate) fn push_answer(&mut self, row: &[f64], label: Label, answer: PredictedRow<'_>) {
        let features = self.model.signature().features();
        for ((column, feature), value) in self.columns.iter_mut().zip(features).zip(row) {
            column.add_value(feature, *value);
        }
        self.count(label);
        self.held_out += u64::from(label.held_out);
        self.predictions.push(self.model, &label, row, answer);
    }

    fn count(&mut self, label: Label) {
        match self.classes.get_mut(label.class()) {
            Some(count) => *count += 1,
            None => self.target.push(label.target),
        }
    }

    /// Adds a row of test data.
    ///
    /// # Errors
    /// As [`push_cells`](Self::push_cells).
    pub fn push_test_row(&mut self, cells: &[Cell<'_>], label: Label) -> Result<(), AnswerError> {
        self.test_rows += 1;
        self.predict_later(cells, label)
    }

    fn predict_later(&mut self, cells: &[Cell<'_>], label: Label) -> Result<(), AnswerError> {
        self.held_out += u64::from(label.held_out);
        if self.batch.push(cells.iter().copied(), label)? {
            self.predict()?;
        }
        Ok(())
    }

    /// Predicts the last batch, and returns the data of the report.
    ///
    /// # Errors
    /// [`AnswerError`] when the model cannot predict the last batch.
    pub fn finish(mut self) -> Result<ReportData, AnswerError> {
        self.predict()?;
        let mut sample: Vec<SampledRow> = self.predictions.sample.into_iter().map(|(_, point)| point).collect();
        sample.sort_by_key(|point| point.row);
        let least = if self.model.document().preprocess.through_origin { 0.0 } else { 1.0 / self.predictions.weight };
        for point in &mut sample {
            point.leverage = point
                .leverage
                .map(|distance| point.weight * (least + distance))
                .filter(|leverage| leverage.is_finite());
        }
        Ok(ReportData {
            rows: self.predictions.rows,
            held_out: self.held_out,
            test_rows: self.test_rows,
            columns: self.columns,
            target: self.target,
            classes: self.classes,
            measured: self.predictions.sides.finish(),
            sample,
            residuals: self.predictions.residuals,
            influential: self.predictions.influence.finish(),
        })
    }

    fn predict(&mut self) -> Result<(), AnswerError> {
        let (model, predictions) = (self.model, &mut self.predictions);
        self.batch.predict(|label, row, answer| predictions.push(model, label, row, answer))
    }
}

impl PredictionStatistics {
    fn push(&mut self, model: &Model, label: &Label, row: &[f64], answer: PredictedRow<'_>) {
        self.sides.push(label, answer);
        let number = self.rows;
        self.rows += 1;
        let PredictedRow::Value(predicted) = answer else {
            if !label.held_out {
                self.influence.push(model, number, label, row, answer, None);
            }
            return;
        };
        self.weight += if label.held_out { 0.0 } else { label.weight };
        let residual = match self.transform {
            TargetTransform::Identity => match model.document().estimator.glm_family() {
                Some(family) => family.pearson_residual(label.target, predicted),
                None => label.target - predicted,
            },
            TargetTransform::Log => label.target.ln() - predicted.ln(),
        };
        if !residual.is_finite() {
            return;
        }
        if !label.held_out {
            self.residuals.push(residual, label.weight);
            self.influence.push(model, number, label, row, answer, Some(residual));
        }
        // The multiples of the golden ratio are equidistributed: the rows with the smallest are a sample without
        // periods.
        let rank = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        if self.sample.len() == SAMPLE_ROWS {
            if self.sample.peek().is_some_and(|(largest, _)| *largest <= rank) {
                return;
            }
            self.sample.pop();
        }
        // The leverage needs the total weight, which is known at the end.
        let is_linear = matches!(model.document().estimator, Coefficients::Linear(_));
        let leverage = if is_linear { distance(model, row) } else { None };
        let Label { target: actual, weight, held_out, .. } = *label;
        self.sample.push((rank, SampledRow { row: number, held_out, actual, predicted, residual, weight, leverage }));
    }
}

/// `‖R⁻ᵀz‖²` with the centred and scaled row `z`, where the model has R.
fn distance(model: &Model, row: &[f64]) -> Option<f64> {
    let Inference { r, center, .. } =
        model.document().inference.as_ref().filter(|inference| !inference.r.is_empty())?;
    distance_by(r, center, model, row)
}

/// The same with this R and centre of the scaled columns.
pub(super) fn distance_by(r: &[Vec<f64>], center: &[f64], model: &Model, row: &[f64]) -> Option<f64> {
    let mut rest = Vec::new();
    model.design().extend_row(row, &mut rest);
    rest.iter_mut().zip(center).for_each(|(value, center)| *value -= center);
    let mut sum = 0.0;
    for (i, entries) in r.iter().enumerate() {
        let (diagonal, right) = entries.split_first()?;
        let (current, below) = rest.get_mut(i..)?.split_first_mut()?;
        let part = *current / diagonal;
        below.iter_mut().zip(right).for_each(|(value, entry)| *value -= entry * part);
        sum += part * part;
    }
    Some(sum)
}

/// Ranks are unique, so rows are never compared.
impl Eq for SampledRow {}

impl Ord for SampledRow {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.row.cmp(&other.row)
    }
}

impl PartialOrd for SampledRow {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
