//! How wrong a fit is on each row that it has not seen: what conformal prediction goes by.

use std::collections::BinaryHeap;

use super::{Answer, Label};
use crate::model::Model;
use crate::model::conformal::Conformal;
use crate::model::preprocess::TargetTransform;
use crate::train::split::mix;

/// Rows whose errors are kept: of more, so many drawn at random.
const KEPT_ROWS: usize = 100_000;

/// The scores of rows that were held out, in bounded memory.
///
/// Of too many rows those are kept whose hash is the least: a uniform sample that follows from the seed alone.
#[derive(Debug)]
pub(super) struct HeldOutErrors {
    seed: u64,
    transform: TargetTransform,
    rows: u64,
    /// Hashes, and the bits of the scores, which none are negative.
    kept: BinaryHeap<(u64, u64)>,
}

impl HeldOutErrors {
    pub(super) fn new(model: &Model) -> Self {
        let document = model.document();
        // Not the hashes that a row is held out by: those of held-out rows are the least.
        let seed = mix(!document.training.seed);
        Self { seed, transform: document.preprocess.target_transform, rows: 0, kept: BinaryHeap::new() }
    }

    /// Takes the next row and what the model says to it. A weight plays no part: each row is one.
    pub(super) fn push(&mut self, label: &Label, answer: Answer<'_>) {
        let score = match (answer, self.transform) {
            (Answer::Value(value), TargetTransform::Identity) => (label.target - value).abs(),
            (Answer::Value(value), TargetTransform::Log) => (libm::log(label.target) - libm::log(value)).abs(),
            (Answer::Class { probabilities, .. }, _) => 1.0 - probabilities.get(label.class()).copied().unwrap_or(0.0),
        };
        // A target that has no logarithm could not have been missed by more.
        let score = if score.is_finite() { score.max(0.0) } else { f64::MAX };
        self.kept.push((mix(self.seed ^ self.rows), score.to_bits()));
        self.rows += 1;
        if self.kept.len() > KEPT_ROWS {
            self.kept.pop();
        }
    }

    /// None when there were no rows.
    pub(super) fn finish(self) -> Option<Conformal> {
        let scores: Vec<f64> = self.kept.into_iter().map(|(_, bits)| f64::from_bits(bits)).collect();
        (!scores.is_empty()).then(|| Conformal::new(scores))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::model::scalar::Scalar;

    fn model(seed: u64, transform: &str) -> Model {
        let mut document: Value = serde_json::from_str(include_str!("../../../model/line.json")).unwrap();
        document["training"]["seed"] = json!(seed);
        document["preprocess"]["target_transform"] = json!(transform);
        let document: crate::model::artifact::Document = serde_json::from_value(document).unwrap();
        let sealed = document.seal(vec![vec![Scalar::Number(1.0)]]).unwrap();
        Model::from_json(sealed.to_json().unwrap().as_bytes()).unwrap()
    }

    fn errors(model: &Model, rows: impl Iterator<Item = (f64, Answer<'static>)>) -> Conformal {
        let mut errors = HeldOutErrors::new(model);
        rows.for_each(|(target, answer)| errors.push(&Label::new(target, true), answer));
        errors.finish().unwrap()
    }

    #[test]
    fn a_score_is_the_size_of_the_residual_and_of_a_class_what_its_probability_lacks() {
        let plain = model(0, "identity");
        assert_eq!(
            errors(&plain, [(1.0, Answer::Value(3.0)), (9.0, Answer::Value(8.0))].into_iter()).scores,
            [1.0, 2.0]
        );
        let class = Answer::Class { predicted: 0, probabilities: &[0.75, 0.25] };
        assert_eq!(errors(&plain, [(1.0, class), (0.0, class)].into_iter()).scores, [0.25, 0.75]);
        let logged = model(0, "log");
        let (e, squared) = (std::f64::consts::E, std::f64::consts::E.powi(2));
        assert!((errors(&logged, [(e, Answer::Value(squared))].into_iter()).scores[0] - 1.0).abs() < 1e-15);
    }

    #[test]
    fn a_target_without_a_logarithm_counts_as_missed_by_as_much_as_can_be() {
        let logged = model(0, "log");
        let rows = [(0.0, Answer::Value(1.0)), (-1.0, Answer::Value(1.0)), (1.0, Answer::Value(1.0))];
        assert_eq!(errors(&logged, rows.into_iter()).scores, [0.0, f64::MAX, f64::MAX]);
    }

    #[test]
    fn of_very_many_rows_a_fair_sample_is_kept_which_follows_from_the_seed() {
        let rows = || (0..300_000_u32).map(|row| (f64::from(row), Answer::Value(0.0)));
        let kept = errors(&model(0, "identity"), rows());
        assert_eq!(kept.rows, 100_000);
        // The median of a sample of 100,000 has a standard deviation of 300,000 ÷ 2 ÷ √100,000 = 474.
        assert!((kept.scores[499] - 150_000.0).abs() < 2400.0, "{}", kept.scores[499]);
        assert_eq!(kept, errors(&model(0, "identity"), rows()));
        assert_ne!(kept, errors(&model(1, "identity"), rows()));
    }

    #[test]
    fn without_held_out_rows_there_are_none() {
        assert_eq!(HeldOutErrors::new(&model(0, "identity")).finish(), None);
    }
}
