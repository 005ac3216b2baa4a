//! `ordinate inspect`: the contents of a model.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use ordinate::http::{Limits, Settings, router};
use ordinate::source::catalog::Catalog;
use ordinate_model::Model;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::support::{SIDES_ROWS, complained, folder_with, pipe, run, said, sales, sides};

#[test]
fn inspect_shows_the_contents_of_a_model() {
    let folder = folder_with(&[("sides.json", &sides())]);
    let output = run(&folder, "inspect sides.json");
    let report = said(&output);
    let model = Model::from_json(sides().as_bytes()).unwrap();
    for line in [
        "sides@3: classification, logistic",
        "  predicts  fruit (string)",
        "  classes   apple, green, pear, plum",
        "  created   2026-11-23T00:00:00Z",
        &format!("  sha256    {}", model.checksum()),
        "  verified  checksum, and predictions of 1 golden row",
        "  length  double  -4 to 4                                impute 0.5",
        "  side    string  left, right; other values are ignored  reject",
        // In units of the column: the file's coefficient divided by its scale, 2.
        "  length             0.500000      -1  0.500000  0.500000",
        "  side=right                3       0        -3  0.250000",
        "  (intercept)              -1       1         0",
        "  (at the means)            0  0.500000  -0.500000",
        "  C            1.0",
        "  accuracy  0.875000",
    ] {
        assert!(squeezed(report).contains(&squeezed(line)), "{line:?} is not in\n{report}");
    }
    let output = run(&folder, "inspect sides.json --json");
    let answer: Value = serde_json::from_str(said(&output)).unwrap();
    assert_eq!((&answer["intercepts"], &answer["at_means"]), (&json!([-1.0, 1.0, 0.0]), &json!([0.0, 0.5, -0.5])));
    assert_eq!(
        answer["columns"][0],
        json!({"name": "length", "coefficients": [0.5, -1.0, 0.5], "mean": 0.5, "scale": 2.0})
    );
    assert_eq!(answer["sha256"], json!(model.checksum()));
    assert_eq!(answer["signature"]["features"][1]["levels"], json!(["left", "right"]));
}

#[test]
fn inspect_shows_the_decisions_of_training() {
    let folder = folder_with(&[("sales.json", &sales())]);
    let output = run(&folder, "inspect sales.json");
    let report = said(&output);
    let columns = "decimal mark \",\", thousands separator \".\", missing values as \"?\"";
    for line in [
        "  ignores         (unnamed), note",
        "  target as text  decimal mark \",\", missing values as \"?\"",
        &format!("  size  double  10 to 1900  impute 50  {columns}"),
        "  sold  date  2024-01-01 to 2024-12-31  reject  dates as \"%d.%m.%Y\"",
        "  deck  string  (missing), (other), A; other values are (other)  category (missing)",
        "Notes\n  2 columns have missing values: size (3, median), deck (2, own category)\n",
    ] {
        assert!(squeezed(report).contains(&squeezed(line)), "{line:?} is not in\n{report}");
    }
    let output = run(&folder, "inspect sales.json --json");
    let answer: Value = serde_json::from_str(said(&output)).unwrap();
    assert_eq!(answer["signature"]["features"][1]["range"], json!(["2024-01-01", "2024-12-31"]));
    assert_eq!(answer["training"]["notes"].as_array().unwrap().len(), 1);
}

#[test]
fn a_model_can_be_read_from_standard_input_or_a_pipe() {
    let folder = folder_with(&[("sides.json", &sides()), ("rows.csv", SIDES_ROWS)]);
    let expected = said(&run(&folder, "inspect sides.json")).to_owned();
    for place in ["-", "/dev/stdin"] {
        assert_eq!(said(&pipe(&format!("inspect {place}"), &sides())), expected, "{place}");
        let error = pipe(&format!("inspect {place}"), "x,y\n1,2\n");
        assert!(complained(&error).starts_with("error: standard input: not a model file"), "{error:?}");
    }
    let programs = Path::new(env!("CARGO_BIN_EXE_ordinate")).parent().unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let script = "ordinate predict <(cat sides.json) - < rows.csv";
    let output = Command::new("bash").args(["-c", script]).current_dir(&folder).env("PATH", path).output().unwrap();
    assert_eq!(said(&output), said(&run(&folder, "predict sides.json rows.csv")));
}

#[test]
fn standard_input_is_either_the_model_or_the_data() {
    for arguments in ["predict - -", "evaluate - -", "predict /dev/stdin -"] {
        let output = pipe(arguments, &sides());
        assert!(complained(&output).contains("standard input cannot be both the model and the data"), "{arguments}");
    }
}

#[tokio::test]
async fn inspect_and_the_service_describe_intervals_alike() {
    for name in ["line", "diabetes", "iris"] {
        let shown: Value = serde_json::from_str(said(&pipe(&format!("inspect {name} --json"), ""))).unwrap();
        let settings = Settings::new(Limits { max_rows: 100_000, max_body_bytes: 6_291_456, ..Limits::DEFAULT });
        let application = router(Arc::new(Catalog::bundled(Some(name)).unwrap()), settings);
        let request = Request::get(format!("/models/{name}")).body(Body::empty()).unwrap();
        let body = application.oneshot(request).await.unwrap().into_body().collect().await.unwrap().to_bytes();
        let served: Value = serde_json::from_slice(&body).unwrap();
        assert!(served["intervals"]["method"].is_string(), "{served}");
        assert_eq!(shown["intervals"], served["intervals"], "{name}");
    }
}

/// y = 1 + x + x² far from x = 0, so that the intercept cancels.
#[test]
fn train_and_inspect_report_the_same_intercept() {
    let row = |i: u32| f64::from(1000 + i * 7 % 50);
    let rows = (0..50).map(row).fold("x,y\n".to_owned(), |text, x| text + &format!("{x},{}\n", 1.0 + x + x * x));
    let folder = folder_with(&[("data.csv", &rows)]);
    let arguments = "train data.csv --target y --degree 2 --test-fraction 0 --out m.json --json";
    let trained: Value = serde_json::from_str(said(&run(&folder, arguments))).unwrap();
    let shown: Value = serde_json::from_str(said(&run(&folder, "inspect m.json --json"))).unwrap();
    assert_eq!(trained["coefficients"]["intercepts"], shown["intercepts"]);
    // The digits that the coefficients of the file leave are right.
    let estimate = trained["summary"]["intercept"]["estimate"].as_f64().unwrap();
    let intercept = shown["intercepts"][0].as_f64().unwrap();
    assert!((estimate - 1.0).abs() < 1e-9, "{estimate}");
    assert!((intercept - 1.0).abs() < 1e-15, "{intercept}");
}

/// Without runs of spaces.
fn squeezed(text: &str) -> String {
    text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n").collect()
}
