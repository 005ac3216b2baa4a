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
    /// The model's file holds nothing to compute them from.
    #[error(
        "the model {model} has no intervals: its file holds neither the noise of its fit nor its errors on held-out rows. \
         Train it with rows held out (--test-fraction above 0, or --test FILE); a linear one with more rows than columns has \
         intervals without"
    )]
    NotInferable {
        /// The model's name.
        model: String,
    },
    /// Prediction sets of a model that predicts numbers, or whose file does not say how sure it was.
    #[error(
        "the model {model} has no prediction sets: only a classifier that knows its errors on held-out rows has. \
         Train one with rows held out (--test-fraction above 0, or --test FILE)"
    )]
    NoPredictionSets {
        /// The model's name.
        model: String,
    },
    /// The level is not a probability, or needs more held-out rows.
    #[error(transparent)]
    Level(#[from] LevelError),
    /// A confidence interval of the mean from a model that knows prediction intervals only.
    #[error(
        "the model {model} has no confidence intervals of the mean: its intervals are made from errors on held-out rows, or its \
         target was logged. Request a prediction interval instead"
    )]
    NoMeanInterval {
        /// The model's name.
        model: String,
    },
    /// The values of a row are so large that an end exceeds a double.
    #[error("the interval is too large for a double")]
    NotFinite {
        /// The row, from 0.
        row: usize,
    },
}

/// How intervals were made, and so what they suppose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum IntervalMethod {
    /// Exact when errors are normal, independent and of one variance.
    StudentT,
    /// The same formula on a ridge fit, where it is an approximation: see [`Intervals`].
    StudentTRidge,
    /// From errors on held-out rows: supposes only that new rows are like them.
    Conformal,
}

/// How a model makes intervals (a classifier prediction sets), and of what levels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct AvailableIntervals {
    /// How.
    pub method: IntervalMethod,
    /// The rows whose errors they are made from, where they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_out_rows: Option<u64>,
    /// The greatest level that so many rows can tell of; without them every level below 1 has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_level: Option<f64>,
}

impl AvailableIntervals {
    /// This level, or the greatest that there is where that is below it.
    #[must_use]
    pub fn at_most(&self, level: f64) -> f64 {
        self.max_level.map_or(level, |most| most.min(level))
    }
}

/// How far the ends of intervals of one level are from predictions.
///
/// Of **least squares**: `ŷ ± t · √(s² (1 + h))`, of the mean `ŷ ± t · √(s² h)`, with the leverage `h = 1/n + ‖R⁻ᵀz‖²` and
/// the quantile t of Student's distribution at n − p − 1 degrees of freedom; without an intercept `h = ‖R⁻ᵀz‖²` and n − p.
///
/// Of **ridge** the same, with `RᵀR = ZᵀZ + αI` and n − 1 − tr(H) degrees of freedom: the posterior predictive distribution
/// when coefficients are drawn from a normal distribution of variance σ²/α, with σ² estimated. It knows nothing of the bias of
/// a penalty that is larger than the data ask for: where coefficients are far larger than that, intervals are too narrow.
///
/// Of **everything else** that has errors on held-out rows: split [conformal](crate::inference::Conformal) prediction, `ŷ ± q`.
///
/// Of a logged target all this is done to the logarithm, and the ends are taken back to the target's unit.
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

    /// Whether the model also has confidence intervals of the mean. Conformal prediction has none, and the fit of a logged
    /// target predicts the median, not the mean.
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

    /// Whether the ends depend on the rows' leverages.
    pub(super) fn needs_leverage(&self) -> bool {
        matches!(self, Self::Student { .. })
    }

    /// The ends around these predictions, of rows of these leverages; of the mean, or of single rows.
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
            let reach = match self {
                Self::Conformal(reach) => *reach,
                Self::Student { quantile, variance } if of_mean => quantile * (variance * leverage).sqrt(),
                Self::Student { quantile, variance } => quantile * (variance * (1.0 + leverage)).sqrt(),
            };
            let ends = match transform {
                TargetTransform::Identity => [value - reach, value + reach],
                TargetTransform::Log => [value * libm::exp(-reach), value * libm::exp(reach)],
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
