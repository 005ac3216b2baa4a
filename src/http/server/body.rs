//! The body of a request: its media type, and its decoded bytes within the limit.

use std::fmt::Display;
use std::io::Read;

use axum::body::Body;
use bytes::Bytes;
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use http::request::Parts;
use http::{HeaderMap, header};
use http_body_util::{BodyExt, Limited};

use super::error::{ApiError, ErrorCode};
use super::fault::BodyFault;
use super::lambda::EventFault;
use ordinate_model::wording::shorten;

/// The format of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MediaType {
    /// JSON: also without a content type, and with the one that `curl -d` sends.
    Json,
    Csv(Header),
    /// JSON Lines: one JSON value per line.
    JsonLines,
    /// An array as `numpy.save` writes it.
    Npy,
    /// Bytes whose content decides: [`MediaType::of`].
    Octets,
}

/// Whether the first line of a CSV body contains the names of the columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Header {
    Present,
    Absent,
    /// The content type has no `header` parameter.
    Undeclared,
}

impl MediaType {
    /// Reads `Content-Type`; `supported` lists the types that the route supports, for the error.
    ///
    /// # Errors
    /// 415 for any other type or charset.
    pub(crate) fn from_headers(headers: &HeaderMap, supported: &str) -> Result<Self, ApiError> {
        let unsupported = |what: String| {
            let detail = format!("{what} is not supported; send {supported} in UTF-8");
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
            // `curl -d` sends the second, and `fetch` the third with a body that is a string.
            "" | "application/x-www-form-urlencoded" | "text/plain" | "application/json" | "text/json" => {
                Ok(Self::Json)
            }
            "text/csv" | "application/csv" => Header::from_parameters(parameter("header"), parameter("label_size"))
                .map(Self::Csv)
                .or_else(unsupported),
            "application/jsonlines" | "application/x-jsonlines" | "application/x-ndjson" => Ok(Self::JsonLines),
            "application/x-npy" => Ok(Self::Npy),
            // HTTP APIs decode compressed bodies of other types as text, and boto3 sends it without a `ContentType`.
            "application/octet-stream" => Ok(Self::Octets),
            // A structured syntax (RFC 6839 §3.1), such as `application/vnd.api+json`.
            other if other.ends_with("+json") => Ok(Self::Json),
            other => unsupported(format!("the content type {:?}", shorten(other))),
        }
    }
}

impl MediaType {
    /// The format of this body: an NPY file has its signature, JSON is an object or a list, and CSV begins like neither.
    pub(crate) fn of(self, body: &[u8]) -> Self {
        match self {
            Self::Octets if body.starts_with(&NPY) => Self::Npy,
            Self::Octets if begins_like_json(body) => Self::Json,
            Self::Octets => Self::Csv(Header::Undeclared),
            other => other,
        }
    }
}

/// Whether a body begins like a JSON object or list, or is empty.
fn begins_like_json(body: &[u8]) -> bool {
    // The byte order mark of UTF-8.
    let text = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    matches!(text.trim_ascii_start().first(), None | Some(b'{' | b'['))
}

/// The first bytes of an NPY file (NEP 1), which no text in UTF-8 has.
pub(crate) const NPY: [u8; 6] = *b"\x93NUMPY";

/// A media type without its parameters (RFC 9110 §8.3.1).
pub(crate) fn essence(media_type: &str) -> &str {
    media_type.split(';').next().unwrap_or_default().trim()
}

