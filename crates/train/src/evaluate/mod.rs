//! Evaluates predictions on labelled rows.
//!
//! Most metrics are sums over a stream of rows. The median error and the curves need all rows: they keep up to [`KEPT_NUMBERS`]
//! for fitted and for held-out rows, and are absent for more.

mod batch;
mod calibration;
mod classification;
mod curves;
mod error_sampler;
mod metrics;
mod regression;

pub(super) use batch::Batch;
pub use batch::Label;
pub use calibration::{Calibration, ClassProbabilities, HeldOutErrors, MIN_ROWS, Reliability, calibration_note};
pub use classification::Classification;
pub use curves::{Bin, Curve};
pub use metrics::{KEPT_NUMBERS, Metrics, title};
pub use regression::Regression;

use error_sampler::ErrorSampler;
use ordinate_model::cell::Cell;
use ordinate_model::estimator::Coefficients;
use ordinate_model::{AnswerError, Model, PredictedRow};

/// Predicts labelled rows in the same way as when the model is served, and evaluates the predictions.
#[derive(Debug)]
pub struct Measurement<'m> {
    batch: Batch<'m>,
    sides: Sides,
}

impl<'m> Measurement<'m> {
    /// A measurement of this model.
    #[must_use]
    pub fn new(model: &'m Model) -> Self {
        Self { batch: Batch::new(model), sides: Sides::new(model) }
    }

    /// Adds a row of numbers: the features in the order of the signature, then the target.
    ///
    /// # Errors
    /// [`AnswerError`] when a batch is full and the model cannot predict it.
    pub fn push(&mut self, row: &[f64], held_out: bool) -> Result<(), AnswerError> {
        let Some((target, features)) = row.split_last() else { return Ok(()) };
        self.push_cells(features.iter().copied().map(Cell::Double), Label::new(*target, held_out))
    }

    /// Adds a row with the features in the order of the signature, as cells of a request.
    ///
    /// # Errors
    /// [`AnswerError`] when a batch is full and the model cannot predict it, or one of its rows does not match the signature.
    pub fn push_cells<'c>(
        &mut self,
        cells: impl IntoIterator<Item = Cell<'c>>,
        label: Label,
    ) -> Result<(), AnswerError> {
        if self.batch.push(cells, label)? {
            self.batch.predict(|label, _, answer| self.sides.push(label, answer))?;
        }
        Ok(())
    }

    /// Adds a row with its prediction.
    pub(super) fn push_answer(&mut self, label: &Label, answer: PredictedRow<'_>) {
        self.sides.push(label, answer);
    }

    /// Predicts the last batch, and returns the results.
    ///
    /// # Errors
    /// [`AnswerError`] when the model cannot predict the last batch.
    pub fn finish(mut self) -> Result<Measured, AnswerError> {
        self.batch.predict(|label, _, answer| self.sides.push(label, answer))?;
        let (fitted, held_out, errors) = self.sides.finish();
        let confusion = held_out.confusion().map(<[_]>::to_vec);
        Ok(Measured { fitted: fitted.finish(), held_out: held_out.finish(), confusion, errors })
    }
}

/// The results of a measurement.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// The metrics on fitted rows.
    pub fitted: Option<Metrics>,
    /// The metrics on held-out rows.
    pub held_out: Option<Metrics>,
    /// The confusion matrix of a classifier on held-out rows: by class, then by predicted class.
    pub confusion: Option<Vec<Vec<f64>>>,
    /// The errors on held-out rows.
    pub errors: Option<HeldOutErrors>,
}

/// The evaluation on fitted and on held-out rows.
#[derive(Debug)]
pub(super) struct Sides {
    fitted: Evaluation,
    held_out: Evaluation,
    errors: ErrorSampler,
}

impl Sides {
    pub(super) fn new(model: &Model) -> Self {
        // Only least squares uses one degree of freedom for each column.
        let unpenalised = matches!(model.document().estimator, Coefficients::Linear(_));
        let intercepts = usize::from(!model.document().preprocess.through_origin);
        let parameters = unpenalised.then(|| model.design().width() + intercepts);
        let family = model.document().estimator.log_link();
        let evaluation = |parameters| match model.classes() {
            Some(classes) => Evaluation::Classification(Classification::new(classes.len())),
            None => Evaluation::Regression(Regression::new(parameters).with_family(family)),
        };
        Self { fitted: evaluation(parameters), held_out: evaluation(None), errors: ErrorSampler::new(model) }
    }

