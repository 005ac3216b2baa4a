//! The settings of the application.

use std::sync::Arc;

use http::HeaderValue;

use super::server::observer::Observer;

/// The limits of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The maximum number of rows.
    pub max_rows: usize,
    /// The maximum size of a body in bytes, after base64 and gzip decoding.
    pub max_body_bytes: usize,
    /// The maximum size of a response in bytes outside of Lambda, whose own limits apply there.
    pub max_answer_bytes: usize,
}

impl Limits {
    /// The documented defaults.
    pub const DEFAULT: Self =
        Self { max_rows: 100_000, max_body_bytes: 6 * 1024 * 1024, max_answer_bytes: 64 * 1024 * 1024 };
}

/// All settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The limits of a request.
    pub limits: Limits,
    /// A prefix to remove from paths, such as `/models-api`, without a trailing slash.
    pub base_path: Option<String>,
    /// The origins that may call from a browser.
    pub cors: AllowedOrigins,
    /// Additional paths of routes, chosen by a platform.
    pub aliases: Vec<Alias>,
    /// The requests that have a line in the log.
    pub log_requests: LogRequests,
    /// Is called at the end of each request.
    pub observer: Option<Arc<dyn Observer>>,
}

impl Settings {
    /// The defaults: no prefix, no CORS, no aliases.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            base_path: None,
            cors: AllowedOrigins::Off,
            aliases: Vec::new(),
            log_requests: LogRequests::All,
            observer: None,
        }
    }
}

/// The requests that have a line in the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogRequests {
    /// All requests.
    #[default]
    All,
    /// Requests that were answered with an error, of the caller or of the service.
    Errors,
    /// No requests.
    None,
}

impl LogRequests {
    /// Whether a response with this status has a line.
    pub(crate) fn include(self, status: u16) -> bool {
        match self {
            Self::All => true,
            Self::Errors => status >= 400,
            Self::None => false,
        }
    }
}

/// An additional path of a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// The path in requests, with a leading slash and without a trailing one, or `/`.
    pub path: String,
    /// The path of the route.
    pub route: &'static str,
}

/// The origins that CORS allows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum AllowedOrigins {
    /// No CORS headers.
    #[default]
    Off,
    /// All origins.
    Any,
    /// These origins.
    List(Vec<HeaderValue>),
}
