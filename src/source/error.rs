//! Why a model file could not be brought: by meaning, whatever the backend.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use thiserror::Error;

/// What lies beneath a [`SourceError`].
pub(super) type BoxError = Box<dyn Error + Send + Sync>;

/// Why a source could not bring its file. Every variant names the place; none holds a credential.
#[derive(Debug, Error)]
pub enum SourceError {
    /// There is nothing at that place.
    #[error("{location}: {reason}")]
    NotFound {
        /// The place.
        location: String,
        /// What exactly is missing.
        reason: String,
        /// What lies beneath.
        source: BoxError,
    },
    /// We may not read it.
    #[error("{location}: access denied: {reason}")]
    AccessDenied {
        /// The place.
        location: String,
        /// What was refused, and what to do about it.
        reason: String,
        /// What lies beneath.
        source: BoxError,
    },
    /// The bucket lives in another region than the one that was asked.
    #[error("{location}: the bucket is not in the region that was asked{}", in_region(.region.as_deref()))]
    WrongRegion {
        /// The place.
        location: String,
        /// The bucket's region, where the service told it.
        region: Option<String>,
        /// What lies beneath.
        source: BoxError,
    },
    /// The file is larger than a model may be. The rest was not read.
    #[error("{location}: larger than a model file may be ({limit} bytes)")]
    TooLarge {
        /// The place.
        location: String,
        /// The most bytes allowed.
        limit: u64,
    },
    /// It took too long.
    #[error("{location}: no answer in time{}", within(*.limit))]
    Timeout {
        /// The place.
        location: String,
        /// The limit that was exceeded, where it is ours to know.
        limit: Option<Duration>,
        /// What lies beneath, if anything does.
        source: Option<BoxError>,
    },
    /// There was no connection: refused, no such host, no trust.
    #[error("{location}: cannot be reached")]
    Unreachable {
        /// The place.
        location: String,
        /// What lies beneath.
        source: BoxError,
    },
    /// The answer broke off.
    #[error("{location}: the answer broke off")]
    Interrupted {
        /// The place.
        location: String,
        /// What lies beneath.
        source: BoxError,
    },
    /// What arrived is not what was stored: its checksum differs.
    #[error("{location}: damaged on the way")]
    Corrupt {
        /// The place.
        location: String,
        /// What lies beneath.
        source: BoxError,
    },
    /// The service answered with an error of its own.
    #[error("{location}: the service answered {status} ({code})")]
    Service {
        /// The place.
        location: String,
        /// The HTTP status.
        status: u16,
        /// The service's own code for it.
        code: String,
        /// What lies beneath.
        source: BoxError,
    },
    /// The file system failed.
    #[error("{location}: cannot be read")]
    Io {
        /// The place.
        location: String,
        /// What lies beneath.
        source: std::io::Error,
    },
    /// A setting is missing or makes no sense: trying again cannot help.
    #[error("{location}: {reason}")]
    Misconfigured {
        /// The place.
        location: String,
        /// Which setting, and what is allowed.
        reason: String,
    },
}

impl SourceError {
    /// Whether the same request may succeed a moment later, with nobody changing anything.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Timeout { .. } | Self::Unreachable { .. } | Self::Interrupted { .. } | Self::Corrupt { .. } => true,
            Self::Service { status, .. } => *status >= 500 || *status == 429,
            _ => false,
        }
    }
}

fn in_region(region: Option<&str>) -> String {
    region.map(|region| format!(": it is in {region}, set AWS_REGION to that")).unwrap_or_default()
}

fn within(limit: Option<Duration>) -> String {
    limit.map(|limit| format!(" ({limit:?})")).unwrap_or_default()
}

/// An error and all that lies beneath it, in one line for the log.
///
/// ```
/// # use ordinate::source::Causes;
/// let inner = std::io::Error::other("disk on fire");
/// assert_eq!(Causes(&inner).to_string(), "disk on fire");
/// ```
#[derive(Debug)]
pub struct Causes<'a>(pub &'a (dyn Error + 'static));

impl fmt::Display for Causes<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = self.0.to_string();
        out.write_str(&said)?;
        let mut beneath = self.0.source();
        while let Some(error) = beneath {
            let message = error.to_string();
            // Wrappers that only repeat what they wrap say it once.
            if !said.contains(&message) {
                write!(out, ": {message}")?;
            }
            said = message;
            beneath = error.source();
        }
        Ok(())
    }
}
