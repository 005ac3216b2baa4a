//! Why a model file could not be fetched, in the same terms for every source.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use thiserror::Error;

/// The underlying cause of a [`SourceError`].
pub(super) type BoxError = Box<dyn Error + Send + Sync>;

/// Why a source could not fetch its file. Every variant names the location; none contains a credential.
#[derive(Debug, Error)]
pub enum SourceError {
    /// Nothing exists at that location.
    #[error("{location}: {reason}")]
    NotFound {
        /// Where the model should be.
        location: String,
        /// The missing part: file, object or bucket.
        reason: String,
        /// The cause, if it adds to the reason.
        source: Option<BoxError>,
    },
    /// Reading is not permitted.
    #[error("{location}: access denied: {reason}")]
    AccessDenied {
        /// Where the model is.
        location: String,
        /// The missing permission, and how to grant it.
        reason: String,
        /// The cause.
        source: BoxError,
    },
    /// The bucket is in another region than the client's.
    #[error("{location}: the bucket is in another region{}", in_region(.region.as_deref()))]
    WrongRegion {
        /// Where the model is.
        location: String,
        /// The bucket's region, if the service reported it.
        region: Option<String>,
        /// The cause.
        source: BoxError,
    },
    /// The file exceeds the size limit. Bytes beyond the limit were not read.
    #[error("{location}: the file exceeds the limit of {limit} bytes")]
    TooLarge {
        /// Where the file is.
        location: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// A time limit was exceeded.
    #[error("{location}: timed out{}", after(*.limit))]
    Timeout {
        /// Where the model is.
        location: String,
        /// The limit that was exceeded, if it is known.
        limit: Option<Duration>,
        /// The cause, if it is known.
        source: Option<BoxError>,
    },
    /// No connection: refused, unknown host, or untrusted certificate.
    #[error("{location}: cannot connect")]
    Unreachable {
        /// Where the model is.
        location: String,
        /// The cause.
        source: BoxError,
    },
    /// The connection was lost during the response.
    #[error("{location}: the response was cut off")]
    Interrupted {
        /// Where the model is.
        location: String,
        /// The cause.
        source: BoxError,
    },
    /// The response does not match its checksum.
    #[error("{location}: the response was corrupted in transit")]
    Corrupt {
        /// Where the model is.
        location: String,
        /// The cause.
        source: BoxError,
    },
    /// The service responded with another error.
    #[error("{location}: the service responded with status {status} ({code})")]
    Service {
        /// Where the model is.
        location: String,
        /// The HTTP status.
        status: u16,
        /// The service's error code.
        code: String,
        /// The cause.
        source: BoxError,
    },
    /// The file system reported another error.
    #[error("{location}: cannot be read")]
    Io {
        /// Where the file is.
        location: String,
        /// The cause.
        source: std::io::Error,
    },
    /// The file system did not accept a change.
    #[error("{location}: cannot be written")]
    Unwritable {
        /// Where the file or folder is.
        location: String,
        /// The cause.
        source: std::io::Error,
    },
    /// A page of a listing that starts after something that does not exist.
    #[error("no page starts after {after:?}")]
    UnknownPage {
        /// The `next` of another listing, or any other text.
        after: String,
    },
    /// A setting is missing or invalid, so a retry cannot succeed.
    #[error("{location}: {reason}")]
    Misconfigured {
        /// Where the model is.
        location: String,
        /// The setting, and how to correct it.
        reason: String,
    },
}

impl SourceError {
    /// Whether a retry may succeed although nothing was changed.
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
    region.map(|region| format!(": set AWS_REGION to {region}")).unwrap_or_default()
}

fn after(limit: Option<Duration>) -> String {
    limit.map(|limit| format!(" after {limit:?}")).unwrap_or_default()
}

/// Displays an error and its causes in one line, for the log.
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
        let mut written = self.0.to_string();
        out.write_str(&written)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            let message = error.to_string();
            // A wrapper that includes the message of its cause has already written it.
            if !written.contains(&message) {
                write!(out, ": {message}")?;
            }
            written = message;
            cause = error.source();
        }
        Ok(())
    }
}
