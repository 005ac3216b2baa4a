//! The aliases of models: which version one points to, and its history.

use jiff::Timestamp;
use ordinate::source::catalog::CatalogError;
use ordinate::source::catalog::layout::{self, AliasFile, MAX_RELEASES, Release};
use ordinate::source::{Content, SourceError};
use ordinate_model::Model;
use ordinate_model::artifact::Document;
use ordinate_model::identity::{ModelName, Version};

use crate::catalog::{ATTEMPTS, ReleaseCatalog};
use crate::compatibility::breaking_changes;
use crate::error::ReleaseError;
use crate::folder::{Condition, PutError};

/// The person or program that releases, and the reason, for the history.
#[derive(Debug, Clone, Default)]
pub struct Who {
    /// The name of the person or program.
    pub by: String,
    /// The reason.
    pub message: String,
}

/// A change of an alias.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The version before, if the alias existed.
    pub from: Option<Version>,
    /// The version now.
    pub to: Version,
}

/// The versions of a model, and where its aliases point to.
#[derive(Debug)]
pub struct Listed {
    /// The versions in ascending order.
    pub versions: Vec<Version>,
    /// The aliases; those whose files cannot be read have an error.
    pub aliases: Vec<(ModelName, Result<Version, ReleaseError>)>,
}

impl ReleaseCatalog {
    /// The versions and aliases of a model.
    ///
    /// # Errors
    /// [`CatalogError::UnknownModel`] and others of [`ReleaseError`].
    pub async fn listed(&self, name: &ModelName) -> Result<Listed, ReleaseError> {
        let versions = self.versions(name).await?;
        if versions.is_empty() {
            return Err(self.unknown_model(name).await);
        }
        let mut aliases = Vec::new();
        for alias in layout::aliases(self.folder(), name).await? {
            let version = self.history(name, &alias).await.map(|file| file.version);
            aliases.push((alias, version));
        }
        Ok(Listed { versions, aliases })
    }

    /// Checks that requests do not break when an alias is changed to a model: those for the version that the alias points
    /// to, or for the live one if it is the alias `shadow`, which is compared with it. The version that an alias had when it
    /// was removed counts, so that nobody breaks requests by removing the alias first.
    ///
    /// # Errors
    /// [`ReleaseError::Breaking`], [`ReleaseError::Incomparable`] and others of [`ReleaseError`].
    pub async fn check(&self, alias: &ModelName, new: &Model) -> Result<(), ReleaseError> {
        let Some((callers, old)) = self.replaced(alias, new).await? else { return Ok(()) };
        match old.map(|old| breaking_changes(&old, new)) {
            Ok(changes) if changes.is_empty() => Ok(()),
            Ok(changes) => Err(ReleaseError::Breaking { callers, changes }),
            Err(cause) if cause.is_damage() => Err(ReleaseError::Incomparable { callers, cause: Box::new(cause) }),
            Err(error) => Err(error),
        }
    }

    /// How requests name the model that a new one replaces, and the model, or why it cannot be read; `None` if it replaces
    /// no model.
    async fn replaced(
        &self,
        alias: &ModelName,
        new: &Model,
    ) -> Result<Option<(String, Result<Model, ReleaseError>)>, ReleaseError> {
        let name = &new.document().name;
        let compared = if *alias == layout::shadow() { &layout::live() } else { alias };
        let (version, until) = match self.alias_file(name, compared).await? {
            Some(file) => (file.version, ""),
            None => match self.removed(name, compared).await? {
                Some(file) => (file.version, " until it was removed"),
                None => return Ok(None),
            },
        };
        let callers = format!("{name}@{compared} (version {version}{until})");
        let old = self.load(name, &version).await.map(|(model, _)| model);
        Ok(Some((callers, old)))
    }

    /// Makes an alias point to the version of a model of this catalog: one that was published, copied or loaded. `force`
    /// replaces a damaged file of the alias, whose history is lost.
    ///
    /// # Errors
    /// See [`ReleaseError`]; the alias is unchanged then.
    pub async fn promote(
        &self,
        model: &Model,
        alias: &ModelName,
        who: &Who,
        force: bool,
    ) -> Result<Change, ReleaseError> {
        let Document { name, version, .. } = model.document();
        self.change(name, alias, |_| Ok((version.clone(), None)), who, force).await
    }

