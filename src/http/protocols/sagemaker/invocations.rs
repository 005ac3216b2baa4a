//! `POST /invocations`, the route of both `MLflow`'s scoring server and `SageMaker`'s containers, and `POST
//! /endpoints/{name}/invocations`, the route of the `SageMaker` runtime.
//!
//! Both routes accept the same bodies. On `/invocations` the body decides which protocol the answer follows:
//!
//! | body | answer |
//! |---|---|
//! | JSON Lines | `SageMaker` |
//! | JSON, every row `{"features": […]}` or `{"data": {"features": {"values": […]}}}` | `SageMaker` |
//! | JSON, a list of rows without a key | `SageMaker` |
//! | other JSON | `MLflow` |
//! | an array of numpy (`application/x-npy`) | `SageMaker` |
//! | CSV whose first line contains a feature name | `MLflow` |
//! | CSV whose first line contains no feature name: values in the order of the signature | `SageMaker` |
//!
//! `Content-Type: text/csv; header=present` or `header=absent` (RFC 4180) declares the first line. On
//! `/endpoints/{name}/invocations`, where `name` is the name of a model, every answer follows `SageMaker`.

use axum::extract::{Request, State};
use axum::response::Response;

use super::{Format, encode};
use crate::http::application::{App, Application};
use crate::http::decode::json::{Form, Keys, Names, Terms};
use crate::http::decode::{Layout, csv, json, lines, npy};
use crate::http::protocols::mlflow;
use crate::http::protocols::model_path::ModelPath;
use crate::http::protocols::output::Output;
use crate::http::protocols::prediction_request::PredictionRequest;
use crate::http::server::body::MediaType;
use crate::http::server::error::ApiError;
use crate::http::server::query;
use ordinate_model::Wanted;

/// The keys of a body on `/invocations`.
const KEYS: Keys =
    Keys { tables: &mlflow::TABLES, foreign_tables: &[LONG_ROW], options: &[mlflow::PARAMETERS], bare_rows: true };

/// The same keys on the route of the `SageMaker` runtime, whose callers know `SageMaker`'s.
const RUNTIME_KEYS: Keys =
    Keys { tables: &[("instances", Form::WrappedRows), LONG_ROW], foreign_tables: &mlflow::TABLES, ..KEYS };

/// The key of a single row in the long form.
const LONG_ROW: (&str, Form) = ("data", Form::LongRow);

/// The protocol that an answer follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Mlflow,
    SageMaker,
}

/// The content types, for errors.
const SUPPORTED: &str = "application/json, text/csv, application/jsonlines or application/x-npy";

/// `POST /invocations`
pub(crate) async fn default_model(
    State(application): App,
    path: ModelPath,
    request: Request,
) -> Result<Response, ApiError> {
    predict(&application, &path, request, &KEYS, None).await
}

/// `POST /endpoints/{name}/invocations`
pub(crate) async fn endpoint(State(application): App, path: ModelPath, request: Request) -> Result<Response, ApiError> {
    predict(&application, &path, request, &RUNTIME_KEYS, Some(Dialect::SageMaker)).await
}

async fn predict(
    application: &Application,
    path: &ModelPath,
    request: Request,
    keys: &Keys,
    dialect: Option<Dialect>,
) -> Result<Response, ApiError> {
    query::expect_no_options(request.uri())?;
    let media_type = MediaType::from_headers(request.headers(), SUPPORTED);
    let mut prediction = PredictionRequest::open(application, path, request).await?;
    let (model, body) = (prediction.model.clone(), prediction.body.clone());
    let media_type = media_type?.of(&body);
    let terms = Terms { names: Names::IgnoreUnknown, ..prediction.terms(&model) };
    let (frame, dialect_of_body, output) = match media_type {
        MediaType::Json => {
            let decoded = json::read(&body, keys, terms)
                .map_err(|error| csv::advise_content_type(error, &body, model.signature()))?;
            let output = mlflow::output(&decoded, &model)?;
            let is_sagemaker = decoded.layout == Layout::Wrapped || decoded.key.is_empty();
            (decoded.frame, if is_sagemaker { Dialect::SageMaker } else { Dialect::Mlflow }, output)
        }
        MediaType::Csv(header) => {
            let (frame, layout) = csv::read(&body, terms, header)?;
            let dialect_of_body = if layout == Layout::Lines { Dialect::SageMaker } else { Dialect::Mlflow };
            (frame, dialect_of_body, Output::Predict)
        }
        MediaType::Npy => (npy::read(&body, terms)?, Dialect::SageMaker, Output::Predict),
        MediaType::JsonLines | MediaType::Octets => (lines::read(&body, terms)?, Dialect::SageMaker, Output::Predict),
    };
    prediction.end_stage("decode");
    let answer = prediction.answer(&model, &frame, Wanted::default())?;
    match dialect.unwrap_or(dialect_of_body) {
        Dialect::Mlflow => {
            prediction.json(frame.rows(), &mlflow::Predictions { predictions: output.values(&model, &answer)? })
        }
        Dialect::SageMaker => {
            let default = match media_type {
                MediaType::JsonLines => Format::JsonLines,
                MediaType::Npy => Format::Npy,
                _ => Format::Json,
            };
            let format = Format::from_headers(&prediction.headers, default);
            prediction.bytes(frame.rows(), format.media_type(), encode(&answer, format)?)
        }
    }
}
