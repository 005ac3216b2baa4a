//! The models that are served. Each is loaded once, by the first request that needs it, and shared.
//!
//! A catalog is a folder of models ([`layout`]) or a list of files. A request names a model, and an alias or a version of
//! it; without either, the alias `live` is used. With a refresh interval, the alias and the model are fetched again, on
//! the path of a request: one request waits for it, a second at most, and the others are answered with what is loaded.

pub mod alias_file;
mod cache;
mod default;
mod error;
mod existing;
pub mod layout;
mod listing;
mod load;
mod shared;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ordinate_model::Model;
use ordinate_model::identity::{Checksum, ModelName, Version};
use tokio::time::{Instant, timeout_at};

use super::bundled::{self, BundledFolder};
use super::{ModelFolder, ModelSource};
pub use cache::FAILURE_MEMORY;
pub use default::MAX_CHECKED;
pub use error::{CatalogError, Known, LoadError};
pub use existing::Existing;
use layout::LIVE;
pub use load::Loads;
use load::{Expected, ModelFile};
use shared::{Shared, Wanted, is_missing};

/// The time limit for finding and loading a model: names, alias and model together. Shorter than the function's timeout
/// of 10 s, so that the caller receives an error response.
pub const LOAD_TIMEOUT: Duration = Duration::from_secs(8);

/// How long a request waits for a new version of a model that is loaded.
pub const REFRESH_PATIENCE: Duration = Duration::from_secs(1);

/// The most names that an error or a description is chosen from, and the most that are listed at once.
pub const MAX_NAMES: usize = 1_000;

/// When models are loaded, and how many are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CatalogSettings {
    /// The time limit for finding and loading a model.
    pub load_timeout: Duration,
    /// How old a loaded model and alias may be before it is compared with its source; `None` for any age.
    pub refresh: Option<Duration>,
    /// The size of the loaded model files together, in bytes, above which the least recently used models are dropped. The
    /// default model stays.
    pub cache_bytes: u64,
}

impl Default for CatalogSettings {
    fn default() -> Self {
        Self { load_timeout: LOAD_TIMEOUT, refresh: None, cache_bytes: 256 << 20 }
    }
}

/// The models that are served. Cheap to share behind an [`Arc`].
#[derive(Debug)]
pub struct Catalog {
    models: Models,
    /// The name of the model for requests that name none.
    default: Option<ModelName>,
    /// The name of the model that was used for them first, without such a name.
    kept_default: OnceLock<ModelName>,
    shared: Arc<Shared>,
}

/// Where the models are.
#[derive(Debug)]
enum Models {
    /// Files with one model each; the first is the default model.
    Files(Vec<ModelFile>),
    Folder(Arc<dyn ModelFolder>),
}

impl Catalog {
    /// The bundled models. `default` is the model for requests that name no model; without it, the first model is.
    ///
    /// # Errors
    /// [`CatalogError::UnknownModel`] if no bundled model has the name `default`.
    pub fn bundled(default: Option<&str>) -> Result<Self, CatalogError> {
        let name = bundled::names().find(|name| default.is_none_or(|default| default == *name));
        let name = name.and_then(|name| ModelName::try_from(name.to_owned()).ok());
        if name.is_none() {
            let known = bundled::names().map(str::to_owned).collect();
            return Err(CatalogError::UnknownModel { name: default.unwrap_or_default().to_owned(), known });
        }
        Ok(Self::folder(Arc::new(BundledFolder), name))
    }

    /// The models of a folder. `default` is the model for requests that name no model; without it, the only released model
    /// is.
    #[must_use]
    pub fn folder(folder: Arc<dyn ModelFolder>, default: Option<ModelName>) -> Self {
        Self::new(Models::Folder(folder), default)
    }

    /// One model, served under the name in its file. Loading fails unless its checksum is `required_checksum`
    /// (`MODEL_SHA256`) and its name is `name` (`DEFAULT_MODEL`), if they are given.
    #[must_use]
    pub fn single(source: Box<dyn ModelSource>, required_checksum: Option<Checksum>, name: Option<ModelName>) -> Self {
        let name = name.map(|name| (name, "DEFAULT_MODEL"));
        let expected = Expected { name, version: None, checksum: required_checksum };
        Self::new(Models::Files(vec![ModelFile { source: source.into(), expected }]), None)
    }

    /// The models in these files, each served under the name in its file; the first is the default model.
    #[must_use]
    pub fn files(sources: Vec<Box<dyn ModelSource>>) -> Self {
        let file = |source: Box<dyn ModelSource>| ModelFile { source: source.into(), expected: Expected::default() };
        Self::new(Models::Files(sources.into_iter().map(file).collect()), None)
    }

