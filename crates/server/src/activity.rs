//! The activity of the client of a connection: shared by its socket, its requests, and its timer.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tokio::time::Sleep;

/// The first bytes of a connection of HTTP/2 (RFC 9113 §3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The number of these bytes that no usual method of HTTP/1 starts with.
const DISTINCT: usize = 4;

/// The average number of bytes per second that a client has to read of its response.
const MIN_RATE: f64 = 16.0 * 1024.0;

/// The same, and the timeout, while unsent responses use all of their memory.
const MIN_RATE_WHEN_FULL: f64 = 1024.0 * 1024.0;
const TIMEOUT_WHEN_FULL: Duration = Duration::from_secs(1);

/// How long a client can do nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timeouts {
    /// From the first byte of a request, or the start of a connection, to the end of the headers.
    pub(crate) headers: Duration,
    /// For the next request.
    pub(crate) idle: Duration,
    /// For the next bytes of a response.
    pub(crate) response: Duration,
    /// The average number of bytes per second of a response, from its start plus `response`.
    rate: f64,
}

impl Timeouts {
    pub(crate) fn new(headers: Duration, idle: Duration, response: Duration) -> Self {
        Self { headers, idle, response, rate: MIN_RATE }
    }

    /// The timeouts while unsent responses use all of their memory.
    pub(crate) fn when_full(self) -> Self {
        Self { response: self.response.min(TIMEOUT_WHEN_FULL), rate: MIN_RATE_WHEN_FULL, ..self }
    }
}

/// The activity of the client of a connection.
#[derive(Debug)]
pub(crate) struct Activity {
    /// Whether the server stopped reading a body before its end.
    abandoned_body: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    next: u64,
    /// The requests whose response is not sent: the progress of the response, once there is one.
    requests: BTreeMap<u64, Option<Progress>>,
    /// Whether a request was received at all.
    served: bool,
    /// When the last response was sent; at first, the start of the connection.
    idle_since: Instant,
    /// HTTP/1: the time of the first byte of a request whose headers are not complete.
    first_byte: Option<Instant>,
    /// The number of first bytes that are those of HTTP/2; `None` after another byte.
    preface: Option<usize>,
}

/// The progress of a response.
#[derive(Debug, Clone, Copy)]
struct Progress {
    start: Instant,
    last: Instant,
    bytes: usize,
}

impl Progress {
    /// When the connection should be closed if no further bytes are sent.
    fn deadline(&self, timeouts: Timeouts) -> Instant {
        let of_rate = Duration::from_secs_f64(bytes_to_f64(self.bytes) / timeouts.rate);
        self.last.min(self.start + of_rate) + timeouts.response
    }
}

#[expect(clippy::cast_precision_loss, reason = "an approximate number of bytes is enough")]
pub(crate) fn bytes_to_f64(bytes: usize) -> f64 {
    bytes as f64
}

/// Why a connection should be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stall {
    /// The client sent nothing, or nothing after its last response.
    Idle,
    /// It began a request and did not finish its headers.
    Headers,
    /// It does not read its response, or too slowly.
    Response,
}

impl Activity {
    pub(crate) fn new() -> Self {
        let state = State {
            next: 0,
            requests: BTreeMap::new(),
            served: false,
            idle_since: Instant::now(),
            first_byte: None,
            preface: Some(0),
        };
        Self { abandoned_body: AtomicBool::new(false), state: Mutex::new(state) }
    }

    /// Every update is complete, so the state is right even after a panic.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The headers of a request are complete. The connection is busy until the guard is dropped.
    pub(crate) fn begin_request(self: &Arc<Self>) -> RequestGuard {
        let mut state = self.state();
        let id = state.next;
        state.next += 1;
        state.requests.insert(id, None);
        state.served = true;
        state.first_byte = None;
        RequestGuard { activity: self.clone(), id }
    }

    pub(crate) fn is_busy(&self) -> bool {
        !self.state().requests.is_empty()
    }

