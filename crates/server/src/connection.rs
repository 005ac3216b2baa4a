//! A connection: HTTP/1.1 or HTTP/2, closed when its client stalls.

use std::error::Error;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};

use crate::service::Service;
use crate::socket::{Activity, Socket, Stall, has_unread_bytes, linger};

/// The memory for what is read at once, which also limits the headers of a request.
const BUFFER: usize = 64 * 1024;

/// HTTP/2: bytes of a stream that a client may send before they are read.
const STREAM_WINDOW: u32 = 256 * 1024;

/// HTTP/2: the same for all streams of a connection.
const CONNECTION_WINDOW: u32 = 1024 * 1024;

/// HTTP/2: the most streams of a connection at once.
const MAX_STREAMS: u32 = 100;

/// HTTP/2: after this time without a frame, and again without an answer to a ping, the connection is closed.
const PING: Duration = Duration::from_secs(30);

/// How long a client may read its response after the server closed its side.
const LINGER: Duration = Duration::from_secs(2);

/// The time between two looks at a connection that ends as soon as it is idle.
const DRAIN_INTERVAL: Duration = Duration::from_millis(10);

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
        service: Arc<Service>,
        mut draining: watch::Receiver<bool>,
    ) {
        let _ = stream.set_nodelay(true);
        let stream = Arc::new(stream);
        let io = TokioIo::new(Socket::new(stream.clone(), self.activity.clone()));
        let (headers, idle) = (service.header_timeout, service.idle_timeout);
        let activity = self.activity.clone();
        let requests = service_fn(move |request| service.clone().answer(request, activity.clone()));
        let builder = builder();
        let mut connection = pin!(builder.serve_connection(io, requests));
        let mut timer = pin!(tokio::time::sleep(headers.min(idle)));
        let mut is_ending = false;
        loop {
            tokio::select! {
                outcome = connection.as_mut() => {
                    if let Err(error) = outcome {
                        log_error(peer, &*error);
                    }
                    break;
                }
                () = self.evict.notified() => {
                    if self.activity.idle_since().is_some() && !has_unread_bytes(&stream) {
                        return;
                    }
                    self.evicted.store(false, Ordering::SeqCst);
                }
                () = timer.as_mut() => {
                    let deadline = self.activity.deadline(headers, idle);
                    if let Some((_, stall)) = deadline.filter(|(at, _)| *at <= Instant::now()) {
                        log_stall(peer, stall);
                        if stall == Stall::Headers {
                            let _ = stream.try_write(TIMEOUT_RESPONSE);
                        }
                        return;
                    }
                    let next = deadline.map_or_else(|| Instant::now() + headers.min(idle), |(at, _)| at);
                    timer.as_mut().reset(next.into());
                }
                _ = draining.wait_for(|draining| *draining), if !is_ending => {}
            }
            if !is_ending && *draining.borrow() {
                // A request may be in the buffers of the kernel or of hyper, which would discard it now.
                let is_received = self.activity.is_busy() || self.activity.is_http2();
                if is_received || !(self.activity.has_begun() || has_unread_bytes(&stream)) {
                    connection.as_mut().graceful_shutdown();
                    is_ending = true;
                } else {
                    tokio::select! {
                        outcome = connection.as_mut() => {
                            if let Err(error) = outcome {
                                log_error(peer, &*error);
                            }
                            break;
                        }
                        () = tokio::time::sleep(DRAIN_INTERVAL) => {}
                    }
                }
            }
        }
        if self.activity.has_abandoned_body() {
            linger(&stream, LINGER).await;
        }
    }
}

/// The response to a client that did not finish its headers, which hyper closes without a word.
const TIMEOUT_RESPONSE: &[u8] = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

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

fn log_stall(peer: SocketAddr, stall: Stall) {
    match stall {
        Stall::Idle => tracing::debug!(%peer, "an idle connection was closed"),
        Stall::Headers => tracing::info!(%peer, status = 408, "the headers of a request did not arrive in time"),
        Stall::Response => tracing::info!(%peer, "a connection was closed: its client does not read the response"),
    }
}

/// The end of a connection because of its client. hyper has responded to an invalid request.
fn log_error(peer: SocketAddr, error: &(dyn Error + Send + Sync + 'static)) {
    let cause = error.to_string();
    match error.downcast_ref::<hyper::Error>() {
        Some(error) if error.is_parse_too_large() => tracing::info!(%peer, status = 431, cause, "invalid request"),
        Some(error) if error.is_parse() => tracing::info!(%peer, status = 400, cause, "invalid request"),
        _ => tracing::debug!(%peer, cause, "a connection ended early"),
    }
}
