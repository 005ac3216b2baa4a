//! `ordinate evaluate`: metrics of a model on a table.

use std::fmt::Write as _;
use std::fs::{self};

use serde_json::{Value, json};

use crate::support::{SALES_ROWS, SIDES_ROWS, complained, folder_with, pipe, run, said, sales, sides, text};

#[test]
fn a_regression_is_measured_by_its_errors() {
    // By hand: errors −1, 1, 0, 2.
    let output = pipe("evaluate line - --json", "y,x\n2,1\n6,2\n7,3\n11,4\n");
    let answer: Value = serde_json::from_str(said(&output)).unwrap();
    assert_eq!((&answer["model"], &answer["target"], &answer["rows"]), (&json!("line"), &json!("y"), &json!(4)));
    let metric = |name: &str| answer["metrics"][name].as_f64().unwrap();
    let spread = [2.0, 6.0, 7.0, 11.0].iter().map(|y: &f64| (y - 6.5).powi(2)).sum::<f64>();
    assert!((metric("r2") - (1.0 - 6.0 / spread)).abs() < 1e-15);
    assert!((metric("rmse") - 1.5_f64.sqrt()).abs() < 1e-15);
    assert!((metric("mae") - 1.0).abs() < 1e-15);

    let data = include_str!("../../../../model/diabetes.csv");
    let output = pipe("evaluate diabetes -", data);
    let report = said(&output);
    assert!(report.starts_with("diabetes@1 on standard input: progression, 442 rows\n"), "{report}");
    // scikit-learn 1.9.1: LinearRegression on all rows, r2_score and root_mean_squared_error.
    for (name, value) in [("R²", "0.517748"), ("RMSE", "53.4761")] {
        assert!(report.lines().any(|line| line.contains(name) && line.contains(value)), "{report}");
    }
}

#[test]
fn a_classifier_is_measured_by_its_classes() {
    let labels = ["fruit", "\"apple, green\"", "pear", "plum", "pear", "pear"];
    let data = SIDES_ROWS.lines().zip(labels).fold(String::new(), |mut text, (row, label)| {
        writeln!(text, "{row},{label}").unwrap();
        text
    });
    let folder = folder_with(&[("sides.json", &sides()), ("rows.csv", &data)]);
    let output = run(&folder, "evaluate sides.json rows.csv --json");
    let answer: Value = serde_json::from_str(said(&output)).unwrap();
    // Predicted: plum, pear, pear, pear, apple, green.
    assert_eq!(answer["metrics"]["accuracy"], json!(0.4));
    assert_eq!(answer["confusion"]["rows"], json!([[0.0, 0.0, 1.0], [1.0, 2.0, 0.0], [0.0, 1.0, 0.0]]));
    // Of the five predicted classes, two are right.
    let bins = answer["calibration"].as_array().unwrap();
    let sum =
        |name: &str| bins.iter().map(|bin| bin["rows"].as_f64().unwrap() * bin[name].as_f64().unwrap()).sum::<f64>();
    assert_eq!(bins.iter().map(|bin| bin["rows"].as_u64().unwrap()).sum::<u64>(), 5);
    assert!((sum("share") - 2.0).abs() < 1e-12 && sum("predicted") > 2.0 && sum("predicted") < 5.0, "{bins:?}");
    let report = run(&folder, "evaluate sides.json rows.csv");
    assert!(
        said(&report).contains("rows by class  as apple, green  as pear  as plum  precision  recall\n"),
        "{}",
        said(&report)
    );

    // An unknown class.
    let stranger = data.replace("plum", "cherry");
    fs::write(folder.path().join("rows.csv"), stranger).unwrap();
    let output = run(&folder, "evaluate sides.json rows.csv");
    let expected = "rows.csv: line 4, target column \"fruit\": expected one of the classes apple, green, pear, plum, got \"cherry\"";
    assert!(complained(&output).contains(expected), "{}", text(&output.stderr));
    let output = run(&folder, "evaluate sides.json rows.csv --json --on-error skip");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&answer["rows"], &answer["left_out"]), (&json!(4), &json!(1)));
    assert!(text(&output.stderr).starts_with("rows.csv: 1 of 5 rows skipped:\n  line 4, target column \"fruit\""));
}

#[test]
fn rows_without_an_answer_are_left_out_and_imputed_values_are_counted() {
    let folder = folder_with(&[("sales.json", &sales()), ("rows.csv", SALES_ROWS)]);
    let output = run(&folder, "evaluate sales.json rows.csv --json");
    let answer: Value = serde_json::from_str(said(&output)).unwrap();
    assert_eq!((&answer["rows"], &answer["left_out"], &answer["without_target"]), (&json!(2), &json!(0), &json!(1)));
    assert_eq!(answer["imputed"], json!({"size": 1, "deck": 1}));
    // Predicted are 1234.5 + 10 and 50 + 1 + 1000.
    assert_eq!(answer["metrics"]["mae"], json!(0.25));
    let report = run(&folder, "evaluate sales.json rows.csv");
    for line in ["1 row without a value of the target left out.", "2 missing values were imputed: size (1), deck (1)."]
    {
        assert!(said(&report).contains(line), "{}", said(&report));
    }
    let without = "size;sold;deck;price\n20;11.1.2024;A;\n20;11.1.2024;A;NA\n";
    fs::write(folder.path().join("rows.csv"), without).unwrap();
    let output = run(&folder, "evaluate sales.json rows.csv");
    assert_eq!(complained(&output), "error: rows.csv: no row has a value of the target \"price\"\n");
}

#[test]
fn the_answers_of_classes_may_be_missing_too() {
    let data = "side,length,fruit\nleft,1,pear\nleft,2,\nright,3,NA\nright,1,none of them\n";
    let folder = folder_with(&[("sides.json", &sides()), ("rows.csv", data)]);
    let output = run(&folder, "evaluate sides.json rows.csv --json --on-error skip");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&answer["rows"], &answer["left_out"], &answer["without_target"]), (&json!(1), &json!(1), &json!(2)));
}

#[test]
fn a_row_of_weight_zero_counts_as_no_row() {
    let folder = folder_with(&[("all.csv", "x,y,w\n1,2,1\n2,6,2\n3,70,0\n"), ("some.csv", "x,y,w\n1,2,1\n2,6,2\n")]);
    let metrics = |arguments: &str| -> Value {
        let output = run(&folder, &format!("evaluate line {arguments} --weights w --json"));
        serde_json::from_str::<Value>(said(&output)).unwrap()["metrics"].take()
    };
    assert_eq!(metrics("all.csv"), metrics("some.csv"));
}

/// Training leaves out a class whose rows all have the weight 0; so does the evaluation of the same table.
#[test]
fn rows_of_weight_zero_are_ignored_whatever_their_class() {
    let mut data = "x,w,none,y\n".to_owned();
    for i in 0..60 {
        let class = ["a", "b", "c"][i % 3];
        writeln!(data, "{},{},0,{class}", i * 37 % 61, u8::from(class != "c")).unwrap();
    }
    let folder = folder_with(&[("data.csv", &data)]);
    assert!(run(&folder, "train data.csv --target y --features x --weights w --out m.json").status.success());
    let output = run(&folder, "evaluate m.json data.csv --weights w --json");
    let answer: Value = serde_json::from_str(said(&output)).unwrap();
    assert_eq!(answer["rows"], 40);
    let output = run(&folder, "evaluate m.json data.csv --weights none");
    let complaint = complained(&output);
    assert!(complaint.contains("no row has a weight above zero in the column \"none\""), "{complaint}");
}
