//! One spelling of each path: stage and base path stripped, no trailing slash, no needless percent-encoding; the query as it came.

use axum::extract::Request;
use http::Uri;
use http::uri::PathAndQuery;
use lambda_http::RequestExt;
use lambda_http::request::RequestContext;

use crate::http::settings::Alias;

/// Rewrites a request's path to the spelling that the routes have.
pub(crate) fn normalise(mut request: Request, base_path: Option<&str>, aliases: &[Alias]) -> Request {
    let direct_invoke = matches!(request.request_context_ref(), Some(RequestContext::PassThrough));
    let path = if direct_invoke {
        // An event that is not HTTP is the body itself, for the default model.
        "/predict".to_owned()
    } else {
        let path = plain(request.uri().path(), base_path);
        match aliases.iter().find(|alias| alias.path == path) {
            Some(alias) => alias.route.to_owned(),
            None => path,
        }
    };
    let spelled = match request.uri().query() {
        Some(query) if !direct_invoke => format!("{path}?{query}"),
        _ => path,
    };
    if let Ok(path) = PathAndQuery::try_from(spelled) {
        *request.uri_mut() = Uri::from(path);
    }
    request
}

/// A path in its one spelling, without the base path.
pub(crate) fn plain(path: &str, base_path: Option<&str>) -> String {
    let decoded = decode_unreserved(path);
    let decoded = format!("/{}", decoded.trim_start_matches('/'));
    let within = base_path
        .and_then(|base| decoded.strip_prefix(base))
        .filter(|rest| rest.is_empty() || rest.starts_with('/'))
        .unwrap_or(&decoded);
    // Whoever joins a base URL and a path may leave two slashes between them.
    format!("/{}", within.trim_matches('/'))
}

/// Whether a route begins with these segments; one in braces is any.
pub(crate) fn begins(route: &str, path: &str) -> bool {
    let mut segments = route.split('/');
    path.split('/').all(|part| segments.next().is_some_and(|segment| segment == part || segment.starts_with('{')))
}

/// Decodes what needs no encoding (RFC 3986 §6.2.2.2), so that `/%70redict` is `/predict`; `%2F` stays what it is.
fn decode_unreserved(path: &str) -> String {
    let mut decoded = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('%') {
        decoded.push_str(before);
        let byte = after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte {
            Some(byte) if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') => {
                decoded.push(char::from(byte));
                rest = after.get(2..).unwrap_or_default();
            }
            _ => {
                decoded.push('%');
                rest = after;
            }
        }
    }
    decoded.push_str(rest);
    decoded
}

/// The segments of a path.
pub(crate) fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|segment| !segment.is_empty())
}

/// The verb of a path such as `/v1/models/line:predict`, in the extensions of its request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Verb(pub(crate) &'static str);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn all_spellings_arrive_at_one_route() {
        for path in ["/predict", "/predict/", "/%70redict", "/predict//", "//predict", "///predict"] {
            assert_eq!(plain(path, None), "/predict", "{path}");
        }
        assert_eq!(plain("/", None), "/");
        assert_eq!(plain("", None), "/");
        assert_eq!(plain("/models/breast%2Dcancer", None), "/models/breast-cancer");
        assert_eq!(plain("/models/a%2Fb", None), "/models/a%2Fb");
        assert_eq!(plain("/models/%zz%4", None), "/models/%zz%4");
    }

    #[test]
    fn a_base_path_is_stripped_as_a_whole_segment() {
        assert_eq!(plain("/api/predict", Some("/api")), "/predict");
        assert_eq!(plain("/api", Some("/api")), "/");
        assert_eq!(plain("//api//predict", Some("/api")), "/predict");
        assert_eq!(plain("/apis/predict", Some("/api")), "/apis/predict");
        assert_eq!(plain("/predict", Some("/api")), "/predict");
    }

    proptest! {
        #[test]
        fn no_path_panics(path: String) {
            let _ = plain(&path, Some("/é"));
        }
    }
}
