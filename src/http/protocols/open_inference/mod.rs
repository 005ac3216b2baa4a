//! Open Inference Protocol v2 (`KServe` v2), as Triton serves it: metadata, readiness, inference with tensors in JSON
//! or as bytes, repository index, statistics (<https://github.com/kserve/open-inference-protocol>,
//! <https://github.com/triton-inference-server/server/tree/main/docs/protocol>).

mod infer;
mod metadata;
mod openapi;
mod repository;
mod tensor;

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;

use super::model_path::ModelPath;
use crate::http::application::App;
use crate::http::route::{Protocol, Route};
use crate::http::server::envelope::Envelope;
use crate::http::server::error::ApiError;
use crate::http::server::response;

pub(crate) const PROTOCOL: Protocol = Protocol { routes, tags: &openapi::TAGS, schemas: openapi::define };

fn routes() -> Vec<Route> {
    let routes = [
        Route::get("/v2", metadata::server).operation(openapi::server),
        Route::get("/v2/health/live", live).operation(openapi::live).always_answered(),
        Route::get("/v2/health/ready", ready).operation(openapi::ready).always_answered(),
        Route::get("/v2/models/stats", repository::all_statistics).operation(openapi::all_statistics),
        Route::get("/v2/models/{model}", metadata::model).operation(openapi::model),
        Route::get("/v2/models/{model}/versions/{version}", metadata::model).operation(openapi::model),
        Route::get("/v2/models/{model}/ready", model_ready).operation(openapi::model_ready),
        Route::get("/v2/models/{model}/versions/{version}/ready", model_ready).operation(openapi::model_ready),
        Route::get("/v2/models/{model}/config", metadata::config).operation(openapi::config),
        Route::get("/v2/models/{model}/versions/{version}/config", metadata::config).operation(openapi::config),
        Route::get("/v2/models/{model}/stats", repository::statistics).operation(openapi::statistics),
        Route::get("/v2/models/{model}/versions/{version}/stats", repository::statistics)
            .operation(openapi::statistics),
        Route::post("/v2/repository/index", repository::index).operation(openapi::index),
        Route::post("/v2/repository/models/{model}/load", repository::not_supported)
            .operation(openapi::load)
            .not_suggested(),
        Route::post("/v2/repository/models/{model}/unload", repository::not_supported)
            .operation(openapi::unload)
            .not_suggested(),
        Route::post("/v2/models/{model}/infer", infer::infer).operation_of_default_model(openapi::infer),
        Route::post("/v2/models/{model}/versions/{version}/infer", infer::infer)
            .operation_of_default_model(openapi::infer),
    ];
    routes.map(|route| route.errors(Envelope::Error)).into()
}

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

/// Liveness: never loads a model.
async fn live() -> Result<Response, ApiError> {
    response::respond(&Health { live: true, ready: None })
}

/// Readiness: loads the default model, or fails with 503.
async fn ready(State(application): App) -> Result<Response, ApiError> {
    application.catalog.default_model().await?;
    response::respond(&Health { live: true, ready: Some(true) })
}

/// Readiness of a model: loads it, or fails with 503.
async fn model_ready(State(application): App, path: ModelPath) -> Result<Response, ApiError> {
    let model = path.load(&application).await?;
    response::respond(&ModelReady { name: model.name(), ready: true })
}
