//! Temperature scaling: calibrates probabilities on held-out rows, where that helps.
//!
//! A fit is overconfident on new rows, the more so the more columns it has for its rows. Dividing all scores by one
//! temperature (Guo et al., 2017; Platt scaling without the intercept) corrects that without changing the predicted
//! classes, unless there is a threshold.
//!
//! A temperature is never judged on the rows it was fitted to: the held-out rows are split into folds, and each row's
//! probabilities are computed with the temperature that was fitted to the other folds (cross-fitting). Probabilities
//! are calibrated only if that lowers the log loss by more than the standard error of the difference.

use super::Evaluation;
use super::classification::log_loss;
use super::kept_rows::{KeptRow, KeptRows};
use super::scores::{ScoreTable, with_temperature};
use crate::summary::rounded;
use ordinate_model::random::mix;

/// The fewest rows, of at least two classes, for calibration.
pub const MIN_ROWS: usize = 10;

/// The standard deviation of the normal prior of the temperature's logarithm, whose mean is 0: few rows change little.
/// Without it, the few held-out rows of small data would make the log loss of new rows worse than no calibration.
const PRIOR: f64 = 0.25;

/// The folds of the rows for cross-fitting.
const FOLDS: usize = 5;

/// The most rows that temperatures are fitted to.
const MOST_ROWS: usize = 100_000;

/// A fitted temperature, and what it is worth on rows it was not fitted to.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    /// The divisor of the scores, fitted to all rows.
    pub temperature: f64,
    /// Whether the temperature is at a limit of its range instead of an optimum.
    pub at_limit: bool,
    /// The number of rows it was fitted to.
    pub rows: usize,
    /// The decrease of the mean log loss by temperatures fitted to other rows.
    pub gain: f64,
    /// The standard error of the gain, from the differences of the rows.
    pub standard_error: f64,
    /// For each fold, the temperature that was fitted to the other folds.
    of_folds: Vec<f64>,
    /// The fold of each row; none for rows that no temperature was fitted to.
    folds: Vec<Option<u8>>,
}

impl Calibration {
    /// Fits temperatures. None for too few rows, or rows of one class.
    pub(super) fn new(rows: &KeptRows, classes: usize, seed: u64) -> Option<Self> {
        let first = rows.rows().first()?.actual;
        if rows.len() < MIN_ROWS || rows.rows().iter().all(|row| row.actual == first) {
            return None;
        }
        let folds = folds(rows.len(), seed);
        let used: Vec<(&KeptRow, &[f64])> =
            rows.iter().zip(&folds).filter(|(_, fold)| fold.is_some()).map(|(row, _)| row).collect();
        let fold_of_used: Vec<usize> = folds.iter().flatten().map(|fold| usize::from(*fold)).collect();
        let scores = ScoreTable::new(classes, used.iter().copied());
        let (factor, at_limit) = scores.best_factor(Some(PRIOR), |_| true);
        let without = |fold: usize| scores.best_factor(Some(PRIOR), |at| fold_of_used.get(at) != Some(&fold)).0;
        let of_folds: Vec<f64> = (0..FOLDS).map(|fold| 1.0 / without(fold)).collect();
        let difference = |(row, probabilities): (&KeptRow, &[f64]), fold: usize| {
            let scaled = with_temperature(probabilities, of_folds.get(fold).copied().unwrap_or(1.0));
            let [before, after] =
                [probabilities, &scaled].map(|p| p.get(row.actual as usize).map_or(0.0, |p| log_loss(*p)));
            (before - after, row.weight)
        };
        let differences: Vec<(f64, f64)> =
            used.iter().zip(&fold_of_used).map(|(row, fold)| difference(*row, *fold)).collect();
        let (gain, standard_error) = mean_with_error(&differences);
        Some(Self { temperature: 1.0 / factor, at_limit, rows: used.len(), gain, standard_error, of_folds, folds })
    }

    /// Whether the temperature lowers the log loss by more than the standard error of the difference.
    #[must_use]
    pub fn is_worth_it(&self) -> bool {
        self.gain > self.standard_error
    }

    /// The temperature for the row at this position, which was fitted to other rows.
    pub(super) fn of_row(&self, row: usize) -> f64 {
        let fold = self.folds.get(row).copied().flatten();
        fold.and_then(|fold| self.of_folds.get(usize::from(fold))).copied().unwrap_or(self.temperature)
    }
}

