use std::cell::RefCell;
use std::time::Duration;

use http::Method;
use ordinate_model::answer::WarningCounts;
use serde_json::{Value, json};

use super::*;

thread_local! {
    static LINES: RefCell<Vec<Value>> = const { RefCell::new(Vec::new()) };
}

fn keep(line: &[u8]) {
    let text = std::str::from_utf8(line).unwrap();
    assert_eq!(text.matches('\n').count(), 1, "{text}");
    LINES.with_borrow_mut(|lines| lines.push(serde_json::from_str(text).unwrap()));
}

fn lines() -> Vec<Value> {
    LINES.take()
}

fn settings() -> MetricSettings {
    let (service, stage) = ("a \"b\"".into(), "test".into());
    MetricSettings { service, stage, level: "WARN", provisioned: true }
}

fn request(status: u16, prediction: Option<PredictionRecord<'_>>) -> RequestRecord<'_> {
    let duration = Duration::from_micros(1500);
    RequestRecord { method: &Method::POST, route: Some("/predict"), status, duration, code: None, prediction }
}

fn prediction(rows: usize, values: &[f64]) -> PredictionRecord<'_> {
    let warnings = WarningCounts { outside_range: 2, imputed: 1, ..WarningCounts::default() };
    PredictionRecord { model: "risk", version: "3", rows, warnings, values, shadow: None, captured: None }
}

/// The names of the metrics of a line and their dimensions.
fn definitions(line: &Value) -> Vec<(Vec<&str>, &Value)> {
    let directives = line["_aws"]["CloudWatchMetrics"].as_array().unwrap();
    directives
        .iter()
        .map(|directive| {
            assert_eq!(directive["Namespace"], NAMESPACE);
            let metrics = directive["Metrics"].as_array().unwrap();
            let names = metrics.iter().map(|metric| metric["Name"].as_str().unwrap()).collect();
            (names, &directive["Dimensions"])
        })
        .collect()
}

#[test]
fn a_prediction_has_its_metrics_with_and_without_the_model_as_a_dimension() {
    let metrics = MetricLines::with_writer(&settings(), None, keep);
    metrics.finished(&request(200, Some(prediction(2, &[1.5, -3e300]))));
    let lines = lines();
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    let dimensions = json!([["service", "stage"], ["model", "service", "stage", "version"]]);
    let names = ["Predictions", "Rows", "PredictionLatency", "Warnings", "ImputedValues", "PredictionValue"];
    assert_eq!(definitions(line), [(names.to_vec(), &dimensions)]);
    assert_eq!((&line["service"], &line["stage"]), (&json!("a \"b\""), &json!("test")));
    assert_eq!((&line["model"], &line["version"], &line["level"]), (&json!("risk"), &json!("3"), &json!("WARN")));
    assert_eq!(
        (&line["Predictions"], &line["Rows"], &line["PredictionLatency"]),
        (&json!(1.0), &json!(2.0), &json!(1.5))
    );
    assert_eq!((&line["Warnings"], &line["ImputedValues"]), (&json!(3.0), &json!(1.0)));
    // CloudWatch rejects the other value.
    assert_eq!(line["PredictionValue"], json!([1.5]));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let age = now - u128::from(line["_aws"]["Timestamp"].as_u64().unwrap());
    assert!(age < 60_000, "{age}");
}

#[test]
fn a_shadow_model_and_one_row_have_numbers() {
    let metrics = MetricLines::with_writer(&settings(), None, keep);
    let shadow = ShadowRecord { rows: 2, sum: 0.5, ..ShadowRecord::default() };
    metrics.finished(&request(200, Some(PredictionRecord { shadow: Some(&shadow), ..prediction(1, &[7.0]) })));
    let lines = lines();
    assert_eq!((&lines[0]["PredictionValue"], &lines[0]["ShadowDifference"]), (&json!(7.0), &json!(0.25)));
}

#[test]
fn errors_are_those_of_callers_or_of_the_service() {
    let metrics = MetricLines::with_writer(&settings(), None, keep);
    for status in [200, 422, 503] {
        metrics.finished(&request(status, None));
    }
    let lines = lines();
    let [caller, server] = lines.as_slice() else { panic!("{lines:?}") };
    let dimensions = json!([["service", "stage"]]);
    assert_eq!(definitions(caller), [(vec!["CallerErrors"], &dimensions)]);
    assert_eq!(definitions(server), [(vec!["ServerErrors"], &dimensions)]);
    assert_eq!((&caller["CallerErrors"], &server["ServerErrors"]), (&json!(1.0), &json!(1.0)));
    assert!(caller.get("model").is_none(), "{caller}");
}

#[tokio::test]
async fn the_first_request_has_the_cold_start_and_loads_are_reported_once() {
    let catalog = Arc::new(Catalog::bundled(None).unwrap());
    catalog.default_model().await.unwrap();
    let settings = MetricSettings { provisioned: false, ..settings() };
    let metrics = MetricLines::with_writer(&settings, Some(catalog), keep);
    metrics.finished(&request(200, Some(prediction(1, &[7.0]))));
    metrics.finished(&request(200, None));
    let lines = lines();
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    let of_service = &definitions(line)[1];
    assert_eq!(of_service.0, ["ColdStart", "ModelLoadLatency", "ModelLoadErrors"]);
    assert_eq!((&line["ColdStart"], &line["ModelLoadErrors"]), (&json!(1.0), &json!(0.0)));
    assert!(line["ModelLoadLatency"].as_f64().unwrap() > 0.0);
}

#[test]
fn all_metrics_are_listed_once() {
    let mut names: Vec<_> = METRICS.iter().map(|metric| metric.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), METRICS.len());
}
