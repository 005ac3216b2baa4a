//! All routes.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::routing::{any, get, post};
use ordinate_model::wording::shorten;

use super::application::Application;
use super::docs::{openapi, reader};
use super::page;
use super::protocols::native::{models, predict};
use super::protocols::sagemaker::invocations;
use super::protocols::{kserve_v1, mlflow, open_inference, vertex};
use super::server::error::{ApiError, ErrorCode, wrong_method};
use super::server::{health, path};
use super::settings::{VERTEX_HEALTH, VERTEX_PREDICT};

/// The routes, as 404 answers suggest them.
pub(crate) const ROUTES: [&str; 35] = [
    "/predict",
    "/models",
    "/models/{name}",
    "/models/{name}/predict",
    "/models/{name}/versions/{version}",
    "/models/{name}/versions/{version}/predict",
    "/v1/models",
    "/v1/models/{model}",
    "/v1/models/{model}:predict",
    "/v1/models/{model}:explain",
    "/v1/models/{model}/versions/{version}:predict",
    "/v1/models/{model}/versions/{version}:explain",
    "/v2",
    "/v2/models/{model}",
    "/v2/health/live",
    "/v2/health/ready",
    "/v2/repository/index",
    "/v2/models/stats",
    "/v2/models/{model}/ready",
    "/v2/models/{model}/config",
    "/v2/models/{model}/stats",
    "/v2/models/{model}/infer",
    "/v2/models/{model}/versions/{version}/infer",
    "/vertex/predict",
    "/vertex/health",
    "/invocations",
    "/endpoints/{name}/invocations",
    "/ping",
    "/health",
    "/version",
    "/health/live",
    "/health/ready",
    openapi::PATH,
    reader::PAGE,
    reader::ERRORS,
];

/// The route that begins with this path, if one does.
pub(crate) fn route_below(path: &str) -> Option<&'static str> {
    ROUTES.into_iter().find(|route| path::begins(route, path))
}

/// The routes and what answers them.
pub(crate) fn routes(application: Arc<Application>) -> Router {
    Router::new()
        .route("/", get(page::show))
        .route("/predict", post(predict::with_default))
        .route("/models", get(models::list))
        .route("/models/{name}", get(models::show))
        .route("/models/{name}/predict", post(predict::with_named))
        .route("/models/{name}/versions/{version}", get(models::show_version))
        .route("/models/{name}/versions/{version}/predict", post(predict::with_version))
        .route("/v1/models", get(kserve_v1::list))
        .route("/v1/models/{model}", any(kserve_v1::model))
        .route("/v1/models/{model}/versions/{version}", any(kserve_v1::version))
        .merge(open_inference::routes())
        .route(VERTEX_PREDICT, post(vertex::predict))
        .route(VERTEX_HEALTH, get(health::ready))
        .route("/invocations", post(invocations::default_model))
        .route("/endpoints/{name}/invocations", post(invocations::endpoint))
        .route("/ping", get(health::ready))
        .route("/health", get(health::ready))
        .route("/version", get(mlflow::version))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .route(openapi::PATH, get(|application| openapi::document(application, routes)))
        .route(reader::PAGE, get(reader::page))
        .route(reader::ERRORS, get(reader::errors))
        .route(reader::READER, get(reader::reader))
        .fallback(unknown_route)
        .method_not_allowed_fallback(wrong_method)
        .with_state(application)
}

async fn unknown_route(request: Request) -> ApiError {
    let path = request.uri().path();
    let near = path::nearest(path, &ROUTES);
    let detail = format!("there is no {:?}; near to it: {}", shorten(path), near.join(", "));
    ApiError::new(ErrorCode::UnknownRoute, detail)
}
