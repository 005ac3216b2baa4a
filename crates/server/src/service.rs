//! A request of a connection: receives its body, and calls the service.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::http::header::{CONNECTION, HOST, TRANSFER_ENCODING};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Request, Response, StatusCode, Version};
use axum::response::IntoResponse;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use ordinate::http::server::fault::{BodyFault, RequestFault};
use ordinate::http::server::observer::Started;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, SemaphorePermit};
use tower::ServiceExt;

use crate::body::{BodyLimits, BodyMemory, receive};
use crate::socket::{Activity, InFlight};

/// A body above this size takes more than a millisecond to decode.
const LARGE: u64 = 64 * 1024;

/// The paths that are answered even above the limit of requests, since they show whether the server works.
const ALWAYS_ANSWERED: [&str; 2] = ["/health/live", "/metrics"];

/// The service, and the limits of all connections together.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) router: Router,
    pub(crate) body_limits: BodyLimits,
    pub(crate) body_memory: Arc<BodyMemory>,
    pub(crate) header_timeout: Duration,
    pub(crate) idle_timeout: Duration,
    pub(crate) max_concurrent_requests: usize,
    pub(crate) permits: Arc<Semaphore>,
}

impl Service {
    /// Answers a request.
    pub(crate) async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
        activity: Arc<Activity>,
    ) -> Result<Response<Body>, Infallible> {
        let in_flight = activity.begin_request();
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
        let is_large = body.size_hint().lower() > LARGE;
        let permit = self.permit(&mut parts);
        let mut response = self.route(Request::from_parts(parts, body), is_large).await;
        drop((permit, memory));
        if !is_complete {
            activity.abandon_body();
            if version < Version::HTTP_2 {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
        }
        Ok(response.map(|body| Body::new(Answer { body, _in_flight: in_flight })))
    }

    /// Calls the route. A large body keeps a processor busy for some time, so it has a thread of its own: other connections
    /// of the same thread would wait for it.
    async fn route(&self, request: Request<Body>, is_large: bool) -> Response<Body> {
        let answer = self.router.clone().oneshot(request);
        if !is_large {
            let Ok(response) = answer.await;
            return response;
        }
        let runtime = Handle::current();
        match tokio::task::spawn_blocking(move || runtime.block_on(answer)).await {
            Ok(Ok(response)) => response,
            // The service catches panics, so that only the end of the runtime can cancel it.
            Err(error) => {
                tracing::error!(%error, "a request was cancelled");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }

    /// The permission to handle a request; without one, its response is a 503.
    fn permit(&self, parts: &mut Parts) -> Option<SemaphorePermit<'_>> {
        let permit = self.permits.try_acquire().ok();
        if permit.is_none() && !ALWAYS_ANSWERED.iter().any(|path| parts.uri.path().ends_with(path)) {
            parts.extensions.insert(RequestFault::Overloaded(self.max_concurrent_requests));
        }
        permit
    }
}

/// Faults of headers that hyper leaves to the server.
fn fault(parts: &Parts) -> Option<RequestFault> {
    let hosts = parts.headers.get_all(HOST).iter().count();
    if hosts > 1 || (parts.version == Version::HTTP_11 && hosts == 0) {
        return Some(RequestFault::Hosts(hosts));
    }
    // hyper has checked that the last coding is `chunked`.
    let codings =
        parts.headers.get_all(TRANSFER_ENCODING).iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    let codings: Vec<_> =
        codings.map(|coding| String::from_utf8_lossy(coding.trim_ascii()).to_ascii_lowercase()).collect();
    let unsupported = codings.into_iter().filter(|coding| !coding.is_empty()).find(|coding| coding != "chunked");
    unsupported.map(|coding| RequestFault::TransferCoding(coding.chars().take(40).collect()))
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

/// The body of a response, which ends the request when it was sent.
struct Answer {
    body: Body,
    _in_flight: InFlight,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
