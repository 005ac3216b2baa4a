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

/// The version whose file has this name. A folder in the place of the file counts: it is a damaged version.
#[must_use]
pub fn version_of(entry: &str) -> Option<Version> {
    Version::try_from(stem(entry)?.to_owned()).ok()
}

/// The alias whose file has this name. A folder in the place of the file counts: it is a damaged alias.
fn alias_of(entry: &str) -> Option<ModelName> {
    ModelName::try_from(stem(entry)?.to_owned()).ok()
}

/// The name of a JSON file without its extension.
fn stem(entry: &str) -> Option<&str> {
    entry.strip_suffix('/').unwrap_or(entry).strip_suffix(".json")
}

/// The names of models among the entries of a catalog.
pub fn folder_names(entries: &[String]) -> impl Iterator<Item = ModelName> {
    let names = entries.iter().filter_map(|entry| entry.strip_suffix('/'));
    names.filter_map(|name| ModelName::try_from(name.to_owned()).ok())
}

/// The versions and aliases of a model.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Releases {
    /// The versions in ascending order.
    pub versions: Vec<Version>,
    /// The versions that the aliases point to.
    pub aliases: IndexMap<String, Version>,
    /// The aliases whose files are damaged, or cannot be read.
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
    Ok(all_names(folder, &alias_folder(name)).await?.iter().filter_map(|entry| alias_of(entry)).collect())
}

/// The aliases of a model that were removed, also those that were set again.
///
/// # Errors
/// See [`SourceError`].
pub async fn removed_aliases(folder: &dyn ModelFolder, name: &ModelName) -> Result<Vec<ModelName>, SourceError> {
    Ok(all_names(folder, &removed_folder(name)).await?.iter().filter_map(|entry| alias_of(entry)).collect())
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
        let file = match source.fetch().await {
            // It was removed after it was listed.
            Err(SourceError::NotFound { .. }) => continue,
            Err(error) if error.is_transient() => return Err(error.into()),
            fetched => fetched.map_err(CatalogError::from).and_then(|bytes| parse_alias(source.as_ref(), &bytes)),
        };
        match file {
            Ok(file) => {
                releases.aliases.insert(alias.into(), file.version().clone());
            }
            Err(error) => {
                tracing::warn!(%name, %alias, cause = %Causes(&error), "left out, because its file cannot be read");
                releases.damaged.push(alias.into());
            }
        }
    }
    Ok(releases)
}
