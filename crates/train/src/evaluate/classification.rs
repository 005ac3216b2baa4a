//! The evaluation of a classifier, row by row.

use super::curves::{Bin, Curve, Score, calibration_bins};
use super::metrics::{KEPT_NUMBERS, Metrics};

/// The evaluation of a classifier.
#[derive(Debug, Clone)]
pub struct Classification {
    classes: usize,
    rows: u64,
    weight: f64,
    log_loss: f64,
    brier: f64,
    /// The weight of the rows by actual class, then by predicted class.
    confusion: Vec<Vec<f64>>,
    /// The rows for curves; none if there are too many.
    kept: Option<Vec<KeptRow>>,
}

#[derive(Debug, Clone)]
struct KeptRow {
    actual: usize,
    is_correct: bool,
    weight: f64,
    /// The probability of the second of two classes, or of every class.
    probabilities: Box<[f64]>,
}

impl Classification {
    /// An evaluation without rows.
    #[must_use]
    pub fn new(classes: usize) -> Self {
        Self {
            classes,
            rows: 0,
            weight: 0.0,
            log_loss: 0.0,
            brier: 0.0,
            confusion: vec![vec![0.0; classes]; classes],
            kept: Some(Vec::new()),
        }
    }

    /// Adds a row: the positions of the actual and of the predicted class, one probability for each class, and the weight. A row
    /// whose position is out of range is ignored.
    pub fn push(&mut self, actual: usize, predicted: usize, probabilities: &[f64], weight: f64) {
        let Some(cell) = self.confusion.get_mut(actual).and_then(|row| row.get_mut(predicted)) else { return };
        let Some(own) = probabilities.get(actual) else { return };
        *cell += weight;
        self.rows += 1;
        self.weight += weight;
        self.log_loss -= weight * libm::log(own.clamp(f64::EPSILON, 1.0 - f64::EPSILON));
        let distance = |(class, p): (usize, &f64)| if class == actual { (1.0 - p).powi(2) } else { p * p };
        let distance: f64 = probabilities.iter().enumerate().map(distance).sum();
        self.brier += weight * if self.classes == 2 { (1.0 - own).powi(2) } else { distance };
        let width = if self.classes == 2 { 1 } else { self.classes };
        self.kept = self.kept.take().filter(|kept| kept.len() * width < KEPT_NUMBERS);
        if let Some(kept) = &mut self.kept {
            let probabilities = probabilities.iter().skip(usize::from(width == 1)).copied().collect();
            kept.push(KeptRow { actual, is_correct: actual == predicted, weight, probabilities });
        }
    }

    /// The confusion matrix: the weight of the rows by actual class, then by predicted class.
    #[must_use]
    pub fn confusion(&self) -> &[Vec<f64>] {
        &self.confusion
    }

    /// The ROC curve of one class against the rest; for two classes, of the second. None if all rows or no rows are of the class,
    /// or if there were too many rows.
    #[must_use]
    pub fn roc(&self, class: usize) -> Option<Curve> {
        let position = if self.classes == 2 { 0 } else { class };
        let score = |row: &KeptRow| {
            let value = row.probabilities.get(position).copied()?;
            Some(Score { value, positive: row.actual == class, weight: row.weight })
        };
        Curve::new(self.kept.as_ref()?.iter().filter_map(score).collect())
    }

    /// Predicted probability and observed frequency in at most ten bins of equal size: of the second of two classes, or of the
    /// predicted one of more classes. Empty if there were too many rows.
    #[must_use]
    pub fn calibration(&self) -> Vec<Bin> {
        let score = |row: &KeptRow| {
            let value = row.probabilities.iter().copied().fold(0.0, f64::max);
            let positive = if self.classes == 2 { row.actual == 1 } else { row.is_correct };
            Score { value, positive, weight: row.weight }
        };
        calibration_bins(self.kept.iter().flatten().map(score).collect())
    }

