//! Which of its outputs a model is asked for, under the names that scikit-learn gave them.

use serde::{Serialize, Serializer};

use crate::http::server::error::{ApiError, ErrorCode};
use ordinate_model::explanation::Explanation;
use ordinate_model::frame::Frame;
use ordinate_model::scalar::Scalar;
use ordinate_model::wording::shorten;
use ordinate_model::{Model, Prediction, Probabilities};

/// The level of intervals and sets of labels, where whoever asks for them names none and the model can tell that much.
const LEVEL: f64 = 0.95;

/// What can be asked of a model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Output {
    /// A value or a class a row.
    Predict,
    /// A probability a class, of a classifier.
    PredictProba,
    /// What each feature adds to the score.
    Explain,
    /// What it is added to.
    ExplainBase,
    /// Between which values an answer lies with the probability that is called level, of a regressor.
    Interval { level: f64 },
    /// The same of the mean of all answers to such rows.
    MeanInterval { level: f64 },
    /// Which classes are in a set that holds the true one with that probability.
    LabelSets { level: f64 },
}

impl Output {
    /// The predictions of a model.
    pub(crate) fn predictions(model: &Model) -> &'static [Self] {
        if model.classes().is_some() { &[Self::Predict, Self::PredictProba] } else { &[Self::Predict] }
    }

    /// All that protocols of several outputs can ask for.
    pub(crate) fn all(model: &Model) -> Vec<Self> {
        let mut all = Self::predictions(model).to_vec();
        all.extend([Self::Explain, Self::ExplainBase]);
        if let Some(certainty) = model.certainty() {
            let level = certainty.up_to(LEVEL);
            all.push(Self::how_sure(model, level));
            if model.knows_means() {
                all.push(Self::MeanInterval { level });
            }
        }
        all
    }

    /// How sure the prediction is: of a regressor its interval, of a classifier its sets of labels.
    pub(crate) fn how_sure(model: &Model, level: f64) -> Self {
        if model.classes().is_some() { Self::LabelSets { level } } else { Self::Interval { level } }
    }

    /// The level, of an output that has one.
    pub(crate) fn level(self) -> Option<f64> {
        match self {
            Self::Interval { level } | Self::MeanInterval { level } | Self::LabelSets { level } => Some(level),
            Self::Predict | Self::PredictProba | Self::Explain | Self::ExplainBase => None,
        }
    }

    /// The same with another level; an output that has none stays as it is.
    pub(crate) fn at(self, level: f64) -> Self {
        match self {
            Self::Interval { .. } => Self::Interval { level },
            Self::MeanInterval { .. } => Self::MeanInterval { level },
            Self::LabelSets { .. } => Self::LabelSets { level },
            other => other,
        }
    }

    /// The name callers use.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Predict => "predict",
            Self::PredictProba => "predict_proba",
            Self::Explain => "explain",
            Self::ExplainBase => "explain_base",
            Self::Interval { .. } => "interval",
            Self::MeanInterval { .. } => "mean_interval",
            Self::LabelSets { .. } => "label_sets",
        }
    }

    /// The output of this name among these.
    ///
    /// # Errors
    /// A caller's mistake when there is none.
    pub(crate) fn named(name: &str, model: &Model, known: &[Self]) -> Result<Self, ApiError> {
        known.iter().find(|output| output.name() == name).copied().ok_or_else(|| {
            let names = known.iter().map(|output| output.name()).collect::<Vec<_>>().join(", ");
            let detail = format!("the model {:?} has no output {:?}; it has {names}", model.name(), shorten(name));
            ApiError::new(ErrorCode::UnknownOutput, detail)
        })
    }

    /// Computes it.
    ///
    /// # Errors
    /// A caller's mistake when a value is so large that the answer is not finite, or a level is none that the model has.
    pub(crate) fn compute<'m>(self, model: &'m Model, frame: &Frame<'_>) -> Result<Outcome<'m>, ApiError> {
        Ok(match self {
            Self::Predict => Outcome::Prediction(model.predict(frame)?),
            Self::PredictProba => match model.probabilities(frame)? {
                Some(probabilities) => Outcome::Probabilities(probabilities),
                None => return Err(ApiError::internal("probabilities were asked of a model that has none")),
            },
            Self::Explain => Outcome::Explanation(model.explain(frame)?),
            Self::ExplainBase => Outcome::Base { base: model.base(), rows: frame.rows() },
            Self::Interval { level } => {
                let ends = model.intervals(level)?.of(frame, &model.predict(frame)?)?;
                Outcome::Ends(ends.iter().map(|ends| ends.prediction).collect())
            }
            Self::MeanInterval { level } => {
                let ends = model.intervals(level)?.of(frame, &model.predict(frame)?)?;
                Outcome::Ends(ends.iter().filter_map(|ends| ends.mean).collect())
            }
            Self::LabelSets { level } => {
                let sets = model.label_sets(level)?;
                match model.probabilities(frame)? {
                    Some(probabilities) => {
                        Outcome::LabelSets { classes: probabilities.classes, sets: sets.of(&probabilities) }
                    }
                    None => return Err(ApiError::internal("sets of labels were asked of a model that has no classes")),
                }
            }
        })
    }
}

/// An output; one element a row, but for an explanation, which says what all rows have in common only once.
#[derive(Debug)]
pub(crate) enum Outcome<'m> {
    Prediction(Prediction<'m>),
    Probabilities(Probabilities<'m>),
    Explanation(Explanation<'m>),
    /// The same for every row.
    Base {
        base: &'m [f64],
        rows: usize,
    },
    /// The lower and the upper end.
    Ends(Vec<[f64; 2]>),
    /// The labels that may be true, in the order of the classes.
    LabelSets {
        classes: &'m [Scalar],
        sets: Vec<Vec<&'m Scalar>>,
    },
}

impl Serialize for Outcome<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Prediction(prediction) => prediction.serialize(serializer),
            Self::Probabilities(probabilities) => serializer.collect_seq(probabilities.rows()),
            Self::Explanation(explanation) => explanation.serialize(serializer),
            Self::Base { base, rows } => serializer.collect_seq(std::iter::repeat_n(base, *rows)),
            Self::Ends(ends) => ends.serialize(serializer),
            Self::LabelSets { sets, .. } => sets.serialize(serializer),
        }
    }
}
