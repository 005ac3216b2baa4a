use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::PredictError;
use crate::Prediction;
use crate::cell::Cell;
use crate::frame::Frame;
use crate::frame::RowsBuilder;
use crate::inference::Inference;
use crate::test_models::{frame, loaded};
use ordinate_test_support::{ModelDocument, column, feature};

/// Age and its square, two levels of a colour, and on request a product of age, its square and a colour.
fn model(estimator: &str, transform: &str, product: bool) -> Model {
    let mut columns = vec![
        column("age", json!({"feature": "age"}), 40.5, 12.0),
        column("age^2", json!({"feature": "age", "power": 2}), 1784.25, 950.0),
        column("colour=green", json!({"feature": "colour", "level": "green"}), 0.25, 0.5),
        column("colour=red", json!({"feature": "colour", "level": "red"}), 0.375, 0.25),
    ];
    let mut coefficients = vec![
        ("age", [1.5, 0.5, -2.0]),
        ("age^2", [-0.75, 1.0, 0.0]),
        ("colour=green", [2.0, 0.0, 1.0]),
        ("colour=red", [-3.0, 4.0, -1.0]),
    ];
    if product {
        let factors =
            json!([{"feature": "age"}, {"feature": "colour", "level": "red"}, {"feature": "age", "power": 2}]);
        columns.push(json!({"name": "age:colour=red", "product": factors, "mean": 10.0, "scale": 4000.0}));
        coefficients.push(("age:colour=red", [0.5, -0.25, 0.125]));
    }
    // The order may differ from the columns: coefficients have names.
    coefficients.reverse();
    let classes: &[&str] = match estimator {
        "two" => &["no", "yes"],
        "three" => &["a", "b", "c"],
        _ => &[],
    };
    let scores = if classes.len() == 3 { 3 } else { 1 };
    let of = |values: &[f64; 3]| if classes.is_empty() { json!(values[0]) } else { json!(values[..scores]) };
    let intercepts = &[7.0, 0.0, -1.0][..scores];
    let coefficients: serde_json::Map<_, _> =
        coefficients.iter().map(|(name, values)| ((*name).to_owned(), of(values))).collect();
    let estimator = if classes.is_empty() {
        json!({"family": estimator, "intercept": 7.0, "coefficients": coefficients})
    } else {
        json!({"family": "logistic", "classes": classes, "intercepts": intercepts, "coefficients": coefficients})
    };
    let mut features = json!([feature("age", "double"), feature("colour", "string")]);
    features[1]["levels"] = json!(["blue", "green", "red"]);
    let draft = ModelDocument::new("colours", estimator)
        .features(features)
        .columns(columns)
        .set("/preprocess/target_transform", transform);
    loaded(draft, &json!([1.0, "red"]))
}

fn rows(x: &Value) -> Vec<Vec<Scalar>> {
    serde_json::from_value(x.clone()).unwrap()
}

/// Scores from predictions: the inverse of exp, sigmoid or softmax; for more than two classes, differences from the first score.
fn scores(model: &Model, frame: &Frame<'_>) -> Vec<Vec<f64>> {
    match model.predict(frame) {
        Prediction::Values(values) if model.document().preprocess.target_transform == TargetTransform::Log => {
            values.iter().map(|value| vec![value.ln()]).collect()
        }
        Prediction::Values(values) => values.iter().map(|value| vec![*value]).collect(),
        Prediction::Classes { .. } => {
            let probabilities = model.probabilities(frame);
            let relative = |row: &[f64]| row.iter().skip(1).map(|p| (p / row[0]).ln()).collect();
            probabilities.rows().map(relative).collect()
        }
    }
}

