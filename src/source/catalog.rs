//! The models that are served. Each is loaded once, by the first request that needs it, and shared.
//!
//! A catalog is a folder of models ([`layout`]) or a list of files. A request names a model, and an alias or a version of
//! it; without either, the alias `live` is used. With a refresh interval, the alias and the model are fetched again, on
//! the path of a request: one request waits for it, a second at most, and the others are answered with what is loaded.

mod cache;
mod error;
pub mod layout;
mod load;
mod shared;

use std::sync::Arc;
use std::time::Duration;

use ordinate_model::Model;
use ordinate_model::identity::{Checksum, ModelName, Version};
use tokio::time::Instant;

use super::bundled::{self, BundledFolder};
use super::{Listing, ModelFolder, ModelSource};
pub use cache::FAILURE_MEMORY;
pub use error::{CatalogError, LoadError};
use layout::{LIVE, Releases};
pub use load::Loads;
use load::{Expected, ModelFile};
use shared::{Shared, Wanted, is_missing};

/// The time limit for loading a model: fetch, parse and validation together. Shorter than the function's timeout of 10
/// s, so that the caller receives an error response.
pub const LOAD_TIMEOUT: Duration = Duration::from_secs(8);

/// How long a request waits for a new version of a model that is loaded.
pub const REFRESH_PATIENCE: Duration = Duration::from_secs(1);

/// The most names that an error or a description is chosen from, and the most that are listed at once.
pub const MAX_NAMES: usize = 1_000;

/// When models are loaded, and how many are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CatalogSettings {
    /// The time limit for loading a model.
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
        let patience = Instant::now() + REFRESH_PATIENCE;
        let (file, max_age) = match &self.models {
            Models::Files(files) => match files.first() {
                Some(file) => (file.clone(), self.shared.settings.refresh),
                None => return Err(CatalogError::NoDefault { known: Vec::new() }),
            },
            // Following an alias compares the model with its source, too.
            Models::Folder(folder) => {
                let name = self.default_name().await?;
                (self.shared.aliased(folder, &name, LIVE, patience).await?, None)
            }
        };
        self.shared.loaded.pin(&file.source.describe());
        Ok(self.shared.load(&file, max_age, patience).await?.model.clone())
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
                None => Err(CatalogError::NoDefault { known: Vec::new() }),
            },
            Models::Folder(folder) => {
                let names = self.shared.names(folder).await?;
                match names.0.as_slice() {
                    [only] => Ok(only.clone()),
                    several => {
                        Err(CatalogError::NoDefault { known: several.iter().map(ToString::to_string).collect() })
                    }
                }
            }
        }
    }

    /// The model with this name, as `name`, `name@alias` or `name@version`, or with the version as `version`. Loads it
    /// if necessary.
    ///
    /// # Errors
    /// See [`CatalogError`].
    pub async fn model(&self, name: &str, version: Option<&str>) -> Result<Arc<Model>, CatalogError> {
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
                match self.shared.load(&file, max_age, patience).await {
                    Ok(loaded) => Ok(loaded.model.clone()),
                    Err(CatalogError::Unavailable(error)) if is_missing(&error) && wanted.is_version() => {
                        let version = file.expected.version.as_ref().map(Version::as_str).unwrap_or_default();
                        Err(self.shared.unknown_version(folder, &name, version).await)
                    }
                    Err(error) => Err(error),
                }
            }
        }
    }

    /// The names of the models, at most `most`: from the start, or from `after`, the [`Listing::next`] of the page before.
    /// Loads no model, unless it is in a file of unknown name.
    ///
    /// # Errors
    /// [`CatalogError::Unavailable`].
    pub async fn names(&self, after: Option<&str>, most: usize) -> Result<Listing, CatalogError> {
        match &self.models {
            Models::Folder(folder) => {
                let Listing { names, next } = folder.list("", after, most).await?;
                Ok(Listing { names: layout::folder_names(&names).map(String::from).collect(), next })
            }
            Models::Files(_) => {
                let names: Vec<_> = self.file_names().await?.into_iter().map(String::from).collect();
                Ok(Listing::page(&names, after, most))
            }
        }
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
        match &self.models {
            Models::Files(_) => {
                let model = self.model(name, None).await?;
                let version = model.document().version.clone();
                Ok(Releases { versions: vec![version.clone()], aliases: [(LIVE.to_owned(), version)].into() })
            }
            Models::Folder(folder) => {
                let Ok(name) = ModelName::try_from(name.to_owned()) else {
                    return Err(self.shared.unknown_model(folder, name).await);
                };
                let releases = layout::releases(folder.as_ref(), &name).await?;
                if releases.versions.is_empty() {
                    return Err(self.shared.unknown_model(folder, name.as_str()).await);
                }
                Ok(releases)
            }
        }
    }

    /// The first models, at most `most`, the default model first. Loads them if necessary. Models that cannot be loaded
    /// are left out and logged.
    ///
    /// # Errors
    /// [`CatalogError`] if none of them can be loaded.
    pub async fn models(&self, most: usize) -> Result<Vec<Arc<Model>>, CatalogError> {
        let mut names = self.names(None, most).await?.names;
        if let Ok(default) = self.default_name().await {
            names.retain(|name| name != default.as_str());
            names.insert(0, default.into());
            names.truncate(most);
        }
        self.load_each(&names).await
    }

    /// The models of these names, in their order. Loads them if necessary. Models that cannot be loaded are left out and
    /// logged.
    ///
    /// # Errors
    /// [`CatalogError`] if none of them can be loaded.
    pub async fn load_each(&self, names: &[String]) -> Result<Vec<Arc<Model>>, CatalogError> {
        let mut models = Vec::new();
        let mut failure = None;
        for name in names {
            match self.model(name, None).await {
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
