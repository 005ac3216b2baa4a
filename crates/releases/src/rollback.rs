//! Returning to what an alias pointed to before.

use ordinate::source::catalog::layout::AliasFile;
use ordinate_model::identity::{ModelName, Version};

use crate::alias_files::changed;
use crate::aliases::{Change, Who};
use crate::catalog::ReleaseCatalog;
use crate::error::ReleaseError;

impl ReleaseCatalog {
    /// Makes an alias point to the version that it pointed to before the present one.
    ///
    /// # Errors
    /// [`ReleaseError::DamagedBefore`] and others of [`ReleaseError`]; the alias is unchanged then.
    pub async fn rollback(&self, name: &ModelName, alias: &ModelName, who: &Who) -> Result<Change, ReleaseError> {
        let present = self.present(name, alias, false).await?;
        let Some(file) = &present.file else { return Err(self.unknown_alias(name, alias).await) };
        let back = file.version.clone();
        let mut damaged = None;
        for to in before(file) {
            match (self.load(name, &to).await, damaged) {
                (Ok(_), None) => {
                    let change = self.release(present, to, Some(back), who).await?;
                    return change.ok_or_else(|| changed(name, alias));
                }
                (Ok(_), Some(damaged)) => return Err(damaged_before(name, alias, damaged, Some(to))),
                (Err(error), earlier) if error.is_damage() => damaged = Some(earlier.unwrap_or((to, error))),
                (Err(error), _) => return Err(error),
            }
        }
        Err(match damaged {
            Some(damaged) => damaged_before(name, alias, damaged, None),
            None => ReleaseError::NothingBefore { name: name.to_string(), alias: alias.to_string(), version: back },
        })
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
