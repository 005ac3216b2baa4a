use ordinate_test_support::{ModelDocument, column};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::Model;
use crate::estimator::LinearCoefficients;
use crate::preprocess::DesignColumn;

fn draft() -> Document {
    let draft = ModelDocument::regression("line", 6.0)
        .features(json!([{"name": "x", "type": "double", "missing": "reject", "range": [1.0, 4.0]}]))
        .column(column("x", json!({"feature": "x"}), 2.5, 1.0), 2.0)
        .set("/inference", json!({"degrees_of_freedom": 2, "residual_variance": 0.0, "r": [[2.5]]}))
        .set("/training/parameters", json!({"estimator": "linear"}))
        .json();
    serde_json::from_value(draft).unwrap()
}

fn rows(x: &[f64]) -> Vec<Vec<Scalar>> {
    x.iter().map(|x| vec![Scalar::Number(*x)]).collect()
}

fn sealed() -> String {
    draft().seal(rows(&[1.0, 4.0])).unwrap().to_json().unwrap()
}

#[test]
fn a_sealed_file_loads_and_says_what_it_said() {
    let model = Model::from_json(sealed().as_bytes()).unwrap();
    assert_eq!(model.document().golden.y, [Scalar::Number(3.0), Scalar::Number(9.0)]);
    assert_eq!(model.document().to_json().unwrap(), sealed());
}

