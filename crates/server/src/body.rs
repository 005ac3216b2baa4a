//! Receives the body of a request before its route is called: within a time limit, and within a limit of memory for the
//! bodies of all requests together.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use ordinate::http::server::fault::BodyFault;
use tokio::sync::Notify;

/// Bodies up to this size are not counted.
const SMALL: usize = 16 * 1024;

/// A body without new bytes for this time loses its memory if others wait for it.
const STALLED: Duration = Duration::from_millis(250);

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
    /// The time of its last bytes.
    last: Instant,
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

/// The memory of a body. Dropping it returns the memory.
#[derive(Debug)]
pub(crate) struct Reservation {
    memory: Arc<BodyMemory>,
    id: u64,
    bytes: usize,
}

impl Reservation {
    /// Reserves memory for a body of at most `bytes` bytes, waiting until others return theirs. It is reserved at once, so
    /// that bodies do not wait for each other with a part of what they need.
    async fn new(memory: &Arc<BodyMemory>, bytes: usize, stalled: &Arc<Notify>) -> Self {
        loop {
            if let Some(reservation) = Self::try_new(memory, bytes, stalled) {
                return reservation;
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    /// Without enough memory, the body whose client has been silent for the longest time loses its own.
    fn try_new(memory: &Arc<BodyMemory>, bytes: usize, stalled: &Arc<Notify>) -> Option<Self> {
        let mut held = memory.held();
        if held.bytes + bytes > memory.limit {
            let silent = held.receiving.values().filter(|body| body.last.elapsed() >= STALLED);
            if let Some(body) = silent.min_by_key(|body| body.last) {
                body.stalled.notify_one();
            }
            return None;
        }
        held.bytes += bytes;
        let id = memory.next.fetch_add(1, Ordering::Relaxed);
        held.receiving.insert(id, Receiving { last: Instant::now(), stalled: stalled.clone() });
        Some(Self { memory: memory.clone(), id, bytes })
    }

    /// Bytes of the body arrived.
    fn progress(&self) {
        if let Some(receiving) = self.memory.held().receiving.get_mut(&self.id) {
            receiving.last = Instant::now();
        }
    }

    /// The body is complete, and has this length.
    fn complete(&mut self, length: usize) {
        let mut held = self.memory.held();
        held.receiving.remove(&self.id);
        held.bytes -= self.bytes - length;
        self.bytes = length;
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
    let declared = body.size_hint().upper().map(|length| usize::try_from(length).unwrap_or(usize::MAX));
    let most = declared.unwrap_or(limits.bytes);
    if most > limits.bytes {
        return Err(BodyFault::TooLarge);
    }
    let stalled = Arc::new(Notify::new());
    tokio::select! {
        received = collect(body, most, memory, &stalled) => received,
        () = stalled.notified() => Err(BodyFault::Stalled),
        () = tokio::time::sleep(limits.time) => Err(BodyFault::TimedOut(limits.time)),
    }
}

async fn collect(
    mut body: Incoming,
    most: usize,
    memory: &Arc<BodyMemory>,
    stalled: &Arc<Notify>,
) -> Result<Received, BodyFault> {
    let mut bytes = Vec::new();
    let mut reservation: Option<Reservation> = None;
    while let Some(frame) = body.frame().await {
        let Ok(part) = frame.map_err(|error| BodyFault::Incomplete(reason(&error)))?.into_data() else { continue };
        if bytes.len() + part.len() > most {
            return Err(BodyFault::TooLarge);
        }
        match &reservation {
            Some(reservation) => reservation.progress(),
            None if bytes.len() + part.len() > SMALL => {
                reservation = Some(Reservation::new(memory, most, stalled).await);
                // Its pages are resident as they are filled; growing it step by step would leave copies in the allocator.
                bytes.reserve_exact(most - bytes.len());
            }
            None => {}
        }
        bytes.extend_from_slice(&part);
    }
    if let Some(reservation) = &mut reservation {
        reservation.complete(bytes.len());
    }
    Ok((bytes.into(), reservation))
}

/// The cause of an error of hyper, which alone would be `error reading a body from connection`.
fn reason(error: &hyper::Error) -> String {
    if error.is_incomplete_message() {
        return "the connection was closed before its end".to_owned();
    }
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}
