//! The outputs of a model that a protocol can request, with names as in scikit-learn.

use serde::{Serialize, Serializer};

use crate::http::server::error::{ApiError, ErrorCode};
use ordinate_model::answer::Explanation;
use ordinate_model::scalar::Scalar;
use ordinate_model::wording::shorten;
use ordinate_model::{Answer, Model, Prediction, Probabilities, Wanted};

/// The default level of intervals and prediction sets, if the model's highest level is not lower.
const LEVEL: f64 = 0.95;

/// An output of a model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Output {
    /// One value or class per row.
    Predict,
    /// One probability per class, for classifiers.
    PredictProba,
    /// The contribution of each feature to the score.
    Explain,
    /// The base to which contributions are added.
    ExplainBase,
    /// The prediction interval at a level, for regressors.
    Interval { level: f64 },
    /// The confidence interval of the mean of all rows with the same features.
    MeanInterval { level: f64 },
    /// The prediction set at a level, for classifiers.
    PredictionSets { level: f64 },
}

impl Output {
    /// The outputs of protocols that return predictions only.
    pub(crate) fn predictions(model: &Model) -> &'static [Self] {
        if model.classes().is_some() { &[Self::Predict, Self::PredictProba] } else { &[Self::Predict] }
    }

    /// All outputs of a model.
    pub(crate) fn all(model: &Model) -> Vec<Self> {
        let mut all = Self::predictions(model).to_vec();
        all.extend([Self::Explain, Self::ExplainBase]);
        let default_level = Self::default_level(model);
        let level = default_level.unwrap_or(LEVEL);
        all.extend(default_level.map(|level| Self::at_level(model, level)));
        all.extend(model.has_mean_intervals().then_some(Self::MeanInterval { level }));
        all
    }

    /// The names of these outputs of all models, each once.
    pub(crate) fn names<'m, O: IntoIterator<Item = Self>>(
        models: impl IntoIterator<Item = &'m Model>,
        outputs: fn(&'m Model) -> O,
    ) -> Vec<&'static str> {
        let mut names: Vec<&'static str> = Vec::new();
        for output in models.into_iter().flat_map(outputs) {
            if !names.contains(&output.name()) {
                names.push(output.name());
            }
        }
        names
    }

    /// The default level of a model's intervals or prediction sets, if it has them.
    pub(crate) fn default_level(model: &Model) -> Option<f64> {
        model.available_intervals().map(|intervals| intervals.at_most(LEVEL))
    }

    /// The interval of a regressor or the prediction sets of a classifier.
    pub(crate) fn at_level(model: &Model, level: f64) -> Self {
        if model.classes().is_some() { Self::PredictionSets { level } } else { Self::Interval { level } }
    }

    /// The level of an interval or a prediction set.
    pub(crate) fn level(self) -> Option<f64> {
        match self {
            Self::Interval { level } | Self::MeanInterval { level } | Self::PredictionSets { level } => Some(level),
            Self::Predict | Self::PredictProba | Self::Explain | Self::ExplainBase => None,
        }
    }

    /// The same output at another level; other outputs are unchanged.
    pub(crate) fn with_level(self, level: f64) -> Self {
        match self {
            Self::Interval { .. } => Self::Interval { level },
            Self::MeanInterval { .. } => Self::MeanInterval { level },
            Self::PredictionSets { .. } => Self::PredictionSets { level },
            other => other,
        }
    }

    /// The name in requests and responses.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Predict => "predict",
            Self::PredictProba => "predict_proba",
            Self::Explain => "explain",
            Self::ExplainBase => "explain_base",
            Self::Interval { .. } => "interval",
            Self::MeanInterval { .. } => "mean_interval",
            Self::PredictionSets { .. } => "prediction_sets",
        }
    }

    /// Finds an output by name.
    ///
    /// # Errors
    /// `unknown_output` if these outputs do not include it.
    pub(crate) fn from_name(name: &str, model: &Model, known: &[Self]) -> Result<Self, ApiError> {
        known.iter().find(|output| output.name() == name).copied().ok_or_else(|| {
            let names = known.iter().map(|output| output.name()).collect::<Vec<_>>().join(", ");
            let detail =
                format!("the model {:?} has no output {:?}; its outputs are {names}", model.name(), shorten(name));
            ApiError::new(ErrorCode::UnknownOutput, detail)
        })
    }

    /// Adds this output to a request for the model.
    pub(crate) fn add_to(self, wanted: &mut Wanted) {
        match self {
            Self::Predict | Self::PredictProba | Self::ExplainBase => {}
            Self::Explain => wanted.explanation = true,
            Self::Interval { level } => wanted.interval = Some(level),
            Self::MeanInterval { level } => wanted.mean_interval = Some(level),
            Self::PredictionSets { level } => wanted.prediction_sets = Some(level),
        }
    }

    /// The values of this output in an answer.
    ///
    /// # Errors
    /// `internal` if the answer does not have the output, because it was not requested.
    pub(crate) fn values<'a>(self, model: &'a Model, answer: &'a Answer<'a>) -> Result<Values<'a>, ApiError> {
        let values = match self {
            Self::Predict => Some(Values::Prediction(&answer.prediction)),
            Self::PredictProba => answer.probabilities.as_ref().map(Values::Probabilities),
            Self::Explain => answer.explanation.as_ref().map(Values::Explanation),
            Self::ExplainBase => Some(Values::Base { base: model.base(), rows: answer.prediction.len() }),
            Self::Interval { .. } => answer.intervals.as_deref().map(Values::Intervals),
            Self::MeanInterval { .. } => answer.mean_intervals.as_deref().map(Values::MeanIntervals),
            Self::PredictionSets { .. } => {
                let sets = answer.prediction_sets.as_deref().zip(model.classes());
                sets.map(|(sets, classes)| Values::PredictionSets { classes, sets })
            }
        };
        values.ok_or_else(|| ApiError::internal(format!("the answer does not have the output {}", self.name())))
    }
}

/// The values of an output, one element per row; an explanation has its base and unit once for all rows.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Values<'a> {
    Prediction(&'a Prediction<'a>),
    Probabilities(&'a Probabilities<'a>),
    Explanation(&'a Explanation<'a>),
    /// The same values for every row.
    Base {
        base: &'a [f64],
        rows: usize,
    },
    /// The lower and upper bounds.
    Intervals(&'a [[f64; 2]]),
    /// The same for the mean, where the training data determine it.
    MeanIntervals(&'a [Option<[f64; 2]>]),
    /// The prediction set of each row, in the order of the classes.
    PredictionSets {
        classes: &'a [Scalar],
        sets: &'a [Vec<&'a Scalar>],
    },
}

impl Serialize for Values<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Prediction(prediction) => prediction.serialize(serializer),
            Self::Probabilities(probabilities) => serializer.collect_seq(probabilities.rows()),
            Self::Explanation(explanation) => explanation.serialize(serializer),
            Self::Base { base, rows } => serializer.collect_seq(std::iter::repeat_n(base, *rows)),
            Self::Intervals(bounds) => bounds.serialize(serializer),
            Self::MeanIntervals(bounds) => bounds.serialize(serializer),
            Self::PredictionSets { sets, .. } => sets.serialize(serializer),
        }
    }
}
