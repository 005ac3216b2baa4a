//! Values that are fetched by the first caller, shared, refreshed, and dropped when they take too much memory.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};
use tracing::Instrument;

use super::error::{CatalogError, LoadError};
use super::load::LoadCounter;
use crate::source::Causes;

/// How long callers receive the error of a failed fetch before the next one fetches again.
pub const FAILURE_MEMORY: Duration = Duration::from_secs(1);

/// The most entries without a value; callers choose the keys. Failures are forgotten early when there are more.
const MAX_FAILURES: usize = 1_000;

/// How long a fetch may take, and how much memory the values.
#[derive(Debug, Clone, Copy)]
pub(super) struct Policy {
    /// The time limit of a fetch.
    pub(super) timeout: Duration,
    /// The size of all values together from which the least recently used ones are dropped.
    pub(super) max_bytes: u64,
}

/// A value of a [`Cache`].
pub(super) trait Value: Send + Sync + 'static {
    /// Its size in bytes.
    fn bytes(&self) -> u64;
}

/// Values by key. All callers that wait for a value share one fetch, which goes on when they leave.
pub(super) struct Cache<T> {
    policy: Policy,
    /// Counts failed refreshes.
    counter: Option<LoadCounter>,
    state: Arc<Mutex<State<T>>>,
}

struct State<T> {
    entries: HashMap<String, Entry<T>>,
    /// The key whose value is never dropped.
    pinned: Option<String>,
    /// Increases with every use.
    clock: u64,
}

struct Entry<T> {
    value: Option<Arc<T>>,
    /// When the last fetch ended.
    checked: Instant,
    /// The error of the last fetch, while it is remembered.
    failure: Option<CatalogError>,
    fetch: Option<Fetch<T>>,
    last_used: u64,
}

/// A fetch in progress.
struct Fetch<T> {
    started: Instant,
    outcome: watch::Receiver<Option<Outcome<T>>>,
}

type Outcome<T> = Result<Arc<T>, CatalogError>;

/// The next step of a caller.
enum Step<T> {
    Done(Outcome<T>),
    Wait(Fetch<T>),
    /// The value is old: wait a little for a new one.
    Refresh(Fetch<T>, Arc<T>),
}

impl<T: Value> Cache<T> {
    pub(super) fn new(policy: Policy) -> Self {
        let state = State { entries: HashMap::new(), pinned: None, clock: 0 };
        Self { policy, counter: None, state: Arc::new(Mutex::new(state)) }
    }

    /// The same cache, whose failed refreshes are counted.
    pub(super) fn counting(self, counter: &LoadCounter) -> Self {
        Self { counter: Some(counter.clone()), ..self }
    }

    /// The value of this key. `fetch` gets the value so far and returns the same one if it is unchanged. A value is
    /// fetched again when its last fetch is longer ago than `max_age`. One caller waits for that, until `patience`; if
    /// it takes longer or fails, the old value is returned.
    pub(super) async fn get<F>(
        &self,
        key: &str,
        max_age: Option<Duration>,
        patience: Instant,
        fetch: impl Fn(Option<Arc<T>>) -> F,
    ) -> Result<Arc<T>, CatalogError>
    where
        F: Future<Output = Outcome<T>> + Send + 'static,
    {
        let arrived = Instant::now();
        loop {
            match self.step(key, max_age, &fetch) {
                Step::Done(outcome) => return outcome,
                Step::Refresh(started, old) => {
                    return match timeout_at(patience, started.outcome()).await {
                        Ok(Ok(new)) => Ok(new),
                        Ok(Err(_)) | Err(_) => Ok(old),
                    };
                }
                Step::Wait(started) => {
                    // A function is suspended between two requests, for minutes if need be. The time limit of a fetch
                    // that was in progress is over then, which says nothing about the source.
                    let was_suspended = started.started + self.policy.timeout < arrived;
                    let outcome = started.outcome().await;
                    if outcome.is_ok() || !was_suspended {
                        return outcome;
                    }
                }
            }
        }
    }