/// Recorded with shap 0.51.0 on the columns of the design, whose background is the means, then summed by feature:
///
/// ```python
/// masker = shap.maskers.Independent(means[None, :], max_samples=1)
/// shap.LinearExplainer(model, masker)(raw_columns).values  # model.coef_ = coefficients / scales
/// ```
#[test]
fn contributions_add_up_to_scores_divided_by_the_temperature() {
    for name in ["two", "three"] {
        let plain = model(name, "identity", true);
        let mut document = plain.document().clone();
        document.inference = Some(Inference { temperature: Some(2.5), ..Inference::default() });
        let row = vec![Scalar::Number(31.0), Scalar::Text("green".into())];
        let sealed = document.seal(vec![row.clone()]).unwrap().to_json().unwrap();
        let warm = Model::from_json(sealed.as_bytes()).unwrap();
        let (before, after) = (frame(&plain, std::slice::from_ref(&row)), frame(&warm, &[row]));
        for (got, expected) in scores(&warm, &after)[0].iter().zip(&scores(&plain, &before)[0]) {
            assert!((got - expected / 2.5).abs() < 1e-12);
        }
        assert_eq!(warm.predict(&after), plain.predict(&before));
        let explanation = warm.explain(&after).unwrap();
        let sums: Vec<f64> = explanation
            .base()
            .iter()
            .zip(explanation.values().chunks(2))
            .map(|(base, row)| base + row.iter().sum::<f64>())
            .collect();
        let sums = if name == "three" { vec![sums[1] - sums[0], sums[2] - sums[0]] } else { sums };
        for (got, expected) in scores(&warm, &after)[0].iter().zip(sums) {
            assert!((got - expected).abs() < 1e-12);
        }
    }
}

#[test]
fn contributions_agree_with_shap() {
    let recorded: Value = serde_json::from_str(include_str!("shap.json")).unwrap();
    let bundled =
        |name: &str| std::fs::read(format!("{}/../../model/{name}.json", env!("CARGO_MANIFEST_DIR"))).unwrap();
    for (name, recorded) in recorded.as_object().unwrap() {
        let model = match name.as_str() {
            "gathered" => model("linear", "identity", false),
            name => Model::from_json(bundled(name)).unwrap(),
        };
        let frame = frame(&model, &rows(&recorded["X"]));
        let explanation = model.explain(&frame).unwrap();
        let base: Vec<f64> = serde_json::from_value(recorded["base"].clone()).unwrap();
        // SHAP was given the coefficients as fitted; probabilities are made of scores divided by the temperature.
        let temperature =
            model.document().inference.as_ref().and_then(|inference| inference.temperature).unwrap_or(1.0);
        let base: Vec<f64> = base.iter().map(|base| base / temperature).collect();
        let apart = explanation.base().iter().zip(&base).map(|(got, expected)| ((got - expected) / expected).abs());
        assert!(explanation.base().len() == base.len() && apart.fold(0.0, f64::max) < 1e-12, "{name}");
        let expected: Vec<Vec<Vec<f64>>> = serde_json::from_value(recorded["contributions"].clone()).unwrap();
        for (got, expected) in explanation.rows().zip(&expected) {
            let expected: Vec<f64> = expected.concat().iter().map(|value| value / temperature).collect();
            assert_eq!(got.len(), expected.len());
            for (got, expected) in got.iter().zip(expected) {
                assert!((got - expected).abs() <= 1e-11 * expected.abs().max(1.0), "{name}: {got} is not {expected}");
            }
        }
    }
}

proptest! {
    #[test]
    fn base_and_contributions_add_up_to_the_score(age in -60.0..100.0_f64, colour in 0..3_usize, which in 0..5_usize) {
        let (estimator, transform) =
            [("linear", "identity"), ("ridge", "identity"), ("lasso", "log"), ("two", "identity"), ("three", "identity")]
                [which];
        let model = model(estimator, transform, true);
        let colour = ["blue", "green", "red"][colour];
        let frame = frame(&model, &[vec![Scalar::Number(age), Scalar::Text(colour.into())]]);
        let explanation = model.explain(&frame).unwrap();
        let values: Vec<_> = explanation.values().chunks(2).collect();
        let sum = |(base, values): (&f64, &&[f64])| base + values.iter().sum::<f64>();
        let sums: Vec<f64> = explanation.base().iter().zip(&values).map(sum).collect();
        let expected = if which == 4 { vec![sums[1] - sums[0], sums[2] - sums[0]] } else { sums };
        let size = explanation.base().iter().chain(explanation.values()).map(|term| term.abs()).sum::<f64>();
        for (got, expected) in scores(&model, &frame)[0].iter().zip(expected) {
            prop_assert!((got - expected).abs() <= 1e-9 * size, "{got} is not {expected}");
        }
    }
}

