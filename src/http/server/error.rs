//! Errors: one type; `error_code` has the table of their kinds.
//!
//! Handlers return an [`ApiError`]. It travels in the extensions of the response to the middleware, which knows the
//! request id and writes the body in the form of the protocol.

use axum::extract::rejection::{PathRejection, RawPathParamsRejection};
use axum::response::{IntoResponse, Response};
use http::Method;

pub(crate) use super::error_code::ErrorCode;
use crate::source::Causes;
use crate::source::catalog::{CatalogError, LoadError};
use ordinate_model::answer::IntervalError;
use ordinate_model::frame::TooManyRows;
use ordinate_model::inference::LevelError;
use ordinate_model::{AnswerError, PredictError};
use serde_json::value::RawValue;

/// One of the faults of a body.
#[derive(Debug, Clone)]
pub(crate) struct Complaint {
    pub(crate) code: ErrorCode,
    /// The place of the fault as a JSON pointer in URI fragment form (RFC 6901 §6); `None` in a CSV body.
    pub(crate) pointer: Option<String>,
    /// The fault in words: place, expected value, actual value.
    pub(crate) detail: String,
}

/// The error response of a handler.
#[derive(Debug, Clone)]
pub(crate) struct ApiError {
    pub(crate) code: ErrorCode,
    /// A description of this occurrence.
    pub(crate) detail: String,
    /// The faults of the body; not all of them if there are many.
    pub(crate) complaints: Vec<Complaint>,
    /// The cause, for the log only.
    pub(crate) cause: Option<String>,
    /// Whether the same request may succeed soon.
    pub(crate) is_transient: bool,
    /// The id of the request of JSON-RPC, which its answer repeats.
    pub(crate) rpc_id: Option<Box<RawValue>>,
}

impl ApiError {
    /// An error with a description.
    pub(crate) fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), complaints: Vec::new(), cause: None, is_transient: false, rpc_id: None }
    }

    /// An error with a list of faults. Code and detail are those of the first; `total` includes faults that are not in
    /// the list.
    pub(crate) fn complaints(complaints: Vec<Complaint>, total: usize) -> Self {
        let Some(first) = complaints.first() else {
            return Self::internal("an error without a fault");
        };
        let detail = match total {
            0 | 1 => first.detail.clone(),
            _ => format!("{} (and {} more)", first.detail, total - 1),
        };
        let code = first.code;
        Self { complaints, ..Self::new(code, detail) }
    }

    /// Adds the place of the error, a key of the body, unless the error has a place.
    pub(crate) fn of_key(mut self, key: &str) -> Self {
        if self.complaints.is_empty() {
            let (code, detail) = (self.code, self.detail.clone());
            self.complaints.push(Complaint { code, pointer: Some(format!("#/{key}")), detail });
        }
        self
    }

    /// Adds the id of the request of JSON-RPC.
    pub(crate) fn of_rpc(self, id: &RawValue) -> Self {
        Self { rpc_id: Some(id.to_owned()), ..self }
    }

    /// A body above the limit.
    pub(crate) fn body_too_large(limit: usize) -> Self {
        let detail = format!("the body is larger than {limit} bytes (after decoding); send fewer rows per request");
        Self::new(ErrorCode::BodyTooLarge, detail)
    }

    /// An error of the service itself; the cause is logged.
    pub(crate) fn internal(cause: impl Into<String>) -> Self {
        let detail = "an unexpected error; the service's log has the cause under this request id";
        Self { cause: Some(cause.into()), ..Self::new(ErrorCode::Internal, detail) }
    }
}

/// Carries the error to the middleware, which writes the body.
impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.code.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// The only error of a path whose route matched is that it is not UTF-8.
fn invalid_path() -> ApiError {
    ApiError::new(ErrorCode::UnknownModel, "unknown model or version: the path is not valid UTF-8")
}

impl From<PathRejection> for ApiError {
    fn from(_: PathRejection) -> Self {
        invalid_path()
    }
}

