//! Errors on rows with known answers, next to those of held-out rows at training.

use indexmap::IndexMap;
use ordinate_model::artifact::Training;

use crate::statistics::beta_binomial_upper;

/// The smallest relative increase of the error that is drift.
const WORSE: f64 = 0.1;

/// Errors below this fraction of those without any features are rounding errors, which no increase makes drift.
const ROUNDING: f64 = 1e-9;

type Metrics = IndexMap<String, f64>;

/// The errors of rows that the fit did not use.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeldOut<'m> {
    pub(crate) metrics: &'m Metrics,
    pub(crate) standard_errors: &'m Metrics,
    /// The number of rows; `None` if it is not known.
    pub(crate) rows: Option<f64>,
    /// Of a regression, errors up to which all are rounding errors.
    rounding: f64,
}

impl<'m> HeldOut<'m> {
    /// The metrics of a test set, or else of a cross-validation.
    pub(crate) fn new(training: &'m Training) -> Option<Self> {
        ["test", "cross_validation"].into_iter().find_map(|set| {
            let metrics = training.metrics.get(set)?;
            let standard_errors = training.metrics.get(&format!("{set}_standard_errors"))?;
            let all = training.rows.map(|rows| rows as f64);
            let rows = if set == "test" { test_rows(metrics, standard_errors) } else { all };
            let fraction = training.parameters.get("test_fraction").and_then(serde_json::Value::as_f64);
            let about = || Some((all? * fraction?).round()).filter(|rows| *rows >= 1.0);
            let baseline = training.metrics.get(&format!("{set}_baseline")).and_then(|baseline| baseline.get("rmse"));
            let rounding = ROUNDING * baseline.copied().unwrap_or(0.0);
            Some(Self { metrics, standard_errors, rows: rows.or_else(about), rounding })
        })
    }

    /// The smallest error that is large enough to be drift, instead of this one at training.
    pub(crate) fn worse(&self, metric: &str, error: f64) -> f64 {
        let rounding = if matches!(metric, "rmse" | "median_absolute_error") { self.rounding } else { 0.0 };
        error * (1.0 + WORSE) + rounding
    }
}

/// The number of test rows, which model files do not have, from a mean m of the rows with its standard error s: with
/// the mean q of the squares, `s = √((q − m²) ÷ (n − 1))`. The mean is the absolute error, or the fraction of correct
/// predictions, whose squares are themselves.
fn test_rows(metrics: &Metrics, standard_errors: &Metrics) -> Option<f64> {
    let (squares, name) = match metrics.get("rmse") {
        Some(rmse) => (rmse * rmse, "mae"),
        None => (*metrics.get("accuracy")?, "accuracy"),
    };
    let (mean, error) = (metrics.get(name)?, standard_errors.get(name)?);
    let rows = (1.0 + (squares - mean * mean) / (error * error)).round();
    (rows.is_finite() && rows >= 1.0).then_some(rows)
}

/// Counts of the absolute errors of a regression above the median of those of held-out rows.
///
/// The mean squared error and the mean deviance, and their standard errors, are those of a single row if its answer or
/// prediction is extreme; then no difference is significant. A count is not larger than the number of rows. Of n
/// held-out errors, let the k-th be the median. If m new errors have the same distribution, whatever it is, the
/// probability that a new error exceeds the k-th has the distribution Beta(n − k + 1, k), and the number of those
/// that do is beta-binomial (the control median test: Mathisen, "A method of testing the hypothesis that two samples
/// are from the same population", Annals of Mathematical Statistics 14, 1943). Ties only make it smaller. After a
/// cross-validation, the median is the mean of those of the folds, which is about that of all rows.
///
/// Held-out errors of weighted rows are not a sample of the errors of rows without weights, and are not compared.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ErrorCounts {
    held_out: Option<Median>,
    rows: u64,
    /// Errors above the median.
    above: u64,
    /// Errors that are large enough to be drift, if they are the median.
    far_above: u64,
    /// The largest error.
    pub(crate) largest: f64,
}

/// The median of the held-out errors.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Median {
    error: f64,
    /// The smallest median that is large enough to be drift.
    worse: f64,
    /// The number of held-out errors.
    rows: f64,
}

impl ErrorCounts {
    pub(crate) fn new(training: &Training) -> Self {
        let is_weighted = training.parameters.contains_key("weights");
        let held_out = HeldOut::new(training).filter(|_| !is_weighted);
        let held_out = held_out.and_then(|held_out| {
            let error = *held_out.metrics.get("median_absolute_error")?;
            Some(Median { error, worse: held_out.worse("median_absolute_error", error), rows: held_out.rows? })
        });
        Self { held_out, ..Self::default() }
    }

    pub(crate) fn push(&mut self, error: f64) {
        self.rows += 1;
        if let Some(median) = self.held_out {
            self.above += u64::from(error > median.error);
            self.far_above += u64::from(error > median.worse);
        }
        self.largest = self.largest.max(error);
    }

    /// The probability of so many errors above the median, and whether more than half of them are so large that the new
    /// median is drift.
    pub(crate) fn compared(&self) -> Option<(f64, bool)> {
        let Median { rows, .. } = self.held_out?;
        let rank = (rows / 2.0).ceil();
        let p = beta_binomial_upper(self.above as f64, self.rows as f64, rows - rank + 1.0, rank);
        Some((p, 2 * self.far_above > self.rows))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn training(parameters: &serde_json::Value) -> Training {
        // The errors 1, 2, 4, 8: rmse √21.25, mae 3.75, standard error of mae √((21.25 − 3.75²) ÷ 3).
        serde_json::from_value(json!({"rows": 20, "parameters": parameters, "seed": 0, "tool": "test", "metrics": {
            "test": {"rmse": 21.25_f64.sqrt(), "mae": 3.75, "median_absolute_error": 3.0},
            "test_standard_errors": {"mae": ((21.25 - 3.75 * 3.75) / 3.0_f64).sqrt()},
        }}))
        .unwrap()
    }

    /// Three new errors are above the second smallest of four held-out ones if the two smallest of all seven are held
    /// out: in C(5, 2) of C(7, 4) orders.
    #[test]
    fn the_probability_is_that_of_the_ranks() {
        let mut errors = ErrorCounts::new(&training(&json!({})));
        assert_eq!(errors.held_out, Some(Median { error: 3.0, worse: 3.0 * (1.0 + WORSE), rows: 4.0 }));
        for error in [3.1, 3.2, 9.0] {
            errors.push(error);
        }
        let (p, is_larger) = errors.compared().unwrap();
        // Only one of three is above 3.3.
        assert!((p - 10.0 / 35.0).abs() < 1e-12 && !is_larger, "{p}");
        for error in [1e200, f64::INFINITY] {
            errors.push(error);
        }
        assert!(errors.compared().unwrap().1);
    }

    #[test]
    fn rounding_errors_are_no_increase() {
        let mut exact = training(&json!({}));
        exact.metrics.insert("test_baseline".to_owned(), [("rmse".to_owned(), 1e12)].into_iter().collect());
        let mut errors = ErrorCounts::new(&exact);
        (0..100).for_each(|_| errors.push(900.0));
        assert!(!errors.compared().unwrap().1);
    }

    #[test]
    fn weighted_held_out_errors_are_not_compared() {
        assert_eq!(ErrorCounts::new(&training(&json!({"weights": "w"}))).compared(), None);
    }
}
