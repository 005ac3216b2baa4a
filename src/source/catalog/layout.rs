//! The layout of a catalog: `{name}/{version}.json` is a model and never overwritten, `{name}/aliases/{alias}.json` is the
//! version that an alias points to, with its history.

use ordinate_model::identity::{ModelName, Version};
use serde::{Deserialize, Serialize};

use super::error::{CatalogError, LoadError};
use crate::source::ModelSource;

/// The alias of requests that name no version and no alias.
pub const LIVE: &str = "live";

/// The most releases that the file of an alias keeps.
pub const MAX_RELEASES: usize = 1_000;

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

/// The content of an alias's file: one object, so that alias and history cannot disagree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AliasFile {
    /// The version that the alias points to.
    pub version: Version,
    /// All versions that it pointed to; the last is the present one.
    pub history: Vec<Release>,
}

/// Reads the file of an alias.
///
/// # Errors
/// [`LoadError::Alias`] if it is not one.
pub fn parse_alias(source: &dyn ModelSource, bytes: &[u8]) -> Result<AliasFile, CatalogError> {
    serde_json::from_slice(bytes)
        .map_err(|error| LoadError::Alias { location: source.describe(), source: error }.into())
}

/// A change of an alias.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// The version that the alias points to since then.
    pub version: Version,
    /// The time: RFC 3339, UTC.
    pub at: String,
    /// The name of the person or program that changed it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub by: String,
    /// The reason.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// The version that this release took back, if it returned to an earlier one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolled_back: Option<Version>,
}
