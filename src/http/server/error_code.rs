//! All kinds of errors in one table: code, status, title, cause, remedy.

use http::StatusCode;
use tracing::Level;

use ordinate_model::frame::FaultKind;

/// Generates [`ErrorCode`] from one table: variant, status, code, title, cause, remedy. Kinds of faults in rows share a
/// status and a title.
macro_rules! error_codes {
    (
        { $($variant:ident = $status:ident, $code:literal, $title:literal, $cause:literal, $remedy:literal;)* }
        Rows = $rows_status:ident, $rows_title:literal {
            $($kind:ident = $rows_code:literal, $rows_cause:literal, $rows_remedy:literal;)*
        }
        {
            $(
                $later:ident = $later_status:ident, $later_code:literal, $later_title:literal, $later_cause:literal,
                $later_remedy:literal;
            )*
        }
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

            fn entry(self) -> Entry {
                match self {
                    $(Self::$variant => Entry::new($code, StatusCode::$status, $title, [$cause, $remedy]),)*
                    $(
                        Self::Rows(FaultKind::$kind) => {
                            Entry::new($rows_code, StatusCode::$rows_status, $rows_title, [$rows_cause, $rows_remedy])
                        }
                    )*
                    $(
                        Self::$later => {
                            Entry::new($later_code, StatusCode::$later_status, $later_title, [$later_cause, $later_remedy])
                        }
                    )*
                }
            }
        }
    };
}

