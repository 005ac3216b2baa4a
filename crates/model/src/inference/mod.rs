//! The statistics of a fit that intervals and warnings need in addition to its coefficients.

mod conformal;

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::estimator::Coefficients;
use crate::number::count_to_f64;
use crate::task::Task;

pub use conformal::{Conformal, LevelError};

/// The relative amount by which training increases each diagonal entry of `ZᵀWZ` before it takes R, where no ridge
/// penalty does that. Linearly dependent columns, such as all levels of a category, then have an R; the leverages of
/// other designs change by no more than this.
pub const DIAGONAL_INCREMENT: f64 = 1e-8;

/// The most columns for which training stores R where their rank must be computed from it: that costs about a sixth of
/// the cube of their number in multiplications.
pub const MAX_COLUMNS_FOR_R: usize = 500;

/// The temperatures that a file may have: beyond them all probabilities are equal, or 0 and 1.
const TEMPERATURES: RangeInclusive<f64> = 0.01..=100.0;

/// The statistics of a fit: enough for intervals and leverages without the data. A member is absent where the estimator
/// has no such statistic.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub struct Inference {
    /// Least squares: rows − columns − 1. Ridge: rows − 1 − the trace of the hat matrix, rounded down. One more each
    /// without an intercept.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub degrees_of_freedom: Option<u32>,
    /// Residual sum of squares ÷ degrees of freedom (for ridge before they are rounded), in the squared unit of the
    /// target, or of its logarithm where that was fitted. Present exactly where the degrees of freedom are.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub residual_variance: Option<f64>,
    /// The upper-triangular R with `RᵀR = ZᵀWZ`, where `Z` is the design, centred and scaled as the file's
    /// preprocessing does, and `W` the weights of the rows; for ridge, `RᵀR = ZᵀWZ + αI`. For a generalised linear model
    /// `W` are the working weights, and `Z` is centred at [`center`](Self::center). For lasso, elastic net, logistic
    /// regression, and a penalised generalised linear model each diagonal entry of `ZᵀWZ` is larger by the factor 1 + [`DIAGONAL_INCREMENT`]. Row by
    /// row: row i has columns − i numbers.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub r: Vec<Vec<f64>>,
    /// The sum of the rows' weights, where any weight is not 1; for a generalised linear model, of their working
    /// weights.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub weight: Option<f64>,
    /// Generalised linear models: the mean of each column of `Z` by the working weights. Absent where it is 0, as
    /// without an intercept.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub center: Vec<f64>,
    /// Generalised linear models without a penalty: the variance of a target ÷ the variance function of its mean. 1 for
    /// Poisson regression; for gamma regression Pearson's χ² ÷ residual degrees of freedom.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub dispersion: Option<f64>,
    /// Poisson regression without a penalty where rows without any count are separated from the others: the direction
    /// in which coefficients grow for ever, one number for each column of `Z`, then one for the intercept. Rows that
    /// it changes have no confidence interval of the mean. Absent for other fits.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub separation: Vec<f64>,
    /// Classifiers: scores are divided by it before they become probabilities (Guo et al., 2017). Above 1 where the fit
    /// was overconfident on held-out rows; it changes no predicted class. Absent where the fit was not calibrated.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub temperature: Option<f64>,
    /// Two classes: the second is predicted where its probability, after calibration, is at least this. Absent where the
    /// more probable class is predicted.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub threshold: Option<f64>,
    /// The errors of the fit on held-out rows, for classifiers with calibrated probabilities.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub conformal: Option<Conformal>,
}

impl Inference {
    /// Degrees of freedom and residual variance.
    pub(crate) fn noise(&self) -> Option<(u32, f64)> {
        self.degrees_of_freedom.zip(self.residual_variance)
    }

    /// The weight of all training rows: their number where no row had a weight.
    pub(crate) fn total_weight(&self, training_rows: u64) -> f64 {
        self.weight.unwrap_or(count_to_f64(training_rows))
    }

    /// The sum of the leverages of the training rows: the number of independent parameters, for ridge the effective
    /// one.
    pub(crate) fn effective_parameters(&self, training_rows: u64, through_origin: bool) -> f64 {
        if self.dispersion.is_some() {
            return count_to_f64(self.r.len() as u64) + intercepts(through_origin);
        }
        let training_rows = count_to_f64(training_rows);
        match self.degrees_of_freedom {
            Some(freedom) => training_rows - f64::from(freedom),
            // A ridge fit without residual degrees of freedom has about as many parameters as rows.
            None => (rank(&self.r) + intercepts(through_origin)).min(training_rows),
        }
    }

