//! The service's own routes: predictions, models, health.

mod models;
pub(crate) mod openapi;
mod predict;
pub(crate) mod wrong_method;

use crate::http::route::{Protocol, Route};
use crate::http::server::health;

pub(crate) const PROTOCOL: Protocol = Protocol { routes, tags: &openapi::TAGS, schemas: openapi::define };

fn routes() -> Vec<Route> {
    let predict = |path| Route::post(path, predict::predict).other_methods(wrong_method::advise);
    let show = |path| Route::get(path, models::show).other_methods(wrong_method::lead_to_predictions);
    vec![
        predict("/predict").operation_of_default_model(openapi::predict::default_model),
        Route::get("/models", models::list).operation(openapi::models),
        show("/models/{name}").operation(openapi::model),
        Route::get("/models/{name}/versions", models::versions).operation(openapi::versions),
        show("/models/{name}/versions/{version}").operation(openapi::version),
        predict("/models/{name}/predict").operation_per_model(openapi::predict::model),
        predict("/models/{name}/versions/{version}/predict").operation_per_model(openapi::predict::version),
        Route::get("/health/live", health::live).operation(openapi::live).always_answered(),
        Route::get("/health/ready", health::ready).operation(openapi::ready).always_answered(),
    ]
}
