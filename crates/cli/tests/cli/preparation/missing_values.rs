//! Imputation of missing values.

#![allow(clippy::cast_precision_loss)] // Numbers below 1009.

use std::fmt::Write as _;
use std::fs;

use rstest::rstest;
use serde_json::{Value, json};

use super::model;
use crate::support::{folder_with_data, run, text};

#[rstest]
#[case("mean", json!(2.5))]
#[case("median", json!(1.5))]
#[case("most-frequent", json!(1.0))]
#[case("constant=7", json!(7.0))]
#[case("x=constant=-1e3", json!(-1000.0))]
fn imputed_values_are_computed_from_the_other_rows(#[case] rule: &str, #[case] expected: Value) {
    let folder = folder_with_data("x,y\n1,1\n,2\n1,3\n2,5\nnan,5\n6,8\n");
    let file = model(folder.path(), &format!("--target y --test-fraction 0 --missing {rule}"));
    assert_eq!(file["signature"]["features"][0]["missing"], json!({"impute": expected}));
}

/// A row of weight 3 is three rows, wherever rows are counted.
#[rstest]
#[case("mean")]
#[case("median")]
#[case("most-frequent")]
fn weights_count_in_imputation_as_repeated_rows(#[case] policy: &str) {
    let rows = [("0", "b", 2, 1), ("", "", 1, 4), ("10", "a", 3, 20), ("5", "b", 2, 11), ("7", "c", 4, 9)];
    let mut weighted = "x,g,w,y\n".to_owned();
    let mut repeated = weighted.clone();
    for (x, g, weight, y) in rows {
        writeln!(weighted, "{x},{g},{weight},{y}").unwrap();
        for _ in 0..weight {
            writeln!(repeated, "{x},{g},1,{y}").unwrap();
        }
    }
    let options = format!("--target y --weights w --missing {policy} --missing g=most-frequent --test-fraction 0");
    let of = |data: String| model(folder_with_data(data).path(), &format!("{options} --estimator ridge"));
    let (weighted, repeated) = (of(weighted), of(repeated));
    assert_eq!(weighted["signature"], repeated["signature"]);
    let expected = match policy {
        // (2·0 + 3·10 + 2·5 + 4·7) / 11
        "mean" => 68.0 / 11.0,
        _ => 7.0,
    };
    assert_eq!(weighted["signature"]["features"][0]["missing"], json!({"impute": expected}));
    assert_eq!(weighted["signature"]["features"][1]["missing"], json!({"impute": "b"}));
}

/// The median by sorting, of numbers of both signs and all sizes.
#[rstest]
#[case::odd(101)]
#[case::even(100)]
fn medians_are_exact(#[case] rows: usize) {
    let values: Vec<f64> = (0..rows).map(|i| ((i * 7919 % 1009) as f64 - 500.0).powi(3) * 1e-4).collect();
    let mut data = "x,y\n,1\n".to_owned();
    for (i, value) in values.iter().enumerate() {
        writeln!(data, "{value:?},{}", i * i % 13).unwrap();
    }
    let folder = folder_with_data(data);
    let file = model(folder.path(), "--target y --test-fraction 0 --missing median");
    let mut sorted = values;
    sorted.sort_by(f64::total_cmp);
    let median = f64::midpoint(sorted[(rows - 1) / 2], sorted[rows / 2]);
    assert_eq!(file["signature"]["features"][0]["missing"]["impute"].as_f64(), Some(median));
}

/// `y = 2x`, where 999 stands for unknown numbers, and −1 for unknown targets.
#[rstest]
#[case("--missing-values x=-999 --missing-values y=-1")]
#[case("--missing-values=-999,-1 --types x=double")]
fn a_number_that_stands_for_missing_values_is_one_in_training_and_in_predictions(#[case] options: &str) {
    let mut data = "x,y\n".to_owned();
    for row in 0..60_u32 {
        let x = 1 + row * row % 23;
        let [x, y] = match row {
            7 | 31 => ["-999".to_owned(), (2 * x).to_string()],
            12 => [x.to_string(), "-1".to_owned()],
            _ => [x.to_string(), (2 * x).to_string()],
        };
        writeln!(data, "{x},{y}").unwrap();
    }
    let folder = folder_with_data(data);
    let file = model(folder.path(), &format!("--target y --test-fraction 0 --missing drop {options}"));
    let slope = file["estimator"]["coefficients"]["x"].as_f64().unwrap();
    assert!((slope - 2.0).abs() < 1e-9, "{file}");
    let file = model(folder.path(), &format!("--target y --test-fraction 0 --missing x=median {options}"));
    assert!(file["signature"]["features"][0]["missing"]["impute"].as_f64().unwrap() > 0.0, "{file}");
    fs::write(folder.path().join("rows.csv"), "x\n-999\n").unwrap();
    let predicted = run(folder.path(), "predict m.json rows.csv --warnings");
    assert!(text(&predicted.stdout).contains("x: missing, replaced by"), "{predicted:?}");
}

/// `y = x`, and 100 more where x is missing: only an indicator distinguishes them.
#[test]
fn an_indicator_of_missing_values_is_a_column_of_its_own() {
    let mut data = "x,z,y\n".to_owned();
    for row in 0..60_u32 {
        let x = row * row % 23;
        match row % 4 {
            0 => writeln!(data, ",{},{}", row % 7, 111).unwrap(),
            _ => writeln!(data, "{x},{},{x}", row % 7).unwrap(),
        }
    }
    let folder = folder_with_data(data);
    let file = model(folder.path(), "--target y --test-fraction 0 --missing x=constant=11 --missing-indicator");
    assert_eq!(file["signature"]["features"][0]["missing_indicator"], json!(true));
    let coefficient = |name: &str| file["estimator"]["coefficients"][name].as_f64().unwrap();
    assert!((coefficient("x") - 1.0).abs() < 1e-9 && (coefficient("x.missing") - 100.0).abs() < 1e-9, "{file}");
    fs::write(folder.path().join("rows.csv"), "x,z\n,3\n11,3\n").unwrap();
    let predicted = text(&run(folder.path(), "predict m.json rows.csv").stdout).to_owned();
    let predictions: Vec<f64> =
        predicted.lines().skip(1).map(|line| line.rsplit(',').next().unwrap().parse().unwrap()).collect();
    assert!((predictions[0] - 111.0).abs() < 1e-9 && (predictions[1] - 11.0).abs() < 1e-9, "{predicted}");
}
