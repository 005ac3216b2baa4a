//! Prediction intervals and confidence intervals of the mean.

use serde::Serialize;
use thiserror::Error;

use crate::estimator::Coefficients;
use crate::inference::{Inference, LevelError};
use crate::model::Model;
use crate::number::count_to_f64;
use crate::preprocess::TargetTransform;
use crate::quantile::student_quantile;

/// Why there are no intervals.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum IntervalError {
    /// The model file has no statistics to compute them from.
    #[error(
        "the model {model} has no prediction intervals: its file has neither a residual variance nor errors on \
         held-out rows\nhelp: train it with held-out rows (--test-fraction above 0, or --test FILE)"
    )]
    NotInferable {
        /// The model's name.
        model: String,
    },
    /// Prediction sets of a regressor, or of a classifier whose file has no errors on held-out rows.
    #[error(
        "the model {model} has no prediction sets: it is not a classifier with errors on held-out rows\n\
         help: train a classifier with held-out rows (--test-fraction above 0, or --test FILE)"
    )]
    NoPredictionSets {
        /// The model's name.
        model: String,
    },
    /// The level is not a probability, or needs more held-out rows.
    #[error(transparent)]
    Level(#[from] LevelError),
    /// A confidence interval of the mean from a model that has at most prediction intervals.
    #[error(
        "the model {model} has no confidence intervals of the mean: its file has no residual variance, or its target \
         was logged\nhelp: request a prediction interval"
    )]
    NoMeanInterval {
        /// The model's name.
        model: String,
    },
    /// An end of a row's interval exceeds the largest double.
    #[error("the interval is too large for a double")]
    NotFinite {
        /// The row, from 0.
        row: usize,
    },
}

/// The method of intervals, which determines their assumptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum IntervalMethod {
    /// Student's t distribution: exact when errors are normal and independent with the same variance.
    StudentT,
    /// The same formula for a ridge fit, where it is an approximation that ignores the bias of the penalty.
    StudentTRidge,
    /// Split conformal prediction from errors on held-out rows: assumes only that new rows are exchangeable with them.
    Conformal,
}

/// The intervals that a model can make, or the prediction sets of a classifier.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct AvailableIntervals {
    /// The method of all of them.
    pub method: IntervalMethod,
    /// The number of held-out rows, for conformal prediction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_out_rows: Option<u64>,
    /// The highest level that so many held-out rows allow; absent if every level below 1 is possible.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_level: Option<f64>,
}

impl AvailableIntervals {
    /// This level, or the highest possible one if that is lower.
    #[must_use]
    pub fn at_most(&self, level: f64) -> f64 {
        self.max_level.map_or(level, |max| max.min(level))
    }
}

/// The half-width of intervals of one level around predictions.
///
/// **Least squares**: `ŷ ± t · √(s² (1 + h))`, for the mean `ŷ ± t · √(s² h)`, with the leverage `h = 1/n + ‖R⁻ᵀz‖²`
/// and the quantile t of Student's distribution with n − p − 1 degrees of freedom; without an intercept `h = ‖R⁻ᵀz‖²`
/// and n − p.
///
/// **Ridge**: the same, with `RᵀR = ZᵀZ + αI` and n − 1 − tr(H) degrees of freedom. This is the posterior predictive
/// distribution for a normal prior of the coefficients with variance σ²/α and the estimated σ². It ignores the bias of
/// the penalty: where the true coefficients are far larger than the prior allows, intervals are too narrow.
///
/// **Other estimators** with errors on held-out rows: split [conformal](crate::inference::Conformal) prediction, `ŷ ±
/// q`.
///
/// For a logged target these are intervals of the logarithm, whose ends are transformed back to the target's unit.
#[derive(Debug)]
pub(super) enum HalfWidth {
    Student { quantile: f64, variance: f64 },
    Conformal(f64),
}

