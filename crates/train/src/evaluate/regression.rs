//! The evaluation of a regression, row by row.

use indexmap::IndexMap;

use super::deviance::DevianceSums;
use super::metrics::{KEPT_NUMBERS, Metrics, defined};
use super::standard_errors;
use ordinate_model::artifact::Document;

/// An explained fraction below this is a rounding error: that of sums over up to a million rows.
const NO_FRACTION: f64 = 1e-10;

/// The evaluation of a regression.
#[derive(Debug, Clone, Default)]
pub struct Regression {
    /// The number of parameters of an unpenalised fit to these rows; none otherwise.
    fitted_parameters: Option<u64>,
    rows: u64,
    weight: f64,
    squared: f64,
    absolute: f64,
    /// `Σ 100·w|y − ŷ|/|y|`.
    relative: f64,
    /// Whether a target is zero, so that there are no relative errors.
    has_zero: bool,
    /// The first target, subtracted from all targets to preserve the digits of targets far from zero.
    origin: Option<f64>,
    /// The mean less the origin.
    mean: f64,
    /// `Σ w(y − ȳ)²`, by West's update.
    spread: f64,
    /// For the median, standard errors and the baseline.
    kept: KeptNumbers,
    /// For a generalised linear model.
    deviance: Option<DevianceSums>,
}

/// A row of a regression.
#[derive(Debug, Clone, Copy)]
pub(super) struct RegressionRow {
    pub(super) actual: f64,
    pub(super) predicted: f64,
    pub(super) weight: f64,
    /// The factor of the mean that is not fitted; 1 without an offset.
    pub(super) exposure: f64,
}

/// Rows that are kept, unless there are too many.
#[derive(Debug, Clone, Default)]
struct KeptNumbers {
    /// Target, prediction and weight.
    rows: Vec<(f64, f64, f64)>,
    /// Of each row; empty while all are 1.
    exposures: Vec<f64>,
    overflowed: bool,
}

impl KeptNumbers {
    fn push(&mut self, row: &RegressionRow) {
        if self.overflowed || self.rows.len() >= KEPT_NUMBERS {
            *self = Self { overflowed: true, ..Self::default() };
            return;
        }
        // Exposures of 1 are not stored.
        #[allow(clippy::float_cmp)]
        if row.exposure != 1.0 || !self.exposures.is_empty() {
            self.exposures.resize(self.rows.len(), 1.0);
            self.exposures.push(row.exposure);
        }
        self.rows.push((row.actual, row.predicted, row.weight));
    }

    /// The rows; none if there are too many.
    fn rows(&self) -> Option<impl ExactSizeIterator<Item = RegressionRow> + Clone> {
        let exposure = |at: usize| self.exposures.get(at).copied().unwrap_or(1.0);
        let row = move |(at, &(actual, predicted, weight)): (usize, &(f64, f64, f64))| RegressionRow {
            actual,
            predicted,
            weight,
            exposure: exposure(at),
        };
        (!self.overflowed).then(|| self.rows.iter().enumerate().map(row))
    }
}

impl Regression {
    /// Also computes adjusted R², for the number of parameters, including the intercept, of an unpenalised fit to these
    /// rows.
    #[must_use]
    pub fn of_parameters(self, parameters: Option<u64>) -> Self {
        Self { fitted_parameters: parameters, ..self }
    }

    /// Also computes the mean deviance of the family of a generalised linear model, and the fraction of it that
    /// predictions explain.
    #[must_use]
    pub fn with_family_of(self, document: &Document) -> Self {
        Self { deviance: document.estimator.glm_family().map(DevianceSums::new), ..self }
    }

    /// Adds the target, the prediction and the weight of a row. A row of weight zero is ignored.
    pub fn push(&mut self, actual: f64, predicted: f64, weight: f64) {
        self.push_row(RegressionRow { actual, predicted, weight, exposure: 1.0 });
    }

    /// As [`push`](Self::push), with the exposure of the row: e to the power of its offset.
    pub fn push_with_exposure(&mut self, actual: f64, predicted: f64, weight: f64, exposure: f64) {
        self.push_row(RegressionRow { actual, predicted, weight, exposure });
    }

