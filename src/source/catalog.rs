//! The models that are served. Each is loaded once, by the first request that needs it, and shared.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use thiserror::Error;
use tokio::sync::OnceCell;

use super::bundled;
use super::{ModelSource, SourceError};
use ordinate_model::Model;
use ordinate_model::artifact::ArtifactError;
use ordinate_model::identity::{Checksum, ModelName};
use ordinate_model::wording::shorten;

/// The time limit for loading a model: fetch, parse and validation together. Shorter than the function's timeout of 10
/// s, so that the caller receives an error response.
pub const LOAD_TIMEOUT: Duration = Duration::from_secs(8);

/// The models that are served. Cheap to share behind an [`Arc`].
///
/// Concurrent callers of a model share one load. If it fails, or its caller is cancelled, the next caller tries again.
/// Loaded models are kept, failures are not.
#[derive(Debug)]
pub struct Catalog {
    default: Entry,
    others: Vec<Entry>,
    load_timeout: Duration,
}

/// The loads of models so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Loads {
    /// The number of loaded models.
    pub succeeded: u64,
    /// The number of failed loads.
    pub failed: u64,
    /// The time of all loads.
    pub duration: Duration,
}

impl Loads {
    fn add(self, other: Self) -> Self {
        Self {
            succeeded: self.succeeded + other.succeeded,
            failed: self.failed + other.failed,
            duration: self.duration + other.duration,
        }
    }
}

#[derive(Debug)]
struct Entry {
    /// The required name. `None` for a single model that is served under the name in its file.
    name: Option<String>,
    source: Box<dyn ModelSource>,
    required_checksum: Option<Checksum>,
    model: OnceCell<Arc<Model>>,
    loads: Mutex<Loads>,
}

/// Why the catalog has no model for a caller.
#[derive(Debug, Error)]
pub enum CatalogError {
    /// No model has that name.
    #[error("there is no model {name:?}; {}", listed("model", .known))]
    UnknownModel {
        /// The requested name.
        name: String,
        /// The names of all models.
        known: Vec<String>,
    },
    /// The model has no such version.
    #[error("the model {name:?} has no version {version:?}; {}", listed("version", .known))]
    UnknownVersion {
        /// The model's name.
        name: String,
        /// The requested version.
        version: String,
        /// The versions of the model.
        known: Vec<String>,
    },
    /// The model cannot be loaded at the moment.
    #[error("the model cannot be loaded")]
    Unavailable(#[from] LoadError),
}

/// Why a model could not be loaded.
#[derive(Debug, Error)]
pub enum LoadError {
    /// Its file could not be fetched.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The file is not a valid model.
    #[error("{location}: {source}")]
    Artifact {
        /// Where the file is.
        location: String,
        /// Why it is not valid.
        source: ArtifactError,
    },
    /// The time limit was exceeded.
    #[error("{location}: not loaded within {limit:?}")]
    Timeout {
        /// Where the file is.
        location: String,
        /// The time limit.
        limit: Duration,
    },
    /// The model has another checksum than required.
    #[error("{location}: expected a model with the checksum {required} (MODEL_SHA256), got {found}")]
    ChecksumMismatch {
        /// Where the file is.
        location: String,
        /// The required checksum.
        required: Checksum,
        /// The checksum of the model.
        found: String,
    },
    /// The model has another name than required.
    #[error("{location}: expected a model named {expected:?} (DEFAULT_MODEL), got {found:?}")]
    NameMismatch {
        /// Where the file is.
        location: String,
        /// The required name.
        expected: String,
        /// The name in the file.
        found: String,
    },
}

impl LoadError {
    /// Whether a retry may succeed although nothing was changed.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Source(error) => error.is_transient(),
            Self::Timeout { .. } => true,
            Self::Artifact { .. } | Self::ChecksumMismatch { .. } | Self::NameMismatch { .. } => false,
        }
    }
}

