//! What the application is made of.

use http::HeaderValue;

/// What one request may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Rows a request.
    pub max_rows: usize,
    /// Bytes of a body, after base64 and gzip decoding.
    pub max_body_bytes: usize,
}

/// How the application is set.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What one request may cost.
    pub limits: Limits,
    /// A prefix that is stripped from paths, such as `/models-api`; without a trailing slash.
    pub base_path: Option<String>,
    /// Which pages may call; off when empty.
    pub cors: AllowedOrigins,
    /// Paths that a platform chose, and the routes they stand for.
    pub aliases: Vec<Alias>,
}

impl Settings {
    /// No prefix, no other origins, no aliases.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, base_path: None, cors: AllowedOrigins::Off, aliases: Vec::new() }
    }
}

/// A path that stands for a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// As requests have it; with a leading slash, without a trailing one but for the root's.
    pub path: String,
    /// The route.
    pub route: &'static str,
}

/// Which origins CORS admits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum AllowedOrigins {
    /// None: no CORS headers at all.
    #[default]
    Off,
    /// Every origin.
    Any,
    /// These.
    List(Vec<HeaderValue>),
}
