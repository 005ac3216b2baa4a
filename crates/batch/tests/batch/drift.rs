//! Captured requests in S3, compared with the training data.

use ordinate::source::ModelUri;
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

fn drift(bench: &Bench, day: &str) -> Value {
    let function = bench.function_at(S3Server::shared().address(), |settings| {
        let Ok(ModelUri::S3Folder(captured)) = format!("s3://{BUCKET}/{}", bench.key("captured/")).parse() else {
            panic!()
        };
        settings.captured = Some(captured);
    });
    function.handle(&json!({"step": "drift", "day": day}), TIME).unwrap()
}

#[test]
fn the_requests_of_a_day_are_compared_with_the_training_data_of_their_model() {
    let bench = Bench::new();
    let version = bench.model().version().to_owned();
    let far = vec![1e6; 500];
    bench.put("captured/2026-11-29/a.jsonl", request("line", &version, &[1.0, 2.0, 3.0, 4.0]));
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
    assert_eq!(drift(&bench, "2026-11-28")["models"], json!([]));
}

#[test]
fn without_a_prefix_of_captured_requests_the_setting_is_named() {
    let error = Bench::new().function().handle(&json!({"step": "drift"}), TIME).unwrap_err().to_string();
    assert!(error.starts_with("BATCH_CAPTURED_URI: expected the prefix of captured requests"), "{error}");
}
