//! `MLflow`'s scoring server: what may stand in its bodies, and its answers
//! (<https://mlflow.org/docs/latest/ml/deployment/deploy-model-locally>).
//!
//! Columns that are no features are passed over, as `MLflow`'s schema enforcement does: the one exception to the rule that
//! unknown names are refused. Parameters that mean nothing here are passed over likewise, as by an `MLflow` model without a
//! schema of parameters; those that our own route understands are refused: they ask for what has no place in the answer.

pub(crate) mod openapi;

use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::native;
use super::output::{Output, Values};
use crate::http::decode::json::{Decoded, Form, Keys, once};
use crate::http::route::{Protocol, Route};
use crate::http::server::envelope::Envelope;
use crate::http::server::error::ApiError;
use crate::http::server::health;
use ordinate_model::Model;

pub(crate) const PROTOCOL: Protocol =
    Protocol { routes, tags: &[openapi::SHARED], schemas: |components, _| components };

fn routes() -> Vec<Route> {
    let ready = |path| Route::get(path, health::ready).operation(native::openapi::ready);
    let routes = [ready("/health"), ready("/ping"), Route::get("/version", version).operation(openapi::version)];
    routes.map(|route| route.errors(Envelope::Mlflow)).into()
}

/// The forms of its bodies; `SageMaker`'s share the key `instances`.
pub(crate) const KEYS: Keys = Keys {
    tables: &[
        ("dataframe_split", Form::Split),
        ("dataframe_records", Form::Records),
        ("instances", Form::WrappedRows),
        ("inputs", Form::Any),
    ],
    options: &[PARAMETERS],
};

const PARAMETERS: &str = "params";

/// Where to get what has no place in the answer.
const ELSEWHERE: &str =
    "ask POST /models/{name}/predict; of a classifier, \"predict_method\": \"predict_proba\" gets probabilities";

/// The answer.
#[derive(Serialize)]
pub(crate) struct Predictions<'a> {
    pub(crate) predictions: Values<'a>,
}

/// The output that a body asks for.
///
/// # Errors
/// A caller's mistake when the model has none of this name.
pub(crate) fn output(decoded: &Decoded<'_, '_>, model: &Model) -> Result<Output, ApiError> {
    let mut method: Option<String> = None;
    decoded.members(PARAMETERS, "{\"predict_method\": \"predict\"}", |reader, key| match key {
        // As `mlflow.sklearn` names it.
        "predict_method" => once(&mut method, key, reader.option(key, "the name of an output")?),
        "interval" | "explain" | "probabilities" => reader.unsupported(key, ELSEWHERE),
        _ => reader.skip(),
    })?;
    match method {
        Some(name) => Output::named(&name, model, Output::predictions(model)),
        None => Ok(Output::Predict),
    }
}

/// `GET /version`
async fn version() -> Response {
    env!("CARGO_PKG_VERSION").into_response()
}
