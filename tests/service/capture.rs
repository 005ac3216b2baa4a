//! Captured requests: one JSON line for each request of the sample, in all protocols.

use std::sync::{Arc, Mutex};

use ::http::Request;
use axum::Router;
use axum::body::Body;
use ordinate::http::Settings;
use ordinate::http::server::capture::{Capture, CaptureSettings, CaptureSink};
use ordinate_test_support::in_process::{application, send, settings};
use serde_json::{Value, json};

#[derive(Debug, Default)]
struct Lines(Mutex<Vec<Value>>);

impl CaptureSink for Lines {
    fn write(&self, line: Vec<u8>) -> bool {
        assert!(line.ends_with(b"\n") && line.len() <= 200_000);
        self.0.lock().unwrap().push(serde_json::from_slice(&line).unwrap());
        true
    }
}

/// The service that captures this fraction of the requests.
fn capturing(fraction: f64, redacted: &[&str]) -> (Router, Arc<Lines>) {
    let lines = Arc::new(Lines::default());
    let redacted = redacted.iter().map(|name| (*name).to_owned()).collect();
    let settings_of_capture = CaptureSettings { fraction, redacted, level: "INFO" };
    let capture = Capture::new(settings_of_capture, lines.clone());
    (application(Settings { capture: Some(capture), ..settings() }), lines)
}

async fn post(service: &Router, path: &str, content_type: &str, id: &str, body: impl Into<Body>) -> u16 {
    let request = Request::post(path).header("content-type", content_type).header("x-request-id", id);
    send(service, request.body(body.into()).unwrap()).await.status.as_u16()
}

#[tokio::test]
async fn a_line_has_inputs_and_outputs_without_redacted_features() {
    let (service, lines) = capturing(1.0, &["sepal_width", "no_feature"]);
    let body = json!({"X": [[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3]]}).to_string();
    assert_eq!(post(&service, "/models/iris/predict", "application/json", "id-1", body).await, 200);
    let lines = lines.0.lock().unwrap();
    let line = &lines[0];
    assert_eq!(
        (&line["message"], &line["request_id"], &line["level"]),
        (&json!("captured"), &json!("id-1"), &json!("INFO"))
    );
    assert_eq!((&line["model"], &line["version"], &line["rows"]), (&json!("iris"), &json!("1"), &json!(2)));
    let inputs = json!({"sepal_length": [5.1, 6.7], "petal_length": [1.4, 5.2], "petal_width": [0.2, 2.3]});
    assert_eq!(line["inputs"], inputs);
    assert_eq!(line["y"], json!(["setosa", "virginica"]));
    let sums: Vec<f64> = line["probabilities"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row.as_array().unwrap().iter().map(|p| p.as_f64().unwrap()).sum())
        .collect();
    assert!(sums.len() == 2 && sums.iter().all(|sum| (sum - 1.0).abs() < 1e-12), "{line}");
    assert!(line["timestamp"].as_str().unwrap().ends_with('Z'));
}

#[tokio::test]
async fn predictions_of_all_protocols_are_captured_and_errors_are_not() {
    let (service, lines) = capturing(1.0, &[]);
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": "predict_line", "arguments": {"rows": [{"x": 1}]}}});
    let tensor = json!({"inputs": [{"name": "x", "shape": [1, 1], "datatype": "FP64", "data": [1]}]});
    for (path, content_type, body) in [
        ("/predict", "application/json", json!({"X": [1]}).to_string()),
        ("/predict", "text/csv", "x\n1\n".to_owned()),
        ("/invocations", "application/json", json!({"dataframe_split": {"columns": ["x"], "data": [[1]]}}).to_string()),
        ("/v1/models/line:predict", "application/json", json!({"instances": [[1]]}).to_string()),
        ("/v2/models/line/infer", "application/json", tensor.to_string()),
        ("/vertex/predict", "application/json", json!({"instances": [[1]]}).to_string()),
        ("/mcp", "application/json", call.to_string()),
    ] {
        let before = lines.0.lock().unwrap().len();
        assert_eq!(post(&service, path, content_type, "a", body).await, 200, "{path}");
        let lines = lines.0.lock().unwrap();
        assert_eq!(lines.len(), before + 1, "{path}");
        assert_eq!((&lines[before]["inputs"], &lines[before]["y"]), (&json!({"x": [1.0]}), &json!([3.0])), "{path}");
    }
    let before = lines.0.lock().unwrap().len();
    assert_eq!(post(&service, "/predict", "application/json", "a", r#"{"X": ["one"]}"#).await, 422);
    let wrong = call.to_string().replace("{\"x\":1}", "{\"x\":\"one\"}");
    assert_eq!(post(&service, "/mcp", "application/json", "a", wrong).await, 200);
    let list = r#"{"jsonrpc": "2.0", "id": 1, "method": "tools/list"}"#;
    assert_eq!(post(&service, "/mcp", "application/json", "a", list).await, 200);
    assert_eq!(lines.0.lock().unwrap().len(), before);
}

#[tokio::test]
async fn a_call_of_a_tool_has_the_names_probabilities_and_redactions_of_any_request() {
    let (service, lines) = capturing(1.0, &["sepal_width"]);
    let row = json!({"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2});
    let call = json!({"jsonrpc": "2.0", "id": "seven", "method": "tools/call",
        "params": {"name": "predict_iris", "arguments": {"rows": [row]}}});
    assert_eq!(post(&service, "/mcp", "application/json", "id-9", call.to_string()).await, 200);
    let lines = lines.0.lock().unwrap();
    let line = &lines[0];
    assert_eq!((&line["request_id"], &line["model"], &line["rows"]), (&json!("id-9"), &json!("iris"), &json!(1)));
    let inputs = json!({"sepal_length": [5.1], "petal_length": [1.4], "petal_width": [0.2]});
    assert_eq!((&line["inputs"], &line["y"]), (&inputs, &json!(["setosa"])));
    assert_eq!(line["probabilities"][0].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_request_id_is_always_in_the_sample_or_never() {
    let (service, lines) = capturing(0.3, &[]);
    for _ in 0..2 {
        for id in 0..200 {
            post(&service, "/predict", "application/json", &format!("id-{id}"), r#"{"X": [1]}"#).await;
        }
    }
    let lines = lines.0.lock().unwrap();
    let ids: Vec<&str> = lines.iter().map(|line| line["request_id"].as_str().unwrap()).collect();
    let (first, second) = ids.split_at(ids.len() / 2);
    assert_eq!(first, second);
    // Four standard deviations of a binomial: 4·√(200·0.3·0.7) = 26.
    assert!(first.len().abs_diff(60) <= 26, "{}", first.len());
}

#[tokio::test]
async fn a_large_request_has_some_of_its_rows_in_the_line() {
    let (service, lines) = capturing(1.0, &[]);
    let x: Vec<u32> = (0..5000).collect();
    assert_eq!(post(&service, "/predict", "application/json", "a", json!({"X": x}).to_string()).await, 200);
    let lines = lines.0.lock().unwrap();
    assert_eq!((&lines[0]["rows"], &lines[0]["captured_rows"]), (&json!(5000), &json!(1000)));
    assert_eq!((&lines[0]["inputs"]["x"][1], &lines[0]["y"][1]), (&json!(5.0), &json!(11.0)));
}
