//! Liveness and readiness.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header;

use super::error::ApiError;
use crate::http::application::App;

const JSON: [(header::HeaderName, &str); 2] =
    [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];

/// Liveness: never loads a model.
pub(crate) async fn live() -> Response {
    (JSON, r#"{"live":true}"#).into_response()
}

/// Readiness: loads the default model, or fails with 503.
pub(crate) async fn ready(State(application): App) -> Result<Response, ApiError> {
    application.catalog.default_model().await?;
    Ok((JSON, r#"{"ready":true}"#).into_response())
}
