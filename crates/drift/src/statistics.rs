//! Distances between two sets of counts, and the probability of such distances between samples of one distribution.

use ordinate_train::distribution::chi_squared_upper;

/// Added to each count, so that an empty bin has a finite logarithm.
const SMOOTHING: f64 = 0.5;

/// The population stability index of counts by bin, with half a row added to each bin of both sides:
/// `Σ(q − p)·ln(q ÷ p)`.
///
/// An empty bin has a finite index: an empty decile adds 0.29 with 100 rows, 0.53 with 1,000 and ever more. Fractions
/// move towards equal ones, which makes the index of k bins and n rows smaller by about the fraction k ÷ n: by a tenth
/// for ten bins and 100 rows, by a hundredth for 1,000.
#[must_use]
pub fn population_stability_index(expected: &[f64], actual: &[f64]) -> f64 {
    let total = |counts: &[f64]| counts.iter().map(|count| count + SMOOTHING).sum::<f64>();
    let (all_expected, all_actual) = (total(expected), total(actual));
    let term = |(expected, actual): (&f64, &f64)| {
        let (p, q) = ((expected + SMOOTHING) / all_expected, (actual + SMOOTHING) / all_actual);
        (q - p) * libm::log(q / p)
    };
    expected.iter().zip(actual).map(term).sum()
}

/// About the population stability index of two samples of one distribution.
#[must_use]
pub fn index_of_noise(expected: &[f64], actual: &[f64]) -> f64 {
    let rows = |counts: &[f64]| counts.iter().sum::<f64>().max(1.0);
    let freedom = expected.len().saturating_sub(1) as f64;
    freedom * (1.0 / rows(expected) + 1.0 / rows(actual))
}

/// The largest difference of the cumulative fractions at the ends of the bins: Smirnov's D of binned values.
#[must_use]
pub fn kolmogorov_smirnov(expected: &[f64], actual: &[f64]) -> f64 {
    let (all_expected, all_actual) = (expected.iter().sum::<f64>(), actual.iter().sum::<f64>());
    let (mut below_expected, mut below_actual) = (0.0, 0.0);
    let mut largest = 0.0_f64;
    for (expected, actual) in expected.iter().zip(actual) {
        below_expected += expected;
        below_actual += actual;
        largest = largest.max((below_expected / all_expected - below_actual / all_actual).abs());
    }
    largest
}

/// The probability of at least this D between samples of this many rows, by Kolmogorov's limit, which for binned values
/// and small samples is too large rather than too small.
#[must_use]
pub fn smirnov_upper(d: f64, expected_rows: f64, actual_rows: f64) -> f64 {
    let rows = expected_rows * actual_rows / (expected_rows + actual_rows);
    kolmogorov_upper(rows.sqrt() * d)
}

/// `2·Σ(−1)ᵏ⁻¹·exp(−2k²x²)`
fn kolmogorov_upper(x: f64) -> f64 {
    // Below it, the sum is 1 to the last digit, and the series converges slowly.
    if x < 0.18 {
        return 1.0;
    }
    let mut sum = 0.0;
    let mut sign = 1.0;
    for k in 1..=100 {
        let k = f64::from(k);
        let term = libm::exp(-2.0 * k * k * x * x);
        sum += sign * term;
        sign = -sign;
        if term < 1e-18 {
            break;
        }
    }
    (2.0 * sum).clamp(0.0, 1.0)
}

/// Pearson's χ² of homogeneity of two samples, its degrees of freedom, and the probability of at least this χ²; `None`
/// for fewer than two bins with rows.
#[must_use]
pub fn chi_squared(expected: &[f64], actual: &[f64]) -> Option<ChiSquared> {
    let (all_expected, all_actual) = (expected.iter().sum::<f64>(), actual.iter().sum::<f64>());
    let ratio = (all_actual / all_expected).sqrt();
    let mut value = 0.0;
    let mut bins = 0_u32;
    for (expected, actual) in expected.iter().zip(actual).filter(|(expected, actual)| **expected + **actual > 0.0) {
        let difference = ratio * expected - actual / ratio;
        value += difference * difference / (expected + actual);
        bins += 1;
    }
    let freedom = f64::from(bins.checked_sub(1).filter(|freedom| *freedom > 0)?);
    // statrs does not define the tail of 0.
    let p = if value > 0.0 { chi_squared_upper(value, freedom)? } else { 1.0 };
    Some(ChiSquared { value, freedom, p })
}

/// A χ² test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChiSquared {
    /// χ².
    pub value: f64,
    /// The degrees of freedom.
    pub freedom: f64,
    /// The probability of at least this value.
    pub p: f64,
}

/// Fisher's exact test of two fractions, `[of, with]` rows each: twice the smaller tail.
#[must_use]
pub fn fisher(expected: [f64; 2], actual: [f64; 2]) -> f64 {
    let [rows, with] = actual.map(f64::round);
    let [others, others_with] = expected.map(f64::round);
    let (all, all_with) = (rows + others, with + others_with);
    let lowest = (all_with - others).max(0.0);
    let highest = all_with.min(rows);
    let observed = libm::exp(choose(all_with, with) + choose(all - all_with, rows - with) - choose(all, rows));
    // From the observed number outwards, until terms no longer count.
    let tail = |step: f64, end: f64| {
        let (mut sum, mut term, mut k) = (observed, observed, with);
        while (end - k) * step > 0.5 && (term > sum * 1e-17 || (k - all_with * rows / all) * step < 0.0) {
            let ratio = (all_with - k) * (rows - k) / ((k + 1.0) * (all - all_with - rows + k + 1.0));
            let below = k * (all - all_with - rows + k) / ((all_with - k + 1.0) * (rows - k + 1.0));
            term *= if step > 0.0 { ratio } else { below };
            k += step;
            sum += term;
        }
        sum
    };
    (2.0 * tail(1.0, highest).min(tail(-1.0, lowest))).min(1.0)
}

/// The probability that at least `with` of `rows` new rows have a property that has, in `n` earlier rows, a probability
/// with the distribution Beta(`a`, `b`).
///
/// For values outside the range of n rows it is exact with a = 2 and b = n − 1, whatever their continuous distribution.
#[must_use]
pub fn beta_binomial_upper(with: f64, rows: f64, a: f64, b: f64) -> f64 {
    if with <= 0.0 {
        return 1.0;
    }
    // Far below the mode, the first term is 0 in a double, and so would be the sum.
    if with < rows * a / (a + b) {
        return 1.0 - beta_binomial_upper(rows - with + 1.0, rows, b, a);
    }
    let log_beta = |a: f64, b: f64| libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b);
    let start = libm::exp(choose(rows, with) + log_beta(with + a, rows - with + b) - log_beta(a, b));
    let ratio = |k: f64| (rows - k) * (k + a) / ((k + 1.0) * (rows - k - 1.0 + b));
    let mode = rows * a / (a + b);
    let (mut sum, mut term, mut k) = (start, start, with);
    while k + 0.5 < rows && (term > sum * 1e-17 || k < mode) {
        term *= ratio(k);
        k += 1.0;
        sum += term;
    }
    sum.min(1.0)
}

/// The logarithm of a binomial coefficient.
fn choose(n: f64, k: f64) -> f64 {
    libm::lgamma(n + 1.0) - libm::lgamma(k + 1.0) - libm::lgamma(n - k + 1.0)
}

#[cfg(test)]
mod tests;
