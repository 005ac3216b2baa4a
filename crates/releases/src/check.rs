//! Whether requests break when an alias is changed.

use ordinate::source::catalog::layout;
use ordinate_model::Model;
use ordinate_model::artifact::Document;
use ordinate_model::identity::{ModelName, Version};

use crate::alias_files::Present;
use crate::catalog::ReleaseCatalog;
use crate::compatibility::breaking_changes;
use crate::error::ReleaseError;

/// Why an alias may be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Approval {
    /// The new model was compared with the version that requests are for; `None` if there is no such version.
    Compared(Option<Version>),
    /// Nothing is compared, and a damaged file of the alias is replaced, whose history is lost.
    Forced,
}

/// The version that a new one replaces for callers.
struct Replaced {
    version: Version,
    /// How requests name it.
    callers: String,
}

impl ReleaseCatalog {
    /// Checks that requests do not break when an alias is changed to a model: those for the version that the alias
    /// points to, or for the live one if it is the alias `shadow`, which is compared with it. The version that an alias
    /// had when it was removed counts, so that nobody breaks requests by removing the alias first. Returns the version
    /// that the model was compared with, which has to be the same when the alias is changed.
    ///
    /// # Errors
    /// [`ReleaseError::Breaking`], [`ReleaseError::Incomparable`] and others of [`ReleaseError`].
    pub async fn check(&self, alias: &ModelName, new: &Model) -> Result<Approval, ReleaseError> {
        let present = self.present(&new.document().name, alias, false).await?;
        self.check_again(alias, new, &present, &Approval::Compared(None)).await
    }

    /// Checks a change of the alias as it is now, unless it was forced or the model was compared with the same version.
    pub(crate) async fn check_again(
        &self,
        alias: &ModelName,
        new: &Model,
        present: &Present,
        approval: &Approval,
    ) -> Result<Approval, ReleaseError> {
        let Approval::Compared(compared) = approval else { return Ok(Approval::Forced) };
        let Some(Replaced { version, callers }) = self.replaced(alias, new.document(), present).await? else {
            return Ok(Approval::Compared(None));
        };
        if compared.as_ref() != Some(&version) {
            match self.load(&new.document().name, &version).await {
                Ok((old, _)) => {
                    let changes = breaking_changes(&old, new);
                    if !changes.is_empty() {
                        return Err(ReleaseError::Breaking { callers, changes });
                    }
                }
                Err(cause) if cause.is_unusable() => {
                    return Err(ReleaseError::Incomparable { callers, cause: Box::new(cause) });
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Approval::Compared(Some(version)))
    }

    /// The version that a new one replaces; `None` if it replaces no version.
    async fn replaced(
        &self,
        alias: &ModelName,
        Document { name, .. }: &Document,
        present: &Present,
    ) -> Result<Option<Replaced>, ReleaseError> {
        let live = layout::live();
        if *alias == layout::shadow() {
            return Ok(replaced_by(name, &live, &self.present(name, &live, false).await?));
        }
        Ok(replaced_by(name, alias, present))
    }
}

fn replaced_by(name: &ModelName, alias: &ModelName, present: &Present) -> Option<Replaced> {
    let version = present.last()?.version().clone();
    let until = if present.file.is_none() { " until it was removed" } else { "" };
    Some(Replaced { callers: format!("{name}@{alias} (version {version}{until})"), version })
}
