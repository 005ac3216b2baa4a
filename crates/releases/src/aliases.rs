//! The aliases of models: listing, changing and removing them.

use bytes::Bytes;
use ordinate::source::catalog::MAX_CHECKED;
use ordinate::source::catalog::alias_file::{AliasFile, Removal};
use ordinate::source::catalog::layout;
use ordinate_model::Model;
use ordinate_model::artifact::Document;
use ordinate_model::identity::{ModelName, Version};

use crate::alias_files::{Found, now, unwritten};
use crate::catalog::ReleaseCatalog;
use crate::check::Approval;
use crate::error::ReleaseError;
use crate::folder::{Condition, PutError};

/// The person or program that releases, and the reason, for the history.
#[derive(Debug, Clone, Default)]
pub struct Who {
    pub(crate) by: String,
    pub(crate) message: String,
}

impl Who {
    /// The most bytes of the name. A history of 1,000 releases, each of them removed, has at most half of the bytes
    /// that a file of a catalog may have.
    pub const MAX_BY: usize = 200;

    /// The most bytes of the reason.
    pub const MAX_MESSAGE: usize = 2_000;

    /// The name of the person or program, and the reason.
    ///
    /// # Errors
    /// [`ReleaseError::LongText`].
    pub fn new(by: String, message: String) -> Result<Self, ReleaseError> {
        for (what, text, most) in [("--by", &by, Self::MAX_BY), ("--message", &message, Self::MAX_MESSAGE)] {
            if text.len() > most {
                return Err(ReleaseError::LongText { what, most, length: text.len() });
            }
        }
        Ok(Self { by, message })
    }
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
    /// Lists of aliases that cannot be read, and damaged files of aliases that were removed.
    pub problems: Vec<ReleaseError>,
}

impl ReleaseCatalog {
    /// The versions and aliases of a model.
    ///
    /// # Errors
    /// [`CatalogError::UnknownModel`](ordinate::source::catalog::CatalogError::UnknownModel) and others of
    /// [`ReleaseError`].
    pub async fn listed(&self, name: &ModelName) -> Result<Listed, ReleaseError> {
        let versions = self.versions(name).await?;
        if versions.is_empty() {
            return Err(self.unknown_model(name).await);
        }
        let (mut aliases, mut problems) = (Vec::new(), Vec::new());
        match layout::aliases(self.folder(), name).await {
            Err(error) => problems.push(error.into()),
            Ok(names) => {
                for alias in names {
                    let version = self.history(name, &alias).await.map(|file| file.version().clone());
                    aliases.push((alias, version));
                }
            }
        }
        match layout::removed_aliases(self.folder(), name).await {
            Err(error) => problems.push(error.into()),
            Ok(names) => {
                for alias in names {
                    problems.extend(self.removed(name, &alias).await.err());
                }
            }
        }
        Ok(Listed { versions, aliases, problems })
    }

    /// Makes an alias point to the version of a model of this catalog: one that was published, copied or loaded. The
    /// model is compared again if the alias does not have the version any more with which it was compared for the
    /// approval.
    ///
    /// # Errors
    /// See [`ReleaseError`]; the alias is unchanged then.
    pub async fn promote(
        &self,
        model: &Model,
        alias: &ModelName,
        who: &Who,
        mut approval: Approval,
    ) -> Result<Change, ReleaseError> {
        let Document { name, version, .. } = model.document();
        let mut others = self.contention(&layout::alias_path(name, alias));
        loop {
            let present = self.present(name, alias, approval == Approval::Forced).await?;
            if present.file.as_ref().is_some_and(|file| file.version() == version) {
                return Ok(Change { from: Some(version.clone()), to: version.clone() });
            }
            approval = self.check_again(alias, model, &present, &approval).await?;
            match self.release(present, version.clone(), None, who).await {
                Ok(change) => return Ok(change),
                Err(PutError::Source(error)) => return Err(error.into()),
                Err(PutError::Conflict) => others.pause(None).await?,
                Err(PutError::Refused(refusal)) => others.pause(Some(refusal)).await?,
            }
        }
    }

