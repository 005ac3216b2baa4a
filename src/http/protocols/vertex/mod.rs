//! Vertex AI, whose bodies are those of `KServe` v1 on routes of its own
//! (<https://cloud.google.com/vertex-ai/docs/predictions/custom-container-requirements>).

use axum::extract::{Request, State};
use axum::response::Response;

use super::kserve_v1::{PARAMETERS, ROWS};
use super::prediction_request::ModelRef;
use crate::http::application::App;
use crate::http::decode::json::{Form, Keys};
use crate::http::server::error::ApiError;

const KEYS: Keys = Keys { tables: &[(ROWS, Form::Rows)], options: &[PARAMETERS] };

/// `POST` to the route that Vertex AI calls `AIP_PREDICT_ROUTE`.
pub(crate) async fn predict(State(application): App, request: Request) -> Result<Response, ApiError> {
    super::kserve_v1::predict(&application, ModelRef::Default, request, &KEYS).await
}