    pub(crate) fn is_http2(&self) -> bool {
        self.state().is_http2()
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
        self.state().first_byte.is_some()
    }

    /// Since when it waits for a request, if it does.
    pub(crate) fn idle_since(&self) -> Option<Instant> {
        let state = self.state();
        (state.requests.is_empty() && state.first_byte.is_none()).then_some(state.idle_since)
    }

    /// The socket read these bytes.
    pub(crate) fn received(&self, bytes: &[u8]) {
        let mut state = self.state();
        if let Some(count) = state.preface.filter(|count| *count < PREFACE.len()) {
            let expected = PREFACE.iter().skip(count);
            let is_preface = bytes.iter().zip(expected).all(|(byte, expected)| byte == expected);
            state.preface = is_preface.then(|| (count + bytes.len()).min(PREFACE.len()));
        }
        // Empty lines before a request are ignored (RFC 9112 §2.2).
        let is_empty = bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n'));
        // HTTP/2 also sends frames between requests. Without a response, the bytes are those of a body.
        if !is_empty && !state.is_http2() && state.requests.values().all(Option::is_some) {
            state.first_byte.get_or_insert_with(Instant::now);
        }
    }

    /// Resolves when the client stalls. The timer is set again only if it is late or would be.
    pub(crate) fn poll_stall(
        &self,
        context: &mut Context<'_>,
        mut timer: Pin<&mut Sleep>,
        timeouts: Timeouts,
    ) -> Poll<Stall> {
        loop {
            let now = Instant::now();
            let next = match self.deadline(timeouts) {
                Some((at, stall)) if at <= now => return Poll::Ready(stall),
                // The memory of responses may be full earlier.
                Some((at, Stall::Response)) => at.min(now + TIMEOUT_WHEN_FULL),
                Some((at, _)) => at,
                None => now + timeouts.response,
            };
            if timer.is_elapsed() || next < timer.deadline().into_std() {
                timer.as_mut().reset(next.into());
            }
            ready!(timer.as_mut().poll(context));
        }
    }

    /// When the connection should be closed, and why, if its client does nothing until then.
    fn deadline(&self, timeouts: Timeouts) -> Option<(Instant, Stall)> {
        let state = self.state();
        let responses = state.requests.values().flatten();
        if let Some(at) = responses.map(|response| response.deadline(timeouts)).min() {
            return Some((at, Stall::Response));
        }
        if !state.requests.is_empty() {
            return None;
        }
        Some(match state.first_byte {
            Some(first_byte) => (first_byte + timeouts.headers, Stall::Headers),
            None if state.served => (state.idle_since + timeouts.idle, Stall::Idle),
            None => (state.idle_since + timeouts.headers, Stall::Idle),
        })
    }
}

impl State {
    fn is_http2(&self) -> bool {
        self.preface.is_some_and(|count| count >= DISTINCT)
    }
}

/// A request whose response is not sent completely.
#[derive(Debug)]
pub(crate) struct RequestGuard {
    activity: Arc<Activity>,
    id: u64,
}

impl RequestGuard {
    /// The server does not read the rest of its body.
    pub(crate) fn abandon_body(&self) {
        self.activity.abandon_body();
    }

    /// The kernel accepted these bytes of its response; none when it begins.
    pub(crate) fn sent(&self, bytes: usize) {
        let now = Instant::now();
        let mut state = self.activity.state();
        let Some(progress) = state.requests.get_mut(&self.id) else { return };
        let progress = progress.get_or_insert(Progress { start: now, last: now, bytes: 0 });
        progress.last = now;
        progress.bytes += bytes;
    }
}

impl Drop for RequestGuard {
    fn drop(&mut self) {
        let now = Instant::now();
        let mut state = self.activity.state();
        state.requests.remove(&self.id);
        state.idle_since = now;
        // The beginning of the next request, which was not read while this response was sent.
        state.first_byte = state.first_byte.map(|_| now);
    }
}
