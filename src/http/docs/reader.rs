//! `GET /docs`: a page that shows the `OpenAPI` document and sends requests, with the list of errors; `GET /docs/errors`:
//! the list alone. All links are relative, so that they work behind stages and base paths.

use std::fmt::Write as _;
use std::sync::LazyLock;

use axum::extract::OriginalUri;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::HeaderName;
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use sha2::{Digest, Sha256};

pub(crate) use crate::http::server::envelope::ERRORS;
use crate::http::server::error::ErrorCode;
use crate::http::server::error_page::escape;

/// The path of the page.
pub(crate) const PAGE: &str = "/docs";

const STYLE: &str =
    concat!(include_str!("../../../web/colors.css"), include_str!("../../../web/base.css"), include_str!("page.css"));

/// The files of one module.
const SCRIPT: &str = concat!("\n", include_str!("types.js"), include_str!("operation.js"), include_str!("page.js"));

/// Allows this style, this script and requests to this service only.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = |text: &str| BASE64_STANDARD.encode(Sha256::digest(text));
    format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; img-src data:; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
         trusted-types 'none'",
        hash(SCRIPT),
        hash(STYLE),
    )
});

/// `GET /docs`
pub(crate) async fn page(OriginalUri(uri): OriginalUri) -> Response {
    let errors = errors_as_html(|code| format!("error-{}", code.as_str()));
    html(&include_str!("page.html").replace("{script}", SCRIPT), &root(uri.path(), 0), &errors)
}

/// `GET /docs/errors`
pub(crate) async fn errors(OriginalUri(uri): OriginalUri) -> Response {
    html(include_str!("errors.html"), &root(uri.path(), 1), &errors_as_html(ErrorCode::anchor))
}

/// All codes with status, title, cause and remedy.
fn errors_as_html(id: impl Fn(ErrorCode) -> String) -> String {
    let mut articles = String::new();
    for code in ErrorCode::ALL.iter().copied() {
        let (name, id, status, [cause, remedy]) = (code.as_str(), id(code), code.status().as_u16(), code.advice());
        let _ = writeln!(
            articles,
            "<article id=\"{id}\"><h3><a href=\"#{id}\"><code>{name}</code></a> <span>{status}</span></h3>\
             <p>{}. {}</p><p><b>Remedy:</b> {}</p></article>",
            escape(code.title()),
            escape(cause),
            escape(remedy),
        );
    }
    articles
}

/// The relative path from a page at a depth of folders to the root of the service. A trailing slash is one more folder.
fn root(path: &str, depth: usize) -> String {
    let folders = depth + path.bytes().rev().take_while(|byte| *byte == b'/').count();
    format!("./{}", "../".repeat(folders))
}

fn html(page: &str, root: &str, errors: &str) -> Response {
    let page = page.replace("{style}", STYLE).replace("{root}", root).replace("{errors}", errors);
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, POLICY.as_str()),
        (HeaderName::from_static("x-content-type-options"), "nosniff"),
        (HeaderName::from_static("referrer-policy"), "no-referrer"),
    ];
    (headers, page).into_response()
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