    /// Makes an alias point to the version that it pointed to before the present one.
    ///
    /// # Errors
    /// [`ReleaseError::DamagedBefore`] and others of [`ReleaseError`]; the alias is unchanged then.
    pub async fn rollback(&self, name: &ModelName, alias: &ModelName, who: &Who) -> Result<Change, ReleaseError> {
        let present = self.history(name, alias).await?;
        let mut damaged = None;
        for to in before(&present) {
            match (self.load(name, &to).await, damaged) {
                (Ok(_), None) => {
                    let back = |file: Option<&AliasFile>| match file {
                        Some(file) if *file == present => Ok((to.clone(), Some(present.version.clone()))),
                        _ => Err(changed(name, alias)),
                    };
                    return self.change(name, alias, back, who, false).await;
                }
                (Ok(_), Some(damaged)) => return Err(damaged_before(name, alias, damaged, Some(to))),
                (Err(error), earlier) if error.is_damage() => damaged = Some(earlier.unwrap_or((to, error))),
                (Err(error), _) => return Err(error),
            }
        }
        Err(match damaged {
            Some(damaged) => damaged_before(name, alias, damaged, None),
            None => ReleaseError::NothingBefore {
                name: name.to_string(),
                alias: alias.to_string(),
                version: present.version,
            },
        })
    }

    /// Removes an alias. Its file is kept in the folder of removed aliases, for the next check and its history. Returns the
    /// version that it pointed to, unless its file is damaged.
    ///
    /// # Errors
    /// See [`ReleaseError`]; the alias is unchanged then.
    pub async fn remove_alias(&self, name: &ModelName, alias: &ModelName) -> Result<Option<Version>, ReleaseError> {
        let path = layout::alias_path(name, alias);
        let Some(content) = self.content(&path).await? else {
            return Err(self.unknown_alias(name, alias).await);
        };
        let version = layout::parse_alias(self.folder().file(&path).as_ref(), &content.bytes).map(|file| file.version);
        self.keep(name, alias, &content).await?;
        match self.folder().delete(&path, &content).await {
            Ok(()) => Ok(version.ok()),
            Err(PutError::Conflict) => Err(changed(name, alias)),
            Err(PutError::Source(error)) => Err(error.into()),
        }
    }

    /// Writes the file of an alias that will be removed to the folder of removed aliases.
    async fn keep(&self, name: &ModelName, alias: &ModelName, content: &Content) -> Result<(), ReleaseError> {
        let path = removed_path(name, alias);
        let earlier = self.content(&path).await?;
        let condition = earlier.as_ref().map_or(Condition::Absent, Condition::Unchanged);
        match self.folder().put(&path, content.bytes.clone(), condition).await {
            Ok(()) => Ok(()),
            Err(PutError::Conflict) => Err(changed(name, alias)),
            Err(PutError::Source(error)) => Err(error.into()),
        }
    }

    /// The file that an alias had when it was removed the last time.
    async fn removed(&self, name: &ModelName, alias: &ModelName) -> Result<Option<AliasFile>, ReleaseError> {
        let path = removed_path(name, alias);
        self.content(&path).await?.map(|content| self.parse(&path, &content)).transpose()
    }

    /// The versions in the files of aliases, present and removed ones; a file that is damaged has none.
    pub(crate) async fn released_versions(&self, name: &ModelName) -> Result<Vec<Version>, ReleaseError> {
        let mut versions = Vec::new();
        for folder in [layout::alias_folder(name), removed_folder(name)] {
            for file in layout::all_names(self.folder(), &folder).await? {
                let path = format!("{folder}{file}");
                let Some(content) = self.content(&path).await? else { continue };
                if let Ok(file) = self.parse(&path, &content) {
                    versions.push(file.version);
                    versions.extend(file.history.into_iter().map(|release| release.version));
                }
            }
        }
        Ok(versions)
    }

    /// The versions that an alias pointed to.
    ///
    /// # Errors
    /// See [`ReleaseError`].
    pub async fn history(&self, name: &ModelName, alias: &ModelName) -> Result<AliasFile, ReleaseError> {
        match self.alias_file(name, alias).await? {
            Some(file) => Ok(file),
            None => Err(self.unknown_alias(name, alias).await),
        }
    }