    /// The same catalog of files with the names of their models, which are required from now on. `default` is the model
    /// for requests that name no model; without it, the first is.
    ///
    /// # Errors
    /// [`CatalogError::UnknownModel`] if no model has the name `default`.
    pub fn with_names(mut self, names: Vec<ModelName>, default: Option<&str>) -> Result<Self, CatalogError> {
        let Models::Files(files) = &mut self.models else { return Ok(self) };
        let first = names.iter().position(|name| default.is_none_or(|default| default == name.as_str()));
        let Some(first) = first else {
            let known = names.into_iter().map(String::from).collect();
            return Err(CatalogError::UnknownModel { name: default.unwrap_or_default().to_owned(), known });
        };
        for (file, name) in files.iter_mut().zip(names) {
            file.expected.name = Some((name, "its name when the server started"));
        }
        if let Some(files) = files.get_mut(..=first) {
            files.rotate_right(1);
        }
        Ok(self)
    }

    fn new(models: Models, default: Option<ModelName>) -> Self {
        Self {
            models,
            default,
            kept_default: OnceLock::new(),
            shared: Arc::new(Shared::new(CatalogSettings::default())),
        }
    }

    /// The same catalog with other settings; nothing is loaded.
    #[must_use]
    pub fn with_settings(self, settings: CatalogSettings) -> Self {
        Self { shared: Arc::new(Shared::new(settings)), ..self }
    }

    /// The model with this name, as `name`, `name@alias` or `name@version`, or with the version as `version`. Loads it
    /// if necessary.
    ///
    /// # Errors
    /// See [`CatalogError`].
    pub async fn model(&self, name: &str, version: Option<&str>) -> Result<Arc<Model>, CatalogError> {
        self.within(self.deadline(), self.find(name, version)).await
    }

    /// When a request that arrives now has waited long enough for all that it needs of the catalog.
    fn deadline(&self) -> Instant {
        Instant::now() + self.shared.settings.load_timeout
    }

    async fn within<T>(
        &self,
        deadline: Instant,
        work: impl Future<Output = Result<T, CatalogError>>,
    ) -> Result<T, CatalogError> {
        let timeout = |_| {
            let location = match &self.models {
                Models::Files(files) => files.first().map_or_else(String::new, |file| file.source.describe()),
                Models::Folder(folder) => folder.describe(),
            };
            CatalogError::from(LoadError::Timeout { location, limit: self.shared.settings.load_timeout })
        };
        timeout_at(deadline, work).await.map_err(timeout)?
    }

    async fn find(&self, name: &str, version: Option<&str>) -> Result<Arc<Model>, CatalogError> {
        let patience = Instant::now() + REFRESH_PATIENCE;
        let (name, wanted) = match (version, name.split_once('@')) {
            (Some(version), _) => (name, Wanted::Version(version)),
            (None, Some((name, wanted))) => (name, Wanted::new(wanted)),
            (None, None) => (name, Wanted::Alias(LIVE)),
        };
        match &self.models {
            Models::Files(files) => self.shared.model_of_files(files, name, wanted, patience).await,
            Models::Folder(folder) => {
                let Ok(name) = ModelName::try_from(name.to_owned()) else {
                    return Err(self.shared.unknown_model(folder, name).await);
                };
                let file = match wanted {
                    Wanted::Alias(alias) => self.shared.aliased(folder, &name, alias, patience).await?,
                    Wanted::Version(version) => match Version::try_from(version.to_owned()) {
                        Ok(version) => ModelFile::in_folder(folder, &name, &version),
                        Err(_) => return Err(self.shared.unknown_version(folder, &name, version).await),
                    },
                };
                // Following an alias compares the model with its source, too.
                let max_age = self.shared.settings.refresh.filter(|_| wanted.is_version());
                let location = file.source.describe();
                match (self.shared.load(&file, &location, max_age, patience).await, wanted) {
                    (Err(CatalogError::Unavailable(error)), Wanted::Version(version))
                        if is_missing(&error, &location) =>
                    {
                        Err(self.shared.unknown_version(folder, &name, version).await)
                    }
                    (loaded, _) => Ok(loaded?.model.clone()),
                }
            }
        }
    }

    /// The version of the alias `shadow` of a model in a folder, if it has this alias, for comparisons with that of
    /// `live`. Loads it if necessary, which goes on when the caller leaves.
    ///
    /// # Errors
    /// See [`CatalogError`].
    pub async fn shadow(&self, name: &ModelName) -> Result<Option<Arc<Model>>, CatalogError> {
        match &self.models {
            Models::Files(_) => Ok(None),
            Models::Folder(folder) => self.shared.shadow(folder, name, Instant::now() + REFRESH_PATIENCE).await,
        }
    }

    /// The models that are loaded.
    pub fn loaded(&self) -> Vec<Arc<Model>> {
        self.shared.loaded.values().iter().map(|loaded| loaded.model.clone()).collect()
    }

    /// The loads of all models so far.
    pub fn loads(&self) -> Loads {
        self.shared.counter.get()
    }
}

#[cfg(test)]
mod tests;
