//! Samples the errors on held-out rows, for conformal prediction and calibration.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::batch::Label;
use super::classification::Classification;
use super::metrics::KEPT_NUMBERS;
use super::scores::with_temperature;
use ordinate_model::Model;
use ordinate_model::PredictedRow;
use ordinate_model::family::Family;
use ordinate_model::inference::Conformal;
use ordinate_model::preprocess::TargetTransform;
use ordinate_model::random::mix;

/// The most rows in the sample.
const SAMPLE_ROWS: usize = 100_000;

/// A mean of Poisson regression that is less than this fraction of the mean without features is nearly 0: the fit
/// stopped on its way there, and an error divided by its standard deviation says nothing about other rows.
const VANISHING: f64 = 1e-8;

/// The errors of a model on held-out rows.
#[derive(Debug, Clone, PartialEq)]
pub enum HeldOutErrors {
    /// The absolute residuals of a regression.
    Values(Vec<f64>),
    /// The probabilities of a classifier.
    Classes(Vec<ClassProbabilities>),
}

/// The predicted probabilities of a row.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassProbabilities {
    /// The position of the actual class.
    pub actual: usize,
    /// The position of the predicted class.
    pub predicted: usize,
    /// The weight.
    pub weight: f64,
    /// One for each class.
    pub probabilities: Box<[f64]>,
}

impl HeldOutErrors {
    /// The scores for conformal prediction, with classifier scores divided by this temperature.
    #[must_use]
    pub fn conformal(&self, temperature: Option<f64>) -> Conformal {
        Conformal::new(match self {
            Self::Values(residuals) => residuals.clone(),
            Self::Classes(rows) => {
                let complement = |row: &ClassProbabilities| {
                    let own = match temperature {
                        Some(temperature) => with_temperature(&row.probabilities, temperature).get(row.actual).copied(),
                        None => row.probabilities.get(row.actual).copied(),
                    };
                    (1.0 - own.unwrap_or(0.0)).max(0.0)
                };
                rows.iter().map(complement).collect()
            }
        })
    }

    /// The evaluation of the sampled rows of a classifier.
    pub(super) fn classification(&self) -> Option<Classification> {
        let Self::Classes(rows) = self else { return None };
        let mut sample = Classification::new(rows.first()?.probabilities.len());
        for ClassProbabilities { actual, predicted, weight, probabilities } in rows {
            sample.push(*actual, *predicted, probabilities, *weight);
        }
        Some(sample)
    }
}

/// A sample of the errors on held-out rows, in bounded memory.
///
/// The rows with the smallest hashes are kept: a uniform sample that depends on the seed only.
#[derive(Debug)]
pub(super) struct ErrorSampler {
    seed: u64,
    transform: TargetTransform,
    family: Option<Family>,
    rows: u64,
    capacity: usize,
    sample: Sample,
}

#[derive(Debug)]
enum Sample {
    Values(BinaryHeap<Hashed<ValueError>>),
    Classes(BinaryHeap<Hashed<ClassProbabilities>>),
}

/// The error of a prediction.
#[derive(Debug)]
struct ValueError {
    score: f64,
    /// The prediction ÷ exposure.
    rate: f64,
}

/// A row, ordered by the hash of its number.
#[derive(Debug)]
struct Hashed<T> {
    hash: u64,
    row: T,
}

impl<T> PartialEq for Hashed<T> {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash
    }
}

impl<T> Eq for Hashed<T> {}

impl<T> PartialOrd for Hashed<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Hashed<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.hash.cmp(&other.hash)
    }
}

impl ErrorSampler {
    pub(super) fn new(model: &Model) -> Self {
        let document = model.document();
        // Different from the hashes that select held-out rows, which are small for all of these rows.
        let seed = mix(!document.training.seed.unwrap_or_default());
        let (capacity, sample) = match model.classes() {
            Some(classes) => (SAMPLE_ROWS.min(KEPT_NUMBERS / classes.len().max(1)), Sample::Classes(BinaryHeap::new())),
            None => (SAMPLE_ROWS, Sample::Values(BinaryHeap::new())),
        };
        let (transform, family) = (document.preprocess.target_transform, document.estimator.glm_family());
        Self { seed, transform, family, rows: 0, capacity, sample }
    }

    /// Adds the next row and its prediction.
    pub(super) fn push(&mut self, label: &Label, answer: PredictedRow<'_>) {
        let hash = mix(self.seed ^ self.rows);
        self.rows += 1;
        match (&mut self.sample, answer) {
            (Sample::Values(kept), PredictedRow::Value(value)) => {
                let score = match self.transform {
                    TargetTransform::Identity => match self.family {
                        Some(family) => family.pearson_residual(label.target, value).abs(),
                        None => (label.target - value).abs(),
                    },
                    TargetTransform::Log => (libm::log(label.target) - libm::log(value)).abs(),
                };
                // A target without a logarithm has the largest error.
                let score = if score.is_finite() { score } else { f64::MAX };
                // An offset may be beyond the range of doubles where the mean is not.
                let rate = if label.exposure.is_finite() { value / label.exposure } else { f64::INFINITY };
                keep(kept, self.capacity, hash, || ValueError { score, rate });
            }
            (Sample::Classes(kept), PredictedRow::Class { class, probabilities }) => {
                keep(kept, self.capacity, hash, || ClassProbabilities {
                    actual: label.class(),
                    predicted: class,
                    weight: label.weight,
                    probabilities: probabilities.into(),
                });
            }
            // Predictions match the task of the model.
            _ => {}
        }
    }

