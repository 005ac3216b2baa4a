//! An answer as JSON, no larger than whoever asked can be sent.

use axum::extract::Request;
use lambda_http::RequestExt;
use lambda_http::request::RequestContext;
use serde::Serialize;

use super::error::{ApiError, ErrorCode};

/// What fits into a Lambda response (6 MiB) beside status and headers.
pub(super) const LAMBDA: usize = 6 * 1024 * 1024 - 16 * 1024;

/// What a load balancer takes from a function (1 MiB), likewise.
const LOAD_BALANCER: usize = 1024 * 1024 - 16 * 1024;

/// The most bytes that the sender of a request can be answered with.
pub(super) fn limit(request: &Request) -> usize {
    match request.request_context_ref() {
        Some(RequestContext::Alb(_)) => LOAD_BALANCER,
        _ => LAMBDA,
    }
}

/// The JSON text.
///
/// # Errors
/// 413 when it exceeds the limit.
pub(super) fn json<T: Serialize>(value: &T, limit: usize) -> Result<Vec<u8>, ApiError> {
    let encoded = serde_json::to_vec(value).map_err(|error| ApiError::internal(error.to_string()))?;
    fits("application/json", &encoded, limit)?;
    Ok(encoded)
}

/// Whether an answer can be sent.
///
/// # Errors
/// 413 when it exceeds the limit.
pub(super) fn fits(media_type: &str, encoded: &[u8], limit: usize) -> Result<(), ApiError> {
    // Lambda sends text as a JSON string, in which each quote, backslash and line break costs a byte more, and bytes as base64.
    let sent = if media_type == "application/octet-stream" {
        encoded.len().div_ceil(3) * 4
    } else {
        encoded.len() + encoded.iter().filter(|byte| matches!(byte, b'"' | b'\\' | b'\n')).count()
    };
    if sent > limit {
        let detail = format!("the answer would exceed {limit} bytes; ask for fewer rows at a time");
        return Err(ApiError::new(ErrorCode::AnswerTooLarge, detail));
    }
    Ok(())
}
