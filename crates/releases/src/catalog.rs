//! The operations on a catalog.

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use ordinate::source::catalog::layout::{self, AliasFile, LIVE, MAX_RELEASES, Release, Releases};
use ordinate::source::catalog::{CatalogError, Existing};
use ordinate::source::file::LocalFolder;
use ordinate::source::s3::{S3Folder, S3Settings, TimeLimits};
use ordinate::source::{Causes, Content, ModelUri, SourceError};
use ordinate_model::Model;
use ordinate_model::artifact::{ArtifactError, Document};
use ordinate_model::identity::{ModelName, Version};
use thiserror::Error;

use crate::compatibility::{Breaking, breaking_changes};
use crate::folder::{Condition, PutError, WritableFolder};

/// How often a publisher tries the next version after somebody else took one.
const ATTEMPTS: usize = 100;

/// A person at a slow line publishes a model of 64 MiB, unlike a function, whose caller waits.
const LIMITS: TimeLimits = TimeLimits {
    connect: Duration::from_secs(5),
    read: Duration::from_secs(30),
    attempt: Duration::from_mins(5),
    operation: Duration::from_mins(10),
    total: Duration::from_mins(10),
};

/// Why a release failed.
#[derive(Debug, Error)]
pub enum ReleaseError {
    /// The text is not the location of a catalog.
    #[error("{0}")]
    NotACatalog(String),
    /// The catalog cannot be read or written.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A file of the catalog is damaged, or the model, version or alias does not exist.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// A model cannot be published.
    #[error("{location}: {source}")]
    Artifact {
        /// Where the model is.
        location: String,
        /// Why it cannot.
        source: ArtifactError,
    },
    /// Requests for the present version of an alias would break.
    #[error(
        "requests for {name}@{alias} (version {version}) would break:\n- {}\nhelp: --force changes the alias all the same",
        listed(changes)
    )]
    Breaking {
        /// The model.
        name: String,
        /// The alias.
        alias: String,
        /// The version that it points to.
        version: Version,
        /// The changes.
        changes: Vec<Breaking>,
    },
    /// Somebody else changed the alias during a rollback.
    #[error("{name}@{alias} was changed meanwhile; nothing was rolled back\nhelp: look at ordinate history {name}")]
    Changed {
        /// The model.
        name: String,
        /// The alias.
        alias: String,
    },
    /// Others changed the catalog all the time.
    #[error("{location}: others changed it {attempts} times meanwhile; nothing was changed")]
    Contended {
        /// The file.
        location: String,
        /// The number of attempts.
        attempts: usize,
    },
    /// A version was published, but the alias was not changed to it.
    #[error("{published}, but {alias} was not changed: {}\nhelp: {help}", Causes(cause))]
    NotPromoted {
        /// The version that was published, and its file.
        published: String,
        /// The alias of the model.
        alias: String,
        /// Why it was not changed. Not the source of this error, whose message would follow the advice.
        cause: Box<ReleaseError>,
        /// The command that changes it.
        help: String,
    },
    /// There is nothing to return to.
    #[error(
        "{name}@{alias} is version {version}, and there is no version before it that was not rolled back\n\
         help: ordinate promote changes it to any version"
    )]
    NothingBefore {
        /// The model.
        name: String,
        /// The alias.
        alias: String,
        /// The version that it points to.
        version: Version,
    },
}

/// The person or program that releases, and the reason, for the history.
#[derive(Debug, Clone, Default)]
pub struct Who {
    /// The name of the person or program.
    pub by: String,
    /// The reason.
    pub message: String,
}

/// A published version.
#[derive(Debug)]
pub struct Published {
    /// The model as it was read back: its version may be new, and then its checksum is.
    pub model: Model,
    /// Where it is.
    pub location: String,
    /// Whether it was there already.
    pub existed: bool,
}

/// A change of an alias.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The version before, if the alias existed.
    pub from: Option<Version>,
    /// The version now.
    pub to: Version,
}

/// A catalog that can be changed.
#[derive(Debug)]
pub struct ReleaseCatalog {
    folder: Box<dyn WritableFolder>,
}

