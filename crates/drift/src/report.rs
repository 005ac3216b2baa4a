//! Comparisons of rows with the training data, and which of them are drift.
//!
//! A comparison is drift if its probability under the training distribution, times the number of all comparisons
//! (Bonferroni), is at most 1 %, and the difference is also large enough to be of interest. The first condition bounds
//! the false alarms of the whole report, the second ignores small differences that many rows make significant.

mod comparison;
mod performance;
pub(crate) mod text;

use ordinate_model::date;
use ordinate_model::distribution::Histogram;
use ordinate_model::scalar::Scalar;
use ordinate_model::signature::{Feature, FeatureType, OTHER_LEVEL};
use serde::Serialize;

use crate::observed::Observed;
use comparison::{Rare, distribution_of_classes, distribution_of_levels, distribution_of_numbers, missing, rare};
use performance::performance;

pub use comparison::{Comparison, Fraction};
pub use performance::{ErrorComparison, Performance};

/// The largest probability of drift in a report on rows from the training distribution.
pub const FALSE_ALARM_RATE: f64 = 0.01;

/// From which differences on a comparison is drift, and how many rows it needs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// The population stability index, above that of noise.
    pub psi: f64,
    /// The fewest values of a comparison.
    pub rows: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { psi: 0.1, rows: 100 }
    }
}

/// The comparison of rows with the training data.
#[derive(Debug, Clone, Serialize)]
pub struct DriftReport {
    /// The name of the model.
    pub model: String,
    /// Its version.
    pub version: String,
    /// The name of the data.
    pub data: String,
    /// Whether a comparison is drift.
    pub drift: bool,
    /// Rows that were compared.
    pub rows: u64,
    /// Rows that the model rejects; their valid values are compared.
    pub rejected: u64,
    /// The number of training rows that the distribution in the model file is worth.
    pub training_rows: f64,
    /// The number of comparisons.
    pub comparisons: usize,
    /// The population stability index from which on a difference is drift, above that of noise.
    pub psi_limit: f64,
    /// The fewest values of a comparison.
    pub min_rows: u64,
    /// One for each feature.
    pub features: Vec<SubjectReport>,
    /// The outputs of the model.
    pub predictions: Vec<SubjectReport>,
    /// The metrics, if answers are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub performance: Option<Performance>,
    /// Remarks on the data.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// A feature, or an output of the model.
#[derive(Debug, Clone, Serialize)]
pub struct SubjectReport {
    /// The name of the feature, or of the output.
    pub name: String,
    /// The type of the feature; absent for an output.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<FeatureType>,
    /// Whether one of the comparisons is drift.
    pub drift: bool,
    /// All values, with missing ones.
    pub rows: u64,
    /// The distribution of the values; absent with too few of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distribution: Option<Comparison>,
    /// Missing values, which the model imputes or rejects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<Fraction>,
    /// Numbers and dates outside the range of the training data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outside_range: Option<Fraction>,
    /// Categories that are not in the training data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unknown_categories: Option<Fraction>,
    /// Values of another type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invalid: Option<Fraction>,
    /// The bins of the charts.
    pub bins: Vec<BinReport>,
}

/// A bin or level, with the fraction of the values in it.
#[derive(Debug, Clone, Serialize)]
pub struct BinReport {
    /// The level, or the range of the numbers.
    pub label: String,
    /// The fraction of the training rows.
    pub training: f64,
    /// The fraction of the rows.
    pub data: f64,
}

impl DriftReport {
    /// Compares the rows with the training data.
    #[must_use]
    pub fn new(observed: &Observed<'_>, data: String, limits: Limits) -> Self {
        let document = observed.document();
        let distribution = observed.distribution();
        let training_rows = distribution.predictions.first().map_or(0.0, |output| output.given() + output.missing);
        let features: Vec<SubjectReport> =
            (0..observed.features.len()).filter_map(|at| feature(observed, at, limits)).collect();
        let (performance, errors) = performance(observed, limits);
        let rejected = observed.rejected.note("row that the model rejects", "rows that the model rejects");
        let unreadable = observed.unreadable_answers.note("answer that cannot be read", "answers that cannot be read");
        let mut report = Self {
            model: document.name.to_string(),
            version: document.version.to_string(),
            data,
            drift: false,
            rows: observed.rows,
            rejected: observed.rejected.count,
            training_rows,
            comparisons: 0,
            psi_limit: limits.psi,
            min_rows: limits.rows,
            features,
            predictions: predictions(observed, limits),
            performance,
            notes: rejected.into_iter().chain(unreadable).chain(errors).collect(),
        };
        report.judge(limits);
        report
    }

