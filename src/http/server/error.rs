//! Errors: one table of codes, one type.
//!
//! Handlers return an [`ApiError`]. It travels in the extensions of the response to the middleware, which knows the
//! request id and writes the body in the form of the protocol.

use axum::extract::rejection::{PathRejection, RawPathParamsRejection};
use axum::response::{IntoResponse, Response};
use http::{Method, StatusCode};
use tracing::Level;

use crate::source::Causes;
use crate::source::catalog::CatalogError;
use ordinate_model::answer::IntervalError;
use ordinate_model::frame::FaultKind;
use ordinate_model::frame::TooManyRows;
use ordinate_model::inference::LevelError;
use ordinate_model::{AnswerError, PredictError};

/// Generates [`ErrorCode`] from one table: variant, status, code, title. Kinds of faults in rows share a status and a
/// title.
macro_rules! error_codes {
    (
        { $($variant:ident = $status:ident, $code:literal, $title:literal;)* }
        Rows = $rows_status:ident, $rows_title:literal { $($kind:ident = $rows_code:literal;)* }
        { $($later:ident = $later_status:ident, $later_code:literal, $later_title:literal;)* }
    ) => {
        /// The kind of an error. The code, status and title of a kind never change.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum ErrorCode {
            $(#[doc = $title] $variant,)*
            #[doc = $rows_title]
            Rows(FaultKind),
            $(#[doc = $later_title] $later,)*
        }

        impl ErrorCode {
            /// All codes, in the order of the documentation.
            pub(crate) const ALL: &[Self] = &[
                $(Self::$variant,)*
                $(Self::Rows(FaultKind::$kind),)*
                $(Self::$later,)*
            ];

            fn entry(self) -> (&'static str, StatusCode, &'static str) {
                match self {
                    $(Self::$variant => ($code, StatusCode::$status, $title),)*
                    $(Self::Rows(FaultKind::$kind) => ($rows_code, StatusCode::$rows_status, $rows_title),)*
                    $(Self::$later => ($later_code, StatusCode::$later_status, $later_title),)*
                }
            }
        }
    };
}

error_codes! {
    {
        InvalidJson = BAD_REQUEST, "invalid_json", "The body is not valid JSON";
        InvalidCsv = BAD_REQUEST, "invalid_csv", "The body is not valid CSV";
        InvalidNpy = BAD_REQUEST, "invalid_npy", "The body is not a valid NPY file";
        InvalidUtf8 = BAD_REQUEST, "invalid_utf8", "The body is not valid UTF-8";
        InvalidEvent = BAD_REQUEST, "invalid_event", "The Lambda event cannot be read";
        InvalidBase64 = BAD_REQUEST, "invalid_base64", "The body is not valid base64";
        InvalidGzip = BAD_REQUEST, "invalid_gzip", "The body is not valid gzip or deflate";
        InvalidRequest = BAD_REQUEST, "invalid_request", "The request is not valid HTTP";
        IncompleteBody = BAD_REQUEST, "incomplete_body", "The body did not arrive completely";
        ForbiddenOrigin = FORBIDDEN, "forbidden_origin", "The origin is not allowed";
        UnknownRoute = NOT_FOUND, "unknown_route", "Unknown route";
        UnknownModel = NOT_FOUND, "unknown_model", "Unknown model";
        UnknownVersion = NOT_FOUND, "unknown_version", "Unknown model version";
        MethodNotAllowed = METHOD_NOT_ALLOWED, "method_not_allowed", "The route does not support this method";
        RequestTimeout = REQUEST_TIMEOUT, "request_timeout", "The body did not arrive in time";
        BodyTooLarge = PAYLOAD_TOO_LARGE, "body_too_large", "The body is too large";
        TooManyRows = PAYLOAD_TOO_LARGE, "too_many_rows", "The request has too many rows";
        AnswerTooLarge = PAYLOAD_TOO_LARGE, "answer_too_large", "The response would be too large";
        UnsupportedMediaType = UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "Unsupported content type";
        UnsupportedEncoding = UNSUPPORTED_MEDIA_TYPE, "unsupported_encoding", "Unsupported content encoding";
        InvalidBody = UNPROCESSABLE_ENTITY, "invalid_body", "The body is not a JSON object";
        UnknownKey = UNPROCESSABLE_ENTITY, "unknown_key", "Unknown key";
        MissingKey = UNPROCESSABLE_ENTITY, "missing_key", "Missing key";
        DuplicateKey = UNPROCESSABLE_ENTITY, "duplicate_key", "Duplicate key";
        ConflictingKeys = UNPROCESSABLE_ENTITY, "conflicting_keys", "Conflicting keys";
        InvalidOption = UNPROCESSABLE_ENTITY, "invalid_option", "Invalid value of an option";
        UnknownOutput = UNPROCESSABLE_ENTITY, "unknown_output", "The model does not have this output";
        NoInterval = UNPROCESSABLE_ENTITY, "no_interval", "The model does not have this interval";
        NotSupported = BAD_REQUEST, "not_supported", "This part of the protocol is not supported";
    }
    Rows = UNPROCESSABLE_ENTITY, "The rows do not fit the model's signature" {
        InvalidValue = "invalid_value";
        LossyNumber = "lossy_number";
        UnknownCategory = "unknown_category";
        MissingValue = "missing_value";
        MissingFeature = "missing_feature";
        UnknownFeature = "unknown_feature";
        DuplicateFeature = "duplicate_feature";
        WrongWidth = "wrong_width";
        Ragged = "ragged_rows";
        NoRows = "no_rows";
    }
    {
        PredictionOverflow = UNPROCESSABLE_ENTITY, "prediction_overflow", "The prediction is too large for a double";
        PredictionUnderflow = UNPROCESSABLE_ENTITY, "prediction_underflow", "The prediction is too small for a double";
        IntervalOverflow = UNPROCESSABLE_ENTITY, "interval_overflow", "The interval is too large for a double";
        Internal = INTERNAL_SERVER_ERROR, "internal", "Internal error";
        ModelUnavailable = SERVICE_UNAVAILABLE, "model_unavailable", "The model cannot be loaded";
        Overloaded = SERVICE_UNAVAILABLE, "overloaded", "The server is at its limit";
        UnsupportedTransferCoding = NOT_IMPLEMENTED, "unsupported_transfer_coding", "Unsupported transfer coding";
        Misconfigured = SERVICE_UNAVAILABLE, "misconfigured", "The service is misconfigured";
    }
}

impl ErrorCode {
    /// The code in bodies, such as `invalid_json`.
    pub(crate) fn as_str(self) -> &'static str {
        self.entry().0
    }

    pub(crate) fn status(self) -> StatusCode {
        self.entry().1
    }

    /// The level of its line in the log: ERROR if the service is at fault, WARN if it is at its limits.
    pub(crate) fn log_level(self) -> Level {
        match self {
            Self::Overloaded => Level::WARN,
            Self::UnsupportedTransferCoding => Level::INFO,
            code if code.status().is_server_error() => Level::ERROR,
            _ => Level::INFO,
        }
    }

    /// Its title, the same for every occurrence.
    pub(crate) fn title(self) -> &'static str {
        self.entry().2
    }

    /// The code as a URI fragment: its anchor in `/docs/errors`.
    pub(crate) fn anchor(self) -> String {
        self.as_str().replace('_', "-")
    }
}

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
}

