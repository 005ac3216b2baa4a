//! The leverage of a row: its distance from the centre of the training data, measured by the fit.

use crate::inference::{intercepts, squared_distance};
use crate::model::Model;

/// Computes the leverages of new rows, `h = 1/n + ‖R⁻ᵀz‖²` with `z` a row of the centred and scaled design; without an
/// intercept the first term is absent. For a generalised linear model `n` and `R` are of the working weights, and `z` is
/// centred by them. The leverage is the row's contribution to the variance of its prediction, in
/// units of the residual variance. It is large for a row far from all training rows, and for an unusual combination of
/// usual values.
#[derive(Debug)]
pub(super) struct Leverage<'m> {
    r: &'m [Vec<f64>],
    /// The centre of the rows that `R` is of; empty where it is 0.
    center: &'m [f64],
    /// The term of the intercept, `1/n`.
    intercept: f64,
    /// The mean leverage of the training rows: effective parameters ÷ weight of all rows.
    pub(super) mean: f64,
}

impl<'m> Leverage<'m> {
    /// `None` for a model whose file has no `R`.
    pub(super) fn new(model: &'m Model) -> Option<Self> {
        let inference = model.document.inference.as_ref().filter(|inference| !inference.r.is_empty())?;
        let weight = inference.total_weight(model.document.training.rows.unwrap_or(0));
        let intercept = intercepts(model.document.preprocess.through_origin) / weight;
        Some(Self { r: &inference.r, center: &inference.center, intercept, mean: model.effective_parameters / weight })
    }

    /// The leverage of a row of the design, centred and scaled.
    pub(super) fn compute(&self, row: &[f64]) -> f64 {
        let mut row = row.to_vec();
        row.iter_mut().zip(self.center).for_each(|(value, center)| *value -= center);
        self.intercept + squared_distance(self.r, &mut row)
    }
}
