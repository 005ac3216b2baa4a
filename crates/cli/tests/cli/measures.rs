//! Measures of what is served: baselines, standard errors, folds, class weights and thresholds.

#![allow(clippy::cast_precision_loss)] // Counts, and random numbers.

use std::fmt::Write as _;
use std::fs;

use rstest::rstest;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{complained, folder_with, folder_with_data, json_of, run, said, succeeded, train};

/// Rows of two classes; the second is rare.
fn rare() -> String {
    let mut data = "x,z,bought\n".to_owned();
    for i in 0..400_u32 {
        let (u, v) = (f64::from(i * 7919 % 1000) / 1000.0, f64::from(i * 104_729 % 997) / 997.0);
        let class = if u + 0.4 * v > 1.02 { "yes" } else { "no" };
        writeln!(data, "{u},{},{class}", f64::from(i * 31 % 17) / 17.0).unwrap();
    }
    data
}

/// The output of `train --json`.
fn trained(folder: &TempDir, arguments: &str) -> Value {
    serde_json::from_str(succeeded(&train(folder.path(), &format!("{arguments} --json")))).unwrap()
}

fn numbers(values: &Value) -> Vec<f64> {
    values.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}

/// ```python
/// w = compute_sample_weight("balanced", y); scaler = StandardScaler().fit(X, sample_weight=w)
/// model = LogisticRegression(class_weight="balanced", solver="newton-cholesky", tol=1e-14).fit(scaler.transform(X), y)
/// model.coef_ / scaler.scale_   # scikit-learn 1.9.1
/// ```
#[rstest]
#[case::two_classes(
    "model/breast-cancer.csv --target diagnosis --features mean_radius,mean_texture,mean_perimeter",
    vec![vec![0.115_846_370_361_650_02, 0.210_889_244_100_240_74, 0.129_529_595_022_315_46]],
)]
#[case::three_classes(
    "iris.csv --target species",
    vec![
        vec![-1.179_302_866_311_209_3, 2.635_452_774_150_191, -1.005_852_471_311_225_6, -2.262_977_722_921_924],
        vec![0.724_682_059_619_917_5, -0.593_999_476_498_023_2, -0.149_397_176_637_385_7, -1.083_920_184_247_680_2],
        vec![0.454_620_806_691_293_07, -2.041_453_297_652_17, 1.155_249_647_948_612_3, 3.346_897_907_169_605_4],
    ],
)]
fn balanced_classes_have_the_coefficients_of_scikit_learn(#[case] arguments: &str, #[case] expected: Vec<Vec<f64>>) {
    let root = ordinate_test_support::root();
    // The last class has 20 rows instead of 50.
    let iris = fs::read_to_string(root.join("model/iris.csv")).unwrap();
    let some: Vec<&str> = iris.lines().take(121).collect();
    let folder = folder_with(&[("iris.csv", &(some.join("\n") + "\n"))]);
    let cancer = root.join("model/breast-cancer.csv");
    let arguments = arguments.replace("model/breast-cancer.csv", cancer.to_str().unwrap());
    let answer = trained(&folder, &format!("{arguments} --class-weight balanced --test-fraction 0"));
    for (at, column) in answer["coefficients"]["columns"].as_array().unwrap().iter().enumerate() {
        let got = numbers(&column["coefficients"]);
        for (got, expected) in got.iter().zip(expected.iter().map(|class| class[at])) {
            assert!((got / expected - 1.0).abs() < 1e-9, "{}: {got} is not {expected}", column["name"]);
        }
        assert_eq!(got.len(), expected.len());
    }
    let notes = answer["notes"].to_string();
    assert!(notes.contains("--class-weight balanced: the classes have equal weights in the fit"), "{notes}");
}