    /// The metrics; none without rows.
    #[must_use]
    pub fn finish(&self) -> Option<Metrics> {
        if self.rows == 0 || self.weight <= 0.0 {
            return None;
        }
        let correct: f64 = self.by_class().map(|class| class.correct).sum();
        let (mut recalls, mut present) = (0.0, 0.0);
        for class in self.by_class().filter(|class| class.actual > 0.0) {
            recalls += class.correct / class.actual;
            present += 1.0;
        }
        Some(Metrics::new(
            self.rows,
            [
                ("accuracy", Some(correct / self.weight)),
                ("balanced_accuracy", Some(recalls / present)),
                ("log_loss", Some(self.log_loss / self.weight)),
                ("brier", Some(self.brier / self.weight)),
                ("roc_auc", self.area()),
                ("f1", self.f1()),
            ],
        ))
    }

    fn area(&self) -> Option<f64> {
        if self.classes == 2 {
            return Some(self.roc(1)?.area);
        }
        let areas: Option<Vec<f64>> = (0..self.classes).map(|class| Some(self.roc(class)?.area)).collect();
        mean(areas?.into_iter())
    }

    fn f1(&self) -> Option<f64> {
        // A class without actual and predicted rows has no F1.
        let mut scores = self.by_class().map(|class| {
            let total = class.actual + class.predicted;
            (total > 0.0).then(|| 2.0 * class.correct / total)
        });
        if self.classes == 2 { scores.nth(1)? } else { mean(scores.flatten()) }
    }

    fn by_class(&self) -> impl Iterator<Item = ClassWeights> {
        self.confusion.iter().enumerate().map(|(class, row)| ClassWeights {
            actual: row.iter().sum(),
            predicted: self.confusion.iter().filter_map(|row| row.get(class)).sum(),
            correct: row.get(class).copied().unwrap_or(0.0),
        })
    }
}

