//! The socket of a connection, which records what its client does and does not do.

use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// The first bytes of HTTP/2 (RFC 9113 §3.4); no method of HTTP/1 has this name.
const HTTP2: &[u8] = b"PRI ";

/// The most bytes that are read at once. hyper doubles its buffer when a read fills it, and keeps up to three of them for
/// a stalled body.
const READ: usize = 8 * 1024;

/// The activity of the client of a connection: shared by its socket, its requests, and its timer.
#[derive(Debug)]
pub(crate) struct Activity {
    /// The requests whose response is not complete.
    in_flight: AtomicUsize,
    /// Whether a request was received at all.
    served: AtomicBool,
    is_http2: AtomicBool,
    /// Whether the server stopped reading a body before its end.
    abandoned_body: AtomicBool,
    times: Mutex<Times>,
}

#[derive(Debug)]
struct Times {
    /// When the last response was complete; at first, the start of the connection.
    idle_since: Instant,
    /// The first byte of a request whose headers are not complete.
    first_byte: Option<Instant>,
    /// Since when the client does not read.
    blocked_since: Option<Instant>,
}

/// Why a connection should be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stall {
    /// It sent nothing, or nothing after its last response.
    Idle,
    /// It began a request and did not finish its headers.
    Headers,
    /// It does not read its response.
    Response,
}

impl Activity {
    pub(crate) fn new() -> Self {
        let times = Times { idle_since: Instant::now(), first_byte: None, blocked_since: None };
        Self {
            in_flight: AtomicUsize::new(0),
            served: AtomicBool::new(false),
            is_http2: AtomicBool::new(false),
            abandoned_body: AtomicBool::new(false),
            times: Mutex::new(times),
        }
    }

    /// Every update is complete, so the times are right even after a panic.
    fn times(&self) -> MutexGuard<'_, Times> {
        self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The headers of a request are complete. The connection is busy until the guard is dropped.
    pub(crate) fn begin_request(self: &Arc<Self>) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::SeqCst);
        self.served.store(true, Ordering::SeqCst);
        self.times().first_byte = None;
        InFlight(self.clone())
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.in_flight.load(Ordering::SeqCst) > 0
    }

    pub(crate) fn is_http2(&self) -> bool {
        self.is_http2.load(Ordering::SeqCst)
    }

    /// The server does not read the rest of a body.
    pub(crate) fn abandon_body(&self) {
        self.abandoned_body.store(true, Ordering::SeqCst);
    }

    pub(crate) fn has_abandoned_body(&self) -> bool {
        self.abandoned_body.load(Ordering::SeqCst)
    }

    /// Whether a request has begun whose headers are not complete.
    pub(crate) fn has_begun(&self) -> bool {
        self.times().first_byte.is_some()
    }

    /// Since when it waits for a request, if it does.
    pub(crate) fn idle_since(&self) -> Option<Instant> {
        let times = self.times();
        (!self.is_busy() && times.first_byte.is_none()).then_some(times.idle_since)
    }

    /// When the connection should be closed, and why, if its client does nothing until then.
    pub(crate) fn deadline(&self, headers: Duration, idle: Duration) -> Option<(Instant, Stall)> {
        let times = self.times();
        if let Some(since) = times.blocked_since {
            // Its response takes memory, unlike an idle connection.
            return Some((since + headers, Stall::Response));
        }
        if self.is_busy() {
            return None;
        }
        // HTTP/2 also sends frames between requests.
        match times.first_byte.filter(|_| !self.is_http2()) {
            Some(first_byte) => Some((first_byte + headers, Stall::Headers)),
            None if self.served.load(Ordering::SeqCst) => Some((times.idle_since + idle, Stall::Idle)),
            None => Some((times.idle_since + headers, Stall::Idle)),
        }
    }

    fn received(&self, bytes: &[u8]) {
        if !self.served.load(Ordering::SeqCst) && bytes.starts_with(HTTP2) {
            self.is_http2.store(true, Ordering::SeqCst);
        }
        if !self.is_busy() {
            self.times().first_byte.get_or_insert_with(Instant::now);
        }
    }

    fn wrote<T>(&self, outcome: &Poll<T>) {
        let mut times = self.times();
        match outcome {
            Poll::Ready(_) => times.blocked_since = None,
            Poll::Pending => {
                times.blocked_since.get_or_insert_with(Instant::now);
            }
        }
    }
}

/// A request in progress.
#[derive(Debug)]
pub(crate) struct InFlight(Arc<Activity>);

impl Drop for InFlight {
    fn drop(&mut self) {
        let mut times = self.0.times();
        times.idle_since = Instant::now();
        times.first_byte = None;
        self.0.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The socket of a connection.
#[derive(Debug)]
pub(crate) struct Socket {
    stream: Arc<TcpStream>,
    activity: Arc<Activity>,
}

impl Socket {
    pub(crate) fn new(stream: Arc<TcpStream>, activity: Arc<Activity>) -> Self {
        Self { stream, activity }
    }

    /// Repeats a write until the socket accepts bytes.
    fn poll_write_with(
        &self,
        context: &mut Context<'_>,
        write: impl Fn(&TcpStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        let outcome = loop {
            match self.stream.poll_write_ready(context) {
                Poll::Pending => break Poll::Pending,
                Poll::Ready(Err(error)) => break Poll::Ready(Err(error)),
                Poll::Ready(Ok(())) => {}
            }
            match write(&self.stream) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                outcome => break Poll::Ready(outcome),
            }
        };
        self.activity.wrote(&outcome);
        outcome
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            ready!(self.stream.poll_read_ready(context))?;
            let length = buffer.remaining().min(READ);
            match self.stream.try_read(buffer.initialize_unfilled_to(length)) {
                Ok(count) => {
                    let before = buffer.filled().len();
                    buffer.advance(count);
                    if count > 0 {
                        self.activity.received(buffer.filled().get(before..).unwrap_or_default());
                    }
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_with(context, |stream| stream.try_write(bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_with(context, |stream| stream.try_write_vectored(parts))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(SockRef::from(&*self.stream).shutdown(Shutdown::Write))
    }
}

/// Whether the kernel has bytes of a client that were not read yet. It does not wait for the event loop to learn of them.
pub(crate) fn has_unread_bytes(stream: &TcpStream) -> bool {
    let mut byte = [std::mem::MaybeUninit::uninit()];
    SockRef::from(stream).peek(&mut byte).is_ok_and(|count| count > 0)
}

/// Reads and discards what a client still sends, so that closing the connection does not discard its response, which
/// the client may not have read yet: until it closes its side, or `limit`.
pub(crate) async fn linger(stream: &TcpStream, limit: Duration) {
    let _ = SockRef::from(stream).shutdown(Shutdown::Write);
    let discard = async {
        let mut bytes = vec![0; 16 * 1024];
        loop {
            if stream.readable().await.is_err() {
                return;
            }
            match stream.try_read(&mut bytes) {
                Ok(0) => return,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
    };
    let _ = tokio::time::timeout(limit, discard).await;
}
