//! Which of its outputs a model is asked for, under the names that scikit-learn gave them.

use serde::{Serialize, Serializer};

use super::error::{ApiError, ErrorCode};
use crate::model::explanation::Explanation;
use crate::model::frame::{Frame, shorten};
use crate::model::{Model, Prediction, Probabilities};

/// What can be asked of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Output {
    /// A value or a class a row.
    Predict,
    /// A probability a class, of a classifier.
    PredictProba,
    /// What each feature adds to the score.
    Explain,
    /// What it is added to.
    ExplainBase,
}

impl Output {
    /// The predictions of a model.
    pub(super) fn predictions(model: &Model) -> &'static [Self] {
        if model.classes().is_some() { &[Self::Predict, Self::PredictProba] } else { &[Self::Predict] }
    }

    /// All that protocols of several outputs can ask for.
    pub(super) fn all(model: &Model) -> &'static [Self] {
        if model.classes().is_some() {
            &[Self::Predict, Self::PredictProba, Self::Explain, Self::ExplainBase]
        } else {
            &[Self::Predict, Self::Explain, Self::ExplainBase]
        }
    }

    /// The name callers use.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Predict => "predict",
            Self::PredictProba => "predict_proba",
            Self::Explain => "explain",
            Self::ExplainBase => "explain_base",
        }
    }

    /// The output of this name among these.
    ///
    /// # Errors
    /// A caller's mistake when there is none.
    pub(super) fn named(name: &str, model: &Model, known: &[Self]) -> Result<Self, ApiError> {
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
            Self::Explain => Outcome::Explanation(model.explain(frame)?),
            Self::ExplainBase => Outcome::Base { base: model.base(), rows: frame.rows() },
        })
    }
}

/// An output; one element a row, but for an explanation, which says what all rows have in common only once.
#[derive(Debug)]
pub(super) enum Outcome<'m> {
    Prediction(Prediction<'m>),
    Probabilities(Probabilities<'m>),
    Explanation(Explanation<'m>),
    /// The same for every row.
    Base {
        base: &'m [f64],
        rows: usize,
    },
}

impl Serialize for Outcome<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Prediction(prediction) => prediction.serialize(serializer),
            Self::Probabilities(probabilities) => serializer.collect_seq(probabilities.rows()),
            Self::Explanation(explanation) => explanation.serialize(serializer),
            Self::Base { base, rows } => serializer.collect_seq(std::iter::repeat_n(base, *rows)),
        }
    }
}
