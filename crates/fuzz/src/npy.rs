//! Bodies of `/invocations` as arrays of numpy: an accepted array of doubles has the predictions of the same numbers in
//! JSON.

use serde_json::json;

use crate::service::{post, predictions};

const NPY: &[(&str, &str)] = &[("content-type", "application/x-npy"), ("accept", "application/json")];

/// Checks a body.
pub(crate) fn check(body: &[u8]) -> bool {
    // A model with features of other types, for arrays of text.
    post("/endpoints/people/invocations", NPY, body);
    let response = post("/endpoints/identity/invocations", NPY, body);
    if response.status != 200 {
        return false;
    }
    let Some(values) = doubles(body) else { return true };
    let rows: Vec<_> = values.iter().map(|value| [value]).collect();
    let again = post("/models/identity/predict", &[], json!({"X": rows}).to_string().as_bytes());
    assert_eq!(predictions(&again), predictions(&response), "{values:?}");
    true
}

/// The values of an array of finite little-endian doubles.
fn doubles(body: &[u8]) -> Option<Vec<f64>> {
    let (size, start) = match body.get(6)? {
        1 => (usize::from(u16::from_le_bytes(body.get(8..10)?.try_into().ok()?)), 10),
        _ => (usize::try_from(u32::from_le_bytes(body.get(8..12)?.try_into().ok()?)).ok()?, 12),
    };
    let header = std::str::from_utf8(body.get(start..start + size)?).ok()?;
    let values = body.get(start + size..)?;
    let doubles: Vec<f64> = values.as_chunks::<8>().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();
    let is_plain = header.contains("'<f8'") && doubles.iter().all(|value| value.is_finite()) && !doubles.is_empty();
    is_plain.then_some(doubles)
}
