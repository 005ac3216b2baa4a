use serde_json::{Value, json};

use super::*;
use crate::answer::WarningScope;
use crate::artifact::ArtifactError;
use crate::scalar::Scalar;
use crate::test_models::frame_of_numbers as frame;
use crate::{AnswerError, PredictError, Prediction, Wanted};
use ordinate_test_support::{ModelDocument, column, feature};

/// x = 1 … 5, y = 2, 4, 5, 4, 5: Σ(x − 3)² = 10, residual sum of squares 2.4 on 3 degrees of freedom.
fn noise() -> Value {
    json!({"degrees_of_freedom": 3, "residual_variance": 0.8, "r": [[10.0_f64.sqrt()]]})
}

fn line(family: &str, inference: &Value, transform: &str) -> Result<Model, ArtifactError> {
    let estimator = if family == "logistic" {
        json!({"family": family, "classes": [0, 1], "intercepts": [4.0], "coefficients": {"x": [0.6]}})
    } else {
        json!({"family": family, "intercept": 4.0, "coefficients": {"x": 0.6}})
    };
    let draft = ModelDocument::new("line", estimator)
        .features(json!([feature("x", "double")]))
        .columns(vec![column("x", json!({"feature": "x"}), 3.0, 1.0)])
        .set("/preprocess/target_transform", transform)
        .set("/training/rows", 5)
        .set("/inference", inference.clone());
    Model::assemble(serde_json::from_value(draft.json())?)
}

/// The intervals of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Ends {
    prediction: [f64; 2],
    mean: Option<[f64; 2]>,
}

fn at(level: f64) -> Wanted {
    Wanted { interval: Some(level), ..Wanted::default() }
}

fn ends(model: &Model, level: f64, rows: &[&[f64]]) -> Result<Vec<Ends>, AnswerError> {
    let mean_interval = model.has_mean_intervals().then_some(level);
    let answer = model.answer(&frame(model, rows), &Wanted { mean_interval, ..at(level) })?;
    let mean = |row: usize| answer.mean_intervals.as_ref().and_then(|ends| ends[row]);
    let intervals = answer.intervals.unwrap().into_iter().enumerate();
    Ok(intervals.map(|(row, prediction)| Ends { prediction, mean: mean(row) }).collect())
}

fn method(model: &Model, level: f64) -> IntervalMethod {
    model.answer(&frame(model, &[&[3.0]]), &at(level)).unwrap().interval_method.unwrap()
}

fn assert_ends(got: [f64; 2], middle: f64, half_width: f64) {
    assert!(
        (got[0] - (middle - half_width)).abs() < 1e-12 && (got[1] - (middle + half_width)).abs() < 1e-12,
        "{got:?}"
    );
}

/// The textbook formulas for one feature, with t(0.975; 3) = 3.1824463052837097 (mpmath).
fn textbook(x: f64, of_one: f64) -> f64 {
    3.182_446_305_283_709_7 * (0.8 * (of_one + 1.0 / 5.0 + (x - 3.0).powi(2) / 10.0)).sqrt()
}

#[test]
fn a_line_has_the_intervals_of_the_textbook() {
    let model = line("linear", &noise(), "identity").unwrap();
    let points = [(3.0, 4.0), (5.0, 5.2), (-7.0, -2.0)];
    for ((x, y), ends) in points.into_iter().zip(ends(&model, 0.95, &[&[3.0], &[5.0], &[-7.0]]).unwrap()) {
        assert_ends(ends.prediction, y, textbook(x, 1.0));
        assert_ends(ends.mean.unwrap(), y, textbook(x, 0.0));
    }
    assert_eq!(method(&model, 0.5), IntervalMethod::StudentT);
}

#[test]
fn intervals_do_not_depend_on_other_rows() {
    let model = line("linear", &noise(), "identity").unwrap();
    let rows: Vec<[f64; 1]> = (0..21).map(|row| [f64::from(row)]).collect();
    let all = ends(&model, 0.95, &rows.iter().map(<[f64; 1]>::as_slice).collect::<Vec<_>>()).unwrap();
    let each: Vec<_> = rows.iter().flat_map(|row| ends(&model, 0.95, &[row]).unwrap()).collect();
    assert_eq!(all, each);
}

