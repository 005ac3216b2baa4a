//! All connections: accepting them, their limit, and their end.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use libc::{EMFILE, ENFILE, ENOBUFS, ENOMEM};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::connection::Connection;
use crate::requests::Requests;
use crate::socket::linger;

/// The time to wait when the system has no more descriptors or memory.
const OUT_OF_RESOURCES: Duration = Duration::from_millis(50);

/// The time between two reports of a lack of descriptors.
const REPORT_INTERVAL: Duration = Duration::from_mins(1);

/// How long the client of a refused connection may read the response.
const REFUSED_LINGER: Duration = Duration::from_millis(500);

/// The maximum number of refused connections that get a response at once, apart from the limit of connections.
pub(crate) const MAX_REFUSING: usize = 256;

/// The response to a connection above the limit.
const REFUSED: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// The open connections.
#[derive(Debug)]
pub(crate) struct Connections {
    limit: usize,
    open: Mutex<OpenConnections>,
    accepted: AtomicU64,
    refused: AtomicU64,
}

#[derive(Debug, Default)]
struct OpenConnections {
    next: u64,
    connections: HashMap<u64, Arc<Connection>>,
    /// Whether the limit was reported since the number was last well below it.
    is_limit_reported: bool,
    /// When a lack of descriptors was last reported.
    lack_reported: Option<Instant>,
}

/// Numbers of connections, for metrics.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConnectionCounts {
    pub(crate) open: usize,
    pub(crate) idle: usize,
    pub(crate) accepted: u64,
    pub(crate) refused: u64,
}

impl Connections {
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, open: Mutex::default(), accepted: AtomicU64::new(0), refused: AtomicU64::new(0) })
    }

    /// Every update is complete, so the list is right even after a panic.
    fn open(&self) -> MutexGuard<'_, OpenConnections> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn counts(&self) -> ConnectionCounts {
        let open = self.open();
        ConnectionCounts {
            open: open.connections.len(),
            idle: open.connections.values().filter(|connection| connection.activity.idle_since().is_some()).count(),
            accepted: self.accepted.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
        }
    }

    /// Closes the connection that is idle for the longest time, because the system allows no more.
    fn make_room(&self, cause: &io::Error) {
        let mut open = self.open();
        if open.lack_reported.is_none_or(|last| last.elapsed() >= REPORT_INTERVAL) {
            open.lack_reported = Some(Instant::now());
            tracing::warn!(%cause, "cannot accept a connection; idle ones are closed");
        }
        open.evict_idle();
    }

    /// Adds a connection. At the limit, the connection that is idle for the longest time makes room; `None` if none is
    /// idle.
    fn admit(self: &Arc<Self>) -> Option<Admitted> {
        let mut open = self.open();
        // Evicted connections are in the list until they are closed.
        let is_full = open.connections.len() >= self.limit
            && open.connections.values().filter(|connection| !connection.is_evicted()).count() >= self.limit;
        if is_full {
            if !open.is_limit_reported {
                open.is_limit_reported = true;
                let limit = self.limit;
                tracing::warn!(
                    limit,
                    "the limit of connections (MAX_CONNECTIONS) is reached; idle ones are closed, and new ones are \
                     refused if no other is idle"
                );
            }
            if !open.evict_idle() {
                self.refused.fetch_add(1, Ordering::Relaxed);
                return None;
            }
        } else if open.connections.len() < self.limit - self.limit.div_ceil(10) {
            open.is_limit_reported = false;
        }
        self.accepted.fetch_add(1, Ordering::Relaxed);
        let (id, connection) = (open.next, Connection::new());
        open.next += 1;
        open.connections.insert(id, connection.clone());
        Some(Admitted { connections: self.clone(), id, connection })
    }
}

impl OpenConnections {
    /// Closes the connection that is idle for the longest time, if one is idle.
    fn evict_idle(&self) -> bool {
        let idle = self.connections.values().filter(|connection| !connection.is_evicted());
        let idle = idle.filter_map(|connection| Some((connection.activity.idle_since()?, connection)));
        let longest = idle.min_by_key(|(since, _)| *since);
        longest.is_some_and(|(_, connection)| {
            connection.evict();
            true
        })
    }
}

/// A connection in the list, until it is dropped.
struct Admitted {
    connections: Arc<Connections>,
    id: u64,
    connection: Arc<Connection>,
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.connections.open().connections.remove(&self.id);
    }
}

/// Accepts connections and serves them.
pub(crate) struct Acceptor {
    connections: Arc<Connections>,
    requests: Arc<Requests>,
    tasks: JoinSet<()>,
    draining: watch::Sender<bool>,
    /// For refused connections that stay open until their clients have read the response. Further ones are closed at once.
    refusing: Arc<Semaphore>,
}

impl Acceptor {
    pub(crate) fn new(connections: Arc<Connections>, requests: Arc<Requests>) -> Self {
        Self {
            connections,
            requests,
            tasks: JoinSet::new(),
            draining: watch::Sender::new(false),
            refusing: Arc::new(Semaphore::new(MAX_REFUSING)),
        }
    }

    /// Serves until `stopped`, and then until the requests that were received are answered, for at most `drain`.
    ///
    /// # Errors
    /// When the socket cannot be used.
    pub(crate) async fn run(
        mut self,
        listener: TcpListener,
        stopped: impl Future<Output = ()>,
        drain: Duration,
    ) -> io::Result<()> {
        let mut stopped = std::pin::pin!(stopped);
        loop {
            tokio::select! {
                () = stopped.as_mut() => break,
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => self.spawn(stream, peer),
                    Err(error) => self.recover(&error).await,
                },
                Some(_) = self.tasks.join_next() => {}
            }
        }
        self.draining.send_replace(true);
        self.accept_waiting(listener)?;
        let all = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(drain, all).await.is_err() {
            let connections = self.connections.counts().open;
            tracing::warn!(
                connections,
                "connections were cut: their requests were not complete in time (DRAIN_SECONDS)"
            );
        }
        self.tasks.shutdown().await;
        Ok(())
    }

    /// The connections that the kernel accepted before the signal may have sent a request.
    fn accept_waiting(&mut self, listener: TcpListener) -> io::Result<()> {
        let listener = listener.into_std()?;
        while let Ok((stream, peer)) = listener.accept() {
            stream.set_nonblocking(true)?;
            self.spawn(TcpStream::from_std(stream)?, peer);
        }
        Ok(())
    }

    fn spawn(&mut self, stream: TcpStream, peer: SocketAddr) {
        let Some(admitted) = self.connections.admit() else {
            if let Ok(permit) = self.refusing.clone().try_acquire_owned() {
                self.tasks.spawn(async move {
                    let _ = stream.writable().await;
                    let _ = stream.try_write(REFUSED);
                    linger(&stream, REFUSED_LINGER).await;
                    drop(permit);
                });
            }
            return;
        };
        let (requests, draining) = (self.requests.clone(), self.draining.subscribe());
        self.tasks.spawn(async move {
            admitted.connection.clone().serve(stream, peer, requests, draining).await;
            drop(admitted);
        });
    }

    /// A failed `accept` concerns one connection, unless the system has no more descriptors or memory (accept(2)).
    async fn recover(&self, error: &io::Error) {
        let is_out_of_resources = matches!(error.raw_os_error(), Some(EMFILE | ENFILE | ENOBUFS | ENOMEM));
        if is_out_of_resources {
            self.connections.make_room(error);
            tokio::time::sleep(OUT_OF_RESOURCES).await;
        } else {
            tracing::debug!(%error, "cannot accept a connection");
        }
    }
}