#[test]
fn a_threshold_is_stored_served_and_measured() {
    let folder = folder_with_data(rare());
    let arguments = "data.csv --target bought --test-fraction 0.3";
    let plain = trained(&folder, &format!("{arguments} --out plain.json"));
    let lower = trained(&folder, &format!("{arguments} --threshold 0.15 --out lower.json"));
    let file = json_of(folder.path().join("lower.json"));
    assert_eq!((&file["inference"]["threshold"], &lower["threshold"]), (&json!(0.15), &json!(0.15)));
    assert_eq!(file["training"]["parameters"]["threshold"], json!(0.15));
    assert_eq!(file["estimator"], json_of(folder.path().join("plain.json"))["estimator"]);
    let metric = |answer: &Value, name: &str| answer["metrics"]["test"][name].as_f64().unwrap();
    assert!(metric(&lower, "recall") > metric(&plain, "recall"));
    assert!(metric(&lower, "precision") < metric(&plain, "precision"));
    for name in ["log_loss", "brier", "roc_auc"] {
        assert!((metric(&lower, name) - metric(&plain, name)).abs() < 1e-15, "{name}");
    }
    assert_eq!(lower["class_metrics"][1]["recall"], lower["metrics"]["test"]["recall"]);

    // Every prediction, also of golden rows, is the second class from 0.15 on.
    succeeded(&run(&folder, "predict lower.json data.csv --probabilities --out scored.csv --quiet"));
    let scored = fs::read_to_string(folder.path().join("scored.csv")).unwrap();
    let mut rows = scored.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = rows.next().unwrap();
    let place = |name: &str| header.iter().position(|own| own.contains(name)).unwrap();
    let (prediction, probability) = (place("prediction"), header.len() - 1);
    let mut between = 0;
    for row in rows {
        let p: f64 = row[probability].parse().unwrap();
        assert_eq!(row[prediction] == "yes", p >= 0.15, "{row:?}");
        between += u32::from((0.15..0.5).contains(&p));
    }
    assert!(between > 5);
    let golden = &file["golden"];
    for (y, p) in golden["y"].as_array().unwrap().iter().zip(golden["probabilities"].as_array().unwrap()) {
        assert_eq!(y == "yes", p[1].as_f64().unwrap() >= 0.15);
    }
    let output = run(&folder, "inspect lower.json");
    assert!(said(&output).contains("yes is predicted where its probability is at least 0.15"), "{}", said(&output));
    // The file is refused if it is changed to an impossible threshold.
    let text = fs::read_to_string(folder.path().join("lower.json")).unwrap();
    fs::write(folder.path().join("lower.json"), text.replace("\"threshold\": 0.15", "\"threshold\": 1.5")).unwrap();
    assert!(!run(&folder, "inspect lower.json").status.success());
}

#[rstest]
#[case(
    "--target species --threshold 0.3",
    "--threshold applies to two classes, and target \"species\" has 3\nhelp: remove --threshold"
)]
#[case(
    "--target petal_width --threshold 0.3",
    "--threshold applies to classes, and --estimator linear is fitted to the numeric target \"petal_width\"\nhelp: remove --threshold"
)]
#[case("--target petal_width --class-weight balanced", "--class-weight applies to classes, and --estimator linear")]
fn options_of_classes_need_suitable_classes(#[case] arguments: &str, #[case] expected: &str) {
    let root = ordinate_test_support::root();
    let folder = folder_with(&[("iris.csv", &fs::read_to_string(root.join("model/iris.csv")).unwrap())]);
    let output = train(folder.path(), &format!("iris.csv {arguments}"));
    assert!(complained(&output).contains(expected), "{}", complained(&output));
}

#[rstest]
#[case("0")]
#[case("1")]
#[case("-0.1")]
#[case("30")]
#[case("high")]
fn a_threshold_is_a_probability(#[case] threshold: &str) {
    let folder = folder_with_data(rare());
    let output = train(folder.path(), &format!("data.csv --target bought --threshold {threshold}"));
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(2) && text.contains("expected a number above 0 and below 1"), "{text}");
}

#[test]
fn balanced_classes_need_a_penalty() {
    let folder = folder_with_data(rare());
    let output = train(folder.path(), "data.csv --target bought --class-weight balanced --c inf");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(2) && text.contains("--class-weight needs a penalty"), "{text}");
}