#[test]
fn intervals_of_the_mean_use_the_weight_of_all_rows() {
    let mut inference = noise();
    inference["weight"] = json!(20.0);
    let model = line("linear", &inference, "identity").unwrap();
    let half_width = 3.182_446_305_283_709_7 * (0.8_f64 / 20.0).sqrt();
    assert_ends(ends(&model, 0.95, &[&[3.0]]).unwrap()[0].mean.unwrap(), 4.0, half_width);
}

#[test]
fn a_logged_target_has_intervals_in_its_own_unit_but_not_of_the_mean() {
    let model = line("linear", &noise(), "log").unwrap();
    let ends = ends(&model, 0.95, &[&[3.0]]).unwrap()[0];
    assert_ends(ends.prediction.map(f64::ln), 4.0, textbook(3.0, 1.0));
    assert_eq!(ends.mean, None);
}

#[test]
fn ridge_has_the_same_formula_under_its_own_name() {
    let model = line("ridge", &noise(), "identity").unwrap();
    assert_eq!(method(&model, 0.95), IntervalMethod::StudentTRidge);
    assert_eq!(serde_json::to_value(IntervalMethod::StudentTRidge).unwrap(), "student-t-ridge");
    assert_ends(ends(&model, 0.95, &[&[5.0]]).unwrap()[0].prediction, 5.2, textbook(5.0, 1.0));
}

#[test]
fn errors_on_held_out_rows_give_intervals_for_any_regressor() {
    let held_out = json!({"conformal": {"rows": 9, "scores": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]}});
    for family in ["linear", "ridge", "lasso", "elastic-net"] {
        let model = line(family, &held_out, "identity").unwrap();
        assert_eq!(method(&model, 0.8), IntervalMethod::Conformal);
        let ends = ends(&model, 0.8, &[&[5.0]]).unwrap()[0];
        assert_ends(ends.prediction, 5.2, 0.8);
        assert_eq!(ends.mean, None);
        let needs_more = IntervalError::Level(LevelError::TooFewHeldOut { level: 0.95, rows: 9, needed: 19 });
        assert_eq!(model.predictor(&at(0.95)).unwrap_err(), needs_more);
    }
    let logged = line("lasso", &held_out, "log").unwrap();
    assert_ends(ends(&logged, 0.8, &[&[5.0]]).unwrap()[0].prediction.map(f64::ln), 5.2, 0.8);

    let classifier = line("logistic", &held_out, "identity").unwrap();
    assert!(matches!(classifier.predictor(&at(0.8)), Err(IntervalError::NotInferable { .. })));
    let frame = frame(&classifier, &[&[3.0], &[-30.0]]);
    let sets = Wanted { prediction_sets: Some(0.8), ..Wanted::default() };
    let answer = classifier.answer(&frame, &sets).unwrap();
    assert_eq!(answer.prediction_sets.unwrap(), [[&Scalar::Integer(1)], [&Scalar::Integer(0)]]);
    assert_eq!(answer.interval_method, Some(IntervalMethod::Conformal));
    assert!(matches!(logged.predictor(&sets), Err(IntervalError::NoPredictionSets { .. })));
    let mean = Wanted { mean_interval: Some(0.8), ..Wanted::default() };
    assert!(matches!(logged.predictor(&mean), Err(IntervalError::NoMeanInterval { .. })));
}

#[test]
fn invalid_levels_and_models_without_intervals_are_errors() {
    let model = line("linear", &noise(), "identity").unwrap();
    for (level, end) in [
        (0.0, "such as 0.95, got 0"),
        (1.0, "got 1"),
        (-0.5, "got -0.5"),
        (f64::NAN, "got NaN"),
        (2.0, "got 2"),
        (100.0, "got 100"),
        (95.0, "got 95; did you mean 0.95?"),
        (99.9, "got 99.9; did you mean 0.999?"),
    ] {
        let error = model.predictor(&at(level)).unwrap_err().to_string();
        assert!(error.ends_with(end), "{error}");
    }
    let almost_sure = ends(&model, 1.0 - f64::EPSILON / 2.0, &[&[1.0]]).unwrap()[0].prediction;
    let [low, high] = ends(&model, 0.999, &[&[1.0]]).unwrap()[0].prediction;
    assert!(almost_sure[0] < low && high < almost_sure[1], "{almost_sure:?}");
    let penalised = line("ridge", &json!({}), "identity").unwrap();
    assert_eq!(penalised.predictor(&at(0.95)).unwrap_err(), IntervalError::NotInferable { model: "line".into() });
    assert_eq!(ends(&model, 0.95, &[&[1.0], &[1e300]]), Err(IntervalError::NotFinite { row: 1 }.into()));
    let (frame, other) = (frame(&model, &[&[1.0]]), line("linear", &noise(), "identity").unwrap());
    assert_eq!(other.answer(&frame, &at(0.5)), Err(PredictError::ForeignFrame.into()));
}

