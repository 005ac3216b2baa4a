//! Normalized paths: without stage, base path, trailing slashes and unnecessary percent-encoding.

use axum::extract::Request;
use http::Uri;
use http::uri::PathAndQuery;
use lambda_http::RequestExt;
use lambda_http::request::RequestContext;

use crate::http::settings::Alias;

/// Replaces the path of a request by the normalized path; the query is not changed.
pub(crate) fn normalize_request(mut request: Request, base_path: Option<&str>, aliases: &[Alias]) -> Request {
    let direct_invoke = matches!(request.request_context_ref(), Some(RequestContext::PassThrough));
    let path = if direct_invoke {
        // A direct invocation: the event is a body for the default model.
        "/predict".to_owned()
    } else {
        let path = normalize(request.uri().path(), base_path);
        match aliases.iter().find(|alias| alias.path == path) {
            Some(alias) => alias.route.to_owned(),
            None => path,
        }
    };
    let uri = match request.uri().query() {
        Some(query) if !direct_invoke => format!("{path}?{query}"),
        _ => path,
    };
    if let Ok(path) = PathAndQuery::try_from(uri) {
        *request.uri_mut() = Uri::from(path);
    }
    request
}

/// A normalized path, without the base path.
pub(crate) fn normalize(path: &str, base_path: Option<&str>) -> String {
    let decoded = decode_unreserved(path);
    let decoded = format!("/{}", decoded.trim_start_matches('/'));
    let within = base_path
        .and_then(|base| decoded.strip_prefix(base))
        .filter(|rest| rest.is_empty() || rest.starts_with('/'))
        .unwrap_or(&decoded);
    // A base URL and a path that were joined can have two slashes between them.
    format!("/{}", within.trim_matches('/'))
}

/// Whether the segments of a path are the first ones of a route; a parameter matches any segment.
pub(crate) fn is_prefix(route: &str, path: &str) -> bool {
    let mut segments = route.split('/');
    path.split('/').all(|part| segments.next().is_some_and(|segment| segment == part || segment.starts_with('{')))
}

/// Decodes unreserved characters (RFC 3986 §6.2.2.2): `/%70redict` is `/predict`, while `%2F` is unchanged.
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

/// The routes with the smallest edit distance to a path, in that order.
pub(crate) fn nearest<'r>(path: &str, routes: impl Iterator<Item = &'r str>) -> Vec<&'r str> {
    const SUGGESTED: usize = 3;
    // The time is quadratic in the length.
    let path: String = path.chars().take(128).collect();
    let mut ranked: Vec<_> = routes.map(|route| (strsim::damerau_levenshtein(&path, route), route)).collect();
    ranked.sort_unstable();
    ranked.into_iter().take(SUGGESTED).map(|(_, route)| route).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn slashes_and_percent_encoding_are_normalized() {
        for path in ["/predict", "/predict/", "/%70redict", "/predict//", "//predict", "///predict"] {
            assert_eq!(normalize(path, None), "/predict", "{path}");
        }
        assert_eq!(normalize("/", None), "/");
        assert_eq!(normalize("", None), "/");
        assert_eq!(normalize("/models/breast%2Dcancer", None), "/models/breast-cancer");
        assert_eq!(normalize("/models/a%2Fb", None), "/models/a%2Fb");
        assert_eq!(normalize("/models/%zz%4", None), "/models/%zz%4");
    }

    #[test]
    fn a_base_path_is_removed_only_as_whole_segments() {
        assert_eq!(normalize("/api/predict", Some("/api")), "/predict");
        assert_eq!(normalize("/api", Some("/api")), "/");
        assert_eq!(normalize("//api//predict", Some("/api")), "/predict");
        assert_eq!(normalize("/apis/predict", Some("/api")), "/apis/predict");
        assert_eq!(normalize("/predict", Some("/api")), "/predict");
    }

    #[test]
    fn the_nearest_route_comes_first() {
        assert_eq!(nearest("/predcit", ["/models", "/health/live", "/predict"].into_iter())[0], "/predict");
    }

    proptest! {
        #[test]
        fn no_path_panics(path: String) {
            let _ = normalize(&path, Some("/é"));
            let _ = nearest(&path, ["/models/{name}", "/predict"].into_iter());
        }
    }
}