impl Catalog {
    /// The bundled models. `default` is the model for requests that name no model; without it, the first model is.
    ///
    /// # Errors
    /// [`CatalogError::UnknownModel`] if no bundled model has the name `default`.
    pub fn bundled(default: Option<&str>) -> Result<Self, CatalogError> {
        let entry = |source: bundled::BundledSource| Entry {
            name: Some(source.name().to_owned()),
            source: Box::new(source),
            required_checksum: None,
            model: OnceCell::new(),
            loads: Mutex::default(),
        };
        Self::with_default(bundled::sources().map(entry).collect(), default)
    }

    /// The default models of these catalogs as one catalog. `default` is its default model; without it, the first is.
    /// Each model must be loaded already, since its name is in its file, and all names must differ.
    ///
    /// # Errors
    /// [`CatalogError::UnknownModel`] if no model has the name `default`.
    pub fn combined(models: Vec<Self>, default: Option<&str>) -> Result<Self, CatalogError> {
        Self::with_default(models.into_iter().map(|catalog| catalog.default.named()).collect(), default)
    }

    fn with_default(mut entries: Vec<Entry>, default: Option<&str>) -> Result<Self, CatalogError> {
        let is_default = |entry: &Entry| default.is_none_or(|name| entry.name.as_deref() == Some(name));
        match entries.iter().position(is_default) {
            Some(position) => {
                let default = entries.remove(position);
                Ok(Self { default, others: entries, load_timeout: LOAD_TIMEOUT })
            }
            None => Err(CatalogError::UnknownModel {
                name: default.unwrap_or_default().to_owned(),
                known: entries.into_iter().filter_map(|entry| entry.name).collect(),
            }),
        }
    }

    /// One model, served under the name in its file. Loading fails unless its checksum is `required_checksum`
    /// (`MODEL_SHA256`) and its name is `name` (`DEFAULT_MODEL`), if they are given.
    #[must_use]
    pub fn single(source: Box<dyn ModelSource>, required_checksum: Option<Checksum>, name: Option<ModelName>) -> Self {
        let default = Entry {
            name: name.map(String::from),
            source,
            required_checksum,
            model: OnceCell::new(),
            loads: Mutex::default(),
        };
        Self { default, others: Vec::new(), load_timeout: LOAD_TIMEOUT }
    }

    /// The same catalog with a time limit other than [`LOAD_TIMEOUT`].
    #[must_use]
    pub fn with_load_timeout(self, load_timeout: Duration) -> Self {
        Self { load_timeout, ..self }
    }

    /// The model for requests that name no model. Loads it if necessary.
    ///
    /// # Errors
    /// [`CatalogError::Unavailable`].
    pub async fn default_model(&self) -> Result<Arc<Model>, CatalogError> {
        Ok(self.default.model(self.load_timeout).await?)
    }

    /// The model with this name and, if given, this version. Loads it if necessary.
    ///
    /// # Errors
    /// See [`CatalogError`].
    pub async fn model(&self, name: &str, version: Option<&str>) -> Result<Arc<Model>, CatalogError> {
        // The name of an entry without a required name is known only after loading.
        let possible = |entry: &&Entry| entry.name.as_deref().is_none_or(|known| known == name);
        let unknown = |known| CatalogError::UnknownModel { name: shorten(name), known };
        let Some(entry) = self.entries().find(possible) else {
            return Err(unknown(self.entries().filter_map(|entry| entry.name.clone()).collect()));
        };
        let model = entry.model(self.load_timeout).await?;
        if model.name() != name {
            return Err(unknown(vec![model.name().to_owned()]));
        }
        match version {
            Some(version) if version != model.version() => Err(CatalogError::UnknownVersion {
                name: name.to_owned(),
                version: shorten(version),
                known: vec![model.version().to_owned()],
            }),
            _ => Ok(model),
        }
    }