impl Model {
    /// The intervals (for a classifier prediction sets) that the model can make; `None` if it can make none.
    #[must_use]
    pub fn available_intervals(&self) -> Option<AvailableIntervals> {
        let inference = self.document.inference.as_ref()?;
        if inference.noise().is_some() {
            let method = student(&self.document.estimator);
            return Some(AvailableIntervals { method, held_out_rows: None, max_level: None });
        }
        let rows = inference.conformal.as_ref()?.rows;
        let max_level = Some(count_to_f64(rows) / (count_to_f64(rows) + 1.0));
        Some(AvailableIntervals { method: IntervalMethod::Conformal, held_out_rows: Some(rows), max_level })
    }

    /// Whether the model also has confidence intervals of the mean. Conformal prediction has none, and the fit of a
    /// logged target predicts the median, not the mean.
    #[must_use]
    pub fn has_mean_intervals(&self) -> bool {
        let untransformed = self.document.preprocess.target_transform == TargetTransform::Identity;
        untransformed && self.document.inference.as_ref().is_some_and(|inference| inference.noise().is_some())
    }
}

impl HalfWidth {
    /// The half-width of intervals of this level, such as 0.95.
    ///
    /// # Errors
    /// See [`IntervalError`].
    pub(super) fn new(model: &Model, level: f64) -> Result<Self, IntervalError> {
        let inference = model.document.inference.as_ref();
        let noise = inference.and_then(Inference::noise).filter(|_| inference.is_some_and(|known| !known.r.is_empty()));
        let conformal = inference.and_then(|inference| inference.conformal.as_ref());
        let out_of_range = || LevelError::OutOfRange { level };
        match (noise, conformal) {
            _ if !(level > 0.0 && level < 1.0) => Err(out_of_range().into()),
            (Some((freedom, variance)), _) => {
                // The quantile of the lower tail: `1 − level` is exact there.
                let quantile = student_quantile((1.0 - level) / 2.0, f64::from(freedom));
                Ok(Self::Student { quantile: -quantile.ok_or_else(out_of_range)?, variance })
            }
            (None, Some(conformal)) if model.classes().is_none() => Ok(Self::Conformal(conformal.quantile(level)?)),
            _ => Err(IntervalError::NotInferable { model: model.name().to_owned() }),
        }
    }

    pub(super) fn method(&self, model: &Model) -> IntervalMethod {
        match self {
            Self::Conformal(_) => IntervalMethod::Conformal,
            Self::Student { .. } => student(&model.document.estimator),
        }
    }

    /// Whether intervals depend on the leverages of rows.
    pub(super) fn needs_leverage(&self) -> bool {
        matches!(self, Self::Student { .. })
    }

    /// The intervals around the predictions for rows of these leverages: of the mean, or of a new value.
    ///
    /// # Errors
    /// [`IntervalError::NotFinite`].
    pub(super) fn intervals(
        &self,
        predictions: &[f64],
        leverages: &[f64],
        of_mean: bool,
        transform: TargetTransform,
    ) -> Result<Vec<[f64; 2]>, IntervalError> {
        let leverages = leverages.iter().copied().chain(std::iter::repeat(0.0));
        let ends = |(row, (value, leverage)): (usize, (&f64, f64))| {
            let half_width = match self {
                Self::Conformal(quantile) => *quantile,
                Self::Student { quantile, variance } if of_mean => quantile * (variance * leverage).sqrt(),
                Self::Student { quantile, variance } => quantile * (variance * (1.0 + leverage)).sqrt(),
            };
            let ends = match transform {
                TargetTransform::Identity => [value - half_width, value + half_width],
                TargetTransform::Log => [value * libm::exp(-half_width), value * libm::exp(half_width)],
            };
            if ends.iter().all(|end| end.is_finite()) { Ok(ends) } else { Err(IntervalError::NotFinite { row }) }
        };
        predictions.iter().zip(leverages).enumerate().map(ends).collect()
    }
}

fn student(estimator: &Coefficients) -> IntervalMethod {
    if matches!(estimator, Coefficients::Ridge(_)) { IntervalMethod::StudentTRidge } else { IntervalMethod::StudentT }
}

#[cfg(test)]
mod tests;
