//! The evaluation of a classifier, row by row.

use super::calibration::Calibration;
use super::class_metrics::{ClassWeights, by_class};
use super::curves::{Bin, Curve, calibration_bins};
use super::kept_rows::{KeptRow, KeptRows};
use super::metrics::{Metrics, defined};
use super::scores::{ScoreTable, with_temperature};
use super::standard_errors;
use super::thresholds::{ThresholdCurve, ThresholdPoint};

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
    kept: Option<KeptRows>,
}

/// The log loss of a row whose class has this probability.
pub(super) fn log_loss(probability: f64) -> f64 {
    -libm::log(probability.clamp(f64::EPSILON, 1.0 - f64::EPSILON))
}

/// The Brier score of a row.
pub(super) fn brier(probabilities: &[f64], actual: usize) -> f64 {
    let distance = |(class, p): (usize, &f64)| if class == actual { (1.0 - p).powi(2) } else { p * p };
    if probabilities.len() == 2 {
        return probabilities.get(actual).map_or(0.0, |own| (1.0 - own).powi(2));
    }
    probabilities.iter().enumerate().map(distance).sum()
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
            kept: Some(KeptRows::new(classes)),
        }
    }

    /// Adds a row: the positions of the actual and of the predicted class, one probability for each class, and the weight. A row
    /// whose position is out of range is ignored.
    pub fn push(&mut self, actual: usize, predicted: usize, probabilities: &[f64], weight: f64) {
        self.push_ranked(actual, predicted, probabilities, probabilities.get(1).copied().unwrap_or(0.0), weight);
    }

    /// Adds a row with the probability before calibration, which orders the rows for the curves of two classes.
    fn push_ranked(&mut self, actual: usize, predicted: usize, probabilities: &[f64], rank: f64, weight: f64) {
        let Some(cell) = self.confusion.get_mut(actual).and_then(|row| row.get_mut(predicted)) else { return };
        let Some(own) = probabilities.get(actual) else { return };
        *cell += weight;
        self.rows += 1;
        self.weight += weight;
        self.log_loss += weight * log_loss(*own);
        self.brier += weight * brier(probabilities, actual);
        self.kept = self.kept.take().filter(|kept| !kept.is_full());
        let positions = u32::try_from(actual).ok().zip(u32::try_from(predicted).ok());
        if let Some((kept, (actual, predicted))) = self.kept.as_mut().zip(positions) {
            kept.push(KeptRow { actual, predicted, weight, rank }, probabilities);
        }
    }

    /// The confusion matrix: the weight of the rows by actual class, then by predicted class.
    #[must_use]
    pub fn confusion(&self) -> &[Vec<f64>] {
        &self.confusion
    }

    /// Whether all rows are kept for curves, calibration and standard errors.
    pub(super) fn keeps_rows(&self) -> bool {
        self.kept.is_some()
    }

    /// The rows, if there were not too many.
    pub(crate) fn kept(&self) -> Option<&KeptRows> {
        self.kept.as_ref()
    }

    /// The temperature of these rows, cross-fitted. None for too few or too many rows, or rows of one class.
    pub(super) fn calibration(&self, seed: u64) -> Option<Calibration> {
        Calibration::new(self.kept.as_ref()?, self.classes, seed)
    }

    /// The evaluation of the same rows with scores divided by a temperature, which may differ from row to row. With a threshold,
    /// the second of two classes is predicted where its probability reaches it; otherwise, predictions are the same. None if there
    /// were too many rows.
    pub(crate) fn rescaled(&self, temperature: impl Fn(usize) -> f64, threshold: Option<f64>) -> Option<Self> {
        let mut rescaled = Self::new(self.classes);
        for (at, (row, probabilities)) in self.kept.as_ref()?.iter().enumerate() {
            let scaled = with_temperature(probabilities, temperature(at));
            let of_threshold = threshold.and_then(|threshold| Some(usize::from(*scaled.get(1)? >= threshold)));
            let predicted = of_threshold.unwrap_or(row.predicted as usize);
            rescaled.push_ranked(row.actual as usize, predicted, &scaled, row.rank, row.weight);
        }
        Some(rescaled)
    }

    /// The ROC curve of one class against the rest; for two classes, of the second. None if all rows or no rows are of the class,
    /// or if there were too many rows.
    #[must_use]
    pub fn roc(&self, class: usize) -> Option<Curve> {
        Curve::new(self.kept.as_ref()?.scores(class))
    }

    /// Precision, recall and F1 of the second of two classes by the threshold on its probability. None if there were too many
    /// rows, or no rows of either class.
    #[must_use]
    pub fn thresholds(&self) -> Option<ThresholdCurve> {
        let kept = self.kept.as_ref().filter(|_| self.classes == 2)?;
        ThresholdCurve::new(kept.confidences())
    }

    /// The smallest threshold curve point with the largest F1.
    #[must_use]
    pub fn best_threshold(&self) -> Option<ThresholdPoint> {
        self.thresholds()?.best()
    }

    /// Predicted probability and observed frequency in at most ten bins of equal size: of the second of two classes, or of the
    /// predicted one of more classes. Empty if there were too many rows.
    #[must_use]
    pub fn calibration_bins(&self) -> Vec<Bin> {
        self.kept.as_ref().map(|kept| calibration_bins(kept.confidences())).unwrap_or_default()
    }

    /// The metrics of rows that the fit used; none without rows.
    #[must_use]
    pub fn finish(&self) -> Option<Metrics> {
        if self.rows == 0 || self.weight <= 0.0 {
            return None;
        }
        let correct: f64 = self.by_class().map(|class| class.correct).sum();
        let recalls = mean(self.by_class().filter_map(|class| class.recall()));
        let second = self.by_class().nth(1).filter(|_| self.classes == 2);
        let of_second = |value: fn(&ClassWeights) -> Option<f64>| second.as_ref().and_then(value);
        Some(Metrics::new(
            self.rows,
            [
                ("accuracy", Some(correct / self.weight)),
                ("balanced_accuracy", recalls),
                ("log_loss", Some(self.log_loss / self.weight)),
                ("brier", Some(self.brier / self.weight)),
                ("roc_auc", self.area()),
                ("precision", of_second(ClassWeights::precision)),
                ("recall", of_second(ClassWeights::recall)),
                ("f1", self.f1()),
            ],
        ))
    }

    /// The metrics of rows that the fit did not use, with calibration, standard errors and, for these frequencies of the classes
    /// in the rows of the fit, the baseline. None without rows.
    #[must_use]
    pub fn measure(&self, baseline: Option<&Baseline<'_>>) -> Option<Metrics> {
        let mut metrics = self.finish()?;
        metrics.values.extend(defined([
            ("calibration_slope", self.calibration_slope()),
            ("expected_calibration_error", self.calibration_error()),
        ]));
        if let Some(kept) = &self.kept {
            metrics.standard_errors = standard_errors::classification(kept, &self.confusion);
        }
        if let Some(baseline) = baseline {
            metrics.baseline = self.baseline(baseline).map(|metrics| metrics.values).unwrap_or_default();
        }
        Some(metrics)
    }

    /// The metrics of the frequencies as probabilities of all of these rows.
    fn baseline(&self, Baseline { frequencies, threshold }: &Baseline<'_>) -> Option<Metrics> {
        let mut constant = Self::new(self.classes);
        let largest = (0..frequencies.len()).rev().max_by(|one, other| {
            let [one, other] = [one, other].map(|class| frequencies.get(*class).copied().unwrap_or(0.0));
            one.total_cmp(&other)
        })?;
        let of_threshold = threshold.and_then(|threshold| Some(usize::from(*frequencies.get(1)? >= threshold)));
        for (class, weights) in self.by_class().enumerate().filter(|(_, weights)| weights.actual > 0.0) {
            constant.push(class, of_threshold.unwrap_or(largest), frequencies, weights.actual);
        }
        constant.finish()
    }

    fn calibration_slope(&self) -> Option<f64> {
        let kept = self.kept.as_ref().filter(|kept| kept.len() > 1)?;
        let first = kept.rows().first()?.actual;
        if kept.rows().iter().all(|row| row.actual == first) {
            return None;
        }
        let (slope, at_limit) = ScoreTable::all(kept, self.classes).best_factor(None, |_| true);
        Some(slope).filter(|_| !at_limit)
    }

    fn calibration_error(&self) -> Option<f64> {
        self.kept.as_ref()?;
        let bins = self.calibration_bins();
        let distance: f64 = bins.iter().map(|bin| bin.rows as f64 * (bin.predicted - bin.share).abs()).sum();
        Some(distance / self.rows as f64)
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
        let mut scores = self.by_class().map(|class| class.f1());
        if self.classes == 2 { scores.nth(1)? } else { mean(scores.flatten()) }
    }

    fn by_class(&self) -> impl Iterator<Item = ClassWeights> {
        by_class(&self.confusion)
    }
}

