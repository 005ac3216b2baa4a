//! Bodies of `/predict` in JSON.
//!
//! - An accepted body, written again by another library, has the same answer.
//! - Every number is read exactly: as the double nearest to its digits, and an integer as itself.
//! - Errors of syntax have a line and a column, and the pointers of other errors lead to a place in the body.

use std::collections::HashMap;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::service::{check_pointers, post, predictions};

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

/// Checks a body.
pub(crate) fn check(body: &[u8]) -> bool {
    let exact = check_exactness(body);
    let response = post("/models/people/predict", JSON, body);
    let parsed = serde_json::from_slice::<Value>(body);
    if response.status != 200 {
        let error = response.json();
        if error["code"] == "invalid_json" {
            let detail = error["detail"].as_str().unwrap();
            let has_place = detail.contains("line ") && detail.contains("column ");
            assert!(has_place || detail.contains("the body is empty"), "{error}");
        } else if let Ok(parsed) = &parsed {
            check_pointers(&response, parsed);
        }
        return exact;
    }
    let text = std::str::from_utf8(body).unwrap();
    let Ok(parsed) = parsed else {
        // The tokens that the service accepts and the library does not, and a byte order mark.
        let more = ["NaN", "Infinity", "\u{feff}"];
        assert!(more.iter().any(|token| text.contains(token)), "{text}");
        return true;
    };
    let again = post("/models/people/predict", JSON, parsed.to_string().as_bytes());
    assert_eq!((again.status, again.json()), (response.status, response.json()), "{text}\n{parsed}");
    true
}

/// Checks the numbers that the model `identity` returns. Returns whether it has accepted the body.
fn check_exactness(body: &[u8]) -> bool {
    let response = post("/models/identity/predict", JSON, body);
    if response.status != 200 {
        return false;
    }
    let Some(literals) = literals(body) else { return true };
    let predictions = predictions(&response);
    assert_eq!(literals.len(), predictions.len(), "{literals:?} {predictions:?}");
    for (literal, prediction) in literals.iter().zip(predictions) {
        let read = prediction.as_f64().unwrap();
        assert!(is_exact(literal, read), "{literal} was read as {read:?}");
    }
    true
}

/// The numbers of the rows as they are written, of a body with `X` in one of its forms.
fn literals(body: &[u8]) -> Option<Vec<String>> {
    let keys: HashMap<String, Box<RawValue>> = serde_json::from_slice(body).ok()?;
    let rows = keys.get("X")?.get();
    let columns: HashMap<String, Vec<Box<RawValue>>> = serde_json::from_str(rows).unwrap_or_default();
    if let Some(column) = columns.get("x") {
        return Some(column.iter().map(|value| value.get().to_owned()).collect());
    }
    let rows: Vec<Box<RawValue>> = serde_json::from_str(rows).ok()?;
    let literal = |row: &RawValue| {
        let row = row.get();
        if let Ok(values) = serde_json::from_str::<Vec<Box<RawValue>>>(row) {
            return values.first().map(|value| value.get().to_owned());
        }
        if let Ok(values) = serde_json::from_str::<HashMap<String, Box<RawValue>>>(row) {
            return values.get("x").map(|value| value.get().to_owned());
        }
        Some(row.to_owned())
    };
    rows.iter().map(|row| literal(row)).collect()
}

/// Whether a number is read as it is written.
fn is_exact(literal: &str, read: f64) -> bool {
    // The parser of the standard library rounds to the nearest double.
    if literal.parse() != Ok(read) {
        return false;
    }
    let digits = literal.trim_start_matches('-');
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number that is not zero stays one.
        let mantissa = digits.split(['e', 'E']).next().unwrap_or_default();
        return read != 0.0 || mantissa.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    }
    // All digits of the double, or its shortest digits padded with zeros, as JavaScript prints it.
    let shortest = format!("{:e}", read.abs());
    let (mantissa, exponent) = shortest.split_once('e').unwrap();
    let mut padded = mantissa.replace('.', "");
    let zeros = exponent.parse::<usize>().unwrap_or_default() + 1;
    while padded.len() < zeros {
        padded.push('0');
    }
    digits == format!("{:.0}", read.abs()) || digits == padded
}