    /// Checks shapes and numbers against a fit of so many columns and training rows.
    pub(crate) fn check(&self, estimator: &Coefficients, columns: usize, training_rows: u64) -> Result<(), String> {
        let triangular =
            self.r.len() == columns && self.r.iter().enumerate().all(|(row, values)| values.len() == columns - row);
        if !self.r.is_empty() && !triangular {
            return Err(format!("inference.r: expected an upper triangle of {columns} rows"));
        }
        let finite = self.r.iter().flatten().all(|value| value.is_finite());
        if !finite || self.r.iter().any(|row| row.first().is_none_or(|diagonal| *diagonal == 0.0)) {
            return Err("inference.r: expected finite numbers and a diagonal without zeros".into());
        }
        if training_rows == 0 {
            return Err("training.rows: expected at least 1, got 0".into());
        }
        if let Some(weight) = self.weight.filter(|weight| !(weight.is_finite() && *weight > 0.0)) {
            return Err(format!("inference.weight: expected a positive number, got {weight}"));
        }
        self.check_log_link(estimator, columns)?;
        let classifies = estimator.task() == Task::Classification;
        if let Some(temperature) = self.temperature.filter(|value| !(classifies && TEMPERATURES.contains(value))) {
            return Err(format!("inference.temperature: expected a classifier and 0.01 to 100, got {temperature}"));
        }
        let has_two_classes = estimator.classes().is_some_and(|classes| classes.len() == 2);
        if let Some(threshold) = self.threshold.filter(|value| !(has_two_classes && *value > 0.0 && *value < 1.0)) {
            return Err(format!(
                "inference.threshold: expected two classes and a number between 0 and 1, got {threshold}"
            ));
        }
        match (self.degrees_of_freedom, self.residual_variance) {
            (None, None) => {}
            (Some(freedom), Some(variance)) => self.check_noise(estimator, training_rows, freedom, variance)?,
            _ => {
                return Err(
                    "inference: expected both degrees_of_freedom and residual_variance, got only one of them".into()
                );
            }
        }
        self.conformal.as_ref().map_or(Ok(()), |conformal| conformal.check(estimator.task()))
    }

    fn check_log_link(&self, estimator: &Coefficients, columns: usize) -> Result<(), String> {
        let has_factor = estimator.glm_family().is_some() && !self.r.is_empty();
        let finite = self.center.iter().all(|value| value.is_finite());
        if !(self.center.is_empty() || (has_factor && finite && self.center.len() == columns)) {
            return Err(format!(
                "inference.center: expected r, a poisson or gamma estimator and {columns} finite numbers"
            ));
        }
        let finite = self.separation.iter().all(|value| value.is_finite());
        if !(self.separation.is_empty() || (has_factor && finite && self.separation.len() == columns + 1)) {
            return Err(format!(
                "inference.separation: expected r, a poisson estimator and {} finite numbers",
                columns + 1
            ));
        }
        if let Some(dispersion) = self.dispersion
            && !(has_factor && dispersion.is_finite() && dispersion >= 0.0)
        {
            return Err(format!(
                "inference.dispersion: expected r, a poisson or gamma estimator and a number of at least 0, got {dispersion}"
            ));
        }
        Ok(())
    }

    fn check_noise(&self, estimator: &Coefficients, rows: u64, freedom: u32, variance: f64) -> Result<(), String> {
        if !matches!(estimator, Coefficients::Linear(_) | Coefficients::Ridge(_)) || self.r.is_empty() {
            return Err("inference.residual_variance: expected r and a linear or ridge estimator".into());
        }
        if freedom == 0 || u64::from(freedom) >= rows {
            return Err(format!(
                "inference.degrees_of_freedom: expected at least 1 and fewer than {rows} rows, got {freedom}"
            ));
        }
        if !(variance.is_finite() && variance >= 0.0) {
            return Err(format!("inference.residual_variance: expected a finite number of at least 0, got {variance}"));
        }
        Ok(())
    }
}

/// The number of intercepts that each score has.
pub(crate) fn intercepts(through_origin: bool) -> f64 {
    if through_origin { 0.0 } else { 1.0 }
}

/// `‖R⁻ᵀz‖²` by forward substitution, which overwrites `z`.
pub(crate) fn squared_distance(r: &[Vec<f64>], mut z: &mut [f64]) -> f64 {
    let mut sum = 0.0;
    for entries in r {
        let (Some((diagonal, right)), Some((current, below))) = (entries.split_first(), z.split_first_mut()) else {
            break;
        };
        let part = *current / diagonal;
        for (value, entry) in below.iter_mut().zip(right) {
            *value -= entry * part;
        }
        sum += part * part;
        z = below;
    }
    sum
}

/// The rank of the design from the `R` of `A + S`, where `A = ZᵀWZ` and `S` is the increment of its diagonal: the trace
/// of `(A + S)⁻¹A`, which is the number of columns minus `Σ sⱼ (RᵀR)⁻¹ⱼⱼ`. A direction that no row has adds 1 to that
/// sum, any other direction almost nothing. Beyond [`MAX_COLUMNS_FOR_R`] columns it is their number.
fn rank(r: &[Vec<f64>]) -> f64 {
    let columns = count_to_f64(r.len() as u64);
    if r.len() > MAX_COLUMNS_FOR_R {
        return columns;
    }
    let mut squares = vec![0.0; r.len()];
    for (row, entries) in r.iter().enumerate() {
        squares.iter_mut().skip(row).zip(entries).for_each(|(sum, entry)| *sum += entry * entry);
    }
    let lost = |(column, squares): (usize, f64)| {
        let mut unit = vec![0.0; r.len() - column];
        unit.iter_mut().take(1).for_each(|first| *first = 1.0);
        DIAGONAL_INCREMENT * squares * squared_distance(r.get(column..).unwrap_or_default(), &mut unit)
    };
    let lost: f64 = squares.into_iter().enumerate().map(lost).sum();
    (columns - lost).round().max(0.0)
}