/// A temperature for the rows of one fold, fitted to those of the others; at most [`MOST_ROWS`] of them. None for
/// regressions and for too many rows.
pub(crate) fn without_fold(folds: &[Evaluation], fold: usize) -> Option<f64> {
    fn of_classes(evaluation: &Evaluation) -> Option<&KeptRows> {
        match evaluation {
            Evaluation::Classification(rows) => rows.kept(),
            Evaluation::Regression(_) => None,
        }
    }
    let kept: Vec<&KeptRows> = folds.iter().map(of_classes).collect::<Option<_>>()?;
    let others = kept.iter().enumerate().filter(|(at, _)| *at != fold).flat_map(|(_, rows)| rows.iter());
    let scores = ScoreTable::new(kept.first()?.classes(), others.take(MOST_ROWS));
    let (factor, _) = scores.best_factor(Some(PRIOR), |_| true);
    factor.is_finite().then(|| 1.0 / factor)
}

/// Folds of equal size, in an order drawn from the seed; none beyond [`MOST_ROWS`].
fn folds(rows: usize, seed: u64) -> Vec<Option<u8>> {
    // Different from the hashes that select held-out rows, which are small for all of these rows.
    let seed = mix(mix(!seed));
    let mut order: Vec<(u64, usize)> = (0..rows).map(|row| (mix(seed ^ row as u64), row)).collect();
    if rows > MOST_ROWS {
        order.select_nth_unstable(MOST_ROWS);
        order.truncate(MOST_ROWS);
    }
    order.sort_unstable();
    let mut folds = vec![None; rows];
    for (position, (_, row)) in order.into_iter().enumerate() {
        if let Some(fold) = folds.get_mut(row) {
            *fold = u8::try_from(position % FOLDS).ok();
        }
    }
    folds
}

/// The weighted mean of values with weights, and its standard error for rows drawn at random.
fn mean_with_error(values: &[(f64, f64)]) -> (f64, f64) {
    let total: f64 = values.iter().map(|(_, weight)| weight).sum();
    let mean = values.iter().map(|(value, weight)| weight * value).sum::<f64>() / total;
    let squares: f64 = values.iter().map(|(value, weight)| (weight * (value - mean)).powi(2)).sum();
    let rows = values.len() as f64;
    (mean, (squares * rows / (rows - 1.0)).sqrt() / total)
}

