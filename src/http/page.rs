//! `GET /`: a page to try the models on, one document without a request for anything but the API itself.
//!
//! The document is put together from `web/` once, without what only its authors read. Its policy lets exactly this style and this
//! script run, by their hashes.

use std::sync::LazyLock;

use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderMap, header};
use sha2::{Digest, Sha256};

const FRAME: &str = include_str!("../../web/page.html");
const STYLE: &str = include_str!("../../web/style.css");

/// One module, in parts by subject.
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
    include_str!("../../web/main.js"),
);

struct Page {
    html: String,
    policy: String,
}

static PAGE: LazyLock<Page> = LazyLock::new(|| {
    let (style, script) = (bare(STYLE).replace(": ", ":").replace("; ", ";"), bare(SCRIPT));
    let html = bare(FRAME).replacen("<style></style>", &format!("<style>{style}</style>"), 1).replacen(
        "<script type=\"module\"></script>",
        &format!("<script type=\"module\">{script}</script>"),
        1,
    );
    let hash = |text: &str| format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(text)));
    let policy = format!(
        "default-src 'none'; script-src {}; style-src {}; img-src data:; connect-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
        hash(&script),
        hash(&style),
    );
    Page { html, policy }
});

/// The lines that a browser needs, without their indentation: comments are lines of their own in `web/`, and no text goes over
/// several lines.
fn bare(source: &str) -> String {
    let mut bare = String::with_capacity(source.len());
    let mut in_comment = false;
    for line in source.lines().map(str::trim) {
        in_comment |= line.starts_with("/*");
        if !(in_comment || line.is_empty() || line.starts_with("//")) {
            bare.push_str(line);
            bare.push('\n');
        }
        in_comment &= !line.ends_with("*/");
    }
    bare
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_indentation_stay_behind() {
        let source =
            "/** Twice.\n * x */\n\nconst twice = (x) =>\n  x * 2; // kept\n// A line.\n/* Another. */\ncall();\n";
        assert_eq!(bare(source), "const twice = (x) =>\nx * 2; // kept\ncall();\n");
    }

    #[test]
    fn no_text_goes_over_several_lines_and_no_comment_begins_behind_code() {
        for line in SCRIPT.lines() {
            assert!(line.matches('`').count().is_multiple_of(2), "{line}");
        }
        for line in SCRIPT.lines().chain(STYLE.lines()).map(str::trim) {
            assert!(!line.contains("/*") || line.starts_with("/*"), "{line}");
        }
    }
}
