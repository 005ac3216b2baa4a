//! `GET /docs`: the `OpenAPI` document in an embedded reader (`RapiDoc`, see `docs/README.md`), and the list of errors
//! with anchors. All links are relative, so that they work behind stages and base paths.

use std::fmt::Write as _;
use std::io::Read;
use std::sync::LazyLock;

use axum::extract::{OriginalUri, Request};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use flate2::read::GzDecoder;
use http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY};
use http::{HeaderName, HeaderValue};
use sha2::{Digest, Sha256};

pub(crate) use crate::http::server::envelope::ERRORS;
use crate::http::server::error::{ApiError, ErrorCode};

/// The path of the page.
pub(crate) const PAGE: &str = "/docs";

/// The path of the reader's script. Browsers cache it; another version has another path.
pub(crate) const READER: &str = "/docs/rapidoc-9.3.8.js";

const READER_GZIP: &[u8] = include_bytes!("rapidoc.js.gz");

/// The script of the page, which finds the URL of the service.
const SCRIPT: &str = include_str!("page.js");

/// Allows scripts and requests of this service only. The reader needs inline styles.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let script = BASE64_STANDARD.encode(Sha256::digest(SCRIPT));
    format!(
        "default-src 'none'; script-src 'self' 'sha256-{script}'; style-src 'unsafe-inline'; img-src data:; \
         connect-src 'self'; base-uri 'self'; form-action 'none'; frame-ancestors 'none'"
    )
});

/// `GET /docs`
pub(crate) async fn page(OriginalUri(uri): OriginalUri) -> Response {
    let reader = READER.trim_start_matches('/');
    html(
        include_str!("page.html")
            .replace("{base}", &root(uri.path(), 0))
            .replace("{reader}", reader)
            .replace("{script}", SCRIPT),
    )
}

/// `GET /docs/errors`
pub(crate) async fn errors(OriginalUri(uri): OriginalUri) -> Response {
    let mut rows = String::new();
    for code in ErrorCode::ALL {
        let (name, status, title, anchor) = (code.as_str(), code.status().as_u16(), code.title(), code.anchor());
        let _ = writeln!(
            rows,
            "<tr id=\"{anchor}\"><td><a href=\"#{anchor}\"><code>{name}</code></a></td>\
             <td>{status}</td><td>{title}</td></tr>"
        );
    }
    let docs = root(uri.path(), 1) + PAGE.trim_start_matches('/');
    html(include_str!("errors.html").replace("{docs}", &docs).replace("{rows}", &rows))
}

/// The relative path from a page at a depth of folders to the root of the service. A trailing slash is one more folder.
fn root(path: &str, depth: usize) -> String {
    let folders = depth + path.bytes().rev().take_while(|byte| *byte == b'/').count();
    format!("./{}", "../".repeat(folders))
}

fn html(page: String) -> Response {
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, POLICY.as_str()),
        (HeaderName::from_static("x-content-type-options"), "nosniff"),
        (HeaderName::from_static("referrer-policy"), "no-referrer"),
    ];
    (headers, page).into_response()
}

/// The reader's script: compressed, as it is stored, or decompressed for clients without gzip.
pub(crate) async fn reader(request: Request) -> Result<Response, ApiError> {
    // The middleware reduces this header to gzip or nothing.
    let mut response = if request.headers().contains_key(ACCEPT_ENCODING) {
        ([(CONTENT_ENCODING, "gzip")], READER_GZIP).into_response()
    } else {
        let mut decompressed = Vec::new();
        let result = GzDecoder::new(READER_GZIP).read_to_end(&mut decompressed);
        result.map_err(|error| ApiError::internal(error.to_string()))?;
        decompressed.into_response()
    };
    for (name, value) in [
        (CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (VARY, "accept-encoding"),
        (HeaderName::from_static("x-content-type-options"), "nosniff"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_relative_to_the_root_of_the_service() {
        for (path, depth, way) in [
            ("/docs", 0, "./"),
            ("/prod/docs", 0, "./"),
            ("/prod/docs/", 0, "./../"),
            ("/docs/errors", 1, "./../"),
            ("/docs/errors/", 1, "./../../"),
        ] {
            assert_eq!(root(path, depth), way, "{path}");
        }
    }
}
