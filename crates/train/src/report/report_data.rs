//! What a report shows of the rows, gathered as they stream by: nothing grows with their number.

use std::collections::BinaryHeap;

use crate::evaluate::{Batch, Errors, Evaluation, Label, Metrics, Sides};
use crate::summary::Residuals;
use ordinate_model::cell::Cell;
use ordinate_model::estimator::Coefficients;
use ordinate_model::preprocess::TargetTransform;
use ordinate_model::signature::{Feature, FeatureType};
use ordinate_model::{AnswerError, Model, PredictedRow};

/// Rows that charts show at most.
pub const SAMPLE_ROWS: usize = 2000;

/// Bars of a column's histogram.
const BARS: usize = 24;

/// Measures a model like [`Measurement`](crate::evaluate::Measurement), and keeps what a report shows beside.
#[derive(Debug)]
pub struct Observer<'m> {
    model: &'m Model,
    batch: Batch<'m>,
    seen: Seen,
    columns: Vec<Column>,
    target: Column,
    classes: Vec<u64>,
    held_out: u64,
    unseen: u64,
}

/// What comes out of predictions.
#[derive(Debug)]
struct Seen {
    sides: Sides,
    residuals: Residuals,
    transform: TargetTransform,
    rows: u64,
    /// Of the rows the model was fitted to.
    weight: f64,
    sample: BinaryHeap<(u64, Point)>,
}

/// All that was seen of labelled rows.
#[derive(Debug, Clone)]
pub struct Observed {
    /// Rows seen.
    pub rows: u64,
    /// How many of them were held out.
    pub held_out: u64,
    /// How many of those are not of the data but of files to test on: columns and classes do not count them.
    pub unseen: u64,
    /// The features, in the order of the signature.
    pub columns: Vec<Column>,
    /// The target, of a regression.
    pub target: Column,
    /// Rows of each class, of a classifier.
    pub classes: Vec<u64>,
    /// Metrics of the rows the model was fitted to.
    pub fitted_metrics: Option<Metrics>,
    /// Metrics of the rows held out.
    pub held_out_metrics: Option<Metrics>,
    /// How wrong the model was on each of the rows held out.
    pub errors: Option<Errors>,
    /// What curves are drawn from: the rows held out, or all when there were none.
    pub evaluation: Evaluation,
    /// At most [`SAMPLE_ROWS`] rows, in their order.
    pub points: Vec<Point>,
    /// Residuals of the rows the model was fitted to, in their order.
    pub residuals: Residuals,
}

/// One row of a chart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Its number, from 0.
    pub row: u64,
    /// Whether it was held out.
    pub held_out: bool,
    /// The target.
    pub actual: f64,
    /// What the model says.
    pub predicted: f64,
    /// Target less prediction; the difference of logarithms where the logarithm was fitted.
    pub residual: f64,
    /// How much the row counts.
    pub weight: f64,
    /// How much the row pulls its own prediction, in (0, 1]; of least-squares fits.
    pub leverage: Option<f64>,
}

/// What was seen of one column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Rows with a value.
    pub present: u64,
    /// Rows without.
    pub missing: u64,
    /// Smallest and largest value, of numbers.
    pub range: Option<[f64; 2]>,
    /// Mean of the values, of numbers.
    pub mean: f64,
    /// `Σ(x − mean)²`, by Welford's update.
    spread: f64,
    /// Rows in each part of the training range, or of each level.
    pub counts: Vec<u64>,
}

impl Column {
    fn new(bars: usize) -> Self {
        Self { present: 0, missing: 0, range: None, mean: 0.0, spread: 0.0, counts: vec![0; bars] }
    }

    /// The standard deviation; none with fewer than two values.
    #[must_use]
    pub fn standard_deviation(&self) -> Option<f64> {
        (self.present > 1).then(|| (self.spread / (self.present - 1) as f64).sqrt())
    }

