//! What callers are told when something is wrong: one table of codes, one type.
//!
//! Handlers return an [`ApiError`]; it travels in the response's extensions to the front of the stack, where the request's id is
//! known, and becomes a body there, in the envelope of the protocol that was spoken.

use axum::extract::rejection::PathRejection;
use axum::response::{IntoResponse, Response};
use http::{Method, StatusCode};

use crate::source::Causes;
use crate::source::catalog::CatalogError;
use ordinate_model::answer::IntervalError;
use ordinate_model::frame::FaultKind;
use ordinate_model::frame::TooManyRows;
use ordinate_model::inference::LevelError;
use ordinate_model::{AnswerError, PredictError};

/// What is wrong, as callers can rely on it: each code has one status and one title for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode {
    /// The body is not JSON.
    InvalidJson,
    /// The body is not CSV with a header.
    InvalidCsv,
    /// The body is not UTF-8.
    InvalidUtf8,
    /// The Lambda event cannot be read.
    InvalidEvent,
    /// The event's body is not the base64 it says it is.
    InvalidBase64,
    /// The body is not the gzip, or the deflate, it says it is.
    InvalidGzip,
    /// No such route.
    UnknownRoute,
    /// No such model.
    UnknownModel,
    /// No such version of the model.
    UnknownVersion,
    /// The route answers other methods.
    MethodNotAllowed,
    /// The body exceeds the limit.
    BodyTooLarge,
    /// More rows than the limit.
    TooManyRows,
    /// The answer would not fit into a Lambda response.
    AnswerTooLarge,
    /// A content type that is not read.
    UnsupportedMediaType,
    /// A content encoding that is not read.
    UnsupportedEncoding,
    /// The body is not an object.
    InvalidBody,
    /// A key of the body that means nothing here.
    UnknownKey,
    /// A key of the body that must be there.
    MissingKey,
    /// A key of the body that is there twice.
    DuplicateKey,
    /// Two keys of the body that say the same thing each in its own way.
    ConflictingKeys,
    /// An option with a value that it cannot have.
    InvalidOption,
    /// An output that the model does not have.
    UnknownOutput,
    /// The model cannot say how sure it is, or not that surely.
    NoInterval,
    /// Part of a protocol that is not served, and cannot be passed over.
    NotSupported,
    /// The rows do not fit the signature.
    Rows(FaultKind),
    /// The answer exceeds a double.
    PredictionOverflow,
    /// The answer is nearer to zero than doubles are.
    PredictionUnderflow,
    /// The answer does not, but an end of its interval does.
    IntervalOverflow,
    /// The model cannot be loaded now.
    ModelUnavailable,
    /// The service was started with a setting that it cannot use.
    Misconfigured,
    /// Our fault.
    Internal,
}

impl ErrorCode {
    /// All codes, in the order of their statuses.
    pub const ALL: [Self; 40] = [
        Self::InvalidJson,
        Self::InvalidCsv,
        Self::InvalidUtf8,
        Self::InvalidEvent,
        Self::InvalidBase64,
        Self::InvalidGzip,
        Self::UnknownRoute,
        Self::UnknownModel,
        Self::UnknownVersion,
        Self::MethodNotAllowed,
        Self::BodyTooLarge,
        Self::TooManyRows,
        Self::AnswerTooLarge,
        Self::UnsupportedMediaType,
        Self::UnsupportedEncoding,
        Self::InvalidBody,
        Self::UnknownKey,
        Self::MissingKey,
        Self::DuplicateKey,
        Self::ConflictingKeys,
        Self::InvalidOption,
        Self::UnknownOutput,
        Self::NoInterval,
        Self::NotSupported,
        Self::Rows(FaultKind::InvalidValue),
        Self::Rows(FaultKind::LossyNumber),
        Self::Rows(FaultKind::UnknownCategory),
        Self::Rows(FaultKind::MissingValue),
        Self::Rows(FaultKind::MissingFeature),
        Self::Rows(FaultKind::UnknownFeature),
        Self::Rows(FaultKind::DuplicateFeature),
        Self::Rows(FaultKind::WrongWidth),
        Self::Rows(FaultKind::Ragged),
        Self::Rows(FaultKind::NoRows),
        Self::PredictionOverflow,
        Self::PredictionUnderflow,
        Self::IntervalOverflow,
        Self::Internal,
        Self::ModelUnavailable,
        Self::Misconfigured,
    ];

