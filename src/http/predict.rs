//! Our own contract: `POST …/predict`.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use serde::Serialize;

use super::body::MediaType;
use super::decode::json::{Form, Keys};
use super::error::{ApiError, ErrorCode};
use super::exchange::{Exchange, Wanted};
use super::{App, Application, decode};
use crate::model::Prediction;

/// The body: `{"X": …}`.
const KEYS: Keys = Keys { tables: &[("X", Form::Any)], options: &[] };

/// The answer.
#[derive(Serialize)]
struct Answer<'a> {
    y: &'a Prediction<'a>,
}

/// With the default model.
pub(super) async fn with_default(State(application): App, request: Request) -> Result<Response, ApiError> {
    predict(&application, Wanted::Default, request).await
}

/// With a model by name.
pub(super) async fn with_named(
    State(application): App,
    name: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, ApiError> {
    let Path(name) = name?;
    predict(&application, Wanted::Named(&name, None), request).await
}

/// With a version of a model.
pub(super) async fn with_version(
    State(application): App,
    path: Result<Path<(String, String)>, PathRejection>,
    request: Request,
) -> Result<Response, ApiError> {
    let Path((name, version)) = path?;
    predict(&application, Wanted::Named(&name, Some(&version)), request).await
}

async fn predict(application: &Application, wanted: Wanted<'_>, request: Request) -> Result<Response, ApiError> {
    let media_type = MediaType::of(request.headers());
    let mut exchange = Exchange::open(application, wanted, request).await?;
    let model = exchange.model.clone();
    let body = exchange.body.clone();
    let frame = match media_type? {
        MediaType::Json => decode::json::read(&body, &KEYS, exchange.terms(&model))?.frame,
        MediaType::Csv(header) => decode::csv::read(&body, exchange.terms(&model), header.or_present())?.0,
        MediaType::JsonLines => {
            let detail = "JSON Lines are read at /invocations; send application/json or text/csv here";
            return Err(ApiError::new(ErrorCode::UnsupportedMediaType, detail));
        }
    };
    exchange.end("decode");
    let prediction = model.predict(&frame)?;
    exchange.end("predict");
    exchange.json(frame.rows(), &Answer { y: &prediction })
}
