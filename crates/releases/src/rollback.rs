//! Returning to what an alias pointed to before.

use ordinate::source::catalog::alias_file::AliasFile;
use ordinate_model::identity::{ModelName, Version};

use crate::alias_files::changed;
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
            Some(to) if before(file).contains(to) => self.load(name, to).await.map(|_| to.clone())?,
            Some(to) => {
                let (name, alias) = (name.to_string(), alias.to_string());
                return Err(ReleaseError::NotBefore { name, alias, version: to.clone() });
            }
            None => self.latest_before(name, alias, file).await?,
        };
        let change = self.release(present, to, Some(back), who).await?;
        change.ok_or_else(|| changed(name, alias))
    }

    /// The latest version before the present one, which can be loaded.
    async fn latest_before(
        &self,
        name: &ModelName,
        alias: &ModelName,
        file: &AliasFile,
    ) -> Result<Version, ReleaseError> {
        let mut damaged = None;
        for to in before(file) {
            match (self.load(name, &to).await, damaged) {
                (Ok(_), None) => return Ok(to),
                (Ok(_), Some(damaged)) => return Err(damaged_before(name, alias, damaged, Some(to))),
                (Err(error), earlier) if error.is_damage() => damaged = Some(earlier.unwrap_or((to, error))),
                (Err(error), _) => return Err(error),
            }
        }
        let nothing = || ReleaseError::NothingBefore {
            name: name.to_string(),
            alias: alias.to_string(),
            version: file.version().clone(),
        };
        Err(damaged.map_or_else(nothing, |damaged| damaged_before(name, alias, damaged, None)))
    }
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

/// The versions to which a rollback may return: those before the present one, the latest first, apart from those that
/// were rolled back and not released again.
fn before(file: &AliasFile) -> Vec<Version> {
    let (mut released, mut rolled_back) = (Vec::new(), Vec::new());
    for release in file.releases() {
        let version = &release.version;
        if release.rolled_back.is_none() {
            rolled_back.retain(|other| *other != version);
            released.push(version);
            continue;
        }
        // Returning to a version takes back what was released after it.
        while let Some(after) = released.pop_if(|last| *last != version) {
            rolled_back.push(after);
        }
        // The history does not go back to its release any more.
        if released.is_empty() {
            released.push(version);
        }
    }
    let mut versions: Vec<Version> = Vec::new();
    for version in released.into_iter().rev() {
        if version != file.version() && !rolled_back.contains(&version) && !versions.contains(version) {
            versions.push(version.clone());
        }
    }
    versions
}