#[test]
fn metrics_have_standard_errors_and_a_baseline() {
    let folder = folder_with_data("x,y\n1,3\n2,5.5\n3,7\n4,8.5\n5,11\n6,14\n");
    fs::write(folder.path().join("test.csv"), "x,y\n1,4\n3,6\n5,12\n").unwrap();
    let answer = trained(&folder, "data.csv --target y --test test.csv --out m.json");
    let metrics = &answer["metrics"];
    let mean = (3.0 + 5.5 + 7.0 + 8.5 + 11.0 + 14.0) / 6.0;
    let mae = [4.0, 6.0, 12.0].iter().map(|y: &f64| (y - mean).abs()).sum::<f64>() / 3.0;
    assert!((metrics["test_baseline"]["mae"].as_f64().unwrap() - mae).abs() < 1e-12);
    assert!(metrics["test_standard_errors"]["mae"].as_f64().unwrap() > 0.0);
    assert!(metrics["test"]["mape_percent"].as_f64().unwrap() > 1.0);
    let stored = json_of(folder.path().join("m.json"));
    assert!((numbers(&stored["training"]["baseline"])[0] - mean).abs() < 1e-12);
    // `evaluate` measures the same rows in the same way.
    let output = run(&folder, "evaluate m.json test.csv --json");
    let evaluated: Value = serde_json::from_str(said(&output)).unwrap();
    for (own, stored) in
        [("metrics", "test"), ("standard_errors", "test_standard_errors"), ("baseline", "test_baseline")]
    {
        assert_eq!(evaluated[own], metrics[stored], "{own}");
    }
    let output = train(folder.path(), "data.csv --target y --test test.csv");
    let line = succeeded(&output).lines().find(|line| line.contains("± s.e.")).unwrap();
    assert_eq!(line.split_whitespace().collect::<Vec<_>>().join(" "), "test data (3) ± s.e. baseline fitted (6)");
    let output = run(&folder, "evaluate m.json test.csv");
    assert!(said(&output).contains("baseline"), "{}", said(&output));
    // A logarithm is fitted: the baseline is the geometric mean.
    let answer = trained(&folder, "data.csv --target y --target-transform log --test test.csv --out log.json");
    let geometric = (3.0_f64 * 5.5 * 7.0 * 8.5 * 11.0 * 14.0).powf(1.0 / 6.0);
    let stored = json_of(folder.path().join("log.json"));
    assert!((numbers(&stored["training"]["baseline"])[0] - geometric).abs() < 1e-12);
    assert!(answer["metrics"]["test_baseline"]["rmse"].as_f64().is_some());
}

/// The baseline of classes is the frequencies of the fitted rows, as `DummyClassifier(strategy="prior")`.
#[test]
fn the_baseline_of_classes_is_their_frequencies() {
    let folder = folder_with_data(rare());
    fs::write(folder.path().join("test.csv"), rare()).unwrap();
    let answer = trained(&folder, "data.csv --target bought --test test.csv --no-calibration --out m.json");
    let share = rare().matches(",yes").count() as f64 / 400.0;
    let baseline = &answer["metrics"]["test_baseline"];
    let entropy = -(share * share.ln() + (1.0 - share) * (1.0 - share).ln());
    assert!((baseline["log_loss"].as_f64().unwrap() - entropy).abs() < 1e-12);
    assert!((baseline["accuracy"].as_f64().unwrap() - (1.0 - share)).abs() < 1e-12);
    assert_eq!((&baseline["roc_auc"], &baseline["recall"]), (&json!(0.5), &json!(0.0)));
    assert!(answer["metrics"]["test"]["calibration_slope"].is_f64());
    assert!((answer["class_metrics"][1]["support"].as_f64().unwrap() - 400.0 * share).abs() < 1e-9);
}

