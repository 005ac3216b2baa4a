//! Rows as they are in a file.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use csv::StringRecord;

use super::parquet::BatchRow;
use ordinate_model::cell::Cell;

/// One row of a file.
#[derive(Debug, Clone, Default)]
pub struct Row {
    pub(super) values: Values,
    pub(super) number: RowNumber,
    /// For each column of the table, its position in the file, if it is another one.
    pub(super) order: Option<Arc<[usize]>>,
}

/// The values of a row: text in CSV, typed in Parquet.
#[derive(Debug, Clone)]
pub(super) enum Values {
    Csv(StringRecord),
    Parquet(BatchRow),
}

impl Default for Values {
    fn default() -> Self {
        Self::Csv(StringRecord::new())
    }
}

/// A row's line in a CSV file, or its number in a Parquet file; from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowNumber {
    /// The line in which the row begins.
    Line(u64),
    /// The number of the row.
    Row(u64),
}

impl Default for RowNumber {
    fn default() -> Self {
        Self::Line(0)
    }
}

/// `line 3`, `row 2`.
impl fmt::Display for RowNumber {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(out, "line {line}"),
            Self::Row(row) => write!(out, "row {row}"),
        }
    }
}

impl Row {
    /// The number of fields, which in a malformed CSV file may differ from the header.
    #[must_use]
    pub fn width(&self) -> usize {
        match &self.values {
            Values::Csv(fields) => fields.len(),
            Values::Parquet(values) => values.width(),
        }
    }

    /// The row's line or number.
    #[must_use]
    pub fn number(&self) -> RowNumber {
        self.number
    }

    /// The value at a position of the header, for a feature to accept: text is read by the type of the feature.
    #[must_use]
    pub fn cell(&self, position: usize) -> Cell<'_> {
        match self.typed_cell(position) {
            Cell::Text(text) => Cell::Field(text),
            cell => cell,
        }
    }

    /// The position in the file of a column of the table.
    fn in_file(&self, position: usize) -> usize {
        self.order.as_ref().and_then(|order| order.get(position)).copied().unwrap_or(position)
    }

    /// The value at a position of the header, for a type to be inferred: text of Parquet is text, whatever it looks like.
    #[inline]
    pub(super) fn typed_cell(&self, position: usize) -> Cell<'_> {
        let position = self.in_file(position);
        match &self.values {
            Values::Csv(fields) => Cell::Field(fields.get(position).unwrap_or_default()),
            Values::Parquet(values) => values.cell(position),
        }
    }

    /// The value at a position of the header as text; empty for a missing value.
    #[must_use]
    pub fn text(&self, position: usize) -> Cow<'_, str> {
        let position = self.in_file(position);
        match &self.values {
            Values::Csv(fields) => fields.get(position).unwrap_or_default().into(),
            Values::Parquet(values) => values.text(position),
        }
    }

    /// Whether a field contains a line end.
    #[must_use]
    pub fn has_several_lines(&self) -> bool {
        matches!(&self.values, Values::Csv(fields) if fields.as_slice().contains('\n'))
    }

    /// An estimate of the memory that the row needs.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match &self.values {
            Values::Csv(fields) => fields.as_slice().len(),
            Values::Parquet(values) => values.bytes(),
        }
    }
}
