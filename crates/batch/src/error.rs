//! Why a file or object could not be scored.

use std::io;

use ordinate::source::{Causes, SourceError};
use ordinate_table::DataError;
use thiserror::Error;

use crate::columns::ColumnsError;
use crate::failure::Failure;
use crate::scoring::ScoringError;

/// Why a file or object could not be scored. Nothing is written in its place.
#[derive(Debug, Error)]
pub enum BatchError {
    /// The rows cannot be read or predicted.
    #[error(transparent)]
    Scoring(#[from] ScoringError),
    /// The model cannot fill a column.
    #[error(transparent)]
    Columns(#[from] ColumnsError),
    /// A request to S3 failed.
    #[error("{}", Causes(.0))]
    Source(#[from] SourceError),
    /// The output cannot be written.
    #[error("{place}: cannot be written: {source}")]
    Write {
        /// The output.
        place: String,
        /// The error of the file system.
        source: io::Error,
    },
    /// An output cannot be read.
    #[error("{place}: cannot be read: {source}")]
    Reading {
        /// The output.
        place: String,
        /// The error of the file system.
        source: io::Error,
    },
    /// The output exists, and no batch wrote it.
    #[error(
        "{place}: this output exists, and no batch wrote it\n\
         help: move it, or choose another OUT; ordinate batch --force replaces it"
    )]
    Foreign {
        /// The output.
        place: String,
    },
    /// The input is a pipe or device, which cannot be read again.
    #[error(
        "{place}: expected a regular file, got a pipe or device\n\
         help: ordinate predict reads pipes; in a folder, give it another name"
    )]
    NotAFile {
        /// The input.
        place: String,
    },
    /// The name of the input cannot be that of an output.
    #[error("{place}: the name is not UTF-8\nhelp: rename it")]
    NotUtf8 {
        /// The input, with replacement characters.
        place: String,
    },
    /// The input does not exist.
    #[error("{place}: no such object")]
    Missing {
        /// The object.
        place: String,
    },
    /// The input changed between two requests.
    #[error(
        "{place}: the object was replaced while it was read; nothing was written\n\
         help: run it again; a delivery of an event is repeated by itself"
    )]
    Replaced {
        /// The object.
        place: String,
    },
    /// An object or model changed after a plan.
    #[error("{place}: the {what} was replaced after the plan\nhelp: start the execution again")]
    Stale {
        /// The object or model.
        place: String,
        /// The kind of thing that was replaced.
        what: &'static str,
    },
    /// A part of an object that was not scored.
    #[error("{place}: bytes {start} to {end} are not scored\nhelp: score the item, or start the execution again")]
    PartMissing {
        /// The object.
        place: String,
        /// The first byte.
        start: u64,
        /// The byte after the last.
        end: u64,
    },
    /// An object of a manifest without an output.
    #[error(
        "{place}: the object was not scored, and the reason was not noted\n\
         help: the map run of the execution has the errors of its items"
    )]
    NotScored {
        /// The object.
        place: String,
    },
    /// A folder or prefix without inputs.
    #[error(
        "{place}: no files with rows\n\
         help: the names of such files end with .csv, .tsv, .parquet, .jsonl or .ndjson, or one of these and .gz or .zst"
    )]
    NoFiles {
        /// The folder or prefix.
        place: String,
    },
    /// The output was changed by another process.
    #[error("{place}: another process wrote this output at the same time\nhelp: run it again")]
    Raced {
        /// The output.
        place: String,
    },
    /// The time of the function ends.
    #[error(
        "{place}: the function's time ends after {rows} rows; nothing was written\n\
         help: start the state machine, which splits large uncompressed CSV and JSON Lines, or raise the memory of the \
         function"
    )]
    OutOfTime {
        /// The input.
        place: String,
        /// The rows that were predicted.
        rows: u64,
    },
    /// The time of the function ends before all objects are joined.
    #[error(
        "{place}: the function's time ends before all objects are joined\nhelp: run the step finish again, which continues"
    )]
    Unfinished {
        /// The manifest.
        place: String,
    },
    /// A Parquet file that does not fit into the temporary storage.
    #[error(
        "{place}: Parquet is read from temporary storage, which has {limit} bytes for it, got {size} bytes\n\
         help: raise EphemeralStorage of the stack, or write smaller files"
    )]
    TooLarge {
        /// The input.
        place: String,
        /// Its size.
        size: u64,
        /// The limit.
        limit: u64,
    },
    /// Anything else, in words.
    #[error("{0}")]
    Other(String),
}

impl BatchError {
    /// Whether another attempt may succeed although nothing was changed.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Source(error) => error.is_transient(),
            Self::Replaced { .. } | Self::Raced { .. } | Self::Unfinished { .. } => true,
            _ => false,
        }
    }

    /// The error of scoring: one of S3 if it is the cause.
    pub(crate) fn from_failure(failure: Failure, place: &str) -> Self {
        match failure {
            Failure::Write(error) => {
                Self::from_io(error).unwrap_or_else(|source| Self::Write { place: place.to_owned(), source })
            }
            Failure::Scoring(ScoringError::Data(DataError::Unreadable { path, source })) => Self::from_io(source)
                .unwrap_or_else(|source| ScoringError::from(DataError::Unreadable { path, source }).into()),
            Failure::Scoring(error) => Self::Scoring(error),
            Failure::Columns(error) => Self::Columns(error),
        }
    }

    /// The error within one of the standard library.
    fn from_io(error: io::Error) -> Result<Self, io::Error> {
        if !error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<Self>) {
            return Err(error);
        }
        match error.into_inner().map(<dyn std::error::Error + Send + Sync>::downcast::<Self>) {
            Some(Ok(inner)) => Ok(*inner),
            Some(Err(other)) => Err(io::Error::other(other)),
            None => Err(io::Error::other("an error without a cause")),
        }
    }
}

impl From<BatchError> for io::Error {
    fn from(error: BatchError) -> Self {
        Self::other(error)
    }
}