    /// Removes an alias. Its file is kept in the folder of removed aliases, for the next check and its history. Returns
    /// the version that it pointed to.
    ///
    /// # Errors
    /// [`ReleaseError::DamagedAlias`], since servers follow a removal only if its record has the release that they
    /// serve, and others of [`ReleaseError`]; the alias is unchanged then.
    pub async fn remove_alias(
        &self,
        name: &ModelName,
        alias: &ModelName,
        Who { by, message }: &Who,
    ) -> Result<Version, ReleaseError> {
        let path = layout::alias_path(name, alias);
        let Some(content) = self.content(&path).await? else {
            return Err(self.unknown_alias(name, alias).await);
        };
        let file = self.parse(&path, &content)?;
        let version = file.version().clone();
        let removal = Removal { at: now(), by: by.clone(), message: message.clone() };
        let failed = |error| unwritten(error, name, alias);
        let record = layout::removed_path(name, alias);
        let earlier = match self.content(&record).await {
            Err(error) if error.is_replaceable() => Found::Unreadable,
            earlier => earlier?.map_or(Found::Nothing, Found::Content),
        };
        let text = self.text(&path, &file.removed(removal))?;
        self.put(&record, text.clone(), earlier.unchanged()).await.map_err(failed)?;
        let Err(error) = self.delete(&path, &content).await else { return Ok(version) };
        // Without an answer, it is not known whether the alias was removed: then the record stays.
        if let Ok(Some(_)) = self.content(&path).await {
            self.take_back(&record, &text, earlier, content.bytes).await;
        }
        Err(failed(error))
    }

    /// Takes back the record of a removal that failed, if it still has this text: there is the earlier one again, or
    /// none. Where files must not be deleted, the record becomes a file without a removal, which counts as none. The
    /// removal has failed, whether this succeeds or not.
    async fn take_back(&self, path: &str, text: &Bytes, earlier: Found, alias: Bytes) {
        let Ok(Some(record)) = self.content(path).await else { return };
        if record.bytes != *text {
            return;
        }
        let replacement = match earlier {
            Found::Content(earlier) => earlier.bytes,
            Found::Nothing | Found::Unreadable if self.delete(path, &record).await.is_ok() => return,
            Found::Nothing | Found::Unreadable => alias,
        };
        let _ = self.put(path, replacement, Condition::Unchanged(&record)).await;
    }

    /// The versions that an alias pointed to, also those of an alias that was removed.
    ///
    /// # Errors
    /// See [`ReleaseError`].
    pub async fn past(&self, name: &ModelName, alias: &ModelName) -> Result<AliasFile, ReleaseError> {
        match self.present(name, alias, false).await?.into_last() {
            Some(file) => Ok(file),
            None => Err(self.unknown_alias(name, alias).await),
        }
    }

    /// The versions that an alias pointed to.
    ///
    /// # Errors
    /// See [`ReleaseError`].
    pub async fn history(&self, name: &ModelName, alias: &ModelName) -> Result<AliasFile, ReleaseError> {
        match self.present(name, alias, false).await?.file {
            Some(file) => Ok(file),
            None => Err(self.unknown_alias(name, alias).await),
        }
    }

    /// The only other model with the alias `live`. It was the default model of servers for which no other is set, which
    /// it is no longer; `None` for no or several others, and for a catalog that is too large to have such a default
    /// model.
    ///
    /// # Errors
    /// See [`ReleaseError`].
    pub async fn former_default(&self, name: &ModelName) -> Result<Option<ModelName>, ReleaseError> {
        let page = self.folder().list("", None, MAX_CHECKED + 1).await?;
        let names: Vec<ModelName> = layout::folder_names(&page.names).collect();
        if names.len() > MAX_CHECKED || page.next.is_some() {
            return Ok(None);
        }
        let others = names.iter().filter(|other| *other != name);
        let mut released = layout::released(self.folder(), others, 2).await?;
        Ok(released.pop().filter(|_| released.is_empty()))
    }
}
