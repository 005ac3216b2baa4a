//! Normalized paths: without stage, base path, trailing slashes and unnecessary percent-encoding.

use axum::extract::Request;
use http::Uri;
use http::uri::PathAndQuery;
use lambda_http::RequestExt;
use lambda_http::request::RequestContext;

use super::lambda::{EventPrefix, HiddenPrefix};
use crate::http::settings::Alias;

/// The path before the route in the URL that the client called, such as `/prod`, in the extensions of a request: links
/// to other routes begin with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Prefix(pub(crate) String);

/// Prefixes and aliases of paths.
#[derive(Debug, Clone)]
pub(crate) struct Paths {
    /// Prefixes of the settings, normalized.
    pub(crate) prefixes: Vec<String>,
    /// Other paths of routes.
    pub(crate) aliases: Vec<Alias>,
    /// Whether a normalized path belongs to a route.
    pub(crate) is_route: fn(&str) -> bool,
}

impl Paths {
    /// Replaces the path of a request by the normalized path; the query is not changed.
    pub(crate) fn normalize_request(&self, mut request: Request) -> Request {
        let mut prefix = String::new();
        let direct_invoke = matches!(request.request_context_ref(), Some(RequestContext::PassThrough));
        let path = if direct_invoke {
            // A direct invocation: the event is a body for the default model.
            "/predict".to_owned()
        } else {
            let before = request.extensions().get().map(|EventPrefix(prefix)| prefix.as_str());
            let (removed, path) = self.normalize(request.uri().path(), before);
            let hidden = request.extensions().get().map(|HiddenPrefix(prefix)| prefix.as_str());
            prefix = format!("{}{removed}", hidden.unwrap_or_default());
            match self.alias(&path) {
                Some(alias) => alias.route.to_owned(),
                None => path,
            }
        };
        let uri = match request.uri().query() {
            Some(query) if !direct_invoke => format!("{path}?{query}"),
            _ => path,
        };
        request.extensions_mut().insert(Prefix(prefix));
        if let Ok(path) = PathAndQuery::try_from(uri) {
            *request.uri_mut() = Uri::from(path);
        }
        request
    }

    fn alias(&self, path: &str) -> Option<&Alias> {
        self.aliases.iter().find(|alias| alias.path == path)
    }

    /// The prefix and the path without it: the prefix of its event, and a base path. Either can be absent, and either can look like a
    /// part of a route: the first candidate that belongs to a route is taken, with as much removed as possible.
    fn normalize(&self, path: &str, prefix: Option<&str>) -> (String, String) {
        let path = decoded(path);
        let prefix = prefix.map(decoded);
        let within = prefix.as_deref().and_then(|prefix| without(&path, prefix));
        let mut candidates = within.into_iter().chain([path.as_str()]).flat_map(|path| {
            let mut bases: Vec<_> = self.prefixes.iter().filter_map(|base| without(path, base)).collect();
            bases.sort_by_key(|rest| rest.len());
            bases.into_iter().chain([path])
        });
        let first = candidates.next().unwrap_or(&path);
        let belongs = |candidate: &&str| {
            let candidate = trimmed(candidate);
            self.alias(&candidate).is_some() || (self.is_route)(&candidate)
        };
        let found = if belongs(&first) { first } else { candidates.find(belongs).unwrap_or(first) };
        let removed = path.len().saturating_sub(found.len());
        let removed = path.get(..removed).unwrap_or_default().trim_end_matches('/');
        (removed.to_owned(), trimmed(found))
    }
}

/// The rest of a path after a prefix of whole segments.
fn without<'p>(path: &'p str, prefix: &str) -> Option<&'p str> {
    path.strip_prefix(prefix.trim_end_matches('/')).filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A path that starts with one slash, without unnecessary percent-encoding.
fn decoded(path: &str) -> String {
    format!("/{}", decode_unreserved(path).trim_start_matches('/'))
}

/// A base URL and a path that were joined can have two slashes between them.
fn trimmed(path: &str) -> String {
    format!("/{}", path.trim_matches('/'))
}

/// A normalized path.
pub(crate) fn normalize(path: &str) -> String {
    trimmed(&decoded(path))
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn paths(base_paths: &[&str]) -> Paths {
        let is_route = |path: &str| {
            matches!(path, "/" | "/predict" | "/models") || (path.starts_with("/models/") && path.ends_with("/predict"))
        };
        Paths { prefixes: base_paths.iter().map(|&base| base.to_owned()).collect(), aliases: Vec::new(), is_route }
    }

    #[test]
    fn slashes_and_percent_encoding_are_normalized() {
        for path in ["/predict", "/predict/", "/%70redict", "/predict//", "//predict", "///predict"] {
            assert_eq!(normalize(path), "/predict", "{path}");
        }
        assert_eq!(normalize("/"), "/");
        assert_eq!(normalize(""), "/");
        assert_eq!(normalize("/models/breast%2Dcancer"), "/models/breast-cancer");
        assert_eq!(normalize("/models/a%2Fb"), "/models/a%2Fb");
        assert_eq!(normalize("/models/%zz%4"), "/models/%zz%4");
    }

    #[test]
    fn a_base_path_is_removed_only_as_whole_segments() {
        let paths = paths(&["/api", "/api/v7", "/ml"]);
        for (path, expected) in [
            ("/api/predict", "/predict"),
            ("/api", "/"),
            ("//api//predict", "/predict"),
            ("/apis/predict", "/apis/predict"),
            ("/predict", "/predict"),
            ("/api/v7/predict", "/predict"),
            ("/ml/predict", "/predict"),
            ("/ml/nothing", "/nothing"),
        ] {
            assert_eq!(paths.normalize(path, None).1, expected, "{path}");
        }
    }

    #[test]
    fn a_stage_and_a_base_path_are_removed_unless_they_are_a_part_of_the_route() {
        let paths = paths(&["/ml"]);
        for (path, prefix, expected) in [
            ("/prod/predict", "/prod", "/predict"),
            ("/prod/ml/predict", "/prod", "/predict"),
            ("/ml/predict", "/prod", "/predict"),
            ("/predict", "/predict", "/"),
            ("/models/line/predict", "/models", "/models/line/predict"),
            ("/models/models/line/predict", "/models", "/models/line/predict"),
            ("/prod/nothing", "/prod", "/nothing"),
        ] {
            assert_eq!(paths.normalize(path, Some(prefix)).1, expected, "{path}");
        }
    }

    #[test]
    fn the_removed_prefix_is_the_beginning_of_the_links_of_a_response() {
        let paths = paths(&["/ml", "/api"]);
        for (path, prefix, expected) in [
            ("/predict", None, ""),
            ("/ml/predict", None, "/ml"),
            ("//ml//predict", None, "/ml"),
            ("/prod/predict", Some("/prod"), "/prod"),
            ("/prod/ml/predict", Some("/prod"), "/prod/ml"),
            ("/models/line/predict", Some("/models"), ""),
            ("/ml/nothing", None, "/ml"),
        ] {
            assert_eq!(paths.normalize(path, prefix).0, expected, "{path}");
        }
    }

    proptest! {
        #[test]
        fn no_path_panics(path: String) {
            let _ = paths(&["/é"]).normalize(&path, Some("/é"));
        }
    }
}
