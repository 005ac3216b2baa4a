//! Rows, counted in the bins of the training distribution.

use ordinate_model::artifact::Document;
use ordinate_model::cell::Cell;
use ordinate_model::distribution::{Histogram, TrainingDistribution};
use ordinate_model::frame::{Frame, RowsBuilder};
use ordinate_model::signature::{Accepted, CellError, Feature, FeatureType, MissingPolicy, UNKNOWN_LEVEL};
use ordinate_model::{AnswerError, Model, PredictedRow, Wanted};
use ordinate_train::evaluate::{Evaluation, KnownAnswers, Label};

use crate::errors::ErrorCounts;
use crate::skipped::Skipped;

/// Rows that are predicted together.
const BATCH_ROWS: usize = 1024;

/// The counts of a feature.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FeatureCounts {
    /// Values by bin or level, as in the training distribution.
    pub counts: Vec<f64>,
    /// Missing values, which the model imputes, or rejects.
    pub missing: u64,
    /// Numbers or dates outside the range of the training data.
    pub outside: u64,
    /// Categories that are not in the training data.
    pub unknown: u64,
    /// Values of another type.
    pub invalid: u64,
    /// All values, also missing ones. Rows in which the feature was not captured do not have one.
    pub rows: u64,
}

/// Counts of all rows, and the predictions for them.
#[derive(Debug)]
pub struct Observed<'m> {
    model: &'m Model,
    distribution: &'m TrainingDistribution,
    /// One for each feature.
    pub features: Vec<FeatureCounts>,
    /// The outputs of the model by bin: its value, or the probability of each class, of two classes of the second.
    pub predictions: Vec<Vec<f64>>,
    /// Predicted classes.
    pub classes: Vec<f64>,
    /// The metrics on rows with known answers.
    pub evaluation: Evaluation,
    /// The errors of a regression on these rows.
    pub errors: ErrorCounts,
    /// Rows with known answers.
    pub labelled: u64,
    /// All rows.
    pub rows: u64,
    /// Rows that the model rejects.
    pub rejected: Skipped,
    /// Answers that cannot be read.
    pub unreadable_answers: Skipped,
    answers: KnownAnswers<'m>,
    /// Rows that are predicted next, with their known answers.
    batch: RowsBuilder<'m>,
    labels: Vec<Option<f64>>,
}

impl<'m> Observed<'m> {
    /// Counts of no rows; `None` if the model file does not have the training distribution.
    #[must_use]
    pub fn new(model: &'m Model) -> Option<Self> {
        let distribution = model.document().distribution.as_ref()?;
        let empty = |histogram: &Histogram| vec![0.0; histogram.counts.len()];
        let of_feature = |histogram| FeatureCounts { counts: empty(histogram), ..FeatureCounts::default() };
        Some(Self {
            model,
            distribution,
            features: distribution.features.iter().map(of_feature).collect(),
            predictions: distribution.predictions.iter().map(empty).collect(),
            classes: vec![0.0; distribution.classes.len()],
            evaluation: Evaluation::new(model),
            errors: ErrorCounts::new(&model.document().training),
            labelled: 0,
            rows: 0,
            rejected: Skipped::default(),
            unreadable_answers: Skipped::default(),
            answers: KnownAnswers::new(model),
            batch: RowsBuilder::new(model.signature(), BATCH_ROWS),
            labels: Vec::new(),
        })
    }

