//! `ordinate train` on tables whose columns do not determine the coefficients: dependent and constant columns, few rows, rare
//! classes, separated classes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use ordinate_model::Model;
use rstest::rstest;
use serde_json::Value;

use crate::support::{folder_with_data, run, succeeded, text, train};

/// Trains on `data.csv`, and returns the model file and what was printed.
fn trained(folder: &Path, arguments: &str) -> (Value, String) {
    let output = train(folder, &format!("data.csv {arguments} --out m.json"));
    let printed = format!("{}{}", succeeded(&output), text(&output.stderr));
    let file = fs::read(folder.join("m.json")).unwrap();
    Model::from_json(&file).unwrap();
    (serde_json::from_slice(&file).unwrap(), printed)
}

fn coefficients(file: &Value) -> Vec<&str> {
    file["estimator"]["coefficients"].as_object().unwrap().keys().map(String::as_str).collect()
}

/// A number in (−1, 1).
fn noise(row: u32, column: u32) -> f64 {
    (f64::from(row) * 12.9898 + f64::from(column) * 78.233).sin() * 43_758.545_3 % 1.0
}

fn rows(count: u32, header: &str, row: impl Fn(u32) -> Vec<f64>) -> String {
    let line = |number| row(number).iter().map(f64::to_string).collect::<Vec<_>>().join(",") + "\n";
    format!("{header}\n{}", (0..count).map(line).collect::<String>())
}

#[test]
fn linear_combinations_have_no_coefficient_and_are_listed_in_one_note() {
    let data = rows(60, "a,b,c,d,e,y", |row| {
        let [a, b, c] = [0, 1, 2].map(|column| noise(row, column));
        vec![a, b, c, c + 2.0, a - b, a + 2.0 * b + 0.1 * noise(row, 3)]
    });
    let folder = folder_with_data(&data);
    let (file, printed) = trained(folder.path(), "--target y");
    assert_eq!(coefficients(&file), ["a", "b", "c"]);
    assert!(
        printed.contains("2 columns are linear combinations of the columns before them and have no coefficient: d, e"),
        "{printed}"
    );
    assert!(!file["inference"]["r"].is_null());
    let (without, _) = trained(folder.path(), "--target y --exclude d,e");
    assert_eq!((&file["estimator"], &file["inference"]), (&without["estimator"], &without["inference"]));
    // Requests may contain them.
    let ignored = file["signature"]["ignored"].as_array().unwrap();
    assert!(["d", "e"].iter().all(|name| ignored.iter().any(|ignored| ignored == name)), "{ignored:?}");
    let features = file["signature"]["features"].as_array().unwrap();
    assert_eq!(features.iter().map(|feature| feature["name"].as_str().unwrap()).collect::<Vec<_>>(), ["a", "b", "c"]);
    let predicted = succeeded(&run(&folder, "predict m.json data.csv")).to_owned();
    assert_eq!(predicted.lines().count(), 61);
    let (lasso, printed) = trained(folder.path(), "--target y --estimator lasso");
    assert!(coefficients(&lasso).len() == 5 && !printed.contains("combination"), "{printed}");
}

#[test]
fn a_fit_needs_three_rows_that_are_not_held_out() {
    let folder = folder_with_data("a,b,y\n1,2,1\n2,3,7\n4,4,4\n5,1,2\n");
    for estimator in ["", "--estimator linear", "--estimator ridge", "--estimator lasso"] {
        trained(folder.path(), &format!("--target y --test-fraction 0.9 {estimator}"));
    }
}

/// All that is red is 30 years old: the product is 30 times the level.
#[test]
fn a_product_that_is_a_multiple_of_a_level_has_no_coefficient() {
    let mut data = "age,colour,y\n".to_owned();
    for i in 0..30_u32 {
        let (age, colour) = if i % 3 == 0 { (30, "red") } else { (20 + i * i % 17, ["blue", "green"][i as usize % 2]) };
        writeln!(data, "{age},{colour},{}", (i * 7) % 11).unwrap();
    }
    let folder = folder_with_data(data);
    let arguments = "--target y --interactions --test-fraction 0";
    let (pivoted, printed) = trained(folder.path(), arguments);
    let note = "1 column is a linear combination of the columns before it and has no coefficient: age:colour=red";
    assert!(printed.contains(note), "{printed}");
    let (without, _) = trained(folder.path(), &format!("{arguments} --exclude age:colour=red"));
    assert_eq!((&pivoted["estimator"], &pivoted["inference"]), (&without["estimator"], &without["inference"]));
}