    fn step<F>(&self, key: &str, max_age: Option<Duration>, fetch: impl Fn(Option<Arc<T>>) -> F) -> Step<T>
    where
        F: Future<Output = Outcome<T>> + Send + 'static,
    {
        let now = Instant::now();
        let mut state = self.lock();
        state.clock += 1;
        let clock = state.clock;
        if !state.entries.contains_key(key) {
            state.forget_failures(now);
            state.entries.insert(key.to_owned(), Entry::new(now));
        }
        let Some(entry) = state.entries.get_mut(key) else {
            return Step::Done(Err(LoadError::Stopped { location: key.to_owned() }.into()));
        };
        entry.last_used = clock;
        let running = entry.fetch.as_ref().filter(|fetch| fetch.is_running()).cloned();
        let age = now.duration_since(entry.checked);
        match (entry.value.clone(), running) {
            // Another caller waits for the new value.
            (Some(value), Some(_)) => Step::Done(Ok(value)),
            (Some(value), None) if max_age.is_none_or(|max_age| age < max_age) => Step::Done(Ok(value)),
            (Some(value), None) => Step::Refresh(self.start(entry, key, fetch(Some(value.clone()))), value),
            (None, Some(running)) => Step::Wait(running),
            (None, None) => match &entry.failure {
                Some(error) if age < FAILURE_MEMORY => Step::Done(Err(error.clone())),
                _ => Step::Wait(self.start(entry, key, fetch(None))),
            },
        }
    }

    /// Fetches in a task of its own, so that the value is not lost when its caller leaves.
    fn start<F>(&self, entry: &mut Entry<T>, key: &str, fetch: F) -> Fetch<T>
    where
        F: Future<Output = Outcome<T>> + Send + 'static,
    {
        let started = Instant::now();
        let (sender, outcome) = watch::channel(None);
        let (state, policy, key) = (Arc::clone(&self.state), self.policy, key.to_owned());
        let counter = self.counter.clone();
        let task = async move {
            let outcome = timeout_at(started + policy.timeout, fetch).await;
            let timeout = |_| LoadError::Timeout { location: key.clone(), limit: policy.timeout }.into();
            let outcome = outcome.map_err(timeout).and_then(|outcome| outcome);
            let is_refresh = lock(&state).finish(&key, &outcome, policy, started);
            if is_refresh && let (Err(_), Some(counter)) = (&outcome, counter) {
                counter.add_failed_refresh();
            }
            sender.send_replace(Some(outcome));
        };
        tokio::spawn(task.in_current_span());
        let fetch = Fetch { started, outcome };
        entry.fetch = Some(fetch.clone());
        fetch
    }

    /// Keeps the value of this key, and no other, whatever its size.
    pub(super) fn pin(&self, key: &str) {
        let mut state = self.lock();
        if state.pinned.as_deref() != Some(key) {
            state.pinned = Some(key.to_owned());
        }
    }

    /// Keeps the value of another key, if that of this one is kept.
    pub(super) fn move_pin(&self, from: &str, to: &str) {
        let mut state = self.lock();
        if state.pinned.as_deref() == Some(from) {
            state.pinned = Some(to.to_owned());
        }
    }

    /// The values, in the order of their keys.
    pub(super) fn values(&self) -> Vec<Arc<T>> {
        let state = self.lock();
        let mut values: Vec<_> =
            state.entries.iter().filter_map(|(key, entry)| Some((key.clone(), entry.value.clone()?))).collect();
        drop(state);
        values.sort_by(|(left, _), (right, _)| left.cmp(right));
        values.into_iter().map(|(_, value)| value).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        lock(&self.state)
    }
}

