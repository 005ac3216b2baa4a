//! `KServe` v1 and TensorFlow Serving's REST API, which agree on where a prediction is asked for.
//!
//! Rows (`instances`) are answered with `predictions`, columns (`inputs`) with `outputs`
//! (<https://www.tensorflow.org/tfx/serving/api_rest>,
//! <https://kserve.github.io/website/docs/concepts/architecture/data-plane/v1-protocol>).

pub(crate) mod openapi;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Method, header};
use serde::Serialize;

use super::output::{Output, Values};
use super::prediction_request::{Exchange, ModelRef, Warned};
use crate::http::application::{App, Application};
use crate::http::decode;
use crate::http::decode::json::{Decoded, Form, Keys, once, unknown};
use crate::http::server::error::{ApiError, ErrorCode};
use crate::http::server::{answer, body};
use ordinate_model::wording::shorten;
use ordinate_model::{Model, Wanted};

pub(crate) const ROWS: &str = "instances";
const SIGNATURE_NAME: &str = "signature_name";
pub(crate) const PARAMETERS: &str = "parameters";

const KEYS: Keys =
    Keys { tables: &[(ROWS, Form::Rows), ("inputs", Form::Any)], options: &[SIGNATURE_NAME, PARAMETERS] };

/// The names of the one signature that every model has, as TensorFlow's exporters call it.
const DEFAULT_SIGNATURES: [&str; 2] = ["serving_default", ""];

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Predicted<'a> {
    Predictions(Values<'a>),
    Outputs(Values<'a>),
}

/// What each feature adds to each answer, and warnings where there are any.
#[derive(Serialize)]
struct Explained<'m> {
    explanations: Values<'m>,
    #[serde(flatten)]
    warnings: Warned<'m>,
}

#[derive(Serialize)]
struct Models<'a> {
    models: Vec<&'a str>,
}

/// One object that clients of both servers find what they look for in.
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
pub(crate) async fn list(State(application): App) -> Result<Response, ApiError> {
    let models = application.catalog.models().await?;
    answer::respond(&Models { models: models.iter().map(|model| model.name()).collect() })
}

/// `GET /v1/models/{model}` and `POST /v1/models/{model}:predict`, one route to a router that knows nothing of colons.
pub(crate) async fn model(
    State(application): App,
    path: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, ApiError> {
    let Path(path) = path?;
    dispatch(&application, &path, |name| ModelRef::Named(name, None), request).await
}

/// The same of a version of a model.
pub(crate) async fn version(
    State(application): App,
    path: Result<Path<(String, String)>, PathRejection>,
    request: Request,
) -> Result<Response, ApiError> {
    let Path((name, path)) = path?;
    dispatch(&application, &path, |version| ModelRef::Named(&name, Some(version)), request).await
}

async fn dispatch<'a>(
    application: &Application,
    path: &'a str,
    asked: impl Fn(&'a str) -> ModelRef<'a>,
    request: Request,
) -> Result<Response, ApiError> {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let posts = request.method() == Method::POST;
    match path.rsplit_once(':') {
        Some((name, "predict")) if posts => predict(application, asked(name), request, &KEYS).await,
        Some((name, "explain")) if posts => explain(application, asked(name), request).await,
        Some((_, "predict" | "explain")) => Ok(wrong_method(request, "POST").await),
        _ if reads => tell(&*asked(path).load(application).await?),
        None => Ok(wrong_method(request, "GET,HEAD").await),
        Some(_) => {
            let detail = format!("nothing answers {:?}; models answer \":predict\" and \":explain\"", shorten(path));
            Err(ApiError::new(ErrorCode::UnknownRoute, detail))
        }
    }
}

async fn wrong_method(request: Request, allowed: &'static str) -> Response {
    let mut response = crate::http::server::error::wrong_method(request.method().clone()).await.into_response();
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
    response
}

fn tell(model: &Model) -> Result<Response, ApiError> {
    let status = VersionError { error_code: "OK", error_message: "" };
    answer::respond(&Status {
        name: model.name(),
        ready: true,
        versions: [VersionStatus { version: model.version(), state: "AVAILABLE", status }],
    })
}

async fn open(application: &Application, asked: ModelRef<'_>, request: Request) -> Result<Exchange, ApiError> {
    let json = body::expect_json(request.headers(), "application/json");
    let exchange = Exchange::open(application, asked, request).await?;
    json.map(|()| exchange)
}

async fn explain(application: &Application, asked: ModelRef<'_>, request: Request) -> Result<Response, ApiError> {
    let mut exchange = open(application, asked, request).await?;
    let (model, body) = (exchange.model.clone(), exchange.body.clone());
    let decoded = decode::json::read(&body, &KEYS, exchange.terms(&model))?;
    // There is one explanation, whatever output is named; what could not be predicted is not explained either.
    output(&decoded, &model)?;
    exchange.end("decode");
    let wanted = Wanted { explanation: true, ..Wanted::default() };
    let answer = exchange.answer(&model, &decoded.frame, wanted)?;
    let explanations = Output::Explain.of(&model, &answer)?;
    let warnings = Warned::of(&answer);
    exchange.json(decoded.frame.rows(), &Explained { explanations, warnings })
}

/// Predictions for a body of one of these forms.
///
/// # Errors
/// What is wrong with the request, or with its rows.
pub(crate) async fn predict(
    application: &Application,
    asked: ModelRef<'_>,
    request: Request,
    keys: &Keys,
) -> Result<Response, ApiError> {
    let mut exchange = open(application, asked, request).await?;
    let (model, body) = (exchange.model.clone(), exchange.body.clone());
    let decoded = decode::json::read(&body, keys, exchange.terms(&model))?;
    let output = output(&decoded, &model)?;
    exchange.end("decode");
    let answer = exchange.answer(&model, &decoded.frame, Wanted::default())?;
    let values = output.of(&model, &answer)?;
    let predicted = if decoded.key == ROWS { Predicted::Predictions(values) } else { Predicted::Outputs(values) };
    exchange.json(decoded.frame.rows(), &predicted)
}

/// The output that a body asks for: by the signature's name, by a parameter, or by both alike.
fn output(decoded: &Decoded<'_, '_>, model: &Model) -> Result<Output, ApiError> {
    let mut method: Option<String> = None;
    decoded.members(PARAMETERS, "{\"predict_method\": \"predict\"}", |reader, key| match key {
        "predict_method" => once(&mut method, key, reader.option(key, "the name of an output")?),
        other => Err(unknown(other, "the only one is \"predict_method\"")),
    })?;
    let signature: Option<String> = decoded.option(SIGNATURE_NAME, "a string")?;
    let signature = signature.filter(|name| !DEFAULT_SIGNATURES.contains(&name.as_str()));
    let named = |name: String| Output::named(&name, model, Output::predictions(model));
    match (signature.map(named).transpose()?, method.map(named).transpose()?) {
        (Some(signature), Some(method)) if signature != method => {
            let (signature, method) = (signature.name(), method.name());
            let detail =
                format!("{SIGNATURE_NAME:?} is {signature:?} and \"predict_method\" is {method:?}; send one of them");
            Err(ApiError::new(ErrorCode::ConflictingKeys, detail))
        }
        (signature, method) => Ok(signature.or(method).unwrap_or(Output::Predict)),
    }
}