impl ApiError {
    /// An error with a description.
    pub(crate) fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), complaints: Vec::new(), cause: None, is_transient: false }
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
    let detail = format!("this route does not support {method}; the Allow header lists the supported methods");
    ApiError::new(ErrorCode::MethodNotAllowed, detail)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_are_unique() {
        let codes: BTreeSet<_> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(codes.len(), ErrorCode::ALL.len());
    }

    #[test]
    fn the_table_of_the_documentation_has_every_code_with_its_status() {
        let document = include_str!("../../../docs/API.md");
        let table = document.split("| status | `code` |").nth(1).unwrap();
        let rows = table.lines().skip(1).skip_while(|line| line.starts_with("| ---"));
        let documented: BTreeSet<(u16, &str)> = rows
            .take_while(|line| line.starts_with('|'))
            .flat_map(|line| {
                let (status, codes) = line.trim_matches(['|', ' ']).split_once('|').unwrap();
                let status = status.trim().get(..3).unwrap().parse().unwrap();
                // Every second part is between backticks; names of headers are not codes.
                let quoted = codes.split('`').skip(1).step_by(2);
                quoted.filter(|text| text.starts_with(char::is_lowercase)).map(move |code| (status, code))
            })
            .collect();
        let codes: BTreeSet<_> = ErrorCode::ALL.iter().map(|code| (code.status().as_u16(), code.as_str())).collect();
        assert_eq!(documented, codes);
    }
}
