//! The body of a response, which knows how much of it was sent.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use axum::body::{Body, HttpBody};
use axum::http::Response;
use bytes::{Buf, Bytes};
use http_body::{Frame, SizeHint};
use ordinate::http::server::observer::UncompressedLength;

use crate::activity::RequestGuard;

/// The memory of all responses that are not sent.
#[derive(Debug)]
pub(crate) struct ResponseMemory {
    limit: usize,
    bytes: AtomicUsize,
}

impl ResponseMemory {
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, bytes: AtomicUsize::new(0) })
    }

    /// The maximum, above which no request gets a response of its route.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn is_full(&self) -> bool {
        self.bytes() > self.limit
    }
}

/// A response in memory, until its last byte is sent.
#[derive(Debug)]
struct Unsent {
    request: RequestGuard,
    memory: Arc<ResponseMemory>,
    bytes: usize,
}

impl Drop for Unsent {
    fn drop(&mut self) {
        self.memory.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// The body of a response.
#[derive(Debug)]
pub(crate) struct ResponseBody {
    body: Body,
    unsent: Arc<Unsent>,
}

impl ResponseBody {
    /// Begins to send a response.
    pub(crate) fn begin(
        response: Response<Body>,
        request: RequestGuard,
        memory: Arc<ResponseMemory>,
    ) -> Response<Self> {
        let length = response.extensions().get().map(|UncompressedLength(length)| *length);
        let length = length.unwrap_or_else(|| response.body().size_hint().lower());
        let bytes = usize::try_from(length).unwrap_or(usize::MAX);
        memory.bytes.fetch_add(bytes, Ordering::Relaxed);
        request.sent(0);
        let unsent = Arc::new(Unsent { request, memory, bytes });
        response.map(|body| Self { body, unsent })
    }
}

impl HttpBody for ResponseBody {
    type Data = Part;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        let part = |bytes| Part { bytes, unsent: self.unsent.clone() };
        Poll::Ready(frame.map(|frame| Ok(frame?.map_data(part))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A part of a response. hyper keeps it until the kernel has accepted all of it, and advances it with each write, in
/// HTTP/1 and HTTP/2.
#[derive(Debug)]
pub(crate) struct Part {
    bytes: Bytes,
    unsent: Arc<Unsent>,
}

impl Buf for Part {
    fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
        self.unsent.request.sent(count);
    }
}
