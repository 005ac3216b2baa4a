//! The models that are served. Each is loaded once, by the first request that needs it, and shared.
//!
//! A catalog is a folder of models ([`layout`]) or a list of files. A request names a model, and an alias or a version of
//! it; without either, the alias `live` is used. With a refresh interval, the alias and the model are fetched again, on
//! the path of a request: one request waits for it, a second at most, and the others are answered with what is loaded.

mod cache;
mod error;
pub mod layout;
mod load;

use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use ordinate_model::Model;
use ordinate_model::identity::{Checksum, ModelName, Version};
use ordinate_model::wording::shorten;
use tokio::time::Instant;

use super::bundled::{self, BundledFolder};
use super::{Content, Listing, ModelFolder, ModelSource, SourceError, Tag};
pub use cache::FAILURE_MEMORY;
use cache::{Cache, Policy, Value};
pub use error::{CatalogError, LoadError};
use layout::LIVE;
pub use load::Loads;
use load::{Expected, LoadCounter, Loaded, ModelFile};

/// The time limit for loading a model: fetch, parse and validation together. Shorter than the function's timeout of 10
/// s, so that the caller receives an error response.
pub const LOAD_TIMEOUT: Duration = Duration::from_secs(8);

/// How long a request waits for a new version of a model that is loaded.
pub const REFRESH_PATIENCE: Duration = Duration::from_secs(1);

/// How long the names of all models are kept for error messages.
const NAMES_AGE: Duration = Duration::from_secs(10);

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

/// The state that loads in progress share.
#[derive(Debug)]
struct Shared {
    settings: CatalogSettings,
    loaded: Cache<Loaded>,
    aliases: Cache<Pointer>,
    names: Cache<Names>,
    counter: LoadCounter,
}

/// The version that an alias points to.
struct Pointer {
    version: Version,
    tag: Tag,
}

impl Value for Pointer {
    fn bytes(&self) -> u64 {
        0
    }
}

/// The first names of a catalog.
struct Names(Vec<String>);

impl Value for Names {
    fn bytes(&self) -> u64 {
        0
    }
}

