//! Evaluates predictions on labelled rows.
//!
//! Most metrics are sums over a stream of rows. The median error and the curves need all rows: they keep up to
//! [`KEPT_NUMBERS`] for fitted and for held-out rows, and are absent for more.

mod baseline;
mod batch;
mod calibration;
mod class_metrics;
mod classification;
mod curves;
mod deviance;
mod error_sampler;
mod kept_rows;
mod known_answer;
mod metrics;
mod regression;
mod scores;
mod standard_errors;
mod thresholds;

pub(crate) use baseline::BaselineBuilder;
pub(super) use batch::Batch;
pub use batch::Label;
pub(crate) use calibration::without_fold;
pub use calibration::{Calibration, MIN_ROWS, calibration_note};
pub use class_metrics::{ClassMetrics, class_metrics};
pub use classification::{Baseline, Classification};
pub use curves::{Bin, Curve};
pub use error_sampler::{ClassProbabilities, HeldOutErrors};
pub use known_answer::{KnownAnswers, class};
pub use metrics::{KEPT_NUMBERS, Metrics, by_name, title};
pub use regression::Regression;
pub use thresholds::{ThresholdCurve, ThresholdPoint};

use error_sampler::ErrorSampler;
use ordinate_model::cell::Cell;
use ordinate_model::{AnswerError, Model, PredictedRow};

/// Predicts labelled rows in the same way as when the model is served, and evaluates the predictions.
#[derive(Debug)]
pub struct Measurement<'m> {
    batch: Batch<'m>,
    sides: Sides,
}

impl<'m> Measurement<'m> {
    /// A measurement of this model. Probabilities stay as they are.
    #[must_use]
    pub fn new(model: &'m Model) -> Self {
        Self { batch: Batch::new(model), sides: Sides::new(model) }
    }

    /// Measures a fit that has this number of parameters, for adjusted R².
    #[must_use]
    pub fn of_parameters(self, parameters: Option<u64>) -> Self {
        Self { sides: self.sides.of_parameters(parameters), ..self }
    }

    /// Measures calibrated probabilities, if calibration on the held-out rows is worth it.
    #[must_use]
    pub fn calibrating(self, calibrates: bool) -> Self {
        Self { sides: self.sides.calibrating(calibrates), ..self }
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
        Ok(self.sides.finish())
    }
}

/// The results of a measurement.
#[derive(Debug, Clone)]
pub struct Measured {
    /// The metrics on fitted rows.
    pub fitted: Option<Metrics>,
    /// The metrics on held-out rows: of the probabilities that are served.
    pub held_out: Option<Metrics>,
    /// The evaluation on held-out rows, or on fitted rows if none were held out.
    pub evaluation: Evaluation,
    /// The errors on held-out rows, for intervals.
    pub errors: Option<HeldOutErrors>,
    /// The number of held-out rows that are not among the errors, because their mean is nearly 0.
    pub vanishing: u64,
    /// The calibration on held-out rows, even if it is not worth it. None where it is not possible.
    pub calibration: Option<Calibration>,
}

impl Measured {
    /// The calibration if it is worth it: then it is served.
    #[must_use]
    pub fn served_calibration(&self) -> Option<&Calibration> {
        self.calibration.as_ref().filter(|calibration| calibration.is_worth_it())
    }
}

/// The evaluation on fitted and on held-out rows.
#[derive(Debug)]
pub(super) struct Sides {
    fitted: Evaluation,
    held_out: Evaluation,
    errors: ErrorSampler,
    baseline: BaselineBuilder,
    calibrates: bool,
    seed: u64,
    threshold: Option<f64>,
}

impl Sides {
    pub(super) fn new(model: &Model) -> Self {
        let document = model.document();
        Self {
            fitted: Evaluation::new(model),
            held_out: Evaluation::new(model),
            errors: ErrorSampler::new(model),
            baseline: BaselineBuilder::from_document(document),
            calibrates: false,
            seed: document.training.seed.unwrap_or_default(),
            threshold: model.threshold(),
        }
    }

    /// Only least squares uses one degree of freedom for each parameter.
    pub(super) fn of_parameters(self, parameters: Option<u64>) -> Self {
        let fitted = match self.fitted {
            Evaluation::Regression(fitted) => Evaluation::Regression(fitted.of_parameters(parameters)),
            classification @ Evaluation::Classification(_) => classification,
        };
        Self { fitted, ..self }
    }

    pub(super) fn calibrating(self, calibrates: bool) -> Self {
        Self { calibrates, ..self }
    }

