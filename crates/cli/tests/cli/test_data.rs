//! `ordinate train --test`: fitted to the data, measured on other files.

use std::fs;

use rstest::rstest;
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use crate::support::{json_of, run, succeeded, text, train};

/// Rows of y = 1 + 2x + colour, with errors.
fn labelled(rows: std::ops::Range<u32>) -> String {
    let row = |i: u32| {
        let (x, colour) = (f64::from(i * 7 % 23) / 4.0, ["red", "blue", "green"][(i * i % 5 % 3) as usize]);
        let y = 1.0 + 2.0 * x + f64::from(i * i % 5 % 3) + f64::from(i * 11 % 13) / 10.0;
        let class = if y + f64::from(i * 5 % 7) > 11.0 { "high" } else { "low" };
        format!("{x},{colour},{y},{class},{}\n", 1 + i % 3)
    };
    rows.map(row).collect()
}

/// Data to fit to, two files to test on with their columns in another order, and the same in one file.
fn folder_with_test_files() -> TempDir {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("data.csv"), format!("x,colour,y,class,w\n{}", labelled(0..80))).unwrap();
    let swapped = |rows| -> String {
        let line = |line: &str| {
            let fields: Vec<&str> = line.split(',').collect();
            [4, 2, 0, 1, 3].map(|place| fields[place]).join(",") + "\n"
        };
        labelled(rows).lines().map(line).collect()
    };
    for (name, rows) in [("test-1.csv", 80..110), ("test-2.csv", 110..150), ("other.csv", 80..150)] {
        fs::write(folder.path().join(name), format!("w,y,x,colour,class\n{}", swapped(rows))).unwrap();
    }
    folder
}

#[test]
fn booleans_are_classes_in_test_files_too() {
    let folder = tempdir().unwrap();
    let rows = |words: [&str; 2]| {
        let row = |i: u32| format!("{i},{}\n", words[usize::from(i * 7 % 11 > 5)]);
        (1..41).fold("x,y\n".to_owned(), |text, i| text + &row(i))
    };
    fs::write(folder.path().join("data.csv"), rows(["false", "true"])).unwrap();
    fs::write(folder.path().join("test.csv"), rows([" False", "TRUE "])).unwrap();
    succeeded(&train(folder.path(), "data.csv --target y --test test.csv --no-calibration --out m.json"));
    let evaluated = run(folder.path(), "evaluate m.json test.csv --json");
    let evaluated: Value = serde_json::from_str(succeeded(&evaluated)).unwrap();
    assert_eq!(json_of(folder.path().join("m.json"))["training"]["metrics"]["test"], evaluated["metrics"]);
}

#[rstest]
#[case::numbers("--target y --exclude class,w", "")]
#[case::weights("--target y --exclude class --weights w", "--weights w")]
#[case::a_logarithm("--target y --exclude class,w --target-transform log", "")]
#[case::a_penalty("--target y --exclude class,w --estimator ridge", "")]
// Uncalibrated, because training measures with temperatures that were fitted to other test rows, and evaluate with the one of
// all test rows.
#[case::classes("--target class --exclude y,w --no-calibration", "")]
#[case::a_threshold("--target class --exclude y,w --no-calibration --threshold 0.3", "")]
#[case::balanced_classes("--target class --exclude y,w --no-calibration --class-weight balanced", "")]
#[case::weighted_classes("--target class --exclude y --weights w --no-calibration", "--weights w")]
fn test_files_are_measured_as_evaluate_measures_them_and_the_fit_is_to_the_data_alone(
    #[case] arguments: &str,
    #[case] weights: &str,
) {
    let folder = folder_with_test_files();
    let path = |name: &str| folder.path().join(name);
    let arguments = format!("{} {arguments}", path("data.csv").display());
    let output = train(folder.path(), &format!("{arguments} --test test-1.csv --test test-2.csv --out m.json --json"));
    let said: Value = serde_json::from_str(succeeded(&output)).unwrap();
    assert_eq!((&said["rows"], &said["held_out"], &said["tested"]), (&json!(80), &json!(0), &json!(70)));
    let with_test = json_of(path("m.json"));
    assert_eq!(with_test["training"]["parameters"]["test_rows"], json!(70));

    let evaluated = run(folder.path(), &format!("evaluate m.json test-1.csv test-2.csv --json {weights}"));
    let evaluated: Value = serde_json::from_str(succeeded(&evaluated)).unwrap();
    assert_eq!(with_test["training"]["metrics"]["test"], evaluated["metrics"]);

    succeeded(&train(folder.path(), &format!("{arguments} --test-fraction 0 --out m.json")));
    let without = json_of(path("m.json"));
    // Except for the errors on test rows.
    let mut inference = with_test["inference"].clone();
    let errors = inference.as_object_mut().and_then(|parts| parts.remove("conformal"));
    assert_eq!(inference, without["inference"]);
    let is_classifier = with_test["task"] == "classification";
    assert_eq!(errors.map(|errors| errors["rows"].clone()), is_classifier.then(|| json!(70)));
    for part in ["signature", "preprocess", "estimator", "golden"] {
        assert_eq!(with_test[part], without[part], "{part}");
    }
    assert_eq!(with_test["training"]["metrics"]["train"], without["training"]["metrics"]["train"]);
    // The number of files and a report change nothing.
    let report = format!("{arguments} --test test-*.csv --out m.json --report r.html --card c.md");
    assert!(succeeded(&train(folder.path(), &report)).contains("measured on 70 rows of test data"));
    let reported = json_of(path("m.json"));
    assert_eq!(reported["sha256"], with_test["sha256"]);
    let page = fs::read_to_string(path("r.html")).unwrap();
    assert!(page.contains("80 rows of <code>data.csv</code>, and 70 rows of test data."));
    assert!(page.contains("test data (70)") && page.contains("the model was not fitted to these rows"));
    assert!(fs::read_to_string(path("c.md")).unwrap().contains("| metric | test data (70) | baseline | fitted (80) |"));
    succeeded(&train(folder.path(), &format!("{arguments} --test other.csv --out m.json")));
    assert_eq!(json_of(path("m.json"))["training"]["metrics"], with_test["training"]["metrics"]);
}

