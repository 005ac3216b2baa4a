//! `KServe` v1 and TensorFlow Serving's REST API, which have the same routes for predictions.
//!
//! The answer to rows (`instances`) is `predictions`, the answer to columns (`inputs`) is `outputs`
//! (<https://www.tensorflow.org/tfx/serving/api_rest>,
//! <https://kserve.github.io/website/docs/concepts/architecture/data-plane/v1-protocol>).

pub(crate) mod openapi;

use axum::extract::{Request, State};
use axum::response::Response;
use serde::Serialize;

use super::model_path::ModelPath;
use super::output::{Output, Values};
use super::prediction_request::{PredictionRequest, WarningsBody};
use crate::http::application::{App, Application};
use crate::http::decode;
use crate::http::decode::json::{Decoded, Form, Keys, once, unknown};
use crate::http::route::{Protocol, Route};
use crate::http::server::envelope::Envelope;
use crate::http::server::error::{ApiError, ErrorCode};
use crate::http::server::{body, query, response};
use crate::source::catalog::MAX_NAMES;
use ordinate_model::{Model, Wanted};

pub(crate) const ROWS: &str = "instances";
const SIGNATURE_NAME: &str = "signature_name";
pub(crate) const PARAMETERS: &str = "parameters";

const KEYS: Keys = Keys::new(&[(ROWS, Form::Rows), ("inputs", Form::Any)], &[SIGNATURE_NAME, PARAMETERS]);

/// The names of the default signature, as in TensorFlow's exporters.
const DEFAULT_SIGNATURES: [&str; 2] = ["serving_default", ""];

pub(crate) const PROTOCOL: Protocol = Protocol { routes, tags: &[openapi::TAG], schemas: openapi::define };

fn routes() -> Vec<Route> {
    let mut routes = vec![Route::get("/v1/models", list).operation(openapi::models)];
    routes.extend([
        Route::get("/v1/models/{model}", status).operation(openapi::status),
        Route::post("/v1/models/{model}:predict", predict_named).operation_of_default_model(openapi::predict),
        Route::post("/v1/models/{model}:explain", explain).operation_of_default_model(openapi::explain),
        Route::get("/v1/models/{model}/versions/{version}", status).operation(openapi::status),
        Route::post("/v1/models/{model}/versions/{version}:predict", predict_named)
            .operation_of_default_model(openapi::predict),
        Route::post("/v1/models/{model}/versions/{version}:explain", explain)
            .operation_of_default_model(openapi::explain),
    ]);
    routes.into_iter().map(|route| route.errors(Envelope::Error)).collect()
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Predicted<'a> {
    Predictions(Values<'a>),
    Outputs(Values<'a>),
}

/// The response of `:explain`.
#[derive(Serialize)]
struct Explained<'m> {
    explanations: Values<'m>,
    #[serde(flatten)]
    warnings: WarningsBody<'m>,
}

#[derive(Serialize)]
struct Models {
    models: Vec<String>,
}

/// The status of a model, for clients of both servers.
#[derive(Serialize)]
struct Status<'a> {
    name: &'a str,
    ready: bool,
    #[serde(rename = "model_version_status")]
    versions: [VersionStatus<'a>; 1],
}

#[derive(Serialize)]
struct VersionStatus<'a> {
    version: &'a str,
    state: &'static str,
    status: VersionError,
}

#[derive(Serialize)]
struct VersionError {
    error_code: &'static str,
    error_message: &'static str,
}

/// `GET /v1/models`
async fn list(State(application): App) -> Result<Response, ApiError> {
    response::respond(&Models { models: application.catalog.names(None, MAX_NAMES).await?.names })
}

/// `GET /v1/models/{model}[/versions/{version}]`
async fn status(State(application): App, path: ModelPath) -> Result<Response, ApiError> {
    let model = path.load(&application).await?;
    let status = VersionError { error_code: "OK", error_message: "" };
    response::respond(&Status {
        name: model.name(),
        ready: true,
        versions: [VersionStatus { version: model.version(), state: "AVAILABLE", status }],
    })
}

async fn open(application: &Application, path: &ModelPath, request: Request) -> Result<PredictionRequest, ApiError> {
    let json = body::expect_json(request.headers(), "application/json");
    query::expect_no_options(request.uri())?;
    let prediction = PredictionRequest::open(application, path, request).await?;
    json.map(|()| prediction)
}

/// `POST /v1/models/{model}[/versions/{version}]:explain`
async fn explain(State(application): App, path: ModelPath, request: Request) -> Result<Response, ApiError> {
    let mut prediction = open(&application, &path, request).await?;
    let (model, body) = (prediction.model.clone(), prediction.body.clone());
    let decoded = decode::json::read(&body, &KEYS, prediction.terms(&model))?;
    // All outputs have the same explanation; an unknown output is an error here as in `:predict`.
    output(&decoded, &model)?;
    prediction.end_stage("decode");
    let wanted = Wanted { explanation: true, ..Wanted::default() };
    let answer = prediction.answer(&model, &decoded.frame, wanted)?;
    let explanations = Output::Explain.values(&model, &answer)?;
    let warnings = WarningsBody::new(&answer);
    prediction.json(decoded.frame.rows(), &Explained { explanations, warnings })
}

/// `POST /v1/models/{model}[/versions/{version}]:predict`
async fn predict_named(State(application): App, path: ModelPath, request: Request) -> Result<Response, ApiError> {
    predict(&application, &path, request, &KEYS).await
}

/// Predictions for a body with these keys.
///
/// # Errors
/// 4xx for an invalid request or invalid rows, 503 for a model that cannot be loaded.
pub(crate) async fn predict(
    application: &Application,
    path: &ModelPath,
    request: Request,
    keys: &Keys,
) -> Result<Response, ApiError> {
    let mut prediction = open(application, path, request).await?;
    let (model, body) = (prediction.model.clone(), prediction.body.clone());
    let decoded = decode::json::read(&body, keys, prediction.terms(&model))?;
    let output = output(&decoded, &model)?;
    prediction.end_stage("decode");
    let answer = prediction.answer(&model, &decoded.frame, Wanted::default())?;
    let values = output.values(&model, &answer)?;
    let predicted = if decoded.key == ROWS { Predicted::Predictions(values) } else { Predicted::Outputs(values) };
    prediction.json(decoded.frame.rows(), &predicted)
}

/// The output that a body requests: by the name of a signature, by a parameter, or by both.
fn output(decoded: &Decoded<'_, '_>, model: &Model) -> Result<Output, ApiError> {
    let mut method: Option<String> = None;
    decoded.members(PARAMETERS, "{\"predict_method\": \"predict\"}", |reader, key| match key {
        "predict_method" => once(&mut method, key, reader.option(key, "the name of an output")?),
        other => Err(unknown(other, "the only parameter is \"predict_method\"")),
    })?;
    let signature: Option<String> = decoded.option(SIGNATURE_NAME, "a string")?;
    let signature = signature.filter(|name| !DEFAULT_SIGNATURES.contains(&name.as_str()));
    let named = |name: String| Output::from_name(&name, model, Output::predictions(model));
    match (signature.map(named).transpose()?, method.map(named).transpose()?) {
        (Some(signature), Some(method)) if signature != method => {
            let (signature, method) = (signature.name(), method.name());
            let detail = format!(
                "{SIGNATURE_NAME:?} is {signature:?}, but \"predict_method\" is {method:?}; send one of the two"
            );
            Err(ApiError::new(ErrorCode::ConflictingKeys, detail))
        }
        (signature, method) => Ok(signature.or(method).unwrap_or(Output::Predict)),
    }
}
