//! Receives the body of a request before its route is called: within a time limit, and within a limit of memory for the
//! bodies of all requests together.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use ordinate::http::server::fault::BodyFault;
use tokio::sync::Notify;

/// Bodies up to this size are not counted.
const SMALL: usize = 16 * 1024;

/// A body without new bytes for this time can lose its memory to others.
const STALLED: Duration = Duration::from_millis(500);

/// The time between two attempts to get memory.
const RETRY: Duration = Duration::from_millis(50);

/// The memory of all bodies that are being received or handled.
#[derive(Debug)]
pub(crate) struct BodyMemory {
    limit: usize,
    next: AtomicU64,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    bytes: usize,
    /// The bodies that are being received.
    receiving: HashMap<u64, Receiving>,
}

#[derive(Debug)]
struct Receiving {
    bytes: usize,
    /// Since when it waits for its client; `None` if it waits for memory.
    waits_since: Option<Instant>,
    stalled: Arc<Notify>,
}

impl BodyMemory {
    /// Memory for bodies of at most `limit` bytes together, and for one of at least `largest` bytes.
    pub(crate) fn new(limit: usize, largest: usize) -> Arc<Self> {
        Arc::new(Self { limit: limit.max(largest), next: AtomicU64::new(0), held: Mutex::default() })
    }

    /// Every update is complete, so the numbers are right even after a panic.
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The bytes of all bodies.
    pub(crate) fn bytes(&self) -> usize {
        self.held().bytes
    }
}

impl Held {
    /// The body that should return its memory: the one that waits longest for its client. If all wait for memory, it is
    /// the youngest.
    fn least_useful(&self) -> Option<&Receiving> {
        let bodies = || self.receiving.iter().filter(|(_, body)| body.bytes > 0);
        let stalled = bodies().filter_map(|(_, body)| Some((body.waits_since?, body)));
        match stalled.min_by_key(|(since, _)| *since) {
            Some((since, body)) => (since.elapsed() >= STALLED).then_some(body),
            None => {
                let total: usize = bodies().map(|(_, body)| body.bytes).sum();
                bodies().max_by_key(|(id, _)| **id).map(|(_, body)| body).filter(|_| total == self.bytes)
            }
        }
    }
}

/// The memory of a body. Dropping it returns the memory.
#[derive(Debug)]
pub(crate) struct Reservation {
    memory: Arc<BodyMemory>,
    id: u64,
    bytes: usize,
}

impl Reservation {
    fn new(memory: &Arc<BodyMemory>, stalled: &Arc<Notify>) -> Self {
        let id = memory.next.fetch_add(1, Ordering::Relaxed);
        let receiving = Receiving { bytes: 0, waits_since: Some(Instant::now()), stalled: stalled.clone() };
        memory.held().receiving.insert(id, receiving);
        Self { memory: memory.clone(), id, bytes: 0 }
    }

    /// Adds bytes, waiting until others return theirs. The body that waits longest for its client loses its memory first.
    async fn add(&mut self, bytes: usize) {
        while !self.try_add(bytes) {
            tokio::time::sleep(RETRY).await;
        }
    }

    fn try_add(&mut self, bytes: usize) -> bool {
        let mut held = self.memory.held();
        let fits = held.bytes + bytes <= self.memory.limit;
        if fits {
            held.bytes += bytes;
            self.bytes += bytes;
        }
        let total = self.bytes;
        if let Some(own) = held.receiving.get_mut(&self.id) {
            own.bytes = total;
            own.waits_since = fits.then(Instant::now);
        }
        if !fits && let Some(body) = held.least_useful() {
            body.stalled.notify_one();
        }
        fits
    }

    /// The body is complete.
    fn received(&self) {
        self.memory.held().receiving.remove(&self.id);
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut held = self.memory.held();
        held.receiving.remove(&self.id);
        held.bytes -= self.bytes;
    }
}

/// The limits of a body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BodyLimits {
    /// The maximum number of bytes.
    pub(crate) bytes: usize,
    /// The time for all of it.
    pub(crate) time: Duration,
}

/// A received body, with its memory if it is not small.
pub(crate) type Received = (Bytes, Option<Reservation>);

/// Receives a body. A declared length above the limit is an error before anything is read, so that a client that waits
/// for `100 Continue` does not send it.
///
/// # Errors
/// See [`BodyFault`].
pub(crate) async fn receive(
    body: Incoming,
    limits: BodyLimits,
    memory: &Arc<BodyMemory>,
) -> Result<Received, BodyFault> {
    if body.is_end_stream() {
        return Ok((Bytes::new(), None));
    }
    if usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX) > limits.bytes {
        return Err(BodyFault::TooLarge);
    }
    let stalled = Arc::new(Notify::new());
    tokio::select! {
        received = collect(body, limits.bytes, memory, &stalled) => received,
        () = stalled.notified() => Err(BodyFault::Stalled),
        () = tokio::time::sleep(limits.time) => Err(BodyFault::TimedOut(limits.time)),
    }
}

async fn collect(
    mut body: Incoming,
    limit: usize,
    memory: &Arc<BodyMemory>,
    stalled: &Arc<Notify>,
) -> Result<Received, BodyFault> {
    let mut bytes = BytesMut::new();
    let mut reservation: Option<Reservation> = None;
    while let Some(frame) = body.frame().await {
        let Ok(part) = frame.map_err(|error| BodyFault::Incomplete(reason(&error)))?.into_data() else { continue };
        let length = bytes.len() + part.len();
        if length > limit {
            return Err(BodyFault::TooLarge);
        }
        if length > SMALL {
            let reservation = reservation.get_or_insert_with(|| Reservation::new(memory, stalled));
            reservation.add(length - reservation.bytes).await;
        }
        bytes.extend_from_slice(&part);
    }
    if let Some(reservation) = &reservation {
        reservation.received();
    }
    Ok((bytes.freeze(), reservation))
}

/// The cause of an error of hyper, which alone would be `error reading a body from connection`.
fn reason(error: &hyper::Error) -> String {
    if error.is_incomplete_message() {
        return "the connection was closed before its end".to_owned();
    }
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}
