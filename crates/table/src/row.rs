//! Rows as they are in a file.

use std::borrow::Cow;
use std::fmt;

use csv::StringRecord;

use super::parquet::Value;
use ordinate_model::cell::Cell;

/// One row of a file.
#[derive(Debug, Clone, Default)]
pub struct Row {
    pub(super) values: Values,
    pub(super) number: RowNumber,
}

/// The values of a row: text in CSV, typed in Parquet.
#[derive(Debug, Clone)]
pub(super) enum Values {
    Csv(StringRecord),
    Parquet(Vec<Value>),
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
            Values::Parquet(values) => values.len(),
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

    /// The value at a position of the header, for a type to be inferred: text of Parquet is text, whatever it looks like.
    pub(super) fn typed_cell(&self, position: usize) -> Cell<'_> {
        match &self.values {
            Values::Csv(fields) => Cell::Field(fields.get(position).unwrap_or_default()),
            Values::Parquet(values) => values.get(position).map_or(Cell::Missing, Value::cell),
        }
    }

    /// The value at a position of the header as text; empty for a missing value.
    #[must_use]
    pub fn text(&self, position: usize) -> Cow<'_, str> {
        match &self.values {
            Values::Csv(fields) => fields.get(position).unwrap_or_default().into(),
            Values::Parquet(values) => values.get(position).map_or("".into(), Value::text),
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
            Values::Parquet(values) => values.iter().map(Value::bytes).sum(),
        }
    }
}