    /// Corrects all probabilities by the number of comparisons, and decides which are drift.
    fn judge(&mut self, limits: Limits) {
        let subjects = || self.features.iter().chain(&self.predictions);
        let of_subjects: usize = subjects().map(SubjectReport::comparisons).sum();
        let of_errors = self.performance.as_ref().map_or(0, |performance| performance.comparisons.len());
        self.comparisons = of_subjects + of_errors;
        let comparisons = self.comparisons.max(1) as f64;
        for subject in self.features.iter_mut().chain(&mut self.predictions) {
            subject.judge(comparisons, limits);
        }
        if let Some(performance) = &mut self.performance {
            performance.judge(comparisons);
        }
        let has_drift = self.features.iter().chain(&self.predictions).any(|subject| subject.drift);
        self.drift = has_drift || self.performance.as_ref().is_some_and(|performance| performance.drift);
    }
}

impl SubjectReport {
    /// The fractions of values without a bin, with their names.
    pub(crate) fn fractions(&self) -> impl Iterator<Item = (&'static str, &Fraction)> {
        let named = [
            ("missing", &self.missing),
            ("out of range", &self.outside_range),
            ("unknown", &self.unknown_categories),
            ("invalid", &self.invalid),
        ];
        named.into_iter().filter_map(|(name, fraction)| Some((name, fraction.as_ref()?)))
    }

    /// `drift`, with the fractions that are the reason where the distribution is not; empty without drift.
    pub(crate) fn verdict(&self) -> String {
        let reasons: Vec<&str> =
            self.fractions().filter(|(_, fraction)| fraction.drift).map(|(name, _)| name).collect();
        match (self.drift, self.distribution.as_ref().is_some_and(|compared| compared.drift), reasons.is_empty()) {
            (false, ..) => String::new(),
            (true, false, false) => format!("drift: {}", reasons.join(", ")),
            (true, ..) => "drift".to_owned(),
        }
    }

    fn comparisons(&self) -> usize {
        usize::from(self.distribution.is_some())
            + self.fractions().filter(|(_, fraction)| fraction.p_value.is_some()).count()
    }

