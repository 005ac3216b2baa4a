//! The options and the answer of the service's own form, which `POST …/predict` and the tools of MCP share.

use serde::{Serialize, Serializer};

use super::output::Output;
use super::prediction_request::WarningsBody;
use crate::http::decode::json::{Decoded, LEVEL};
use crate::http::server::error::{ApiError, ErrorCode};
use crate::http::server::query::PARAMETERS;
use ordinate_model::answer::{Explanation, IntervalMethod};
use ordinate_model::scalar::Scalar;
use ordinate_model::{Answer, Model, Prediction, Probabilities, Wanted};

/// The expected value of a switch, for errors.
pub(crate) const SWITCH: &str = "true or false";

/// The options of a prediction.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Options {
    /// The level of an interval.
    pub(crate) interval: Option<f64>,
    pub(crate) explain: Option<bool>,
    pub(crate) probabilities: Option<bool>,
}

impl Options {
    /// The options of a body.
    ///
    /// # Errors
    /// 422 if a value is not of its type.
    pub(crate) fn from_body(decoded: &Decoded<'_, '_>) -> Result<Self, ApiError> {
        let [interval, explain, probabilities] = PARAMETERS;
        Ok(Self {
            interval: decoded.option(interval, LEVEL)?,
            explain: decoded.option(explain, SWITCH)?,
            probabilities: decoded.option(probabilities, SWITCH)?,
        })
    }

    /// The request for the model.
    ///
    /// # Errors
    /// 422 for probabilities of a regressor.
    pub(crate) fn wanted(self, model: &Model) -> Result<Wanted, ApiError> {
        if self.probabilities == Some(true) && model.classes().is_none() {
            let detail = format!("the model {:?} is a regressor and has no probabilities", model.name());
            return Err(ApiError::new(ErrorCode::UnknownOutput, detail));
        }
        let mut wanted = Wanted { explanation: self.explain == Some(true), ..Wanted::default() };
        if let Some(level) = self.interval {
            Output::at_level(model, level).add_to(&mut wanted);
            wanted.mean_interval = wanted.interval.filter(|_| model.has_mean_intervals());
        }
        Ok(wanted)
    }
}

/// The response: `y`, the requested options, and warnings.
#[derive(Serialize)]
pub(crate) struct Predicted<'a> {
    y: &'a Prediction<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interval: Option<&'a [[f64; 2]]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mean_interval: Option<&'a [Option<[f64; 2]>]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prediction_sets: Option<&'a [Vec<&'a Scalar>]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interval_method: Option<IntervalMethod>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<&'a Explanation<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    probabilities: Option<ByLabel<'a>>,
    #[serde(flatten)]
    warnings: WarningsBody<'a>,
}

impl<'a> Predicted<'a> {
    pub(crate) fn new(answer: &'a Answer<'a>, options: Options) -> Self {
        let probabilities = answer.probabilities.as_ref().filter(|_| options.probabilities == Some(true));
        Self {
            y: &answer.prediction,
            interval: answer.intervals.as_deref(),
            mean_interval: answer.mean_intervals.as_deref(),
            prediction_sets: answer.prediction_sets.as_deref(),
            interval_method: answer.interval_method,
            explanation: answer.explanation.as_ref(),
            probabilities: probabilities.map(ByLabel),
            warnings: WarningsBody::new(answer),
        }
    }
}

/// One object `{label: probability}` per row.
struct ByLabel<'a>(&'a Probabilities<'a>);

impl Serialize for ByLabel<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let row = |row| RowByLabel { classes: self.0.classes, row };
        serializer.collect_seq(self.0.rows().map(row))
    }
}

struct RowByLabel<'a> {
    classes: &'a [Scalar],
    row: &'a [f64],
}

impl Serialize for RowByLabel<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.classes.iter().map(ToString::to_string).zip(self.row))
    }
}
