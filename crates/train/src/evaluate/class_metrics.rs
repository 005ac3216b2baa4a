//! Precision, recall and F1 of each class.

use crate::summary::rounded;
use serde::Serialize;

/// The metrics of one class against the rest. Undefined ones are absent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ClassMetrics {
    /// The fraction of the rows predicted as the class that are of the class.
    pub precision: Option<f64>,
    /// The fraction of the rows of the class that are predicted as the class.
    pub recall: Option<f64>,
    /// The harmonic mean of precision and recall.
    pub f1: Option<f64>,
    /// The weight of the rows of the class.
    pub support: f64,
}

impl ClassMetrics {
    /// The titles of the columns of a table with these metrics.
    pub const TITLES: [&'static str; 4] = ["precision", "recall", "F1", "rows"];

    /// The texts of their cells; a dash for an undefined metric.
    #[must_use]
    pub fn cells(&self) -> [String; 4] {
        let ratio = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| rounded(value, 3));
        [ratio(self.precision), ratio(self.recall), ratio(self.f1), rounded(self.support, 6)]
    }

    /// The positions of classes in the order of F1, the lowest first; undefined ones are last.
    #[must_use]
    pub fn by_f1(classes: &[Self]) -> Vec<usize> {
        let f1 = |class: &usize| classes.get(*class).and_then(|metrics| metrics.f1).unwrap_or(f64::INFINITY);
        let mut order: Vec<usize> = (0..classes.len()).collect();
        order.sort_by(|one, other| f1(one).total_cmp(&f1(other)));
        order
    }
}

/// The metrics of each class, from a confusion matrix: weights by actual class, then by predicted class.
#[must_use]
pub fn class_metrics(confusion: &[Vec<f64>]) -> Vec<ClassMetrics> {
    let metrics = |class: ClassWeights| ClassMetrics {
        precision: class.precision(),
        recall: class.recall(),
        f1: class.f1(),
        support: class.actual,
    };
    by_class(confusion).map(metrics).collect()
}

/// The weight of the rows of a class, of the rows predicted as the class, and of both.
#[derive(Debug, Clone, Copy)]
pub(super) struct ClassWeights {
    pub(super) actual: f64,
    pub(super) predicted: f64,
    pub(super) correct: f64,
}

impl ClassWeights {
    pub(super) fn precision(&self) -> Option<f64> {
        (self.predicted > 0.0).then(|| self.correct / self.predicted)
    }

    pub(super) fn recall(&self) -> Option<f64> {
        (self.actual > 0.0).then(|| self.correct / self.actual)
    }

    pub(super) fn f1(&self) -> Option<f64> {
        let total = self.actual + self.predicted;
        (total > 0.0).then(|| 2.0 * self.correct / total)
    }
}

pub(super) fn by_class(confusion: &[Vec<f64>]) -> impl Iterator<Item = ClassWeights> {
    confusion.iter().enumerate().map(move |(class, row)| ClassWeights {
        actual: row.iter().sum(),
        predicted: confusion.iter().filter_map(|row| row.get(class)).sum(),
        correct: row.get(class).copied().unwrap_or(0.0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand: the second class is predicted for 3 of its 4 rows and for 1 other row.
    #[test]
    fn a_class_without_rows_has_no_recall_and_one_without_predictions_no_precision() {
        let [first, second, third, fourth]: [ClassMetrics; 4] = class_metrics(&[
            vec![1.0, 1.0, 0.0, 0.0],
            vec![1.0, 3.0, 0.0, 0.0],
            vec![0.0, 0.0, 0.0, 0.0],
            vec![2.0, 0.0, 0.0, 0.0],
        ])
        .try_into()
        .unwrap();
        assert_eq!((first.precision, first.recall, first.support), (Some(0.25), Some(0.5), 2.0));
        assert_eq!((second.precision, second.recall, second.f1), (Some(0.75), Some(0.75), Some(0.75)));
        assert_eq!((third.precision, third.recall, third.f1), (None, None, None));
        assert_eq!((fourth.precision, fourth.recall, fourth.f1), (None, Some(0.0), Some(0.0)));
    }
}
