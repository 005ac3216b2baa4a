//! Rows of JSON Lines: objects with the features by name.

use ordinate_model::artifact::Document;
use ordinate_model::cell::Cell;
use ordinate_model::signature::Feature;
use serde_json::{Map, Value};

use crate::observed::Observed;

/// The keys of every line of a log.
const LOG: [&str; 3] = ["level", "message", "timestamp"];

/// Tokens of missing values that other writers of JSON use.
const NOT_FINITE: [&[u8]; 3] = [b"NaN", b"-Infinity", b"Infinity"];

/// Parses an object. NaN and infinities are missing values, as in requests.
///
/// # Errors
/// Where and why the text is not an object.
pub(crate) fn parse(text: &[u8]) -> Result<Map<String, Value>, String> {
    serde_json::from_slice(text).or_else(|error| {
        let nulls = with_nulls(text).and_then(|text| serde_json::from_slice(&text).ok());
        nulls.ok_or_else(|| {
            let message = error.to_string();
            let reason = message.rsplit_once(" at line ").map_or(message.as_str(), |(reason, _)| reason);
            format!("not valid JSON at column {}: {reason}", error.column())
        })
    })
}

/// The text with `null` for NaN and infinities outside strings; `None` if the text has no such token.
fn with_nulls(text: &[u8]) -> Option<Vec<u8>> {
    let mut replaced = Vec::with_capacity(text.len());
    let (mut rest, mut in_string, mut is_changed) = (text, false, false);
    while let Some((first, after)) = rest.split_first() {
        let token = NOT_FINITE.into_iter().find(|token| !in_string && rest.starts_with(token));
        if let Some(token) = token {
            replaced.extend_from_slice(b"null");
            rest = rest.get(token.len()..).unwrap_or_default();
            is_changed = true;
            continue;
        }
        replaced.push(*first);
        rest = after;
        match first {
            b'"' => in_string = !in_string,
            // Also an escaped quote.
            b'\\' => {
                replaced.extend(rest.first());
                rest = rest.get(1..).unwrap_or_default();
            }
            _ => {}
        }
    }
    is_changed.then_some(replaced)
}

/// Whether an object is a row for this model: it has at least half of the features, and is not a line of a log.
pub(crate) fn is_row(object: &Map<String, Value>, document: &Document) -> bool {
    let features = document.signature.features();
    let named = features.iter().filter(|feature| object.contains_key(&feature.name)).count();
    let is_log = LOG.iter().all(|key| object.contains_key(*key)) && named < features.len();
    named > 0 && 2 * named >= features.len() && !is_log
}

/// Adds a row, with its known answer if it has one. An absent feature is a missing value.
pub(crate) fn push(object: &Map<String, Value>, observed: &mut Observed<'_>, place: &dyn Fn() -> String) {
    let document = observed.document();
    let value = |feature: &Feature| object.get(&feature.name).map_or(Cell::Missing, cell);
    let cells: Vec<Cell<'_>> = document.signature.features().iter().map(value).collect();
    observed.push(&cells, object.get(&document.signature.target().name).map(cell), place);
}

fn cell(value: &Value) -> Cell<'_> {
    match value {
        Value::Null => Cell::Missing,
        Value::Bool(value) => Cell::Boolean(*value),
        Value::Number(number) => match (number.as_i128(), number.as_f64()) {
            (Some(integer), _) => Cell::Integer(integer),
            (None, Some(double)) => Cell::Double(double),
            (None, None) => Cell::Missing,
        },
        Value::String(text) => Cell::Text(text),
        Value::Array(_) => Cell::Array,
        Value::Object(_) => Cell::Object,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_that_are_not_finite_are_missing() {
        let parsed = |text: &str| parse(text.as_bytes()).map(Value::Object);
        assert_eq!(
            parsed(r#"{"a":NaN,"b":[-Infinity,Infinity],"c":"NaN \"NaN","d":1e300}"#).unwrap(),
            json!({"a": null, "b": [null, null], "c": "NaN \"NaN", "d": 1e300})
        );
        assert_eq!(parsed(r#"{"a":NaN,"b":"#).unwrap_err(), "not valid JSON at column 6: expected value");
        assert_eq!(parsed(r#"{"a":"cut"#).unwrap_err(), "not valid JSON at column 9: EOF while parsing a string");
    }
}