/// The metrics of the folds are those of the plan: they estimate the same numbers as its held-out rows.
#[rstest]
#[case::least_squares("--target y")]
#[case::a_penalty("--target y --estimator ridge --alpha 2")]
#[case::classes("--target side --exclude y --no-calibration")]
#[case::a_threshold("--target side --exclude y --threshold 0.4")]
fn folds_measure_the_plan(#[case] arguments: &str) {
    let mut data = "x,z,y,side\n".to_owned();
    for i in 0..240_u32 {
        let (u, v) = (f64::from(i * 7919 % 1000) / 1000.0, f64::from(i * 104_729 % 997) / 997.0);
        let y = 3.0 * u + v + f64::from(i * 31 % 17) / 10.0;
        writeln!(data, "{u},{v},{y},{}", if y > 2.6 { "above" } else { "below" }).unwrap();
    }
    let folder = folder_with_data(data);
    let arguments =
        if arguments.contains("side") { arguments.to_owned() } else { format!("{arguments} --exclude side") };
    let plain = trained(&folder, &format!("data.csv {arguments}"));
    let folds = trained(&folder, &format!("data.csv {arguments} --cross-validate 4 --out m.json"));
    assert_eq!(plain["estimator"], folds["estimator"]);
    assert_eq!(plain["metrics"]["test"], folds["metrics"]["test"]);
    let metrics = &folds["metrics"];
    let (means, errors) = (&metrics["cross_validation"], &metrics["cross_validation_standard_errors"]);
    for (name, value) in means.as_object().unwrap() {
        let [mean, error] = [value, &errors[name]].map(|value| value.as_f64().unwrap());
        let held_out = metrics["test"][name].as_f64().unwrap();
        // Both estimate the same number: within five of their standard errors.
        let Some(other) = metrics["test_standard_errors"][name].as_f64() else { continue };
        assert!((mean - held_out).abs() < 5.0 * error.hypot(other), "{name}: {mean} ± {error}, {held_out} ± {other}");
    }
    assert!(means.as_object().unwrap().len() >= 4, "{means}");
    let text = train(folder.path(), &format!("data.csv {arguments} --cross-validate 4"));
    assert!(succeeded(&text).contains("cross-validation  ± s.e."), "{}", succeeded(&text));
    assert_eq!(json_of(folder.path().join("m.json"))["training"]["parameters"]["cross_validate"], json!(4));
}

/// Also with more folds than rows, and with folds of nearly all rows.
#[rstest]
fn few_rows_can_be_measured_in_folds(
    #[values("linear", "ridge", "lasso")] estimator: &str,
    #[values(2, 5, 100)] folds: u32,
    #[values(3, 4, 7)] rows: usize,
) {
    let lines: String =
        ["1,3", "2,5", "3,7.5", "4,9", "5,12", "6,12.5", "7,15"].map(|line| line.to_owned() + "\n")[..rows].concat();
    let folder = folder_with_data(format!("x,y\n{lines}"));
    let answer = trained(&folder, &format!("data.csv --target y --estimator {estimator} --cross-validate {folds}"));
    let is_noted = answer["notes"].to_string().contains("too few rows to measure the model in");
    assert_eq!(answer["metrics"]["cross_validation"].is_object(), !is_noted, "{answer}");
}

#[test]
fn probabilities_are_calibrated_only_where_that_helps() {
    // As many columns as fits of 160 rows are overconfident about.
    let rows = |columns: u32| {
        let names: Vec<String> = (0..columns).map(|column| format!("x{column}")).collect();
        let mut data = format!("{},y\n", names.join(","));
        let mut state = 1_u64;
        let mut uniform = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        for _ in 0..200 {
            let x: Vec<f64> = (0..columns).map(|_| uniform() + uniform() + uniform() - 1.5).collect();
            let p = 1.0 / (1.0 + (-2.0 * x[0]).exp());
            let fields: Vec<String> = x.iter().map(|x| format!("{x:.6}")).collect();
            writeln!(data, "{},{}", fields.join(","), if uniform() < p { "yes" } else { "no" }).unwrap();
        }
        data
    };
    let noted = |columns| {
        let folder = folder_with_data(rows(columns));
        let answer = trained(&folder, "data.csv --target y --test-fraction 0.4 --out m.json");
        let file = json_of(folder.path().join("m.json"));
        let is_calibrated = file["inference"]["temperature"].is_f64();
        let note = answer["notes"].to_string();
        assert_eq!(note.contains("the probabilities are calibrated"), is_calibrated, "{note}");
        assert_eq!(note.contains("no improvement by more than its standard error"), !is_calibrated, "{note}");
        // The metrics of the file are of served probabilities, and there is no other set of calibrated ones.
        assert!(answer["metrics"]["test"]["calibration_slope"].is_f64() && answer["metrics"]["calibrated"].is_null());
        is_calibrated
    };
    assert!(noted(60));
    assert!(!noted(1));
}
