//! Standard errors and separation on the command line.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Rows of two columns, a category and two classes, of which only the category `T` has a single class.
fn data(folder: &Path) {
    let mut text = "x,cabin,y\n".to_owned();
    for i in 0..200_u32 {
        let x = f64::from(i * 7919 % 1000) / 1000.0;
        let noise = f64::from(i * 611_953 % 991) / 991.0;
        let (cabin, class) = match i % 20 {
            0 => ("T", "yes"),
            _ => (["A", "B", "C"][(i % 3) as usize], if x + noise > 1.0 { "yes" } else { "no" }),
        };
        writeln!(text, "{x},{cabin},{class}").unwrap();
    }
    fs::write(folder.join("data.csv"), text).unwrap();
}

/// Standard output and standard error.
fn train(folder: &Path, arguments: &str) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_ordinate"))
        .arg("train")
        .args(arguments.split(' '))
        .current_dir(folder)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    (output.status.success(), text)
}

#[test]
fn the_advice_of_separation_works() {
    let folder = tempfile::tempdir().unwrap();
    data(folder.path());
    let (trained, text) = train(folder.path(), "data.csv --target y --c inf");
    assert!(!trained);
    assert!(text.contains("\"cabin=T\" is 0 in every row of the class \"no\""), "{text}");
    assert!(text.contains("help: fit with a penalty: --c 1, or leave the column out with --exclude cabin=T"), "{text}");
    let (trained, text) = train(folder.path(), "data.csv --target y --c inf --exclude cabin=T");
    assert!(trained && text.contains("odds ratio") && text.contains("McFadden's R²"), "{text}");
    let (trained, text) = train(folder.path(), "data.csv --target y --c 1");
    let reason = "Standard errors are not available: a penalty biases the coefficients towards zero. --c inf fits without a penalty.";
    assert!(trained && text.contains(reason), "{text}");
}

/// Without some rows the classes are separated; the temperature of that fit says nothing about the fit to all rows.
#[test]
fn a_stopped_fit_without_the_held_out_rows_does_not_calibrate_the_model() {
    let folder = tempfile::tempdir().unwrap();
    let train_with = |exceptions: &[u32]| {
        let x = |row: u32| f64::from(row * 73 % 200) / 8.0;
        let class = |row: u32| if (x(row) > 12.0) == exceptions.contains(&row) { "no" } else { "yes" };
        let rows = (0..200).map(|row| format!("{},{}\n", x(row), class(row)));
        fs::write(folder.path().join("data.csv"), "x,y\n".to_owned() + &rows.collect::<String>()).unwrap();
        train(folder.path(), "data.csv --target y --c inf --out m.json")
    };
    let note = "the metrics are of a fit that was stopped, and the probabilities are not calibrated";
    let is_held_out = |row: &u32| train_with(&[*row]).1.contains(note);
    let held_out: Vec<u32> = (0..200).filter(|row| row * 73 % 200 < 80).filter(is_held_out).take(4).collect();
    assert_eq!(held_out.len(), 4);
    let (trained, text) = train_with(&held_out);
    assert!(trained && text.contains(note) && !text.contains("temperature"), "{text}");
    let file: Value = serde_json::from_str(&fs::read_to_string(folder.path().join("m.json")).unwrap()).unwrap();
    assert!(file["calibration"].is_null(), "{}", file["calibration"]);
}

#[test]
fn the_json_of_a_fit_without_a_penalty_has_z_and_odds_ratios() {
    let folder = tempfile::tempdir().unwrap();
    data(folder.path());
    let (_, text) =
        train(folder.path(), "data.csv --target y --c none --exclude cabin --json --card card.md --report page.html");
    let summary: Value = serde_json::from_str::<Value>(&text).unwrap()["summary"].take();
    assert_eq!(summary["target"], "log-odds of yes");
    let term = &summary["terms"][0];
    assert!(term["z"].as_f64().unwrap() > 3.0 && term["t"].is_null(), "{term}");
    assert!((term["odds_ratio"]["estimate"].as_f64().unwrap().ln() - term["estimate"].as_f64().unwrap()).abs() < 1e-12);
    assert!(fs::read_to_string(folder.path().join("card.md")).unwrap().contains("| McFadden's R² |"));
    let page = fs::read_to_string(folder.path().join("page.html")).unwrap();
    assert!(page.contains("odds ratio per standard deviation") && page.contains("Odds are those of the class yes"));
}

#[test]
fn robust_standard_errors_are_for_least_squares() {
    let folder = tempfile::tempdir().unwrap();
    data(folder.path());
    let (trained, text) = train(folder.path(), "data.csv --target y --estimator logistic --standard-errors hc3");
    assert!(!trained && text.contains("--standard-errors applies to --estimator linear, got logistic"), "{text}");
    let (trained, text) = train(folder.path(), "data.csv --target y --standard-errors hc3");
    assert!(!trained && text.contains("applies to least squares, and the target \"y\" has classes"), "{text}");
    assert!(text.contains("classes have standard errors with --c inf"), "{text}");
    let (trained, text) = train(folder.path(), "data.csv --target x --standard-errors hc3");
    assert!(trained && text.contains("standard errors               HC3"), "{text}");
}