    fn judge(&mut self, comparisons: f64, limits: Limits) {
        let fractions = [&mut self.missing, &mut self.outside_range, &mut self.unknown_categories, &mut self.invalid];
        let mut drift = false;
        for fraction in fractions.into_iter().flatten() {
            fraction.judge(comparisons);
            drift |= fraction.drift;
        }
        if let Some(distribution) = &mut self.distribution {
            distribution.judge(comparisons, limits);
            drift |= distribution.drift;
        }
        self.drift = drift;
    }
}

/// The comparisons of a feature.
fn feature(observed: &Observed<'_>, at: usize, limits: Limits) -> Option<SubjectReport> {
    let document = observed.document();
    let feature = document.signature.features().get(at)?;
    let (training, counts) = (observed.distribution().features.get(at)?, observed.features.get(at)?);
    // Ranges, types and unknown categories are those of all training rows.
    let all = document.training.rows.map_or_else(|| training.given(), |rows| rows as f64);
    let is_number = matches!(feature.kind, FeatureType::Double | FeatureType::Long | FeatureType::Date);
    let is_category = feature.kind == FeatureType::String;
    let rare = |count: u64, seen: f64, dispersion: f64| {
        rare(&Rare { count, rows: counts.rows, seen, dispersion, training_rows: all }, limits)
    };
    let distribution = if is_number {
        distribution_of_numbers(&training.counts, &counts.counts, limits)
    } else {
        distribution_of_levels(feature, &training.counts, counts, limits)
    };
    Some(SubjectReport {
        name: feature.name.clone(),
        kind: Some(feature.kind),
        drift: false,
        rows: counts.rows,
        distribution,
        missing: missing(training, counts, limits),
        outside_range: is_number.then(|| rare(counts.outside, 1.0, 1.0)),
        unknown_categories: is_category.then(|| unknown(feature, training, counts.unknown, &rare)),
        invalid: (counts.invalid > 0).then(|| rare(counts.invalid, 0.0, 1.0)),
        bins: bins(feature, training, &counts.counts),
    })
}

/// Unknown categories. Where rare levels of the training data are grouped, they are unknown to the model too, and
/// compared as the level of their group.
fn unknown(feature: &Feature, training: &Histogram, count: u64, rare: &impl Fn(u64, f64, f64) -> Fraction) -> Fraction {
    let is_grouped = feature.levels.iter().any(|level| level == OTHER_LEVEL);
    // The number of levels with one row estimates the number of rows with further levels (Good and Turing).
    let single = training.counts.iter().filter(|count| **count <= 1.0).count() as f64;
    // Its variance is that number plus twice the number of levels with two rows.
    let double = training.counts.iter().filter(|count| **count > 1.0 && **count <= 2.0).count() as f64;
    let dispersion = 1.0 + 2.0 * double / (single + 1.0);
    let fraction = rare(count, single, dispersion);
    if is_grouped { fraction.without_comparison() } else { fraction }
}

/// The comparisons of the outputs.
fn predictions(observed: &Observed<'_>, limits: Limits) -> Vec<SubjectReport> {
    let document = observed.document();
    let distribution = observed.distribution();
    let labels: Vec<String> = document.estimator.classes().into_iter().flatten().map(Scalar::label).collect();
    let target = &document.signature.target().name;
    let output = |name: String, distribution, bins, rows: &[f64]| SubjectReport {
        name,
        kind: None,
        drift: false,
        // Counts of rows.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        rows: rows.iter().sum::<f64>() as u64,
        distribution,
        missing: None,
        outside_range: None,
        unknown_categories: None,
        invalid: None,
        bins,
    };
    let mut outputs = Vec::new();
    if !labels.is_empty() {
        let bins = labels.iter().zip(distribution.classes.iter().zip(&observed.classes));
        let bins = fractions(bins.map(|(label, (training, data))| (label.clone(), *training, *data)).collect());
        let compared = distribution_of_classes(&distribution.classes, &observed.classes, limits);
        outputs.push(output(format!("predicted {target}"), compared, bins, &observed.classes));
    }
    for (at, (training, counts)) in distribution.predictions.iter().zip(&observed.predictions).enumerate() {
        let name = match labels.as_slice() {
            [] => format!("predicted {target}"),
            [_, second] => format!("probability of {second}"),
            labels => format!("probability of {}", labels.get(at).map_or("", String::as_str)),
        };
        let compared = distribution_of_numbers(&training.counts, counts, limits);
        let bins = numeric_bins(training, counts, short);
        outputs.push(output(name, compared, bins, counts));
    }
    outputs
}

/// The fractions of the values in each bin.
fn bins(feature: &Feature, training: &Histogram, counts: &[f64]) -> Vec<BinReport> {
    let of_labels = |labels: Vec<String>| {
        let bins = labels.into_iter().zip(training.counts.iter().zip(counts));
        fractions(bins.map(|(label, (training, data))| (label, *training, *data)).collect())
    };
    match feature.kind {
        FeatureType::Double | FeatureType::Long => numeric_bins(training, counts, short),
        FeatureType::Date => numeric_bins(training, counts, date::to_iso),
        FeatureType::Boolean => of_labels(vec!["false".to_owned(), "true".to_owned()]),
        FeatureType::String => of_labels(feature.levels.clone()),
    }
}

fn numeric_bins(training: &Histogram, counts: &[f64], text: impl Fn(f64) -> String) -> Vec<BinReport> {
    let ends: Vec<String> = training.edges.iter().map(|edge| text(*edge)).collect();
    let label = |bin: usize| {
        let below = bin.checked_sub(1).and_then(|before| ends.get(before));
        match (below, ends.get(bin)) {
            (None, Some(end)) => format!("up to {end}"),
            (Some(start), Some(end)) => format!("{start} to {end}"),
            (Some(start), None) => format!("above {start}"),
            (None, None) => "all".to_owned(),
        }
    };
    let bins = training.counts.iter().zip(counts).enumerate();
    fractions(bins.map(|(bin, (training, data))| (label(bin), *training, *data)).collect())
}

fn fractions(bins: Vec<(String, f64, f64)>) -> Vec<BinReport> {
    let total = |sum: f64| if sum > 0.0 { sum } else { 1.0 };
    let training = total(bins.iter().map(|(_, training, _)| training).sum());
    let data = total(bins.iter().map(|(_, _, data)| data).sum());
    let bin =
        |(label, of_training, of_data)| BinReport { label, training: of_training / training, data: of_data / data };
    bins.into_iter().map(bin).collect()
}

/// A number with at most five digits.
fn short(value: f64) -> String {
    ordinate_train::summary::rounded(value, 5)
}
