//! `ordinate drift`: rows compared with the training data of a model.

use std::fmt::Write as _;
use std::fs;

use ordinate_test_support::s3_server::{BUCKET, S3Server};
use serde_json::{Value, json};

use crate::serve::Served;
use crate::support::{command, complained, folder_with_data, run, succeeded, text, train};

/// A thousand rows whose first feature is shifted.
pub(crate) fn rows(shift: f64) -> String {
    let mut rows = "x,side,y\n".to_owned();
    for i in 0..1000_u32 {
        let x = f64::from(i * 7919 % 1000) / 100.0;
        let side = ["left", "right", "top"][(i % 3) as usize];
        let noise = f64::from(i * 104_729 % 997) / 997.0;
        writeln!(rows, "{},{side},{}", x + shift, 2.0 * x + noise).unwrap();
    }
    rows
}

#[test]
fn the_training_data_are_no_drift_and_shifted_data_have_their_own_exit_code() {
    let folder = folder_with_data(rows(0.0));
    succeeded(&train(folder.path(), "data.csv --target y --out m.json"));
    let same = run(&folder, "drift m.json data.csv");
    let report = succeeded(&same);
    assert!(report.starts_with("m@1 on data.csv: 1000 rows\n\nNo drift in 7 comparisons.\n"), "{report}");

    fs::write(folder.path().join("later.csv"), rows(5.0)).unwrap();
    let later = run(&folder, "drift m.json later.csv --html drift.html");
    assert_eq!(later.status.code(), Some(3), "{}", text(&later.stderr));
    assert!(
        text(&later.stdout).contains("\n\nDrift: x, predicted y, the RMSE, the median absolute error.\n"),
        "{}",
        text(&later.stdout)
    );
    let page = fs::read_to_string(folder.path().join("drift.html")).unwrap();
    assert!(
        page.contains("Drift: x, predicted y, the RMSE, the median absolute error.")
            && page.contains("<svg")
            && !page.contains("<script")
    );

    let machine = run(&folder, "drift m.json later.csv data.csv --json");
    assert_eq!(machine.status.code(), Some(3));
    let answer: Value = serde_json::from_slice(&machine.stdout).unwrap();
    assert_eq!(
        (&answer["drift"], &answer["rows"], &answer["training_rows"]),
        (&json!(true), &json!(2000), &json!(1000.0))
    );
    let x = answer["features"].as_array().unwrap().iter().find(|feature| feature["name"] == "x").unwrap();
    assert!(x["outside_range"]["drift"] == json!(true) && x["distribution"]["statistic"] == "ks", "{x}");
}

#[test]
fn fifty_rows_are_no_drift_whatever_they_are() {
    let folder = folder_with_data(rows(0.0));
    succeeded(&train(folder.path(), "data.csv --target y --out m.json"));
    let few: Vec<String> = rows(500.0).lines().take(51).map(str::to_owned).collect();
    fs::write(folder.path().join("few.csv"), few.join("\n")).unwrap();
    let output = run(&folder, "drift m.json few.csv");
    assert!(succeeded(&output).contains("Too few rows for a comparison: at least 100 are needed."));
    assert_eq!(run(&folder, "drift m.json few.csv --min-rows 50").status.code(), Some(3));
}

#[test]
fn rows_that_the_model_rejects_are_counted_and_their_valid_values_compared() {
    let folder = folder_with_data(rows(0.0));
    succeeded(&train(folder.path(), "data.csv --target y --out m.json"));
    fs::write(folder.path().join("odd.csv"), rows(0.0).replace(",top,", ",bottom,").replace("0.5,", "half,")).unwrap();
    let output = run(&folder, "drift m.json odd.csv --json");
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let side = &answer["features"][1];
    assert_eq!((&side["name"], &side["unknown_categories"]["drift"]), (&json!("side"), &json!(true)));
    assert!(answer["rejected"].as_u64().unwrap() >= 333);
}

#[test]
fn a_model_without_its_training_distribution_is_an_error_with_advice() {
    let folder = folder_with_data("x,y\n1,3\n");
    fs::write(folder.path().join("old.json"), ordinate_test_support::line("old", "1")).unwrap();
    let output = run(&folder, "drift old.json data.csv");
    let error = complained(&output);
    assert!(error.starts_with("error: old.json: the model file does not have the distribution"), "{error}");
    assert!(error.contains("\nhelp: train the model again with `ordinate train`"), "{error}");
    assert!(complained(&run(&folder, "drift line missing.csv")).contains("missing.csv"));
}

