//! The loaded models and aliases of a catalog, which loads in progress share.

use std::sync::Arc;
use std::time::Duration;

use ordinate_model::Model;
use ordinate_model::identity::{ModelName, Version};
use ordinate_model::wording::shorten;
use tokio::time::Instant;

use super::cache::{Cache, Policy, Value};
use super::error::{CatalogError, LoadError};
use super::layout::{self, LIVE};
use super::load::{Expected, LoadCounter, Loaded, ModelFile};
use super::{CatalogSettings, MAX_NAMES, REFRESH_PATIENCE};
use crate::source::{Content, ModelFolder, SourceError, Tag};

/// How long the names of all models are kept for error messages.
const NAMES_AGE: Duration = Duration::from_secs(10);

/// The state that loads in progress share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) settings: CatalogSettings,
    pub(super) loaded: Cache<Loaded>,
    aliases: Cache<Pointer>,
    names: Cache<Names>,
    pub(super) counter: LoadCounter,
}

/// The version that an alias points to.
pub(super) struct Pointer {
    version: Version,
    tag: Tag,
}

impl Value for Pointer {
    fn bytes(&self) -> u64 {
        0
    }
}

/// The first names of a catalog.
pub(super) struct Names(pub(super) Vec<ModelName>);

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
    pub(super) async fn load(
        &self,
        file: &ModelFile,
        max_age: Option<Duration>,
        patience: Instant,
    ) -> Result<Arc<Loaded>, CatalogError> {
        let fetch = |previous| file.clone().load(previous, self.counter.clone());
        self.loaded.get(&file.source.describe(), max_age, patience, fetch).await
    }

    /// The name of the model in a file. Loads it if its name is unknown.
    pub(super) async fn name(&self, file: &ModelFile) -> Result<ModelName, CatalogError> {
        if let Some((name, _)) = &file.expected.name {
            return Ok(name.clone());
        }
        let loaded = self.load(file, None, Instant::now()).await?;
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
                return Err(self.unknown_alias(folder, name, alias.as_str()).await);
            }
            Err(error) => return Err(error.into()),
        };
        // The model, too, so that an alias never points to one that cannot be loaded.
        let model = ModelFile::in_folder(folder, name, &pointer.version);
        self.load(&model, self.settings.refresh, Instant::now() + self.settings.load_timeout).await?;
        Ok(pointer)
    }

    /// The first names of a folder. They are kept for a while.
    pub(super) async fn names(&self, folder: &Arc<dyn ModelFolder>) -> Result<Arc<Names>, CatalogError> {
        let list = |_| {
            let folder = folder.clone();
            async move {
                let listing = folder.list("", None, MAX_NAMES).await?;
                Ok(Arc::new(Names(layout::folder_names(&listing.names).collect())))
            }
        };
        self.names.get("", Some(NAMES_AGE), Instant::now() + REFRESH_PATIENCE, list).await
    }

    pub(super) async fn unknown_model(&self, folder: &Arc<dyn ModelFolder>, name: &str) -> CatalogError {
        match self.names(folder).await {
            Ok(names) => {
                // The folder of a model without versions is not a model.
                let known = names.0.iter().map(ModelName::as_str).filter(|known| *known != name);
                let known = known.map(str::to_owned).collect();
                CatalogError::UnknownModel { name: shorten(name), known }
            }
            Err(error) => error,
        }
    }

    /// The error for a version that a model does not have, or for a model that does not exist.
    pub(super) async fn unknown_version(
        &self,
        folder: &Arc<dyn ModelFolder>,
        name: &ModelName,
        version: &str,
    ) -> CatalogError {
        match layout::versions(folder.as_ref(), name).await {
            Ok(versions) if versions.is_empty() => self.unknown_model(folder, name.as_str()).await,
            Ok(versions) => CatalogError::UnknownVersion {
                name: name.to_string(),
                version: shorten(version),
                known: versions.into_iter().map(String::from).collect(),
            },
            Err(error) => error.into(),
        }
    }

    /// The error for an alias that a model does not have, or for a model that does not exist.
    async fn unknown_alias(&self, folder: &Arc<dyn ModelFolder>, name: &ModelName, alias: &str) -> CatalogError {
        let versions = match layout::versions(folder.as_ref(), name).await {
            Ok(versions) if versions.is_empty() => return self.unknown_model(folder, name.as_str()).await,
            Ok(versions) => versions.into_iter().map(String::from).collect(),
            Err(error) => return error.into(),
        };
        match layout::aliases(folder.as_ref(), name).await {
            Ok(known) => CatalogError::UnknownAlias {
                name: name.to_string(),
                alias: shorten(alias),
                known: known.into_iter().map(String::from).collect(),
                versions,
            },
            Err(error) => error.into(),
        }
    }
}

pub(super) fn is_missing(error: &LoadError) -> bool {
    matches!(error, LoadError::Source(SourceError::NotFound { .. }))
}