/// Every update is complete, so the state is right even after a panic.
fn lock<T>(state: &Mutex<State<T>>) -> MutexGuard<'_, State<T>> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T: Value> State<T> {
    /// Records the end of a fetch. Returns whether there was a value before.
    fn finish(&mut self, key: &str, outcome: &Outcome<T>, policy: Policy, started: Instant) -> bool {
        let now = Instant::now();
        let Some(entry) = self.entries.get_mut(key) else { return false };
        let is_refresh = entry.value.is_some();
        entry.fetch = None;
        entry.checked = now;
        match outcome {
            Ok(value) => {
                entry.value = Some(value.clone());
                entry.failure = None;
                self.make_room(policy.max_bytes, key);
            }
            Err(error) if entry.value.is_some() => {
                tracing::warn!(key, cause = %Causes(error), "cannot refresh; the loaded version stays");
            }
            Err(error) => {
                // After a suspension the time limit says nothing about the source.
                let was_suspended = now > started + policy.timeout + FAILURE_MEMORY;
                entry.failure = (!was_suspended).then(|| error.clone());
            }
        }
        is_refresh
    }

    /// Drops the least recently used values, except for the one of `key`, until the others fit.
    fn make_room(&mut self, max_bytes: u64, key: &str) {
        let bytes = |entry: &Entry<T>| entry.value.as_ref().map_or(0, |value| value.bytes());
        let mut total: u64 = self.entries.values().map(bytes).sum();
        while total > max_bytes {
            let pinned = self.pinned.as_deref();
            let can_go = |(other, entry): &(&String, &Entry<T>)| {
                entry.value.is_some() && entry.fetch.is_none() && *other != key && Some(other.as_str()) != pinned
            };
            let oldest = self.entries.iter().filter(can_go).min_by_key(|(_, entry)| entry.last_used);
            let Some(oldest) = oldest.map(|(key, _)| key.clone()) else { return };
            let removed = self.entries.remove(&oldest);
            total -= removed.as_ref().map_or(0, bytes);
            tracing::info!(key = oldest, "dropped, because the loaded models exceed MODEL_CACHE_BYTES");
        }
    }

    /// Removes failures when there are many: those that are no longer remembered, otherwise all.
    fn forget_failures(&mut self, now: Instant) {
        let is_failure = |entry: &Entry<T>| entry.value.is_none() && entry.fetch.is_none();
        let count = |entries: &HashMap<String, Entry<T>>| entries.values().filter(|entry| is_failure(entry)).count();
        if self.entries.len() < MAX_FAILURES || count(&self.entries) < MAX_FAILURES {
            return;
        }
        let is_remembered = |entry: &Entry<T>| now.duration_since(entry.checked) < FAILURE_MEMORY;
        self.entries.retain(|_, entry| !is_failure(entry) || is_remembered(entry));
        if count(&self.entries) >= MAX_FAILURES {
            self.entries.retain(|_, entry| !is_failure(entry));
        }
    }
}

impl<T> Entry<T> {
    fn new(now: Instant) -> Self {
        Self { value: None, checked: now, failure: None, fetch: None, last_used: 0 }
    }
}

impl<T> Fetch<T> {
    fn is_running(&self) -> bool {
        // The task sends its outcome after it has removed the fetch; a task that panicked has done neither.
        self.outcome.has_changed().is_ok()
    }

    async fn outcome(mut self) -> Outcome<T> {
        match self.outcome.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(outcome)) => outcome.clone(),
            Ok(None) | Err(_) => Err(LoadError::Stopped { location: "the catalog".into() }.into()),
        }
    }
}

impl<T> Clone for Fetch<T> {
    fn clone(&self) -> Self {
        Self { started: self.started, outcome: self.outcome.clone() }
    }
}

impl<T> fmt::Debug for Cache<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Cache").field("policy", &self.policy).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nothing;

    impl Value for Nothing {
        fn bytes(&self) -> u64 {
            0
        }
    }

    #[tokio::test]
    async fn the_failures_of_any_number_of_keys_need_bounded_memory() {
        let cache = Cache::<Nothing>::new(Policy { timeout: Duration::from_secs(8), max_bytes: 1 });
        let failing = |_| async { Err(LoadError::Stopped { location: "here".into() }.into()) };
        let good = |_| async { Ok(Arc::new(Nothing)) };
        assert!(cache.get("good", None, Instant::now(), good).await.is_ok());
        for number in 0..3 * MAX_FAILURES {
            assert!(cache.get(&number.to_string(), None, Instant::now(), failing).await.is_err());
            assert!(cache.lock().entries.len() <= MAX_FAILURES + 1, "after {number}");
        }
        assert_eq!(cache.values().len(), 1, "values are kept");
    }
}
