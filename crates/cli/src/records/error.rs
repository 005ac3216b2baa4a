//! Why a table cannot be read.

use std::io;

use thiserror::Error;

use ordinate_table::{DataError, MAX_ROW_BYTES};

/// Why there are no records, or no more.
#[derive(Debug, Error)]
pub(crate) enum RecordsError {
    /// What was named is not there, or does not belong together.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The file cannot be opened or read.
    #[error("{name}: cannot be read: {source}. Check the path and its permissions")]
    Unreadable {
        /// The file.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// Not even a header.
    #[error("{name}: there is nothing in it. It needs a header line with one name a column, then one row a line")]
    Empty {
        /// The file.
        name: String,
    },
    /// Bytes that are not text.
    #[error("{name}: line {line}{}: the text is not UTF-8. Convert the file, for example with iconv -f LATIN1 -t UTF-8", column.as_ref().map(|name| format!(", column {name:?}")).unwrap_or_default())]
    NotUtf8 {
        /// The file.
        name: String,
        /// The line.
        line: u64,
        /// The column, when it has a name.
        column: Option<String>,
    },
    /// A Parquet file that cannot be read.
    #[error("{name}: a Parquet file that cannot be read: {reason}. Write it again, or convert it to CSV")]
    BrokenParquet {
        /// The file.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A Parquet file where only bytes in their order can be had.
    #[error("{name}: Parquet is read from its end, which a pipe does not allow. Save it to a file first")]
    PipedParquet {
        /// The pipe.
        name: String,
    },
    /// A record that does not end.
    #[error(
        "{name}: line {line}: a row begins here that has more than {MAX_ROW_BYTES} bytes. Look for a quote that is not closed"
    )]
    Endless {
        /// The file.
        name: String,
        /// The line the record begins in.
        line: u64,
    },
}
