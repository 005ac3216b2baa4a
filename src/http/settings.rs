//! The settings of the application.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue};

use super::server::capture::Capture;
use super::server::observer::Observer;
use super::server::response::AnswerLimit;

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
    /// The documented defaults of the function.
    pub const DEFAULT: Self =
        Self { max_rows: 100_000, max_body_bytes: 6 * 1024 * 1024, max_answer_bytes: AnswerLimit::LAMBDA.bytes };
}

/// The default time of a request for comparing its prediction with that of the version of the alias `shadow`.
pub(crate) const SHADOW_BUDGET: Duration = Duration::from_millis(20);

/// All settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The limits of a request.
    pub limits: Limits,
    /// Prefixes to remove from paths, such as `/models-api`, without trailing slashes.
    pub base_paths: Vec<String>,
    /// Calls from browsers.
    pub cors: Cors,
    /// Additional paths of routes, chosen by a platform.
    pub aliases: Vec<Alias>,
    /// The requests that have a line in the log.
    pub log_requests: LogRequests,
    /// The time of a request for comparing its prediction with that of the version of the alias `shadow`; zero for no
    /// comparison.
    pub shadow_budget: Duration,
    /// Keeps the metrics of requests, for `GET /metrics`.
    pub observer: Option<Arc<dyn Observer>>,
    /// The requests that are captured, and where they go.
    pub capture: Option<Capture>,
}

impl Settings {
    /// The defaults: no prefix, no CORS, no aliases.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            base_paths: Vec::new(),
            cors: Cors::default(),
            aliases: Vec::new(),
            log_requests: LogRequests::All,
            shadow_budget: SHADOW_BUDGET,
            observer: None,
            capture: None,
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
    #[must_use]
    pub fn include(self, status: u16) -> bool {
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

/// Calls of other sites from a browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cors {
    /// The origins that may call.
    pub origins: AllowedOrigins,
    /// The headers that requests may have; `None` for all.
    pub headers: Option<Vec<HeaderName>>,
    /// Whether browsers may send cookies and other credentials. Not with any origin.
    pub credentials: bool,
    /// How long a browser may keep the answer to a preflight request.
    pub max_age: Duration,
}

impl Default for Cors {
    fn default() -> Self {
        let headers = CORS_HEADERS.map(HeaderName::from_static).to_vec();
        Self {
            origins: AllowedOrigins::Off,
            headers: Some(headers),
            credentials: false,
            max_age: Duration::from_mins(10),
        }
    }
}

/// The headers of the clients and of the AWS services in front.
const CORS_HEADERS: [&str; 20] = [
    "accept",
    "amz-sdk-invocation-id",
    "amz-sdk-request",
    "authorization",
    "content-encoding",
    "content-type",
    "inference-header-content-length",
    "mcp-method",
    "mcp-name",
    "mcp-protocol-version",
    "traceparent",
    "tracestate",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-security-token",
    "x-amz-user-agent",
    "x-amzn-trace-id",
    "x-api-key",
    "x-request-id",
    "x-requested-with",
];

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