    fn push_row(&mut self, row: RegressionRow) {
        let RegressionRow { actual, predicted, weight, .. } = row;
        if weight == 0.0 {
            return;
        }
        let error = (actual - predicted).abs();
        let before = self.weight;
        self.rows += 1;
        self.weight += weight;
        self.squared += weight * error * error;
        self.absolute += weight * error;
        self.relative += weight * (100.0 * error / actual.abs());
        self.has_zero |= actual == 0.0;
        if let Some(sums) = &mut self.deviance {
            sums.push(&row);
        }
        self.kept.push(&row);
        let actual = actual - *self.origin.get_or_insert(actual);
        let from_mean = actual - self.mean;
        self.mean += weight / self.weight * from_mean;
        // `weight · from_mean · (actual − mean)`, without a difference that cancels where the row has most of the
        // weight.
        self.spread += weight * (before / self.weight) * from_mean * from_mean;
    }

    /// The median of the absolute errors; none without rows, or for too many of them.
    #[must_use]
    pub fn median_absolute_error(&self) -> Option<f64> {
        self.kept.rows().and_then(median_error)
    }

    /// The metrics; none without rows, or if an error overflows.
    #[must_use]
    pub fn finish(&self) -> Option<Metrics> {
        let (rmse, mae) = ((self.squared / self.weight).sqrt(), self.absolute / self.weight);
        if !rmse.is_finite() || !mae.is_finite() {
            return None;
        }
        let r2 = Some(1.0 - self.squared / self.spread).filter(|_| self.spread > 0.0);
        let rows = self.rows as f64;
        let adjusted = |parameters: u64| {
            let freedom = rows - parameters as f64;
            (freedom > 0.0).then_some(1.0 - (1.0 - r2?) * (rows - 1.0) / freedom)
        };
        let deviance = self.deviance.as_ref();
        Some(Metrics::new(
            self.rows,
            [
                ("d2", deviance.and_then(DevianceSums::explained)),
                ("mean_deviance", deviance.map(|sums| sums.mean(self.weight))),
                ("r2", r2),
                ("rmse", Some(rmse)),
                ("mae", Some(mae)),
                ("adjusted_r2", self.fitted_parameters.and_then(adjusted)),
                ("median_absolute_error", self.median_absolute_error()),
                ("mape_percent", (!self.has_zero).then_some(self.relative / self.weight)),
            ],
        ))
    }
}

impl Regression {
    /// The metrics of rows that the fit did not use, with standard errors and, for this constant prediction, the
    /// baseline. For a generalised linear model it is a rate, to which exposures are factors. None without rows, or if
    /// an error overflows.
    #[must_use]
    pub fn measure(&self, baseline: Option<f64>) -> Option<Metrics> {
        let mut metrics = self.finish()?;
        let of_rows = self.kept.rows().map(|rows| standard_errors::regression(&rows, self.deviance.as_ref()));
        metrics.standard_errors = of_rows.unwrap_or_default();
        if let Some(constant) = baseline {
            metrics.baseline = self.baseline(constant);
        }
        Some(metrics)
    }

    /// The metrics of one prediction for all rows. Without the rows, only those that follow from mean and spread.
    fn baseline(&self, constant: f64) -> IndexMap<&'static str, f64> {
        if let Some(rows) = self.kept.rows() {
            let deviance = self.deviance.as_ref().map(|sums| DevianceSums::new(sums.family));
            let mut baseline = Self { deviance, ..Self::default() };
            rows.for_each(|row| baseline.push_row(RegressionRow { predicted: constant * row.exposure, ..row }));
            let mut values = baseline.finish().map(|metrics| metrics.values).unwrap_or_default();
            // The mean of the same rows explains nothing, up to rounding errors.
            for (_, value) in values.iter_mut().filter(|(name, value)| is_fraction(name) && value.abs() < NO_FRACTION) {
                *value = 0.0;
            }
            return values;
        }
        // The mean of targets is no prediction for rows of different exposures, which are not known here.
        if self.deviance.is_some() {
            return IndexMap::new();
        }
        let distance = self.mean + self.origin.unwrap_or(0.0) - constant;
        let squared = self.spread + self.weight * distance * distance;
        let r2 = (self.spread > 0.0).then(|| 1.0 - squared / self.spread);
        defined([("r2", r2), ("rmse", Some((squared / self.weight).sqrt()))]).collect()
    }
}

/// Whether a metric is an explained fraction.
fn is_fraction(name: &str) -> bool {
    matches!(name, "r2" | "d2" | "adjusted_r2")
}

/// The weighted median of the absolute errors.
fn median_error(rows: impl Iterator<Item = RegressionRow>) -> Option<f64> {
    median(rows.map(|row| ((row.actual - row.predicted).abs(), row.weight)).collect())
}

