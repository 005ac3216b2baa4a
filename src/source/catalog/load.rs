//! Loading one model: fetch, parse, verify.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ordinate_model::Model;
use ordinate_model::artifact::ArtifactError;
use ordinate_model::identity::{Checksum, ModelName, Version};

use super::cache::Value;
use super::error::{CatalogError, LoadError};
use crate::source::{Content, ModelSource, Tag};

/// From this many bytes on, a model is parsed in a thread of its own: for a smaller one, starting it takes longer.
const PARSE_IN_THREAD: usize = 1 << 18;

/// A file with one model, and what is known about it.
#[derive(Debug, Clone)]
pub(super) struct ModelFile {
    pub(super) source: Arc<dyn ModelSource>,
    pub(super) expected: Expected,
}

/// The required properties of a model.
#[derive(Debug, Clone, Default)]
pub(super) struct Expected {
    /// The name, and what requires it. `None` for a single model that is served under the name in its file.
    pub(super) name: Option<(ModelName, &'static str)>,
    pub(super) version: Option<Version>,
    pub(super) checksum: Option<Checksum>,
}

/// A loaded model.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) model: Arc<Model>,
    tag: Tag,
    bytes: u64,
}

impl Value for Loaded {
    fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// The loads of models so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Loads {
    /// The number of loaded models.
    pub succeeded: u64,
    /// The number of failed loads.
    pub failed: u64,
    /// How often a loaded model or its alias could not be compared with its source or replaced by a new version.
    pub failed_refreshes: u64,
    /// The time of all loads.
    pub duration: Duration,
}

/// Counts loads.
#[derive(Debug, Clone, Default)]
pub(super) struct LoadCounter(Arc<Mutex<Loads>>);

impl LoadCounter {
    /// The loads so far. Every update is complete, so the numbers are right even after a panic.
    pub(super) fn get(&self) -> Loads {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a refresh that failed.
    pub(super) fn add_failed_refresh(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).failed_refreshes += 1;
    }

    fn add(&self, succeeded: u64, failed: u64, duration: Duration) {
        let mut loads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        loads.succeeded += succeeded;
        loads.failed += failed;
        loads.duration += duration;
    }
}

impl ModelFile {
    /// The model in the file; the previous one if the file is unchanged.
    pub(super) async fn load(
        self,
        previous: Option<Arc<Loaded>>,
        counter: LoadCounter,
    ) -> Result<Arc<Loaded>, CatalogError> {
        let mut loading = Loading { counter: &counter, started: Instant::now(), outcome: Some(false) };
        let content = self.source.fetch_changed(previous.as_ref().map(|previous| &previous.tag)).await;
        let content = match (content?, previous) {
            (Some(content), _) => content,
            (None, Some(previous)) => {
                loading.outcome = None;
                return Ok(previous);
            }
            (None, None) => return Err(LoadError::Stopped { location: self.source.describe() }.into()),
        };
        let Content { bytes, tag } = content;
        let length = bytes.len();
        let parsed = if length < PARSE_IN_THREAD {
            Model::from_json(bytes)
        } else {
            let parsing = tokio::task::spawn_blocking(move || Model::from_json(bytes));
            parsing.await.map_err(|_| LoadError::Stopped { location: self.source.describe() })?
        };
        let model = self.verify(parsed)?;
        loading.outcome = Some(true);
        let milliseconds = loading.started.elapsed().as_secs_f64() * 1e3;
        tracing::info!(
            location = self.source.describe(),
            model = model.name(),
            version = model.version(),
            bytes = length,
            milliseconds,
            "model loaded"
        );
        let bytes = u64::try_from(length).unwrap_or(u64::MAX);
        Ok(Arc::new(Loaded { model: Arc::new(model), tag, bytes }))
    }

    fn verify(&self, parsed: Result<Model, ArtifactError>) -> Result<Model, LoadError> {
        let location = || self.source.describe();
        let model = parsed.map_err(|source| LoadError::Artifact { location: location(), source })?;
        let Expected { name, version, checksum } = &self.expected;
        if let Some(required) = checksum
            && required.as_str() != model.checksum()
        {
            let found = model.checksum().to_owned();
            return Err(LoadError::ChecksumMismatch { location: location(), required: required.clone(), found });
        }
        if let Some((expected, by)) = name
            && expected.as_str() != model.name()
        {
            let (expected, found) = (expected.to_string(), model.name().to_owned());
            return Err(LoadError::NameMismatch { location: location(), expected, by, found });
        }
        if let Some(expected) = version
            && expected.as_str() != model.version()
        {
            let (expected, found) = (expected.to_string(), model.version().to_owned());
            return Err(LoadError::VersionMismatch { location: location(), expected, found });
        }
        Ok(model)
    }
}

/// A load in progress, which is counted at its end. If it is dropped before, as at the time limit, it has failed.
struct Loading<'c> {
    counter: &'c LoadCounter,
    started: Instant,
    /// Whether it has succeeded; `None` if nothing had to be loaded.
    outcome: Option<bool>,
}

impl Drop for Loading<'_> {
    fn drop(&mut self) {
        if let Some(succeeded) = self.outcome {
            self.counter.add(succeeded.into(), (!succeeded).into(), self.started.elapsed());
        }
    }
}
