//! A request's body: what it claims to be, and its bytes within the limit.

use std::error::Error;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::error::{ApiError, ErrorCode};
use super::event;
use crate::model::frame::shorten;

/// What a body may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MediaType {
    /// JSON, also when nothing is said, and under the type that `curl -d` puts on everything.
    Json,
    /// CSV with a header row.
    Csv,
}

impl MediaType {
    /// Reads `Content-Type`.
    ///
    /// # Errors
    /// 415 for a type or charset that is not understood.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, ApiError> {
        let Some(value) = headers.get(header::CONTENT_TYPE) else {
            return Ok(Self::Json);
        };
        let value = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
        let mut parts = value.split(';').map(str::trim);
        let media_type = match parts.next().unwrap_or_default() {
            "" | "application/json" | "application/x-www-form-urlencoded" => Self::Json,
            "text/csv" => Self::Csv,
            other => return Err(unsupported(&format!("the content type {:?}", shorten(other)))),
        };
        let charset = parts.find_map(|parameter| parameter.strip_prefix("charset="));
        match charset.map(|charset| charset.trim_matches('"')) {
            None | Some("utf-8" | "utf8" | "us-ascii") => Ok(media_type),
            Some(other) => Err(unsupported(&format!("the charset {:?}", shorten(other)))),
        }
    }
}

fn unsupported(what: &str) -> ApiError {
    let detail = format!("{what} is not understood; send application/json or text/csv, in UTF-8");
    ApiError::new(ErrorCode::UnsupportedMediaType, detail)
}

/// The bytes, decoded.
///
/// # Errors
/// 413 past `limit`, 415 for an encoding that is not understood, 400 for one that is not what it says.
pub(super) async fn read(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, ApiError> {
    if event::body_is_undecodable(headers) {
        let detail = "the event says that its body is base64, and it is not";
        return Err(ApiError::new(ErrorCode::InvalidBase64, detail));
    }
    // gzip has been undone on the way here, and its header removed with it.
    if let Some(encoding) = headers.get(header::CONTENT_ENCODING).filter(|encoding| *encoding != "identity") {
        let told = shorten(&String::from_utf8_lossy(encoding.as_bytes()));
        let detail = format!("the content encoding {told:?} is not understood; send gzip or none");
        return Err(ApiError::new(ErrorCode::UnsupportedEncoding, detail));
    }
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if is_length_limit(&*error) => {
            let detail = format!("the body exceeds {limit} bytes (after decoding); split it into several requests");
            Err(ApiError::new(ErrorCode::BodyTooLarge, detail))
        }
        Err(error) => Err(ApiError::new(ErrorCode::InvalidGzip, format!("the body cannot be decoded: {error}"))),
    }
}

fn is_length_limit(error: &(dyn Error + 'static)) -> bool {
    let mut source = Some(error);
    while let Some(error) = source {
        if error.is::<LengthLimitError>() {
            return true;
        }
        source = error.source();
    }
    false
}
