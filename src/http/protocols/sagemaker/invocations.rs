//! `POST /invocations`, which `MLflow`'s scoring server and `SageMaker`'s containers share, and `SageMaker`'s own route before
//! them, `POST /endpoints/{name}/invocations`.
//!
//! Both routes read the same bodies. On `/invocations` the body decides whose answer it gets:
//!
//! | body | answered as by |
//! |---|---|
//! | JSON Lines | `SageMaker` |
//! | JSON, every row `{"features": […]}` | `SageMaker` |
//! | other JSON | `MLflow` |
//! | CSV whose first line names features | `MLflow` |
//! | CSV whose first line names none: values in the signature's order | `SageMaker` |
//!
//! `Content-Type: text/csv; header=present` or `header=absent` (RFC 4180) says what the first line is. On
//! `/endpoints/{name}/invocations`, where `name` is a model's, every answer is `SageMaker`'s.

use axum::extract::{Request, State};
use axum::response::Response;

use super::{Format, encode};
use crate::http::application::{App, Application};
use crate::http::decode::json::Terms;
use crate::http::decode::{Layout, csv, json, lines};
use crate::http::protocols::mlflow;
use crate::http::protocols::model_path::ModelPath;
use crate::http::protocols::output::Output;
use crate::http::protocols::prediction_request::PredictionRequest;
use crate::http::server::body::MediaType;
use crate::http::server::error::ApiError;
use ordinate_model::Wanted;

/// Whose answer a body gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Mlflow,
    SageMaker,
}

/// `POST /invocations`
pub(crate) async fn default_model(
    State(application): App,
    path: ModelPath,
    request: Request,
) -> Result<Response, ApiError> {
    predict(&application, &path, request, None).await
}

/// `POST /endpoints/{name}/invocations`
pub(crate) async fn endpoint(State(application): App, path: ModelPath, request: Request) -> Result<Response, ApiError> {
    predict(&application, &path, request, Some(Dialect::SageMaker)).await
}

async fn predict(
    application: &Application,
    path: &ModelPath,
    request: Request,
    dialect: Option<Dialect>,
) -> Result<Response, ApiError> {
    let media_type = MediaType::of(request.headers(), "application/json, text/csv or application/jsonlines");
    let mut prediction = PredictionRequest::open(application, path, request).await?;
    let (model, body, media_type) = (prediction.model.clone(), prediction.body.clone(), media_type?);
    let terms = Terms { lenient: true, ..prediction.terms(&model) };
    let (frame, spoken, output) = match media_type {
        MediaType::Json => {
            let decoded = json::read(&body, &mlflow::KEYS, terms)?;
            let output = mlflow::output(&decoded, &model)?;
            let wrapped = decoded.layout == Layout::Wrapped;
            (decoded.frame, if wrapped { Dialect::SageMaker } else { Dialect::Mlflow }, output)
        }
        MediaType::Csv(header) => {
            let (frame, layout) = csv::read(&body, terms, header)?;
            let spoken = if layout == Layout::Lines { Dialect::SageMaker } else { Dialect::Mlflow };
            (frame, spoken, Output::Predict)
        }
        MediaType::JsonLines => (lines::read(&body, terms)?, Dialect::SageMaker, Output::Predict),
    };
    prediction.end("decode");
    let answer = prediction.answer(&model, &frame, Wanted::default())?;
    match dialect.unwrap_or(spoken) {
        Dialect::Mlflow => {
            prediction.json(frame.rows(), &mlflow::Predictions { predictions: output.of(&model, &answer)? })
        }
        Dialect::SageMaker => {
            let alike = if media_type == MediaType::JsonLines { Format::JsonLines } else { Format::Json };
            let format = Format::wanted(&prediction.headers, alike);
            prediction.bytes(frame.rows(), format.media_type(), encode(&answer, format)?)
        }
    }
}
