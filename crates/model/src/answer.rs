//! The answer of a model to the rows of a frame: predictions and whatever else is requested, in one pass over the design.

use serde::{Serialize, Serializer};
use thiserror::Error;

use super::Model;
use super::conformal::PredictionSets;
use super::estimator::Scores;
use super::explanation::{Explanation, ExplanationBuilder};
use super::frame::Frame;
use super::interval::{HalfWidth, IntervalError, IntervalMethod};
use super::leverage::Leverage;
use super::preprocess::TargetTransform;
use super::scalar::Scalar;
use super::warning::{WarningScope, Warnings};

/// What is requested in addition to predictions and, of a classifier, probabilities.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Wanted {
    /// The level of a prediction interval for each row; regressors only.
    pub interval: Option<f64>,
    /// The level of a confidence interval of the mean of all rows with the same features; not every regressor has one.
    pub mean_interval: Option<f64>,
    /// The level of a prediction set for each row; classifiers only.
    pub prediction_sets: Option<f64>,
    /// The contribution of each feature to each prediction.
    pub explanation: bool,
    /// How far unusual rows are looked for.
    pub warnings: WarningScope,
}

/// The answer to the rows of a frame, in their order.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer<'m> {
    /// One value or class a row.
    pub prediction: Prediction<'m>,
    /// One probability a class and row; `None` of a regressor.
    pub probabilities: Option<Probabilities<'m>>,
    /// Lower and upper end of each row's prediction interval, in the target's unit, where requested.
    pub intervals: Option<Vec<[f64; 2]>>,
    /// Lower and upper end of the confidence interval of each row's mean, where requested.
    pub mean_intervals: Option<Vec<[f64; 2]>>,
    /// The labels of each row's prediction set, in the order of the classes, where requested.
    pub prediction_sets: Option<Vec<Vec<&'m Scalar>>>,
    /// How intervals or prediction sets are made, where requested.
    pub interval_method: Option<IntervalMethod>,
    /// The contributions of the features, where requested.
    pub explanation: Option<Explanation<'m>>,
    /// What is unusual about the rows, as far as requested.
    pub warnings: Warnings<'m>,
}

/// What is predicted for one row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PredictedRow<'a> {
    /// A value in the target's unit.
    Value(f64),
    /// A class.
    Class {
        /// Its position among the classes.
        class: usize,
        /// The probability of each class.
        probabilities: &'a [f64],
    },
}

impl Answer<'_> {
    /// The predictions row by row.
    pub fn rows(&self) -> Box<dyn Iterator<Item = PredictedRow<'_>> + '_> {
        match (&self.prediction, &self.probabilities) {
            (Prediction::Values(values), _) => Box::new(values.iter().copied().map(PredictedRow::Value)),
            (Prediction::Classes { chosen, .. }, probabilities) => {
                let rows = chosen.iter().zip(probabilities.iter().flat_map(Probabilities::rows));
                Box::new(rows.map(|(class, probabilities)| PredictedRow::Class { class: *class, probabilities }))
            }
        }
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum AnswerError {
    /// A row cannot be predicted or explained.
    #[error(transparent)]
    Predict(#[from] PredictError),
    /// The model has no such interval or prediction set, or an end of it exceeds a double.
    #[error(transparent)]
    Interval(#[from] IntervalError),
}

/// Predictions: one value or one class a row, in row order.
#[derive(Debug, Clone, PartialEq)]
pub enum Prediction<'m> {
    /// Finite values, in the target's unit.
    Values(Vec<f64>),
    /// Classes, as they stood in the training data.
    Classes {
        /// All classes of the model.
        classes: &'m [Scalar],
        /// The position of each row's class among them.
        chosen: Vec<usize>,
    },
}

impl Prediction<'_> {
    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Values(values) => values.len(),
            Self::Classes { chosen, .. } => chosen.len(),
        }
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One value or label a row, as callers get it.
    pub fn scalars(&self) -> Box<dyn Iterator<Item = Scalar> + '_> {
        match self {
            Self::Values(values) => Box::new(values.iter().copied().map(Scalar::Number)),
            Self::Classes { classes, chosen } => {
                Box::new(chosen.iter().map(|class| classes.get(*class).cloned().unwrap_or(Scalar::Missing)))
            }
        }
    }
}

