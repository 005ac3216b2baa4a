//! Comparisons of one feature or output.

use ordinate_model::distribution::Histogram;
use ordinate_model::signature::{Feature, OTHER_LEVEL, UnknownPolicy};
use serde::Serialize;

use super::{FALSE_ALARM_RATE, Limits};
use crate::observed::FeatureCounts;
use crate::statistics::{
    beta_binomial_upper, chi_squared, fisher, index_of_noise, kolmogorov_smirnov, population_stability_index,
    smirnov_upper,
};

/// The fewest training rows of a level that is compared on its own: a level of fewer rows may owe them to chance.
const ROWS_OF_LEVEL: f64 = 25.0;

/// The fewest expected rows of a bin of a χ² test.
const EXPECTED_ROWS: f64 = 5.0;

/// The smallest fraction of unusual values that is drift.
const RARE_FRACTION: f64 = 0.01;

/// Two distributions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// The population stability index, with half a row added to each bin.
    pub psi: f64,
    /// About the index of two samples of one distribution with these numbers of rows.
    pub psi_of_noise: f64,
    /// `ks` for numbers, `chi_squared` for categories.
    pub statistic: &'static str,
    /// The value of the statistic.
    pub value: f64,
    /// The probability of at least this value under the training distribution, times the number of comparisons.
    pub p_value: f64,
    /// Whether it is drift.
    pub drift: bool,
    /// The number of bins; rare levels are one.
    pub bins: usize,
}

/// A fraction of the values.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fraction {
    /// In the training data.
    pub training: f64,
    /// In the compared data.
    pub data: f64,
    /// The probability of such a fraction under the training distribution, times the number of comparisons; absent if
    /// it is not compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p_value: Option<f64>,
    /// Whether it is drift.
    pub drift: bool,
    /// Whether the difference is large enough to be drift.
    #[serde(skip)]
    is_large: bool,
}

impl Comparison {
    fn new(training: &[f64], data: &[f64], statistic: &'static str, value: f64, p_value: f64) -> Self {
        Self {
            psi: population_stability_index(training, data),
            psi_of_noise: index_of_noise(training, data),
            statistic,
            value,
            p_value,
            drift: false,
            bins: training.len(),
        }
    }

    pub(super) fn judge(&mut self, comparisons: f64, limits: Limits) {
        self.p_value = (self.p_value * comparisons).min(1.0);
        self.drift = self.p_value <= FALSE_ALARM_RATE && self.psi >= limits.psi + self.psi_of_noise;
    }
}

impl Fraction {
    pub(super) fn judge(&mut self, comparisons: f64) {
        self.p_value = self.p_value.map(|p| (p * comparisons).min(1.0));
        self.drift = self.is_large && self.p_value.is_some_and(|p| p <= FALSE_ALARM_RATE);
    }

    pub(super) fn without_comparison(self) -> Self {
        Self { p_value: None, ..self }
    }
}

fn has_enough(training: &[f64], data: &[f64], limits: Limits) -> bool {
    let rows = data.iter().sum::<f64>();
    rows >= limits.rows as f64 && rows > 0.0 && training.iter().sum::<f64>() > 0.0
}

/// The distribution of numbers, in the bins of the training data.
pub(super) fn distribution_of_numbers(training: &[f64], data: &[f64], limits: Limits) -> Option<Comparison> {
    if training.len() < 2 || !has_enough(training, data, limits) {
        return None;
    }
    let d = kolmogorov_smirnov(training, data);
    let p = smirnov_upper(d, training.iter().sum(), data.iter().sum());
    Some(Comparison::new(training, data, "ks", d, p))
}

/// The distribution of the levels of a category or boolean.
pub(super) fn distribution_of_levels(
    feature: &Feature,
    training: &[f64],
    counts: &FeatureCounts,
    limits: Limits,
) -> Option<Comparison> {
    // Unknown categories that are not counted as the level of rare ones.
    let has_level = feature.levels.iter().any(|level| level == OTHER_LEVEL);
    let counts_as_level = has_level && feature.unknown == UnknownPolicy::Other;
    let unknown = if counts_as_level { 0.0 } else { counts.unknown as f64 };
    distribution_of_counts(training, &counts.counts, unknown, limits)
}

/// The distribution of predicted classes.
pub(super) fn distribution_of_classes(training: &[f64], data: &[f64], limits: Limits) -> Option<Comparison> {
    distribution_of_counts(training, data, 0.0, limits)
}

/// Levels with enough rows, and all others together. `unknown`: rows of no level.
fn distribution_of_counts(training: &[f64], data: &[f64], unknown: f64, limits: Limits) -> Option<Comparison> {
    if !has_enough(training, data, limits) {
        return None;
    }
    let (all_training, all_data) = (training.iter().sum::<f64>(), data.iter().sum::<f64>() + unknown);
    let mut bins: Vec<(f64, f64)> = Vec::new();
    let mut others = (0.0, unknown);
    for (training, data) in training.iter().zip(data) {
        if *training >= ROWS_OF_LEVEL && training / all_training * all_data >= EXPECTED_ROWS {
            bins.push((*training, *data));
        } else {
            others = (others.0 + training, others.1 + data);
        }
    }
    let smaller = all_training.min(all_data);
    let is_bin = (others.0 + others.1) * smaller / (all_training + all_data) >= EXPECTED_ROWS;
    if is_bin {
        bins.push(others);
    } else if let Some(rarest) = bins.iter_mut().min_by(|one, other| one.0.total_cmp(&other.0)) {
        *rarest = (rarest.0 + others.0, rarest.1 + others.1);
    }
    let (training, data): (Vec<f64>, Vec<f64>) = bins.into_iter().unzip();
    let test = chi_squared(&training, &data)?;
    Some(Comparison::new(&training, &data, "chi_squared", test.value, test.p))
}

/// The fraction of missing values; `None` if no value ever is.
pub(super) fn missing(training: &Histogram, counts: &FeatureCounts, limits: Limits) -> Option<Fraction> {
    let training_rows = training.given() + training.missing;
    if training.missing == 0.0 && counts.missing == 0 {
        return None;
    }
    let (rows, missing) = (counts.rows as f64, counts.missing as f64);
    let enough = counts.rows >= limits.rows && training_rows > 0.0;
    let p = enough.then(|| fisher([training_rows, training.missing], [rows, missing]));
    let psi = population_stability_index(&[training.given(), training.missing], &[rows - missing, missing]);
    let (training, data) = (training.missing / training_rows.max(1.0), missing / rows.max(1.0));
    Some(Fraction { training, data, p_value: p, drift: false, is_large: psi >= limits.psi })
}

/// Values with a property that hardly any training row has.
pub(super) struct Rare {
    pub(super) count: u64,
    pub(super) rows: u64,
    /// The estimated number of training rows with such a property, had they been new.
    pub(super) seen: f64,
    /// The variance of that estimate, divided by that of a count.
    pub(super) dispersion: f64,
    pub(super) training_rows: f64,
}

pub(super) fn rare(rare: &Rare, limits: Limits) -> Fraction {
    let Rare { count, rows, seen, dispersion, training_rows } = *rare;
    let data = count as f64 / (rows as f64).max(1.0);
    let enough = rows >= limits.rows && training_rows > seen;
    let p = || match count {
        0 => 1.0,
        count => beta_binomial_upper(
            count as f64,
            rows as f64,
            (seen + 1.0) / dispersion,
            (training_rows - seen) / dispersion,
        ),
    };
    Fraction { training: 0.0, data, p_value: enough.then(p), drift: false, is_large: data >= RARE_FRACTION }
}
