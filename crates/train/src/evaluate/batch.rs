//! Labelled rows, predicted exactly as they will be when the model is served.

use ordinate_model::cell::Cell;
use ordinate_model::frame::RowsBuilder;
use ordinate_model::{AnswerError, Model, PredictError, PredictedRow, Wanted};

/// Rows predicted at a time.
const BATCH_ROWS: usize = 1024;

/// What is known of a row beside its features.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Label {
    /// The target in its own unit, before any transformation, or the position of the class among the model's classes.
    pub target: f64,
    /// How much the row counts; 1 without weights.
    pub weight: f64,
    /// Whether the row was kept from the fit.
    pub held_out: bool,
}

impl Label {
    /// A row of weight 1.
    #[must_use]
    pub fn new(target: f64, held_out: bool) -> Self {
        Self { target, weight: 1.0, held_out }
    }

    /// The position of the class.
    pub(crate) fn class(&self) -> usize {
        // Positions of classes are small and whole.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let class = self.target as usize;
        class
    }
}

/// Collects rows and predicts them together.
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

    /// Takes one row: the cells in the order of the signature. Whether the batch is then full: it must be predicted
    /// before the next row.
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

    /// Predicts what is there and begins anew; `each` gets label, features as the model sees them, answer.
    pub(crate) fn predict(
        &mut self,
        mut each: impl FnMut(&Label, &[f64], PredictedRow<'_>),
    ) -> Result<(), AnswerError> {
        if self.labels.is_empty() {
            return Ok(());
        }
        let empty = RowsBuilder::new(self.model.signature(), BATCH_ROWS);
        // Rows of the training data fit the signature that was made from them: there is nothing to refuse.
        let frame = std::mem::replace(&mut self.rows, empty).finish().map_err(|_| PredictError::Estimator)?;
        let labels = std::mem::take(&mut self.labels);
        let answer = self.model.answer(&frame, &Wanted::default())?;
        for ((label, row), predicted) in labels.iter().zip(frame.iter()).zip(answer.rows()) {
            each(label, row, predicted);
        }
        Ok(())
    }
}