impl From<RawPathParamsRejection> for ApiError {
    fn from(_: RawPathParamsRejection) -> Self {
        invalid_path()
    }
}

impl From<TooManyRows> for ApiError {
    fn from(TooManyRows { limit }: TooManyRows) -> Self {
        Self::new(
            ErrorCode::TooManyRows,
            format!("the request has more than {limit} rows; send fewer rows per request"),
        )
    }
}

impl From<PredictError> for ApiError {
    fn from(error: PredictError) -> Self {
        match error {
            PredictError::NotFinite { row } => {
                let detail = format!("row {row}: the prediction is too large for a double");
                Self::complaints(vec![Complaint { code: ErrorCode::PredictionOverflow, pointer: None, detail }], 1)
            }
            PredictError::Vanishes { row } => {
                let detail = format!("row {row}: the prediction is too small for a double");
                Self::complaints(vec![Complaint { code: ErrorCode::PredictionUnderflow, pointer: None, detail }], 1)
            }
            PredictError::TooMuchToExplain { .. } => {
                Self::new(ErrorCode::AnswerTooLarge, format!("{error}; send fewer rows per request"))
            }
            other => Self::internal(other.to_string()),
        }
    }
}

impl From<AnswerError> for ApiError {
    fn from(error: AnswerError) -> Self {
        match error {
            AnswerError::Predict(error) => error.into(),
            AnswerError::Interval(error) => error.into(),
        }
    }
}

impl From<IntervalError> for ApiError {
    fn from(error: IntervalError) -> Self {
        let code = match error {
            IntervalError::NotInferable { .. }
            | IntervalError::NoPredictionSets { .. }
            | IntervalError::NoMeanInterval { .. }
            | IntervalError::Level(LevelError::TooFewHeldOut { .. }) => ErrorCode::NoInterval,
            IntervalError::Level(LevelError::OutOfRange { .. }) => ErrorCode::InvalidOption,
            IntervalError::NotFinite { row } => {
                let detail = format!("row {row}: the values are too large: the interval overflows a double");
                return Self::complaints(
                    vec![Complaint { code: ErrorCode::IntervalOverflow, pointer: None, detail }],
                    1,
                );
            }
        };
        Self::new(code, error.to_string())
    }
}

impl From<CatalogError> for ApiError {
    fn from(error: CatalogError) -> Self {
        match error {
            CatalogError::UnknownModel { .. } => Self::new(ErrorCode::UnknownModel, error.to_string()),
            CatalogError::UnknownVersion { .. } => Self::new(ErrorCode::UnknownVersion, error.to_string()),
            CatalogError::UnknownAlias { .. } => Self::new(ErrorCode::UnknownAlias, error.to_string()),
            CatalogError::UnknownPage { .. } => {
                Self::new(ErrorCode::InvalidOption, format!("URL parameter \"after\": {error}"))
            }
            CatalogError::NoDefault { .. } | CatalogError::NotReleased { .. } => {
                Self::new(ErrorCode::NoDefaultModel, error.to_string())
            }
            CatalogError::Unavailable(ref load) if matches!(**load, LoadError::Stopped { .. }) => {
                Self::internal(Causes(&error).to_string())
            }
            CatalogError::Unavailable(ref load) => {
                let is_transient = load.is_transient();
                let detail = if is_transient {
                    "the model cannot be loaded at the moment; try again shortly"
                } else {
                    "the model cannot be loaded until its file or a setting is corrected; the service's log has the \
                     cause under this request id"
                };
                let cause = Some(Causes(&error).to_string());
                Self { cause, is_transient, ..Self::new(ErrorCode::ModelUnavailable, detail) }
            }
        }
    }
}

/// The handler of methods that a route does not support; axum adds the `Allow` header.
pub(crate) async fn wrong_method(method: Method) -> ApiError {
    let detail = match method {
        Method::GET | Method::HEAD => format!("this route does not support {method}; send the request with POST"),
        _ => format!("this route does not support {method}; the Allow header lists the supported methods"),
    };
    ApiError::new(ErrorCode::MethodNotAllowed, detail)
}
