//! Small real model files, sealed by the crate itself.

use ordinate_model::artifact::Document;
use ordinate_model::scalar::Scalar;
use serde_json::json;

/// y = 2x + 1.
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

/// A model of every type of feature, called `people`: y = age + 10·smoker + 100·(city = Bern) + bmi + income, and an income that
/// is missing is 50.
pub(crate) fn people() -> Vec<u8> {
    let column =
        |name: &str, factor: serde_json::Value| json!({"name": name, "product": [factor], "mean": 0.0, "scale": 1.0});
    let draft: Document = serde_json::from_value(json!({
        "format": "ordinate.model/1", "name": "people", "version": "1", "created": "2026-11-23T00:00:00Z",
        "task": "regression",
        "signature": {
            "features": [
                {"name": "age", "type": "long", "missing": "reject"},
                {"name": "smoker", "type": "boolean", "missing": "reject"},
                {"name": "city", "type": "string", "missing": "reject", "levels": ["Basel", "Bern"]},
                {"name": "bmi", "type": "double", "missing": "reject"},
                {"name": "income", "type": "double", "missing": {"impute": 50.0}},
            ],
            "target": {"name": "y", "type": "double"},
        },
        "preprocess": {"columns": [
            column("age", json!({"feature": "age"})),
            column("smoker", json!({"feature": "smoker"})),
            column("city=Bern", json!({"feature": "city", "level": "Bern"})),
            column("bmi", json!({"feature": "bmi"})),
            column("income", json!({"feature": "income"})),
        ]},
        "estimator": {"family": "linear", "intercept": 0.0, "coefficients": {
            "age": 1.0, "smoker": 10.0, "city=Bern": 100.0, "bmi": 1.0, "income": 1.0,
        }},
        "training": {
            "rows": 9, "data_sha256": "0".repeat(64), "parameters": {}, "seed": 0, "metrics": {},
            "tool": "ordinate 0.1.0", "smartcore": "0.7.0",
        },
        "golden": {"X": [], "y": []},
    }))
    .unwrap();
    let row = |age, smoker, city: &str, bmi| {
        vec![
            Scalar::Integer(age),
            Scalar::Boolean(smoker),
            Scalar::Text(city.into()),
            Scalar::Number(bmi),
            Scalar::Missing,
        ]
    };
    let golden = vec![row(41, true, "Bern", 22.5), row(20, false, "Basel", 30.0)];
    draft.seal(golden).unwrap().to_json().unwrap().into_bytes()
}