impl ReleaseCatalog {
    /// The catalog at a path, at `file:///path/` or `s3://bucket/prefix/`. A folder that exists needs no slash
    /// at its end.
    ///
    /// # Errors
    /// [`ReleaseError::NotACatalog`] for any other text.
    pub fn open(place: &str, s3: S3Settings) -> Result<Self, ReleaseError> {
        let uri = || place.parse::<ModelUri>().map_err(|error| ReleaseError::NotACatalog(error.to_string()));
        let folder: Box<dyn WritableFolder> = match uri()? {
            ModelUri::Folder(path) => Box::new(LocalFolder::new(path)),
            ModelUri::S3Folder(location) => Box::new(S3Folder::new(location, S3Settings { limits: LIMITS, ..s3 })?),
            ModelUri::File(path) if path.is_dir() => Box::new(LocalFolder::new(path)),
            ModelUri::File(_) | ModelUri::S3(_) | ModelUri::Bundled => {
                let detail = format!(
                    "{place:?} is not a catalog\nhelp: the path of a catalog ends with a slash: models/ or s3://bucket/models/"
                );
                return Err(ReleaseError::NotACatalog(detail));
            }
        };
        Ok(Self { folder })
    }

    /// The same catalog, which exists from then on.
    ///
    /// # Errors
    /// [`ReleaseError::Source`] if it cannot be made.
    pub fn create(self) -> Result<Self, ReleaseError> {
        self.folder.create()?;
        Ok(self)
    }

    /// The location.
    #[must_use]
    pub fn describe(&self) -> String {
        self.folder.describe()
    }

    /// The location of a path below it.
    fn location(&self, path: &str) -> String {
        self.folder.file(path).describe()
    }

    /// Writes a model as the next free version. The version in the file is replaced, and its checksum with it.
    ///
    /// # Errors
    /// See [`ReleaseError`]; the catalog is unchanged then.
    pub async fn publish(&self, document: &Document) -> Result<Published, ReleaseError> {
        let name = document.name.clone();
        let mut version = match layout::versions(self.folder.as_ref(), &name).await?.last() {
            None => Version::first(),
            Some(last) => self.after(&name, last)?,
        };
        for _ in 0..ATTEMPTS {
            let path = layout::model_path(&name, &version);
            let location = self.location(&path);
            let failed = |source| ReleaseError::Artifact { location: location.clone(), source };
            let numbered = document.clone().with_version(version.clone()).map_err(failed)?;
            let text = numbered.to_json().map_err(failed)?;
            // The file is what every load will read.
            let model = Model::from_json(text.as_bytes()).map_err(failed)?;
            match self.folder.put(&path, text.into(), Condition::Absent).await {
                Ok(()) => return Ok(Published { model, location, existed: false }),
                Err(PutError::Conflict) => version = self.after(&name, &version)?,
                Err(PutError::Source(error)) => return Err(error.into()),
            }
        }
        let location = self.location(&layout::model_folder(&name));
        Err(ReleaseError::Contended { location, attempts: ATTEMPTS })
    }

    fn after(&self, name: &ModelName, version: &Version) -> Result<Version, ReleaseError> {
        let no_next = || ReleaseError::Artifact {
            location: self.location(&layout::model_path(name, version)),
            source: ArtifactError::Inconsistent("there is no version after this one".into()),
        };
        version.next().ok_or_else(no_next)
    }

