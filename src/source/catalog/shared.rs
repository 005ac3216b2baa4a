//! The loaded models and aliases of a catalog, which loads in progress share.

use std::sync::Arc;
use std::time::Duration;

use ordinate_model::Model;
use ordinate_model::identity::{ModelName, Version};
use ordinate_model::wording::shorten;
use tokio::time::Instant;

use super::alias_file::{Release, parse_alias};
use super::cache::{Cache, Policy, Value};
use super::error::{CatalogError, Known, LoadError};
use super::existing::Existing;
use super::layout::{self, LIVE};
use super::load::{Expected, LoadCounter, Loaded, ModelFile};
use super::{CatalogSettings, MAX_NAMES, REFRESH_PATIENCE};
use crate::source::{Causes, Content, ModelFolder, SourceError, Tag};

/// How long the names of models, versions and aliases are kept for error messages.
const NAMES_AGE: Duration = Duration::from_secs(10);

/// The size of the kept names of versions and aliases, in bytes, from which the least recently used are dropped.
const NAMES_BYTES: u64 = 1 << 20;

/// The state that loads in progress share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) settings: CatalogSettings,
    pub(super) loaded: Cache<Loaded>,
    aliases: Cache<Pointer>,
    shadows: Cache<Pointer>,
    names: Cache<Names>,
    released: Cache<Names>,
    existing: Cache<Existing>,
    pub(super) counter: LoadCounter,
}

/// The release that an alias points to.
pub(super) enum Pointer {
    Release(Target),
    /// The alias was removed, or the model has no alias `shadow`.
    Absent,
    /// The alias `shadow` points to a version that cannot be loaded, or its file is damaged.
    Broken(CatalogError),
}

impl Pointer {
    fn target(&self) -> Option<&Target> {
        match self {
            Self::Release(target) => Some(target),
            Self::Absent | Self::Broken(_) => None,
        }
    }
}

#[derive(Clone)]
pub(super) struct Target {
    release: Release,
    tag: Tag,
}

impl Value for Pointer {
    fn bytes(&self) -> u64 {
        0
    }
}

/// The first names of a catalog.
pub(super) struct Names(pub(super) Known);

impl Value for Names {
    fn bytes(&self) -> u64 {
        0
    }
}

