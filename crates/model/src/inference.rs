//! What intervals and warnings need beside the coefficients.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::artifact::Document;
use super::conformal::Conformal;
use super::estimator::Coefficients;
use super::task::Task;

/// Temperatures that a file may hold: beyond them nothing is left of scores, or of doubts.
const TEMPERATURES: RangeInclusive<f64> = 0.01..=100.0;

/// The state of a fit: enough for intervals and leverages without the data. What the theory does not give is absent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inference {
    /// Of least squares: rows − columns − 1. Of ridge: rows − 1 − the trace of its hat matrix, rounded down. Without an
    /// intercept one more each.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub degrees_of_freedom: Option<u32>,
    /// Residual sum of squares ÷ degrees of freedom (of ridge before they are rounded), in the unit squared of the target (of its
    /// logarithm, when the fit was to that). There together with the degrees of freedom, or not at all.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub residual_variance: Option<f64>,
    /// The upper-triangular R with `RᵀR = ZᵀWZ`, `Z` being the design centred and scaled as the file's preprocessing says
    /// and `W` the rows' weights; of ridge, `RᵀR = ZᵀWZ + αI`. Of lasso, elastic net and logistic regression each diagonal entry of
    /// `ZᵀWZ` is greater by 10⁻⁸ of itself, so that columns that depend on each other have an R. Row by row: row i has columns − i
    /// numbers.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub r: Vec<Vec<f64>>,
    /// The sum of the rows' weights, where they had any other than 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub weight: Option<f64>,
    /// Of a classifier: what scores are divided by before they become probabilities (Guo et al., 2017). Above 1 where the fit was
    /// surer of itself than rows it had not seen bear out; no label changes by it. Absent where nothing was calibrated.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub temperature: Option<f64>,
    /// How wrong the fit was on rows it had not seen, with calibrated probabilities.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub conformal: Option<Conformal>,
}

impl Inference {
    /// Degrees of freedom and residual variance.
    pub(super) fn noise(&self) -> Option<(u32, f64)> {
        self.degrees_of_freedom.zip(self.residual_variance)
    }

    /// Holds shapes and numbers against the rest of the file.
    pub(super) fn check(&self, document: &Document) -> Result<(), String> {
        let columns = document.preprocess.columns.len();
        let triangular =
            self.r.len() == columns && self.r.iter().enumerate().all(|(row, values)| values.len() == columns - row);
        if !self.r.is_empty() && !triangular {
            return Err(format!("inference: r is not an upper triangle of {columns} rows"));
        }
        let finite = self.r.iter().flatten().all(|value| value.is_finite());
        if !finite || self.r.iter().any(|row| row.first().is_none_or(|diagonal| *diagonal == 0.0)) {
            return Err("inference: a number of r is not usable".into());
        }
        if document.training.rows == 0 || self.weight.is_some_and(|weight| !(weight.is_finite() && weight > 0.0)) {
            return Err("inference: there is no row, or the weight of all rows is not a positive number".into());
        }
        let usable = |temperature: f64| document.task == Task::Classification && TEMPERATURES.contains(&temperature);
        if self.temperature.is_some_and(|temperature| !usable(temperature)) {
            return Err("inference: a temperature is a classifier's, from 0.01 to 100".into());
        }
        match (self.degrees_of_freedom, self.residual_variance) {
            (None, None) => {}
            (Some(freedom), Some(variance)) => self.check_noise(document, freedom, variance)?,
            _ => return Err("inference: degrees_of_freedom and residual_variance go together".into()),
        }
        self.conformal.as_ref().map_or(Ok(()), |conformal| conformal.check(document.task))
    }

    fn check_noise(&self, document: &Document, freedom: u32, variance: f64) -> Result<(), String> {
        if !matches!(document.estimator, Coefficients::Linear(_) | Coefficients::Ridge(_)) || self.r.is_empty() {
            return Err("inference: a residual variance needs r, and an estimator that is linear or ridge".into());
        }
        if freedom == 0 || u64::from(freedom) >= document.training.rows {
            return Err(format!("inference: {freedom} degrees of freedom of {} rows", document.training.rows));
        }
        if !(variance.is_finite() && variance >= 0.0) {
            return Err("inference: the residual variance is not usable".into());
        }
        Ok(())
    }
}