#[test]
fn the_checksum_covers_the_content_and_neither_layout_nor_date() {
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
fn a_model_that_answers_otherwise_than_its_golden_rows_is_refused() {
    let mut changed = draft().seal(rows(&[1.0])).unwrap();
    changed.golden.y = vec![Scalar::Number(3.000_001)];
    changed.sha256 = Some(changed.checksum().unwrap());
    let error = Model::from_json(changed.to_json().unwrap().as_bytes()).unwrap_err();
    assert!(matches!(error, ArtifactError::GoldenMismatch { row: 0, .. }), "{error}");
}

#[test]
fn a_model_without_golden_rows_is_refused() {
    assert!(matches!(draft().seal(Vec::new()), Err(ArtifactError::GoldenRefused(_))));
}

#[test]
fn a_format_of_another_major_is_refused_by_name() {
    for text in [sealed().replace(FORMAT, "ordinate.model/2"), r#"{"format":"ordinate.model/2"}"#.into()] {
        let error = Model::from_json(text.as_bytes()).unwrap_err();
        assert!(error.to_string().contains("ordinate.model/2"), "{error}");
    }
}

#[test]
fn parts_that_do_not_fit_are_refused() {
    let break_it = |from: &str, to: &str| {
        let text = serde_json::to_string(&draft()).unwrap();
        assert!(text.contains(from), "{from}");
        let broken: Result<Document, _> = serde_json::from_str(&text.replace(from, to));
        broken.map_err(ArtifactError::from).and_then(|draft| draft.seal(rows(&[1.0]))).unwrap_err().to_string()
    };
    assert!(break_it(r#""coefficients":{"x":2.0}"#, r#""coefficients":{}"#).contains("0 coefficients for 1 columns"));
    assert!(break_it(r#""coefficients":{"x":2.0}"#, r#""coefficients":{"z":2.0}"#).contains("\"x\""));
    assert!(break_it(r#""feature":"x""#, r#""feature":"z""#).contains("unknown feature"));
    assert!(break_it(r#""scale":1.0"#, r#""scale":0.0"#).contains("mean and scale"));
    assert!(break_it(r#""r":[[2.5]]"#, r#""r":[[1.0,2.0]]"#).contains("upper triangle"));
    assert!(break_it(r#""family":"linear""#, r#""family":"forest""#).contains("forest"));
    assert!(break_it(r#""mean":2.5"#, r#""mean":2.5,"median":2.0"#).contains("median"));
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

/// Columns `a` (mean 2, scale 2) and `b`; everything in between is by hand.
fn draft_of(estimator: Value, task: &str) -> Document {
    let mut draft = serde_json::to_value(draft()).unwrap();
    draft["task"] = json!(task);
    draft["signature"]["features"] = json!([
        {"name": "a", "type": "double", "missing": "reject"},
        {"name": "b", "type": "boolean", "missing": "reject"},
    ]);
    draft["preprocess"]["columns"] = json!([
        {"name": "a", "product": [{"feature": "a"}], "mean": 2.0, "scale": 2.0},
        {"name": "b", "product": [{"feature": "b"}], "mean": 0.0, "scale": 1.0},
    ]);
    draft["estimator"] = estimator;
    draft.as_object_mut().unwrap().remove("inference");
    serde_json::from_value(draft).unwrap()
}

fn two_rows() -> Vec<Vec<Scalar>> {
    let row = |a, b| vec![Scalar::Number(a), Scalar::Boolean(b)];
    vec![row(4.0, false), row(0.0, true)]
}

#[test]
fn golden_rows_are_a_proof_and_not_a_burden() {
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
fn a_date_that_is_none_is_refused() {
    for created in ["", "yesterday", "2026-11-23", &"2".repeat(36)] {
        let mut value: Value = serde_json::from_str(&sealed()).unwrap();
        value["created"] = json!(created);
        assert!(Model::from_json(value.to_string().as_bytes()).is_err(), "{created}");
    }
}

#[test]
fn a_coefficient_that_is_there_twice_is_refused() {
    let twice = sealed().replace("\"x\": 2.0", "\"x\": 1.0, \"x\": 2.0");
    assert!(twice != sealed());
    let error = Model::from_json(twice.as_bytes()).unwrap_err();
    assert!(error.to_string().contains("there twice"), "{error}");
}

#[test]
fn every_family_of_regression_answers_through_smartcore() {
    for family in ["linear", "ridge", "lasso", "elastic-net"] {
        let estimator = json!({"family": family, "intercept": 10.0, "coefficients": {"b": -1.0, "a": 3.0}});
        let sealed = draft_of(estimator, "regression").seal(two_rows()).unwrap();
        assert_eq!(sealed.estimator.family(), family);
        assert_eq!(sealed.golden.y, [Scalar::Number(13.0), Scalar::Number(6.0)], "{family}");
        assert!(Model::from_json(sealed.to_json().unwrap().as_bytes()).is_ok(), "{family}");
    }
}

#[test]
fn a_logged_target_is_answered_in_its_own_unit() {
    let estimator = json!({"family": "linear", "intercept": 0.0, "coefficients": {"a": 1.0, "b": 1.0}});
    let mut draft = draft_of(estimator, "regression");
    draft.preprocess.target_transform = crate::preprocess::TargetTransform::Log;
    let sealed = draft.seal(two_rows()).unwrap();
    let [Scalar::Number(first), Scalar::Number(second)] = sealed.golden.y[..] else { panic!("{:?}", sealed.golden) };
    assert!((first - std::f64::consts::E).abs() < 1e-15 && (second - 1.0).abs() < f64::EPSILON);
}

#[test]
fn two_classes_have_one_score_and_more_have_one_each() {
    let two = json!({
        "family": "logistic", "classes": ["no", "yes"], "intercepts": [0.5], "coefficients": {"a": [2.0], "b": [0.0]},
    });
    let sealed = draft_of(two, "classification").seal(two_rows()).unwrap();
    assert_eq!(sealed.golden.y, [Scalar::Text("yes".into()), Scalar::Text("no".into())]);
    let second = 1.0 / (1.0 + (-2.5_f64).exp());
    assert!((sealed.golden.probabilities[0][1] - second).abs() < 1e-15);
    assert!((sealed.golden.probabilities[0].iter().sum::<f64>() - 1.0).abs() < 1e-15);

    let three = json!({
        "family": "logistic", "classes": [0, 1, 2], "intercepts": [0.0, 0.1, 0.2],
        "coefficients": {"a": [1.0, 0.0, -1.0], "b": [0.0, 0.0, 3.0]},
    });
    let sealed = draft_of(three, "classification").seal(two_rows()).unwrap();
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
fn a_classifier_whose_parts_do_not_fit_is_refused() {
    let logistic = |classes: Value, intercepts: Value, a: Value| {
        let estimator = json!({
            "family": "logistic", "classes": classes, "intercepts": intercepts, "coefficients": {"a": a, "b": [0.0]},
        });
        draft_of(estimator, "classification").seal(two_rows())
    };
    assert!(logistic(json!(["no", "yes"]), json!([0.0]), json!([1.0])).is_ok());
    assert!(logistic(json!(["no"]), json!([0.0]), json!([1.0])).is_err());
    assert!(logistic(json!(["no", "no"]), json!([0.0]), json!([1.0])).is_err());
    assert!(logistic(json!(["no", null]), json!([0.0]), json!([1.0])).is_err());
    assert!(logistic(json!(["no", "yes", "maybe"]), json!([0.0]), json!([1.0])).is_err());
    assert!(logistic(json!(["no", "yes"]), json!([0.0]), json!([1.0, 2.0])).is_err());
    let regression = json!({"family": "linear", "intercept": 0.0, "coefficients": {"a": 1.0, "b": 1.0}});
    assert!(draft_of(regression, "classification").seal(two_rows()).is_err());
}

proptest! {
    #[test]
    fn a_damaged_file_never_panics_and_never_answers_wrongly(position: prop::sample::Index, byte: u8) {
        let mut bytes = sealed().into_bytes();
        let position = position.index(bytes.len());
        bytes[position] = byte;
        if let Ok(model) = Model::from_json(&bytes) {
            // Layout or date: everything the checksum covers is what it was.
            let original = Model::from_json(sealed().as_bytes()).unwrap();
            prop_assert_eq!(model.checksum(), original.checksum());
        }
    }
}
