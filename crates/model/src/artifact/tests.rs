use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::Model;
use crate::estimator::LinearCoefficients;
use crate::preprocess::DesignColumn;
use crate::test_models::document;
use ordinate_test_support::{ModelDocument, column, feature};

/// y = 2x + 1, fitted exactly to x = 1 … 4.
fn draft() -> Document {
    let draft = ModelDocument::regression("line", 6.0)
        .features(json!([{"name": "x", "type": "double", "missing": "reject", "range": [1.0, 4.0]}]))
        .column(column("x", json!({"feature": "x"}), 2.5, 1.0), 2.0)
        .set("/inference", json!({"degrees_of_freedom": 2, "residual_variance": 0.0, "r": [[2.5]]}));
    document(draft)
}

fn rows(x: &[f64]) -> Vec<Vec<Scalar>> {
    x.iter().map(|x| vec![Scalar::Number(*x)]).collect()
}

fn sealed() -> String {
    draft().seal(rows(&[1.0, 4.0])).unwrap().to_json().unwrap()
}

#[test]
fn a_sealed_file_is_read_back() {
    let model = Model::from_json(sealed().as_bytes()).unwrap();
    assert_eq!(model.document().golden.y, [Scalar::Number(3.0), Scalar::Number(9.0)]);
    assert_eq!(model.document().to_json().unwrap(), sealed());
}

#[test]
fn the_checksum_covers_the_content_but_not_layout_and_date() {
    let text = sealed();
    let value: Value = serde_json::from_str(&text).unwrap();
    let other_layout = serde_json::to_string(&value).unwrap();
    let other_date = text.replace("2026-11-23", "2031-01-01");
    for same in [other_layout, other_date] {
        assert!(Model::from_json(same.as_bytes()).is_ok());
    }
    let changed = text.replace("\"name\": \"line\"", "\"name\": \"lime\"");
    let error = Model::from_json(changed.as_bytes()).unwrap_err();
    assert!(matches!(error, ArtifactError::ChecksumMismatch { .. }), "{error}");
}

#[test]
fn a_model_that_does_not_reproduce_its_golden_rows_is_rejected() {
    let mut changed = draft().seal(rows(&[1.0])).unwrap();
    changed.golden.y = vec![Scalar::Number(3.000_001)];
    changed.sha256 = Some(changed.checksum().unwrap());
    let error = Model::from_json(changed.to_json().unwrap().as_bytes()).unwrap_err();
    assert!(matches!(error, ArtifactError::GoldenMismatch { row: 0, .. }), "{error}");
}

#[test]
fn a_model_without_golden_rows_is_rejected() {
    assert!(matches!(draft().seal(Vec::new()), Err(ArtifactError::GoldenRefused(_))));
}

#[test]
fn a_file_of_another_format_version_is_rejected() {
    for text in [sealed().replace(FORMAT, "ordinate.model/2"), r#"{"format":"ordinate.model/2"}"#.into()] {
        let error = Model::from_json(text.as_bytes()).unwrap_err();
        assert!(error.to_string().contains("ordinate.model/2"), "{error}");
    }
}

