//! Why a release failed.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use ordinate::source::catalog::{CatalogError, LoadError};
use ordinate::source::{Causes, SourceError};
use ordinate_model::artifact::ArtifactError;
use ordinate_model::identity::Version;
use thiserror::Error;

use crate::compatibility::Breaking;
use crate::folder::Refusal;

/// Why a release failed.
#[derive(Debug, Error)]
pub enum ReleaseError {
    /// The text is not the location of a catalog.
    #[error("{0}")]
    NotACatalog(String),
    /// The catalog cannot be read or written.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A file of the catalog is damaged, or the model, version or alias does not exist.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// A model cannot be published.
    #[error("{location}: {source}")]
    Artifact {
        /// Where the model is.
        location: String,
        /// Why it cannot.
        source: ArtifactError,
    },
    /// A file is that of another model or version.
    #[error("{location}: the model in it is {found}: its name or version is not that of its path")]
    Misplaced {
        /// Where the file is.
        location: String,
        /// The name and the version in it.
        found: String,
    },
    /// Requests for a version would break.
    #[error("requests for {callers} would break:\n- {}\nhelp: --force changes the alias all the same", listed(changes))]
    Breaking {
        /// The version, and how requests name it.
        callers: String,
        /// The changes.
        changes: Vec<Breaking>,
    },
    /// The version whose requests could break is damaged or missing.
    #[error(
        "requests for {callers}, which cannot be compared with the new version, could break: {}\n\
         help: --force changes the alias without a comparison",
        Causes(cause)
    )]
    Incomparable {
        /// The version, and how requests name it.
        callers: String,
        /// Why it cannot be read. Not the source of this error, whose message would follow the advice.
        cause: Box<ReleaseError>,
    },
    /// The file of an alias is damaged, or something else is in its place.
    #[error("{}", Causes(&**cause))]
    DamagedAlias {
        /// Where it is, and why it cannot be read.
        cause: Arc<LoadError>,
    },
    /// Somebody else changed the alias during a rollback or its removal.
    #[error("{name}@{alias} was changed meanwhile; nothing was done")]
    Changed {
        /// The model.
        name: String,
        /// The alias.
        alias: String,
    },
    /// Others changed the catalog all the time.
    #[error("{location}: others changed it for {waited:?} without a pause; nothing was changed")]
    Contended {
        /// The file.
        location: String,
        /// The time of all attempts.
        waited: Duration,
    },
    /// The service refuses a write although its condition holds.
    #[error(transparent)]
    Refused(Refusal),
    /// A text for the history is too long.
    #[error(
        "{what}: expected at most {most} bytes, got {length}\nhelp: shorten it, and name a document with the details"
    )]
    LongText {
        /// The text.
        what: &'static str,
        /// The most bytes.
        most: usize,
        /// Its bytes.
        length: usize,
    },
    /// A version was published, but the alias was not changed to it.
    #[error("{published}, but {alias} was not changed: {}\nhelp: {help}", without_help(cause))]
    NotPromoted {
        /// The version that was published, and its file.
        published: String,
        /// The alias of the model.
        alias: String,
        /// Why it was not changed. Not the source of this error, whose message would follow the advice.
        cause: Box<ReleaseError>,
        /// The command that changes it.
        help: String,
    },
    /// The version to return to is damaged or missing.
    #[error("{name}@{alias} was version {version} before, which cannot be released again: {}", Causes(cause))]
    DamagedBefore {
        /// The model.
        name: String,
        /// The alias.
        alias: String,
        /// The version.
        version: Version,
        /// Why it cannot be read. Not the source of this error, so that advice can follow its message.
        cause: Box<ReleaseError>,
        /// The latest version before it that can be released again.
        instead: Option<Version>,
    },
    /// A rollback cannot return to this version.
    #[error("{name}@{alias} was not version {version} before, or this version was rolled back or withdrawn")]
    NotBefore {
        /// The model.
        name: String,
        /// The alias.
        alias: String,
        /// The version.
        version: Version,
    },
    /// There is nothing to return to.
    #[error(
        "{name}@{alias} is version {version}, and there is no version before it that was not rolled back or withdrawn"
    )]
    NothingBefore {
        /// The model.
        name: String,
        /// The alias.
        alias: String,
        /// The version that it points to.
        version: Version,
    },
}

impl ReleaseError {
    /// Whether an alias is changed only with force.
    #[must_use]
    pub fn needs_force(&self) -> bool {
        matches!(self, Self::Breaking { .. } | Self::Incomparable { .. } | Self::DamagedAlias { .. })
    }

    /// Whether force replaces the damaged file of an alias: no folder is in its place, and no file in that of its folder.
    #[must_use]
    pub fn is_replaceable(&self) -> bool {
        let Self::DamagedAlias { cause } = self else { return false };
        let is_folder = |kind| matches!(kind, ErrorKind::IsADirectory | ErrorKind::NotADirectory);
        !matches!(&**cause, LoadError::Source(SourceError::Io { source, .. }) if is_folder(source.kind()))
    }

    /// Whether a file of the catalog is damaged or missing, so that trying again does not help.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Artifact { .. } | Self::Misplaced { .. } => true,
            Self::DamagedAlias { cause } => match &**cause {
                LoadError::Source(error) => is_damaged(error),
                _ => true,
            },
            Self::Source(error) => is_damaged(error),
            Self::Catalog(error) => {
                matches!(error, CatalogError::UnknownModel { .. } | CatalogError::UnknownVersion { .. })
            }
            _ => false,
        }
    }

    /// Whether the file of a version is damaged or missing, or cannot be read however often one tries.
    #[must_use]
    pub fn is_unusable(&self) -> bool {
        self.is_damage() || matches!(self, Self::Source(error) if is_unreadable(error))
    }
}

/// Whether there is nothing, or something else than a file of a catalog. That access is denied, or that a disk fails, says
/// nothing about the file.
pub(crate) fn is_damaged(error: &SourceError) -> bool {
    match error {
        SourceError::NotFound { .. } | SourceError::TooLarge { .. } => true,
        // A folder, a device or a link to nothing in the place of a file.
        SourceError::Io { source, .. } => {
            matches!(source.kind(), ErrorKind::IsADirectory | ErrorKind::NotADirectory | ErrorKind::InvalidInput)
        }
        _ => false,
    }
}

/// Whether a file is damaged, or cannot be read on this machine. That a bucket denies access says nothing about the
/// object.
fn is_unreadable(error: &SourceError) -> bool {
    is_damaged(error)
        || match error {
            SourceError::AccessDenied { source, .. } => source.is::<io::Error>(),
            SourceError::Io { .. } => true,
            _ => false,
        }
}

/// The message of an error, without the advice in it.
fn without_help(error: &ReleaseError) -> String {
    let message = Causes(error).to_string();
    message.split_once("\nhelp: ").map_or(message.as_str(), |(message, _)| message).to_owned()
}

fn listed(changes: &[Breaking]) -> String {
    changes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n- ")
}
