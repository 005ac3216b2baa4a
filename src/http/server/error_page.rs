//! Errors as a page, for browsers that open a route.

use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY, X_CONTENT_TYPE_OPTIONS};

use super::envelope::ERRORS;
use super::error::ApiError;
use super::path::Prefix;

/// The page of an error, with links to the page of the service and its documentation.
pub(crate) fn respond(error: &ApiError, prefix: &Prefix, request_id: &str) -> Response {
    let status = error.code.status();
    let page = include_str!("error_page.html")
        .replace("{status}", status.as_str())
        .replace("{title}", &escape(error.code.title()))
        .replace("{errors}", ERRORS)
        .replace("{anchor}", &error.code.anchor())
        .replace("{code}", error.code.as_str())
        .replace("{prefix}", &escape(&prefix.0))
        .replace("{request_id}", &escape(request_id))
        // Last, since it can have any text.
        .replace("{detail}", &escape(&error.detail));
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; \
             frame-ancestors 'none'",
        ),
        (CACHE_CONTROL, "no-store"),
        (VARY, "accept"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (status, headers, page).into_response()
}

/// A text as the content of an element or of an attribute.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