    /// The first other models with the alias `live`, at most `most`.
    ///
    /// # Errors
    /// See [`ReleaseError`].
    pub async fn others_released(&self, name: &ModelName, most: usize) -> Result<Vec<ModelName>, ReleaseError> {
        let mut names = self.names().await?;
        names.retain(|other| other != name);
        Ok(layout::released(self.folder(), &names, most).await?)
    }

    /// Changes an alias: `next` returns the new version from the present file, with the version that is rolled back.
    async fn change(
        &self,
        name: &ModelName,
        alias: &ModelName,
        next: impl Fn(Option<&AliasFile>) -> Result<(Version, Option<Version>), ReleaseError>,
        who: &Who,
        force: bool,
    ) -> Result<Change, ReleaseError> {
        let path = layout::alias_path(name, alias);
        for _ in 0..ATTEMPTS {
            let content = self.content(&path).await?;
            let file = match content.as_ref().map(|content| self.parse(&path, content)).transpose() {
                Err(ReleaseError::DamagedAlias { .. }) if force => None,
                file => file?,
            };
            let (version, rolled_back) = next(file.as_ref())?;
            let from = file.as_ref().map(|file| file.version.clone());
            if from.as_ref() == Some(&version) {
                return Ok(Change { from, to: version });
            }
            let before = match (file, &content) {
                (None, None) => match self.removed(name, alias).await {
                    Err(ReleaseError::DamagedAlias { .. }) if force => None,
                    removed => removed?,
                },
                (file, _) => file,
            };
            let mut history = before.map(|file| file.history).unwrap_or_default();
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
            let condition = content.as_ref().map_or(Condition::Absent, Condition::Unchanged);
            match self.folder().put(&path, text.into(), condition).await {
                Ok(()) => return Ok(Change { from, to: version }),
                Err(PutError::Conflict) => {}
                Err(PutError::Source(error)) => return Err(error.into()),
            }
        }
        Err(ReleaseError::Contended { location: self.location(&path), attempts: ATTEMPTS })
    }

    /// The file of an alias; `None` for an alias that does not exist.
    async fn alias_file(&self, name: &ModelName, alias: &ModelName) -> Result<Option<AliasFile>, ReleaseError> {
        let path = layout::alias_path(name, alias);
        self.content(&path).await?.map(|content| self.parse(&path, &content)).transpose()
    }

    async fn content(&self, path: &str) -> Result<Option<Content>, ReleaseError> {
        match self.folder().file(path).fetch_changed(None).await {
            Err(SourceError::NotFound { .. }) => Ok(None),
            content => Ok(content?),
        }
    }

    fn parse(&self, path: &str, content: &Content) -> Result<AliasFile, ReleaseError> {
        match layout::parse_alias(self.folder().file(path).as_ref(), &content.bytes) {
            Err(CatalogError::Unavailable(cause)) => Err(ReleaseError::DamagedAlias { cause }),
            file => Ok(file?),
        }
    }

    async fn unknown_alias(&self, name: &ModelName, alias: &ModelName) -> ReleaseError {
        match self.existing(name).await {
            Ok(existing) => existing.unknown_alias(name, alias.as_str()).into(),
            Err(error) => error,
        }
    }
}

/// The folder of the files of a model's removed aliases, which servers do not read.
fn removed_folder(name: &ModelName) -> String {
    format!("{name}/removed/")
}

fn removed_path(name: &ModelName, alias: &ModelName) -> String {
    format!("{}{alias}.json", removed_folder(name))
}

fn changed(name: &ModelName, alias: &ModelName) -> ReleaseError {
    ReleaseError::Changed { name: name.to_string(), alias: alias.to_string() }
}

fn damaged_before(
    name: &ModelName,
    alias: &ModelName,
    (version, cause): (Version, ReleaseError),
    instead: Option<Version>,
) -> ReleaseError {
    let (name, alias) = (name.to_string(), alias.to_string());
    ReleaseError::DamagedBefore { name, alias, version, cause: Box::new(cause), instead }
}

/// The versions that were released before the present one, the latest first, apart from those that were rolled back.
fn before(file: &AliasFile) -> Vec<Version> {
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
    released.into_iter().rev().skip(1).cloned().collect()
}
