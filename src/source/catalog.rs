//! Which models are served: each one loaded once, when first asked for, and shared.

use std::sync::Arc;
use std::time::{Duration, Instant};

use thiserror::Error;
use tokio::sync::OnceCell;

use super::bundled;
use super::{ModelSource, SourceError};
use ordinate_model::Model;
use ordinate_model::artifact::ArtifactError;
use ordinate_model::identity::{Checksum, ModelName};
use ordinate_model::wording::shorten;

/// How long a caller waits for a model: fetch, parse and proof together. Below the function's 10 s, so that the caller
/// gets an answer that says so.
pub const LOAD_TIMEOUT: Duration = Duration::from_secs(8);

/// The models that are served. Cheap to share behind an [`Arc`].
///
/// Concurrent callers of a model that is not loaded yet wait for one load. When it fails, or its caller goes away, the
/// next in line tries again; a failure is never kept, a model always is.
#[derive(Debug)]
pub struct Catalog {
    default: Entry,
    others: Vec<Entry>,
    load_timeout: Duration,
}

#[derive(Debug)]
struct Entry {
    /// What it must be called. Unknown for a single model that nobody named: then its file says it.
    name: Option<String>,
    source: Box<dyn ModelSource>,
    required_checksum: Option<Checksum>,
    model: OnceCell<Arc<Model>>,
}

/// Why there is no model for a caller.
#[derive(Debug, Error)]
pub enum CatalogError {
    /// No model has that name.
    #[error("there is no model {name:?}; there {}", are(.known))]
    UnknownModel {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// The model has no such version.
    #[error("the model {name:?} has no version {version:?}; there {}", are(.known))]
    UnknownVersion {
        /// The model's name.
        name: String,
        /// The version asked for.
        version: String,
        /// The versions there are.
        known: Vec<String>,
    },
    /// The model cannot be loaded now.
    #[error("the model cannot be loaded")]
    Unavailable(#[from] LoadError),
}

/// Why a model could not be loaded.
#[derive(Debug, Error)]
pub enum LoadError {
    /// Its file could not be brought.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Its file is not a model.
    #[error("{location}: {source}")]
    Artifact {
        /// The place.
        location: String,
        /// What is wrong with the file.
        source: ArtifactError,
    },
    /// It took longer than a caller waits.
    #[error("{location}: not loaded within {limit:?}")]
    Timeout {
        /// The place.
        location: String,
        /// The limit.
        limit: Duration,
    },
    /// It is a model, and not the one that is required.
    #[error("{location}: the required checksum (MODEL_SHA256) is {required}, the model's is {found}")]
    ChecksumMismatch {
        /// The place.
        location: String,
        /// What was required.
        required: Checksum,
        /// What the model has.
        found: String,
    },
    /// It is a model, and has another name than it is served under.
    #[error("{location}: the model is called {found:?}, not {expected:?} (DEFAULT_MODEL)")]
    NameMismatch {
        /// The place.
        location: String,
        /// The name it is to be served under.
        expected: String,
        /// The name in its file.
        found: String,
    },
}

impl Catalog {
    /// The bundled gallery; `default` is the model of requests that name none, otherwise it is the gallery's first.
    ///
    /// # Errors
    /// [`CatalogError::UnknownModel`] when the gallery has no such model.
    pub fn bundled(default: Option<&str>) -> Result<Self, CatalogError> {
        let entry = |source: bundled::BundledSource| Entry {
            name: Some(source.name().to_owned()),
            source: Box::new(source),
            required_checksum: None,
            model: OnceCell::new(),
        };
        Self::with_default(bundled::gallery().map(entry).collect(), default)
    }

    /// The default models of these catalogs as one catalog. `default` is its default model; without it, the first is.
    /// Each model must be loaded already, since its name is in its file, and all names must differ.
    ///
    /// # Errors
    /// [`CatalogError::UnknownModel`] when none of them is called `default`.
    pub fn combined(models: Vec<Self>, default: Option<&str>) -> Result<Self, CatalogError> {
        Self::with_default(models.into_iter().map(|catalog| catalog.default.named()).collect(), default)
    }

    fn with_default(mut entries: Vec<Entry>, default: Option<&str>) -> Result<Self, CatalogError> {
        let wanted = |entry: &Entry| default.is_none_or(|name| entry.name.as_deref() == Some(name));
        match entries.iter().position(wanted) {
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

    /// One model. With `required_checksum` (`MODEL_SHA256`) only that content is served; with `name` (`DEFAULT_MODEL`)
    /// only under that name, otherwise under the one in its file.
    #[must_use]
    pub fn single(source: Box<dyn ModelSource>, required_checksum: Option<Checksum>, name: Option<ModelName>) -> Self {
        let default = Entry { name: name.map(String::from), source, required_checksum, model: OnceCell::new() };
        Self { default, others: Vec::new(), load_timeout: LOAD_TIMEOUT }
    }

    /// The same catalog with another limit than [`LOAD_TIMEOUT`].
    #[must_use]
    pub fn with_load_timeout(self, load_timeout: Duration) -> Self {
        Self { load_timeout, ..self }
    }

    /// The model of requests that name none. Loads it when it is not loaded yet.
    ///
    /// # Errors
    /// [`CatalogError::Unavailable`].
    pub async fn default_model(&self) -> Result<Arc<Model>, CatalogError> {
        Ok(self.default.model(self.load_timeout).await?)
    }

    /// The model of this name, in this version or the only one. Loads it when it is not loaded yet.
    ///
    /// # Errors
    /// See [`CatalogError`].
    pub async fn model(&self, name: &str, version: Option<&str>) -> Result<Arc<Model>, CatalogError> {
        // An entry without a name may be the one: its file says it.
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

    /// All models, the default first. Loads those that are not loaded yet.
    ///
    /// # Errors
    /// [`CatalogError::Unavailable`] when one of them cannot be loaded.
    pub async fn models(&self) -> Result<Vec<Arc<Model>>, CatalogError> {
        let mut models = Vec::new();
        for entry in self.entries() {
            models.push(entry.model(self.load_timeout).await?);
        }
        Ok(models)
    }

    fn entries(&self) -> impl Iterator<Item = &Entry> {
        std::iter::once(&self.default).chain(&self.others)
    }
}

impl Entry {
    /// The same entry under the name of its model, if that is loaded.
    fn named(self) -> Self {
        let name = self.model.get().map(|model| model.name().to_owned());
        Self { name: self.name.or(name), ..self }
    }

    async fn model(&self, limit: Duration) -> Result<Arc<Model>, LoadError> {
        let loading = tokio::time::timeout(limit, self.model.get_or_try_init(|| self.load()));
        match loading.await {
            Ok(outcome) => outcome.cloned(),
            Err(_) => Err(LoadError::Timeout { location: self.source.describe(), limit }),
        }
    }

    async fn load(&self) -> Result<Arc<Model>, LoadError> {
        let started = Instant::now();
        let location = self.source.describe();
        let bytes = self.source.fetch().await?;
        // Not on another thread: a model of usual size is parsed in less time than a thread takes to start.
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
            "the model is loaded"
        );
        Ok(Arc::new(model))
    }
}

fn are(known: &[String]) -> String {
    match known {
        [] => "are none".into(),
        [one] => format!("is {one:?}"),
        many => format!("are {}", many.join(", ")),
    }
}

#[cfg(test)]
mod tests;
