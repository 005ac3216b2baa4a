//! A small real model file: y = 2x + 1, sealed by the crate itself.

use ordinate::model::artifact::Document;
use ordinate::model::scalar::Scalar;
use serde_json::json;

/// The file's bytes.
pub(crate) fn model_file(name: &str, version: &str) -> Vec<u8> {
    let draft: Document = serde_json::from_value(json!({
        "format": "ordinate.model/1", "name": name, "version": version, "created": "2026-11-23T00:00:00Z",
        "task": "regression",
        "signature": {
            "features": [{"name": "x", "type": "double", "missing": "reject", "range": [1.0, 4.0]}],
            "target": {"name": "y", "type": "double"},
        },
        "preprocess": {"columns": [{"name": "x", "product": [{"feature": "x"}], "mean": 2.5, "scale": 1.0}]},
        "estimator": {"family": "linear", "intercept": 6.0, "coefficients": {"x": 2.0}},
        "training": {
            "rows": 4, "data_sha256": "0".repeat(64), "parameters": {}, "seed": 0, "metrics": {},
            "tool": "ordinate 0.1.0", "smartcore": "0.7.0",
        },
        "golden": {"X": [], "y": []},
    }))
    .unwrap();
    draft.seal(vec![vec![Scalar::Number(1.0)], vec![Scalar::Number(4.0)]]).unwrap().to_json().unwrap().into_bytes()
}
