//! The versions and aliases of a model by name, for the errors about those that do not exist.

use ordinate_model::identity::ModelName;
use ordinate_model::wording::shorten;

use super::cache::Value;
use super::error::{CatalogError, Known};
use super::layout;
use crate::source::{ModelFolder, SourceError};

/// The names of the versions and aliases of a model.
#[derive(Debug)]
pub struct Existing {
    versions: Known,
    aliases: Known,
}

impl Existing {
    /// Lists them; `None` for a model that does not exist.
    ///
    /// # Errors
    /// See [`SourceError`].
    pub async fn list(folder: &dyn ModelFolder, name: &ModelName) -> Result<Option<Self>, SourceError> {
        let versions = layout::versions(folder, name).await?;
        if versions.is_empty() {
            return Ok(None);
        }
        let aliases = layout::aliases(folder, name).await?;
        Ok(Some(Self {
            versions: versions.into_iter().map(String::from).collect(),
            aliases: aliases.into_iter().map(String::from).collect(),
        }))
    }

    /// Whether the model has an alias.
    #[must_use]
    pub fn has_alias(&self, alias: &str) -> bool {
        self.aliases.iter().any(|known| known == alias)
    }

    /// The error for a version that the model does not have.
    #[must_use]
    pub fn unknown_version(&self, name: &ModelName, version: &str) -> CatalogError {
        CatalogError::UnknownVersion { name: name.to_string(), version: shorten(version), known: self.versions.clone() }
    }

    /// The error for an alias that the model does not have.
    #[must_use]
    pub fn unknown_alias(&self, name: &ModelName, alias: &str) -> CatalogError {
        CatalogError::UnknownAlias {
            name: name.to_string(),
            alias: shorten(alias),
            known: self.aliases.clone(),
            versions: self.versions.clone(),
        }
    }
}

impl Value for Existing {
    fn bytes(&self) -> u64 {
        let names = self.versions.iter().chain(self.aliases.iter());
        names.map(|name| u64::try_from(name.len() + size_of::<String>()).unwrap_or(u64::MAX)).sum()
    }
}
