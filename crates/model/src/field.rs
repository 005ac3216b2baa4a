//! Missing values and booleans in text: one rule for training and serving, and for all sources of text (CSV fields,
//! JSON strings, `BYTES` tensors, Parquet strings).

/// Whether a text is a missing value: empty, blank, or one of `NA`, `N/A`, `NaN`, `NULL`, `None` in any case, with
/// spaces around it or not.
#[must_use]
pub fn is_missing(text: &str) -> bool {
    let text = text.trim_ascii();
    // The first letter excludes nearly all fields, most of which are numbers.
    match text.as_bytes().first() {
        None => true,
        Some(b'n' | b'N') => ["na", "n/a", "nan", "null", "none"].iter().any(|word| text.eq_ignore_ascii_case(word)),
        Some(_) => false,
    }
}

/// A boolean as JSON and SQL, pandas, R and spreadsheets write it.
#[must_use]
pub fn boolean(text: &str) -> Option<bool> {
    match text.trim_ascii() {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_fields_and_missing_value_markers_are_missing_in_any_case() {
        for text in ["", "  ", "NA", "na", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None", " none "] {
            assert!(is_missing(text), "{text:?}");
        }
        for text in ["0", "-", "no", "nano", "N", "not available", "missing", "inf"] {
            assert!(!is_missing(text), "{text:?}");
        }
    }

    #[test]
    fn booleans_are_those_of_json_pandas_and_r() {
        for (text, expected) in [
            ("true", Some(true)),
            ("True", Some(true)),
            (" TRUE", Some(true)),
            ("false", Some(false)),
            ("False", Some(false)),
            ("FALSE ", Some(false)),
            ("tRUE", None),
            ("T", None),
            ("1", None),
            ("yes", None),
        ] {
            assert_eq!(boolean(text), expected, "{text:?}");
        }
    }
}
