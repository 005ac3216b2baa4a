//! The cause and the remedy of each error code, for the documentation.

use super::error::ErrorCode;
use ordinate_model::frame::FaultKind;

impl ErrorCode {
    /// The usual cause of the error, and what a caller does about it.
    pub(crate) fn advice(self) -> [&'static str; 2] {
        match self {
            Self::InvalidJson => {
                ["The body has a syntax error; the detail has its line and column.", "Send valid JSON."]
            }
            Self::InvalidCsv => [
                "The CSV has no header, an unclosed quote, or a line with another number of fields than the header.",
                "Send a header with the names of the features, and as many fields in each line.",
            ],
            Self::InvalidUtf8 => ["The body has another encoding than UTF-8.", "Convert the text to UTF-8."],
            Self::InvalidEvent => [
                "The Lambda event is not one of API Gateway, a function URL, a load balancer or VPC Lattice.",
                "Call the function through one of these, or send an event as in the folder events/ of the source.",
            ],
            Self::InvalidBase64 => [
                "The event is marked as base64, and its body is not base64.",
                "Encode the body, or set isBase64Encoded to false.",
            ],
            Self::InvalidGzip => [
                "The header Content-Encoding names gzip or deflate, and the body is not compressed that way.",
                "Compress the body, or leave the header out.",
            ],
            Self::InvalidRequest => ["The request line, a header or the framing violates HTTP.", "Use an HTTP client."],
            Self::IncompleteBody => {
                ["The connection ended before the body was complete.", "Send as many bytes as Content-Length states."]
            }
            Self::ForbiddenOrigin => [
                "A page of an origin that is not allowed has sent the request.",
                "Add the origin to CORS_ALLOW_ORIGINS of the service.",
            ],
            Self::UnknownRoute => ["No route has this path.", "Use one of the routes that the detail suggests."],
            Self::UnknownModel => ["The service does not serve a model of this name.", "GET /models lists the models."],
            Self::UnknownVersion => [
                "The service does not serve this version of the model.",
                "GET /models/{name} shows the served version.",
            ],
            Self::MethodNotAllowed => [
                "The route exists, and supports another method.",
                "Use a method of the header Allow; predictions are POST.",
            ],
            Self::RequestTimeout => ["The body arrived too slowly.", "Send the request again, with fewer rows."],
            Self::BodyTooLarge => ["The body has more bytes than MAX_BODY_BYTES.", "Send fewer rows per request."],
            Self::TooManyRows => ["The request has more rows than MAX_ROWS.", "Send fewer rows per request."],
            Self::AnswerTooLarge => [
                "The answer would be larger than Lambda or MAX_ANSWER_BYTES allows.",
                "Send fewer rows per request, or do not request explanations.",
            ],
            Self::UnsupportedMediaType => [
                "The route does not read bodies of this Content-Type.",
                "Send application/json or text/csv; the detail lists the types of the route.",
            ],
            Self::UnsupportedEncoding => [
                "The header Content-Encoding names another coding than gzip or deflate.",
                "Send the body without compression, or with gzip.",
            ],
            Self::InvalidBody => ["The JSON is not an object.", "Send an object such as {\"X\": [[1, 2]]}."],
            Self::UnknownKey => {
                ["The body or the URL has a key that the route does not know.", "Correct its spelling."]
            }
            Self::MissingKey => ["The body has no key with rows.", "Add the rows, here under X."],
            Self::DuplicateKey => ["A key occurs twice in an object.", "Remove one of them."],
            Self::ConflictingKeys => {
                ["Two keys exclude each other, or an option is in the body and in the URL.", "Remove one of them."]
            }
            Self::InvalidOption => {
                ["The value of an option has the wrong type or range.", "Use a value of the detail."]
            }
            Self::UnknownOutput => [
                "The model does not have the requested output, such as probabilities of a regressor.",
                "Request one of the outputs that the detail lists.",
            ],
            Self::NoInterval => [
                "The model has no intervals, or not at this level.",
                "Use a level up to max_level of GET /models/{name}, or leave the option out.",
            ],
            Self::NotSupported => [
                "The protocol has this feature, and the service does not.",
                "Use the alternative that the detail names.",
            ],
            Self::Rows(kind) => rows(kind),
            Self::PredictionOverflow => ["The prediction exceeds 1.8e308.", "Check the values and their units."],
            Self::PredictionUnderflow => {
                ["The prediction of a model of the logarithm is below 2.2e-308.", "Check the values and their units."]
            }
            Self::IntervalOverflow => ["A bound of the interval exceeds 1.8e308.", "Check the values and their units."],
            Self::Internal => [
                "The service has a defect.",
                "Report it with the request id; the service's log has the cause under this id.",
            ],
            Self::ModelUnavailable => [
                "The file of the model cannot be read or is not valid.",
                "Try again after Retry-After seconds, if the header is present; otherwise the log has the cause.",
            ],
            Self::Overloaded => {
                ["The server has as many connections or requests as it allows.", "Try again after Retry-After seconds."]
            }
            Self::UnsupportedTransferCoding => [
                "The header Transfer-Encoding names another coding than chunked.",
                "Send the body with Content-Length or chunked.",
            ],
            Self::Misconfigured => [
                "An environment variable of the service has an invalid value.",
                "Correct the variable that the service's log names.",
            ],
        }
    }
}

fn rows(kind: FaultKind) -> [&'static str; 2] {
    match kind {
        FaultKind::InvalidValue => [
            "A value has another type than its feature, such as a text in place of a number.",
            "Send values of the type that GET /models/{name} shows. In JSON, numbers have no quotes.",
        ],
        FaultKind::LossyNumber => [
            "The number is an integer beyond 2^53, or overflows; a double would change it.",
            "Round the number, or check its unit.",
        ],
        FaultKind::UnknownCategory => [
            "The category is not in the training data.",
            "Use one of the levels of GET /models/{name}; case and spaces count.",
        ],
        FaultKind::MissingValue => {
            ["A value is missing, and the training data had no missing values in this feature.", "Send a value."]
        }
        FaultKind::MissingFeature => ["A row lacks a feature.", "Send all features of GET /models/{name}."],
        FaultKind::UnknownFeature => [
            "A name is neither a feature nor an ignored column of the model.",
            "Correct its spelling, or leave it out.",
        ],
        FaultKind::DuplicateFeature => ["A row or a header has a feature twice.", "Remove one of them."],
        FaultKind::WrongWidth => [
            "A row has another number of values than the model has features.",
            "Send one value per feature, in the order of GET /models/{name}.",
        ],
        FaultKind::Ragged => ["The columns have different lengths.", "Send as many values in each column."],
        FaultKind::NoRows => ["The request has no rows.", "Send at least one row."],
    }
}
