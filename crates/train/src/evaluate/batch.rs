//! Labelled rows, predicted exactly as they will be when the model is served.

use ordinate_model::cell::Cell;
use ordinate_model::frame::{Frame, RowsBuilder};
use ordinate_model::{Model, PredictError, Prediction, Probabilities};

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

/// What the model says to one row.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Answer<'a> {
    Value(f64),
    Class { predicted: usize, probabilities: &'a [f64] },
}

/// What the model says to some rows.
#[derive(Debug)]
pub(crate) struct Answers<'m> {
    prediction: Prediction<'m>,
    /// Of a classifier.
    probabilities: Option<Probabilities<'m>>,
}

impl<'m> Answers<'m> {
    /// Predicts rows of values that the model's features have accepted, row-major.
    pub(crate) fn to(model: &'m Model, values: Vec<f64>) -> Result<Self, PredictError> {
        Self::to_frame(model, &Frame::accepted(model.signature(), values))
    }

    fn to_frame(model: &'m Model, frame: &Frame<'_>) -> Result<Self, PredictError> {
        Ok(Self { prediction: model.predict(frame)?, probabilities: model.probabilities(frame)? })
    }

    /// One answer a row.
    pub(crate) fn each(&self) -> Box<dyn Iterator<Item = Answer<'_>> + '_> {
        match (&self.prediction, &self.probabilities) {
            (Prediction::Values(values), _) => Box::new(values.iter().map(|value| Answer::Value(*value))),
            (Prediction::Classes { chosen, .. }, Some(probabilities)) => {
                let rows = chosen.iter().zip(probabilities.rows());
                Box::new(rows.map(|(predicted, probabilities)| Answer::Class { predicted: *predicted, probabilities }))
            }
            // A classifier has probabilities.
            (Prediction::Classes { .. }, None) => Box::new(std::iter::empty()),
        }
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
    ) -> Result<bool, PredictError> {
        self.rows.start_row().map_err(|_| PredictError::Estimator)?;
        cells.into_iter().for_each(|cell| self.rows.push(cell));
        self.rows.end_positional_row();
        self.labels.push(label);
        Ok(self.labels.len() == BATCH_ROWS)
    }

    /// Predicts what is there and begins anew; `each` gets label, features as the model sees them, answer.
    pub(crate) fn predict(&mut self, mut each: impl FnMut(&Label, &[f64], Answer<'_>)) -> Result<(), PredictError> {
        if self.labels.is_empty() {
            return Ok(());
        }
        let empty = RowsBuilder::new(self.model.signature(), BATCH_ROWS);
        // Rows of the training data fit the signature that was made from them: there is nothing to refuse.
        let frame = std::mem::replace(&mut self.rows, empty).finish().map_err(|_| PredictError::Estimator)?;
        let labels = std::mem::take(&mut self.labels);
        let answers = Answers::to_frame(self.model, &frame)?;
        for ((label, row), answer) in labels.iter().zip(frame.iter()).zip(answers.each()) {
            each(label, row, answer);
        }
        Ok(())
    }
}
