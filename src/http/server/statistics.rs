//! What this process has predicted so far, model by model: the counts behind Triton's statistics. On Lambda they are those of one
//! execution environment since it started, not of the function.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use ordinate_model::Model;

/// Counts by the model's name: a process serves one version of each.
#[derive(Debug, Default)]
pub(crate) struct Statistics(Mutex<HashMap<String, Counts>>);

/// What one model was asked, and how long it took.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counts {
    /// Rows predicted.
    pub(crate) rows: u64,
    /// Requests answered, from first to last.
    pub(crate) success: Times,
    /// Requests refused once the model was loaded.
    pub(crate) fail: Times,
    /// How long the stages of answered requests took, by their names.
    pub(crate) stages: HashMap<&'static str, Duration>,
    /// When the last of them was answered.
    pub(crate) last: Option<SystemTime>,
}

/// How often, and how long in all.
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
    pub(crate) fn of(&self, model: &Model) -> Counts {
        self.counts().get(model.name()).cloned().unwrap_or_default()
    }

    /// A request that fails unless it is told otherwise.
    pub(crate) fn begin(self: &Arc<Self>, model: &Arc<Model>) -> Tally {
        Tally { statistics: self.clone(), model: model.clone(), since: Instant::now(), answered: false }
    }

    fn add(&self, model: &Model, count: impl FnOnce(&mut Counts)) {
        let mut counts = self.counts();
        match counts.get_mut(model.name()) {
            Some(counts) => count(counts),
            None => count(counts.entry(model.name().to_owned()).or_default()),
        }
    }

    /// Counting does not fail half-way: counts are right even if someone panicked while holding them.
    fn counts(&self) -> MutexGuard<'_, HashMap<String, Counts>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request on its way; dropped without an answer, it has failed.
#[derive(Debug)]
pub(crate) struct Tally {
    statistics: Arc<Statistics>,
    model: Arc<Model>,
    since: Instant,
    answered: bool,
}

impl Tally {
    /// It was answered.
    pub(crate) fn answered(mut self, rows: usize, stages: &[(&'static str, Duration)]) {
        self.answered = true;
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
        if !self.answered {
            self.statistics.add(&self.model, |counts| counts.fail.add(self.since.elapsed()));
        }
    }
}
