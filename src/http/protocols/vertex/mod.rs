//! Vertex AI: bodies of `KServe` v1 on its own routes
//! (<https://cloud.google.com/vertex-ai/docs/predictions/custom-container-requirements>).

mod openapi;

use axum::extract::{Request, State};
use axum::response::Response;

use super::kserve_v1::{self, PARAMETERS, ROWS};
use super::model_path::ModelPath;
use crate::http::application::App;
use crate::http::decode::json::{Form, Keys};
use crate::http::route::{Protocol, Route};
use crate::http::server::envelope::Envelope;
use crate::http::server::error::ApiError;
use crate::http::server::health;

pub(crate) const PROTOCOL: Protocol = Protocol { routes, tags: &[openapi::TAG], schemas: openapi::define };

/// The path of predictions; `AIP_PREDICT_ROUTE` adds another one.
pub const PREDICT: &str = "/vertex/predict";

/// The path of health checks; `AIP_HEALTH_ROUTE` adds another one.
pub const HEALTH: &str = "/vertex/health";

const KEYS: Keys = Keys::new(&[(ROWS, Form::Rows)], &[PARAMETERS]);

fn routes() -> Vec<Route> {
    vec![
        Route::post(PREDICT, predict).errors(Envelope::Error).operation_of_default_model(openapi::predict),
        Route::get(HEALTH, health::ready).errors(Envelope::Error).operation(openapi::health).always_answered(),
    ]
}

async fn predict(State(application): App, path: ModelPath, request: Request) -> Result<Response, ApiError> {
    kserve_v1::predict(&application, &path, request, &KEYS).await
}
