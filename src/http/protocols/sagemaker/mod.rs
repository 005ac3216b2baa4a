//! `SageMaker`'s answers: those of its Linear Learner
//! (<https://docs.aws.amazon.com/sagemaker/latest/dg/LL-in-formats.html>).
//!
//! A regression has a `score`. A classification has a `predicted_label`, as the label stood in training, and as `score` the
//! probability of the second of two classes, or a list with that of each class. Linear Learner describes no CSV answer: here it
//! has the same values, comma-separated in the same order, a line a row.

mod invocations;
mod openapi;

use http::{HeaderMap, header};
use serde::Serialize;

use crate::http::route::{Protocol, Route};
use crate::http::server::envelope::Envelope;
use crate::http::server::error::ApiError;
use ordinate_model::Answer;
use ordinate_model::scalar::Scalar;

pub(crate) const PROTOCOL: Protocol = Protocol { routes, tags: &[openapi::TAG], schemas: |components, _| components };

fn routes() -> Vec<Route> {
    vec![
        Route::post("/invocations", invocations::default_model)
            .errors(Envelope::Mlflow)
            .operation_of_default_model(openapi::default_model),
        Route::post("/endpoints/{name}/invocations", invocations::endpoint)
            .errors(Envelope::Aws)
            .operation_per_model(openapi::endpoint),
    ]
}

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// `{"predictions": […]}`.
    Json,
    /// One object a line.
    JsonLines,
    /// One row a line.
    Csv,
}

impl Format {
    /// What `Accept` wants most; the given one where it leaves that open, or wants what there is not (RFC 9110 §12.5.1).
    pub(crate) fn wanted(headers: &HeaderMap, otherwise: Self) -> Self {
        let mut best = (0.0, otherwise);
        for value in headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()) {
            for member in value.split(',') {
                let mut parts = member.split(';').map(str::trim);
                let format = match parts.next().unwrap_or_default().to_ascii_lowercase().as_str() {
                    "application/json" => Self::Json,
                    "application/jsonlines" | "application/x-jsonlines" => Self::JsonLines,
                    "text/csv" | "text/*" => Self::Csv,
                    "*/*" | "application/*" => otherwise,
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

    /// As `Content-Type` has it.
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
    predictions: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
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

/// Writes an answer.
///
/// # Errors
/// Ours, if ever.
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

fn rows<'a>(answer: &'a Answer<'_>) -> Box<dyn Iterator<Item = Row<'a>> + 'a> {
    let Some(probabilities) = &answer.probabilities else {
        let values = answer.prediction.scalars();
        return Box::new(values.map(|value| Row { score: Score::Value(value), predicted_label: None }));
    };
    let scores = probabilities.rows().map(|row| match row {
        [_, second] => Score::Second(*second),
        each => Score::Each(each),
    });
    let labels = answer.prediction.scalars();
    Box::new(scores.zip(labels).map(|(score, label)| Row { score, predicted_label: Some(label) }))
}
