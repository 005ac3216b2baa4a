//! Columns that number or name the rows: they say nothing about other rows.

use std::collections::HashSet;

use super::association::Association;
use ordinate_model::signature::FeatureType;
use ordinate_table::column::Column;
use ordinate_table::spool::{Spool, SpoolError};

/// In fewer rows all values of a column may differ by chance.
const FEW_ROWS: u64 = 10;

/// A column in which so many values differ is taken to have no two rows with the same, to bound memory.
const COUNTED: usize = 1 << 20;

/// Which features are identifiers: all values differ, they are whole numbers or text, and numbers moreover have the name of an
/// identifier, or look like codes and do not go with the target.
pub(super) fn identifiers(
    spool: &Spool,
    columns: &[Column],
    target: usize,
    associations: &[Association],
    rows: u64,
) -> Result<Vec<bool>, SpoolError> {
    let features = columns.get(..target).unwrap_or_default();
    let is_year = |column: &Column| column.range[0] >= 1500.0 && column.range[1] <= 2200.0;
    let is_candidate = |column: &Column| {
        rows > FEW_ROWS
            && !is_year(column)
            && column.feature.kind == FeatureType::Double
            && column.is_whole
            && column.missing == 0
    };
    let mut seen: Vec<Option<HashSet<u64>>> =
        features.iter().map(|column| is_candidate(column).then(HashSet::new)).collect();
    if seen.iter().any(Option::is_some) {
        spool.scan(|row| {
            for (value, seen) in row.iter().zip(&mut seen) {
                let repeats =
                    |values: &mut HashSet<u64>| values.len() < COUNTED && !values.insert((value + 0.0).to_bits());
                if seen.as_mut().is_some_and(repeats) {
                    *seen = None;
                }
            }
        })?;
    }
    let is_identifier = |(position, column): (usize, &Column)| {
        if column.feature.kind == FeatureType::String {
            rows > FEW_ROWS && column.levels().len() as u64 == rows
        } else {
            let correlation = associations.get(position).map_or(0.0, |association| association.correlation.abs());
            let by_chance = (2.0 / (rows as f64).sqrt()).clamp(0.05, 0.3);
            seen.get(position).is_some_and(Option::is_some)
                && (names_rows(column.name()) || (looks_like_codes(column, rows) && correlation < by_chance))
        }
    };
    Ok(features.iter().enumerate().map(is_identifier).collect())
}

/// Whether whole numbers look like codes: hardly any number of their range is absent, or all have the same number of digits, at
/// least four.
fn looks_like_codes(column: &Column, rows: u64) -> bool {
    let [low, high] = column.range;
    let digits = |value: f64| value.abs().max(1.0).log10().floor();
    let is_dense = high - low < 1.1 * rows as f64;
    is_dense || (low > 0.0 && digits(low) >= 3.0 && digits(low).total_cmp(&digits(high)).is_eq())
}

/// Whether a name is that of an identifier: `id`, `PassengerId`, `customer_id`, `PID`, `uuid`, `index`, `rownames`.
pub(super) fn names_rows(name: &str) -> bool {
    const WORDS: [&str; 12] =
        ["id", "ids", "uuid", "guid", "index", "idx", "rownames", "rowname", "row", "obs", "key", "serial"];
    let lower = name.to_lowercase();
    let last = lower.rsplit(['_', '-', '.', ' ']).next().unwrap_or_default();
    let first = lower.split(['_', '-', '.', ' ']).next().unwrap_or_default();
    let is_camel = name.strip_suffix("Id").or_else(|| name.strip_suffix("ID")).is_some();
    WORDS.contains(&last) || first == "id" || is_camel || lower.starts_with("unnamed: ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_identifiers_are_recognised() {
        for name in ["id", "ID", "PassengerId", "customer_id", "PID", "row.index", "Unnamed: 0", "id_sample"] {
            assert!(names_rows(name), "{name}");
        }
        for name in ["width", "humid", "paid", "age", "acid", "idea"] {
            assert!(!names_rows(name), "{name}");
        }
    }
}
