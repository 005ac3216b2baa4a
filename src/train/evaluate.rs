//! How good predictions are.

use crate::model::frame::{Cell, RowsBuilder};
use crate::model::{Model, PredictError, Prediction};

/// Rows predicted at a time.
const BATCH_ROWS: usize = 1024;

/// Predicts training rows with a model exactly as it will be served, and gathers the errors.
#[derive(Debug)]
pub struct Measurement<'m> {
    model: &'m Model,
    batch: RowsBuilder<'m>,
    /// Target of each row in the batch, and whether the row was held out.
    targets: Vec<(f64, bool)>,
    train: Evaluation,
    test: Evaluation,
}

impl<'m> Measurement<'m> {
    /// Begins to measure a model.
    #[must_use]
    pub fn new(model: &'m Model) -> Self {
        let batch = RowsBuilder::new(model.signature(), BATCH_ROWS);
        Self { model, batch, targets: Vec::new(), train: Evaluation::default(), test: Evaluation::default() }
    }

    /// Takes one row: the features in the order of the signature, then the target.
    ///
    /// # Errors
    /// [`PredictError`] when a batch is full and the model cannot answer it.
    pub fn push_cells<'c>(
        &mut self,
        cells: impl IntoIterator<Item = Cell<'c>>,
        label: Label,
    ) -> Result<(), PredictError> {
        if self.targets.len() == BATCH_ROWS {
            self.predict()?;
        }
        // Room was just made.
        self.batch.start_row().map_err(|_| PredictError::Estimator)?;
        cells.into_iter().for_each(|cell| self.batch.push(cell));
        self.batch.end_positional_row();
        self.targets.push((label.target, label.held_out));
        Ok(())
    }

    /// The metrics of the rows the model was fitted to, and of those held out.
    ///
    /// # Errors
    /// [`PredictError`] when the model cannot answer the last batch.
    pub fn finish(mut self) -> Result<(Option<Metrics>, Option<Metrics>), PredictError> {
        if !self.targets.is_empty() {
            self.predict()?;
        }
        Ok((self.train.finish(), self.test.finish()))
    }

    fn predict(&mut self) -> Result<(), PredictError> {
        let empty = RowsBuilder::new(self.model.signature(), BATCH_ROWS);
        // Rows of a table are finite and as wide as the signature made from it: there is nothing to refuse.
        let frame = std::mem::replace(&mut self.batch, empty).finish().map_err(|_| PredictError::Estimator)?;
        let Prediction::Values(predicted) = self.model.predict(&frame)? else { return Err(PredictError::Estimator) };
        for ((actual, held_out), predicted) in self.targets.drain(..).zip(predicted) {
            let side = if held_out { &mut self.test } else { &mut self.train };
            side.push(actual, predicted);
        }
        Ok(())
    }
}

/// What is known of a row beside its features.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Label {
    /// The target in its own unit, or the position of the class.
    pub target: f64,
    /// How much the row counts.
    pub weight: f64,
    /// Whether the row was kept from the fit.
    pub held_out: bool,
}

/// Errors of predictions, gathered one at a time.
#[derive(Debug, Clone, Copy, Default)]
pub struct Evaluation {
    rows: u64,
    squared: f64,
    absolute: f64,
    mean: f64,
    /// `Σ (y − ȳ)²`, by Welford's update.
    spread: f64,
}

/// What the errors amount to. A number that is not defined is absent, never NaN.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Metrics {
    /// Rows that were predicted.
    pub rows: u64,
    /// Coefficient of determination, `1 − Σ(y − ŷ)² / Σ(y − ȳ)²`; none when the target does not vary. Negative when
    /// the predictions are worse than the mean of these rows.
    pub r2: Option<f64>,
    /// Root mean squared error, `√(Σ(y − ŷ)² / n)`, in units of the target.
    pub rmse: f64,
    /// Mean absolute error, `Σ|y − ŷ| / n`, in units of the target.
    pub mae: f64,
}

impl Evaluation {
    /// Takes one row's target and its prediction.
    pub fn push(&mut self, actual: f64, predicted: f64) {
        let error = actual - predicted;
        self.rows += 1;
        self.squared += error * error;
        self.absolute += error.abs();
        let from_mean = actual - self.mean;
        self.mean += from_mean / self.rows as f64;
        self.spread += from_mean * (actual - self.mean);
    }

    /// The metrics of the rows so far; none when there were no rows, or errors beyond what a double can hold.
    #[must_use]
    pub fn finish(self) -> Option<Metrics> {
        let rows = self.rows as f64;
        let metrics = Metrics {
            rows: self.rows,
            r2: Some(1.0 - self.squared / self.spread).filter(|value| value.is_finite()),
            rmse: (self.squared / rows).sqrt(),
            mae: self.absolute / rows,
        };
        (metrics.rmse.is_finite() && metrics.mae.is_finite()).then_some(metrics)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::float_cmp)] // Exact by construction.

    use super::*;

    fn measure(pairs: &[(f64, f64)]) -> Option<Metrics> {
        let mut evaluation = Evaluation::default();
        for (actual, predicted) in pairs {
            evaluation.push(*actual, *predicted);
        }
        evaluation.finish()
    }

    #[test]
    fn follows_the_formulas() {
        // By hand: errors 1, −1, 2, 0; squares sum to 6, spread about the mean 4 is 20.
        let metrics = measure(&[(1.0, 0.0), (3.0, 4.0), (5.0, 3.0), (7.0, 7.0)]).unwrap();
        assert_eq!(metrics, Metrics { rows: 4, r2: Some(0.7), rmse: 1.5_f64.sqrt(), mae: 1.0 });
    }

    #[test]
    fn what_is_not_defined_is_absent() {
        assert_eq!(measure(&[]), None);
        assert_eq!(measure(&[(2.0, 1.0)]).unwrap(), Metrics { rows: 1, r2: None, rmse: 1.0, mae: 1.0 });
        assert_eq!(measure(&[(2.0, 2.0), (2.0, 2.0)]).unwrap().r2, None);
        assert_eq!(measure(&[(f64::MAX, f64::MIN)]), None);
    }
}
