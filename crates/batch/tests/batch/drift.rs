//! Captured requests in S3, compared with the training data.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use ordinate::source::ModelUri;
use ordinate_batch::function::MetricLines;
use ordinate_test_support::proxy::{Fault, Proxy};
use ordinate_test_support::s3_server::S3Server;
use serde_json::{Value, json};

use crate::support::{BUCKET, Bench, TIME};

/// A captured request for the bundled model `line`, which was trained on x from 1 on.
fn request(model: &str, version: &str, x: &[f64]) -> String {
    let y: Vec<f64> = x.iter().map(|x| 2.0 * x + 1.0).collect();
    json!({"message": "captured", "level": "INFO", "model": model, "version": version, "rows": x.len(),
        "inputs": {"x": x}, "y": y})
    .to_string()
        + "\n"
}

#[derive(Debug, Default)]
struct Lines(Mutex<Vec<Value>>);

impl MetricLines for Lines {
    fn write(&self, line: &Value) -> io::Result<()> {
        self.0.lock().unwrap().push(line.clone());
        Ok(())
    }
}

fn drift(bench: &Bench, day: &str) -> Value {
    drift_at(bench, day, S3Server::shared().address()).0
}

/// The answer and the lines with metrics, of a function that reaches the server at this address.
fn drift_at(bench: &Bench, day: &str, address: std::net::SocketAddr) -> (Value, Vec<Value>) {
    let function = bench.function_at(address, |settings| {
        let Ok(ModelUri::S3Folder(captured)) = format!("s3://{BUCKET}/{}", bench.key("captured/")).parse() else {
            panic!()
        };
        settings.captured = Some(captured);
    });
    let lines = Arc::new(Lines::default());
    let function = function.with_metrics(lines.clone());
    let answer = function.handle(&json!({"step": "drift", "day": day}), TIME).unwrap();
    let lines = lines.0.lock().unwrap().clone();
    (answer, lines)
}

/// A captured request for the bundled model `iris`.
fn flower() -> String {
    let inputs = json!({"sepal_length": [5.1], "petal_length": [1.4], "petal_width": [0.2]});
    json!({"message": "captured", "model": "iris", "version": "1", "rows": 1, "inputs": inputs, "y": ["setosa"],
        "probabilities": [[0.9, 0.1, 0.0]]})
    .to_string()
        + "\n"
}

#[test]
fn the_objects_of_a_day_are_read_once_for_all_models() {
    let bench = Bench::new();
    let version = bench.model().version().to_owned();
    for object in 0..3 {
        let text = request("line", &version, &[1.0; 40]) + &flower() + &request("line", "old", &[1.0]);
        bench.put(&format!("captured/2026-11-30/{object}"), text);
    }
    let bodies = Arc::new(Mutex::new(BTreeMap::<String, u32>::new()));
    let counted = Arc::clone(&bodies);
    let proxy = bench.runtime.block_on(Proxy::start_with(S3Server::shared().address(), move |request| {
        if request.method == "GET" && request.target.contains("2026-11-30/") && !request.target.contains("list-type") {
            *counted.lock().unwrap().entry(request.target.clone()).or_default() += 1;
        }
        Fault::None
    }));
    let (answer, _) = drift_at(&bench, "2026-11-30", proxy.address());
    let models: Vec<(&Value, &Value)> =
        answer["models"].as_array().unwrap().iter().map(|model| (&model["model"], &model["rows"])).collect();
    assert_eq!(models[..2], [(&json!("iris"), &json!(3)), (&json!("line"), &json!(120))], "{answer}");
    assert!(answer["models"][2]["skipped"].is_string(), "{answer}");
    let bodies = bodies.lock().unwrap();
    assert!(bodies.len() == 3 && bodies.values().all(|count| *count == 1), "{bodies:?}");
}

#[test]
fn models_beyond_the_limit_of_failed_loads_are_counted() {
    let bench = Bench::new();
    let requests: String = (0..103).map(|version| request("line", &format!("old-{version:03}"), &[1.0])).collect();
    bench.put("captured/2026-11-30/a", requests.clone() + &requests);
    let answer = drift(&bench, "2026-11-30");
    assert_eq!((answer["models"].as_array().unwrap().len(), &answer["skipped"]), (100, &json!(3)));
}

#[test]
fn versions_that_cannot_be_loaded_take_no_place_of_others() {
    let bench = Bench::new();
    let version = bench.model().version().to_owned();
    let lost: String = (0..30).map(|version| request("line", &format!("old-{version:02}"), &[1.0])).collect();
    bench.put("captured/2026-11-30/a", lost + &request("line", &version, &[1.0; 40]));
    let answer = drift(&bench, "2026-11-30");
    let models = answer["models"].as_array().unwrap();
    assert_eq!((models.len(), &answer["skipped"]), (31, &json!(0)));
    assert!(models.iter().any(|model| model["version"] == version.as_str() && model["rows"] == 40), "{answer}");
}

