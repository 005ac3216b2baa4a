//! The answer of a model to the rows of a frame: predictions and everything else that is requested, in one pass over
//! the design.

mod doubles;
mod explanation;
mod intervals;
mod leverage;
mod prediction;
mod prediction_sets;
mod separation;
mod warnings;

use thiserror::Error;

use crate::estimator::Scores;
use crate::frame::Frame;
use crate::model::Model;
use crate::scalar::Scalar;
use explanation::ExplanationBuilder;
use intervals::HalfWidth;
use leverage::Leverage;
use prediction_sets::PredictionSets;
use separation::Separation;
use warnings::Determination;

pub use doubles::Doubles;
pub(crate) use doubles::LinearScore;
pub use explanation::{Explanation, MAX_VALUES as MAX_EXPLANATION_VALUES, Unit as ExplanationUnit};
pub use intervals::{AvailableIntervals, IntervalError, IntervalMethod};
pub use prediction::{PredictError, PredictedRow, Prediction, Probabilities};
pub use warnings::{MAX_LISTED_WARNINGS, Warning, WarningCounts, WarningReason, WarningScope, Warnings};

/// The requested additions to predictions and, for a classifier, to probabilities.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Wanted {
    /// The level of a prediction interval for each row; regressors only.
    pub interval: Option<f64>,
    /// The level of a confidence interval of the mean of all rows with the same features; see
    /// [`Model::has_mean_intervals`].
    pub mean_interval: Option<f64>,
    /// The level of a prediction set for each row; classifiers only.
    pub prediction_sets: Option<f64>,
    /// The contribution of each feature to each prediction.
    pub explanation: bool,
    /// Which warnings about unusual rows are listed.
    pub warnings: WarningScope,
}