/// As callers get it: a list of numbers or of labels.
impl Serialize for Prediction<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Values(values) => values.serialize(serializer),
            Self::Classes { classes, chosen } => serializer.collect_seq(chosen.iter().map(|class| classes.get(*class))),
        }
    }
}

/// The probability of each class in each row.
#[derive(Debug, Clone, PartialEq)]
pub struct Probabilities<'m> {
    /// The classes, in the order of the probabilities.
    pub classes: &'m [Scalar],
    values: Vec<f64>,
}

impl Probabilities<'_> {
    /// One slice of `classes.len()` probabilities a row; they sum to one.
    pub fn rows(&self) -> impl Iterator<Item = &[f64]> {
        self.values.chunks_exact(self.classes.len().max(1))
    }
}

/// Why a frame cannot be predicted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PredictError {
    /// The values of a row are so large that the answer exceeds a double.
    #[error("the prediction is too large for a double")]
    NotFinite {
        /// The row, from 0.
        row: usize,
    },
    /// The predicted logarithm of a row is that of a number nearer to zero than doubles with all their digits.
    #[error("the prediction is too small for a double")]
    Vanishes {
        /// The row, from 0.
        row: usize,
    },
    /// The frame was held against another model's signature.
    #[error("the frame belongs to another model")]
    ForeignFrame,
    /// More contributions than any answer holds.
    #[error("an explanation of {values} numbers is more than {limit}: ask for fewer rows at once")]
    TooMuchToExplain {
        /// Rows × outputs × features.
        values: usize,
        /// The most there may be.
        limit: usize,
    },
    /// smartcore refused a design whose shape is proven: our fault.
    #[error("the estimator failed")]
    Estimator,
}

/// A model that knows what is requested of it: levels have become quantiles.
#[derive(Debug)]
pub struct Predictor<'m> {
    model: &'m Model,
    interval: Option<HalfWidth>,
    mean_interval: Option<HalfWidth>,
    prediction_sets: Option<PredictionSets<'m>>,
    explanation: bool,
    warnings: WarningScope,
    leverage: Option<Leverage<'m>>,
}

impl Model {
    /// Predicts every row of a frame that was held against this model's signature.
    ///
    /// # Errors
    /// [`AnswerError`]: the model cannot give what is requested, or not for one of the rows.
    pub fn answer(&self, frame: &Frame<'_>, wanted: &Wanted) -> Result<Answer<'_>, AnswerError> {
        self.predictor(wanted)?.answer(frame)
    }

    /// Prepares answers to several frames.
    ///
    /// # Errors
    /// [`IntervalError`] when the model has no interval or prediction set of the level.
    pub fn predictor(&self, wanted: &Wanted) -> Result<Predictor<'_>, IntervalError> {
        let mean_interval = match wanted.mean_interval {
            Some(_) if !self.has_mean_intervals() => {
                return Err(IntervalError::NoMeanInterval { model: self.name().to_owned() });
            }
            level => level.map(|level| self.reach(level)).transpose()?,
        };
        Ok(Predictor {
            model: self,
            interval: wanted.interval.map(|level| self.reach(level)).transpose()?,
            mean_interval,
            prediction_sets: wanted.prediction_sets.map(|level| self.prediction_sets(level)).transpose()?,
            explanation: wanted.explanation,
            warnings: wanted.warnings,
            leverage: Leverage::new(self),
        })
    }
}