    pub(super) fn push(&mut self, label: &Label, answer: PredictedRow<'_>) {
        let side = if label.held_out {
            self.errors.push(label, answer);
            &mut self.held_out
        } else {
            &mut self.fitted
        };
        match (side, answer) {
            (Evaluation::Regression(side), PredictedRow::Value(value)) => side.push(label.target, value, label.weight),
            (Evaluation::Classification(side), PredictedRow::Class { class: predicted, probabilities }) => {
                side.push(label.class(), predicted, probabilities, label.weight);
            }
            // Predictions match the task of the model.
            _ => {}
        }
    }

    /// The evaluations on fitted and on held-out rows, and the errors on held-out rows.
    pub(super) fn finish(self) -> (Evaluation, Evaluation, Option<HeldOutErrors>) {
        (self.fitted, self.held_out, self.errors.finish())
    }
}

/// The evaluation on a set of rows.
#[derive(Debug, Clone)]
pub enum Evaluation {
    /// Of a regression.
    Regression(Regression),
    /// Of a classifier.
    Classification(Classification),
}

impl Evaluation {
    /// The confusion matrix of a classifier: the weight of the rows by actual class, then by predicted class.
    #[must_use]
    pub fn confusion(&self) -> Option<&[Vec<f64>]> {
        match self {
            Self::Regression(_) => None,
            Self::Classification(classification) => Some(classification.confusion()),
        }
    }

    /// The metrics; none without rows, or if an error overflows.
    #[must_use]
    pub fn finish(&self) -> Option<Metrics> {
        match self {
            Self::Regression(regression) => regression.clone().finish(),
            Self::Classification(classification) => classification.finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use ordinate_test_support::{ModelDocument, column};

    fn classifier() -> Model {
        let file = ModelDocument::classification("sides", &["no", "yes"], &[0.0])
            .features(json!([
                {"name": "x", "type": "double", "missing": {"impute": 0.5}},
                {"name": "side", "type": "string", "missing": "reject", "levels": ["left", "right"]}
            ]))
            .column(column("x", json!({"feature": "x"}), 0.5, 1.0), json!([2.0]))
            .column(column("side=right", json!({"feature": "side", "level": "right"}), 0.0, 1.0), json!([1.0]))
            .file(json!([[1.0, "left"]]));
        Model::from_json(&file).unwrap()
    }

    #[test]
    fn a_classifier_is_evaluated_on_fitted_and_held_out_rows_with_categories_and_missing_values() {
        let model = classifier();
        let mut measurement = Measurement::new(&model);
        let mut push = |x, side, class, held_out| {
            measurement.push_cells([x, Cell::Text(side)], Label::new(class, held_out)).unwrap();
        };
        push(Cell::Double(2.0), "left", 1.0, false);
        push(Cell::Double(-2.0), "left", 0.0, false);
        push(Cell::Missing, "right", 0.0, false);
        push(Cell::Double(9.0), "left", 0.0, true);
        let Measured { fitted, held_out, confusion, errors } = measurement.finish().unwrap();
        assert_eq!(confusion.unwrap(), [[0.0, 1.0], [0.0, 0.0]]);
        let (fitted, held_out) = (fitted.unwrap(), held_out.unwrap());
        // The probability of the other class at a score of 17.
        let errors = errors.unwrap().conformal(None);
        assert!(errors.rows == 1 && errors.scores[0] > 0.999_999);
        assert_eq!((fitted.rows, held_out.rows), (3, 1));
        assert_eq!((fitted.get("accuracy"), held_out.get("accuracy")), (Some(2.0 / 3.0), Some(0.0)));
        assert_eq!((fitted.get("roc_auc"), held_out.get("roc_auc")), (Some(1.0), None));
    }

    #[test]
    fn a_row_that_does_not_match_the_signature_is_an_error() {
        let model = classifier();
        let mut measurement = Measurement::new(&model);
        measurement.push_cells([Cell::Double(0.0), Cell::Text("above")], Label::new(0.0, false)).unwrap();
        assert_eq!(measurement.finish(), Err(AnswerError::Predict(ordinate_model::PredictError::Estimator)));
    }
}
