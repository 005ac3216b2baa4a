//! `MLflow`'s scoring server: bodies and answers of `/invocations`, a route shared with `SageMaker`
//! (`sagemaker/invocations.rs`) (<https://mlflow.org/docs/latest/ml/deployment/deploy-model-locally>).
//!
//! Columns that are not features are ignored, as `MLflow`'s schema enforcement does, although the other protocols
//! reject unknown names. Unknown parameters are ignored, too, as by an `MLflow` model without a parameter schema. The
//! options of the service's own routes are errors, because their results have no place in the answer.

pub(crate) mod openapi;

use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::native;
use super::output::{Output, Values};
use crate::http::decode::json::{Decoded, Form, once};
use crate::http::route::{Protocol, Route};
use crate::http::server::envelope::Envelope;
use crate::http::server::error::ApiError;
use crate::http::server::health;
use ordinate_model::Model;

pub(crate) const PROTOCOL: Protocol = Protocol { routes, tags: &[openapi::SHARED], schemas: openapi::define };

fn routes() -> Vec<Route> {
    let ready = |path| Route::get(path, health::ready).operation(native::openapi::ready).always_answered();
    let routes = [ready("/health"), ready("/ping"), Route::get("/version", version).operation(openapi::version)];
    routes.map(|route| route.errors(Envelope::Mlflow)).into()
}

/// The keys of a body.
pub(crate) const TABLES: [(&str, Form); 4] = [
    ("dataframe_split", Form::Split),
    ("dataframe_records", Form::Records),
    // With the rows of `SageMaker`, which has this key, too.
    ("instances", Form::WrappedRows),
    ("inputs", Form::Any),
];

pub(crate) const PARAMETERS: &str = "params";

const ELSEWHERE: &str =
    "use POST /models/{name}/predict; for classifiers, \"predict_method\": \"predict_proba\" returns probabilities";

#[derive(Serialize)]
pub(crate) struct Predictions<'a> {
    pub(crate) predictions: Values<'a>,
}

/// The output that a body requests.
///
/// # Errors
/// `unknown_output` if the model does not have it.
pub(crate) fn output(decoded: &Decoded<'_, '_>, model: &Model) -> Result<Output, ApiError> {
    let mut method: Option<String> = None;
    decoded.members(PARAMETERS, "{\"predict_method\": \"predict\"}", |reader, key| match key {
        // The name in `mlflow.sklearn`.
        "predict_method" => once(&mut method, key, reader.option(key, "the name of an output")?),
        "interval" | "explain" | "probabilities" => reader.unsupported(key, ELSEWHERE),
        _ => reader.skip(),
    })?;
    match method {
        Some(name) => Output::from_name(&name, model, Output::predictions(model)),
        None => Ok(Output::Predict),
    }
}

/// `GET /version`
async fn version() -> Response {
    env!("CARGO_PKG_VERSION").into_response()
}