    /// The errors, and the number of rows that are left out because their mean is nearly 0. No errors without rows.
    /// `baseline`: the prediction without features.
    pub(super) fn finish(self, baseline: Option<f64>) -> (Option<HeldOutErrors>, u64) {
        fn in_order<T>(kept: BinaryHeap<Hashed<T>>) -> Vec<T> {
            kept.into_sorted_vec().into_iter().map(|kept| kept.row).collect()
        }
        if self.rows == 0 {
            return (None, 0);
        }
        let smallest = match self.family {
            Some(Family::Poisson) => VANISHING * baseline.unwrap_or(0.0),
            Some(Family::Gamma) | None => 0.0,
        };
        let has_family = self.family.is_some();
        match self.sample {
            Sample::Values(kept) => {
                let mut errors = in_order(kept);
                let all = errors.len();
                errors.retain(|error| !has_family || error.rate > smallest);
                let vanishing = (all - errors.len()) as u64;
                let scores: Vec<f64> = errors.into_iter().map(|error| error.score).collect();
                ((!scores.is_empty()).then_some(HeldOutErrors::Values(scores)), vanishing)
            }
            Sample::Classes(kept) => (Some(HeldOutErrors::Classes(in_order(kept))), 0),
        }
    }
}

fn keep<T>(kept: &mut BinaryHeap<Hashed<T>>, capacity: usize, hash: u64, row: impl FnOnce() -> T) {
    if kept.len() >= capacity {
        if kept.peek().is_some_and(|last| last.hash <= hash) {
            return;
        }
        kept.pop();
    }
    kept.push(Hashed { hash, row: row() });
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use ordinate_model::scalar::Scalar;

    fn model(seed: u64, transform: &str) -> Model {
        let mut document: Value = serde_json::from_str(include_str!("../../../../model/line.json")).unwrap();
        document["training"]["seed"] = json!(seed);
        document["preprocess"]["target_transform"] = json!(transform);
        let document: ordinate_model::artifact::Document = serde_json::from_value(document).unwrap();
        let sealed = document.seal(vec![vec![Scalar::Number(1.0)]]).unwrap();
        Model::from_json(sealed.to_json().unwrap().as_bytes()).unwrap()
    }

    fn errors(model: &Model, rows: impl Iterator<Item = (f64, PredictedRow<'static>)>) -> Conformal {
        let mut errors = ErrorSampler::new(model);
        rows.for_each(|(target, answer)| errors.push(&Label::new(target, true), answer));
        errors.finish(None).0.unwrap().conformal(None)
    }

    #[test]
    fn a_score_is_the_absolute_residual_or_the_complement_of_the_probability() {
        let plain = model(0, "identity");
        assert_eq!(
            errors(&plain, [(1.0, PredictedRow::Value(3.0)), (9.0, PredictedRow::Value(8.0))].into_iter()).scores,
            [1.0, 2.0]
        );
        let classifier = Model::from_json(include_bytes!("../../../../model/breast-cancer.json")).unwrap();
        let class = PredictedRow::Class { class: 0, probabilities: &[0.75, 0.25] };
        assert_eq!(errors(&classifier, [(1.0, class), (0.0, class)].into_iter()).scores, [0.25, 0.75]);
        let logged = model(0, "log");
        let (e, squared) = (std::f64::consts::E, std::f64::consts::E.powi(2));
        assert!((errors(&logged, [(e, PredictedRow::Value(squared))].into_iter()).scores[0] - 1.0).abs() < 1e-15);
    }

    #[test]
    fn a_target_without_a_logarithm_has_the_largest_error() {
        let logged = model(0, "log");
        let rows = [(0.0, PredictedRow::Value(1.0)), (-1.0, PredictedRow::Value(1.0)), (1.0, PredictedRow::Value(1.0))];
        assert_eq!(errors(&logged, rows.into_iter()).scores, [0.0, f64::MAX, f64::MAX]);
    }

    #[test]
    fn many_rows_are_sampled_uniformly_by_the_seed() {
        let rows = || (0..300_000_u32).map(|row| (f64::from(row), PredictedRow::Value(0.0)));
        let kept = errors(&model(0, "identity"), rows());
        assert_eq!(kept.rows, 100_000);
        // The median of a sample of 100,000 has a standard deviation of 300,000 ÷ 2 ÷ √100,000 = 474.
        assert!((kept.scores[499] - 150_000.0).abs() < 2400.0, "{}", kept.scores[499]);
        assert_eq!(kept, errors(&model(0, "identity"), rows()));
        assert_ne!(kept, errors(&model(1, "identity"), rows()));
    }

    #[test]
    fn conformal_scores_are_those_of_calibrated_probabilities() {
        let row = ClassProbabilities { actual: 1, predicted: 1, weight: 1.0, probabilities: [0.2, 0.8].into() };
        let errors = HeldOutErrors::Classes(vec![row]);
        assert_eq!(errors.conformal(None).scores, [1.0 - 0.8]);
        // The square root of odds of 4 is 2.
        assert!((errors.conformal(Some(2.0)).scores[0] - 1.0 / 3.0).abs() < 1e-15);
    }

    #[test]
    fn without_held_out_rows_there_are_no_errors() {
        assert_eq!(ErrorSampler::new(&model(0, "identity")).finish(None), (None, 0));
    }
}