#[test]
fn calibration_on_test_files_changes_probabilities_and_no_class() {
    let folder = folder_with_test_files();
    // With this C the fit is far from certain enough.
    let arguments = "data.csv --target class --exclude y,w --c 0.01 --test test-1.csv --test test-2.csv --out";
    succeeded(&train(folder.path(), &format!("{arguments} m.json")));
    succeeded(&train(folder.path(), &format!("{arguments} plain.json --no-calibration")));
    let [calibrated, plain] = ["m.json", "plain.json"].map(|name| json_of(folder.path().join(name)));
    assert!(calibrated["inference"]["temperature"].as_f64().is_some_and(|temperature| temperature > 0.0));
    assert!(plain["inference"].get("temperature").is_none());
    assert_eq!(calibrated["estimator"], plain["estimator"]);
    // The same classes and order of rows, and probabilities that no test row was used for itself.
    let [of_calibrated, of_plain] = [&calibrated, &plain].map(|file| file["training"]["metrics"]["test"].clone());
    for name in ["accuracy", "roc_auc", "f1"] {
        assert_eq!(of_calibrated[name], of_plain[name], "{name}");
    }
    let loss = |metrics: &Value| metrics["log_loss"].as_f64().unwrap();
    assert!(loss(&of_calibrated) < loss(&of_plain));
    let evaluated = ["m.json", "plain.json"].map(|model| {
        let output = run(folder.path(), &format!("evaluate {model} test-1.csv test-2.csv --json"));
        serde_json::from_str::<Value>(succeeded(&output)).unwrap()["metrics"].clone()
    });
    let [calibrated, plain] = &evaluated;
    // With the temperature of all test rows, their log loss is a little lower.
    assert!(loss(calibrated) <= loss(&of_calibrated));
    assert_eq!((&calibrated["accuracy"], &calibrated["f1"]), (&plain["accuracy"], &plain["f1"]));
    assert_ne!(calibrated["log_loss"], plain["log_loss"]);
}

#[rstest]
#[case("x,colour\n1,red\n", "test.csv: line 1: no column \"y\"")]
#[case("x,color,y\n1,red,2\n", "test.csv: line 1: no column \"colour\" (did you mean \"color\"?)")]
#[case("y,x,colour\n1,1,red\n2,high,red\n", "test.csv: line 3, column \"x\": expected a number, got \"high\"")]
#[case("y,x,colour\n1,1,pink\n", "test.csv: line 2, column \"colour\": expected one of")]
#[case("y,x,colour\n1,,red\n", "test.csv: line 2, column \"x\": the value is missing")]
#[case("y,x,colour\n,1,red\n", "test.csv: line 2, target column \"y\": the value is missing")]
#[case("y,x,colour\n1,1,red\n1,1\n", "test.csv: line 3: expected 3 fields as in the header, got 2")]
#[case("y,x,colour\n", "test.csv: the file has a header but no rows")]
#[case("y,x,colour\n1,1e308,red\n", "test.csv: a row cannot be predicted: the prediction is too large")]
fn an_error_in_a_test_file_names_it(#[case] data: &str, #[case] expected: &str) {
    let folder = folder_with_test_files();
    fs::write(folder.path().join("test.csv"), data).unwrap();
    let output = train(folder.path(), "data.csv --target y --exclude class,w --test test.csv --out m.json");
    let said = text(&output.stderr);
    assert!(said.starts_with("error: ") && said.contains(expected), "{said}");
    assert!(said.lines().skip(1).all(|line| line.starts_with("help: ")), "{said}");
    assert_eq!(output.status.code(), Some(1));
    assert!(!folder.path().join("m.json").exists());
}

#[test]
fn a_test_file_is_neither_training_data_nor_overwritten() {
    let folder = folder_with_test_files();
    let output = train(folder.path(), "data.csv --target y --test d*.csv");
    assert!(text(&output.stderr).contains("data.csv: --test names a file of the training data"), "{output:?}");
    let output = train(folder.path(), "data.csv --target y --test test-*.csv --out test-1.csv");
    assert!(text(&output.stderr).contains("test-1.csv: --out is a data file"), "{output:?}");
    let output = train(folder.path(), "*.csv --target y --out data.csv");
    assert!(text(&output.stderr).contains("data.csv: --out is a data file"), "{output:?}");
    let output = train(folder.path(), "data.csv --target y --test test-1.csv --test-fraction 0.2");
    assert_eq!(output.status.code(), Some(2));
}
