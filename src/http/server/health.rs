//! Liveness and readiness.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header;

use super::error::{ApiError, ErrorCode};
use crate::http::application::App;
use crate::source::catalog::CatalogError;

const JSON: [(header::HeaderName, &str); 2] =
    [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];

/// Liveness: never loads a model.
pub(crate) async fn live() -> Response {
    (JSON, r#"{"live":true}"#).into_response()
}

/// Readiness: loads the default model, or fails with 503, whatever the reason.
pub(crate) async fn ready(State(application): App) -> Result<Response, ApiError> {
    match application.catalog.default_model().await {
        Ok(_) => Ok((JSON, r#"{"ready":true}"#).into_response()),
        Err(error @ CatalogError::Unavailable(_)) => Err(error.into()),
        Err(error) => Err(ApiError::new(ErrorCode::ModelUnavailable, format!("not ready: {error}"))),
    }
}
