//! Messages of JSON-RPC 2.0. Ids and parameters are kept as text, so that no digit of a number is lost.

use std::borrow::Cow;
use std::collections::BTreeMap;

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::CONTENT_TYPE;
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
#[serde(expecting = "an object")]
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

/// The body with `null` for the tokens `NaN`, `Infinity` and `-Infinity`, which are missing values in all protocols.
pub(super) fn without_tokens(body: &[u8]) -> Cow<'_, [u8]> {
    let is_valid = || serde_json::from_slice::<&RawValue>(body).is_ok();
    let Some(text) = std::str::from_utf8(body).ok().filter(|_| !is_valid()) else { return Cow::Borrowed(body) };
    // The parts between quotes are alternately outside and within strings; an escaped quote does not end a string.
    let mut plain = String::with_capacity(text.len());
    let (mut rest, mut in_string) = (text, false);
    while !rest.is_empty() {
        let quote = closing_quote(rest, in_string);
        let (part, next) = rest.split_at(quote.unwrap_or(rest.len()));
        if in_string {
            plain.push_str(part);
        } else {
            plain.push_str(&part.replace("-Infinity", "null").replace("Infinity", "null").replace("NaN", "null"));
        }
        rest = next;
        if let Some(after) = rest.strip_prefix('"') {
            plain.push('"');
            rest = after;
            in_string = !in_string;
        }
    }
    Cow::Owned(plain.into_bytes())
}

/// The next quote that begins or ends a string.
fn closing_quote(text: &str, in_string: bool) -> Option<usize> {
    let mut is_escaped = false;
    text.bytes().position(|byte| {
        let ends = byte == b'"' && !is_escaped;
        is_escaped = in_string && byte == b'\\' && !is_escaped;
        ends
    })
}

impl<'a> Message<'a> {
    /// The id of a request.
    pub(super) fn id(&self) -> Option<&'a RawValue> {
        match self {
            Self::Request { id, .. } => Some(id),
            Self::NotAnswered => None,
        }
    }

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
        let members: Members<'a> = serde_json::from_str(text.get()).map_err(|error| invalid(without_place(&error)))?;
        let Members { jsonrpc, id, method, params, result, error } = members;
        let invalid = |what: String| match id.filter(|id| is_id(id)) {
            Some(id) => invalid(what).of_rpc(id),
            None => invalid(what),
        };
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

/// The description of an error of the parser without its place, which is that in a part of the body.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.clone(), |(what, _)| what.to_owned())
}

/// The parameters of a method.
pub(super) struct Params<'a>(BTreeMap<String, &'a RawValue>);

impl<'a> Params<'a> {
    /// Reads an object; without one, there are no parameters.
    ///
    /// # Errors
    /// `invalid_params` if they are not an object.
    pub(super) fn read(params: Option<&'a RawValue>) -> Result<Self, RpcError> {
        let Some(params) = params else { return Ok(Self(BTreeMap::new())) };
        serde_json::from_str(params.get()).map(Self).map_err(|_| {
            RpcError::invalid_params(format!("\"params\" must be an object, got {}", shorten(params.get())))
        })
    }

    pub(super) fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0.get(name).copied()
    }

    /// A parameter that is a string; `null` counts as absent.
    ///
    /// # Errors
    /// `invalid_params` if it is another value.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, RpcError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        serde_json::from_str(value.get()).map_err(|_| {
            RpcError::invalid_params(format!("\"params\": {name:?} must be a string, got {}", shorten(value.get())))
        })
    }
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
