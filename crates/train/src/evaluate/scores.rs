//! The scores of rows for all temperatures: the logarithms of their probabilities, computed once.

use super::kept_rows::{KeptRow, KeptRows};

/// The range of the factor on the scores. For held-out rows that are classified without error, no factor is the
/// largest.
pub(super) const FACTORS: [f64; 2] = [0.1, 10.0];

/// The scores of rows, each less the largest of its row: rows × classes.
pub(super) struct ScoreTable {
    classes: usize,
    scores: Vec<f64>,
    /// The position of each row's class, and its weight.
    rows: Vec<(usize, f64)>,
}

impl ScoreTable {
    pub(super) fn new<'r>(classes: usize, rows: impl Iterator<Item = (&'r KeptRow, &'r [f64])>) -> Self {
        let mut table = Self { classes, scores: Vec::new(), rows: Vec::new() };
        for (row, probabilities) in rows {
            table.rows.push((row.actual as usize, row.weight));
            table.scores.extend(scores(probabilities));
        }
        table
    }

    pub(super) fn all(rows: &KeptRows, classes: usize) -> Self {
        Self::new(classes, rows.iter())
    }

    fn iter(&self) -> impl Iterator<Item = (usize, f64, &[f64])> {
        let scores = self.scores.chunks_exact(self.classes.max(1));
        self.rows.iter().zip(scores).map(|((actual, weight), scores)| (*actual, *weight, scores))
    }

    /// The maximum likelihood factor on the scores of the rows that `includes` accepts, or with a prior the maximum a
    /// posteriori, and whether it is at a limit of its range. The prior is normal, of the factor's logarithm, with mean
    /// 0 and this standard deviation.
    pub(super) fn best_factor(&self, prior: Option<f64>, includes: impl Fn(usize) -> bool) -> (f64, bool) {
        let chosen = || self.iter().enumerate().filter(|(at, _)| includes(*at)).map(|(_, row)| row);
        let (count, total) = chosen().fold((0.0, 0.0), |(count, total), (_, weight, _)| (count + 1.0, total + weight));
        let weight = total / count;
        // The slope of the loss by the logarithm of the factor.
        let slope = |logarithm: f64| {
            let factor = libm::exp(logarithm);
            let loss: f64 = chosen()
                .map(|(actual, own_weight, scores)| own_weight / weight * factor * derivative(scores, actual, factor))
                .sum();
            loss + prior.map_or(0.0, |deviation| logarithm / (deviation * deviation))
        };
        let [low, high] = FACTORS.map(libm::log);
        let [at_low, at_high] = [low, high].map(slope);
        if at_low > 0.0 {
            return (libm::exp(low), true);
        }
        // Not a number without rows.
        if at_high <= 0.0 || at_high.is_nan() {
            return (libm::exp(high), true);
        }
        (libm::exp(root([low, high], [at_low, at_high], slope)), false)
    }
}

/// The root of a rising function between two points, the first not above it and the second not below it: regula falsi
/// with the Illinois rule.
fn root([mut low, mut high]: [f64; 2], [mut at_low, mut at_high]: [f64; 2], rising: impl Fn(f64) -> f64) -> f64 {
    const ITERATIONS: usize = 100;
    let mut before = f64::NAN;
    let mut last_is_high = None;
    for _ in 0..ITERATIONS {
        let between = low + (high - low) * (at_low / (at_low - at_high));
        let middle = if between > low && between < high { between } else { f64::midpoint(low, high) };
        if (middle - before).abs() <= 4.0 * f64::EPSILON || middle <= low || middle >= high {
            return middle;
        }
        before = middle;
        let value = rising(middle);
        let is_high = value > 0.0;
        if is_high {
            (high, at_high) = (middle, value);
        } else {
            (low, at_low) = (middle, value);
        }
        // An end that stays counts half, so that the other end does not creep towards the root.
        if last_is_high == Some(is_high) {
            *(if is_high { &mut at_low } else { &mut at_high }) /= 2.0;
        }
        last_is_high = Some(is_high);
    }
    before
}

/// The scores of a row, less the largest.
fn scores(probabilities: &[f64]) -> Vec<f64> {
    let mut scores: Vec<f64> = probabilities.iter().map(|p| libm::log(p.max(f64::MIN_POSITIVE))).collect();
    let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    for score in &mut scores {
        *score -= largest;
    }
    scores
}

/// The derivative of a row's log loss by the factor.
fn derivative(scores: &[f64], actual: usize, factor: f64) -> f64 {
    let own = scores.get(actual).copied().unwrap_or(0.0);
    let (mut total, mut slope) = (0.0, 0.0);
    for score in scores {
        let exponential = libm::exp(factor * score);
        total += exponential;
        slope += exponential * (score - own);
    }
    slope / total
}

/// The probabilities of a row for scores divided by a temperature.
pub(super) fn with_temperature(probabilities: &[f64], temperature: f64) -> Vec<f64> {
    let mut scaled = scores(probabilities);
    for score in &mut scaled {
        *score = libm::exp(*score / temperature);
    }
    let total: f64 = scaled.iter().sum();
    for p in &mut scaled {
        *p /= total;
    }
    scaled
}