/// The answer to the rows of a frame, in their order.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer<'m> {
    /// One value or class a row.
    pub prediction: Prediction<'m>,
    /// One probability a class and row; `None` for a regressor.
    pub probabilities: Option<Probabilities<'m>>,
    /// Lower and upper end of each row's prediction interval, in the target's unit, if requested.
    pub intervals: Option<Vec<[f64; 2]>>,
    /// Lower and upper end of the confidence interval of each row's mean, if requested. `None` for a row whose mean the
    /// training data do not determine.
    pub mean_intervals: Option<Vec<Option<[f64; 2]>>>,
    /// The labels of each row's prediction set, in the order of the classes, if requested.
    pub prediction_sets: Option<Vec<Vec<&'m Scalar>>>,
    /// The method of the intervals or prediction sets, if requested; of the intervals of the mean if only those are.
    pub interval_method: Option<IntervalMethod>,
    /// The contributions of the features, if requested.
    pub explanation: Option<Explanation<'m>>,
    /// Warnings about unusual rows, within the requested scope.
    pub warnings: Warnings<'m>,
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

    /// At most `most` predictions as numbers, of rows at equal distances: values, probabilities of the second of two
    /// classes, or those of the predicted one of several classes.
    pub fn sample(&self, most: usize) -> Vec<f64> {
        let step = self.prediction.len().div_ceil(most.max(1)).max(1);
        let number = |row| match row {
            PredictedRow::Value(value) => Some(value),
            PredictedRow::Class { probabilities: [_, second], .. } => Some(*second),
            PredictedRow::Class { class, probabilities } => probabilities.get(class).copied(),
        };
        self.rows().step_by(step).filter_map(number).collect()
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum AnswerError {
    /// A row cannot be predicted or explained.
    #[error(transparent)]
    Predict(#[from] PredictError),
    /// The model has no such interval or prediction set, or an end of an interval exceeds a double.
    #[error(transparent)]
    Interval(#[from] IntervalError),
}

/// A model with a request that it can fulfil: levels are resolved to quantiles once, for any number of frames.
#[derive(Debug)]
pub struct Predictor<'m> {
    model: &'m Model,
    interval: Option<HalfWidth>,
    mean_interval: Option<HalfWidth>,
    prediction_sets: Option<PredictionSets<'m>>,
    explanation: bool,
    warnings: WarningScope,
    leverage: Option<Leverage<'m>>,
    separation: Option<Separation<'m>>,
}

impl Model {
    /// Predicts every row of a frame that was built for this model's signature.
    ///
    /// # Errors
    /// [`AnswerError`]: the model cannot provide what is requested, or cannot for one of the rows.
    pub fn answer(&self, frame: &Frame<'_>, wanted: &Wanted) -> Result<Answer<'_>, AnswerError> {
        self.predictor(wanted)?.answer(frame)
    }

    /// Prepares answers to several frames.
    ///
    /// # Errors
    /// [`IntervalError`] when the model has no interval or prediction set of the level.
    pub fn predictor(&self, wanted: &Wanted) -> Result<Predictor<'_>, IntervalError> {
        if wanted.mean_interval.is_some() && !self.has_mean_intervals() {
            return Err(IntervalError::NoMeanInterval { model: self.name().to_owned() });
        }
        Ok(Predictor {
            model: self,
            mean_interval: wanted.mean_interval.map(|level| HalfWidth::of_mean(self, level)).transpose()?,
            interval: wanted.interval.map(|level| HalfWidth::new(self, level)).transpose()?,
            prediction_sets: wanted.prediction_sets.map(|level| PredictionSets::new(self, level)).transpose()?,
            explanation: wanted.explanation,
            warnings: wanted.warnings,
            leverage: Leverage::new(self),
            separation: Separation::new(self),
        })
    }
}

/// The results of one pass over the design.
#[derive(Default)]
struct Pass {
    scores: Vec<f64>,
    chosen: Vec<usize>,
    probabilities: Vec<f64>,
    /// The leverages of the first rows, as many as are needed.
    leverages: Vec<f64>,
    /// Whether the fit does not determine the mean of a row; empty if it does for all rows.
    undetermined: Vec<bool>,
}

impl<'m> Predictor<'m> {
    /// Answers a frame.
    ///
    /// # Errors
    /// [`AnswerError`]: a row has no finite answer, or the frame belongs to another model.
    pub fn answer(&self, frame: &Frame<'_>) -> Result<Answer<'m>, AnswerError> {
        self.answer_unless(frame, &|| false)
    }

    /// The same, but ends soon after `stop` returns true, with [`PredictError::Stopped`].
    ///
    /// # Errors
    /// See [`answer`](Self::answer).
    pub fn answer_unless(&self, frame: &Frame<'_>, stop: &dyn Fn() -> bool) -> Result<Answer<'m>, AnswerError> {
        let model = self.model;
        if !std::ptr::eq(frame.signature(), model.signature()) {
            return Err(PredictError::ForeignFrame.into());
        }
        let mut explanation = self.explanation.then(|| ExplanationBuilder::new(model, frame.rows())).transpose()?;
        let Pass { scores, chosen, probabilities, leverages, undetermined } =
            self.pass(frame, explanation.as_mut(), stop)?;
        let (prediction, probabilities) = match model.classes() {
            None => (Prediction::Values(prediction::values(scores, &model.document)?), None),
            Some(classes) => {
                prediction::check_finite(&probabilities, classes.len())?;
                let probabilities = Probabilities { classes, values: probabilities };
                (Prediction::Classes { classes, chosen }, Some(probabilities))
            }
        };
        let values: &[f64] = if let Prediction::Values(values) = &prediction { values } else { &[] };
        let intervals = self.interval.as_ref().map(|width| width.intervals(values, &leverages, &model.document));
        let mean_intervals = self.mean_interval.as_ref();
        let mean_intervals =
            mean_intervals.map(|width| width.mean_intervals(values, &leverages, &undetermined, &model.document));
        let (intervals, mean_intervals) = (intervals.transpose()?, mean_intervals.transpose()?);
        let determination = Determination {
            leverages: &leverages,
            undetermined: &undetermined,
            mean_intervals: mean_intervals.as_deref().unwrap_or_default(),
        };
        let sets = self.prediction_sets.as_ref().zip(probabilities.as_ref());
        Ok(Answer {
            prediction_sets: sets.map(|(sets, probabilities)| probabilities.rows().map(|row| sets.set(row)).collect()),
            interval_method: self.interval_method(),
            explanation: explanation.map(ExplanationBuilder::finish).transpose()?,
            warnings: Warnings::new(model, frame, self.warnings, self.leverage.as_ref(), &determination),
            intervals,
            mean_intervals,
            prediction,
            probabilities,
        })
    }

    fn pass(
        &self,
        frame: &Frame<'_>,
        mut explanation: Option<&mut ExplanationBuilder<'m>>,
        stop: &dyn Fn() -> bool,
    ) -> Result<Pass, PredictError> {
        let model = self.model;
        let rows_with_leverage = if self.interval.iter().chain(&self.mean_interval).any(HalfWidth::needs_leverage) {
            frame.rows()
        } else {
            self.warnings.rows_with_leverage(model, frame)
        };
        let mut pass = Pass { scores: Vec::with_capacity(frame.rows()), ..Pass::default() };
        let mut offsets = frame.iter().map(|row| model.design.offset(row));
        let mut of_block = Vec::new();
        for (rows, design) in model.design.blocks(frame) {
            if stop() {
                return Err(PredictError::Stopped);
            }
            of_block.clear();
            for row in design.chunks_exact(model.design.width()) {
                let offset = offsets.next().flatten();
                of_block.extend(offset);
                if let Some(explanation) = &mut explanation {
                    explanation.push(row, offset);
                }
                pass.undetermined.extend(self.separation.as_ref().map(|separation| separation.includes(row)));
                if let Some(leverage) = self.leverage.as_ref().filter(|_| pass.leverages.len() < rows_with_leverage) {
                    pass.leverages.push(leverage.compute(row));
                }
            }
            match model.estimator.scores(rows, design, model.temperature).ok_or(PredictError::Estimator)? {
                Scores::Values(mut values) => {
                    values.iter_mut().zip(&of_block).for_each(|(value, offset)| *value += offset);
                    pass.scores.extend(values);
                }
                Scores::Classes { chosen, probabilities } => {
                    match model.threshold {
                        None => pass.chosen.extend(chosen),
                        Some(threshold) => pass.chosen.extend(prediction::by_threshold(&probabilities, threshold)),
                    }
                    pass.probabilities.extend(probabilities);
                }
            }
        }
        Ok(pass)
    }

    fn interval_method(&self) -> Option<IntervalMethod> {
        let half_width = self.interval.as_ref().or(self.mean_interval.as_ref());
        let method = half_width.map(|half_width| half_width.method(self.model));
        method.or(self.prediction_sets.as_ref().map(|_| IntervalMethod::Conformal))
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