/// One row is the only one in which `rare` and `other` differ.
#[test]
fn columns_that_only_held_out_rows_determine_have_no_coefficient_in_the_evaluated_fit() {
    for held_out in 0..12 {
        let data = rows(12, "x,rare,other,y", |row| {
            let is_rare = f64::from(u8::from(row == held_out));
            let other = noise(row, 5);
            vec![noise(row, 0), other + is_rare, other, noise(row, 0) * 2.0 + noise(row, 1)]
        });
        let folder = folder_with_data(&data);
        let (file, _) = trained(folder.path(), "--target y --estimator linear --test-fraction 0.4");
        assert_eq!(coefficients(&file), ["other", "rare", "x"]);
        assert!(file["training"]["metrics"]["test"].is_object());
    }
}

/// Where only held-out rows have another value of `rare`, the fit to the others is that of a table without it.
#[rstest]
#[case("")]
#[case("--no-intercept")]
#[case("--degree 2")]
fn adjusted_r2_counts_the_columns_that_the_fitted_rows_determine(#[case] options: &str) {
    let mut compared = 0;
    for rare in 0..12 {
        let data = rows(12, "x,rare,y", |row| {
            vec![noise(row, 0), f64::from(u8::from(row == rare)), noise(row, 0) * 2.0 + noise(row, 1)]
        });
        let folder = folder_with_data(&data);
        let metrics = |exclude: &str| {
            let arguments = format!("--target y --estimator linear --test-fraction 0.4 {options} {exclude}");
            trained(folder.path(), &arguments).0["training"]["metrics"]["train"].clone()
        };
        let (all, without) = (metrics(""), metrics("--exclude rare"));
        let number = |metrics: &Value, name: &str| metrics[name].as_f64().unwrap();
        if (number(&all, "rmse") - number(&without, "rmse")).abs() < 1e-12 {
            compared += 1;
            let difference = number(&all, "adjusted_r2") - number(&without, "adjusted_r2");
            assert!(difference.abs() < 1e-12, "{all} {without}");
        }
    }
    assert!(compared > 0);
}

#[rstest]
#[case::linear("--target y --exclude class")]
#[case::ridge("--target y --exclude class --estimator ridge")]
#[case::lasso("--target y --exclude class --estimator lasso --alpha 0.01")]
#[case::elastic_net("--target y --exclude class --estimator elastic-net")]
#[case::logistic("--target class --exclude y")]
#[case::logistic_with_cross_validation("--target class --exclude y --c auto")]
fn constant_columns_are_left_out_with_a_note(#[case] arguments: &str) {
    let mut data = "x,k,z,one,y,class\n".to_owned();
    for row in 0..50 {
        let (x, z) = (noise(row, 0), noise(row, 1));
        writeln!(data, "{x},0.1,{z},7,{},{}", x + z * z, if x + noise(row, 2) > 0.0 { "yes" } else { "no" }).unwrap();
    }
    let (file, printed) = trained(folder_with_data(&data).path(), arguments);
    assert_eq!(coefficients(&file), ["x", "z"]);
    assert!(printed.contains("left out: k, one"), "{printed}");
}

#[test]
fn with_fewer_rows_than_columns_ridge_is_fitted_unless_an_estimator_is_chosen() {
    let header = (0..50).map(|column| format!("x{column}")).collect::<Vec<_>>().join(",") + ",y";
    let data = rows(20, &header, |row| (0..=50).map(|column| noise(row, column)).collect());
    let folder = folder_with_data(&data);
    let (file, printed) = trained(folder.path(), "--target y");
    assert_eq!(file["training"]["parameters"]["estimator"], "ridge");
    assert!(printed.contains("too few rows for a fit without a penalty"), "{printed}");
    assert!(printed.contains("fitted by ridge; --estimator linear"), "{printed}");
    let (chosen, printed) = trained(folder.path(), "--target y --estimator ridge");
    assert_eq!((&chosen["estimator"], printed.contains("fewer rows")), (&file["estimator"], false));

    let (linear, printed) = trained(folder.path(), "--target y --estimator linear");
    assert_eq!(coefficients(&linear).len(), 19);
    assert!(printed.contains("--estimator ridge") && printed.contains("--estimator lasso"), "{printed}");
    assert!(printed.contains("31 columns are linear combinations"), "{printed}");
    assert!(printed.contains("and 21 more"), "{printed}");
}