/// The prediction of a classifier without features: the same probabilities for all rows.
#[derive(Debug, Clone, Copy)]
pub struct Baseline<'b> {
    /// The frequencies of the classes in the rows of the fit.
    pub frequencies: &'b [f64],
    /// The probability from which the second of two classes is predicted, instead of the more frequent class.
    pub threshold: Option<f64>,
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
    /// `roc_auc_score` (`multi_class='ovr'`), `precision_score` and `recall_score` for two classes, `f1_score`
    /// (`average='macro'` for three), each without and with weights.
    #[test]
    fn metrics_agree_with_scikit_learn() {
        let recorded = [
            (
                two_classes(false),
                vec![
                    0.71,
                    0.718_369_062_631_357_7,
                    0.589_459_699_912_455_5,
                    0.197_522,
                    0.774_169_819_251_786_5,
                    0.602_040_816_326_530_6,
                    0.756_410_256_410_256_4,
                    0.670_454_545_454_545_4,
                ],
            ),
            (
                two_classes(true),
                vec![
                    0.714_643_304_130_162_7,
                    0.725_026_983_625_546_3,
                    0.569_101_479_582_579,
                    0.192_521_151_439_299_1,
                    0.786_589_138_103_511_8,
                    0.605_527_638_190_954_8,
                    0.772_435_897_435_897_4,
                    0.678_873_239_436_619_7,
                ],
            ),
            (
                three_classes(false),
                vec![
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
                vec![
                    0.575_719_649_561_952_4,
                    0.562_174_314_504_797_5,
                    1.039_475_873_230_032,
                    0.624_339_513_626_72,
                    0.669_342_708_163_932_3,
                    0.559_427_363_967_481_4,
                ],
            ),
        ];
        let names =
            ["accuracy", "balanced_accuracy", "log_loss", "brier", "roc_auc", "precision", "recall", "f1"];
        for (classification, expected) in recorded {
            let metrics = classification.finish().unwrap();
            let names = names.iter().filter(|name| expected.len() > 6 || !["precision", "recall"].contains(name));
            assert!(metrics.values.keys().eq(names), "{metrics:?}");
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
        let bins = two_classes(false).calibration_bins();
        assert_eq!(bins.len(), 10);
        for ((bin, share), mean) in bins.iter().zip(shares).zip(means) {
            assert!((bin.share - share).abs() < 1e-12 && (bin.predicted - mean).abs() < 1e-12, "{bin:?}");
        }
        assert_eq!(bins.iter().map(|bin| bin.rows).sum::<u64>(), 200);
    }

    /// `DummyClassifier(strategy='prior')` with these frequencies, measured on the rows.
    #[test]
    fn the_baseline_predicts_the_frequencies_for_every_row() {
        let baseline = |threshold| {
            let baseline = Baseline { frequencies: &[0.7, 0.3], threshold };
            two_classes(false).measure(Some(&baseline)).unwrap().baseline
        };
        // 122 rows of the first class, and 78 of the second.
        let majority = baseline(None);
        let expected = [
            ("accuracy", 0.61),
            ("balanced_accuracy", 0.5),
            ("log_loss", -(0.61 * 0.7_f64.ln() + 0.39 * 0.3_f64.ln())),
            ("brier", 0.61 * 0.09 + 0.39 * 0.49),
            ("roc_auc", 0.5),
            ("recall", 0.0),
            ("f1", 0.0),
        ];
        assert!(majority.keys().eq(expected.iter().map(|(name, _)| name)), "{majority:?}");
        for (name, expected) in expected {
            assert!((majority[name] - expected).abs() < 1e-15, "{name}: {majority:?}");
        }
        let second = baseline(Some(0.25));
        assert_eq!((second["recall"], second["precision"], second["accuracy"]), (1.0, 0.39, 0.39));
        assert_eq!(baseline(Some(0.35)), majority);
    }

    #[test]
    fn a_threshold_applies_to_rescaled_probabilities() {
        let rows = two_classes(false);
        let lower = rows.rescaled(|_| 1.0, Some(0.3)).unwrap();
        let predicted = |rows: &Classification| rows.confusion().iter().map(|row| row[1]).sum::<f64>();
        assert!(predicted(&lower) > predicted(&rows));
        // Log-odds of 0.847 become 0.423: a probability of 0.6.
        let cooler = rows.rescaled(|_| 2.0, Some(0.5)).unwrap();
        assert_eq!(cooler.confusion(), rows.confusion());
        let high = [rows.rescaled(|_| 2.0, Some(0.6)), rows.rescaled(|_| 1.0, Some(0.69))];
        let [hot, plain] = high.map(Option::unwrap);
        assert_eq!(hot.confusion(), plain.confusion());
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
