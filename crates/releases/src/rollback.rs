//! Returning to what an alias pointed to before.

use ordinate::source::catalog::alias_file::AliasFile;
use ordinate_model::identity::{ModelName, Version};

use crate::alias_files::unwritten;
use crate::aliases::{Change, Who};
use crate::catalog::ReleaseCatalog;
use crate::error::ReleaseError;

impl ReleaseCatalog {
    /// Makes an alias point to the version `to`, or to the latest one, to which it pointed before and which was not
    /// rolled back since.
    ///
    /// # Errors
    /// [`ReleaseError::NotBefore`], [`ReleaseError::DamagedBefore`] and others of [`ReleaseError`]; the alias is
    /// unchanged then.
    pub async fn rollback(
        &self,
        name: &ModelName,
        alias: &ModelName,
        to: Option<&Version>,
        who: &Who,
    ) -> Result<Change, ReleaseError> {
        let present = self.present(name, alias, false).await?;
        let Some(file) = &present.file else { return Err(self.unknown_alias(name, alias).await) };
        let back = file.version().clone();
        let to = match to {
            Some(to) if *to == back => return Ok(Change { from: Some(back), to: to.clone() }),
            Some(to) => self.version_before(name, alias, file, to).await?,
            None => self.first_usable(name, alias, &before(file)).await?.ok_or_else(|| {
                ReleaseError::NothingBefore { name: name.to_string(), alias: alias.to_string(), version: back.clone() }
            })?,
        };
        self.release(present, to, Some(back), who).await.map_err(|error| unwritten(error, name, alias))
    }

    /// The version `to`, if a rollback may return to it and it can be loaded.
    async fn version_before(
        &self,
        name: &ModelName,
        alias: &ModelName,
        file: &AliasFile,
        to: &Version,
    ) -> Result<Version, ReleaseError> {
        let mut versions = before(file);
        let Some(at) = versions.iter().position(|version| version == to) else {
            // A version that does not exist, or that cannot be loaded, cannot be promoted, either.
            self.load(name, to).await?;
            let (name, alias) = (name.to_string(), alias.to_string());
            return Err(ReleaseError::NotBefore { name, alias, version: to.clone() });
        };
        // Instead of it, one before it is better than one after it.
        versions.rotate_left(at);
        self.first_usable(name, alias, &versions).await.map(|found| found.unwrap_or_else(|| to.clone()))
    }

    /// The first of these versions, if it can be loaded; `None` without any.
    ///
    /// # Errors
    /// [`ReleaseError::DamagedBefore`] with the first one that can, if the first one cannot.
    async fn first_usable(
        &self,
        name: &ModelName,
        alias: &ModelName,
        versions: &[Version],
    ) -> Result<Option<Version>, ReleaseError> {
        let mut unusable = None;
        let mut usable = None;
        for to in versions {
            match self.load(name, to).await {
                Ok(_) => {
                    usable = Some(to.clone());
                    break;
                }
                Err(error) if error.is_unusable() => unusable = unusable.or(Some((to.clone(), error))),
                Err(error) => return Err(error),
            }
        }
        let Some((version, cause)) = unusable else { return Ok(usable) };
        let (name, alias) = (name.to_string(), alias.to_string());
        Err(ReleaseError::DamagedBefore { name, alias, version, cause: Box::new(cause), instead: usable })
    }
}

/// The versions to which a rollback may return: those before the present one, the latest first, apart from those that
/// were rolled back, or withdrawn by the removal of the alias, and not released again.
fn before(file: &AliasFile) -> Vec<Version> {
    let (mut released, mut taken_back) = (Vec::new(), Vec::new());
    for release in file.releases() {
        let version = &release.version;
        if release.rolled_back.is_none() {
            taken_back.retain(|other| *other != version);
            released.push(version);
        } else {
            // Returning to a version takes back what was released after it.
            while let Some(after) = released.pop_if(|last| *last != version) {
                taken_back.push(after);
            }
            // The history does not go back to its release any more.
            if released.is_empty() {
                released.push(version);
            }
        }
        if release.removed.is_some() {
            taken_back.push(version);
        }
    }
    let mut versions: Vec<Version> = Vec::new();
    for version in released.into_iter().rev() {
        if version != file.version() && !taken_back.contains(&version) && !versions.contains(version) {
            versions.push(version.clone());
        }
    }
    versions
}
