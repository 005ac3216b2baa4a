//! Rows that cannot be used, and their treatment.

use std::fmt;

use super::scoring::ScoringError;
use ordinate_model::frame::{Fault, FaultKind, Faults};
use ordinate_table::{NamedColumn, Purpose, RowNumber};

/// Skipped rows that are listed; further ones are counted.
const LISTED: usize = 5;

/// The treatment of rows that the model cannot answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnError {
    /// Stop with an error that names the row and the reason.
    #[default]
    Stop,
    /// Leave the row out.
    Skip,
    /// Keep the row without a prediction.
    Empty,
}

/// Why a row cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowError {
    /// The row.
    pub row: RowNumber,
    /// The column, if the error is in a single column.
    pub column: Option<NamedColumn>,
    /// The reason.
    pub detail: String,
}

/// `line 3, column "bmi": expected a number, got "high"`.
impl fmt::Display for RowError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.row)?;
        if let Some(column) = &self.column {
            write!(out, ", {column}")?;
        }
        write!(out, ": {}", self.detail)
    }
}

impl RowError {
    /// The first fault of a row.
    #[must_use]
    pub fn new(row: RowNumber, faults: Faults) -> Self {
        let Some(Fault { kind, place, detail }) = faults.listed.into_iter().next() else {
            return Self { row, column: None, detail: "the row cannot be used".into() };
        };
        let detail = if kind == FaultKind::MissingValue { format!("the value {detail}") } else { detail };
        let column = place.feature.map(|name| NamedColumn { name: name.into(), purpose: Purpose::Feature });
        Self { row, column, detail }
    }
}

/// Rows that cannot be used: the first few, and the number of all.
#[derive(Debug)]
pub struct SkippedRows {
    on_error: OnError,
    /// Each with its file.
    first: Vec<(String, RowError)>,
    total: u64,
}

impl SkippedRows {
    /// No row yet.
    #[must_use]
    pub fn new(on_error: OnError) -> Self {
        Self { on_error, first: Vec::new(), total: 0 }
    }

    /// Adds a row of a file.
    ///
    /// # Errors
    /// [`ScoringError::Row`] if rows may not be skipped.
    pub fn add(&mut self, file: &str, error: RowError) -> Result<(), ScoringError> {
        if self.on_error == OnError::Stop {
            return Err(ScoringError::Row { file: file.to_owned(), error });
        }
        self.total += 1;
        if self.first.len() < LISTED {
            self.first.push((file.to_owned(), error));
        }
        Ok(())
    }

    /// The number of rows.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// A report, line by line; empty if no row was skipped. The file of a row is named if there are several.
    ///
    /// # Errors
    /// [`ScoringError::AllRows`] if no row was used.
    pub fn report(self, label: &str, rows: u64) -> Result<String, ScoringError> {
        let line = |(file, error): &(String, RowError)| {
            if file == label { error.to_string() } else { format!("{file}: {error}") }
        };
        let Some(first) = self.first.first() else { return Ok(String::new()) };
        if self.total == rows {
            return Err(ScoringError::AllRows { label: label.to_owned(), rows, first: line(first) });
        }
        let what = if self.on_error == OnError::Empty { "without a prediction" } else { "skipped" };
        let mut text = format!("{label}: {} of {rows} rows {what}:\n", self.total);
        for row in &self.first {
            text.extend(["  ", &line(row), "\n"]);
        }
        let listed = u64::try_from(self.first.len()).unwrap_or(0);
        if self.total > listed {
            text.extend(["  and ", &(self.total - listed).to_string(), " more\n"]);
        }
        Ok(text)
    }
}
