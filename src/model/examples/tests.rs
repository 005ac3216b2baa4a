use serde_json::{Value, json};

use super::*;

const DIABETES: &[u8] = include_bytes!("../../../model/diabetes.json");

fn diabetes(change: impl FnOnce(&mut Value)) -> Model {
    let mut document: Value = serde_json::from_slice(DIABETES).unwrap();
    change(&mut document);
    Model::assemble(serde_json::from_value(document).unwrap()).unwrap()
}

#[test]
fn columns_vary_together_as_they_do_in_the_training_data() {
    let model = diabetes(|_| {});
    let mut random = SplitMix(1);
    let draws: Vec<Vec<f64>> = (0..20_000).map(|_| model.deviations(&mut random).unwrap()).collect();
    let r = &model.document.inference.as_ref().unwrap().r;
    let entry = |row: usize, column: usize| if column < row { 0.0 } else { r[row][column - row] };
    let covariance =
        |one: usize, other: usize| (0..r.len()).map(|row| entry(row, one) * entry(row, other)).sum::<f64>() / 442.0;
    for one in 0..r.len() {
        for other in 0..=one {
            let got = draws.iter().map(|draw| draw[one] * draw[other]).sum::<f64>() / 20_000.0;
            let spread = (covariance(one, one) * covariance(other, other)).sqrt();
            // Four standard errors of a covariance.
            let error = (got - covariance(one, other)).abs() / spread;
            assert!(error < 4.0 * (2.0_f64 / 20_000.0).sqrt(), "{one}, {other}: {error}");
        }
    }
}

#[test]
fn examples_are_within_the_ranges_and_nothing_is_unusual_about_them() {
    let model = diabetes(|_| {});
    let examples = model.examples();
    assert_eq!((examples.len(), model.examples()), (EXAMPLES, examples.clone()));
    for example in &examples {
        let values: Vec<f64> = model
            .signature()
            .features()
            .iter()
            .map(|feature| feature.accept(example[feature.name.as_str()].cell()).unwrap())
            .collect();
        let warnings = model.warnings(&Frame::accepted(model.signature(), values)).unwrap();
        assert_eq!(warnings.told, []);
    }
    let ages: Vec<String> = examples.iter().map(|example| example["age"].to_string()).collect();
    assert!(ages.iter().all(|age| age.len() == 2), "rounded: {ages:?}");
}

#[test]
fn without_r_each_number_is_drawn_by_itself() {
    let model = diabetes(|document| document["inference"] = Value::Null);
    let age = model.signature().features()[0].clone();
    let ages: Vec<f64> = model.examples().iter().map(|example| age.accept(example["age"].cell()).unwrap()).collect();
    assert!(ages.iter().all(|age| (19.0..=79.0).contains(age)), "{ages:?}");
    assert!(ages.iter().any(|age| (age - ages[0]).abs() > 5.0), "{ages:?}");
}

#[test]
fn every_type_is_written_as_it_is() {
    let column =
        |name: &str, factor: Value, mean: f64| json!({"name": name, "product": [factor], "mean": mean, "scale": 1.0});
    let document = json!({
        "format": "ordinate.model/1", "name": "m", "version": "1", "task": "regression", "created": "2026-11-23T00:00:00Z",
        "signature": {
            "features": [
                {"name": "rooms", "type": "long", "missing": "reject", "range": [1.0, 7.0]},
                {"name": "garden", "type": "boolean", "missing": "reject"},
                {"name": "colour", "type": "string", "missing": "reject", "levels": ["blue", "green", "red"]},
                {"name": "squared", "type": "double", "missing": "reject", "range": [1e9, 3e9]},
                {"name": "constant", "type": "double", "missing": "reject", "range": [0.1, 0.1]}
            ],
            "target": {"name": "y", "type": "double"}
        },
        "preprocess": {"columns": [
            column("rooms", json!({"feature": "rooms"}), 3.6),
            column("garden", json!({"feature": "garden"}), 1.0),
            column("colour=green", json!({"feature": "colour", "level": "green"}), 0.0),
            column("colour=red", json!({"feature": "colour", "level": "red"}), 1.0),
            column("squared^2", json!({"feature": "squared", "power": 2}), 7.0),
            column("constant", json!({"feature": "constant"}), 0.1)
        ]},
        "estimator": {"family": "linear", "intercept": 0.0, "coefficients": {
            "rooms": 1.0, "garden": 1.0, "colour=green": 1.0, "colour=red": 1.0, "squared^2": 1.0, "constant": 1.0
        }},
        "training": {
            "rows": 40, "data_sha256": "0".repeat(64), "parameters": {}, "seed": 0, "metrics": {},
            "tool": "test", "smartcore": "0.7.0"
        },
        "golden": {"X": [], "y": []}
    });
    let model = Model::assemble(serde_json::from_value(document).unwrap()).unwrap();
    for example in model.examples() {
        assert!(matches!(example["rooms"], Scalar::Integer(1..=7)), "{example:?}");
        assert_eq!(example["garden"], Scalar::Boolean(true));
        assert_eq!(example["colour"], Scalar::Text("red".into()));
        assert_eq!(example["squared"], Scalar::Number(2e9));
        assert_eq!(example["constant"], Scalar::Number(0.1));
    }
}