    /// The code in the body, its status, and its title.
    fn entry(self) -> (&'static str, StatusCode, &'static str) {
        use StatusCode as S;
        match self {
            Self::InvalidJson => ("invalid_json", S::BAD_REQUEST, "The body is not valid JSON"),
            Self::InvalidCsv => ("invalid_csv", S::BAD_REQUEST, "The body is not valid CSV"),
            Self::InvalidUtf8 => ("invalid_utf8", S::BAD_REQUEST, "The body is not valid UTF-8"),
            Self::InvalidEvent => ("invalid_event", S::BAD_REQUEST, "The event cannot be read"),
            Self::InvalidBase64 => ("invalid_base64", S::BAD_REQUEST, "The body is not valid base64"),
            Self::InvalidGzip => ("invalid_gzip", S::BAD_REQUEST, "The body is not valid gzip or deflate"),
            Self::UnknownRoute => ("unknown_route", S::NOT_FOUND, "There is no such route"),
            Self::UnknownModel => ("unknown_model", S::NOT_FOUND, "There is no such model"),
            Self::UnknownVersion => ("unknown_version", S::NOT_FOUND, "There is no such version"),
            Self::MethodNotAllowed => ("method_not_allowed", S::METHOD_NOT_ALLOWED, "The route answers other methods"),
            Self::BodyTooLarge => ("body_too_large", S::PAYLOAD_TOO_LARGE, "The body is too large"),
            Self::TooManyRows => ("too_many_rows", S::PAYLOAD_TOO_LARGE, "There are too many rows"),
            Self::AnswerTooLarge => ("answer_too_large", S::PAYLOAD_TOO_LARGE, "The answer would be too large"),
            Self::UnsupportedMediaType => {
                ("unsupported_media_type", S::UNSUPPORTED_MEDIA_TYPE, "The content type is not understood")
            }
            Self::UnsupportedEncoding => {
                ("unsupported_encoding", S::UNSUPPORTED_MEDIA_TYPE, "The content encoding is not understood")
            }
            Self::InvalidBody => ("invalid_body", S::UNPROCESSABLE_ENTITY, "The body is not an object"),
            Self::UnknownKey => ("unknown_key", S::UNPROCESSABLE_ENTITY, "A key is not understood"),
            Self::MissingKey => ("missing_key", S::UNPROCESSABLE_ENTITY, "A key is missing"),
            Self::DuplicateKey => ("duplicate_key", S::UNPROCESSABLE_ENTITY, "A key is there twice"),
            Self::ConflictingKeys => ("conflicting_keys", S::UNPROCESSABLE_ENTITY, "Two keys exclude each other"),
            Self::InvalidOption => ("invalid_option", S::UNPROCESSABLE_ENTITY, "An option has a value it cannot have"),
            Self::UnknownOutput => ("unknown_output", S::UNPROCESSABLE_ENTITY, "The model has no such output"),
            Self::NoInterval => ("no_interval", S::UNPROCESSABLE_ENTITY, "The model has no such interval"),
            Self::NotSupported => ("not_supported", S::BAD_REQUEST, "This part of the protocol is not served"),
            Self::Rows(kind) => (kind.code(), S::UNPROCESSABLE_ENTITY, "The rows do not fit the model's signature"),
            Self::PredictionOverflow => {
                ("prediction_overflow", S::UNPROCESSABLE_ENTITY, "The prediction is too large for a double")
            }
            Self::PredictionUnderflow => {
                ("prediction_underflow", S::UNPROCESSABLE_ENTITY, "The prediction is too small for a double")
            }
            Self::IntervalOverflow => {
                ("interval_overflow", S::UNPROCESSABLE_ENTITY, "The values are too large for an interval")
            }
            Self::ModelUnavailable => {
                ("model_unavailable", S::SERVICE_UNAVAILABLE, "The model cannot be loaded at the moment")
            }
            Self::Misconfigured => ("misconfigured", S::SERVICE_UNAVAILABLE, "The service is misconfigured"),
            Self::Internal => ("internal", S::INTERNAL_SERVER_ERROR, "Something went wrong on our side"),
        }
    }

    /// The code as it stands in bodies.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.entry().0
    }

    /// Its HTTP status.
    #[must_use]
    pub fn status(self) -> StatusCode {
        self.entry().1
    }

    /// Its title, the same for every occurrence.
    #[must_use]
    pub fn title(self) -> &'static str {
        self.entry().2
    }
}

/// One thing that is wrong with a body.
#[derive(Debug, Clone)]
pub struct Complaint {
    /// Its code.
    pub code: ErrorCode,
    /// Where: a JSON pointer in its URI fragment form (RFC 6901 §6); none in a CSV body.
    pub pointer: Option<String>,
    /// What, where, what was expected and what came.
    pub detail: String,
}

/// An answer other than the one that was asked for.
#[derive(Debug, Clone)]
pub struct ApiError {
    /// What is wrong.
    pub code: ErrorCode,
    /// This occurrence in words.
    pub detail: String,
    /// All that is wrong with the body, as far as it is told.
    pub complaints: Vec<Complaint>,
    /// A cause for the log, never for the caller.
    pub cause: Option<String>,
}