#[test]
fn an_inconsistent_inference_is_rejected() {
    let with = |member: &str, value: Value| {
        let mut inference = noise();
        inference[member] = value;
        inference
    };
    let refused = |family: &str, inference: &Value, word: &str| {
        let error = line(family, inference, "identity").unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    };
    refused("linear", &with("degrees_of_freedom", Value::Null), "only one of them");
    refused("linear", &with("residual_variance", Value::Null), "only one of them");
    refused("linear", &with("residual_variance", json!(-1.0)), "residual_variance");
    refused("linear", &with("degrees_of_freedom", json!(0)), "degrees_of_freedom: expected at least 1");
    refused("linear", &with("degrees_of_freedom", json!(5)), "fewer than 5 rows, got 5");
    refused("linear", &with("r", json!([])), "expected r");
    refused("linear", &with("r", json!([[1.0, 2.0]])), "upper triangle");
    refused("linear", &with("r", json!([[0.0]])), "inference.r: expected finite numbers");
    refused("linear", &with("weight", json!(0.0)), "weight");
    refused(
        "linear",
        &with("conformal", json!({"rows": 2, "scores": [1.0]})),
        "inference.conformal: expected 2 scores for 2 rows, got 1",
    );
    refused("linear", &with("spread", json!(1.0)), "spread");
    refused("lasso", &noise(), "linear or ridge");
    refused("logistic", &noise(), "linear or ridge");
}

/// ln μ = 1 + 0.5 (x − 2)/2 + ln(time) − 0.25, from 9 rows of total working weight 8, whose centre is at z = 0.5.
fn rate(family: &str) -> Model {
    let inference = json!({
        "r": [[2.0]], "center": [0.5], "weight": 8.0, "dispersion": 4.0,
        "conformal": {"rows": 3, "scores": [0.5, 1.0, 3.0]},
    });
    let estimator = json!({"family": family, "intercept": 1.0, "coefficients": {"x": 0.5}});
    let time = json!({"name": "time", "type": "double", "missing": "reject", "positive": true});
    let draft = ModelDocument::new("rate", estimator)
        .features(json!([feature("x", "double"), time]))
        .columns(vec![column("x", json!({"feature": "x"}), 2.0, 2.0)])
        .set("/preprocess/offset", json!({"feature": "time", "log": true, "mean": 0.25}))
        .set("/training/rows", 9)
        .set("/inference", inference);
    Model::assemble(serde_json::from_value(draft.json()).unwrap()).unwrap()
}

#[test]
fn a_log_link_multiplies_by_the_exposure_and_scales_held_out_errors_by_the_family() {
    let rows: [&[f64]; 2] = [&[4.0, 1.0], &[4.0, 3.0]];
    for (name, root) in [("poisson", 0.5), ("gamma", 1.0)] {
        let model = rate(name);
        let wanted = Wanted { mean_interval: Some(0.95), explanation: true, ..at(0.5) };
        let answer = model.answer(&frame(&model, &rows), &wanted).unwrap();
        let Prediction::Values(values) = &answer.prediction else { panic!("a regression") };
        let (intervals, means) = (answer.intervals.as_ref().unwrap(), answer.mean_intervals.as_ref().unwrap());
        for (row, time) in [1.0_f64, 3.0].into_iter().enumerate() {
            let mean = 1.25_f64.exp() * time;
            assert!((values[row] / mean - 1.0).abs() < 1e-14);
            // The second of three scores is 1.
            assert_ends(intervals[row], mean, mean.powf(root));
            // z = 1, so that h = 1/8 + ((1 − 0.5)/2)² = 0.1875 and φ h = 0.75.
            let [low, high] = means[row].unwrap();
            let factor = (1.959_963_984_540_054 * 0.75_f64.sqrt()).exp();
            assert!((low * factor / mean - 1.0).abs() < 1e-12 && (high / factor / mean - 1.0).abs() < 1e-12);
        }
        assert_eq!(answer.interval_method, Some(IntervalMethod::Conformal));
        let explanation = answer.explanation.unwrap();
        assert_eq!(serde_json::to_value(explanation.unit()).unwrap(), "log-target");
        let expected = [[0.5, -0.25], [0.5, 3.0_f64.ln() - 0.25]];
        let near = |(got, expected): (&f64, &f64)| (got - expected).abs() < 1e-15;
        assert!(explanation.values().iter().zip(expected.as_flattened()).all(near), "{explanation:?}");
        assert_eq!(model.available_mean_intervals().unwrap().method, IntervalMethod::Wald);
        assert_eq!(serde_json::to_value(IntervalMethod::Wald).unwrap(), "wald");
        assert_eq!(model.typical()["time"], Scalar::Number(libm::exp(0.25)));
    }
}