    fn of(feature: &Feature) -> Self {
        Self::new(match feature.kind {
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
        // Below the first and above the last bar is theirs; `as` ends at 0.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let bar = (bar as usize).min(self.counts.len().saturating_sub(1));
        if let Some(count) = self.counts.get_mut(bar) {
            *count += 1;
        }
    }

    fn take(&mut self, feature: &Feature, cell: Cell<'_>) {
        let value = if feature.is_missing(cell) { None } else { feature.accept(cell).ok() };
        match value {
            Some(value) => self.take_value(feature, value),
            None => self.missing += 1,
        }
    }

    fn take_value(&mut self, feature: &Feature, value: f64) {
        self.push(value);
        match (feature.kind, feature.range) {
            (FeatureType::String | FeatureType::Boolean, _) if value >= 0.0 => self.count(value),
            (FeatureType::Double | FeatureType::Long, Some([low, high])) => {
                self.count((value - low) / (high - low) * BARS as f64);
            }
            _ => {}
        }
    }
}

impl<'m> Observer<'m> {
    /// Begins to observe.
    #[must_use]
    pub fn new(model: &'m Model) -> Self {
        let seen = Seen {
            sides: Sides::new(model),
            residuals: Residuals::default(),
            transform: model.document().preprocess.target_transform,
            rows: 0,
            weight: 0.0,
            sample: BinaryHeap::new(),
        };
        Self {
            model,
            batch: Batch::new(model),
            seen,
            columns: model.signature().features().iter().map(Column::of).collect(),
            target: Column::new(0),
            classes: vec![0; model.classes().map_or(0, <[_]>::len)],
            held_out: 0,
            unseen: 0,
        }
    }

    /// Takes one row of numbers: the features in the order of the signature, then the target.
    ///
    /// # Errors
    /// [`AnswerError`] when a batch is full and the model cannot answer it.
    pub fn push(&mut self, row: &[f64], held_out: bool) -> Result<(), AnswerError> {
        let Some((target, features)) = row.split_last() else { return Ok(()) };
        let cells: Vec<Cell<'_>> = features.iter().copied().map(Cell::Double).collect();
        self.push_cells(&cells, Label::new(*target, held_out))
    }

    /// Takes one row: the features in the order of the signature, as a caller would write them.
    ///
    /// # Errors
    /// [`AnswerError`] when a batch is full and the model cannot answer it, or a row of it does not fit the signature.
    pub fn push_cells(&mut self, cells: &[Cell<'_>], label: Label) -> Result<(), AnswerError> {
        let features = self.model.signature().features();
        for ((column, feature), cell) in self.columns.iter_mut().zip(features).zip(cells) {
            column.take(feature, *cell);
        }
        self.count(label);
        self.predict_later(cells, label)
    }

    /// Takes one row of values that the features have accepted, with what the model says to it.
    pub(crate) fn push_answer(&mut self, row: &[f64], label: Label, answer: PredictedRow<'_>) {
        let features = self.model.signature().features();
        for ((column, feature), value) in self.columns.iter_mut().zip(features).zip(row) {
            column.take_value(feature, *value);
        }
        self.count(label);
        self.held_out += u64::from(label.held_out);
        self.seen.push(self.model, &label, row, answer);
    }

    fn count(&mut self, label: Label) {
        match self.classes.get_mut(label.class()) {
            Some(count) => *count += 1,
            None => self.target.push(label.target),
        }
    }

    /// Takes one row that is not of the data but of files to test on.
    ///
    /// # Errors
    /// Those of [`push_cells`](Self::push_cells).
    pub fn push_unseen(&mut self, cells: &[Cell<'_>], label: Label) -> Result<(), AnswerError> {
        self.unseen += 1;
        self.predict_later(cells, label)
    }

    fn predict_later(&mut self, cells: &[Cell<'_>], label: Label) -> Result<(), AnswerError> {
        self.held_out += u64::from(label.held_out);
        if self.batch.push(cells.iter().copied(), label)? {
            self.predict()?;
        }
        Ok(())
    }

    /// Everything that was seen.
    ///
    /// # Errors
    /// [`AnswerError`] when the model cannot answer the last batch.
    pub fn finish(mut self) -> Result<Observed, AnswerError> {
        self.predict()?;
        let (fitted, held_out, errors) = self.seen.sides.finish();
        let (fitted_metrics, held_out_metrics) = (fitted.finish(), held_out.finish());
        let mut points: Vec<Point> = self.seen.sample.into_iter().map(|(_, point)| point).collect();
        points.sort_by_key(|point| point.row);
        let least = if self.model.document().preprocess.through_origin { 0.0 } else { 1.0 / self.seen.weight };
        for point in &mut points {
            point.leverage = point
                .leverage
                .map(|distance| point.weight * (least + distance))
                .filter(|leverage| leverage.is_finite());
        }
        Ok(Observed {
            rows: self.seen.rows,
            held_out: self.held_out,
            unseen: self.unseen,
            columns: self.columns,
            target: self.target,
            classes: self.classes,
            evaluation: if held_out_metrics.is_some() { held_out } else { fitted },
            fitted_metrics,
            held_out_metrics,
            errors,
            points,
            residuals: self.seen.residuals,
        })
    }

    fn predict(&mut self) -> Result<(), AnswerError> {
        let (model, seen) = (self.model, &mut self.seen);
        self.batch.predict(|label, row, answer| seen.push(model, label, row, answer))
    }
}

impl Seen {
    fn push(&mut self, model: &Model, label: &Label, row: &[f64], answer: PredictedRow<'_>) {
        self.sides.push(label, answer);
        let number = self.rows;
        self.rows += 1;
        let PredictedRow::Value(predicted) = answer else { return };
        self.weight += if label.held_out { 0.0 } else { label.weight };
        let residual = match self.transform {
            TargetTransform::Identity => label.target - predicted,
            TargetTransform::Log => label.target.ln() - predicted.ln(),
        };
        if !residual.is_finite() {
            return;
        }
        if !label.held_out {
            self.residuals.push(residual, label.weight);
        }
        // The golden ratio's multiples are spread evenly, whatever period the rows have: the smallest are a fair sample.
        let rank = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        if self.sample.len() == SAMPLE_ROWS {
            if self.sample.peek().is_some_and(|(largest, _)| *largest <= rank) {
                return;
            }
            self.sample.pop();
        }
        // The rest of the leverage is known when the weight of all rows is.
        let leverage = distance(model, row);
        let Label { target: actual, weight, held_out } = *label;
        self.sample.push((rank, Point { row: number, held_out, actual, predicted, residual, weight, leverage }));
    }
}

/// `‖R⁻ᵀ(x − mean)‖²` of a least-squares fit.
fn distance(model: &Model, row: &[f64]) -> Option<f64> {
    let document = model.document();
    let (Coefficients::Linear(_), Some(inference)) = (&document.estimator, &document.inference) else { return None };
    let mut rest: Vec<f64> = model.design().row(row).collect();
    let mut sum = 0.0;
    for (i, entries) in inference.r.iter().enumerate() {
        let (diagonal, right) = entries.split_first()?;
        let (current, below) = rest.get_mut(i..)?.split_first_mut()?;
        let part = *current / diagonal;
        below.iter_mut().zip(right).for_each(|(value, entry)| *value -= entry * part);
        sum += part * part;
    }
    Some(sum)
}

/// Ranks are unique: points are never compared.
impl Eq for Point {}

impl Ord for Point {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.row.cmp(&other.row)
    }
}

impl PartialOrd for Point {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
