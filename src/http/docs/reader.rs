//! `GET /docs`: the `OpenAPI` document in a reader that is part of the program (`RapiDoc`, see `docs/README.md`), and the errors,
//! each with an anchor. All links are relative, so that stages and base paths stay in front of them.

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

use crate::http::server::error::{ApiError, ErrorCode};

/// The page.
pub(crate) const PAGE: &str = "/docs";

/// All errors.
pub(crate) const ERRORS: &str = "/docs/errors";

/// The reader; another version has another path, so that browsers may keep it.
pub(crate) const READER: &str = "/docs/rapidoc-9.3.8.js";

const READER_GZIP: &[u8] = include_bytes!("rapidoc.js.gz");

/// What only the browser knows.
const SCRIPT: &str = include_str!("page.js");

/// Scripts and requests go nowhere but here; the reader writes its styles into its elements.
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
            "<tr id=\"{anchor}\"><td><a href=\"#{anchor}\"><code>{name}</code></a></td><td>{status}</td><td>{title}</td></tr>"
        );
    }
    let docs = root(uri.path(), 1) + PAGE.trim_start_matches('/');
    html(include_str!("errors.html").replace("{docs}", &docs).replace("{rows}", &rows))
}

/// The way from a page so many folders deep to where the routes begin; a slash at the end of the path is a folder more.
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

/// The reader's script: packed as it is stored, or unpacked for whoever does not take gzip.
pub(crate) async fn reader(request: Request) -> Result<Response, ApiError> {
    // The front of the stack leaves gzip or nothing in this header.
    let mut response = if request.headers().contains_key(ACCEPT_ENCODING) {
        ([(CONTENT_ENCODING, "gzip")], READER_GZIP).into_response()
    } else {
        let mut unpacked = Vec::new();
        let outcome = GzDecoder::new(READER_GZIP).read_to_end(&mut unpacked);
        outcome.map_err(|error| ApiError::internal(error.to_string()))?;
        unpacked.into_response()
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
    fn links_lead_to_where_the_routes_begin() {
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