/// Where the only other target is held out.
#[test]
fn the_strength_is_in_the_model_file_even_if_cross_validation_selects_none() {
    for estimator in ["lasso", "elastic-net"] {
        let is_open = |other: u32| {
            let data = rows(12, "x,y", |row| vec![noise(row, 0), if row == other { 4.0 } else { 3.0 }]);
            let (file, printed) =
                trained(folder_with_data(data).path(), &format!("--target y --estimator {estimator}"));
            let strength = &file["training"]["parameters"]["alpha"];
            assert!(strength.is_number(), "{strength}");
            let is_open = printed.contains("no column is correlated with the target");
            assert!(!is_open || strength == 1.0, "{strength}");
            is_open
        };
        assert!((0..12).any(is_open), "{estimator}");
    }
}

#[test]
fn three_rows_are_enough_for_every_estimator() {
    let folder = folder_with_data("x,z,y,class\n1,5,2,a\n2,4,7,b\n4,4,1,a\n");
    for estimator in ["linear", "ridge", "lasso", "elastic-net", "poisson", "gamma"] {
        for seed in 0..4 {
            trained(folder.path(), &format!("--target y --exclude class --estimator {estimator} --seed {seed}"));
        }
    }
    for options in ["", "--c auto"] {
        trained(folder.path(), &format!("--target class --exclude y {options}"));
    }
}

#[test]
fn classes_of_one_or_two_rows_can_be_trained_and_cross_validated() {
    let mut data = "x,z,class\n".to_owned();
    for row in 0..40 {
        let class = match row {
            3 => "single",
            8 | 30 => "pair",
            _ if noise(row, 7) > 0.0 => "a",
            _ => "b",
        };
        writeln!(data, "{},{},{class}", noise(row, 0), noise(row, 1)).unwrap();
    }
    let folder = folder_with_data(&data);
    for options in ["", "--c auto", "--test-fraction 0.5", "--c auto --cross-validate 10 --test-fraction 0"] {
        for seed in 0..3 {
            let (file, _) = trained(folder.path(), &format!("--target class {options} --seed {seed}"));
            assert_eq!(file["estimator"]["classes"].as_array().unwrap().len(), 4);
        }
    }
}

/// Rows of the level `b` all have the class `yes`, the others have both.
#[test]
fn quasi_complete_separation_is_noted_with_the_level() {
    let mut data = "g,z,y\n".to_owned();
    for row in 0..200 {
        let level = ["a", "b", "c"][row as usize * 7 % 11 % 3];
        let z = noise(row, 0);
        let is_yes = level == "b" || z + 2.0 * noise(row, 1) > 0.0;
        writeln!(data, "{level},{z},{}", if is_yes { "yes" } else { "no" }).unwrap();
    }
    for options in ["--c 1e10", "--c 1"] {
        let (_, printed) = trained(folder_with_data(&data).path(), &format!("--target y {options}"));
        let note = "only the penalty keeps some coefficients finite (separation), and a larger C makes them larger: \
                    \"g=b\" is 0 in every row of the class \"no\"";
        assert!(printed.contains(note), "{printed}");
        assert!(!printed.contains("separable"), "{printed}");
    }
}

#[test]
fn correlated_columns_are_noted_with_their_variance_inflation() {
    let data = rows(80, "a,b,c,y", |row| {
        let a = noise(row, 0);
        vec![a, a + 0.05 * noise(row, 1), noise(row, 2), a + noise(row, 3)]
    });
    let (_, printed) = trained(folder_with_data(&data).path(), "--target y");
    assert!(printed.contains("Note: 2 columns have a variance inflation above 10"), "{printed}");
    let (_, listed) = printed.split_once("from other columns: a (").unwrap();
    assert!(listed.split_once("), b (").is_some(), "{printed}");
}