#[test]
fn an_interval_of_a_log_link_ends_at_zero_and_means_above_doubles_are_errors() {
    let model = rate("poisson");
    let answer = model.answer(&frame(&model, &[&[-6.0, 0.1]]), &at(0.75)).unwrap();
    assert!(answer.intervals.unwrap()[0][0].abs() < f64::MIN_POSITIVE);
    let predict = |x: f64| model.answer(&frame(&model, &[&[x, 1.0]]), &Wanted::default()).unwrap_err();
    assert_eq!(predict(4000.0), PredictError::NotFinite { row: 0 }.into());
    // The limit.
    for family in ["poisson", "gamma"] {
        let model = rate(family);
        let wanted = Wanted { explanation: true, warnings: WarningScope::First, ..at(0.75) };
        let answer = model.answer(&frame(&model, &[&[-4000.0, 1.0]]), &wanted).unwrap();
        assert_eq!(answer.prediction, Prediction::Values(vec![0.0]), "{family}");
        assert_eq!(answer.intervals, Some(vec![[0.0, 0.0]]), "{family}");
    }
}

/// Rows along the direction in which the fit is unbounded, and rows so far away that an end overflows.
#[test]
fn a_mean_that_the_training_data_do_not_determine_has_no_interval() {
    let mut document = rate("poisson").document().clone();
    document.inference.as_mut().unwrap().separation = vec![1.0, -1.0];
    let model = Model::assemble(document).unwrap();
    // (4 − 2)/2 − 1 is 0.
    let rows: [&[f64]; 4] = [&[4.0, 1.0], &[2.0, 1.0], &[4.0, 3.0], &[-900.0, 1.0]];
    let wanted = Wanted { mean_interval: Some(0.95), warnings: WarningScope::First, ..at(0.5) };
    let answer = model.answer(&frame(&model, &rows), &wanted).unwrap();
    let has_mean: Vec<bool> = answer.mean_intervals.unwrap().iter().map(Option::is_some).collect();
    assert_eq!(has_mean, [true, false, true, false]);
    assert_eq!(answer.intervals.unwrap().len(), 4);
    let warnings = serde_json::to_value(&answer.warnings.listed).unwrap();
    let listed: Vec<_> = warnings.as_array().unwrap().iter().map(|one| (&one["row"], &one["code"])).collect();
    assert_eq!(json!(listed), json!([[1, "no_mean_interval"], [3, "no_mean_interval"]]));
    assert_eq!(answer.warnings.counts.no_mean_interval, 2);
    let without = model.answer(&frame(&model, &rows), &Wanted { mean_interval: None, ..wanted }).unwrap();
    assert_eq!(without.warnings.counts.total(), 0);

    let far = rate("gamma");
    let answer = far.answer(&frame(&far, &[&[9e5, 1.0], &[4.0, 1.0]]), &wanted);
    assert!(answer.is_err(), "the mean overflows");
    let answer = far.answer(&frame(&far, &[&[-9e5, 1.0], &[4.0, 1.0]]), &wanted).unwrap();
    let has_mean: Vec<bool> = answer.mean_intervals.unwrap().iter().map(Option::is_some).collect();
    assert_eq!(has_mean, [false, true]);
}

#[test]
fn a_separation_needs_a_factor_and_a_number_for_each_parameter() {
    for separation in [json!([1.0]), json!([1.0, 0.0, 0.0])] {
        let mut document = serde_json::to_value(rate("poisson").document()).unwrap();
        document["inference"]["separation"] = separation;
        let error = Model::assemble(serde_json::from_value(document).unwrap()).unwrap_err();
        assert!(error.to_string().contains("inference.separation: expected r, a poisson estimator and 2 finite"));
    }
}
