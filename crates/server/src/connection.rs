//! A connection: HTTP/1.1 or HTTP/2, closed when its client stalls.

use std::error::Error;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::StatusCode;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

use crate::activity::{Activity, Stall};
use crate::requests::Requests;
use crate::socket::{Socket, configure, has_unread_bytes, linger};

/// The memory for what is read at once, which also limits the headers of a request.
const BUFFER: usize = 64 * 1024;

/// HTTP/2: bytes of a stream that a client may send before they are read. They are in memory, too.
const STREAM_WINDOW: u32 = 64 * 1024;

/// HTTP/2: the same for all streams of a connection.
const CONNECTION_WINDOW: u32 = 128 * 1024;

/// HTTP/2: the maximum number of streams of a connection at once.
const MAX_STREAMS: u32 = 100;

/// HTTP/2: after this time without a frame, and again without an answer to a ping, the connection is closed.
const PING: Duration = Duration::from_secs(30);

/// How long a client may read its response after the server closed its side.
const LINGER: Duration = Duration::from_secs(2);

/// The time for something that happens at once unless the client prevents it: reading bytes that have arrived, or the last
/// frames of HTTP/2.
const SOON: Duration = Duration::from_millis(10);

/// A connection, for the list of all connections.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) activity: Arc<Activity>,
    /// Whether it was asked to make room for another.
    evicted: AtomicBool,
    evict: Notify,
}

impl Connection {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { activity: Arc::new(Activity::new()), evicted: AtomicBool::new(false), evict: Notify::new() })
    }

    /// Asks it to make room for another.
    pub(crate) fn evict(&self) {
        self.evicted.store(true, Ordering::SeqCst);
        self.evict.notify_one();
    }

    pub(crate) fn is_evicted(&self) -> bool {
        self.evicted.load(Ordering::SeqCst)
    }

    /// Serves it until it ends. When `draining` becomes true, it ends after the requests that were received.
    pub(crate) async fn serve(
        self: Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
        requests: Arc<Requests>,
        mut draining: watch::Receiver<bool>,
    ) {
        configure(&stream);
        let stream = Arc::new(stream);
        let io = TokioIo::new(Socket::new(stream.clone(), self.activity.clone()));
        let mut timer = pin!(tokio::time::sleep(requests.timeouts.headers));
        let handler = service_fn(|request| requests.clone().answer(request, self.activity.begin_request()));
        let builder = builder();
        let mut connection = pin!(builder.serve_connection(io, handler));
        let mut is_ending = false;
        loop {
            let outcome = tokio::select! {
                // First, because it changes the deadline.
                biased;
                outcome = connection.as_mut() => Some(outcome),
                () = self.evict.notified() => {
                    if self.activity.idle_since().is_some() && !has_unread_bytes(&stream) {
                        break;
                    }
                    self.evicted.store(false, Ordering::SeqCst);
                    None
                }
                stall = poll_fn(|context| self.activity.poll_stall(context, timer.as_mut(), requests.timeouts())) => {
                    if stall == Stall::Idle && has_unread_bytes(&stream) {
                        timeout(SOON, connection.as_mut()).await.ok()
                    } else {
                        close_stalled(&stream, peer, stall, &requests);
                        break;
                    }
                }
                () = is_draining(&mut draining), if !is_ending => {
                    // A request may be in the buffers of the kernel or of hyper, which would discard it now.
                    let is_received = self.activity.is_busy() || self.activity.is_http2();
                    if is_received || !(self.activity.has_begun() || has_unread_bytes(&stream)) {
                        connection.as_mut().graceful_shutdown();
                        is_ending = true;
                        None
                    } else {
                        timeout(SOON, connection.as_mut()).await.ok()
                    }
                }
            };
            if let Some(outcome) = outcome {
                if let Err(error) = outcome {
                    log_error(peer, &*error, &requests);
                }
                return self.linger(&stream).await;
            }
        }
        // So that a client of HTTP/2 learns that it can send its next request on another connection.
        if self.activity.is_http2() && !self.activity.is_busy() {
            connection.as_mut().graceful_shutdown();
            let _ = timeout(SOON, connection).await;
        }
    }

    /// Lets a client that is still sending a body read the response.
    async fn linger(&self, stream: &TcpStream) {
        if self.activity.has_abandoned_body() {
            linger(stream, LINGER).await;
        }
    }
}

/// The response to a client that did not finish its headers, which hyper closes without a response.
const TIMEOUT_RESPONSE: &[u8] = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// Resolves when all connections are to end.
async fn is_draining(draining: &mut watch::Receiver<bool>) {
    let _ = draining.wait_for(|draining| *draining).await;
}

fn builder() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    // A client may close its side after the request.
    builder.http1().half_close(true).max_buf_size(BUFFER);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING)
        .max_concurrent_streams(MAX_STREAMS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_header_list_size(u32::try_from(BUFFER).unwrap_or(u32::MAX));
    builder
}

/// Logs that a client stalled, and responds if its headers did not arrive.
fn close_stalled(stream: &TcpStream, peer: SocketAddr, stall: Stall, requests: &Requests) {
    if requests.log.include(StatusCode::REQUEST_TIMEOUT.as_u16()) {
        log_stall(peer, stall);
    }
    if stall == Stall::Headers {
        let _ = stream.try_write(TIMEOUT_RESPONSE);
    }
}

fn log_stall(peer: SocketAddr, stall: Stall) {
    match stall {
        Stall::Idle => tracing::debug!(%peer, "an idle connection was closed"),
        Stall::Headers => tracing::info!(%peer, status = 408, "the headers of a request did not arrive in time"),
        Stall::Response => {
            tracing::info!(%peer, "a connection was closed: its client does not read the response, or too slowly");
        }
    }
}

/// The end of a connection because of its client. hyper has responded to an invalid request.
fn log_error(peer: SocketAddr, error: &(dyn Error + Send + Sync + 'static), requests: &Requests) {
    if !requests.log.include(StatusCode::BAD_REQUEST.as_u16()) {
        return;
    }
    let cause = error.to_string();
    match error.downcast_ref::<hyper::Error>() {
        Some(error) if error.is_parse_too_large() => tracing::info!(%peer, status = 431, cause, "invalid request"),
        Some(error) if error.is_parse() => tracing::info!(%peer, status = 400, cause, "invalid request"),
        _ => tracing::debug!(%peer, cause, "a connection ended early"),
    }
}
