//! The distribution of the training data and of the model's predictions for them, with which later data are compared.

use serde::{Deserialize, Serialize};

use crate::estimator::Coefficients;
use crate::number::count_to_f64;
use crate::signature::{FeatureType, Signature};

/// The most features whose distributions a file contains: each adds three lists or objects, and the number of those in a
/// file is limited.
pub const MAX_FEATURES: usize = 4096;

/// The number of bins of equal weight, apart from ties, that a numeric distribution is divided into.
const BINS: usize = 10;

/// The distribution of the training data. Rows count by their weight; all counts are scaled so that they add up to the
/// number of equally weighted rows with the same sampling error (Kish's effective sample size), which without weights is
/// the number of rows. Of more than 100,000 rows it is that of a random sample.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub struct TrainingDistribution {
    /// One for each feature, in the order of the signature; empty for a model with more than [`MAX_FEATURES`].
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub features: Vec<Histogram>,
    /// The predictions of the model: its values; or the probabilities of each class, of two classes those of the second.
    pub predictions: Vec<Histogram>,
    /// The number of rows by predicted class; empty for a regressor.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub classes: Vec<f64>,
}

/// Counts of values by bin.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub struct Histogram {
    /// The ends of the bins of a number or date, ascending: a bin contains its upper end; the first and the last bin are
    /// open. Empty for a category or boolean, and for a number with one value.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub edges: Vec<f64>,
    /// One for each bin; or for each level, in the order of the signature; or for `false` and `true`.
    pub counts: Vec<f64>,
    /// Missing values, which were imputed. Those that are a level of their own are counted there.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub missing: f64,
}

// serde passes a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

impl Histogram {
    /// The distribution of numbers with weights in about ten bins of equal weight; fewer where values repeat.
    /// NaN is a missing value. `scale`: what the weights are multiplied by.
    #[must_use]
    pub fn from_numbers(mut values: Vec<(f64, f64)>, scale: f64) -> Self {
        let all: f64 = values.iter().map(|(_, weight)| weight).sum();
        values.retain(|(value, weight)| !value.is_nan() && *weight > 0.0);
        values.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        let given: f64 = values.iter().map(|(_, weight)| weight).sum();
        let missing = rounded((all - given) * scale);
        // Distinct values, each with the weight up to and including it.
        let mut distinct: Vec<(f64, f64)> = Vec::new();
        let mut total = 0.0;
        for (value, weight) in values {
            total += weight;
            match distinct.last_mut() {
                // -0 and 0 are one value.
                #[allow(clippy::float_cmp)]
                Some((last, cumulated)) if *last == value => *cumulated = total,
                _ => distinct.push((value, total)),
            }
        }
        let mut edges = Vec::new();
        let mut counts = Vec::new();
        let mut counted = 0.0;
        let few = distinct.len() <= BINS;
        let mut bin: usize = 1;
        for pair in distinct.windows(2) {
            let [(value, cumulated), (next, _)] = pair else { continue };
            let target = total * count_to_f64(bin as u64) / count_to_f64(BINS as u64);
            if !few && *cumulated < target {
                continue;
            }
            while count_to_f64(bin as u64) * total <= cumulated * count_to_f64(BINS as u64) {
                bin += 1;
            }
            edges.push(shortest_between(*value, *next));
            counts.push(rounded((cumulated - counted) * scale));
            counted = *cumulated;
        }
        counts.push(rounded((total - counted) * scale));
        Self { edges, counts, missing }
    }

    /// The distribution of positions from 0 to `levels`, with weights. NaN is a missing value.
    #[must_use]
    pub fn from_positions(values: impl IntoIterator<Item = (f64, f64)>, levels: usize, scale: f64) -> Self {
        let mut counts = vec![0.0; levels];
        let mut missing = 0.0;
        for (value, weight) in values {
            // A position of a level; a negative one saturates.
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            match counts.get_mut(value as usize) {
                Some(count) if value >= 0.0 => *count += weight,
                _ => missing += weight,
            }
        }
        let counts = counts.into_iter().map(|count| rounded(count * scale)).collect();
        Self { edges: Vec::new(), counts, missing: rounded(missing * scale) }
    }

    /// The position of the bin of a number.
    #[must_use]
    pub fn bin(&self, value: f64) -> usize {
        self.edges.partition_point(|edge| *edge < value)
    }

    /// The number of values that are not missing.
    #[must_use]
    pub fn given(&self) -> f64 {
        self.counts.iter().sum()
    }

    fn check(&self, kind: FeatureType, levels: usize) -> Result<(), String> {
        let bins = match kind {
            FeatureType::Double | FeatureType::Long | FeatureType::Date => self.edges.len() + 1,
            FeatureType::Boolean => 2,
            FeatureType::String => levels,
        };
        let is_numeric = !matches!(kind, FeatureType::Boolean | FeatureType::String);
        let ascends = self.edges.windows(2).all(|pair| pair.first() < pair.last());
        if !(ascends && self.edges.iter().all(|edge| edge.is_finite()) && (is_numeric || self.edges.is_empty())) {
            return Err("edges: expected ascending numbers, or no edges for a category or boolean".into());
        }
        let is_count = |count: &f64| count.is_finite() && *count >= 0.0;
        if self.counts.len() != bins || !self.counts.iter().chain([&self.missing]).all(is_count) {
            return Err(format!("counts: expected {bins} numbers of at least 0, got {}", self.counts.len()));
        }
        Ok(())
    }
}