/// The weight of the rows of a class, of the rows predicted as the class, and of both.
struct ClassWeights {
    actual: f64,
    predicted: f64,
    correct: f64,
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::float_cmp)] // Counts.

    use super::*;

    fn uv(i: u32) -> (f64, f64) {
        (f64::from(i * 7919 % 1000) / 1000.0, f64::from(i * 104_729 % 997) / 997.0)
    }

    fn weight(i: u32, weighted: bool) -> f64 {
        if weighted { f64::from(1 + i * 31 % 7) } else { 1.0 }
    }

    /// `q = np.clip(np.floor(v*50)/50, 0.02, 0.98); c = (u < q*0.8).astype(int); h = (q >= 0.5).astype(int)`
    fn two_classes(weighted: bool) -> Classification {
        let mut classification = Classification::new(2);
        for i in 0..200 {
            let (u, v) = uv(i);
            let q = ((v * 50.0).floor() / 50.0).clamp(0.02, 0.98);
            let class = usize::from(u < q * 0.8);
            classification.push(class, usize::from(q >= 0.5), &[1.0 - q, q], weight(i, weighted));
        }
        classification
    }

    /// `a = np.c_[0.1+u, 0.1+v, 0.1+((i*13) % 101)/101.0]; P = a/a.sum(1, keepdims=True); h = P.argmax(1)`
    /// `k = np.where(v > 0.6, h, (i*17) % 3)`
    fn three_classes(weighted: bool) -> Classification {
        let mut classification = Classification::new(3);
        for i in 0..200 {
            let (u, v) = uv(i);
            let a = [0.1 + u, 0.1 + v, 0.1 + f64::from(i * 13 % 101) / 101.0];
            let total: f64 = a.iter().sum();
            let p = a.map(|value| value / total);
            let predicted = (0..3).fold(0, |best, class| if p[class] > p[best] { class } else { best });
            let class = if v > 0.6 { predicted } else { (i * 17 % 3) as usize };
            classification.push(class, predicted, &p, weight(i, weighted));
        }
        classification
    }

    /// scikit-learn 1.9.1: `accuracy_score`, `balanced_accuracy_score`, `log_loss`, `brier_score_loss`,
    /// `roc_auc_score` (`multi_class='ovr'`), `f1_score` (`average='macro'` for three), each without and with weights.
    #[test]
    fn metrics_agree_with_scikit_learn() {
        let recorded = [
            (
                two_classes(false),
                [
                    0.71,
                    0.718_369_062_631_357_7,
                    0.589_459_699_912_455_5,
                    0.197_522,
                    0.774_169_819_251_786_5,
                    0.670_454_545_454_545_4,
                ],
            ),
            (
                two_classes(true),
                [
                    0.714_643_304_130_162_7,
                    0.725_026_983_625_546_3,
                    0.569_101_479_582_579,
                    0.192_521_151_439_299_1,
                    0.786_589_138_103_511_8,
                    0.678_873_239_436_619_7,
                ],
            ),
            (
                three_classes(false),
                [
                    0.585,
                    0.576_895_943_562_610_3,
                    1.054_456_372_530_061_7,
                    0.632_726_862_354_831_2,
                    0.659_549_147_157_594_6,
                    0.572_470_216_538_013_2,
                ],
            ),
            (
                three_classes(true),
                [
                    0.575_719_649_561_952_4,
                    0.562_174_314_504_797_5,
                    1.039_475_873_230_032,
                    0.624_339_513_626_72,
                    0.669_342_708_163_932_3,
                    0.559_427_363_967_481_4,
                ],
            ),
        ];
        let names = ["accuracy", "balanced_accuracy", "log_loss", "brier", "roc_auc", "f1"];
        for (classification, expected) in recorded {
            let metrics = classification.finish().unwrap();
            assert!(metrics.values.keys().eq(&names), "{metrics:?}");
            for ((name, got), expected) in metrics.values.iter().zip(expected) {
                assert!((got - expected).abs() <= 1e-12 * expected, "{name}: {got} is not {expected}");
            }
        }
    }

    /// `confusion_matrix(c, h)` and `confusion_matrix(k, h, sample_weight=w)`
    #[test]
    fn the_confusion_matrix_has_a_row_for_each_actual_class() {
        assert_eq!(two_classes(false).confusion(), [[83.0, 39.0], [19.0, 59.0]]);
        assert_eq!(three_classes(true).confusion(), [[104.0, 22.0, 82.0], [60.0, 229.0, 72.0], [78.0, 25.0, 127.0]]);
    }

    /// `calibration_curve(c, q, n_bins=10, strategy='quantile')`
    #[test]
    fn calibration_agrees_with_scikit_learn() {
        let shares = [
            0.095_238_095_238_095_23,
            0.095_238_095_238_095_23,
            0.142_857_142_857_142_85,
            0.238_095_238_095_238_08,
            0.388_888_888_888_888_9,
            0.611_111_111_111_111_2,
            0.523_809_523_809_523_8,
            0.458_333_333_333_333_3,
            0.684_210_526_315_789_5,
            0.8125,
        ];
        let means = [
            0.041_904_761_904_761_91,
            0.138_095_238_095_238_13,
            0.241_904_761_904_761_98,
            0.344_761_904_761_904_7,
            0.44,
            0.528_888_888_888_889,
            0.622_857_142_857_142_9,
            0.735,
            0.844_210_526_315_789_6,
            0.9425,
        ];
        let bins = two_classes(false).calibration();
        assert_eq!(bins.len(), 10);
        for ((bin, share), mean) in bins.iter().zip(shares).zip(means) {
            assert!((bin.share - share).abs() < 1e-12 && (bin.predicted - mean).abs() < 1e-12, "{bin:?}");
        }
        assert_eq!(bins.iter().map(|bin| bin.rows).sum::<u64>(), 200);
    }

    #[test]
    fn undefined_metrics_are_absent() {
        assert_eq!(Classification::new(2).finish(), None);
        let mut first_only = Classification::new(2);
        first_only.push(0, 0, &[0.9, 0.1], 1.0);
        first_only.push(0, 0, &[0.8, 0.2], 1.0);
        let metrics = first_only.finish().unwrap();
        assert_eq!((metrics.get("roc_auc"), metrics.get("f1"), metrics.get("accuracy")), (None, None, Some(1.0)));
        assert!(first_only.roc(1).is_none());
        let mut certain = Classification::new(2);
        certain.push(0, 1, &[0.0, 1.0], 1.0);
        assert_eq!(certain.finish().unwrap().get("log_loss"), Some(-f64::EPSILON.ln()));
    }
}
