//! Messages of JSON-RPC 2.0. Ids and parameters are kept as text, so that no digit of a number is lost.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::http::server::envelope::{JsonRpcError, JsonRpcFault};
use crate::http::server::error::{ApiError, ErrorCode};
use crate::http::server::response::{self, AnswerLimit};
use ordinate_model::wording::shorten;

const METHOD_NOT_FOUND: i32 = -32601;
const INVALID_PARAMS: i32 = -32602;
/// A code of the Model Context Protocol.
const UNSUPPORTED_PROTOCOL_VERSION: i32 = -32022;

/// A message of a client.
pub(super) enum Message<'a> {
    Request {
        id: &'a RawValue,
        method: String,
        params: Option<&'a RawValue>,
    },
    /// A notification or a response, which are not answered.
    NotAnswered,
}

/// The members of a message; `null` is a member, too.
#[derive(Deserialize)]
struct Members<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    jsonrpc: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    method: Option<&'a RawValue>,
    #[serde(borrow, default)]
    params: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    error: Option<&'a RawValue>,
}

fn present<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

impl<'a> Message<'a> {
    /// Reads a body.
    ///
    /// # Errors
    /// 400 if it is not JSON, or not one message.
    pub(super) fn parse(body: &'a [u8]) -> Result<Self, ApiError> {
        let invalid_json = |error: &dyn std::fmt::Display| {
            ApiError::new(ErrorCode::InvalidJson, format!("the body is not valid JSON: {error}"))
        };
        let invalid =
            |what: String| ApiError::new(ErrorCode::InvalidBody, format!("not a JSON-RPC 2.0 request: {what}"));
        let text: &RawValue = serde_json::from_slice(body).map_err(|error| invalid_json(&error))?;
        if text.get().starts_with('[') {
            return Err(invalid("batches are not supported; send one request".into()));
        }
        if !is_object(text) {
            return Err(invalid(format!("expected an object, got {}", shorten(text.get()))));
        }
        let Members { jsonrpc, id, method, params, result, error } =
            serde_json::from_str(text.get()).map_err(|error| invalid(error.to_string()))?;
        if jsonrpc.is_none_or(|version| version.get() != "\"2.0\"") {
            return Err(invalid("\"jsonrpc\" must be \"2.0\"".into()));
        }
        let Some(method) = method else {
            return match (result, error) {
                (None, None) => Err(invalid("missing key \"method\"".into())),
                _ => Ok(Self::NotAnswered),
            };
        };
        let Ok(method) = serde_json::from_str(method.get()) else {
            return Err(invalid(format!("\"method\" must be a string, got {}", shorten(method.get()))));
        };
        match id {
            None => Ok(Self::NotAnswered),
            Some(id) if is_id(id) => Ok(Self::Request { id, method, params }),
            Some(id) => Err(invalid(format!("\"id\" must be a string or a number, got {}", shorten(id.get())))),
        }
    }
}

fn is_object(value: &RawValue) -> bool {
    value.get().starts_with('{')
}

fn is_id(value: &RawValue) -> bool {
    value.get().starts_with(|first: char| first == '"' || first == '-' || first.is_ascii_digit())
}

/// The parameters of a method, or the default if there are none.
///
/// # Errors
/// `invalid_params` if they are not an object with these members.
pub(super) fn params<T: DeserializeOwned + Default>(params: Option<&RawValue>) -> Result<T, RpcError> {
    let Some(params) = params else { return Ok(T::default()) };
    if !is_object(params) {
        return Err(RpcError::invalid_params(format!("\"params\" must be an object, got {}", shorten(params.get()))));
    }
    serde_json::from_str(params.get()).map_err(|error| RpcError::invalid_params(format!("\"params\": {error}")))
}

/// A response without a result.
pub(super) enum Failure {
    /// An error of the protocol.
    Rpc(RpcError),
    /// An error that the middleware renders and logs.
    Service(ApiError),
}

impl From<RpcError> for Failure {
    fn from(error: RpcError) -> Self {
        Self::Rpc(error)
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self::Service(error)
    }
}

/// An error in the response to a request.
pub(super) struct RpcError {
    code: i32,
    status: StatusCode,
    message: String,
    data: Value,
}

impl RpcError {
    pub(super) fn invalid_params(message: impl Into<String>) -> Self {
        Self { code: INVALID_PARAMS, status: StatusCode::OK, message: message.into(), data: json!({}) }
    }

    pub(super) fn unknown_method(method: &str) -> Self {
        let message = format!("unknown method {:?}", shorten(method));
        Self { code: METHOD_NOT_FOUND, status: StatusCode::OK, message, data: json!({}) }
    }

    pub(super) fn unsupported_version(requested: &str, supported: &[&str]) -> Self {
        let message = format!("unsupported protocol version {requested:?}; supported: {}", supported.join(", "));
        let data = json!({"supported": supported, "requested": requested});
        Self { code: UNSUPPORTED_PROTOCOL_VERSION, status: StatusCode::BAD_REQUEST, message, data }
    }

    pub(super) fn respond(self, id: Option<&RawValue>) -> Result<Response, ApiError> {
        let Self { code, status, message, data } = self;
        let error = JsonRpcError { jsonrpc: "2.0", id, error: JsonRpcFault { code, message: &message, data } };
        Ok((status, response::respond(&error)?).into_response())
    }
}

/// A successful response.
#[derive(Serialize)]
pub(super) struct Success<'a, T> {
    jsonrpc: &'static str,
    id: &'a RawValue,
    result: &'a T,
}

impl<'a, T> Success<'a, T> {
    pub(super) fn new(id: &'a RawValue, result: &'a T) -> Self {
        Self { jsonrpc: "2.0", id, result }
    }
}

/// The response with this result.
///
/// # Errors
/// 413 if it exceeds the limit.
pub(super) fn respond<T: Serialize>(id: &RawValue, result: &T, limit: AnswerLimit) -> Result<Response, ApiError> {
    let encoded = response::json(&Success::new(id, result), limit)?;
    Ok(([(CONTENT_TYPE, "application/json")], encoded).into_response())
}