/// The weighted median: the mean of the smallest value that at most half of the weight exceeds, and the largest that at
/// most half of the weight falls below.
fn median(mut values: Vec<(f64, f64)>) -> Option<f64> {
    values.retain(|(_, weight)| *weight > 0.0);
    let (_, first) = values.first()?;
    // Equal weights are identical.
    #[allow(clippy::float_cmp)]
    if values.iter().all(|(_, weight)| weight == first) {
        return unweighted_median(&mut values);
    }
    values.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    let half = values.iter().map(|(_, weight)| weight).sum::<f64>() / 2.0;
    let mut below = 0.0;
    let mut lower = None;
    for (value, weight) in values {
        if let Some(lower) = lower {
            return Some(f64::midpoint(lower, value));
        }
        below += weight;
        // Exactly half of the weight: the median is between this value and the next.
        #[allow(clippy::float_cmp)]
        if below == half {
            lower = Some(value);
        } else if below > half {
            return Some(value);
        }
    }
    lower
}

/// The median of values with equal weights, without sorting.
fn unweighted_median(values: &mut [(f64, f64)]) -> Option<f64> {
    let (middle, is_odd) = (values.len() / 2, values.len() % 2 == 1);
    let (below, (upper, _), _) = values.select_nth_unstable_by(middle, |(one, _), (other, _)| one.total_cmp(other));
    if is_odd {
        return Some(*upper);
    }
    below.iter().map(|(value, _)| *value).max_by(f64::total_cmp).map(|lower| f64::midpoint(lower, *upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measure(rows: &[(f64, f64, f64)], columns: Option<u64>) -> Option<Metrics> {
        let mut regression = Regression::default().of_parameters(columns.map(|columns| columns + 1));
        for (actual, predicted, weight) in rows {
            regression.push(*actual, *predicted, *weight);
        }
        regression.finish()
    }

    /// ```python
    /// i = np.arange(200); u = ((i*7919) % 1000)/1000.0; v = ((i*104729) % 997)/997.0
    /// y = 10*u - 3 + 0.5; p = 10*u - 3 + 0.5 + (v - 0.5)*4; w = 1 + ((i*31) % 7)
    /// r2_score(y, p, sample_weight=w), root_mean_squared_error(…), mean_absolute_error(…),
    /// median_absolute_error(…), mean_absolute_percentage_error(…)   # scikit-learn 1.9.1
    /// ```
    #[test]
    fn metrics_agree_with_scikit_learn() {
        let rows: Vec<_> = (0..200_u32)
            .map(|i| {
                let (u, v) = (f64::from(i * 7919 % 1000) / 1000.0, f64::from(i * 104_729 % 997) / 997.0);
                let y = 10.0 * u - 3.0 + 0.5;
                (y, y + (v - 0.5) * 4.0, f64::from(1 + i * 31 % 7))
            })
            .collect();
        let plain: Vec<_> = rows.iter().map(|(y, p, _)| (*y, *p, 1.0)).collect();
        let names = ["r2", "rmse", "mae", "median_absolute_error", "mape_percent"];
        let recorded = [
            (
                plain,
                [
                    0.845_122_029_656_914_6,
                    1.145_029_411_977_953_8,
                    0.988_946_840_521_564_7,
                    0.990_972_918_756_268_8,
                    181.113_697_081_255_93,
                ],
            ),
            (
                rows,
                [
                    0.845_519_496_980_584,
                    1.142_847_552_327_921,
                    0.986_611_900_783_702_6,
                    0.952_858_575_727_182_4,
                    163.659_205_506_506_9,
                ],
            ),
        ];
        for (rows, expected) in recorded {
            let metrics = measure(&rows, None).unwrap();
            assert!(metrics.values.keys().eq(&names), "{metrics:?}");
            for (got, expected) in metrics.values.values().zip(expected) {
                assert!((got - expected).abs() <= 1e-12 * expected, "{metrics:?}");
            }
        }
    }

    #[test]
    fn metrics_follow_their_formulas() {
        // By hand: errors 1, −1, 2, 0; squares sum to 6, spread about the mean 4 is 20; 1 − 0.3·3/2.
        let rows = [(1.0, 0.0, 1.0), (3.0, 4.0, 1.0), (5.0, 3.0, 1.0), (7.0, 7.0, 1.0)];
        let metrics = measure(&rows, Some(1)).unwrap();
        let expected = [
            ("r2", 0.7),
            ("rmse", 1.5_f64.sqrt()),
            ("mae", 1.0),
            ("adjusted_r2", 0.55),
            ("median_absolute_error", 1.0),
            ("mape_percent", (100.0 + 100.0 / 3.0 + 40.0) / 4.0),
        ];
        assert_eq!(metrics.rows, 4);
        assert!(metrics.values.keys().eq(expected.iter().map(|(name, _)| name)));
        for (name, expected) in expected {
            assert!((metrics.get(name).unwrap() - expected).abs() < 1e-15 * expected.max(1.0), "{name}: {metrics:?}");
        }
    }

    #[test]
    fn the_baseline_is_one_prediction_for_all_rows() {
        // By hand: distances from 3 are 2, 0, 2, 4.
        let rows = [(1.0, 0.0), (3.0, 4.0), (5.0, 3.0), (7.0, 7.0)];
        let mut regression = Regression::default();
        for (actual, predicted) in rows {
            regression.push(actual, predicted, 1.0);
        }
        let baseline = regression.measure(Some(3.0)).unwrap().baseline;
        let expected = [
            ("r2", 1.0 - 24.0 / 20.0),
            ("rmse", 6.0_f64.sqrt()),
            ("mae", 2.0),
            ("median_absolute_error", 2.0),
            ("mape_percent", (200.0 + 40.0 + 400.0 / 7.0) / 4.0),
        ];
        assert!(baseline.keys().eq(expected.iter().map(|(name, _)| name)), "{baseline:?}");
        for (name, expected) in expected {
            assert!((baseline[name] - expected).abs() < 1e-14 * expected.abs().max(1.0), "{name}: {baseline:?}");
        }
        // Without the rows, the same from their moments.
        regression.kept = KeptNumbers { overflowed: true, ..KeptNumbers::default() };
        let moments = regression.measure(Some(3.0)).unwrap();
        assert!(moments.baseline.keys().eq(&["r2", "rmse"]) && moments.standard_errors.is_empty());
        assert!((moments.baseline["rmse"] - 6.0_f64.sqrt()).abs() < 1e-15);
    }

    #[test]
    fn undefined_metrics_are_absent() {
        assert_eq!(measure(&[], None), None);
        assert_eq!(measure(&[(f64::MAX, f64::MIN, 1.0)], None), None);
        let one = measure(&[(2.0, 1.0, 1.0)], Some(1)).unwrap();
        assert_eq!((one.get("r2"), one.get("adjusted_r2"), one.get("rmse")), (None, None, Some(1.0)));
        assert_eq!(measure(&[(2.0, 2.0, 1.0), (2.0, 2.0, 1.0)], None).unwrap().get("r2"), None);
        assert_eq!(measure(&[(0.0, 2.0, 1.0), (2.0, 2.0, 1.0)], None).unwrap().get("mape_percent"), None);
        assert_eq!(measure(&[(1.0, 2.0, 1.0), (2.0, 2.0, 1.0)], Some(1)).unwrap().get("adjusted_r2"), None);
    }

    /// `1 − Σw(y − p)²/Σw(y − ȳ)²` in exact fractions
    #[test]
    fn r2_of_weighted_targets_far_from_zero_has_all_digits() {
        let rows = [(0.5, 1.0, 0.1), (2.0, 1.75, 29.3), (-3.25, -3.0, 7.7), (4.0, 4.5, 0.3)];
        let far = rows.map(|(actual, predicted, weight)| (1e9 + actual, 1e9 + predicted, weight));
        let r2 = |rows: &[_]| measure(rows, None).and_then(|metrics| metrics.get("r2")).unwrap();
        assert!((r2(&far) - 0.985_885_949_390_466).abs() < 1e-15, "{}", r2(&far));
        assert!((r2(&far) - r2(&rows)).abs() < 1e-15);
        // A row of nearly all the weight: 1 − (5²·1 + 0)/(10⁸/(10⁸ + 1)·3²).
        let unequal = [(1.0, 6.0, 1.0), (4.0, 4.0, 1e8)];
        let expected = 1.0 - 25.0 / (1e8 / (1e8 + 1.0) * 9.0);
        assert!((r2(&unequal) / expected - 1.0).abs() < 1e-15, "{}", r2(&unequal));
        let constant = [(1e9 + 0.3, 1e9, 0.1), (1e9 + 0.3, 1e9, 2.7)];
        assert_eq!(measure(&constant, None).and_then(|metrics| metrics.get("r2")), None);
    }

    #[test]
    fn the_median_is_between_two_values_that_share_the_weight() {
        assert_eq!(median(vec![(4.0, 1.0), (1.0, 1.0), (2.0, 1.0), (3.0, 1.0)]), Some(2.5));
        assert_eq!(median(vec![(1.0, 3.0), (2.0, 1.0)]), Some(1.0));
        assert_eq!(median(vec![(1.0, 2.0), (2.0, 0.0), (3.0, 2.0)]), Some(2.0));
    }
}
