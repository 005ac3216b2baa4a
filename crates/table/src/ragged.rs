//! Rows that are wider or narrower than the header, which training leaves out if they are few.

use super::layout::line_numbers;
use super::row::RowNumber;
use super::source::{RowId, Source};
use super::{DataError, Decision};
use ordinate_model::wording::counted;

/// One row in so many may be left out.
const ONE_IN: u64 = 20;

/// Rows that are kept for messages.
const KEPT: usize = 5;

/// The rows of a pass that were left out.
#[derive(Debug, Default, Clone)]
pub(super) struct RaggedRows {
    rows: u64,
    first: Vec<RowId>,
    /// Fields of the header, and of the first row.
    expected: usize,
    got: usize,
}

impl RaggedRows {
    pub(super) fn push(&mut self, row: RowId, expected: usize, got: usize) {
        if self.rows == 0 {
            (self.expected, self.got) = (expected, got);
        }
        self.rows += 1;
        if self.first.len() < KEPT {
            self.first.push(row);
        }
    }

    /// Checks that they are few of all rows, of which `used` are used.
    pub(super) fn check(&self, used: u64, source: &Source) -> Result<(), DataError> {
        let total = self.rows + used;
        let Some(first) = self.first.first().filter(|_| self.rows * ONE_IN > total) else { return Ok(()) };
        let (location, expected, got) = (source.location(*first), self.expected, self.got);
        Err(match self.rows {
            1 => DataError::Ragged { location, expected, got, several_lines: false },
            rows => DataError::RaggedRows { location, expected, got, rows, total, lines: self.lines() },
        })
    }

    fn lines(&self) -> String {
        let line = |id: &RowId| match id.row {
            RowNumber::Line(number) | RowNumber::Row(number) => number,
        };
        let lines: Vec<u64> = self.first.iter().map(line).collect();
        let more = self.rows - self.first.len() as u64;
        let listed = line_numbers(&lines, false);
        if more > 0 { format!("{listed} and {more} more") } else { listed }
    }

    pub(super) fn decision(&self) -> Option<Decision> {
        let rows = counted(self.rows, "row", "rows");
        let text = format!("{rows} with another number of fields than the header, left out: {}", self.lines());
        (self.rows > 0).then(|| Decision { loses_rows: true, ..Decision::without_options(text) })
    }
}
