//! Receives the body of a request before its route is called: within a time limit, and within a limit of memory for the
//! bodies of all requests together.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use ordinate::http::server::fault::BodyFault;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};

use crate::activity::bytes_to_f64;

/// Bodies up to this size are not counted.
const SMALL: usize = 16 * 1024;

/// A body without new bytes for this time loses its memory if another one waits for it: longer than one retransmission of
/// TCP, and short enough that bodies behind many stalled ones get their turn.
const STALLED: Duration = Duration::from_millis(500);

/// So does a body that has arrived with fewer bytes per second since it got its memory, after the same time: otherwise a
/// few clients that send a byte now and then could keep all memory.
const MIN_RATE: f64 = 128.0 * 1024.0;

/// The time between two searches for such a body.
const SEARCH: Duration = Duration::from_millis(100);

/// The unit of memory.
const KIB: usize = 1024;

/// The memory of all bodies that are being received or handled.
#[derive(Debug)]
pub(crate) struct BodyMemory {
    /// In KiB.
    limit: usize,
    /// In KiB. Bodies get memory in the order in which they ask for it.
    free: Arc<Semaphore>,
    next: AtomicU64,
    /// The bodies with memory that are being received.
    receiving: Mutex<HashMap<u64, Receiving>>,
}

#[derive(Debug)]
struct Receiving {
    /// When it got its memory.
    start: Instant,
    /// The time of its last bytes.
    last: Instant,
    /// The number of bytes since the start.
    bytes: usize,
    stalled: Arc<Notify>,
}

impl Receiving {
    /// When it is stalled if no further bytes arrive.
    fn deadline(&self) -> Instant {
        let of_rate = Duration::from_secs_f64(bytes_to_f64(self.bytes) / MIN_RATE);
        self.last.min(self.start + of_rate) + STALLED
    }
}

impl BodyMemory {
    /// Memory for bodies of at most `limit` bytes together.
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        let limit = limit.div_ceil(KIB).min(Semaphore::MAX_PERMITS);
        Arc::new(Self {
            limit,
            free: Arc::new(Semaphore::new(limit)),
            next: AtomicU64::new(0),
            receiving: Mutex::default(),
        })
    }

    /// Every update is complete, so the list is right even after a panic.
    fn receiving(&self) -> MutexGuard<'_, HashMap<u64, Receiving>> {
        self.receiving.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The bytes of all bodies.
    pub(crate) fn bytes(&self) -> usize {
        (self.limit - self.free.available_permits()) * KIB
    }

    /// Waits for memory for a body of at most `bytes` bytes. It is reserved at once, so that bodies do not wait for each
    /// other with a part of what they need.
    async fn reserve(self: &Arc<Self>, bytes: usize, stalled: &Arc<Notify>) -> Reservation {
        let units = u32::try_from(bytes.div_ceil(KIB).min(self.limit)).unwrap_or(u32::MAX);
        let mut acquired = pin!(self.free.clone().acquire_many_owned(units));
        let permit = loop {
            tokio::select! {
                permit = acquired.as_mut() => break permit,
                () = tokio::time::sleep(SEARCH) => self.evict_stalled(),
            }
        };
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let now = Instant::now();
        self.receiving().insert(id, Receiving { start: now, last: now, bytes: 0, stalled: stalled.clone() });
        Reservation { memory: self.clone(), id, permit: permit.ok() }
    }

    /// The body that has been stalled for the longest time loses its memory.
    fn evict_stalled(&self) {
        let receiving = self.receiving();
        let longest = receiving.values().min_by_key(|body| body.deadline());
        if let Some(body) = longest.filter(|body| body.deadline() <= Instant::now()) {
            body.stalled.notify_one();
        }
    }
}

/// The memory of a body. Dropping it returns the memory.
#[derive(Debug)]
pub(crate) struct Reservation {
    memory: Arc<BodyMemory>,
    id: u64,
    /// `None` only if the semaphore is closed, which it never is.
    permit: Option<OwnedSemaphorePermit>,
}

impl Reservation {
    /// This number of bytes of the body arrived.
    fn progress(&self, bytes: usize) {
        if let Some(receiving) = self.memory.receiving().get_mut(&self.id) {
            receiving.last = Instant::now();
            receiving.bytes += bytes;
        }
    }

    /// The body is complete, and has this length.
    fn complete(&mut self, length: usize) {
        self.memory.receiving().remove(&self.id);
        if let Some(permit) = &mut self.permit {
            let unused = permit.num_permits().saturating_sub(length.div_ceil(KIB));
            drop(permit.split(unused));
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.memory.receiving().remove(&self.id);
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
    let max_bytes = declared.unwrap_or(limits.bytes);
    if max_bytes > limits.bytes {
        return Err(BodyFault::TooLarge);
    }
    let stalled = Arc::new(Notify::new());
    tokio::select! {
        received = collect(body, BodyLimits { bytes: max_bytes, ..limits }, memory, &stalled) => received,
        () = stalled.notified() => Err(BodyFault::Stalled),
    }
}

async fn collect(
    mut body: Incoming,
    limits: BodyLimits,
    memory: &Arc<BodyMemory>,
    stalled: &Arc<Notify>,
) -> Result<Received, BodyFault> {
    let mut bytes = Vec::new();
    let mut reservation: Option<Reservation> = None;
    let mut deadline = Instant::now() + limits.time;
    loop {
        let frame = timeout_at(deadline, body.frame()).await.map_err(|_| BodyFault::TimedOut(limits.time))?;
        let Some(frame) = frame else { break };
        let Ok(part) = frame.map_err(|error| BodyFault::Incomplete(reason(&error)))?.into_data() else { continue };
        if bytes.len() + part.len() > limits.bytes {
            return Err(BodyFault::TooLarge);
        }
        match &reservation {
            Some(reservation) => reservation.progress(part.len()),
            None if bytes.len() + part.len() > SMALL => {
                let waiting = Instant::now();
                let reserved = timeout(limits.time, memory.reserve(limits.bytes, stalled)).await;
                reservation = Some(reserved.map_err(|_| BodyFault::NoMemory)?);
                // The client cannot send while the server waits.
                deadline += waiting.elapsed();
                // Its pages are resident as they are filled; growing it step by step would leave copies in the allocator.
                bytes.try_reserve_exact(limits.bytes - bytes.len()).map_err(|_| BodyFault::NoMemory)?;
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
