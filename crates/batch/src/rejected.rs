//! The side file of rows that cannot be predicted: one JSON object a line.

use std::io::{self, BufRead, BufReader, Write};

use ordinate_table::{Row, RowNumber};
use serde::Serialize;

use crate::error::BatchError;
use crate::skipped::RowError;
use crate::store::Store;

/// The end of the name of the side file.
pub const SUFFIX: &str = ".rejected.jsonl";

/// A rejected row.
#[derive(Debug, Serialize)]
struct Rejected<'r> {
    /// The line in which the row begins, or its number in a Parquet file; from 1.
    row: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<&'r str>,
    reason: &'r str,
    /// The row as it is in the input: a list of fields, or the line of JSON Lines.
    input: Input<'r>,
}

/// A row of the input.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Input<'r> {
    Fields(Vec<String>),
    Line(&'r str),
}

impl From<&Row> for Input<'_> {
    fn from(row: &Row) -> Self {
        Self::Fields((0..row.width()).map(|field| row.text(field).into_owned()).collect())
    }
}

/// Writes a rejected row.
pub(crate) fn write(out: &mut dyn Write, error: &RowError, input: Input<'_>) -> io::Result<()> {
    let row = match error.row {
        RowNumber::Line(number) | RowNumber::Row(number) => number,
    };
    let column = error.column.as_ref().map(|column| &*column.name);
    let mut line = serde_json::to_vec(&Rejected { row, column, reason: &error.detail, input })?;
    line.push(b'\n');
    out.write_all(&line)
}

/// The number of rows in the side file of an output that is complete.
///
/// # Errors
/// [`BatchError`] if it cannot be read.
pub fn count(store: &dyn Store, name: &str) -> Result<u64, BatchError> {
    let side = format!("{name}{SUFFIX}");
    // A foreign file of this name is no side file.
    if !store.existing(&side)?.is_of_batch() {
        return Ok(0);
    }
    let Some(content) = store.open(&side)? else { return Ok(0) };
    let mut rows = 0;
    let mut content = BufReader::new(content);
    while content.skip_until(b'\n').map_err(|source| BatchError::Reading { place: store.place(&side), source })? > 0 {
        rows += 1;
    }
    Ok(rows)
}
