//! Predictions compared with known answers.

use indexmap::IndexMap;

use crate::confusion::Confusion;
use ordinate_batch::scoring::{Batch, ScoringError};
use ordinate_batch::skipped::{RowError, SkippedRows};
use ordinate_model::cell::Cell;
use ordinate_model::reading::Reading;
use ordinate_model::scalar::Scalar;
use ordinate_model::signature::{CellError, Feature, FeatureType};
use ordinate_model::{Answer, Model, PredictedRow};
use ordinate_table::{NamedColumn, Purpose, Row};
use ordinate_train::evaluate::{Bin, Evaluation, class};

/// Predictions compared with known answers.
pub(super) struct Measured<'m> {
    model: &'m Model,
    classes: &'m [Scalar],
    target: NumberColumn,
    weights: Option<NumberColumn>,
    pub(super) evaluation: Evaluation,
    /// Rows without a known answer.
    pub(super) without_target: u64,
    /// Rows of weight zero, which are ignored.
    pub(super) without_weight: u64,
    /// For each feature, the number of rows in which it is imputed.
    imputed: Vec<u64>,
}

/// A column of known answers or weights.
pub(super) struct NumberColumn {
    feature: Feature,
    purpose: Purpose,
    position: usize,
}

impl NumberColumn {
    /// Any number is accepted, whatever its type was at training.
    pub(super) fn new(name: &str, purpose: Purpose, position: usize, reading: Reading) -> Self {
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
    pub(super) fn new(model: &'m Model, target: NumberColumn, weights: Option<NumberColumn>) -> Self {
        let evaluation = Evaluation::new(model);
        let classes = model.classes().unwrap_or_default();
        let imputed = vec![0; model.signature().width()];
        Self { model, classes, target, weights, evaluation, without_target: 0, without_weight: 0, imputed }
    }

    /// The positions of the columns.
    pub(super) fn positions(&self) -> Vec<usize> {
        [&self.target].into_iter().chain(&self.weights).map(|column| column.position).collect()
    }

    pub(super) fn push(&mut self, batch: Batch<'_>, skipped: &mut SkippedRows) -> Result<(), ScoringError> {
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

    pub(super) fn imputed_features(&self) -> IndexMap<&'m str, u64> {
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

    pub(super) fn calibration(&self) -> Option<Vec<Bin>> {
        match &self.evaluation {
            Evaluation::Classification(evaluation) => Some(evaluation.calibration_bins()),
            Evaluation::Regression(_) => None,
        }
    }

    pub(super) fn confusion(&self) -> Option<Confusion<'_>> {
        self.evaluation.confusion().map(|rows| Confusion { classes: self.classes, rows })
    }
}
