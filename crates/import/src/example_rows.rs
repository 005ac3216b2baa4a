//! Rows for the golden rows of a model without any data: around the means in its scalers, with all categories.

use std::collections::HashMap;

use ordinate_model::artifact::Document;
use ordinate_model::preprocess::{DesignColumn, Factor, FactorFunction};
use ordinate_model::scalar::Scalar;
use ordinate_model::signature::{Feature, FeatureType, MissingPolicy, OTHER_LEVEL, UnknownPolicy};

/// The distances of the rows from the mean, in standard deviations.
const DISTANCES: [f64; 5] = [0.0, 1.0, -1.0, 0.5, -0.5];

/// The mean and scale of a number that no scaler knows.
const UNKNOWN: (f64, f64) = (1.0, 0.5);

/// A few rows in the order of the features; the last one has missing values where the model accepts them.
pub(crate) fn example_rows(document: &Document) -> Vec<Vec<Scalar>> {
    let features = document.signature.features();
    let scales = Scales::new(&document.preprocess.columns);
    let row = |row: usize| -> Vec<Scalar> {
        let each = features.iter().enumerate();
        each.map(|(position, feature)| value(feature, &scales, row + position)).collect()
    };
    let mut rows: Vec<Vec<Scalar>> = (0..DISTANCES.len()).map(row).collect();
    if features.iter().any(|feature| feature.missing != MissingPolicy::Reject) {
        let mut last = row(0);
        for (value, feature) in last.iter_mut().zip(features) {
            if feature.missing != MissingPolicy::Reject {
                *value = Scalar::Missing;
            }
        }
        rows.push(last);
    }
    rows
}

fn value(feature: &Feature, scales: &Scales<'_>, turn: usize) -> Scalar {
    match feature.kind {
        FeatureType::Boolean => Scalar::Boolean(turn % 2 == 1),
        FeatureType::String => {
            let is_group = |level: &&String| {
                matches!(&feature.missing, MissingPolicy::Category(missing) if missing == *level)
                    || (feature.unknown == UnknownPolicy::Other && *level == OTHER_LEVEL)
            };
            let levels: Vec<&String> = feature.levels.iter().filter(|level| !is_group(level)).collect();
            let level = levels.get(turn % levels.len().max(1)).copied().or(feature.levels.first());
            level.map_or(Scalar::Missing, |level| Scalar::Text(level.clone()))
        }
        _ => {
            let distance = DISTANCES.get(turn % DISTANCES.len()).copied().unwrap_or(0.0);
            Scalar::Number(number(feature, scales, distance))
        }
    }
}

/// The function, mean and scale of each feature that is alone in a column: of the first such column.
struct Scales<'d>(HashMap<&'d str, (Option<FactorFunction>, (f64, f64))>);

impl<'d> Scales<'d> {
    fn new(columns: &'d [DesignColumn]) -> Self {
        let mut scales = HashMap::new();
        for column in columns {
            if let [factor] = column.product.as_slice()
                && factor.power.is_none()
                && factor.level.is_none()
                && !factor.missing
            {
                let scale = (factor.function, mean_and_scale(factor, column));
                scales.entry(factor.feature.as_str()).or_insert(scale);
            }
        }
        Self(scales)
    }
}

/// A number at a distance from the mean of the feature.
fn number(feature: &Feature, Scales(scales): &Scales<'_>, distance: f64) -> f64 {
    let (function, (mean, scale)) = scales.get(feature.name.as_str()).copied().unwrap_or((None, UNKNOWN));
    let value = distance.mul_add(scale, mean);
    let value = match function {
        None => value,
        Some(FactorFunction::Log) => value.exp(),
        Some(FactorFunction::Log1p) => value.exp_m1(),
        Some(FactorFunction::Sqrt) => value * value,
    };
    let value = if value.is_finite() { value } else { UNKNOWN.0 };
    match feature.minimum {
        _ if feature.positive && value <= 0.0 => UNKNOWN.0,
        Some(minimum) => value.max(minimum),
        None => value,
    }
}

#[allow(clippy::float_cmp)]
fn mean_and_scale(factor: &Factor, column: &DesignColumn) -> (f64, f64) {
    match (factor.mean, factor.scale) {
        (None, None) if column.mean == 0.0 && column.scale == 1.0 => UNKNOWN,
        (None, None) => (column.mean, column.scale),
        (mean, scale) => (mean.unwrap_or(0.0), scale.unwrap_or(1.0)),
    }
}