#[test]
fn inconsistent_parts_are_rejected() {
    let error_of = |from: &str, to: &str| {
        let text = serde_json::to_string(&draft()).unwrap();
        assert!(text.contains(from), "{from}");
        let broken: Result<Document, _> = serde_json::from_str(&text.replace(from, to));
        broken.map_err(ArtifactError::from).and_then(|draft| draft.seal(rows(&[1.0]))).unwrap_err().to_string()
    };
    assert!(
        error_of(r#""coefficients":{"x":2.0}"#, r#""coefficients":{}"#)
            .contains("expected 1 for as many columns, got 0")
    );
    assert!(error_of(r#""coefficients":{"x":2.0}"#, r#""coefficients":{"z":2.0}"#).contains("\"x\""));
    assert!(error_of(r#""feature":"x""#, r#""feature":"z""#).contains("unknown feature"));
    assert!(error_of(r#""scale":1.0"#, r#""scale":0.0"#).contains("finite mean"));
    assert!(error_of(r#""r":[[2.5]]"#, r#""r":[[1.0,2.0]]"#).contains("upper triangle"));
    assert!(error_of(r#""family":"linear""#, r#""family":"forest""#).contains("forest"));
    assert!(error_of(r#""mean":2.5"#, r#""mean":2.5,"median":2.0"#).contains("median"));
}

#[test]
fn hostile_files_end_in_an_error() {
    let deep = "[".repeat(100_000);
    let many = format!("[{}0]", "0,".repeat(MAX_VALUES + 1));
    let maps = format!("{{\"a\":[{}0]}}", "{\"\":0},".repeat(MAX_CONTAINERS));
    for hostile in ["", "{", "null", "[]", "NaN", &deep, &many, &maps] {
        assert!(Model::from_json(hostile.as_bytes()).is_err());
    }
    assert!(Model::from_json(b"\xff\xfe").is_err());
    assert!(Model::from_json(sealed().replace("2.5", "1e999").as_bytes()).is_err());
}

/// Columns `a` (mean 2, scale 2) and `b`; expected predictions are computed by hand.
fn draft_of(estimator: Value) -> Document {
    let columns = ["a", "b"].into_iter().zip([(2.0, 2.0), (0.0, 1.0)]);
    let columns = columns.map(|(name, (mean, scale))| column(name, json!({"feature": name}), mean, scale));
    let draft = ModelDocument::new("two", estimator)
        .features(json!([feature("a", "double"), feature("b", "boolean")]))
        .columns(columns.collect::<Vec<_>>());
    document(draft)
}

fn two_rows() -> Vec<Vec<Scalar>> {
    let row = |a, b| vec![Scalar::Number(a), Scalar::Boolean(b)];
    vec![row(4.0, false), row(0.0, true)]
}

#[test]
fn too_many_golden_rows_are_rejected() {
    let mut wide = draft();
    let column = wide.preprocess.columns[0].clone();
    let named = |number: usize| DesignColumn { name: number.to_string(), ..column.clone() };
    wide.preprocess.columns = (0..3_000).map(named).collect();
    let coefficients = (0..3_000).map(|number: usize| (number.to_string(), 0.0)).collect();
    wide.estimator = Coefficients::Linear(LinearCoefficients { intercept: 0.0, coefficients });
    wide.inference = None;
    let error = wide.seal(rows(&[1.0; 2_000])).unwrap_err();
    assert!(matches!(error, ArtifactError::GoldenRefused(_)), "{error}");
}

#[test]
fn a_malformed_date_is_rejected() {
    for created in ["", "yesterday", "2026-11-23", &"2".repeat(36)] {
        let mut value: Value = serde_json::from_str(&sealed()).unwrap();
        value["created"] = json!(created);
        assert!(Model::from_json(value.to_string().as_bytes()).is_err(), "{created}");
    }
}

#[test]
fn a_duplicate_coefficient_is_rejected() {
    let twice = sealed().replace("\"x\": 2.0", "\"x\": 1.0, \"x\": 2.0");
    assert!(twice != sealed());
    let error = Model::from_json(twice.as_bytes()).unwrap_err();
    assert!(error.to_string().contains("appears twice"), "{error}");
}

#[test]
fn every_regression_family_predicts_through_smartcore() {
    for family in ["linear", "ridge", "lasso", "elastic-net"] {
        let estimator = json!({"family": family, "intercept": 10.0, "coefficients": {"b": -1.0, "a": 3.0}});
        let sealed = draft_of(estimator).seal(two_rows()).unwrap();
        assert_eq!(sealed.estimator.family(), family);
        assert_eq!(sealed.golden.y, [Scalar::Number(13.0), Scalar::Number(6.0)], "{family}");
        assert!(Model::from_json(sealed.to_json().unwrap().as_bytes()).is_ok(), "{family}");
    }
}

#[test]
fn a_logged_target_is_predicted_in_its_own_unit() {
    let estimator = json!({"family": "linear", "intercept": 0.0, "coefficients": {"a": 1.0, "b": 1.0}});
    let mut draft = draft_of(estimator);
    draft.preprocess.target_transform = crate::preprocess::TargetTransform::Log;
    let sealed = draft.seal(two_rows()).unwrap();
    let [Scalar::Number(first), Scalar::Number(second)] = sealed.golden.y[..] else { panic!("{:?}", sealed.golden) };
    assert!((first - std::f64::consts::E).abs() < 1e-15 && (second - 1.0).abs() < f64::EPSILON);
}

#[test]
fn two_classes_have_one_score_and_more_classes_one_score_each() {
    let two = json!({
        "family": "logistic", "classes": ["no", "yes"], "intercepts": [0.5], "coefficients": {"a": [2.0], "b": [0.0]},
    });
    let sealed = draft_of(two).seal(two_rows()).unwrap();
    assert_eq!(sealed.golden.y, [Scalar::Text("yes".into()), Scalar::Text("no".into())]);
    let second = 1.0 / (1.0 + (-2.5_f64).exp());
    assert!((sealed.golden.probabilities[0][1] - second).abs() < 1e-15);
    assert!((sealed.golden.probabilities[0].iter().sum::<f64>() - 1.0).abs() < 1e-15);

    let three = json!({
        "family": "logistic", "classes": [0, 1, 2], "intercepts": [0.0, 0.1, 0.2],
        "coefficients": {"a": [1.0, 0.0, -1.0], "b": [0.0, 0.0, 3.0]},
    });
    let sealed = draft_of(three).seal(two_rows()).unwrap();
    assert_eq!(sealed.golden.y, [Scalar::Integer(0), Scalar::Integer(2)]);
    let scores = [1.0_f64, 0.1, -0.8].map(f64::exp);
    let total: f64 = scores.iter().sum();
    for (got, score) in sealed.golden.probabilities[0].iter().zip(scores) {
        assert!((got - score / total).abs() < 1e-15);
    }
    let text = sealed.to_json().unwrap();
    assert_eq!(Model::from_json(text.as_bytes()).unwrap().document(), &sealed);
}

#[test]
fn a_threshold_predicts_the_second_class_from_its_probability_on() {
    let with_threshold = |classes: Value, intercepts: Value, coefficients: Value, threshold: f64, temperature: f64| {
        let mut draft = draft_of(json!({
            "family": "logistic", "classes": classes, "intercepts": intercepts,
            "coefficients": {"a": coefficients, "b": coefficients},
        }));
        let (threshold, temperature) = (Some(threshold), Some(temperature));
        draft.inference = Some(crate::inference::Inference { temperature, threshold, ..Default::default() });
        draft.seal(two_rows())
    };
    let two = |threshold, temperature| {
        with_threshold(json!(["no", "yes"]), json!([-1.0]), json!([0.0]), threshold, temperature)
    };
    let predicted = |threshold, temperature| two(threshold, temperature).unwrap().golden.y[0].to_string();
    // The probability of yes is 1/(1 + e) = 0.269, and with a temperature of 2 it is 1/(1 + √e) = 0.378.
    assert_eq!([predicted(0.26, 1.0), predicted(0.27, 1.0)], ["yes", "no"]);
    assert_eq!([predicted(0.37, 2.0), predicted(0.38, 2.0)], ["yes", "no"]);
    let sealed = two(0.26, 1.0).unwrap();
    let model = Model::from_json(sealed.to_json().unwrap().as_bytes()).unwrap();
    assert_eq!(model.threshold(), Some(0.26));
    for wrong in [0.0, 1.0, -0.5, f64::NAN] {
        let error = two(wrong, 1.0).unwrap_err().to_string();
        assert!(error.contains("inference.threshold: expected two classes and a number between 0 and 1"), "{error}");
    }
    let three = with_threshold(json!(["a", "b", "c"]), json!([0.0, 0.0, 0.0]), json!([0.0, 0.0, 0.0]), 0.5, 1.0);
    assert!(three.unwrap_err().to_string().contains("inference.threshold"));
    let mut regression = draft();
    regression.inference.as_mut().unwrap().threshold = Some(0.5);
    assert!(regression.seal(rows(&[1.0])).is_err());
}

#[test]
fn the_baseline_is_one_number_or_a_frequency_a_class() {
    let regression = |baseline: Vec<f64>| {
        let mut draft = draft();
        draft.training.baseline = baseline;
        draft.seal(rows(&[1.0])).is_ok()
    };
    assert!(regression(vec![]) && regression(vec![5.0]) && !regression(vec![5.0, 6.0]) && !regression(vec![f64::NAN]));
    let classes = |baseline: Vec<f64>| {
        let mut draft = draft_of(json!({
            "family": "logistic", "classes": ["no", "yes"], "intercepts": [0.0], "coefficients": {"a": [0.0], "b": [0.0]},
        }));
        draft.training.baseline = baseline;
        draft.seal(two_rows()).is_ok()
    };
    assert!(classes(vec![0.25, 0.75]) && !classes(vec![0.25]) && !classes(vec![0.25, 1.75]));
}

#[test]
fn an_inconsistent_classifier_is_rejected() {
    let logistic = |classes: Value, intercepts: Value, a: Value| {
        let estimator = json!({
            "family": "logistic", "classes": classes, "intercepts": intercepts, "coefficients": {"a": a, "b": [0.0]},
        });
        draft_of(estimator).seal(two_rows())
    };
    assert!(logistic(json!(["no", "yes"]), json!([0.0]), json!([1.0])).is_ok());
    assert!(logistic(json!(["no"]), json!([0.0]), json!([1.0])).is_err());
    assert!(logistic(json!(["no", "no"]), json!([0.0]), json!([1.0])).is_err());
    assert!(logistic(json!(["no", null]), json!([0.0]), json!([1.0])).is_err());
    assert!(logistic(json!(["no", "yes", "maybe"]), json!([0.0]), json!([1.0])).is_err());
    assert!(logistic(json!(["no", "yes"]), json!([0.0]), json!([1.0, 2.0])).is_err());
    let regression = json!({"family": "linear", "intercept": 0.0, "coefficients": {"a": 1.0, "b": 1.0}});
    let wrong_task = Document { task: Task::Classification, ..draft_of(regression) };
    assert!(wrong_task.seal(two_rows()).is_err());
}

proptest! {
    #[test]
    fn a_damaged_file_is_rejected_or_has_the_same_content(position: prop::sample::Index, byte: u8) {
        let mut bytes = sealed().into_bytes();
        let position = position.index(bytes.len());
        bytes[position] = byte;
        if let Ok(model) = Model::from_json(&bytes) {
            // Only layout or date can have changed: the checksum covers the rest.
            let original = Model::from_json(sealed().as_bytes()).unwrap();
            prop_assert_eq!(model.checksum(), original.checksum());
        }
    }
}
