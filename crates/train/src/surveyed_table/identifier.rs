//! Columns that number or name the rows: they say nothing about other rows.

use super::association::Association;
use ordinate_model::signature::FeatureType;
use ordinate_table::column::Column;

/// In fewer rows all values of a column may differ by chance.
const FEW_ROWS: u64 = 10;

/// Random numbers all differ with a probability of exp(−this).
const SURPRISING: f64 = 7.0;

/// Whether a column of this many rows is an identifier: all values differ, they are whole numbers or text, and numbers
/// moreover have the name of an identifier, or look like codes and do not go with the target.
pub(super) fn is_identifier(column: &Column, association: &Association, rows: u64) -> bool {
    if rows <= FEW_ROWS {
        return false;
    }
    if column.feature.kind == FeatureType::String {
        return column.levels().len() as u64 == rows;
    }
    let is_year = column.range[0] >= 1500.0 && column.range[1] <= 2200.0;
    let by_chance = (2.0 / (rows as f64).sqrt()).clamp(0.05, 0.3);
    let is_unrelated = association.correlation.abs() < by_chance;
    association.all_differ
        && !is_year
        && (names_rows(column.name()) || (is_unrelated && looks_like_codes(column, rows)))
}

/// Whether different whole numbers look like codes: hardly any number of their range is absent, or all have the same
/// number of digits, at least four, and measurements would have repeated (the birthday problem).
fn looks_like_codes(column: &Column, rows: u64) -> bool {
    let [low, high] = column.range;
    let (rows, span) = (rows as f64, high - low + 1.0);
    let digits = |value: f64| libm::log10(value.abs().max(1.0)).floor();
    let has_digits = low > 0.0 && digits(low) >= 3.0 && digits(low).total_cmp(&digits(high)).is_eq();
    span < 1.1 * rows || (has_digits && rows * rows / (2.0 * span) > SURPRISING)
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