/// The alarm of the template is about `Drift` with the dimension `service` alone.
#[test]
fn metrics_are_lines_in_the_embedded_format() {
    let bench = Bench::new();
    let version = bench.model().version().to_owned();
    bench.put("captured/2026-11-30/a", request("line", &version, &vec![1e6; 500]));
    let (_, lines) = drift_at(&bench, "2026-11-30", S3Server::shared().address());
    let (model, subjects) = lines.split_first().unwrap();
    let metrics = &model["_aws"]["CloudWatchMetrics"][0];
    assert_eq!(metrics["Namespace"], "Ordinate");
    assert_eq!(metrics["Dimensions"], json!([["service"], ["model", "service", "version"]]));
    assert_eq!(metrics["Metrics"], json!([{"Name": "Drift", "Unit": "None"}, {"Name": "DriftRows", "Unit": "Count"}]));
    assert_eq!((&model["Drift"], &model["DriftRows"]), (&json!(1), &json!(500)));
    let names: Vec<&str> = subjects.iter().map(|line| line["feature"].as_str().unwrap()).collect();
    assert_eq!(names, ["x", "predicted y"]);
    for line in &lines {
        let found = (&line["model"], &line["version"], &line["service"], &line["level"]);
        assert_eq!(found, (&json!("line"), &json!(version), &json!("batch"), &json!("INFO")));
        let age = jiff::Timestamp::now().as_millisecond() - line["_aws"]["Timestamp"].as_i64().unwrap();
        assert!((0..60_000).contains(&age), "{age}");
    }
    for line in subjects {
        let metrics = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(metrics["Dimensions"], json!([["feature", "model", "service", "version"]]));
        // Each metric of the directive is a number of the line.
        for metric in metrics["Metrics"].as_array().unwrap() {
            assert!(line[metric["Name"].as_str().unwrap()].is_number(), "{line}");
        }
        assert!(line["PopulationStabilityIndex"].as_f64().unwrap() > 0.25, "{line}");
    }
}

#[test]
fn the_requests_of_a_day_are_compared_with_the_training_data_of_their_model() {
    let bench = Bench::new();
    let version = bench.model().version().to_owned();
    let far = vec![1e6; 500];
    let few = request("line", &version, &[1.0, 2.0, 3.0, 4.0]);
    bench
        .put("captured/2026-11-29/a.jsonl", few.clone() + &few[..50] + "\n" + &few.replace("\"rows\":4", "\"rows\":3"));
    bench.put("captured/2026-11-30/a.jsonl", request("line", &version, &far));
    // As a subscription and Data Firehose deliver them.
    let envelope = json!({"logEvents": [{"message": request("line", &version, &far)},
        {"message": request("unknown", "7", &[1.0])}]});
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut gzip, envelope.to_string().as_bytes()).unwrap();
    bench.put("captured/2026-11-30/b", gzip.finish().unwrap());
    let answer = drift(&bench, "2026-11-30");
    assert_eq!((&answer["objects"], &answer["skipped"]), (&json!(2), &json!(0)));
    let models = answer["models"].as_array().unwrap();
    assert_eq!(
        (&models[0]["model"], &models[0]["rows"], &models[0]["drift"]),
        (&json!("line"), &json!(1000), &json!(true))
    );
    assert!(models[0]["features"].as_array().unwrap().contains(&json!("x")), "{answer}");
    assert!(models[1]["skipped"].as_str().unwrap().contains("unknown"), "{answer}");
    // Four rows are too few for a comparison.
    let answer = drift(&bench, "2026-11-29");
    assert_eq!((&answer["models"][0]["rows"], &answer["models"][0]["drift"]), (&json!(4), &json!(false)));
    // One is cut off, the other has more predictions than rows.
    assert_eq!(answer["damaged"], 2);
}

/// Otherwise a broken capture would look like a day without drift.
#[test]
fn a_day_without_captured_requests_is_an_error_and_so_is_no_date() {
    let bench = Bench::new();
    bench.put("captured/2026-11-29/a.jsonl", "{}\n");
    let captured = format!("s3://{BUCKET}/{}", bench.key("captured/"));
    let function = bench.function_at(S3Server::shared().address(), |settings| {
        let Ok(ModelUri::S3Folder(location)) = captured.parse() else { panic!() };
        settings.captured = Some(location);
    });
    let error = |day: &str| function.handle(&json!({"step": "drift", "day": day}), TIME).unwrap_err().to_string();
    let expected = format!(
        "{captured}2026-11-28/: there are no captured requests\n\
         help: check CaptureFraction of the service, and CapturedUri"
    );
    assert_eq!(error("2026-11-28"), expected);
    assert!(error("yesterday").contains("day: expected a date such as 2026-11-30, got \"yesterday\""));
}

#[test]
fn without_a_prefix_of_captured_requests_the_setting_is_named() {
    let error = Bench::new().function().handle(&json!({"step": "drift"}), TIME).unwrap_err().to_string();
    assert!(error.starts_with("BATCH_CAPTURED_URI: expected the prefix of captured requests"), "{error}");
}
