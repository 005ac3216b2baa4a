//! The settings of the application.

use http::HeaderValue;

/// The limits of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The maximum number of rows.
    pub max_rows: usize,
    /// The maximum size of a body in bytes, after base64 and gzip decoding.
    pub max_body_bytes: usize,
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
}

impl Settings {
    /// The defaults: no prefix, no CORS, no aliases.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, base_path: None, cors: AllowedOrigins::Off, aliases: Vec::new() }
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
