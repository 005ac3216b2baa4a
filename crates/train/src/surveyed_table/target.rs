//! The classes of a target.

use super::levels::{note_on_spaces, similar_levels};
use ordinate_model::scalar::Scalar;
use ordinate_model::signature::{Feature, FeatureType, Target};
use ordinate_model::wording::{NAMED, listed, shorten};
use ordinate_table::column::Column;
use ordinate_table::infer::shown;
use ordinate_table::{DataError, MAX_CLASSES};

/// Classes in ascending order, the numbers of numeric classes, and the number of rows of each.
#[derive(Debug, Default)]
pub(super) struct Classes {
    pub(super) labels: Vec<Scalar>,
    pub(super) values: Vec<f64>,
    pub(super) counts: Vec<u64>,
}

/// The target as a feature, to read it in test data, and as the signature describes it.
pub(super) fn described(column: &Column, classes: &Classes) -> (Feature, Target) {
    let mut feature = column.feature.clone();
    if feature.kind == FeatureType::String {
        feature.levels = column.levels().into_keys().map(str::to_owned).collect();
    }
    let kind = match feature.kind {
        FeatureType::Double if classes.labels.iter().any(|class| matches!(class, Scalar::Integer(_))) => {
            FeatureType::Long
        }
        kind => kind,
    };
    let target = Target { reading: feature.reading.clone(), ..Target::new(feature.name.clone(), kind) };
    (feature, target)
}

/// Notes on classes with one row, and on classes that differ only in spaces.
pub(super) fn notes(column: &Column, classes: &Classes) -> Vec<String> {
    let single = classes.labels.iter().zip(&classes.counts).filter(|(_, count)| **count == 1);
    let single: Vec<String> = single.map(|(class, _)| shorten(&class.label())).collect();
    let mut notes = Vec::new();
    if !single.is_empty() {
        notes.push(format!("classes of {} with only one row: {}", shown(column.name()), listed(single, NAMED)));
    }
    if column.feature.kind == FeatureType::String {
        let similar = similar_levels(column.levels().into_keys());
        notes.extend(similar.map(|levels| note_on_spaces(&format!("{} ({levels})", shown(column.name())))));
    }
    notes
}

/// The fewest rows, and different values, of a target that is taken for a count.
const FEWEST_OF_COUNTS: (u64, usize) = (20, 3);

/// Whether a numeric target looks like a count: whole numbers from 0, few of them different, and skewed to the right.
pub(super) fn is_count(column: &Column) -> bool {
    let [low, high] = column.range;
    let (rows, values) = FEWEST_OF_COUNTS;
    let is_from_zero = column.is_whole && low == 0.0 && column.present >= rows;
    let counts: Vec<(f64, u64)> = match column.values.counts() {
        Some(counts) if is_from_zero && column.feature.kind == FeatureType::Double => counts.collect(),
        _ => return false,
    };
    let total: f64 = counts.iter().map(|(value, rows)| value * *rows as f64).sum();
    counts.len() >= values && 2.0 * total < high * column.present as f64
}

/// The values of a numeric target that has exactly two, each in more than one row.
pub(super) fn two_values(column: &Column) -> Option<[Scalar; 2]> {
    if column.feature.kind != FeatureType::Double {
        return None;
    }
    let counts: Vec<(f64, u64)> = column.values.counts()?.collect();
    match counts.as_slice() {
        [(low, of_low), (high, of_high)] if *of_low > 1 && *of_high > 1 => {
            <[Scalar; 2]>::try_from(labels(column, &[*low, *high])).ok()
        }
        _ => None,
    }
}

/// Numbers as labels: whole ones are written without a fraction, unless the file has one.
fn labels(column: &Column, values: &[f64]) -> Vec<Scalar> {
    let whole = values.iter().all(|value| value.fract() == 0.0 && value.abs() <= 9_007_199_254_740_992.0);
    let is_integer = whole && !column.has_point;
    // Whole and at most 2^53: exact.
    #[allow(clippy::cast_possible_truncation)]
    let class = |value: &f64| if is_integer { Scalar::Integer(*value as i64) } else { Scalar::Number(*value) };
    values.iter().map(class).collect()
}

/// The classes of a target in this many rows.
///
/// # Errors
/// [`DataError`] when there are too many or too few, or hardly any two rows have the same.
pub(super) fn classes(column: &Column, rows: u64) -> Result<Classes, DataError> {
    let name = || column.name().to_owned();
    let is_text = column.feature.kind == FeatureType::String;
    let too_many = || DataError::TooManyClasses { column: name(), is_text };
    let classes = match column.feature.kind {
        FeatureType::String => {
            let (labels, counts) =
                column.levels().into_iter().map(|(level, count)| (Scalar::Text(level.to_owned()), count)).unzip();
            Classes { labels, values: Vec::new(), counts }
        }
        FeatureType::Boolean => {
            let counts: Vec<(f64, u64)> = column.values.counts().ok_or_else(too_many)?.collect();
            let of = |value: f64| {
                counts.iter().find(|(found, _)| found.total_cmp(&value).is_eq()).map_or(0, |(_, count)| *count)
            };
            let counts = [0.0, 1.0].map(of);
            Classes {
                labels: [false, true].map(Scalar::Boolean).to_vec(),
                values: vec![0.0, 1.0],
                counts: counts.to_vec(),
            }
        }
        _ => {
            let (values, counts): (Vec<f64>, Vec<u64>) = column.values.counts().ok_or_else(too_many)?.unzip();
            Classes { labels: labels(column, &values), values, counts }
        }
    };
    let count = classes.labels.len();
    if classes.counts.iter().filter(|count| **count > 0).count() < 2 {
        let advice = "choose another --target".to_owned();
        return Err(DataError::Constant { role: "target", column: name(), advice });
    }
    if count > MAX_CLASSES {
        return Err(too_many());
    }
    let fractions = classes.values.iter().any(|value| value.fract() != 0.0);
    if (fractions && 2 * count as u64 > rows) || (count as u64 == rows && rows > 2) {
        return Err(DataError::NotClasses { column: name(), classes: count, rows, is_text });
    }
    Ok(classes)
}
