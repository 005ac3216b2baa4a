//! `GET /`: a page to try the models in a browser. It is one document and requests nothing but the API.
//!
//! The document is assembled once from the files in `web/`, unchanged. Its content security policy allows exactly this
//! style and this script, by their hashes.

use std::sync::LazyLock;

use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderMap, header};
use sha2::{Digest, Sha256};
use utoipa::openapi::schema::ComponentsBuilder;

use super::docs::operation::Draft;
use super::docs::schema::{ModelSchemas, object, one_of, text};
use super::protocols::native::openapi::HEALTH;
use super::server::accept::Accept;

const FRAME: &str = include_str!("../../web/page.html");
const STYLE: &str = concat!(
    include_str!("../../web/colors.css"),
    include_str!("../../web/base.css"),
    include_str!("../../web/style.css")
);

/// The files of one module.
const SCRIPT: &str = concat!(
    "\n",
    include_str!("../../web/numbers.js"),
    include_str!("../../web/document.js"),
    include_str!("../../web/csv.js"),
    include_str!("../../web/service.js"),
    include_str!("../../web/form.js"),
    include_str!("../../web/answer.js"),
    include_str!("../../web/reasons.js"),
    include_str!("../../web/table.js"),
    include_str!("../../web/models.js"),
    include_str!("../../web/code.js"),
    include_str!("../../web/main.js"),
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

/// The page for browsers, and the JSON `{"status":"alive"}` for other clients, which check here whether the server runs.
pub(super) async fn show(headers: HeaderMap) -> Response {
    if !Accept::from_headers(&headers).prefers_html() {
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

/// `GET /` in the `OpenAPI` document.
pub(super) fn operation(draft: Draft, _: &[ModelSchemas<'_>]) -> Draft {
    let draft = draft.about(HEALTH, "Liveness; for browsers, the page to try the models");
    draft.answers("Alive", "The process runs").or("text/html", text("The page"))
}

/// Adds the schema of liveness.
pub(super) fn define(components: ComponentsBuilder, _: &[ModelSchemas<'_>]) -> ComponentsBuilder {
    components.schema("Alive", object([("status", one_of(["alive"]).into())]))
}
