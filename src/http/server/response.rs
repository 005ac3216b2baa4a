//! Responses in JSON, within the size that Lambda can send.

use std::io::{self, Write};

use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use lambda_http::RequestExt;
use lambda_http::request::RequestContext;
use serde::Serialize;

use super::error::{ApiError, ErrorCode};
use super::middleware::Served;
use super::observer::UncompressedLength;
use crate::http::settings::Limits;

/// The maximum size of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AnswerLimit {
    pub(crate) bytes: usize,
    /// Where the limit is from, for the error.
    origin: &'static str,
    /// Whether it is a limit of the JSON document in which Lambda sends a response.
    is_for_json: bool,
}

impl AnswerLimit {
    /// A Lambda response (6 MiB) minus status and headers.
    pub(crate) const LAMBDA: Self =
        Self { bytes: 6 * 1024 * 1024 - 16 * 1024, origin: "AWS Lambda's limit", is_for_json: true };

    /// The same behind a load balancer, which accepts 1 MiB from a function.
    const LOAD_BALANCER: Self =
        Self { bytes: 1024 * 1024 - 16 * 1024, origin: "the load balancer's limit", is_for_json: true };

    /// The maximum size of a response to this request; `setting` applies outside of Lambda.
    pub(crate) fn new(request: &Request, setting: usize) -> Self {
        match request.request_context_ref() {
            Some(RequestContext::Alb(_)) => Self::LOAD_BALANCER,
            Some(_) => Self::LAMBDA,
            None => Self { bytes: setting, origin: "MAX_ANSWER_BYTES", is_for_json: false },
        }
    }
}

/// A JSON response about the service or its models.
///
/// # Errors
/// 500 if it cannot be serialized.
pub(crate) fn respond<T: Serialize>(value: &T) -> Result<Response, ApiError> {
    let encoded = serde_json::to_vec(value).map_err(|error| ApiError::internal(error.to_string()))?;
    Ok(([(CONTENT_TYPE, "application/json")], encoded).into_response())
}

/// Answers 413 in place of a response that is too large to send. Predictions have checked it already, while they were
/// encoded.
pub(crate) async fn check_length(State(limits): State<Limits>, request: Request, next: Next) -> Response {
    let limit = AnswerLimit::new(&request, limits.max_answer_bytes);
    let mut response = next.run(request).await;
    let length = response.body().size_hint().lower();
    response.extensions_mut().insert(UncompressedLength(length));
    // Escapes at most double it.
    let is_possible = usize::try_from(length).is_ok_and(|length| length <= limit.bytes / 2);
    if is_possible || response.extensions().get::<Served>().is_some() {
        return response;
    }
    let (parts, body) = response.into_parts();
    let Ok(encoded) = to_bytes(body, usize::MAX).await else {
        return ApiError::internal("a response could not be read completely").into_response();
    };
    let media_type = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if limit.length_of_body(media_type, &encoded) > limit.bytes {
        let detail = format!("the response would be larger than {} bytes ({})", limit.bytes, limit.origin);
        return ApiError::new(ErrorCode::AnswerTooLarge, detail).into_response();
    }
    Response::from_parts(parts, Body::from(encoded))
}

/// Serializes a value. Stops at the limit: the explanations of a large request can be far larger than memory allows.
///
/// # Errors
/// 413 if the text exceeds the limit.
pub(crate) fn json<T: Serialize>(value: &T, limit: AnswerLimit) -> Result<Vec<u8>, ApiError> {
    let mut text = LimitedText { encoded: Vec::new(), left: limit.bytes, limit };
    match serde_json::to_writer(&mut text, value) {
        Ok(()) => Ok(text.encoded),
        // Writing into memory fails only at the limit.
        Err(error) if error.is_io() => Err(too_large(limit)),
        Err(error) => Err(ApiError::internal(error.to_string())),
    }
}

/// A writer that fails when the text exceeds a limit.
struct LimitedText {
    encoded: Vec<u8>,
    left: usize,
    limit: AnswerLimit,
}

impl Write for LimitedText {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        self.left = self.left.checked_sub(self.limit.length_of_text(part)).ok_or(io::ErrorKind::FileTooLarge)?;
        self.encoded.extend_from_slice(part);
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AnswerLimit {
    /// The length of text as it is sent. In a JSON string each quote, backslash and line break needs one more byte.
    fn length_of_text(self, part: &[u8]) -> usize {
        let is_escaped = |byte: &&u8| matches!(byte, b'"' | b'\\' | b'\n' | b'\r' | b'\t');
        part.len() + if self.is_for_json { part.iter().filter(is_escaped).count() } else { 0 }
    }

    /// The length of a body as it is sent: in a JSON document bytes are base64.
    fn length_of_body(self, media_type: &str, encoded: &[u8]) -> usize {
        let is_octets = matches!(media_type, "application/octet-stream" | "application/x-npy");
        let is_base64 = self.is_for_json && is_octets;
        if is_base64 { encoded.len().div_ceil(3) * 4 } else { self.length_of_text(encoded) }
    }
}

/// Checks that an encoded body can be sent.
///
/// # Errors
/// 413 if the text exceeds the limit.
pub(crate) fn fits(media_type: &str, encoded: &[u8], limit: AnswerLimit) -> Result<(), ApiError> {
    if limit.length_of_body(media_type, encoded) > limit.bytes { Err(too_large(limit)) } else { Ok(()) }
}

fn too_large(AnswerLimit { bytes, origin, .. }: AnswerLimit) -> ApiError {
    let detail = format!("the response would be larger than {bytes} bytes ({origin}); send fewer rows per request");
    ApiError::new(ErrorCode::AnswerTooLarge, detail)
}

#[cfg(test)]
mod tests {
    use serde::Serializer;

    use super::*;

    fn bytes(bytes: usize) -> AnswerLimit {
        AnswerLimit { bytes, ..AnswerLimit::LAMBDA }
    }

    /// An endless list of numbers.
    struct Endless;

    impl Serialize for Endless {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_seq(std::iter::repeat(1))
        }
    }

    #[test]
    fn serialization_stops_at_the_limit() {
        assert_eq!(json(&Endless, bytes(1000)).unwrap_err().code, ErrorCode::AnswerTooLarge);
    }

    #[test]
    fn escapes_and_base64_count() {
        // Two quotes and the backslash of the JSON escape: one more byte each.
        assert_eq!(json(&"a\n", bytes(5 + 3)).unwrap(), b"\"a\\n\"");
        assert!(json(&"a\n", bytes(5 + 2)).is_err());
        assert!(fits("application/octet-stream", &[0; 6], bytes(8)).is_ok());
        assert!(fits("application/octet-stream", &[0; 7], bytes(8)).is_err());
    }

    #[test]
    fn outside_of_lambda_the_limit_is_that_of_the_body() {
        let limit = AnswerLimit { bytes: 5, origin: "MAX_ANSWER_BYTES", is_for_json: false };
        assert_eq!(json(&"a\n", limit).unwrap(), b"\"a\\n\"");
        assert!(fits("application/octet-stream", &[0; 5], limit).is_ok());
        assert!(fits("application/octet-stream", &[0; 6], limit).is_err());
    }
}