impl TrainingDistribution {
    /// Checks that it fits the signature and the classes.
    pub(crate) fn check(&self, signature: &Signature, estimator: &Coefficients) -> Result<(), String> {
        let features = signature.features();
        if !self.features.is_empty() && self.features.len() != features.len() {
            return Err(format!("distribution.features: expected {}, got {}", features.len(), self.features.len()));
        }
        for (feature, histogram) in features.iter().zip(&self.features) {
            let checked = histogram.check(feature.kind, feature.levels.len());
            checked.map_err(|reason| format!("distribution of {:?}: {reason}", feature.name))?;
        }
        let classes = estimator.classes().map_or(0, <[_]>::len);
        // The probability of the first of two classes is the complement.
        let predictions = if classes > 2 { classes } else { 1 };
        if self.predictions.len() != predictions {
            return Err(format!("distribution.predictions: expected {predictions}, got {}", self.predictions.len()));
        }
        for histogram in &self.predictions {
            histogram.check(FeatureType::Double, 0).map_err(|reason| format!("distribution.predictions: {reason}"))?;
        }
        if self.classes.len() != classes || !self.classes.iter().all(|count| count.is_finite() && *count >= 0.0) {
            return Err(format!("distribution.classes: expected {classes} numbers of at least 0"));
        }
        Ok(())
    }
}

/// Counts are whole without weights; with weights they need no more digits.
fn rounded(count: f64) -> f64 {
    (count * 1000.0).round() / 1000.0
}

/// The value, rounded to the fewest digits that leave it from `value` up to, but not including, `next`.
fn shortest_between(value: f64, next: f64) -> f64 {
    (0..17)
        .filter_map(|decimals| format!("{value:.decimals$e}").parse().ok())
        .find(|short| value <= *short && *short < next)
        .unwrap_or(value)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::float_cmp)]

    use super::*;

    fn histogram(values: &[f64]) -> Histogram {
        Histogram::from_numbers(values.iter().map(|value| (*value, 1.0)).collect(), 1.0)
    }

    #[test]
    fn bins_are_deciles_with_short_edges() {
        let values: Vec<f64> = (0..1000).map(|i| f64::from(i) / 997.0).collect();
        let deciles = histogram(&values);
        assert_eq!(deciles.counts, vec![100.0; 10]);
        assert_eq!(deciles.edges.len(), 9);
        for (edge, rank) in deciles.edges.iter().zip(1..) {
            let at = 100 * rank - 1;
            assert!(values[at] <= *edge && *edge < values[at + 1]);
        }
        assert!(values.iter().all(|value| deciles.counts[deciles.bin(*value)] > 0.0));
    }

    #[test]
    fn an_edge_is_rounded_as_long_as_it_separates_the_same_values() {
        assert_eq!(shortest_between(0.299_87, 0.301), 0.3);
        assert_eq!(shortest_between(1.0 / 3.0, 0.334), 1.0 / 3.0);
        assert_eq!(shortest_between(7.0, 8.0), 7.0);
    }

    #[test]
    fn repeated_values_are_in_one_bin() {
        let counts: Vec<f64> = [vec![0.0; 60], (1..=40).map(f64::from).collect()].concat();
        let got = histogram(&counts);
        assert_eq!((got.edges[0], got.counts[0]), (0.0, 60.0));
        assert_eq!(got.counts.iter().sum::<f64>(), 100.0);
        assert_eq!(
            histogram(&[3.0, 3.0, 1.0, 2.0]),
            Histogram { edges: vec![1.0, 2.0], counts: vec![1.0, 1.0, 2.0], missing: 0.0 }
        );
        assert_eq!(histogram(&[5.0; 4]), Histogram { edges: vec![], counts: vec![4.0], missing: 0.0 });
        assert_eq!(histogram(&[-0.0, 0.0, f64::NAN]), Histogram { edges: vec![], counts: vec![2.0], missing: 1.0 });
    }

    #[test]
    fn rows_count_by_weight() {
        let values = vec![(1.0, 3.0), (2.0, 1.0), (9.0, 0.0), (f64::NAN, 2.0)];
        let got = Histogram::from_numbers(values, 0.5);
        assert_eq!(got, Histogram { edges: vec![1.0], counts: vec![1.5, 0.5], missing: 1.0 });
        let levels = Histogram::from_positions([(1.0, 2.0), (f64::NAN, 1.0), (1.0, 1.0)], 3, 1.0);
        assert_eq!(levels, Histogram { edges: vec![], counts: vec![0.0, 3.0, 0.0], missing: 1.0 });
    }
}
