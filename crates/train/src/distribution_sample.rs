//! A random sample of the training rows, whose distribution is in the model file.

use ordinate_model::distribution::{Histogram, MAX_FEATURES, TrainingDistribution};
use ordinate_model::frame::Frame;
use ordinate_model::random::mix;
use ordinate_model::signature::{Feature, FeatureType, MissingPolicy, Signature};
use ordinate_model::{Model, PredictedRow, Wanted};

use crate::evaluate::KEPT_NUMBERS;
use crate::training_table::EncodedRow;

/// About the most rows of a sample: their sampling error is far below a drift of interest.
const SAMPLE_ROWS: u64 = 100_000;

/// Rows that a hash of the seed and their number selects: all of them if they are not more than [`SAMPLE_ROWS`].
#[derive(Debug)]
pub(super) struct DistributionSample {
    seed: u64,
    /// The fraction of the rows that are selected.
    fraction: f64,
    width: usize,
    /// The features, row by row, encoded as in a frame.
    features: Vec<f64>,
    /// Whether each feature of each row was missing; empty if no value is.
    missing: Vec<bool>,
    weights: Vec<f64>,
}

impl DistributionSample {
    /// `rows`: the number of all rows.
    pub(super) fn new(model: &Model, rows: u64, seed: u64) -> Self {
        let width = model.signature().frame_width();
        let numbers = width.max(model.classes().map_or(1, <[_]>::len));
        let capacity = SAMPLE_ROWS.min((KEPT_NUMBERS / numbers.max(1)) as u64);
        // Not the hashes that select held-out rows.
        let seed = mix(seed ^ 0x6472_6966);
        let fraction = capacity as f64 / rows.max(1) as f64;
        Self { seed, fraction, width, features: Vec::new(), missing: Vec::new(), weights: Vec::new() }
    }

    /// Adds a row if it is selected. A row without weight is not part of the distribution.
    pub(super) fn push(&mut self, row: &EncodedRow<'_>) {
        // The top 53 bits are a double in [0, 1), exactly.
        let uniform = (mix(self.seed ^ row.number) >> 11) as f64 / (1_u64 << 53) as f64;
        if uniform < self.fraction && row.weight > 0.0 {
            self.features.extend(row.features);
            self.missing.extend(row.missing);
            self.weights.push(row.weight);
        }
    }

    /// The distribution of the rows and of their predictions; `None` without rows, or if a row cannot be predicted.
    pub(super) fn distribution(&self, model: &Model) -> Option<TrainingDistribution> {
        let total: f64 = self.weights.iter().sum();
        let squares: f64 = self.weights.iter().map(|weight| weight * weight).sum();
        let scale = total / squares;
        if !(scale.is_finite() && scale > 0.0) {
            return None;
        }
        let frame = Frame::from_accepted(model.signature(), self.features.clone());
        let answer = model.answer(&frame, &Wanted::default()).ok()?;
        let outputs = model.classes().map_or(1, |classes| if classes.len() > 2 { classes.len() } else { 1 });
        let mut predicted: Vec<Vec<(f64, f64)>> = vec![Vec::with_capacity(self.weights.len()); outputs];
        let mut classes = Vec::new();
        for (row, weight) in answer.rows().zip(&self.weights) {
            let (values, class) = outputs_of(&row);
            predicted.iter_mut().zip(values).for_each(|(output, value)| output.push((*value, *weight)));
            classes.extend(class.map(|class| (class as f64, *weight)));
        }
        let labels = model.classes().map_or(0, <[_]>::len);
        Some(TrainingDistribution {
            features: self.histograms(model.signature(), scale),
            predictions: predicted.into_iter().map(|values| Histogram::from_numbers(values, scale)).collect(),
            classes: Histogram::from_positions(classes, labels, scale).counts,
        })
    }

    fn histograms(&self, signature: &Signature, scale: f64) -> Vec<Histogram> {
        let features = signature.features();
        if features.len() > MAX_FEATURES {
            return Vec::new();
        }
        let histogram = |(place, feature): (usize, &Feature)| {
            let is_level = matches!(feature.missing, MissingPolicy::Category(_));
            let values = self.features.iter().skip(place).step_by(self.width);
            let missing =
                self.missing.iter().skip(place).step_by(features.len()).copied().chain(std::iter::repeat(false));
            let values = values
                .zip(missing)
                .zip(&self.weights)
                .map(|((value, missing), weight)| (if missing && !is_level { f64::NAN } else { *value }, *weight));
            match feature.kind {
                FeatureType::Double | FeatureType::Long | FeatureType::Date => {
                    Histogram::from_numbers(values.collect(), scale)
                }
                FeatureType::Boolean => Histogram::from_positions(values, 2, scale),
                FeatureType::String => Histogram::from_positions(values, feature.levels.len(), scale),
            }
        };
        features.iter().enumerate().map(histogram).collect()
    }
}

/// The numbers of a prediction whose distributions are kept, and the position of the class.
fn outputs_of<'a>(row: &'a PredictedRow<'_>) -> (&'a [f64], Option<usize>) {
    match row {
        PredictedRow::Value(value) => (std::slice::from_ref(value), None),
        PredictedRow::Class { class, probabilities: [_, second] } => (std::slice::from_ref(second), Some(*class)),
        PredictedRow::Class { class, probabilities } => (probabilities, Some(*class)),
    }
}
