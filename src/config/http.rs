//! Paths, limits of requests, CORS and comparisons with a shadow.

use std::sync::Arc;
use std::time::Duration;

use ::http::uri::PathAndQuery;
use ::http::{HeaderName, HeaderValue};

use super::{ConfigError, Environment};
use crate::http::server::capture::{Capture, CaptureSettings, StandardOutput};
use crate::http::{
    Alias, AllowedOrigins, Cors, Limits, LogRequests, SHADOW_BUDGET, Settings, VERTEX_HEALTH, VERTEX_PREDICT,
    route_below,
};

/// The longest time of a request for its comparison, so that the caller is answered before other time limits.
const MAX_SHADOW_BUDGET_MS: u16 = 1_000;

impl<F: Fn(&str) -> Option<String>> Environment<F> {
    pub(super) fn http(&self) -> Result<Settings, ConfigError> {
        let limits = Limits {
            max_rows: self.count("MAX_ROWS", Limits::DEFAULT.max_rows)?,
            max_body_bytes: self.max_body_bytes()?,
            ..Limits::DEFAULT
        };
        let base_paths = self.parse("BASE_PATH", base_paths)?.unwrap_or_default();
        let cors = self.cors()?;
        let log_requests = |value: &str| match value {
            "all" => Ok(LogRequests::All),
            "errors" => Ok(LogRequests::Errors),
            "none" => Ok(LogRequests::None),
            _ => Err("expected all, errors or none".to_owned()),
        };
        let log_requests = self.parse("LOG_REQUESTS", log_requests)?.unwrap_or_default();
        let milliseconds = |value: &str| match value.parse::<u16>() {
            Ok(number) if number <= MAX_SHADOW_BUDGET_MS => Ok(number),
            _ => Err(format!(
                "expected a whole number of milliseconds up to {MAX_SHADOW_BUDGET_MS}, or 0 for no comparison"
            )),
        };
        let shadow_budget = self.parse("SHADOW_BUDGET_MS", milliseconds)?;
        let shadow_budget =
            shadow_budget.map_or(SHADOW_BUDGET, |milliseconds| Duration::from_millis(milliseconds.into()));
        let aliases = self.vertex()?;
        let capture = self.capture()?;
        Ok(Settings { base_paths, cors, aliases, log_requests, shadow_budget, capture, ..Settings::new(limits) })
    }

    /// The requests that are captured, on standard output; `None` to capture nothing.
    fn capture(&self) -> Result<Option<Capture>, ConfigError> {
        let fraction = |value: &str| match value.parse::<f64>() {
            Ok(fraction) if (0.0..=1.0).contains(&fraction) => Ok(fraction),
            _ => Err("expected a fraction of the requests from 0 (none) to 1 (all)".to_owned()),
        };
        let fraction = self.parse("CAPTURE_FRACTION", fraction)?.unwrap_or(0.0);
        let names = self.text("CAPTURE_REDACT").unwrap_or_default();
        let redacted = names.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect();
        let settings = CaptureSettings { fraction, redacted, level: self.level_of_lines() };
        Ok((fraction > 0.0).then(|| Capture::new(settings, Arc::new(StandardOutput))))
    }

    fn cors(&self) -> Result<Cors, ConfigError> {
        let defaults = Cors::default();
        let origins = self.parse("CORS_ALLOW_ORIGINS", origins)?.unwrap_or_default();
        let headers = self.parse("CORS_ALLOW_HEADERS", allowed_headers)?.unwrap_or(defaults.headers);
        let seconds = |value: &str| {
            value.parse::<u32>().map_err(|_| "expected a whole number of seconds of at least 0".to_owned())
        };
        let max_age = self.parse("CORS_MAX_AGE_SECONDS", seconds)?;
        let credentials = |value: &str| match value {
            "true" if origins == AllowedOrigins::Any => {
                // A browser rejects such a response (Fetch standard §3.2.5).
                Err("credentials need a list of origins in CORS_ALLOW_ORIGINS, which is *".to_owned())
            }
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err("expected true or false".to_owned()),
        };
        let credentials = self.parse("CORS_ALLOW_CREDENTIALS", credentials)?.unwrap_or_default();
        let max_age = max_age.map_or(defaults.max_age, |seconds| Duration::from_secs(seconds.into()));
        Ok(Cors { origins, headers, credentials, max_age })
    }

    /// The paths that Vertex AI chose for its routes.
    fn vertex(&self) -> Result<Vec<Alias>, ConfigError> {
        let routes = [("AIP_PREDICT_ROUTE", VERTEX_PREDICT), ("AIP_HEALTH_ROUTE", VERTEX_HEALTH)];
        let alias = |(variable, route)| {
            let path = self.parse(variable, alias)?;
            Ok(path.map(|path| Alias { path, route }))
        };
        routes.into_iter().filter_map(|route| alias(route).transpose()).collect()
    }
}

fn base_paths(value: &str) -> Result<Vec<String>, String> {
    value.split(',').map(|path| base_path(path.trim())).collect()
}

fn base_path(value: &str) -> Result<String, String> {
    let path = plain_path(value).ok_or("expected a path such as /ml")?;
    match route_below(&path) {
        None => Ok(path),
        // Removing the prefix would change that route.
        Some(route) => Err(format!("expected a path such as /ml that the route {route} does not start with")),
    }
}

/// A path with a leading slash and without a trailing one.
fn plain_path(value: &str) -> Option<String> {
    let path = value.trim_end_matches('/');
    let segments_have_names = path.split('/').skip(1).all(|segment| !matches!(segment, "" | "." | ".."));
    let well_formed = path.starts_with('/')
        && segments_have_names
        && !path.contains(['?', '#'])
        && PathAndQuery::try_from(path).is_ok();
    well_formed.then(|| path.to_owned())
}

/// A path that a platform chose for one of the routes.
fn alias(value: &str) -> Result<String, String> {
    if value == "/" {
        Ok(value.to_owned())
    } else {
        plain_path(value).ok_or_else(|| "expected a path such as /ml/predict".into())
    }
}

/// Names of headers, or `None` for `*`.
fn allowed_headers(value: &str) -> Result<Option<Vec<HeaderName>>, String> {
    if value.trim() == "*" {
        return Ok(None);
    }
    let name = |name: &str| {
        let expected =
            || format!("expected names of headers such as x-api-key, or *; {name:?} is not a name of a header");
        HeaderName::try_from(name.trim()).map_err(|_| expected())
    };
    value.split(',').map(name).collect::<Result<_, _>>().map(Some)
}

fn origins(value: &str) -> Result<AllowedOrigins, String> {
    if value.trim() == "*" {
        return Ok(AllowedOrigins::Any);
    }
    let origin = |text: &str| {
        // Exactly as serialized (RFC 6454 §6.2), since the value is compared with the header as text.
        let exact = |url: &url::Url| url.origin().ascii_serialization() == text.trim() && !text.contains('*');
        let url = url::Url::parse(text.trim()).ok().filter(exact);
        url.and_then(|_| HeaderValue::try_from(text.trim()).ok()).ok_or_else(|| {
            format!("expected origins such as https://example.com, or *; {:?} is not an origin", text.trim())
        })
    };
    value.split(',').map(origin).collect::<Result<_, _>>().map(AllowedOrigins::List)
}
