//! The service's own routes: predictions, models, health.

mod models;
pub(crate) mod openapi;
mod predict;

use crate::http::route::{Protocol, Route};
use crate::http::server::health;

pub(crate) const PROTOCOL: Protocol = Protocol { routes, tags: &openapi::TAGS, schemas: openapi::define };

fn routes() -> Vec<Route> {
    vec![
        Route::post("/predict", predict::predict).operation_of_default_model(openapi::predict::default_model),
        Route::get("/models", models::list).operation(openapi::models),
        Route::get("/models/{name}", models::show).operation(openapi::model),
        Route::get("/models/{name}/versions/{version}", models::show).operation(openapi::version),
        Route::post("/models/{name}/predict", predict::predict).operation_per_model(openapi::predict::model),
        Route::post("/models/{name}/versions/{version}/predict", predict::predict)
            .operation_per_model(openapi::predict::version),
        Route::get("/health/live", health::live).operation(openapi::live).always_answered(),
        Route::get("/health/ready", health::ready).operation(openapi::ready).always_answered(),
    ]
}