#[test]
fn a_product_is_divided_in_equal_parts_among_its_distinct_features() {
    let alone = model("linear", "identity", false);
    let product = model("linear", "identity", true);
    let row = [vec![Scalar::Number(20.0), Scalar::Text("red".into())]];
    let [alone, product] =
        [&alone, &product].map(|model| model.explain(&frame(model, &row)).unwrap().values().to_vec());
    // 0.5 · (20 · 20² − 10) / 4000, half each: age is a factor twice and counts once.
    let half = 0.5 * (8000.0 - 10.0) / 4000.0 / 2.0;
    for (with, without) in product.iter().zip(alone) {
        assert!((with - without - half).abs() < 1e-12);
    }
}

#[test]
fn an_explanation_has_its_unit() {
    let row = [vec![Scalar::Number(40.5), Scalar::Text("blue".into())]];
    let json = |estimator, transform| {
        let model = model(estimator, transform, false);
        let explanation = model.explain(&frame(&model, &row)).unwrap();
        serde_json::to_value(&explanation).unwrap()
    };
    // (40.5² − 1784.25) / 950 = −0.151…, of the colours −0.5 and −1.5.
    let age = (40.5_f64.powi(2) - 1784.25) / 950.0;
    let close = |got: &Value, expected: f64| assert!((got.as_f64().unwrap() - expected).abs() < 1e-12, "{got}");

    let regression = json("linear", "identity");
    assert_eq!((&regression["unit"], &regression["base"]), (&json!("target"), &json!(7.0)));
    close(&regression["contributions"][0]["age"], -0.75 * age);
    close(&regression["contributions"][0]["colour"], 2.0 * -0.5 - 3.0 * -1.5);
    assert_eq!(regression.as_object().unwrap().len(), 3);

    assert_eq!(json("lasso", "log")["unit"], "log-target");
    let two = json("two", "identity");
    assert_eq!((&two["unit"], &two["class"], &two["base"]), (&json!("log-odds"), &json!("yes"), &json!(7.0)));
    let three = json("three", "identity");
    assert_eq!((&three["unit"], &three["base"]), (&json!("score"), &json!({"a": 7.0, "b": 0.0, "c": -1.0})));
    close(&three["contributions"][0]["age"]["b"], age);
    close(&three["contributions"][0]["colour"]["c"], 1.0 * -0.5 - -1.5);
}

#[test]
fn rows_that_cannot_be_explained_are_errors() {
    let (model, other) = (model("linear", "identity", true), model("linear", "identity", true));
    let row = |age| vec![Scalar::Number(age), Scalar::Text("red".into())];
    let foreign = frame(&other, &[row(1.0)]);
    assert_eq!(model.explain(&foreign), Err(PredictError::ForeignFrame.into()));
    assert_eq!(model.explain(&frame(&model, &[row(1.0), row(1e200)])), Err(PredictError::NotFinite { row: 1 }.into()));
    let mut many = RowsBuilder::new(model.signature(), MAX_VALUES);
    for _ in 0..=MAX_VALUES / 2 {
        many.start_row().unwrap();
        many.push(Cell::Double(1.0));
        many.push(Cell::Text("red"));
    }
    let error = model.explain(&many.finish().unwrap()).unwrap_err();
    assert_eq!(error, PredictError::TooMuchToExplain { values: MAX_VALUES + 2, limit: MAX_VALUES }.into());
}

#[test]
fn the_parts_of_a_date_are_one_contribution() {
    let mut features = json!([feature("sold", "date"), feature("size", "double")]);
    features[0]["range"] = json!(["2024-01-01", "2024-12-31"]);
    let part =
        |part: &str, mean: f64| column(&format!("sold {part}"), json!({"feature": "sold", "part": part}), mean, 1.0);
    let draft = ModelDocument::regression("sales", 10.0)
        .features(features)
        .column(part("month", 6.0), 2.0)
        .column(part("days", 100.0), 0.5)
        .column(column("size", json!({"feature": "size"}), 50.0, 1.0), 3.0);
    let model = loaded(draft, &json!(["2024-02-01", 1.0]));
    let frame = frame(&model, &[vec![Scalar::Text("2024-03-01".into()), Scalar::Number(52.0)]]);
    let explanation = serde_json::to_value(model.explain(&frame).unwrap()).unwrap();
    // 2 · (3 − 6) + 0.5 · (60 − 100), and 3 · (52 − 50).
    let expected = json!({"unit": "target", "base": 10.0, "contributions": [{"sold": -26.0, "size": 6.0}]});
    assert_eq!(explanation, expected);
}
