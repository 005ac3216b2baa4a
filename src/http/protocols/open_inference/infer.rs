//! `POST /v2/models/{model}[/versions/{version}]/infer`.

use axum::extract::{Request, State};
use axum::response::Response;
use http::{HeaderMap, HeaderValue, header};
use serde::Serialize;

use super::super::model_path::ModelPath;
use super::super::output::{Output, Values};
use super::super::prediction_request::PredictionRequest;
use super::tensor::Tensor;
use crate::http::application::App;
use crate::http::decode::tensor;
use crate::http::decode::tensor::InferRequest;
use crate::http::server::error::{ApiError, ErrorCode};
use crate::http::server::headers::JSON_LENGTH;
use crate::http::server::{body, query};
use ordinate_model::wording::shorten;
use ordinate_model::{Model, Wanted};

const OCTETS: &str = "application/octet-stream";

#[derive(Serialize)]
struct InferResponse<'a> {
    model_name: &'a str,
    model_version: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    outputs: Vec<ResponseOutput<'a>>,
}

#[derive(Serialize)]
struct ResponseOutput<'a> {
    name: &'static str,
    datatype: &'static str,
    shape: &'a [usize],
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<Parameters>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Tensor<'a>>,
}

#[derive(Serialize)]
struct Parameters {
    /// The number of bytes of this output after the JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    binary_data_size: Option<usize>,
    /// The level of an interval or a prediction set.
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<f64>,
}

/// `POST /v2/models/{model}[/versions/{version}]/infer`
pub(crate) async fn infer(State(application): App, path: ModelPath, request: Request) -> Result<Response, ApiError> {
    let format = json_length(request.headers());
    query::expect_no_options(request.uri())?;
    let mut prediction = PredictionRequest::open(&application, &path, request).await?;
    let (model, body) = (prediction.model.clone(), prediction.body.clone());
    let request = tensor::read(&body, format?)?;
    check_model(&request, &model)?;
    let outputs = outputs(&request, &model)?;
    let frame = request.frame(prediction.terms(&model))?;
    prediction.end_stage("decode");
    let mut wanted = Wanted::default();
    for requested in &outputs {
        requested.output.add_to(&mut wanted);
    }
    let answer = prediction.answer(&model, &frame, wanted)?;
    let tensor = |requested: Requested| {
        let values = requested.output.values(&model, &answer)?;
        let tensor = match (values, requested.classes) {
            (Values::Probabilities(probabilities), Some(count)) => Tensor::top_classes(probabilities, count),
            (values, _) => Tensor::new(values),
        };
        Ok((requested, tensor))
    };
    let tensors: Vec<_> = outputs.into_iter().map(tensor).collect::<Result<_, ApiError>>()?;

    let mut bytes = Vec::new();
    let response = InferResponse {
        model_name: model.name(),
        model_version: model.version(),
        id: request.id.as_deref(),
        outputs: tensors.iter().map(|(requested, tensor)| response_output(*requested, tensor, &mut bytes)).collect(),
    };
    if bytes.is_empty() {
        return prediction.json(frame.rows(), &response);
    }
    let mut encoded = serde_json::to_vec(&response).map_err(|error| ApiError::internal(error.to_string()))?;
    let length = HeaderValue::from(encoded.len());
    encoded.append(&mut bytes);
    let mut response = prediction.bytes(frame.rows(), OCTETS, encoded)?;
    response.headers_mut().insert(JSON_LENGTH, length);
    Ok(response)
}

/// A requested output and its form.
#[derive(Debug, Clone, Copy)]
struct Requested {
    output: Output,
    /// Whether it is returned as bytes.
    binary: bool,
    /// The number of the most probable classes to return in the place of the values.
    classes: Option<usize>,
}

fn response_output<'a>(requested: Requested, tensor: &'a Tensor<'_>, bytes: &mut Vec<u8>) -> ResponseOutput<'a> {
    let Requested { output, binary, .. } = requested;
    let (name, datatype, shape) = (output.name(), tensor.datatype.name(), tensor.shape.as_slice());
    let before = bytes.len();
    if binary {
        tensor.append_to(bytes);
    }
    let (binary_data_size, level) = (binary.then(|| bytes.len() - before), output.level());
    let has_parameters = binary_data_size.is_some() || level.is_some();
    let parameters = has_parameters.then_some(Parameters { binary_data_size, level });
    ResponseOutput { name, datatype, shape, parameters, data: (!binary).then_some(tensor) }
}

