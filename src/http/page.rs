//! `GET /`: a page to try the models on, one document without a request for anything but the API itself.
//!
//! The document is put together from `page/` once. Its policy lets exactly this style and this script run, by their hashes.

use std::sync::LazyLock;

use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderMap, header};
use sha2::{Digest, Sha256};

const FRAME: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/style.css");

/// One module, in parts by subject.
const SCRIPT: &str = concat!(
    "\n",
    include_str!("page/document.js"),
    include_str!("page/csv.js"),
    include_str!("page/service.js"),
    include_str!("page/form.js"),
    include_str!("page/answer.js"),
    include_str!("page/reasons.js"),
    include_str!("page/table.js"),
    include_str!("page/main.js"),
);

struct Page {
    html: String,
    policy: String,
}

static PAGE: LazyLock<Page> = LazyLock::new(|| {
    let html = FRAME.replacen("<style></style>", &format!("<style>{STYLE}</style>"), 1).replacen(
        "<script type=\"module\"></script>",
        &format!("<script type=\"module\">{SCRIPT}</script>"),
        1,
    );
    let hash = |text: &str| format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(text)));
    let policy = format!(
        "default-src 'none'; script-src {}; style-src {}; img-src data:; connect-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
        hash(SCRIPT),
        hash(STYLE),
    );
    Page { html, policy }
});

/// The page to people; to programs that ask for JSON, which look here whether the server runs, that it does.
pub(super) async fn show(headers: HeaderMap) -> Response {
    if asks_for_json(&headers) {
        let headers = [(header::CONTENT_TYPE, "application/json"), (header::VARY, "accept")];
        return (headers, r#"{"status":"alive"}"#).into_response();
    }
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, PAGE.policy.as_str()),
        (header::CACHE_CONTROL, "no-cache"),
        (header::VARY, "accept"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (headers, PAGE.html.as_str()).into_response()
}

/// `KServe` v1's clients ask so; browsers ask for HTML, and for anything else after it.
fn asks_for_json(headers: &HeaderMap) -> bool {
    let names = |media_type| {
        let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        accepted
            .flat_map(|value| value.split(','))
            .any(|range| range.split(';').next().is_some_and(|name| name.trim().eq_ignore_ascii_case(media_type)))
    };
    names("application/json") && !names("text/html")
}
