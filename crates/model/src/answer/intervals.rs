//! Prediction intervals and confidence intervals of the mean.

use serde::Serialize;
use thiserror::Error;

use crate::artifact::Document;
use crate::estimator::Coefficients;
use crate::inference::{Inference, LevelError};
use crate::model::Model;
use crate::number::count_to_f64;
use crate::preprocess::TargetTransform;
use crate::quantile::{normal_quantile, student_quantile};

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
        "the model {model} has no confidence intervals of the mean: its file has no residual variance, dispersion or \
         information about the coefficients (as with more than 500 columns), or its target was logged\nhelp: request a \
         prediction interval"
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
    /// Confidence intervals of the mean of a generalised linear model: a normal distribution of its logarithm, exact for
    /// many rows.
    Wald,
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
    fn of_any_level(method: IntervalMethod) -> Self {
        Self { method, held_out_rows: None, max_level: None }
    }

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
/// **Generalised linear models**: the same for a new value, with errors divided by the standard deviation √V(μ) of the
/// family at the prediction μ: `μ ± q · √V(μ)`, at least 0. For the mean `μ · exp(± z · √(φ h))`, with the quantile z of
/// the normal distribution, the dispersion φ, and the leverage h by the working weights.
///
/// For a logged target these are intervals of the logarithm, whose ends are transformed back to the target's unit.
#[derive(Debug)]
pub(super) enum HalfWidth {
    Student { quantile: f64, variance: f64, of_mean: bool },
    Conformal(f64),
    Wald { quantile: f64, dispersion: f64 },
}

impl Model {
    /// The intervals (for a classifier prediction sets) that the model can make; `None` if it can make none.
    #[must_use]
    pub fn available_intervals(&self) -> Option<AvailableIntervals> {
        let inference = self.document.inference.as_ref()?;
        if inference.noise().is_some() {
            return Some(AvailableIntervals::of_any_level(student(&self.document.estimator)));
        }
        let rows = inference.conformal.as_ref()?.rows;
        let max_level = Some(count_to_f64(rows) / (count_to_f64(rows) + 1.0));
        Some(AvailableIntervals { method: IntervalMethod::Conformal, held_out_rows: Some(rows), max_level })
    }

    /// The confidence intervals of the mean that the model can make. Conformal prediction has none, and the fit of a
    /// logged target predicts the median, not the mean.
    #[must_use]
    pub fn available_mean_intervals(&self) -> Option<AvailableIntervals> {
        let inference = self.document.inference.as_ref()?;
        if inference.dispersion.is_some() {
            return Some(AvailableIntervals::of_any_level(IntervalMethod::Wald));
        }
        let untransformed = self.document.preprocess.target_transform == TargetTransform::Identity;
        inference.noise().filter(|_| untransformed)?;
        Some(AvailableIntervals::of_any_level(student(&self.document.estimator)))
    }

    /// Whether the model has confidence intervals of the mean.
    #[must_use]
    pub fn has_mean_intervals(&self) -> bool {
        self.available_mean_intervals().is_some()
    }
}

impl HalfWidth {
    /// The half-width of prediction intervals of this level, such as 0.95.
    ///
    /// # Errors
    /// See [`IntervalError`].
    pub(super) fn new(model: &Model, level: f64) -> Result<Self, IntervalError> {
        let conformal = model.document.inference.as_ref().and_then(|inference| inference.conformal.as_ref());
        if let Some(student) = Self::student(model, level, false)? {
            return Ok(student);
        }
        match conformal {
            Some(conformal) if model.classes().is_none() => Ok(Self::Conformal(conformal.quantile(level)?)),
            _ => Err(IntervalError::NotInferable { model: model.name().to_owned() }),
        }
    }

    /// The half-width of confidence intervals of the mean.
    ///
    /// # Errors
    /// See [`IntervalError`].
    pub(super) fn of_mean(model: &Model, level: f64) -> Result<Self, IntervalError> {
        let dispersion = model.document.inference.as_ref().and_then(|inference| inference.dispersion);
        if let Some(student) = Self::student(model, level, true)? {
            return Ok(student);
        }
        let dispersion = dispersion.ok_or_else(|| IntervalError::NoMeanInterval { model: model.name().to_owned() })?;
        let quantile = normal_quantile((1.0 - level) / 2.0).ok_or(LevelError::OutOfRange { level })?;
        Ok(Self::Wald { quantile: -quantile, dispersion })
    }