impl ApiError {
    /// An error in one sentence.
    pub fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), complaints: Vec::new(), cause: None }
    }

    /// Everything that is wrong with a body; `total` counts what is not listed too. The first complaint gives code and detail.
    #[must_use]
    pub fn complaints(complaints: Vec<Complaint>, total: usize) -> Self {
        let Some(first) = complaints.first() else {
            return Self::internal("a refusal without a reason");
        };
        let detail = match total {
            0 | 1 => first.detail.clone(),
            _ => format!("{} (and {} more)", first.detail, total - 1),
        };
        Self { code: first.code, detail, complaints, cause: None }
    }

    /// The same, about what stands under a key of the body; what is said of a place already stays there.
    #[must_use]
    pub fn of_key(mut self, key: &str) -> Self {
        if self.complaints.is_empty() {
            let (code, detail) = (self.code, self.detail.clone());
            self.complaints.push(Complaint { code, pointer: Some(format!("#/{key}")), detail });
        }
        self
    }

    /// Our fault; the cause is logged.
    pub fn internal(cause: impl Into<String>) -> Self {
        let detail = "the request is not at fault; the cause is in the service's log under this request id";
        Self { cause: Some(cause.into()), ..Self::new(ErrorCode::Internal, detail) }
    }
}

/// Carries the error to the front of the stack, where it becomes a body.
impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.code.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<PathRejection> for ApiError {
    fn from(_: PathRejection) -> Self {
        Self::new(ErrorCode::UnknownModel, "there is no such model or version: the path is not UTF-8")
    }
}

impl From<TooManyRows> for ApiError {
    fn from(TooManyRows { limit }: TooManyRows) -> Self {
        Self::new(ErrorCode::TooManyRows, format!("a request may have at most {limit} rows; split it into several"))
    }
}

impl From<PredictError> for ApiError {
    fn from(error: PredictError) -> Self {
        match error {
            PredictError::NotFinite { row } => {
                let detail = format!("row {row}: the values are so large that the prediction exceeds a double");
                Self::complaints(vec![Complaint { code: ErrorCode::PredictionOverflow, pointer: None, detail }], 1)
            }
            PredictError::Vanishes { row } => {
                let detail = format!("row {row}: the prediction is nearer to zero than a double can be");
                Self::complaints(vec![Complaint { code: ErrorCode::PredictionUnderflow, pointer: None, detail }], 1)
            }
            PredictError::TooMuchToExplain { .. } => {
                Self::new(ErrorCode::AnswerTooLarge, format!("{error}; ask for fewer rows at a time"))
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
                let detail = format!(
                    "row {row}: the values are too large for an interval: what it is computed from exceeds a double"
                );
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
            unavailable @ CatalogError::Unavailable(_) => Self {
                cause: Some(Causes(&unavailable).to_string()),
                ..Self::new(ErrorCode::ModelUnavailable, "the model cannot be loaded at the moment; try again shortly")
            },
        }
    }
}

/// What answers a method that a route does not have.
pub(crate) async fn wrong_method(method: Method) -> ApiError {
    let detail = format!("{method} is not answered here; the Allow header lists what is");
    ApiError::new(ErrorCode::MethodNotAllowed, detail)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// A new code does not compile here until it has its place, and the test below fails until it has it in the list.
    fn place(code: ErrorCode) -> usize {
        match code {
            ErrorCode::InvalidJson => 0,
            ErrorCode::InvalidCsv => 1,
            ErrorCode::InvalidUtf8 => 2,
            ErrorCode::InvalidEvent => 3,
            ErrorCode::InvalidBase64 => 4,
            ErrorCode::InvalidGzip => 5,
            ErrorCode::UnknownRoute => 6,
            ErrorCode::UnknownModel => 7,
            ErrorCode::UnknownVersion => 8,
            ErrorCode::MethodNotAllowed => 9,
            ErrorCode::BodyTooLarge => 10,
            ErrorCode::TooManyRows => 11,
            ErrorCode::AnswerTooLarge => 12,
            ErrorCode::UnsupportedMediaType => 13,
            ErrorCode::UnsupportedEncoding => 14,
            ErrorCode::InvalidBody => 15,
            ErrorCode::UnknownKey => 16,
            ErrorCode::MissingKey => 17,
            ErrorCode::DuplicateKey => 18,
            ErrorCode::ConflictingKeys => 19,
            ErrorCode::InvalidOption => 20,
            ErrorCode::UnknownOutput => 21,
            ErrorCode::NoInterval => 22,
            ErrorCode::NotSupported => 23,
            ErrorCode::Rows(kind) => 24 + kind as usize,
            ErrorCode::PredictionOverflow => 34,
            ErrorCode::PredictionUnderflow => 35,
            ErrorCode::IntervalOverflow => 36,
            ErrorCode::Internal => 37,
            ErrorCode::ModelUnavailable => 38,
            ErrorCode::Misconfigured => 39,
        }
    }

    #[test]
    fn all_codes_are_listed_and_each_has_a_name_of_its_own() {
        for (index, code) in ErrorCode::ALL.into_iter().enumerate() {
            assert_eq!(place(code), index, "{code:?}");
        }
        let names: HashSet<_> = ErrorCode::ALL.into_iter().map(ErrorCode::as_str).collect();
        assert_eq!(names.len(), ErrorCode::ALL.len());
    }
}
