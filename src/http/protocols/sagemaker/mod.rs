//! `SageMaker`: answers in the form of its Linear Learner
//! (<https://docs.aws.amazon.com/sagemaker/latest/dg/LL-in-formats.html>).
//!
//! Regressors answer with a `score`. Classifiers answer with a `predicted_label`, a label of the training data, and a
//! `score`: the probability of the second of two classes, or the list of all probabilities. Linear Learner does not
//! define a CSV answer; here it has the same values in the same order, one line per row. An array (`application/x-npy`)
//! has the predictions or labels only.

mod invocations;
mod npy;
mod openapi;

use http::HeaderMap;
use serde::Serialize;

use crate::http::route::{Protocol, Route};
use crate::http::server::accept::Accept;
use crate::http::server::envelope::Envelope;
use crate::http::server::error::ApiError;
use ordinate_model::Answer;
use ordinate_model::scalar::Scalar;

pub(crate) const PROTOCOL: Protocol = Protocol { routes, tags: &[openapi::TAG], schemas: openapi::define };

fn routes() -> Vec<Route> {
    vec![
        Route::post("/invocations", invocations::default_model)
            .errors(Envelope::Mlflow)
            .operation_of_default_model(openapi::default_model),
        Route::post("/endpoints/{name}/invocations", invocations::endpoint)
            .errors(Envelope::Aws)
            .operation_of_default_model(openapi::endpoint),
    ]
}

/// The format of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// `{"predictions": […]}`.
    Json,
    /// One object per line.
    JsonLines,
    /// One row per line.
    Csv,
    /// One value or label per row, as an array of numpy.
    Npy,
}

impl Format {
    /// The format that `Accept` prefers (RFC 9110 §12.5.1), or the default if it allows any or no supported format.
    pub(crate) fn from_headers(headers: &HeaderMap, default: Self) -> Self {
        let [json, lines, csv, npy] =
            [Self::Json, Self::JsonLines, Self::Csv, Self::Npy].map(|format| (format.media_type(), format));
        let offers = [
            (default.media_type(), default),
            json,
            lines,
            ("application/x-jsonlines", Self::JsonLines),
            csv,
            ("application/csv", Self::Csv),
            npy,
        ];
        Accept::from_headers(headers).preferred(&offers).unwrap_or(default)
    }

    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::JsonLines => "application/jsonlines",
            Self::Csv => "text/csv",
            Self::Npy => "application/x-npy",
        }
    }
}

#[derive(Serialize)]
struct Predictions<'a> {
    predictions: Vec<RowScore<'a>>,
}

#[derive(Serialize)]
struct RowScore<'a> {
    score: Score<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    predicted_label: Option<Scalar>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Score<'a> {
    Value(Scalar),
    Second(f64),
    Each(&'a [f64]),
}

/// Encodes an answer.
///
/// # Errors
/// `internal` if serialization fails.
pub(crate) fn encode(answer: &Answer<'_>, format: Format) -> Result<Vec<u8>, ApiError> {
    let internal = |error: &dyn std::fmt::Display| ApiError::internal(error.to_string());
    match format {
        Format::Json => {
            serde_json::to_vec(&Predictions { predictions: rows(answer).collect() }).map_err(|error| internal(&error))
        }
        Format::JsonLines => {
            let mut lines = Vec::new();
            for row in rows(answer) {
                serde_json::to_writer(&mut lines, &row).map_err(|error| internal(&error))?;
                lines.push(b'\n');
            }
            Ok(lines)
        }
        Format::Csv => {
            let mut writer = csv::WriterBuilder::new().has_headers(false).flexible(true).from_writer(Vec::new());
            for row in rows(answer) {
                writer.serialize(row).map_err(|error| internal(&error))?;
            }
            writer.into_inner().map_err(|error| internal(&error))
        }
        Format::Npy => Ok(npy::array(&answer.prediction)),
    }
}

fn rows<'a>(answer: &'a Answer<'_>) -> Box<dyn Iterator<Item = RowScore<'a>> + 'a> {
    let Some(probabilities) = &answer.probabilities else {
        let values = answer.prediction.scalars();
        return Box::new(values.map(|value| RowScore { score: Score::Value(value), predicted_label: None }));
    };
    let scores = probabilities.rows().map(|row| match row {
        [_, second] => Score::Second(*second),
        each => Score::Each(each),
    });
    let labels = answer.prediction.scalars();
    Box::new(scores.zip(labels).map(|(score, label)| RowScore { score, predicted_label: Some(label) }))
}
