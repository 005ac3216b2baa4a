//! The form of an error in each protocol: status, headers and body that its clients can read.

use axum::body::Body;
use axum::response::Response;
use http::header::{self, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use http::{HeaderMap, StatusCode};
use serde::Serialize;

use super::error::{ApiError, Complaint, ErrorCode};
use super::path::Prefix;
use ordinate_model::frame::FaultKind;

/// Seconds after which a client should retry when a model could not be loaded, or the server is at its limit.
const RETRY_AFTER_SECONDS: u16 = 5;

/// The path of the list of errors, to which the type of a problem points.
pub(crate) const ERRORS: &str = "/docs/errors";

/// The form of an error's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Envelope {
    /// `application/problem+json` (RFC 9457) with additional members: the service's own routes.
    Problem,
    /// `{"error_code": …, "message": …}`: `MLflow`, and `SageMaker`'s containers, which share its route.
    Mlflow,
    /// `{"error": …}`: Open Inference Protocol, `KServe` v1, TF Serving, Vertex AI.
    Error,
    /// `{"Message": …}` and the error's name in a header: the `SageMaker` runtime and its SDKs.
    Aws,
    /// `{"jsonrpc": "2.0", "id": null, "error": …}`: the Model Context Protocol.
    JsonRpc,
}

impl Envelope {
    pub(crate) fn respond(self, error: &ApiError, prefix: &Prefix, request_id: &str) -> Response {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.media_type()));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let status = self.status(error.code);
        if self == Self::Aws {
            let name = HeaderValue::from_static(aws(error.code).1);
            headers.insert(HeaderName::from_static("x-amzn-errortype"), name);
        }
        if error.is_transient {
            headers.insert(RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS));
        }
        let mut response = Response::new(Body::from(self.body(error, prefix, request_id)));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        response
    }

    /// The content type of the body.
    pub(crate) fn media_type(self) -> &'static str {
        if self == Self::Problem { "application/problem+json" } else { "application/json" }
    }

    /// The status of an error code in this form.
    pub(crate) fn status(self, code: ErrorCode) -> StatusCode {
        match self {
            Self::Problem => code.status(),
            Self::Mlflow | Self::Error | Self::JsonRpc => bad_request(code.status()),
            Self::Aws => aws(code).0,
        }
    }

    pub(crate) fn body(self, error: &ApiError, prefix: &Prefix, request_id: &str) -> Vec<u8> {
        let message = &error.detail;
        match self {
            Self::Problem => problem(error, prefix, request_id),
            Self::Mlflow => {
                json(&MlflowError { error_code: mlflow_code(error.code, self.status(error.code)), message })
            }
            Self::Error => json(&PlainError { error: message }),
            Self::Aws => json(&AwsError { message }),
            Self::JsonRpc => {
                let data = JsonRpcData { code: error.code.as_str(), request_id };
                json(&JsonRpcError {
                    jsonrpc: "2.0",
                    id: error.rpc_id.as_deref(),
                    error: JsonRpcFault { code: json_rpc_code(error.code), message, data },
                })
            }
        }
    }
}

fn json<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

/// The other protocols have no 422: rows that do not fit the signature are bad requests.
fn bad_request(status: StatusCode) -> StatusCode {
    if status == StatusCode::UNPROCESSABLE_ENTITY { StatusCode::BAD_REQUEST } else { status }
}

/// The names of `MLflow`'s `ErrorCode`.
fn mlflow_code(code: ErrorCode, status: StatusCode) -> &'static str {
    match (code, status) {
        (ErrorCode::Rows(FaultKind::MissingFeature | FaultKind::WrongWidth), _) => "INVALID_PARAMETER_VALUE",
        (_, StatusCode::NOT_FOUND) => "RESOURCE_DOES_NOT_EXIST",
        (_, StatusCode::SERVICE_UNAVAILABLE) => "TEMPORARILY_UNAVAILABLE",
        (_, status) if status.is_server_error() => "INTERNAL_ERROR",
        _ => "BAD_REQUEST",
    }
}

/// Status and name of the errors of `InvokeEndpoint` (API reference of the Amazon `SageMaker` Runtime).
fn aws(code: ErrorCode) -> (StatusCode, &'static str) {
    match code.status() {
        status if code == ErrorCode::UnknownRoute => (status, "UnknownOperationException"),
        status @ StatusCode::SERVICE_UNAVAILABLE => (status, "ServiceUnavailable"),
        status if status.is_server_error() => (status, "InternalFailure"),
        StatusCode::NOT_FOUND | StatusCode::UNPROCESSABLE_ENTITY => (StatusCode::BAD_REQUEST, "ValidationError"),
        status => (status, "ValidationError"),
    }
}

/// The codes of JSON-RPC 2.0 (§5.1).
fn json_rpc_code(code: ErrorCode) -> i32 {
    match code {
        ErrorCode::InvalidJson | ErrorCode::InvalidUtf8 => -32700,
        code if code.status().is_server_error() => -32603,
        _ => -32600,
    }
}

/// An error of JSON-RPC 2.0.
#[derive(Serialize)]
pub(crate) struct JsonRpcError<'a, I, D> {
    pub(crate) jsonrpc: &'static str,
    pub(crate) id: I,
    pub(crate) error: JsonRpcFault<'a, D>,
}

#[derive(Serialize)]
pub(crate) struct JsonRpcFault<'a, D> {
    pub(crate) code: i32,
    pub(crate) message: &'a str,
    pub(crate) data: D,
}

#[derive(Serialize)]
struct JsonRpcData<'a> {
    code: &'static str,
    request_id: &'a str,
}

#[derive(Serialize)]
struct MlflowError<'a> {
    error_code: &'static str,
    message: &'a str,
}

#[derive(Serialize)]
struct PlainError<'a> {
    error: &'a str,
}

#[derive(Serialize)]
struct AwsError<'a> {
    #[serde(rename = "Message")]
    message: &'a str,
}

fn problem(error: &ApiError, Prefix(prefix): &Prefix, request_id: &str) -> Vec<u8> {
    let code = error.code.as_str();
    let detail = |complaint: &Complaint| ProblemDetail {
        pointer: complaint.pointer.clone(),
        code: complaint.code.as_str(),
        detail: complaint.detail.clone(),
    };
    json(&Problem {
        kind: format!("{prefix}{ERRORS}#{}", error.code.anchor()),
        title: error.code.title(),
        status: error.code.status().as_u16(),
        detail: &error.detail,
        code,
        request_id,
        errors: error.complaints.iter().map(detail).collect(),
    })
}

/// RFC 9457, whose type is the path of the error's description on this server, with the additional members `code`, `request_id` and `errors`.
#[derive(Serialize)]
struct Problem<'a> {
    #[serde(rename = "type")]
    kind: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'a str,
    request_id: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<ProblemDetail>,
}

#[derive(Serialize)]
struct ProblemDetail {
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<String>,
    code: &'static str,
    detail: String,
}
