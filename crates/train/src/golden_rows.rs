//! The rows that a model file contains with their predictions.

use std::collections::VecDeque;

use super::training_table::{EncodedRow, TrainingTable};
use crate::error::TrainError;
use ordinate_model::scalar::Scalar;

/// Rows that a model file contains with their predictions.
const GOLDEN_ROWS: u64 = 5;

/// The features of a row as values of a request.
fn scalars(table: &TrainingTable, row: &EncodedRow<'_>) -> Vec<Scalar> {
    table.signature().features().iter().zip(row.features).map(|(feature, value)| feature.to_scalar(*value)).collect()
}

/// The features of the first row.
pub(super) fn first_row(table: &TrainingTable) -> Result<Vec<Scalar>, TrainError> {
    let mut first = Vec::new();
    table.first(|row| first = scalars(table, &row))?;
    Ok(first)
}

/// The features of a few rows at even distances, from the first row to the last.
pub(super) struct GoldenRows {
    /// The numbers of the remaining rows, ascending.
    remaining: VecDeque<u64>,
    pub(super) rows: Vec<Vec<Scalar>>,
}

impl GoldenRows {
    pub(super) fn new(rows: u64) -> Self {
        let count = GOLDEN_ROWS.min(rows);
        Self { remaining: (0..count).map(|i| i * (rows - 1) / (count - 1).max(1)).collect(), rows: Vec::new() }
    }

    pub(super) fn push(&mut self, table: &TrainingTable, row: &EncodedRow<'_>) {
        if self.remaining.front() == Some(&row.number) {
            self.remaining.pop_front();
            self.rows.push(scalars(table, row));
        }
    }
}
