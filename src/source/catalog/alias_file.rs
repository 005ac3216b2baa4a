//! The file of an alias: the version that it points to, with its history.

use ordinate_model::identity::Version;
use serde::{Deserialize, Serialize};

use super::error::{CatalogError, LoadError};
use crate::source::ModelSource;

/// The most releases that the file of an alias keeps.
const MAX_RELEASES: usize = 1_000;

/// The most bytes of the texts of earlier releases together, which take up to six times as many in JSON. Commands write
/// shorter ones, but a file must stay below [`MAX_MODEL_BYTES`](crate::source::MAX_MODEL_BYTES).
const MAX_TEXT: usize = 8 << 20;

/// The content of an alias's file: one object, so that alias and history cannot disagree. A file whose version is not
/// the one of the last release in its history is not an alias file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct AliasFile {
    earlier: Vec<Release>,
    present: Release,
}

/// A change of an alias.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(expecting = "an object")]
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
    /// The removal of the alias while it pointed to this version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed: Option<Removal>,
}

impl Release {
    /// The bytes of its texts.
    fn text(&self) -> usize {
        let removal =
            self.removed.as_ref().map_or(0, |removal| removal.at.len() + removal.by.len() + removal.message.len());
        self.at.len() + self.by.len() + self.message.len() + removal
    }
}

/// The removal of an alias.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(expecting = "an object")]
pub struct Removal {
    /// The time: RFC 3339, UTC.
    pub at: String,
    /// The name of the person or program that removed it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub by: String,
    /// The reason.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
}

impl AliasFile {
    /// The file for the first release of an alias, or for one that follows those of another file. It keeps the last
    /// 1,000, or fewer with long texts.
    #[must_use]
    pub fn after(before: Option<Self>, present: Release) -> Self {
        let mut earlier: Vec<Release> = before.into_iter().flat_map(Self::into_releases).collect();
        let mut text = 0;
        let fits = |release: &&Release| {
            text += release.text();
            text <= MAX_TEXT
        };
        let kept = earlier.iter().rev().take(MAX_RELEASES - 1).take_while(fits).count();
        Self { earlier: earlier.split_off(earlier.len() - kept), present }
    }

    /// The file for the folder of removed aliases.
    #[must_use]
    pub fn removed(mut self, removal: Removal) -> Self {
        self.present.removed = Some(removal);
        self
    }

    /// Whether it is that of an alias that was removed.
    #[must_use]
    pub fn is_removed(&self) -> bool {
        self.present.removed.is_some()
    }

    /// The version that the alias points to.
    #[must_use]
    pub fn version(&self) -> &Version {
        &self.present.version
    }

    /// The versions that it pointed to and when; the last is the present one.
    pub fn releases(&self) -> impl DoubleEndedIterator<Item = &Release> {
        self.earlier.iter().chain([&self.present])
    }

    /// Whether this release is in it.
    #[must_use]
    pub fn contains(&self, release: &Release) -> bool {
        self.releases().any(|known| known.version == release.version && known.at == release.at)
    }

    /// The present release.
    #[must_use]
    pub fn into_present(self) -> Release {
        self.present
    }

    fn into_releases(self) -> impl Iterator<Item = Release> {
        self.earlier.into_iter().chain([self.present])
    }
}

/// The file as it is written.
#[derive(Serialize, Deserialize)]
#[serde(expecting = "an object")]
struct Stored {
    version: Version,
    history: Vec<Release>,
}

impl TryFrom<Stored> for AliasFile {
    type Error = String;

    fn try_from(Stored { version, history: mut earlier }: Stored) -> Result<Self, String> {
        match earlier.pop() {
            Some(present) if present.version == version => Ok(Self { earlier, present }),
            Some(Release { version: last, .. }) => {
                Err(format!("the version is {version}, but the last release in the history is version {last}"))
            }
            None => Err(format!("the history is empty; expected the release of version {version} at its end")),
        }
    }
}

impl From<AliasFile> for Stored {
    fn from(file: AliasFile) -> Self {
        Self { version: file.version().clone(), history: file.into_releases().collect() }
    }
}

/// Reads the file of an alias.
///
/// # Errors
/// [`LoadError::Alias`] if it is not one.
pub fn parse_alias(source: &dyn ModelSource, bytes: &[u8]) -> Result<AliasFile, CatalogError> {
    serde_json::from_slice(bytes)
        .map_err(|error| LoadError::Alias { location: source.describe(), source: error }.into())
}