impl<'m> Predictor<'m> {
    /// Answers a frame.
    ///
    /// # Errors
    /// [`AnswerError`]: a row has no finite answer, or the frame belongs to another model.
    pub fn answer(&self, frame: &Frame<'_>) -> Result<Answer<'m>, AnswerError> {
        let model = self.model;
        if !std::ptr::eq(frame.signature(), model.signature()) {
            return Err(PredictError::ForeignFrame.into());
        }
        let mut explaining = self.explanation.then(|| ExplanationBuilder::new(model, frame.rows())).transpose()?;
        let searched = self.warnings.rows_with_leverage(model, frame);
        let with_leverage = if self.interval.iter().chain(&self.mean_interval).any(HalfWidth::needs_leverage) {
            frame.rows()
        } else {
            searched
        };
        let mut leverages = Vec::new();
        let (mut scores, mut probabilities) = (Vec::with_capacity(frame.rows()), Vec::new());
        let mut chosen = Vec::new();
        for (rows, design) in model.design.blocks(frame) {
            for row in design.chunks_exact(model.design.width()) {
                if let Some(explaining) = &mut explaining {
                    explaining.push(row);
                }
                if let Some(leverage) = self.leverage.as_ref().filter(|_| leverages.len() < with_leverage) {
                    leverages.push(leverage.of(row));
                }
            }
            match model.estimator.scores(rows, design, model.temperature).ok_or(PredictError::Estimator)? {
                Scores::Values(values) => scores.extend(values),
                Scores::Classes { chosen: classes, probabilities: of_block } => {
                    chosen.extend(classes);
                    probabilities.extend(of_block);
                }
            }
        }
        let (prediction, probabilities) = match model.classes() {
            None => (Prediction::Values(values(scores, model.document.preprocess.target_transform)?), None),
            Some(classes) => {
                finite(&probabilities, classes.len())?;
                let probabilities = Probabilities { classes, values: probabilities };
                (Prediction::Classes { classes, chosen }, Some(probabilities))
            }
        };
        let around = |reach: &Option<HalfWidth>, is_mean: bool| {
            let Prediction::Values(values) = &prediction else { return Ok(None) };
            let transform = model.document.preprocess.target_transform;
            reach.as_ref().map(|reach| reach.intervals(values, &leverages, is_mean, transform)).transpose()
        };
        let sets = self.prediction_sets.as_ref().zip(probabilities.as_ref());
        Ok(Answer {
            intervals: around(&self.interval, false)?,
            mean_intervals: around(&self.mean_interval, true)?,
            prediction_sets: sets.map(|(sets, probabilities)| probabilities.rows().map(|row| sets.set(row)).collect()),
            interval_method: self.method(),
            explanation: explaining.map(ExplanationBuilder::finish).transpose()?,
            warnings: Warnings::new(model, frame, self.warnings, self.leverage.as_ref(), &leverages[..]),
            prediction,
            probabilities,
        })
    }

    fn method(&self) -> Option<IntervalMethod> {
        let reach = self.interval.as_ref().or(self.mean_interval.as_ref());
        reach.map(|reach| reach.method(self.model)).or(self.prediction_sets.as_ref().map(|_| IntervalMethod::Conformal))
    }
}

/// Scores in the target's unit.
fn values(mut scores: Vec<f64>, transform: TargetTransform) -> Result<Vec<f64>, PredictError> {
    for score in &mut scores {
        *score = transform.undo(*score);
    }
    finite(&scores, 1)?;
    let vanishes = |value: &f64| transform == TargetTransform::Log && !value.is_normal();
    match scores.iter().position(vanishes) {
        Some(row) => Err(PredictError::Vanishes { row }),
        None => Ok(scores),
    }
}

/// Refuses what is not finite; there are `width` values a row.
pub(super) fn finite(values: &[f64], width: usize) -> Result<(), PredictError> {
    match values.iter().position(|value| !value.is_finite()) {
        Some(position) => Err(PredictError::NotFinite { row: position / width.max(1) }),
        None => Ok(()),
    }
}

/// Single parts of an answer, for tests.
#[cfg(test)]
impl Model {
    pub(crate) fn predict(&self, frame: &Frame<'_>) -> Prediction<'_> {
        self.answer(frame, &Wanted::default()).unwrap().prediction
    }

    pub(crate) fn probabilities(&self, frame: &Frame<'_>) -> Probabilities<'_> {
        self.answer(frame, &Wanted::default()).unwrap().probabilities.unwrap()
    }

    pub(crate) fn explain(&self, frame: &Frame<'_>) -> Result<Explanation<'_>, AnswerError> {
        let wanted = Wanted { explanation: true, ..Wanted::default() };
        self.answer(frame, &wanted).map(|answer| answer.explanation.unwrap())
    }

    pub(crate) fn warnings(&self, frame: &Frame<'_>) -> Result<Warnings<'_>, AnswerError> {
        let wanted = Wanted { warnings: WarningScope::First, ..Wanted::default() };
        self.answer(frame, &wanted).map(|answer| answer.warnings)
    }
}