/// Sends three requests of 100 rows and stops the server.
fn capture(environment: &[(&str, &str)]) {
    let environment = [environment, &[("CAPTURE_FRACTION", "1"), ("CAPTURE_REDACT", "sex")]].concat();
    let mut served = Served::start(&environment);
    let data: Vec<&str> = include_str!("../../../../model/diabetes.csv").lines().collect();
    for rows in data[1..301].chunks(100) {
        let body = [&data[..1], rows].concat().join("\n");
        let request = ureq::post(format!("{}/models/diabetes/predict", served.base)).header("content-type", "text/csv");
        assert_eq!(request.send(body).unwrap().status(), 200);
    }
    served.terminate();
    let (status, log) = served.wait();
    assert!(status.success(), "{log}");
}

#[test]
fn captured_requests_are_written_to_a_folder_and_compared() {
    let folder = tempfile::tempdir().unwrap();
    let place = format!("{}/", folder.path().join("captured").display());
    capture(&[("CAPTURE_URI", &place)]);
    let output = run(&folder, "drift diabetes captured/ --json");
    let answer: Value = serde_json::from_str(succeeded(&output)).unwrap();
    assert_eq!((&answer["rows"], &answer["drift"]), (&json!(300), &json!(false)));
    let rows = |name: &str| {
        let features = answer["features"].as_array().unwrap();
        features.iter().find(|feature| feature["name"] == name).unwrap()["rows"].clone()
    };
    assert_eq!((rows("age"), rows("sex")), (json!(300), json!(0)));
    let other = run(&folder, "drift iris captured/");
    let error = complained(&other);
    assert!(
        error.contains("no captured requests of iris@1, and no rows with its features\n  3 requests of other models")
    );
    assert!(error.contains(" (diabetes@1)\nhelp: "), "{error}");
}

#[tokio::test]
async fn captured_requests_are_written_to_s3() {
    let server = S3Server::shared();
    server.put(BUCKET, "capture-exists", "").await;
    let endpoint = format!("http://{}", server.address());
    capture(&[
        ("CAPTURE_URI", "s3://models/captured/"),
        ("AWS_ACCESS_KEY_ID", "administrator"),
        ("AWS_SECRET_ACCESS_KEY", "administrator-secret"),
        ("AWS_ENDPOINT_URL_S3", &endpoint),
    ]);
    let objects = server.objects(BUCKET, "captured/").await;
    let folder = tempfile::tempdir().unwrap();
    for (at, object) in objects.iter().enumerate() {
        fs::write(folder.path().join(format!("{at}.jsonl")), object).unwrap();
    }
    let output = run(&folder, "drift diabetes . --json");
    let answer: Value = serde_json::from_str(succeeded(&output)).unwrap();
    assert_eq!(answer["rows"], json!(300));
}

#[test]
fn captured_requests_are_read_from_s3() {
    let server = S3Server::shared();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let inputs = json!({"age": 59, "sex": 2, "bmi": 32.1, "bp": 101.0, "s1": 157, "s2": 93.2, "s3": 38.0, "s4": 4.0,
        "s5": 4.8598, "s6": 87});
    let inputs: serde_json::Map<String, Value> =
        inputs.as_object().unwrap().iter().map(|(name, value)| (name.clone(), json!([value]))).collect();
    let line =
        json!({"message": "captured", "model": "diabetes", "version": "1", "rows": 1, "inputs": inputs, "y": [200]});
    runtime.block_on(async {
        server.put("batch", "seen/2026-11-29/a.jsonl", format!("{line}\n{line}\n")).await;
        server.put("batch", "seen/2026-11-30/a.jsonl", format!("{line}\n")).await;
    });
    let drift = |place: &str| {
        let mut command = command(std::path::Path::new("."), &format!("drift diabetes {place} --json"));
        command.env("AWS_ACCESS_KEY_ID", "administrator").env("AWS_SECRET_ACCESS_KEY", "administrator-secret");
        command.env("AWS_ENDPOINT_URL_S3", format!("http://{}", server.address())).output().unwrap()
    };
    for (place, rows) in [("2026-11-29/", 2), ("2026-11-30/a.jsonl", 1), ("", 3)] {
        let place = format!("s3://batch/seen/{place}");
        let report: Value = serde_json::from_str(succeeded(&drift(&place))).unwrap();
        assert_eq!((&report["rows"], &report["data"]), (&json!(rows), &json!(place)));
    }
    let none = drift("s3://batch/nothing/");
    assert!(complained(&none).contains("s3://batch/nothing/: no objects\nhelp: "));
}
