//! Which of its outputs a model is asked for, under the names that scikit-learn gave them.

use serde::{Serialize, Serializer};

use super::error::{ApiError, ErrorCode};
use crate::model::frame::{Frame, shorten};
use crate::model::{Model, Prediction, Probabilities};

/// What can be asked of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Output {
    /// A value or a class a row.
    Predict,
    /// A probability a class, of a classifier.
    PredictProba,
}

impl Output {
    /// The outputs of a model.
    pub(super) fn of(model: &Model) -> &'static [Self] {
        if model.classes().is_some() { &[Self::Predict, Self::PredictProba] } else { &[Self::Predict] }
    }

    /// The name callers use.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Predict => "predict",
            Self::PredictProba => "predict_proba",
        }
    }

    /// The output of this name.
    ///
    /// # Errors
    /// A caller's mistake when the model has none.
    pub(super) fn named(name: &str, model: &Model) -> Result<Self, ApiError> {
        let known = Self::of(model);
        known.iter().find(|output| output.name() == name).copied().ok_or_else(|| {
            let names = known.iter().map(|output| output.name()).collect::<Vec<_>>().join(", ");
            let detail = format!("the model {:?} has no output {:?}; it has {names}", model.name(), shorten(name));
            ApiError::new(ErrorCode::UnknownOutput, detail)
        })
    }

    /// Computes it.
    ///
    /// # Errors
    /// A caller's mistake when a value is so large that the answer is not finite.
    pub(super) fn compute<'m>(self, model: &'m Model, frame: &Frame<'_>) -> Result<Outcome<'m>, ApiError> {
        Ok(match self {
            Self::Predict => Outcome::Prediction(model.predict(frame)?),
            Self::PredictProba => match model.probabilities(frame)? {
                Some(probabilities) => Outcome::Probabilities(probabilities),
                None => return Err(ApiError::internal("probabilities were asked of a model that has none")),
            },
        })
    }
}

/// An output, one element a row.
#[derive(Debug)]
pub(super) enum Outcome<'m> {
    Prediction(Prediction<'m>),
    Probabilities(Probabilities<'m>),
}

impl Serialize for Outcome<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Prediction(prediction) => prediction.serialize(serializer),
            Self::Probabilities(probabilities) => serializer.collect_seq(probabilities.rows()),
        }
    }
}