    /// By Student's t distribution; `None` for a model without a residual variance.
    fn student(model: &Model, level: f64, of_mean: bool) -> Result<Option<Self>, IntervalError> {
        let out_of_range = || LevelError::OutOfRange { level };
        if !(level > 0.0 && level < 1.0) {
            return Err(out_of_range().into());
        }
        let inference = model.document.inference.as_ref().filter(|inference| !inference.r.is_empty());
        let Some((freedom, variance)) = inference.and_then(Inference::noise) else { return Ok(None) };
        // The quantile of the lower tail: `1 − level` is exact there.
        let quantile = student_quantile((1.0 - level) / 2.0, f64::from(freedom));
        Ok(Some(Self::Student { quantile: -quantile.ok_or_else(out_of_range)?, variance, of_mean }))
    }

    pub(super) fn method(&self, model: &Model) -> IntervalMethod {
        match self {
            Self::Conformal(_) => IntervalMethod::Conformal,
            Self::Student { .. } => student(&model.document.estimator),
            Self::Wald { .. } => IntervalMethod::Wald,
        }
    }

    /// Whether intervals depend on the leverages of rows.
    pub(super) fn needs_leverage(&self) -> bool {
        !matches!(self, Self::Conformal(_))
    }

    /// The intervals around the predictions for rows of these leverages.
    ///
    /// # Errors
    /// [`IntervalError::NotFinite`].
    pub(super) fn intervals(
        &self,
        predictions: &[f64],
        leverages: &[f64],
        document: &Document,
    ) -> Result<Vec<[f64; 2]>, IntervalError> {
        let leverages = leverages.iter().copied().chain(std::iter::repeat(0.0));
        let rows = predictions.iter().zip(leverages).enumerate();
        rows.map(|(row, (value, leverage))| {
            self.ends(*value, leverage, document).ok_or(IntervalError::NotFinite { row })
        })
        .collect()
    }

    /// The confidence intervals of the mean. A generalised linear model has none for a row whose mean the training data
    /// do not determine.
    ///
    /// # Errors
    /// [`IntervalError::NotFinite`] for other models.
    pub(super) fn mean_intervals(
        &self,
        predictions: &[f64],
        leverages: &[f64],
        undetermined: &[bool],
        document: &Document,
    ) -> Result<Vec<Option<[f64; 2]>>, IntervalError> {
        if !matches!(self, Self::Wald { .. }) {
            return Ok(self.intervals(predictions, leverages, document)?.into_iter().map(Some).collect());
        }
        let undetermined = undetermined.iter().copied().chain(std::iter::repeat(false));
        let rows = predictions.iter().zip(leverages).zip(undetermined);
        let ends = |((value, leverage), is_undetermined): ((&f64, &f64), bool)| {
            self.ends(*value, *leverage, document).filter(|_| !is_undetermined)
        };
        Ok(rows.map(ends).collect())
    }

    /// The ends of the interval around a prediction; `None` if one is not finite.
    fn ends(&self, value: f64, leverage: f64, document: &Document) -> Option<[f64; 2]> {
        let factors = |half_width: f64| [value * libm::exp(-half_width), value * libm::exp(half_width)];
        let half_width = self.of_leverage(leverage);
        let ends = match (self, document.estimator.glm_family()) {
            (Self::Wald { .. }, _) => factors(half_width),
            (Self::Conformal(quantile), Some(family)) => {
                let half_width = quantile * family.deviation(value);
                [(value - half_width).max(0.0), value + half_width]
            }
            _ => match document.preprocess.target_transform {
                TargetTransform::Identity => [value - half_width, value + half_width],
                TargetTransform::Log => factors(half_width),
            },
        };
        ends.iter().all(|end| end.is_finite()).then_some(ends)
    }

    /// The half-width for a row of this leverage, in the unit of the scores.
    fn of_leverage(&self, leverage: f64) -> f64 {
        match self {
            Self::Conformal(quantile) => *quantile,
            Self::Student { quantile, variance, of_mean: true } => quantile * (variance * leverage).sqrt(),
            Self::Student { quantile, variance, of_mean: false } => quantile * (variance * (1.0 + leverage)).sqrt(),
            Self::Wald { quantile, dispersion } => quantile * (dispersion * leverage).sqrt(),
        }
    }
}

fn student(estimator: &Coefficients) -> IntervalMethod {
    if matches!(estimator, Coefficients::Ridge(_)) { IntervalMethod::StudentTRidge } else { IntervalMethod::StudentT }
}

#[cfg(test)]
mod tests;
