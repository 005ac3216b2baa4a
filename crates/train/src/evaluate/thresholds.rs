//! Precision and recall of the second of two classes, by the threshold on its probability.

use super::curves::Score;

/// The metrics where the second class is predicted from one threshold on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ThresholdPoint {
    /// The threshold: a probability of one of the rows.
    pub threshold: f64,
    /// The fraction of the predictions of the class that are correct.
    pub precision: f64,
    /// The fraction of the rows of the class that are found.
    pub recall: f64,
    /// The harmonic mean of both.
    pub f1: f64,
}

/// All thresholds, descending: from the highest probability of a row, from which on the fewest rows are predicted as
/// the class, to the lowest.
#[derive(Debug, Clone, PartialEq)]
pub struct ThresholdCurve {
    /// One point for each probability.
    pub points: Vec<ThresholdPoint>,
    /// The average precision: the mean of the precisions, weighted by the increase of recall.
    pub average_precision: f64,
    /// The fraction of the rows that are of the class: the precision of random guessing.
    pub frequency: f64,
}

impl ThresholdCurve {
    /// None without rows of the class, or without other rows.
    pub(super) fn new(mut scores: Vec<Score>) -> Option<Self> {
        scores.sort_by(|one, other| other.value.total_cmp(&one.value));
        let total: f64 = scores.iter().map(|row| row.weight).sum();
        let own: f64 = scores.iter().filter(|row| row.positive).map(|row| row.weight).sum();
        if own <= 0.0 || own >= total {
            return None;
        }
        let (mut found, mut predicted, mut average_precision) = (0.0, 0.0, 0.0);
        let mut points = Vec::new();
        for ties in scores.chunk_by(|one, other| one.value.total_cmp(&other.value).is_eq()) {
            let before = found;
            for row in ties {
                predicted += row.weight;
                found += if row.positive { row.weight } else { 0.0 };
            }
            let Some(first) = ties.first().filter(|_| predicted > 0.0) else { continue };
            let precision = found / predicted;
            average_precision += (found - before) / own * precision;
            let (recall, f1) = (found / own, 2.0 * found / (own + predicted));
            points.push(ThresholdPoint { threshold: first.value, precision, recall, f1 });
        }
        Some(Self { points, average_precision, frequency: own / total })
    }

    /// The point with the largest F1; of several, that with the highest threshold.
    #[must_use]
    pub fn best(&self) -> Option<ThresholdPoint> {
        self.points.iter().rev().max_by(|one, other| one.f1.total_cmp(&other.f1)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ```python
    /// y = [0, 0, 1, 1, 0, 1]; s = [0.1, 0.4, 0.35, 0.8, 0.8, 0.9]; w = [1, 2, 1, 3, 1, 2]
    /// precision_recall_curve(y, s, sample_weight=w); average_precision_score(y, s, sample_weight=w)   # scikit-learn 1.9.1
    /// ```
    #[test]
    fn the_curve_agrees_with_scikit_learn() {
        let rows = [(0, 0.1, 1.0), (0, 0.4, 2.0), (1, 0.35, 1.0), (1, 0.8, 3.0), (0, 0.8, 1.0), (1, 0.9, 2.0)];
        let scores = rows.map(|(class, value, weight)| Score { value, positive: class == 1, weight });
        let curve = ThresholdCurve::new(scores.to_vec()).unwrap();
        let thresholds: Vec<f64> = curve.points.iter().map(|point| point.threshold).collect();
        assert_eq!(thresholds, [0.9, 0.8, 0.4, 0.35, 0.1]);
        let expected = [(1.0, 1.0 / 3.0), (5.0 / 6.0, 5.0 / 6.0), (0.625, 5.0 / 6.0), (2.0 / 3.0, 1.0), (0.6, 1.0)];
        for (point, (precision, recall)) in curve.points.iter().zip(expected) {
            assert!((point.precision - precision).abs() < 1e-15 && (point.recall - recall).abs() < 1e-15, "{point:?}");
        }
        assert!((curve.average_precision - 31.0 / 36.0).abs() < 1e-15, "{}", curve.average_precision);
        assert!((curve.frequency - 0.6).abs() < 1e-15);
        assert!((curve.best().unwrap().threshold - 0.8).abs() < 1e-15);
    }

    #[test]
    fn one_class_has_no_curve() {
        let row = |positive| Score { value: 0.5, positive, weight: 1.0 };
        assert_eq!(ThresholdCurve::new(vec![row(true); 3]), None);
        assert_eq!(ThresholdCurve::new(vec![row(false); 3]), None);
        assert_eq!(ThresholdCurve::new(Vec::new()), None);
    }
}
