//! Builds model documents and model files.

use ordinate_model::artifact::Document;
use serde_json::{Value, json};

/// A model document in which a test sets the parts that it depends on. The rest has valid defaults: version 1 of a
/// regression without features, whose target is the number `y`, trained on 4 rows, without golden rows.
#[derive(Debug, Clone)]
pub struct ModelDocument(Value);

impl ModelDocument {
    /// A linear regression with this intercept and without columns.
    pub fn regression(name: &str, intercept: f64) -> Self {
        Self::new(name, json!({"family": "linear", "intercept": intercept, "coefficients": {}}))
    }

    /// A logistic regression with these classes and intercepts and without columns. The target is the text `class`.
    pub fn classification(name: &str, classes: &[&str], intercepts: &[f64]) -> Self {
        Self::new(name, json!({"family": "logistic", "classes": classes, "intercepts": intercepts, "coefficients": {}}))
    }

    /// A model with this estimator, as in the model file, and without columns. The target of a logistic regression is the
    /// text `class`.
    pub fn new(name: &str, estimator: Value) -> Self {
        let (task, target) = if estimator["family"] == "logistic" {
            ("classification", json!({"name": "class", "type": "string"}))
        } else {
            ("regression", json!({"name": "y", "type": "double"}))
        };
        Self(json!({
            "format": "ordinate.model/1", "name": name, "version": "1", "created": "2026-11-23T00:00:00Z",
            "task": task,
            "signature": {"features": [], "target": target},
            "preprocess": {"columns": []},
            "estimator": estimator,
            "training": {
                "rows": 4, "data_sha256": "0".repeat(64), "parameters": {}, "seed": 0, "metrics": {},
                "tool": "ordinate 0.1.0", "smartcore": "0.7.0",
            },
            "golden": {"X": [], "y": []},
        }))
    }

    /// Sets the member at a JSON pointer such as `/training/rows`, or adds it to its object.
    #[must_use]
    pub fn set(mut self, pointer: &str, value: impl Into<Value>) -> Self {
        let (parent, key) = pointer.rsplit_once('/').expect("a JSON pointer");
        self.0.pointer_mut(parent).expect("a member of the document")[key] = value.into();
        self
    }

    /// Sets the features, a list as in the model file.
    #[must_use]
    pub fn features(self, features: Value) -> Self {
        self.set("/signature/features", features)
    }

    /// Sets the columns of the design, a list of [`column()`]s whose coefficients are in the estimator already.
    #[must_use]
    pub fn columns(self, columns: impl Into<Value>) -> Self {
        self.set("/preprocess/columns", columns)
    }

    /// Adds a column of the design, see [`column()`], and its coefficient: a number, or a list with a number per score.
    #[must_use]
    pub fn column(mut self, column: Value, coefficient: impl Into<Value>) -> Self {
        let name = column["name"].as_str().expect("a column with a name").to_owned();
        self.0["estimator"]["coefficients"][name] = coefficient.into();
        self.0["preprocess"]["columns"].as_array_mut().expect("a list").push(column);
        self
    }

    /// The document as JSON.
    pub fn json(self) -> Value {
        self.0
    }

    /// The model file, with golden rows and checksum.
    pub fn file(self, golden: Value) -> Vec<u8> {
        let document: Document = serde_json::from_value(self.0).unwrap();
        let golden = serde_json::from_value(golden).unwrap();
        document.seal(golden).unwrap().to_json().unwrap().into_bytes()
    }
}

/// A feature of this type that rejects missing values.
pub fn feature(name: &str, kind: &str) -> Value {
    json!({"name": name, "type": kind, "missing": "reject"})
}

/// A column of the design with one factor: `{"feature": "age"}`, with a `"power"` or a `"level"`.
pub fn column(name: &str, factor: Value, mean: f64, scale: f64) -> Value {
    json!({"name": name, "product": [factor], "mean": mean, "scale": scale})
}

/// The file of the model y = 2x + 1.
pub fn line(name: &str, version: &str) -> Vec<u8> {
    ModelDocument::regression(name, 6.0)
        .set("/version", version)
        .features(json!([{"name": "x", "type": "double", "missing": "reject", "range": [1.0, 4.0]}]))
        .column(column("x", json!({"feature": "x"}), 2.5, 1.0), 2.0)
        .file(json!([[1.0], [4.0]]))
}

/// The file of a model with features of all types, y = age + 10·smoker + 100·(city = Bern) + bmi + income. A missing
/// income is imputed with 50.
pub fn people() -> Vec<u8> {
    ModelDocument::regression("people", 0.0)
        .features(json!([
            {"name": "age", "type": "long", "missing": "reject"},
            {"name": "smoker", "type": "boolean", "missing": "reject"},
            {"name": "city", "type": "string", "missing": "reject", "levels": ["Basel", "Bern"]},
            {"name": "bmi", "type": "double", "missing": "reject"},
            {"name": "income", "type": "double", "missing": {"impute": 50.0}},
        ]))
        .column(column("age", json!({"feature": "age"}), 0.0, 1.0), 1.0)
        .column(column("smoker", json!({"feature": "smoker"}), 0.0, 1.0), 10.0)
        .column(column("city=Bern", json!({"feature": "city", "level": "Bern"}), 0.0, 1.0), 100.0)
        .column(column("bmi", json!({"feature": "bmi"}), 0.0, 1.0), 1.0)
        .column(column("income", json!({"feature": "income"}), 0.0, 1.0), 1.0)
        .set("/training/rows", 9)
        .file(json!([[41, true, "Bern", 22.5, null], [20, false, "Basel", 30.0, null]]))
}