/// The version of a model that a request asks for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wanted<'a> {
    Alias(&'a str),
    Version(&'a str),
}

impl<'a> Wanted<'a> {
    /// Digits are a version, anything else is an alias.
    pub(super) fn new(text: &'a str) -> Self {
        if text.bytes().all(|byte| byte.is_ascii_digit()) { Self::Version(text) } else { Self::Alias(text) }
    }

    pub(super) fn is_version(self) -> bool {
        matches!(self, Self::Version(_))
    }
}

impl ModelFile {
    pub(super) fn in_folder(folder: &Arc<dyn ModelFolder>, name: &ModelName, version: &Version) -> Self {
        let source = folder.file(&layout::model_path(name, version)).into();
        let expected =
            Expected { name: Some((name.clone(), "its folder")), version: Some(version.clone()), checksum: None };
        Self { source, expected }
    }
}

impl Shared {
    pub(super) fn new(settings: CatalogSettings) -> Self {
        // A little less than the whole time of a request, so that the error names the file.
        let timeout = settings.load_timeout.mul_f64(0.97);
        let policy = Policy { timeout, max_bytes: settings.cache_bytes };
        let counter = LoadCounter::default();
        Self {
            settings,
            loaded: Cache::new(policy).counting(&counter),
            aliases: Cache::new(policy).counting(&counter),
            shadows: Cache::new(policy).counting(&counter),
            names: Cache::new(policy),
            released: Cache::new(policy),
            existing: Cache::new(Policy { max_bytes: NAMES_BYTES, ..policy }),
            counter,
        }
    }

    /// The model in a file at this location, compared with its source if it was loaded or compared longer ago than
    /// `max_age`.
    pub(super) async fn load(
        &self,
        file: &ModelFile,
        location: &str,
        max_age: Option<Duration>,
        patience: Instant,
    ) -> Result<Arc<Loaded>, CatalogError> {
        let fetch = |previous| file.clone().load(previous, self.counter.clone());
        self.loaded.get(location, max_age, patience, fetch).await
    }

    /// The name of the model in a file. Loads it if its name is unknown.
    pub(super) async fn name(&self, file: &ModelFile) -> Result<ModelName, CatalogError> {
        if let Some((name, _)) = &file.expected.name {
            return Ok(name.clone());
        }
        let loaded = self.load(file, &file.source.describe(), None, Instant::now()).await?;
        Ok(loaded.model.document().name.clone())
    }

    pub(super) async fn model_of_files(
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
        let location = file.source.describe();
        let model = self.load(file, &location, self.settings.refresh, patience).await?.model.clone();
        if model.name() != name {
            return Err(unknown([model.name().to_owned()].into()));
        }
        let versions: Known = [model.version().to_owned()].into();
        match wanted {
            Wanted::Version(version) if version != model.version() => {
                Err(CatalogError::UnknownVersion { name: name.to_owned(), version: shorten(version), known: versions })
            }
            Wanted::Alias(alias) if alias != LIVE => Err(CatalogError::UnknownAlias {
                name: name.to_owned(),
                alias: shorten(alias),
                known: [LIVE.to_owned()].into(),
                versions,
            }),
            Wanted::Version(_) | Wanted::Alias(_) => Ok(model),
        }
    }

    /// The file of the version that an alias points to.
    pub(super) async fn aliased(
        self: &Arc<Self>,
        folder: &Arc<dyn ModelFolder>,
        name: &ModelName,
        alias: &str,
        patience: Instant,
    ) -> Result<ModelFile, CatalogError> {
        let Ok(alias) = ModelName::try_from(alias.to_owned()) else {
            return Err(self.unknown_alias(folder, name, alias).await);
        };
        let path = layout::alias_path(name, &alias);
        let follow = |previous: Option<Arc<Pointer>>| {
            let (shared, folder, name, alias) = (self.clone(), folder.clone(), name.clone(), alias.clone());
            async move { Ok(Arc::new(shared.follow(&folder, &name, &alias, previous.as_deref()).await?)) }
        };
        match self.aliases.get(&path, self.settings.refresh, patience, follow).await.as_deref() {
            Ok(Pointer::Release(target)) => Ok(ModelFile::in_folder(folder, name, &target.release.version)),
            Ok(Pointer::Absent) => Err(self.unknown_alias(folder, name, alias.as_str()).await),
            Err(CatalogError::Unavailable(error)) if is_missing(error, &folder.file(&path).describe()) => {
                Err(self.unknown_alias(folder, name, alias.as_str()).await)
            }
            Ok(Pointer::Broken(error)) | Err(error) => Err(error.clone()),
        }
    }

    /// Reads the file of an alias, and loads the version that it points to or compares it with its source, so that an
    /// alias never points to a model that cannot be loaded.
    async fn follow(
        &self,
        folder: &Arc<dyn ModelFolder>,
        name: &ModelName,
        alias: &ModelName,
        previous: Option<&Pointer>,
    ) -> Result<Pointer, CatalogError> {
        let source = folder.file(&layout::alias_path(name, alias));
        let known = previous.and_then(Pointer::target);
        let fetched = source.fetch_changed(known.map(|target| &target.tag)).await;
        let Target { release, tag } = match (fetched, known) {
            (Ok(Some(Content { bytes, tag })), _) => {
                Target { release: parse_alias(source.as_ref(), &bytes)?.into_present(), tag }
            }
            (Ok(None), Some(target)) => target.clone(),
            (Ok(None), None) => return Err(LoadError::Stopped { location: source.describe() }.into()),
            (Err(error), _) => {
                let is_removed =
                    is_gone(&error, &source.describe()) && was_removed(folder, name, alias, previous).await?;
                return if is_removed { Ok(Pointer::Absent) } else { Err(error.into()) };
            }
        };
        let model = ModelFile::in_folder(folder, name, &release.version);
        let location = model.source.describe();
        let patience = Instant::now() + self.settings.load_timeout;
        self.load(&model, &location, self.settings.refresh, patience).await?;
        // The default model stays also if callers name it, so that nothing else moves the pin.
        let is_change = |version: &&Version| **version != release.version;
        let previous = known.map(|target| &target.release.version).filter(is_change);
        if let Some(previous) = previous.filter(|_| *alias == layout::live()) {
            self.loaded.move_pin(&ModelFile::in_folder(folder, name, previous).source.describe(), &location);
        }
        Ok(Pointer::Release(Target { release, tag }))
    }

    /// The model of the alias `shadow`, if there is one. Unlike the version of an alias that callers use, an earlier
    /// version does not stay when the present one cannot be loaded: the metrics would be those of another version.
    pub(super) async fn shadow(
        self: &Arc<Self>,
        folder: &Arc<dyn ModelFolder>,
        name: &ModelName,
        patience: Instant,
    ) -> Result<Option<Arc<Model>>, CatalogError> {
        let path = layout::alias_path(name, &layout::shadow());
        let follow = |previous: Option<Arc<Pointer>>| {
            let (shared, folder, name, path) = (self.clone(), folder.clone(), name.clone(), path.clone());
            async move {
                match shared.follow(&folder, &name, &layout::shadow(), previous.as_deref()).await {
                    Ok(pointer) => Ok(Arc::new(pointer)),
                    Err(CatalogError::Unavailable(error)) if is_missing(&error, &folder.file(&path).describe()) => {
                        Ok(Arc::new(Pointer::Absent))
                    }
                    Err(error) => {
                        let cause = Causes(&error).to_string();
                        tracing::warn!(model = name.as_str(), cause, "cannot load the version of the alias shadow");
                        let is_lasting = matches!(&error, CatalogError::Unavailable(error) if !error.is_transient());
                        if previous.is_none() || !is_lasting {
                            return Err(error);
                        }
                        shared.counter.add_failed_refresh();
                        Ok(Arc::new(Pointer::Broken(error)))
                    }
                }
            }
        };
        let shadow = self.shadows.get(&path, self.settings.refresh, patience, follow).await?;
        let Target { release, .. } = match &*shadow {
            Pointer::Release(target) => target,
            Pointer::Absent => return Ok(None),
            Pointer::Broken(error) => return Err(error.clone()),
        };
        let file = ModelFile::in_folder(folder, name, &release.version);
        Ok(Some(self.load(&file, &file.source.describe(), None, patience).await?.model.clone()))
    }

    /// The first names of a folder. They are kept for a while.
    pub(super) async fn names(&self, folder: &Arc<dyn ModelFolder>) -> Result<Known, CatalogError> {
        let list = |_| {
            let folder = folder.clone();
            async move {
                let listing = folder.list("", None, MAX_NAMES).await?;
                Ok(Arc::new(Names(layout::folder_names(&listing.names).map(String::from).collect())))
            }
        };
        let names = self.names.get("", Some(NAMES_AGE), Instant::now() + REFRESH_PATIENCE, list).await?;
        Ok(names.0.clone())
    }

    /// The names of the first two released models of a folder. They are kept for a while.
    pub(super) async fn released(self: &Arc<Self>, folder: &Arc<dyn ModelFolder>) -> Result<Known, CatalogError> {
        let list = |_| {
            let (shared, folder) = (self.clone(), folder.clone());
            async move {
                let names = shared.names(&folder).await?;
                let names: Vec<_> = names.iter().filter_map(|name| ModelName::try_from(name.clone()).ok()).collect();
                let released = layout::released(folder.as_ref(), &names, 2).await?;
                Ok(Arc::new(Names(released.into_iter().map(String::from).collect())))
            }
        };
        Ok(self.released.get("", Some(NAMES_AGE), Instant::now() + REFRESH_PATIENCE, list).await?.0.clone())
    }

    /// The versions and aliases of a model. They are kept for a while.
    async fn existing(
        self: &Arc<Self>,
        folder: &Arc<dyn ModelFolder>,
        name: &ModelName,
    ) -> Result<Arc<Existing>, CatalogError> {
        let list = |_| {
            let (shared, folder, name) = (self.clone(), folder.clone(), name.clone());
            async move {
                match Existing::list(folder.as_ref(), &name).await? {
                    Some(existing) => Ok(Arc::new(existing)),
                    None => Err(shared.unknown_model(&folder, name.as_str()).await),
                }
            }
        };
        self.existing.get(name.as_str(), Some(NAMES_AGE), Instant::now() + REFRESH_PATIENCE, list).await
    }

    pub(super) async fn unknown_model(&self, folder: &Arc<dyn ModelFolder>, name: &str) -> CatalogError {
        match self.names(folder).await {
            Ok(known) => CatalogError::UnknownModel { name: shorten(name), known },
            Err(error) => error,
        }
    }

    /// The error for a version that a model does not have, or for a model that does not exist.
    pub(super) async fn unknown_version(
        self: &Arc<Self>,
        folder: &Arc<dyn ModelFolder>,
        name: &ModelName,
        version: &str,
    ) -> CatalogError {
        self.existing(folder, name).await.map_or_else(|error| error, |known| known.unknown_version(name, version))
    }

    /// The error for an alias that a model does not have, or for a model that does not exist.
    async fn unknown_alias(
        self: &Arc<Self>,
        folder: &Arc<dyn ModelFolder>,
        name: &ModelName,
        alias: &str,
    ) -> CatalogError {
        self.existing(folder, name).await.map_or_else(|error| error, |known| known.unknown_alias(name, alias))
    }
}

/// Whether an alias whose file is gone was removed, rather than lost: then the release that it pointed to, if it was
/// known, is in the file that it had when it was removed.
async fn was_removed(
    folder: &Arc<dyn ModelFolder>,
    name: &ModelName,
    alias: &ModelName,
    previous: Option<&Pointer>,
) -> Result<bool, CatalogError> {
    let release = match previous {
        None | Some(Pointer::Broken(_)) => return Ok(false),
        Some(Pointer::Absent) => return Ok(true),
        Some(Pointer::Release(target)) => &target.release,
    };
    let source = folder.file(&layout::removed_path(name, alias));
    let bytes = match source.fetch().await {
        Err(error) if is_gone(&error, &source.describe()) => return Ok(false),
        fetched => fetched?,
    };
    let is_removed = parse_alias(source.as_ref(), &bytes).is_ok_and(|file| file.is_removed() && file.contains(release));
    if is_removed {
        let (model, alias, version) = (name.as_str(), alias.as_str(), release.version.as_str());
        tracing::info!(model, alias, version, "the alias was removed");
    }
    Ok(is_removed)
}

/// Whether there is nothing at this location.
fn is_gone(error: &SourceError, location: &str) -> bool {
    matches!(error, SourceError::NotFound { location: missing, .. } if missing == location)
}

/// Whether a load failed because there is nothing at this location.
pub(super) fn is_missing(error: &LoadError, location: &str) -> bool {
    matches!(error, LoadError::Source(error) if is_gone(error, location))
}