    pub(super) fn push(&mut self, label: &Label, answer: PredictedRow<'_>) {
        if label.weight == 0.0 {
            return;
        }
        let side = if label.held_out {
            self.errors.push(label, answer);
            &mut self.held_out
        } else {
            self.baseline.push(label);
            &mut self.fitted
        };
        side.push(label, answer);
    }

    /// The results, of the probabilities that are served.
    pub(super) fn finish(self) -> Measured {
        let Self { mut fitted, mut held_out, errors, baseline, calibrates, seed, threshold } = self;
        let baseline = baseline.finish();
        let (errors, vanishing) = errors.finish(baseline.first().copied());
        let mut calibration = None;
        if let Evaluation::Classification(rows) = &mut held_out
            && calibrates
        {
            if let Some(sample) = errors.as_ref().filter(|_| !rows.keeps_rows()) {
                *rows = sample.classification().unwrap_or_else(|| rows.clone());
            }
            calibration = rows.calibration(seed);
        }
        if let Some(calibration) = calibration.as_ref().filter(|calibration| calibration.is_worth_it()) {
            held_out = held_out.rescaled(|row| calibration.of_row(row), threshold);
            fitted = fitted.rescaled(|_| calibration.temperature, threshold);
        }
        let held_out_metrics = held_out.measure(&baseline, threshold);
        let mut fitted_metrics = fitted.finish();
        if held_out_metrics.is_none()
            && let Some(metrics) = &mut fitted_metrics
        {
            metrics.baseline =
                fitted.measure(&baseline, threshold).map(|measured| measured.baseline).unwrap_or_default();
        }
        Measured {
            fitted: fitted_metrics,
            evaluation: if held_out_metrics.is_some() { held_out } else { fitted },
            held_out: held_out_metrics,
            errors,
            vanishing,
            calibration,
        }
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
    /// An evaluation of a model without rows.
    #[must_use]
    pub fn new(model: &Model) -> Self {
        match model.classes() {
            Some(classes) => Self::Classification(Classification::new(classes.len())),
            None => Self::Regression(Regression::default().with_family_of(model.document())),
        }
    }

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
            Self::Regression(regression) => regression.finish(),
            Self::Classification(classification) => classification.finish(),
        }
    }

    /// The metrics of rows that the fit did not use, with standard errors. `baseline`: the constant prediction, or the
    /// frequencies of the classes, for the baseline; empty for none. None without rows, or if an error overflows.
    #[must_use]
    pub fn measure(&self, baseline: &[f64], threshold: Option<f64>) -> Option<Metrics> {
        match self {
            Self::Regression(regression) => regression.measure(baseline.first().copied()),
            Self::Classification(classification) => {
                let constant = (!baseline.is_empty()).then_some(Baseline { frequencies: baseline, threshold });
                classification.measure(constant.as_ref())
            }
        }
    }

    /// The median absolute error of a regression, also where other metrics overflow; `None` without rows, or for too
    /// many of them.
    #[must_use]
    pub fn median_absolute_error(&self) -> Option<f64> {
        match self {
            Self::Regression(regression) => regression.median_absolute_error(),
            Self::Classification(_) => None,
        }
    }

    /// Adds a row with its prediction.
    pub fn push(&mut self, label: &Label, answer: PredictedRow<'_>) {
        match (self, answer) {
            (Self::Regression(side), PredictedRow::Value(value)) => {
                side.push_with_exposure(label.target, value, label.weight, label.exposure);
            }
            (Self::Classification(side), PredictedRow::Class { class: predicted, probabilities }) => {
                side.push(label.class(), predicted, probabilities, label.weight);
            }
            // Predictions match the task of the model.
            _ => {}
        }
    }

    /// The evaluation with scores divided by temperatures; without rows if there were too many.
    pub(crate) fn rescaled(self, temperature: impl Fn(usize) -> f64, threshold: Option<f64>) -> Self {
        match self {
            Self::Classification(rows) => Self::Classification(
                rows.rescaled(temperature, threshold).unwrap_or_else(|| Classification::new(rows.confusion().len())),
            ),
            regression @ Self::Regression(_) => regression,
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
        let Measured { fitted, held_out, evaluation, errors, .. } = measurement.finish().unwrap();
        assert_eq!(evaluation.confusion().unwrap(), [[0.0, 1.0], [0.0, 0.0]]);
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
        assert_eq!(measurement.finish().unwrap_err(), AnswerError::Predict(ordinate_model::PredictError::Estimator));
    }
}
