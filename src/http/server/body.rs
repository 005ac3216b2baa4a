//! A request's body: what it claims to be, and its bytes within the limit.

use std::fmt::Display;
use std::io::Read;

use axum::body::Body;
use bytes::Bytes;
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use http::request::Parts;
use http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::error::{ApiError, ErrorCode};
use super::lambda::EventFault;
use ordinate_model::wording::shorten;

/// What a body may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MediaType {
    /// JSON, also when nothing is said, and under the type that `curl -d` puts on everything.
    Json,
    /// CSV.
    Csv(Header),
    /// JSON Lines: one JSON value a line.
    JsonLines,
}

/// Whether the first line of a CSV body names the columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Header {
    /// It does.
    Present,
    /// It holds values, as every line does.
    Absent,
    /// The sender leaves it open.
    Unsaid,
}

impl MediaType {
    /// Reads `Content-Type`, on a route that reads what `known` says.
    ///
    /// # Errors
    /// 415 for a type or charset that is not understood.
    pub(crate) fn of(headers: &HeaderMap, known: &str) -> Result<Self, ApiError> {
        let unsupported = |what: String| {
            let detail = format!("{what} is not understood; send {known}, in UTF-8");
            Err(ApiError::new(ErrorCode::UnsupportedMediaType, detail))
        };
        let Some(value) = headers.get(header::CONTENT_TYPE) else {
            return Ok(Self::Json);
        };
        let value = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
        let mut parts = value.split(';').map(str::trim);
        let essence = parts.next().unwrap_or_default();
        let parameters: Vec<&str> = parts.collect();
        let parameter = |name: &str| {
            let values = parameters.iter().filter_map(|parameter| parameter.strip_prefix(name)?.strip_prefix('='));
            values.map(|value| value.trim_matches('"')).next()
        };
        match parameter("charset") {
            None | Some("utf-8" | "utf8" | "us-ascii") => {}
            Some(other) => return unsupported(format!("the charset {:?}", shorten(other))),
        }
        match essence {
            "" | "application/json" | "application/x-www-form-urlencoded" => Ok(Self::Json),
            "text/csv" => Header::of(parameter("header"), parameter("label_size")).map(Self::Csv).or_else(unsupported),
            "application/jsonlines" | "application/x-jsonlines" => Ok(Self::JsonLines),
            other => unsupported(format!("the content type {:?}", shorten(other))),
        }
    }
}

/// A media type without its parameters (RFC 9110 §8.3.1).
pub(crate) fn essence(media_type: &str) -> &str {
    media_type.split(';').next().unwrap_or_default().trim()
}

/// On routes that read JSON alone, or what else `known` says.
///
/// # Errors
/// 415 for a type or charset that is not understood.
pub(crate) fn expect_json(headers: &HeaderMap, known: &str) -> Result<(), ApiError> {
    if matches!(MediaType::of(headers, known), Ok(MediaType::Json)) {
        return Ok(());
    }
    let sent = headers.get(header::CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let sent = shorten(&sent.unwrap_or_default());
    let detail = format!("the content type {sent:?} is not understood here; send {known}, in UTF-8");
    Err(ApiError::new(ErrorCode::UnsupportedMediaType, detail))
}

impl Header {
    /// `header` is RFC 4180's (§3); `label_size`, `SageMaker`'s, counts the columns before the features.
    fn of(header: Option<&str>, label_size: Option<&str>) -> Result<Self, String> {
        if let Some(other) = label_size.filter(|size| *size != "0") {
            return Err(format!("label_size={}, labels beside the features,", shorten(other)));
        }
        match header {
            None => Ok(Self::Unsaid),
            Some("present") => Ok(Self::Present),
            Some("absent") => Ok(Self::Absent),
            Some(other) => Err(format!("header={}, neither present nor absent,", shorten(other))),
        }
    }

    /// On routes where the first line is a header unless the sender says otherwise.
    pub(crate) fn or_present(self) -> Self {
        if self == Self::Unsaid { Self::Present } else { self }
    }
}

/// The bytes, decoded.
///
/// # Errors
/// 413 past `limit`, 415 for an encoding that is not understood, 400 for one that is not what it says.
pub(crate) async fn read(parts: &Parts, body: Body, limit: usize) -> Result<Bytes, ApiError> {
    if parts.extensions.get() == Some(&EventFault::UndecodableBody) {
        let detail = "the event says that its body is base64, and it is not";
        return Err(ApiError::new(ErrorCode::InvalidBase64, detail));
    }
    let encoding = Encoding::of(&parts.headers)?;
    let bytes = match Limited::new(body, limit).collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return Err(too_large(limit)),
        Err(error) => return Err(ApiError::internal(format!("the body could not be read to its end: {error}"))),
    };
    match encoding {
        Encoding::Identity => Ok(bytes),
        Encoding::Gzip => unpack(MultiGzDecoder::new(&*bytes), limit),
        Encoding::Deflate => {
            let mut decoder = ZlibDecoder::new(&*bytes);
            let unpacked = unpack(&mut decoder, limit)?;
            if decoder.total_in() < bytes.len() as u64 {
                return Err(not_unpacked("bytes follow its end"));
            }
            Ok(unpacked)
        }
    }
}

/// How a body is packed.
enum Encoding {
    Identity,
    Gzip,
    Deflate,
}

impl Encoding {
    /// Reads `Content-Encoding` (RFC 9110 §8.4.1: names are case-insensitive, `x-gzip` is `gzip`).
    fn of(headers: &HeaderMap) -> Result<Self, ApiError> {
        let value = headers.get(header::CONTENT_ENCODING).map(|value| String::from_utf8_lossy(value.as_bytes()));
        match value.as_deref().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Ok(Self::Identity),
            "gzip" | "x-gzip" => Ok(Self::Gzip),
            "deflate" => Ok(Self::Deflate),
            other => {
                let detail =
                    format!("the content encoding {:?} is not understood; send gzip, deflate or none", shorten(other));
                Err(ApiError::new(ErrorCode::UnsupportedEncoding, detail))
            }
        }
    }
}

/// All members of a gzip file (RFC 1952 §2.2), or a zlib stream (RFC 1950), no further than the limit.
fn unpack(packed: impl Read, limit: usize) -> Result<Bytes, ApiError> {
    let mut unpacked = Vec::new();
    let beyond = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    match packed.take(beyond).read_to_end(&mut unpacked) {
        Ok(length) if length > limit => Err(too_large(limit)),
        Ok(_) => Ok(unpacked.into()),
        Err(error) => Err(not_unpacked(error)),
    }
}

fn not_unpacked(why: impl Display) -> ApiError {
    ApiError::new(ErrorCode::InvalidGzip, format!("the body cannot be unpacked: {why}"))
}

fn too_large(limit: usize) -> ApiError {
    let detail = format!("the body exceeds {limit} bytes (after decoding); split it into several requests");
    ApiError::new(ErrorCode::BodyTooLarge, detail)
}
