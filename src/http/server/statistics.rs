//! Counts of predictions per model since the process started, for Triton's statistics. On Lambda these are the counts
//! of one execution environment, not of the function.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use ordinate_model::Model;

/// Counts by the checksum of the model, which differs between versions.
#[derive(Debug, Default)]
pub(crate) struct Statistics(Mutex<HashMap<String, Counts>>);

/// The requests and times of one model.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counts {
    /// Predicted rows.
    pub(crate) rows: u64,
    /// Successful requests.
    pub(crate) success: Times,
    /// Requests that failed after the model was loaded.
    pub(crate) fail: Times,
    /// The time of successful requests by stage.
    pub(crate) stages: HashMap<&'static str, Duration>,
    /// The time of the last successful request.
    pub(crate) last: Option<SystemTime>,
}

/// A number of requests and their total duration.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Times {
    pub(crate) count: u64,
    pub(crate) duration: Duration,
}

impl Times {
    fn add(&mut self, duration: Duration) {
        self.count += 1;
        self.duration += duration;
    }
}

impl Statistics {
    /// The counts of a model.
    pub(crate) fn get(&self, model: &Model) -> Counts {
        self.counts().get(model.checksum()).cloned().unwrap_or_default()
    }

    /// Starts the count of a request. It counts as failed unless [`Tally::succeed`] is called.
    pub(crate) fn begin(self: &Arc<Self>, model: &Arc<Model>) -> Tally {
        Tally { statistics: self.clone(), model: model.clone(), since: Instant::now(), succeeded: false }
    }

    fn add(&self, model: &Model, count: impl FnOnce(&mut Counts)) {
        let mut counts = self.counts();
        match counts.get_mut(model.checksum()) {
            Some(counts) => count(counts),
            None => count(counts.entry(model.checksum().to_owned()).or_default()),
        }
    }

    /// Every update is complete, so the counts are right even after a panic.
    fn counts(&self) -> MutexGuard<'_, HashMap<String, Counts>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request in progress.
#[derive(Debug)]
pub(crate) struct Tally {
    statistics: Arc<Statistics>,
    model: Arc<Model>,
    since: Instant,
    succeeded: bool,
}

impl Tally {
    /// Counts the request as successful.
    pub(crate) fn succeed(mut self, rows: usize, stages: &[(&'static str, Duration)]) {
        self.succeeded = true;
        self.statistics.add(&self.model, |counts| {
            counts.rows += u64::try_from(rows).unwrap_or(u64::MAX);
            counts.success.add(stages.iter().map(|(_, duration)| *duration).sum());
            for (stage, duration) in stages {
                *counts.stages.entry(stage).or_default() += *duration;
            }
            counts.last = Some(SystemTime::now());
        });
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        if !self.succeeded {
            self.statistics.add(&self.model, |counts| counts.fail.add(self.since.elapsed()));
        }
    }
}
