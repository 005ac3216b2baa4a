//! How good predictions are.

/// Errors of predictions, gathered one at a time.
#[derive(Debug, Clone, Copy, Default)]
pub struct Evaluation {
    rows: u64,
    squared: f64,
    absolute: f64,
    mean: f64,
    /// `Σ (y − ȳ)²`, by Welford's update.
    spread: f64,
}

/// What the errors amount to. A number that is not defined is absent, never NaN.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Metrics {
    /// Rows that were predicted.
    pub rows: u64,
    /// Coefficient of determination, `1 − Σ(y − ŷ)² / Σ(y − ȳ)²`; none when the target does not vary. Negative when
    /// the predictions are worse than the mean of these rows.
    pub r2: Option<f64>,
    /// Root mean squared error, `√(Σ(y − ŷ)² / n)`, in units of the target.
    pub rmse: f64,
    /// Mean absolute error, `Σ|y − ŷ| / n`, in units of the target.
    pub mae: f64,
}

impl Evaluation {
    /// Takes one row's target and its prediction.
    pub fn push(&mut self, actual: f64, predicted: f64) {
        let error = actual - predicted;
        self.rows += 1;
        self.squared += error * error;
        self.absolute += error.abs();
        let from_mean = actual - self.mean;
        self.mean += from_mean / self.rows as f64;
        self.spread += from_mean * (actual - self.mean);
    }

    /// The metrics of the rows so far; none when there were no rows, or errors beyond what a double can hold.
    #[must_use]
    pub fn finish(self) -> Option<Metrics> {
        let rows = self.rows as f64;
        let metrics = Metrics {
            rows: self.rows,
            r2: Some(1.0 - self.squared / self.spread).filter(|value| value.is_finite()),
            rmse: (self.squared / rows).sqrt(),
            mae: self.absolute / rows,
        };
        (metrics.rmse.is_finite() && metrics.mae.is_finite()).then_some(metrics)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::float_cmp)]

    use super::*;

    fn measure(pairs: &[(f64, f64)]) -> Option<Metrics> {
        let mut evaluation = Evaluation::default();
        pairs.iter().for_each(|(actual, predicted)| evaluation.push(*actual, *predicted));
        evaluation.finish()
    }

    #[test]
    fn follows_the_formulas() {
        // By hand: errors 1, −1, 2, 0; squares sum to 6, spread about the mean 4 is 20.
        let metrics = measure(&[(1.0, 0.0), (3.0, 4.0), (5.0, 3.0), (7.0, 7.0)]).unwrap();
        assert_eq!(metrics, Metrics { rows: 4, r2: Some(0.7), rmse: 1.5_f64.sqrt(), mae: 1.0 });
    }

    #[test]
    fn what_is_not_defined_is_absent() {
        assert_eq!(measure(&[]), None);
        assert_eq!(measure(&[(2.0, 1.0)]).unwrap(), Metrics { rows: 1, r2: None, rmse: 1.0, mae: 1.0 });
        assert_eq!(measure(&[(2.0, 2.0), (2.0, 2.0)]).unwrap().r2, None);
        assert_eq!(measure(&[(f64::MAX, f64::MIN)]), None);
    }
}
