//! Rows, counted in the bins of the training distribution.

use ordinate_model::artifact::Document;
use ordinate_model::cell::Cell;
use ordinate_model::distribution::{Histogram, TrainingDistribution};
use ordinate_model::frame::RowsBuilder;
use ordinate_model::signature::{Accepted, CellError, Feature, FeatureType, MissingPolicy, UNKNOWN_LEVEL};
use ordinate_model::{Answer, Model, PredictedRow, Wanted};
use ordinate_train::evaluate::{Evaluation, Label};

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
    /// Rows with known answers.
    pub labelled: u64,
    /// All rows.
    pub rows: u64,
    /// Rows that the model rejects.
    pub rejected: u64,
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
            labelled: 0,
            rows: 0,
            rejected: 0,
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

    /// Adds a row of cells in the order of the signature, which the model predicts. `target`: its known answer, the
    /// value or the position of the class.
    pub fn push(&mut self, cells: &[Cell<'_>], target: Option<f64>) {
        self.rows += 1;
        let features = self.model.signature().features();
        let mut is_accepted = cells.len() == features.len();
        for (position, (feature, cell)) in features.iter().zip(cells).enumerate() {
            is_accepted &= self.count(position, feature, *cell);
        }
        if !is_accepted || self.batch.start_row().is_err() {
            self.rejected += 1;
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

    /// Adds the value of a feature in a row, and returns whether the model accepts it.
    pub fn count(&mut self, position: usize, feature: &Feature, cell: Cell<'_>) -> bool {
        let resolved = feature.resolve(cell);
        let is_accepted = resolved.is_ok();
        let (Some(counts), Some(histogram)) =
            (self.features.get_mut(position), self.distribution.features.get(position))
        else {
            return is_accepted;
        };
        counts.rows += 1;
        let bin = match resolved {
            Ok(Accepted::Given(value)) => {
                if feature.range.is_some_and(|[low, high]| value < low || value > high) {
                    counts.outside += 1;
                }
                bin(feature, histogram, value)
            }
            Ok(Accepted::Imputed(value)) => {
                counts.missing += 1;
                let is_level = matches!(feature.missing, MissingPolicy::Category(_));
                if is_level { bin(feature, histogram, value) } else { None }
            }
            Ok(Accepted::UnknownCategory(value)) => {
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
        is_accepted
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
        let exposures: Vec<f64> = frame.iter().map(|row| self.model.design().exposure(row)).collect();
        let Ok(answer) = self.model.answer(&frame, &Wanted::default()) else {
            // A prediction that a double cannot represent.
            self.rejected += labels.len() as u64;
            return;
        };
        self.count_answer(&answer, &labels, &exposures);
    }

    fn count_answer(&mut self, answer: &Answer<'_>, labels: &[Option<f64>], exposures: &[f64]) {
        for ((row, target), exposure) in answer.rows().zip(labels).zip(exposures) {
            self.count_prediction(row);
            let Some(target) = target else { continue };
            self.labelled += 1;
            let label = Label { exposure: *exposure, ..Label::new(*target, true) };
            self.evaluation.push(&label, row);
        }
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