    /// The content of the model file.
    #[must_use]
    pub fn document(&self) -> &'m Document {
        self.model.document()
    }

    /// The distribution of the training data.
    #[must_use]
    pub fn distribution(&self) -> &'m TrainingDistribution {
        self.distribution
    }

    /// Adds a row of cells in the order of the signature, which the model predicts. `answer`: its known answer.
    /// `place`: where the row is, in remarks.
    pub fn push(&mut self, cells: &[Cell<'_>], answer: Option<Cell<'_>>, place: &dyn Fn() -> String) {
        self.rows += 1;
        let features = self.model.signature().features();
        let mut rejected = (cells.len() != features.len()).then(|| "the row has another number of values".to_owned());
        for (position, (feature, cell)) in features.iter().zip(cells).enumerate() {
            if let Err(error) = self.count(position, feature, *cell) {
                rejected.get_or_insert_with(|| {
                    let value = if error == CellError::Missing { "the value " } else { "" };
                    format!("column {:?}: {value}{error}", feature.name)
                });
            }
        }
        let answer = answer.map_or(Ok(None), |cell| self.answers.read(cell));
        let target = answer.unwrap_or_else(|detail| {
            let name = &self.model.signature().target().name;
            self.unreadable_answers.add(|| format!("{}, column {name:?}: {detail}", place()));
            None
        });
        if let Some(reason) = rejected {
            self.rejected.add(|| format!("{}, {reason}", place()));
            return;
        }
        // The batch has room for it.
        if self.batch.start_row().is_err() {
            return;
        }
        for cell in cells {
            self.batch.push(*cell);
        }
        self.batch.end_positional_row();
        self.labels.push(target);
        if self.labels.len() == BATCH_ROWS {
            self.predict();
        }
    }

    /// Adds the value of a feature in a row.
    ///
    /// # Errors
    /// [`CellError`] if the model rejects the value, which is counted as well.
    pub fn count(&mut self, position: usize, feature: &Feature, cell: Cell<'_>) -> Result<(), CellError> {
        let resolved = feature.resolve(cell);
        let (Some(counts), Some(histogram)) =
            (self.features.get_mut(position), self.distribution.features.get(position))
        else {
            return resolved.map(|_| ());
        };
        counts.rows += 1;
        let bin = match &resolved {
            &Ok(Accepted::Given(value)) => {
                if feature.range.is_some_and(|[low, high]| value < low || value > high) {
                    counts.outside += 1;
                }
                bin(feature, histogram, value)
            }
            &Ok(Accepted::Imputed(value)) => {
                counts.missing += 1;
                let is_level = matches!(feature.missing, MissingPolicy::Category(_));
                if is_level { bin(feature, histogram, value) } else { None }
            }
            &Ok(Accepted::UnknownCategory(value)) => {
                counts.unknown += 1;
                bin(feature, histogram, value)
            }
            Err(CellError::Missing) => {
                counts.missing += 1;
                None
            }
            Err(CellError::UnknownCategory { .. }) => {
                counts.unknown += 1;
                None
            }
            Err(CellError::Type { .. } | CellError::Lossy { .. }) => {
                counts.invalid += 1;
                None
            }
        };
        if let Some(count) = bin.and_then(|bin| counts.counts.get_mut(bin)) {
            *count += 1.0;
        }
        resolved.map(|_| ())
    }

    /// Adds a prediction that was served: the value, or the position of the class and the probabilities of all classes.
    pub fn count_prediction(&mut self, row: PredictedRow<'_>) {
        let mut add = |output: usize, value: f64| {
            let bin = self.distribution.predictions.get(output).map(|histogram| histogram.bin(value));
            let counts = self.predictions.get_mut(output);
            if let Some(count) = counts.zip(bin).and_then(|(counts, bin)| counts.get_mut(bin)) {
                *count += 1.0;
            }
        };
        let class = match row {
            PredictedRow::Value(value) => {
                add(0, value);
                None
            }
            PredictedRow::Class { class, probabilities: [_, second] } => {
                add(0, *second);
                Some(class)
            }
            PredictedRow::Class { class, probabilities } => {
                probabilities.iter().enumerate().for_each(|(output, value)| add(output, *value));
                Some(class)
            }
        };
        if let Some(count) = class.and_then(|class| self.classes.get_mut(class)) {
            *count += 1.0;
        }
    }

    /// Predicts the rows that are not predicted yet.
    pub fn predict(&mut self) {
        let labels = std::mem::take(&mut self.labels);
        let batch = std::mem::replace(&mut self.batch, RowsBuilder::new(self.model.signature(), BATCH_ROWS));
        let Ok(frame) = batch.finish() else { return };
        if self.count_frame(&frame, &labels).is_ok() {
            return;
        }
        // A prediction that a double cannot represent: the others of the batch are predicted without it.
        for (row, label) in frame.iter().zip(&labels) {
            let frame = Frame::from_accepted(self.model.signature(), row.to_vec());
            if let Err(error) = self.count_frame(&frame, std::slice::from_ref(label)) {
                self.rejected.add(|| error.to_string());
            }
        }
    }

    fn count_frame(&mut self, frame: &Frame<'_>, labels: &[Option<f64>]) -> Result<(), AnswerError> {
        let answer = self.model.answer(frame, &Wanted::default())?;
        for ((row, values), target) in answer.rows().zip(frame.iter()).zip(labels) {
            self.count_prediction(row);
            let Some(target) = target else { continue };
            self.labelled += 1;
            let label = Label { exposure: self.model.design().exposure(values), ..Label::new(*target, true) };
            self.evaluation.push(&label, row);
            if let PredictedRow::Value(value) = row {
                self.errors.push((target - value).abs());
            }
        }
        Ok(())
    }
}

/// The position of the bin or level of a frame's value; `None` for an unknown category that has no level.
fn bin(feature: &Feature, histogram: &Histogram, value: f64) -> Option<usize> {
    match feature.kind {
        FeatureType::Double | FeatureType::Long | FeatureType::Date => Some(histogram.bin(value)),
        #[allow(clippy::float_cmp)]
        _ if value == UNKNOWN_LEVEL => None,
        // A small whole number.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        _ => Some(value as usize),
    }
}
