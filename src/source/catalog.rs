//! The models that are served. Each is loaded once, by the first request that needs it, and shared.
//!
//! A catalog is a folder of models ([`layout`]) or a list of files. A request names a model, and an alias or a version of
//! it; without either, the alias `live` is used. With a refresh interval, the alias and the model are fetched again, on
//! the path of a request: one request waits for it, a second at most, and the others are answered with what is loaded.

mod cache;
mod error;
mod existing;
pub mod layout;
mod load;
mod shared;

use std::sync::Arc;
use std::time::Duration;

use ordinate_model::Model;
use ordinate_model::identity::{Checksum, ModelName, Version};
use tokio::time::{Instant, timeout_at};

use super::bundled::{self, BundledFolder};
use super::{Listing, ModelFolder, ModelSource};
pub use cache::FAILURE_MEMORY;
pub use error::{CatalogError, Known, LoadError};
pub use existing::Existing;
use layout::{LIVE, Releases};
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

    /// The models of a folder. `default` is the model for requests that name no model; without it, the only model is.
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
        Self { models, default, shared: Arc::new(Shared::new(CatalogSettings::default())) }
    }

    /// The same catalog with other settings; nothing is loaded.
    #[must_use]
    pub fn with_settings(self, settings: CatalogSettings) -> Self {
        Self { shared: Arc::new(Shared::new(settings)), ..self }
    }

    /// The model for requests that name no model. Loads it if necessary.
    ///
    /// # Errors
    /// [`CatalogError::Unavailable`], [`CatalogError::NoDefault`], or that the default model is unknown.
    pub async fn default_model(&self) -> Result<Arc<Model>, CatalogError> {
        self.within(self.deadline(), self.find_default()).await
    }

    /// The name of the default model for descriptions; `None` without one, or if finding it takes long.
    pub async fn known_default(&self) -> Option<ModelName> {
        self.within(Instant::now() + REFRESH_PATIENCE, self.default_name()).await.ok()
    }

    /// Loads the default model before the first request, and its shadow; `ready` is called with it. A failure is logged,
    /// and the first request that needs the model tries again.
    pub async fn preload(&self, ready: impl FnOnce(&Model)) {
        let error = match self.default_model().await {
            Ok(model) => {
                ready(&model);
                // A failure is logged where it happens.
                self.shadow(&model.document().name).await.ok();
                return;
            }
            Err(error) => error,
        };
        let cause = super::Causes(&error).to_string();
        if let CatalogError::Unavailable(_) = error {
            tracing::warn!(cause, "cannot load the default model; the next request tries again");
        } else {
            tracing::warn!(
                cause,
                "no default model: /predict and /health/ready fail until DEFAULT_MODEL names a released model"
            );
        }
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

    async fn find_default(&self) -> Result<Arc<Model>, CatalogError> {
        let patience = Instant::now() + REFRESH_PATIENCE;
        let (file, max_age) = match &self.models {
            Models::Files(files) => match files.first() {
                Some(file) => (file.clone(), self.shared.settings.refresh),
                None => return Err(CatalogError::NoDefault { known: Known::default() }),
            },
            // Following an alias compares the model with its source, too.
            Models::Folder(folder) => {
                let name = self.default_name().await?;
                (self.shared.aliased(folder, &name, LIVE, patience).await?, None)
            }
        };
        let location = file.source.describe();
        self.shared.loaded.pin(&location);
        Ok(self.shared.load(&file, &location, max_age, patience).await?.model.clone())
    }

    /// The name of the default model. Loads it only if it is in a file of unknown name.
    ///
    /// # Errors
    /// See [`CatalogError`].
    pub async fn default_name(&self) -> Result<ModelName, CatalogError> {
        if let Some(name) = &self.default {
            return Ok(name.clone());
        }
        match &self.models {
            Models::Files(files) => match files.first() {
                Some(file) => self.shared.name(file).await,
                None => Err(CatalogError::NoDefault { known: Known::default() }),
            },
            Models::Folder(folder) => {
                let known = self.shared.names(folder).await?;
                let only = if let [only] = &*known { ModelName::try_from(only.clone()).ok() } else { None };
                only.ok_or(CatalogError::NoDefault { known })
            }
        }
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

    /// The names of the models, at most `most`: from the start, or from `after`, the [`Listing::next`] of the page before.
    /// Loads no model, unless it is in a file of unknown name.
    ///
    /// # Errors
    /// [`CatalogError::Unavailable`], or [`CatalogError::UnknownPage`].
    pub async fn names(&self, after: Option<&str>, most: usize) -> Result<Listing, CatalogError> {
        let names = async {
            match &self.models {
                Models::Folder(folder) => {
                    let Listing { names, next } = folder.list("", after, most).await?;
                    Ok(Listing { names: layout::folder_names(&names).map(String::from).collect(), next })
                }
                Models::Files(_) => {
                    let names: Vec<_> = self.file_names().await?.into_iter().map(String::from).collect();
                    Ok(Listing::page(&names, after, most)?)
                }
            }
        };
        self.within(self.deadline(), names).await
    }

    /// The names of the models in a catalog of files. Loads those whose names are unknown.
    ///
    /// # Errors
    /// [`CatalogError::Unavailable`].
    pub async fn file_names(&self) -> Result<Vec<ModelName>, CatalogError> {
        let Models::Files(files) = &self.models else { return Ok(Vec::new()) };
        let mut names = Vec::with_capacity(files.len());
        for file in files {
            names.push(self.shared.name(file).await?);
        }
        Ok(names)
    }

    /// The versions and aliases of a model.
    ///
    /// # Errors
    /// See [`CatalogError`].
    pub async fn releases(&self, name: &str) -> Result<Releases, CatalogError> {
        let Models::Folder(folder) = &self.models else {
            let model = self.model(name, None).await?;
            let version = model.document().version.clone();
            return Ok(Releases { versions: vec![version.clone()], aliases: [(LIVE.to_owned(), version)].into() });
        };
        let releases = async {
            let Ok(name) = ModelName::try_from(name.to_owned()) else {
                return Err(self.shared.unknown_model(folder, name).await);
            };
            let releases = layout::releases(folder.as_ref(), &name).await?;
            if releases.versions.is_empty() {
                return Err(self.shared.unknown_model(folder, name.as_str()).await);
            }
            Ok(releases)
        };
        self.within(self.deadline(), releases).await
    }

    /// The first models, at most `most`, the default model first. Loads them if necessary. Models that cannot be loaded
    /// are left out and logged.
    ///
    /// # Errors
    /// [`CatalogError`] if none of them can be loaded.
    pub async fn models(&self, most: usize) -> Result<Vec<Arc<Model>>, CatalogError> {
        let deadline = self.deadline();
        let names = async {
            let mut names = self.names(None, most).await?.names;
            if let Ok(default) = self.default_name().await {
                names.retain(|name| name != default.as_str());
                names.insert(0, default.into());
                names.truncate(most);
            }
            Ok(names)
        };
        let names = self.within(deadline, names).await?;
        self.load_each(&names, deadline).await
    }

    /// A page of the models in the order of [`names`](Self::names), each with its name, and where the next page starts.
    /// Loads them if necessary. Models that cannot be loaded are left out and logged.
    ///
    /// # Errors
    /// [`CatalogError::UnknownPage`], or that none of them can be loaded.
    pub async fn page(
        &self,
        after: Option<&str>,
        most: usize,
    ) -> Result<(Vec<Arc<Model>>, Option<String>), CatalogError> {
        let deadline = self.deadline();
        let Listing { names, next } = self.names(after, most).await?;
        Ok((self.load_each(&names, deadline).await?, next))
    }

    /// The models of these names, in their order.
    async fn load_each(&self, names: &[String], deadline: Instant) -> Result<Vec<Arc<Model>>, CatalogError> {
        let mut models = Vec::new();
        let mut failure = None;
        for name in names {
            match self.within(deadline, self.find(name, None)).await {
                Ok(model) => models.push(model),
                Err(error) => {
                    tracing::warn!(name, cause = %super::Causes(&error), "left out, because it cannot be loaded");
                    // A model without the alias is not released yet.
                    if matches!(error, CatalogError::Unavailable(_)) {
                        failure = Some(error);
                    }
                }
            }
        }
        match failure {
            Some(error) if models.is_empty() => Err(error),
            _ => Ok(models),
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
