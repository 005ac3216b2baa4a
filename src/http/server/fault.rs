//! Faults that only the server of a connection can see. It adds them to the request or to its body, and the service
//! responds in the form of the route's protocol.

use std::time::Duration;

use thiserror::Error;

use super::error::{ApiError, ErrorCode};

/// A fault of a request, in its extensions: the service responds with an error instead of calling the route.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RequestFault {
    /// HTTP/1.1 needs exactly one `Host` header (RFC 9112 §3.2).
    #[error("a request in HTTP/1.1 needs one Host header, got {0}")]
    Hosts(usize),
    /// A `Host` that is not a host with an optional port (RFC 9110 §7.2).
    #[error("Host: expected a host and an optional port, got {0:?}")]
    Host(String),
    /// The transfer coding `chunked` more than once (RFC 9112 §6.1).
    #[error("Transfer-Encoding: expected chunked once, got it {0} times")]
    Chunked(usize),
    /// A transfer coding other than `chunked` (RFC 9112 §6.1).
    #[error("the transfer coding {0:?} is not supported; send chunked or a Content-Length")]
    TransferCoding(String),
    /// Too many header lines.
    #[error("expected at most 100 header lines, got {0}")]
    TooManyHeaders(usize),
    /// A longer method than any that is registered.
    #[error("expected a method of HTTP, got {0:?}")]
    Method(String),
    /// Too many requests at once.
    #[error("the server handles {0} requests at once (MAX_CONCURRENT_REQUESTS); try again shortly")]
    TooManyRequests(usize),
    /// Too many responses that their clients have not read.
    #[error("the server keeps {0} bytes of responses for slow clients (RESPONSE_MEMORY_BYTES); try again shortly")]
    UnreadResponses(usize),
}

/// Why a body ends before its end: an error of the stream of its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BodyFault {
    /// It is larger than the limit of bodies. The rest was not read.
    #[error("the body is too large")]
    TooLarge,
    /// The connection ended, or its framing is not valid HTTP.
    #[error("the body did not arrive completely: {0}")]
    Incomplete(String),
    /// The client needed too much time.
    #[error("the body did not arrive within {} s (BODY_TIMEOUT_SECONDS)", .0.as_secs_f64())]
    TimedOut(Duration),
    /// It stalled while other bodies needed the memory.
    #[error("the body stalled while the server had no memory for others (BODY_MEMORY_BYTES); try again shortly")]
    Stalled,
    /// Other bodies used all memory for too long.
    #[error("the server has no memory for the body (BODY_MEMORY_BYTES); try again shortly")]
    NoMemory,
}

impl From<&RequestFault> for ApiError {
    fn from(fault: &RequestFault) -> Self {
        let code = match fault {
            RequestFault::Hosts(_) | RequestFault::Host(_) | RequestFault::Chunked(_) | RequestFault::Method(_) => {
                ErrorCode::InvalidRequest
            }
            RequestFault::TooManyHeaders(_) => ErrorCode::HeadersTooLarge,
            RequestFault::TransferCoding(_) => ErrorCode::UnsupportedTransferCoding,
            RequestFault::TooManyRequests(_) | RequestFault::UnreadResponses(_) => ErrorCode::Overloaded,
        };
        Self { is_transient: fault.is_overload(), ..Self::new(code, fault.to_string()) }
    }
}

impl RequestFault {
    /// Whether the request has no fault, and the server is at a limit.
    pub(crate) fn is_overload(&self) -> bool {
        matches!(self, Self::TooManyRequests(_) | Self::UnreadResponses(_))
    }
}

impl BodyFault {
    /// The fault in an error of a body. Without one, the transport failed, which is never the service's fault.
    fn find(error: axum::Error) -> Self {
        let error = error.into_inner();
        match error.downcast::<Self>() {
            Ok(fault) => *fault,
            Err(other) => Self::Incomplete(other.to_string()),
        }
    }

    /// The error of a body whose bytes could not be read; `limit` is the maximum number of bytes.
    pub(crate) fn respond(error: axum::Error, limit: usize) -> ApiError {
        let fault = Self::find(error);
        let code = match fault {
            Self::TooLarge => return ApiError::body_too_large(limit),
            Self::Incomplete(_) => ErrorCode::IncompleteBody,
            Self::TimedOut(_) | Self::Stalled => ErrorCode::RequestTimeout,
            Self::NoMemory => ErrorCode::Overloaded,
        };
        let is_transient = matches!(fault, Self::Stalled | Self::NoMemory);
        ApiError { is_transient, ..ApiError::new(code, fault.to_string()) }
    }
}
