//! The aliases of models: listing, changing and removing them.

use bytes::Bytes;
use ordinate::source::Content;
use ordinate::source::catalog::MAX_CHECKED;
use ordinate::source::catalog::alias_file::{AliasFile, Removal};
use ordinate::source::catalog::layout;
use ordinate_model::Model;
use ordinate_model::artifact::Document;
use ordinate_model::identity::{ModelName, Version};

use crate::alias_files::{changed, now};
use crate::catalog::{ATTEMPTS, ReleaseCatalog};
use crate::check::Approval;
use crate::error::ReleaseError;
use crate::folder::PutError;

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
    /// [`CatalogError::UnknownModel`](ordinate::source::catalog::CatalogError::UnknownModel) and others of
    /// [`ReleaseError`].
    pub async fn listed(&self, name: &ModelName) -> Result<Listed, ReleaseError> {
        let versions = self.versions(name).await?;
        if versions.is_empty() {
            return Err(self.unknown_model(name).await);
        }
        let mut aliases = Vec::new();
        for alias in layout::aliases(self.folder(), name).await? {
            let version = self.history(name, &alias).await.map(|file| file.version().clone());
            aliases.push((alias, version));
        }
        Ok(Listed { versions, aliases })
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
        for _ in 0..ATTEMPTS {
            let present = self.present(name, alias, approval == Approval::Forced).await?;
            if present.file.as_ref().is_some_and(|file| file.version() == version) {
                return Ok(Change { from: Some(version.clone()), to: version.clone() });
            }
            approval = self.check_again(alias, model, &present, &approval).await?;
            if let Some(change) = self.release(present, version.clone(), None, who).await? {
                return Ok(change);
            }
        }
        Err(ReleaseError::Contended { location: self.location(&layout::alias_path(name, alias)), attempts: ATTEMPTS })
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
        let failed = |error| match error {
            PutError::Conflict => changed(name, alias),
            PutError::Source(error) => error.into(),
        };
        let record = layout::removed_path(name, alias);
        let earlier = self.content(&record).await?;
        let text = self.text(&path, &file.removed(removal))?;
        self.put(&record, text.clone(), earlier.as_ref()).await.map_err(failed)?;
        let Err(error) = self.folder().delete(&path, &content).await else { return Ok(version) };
        // Without an answer, it is not known whether the alias was removed: then the record stays.
        if let Ok(Some(_)) = self.content(&path).await {
            self.take_back(&record, &text, earlier, content.bytes).await;
        }
        Err(failed(error))
    }

    /// Takes back the record of a removal that failed, if it still has this text: there is the earlier one again, or
    /// none. Where files must not be deleted, the record becomes a file without a removal, which counts as none. The
    /// removal has failed, whether this succeeds or not.
    async fn take_back(&self, path: &str, text: &Bytes, earlier: Option<Content>, alias: Bytes) {
        let Ok(Some(record)) = self.content(path).await else { return };
        if record.bytes != *text {
            return;
        }
        let replacement = match earlier {
            Some(earlier) => earlier.bytes,
            None if self.folder().delete(path, &record).await.is_ok() => return,
            None => alias,
        };
        let _ = self.put(path, replacement, Some(&record)).await;
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
