//! What text can mean beside numbers and words: one rule for training and for serving, and for every form that text comes
//! in (a CSV field, a JSON string, a `BYTES` tensor, a Parquet string).

/// Whether a text is no value: it is empty or blank, or one of the words that programs write then, spaces around it aside.
#[must_use]
pub fn is_missing(text: &str) -> bool {
    let text = text.trim_ascii();
    // Numbers are what there is most of, and none begins with the letter of all these words.
    match text.as_bytes().first() {
        None => true,
        Some(b'n' | b'N') => ["na", "n/a", "nan", "null", "none"].iter().any(|word| text.eq_ignore_ascii_case(word)),
        Some(_) => false,
    }
}

/// A boolean as programs write it: JSON and SQL, pandas, R and spreadsheets.
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
    fn empty_fields_and_words_for_no_value_are_missing_in_any_case() {
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
