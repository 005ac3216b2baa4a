//! The layout of a catalog: `{name}/{version}.json` is a model and never overwritten, `{name}/aliases/{alias}.json` is
//! the version that an alias points to, with its history, and `{name}/removed/{alias}.json` is this file of an alias
//! that was removed.

use indexmap::IndexMap;
use ordinate_model::identity::{ModelName, Version};

use super::MAX_NAMES;
use super::alias_file::parse_alias;
use super::error::CatalogError;
use crate::source::{Causes, ModelFolder, SourceError};

/// The alias of requests that name no version and no alias.
pub const LIVE: &str = "live";

/// The alias of the version that is compared with `live`.
const SHADOW: &str = "shadow";

/// The path of a model below the catalog.
#[must_use]
pub fn model_path(name: &ModelName, version: &Version) -> String {
    format!("{name}/{version}.json")
}

/// The path of an alias below the catalog.
#[must_use]
pub fn alias_path(name: &ModelName, alias: &ModelName) -> String {
    format!("{name}/aliases/{alias}.json")
}

/// The folder of the files of a model's removed aliases, below the catalog.
#[must_use]
pub fn removed_folder(name: &ModelName) -> String {
    format!("{name}/removed/")
}

/// The path of the file that an alias had when it was removed, below the catalog.
#[must_use]
pub fn removed_path(name: &ModelName, alias: &ModelName) -> String {
    format!("{name}/removed/{alias}.json")
}

/// [`LIVE`] as a name.
#[must_use]
pub fn live() -> ModelName {
    ModelName::from_text_lossy(LIVE)
}

/// The alias of the version that is compared with that of [`LIVE`].
#[must_use]
pub fn shadow() -> ModelName {
    ModelName::from_text_lossy(SHADOW)
}

/// The folder of a model below the catalog.
#[must_use]
pub fn model_folder(name: &ModelName) -> String {
    format!("{name}/")
}

/// The folder of a model's aliases below the catalog.
#[must_use]
pub fn alias_folder(name: &ModelName) -> String {
    format!("{name}/aliases/")
}

/// The version whose file has this name.
#[must_use]
pub fn version_of(file: &str) -> Option<Version> {
    Version::try_from(file.strip_suffix(".json")?.to_owned()).ok()
}

/// The name of a model or alias: that of a folder, with a slash at its end, or of a JSON file.
#[must_use]
pub fn name_of(entry: &str) -> Option<ModelName> {
    let name = entry.strip_suffix('/').or_else(|| entry.strip_suffix(".json"))?;
    ModelName::try_from(name.to_owned()).ok()
}

/// The names of models among the entries of a catalog.
pub fn folder_names(entries: &[String]) -> impl Iterator<Item = ModelName> {
    entries.iter().filter(|entry| entry.ends_with('/')).filter_map(|entry| name_of(entry))
}

/// The versions and aliases of a model.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Releases {
    /// The versions in ascending order.
    pub versions: Vec<Version>,
    /// The versions that the aliases point to.
    pub aliases: IndexMap<String, Version>,
    /// The aliases whose files are damaged.
    pub damaged: Vec<String>,
}

/// All names in a folder.
///
/// # Errors
/// See [`SourceError`].
pub async fn all_names(folder: &dyn ModelFolder, path: &str) -> Result<Vec<String>, SourceError> {
    let (mut names, mut after) = (Vec::new(), None);
    loop {
        let page = folder.list(path, after.as_deref(), MAX_NAMES).await?;
        names.extend(page.names);
        after = page.next;
        if after.is_none() {
            return Ok(names);
        }
    }
}

/// The versions of a model in ascending order; none for a model that does not exist.
///
/// # Errors
/// See [`SourceError`].
pub async fn versions(folder: &dyn ModelFolder, name: &ModelName) -> Result<Vec<Version>, SourceError> {
    let names = all_names(folder, &model_folder(name)).await?;
    let mut versions: Vec<_> = names.iter().filter_map(|name| version_of(name)).collect();
    versions.sort_by_key(Version::number);
    Ok(versions)
}

/// The aliases of a model.
///
/// # Errors
/// See [`SourceError`].
pub async fn aliases(folder: &dyn ModelFolder, name: &ModelName) -> Result<Vec<ModelName>, SourceError> {
    let names = all_names(folder, &alias_folder(name)).await?;
    Ok(names.iter().filter(|name| !name.ends_with('/')).filter_map(|name| name_of(name)).collect())
}

/// The first released models among these names, at most `most`: those with the alias [`LIVE`], whatever its file
/// contains.
///
/// # Errors
/// See [`SourceError`].
pub async fn released(
    folder: &dyn ModelFolder,
    names: impl IntoIterator<Item = &ModelName>,
    most: usize,
) -> Result<Vec<ModelName>, SourceError> {
    let mut released = Vec::new();
    for name in names {
        if released.len() == most {
            break;
        }
        match folder.file(&alias_path(name, &live())).fetch().await {
            Ok(_) => released.push(name.clone()),
            Err(SourceError::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(released)
}

/// The versions and aliases of a model in a folder. An alias whose file is damaged does not hide the others; it is
/// logged.
///
/// # Errors
/// See [`CatalogError`].
pub async fn releases(folder: &dyn ModelFolder, name: &ModelName) -> Result<Releases, CatalogError> {
    let versions = versions(folder, name).await?;
    let mut releases = Releases { versions, ..Releases::default() };
    for alias in aliases(folder, name).await? {
        let source = folder.file(&alias_path(name, &alias));
        let bytes = match source.fetch().await {
            // It was removed after it was listed.
            Err(SourceError::NotFound { .. }) => continue,
            fetched => fetched?,
        };
        match parse_alias(source.as_ref(), &bytes) {
            Ok(file) => {
                releases.aliases.insert(alias.into(), file.version().clone());
            }
            Err(error) => {
                tracing::warn!(%name, %alias, cause = %Causes(&error), "left out, because its file is damaged");
                releases.damaged.push(alias.into());
            }
        }
    }
    Ok(releases)
}