/// A note on the calibration.
#[must_use]
pub fn calibration_note(calibration: Option<&Calibration>) -> String {
    let Some(Calibration { temperature, at_limit, rows, gain, standard_error, .. }) = calibration else {
        return format!(
            "the probabilities are not calibrated: calibration needs at least {MIN_ROWS} held-out rows of two or more classes"
        );
    };
    let (change, size) = if *gain < 0.0 { ("raises", -gain) } else { ("lowers", *gain) };
    let effect = format!("{change} the log loss by {} ± {}", rounded(size, 3), rounded(*standard_error, 2));
    if calibration.is_some_and(Calibration::is_worth_it) {
        let limit = if *at_limit { " (the limit of its range)" } else { "" };
        format!(
            "the probabilities are calibrated: scores are divided by the temperature {temperature:.3}{limit}, fitted to {rows} \
             held-out rows. Cross-fitted in {FOLDS} folds of these rows, this {effect}; their metrics are of the \
             cross-fitted probabilities (--no-calibration leaves the scores as they are)"
        )
    } else {
        format!(
            "the probabilities are not calibrated: a temperature, cross-fitted in {FOLDS} folds of the {rows} held-out rows, \
             {effect}, which is no improvement by more than its standard error"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::classification::Classification;
    use super::*;

    fn kept(rows: impl Iterator<Item = (usize, [f64; 2])>) -> Classification {
        let mut kept = Classification::new(2);
        for (actual, probabilities) in rows {
            kept.push(actual, usize::from(probabilities[1] > probabilities[0]), &probabilities, 1.0);
        }
        kept
    }

    /// Rows of two classes whose log-odds are `factor` times the true ones.
    fn rows(factor: f64, count: usize) -> Classification {
        kept((0..count).map(|number| {
            let odds = (number % 13) as f64 / 3.0 - 2.0;
            let p = 1.0 / (1.0 + (-odds).exp());
            let predicted = 1.0 / (1.0 + (-factor * odds).exp());
            // A fraction p of the rows of each log-odds.
            let actual = usize::from((number / 13) as f64 % 100.0 + 0.5 < 100.0 * p);
            (actual, [1.0 - predicted, predicted])
        }))
    }

    #[test]
    fn the_temperature_is_the_factor_of_overconfident_scores() {
        for factor in [0.5, 1.0, 2.0, 4.0] {
            let rows = rows(factor, 65_000);
            let calibration = rows.calibration(0).unwrap();
            assert!((calibration.temperature / factor - 1.0).abs() < 0.02, "{calibration:?}");
            assert_eq!(calibration.is_worth_it(), (factor - 1.0_f64).abs() > 0.1, "{calibration:?}");
            let before = rows.measure(None).unwrap();
            assert!((before.get("calibration_slope").unwrap() * factor - 1.0).abs() < 0.02, "{before:?}");
            let after = rows.rescaled(|row| calibration.of_row(row), None).unwrap().measure(None).unwrap();
            assert!((after.get("calibration_slope").unwrap() - 1.0).abs() < 0.01, "{after:?}");
            assert!(after.get("expected_calibration_error").unwrap() < 0.01, "{after:?}");
            // The gain is the difference of the log losses.
            let gain = before.get("log_loss").unwrap() - after.get("log_loss").unwrap();
            assert!((gain - calibration.gain).abs() < 1e-12);
            assert_eq!(before.get("accuracy"), after.get("accuracy"));
            assert_eq!(before.get("roc_auc"), after.get("roc_auc"));
        }
    }

    #[test]
    fn few_rows_and_rows_of_one_class_are_not_calibrated() {
        let confident = |row: usize| (row % 2, if row.is_multiple_of(2) { [0.9, 0.1] } else { [0.1, 0.9] });
        let of = |rows: usize| kept((0..rows).map(confident)).calibration(0);
        let temperature = of(MIN_ROWS).unwrap().temperature;
        assert!((0.5..1.0).contains(&temperature), "{temperature}");
        assert_eq!(of(MIN_ROWS - 1), None);
        assert_eq!(kept((0..100).map(|_| (1, [0.1, 0.9]))).calibration(0), None);
        assert!(calibration_note(None).contains("needs at least 10 held-out rows"));
    }

    #[test]
    fn a_temperature_at_a_limit_is_reported_as_such() {
        let separated = |row: usize| (row % 2, if row.is_multiple_of(2) { [0.6, 0.4] } else { [0.4, 0.6] });
        let few = kept((0..40).map(separated));
        assert!(!few.calibration(0).unwrap().at_limit);
        assert_eq!(few.measure(None).unwrap().get("calibration_slope"), None);
        let many = kept((0..100_000).map(separated)).calibration(0).unwrap();
        assert!(many.at_limit && (many.temperature - 0.1).abs() < 1e-15, "{many:?}");
        assert!(calibration_note(Some(&many)).contains("0.100 (the limit of its range)"));
        // All predicted classes are wrong: the smallest factor is the best.
        let swapped = kept((0..1000).map(|row| (row % 2, [[0.1, 0.9], [0.9, 0.1]][row % 2])));
        let wrong = swapped.calibration(0).unwrap();
        assert!(wrong.at_limit && (wrong.temperature - 10.0).abs() < 1e-13, "{wrong:?}");
        assert_eq!(swapped.measure(None).unwrap().get("calibration_slope"), None);
    }

    #[test]
    fn no_gain_beyond_its_standard_error_is_noted_and_not_applied() {
        let calibration = rows(1.0, 1300).calibration(0).unwrap();
        assert!(!calibration.is_worth_it());
        let note = calibration_note(Some(&calibration));
        assert!(note.contains("not calibrated") && note.contains("of the 1300 held-out rows"), "{note}");
    }

    #[test]
    fn rows_beyond_the_largest_number_have_the_temperature_of_all() {
        let folds = folds(MOST_ROWS + 10, 3);
        assert_eq!(folds.iter().flatten().count(), MOST_ROWS);
        let of_fold = |fold: u8| folds.iter().filter(|own| **own == Some(fold)).count();
        assert!((0..5).all(|fold| of_fold(fold) == MOST_ROWS / 5));
    }
}