/// A line of the table.
struct Entry {
    code: &'static str,
    status: StatusCode,
    title: &'static str,
    advice: [&'static str; 2],
}

impl Entry {
    const fn new(code: &'static str, status: StatusCode, title: &'static str, advice: [&'static str; 2]) -> Self {
        Self { code, status, title, advice }
    }
}

error_codes! {
    {
        InvalidJson = BAD_REQUEST, "invalid_json", "The body is not valid JSON",
            "The body has a syntax error; the detail has its line and column.",
            "Send valid JSON.";
        InvalidCsv = BAD_REQUEST, "invalid_csv", "The body is not valid CSV",
            "The CSV is empty, has an unclosed quote, or has a line with another number of fields than the first.",
            "Send the same number of fields in each line, and close each quote.";
        InvalidNpy = BAD_REQUEST, "invalid_npy", "The body is not a valid NPY file",
            "The array of numpy is incomplete, has another layout, or has objects.",
            "Send what numpy.save writes for an array of numbers, booleans or texts.";
        InvalidUtf8 = BAD_REQUEST, "invalid_utf8", "The body is not valid UTF-8",
            "The body has another encoding than UTF-8.",
            "Convert the text to UTF-8.";
        InvalidEvent = BAD_REQUEST, "invalid_event", "The Lambda event cannot be read",
            "The Lambda event is not one of API Gateway, a function URL, a load balancer or VPC Lattice.",
            "Call the function through one of these, or send an event as in the folder events/ of the source.";
        InvalidBase64 = BAD_REQUEST, "invalid_base64", "The body is not valid base64",
            "The event is marked as base64, and its body is not base64.",
            "Encode the body, or set isBase64Encoded to false.";
        InvalidGzip = BAD_REQUEST, "invalid_gzip", "The body is not valid gzip or deflate",
            "The header Content-Encoding names gzip or deflate, and the body is not compressed that way.",
            "Compress the body, or leave the header out.";
        InvalidRequest = BAD_REQUEST, "invalid_request", "The request is not valid HTTP",
            "The request line, a header or the framing violates HTTP.",
            "Use an HTTP client.";
        IncompleteBody = BAD_REQUEST, "incomplete_body", "The body did not arrive completely",
            "The connection ended before the body was complete.",
            "Send as many bytes as Content-Length states.";
        ForbiddenOrigin = FORBIDDEN, "forbidden_origin", "The origin is not allowed",
            "A page of an origin that is not allowed has sent the request.",
            "Add the origin to CORS_ALLOW_ORIGINS of the service.";
        UnknownRoute = NOT_FOUND, "unknown_route", "Unknown route",
            "No route has this path.",
            "Use one of the routes that the detail suggests.";
        UnknownModel = NOT_FOUND, "unknown_model", "Unknown model",
            "The service does not serve a model of this name.",
            "GET /models lists the models.";
        UnknownVersion = NOT_FOUND, "unknown_version", "Unknown model version",
            "The model does not have this version.",
            "GET /models/{name}/versions lists the versions.";
        UnknownAlias = NOT_FOUND, "unknown_alias", "Unknown alias of a model",
            "The model does not have this alias; the alias of requests that name none is live.",
            "GET /models/{name}/versions lists the aliases; ordinate promote makes one.";
        NoDefaultModel = NOT_FOUND, "no_default_model", "The service has no default model",
            "The request names no model, and the service has several models without a default.",
            "Name a model, as in /models/{name}/predict, or set DEFAULT_MODEL.";
        MethodNotAllowed = METHOD_NOT_ALLOWED, "method_not_allowed", "The route does not support this method",
            "The route exists, and supports another method.",
            "Use a method of the header Allow; predictions are POST.";
        RequestTimeout = REQUEST_TIMEOUT, "request_timeout", "The body did not arrive in time",
            "The body arrived too slowly.",
            "Send the request again, with fewer rows.";
        HeadersTooLarge = REQUEST_HEADER_FIELDS_TOO_LARGE, "headers_too_large", "The request has too many headers",
            "The request has more than 100 header lines.",
            "Send fewer headers.";
        BodyTooLarge = PAYLOAD_TOO_LARGE, "body_too_large", "The body is too large",
            "The body has more bytes than MAX_BODY_BYTES.",
            "Send fewer rows per request.";
        TooManyRows = PAYLOAD_TOO_LARGE, "too_many_rows", "The request has too many rows",
            "The request has more rows than MAX_ROWS.",
            "Send fewer rows per request.";
        AnswerTooLarge = PAYLOAD_TOO_LARGE, "answer_too_large", "The response would be too large",
            "The answer would be larger than Lambda or MAX_ANSWER_BYTES allows.",
            "Send fewer rows per request, or do not request explanations.";
        UnsupportedMediaType = UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "Unsupported content type",
            "The route does not read bodies of this Content-Type.",
            "Send application/json or text/csv; the detail lists the types of the route.";
        UnsupportedEncoding = UNSUPPORTED_MEDIA_TYPE, "unsupported_encoding", "Unsupported content encoding",
            "The header Content-Encoding names another coding than gzip or deflate.",
            "Send the body without compression, or with gzip.";
        InvalidBody = UNPROCESSABLE_ENTITY, "invalid_body", "The body is not a JSON object",
            "The JSON is not an object.",
            "Send an object such as {\"X\": [[1, 2]]}.";
        UnknownKey = UNPROCESSABLE_ENTITY, "unknown_key", "Unknown key",
            "The body or the URL has a key that the route does not know.",
            "Correct its spelling.";
        MissingKey = UNPROCESSABLE_ENTITY, "missing_key", "Missing key",
            "The body has no key with rows.",
            "Add the rows, here under X.";
        DuplicateKey = UNPROCESSABLE_ENTITY, "duplicate_key", "Duplicate key",
            "A key occurs twice in an object, or an option is in the body and in the URL.",
            "Remove one of the two.";
        ConflictingKeys = UNPROCESSABLE_ENTITY, "conflicting_keys", "Conflicting keys",
            "Two keys have rows, and only one of them can.",
            "Remove one of the two.";
        InvalidOption = UNPROCESSABLE_ENTITY, "invalid_option", "Invalid value of an option",
            "The value of an option has the wrong type or range.",
            "Send a value that the detail describes.";
        UnknownOutput = UNPROCESSABLE_ENTITY, "unknown_output", "The model does not have this output",
            "The model does not have the requested output, such as probabilities of a regressor.",
            "Request one of the outputs that the detail lists.";
        NoInterval = UNPROCESSABLE_ENTITY, "no_interval", "The model does not have this interval",
            "The model has no intervals, or not at this level.",
            "Use a level up to max_level of GET /models/{name}, or leave the option out.";
        NotSupported = BAD_REQUEST, "not_supported", "This part of the protocol is not supported",
            "The protocol has this feature, and the service does not.",
            "Send the request without the feature that the detail names.";
    }
    Rows = UNPROCESSABLE_ENTITY, "The rows do not fit the model's signature" {
        InvalidValue = "invalid_value",
            "A value has another type than its feature, such as a text in place of a number.",
            "Send values of the type that GET /models/{name} shows. In JSON, numbers have no quotes.";
        LossyNumber = "lossy_number",
            "The number is an integer beyond 2^53, or overflows; a double would change it.",
            "Round the number, or check its unit.";
        UnknownCategory = "unknown_category",
            "The category is not in the training data.",
            "Use one of the levels of GET /models/{name}; case and spaces count.";
        MissingValue = "missing_value",
            "A value is missing, and the training data had no missing values in this feature.",
            "Send a value.";
        MissingFeature = "missing_feature",
            "A row lacks a feature.",
            "Send all features of GET /models/{name}.";
        UnknownFeature = "unknown_feature",
            "A name is neither a feature nor an ignored column of the model.",
            "Correct its spelling, or leave it out.";
        DuplicateFeature = "duplicate_feature",
            "A row or a header has a feature twice.",
            "Remove one of them.";
        WrongWidth = "wrong_width",
            "A row has another number of values than the model has features.",
            "Send one value per feature, in the order of GET /models/{name}.";
        Ragged = "ragged_rows",
            "The columns have different lengths.",
            "Send as many values in each column.";
        NoRows = "no_rows",
            "The request has no rows.",
            "Send at least one row.";
    }
    {
        PredictionOverflow = UNPROCESSABLE_ENTITY, "prediction_overflow", "The prediction is too large for a double",
            "The prediction exceeds 1.8e308.",
            "Check the values and their units.";
        PredictionUnderflow = UNPROCESSABLE_ENTITY, "prediction_underflow", "The prediction is too small for a double",
            "The prediction of a model of the logarithm is below 2.2e-308.",
            "Check the values and their units.";
        IntervalOverflow = UNPROCESSABLE_ENTITY, "interval_overflow", "The interval is too large for a double",
            "A bound of the interval exceeds 1.8e308.",
            "Check the values and their units.";
        Internal = INTERNAL_SERVER_ERROR, "internal", "Internal error",
            "The service has a defect.",
            "Report it with the request id; the service's log has the cause under this id.";
        ModelUnavailable = SERVICE_UNAVAILABLE, "model_unavailable", "The model cannot be loaded",
            "The file of the model cannot be read or is not valid.",
            "Try again after Retry-After seconds if the answer has this header; otherwise the log has the cause.";
        Overloaded = SERVICE_UNAVAILABLE, "overloaded", "The server is at its limit",
            "The server has as many connections or requests as it allows.",
            "Try again after Retry-After seconds.";
        UnsupportedTransferCoding = NOT_IMPLEMENTED, "unsupported_transfer_coding", "Unsupported transfer coding",
            "The header Transfer-Encoding names another coding than chunked.",
            "Send the body with Content-Length or chunked.";
        Misconfigured = SERVICE_UNAVAILABLE, "misconfigured", "The service is misconfigured",
            "An environment variable of the service has an invalid value.",
            "Correct the variable that the service's log names.";
    }
}

impl ErrorCode {
    /// The code in bodies, such as `invalid_json`.
    pub(crate) fn as_str(self) -> &'static str {
        self.entry().code
    }

    pub(crate) fn status(self) -> StatusCode {
        self.entry().status
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
        self.entry().title
    }

    /// The usual cause of the error, and what a caller does about it, for the documentation.
    pub(crate) fn advice(self) -> [&'static str; 2] {
        self.entry().advice
    }

    /// The code as a URI fragment: its anchor in `/docs/errors`.
    pub(crate) fn anchor(self) -> String {
        self.as_str().replace('_', "-")
    }
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