    /// All models, the default model first. Loads them if necessary.
    ///
    /// # Errors
    /// [`CatalogError::Unavailable`] if one of them cannot be loaded.
    pub async fn models(&self) -> Result<Vec<Arc<Model>>, CatalogError> {
        let mut models = Vec::new();
        for entry in self.entries() {
            models.push(entry.model(self.load_timeout).await?);
        }
        Ok(models)
    }

    /// The models that are loaded, the default model first.
    pub fn loaded(&self) -> impl Iterator<Item = &Arc<Model>> {
        self.entries().filter_map(|entry| entry.model.get())
    }

    /// The loads of all models so far.
    pub fn loads(&self) -> Loads {
        self.entries().map(Entry::loads).fold(Loads::default(), Loads::add)
    }

    fn entries(&self) -> impl Iterator<Item = &Entry> {
        std::iter::once(&self.default).chain(&self.others)
    }
}

impl Entry {
    /// The same entry with the name of its model, if that is loaded.
    fn named(self) -> Self {
        let name = self.model.get().map(|model| model.name().to_owned());
        Self { name: self.name.or(name), ..self }
    }

    async fn model(&self, limit: Duration) -> Result<Arc<Model>, LoadError> {
        let loading = tokio::time::timeout(limit, self.model.get_or_try_init(|| self.counted_load()));
        match loading.await {
            Ok(outcome) => outcome.cloned(),
            Err(_) => Err(LoadError::Timeout { location: self.source.describe(), limit }),
        }
    }

    /// Every update is complete, so the numbers are right even after a panic.
    fn loads(&self) -> Loads {
        *self.loads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, load: Loads) {
        let mut loads = self.loads.lock().unwrap_or_else(PoisonError::into_inner);
        *loads = loads.add(load);
    }

    async fn counted_load(&self) -> Result<Arc<Model>, LoadError> {
        let mut loading = Loading { entry: self, started: Instant::now(), has_succeeded: false };
        let outcome = self.load().await;
        loading.has_succeeded = outcome.is_ok();
        outcome
    }

    async fn load(&self) -> Result<Arc<Model>, LoadError> {
        let started = Instant::now();
        let location = self.source.describe();
        let bytes = self.source.fetch().await?;
        // Not in another thread: parsing a model of usual size takes less time than starting a thread.
        let model = match Model::from_json(&bytes) {
            Ok(model) => model,
            Err(source) => return Err(LoadError::Artifact { location, source }),
        };
        if let Some(required) = &self.required_checksum
            && required.as_str() != model.checksum()
        {
            let found = model.checksum().to_owned();
            return Err(LoadError::ChecksumMismatch { location, required: required.clone(), found });
        }
        if let Some(expected) = &self.name
            && expected != model.name()
        {
            let found = model.name().to_owned();
            return Err(LoadError::NameMismatch { location, expected: expected.clone(), found });
        }
        let milliseconds = started.elapsed().as_secs_f64() * 1e3;
        tracing::info!(
            location,
            model = model.name(),
            version = model.version(),
            bytes = bytes.len(),
            milliseconds,
            "model loaded"
        );
        Ok(Arc::new(model))
    }
}

/// A load in progress, which is counted at its end. If it is dropped before, as at the time limit, it has failed.
struct Loading<'e> {
    entry: &'e Entry,
    started: Instant,
    has_succeeded: bool,
}

impl Drop for Loading<'_> {
    fn drop(&mut self) {
        let (succeeded, failed) = (self.has_succeeded.into(), (!self.has_succeeded).into());
        self.entry.count(Loads { succeeded, failed, duration: self.started.elapsed() });
    }
}

fn listed(what: &str, known: &[String]) -> String {
    match known {
        [] => format!("there are no {what}s"),
        [one] => format!("the only {what} is {one:?}"),
        many => format!("the {what}s are {}", many.join(", ")),
    }
}

#[cfg(test)]
mod tests;
