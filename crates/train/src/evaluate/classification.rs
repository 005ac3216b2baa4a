//! The evaluation of a classifier, row by row.

use super::calibration::Calibration;
use super::class_metrics::{ClassWeights, by_class};
use super::curves::{Bin, Curve, calibration_bins};
use super::kept_rows::{KeptRow, KeptRows};
use super::metrics::{Metrics, defined};
use super::scores::{ScoreTable, with_temperature};
use super::standard_errors;
use super::thresholds::ThresholdCurve;

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

    /// Adds a row: the positions of the actual and of the predicted class, one probability for each class, and the
    /// weight. A row whose position is out of range is ignored, and so is a row of weight zero.
    pub fn push(&mut self, actual: usize, predicted: usize, probabilities: &[f64], weight: f64) {
        self.push_ranked(actual, predicted, probabilities, probabilities.get(1).copied().unwrap_or(0.0), weight);
    }

    /// Adds a row with the probability before calibration, which orders the rows for the curves of two classes.
    fn push_ranked(&mut self, actual: usize, predicted: usize, probabilities: &[f64], rank: f64, weight: f64) {
        if weight == 0.0 {
            return;
        }
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

    /// The evaluation of the same rows with scores divided by a temperature, which may differ from row to row. With a
    /// threshold, the second of two classes is predicted where its probability reaches it; otherwise, predictions are
    /// the same. None if there were too many rows.
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

    /// The ROC curve of one class against the rest; for two classes, of the second. None if all rows or no rows are of
    /// the class, or if there were too many rows.
    #[must_use]
    pub fn roc(&self, class: usize) -> Option<Curve> {
        Curve::new(self.kept.as_ref()?.scores(class))
    }

    /// Precision, recall and F1 of the second of two classes by the threshold on its probability. None if there were
    /// too many rows, or no rows of either class.
    #[must_use]
    pub fn thresholds(&self) -> Option<ThresholdCurve> {
        let kept = self.kept.as_ref().filter(|_| self.classes == 2)?;
        ThresholdCurve::new(kept.confidences())
    }

    /// Predicted probability and observed frequency in at most ten bins of equal size: of the second of two classes, or
    /// of the predicted one of more classes. Empty if there were too many rows.
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

    /// The metrics of rows that the fit did not use, with calibration, standard errors and, for these frequencies of
    /// the classes in the rows of the fit, the baseline. None without rows.
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
pub(super) mod tests;
