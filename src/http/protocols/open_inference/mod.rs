//! Open Inference Protocol v2 (`KServe` v2), as Triton serves it: metadata, readiness, inference with tensors as JSON or as bytes,
//! the index of the repository, statistics
//! (<https://github.com/kserve/open-inference-protocol>, <https://github.com/triton-inference-server/server/tree/main/docs/protocol>).

mod infer;
mod metadata;
pub(crate) mod openapi;
mod repository;
mod tensor;

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};

use super::prediction_request::ModelRef;
use crate::http::application::{App, Application};
use crate::http::server::answer;
use crate::http::server::error::ApiError;

/// The routes under `/v2`.
pub(crate) fn routes() -> Router<Arc<Application>> {
    let mut routes = Router::new()
        .route("/v2", get(metadata::server))
        .route("/v2/health/live", get(live))
        .route("/v2/health/ready", get(ready))
        .route("/v2/models/stats", get(repository::all_statistics))
        .route("/v2/repository/index", post(repository::index))
        .route("/v2/repository/models/{model}/load", post(repository::refuse))
        .route("/v2/repository/models/{model}/unload", post(repository::refuse));
    for model in ["/v2/models/{model}", "/v2/models/{model}/versions/{version}"] {
        routes = routes
            .route(model, get(metadata::model))
            .route(&format!("{model}/ready"), get(model_ready))
            .route(&format!("{model}/config"), get(metadata::config))
            .route(&format!("{model}/stats"), get(repository::statistics))
            .route(&format!("{model}/infer"), post(infer::infer));
    }
    routes
}

/// Which model a path names.
#[derive(Debug, Deserialize)]
struct ModelPath {
    model: String,
    version: Option<String>,
}

impl ModelPath {
    fn model(&self) -> ModelRef<'_> {
        ModelRef::Named(&self.model, self.version.as_deref())
    }
}

/// A path that names a model, where it can be read.
type ModelPathResult = Result<Path<ModelPath>, PathRejection>;

#[derive(Serialize)]
struct Health {
    live: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    ready: Option<bool>,
}

#[derive(Serialize)]
struct ModelReady<'a> {
    name: &'a str,
    ready: bool,
}

/// The process runs; never loads a model.
async fn live() -> Result<Response, ApiError> {
    answer::respond(&Health { live: true, ready: None })
}

/// Loads the default model, or answers 503.
async fn ready(State(application): App) -> Result<Response, ApiError> {
    application.catalog.default_model().await?;
    answer::respond(&Health { live: true, ready: Some(true) })
}

/// Loads the model, or answers 503.
async fn model_ready(State(application): App, asked: ModelPathResult) -> Result<Response, ApiError> {
    let Path(asked) = asked?;
    let model = asked.model().load(&application).await?;
    answer::respond(&ModelReady { name: model.name(), ready: true })
}
