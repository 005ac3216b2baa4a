//! Why the catalog has no model for a caller.

use std::sync::Arc;
use std::time::Duration;

use ordinate_model::artifact::ArtifactError;
use ordinate_model::identity::Checksum;
use ordinate_model::suggestion::did_you_mean;
use ordinate_model::wording::{self, NAMED};
use thiserror::Error;

use crate::source::SourceError;

/// Names that exist, for an error. Errors that are remembered at the same time share one list.
pub type Known = Arc<[String]>;

/// Why the catalog has no model for a caller. All callers that waited for the same file share the error.
#[derive(Debug, Clone, Error)]
pub enum CatalogError {
    /// No model has that name.
    #[error("there is no model {name:?}{}", other_models(name, known))]
    UnknownModel {
        /// The requested name.
        name: String,
        /// The names of the models. The folder of a model without versions has a name, too, but is not a model.
        known: Known,
    },
    /// The model has no such version.
    #[error("the model {name:?} has no version {version:?}; {}", listed("version", "versions", known))]
    UnknownVersion {
        /// The model's name.
        name: String,
        /// The requested version.
        version: String,
        /// The versions of the model.
        known: Known,
    },
    /// The model has no such alias.
    #[error(
        "the model {name:?} has no alias {alias:?}{}; {}",
        did_you_mean(alias, known.iter()),
        listed_aliases(known, versions)
    )]
    UnknownAlias {
        /// The model's name.
        name: String,
        /// The requested alias.
        alias: String,
        /// The aliases of the model.
        known: Known,
        /// Its versions.
        versions: Known,
    },
    /// A request without a model's name, to a catalog without a default model.
    #[error(
        "name a model in the path, such as /models/{{name}}/predict: no default model is set (DEFAULT_MODEL); {}",
        listed("model", "models", known)
    )]
    NoDefault {
        /// The names of the models.
        known: Known,
    },
    /// A request without a model's name, whose default model does not exist or is not released.
    #[error("the default model {name:?} is not released: {cause}")]
    NotReleased {
        /// The default model.
        name: String,
        /// Why it is not.
        cause: Arc<CatalogError>,
    },
    /// A page of names that starts after one that does not exist.
    #[error("expected the \"next\" of a page, got {after:?}; the first page has no \"after\"")]
    UnknownPage {
        /// Where the page should start.
        after: String,
    },
    /// The model cannot be loaded at the moment.
    #[error("the model cannot be loaded")]
    Unavailable(#[source] Arc<LoadError>),
}

/// Why a file of a catalog could not be loaded.
#[derive(Debug, Error)]
pub enum LoadError {
    /// It could not be fetched.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The file is not a valid model.
    #[error("{location}: {source}")]
    Artifact {
        /// Where the file is.
        location: String,
        /// Why it is not valid.
        source: ArtifactError,
    },
    /// The file of an alias is not valid.
    #[error("{location}: not an alias file")]
    Alias {
        /// Where the file is.
        location: String,
        /// Why it is not valid.
        source: serde_json::Error,
    },
    /// The time limit was exceeded.
    #[error("{location}: not loaded within {limit:?}")]
    Timeout {
        /// Where the file is.
        location: String,
        /// The time limit.
        limit: Duration,
    },
    /// Loading ended without a result, which is a defect of this program.
    #[error("{location}: loading ended without a result")]
    Stopped {
        /// Where the file is.
        location: String,
    },
    /// The model has another checksum than required.
    #[error("{location}: expected a model with the checksum {required} (MODEL_SHA256), got {found}")]
    ChecksumMismatch {
        /// Where the file is.
        location: String,
        /// The required checksum.
        required: Checksum,
        /// The checksum of the model.
        found: String,
    },
    /// The model has another name than required.
    #[error("{location}: expected a model named {expected:?} ({by}), got {found:?}")]
    NameMismatch {
        /// Where the file is.
        location: String,
        /// The required name.
        expected: String,
        /// The source of the requirement.
        by: &'static str,
        /// The name in the file.
        found: String,
    },
    /// The model has another version than its place in the catalog.
    #[error("{location}: expected version {expected} of the model, as in the file's name, got version {found}")]
    VersionMismatch {
        /// Where the file is.
        location: String,
        /// The version in the file's name.
        expected: String,
        /// The version in the file.
        found: String,
    },
}

impl LoadError {
    /// Whether a retry may succeed although nothing was changed.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Source(error) => error.is_transient(),
            Self::Timeout { .. } | Self::Stopped { .. } => true,
            Self::Artifact { .. }
            | Self::Alias { .. }
            | Self::ChecksumMismatch { .. }
            | Self::NameMismatch { .. }
            | Self::VersionMismatch { .. } => false,
        }
    }
}

impl From<LoadError> for CatalogError {
    fn from(error: LoadError) -> Self {
        Self::Unavailable(Arc::new(error))
    }
}

impl From<SourceError> for CatalogError {
    fn from(error: SourceError) -> Self {
        match error {
            SourceError::UnknownPage { after } => Self::UnknownPage { after },
            other => LoadError::from(other).into(),
        }
    }
}

fn other_models(name: &str, known: &[String]) -> String {
    let others: Vec<&String> = known.iter().filter(|known| *known != name).collect();
    format!("{}; {}", did_you_mean(name, others.iter().copied()), listed("model", "models", &others))
}

fn listed<T: AsRef<str>>(one: &str, several: &str, known: &[T]) -> String {
    match known {
        [] => format!("there are no {several}"),
        [only] => format!("the only {one} is {:?}", only.as_ref()),
        _ => format!("the {several} are {}", wording::listed(known.iter().map(AsRef::as_ref), NAMED)),
    }
}

fn listed_aliases(known: &[String], versions: &[String]) -> String {
    let what = if known.is_empty() { ("version", "versions", versions) } else { ("alias", "aliases", known) };
    listed(what.0, what.1, what.2)
}
