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
    // Lambda sends the body as a JSON string: each quote and backslash costs a byte more.
    let escapes = encoded.iter().filter(|byte| matches!(byte, b'"' | b'\\')).count();
    if encoded.len() + escapes > limit {
        let detail = format!("the answer would exceed {limit} bytes; ask for fewer rows at a time");
        return Err(ApiError::new(ErrorCode::AnswerTooLarge, detail));
    }
    Ok(encoded)
}
