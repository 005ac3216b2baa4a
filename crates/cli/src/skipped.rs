//! Rows that cannot be used: why, and what is done about them.

use std::fmt;

use clap::ValueEnum;

use super::records::Place;
use super::scoring::ScoringError;
use ordinate_model::fault::{Fault, FaultKind, Faults};
use ordinate_table::{NamedColumn, Purpose};

/// Complaints about rows that were passed over that are told word by word; the rest are counted.
const COMPLAINTS_TOLD: usize = 5;

/// What happens to a row that the model cannot answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum OnError {
    /// End with an error that says which row and why
    #[default]
    Stop,
    /// Leave the row out
    Skip,
    /// Keep the row, without a prediction
    Empty,
}

/// Why a row cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Complaint {
    /// Where the row stands.
    pub(super) place: Place,
    /// The column, where it is one column's fault.
    pub(super) column: Option<NamedColumn>,
    /// What was expected.
    pub(super) detail: String,
}

/// `line 3, column "bmi": expected a number, got "high"`.
impl fmt::Display for Complaint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.place)?;
        if let Some(column) = &self.column {
            write!(out, ", {column}")?;
        }
        write!(out, ": {}", self.detail)
    }
}

impl Complaint {
    pub(super) fn of(at: Place, faults: Faults) -> Self {
        let Some(Fault { kind, place, detail }) = faults.listed.into_iter().next() else {
            return Self { place: at, column: None, detail: "cannot be used".into() };
        };
        let detail = if kind == FaultKind::MissingValue { format!("the value {detail}") } else { detail };
        let column = place.feature.map(|name| NamedColumn { name: name.into(), purpose: Purpose::Feature });
        Self { place: at, column, detail }
    }
}

/// Rows that were passed over: the first few, and how many.
#[derive(Debug)]
pub(super) struct PassedOver {
    on_error: OnError,
    told: Vec<(String, Complaint)>,
    total: u64,
}

impl PassedOver {
    /// None yet.
    pub(super) fn new(on_error: OnError) -> Self {
        Self { on_error, told: Vec::new(), total: 0 }
    }

    /// Notes a row of a file that cannot be used.
    ///
    /// # Errors
    /// [`ScoringError::Row`] when none may be passed over.
    pub(super) fn note(&mut self, file: &str, complaint: Complaint) -> Result<(), ScoringError> {
        if self.on_error == OnError::Stop {
            return Err(ScoringError::Row { name: file.to_owned(), complaint });
        }
        self.total += 1;
        if self.told.len() < COMPLAINTS_TOLD {
            self.told.push((file.to_owned(), complaint));
        }
        Ok(())
    }

    /// Rows that were passed over.
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// What to tell about them, line by line; nothing when there were none. The file of a row is named where it is not
    /// the whole table.
    ///
    /// # Errors
    /// [`ScoringError::AllRows`] when they were all there are.
    pub(super) fn report(self, table: &str, rows: u64) -> Result<String, ScoringError> {
        let worded = |(file, complaint): &(String, Complaint)| {
            if file == table { complaint.to_string() } else { format!("{file}: {complaint}") }
        };
        let Some(first) = self.told.first() else { return Ok(String::new()) };
        if self.total == rows {
            return Err(ScoringError::AllRows { name: table.to_owned(), rows, complaint: worded(first) });
        }
        let what = if self.on_error == OnError::Empty { "without a prediction" } else { "left out" };
        let mut text = format!("{table}: {} of {rows} rows {what}:\n", self.total);
        for told in &self.told {
            text.extend(["  ", &worded(told), "\n"]);
        }
        let told = u64::try_from(self.told.len()).unwrap_or(0);
        if self.total > told {
            text.extend(["  and ", &(self.total - told).to_string(), " more\n"]);
        }
        Ok(text)
    }
}
