//! An answer as JSON, no larger than whoever asked can be sent.

use std::io::{self, Write};

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use lambda_http::RequestExt;
use lambda_http::request::RequestContext;
use serde::Serialize;

use super::error::{ApiError, ErrorCode};

/// What fits into a Lambda response (6 MiB) beside status and headers.
pub(crate) const LAMBDA: usize = 6 * 1024 * 1024 - 16 * 1024;

/// What a load balancer takes from a function (1 MiB), likewise.
const LOAD_BALANCER: usize = 1024 * 1024 - 16 * 1024;

/// The most bytes that the sender of a request can be answered with.
pub(crate) fn limit(request: &Request) -> usize {
    match request.request_context_ref() {
        Some(RequestContext::Alb(_)) => LOAD_BALANCER,
        _ => LAMBDA,
    }
}

/// What is told of service and models: JSON, of any length that Lambda can send.
///
/// # Errors
/// 413 when it exceeds that.
pub(crate) fn respond<T: Serialize>(value: &T) -> Result<Response, ApiError> {
    Ok(([(CONTENT_TYPE, "application/json")], json(value, LAMBDA)?).into_response())
}

/// The JSON text. Nothing is written past the limit: all explanations of a large request are many times an answer.
///
/// # Errors
/// 413 when it exceeds the limit.
pub(crate) fn json<T: Serialize>(value: &T, limit: usize) -> Result<Vec<u8>, ApiError> {
    let mut text = Text { encoded: Vec::new(), left: limit };
    match serde_json::to_writer(&mut text, value) {
        Ok(()) => Ok(text.encoded),
        // Only the limit makes writing into memory fail.
        Err(error) if error.is_io() => Err(too_large(limit)),
        Err(error) => Err(ApiError::internal(error.to_string())),
    }
}

/// Text of which no more is kept than can be sent.
struct Text {
    encoded: Vec<u8>,
    left: usize,
}

impl Write for Text {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        self.left = self.left.checked_sub(length_as_text(part)).ok_or(io::ErrorKind::FileTooLarge)?;
        self.encoded.extend_from_slice(part);
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Lambda sends text as a JSON string, in which each quote, backslash and line break costs a byte more.
fn length_as_text(part: &[u8]) -> usize {
    part.len() + part.iter().filter(|byte| matches!(byte, b'"' | b'\\' | b'\n' | b'\r' | b'\t')).count()
}

/// Whether an answer can be sent.
///
/// # Errors
/// 413 when it exceeds the limit.
pub(crate) fn fits(media_type: &str, encoded: &[u8], limit: usize) -> Result<(), ApiError> {
    // Lambda sends bytes as base64.
    let octets = media_type == "application/octet-stream";
    let sent = if octets { encoded.len().div_ceil(3) * 4 } else { length_as_text(encoded) };
    if sent > limit { Err(too_large(limit)) } else { Ok(()) }
}

fn too_large(limit: usize) -> ApiError {
    let detail = format!("the answer would exceed {limit} bytes; ask for fewer rows at a time");
    ApiError::new(ErrorCode::AnswerTooLarge, detail)
}

#[cfg(test)]
mod tests {
    use serde::Serializer;

    use super::*;

    /// Numbers without end.
    struct Endless;

    impl Serialize for Endless {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_seq(std::iter::repeat(1))
        }
    }

    #[test]
    fn an_answer_is_written_no_further_than_it_can_be_sent() {
        assert_eq!(json(&Endless, 1000).unwrap_err().code, ErrorCode::AnswerTooLarge);
    }

    #[test]
    fn what_costs_more_on_the_way_counts_for_more() {
        // Two quotes of JSON and the backslash of JSON's own escape: a byte more each.
        assert_eq!(json(&"a\n", 5 + 3).unwrap(), b"\"a\\n\"");
        assert!(json(&"a\n", 5 + 2).is_err());
        assert!(fits("application/octet-stream", &[0; 6], 8).is_ok());
        assert!(fits("application/octet-stream", &[0; 7], 8).is_err());
    }
}