/// The versions and aliases of a model.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Releases {
    /// The versions in ascending order.
    pub versions: Vec<Version>,
    /// The versions that the aliases point to.
    pub aliases: IndexMap<String, Version>,
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
        let file = match &self.models {
            Models::Files(files) => match files.first() {
                Some(file) => file.clone(),
                None => return Err(CatalogError::NoDefault { known: Vec::new() }),
            },
            Models::Folder(folder) => {
                let name = self.default_name().await?;
                self.shared.aliased(folder, &name, LIVE, patience).await?
            }
        };
        self.shared.loaded.pin(&file.source.describe());
        let max_age = if self.is_folder() { None } else { self.shared.settings.refresh };
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
                    [only] => {
                        ModelName::try_from(only.clone()).map_err(|_| CatalogError::NoDefault { known: Vec::new() })
                    }
                    several => Err(CatalogError::NoDefault { known: several.to_vec() }),
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
                        Err(_) => return Err(unknown_version(folder, &self.shared, &name, version).await),
                    },
                };
                // Following an alias compares the model with its source, too.
                let max_age = self.shared.settings.refresh.filter(|_| wanted.is_version());
                match self.shared.load(&file, max_age, patience).await {
                    Ok(loaded) => Ok(loaded.model.clone()),
                    Err(CatalogError::Unavailable(error)) if is_missing(&error) && wanted.is_version() => {
                        let version = file.expected.version.as_ref().map(Version::as_str).unwrap_or_default();
                        Err(unknown_version(folder, &self.shared, &name, version).await)
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
                let releases = releases(folder.as_ref(), &name).await?;
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
        let mut models = Vec::with_capacity(names.len());
        let mut failure = None;
        for name in names {
            match self.model(&name, None).await {
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

    fn is_folder(&self) -> bool {
        matches!(self.models, Models::Folder(_))
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

/// The version of a model that a request asks for.
#[derive(Debug, Clone, Copy)]
enum Wanted<'a> {
    Alias(&'a str),
    Version(&'a str),
}

impl<'a> Wanted<'a> {
    /// Digits are a version, anything else is an alias.
    fn new(text: &'a str) -> Self {
        if text.bytes().all(|byte| byte.is_ascii_digit()) { Self::Version(text) } else { Self::Alias(text) }
    }

    fn is_version(self) -> bool {
        matches!(self, Self::Version(_))
    }
}

impl ModelFile {
    fn in_folder(folder: &Arc<dyn ModelFolder>, name: &ModelName, version: &Version) -> Self {
        let source = folder.file(&layout::model_path(name, version)).into();
        let expected =
            Expected { name: Some((name.clone(), "its folder")), version: Some(version.clone()), checksum: None };
        Self { source, expected }
    }
}

impl Shared {
    fn new(settings: CatalogSettings) -> Self {
        let policy = Policy { timeout: settings.load_timeout, max_bytes: settings.cache_bytes };
        Self {
            settings,
            loaded: Cache::new(policy),
            aliases: Cache::new(policy),
            names: Cache::new(policy),
            counter: LoadCounter::default(),
        }
    }

    /// The model in a file, compared with its source if it was loaded or compared longer ago than `max_age`.
    async fn load(
        &self,
        file: &ModelFile,
        max_age: Option<Duration>,
        patience: Instant,
    ) -> Result<Arc<Loaded>, CatalogError> {
        let fetch = |previous| file.clone().load(previous, self.counter.clone());
        self.loaded.get(&file.source.describe(), max_age, patience, fetch).await
    }

    /// The name of the model in a file. Loads it if its name is unknown.
    async fn name(&self, file: &ModelFile) -> Result<ModelName, CatalogError> {
        if let Some((name, _)) = &file.expected.name {
            return Ok(name.clone());
        }
        let loaded = self.load(file, None, Instant::now()).await?;
        Ok(loaded.model.document().name.clone())
    }

    async fn model_of_files(
        &self,
        files: &[ModelFile],
        name: &str,
        wanted: Wanted<'_>,
        patience: Instant,
    ) -> Result<Arc<Model>, CatalogError> {
        // The name of a file without a required name is known only after loading.
        let possible = |file: &&ModelFile| file.expected.name.as_ref().is_none_or(|(known, _)| known.as_str() == name);
        let unknown = |known| CatalogError::UnknownModel { name: shorten(name), known };
        let Some(file) = files.iter().find(possible) else {
            let known = files.iter().filter_map(|file| file.expected.name.as_ref()).map(|(name, _)| name.to_string());
            return Err(unknown(known.collect()));
        };
        let model = self.load(file, self.settings.refresh, patience).await?.model.clone();
        if model.name() != name {
            return Err(unknown(vec![model.name().to_owned()]));
        }
        let versions = vec![model.version().to_owned()];
        match wanted {
            Wanted::Version(version) if version != model.version() => {
                Err(CatalogError::UnknownVersion { name: name.to_owned(), version: shorten(version), known: versions })
            }
            Wanted::Alias(alias) if alias != LIVE => Err(CatalogError::UnknownAlias {
                name: name.to_owned(),
                alias: shorten(alias),
                known: vec![LIVE.to_owned()],
                versions,
            }),
            Wanted::Version(_) | Wanted::Alias(_) => Ok(model),
        }
    }

    /// The file of the version that an alias points to.
    async fn aliased(
        self: &Arc<Self>,
        folder: &Arc<dyn ModelFolder>,
        name: &ModelName,
        alias: &str,
        patience: Instant,
    ) -> Result<ModelFile, CatalogError> {
        let Ok(alias) = ModelName::try_from(alias.to_owned()) else {
            return Err(unknown_alias(folder, self, name, alias).await);
        };
        let path = layout::alias_path(name, &alias);
        let follow = |previous| {
            let (shared, folder, path) = (self.clone(), folder.clone(), path.clone());
            let (name, alias) = (name.clone(), alias.clone());
            async move { shared.follow(&folder, &name, &alias, &path, previous).await }
        };
        let pointer = self.aliases.get(&path, self.settings.refresh, patience, follow).await?;
        Ok(ModelFile::in_folder(folder, name, &pointer.version))
    }

    /// Reads the file of an alias, and loads the version that it points to or compares it with its source.
    async fn follow(
        self: &Arc<Self>,
        folder: &Arc<dyn ModelFolder>,
        name: &ModelName,
        alias: &ModelName,
        path: &str,
        previous: Option<Arc<Pointer>>,
    ) -> Result<Arc<Pointer>, CatalogError> {
        let source = folder.file(path);
        let pointer = match source.fetch_changed(previous.as_ref().map(|pointer| &pointer.tag)).await {
            Ok(Some(Content { bytes, tag })) => {
                Arc::new(Pointer { version: layout::parse_alias(source.as_ref(), &bytes)?.version, tag })
            }
            Ok(None) => previous.ok_or_else(|| LoadError::Stopped { location: source.describe() })?,
            Err(SourceError::NotFound { .. }) if previous.is_none() => {
                return Err(unknown_alias(folder, self, name, alias.as_str()).await);
            }
            Err(error) => return Err(error.into()),
        };
        // The model, too, so that an alias never points to one that cannot be loaded.
        let model = ModelFile::in_folder(folder, name, &pointer.version);
        self.load(&model, self.settings.refresh, Instant::now() + self.settings.load_timeout).await?;
        Ok(pointer)
    }

    /// The first names of a folder. They are kept for a while.
    async fn names(&self, folder: &Arc<dyn ModelFolder>) -> Result<Arc<Names>, CatalogError> {
        let list = |_| {
            let folder = folder.clone();
            async move {
                let listing = folder.list("", None, MAX_NAMES).await?;
                Ok(Arc::new(Names(layout::folder_names(&listing.names).map(String::from).collect())))
            }
        };
        self.names.get("", Some(NAMES_AGE), Instant::now() + REFRESH_PATIENCE, list).await
    }

    async fn unknown_model(&self, folder: &Arc<dyn ModelFolder>, name: &str) -> CatalogError {
        match self.names(folder).await {
            Ok(names) => {
                // The folder of a model without versions is not a model.
                let known = names.0.iter().filter(|known| *known != name).cloned().collect();
                CatalogError::UnknownModel { name: shorten(name), known }
            }
            Err(error) => error,
        }
    }
}

/// The error for a version that a model does not have, or for a model that does not exist.
async fn unknown_version(
    folder: &Arc<dyn ModelFolder>,
    shared: &Shared,
    name: &ModelName,
    version: &str,
) -> CatalogError {
    match versions(folder.as_ref(), name).await {
        Ok(versions) if versions.is_empty() => shared.unknown_model(folder, name.as_str()).await,
        Ok(versions) => CatalogError::UnknownVersion {
            name: name.to_string(),
            version: shorten(version),
            known: versions.into_iter().map(String::from).collect(),
        },
        Err(error) => error.into(),
    }
}

/// The error for an alias that a model does not have, or for a model that does not exist.
async fn unknown_alias(folder: &Arc<dyn ModelFolder>, shared: &Shared, name: &ModelName, alias: &str) -> CatalogError {
    let versions = match versions(folder.as_ref(), name).await {
        Ok(versions) if versions.is_empty() => return shared.unknown_model(folder, name.as_str()).await,
        Ok(versions) => versions.into_iter().map(String::from).collect(),
        Err(error) => return error.into(),
    };
    match aliases(folder.as_ref(), name).await {
        Ok(known) => CatalogError::UnknownAlias {
            name: name.to_string(),
            alias: shorten(alias),
            known: known.into_iter().map(String::from).collect(),
            versions,
        },
        Err(error) => error.into(),
    }
}

fn is_missing(error: &LoadError) -> bool {
    matches!(error, LoadError::Source(SourceError::NotFound { .. }))
}

/// All names in a folder.
///
/// # Errors
/// See [`SourceError`].
pub async fn all_names(folder: &dyn ModelFolder, path: &str) -> Result<Vec<String>, SourceError> {
    let (mut names, mut after) = (Vec::new(), None);
    loop {
        let page = folder.list(path, after.as_deref(), MAX_NAMES).await?;
        names.extend(page.names);
        after = page.next;
        if after.is_none() {
            return Ok(names);
        }
    }
}

/// The versions of a model in ascending order; none for a model that does not exist.
///
/// # Errors
/// See [`SourceError`].
pub async fn versions(folder: &dyn ModelFolder, name: &ModelName) -> Result<Vec<Version>, SourceError> {
    let names = all_names(folder, &layout::model_folder(name)).await?;
    let mut versions: Vec<_> = names.iter().filter_map(|name| layout::version_of(name)).collect();
    versions.sort_by_key(Version::number);
    Ok(versions)
}

/// The aliases of a model.
///
/// # Errors
/// See [`SourceError`].
pub async fn aliases(folder: &dyn ModelFolder, name: &ModelName) -> Result<Vec<ModelName>, SourceError> {
    let names = all_names(folder, &layout::alias_folder(name)).await?;
    Ok(names.iter().filter(|name| !name.ends_with('/')).filter_map(|name| layout::name_of(name)).collect())
}

/// The versions and aliases of a model in a folder.
///
/// # Errors
/// See [`CatalogError`].
pub async fn releases(folder: &dyn ModelFolder, name: &ModelName) -> Result<Releases, CatalogError> {
    let versions = versions(folder, name).await?;
    let mut pointers = IndexMap::new();
    for alias in aliases(folder, name).await? {
        let source = folder.file(&layout::alias_path(name, &alias));
        let bytes = source.fetch().await?;
        let file = layout::parse_alias(source.as_ref(), &bytes)?;
        pointers.insert(alias.into(), file.version);
    }
    Ok(Releases { versions, aliases: pointers })
}

#[cfg(test)]
mod tests;