/// Checks `Content-Type` on a route whose only supported format is JSON; `supported` is for the error.
///
/// # Errors
/// 415 for any other type or charset.
pub(crate) fn expect_json(headers: &HeaderMap, supported: &str) -> Result<(), ApiError> {
    if matches!(MediaType::from_headers(headers, supported), Ok(MediaType::Json | MediaType::Octets)) {
        return Ok(());
    }
    let sent = headers.get(header::CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let sent = shorten(&sent.unwrap_or_default());
    let detail = format!("the content type {sent:?} is not supported by this route; send {supported} in UTF-8");
    Err(ApiError::new(ErrorCode::UnsupportedMediaType, detail))
}

impl Header {
    /// `header` is defined by RFC 4180 (§3); `label_size` is `SageMaker`'s number of label columns before the features.
    fn from_parameters(header: Option<&str>, label_size: Option<&str>) -> Result<Self, String> {
        if let Some(other) = label_size.filter(|size| *size != "0") {
            return Err(format!("label_size={} (columns of labels)", shorten(other)));
        }
        match header {
            None => Ok(Self::Undeclared),
            Some("present") => Ok(Self::Present),
            Some("absent") => Ok(Self::Absent),
            Some(other) => Err(format!("header={} (expected present or absent)", shorten(other))),
        }
    }

    /// The default of routes whose CSV has a header unless the request declares otherwise.
    pub(crate) fn or_present(self) -> Self {
        if self == Self::Undeclared { Self::Present } else { self }
    }
}

/// Reads and decompresses a body.
///
/// # Errors
/// 413 if it is larger than `limit`, 415 for an unsupported encoding, 400 for a malformed one.
pub(crate) async fn read(parts: &Parts, body: Body, limit: usize) -> Result<Bytes, ApiError> {
    if parts.extensions.get::<EventFault>() == Some(&EventFault::UndecodableBody) {
        let detail = "the event declares a base64 body, but the body is not valid base64";
        return Err(ApiError::new(ErrorCode::InvalidBase64, detail));
    }
    let encoding = Encoding::from_headers(&parts.headers)?;
    let bytes = match Limited::new(body, limit).collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(error) => {
            return Err(match error.downcast::<axum::Error>() {
                Ok(error) => BodyFault::respond(*error, limit),
                // The only other error of `Limited`.
                Err(_) => ApiError::body_too_large(limit),
            });
        }
    };
    match encoding {
        Encoding::Identity => Ok(bytes),
        // A gateway can decompress a body and keep the header.
        Encoding::Gzip if !bytes.starts_with(&GZIP) && is_plain(&parts.headers, &bytes) => Ok(bytes),
        Encoding::Deflate if !is_zlib(&bytes) && is_plain(&parts.headers, &bytes) => Ok(bytes),
        Encoding::Gzip if bytes.starts_with(GZIP_AS_TEXT) => Err(invalid_compression(
            "a gateway has changed its bytes, as if they were text; send it as application/octet-stream",
        )),
        Encoding::Gzip => decompress(MultiGzDecoder::new(&*bytes), limit),
        Encoding::Deflate => {
            let mut decoder = ZlibDecoder::new(&*bytes);
            let decompressed = decompress(&mut decoder, limit)?;
            if decoder.total_in() < bytes.len() as u64 {
                return Err(invalid_compression("there are bytes after its end"));
            }
            Ok(decompressed)
        }
    }
}

/// The first bytes of a gzip file (RFC 1952 §2.3.1), which no text in UTF-8 has.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The same after a conversion to text with replacement characters.
const GZIP_AS_TEXT: &[u8] = "\u{1f}\u{fffd}".as_bytes();

/// Whether bytes begin like JSON or an NPY file, or are text of a type that is not JSON.
fn is_plain(headers: &HeaderMap, bytes: &[u8]) -> bool {
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_lines = ["csv", "jsonlines", "octet-stream"].iter().any(|part| media_type.contains(part));
    let is_text = || std::str::from_utf8(bytes).is_ok() && !bytes.starts_with(GZIP_AS_TEXT);
    begins_like_json(bytes) || bytes.starts_with(&NPY) || (is_lines && is_text())
}

/// Whether bytes have the header of a zlib stream with a window of 32 kB (RFC 1950 §2.2), as all compressors write it.
fn is_zlib(bytes: &[u8]) -> bool {
    matches!(bytes, &[method, flags, ..] if method == 0x78 && (u16::from(method) << 8 | u16::from(flags)) % 31 == 0)
}

/// The compression of a body.
enum Encoding {
    Identity,
    Gzip,
    Deflate,
}

impl Encoding {
    /// Reads `Content-Encoding` (RFC 9110 §8.4.1: names are case-insensitive, `x-gzip` is `gzip`), which can be a list in
    /// several lines.
    fn from_headers(headers: &HeaderMap) -> Result<Self, ApiError> {
        let lines = headers.get_all(header::CONTENT_ENCODING).iter();
        let lines: Vec<_> = lines.map(|value| String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase()).collect();
        let codings = lines.iter().flat_map(|line| line.split(',')).map(str::trim);
        let codings: Vec<_> = codings.filter(|coding| !matches!(*coding, "" | "identity")).collect();
        match codings.join(", ").as_str() {
            "" => Ok(Self::Identity),
            "gzip" | "x-gzip" => Ok(Self::Gzip),
            "deflate" => Ok(Self::Deflate),
            other => {
                let detail = format!(
                    "the content encoding {:?} is not supported; send gzip, deflate or no encoding",
                    shorten(other)
                );
                Err(ApiError::new(ErrorCode::UnsupportedEncoding, detail))
            }
        }
    }
}

/// Decompresses all members of a gzip file (RFC 1952 §2.2), or a zlib stream (RFC 1950), up to the limit.
fn decompress(compressed: impl Read, limit: usize) -> Result<Bytes, ApiError> {
    let mut decompressed = Vec::new();
    let beyond = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    match compressed.take(beyond).read_to_end(&mut decompressed) {
        Ok(length) if length > limit => Err(ApiError::body_too_large(limit)),
        Ok(_) => Ok(decompressed.into()),
        Err(error) => Err(invalid_compression(error)),
    }
}

fn invalid_compression(reason: impl Display) -> ApiError {
    ApiError::new(ErrorCode::InvalidGzip, format!("the body cannot be decompressed: {reason}"))
}
