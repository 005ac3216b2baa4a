//! A request of a connection: receives its body, and calls the service.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::http::header::{CONNECTION, CONTENT_ENCODING, HOST, TRANSFER_ENCODING};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderValue, Request, Response, StatusCode, Version};
use axum::response::IntoResponse;
use bytes::Bytes;
use http_body::Frame;
use hyper::body::Incoming;
use ordinate::http::LogRequests;
use ordinate::http::server::fault::{BodyFault, RequestFault};
use ordinate::http::server::observer::Started;
use ordinate_model::wording::shorten;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::ServiceExt;

use crate::activity::{RequestGuard, Timeouts};
use crate::body::{BodyLimits, BodyMemory, Reservation, receive};
use crate::response::{ResponseBody, ResponseMemory};

/// Decoding a body above this size needs more than a millisecond.
const LARGE: u64 = 64 * 1024;

/// The maximum number of header lines, as in HTTP/1, where hyper counts them. In HTTP/2 a line can be one byte that refers
/// to an earlier one, so that without a limit they would need far more memory than the client sends.
const MAX_HEADERS: usize = 100;

/// The maximum length of a method; the longest one that is registered has 17 bytes.
const MAX_METHOD: usize = 32;

/// The service, and the limits of all connections together.
#[derive(Debug)]
pub(crate) struct Requests {
    pub(crate) router: Router,
    pub(crate) body_limits: BodyLimits,
    pub(crate) body_memory: Arc<BodyMemory>,
    pub(crate) response_memory: Arc<ResponseMemory>,
    pub(crate) timeouts: Timeouts,
    pub(crate) limit: usize,
    pub(crate) permits: Arc<Semaphore>,
    pub(crate) log: LogRequests,
    /// One permit per processor, for requests with large bodies.
    pub(crate) processors: Arc<Semaphore>,
}

/// The permission to handle a request, and the memory of its body.
type Held = (Option<OwnedSemaphorePermit>, Option<Reservation>);

impl Requests {
    /// The timeouts of clients at the moment.
    pub(crate) fn timeouts(&self) -> Timeouts {
        if self.response_memory.is_full() { self.timeouts.when_full() } else { self.timeouts }
    }

    /// Answers a request.
    pub(crate) async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
        guard: RequestGuard,
    ) -> Result<Response<ResponseBody>, Infallible> {
        let (mut parts, body) = request.into_parts();
        let version = parts.version;
        parts.extensions.insert(Started(Instant::now()));
        let (body, memory, is_complete) = match fault(&parts) {
            Some(fault) => {
                parts.extensions.insert(fault);
                (Body::empty(), None, body.is_end_stream())
            }
            None => match receive(body, self.body_limits, &self.body_memory).await {
                Ok((bytes, memory)) => (Body::from(bytes), memory, true),
                Err(fault) => (Body::new(Failed(Some(fault))), None, false),
            },
        };
        let is_large = body.size_hint().lower() > LARGE || parts.headers.contains_key(CONTENT_ENCODING);
        let permit = self.permit(&mut parts);
        let mut response = self.route(Request::from_parts(parts, body), is_large, (permit, memory)).await;
        if !is_complete {
            guard.abandon_body();
            if version < Version::HTTP_2 {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
        }
        Ok(ResponseBody::begin(response, guard, self.response_memory.clone()))
    }

    /// Calls the route. A large body, also one that becomes large when it is decompressed, keeps a processor busy for some
    /// time, so it has a thread of its own: other connections of the same thread would wait for it. The thread continues
    /// when the client cancels the request, and with it what the request holds.
    async fn route(&self, request: Request<Body>, is_large: bool, held: Held) -> Response<Body> {
        let answer = self.router.clone().oneshot(request);
        if !is_large {
            let Ok(response) = answer.await;
            return response;
        }
        let processor = self.processors.clone().acquire_owned().await;
        let runtime = Handle::current();
        let work = move || {
            let _held = (held, processor);
            runtime.block_on(answer)
        };
        match tokio::task::spawn_blocking(work).await {
            Ok(Ok(response)) => response,
            // The service catches panics, so that only the end of the runtime can cancel it.
            Err(error) => {
                tracing::error!(%error, "a request was cancelled");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }

    /// The permission to handle a request; without it, the service answers only requests about its health.
    fn permit(&self, parts: &mut Parts) -> Option<OwnedSemaphorePermit> {
        let permit = self.permits.clone().try_acquire_owned().ok();
        let overload = match &permit {
            None => Some(RequestFault::TooManyRequests(self.limit)),
            Some(_) => {
                self.response_memory.is_full().then(|| RequestFault::UnreadResponses(self.response_memory.limit()))
            }
        };
        if let Some(overload) = overload.filter(|_| parts.extensions.get::<RequestFault>().is_none()) {
            parts.extensions.insert(overload);
        }
        permit
    }
}

/// Faults of a request's head that hyper leaves to the server.
fn fault(parts: &Parts) -> Option<RequestFault> {
    if parts.headers.len() > MAX_HEADERS {
        return Some(RequestFault::TooManyHeaders(parts.headers.len()));
    }
    if parts.method.as_str().len() > MAX_METHOD {
        return Some(RequestFault::Method(shorten(parts.method.as_str())));
    }
    let hosts: Vec<_> =
        parts.headers.get_all(HOST).iter().map(|host| String::from_utf8_lossy(host.as_bytes())).collect();
    if hosts.len() > 1 || (parts.version == Version::HTTP_11 && hosts.is_empty()) {
        return Some(RequestFault::Hosts(hosts.len()));
    }
    if let Some(host) = hosts.first().filter(|host| !is_host(host)) {
        return Some(RequestFault::Host(shorten(host)));
    }
    // hyper has checked that the last coding is `chunked`.
    let codings =
        parts.headers.get_all(TRANSFER_ENCODING).iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    let mut chunked = 0;
    for coding in codings.map(|coding| String::from_utf8_lossy(coding.trim_ascii()).to_ascii_lowercase()) {
        match coding.as_str() {
            "" => {}
            "chunked" => chunked += 1,
            other => return Some(RequestFault::TransferCoding(shorten(other))),
        }
    }
    (chunked > 1).then_some(RequestFault::Chunked(chunked))
}

/// Whether a `Host` is valid: a host and an optional port, or nothing if the target has no authority (RFC 9110 §7.2).
fn is_host(host: &str) -> bool {
    let has_port = |authority: Authority| {
        let port = host.strip_prefix(authority.host()).unwrap_or(host);
        port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
    };
    host.is_empty() || (!host.contains('@') && host.parse().is_ok_and(has_port))
}

/// A body that could not be received.
struct Failed(Option<BodyFault>);

impl HttpBody for Failed {
    type Data = Bytes;
    type Error = BodyFault;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Poll::Ready(self.0.take().map(Err))
    }
}