    /// Checks that an alias can be changed to a model: its file is valid, and requests for its present version do not
    /// break, unless `force`.
    ///
    /// # Errors
    /// [`ReleaseError::Breaking`] and others of [`ReleaseError`].
    pub async fn check(&self, alias: &ModelName, new: &Model, force: bool) -> Result<(), ReleaseError> {
        let name = &new.document().name;
        let present = match self.history(name, alias).await {
            Ok(file) => file.version,
            Err(ReleaseError::Catalog(CatalogError::UnknownAlias { .. } | CatalogError::UnknownModel { .. })) => {
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        if force {
            return Ok(());
        }
        let (live, _) = self.load(name, &present).await?;
        match breaking_changes(&live, new) {
            changes if changes.is_empty() => Ok(()),
            changes => Err(ReleaseError::Breaking {
                name: name.to_string(),
                alias: alias.to_string(),
                version: present,
                changes,
            }),
        }
    }

    /// Makes an alias point to the version of a model of this catalog: one that was published, copied or loaded.
    ///
    /// # Errors
    /// See [`ReleaseError`]; the alias is unchanged then.
    pub async fn promote(&self, model: &Model, alias: &ModelName, who: &Who) -> Result<Change, ReleaseError> {
        let Document { name, version, .. } = model.document();
        self.change(name, alias, |_| Ok((version.clone(), None)), who).await
    }

    /// Makes an alias point to the version that it pointed to before the present one.
    ///
    /// # Errors
    /// See [`ReleaseError`]; the alias is unchanged then.
    pub async fn rollback(&self, name: &ModelName, alias: &ModelName, who: &Who) -> Result<Change, ReleaseError> {
        let present = self.alias_file(name, alias).await?.0;
        let to = before(&present).ok_or_else(|| ReleaseError::NothingBefore {
            name: name.to_string(),
            alias: alias.to_string(),
            version: present.version.clone(),
        })?;
        self.load(name, &to).await?;
        let back = |file: Option<&AliasFile>| match file {
            Some(file) if *file == present => Ok((to.clone(), Some(present.version.clone()))),
            _ => Err(ReleaseError::Changed { name: name.to_string(), alias: alias.to_string() }),
        };
        self.change(name, alias, back, who).await
    }

    /// The versions that an alias pointed to.
    ///
    /// # Errors
    /// See [`ReleaseError`].
    pub async fn history(&self, name: &ModelName, alias: &ModelName) -> Result<AliasFile, ReleaseError> {
        Ok(self.alias_file(name, alias).await?.0)
    }

    /// The names of all models.
    ///
    /// # Errors
    /// See [`ReleaseError`].
    pub async fn names(&self) -> Result<Vec<ModelName>, ReleaseError> {
        Ok(layout::folder_names(&layout::all_names(self.folder.as_ref(), "").await?).collect())
    }

    /// The versions and aliases of a model.
    ///
    /// # Errors
    /// [`CatalogError::UnknownModel`] and others of [`ReleaseError`].
    pub async fn releases(&self, name: &ModelName) -> Result<Releases, ReleaseError> {
        let releases = layout::releases(self.folder.as_ref(), name).await?;
        if releases.versions.is_empty() {
            return Err(self.unknown_model(name).await);
        }
        Ok(releases)
    }

    /// The versions and aliases of a model by name, for errors.
    async fn existing(&self, name: &ModelName) -> Result<Existing, ReleaseError> {
        match Existing::list(self.folder.as_ref(), name).await? {
            Some(existing) => Ok(existing),
            None => Err(self.unknown_model(name).await),
        }
    }

    async fn unknown_model(&self, name: &ModelName) -> ReleaseError {
        match self.names().await {
            Ok(names) => {
                let known = names.into_iter().map(String::from).collect();
                CatalogError::UnknownModel { name: name.to_string(), known }.into()
            }
            Err(error) => error,
        }
    }

    /// Loads a version and checks its golden rows. Returns it with its file.
    ///
    /// # Errors
    /// [`CatalogError::UnknownVersion`] and others of [`ReleaseError`].
    pub async fn load(&self, name: &ModelName, version: &Version) -> Result<(Model, Bytes), ReleaseError> {
        let source = self.folder.file(&layout::model_path(name, version));
        let bytes = match source.fetch().await {
            Err(SourceError::NotFound { .. }) => {
                return Err(self.existing(name).await?.unknown_version(name, version.as_str()).into());
            }
            fetched => fetched?,
        };
        let failed = |error| ReleaseError::Artifact { location: source.describe(), source: error };
        Ok((Model::from_json(&bytes).map_err(failed)?, bytes))
    }

    /// Copies a model with its file, from [`Self::load`] of another catalog: under the same version with the same bytes
    /// if that is free here, otherwise as the next free version. A version that is here already with the same bytes is
    /// left as it is.
    ///
    /// # Errors
    /// See [`ReleaseError`].
    pub async fn copy(&self, (model, bytes): (Model, Bytes)) -> Result<Published, ReleaseError> {
        let Document { name, version, .. } = model.document();
        let path = layout::model_path(name, version);
        let here = match self.folder.put(&path, bytes.clone(), Condition::Absent).await {
            Ok(()) => None,
            Err(PutError::Conflict) => Some(self.folder.file(&path).fetch().await?),
            Err(PutError::Source(error)) => return Err(error.into()),
        };
        let existed = here.is_some();
        if here.is_none_or(|here| here == bytes) {
            return Ok(Published { model, location: self.location(&path), existed });
        }
        self.publish(model.document()).await
    }

    /// Changes an alias: `next` returns the new version from the present file, with the version that is rolled back.
    async fn change(
        &self,
        name: &ModelName,
        alias: &ModelName,
        next: impl Fn(Option<&AliasFile>) -> Result<(Version, Option<Version>), ReleaseError>,
        who: &Who,
    ) -> Result<Change, ReleaseError> {
        let path = layout::alias_path(name, alias);
        for _ in 0..ATTEMPTS {
            let present = match self.alias_file(name, alias).await {
                Ok(present) => Some(present),
                Err(ReleaseError::Catalog(CatalogError::UnknownAlias { .. })) => None,
                Err(error) => return Err(error),
            };
            let file = present.as_ref().map(|(file, _)| file);
            let (version, rolled_back) = next(file)?;
            let from = file.map(|file| file.version.clone());
            if from.as_ref() == Some(&version) {
                return Ok(Change { from, to: version });
            }
            let mut history = file.map(|file| file.history.clone()).unwrap_or_default();
            history.push(Release {
                version: version.clone(),
                at: Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
                by: who.by.clone(),
                message: who.message.clone(),
                rolled_back,
            });
            let start = history.len().saturating_sub(MAX_RELEASES);
            let file = AliasFile { version: version.clone(), history: history.split_off(start) };
            let Ok(text) = serde_json::to_vec_pretty(&file) else { break };
            let condition = present.as_ref().map_or(Condition::Absent, |(_, content)| Condition::Unchanged(content));
            match self.folder.put(&path, text.into(), condition).await {
                Ok(()) => return Ok(Change { from, to: version }),
                Err(PutError::Conflict) => {}
                Err(PutError::Source(error)) => return Err(error.into()),
            }
        }
        Err(ReleaseError::Contended { location: self.location(&path), attempts: ATTEMPTS })
    }

    async fn alias_file(&self, name: &ModelName, alias: &ModelName) -> Result<(AliasFile, Content), ReleaseError> {
        let source = self.folder.file(&layout::alias_path(name, alias));
        match source.fetch_changed(None).await {
            Ok(Some(content)) => {
                let file = layout::parse_alias(source.as_ref(), &content.bytes)?;
                Ok((file, content))
            }
            Ok(None) | Err(SourceError::NotFound { .. }) => {
                Err(self.existing(name).await?.unknown_alias(name, alias.as_str()).into())
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// The version that was released before the present one, apart from those that were rolled back.
fn before(file: &AliasFile) -> Option<Version> {
    let mut released: Vec<&Version> = Vec::new();
    for release in &file.history {
        // Returning to a version takes back what was released after it.
        if release.rolled_back.is_some() {
            released.pop();
            if released.last() == Some(&&release.version) {
                continue;
            }
        }
        released.push(&release.version);
    }
    released.iter().rev().nth(1).map(|version| (*version).clone())
}

fn listed(changes: &[Breaking]) -> String {
    changes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n- ")
}

/// The alias of a command without one.
#[must_use]
pub fn live() -> ModelName {
    ModelName::from_text_lossy(LIVE)
}