/// Checks that a body names the model of the path, if it names one. An empty version is any version, as over gRPC.
fn check_model(request: &InferRequest<'_>, model: &Model) -> Result<(), ApiError> {
    let names =
        [("model_name", &request.model_name, model.name()), ("model_version", &request.model_version, model.version())];
    for (key, in_body, expected) in names {
        if let Some(in_body) = in_body.as_deref().filter(|name| !name.is_empty() && *name != expected) {
            let in_body = shorten(in_body);
            let detail = format!(
                "{key:?} is {in_body:?}, but the path is that of the model {:?}, version {:?}",
                model.name(),
                model.version()
            );
            return Err(ApiError::new(ErrorCode::ConflictingKeys, detail));
        }
    }
    Ok(())
}

/// The requested outputs; by default the prediction. A level for the whole
/// request applies to all requested outputs with a level; without such an output, it adds the interval or the
/// prediction sets.
fn outputs(request: &InferRequest<'_>, model: &Model) -> Result<Vec<Requested>, ApiError> {
    let all = Output::all(model);
    let by_default = |output| Requested { output, binary: request.binary_outputs, classes: None };
    let mut outputs: Vec<Requested> = Vec::new();
    for requested in &request.outputs {
        let output = Output::from_name(&requested.name, model, &all)
            .map_err(|error| unavailable(&requested.name, model, error))?;
        let output = match (requested.level(), output.level()) {
            (Some(level), Some(_)) => output.with_level(level),
            (Some(_), None) => {
                let detail = format!(
                    "the output {:?} does not have a \"level\"; only intervals and prediction sets do",
                    output.name()
                );
                return Err(ApiError::new(ErrorCode::InvalidOption, detail));
            }
            (None, _) => request.level.map_or(output, |level| output.with_level(level)),
        };
        if outputs.iter().any(|known| known.output.name() == output.name()) {
            let detail = format!("the output {:?} is requested twice", requested.name);
            return Err(ApiError::new(ErrorCode::DuplicateKey, detail));
        }
        let classes = requested.classes();
        if classes.is_some() && output != Output::PredictProba {
            return Err(no_classification(output, model));
        }
        outputs.push(Requested { output, binary: requested.binary()?.unwrap_or(request.binary_outputs), classes });
    }
    if outputs.is_empty() {
        outputs.push(by_default(Output::Predict));
    }
    if let Some(level) = request.level.filter(|_| outputs.iter().all(|known| known.output.level().is_none())) {
        outputs.push(by_default(Output::at_level(model, level)));
    }
    Ok(outputs)
}

/// The error for the most probable classes of an output that has no value per class.
fn no_classification(output: Output, model: &Model) -> ApiError {
    let name = output.name();
    let detail = if model.classes().is_some() {
        format!("output {name:?}: it has no value per class; request the \"classification\" of \"predict_proba\"")
    } else {
        format!("output {name:?}: the model {:?} is a regressor and has no \"classification\"", model.name())
    };
    ApiError::new(ErrorCode::InvalidOption, detail)
}

/// A more specific error than `unknown_output`, for intervals and prediction sets.
fn unavailable(name: &str, model: &Model, unknown: ApiError) -> ApiError {
    let at_level = Output::at_level(model, 0.5);
    if name != at_level.name() {
        return unknown;
    }
    let mut wanted = Wanted::default();
    at_level.add_to(&mut wanted);
    let reason = model.predictor(&wanted).err();
    reason.map_or(unknown, ApiError::from)
}

/// The length of the JSON in bytes, if tensors follow it.
///
/// # Errors
/// 415 for an unsupported content type, 400 for an invalid length.
fn json_length(headers: &HeaderMap) -> Result<Option<usize>, ApiError> {
    let sent = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let octets = sent.is_some_and(|media_type| body::essence(media_type).eq_ignore_ascii_case(OCTETS));
    if !octets {
        body::expect_json(headers, &format!("application/json or {OCTETS}"))?;
    }
    let Some(value) = headers.get(JSON_LENGTH) else { return Ok(None) };
    let text = String::from_utf8_lossy(value.as_bytes());
    text.trim().parse().map(Some).map_err(|_| {
        let detail =
            format!("header {JSON_LENGTH}: expected the length of the JSON in bytes, got {:?}", shorten(&text));
        ApiError::new(ErrorCode::InvalidOption, detail)
    })
}
