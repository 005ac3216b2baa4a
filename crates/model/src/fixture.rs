//! Model documents and frames for tests.

#![allow(clippy::needless_pass_by_value, reason = "callers pass literals")]

use serde_json::{Value, json};

use crate::artifact::{Document, FORMAT};
use crate::frame::{Frame, RowsBuilder};
use crate::model::Model;
use crate::scalar::Scalar;

/// A draft of a model file with these features, columns of the design and estimator, trained on 5 rows; other members are
/// defaults, which a test overwrites by index.
pub(crate) fn draft(features: Value, columns: Value, estimator: Value) -> Value {
    let task = if estimator["family"] == "logistic" { "classification" } else { "regression" };
    json!({
        "format": FORMAT, "name": "line", "version": "1", "created": "2026-11-23T00:00:00Z", "task": task,
        "signature": {"features": features, "target": {"name": "y", "type": "double"}},
        "preprocess": {"columns": columns},
        "estimator": estimator,
        "training": {
            "rows": 5, "data_sha256": "0".repeat(64), "parameters": {}, "seed": 0, "metrics": {},
            "tool": "test", "smartcore": "0.7.0",
        },
        "golden": {"X": [], "y": []},
    })
}

/// A feature that rejects missing values.
pub(crate) fn feature(name: &str, kind: &str) -> Value {
    json!({"name": name, "type": kind, "missing": "reject"})
}

/// A column with one factor and a scale of 1.
pub(crate) fn column(name: &str, factor: Value, mean: f64) -> Value {
    json!({"name": name, "product": [factor], "mean": mean, "scale": 1.0})
}

pub(crate) fn document(draft: Value) -> Document {
    serde_json::from_value(draft).unwrap()
}

/// The model of a draft without golden rows.
pub(crate) fn assembled(draft: Value) -> Model {
    Model::assemble(document(draft)).unwrap()
}

/// The model of a draft with one golden row, written to a file and read back.
pub(crate) fn loaded(draft: Value, golden_row: Value) -> Model {
    let golden_row = serde_json::from_value(golden_row).unwrap();
    let sealed = document(draft).seal(vec![golden_row]).unwrap();
    Model::from_json(sealed.to_json().unwrap().as_bytes()).unwrap()
}

/// A frame of positional rows.
pub(crate) fn frame<'m>(model: &'m Model, rows: &[Vec<Scalar>]) -> Frame<'m> {
    let mut builder = RowsBuilder::new(model.signature(), rows.len());
    for row in rows {
        builder.start_row().unwrap();
        for value in row {
            builder.push(value.cell());
        }
        builder.end_positional_row();
    }
    builder.finish().unwrap()
}

/// A frame of rows of numbers.
pub(crate) fn frame_of_numbers<'m>(model: &'m Model, rows: &[&[f64]]) -> Frame<'m> {
    let rows: Vec<Vec<Scalar>> = rows.iter().map(|row| row.iter().copied().map(Scalar::Number).collect()).collect();
    frame(model, &rows)
}
