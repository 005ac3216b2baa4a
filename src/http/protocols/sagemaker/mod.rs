//! `SageMaker`: answers in the form of its Linear Learner
//! (<https://docs.aws.amazon.com/sagemaker/latest/dg/LL-in-formats.html>).
//!
//! Regressors answer with a `score`. Classifiers answer with a `predicted_label`, a label of the training data, and a
//! `score`: the probability of the second of two classes, or the list of all probabilities. Linear Learner does not
//! define a CSV answer; here it has the same values in the same order, one line per row.

mod invocations;
mod openapi;

use http::{HeaderMap, header};
use serde::Serialize;

use crate::http::route::{Protocol, Route};
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
}

impl Format {
    /// The format that `Accept` prefers (RFC 9110 §12.5.1), or the default if it allows any or no supported format.
    pub(crate) fn from_headers(headers: &HeaderMap, default: Self) -> Self {
        let mut best = (0.0, default);
        for value in headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()) {
            for member in value.split(',') {
                let mut parts = member.split(';').map(str::trim);
                let format = match parts.next().unwrap_or_default().to_ascii_lowercase().as_str() {
                    "application/json" => Self::Json,
                    "application/jsonlines" | "application/x-jsonlines" => Self::JsonLines,
                    "text/csv" | "text/*" => Self::Csv,
                    "*/*" | "application/*" => default,
                    _ => continue,
                };
                let quality = parts.find_map(|part| part.strip_prefix("q=")).unwrap_or("1").parse().unwrap_or(0.0);
                if quality > best.0 {
                    best = (quality, format);
                }
            }
        }
        best.1
    }

    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::JsonLines => "application/jsonlines",
            Self::Csv => "text/csv",
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
