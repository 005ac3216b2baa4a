//! Why the rows of files are not predicted or not written.

use std::io;

use thiserror::Error;

use crate::columns::ColumnsError;
use crate::scoring::ScoringError;
use ordinate_table::DataError;

/// An error of the input or of the output.
#[derive(Debug, Error)]
pub enum Failure {
    /// The rows cannot be read or predicted.
    #[error(transparent)]
    Scoring(#[from] ScoringError),
    /// The model cannot fill a column.
    #[error(transparent)]
    Columns(#[from] ColumnsError),
    /// The output cannot be written.
    #[error(transparent)]
    Write(#[from] io::Error),
}

impl From<DataError> for Failure {
    fn from(error: DataError) -> Self {
        Self::Scoring(error.into())
    }
}

impl Failure {
    /// The number of rows that were scored: a header alone is a table without rows.
    ///
    /// # Errors
    /// Any other failure.
    pub fn or_no_rows(outcome: Result<u64, Self>) -> Result<u64, Self> {
        match outcome {
            Err(Self::Scoring(ScoringError::Data(DataError::HeaderOnly { .. }))) => Ok(0),
            outcome => outcome,
        }
    }
}
