//! The function told by its environment where the model is: the binary in the Lambda emulator, the model in a real S3 server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use serde_json::Value;
use support::model_file::model_file;
use support::rie::Emulator;
use support::root;
use support::s3_server::{BUCKET, S3Server};

/// An answer of an HTTP API event.
struct Answer {
    status: u64,
    body: String,
}

impl Answer {
    fn code(&self) -> Value {
        serde_json::from_str::<Value>(&self.body).unwrap()["code"].clone()
    }
}

fn ask(function: &Emulator, event: &str) -> Answer {
    let event = std::fs::read(root().join("events").join(event)).unwrap();
    let answer: Value = serde_json::from_slice(&function.invoke(&event)).unwrap();
    Answer { status: answer["statusCode"].as_u64().unwrap(), body: answer["body"].as_str().unwrap().to_owned() }
}

/// The function with the model at this key, as an identity with this secret.
fn function(key: &str, secret: &str, more: &[(&str, &str)]) -> Emulator {
    let uri = format!("s3://{BUCKET}/{key}");
    let endpoint = format!("http://{}", S3Server::shared().address());
    let s3 = [
        ("MODEL_URI", uri.as_str()),
        ("AWS_ENDPOINT_URL_S3", endpoint.as_str()),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "reader"),
        ("AWS_SECRET_ACCESS_KEY", secret),
        ("AWS_SESSION_TOKEN", ""),
    ];
    Emulator::start(&[&s3, more].concat())
}

fn put(key: &str, content: Vec<u8>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(S3Server::shared().put(BUCKET, key, content));
}

/// What the function itself has logged: the emulator's own lines are not JSON.
fn log(function: &Emulator) -> Vec<Value> {
    function.log().lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn processes(function: &Emulator) -> usize {
    function.log().matches("INIT START").count()
}

#[test]
fn the_model_comes_from_s3() {
    put("cold/line.json", model_file("tutorial", "7"));
    let function = function("cold/line.json", "reader-secret", &[]);
    let answer = ask(&function, "v2.json");
    assert_eq!((answer.status, answer.body.as_str()), (200, r#"{"y":[3.0,5.0,7.0,9.0]}"#));
    let models = ask(&function, "v2-models.json").body;
    assert!(models.contains("tutorial") && !models.contains("diabetes"), "{models}");
}

#[test]
fn a_pinned_checksum_admits_that_model_only() {
    put("cold/pinned.json", model_file("line", "1"));
    let wrong = function("cold/pinned.json", "reader-secret", &[("MODEL_SHA256", &"0".repeat(64))]);
    let answer = ask(&wrong, "v2.json");
    assert_eq!((answer.status, answer.code()), (503, "model_unavailable".into()));

    let file: Value = serde_json::from_slice(&model_file("line", "1")).unwrap();
    let right = function("cold/pinned.json", "reader-secret", &[("MODEL_SHA256", file["sha256"].as_str().unwrap())]);
    assert_eq!(ask(&right, "v2.json").status, 200);
}

#[test]
fn a_wrong_secret_is_a_503_that_tells_the_log_and_not_the_caller() {
    put("cold/secret.json", model_file("line", "1"));
    let function = function("cold/secret.json", "not-the-secret", &[]);
    let answer = ask(&function, "v2.json");
    assert_eq!((answer.status, answer.code()), (503, "model_unavailable".into()));
    assert!(!answer.body.contains(BUCKET) && !answer.body.contains("Signature"), "{}", answer.body);
    assert_eq!(ask(&function, "v2-health-live.json").status, 200);
    assert_eq!(ask(&function, "v2-health-ready.json").status, 503);

    let log = log(&function);
    let request = log.iter().find(|line| line["route"] == "/predict").unwrap();
    assert_eq!((&request["level"], &request["code"]), (&"ERROR".into(), &"model_unavailable".into()));
    assert!(request["cause"].as_str().unwrap().contains("SignatureDoesNotMatch"), "{request}");
    assert!(!function.log().contains("not-the-secret"));
}

#[test]
fn a_missing_model_is_found_as_soon_as_it_is_there_by_the_same_process() {
    let function = function("cold/late.json", "reader-secret", &[]);
    for _ in 0..2 {
        assert_eq!(ask(&function, "v2.json").status, 503);
    }
    put("cold/late.json", model_file("line", "1"));
    assert_eq!(ask(&function, "v2.json").status, 200);
    assert_eq!(processes(&function), 1, "{}", function.log());
}

#[test]
fn a_setting_that_cannot_be_used_is_one_line_and_a_503_and_never_a_crash_loop() {
    let settings = [("MODEL_URI", "ftp://models/line.json"), ("MAX_ROWS", "many"), ("AWS_LAMBDA_LOG_LEVEL", "LOUD")];
    for (variable, value) in settings {
        let function = Emulator::start(&[(variable, value)]);
        for _ in 0..2 {
            let answer = ask(&function, "v2.json");
            assert_eq!((answer.status, answer.code()), (503, "misconfigured".into()));
            assert!(!answer.body.contains(value), "{}", answer.body);
        }
        assert_eq!(ask(&function, "v2-health-live.json").status, 200);
        assert_eq!(processes(&function), 1, "{}", function.log());
        let log = log(&function);
        let told: Vec<_> = log.iter().filter(|line| line["message"] == "misconfigured").collect();
        assert_eq!(told.len(), 1, "{log:?}");
        let error = told[0]["error"].as_str().unwrap();
        assert!(error.contains(variable) && error.contains(value), "{error}");
    }
}

#[test]
fn a_request_is_one_json_line_with_its_id_and_without_its_body() {
    let function = Emulator::start(&[]);
    ask(&function, "v2.json");
    ask(&function, "v2-not-json.json");
    let log = log(&function);
    let requests: Vec<_> = log.iter().filter(|line| line["message"] == "request").collect();
    assert_eq!(requests.len(), 2, "{log:?}");
    for line in &requests {
        let timestamp = line["timestamp"].as_str().unwrap();
        assert!(timestamp.len() >= 20 && &timestamp[10..11] == "T" && timestamp.ends_with('Z'), "{timestamp}");
        assert_eq!(
            (&line["level"], &line["method"], &line["route"]),
            (&"INFO".into(), &"POST".into(), &"/predict".into())
        );
        assert!(line["duration_ms"].is_number());
    }
    assert_eq!((&requests[0]["status"], &requests[0]["model"]), (&200.into(), &"line@1".into()));
    assert_eq!((&requests[0]["rows"], &requests[1]["code"]), (&4.into(), &"invalid_json".into()));
    // What the template's metric filter looks for.
    assert_eq!(requests[0]["warnings"], 0);
    // The id is Lambda's: the emulator prints it around the invocation.
    let id = requests[0]["request_id"].as_str().unwrap();
    assert!(function.log().contains(&format!("RequestId: {id}")), "{}", function.log());
    assert!(!function.log().contains("[1,2,3,4]"), "{}", function.log());
}
