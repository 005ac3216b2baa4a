//! `POST /v2/models/{model}[/versions/{version}]/infer`: tensors in, tensors out.

use axum::extract::{Path, Request, State};
use axum::response::Response;
use http::{HeaderMap, HeaderValue, header};
use serde::Serialize;

use super::super::decode::tensor::{self, InferRequest};
use super::super::error::{ApiError, ErrorCode};
use super::super::exchange::Exchange;
use super::super::output::Output;
use super::super::{App, body};
use super::tensor::Tensor;
use super::{AskedPath, JSON_LENGTH};
use crate::model::Model;
use crate::model::frame::shorten;

const OCTETS: &str = "application/octet-stream";

#[derive(Serialize)]
struct Answer<'a> {
    model_name: &'a str,
    model_version: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    outputs: Vec<AnsweredOutput<'a>>,
}

#[derive(Serialize)]
struct AnsweredOutput<'a> {
    name: &'static str,
    datatype: &'static str,
    shape: &'a [usize],
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<BinaryData>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Tensor<'a>>,
}

/// How many of the bytes behind the JSON are this output's.
#[derive(Serialize)]
struct BinaryData {
    binary_data_size: usize,
}

/// The route.
pub(super) async fn infer(State(application): App, asked: AskedPath, request: Request) -> Result<Response, ApiError> {
    let Path(asked) = asked?;
    let format = json_length(request.headers());
    let mut exchange = Exchange::open(&application, asked.wanted(), request).await?;
    let (model, body) = (exchange.model.clone(), exchange.body.clone());
    let request = tensor::read(&body, format?)?;
    agrees(&request, &model)?;
    let outputs = outputs(&request, &model)?;
    let frame = request.frame(exchange.terms(&model))?;
    exchange.end("decode");
    let computed = |(output, binary): (Output, bool)| Ok((output, binary, Tensor::of(output.compute(&model, &frame)?)));
    let tensors: Vec<_> = outputs.into_iter().map(computed).collect::<Result<_, ApiError>>()?;
    exchange.predicted(&model, &frame)?;

    let mut bytes = Vec::new();
    let answered = |(output, binary, tensor)| answered(output, binary, tensor, &mut bytes);
    let answer = Answer {
        model_name: model.name(),
        model_version: model.version(),
        id: request.id.as_deref(),
        outputs: tensors.iter().map(|(output, binary, tensor)| (*output, *binary, tensor)).map(answered).collect(),
    };
    if bytes.is_empty() {
        return exchange.json(frame.rows(), &answer);
    }
    let mut encoded = serde_json::to_vec(&answer).map_err(|error| ApiError::internal(error.to_string()))?;
    let length = HeaderValue::from(encoded.len());
    encoded.append(&mut bytes);
    let mut response = exchange.bytes(frame.rows(), OCTETS, encoded)?;
    response.headers_mut().insert(JSON_LENGTH, length);
    Ok(response)
}

fn answered<'a>(output: Output, binary: bool, tensor: &'a Tensor<'_>, bytes: &mut Vec<u8>) -> AnsweredOutput<'a> {
    let (name, datatype, shape) = (output.name(), tensor.datatype.name(), tensor.shape.as_slice());
    if !binary {
        return AnsweredOutput { name, datatype, shape, parameters: None, data: Some(tensor) };
    }
    let before = bytes.len();
    tensor.append_to(bytes);
    let parameters = Some(BinaryData { binary_data_size: bytes.len() - before });
    AnsweredOutput { name, datatype, shape, parameters, data: None }
}

/// A body may repeat which model its path names, and name no other. An empty version is any, as in the protocol over gRPC.
fn agrees(request: &InferRequest<'_>, model: &Model) -> Result<(), ApiError> {
    let said =
        [("model_name", &request.model_name, model.name()), ("model_version", &request.model_version, model.version())];
    for (key, said, asked) in said {
        if let Some(said) = said.as_deref().filter(|said| !said.is_empty() && *said != asked) {
            let said = shorten(said);
            let detail =
                format!("{key:?} is {said:?}, and the path leads to {:?}, version {:?}", model.name(), model.version());
            return Err(ApiError::new(ErrorCode::ConflictingKeys, detail));
        }
    }
    Ok(())
}

/// The outputs that are wanted, and whether as bytes; the prediction where none is named.
fn outputs(request: &InferRequest<'_>, model: &Model) -> Result<Vec<(Output, bool)>, ApiError> {
    let mut outputs: Vec<(Output, bool)> = Vec::new();
    for requested in &request.outputs {
        let output = Output::named(&requested.name, model, Output::all(model))?;
        if outputs.iter().any(|(known, _)| *known == output) {
            let detail = format!("the output {:?} is asked for twice", requested.name);
            return Err(ApiError::new(ErrorCode::DuplicateKey, detail));
        }
        outputs.push((output, requested.binary()?.unwrap_or(request.binary_outputs)));
    }
    if outputs.is_empty() {
        outputs.push((Output::Predict, request.binary_outputs));
    }
    Ok(outputs)
}

/// How many bytes of the body are JSON, where that is not all of it.
///
/// # Errors
/// 415 for a content type that is not understood, 400 for a length that is none.
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
            format!("the header {JSON_LENGTH} must be the length of the JSON in bytes, got {:?}", shorten(&text));
        ApiError::new(ErrorCode::InvalidOption, detail)
    })
}
