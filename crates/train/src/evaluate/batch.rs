//! Batches of labelled rows, predicted in the same way as when the model is served.

use crate::solver::logistic::position;
use ordinate_model::cell::Cell;
use ordinate_model::frame::RowsBuilder;
use ordinate_model::{AnswerError, Model, PredictError, PredictedRow, Wanted};

/// Rows in a batch.
const BATCH_ROWS: usize = 1024;

/// The target, weight and role of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Label {
    /// The target in its own unit, before any transformation, or the position of the class among the model's classes.
    pub target: f64,
    /// The weight; 1 for unweighted data.
    pub weight: f64,
    /// The factor of the mean that is not fitted: e to the power of the offset; 1 without an offset.
    pub exposure: f64,
    /// Whether the evaluated fit did not use the row.
    pub held_out: bool,
}

impl Label {
    /// The label of a row of weight 1.
    #[must_use]
    pub fn new(target: f64, held_out: bool) -> Self {
        Self { target, weight: 1.0, exposure: 1.0, held_out }
    }

    /// The position of the class.
    pub(crate) fn class(&self) -> usize {
        position(self.target)
    }
}

/// Rows that are predicted together.
#[derive(Debug)]
pub(crate) struct Batch<'m> {
    model: &'m Model,
    rows: RowsBuilder<'m>,
    labels: Vec<Label>,
}

impl<'m> Batch<'m> {
    pub(crate) fn new(model: &'m Model) -> Self {
        Self { model, rows: RowsBuilder::new(model.signature(), BATCH_ROWS), labels: Vec::new() }
    }

    /// Adds a row of cells in the order of the signature. Returns whether the batch is full, and must be predicted
    /// before the next row.
    ///
    /// # Errors
    /// [`AnswerError`] when the batch was full.
    pub(crate) fn push<'c>(
        &mut self,
        cells: impl IntoIterator<Item = Cell<'c>>,
        label: Label,
    ) -> Result<bool, AnswerError> {
        self.rows.start_row().map_err(|_| PredictError::Estimator)?;
        cells.into_iter().for_each(|cell| self.rows.push(cell));
        self.rows.end_positional_row();
        self.labels.push(label);
        Ok(self.labels.len() == BATCH_ROWS)
    }

    /// Predicts the rows, calls `each` with label, encoded features and prediction of every row, and empties the batch.
    ///
    /// # Errors
    /// [`AnswerError`] when the model cannot predict the rows.
    pub(crate) fn predict(
        &mut self,
        mut each: impl FnMut(&Label, &[f64], PredictedRow<'_>),
    ) -> Result<(), AnswerError> {
        if self.labels.is_empty() {
            return Ok(());
        }
        let empty = RowsBuilder::new(self.model.signature(), BATCH_ROWS);
        // Training data match the signature that was inferred from them.
        let frame = std::mem::replace(&mut self.rows, empty).finish().map_err(|_| PredictError::Estimator)?;
        let labels = std::mem::take(&mut self.labels);
        let answer = self.model.answer(&frame, &Wanted::default())?;
        for ((label, row), predicted) in labels.iter().zip(frame.iter()).zip(answer.rows()) {
            each(&Label { exposure: self.model.design().exposure(row), ..*label }, row, predicted);
        }
        Ok(())
    }
}
