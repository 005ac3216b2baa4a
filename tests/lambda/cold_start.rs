//! Configuration by environment variables, with the binary in the emulator and the model in an S3 server.

use ordinate::source::catalog::FAILURE_MEMORY;
use ordinate_test_support::s3_server::{BUCKET, S3Server};
use ordinate_test_support::{line, root};
use serde_json::Value;

use crate::emulator::Emulator;

/// The response to an HTTP API event.
struct Response {
    status: u64,
    body: String,
}

impl Response {
    fn code(&self) -> Value {
        serde_json::from_str::<Value>(&self.body).unwrap()["code"].clone()
    }
}

fn invoke(function: &Emulator, event: &str) -> Response {
    let event = std::fs::read(root().join("events").join(event)).unwrap();
    let response: Value = serde_json::from_slice(&function.invoke(&event)).unwrap();
    Response { status: response["statusCode"].as_u64().unwrap(), body: response["body"].as_str().unwrap().to_owned() }
}

/// The function with the model at this key and this secret key of the identity `reader`.
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

/// The log of the function. Lines of the emulator are not JSON.
fn log(function: &Emulator) -> Vec<Value> {
    function.log().lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn processes(function: &Emulator) -> usize {
    function.log().matches("INIT START").count()
}

#[test]
fn the_model_in_s3_is_served() {
    put("cold/line.json", line("tutorial", "7"));
    let function = function("cold/line.json", "reader-secret", &[]);
    let response = invoke(&function, "v2.json");
    assert_eq!((response.status, response.body.as_str()), (200, r#"{"y":[3.0,5.0,7.0,9.0]}"#));
    let models = invoke(&function, "v2-models.json").body;
    assert!(models.contains("tutorial") && !models.contains("diabetes"), "{models}");
}

#[test]
fn a_model_with_another_checksum_than_required_is_not_served() {
    put("cold/pinned.json", line("line", "1"));
    let wrong = function("cold/pinned.json", "reader-secret", &[("MODEL_SHA256", &"0".repeat(64))]);
    let response = invoke(&wrong, "v2.json");
    assert_eq!((response.status, response.code()), (503, "model_unavailable".into()));
    let file: Value = serde_json::from_slice(&line("line", "1")).unwrap();
    let right = function("cold/pinned.json", "reader-secret", &[("MODEL_SHA256", file["sha256"].as_str().unwrap())]);
    assert_eq!(invoke(&right, "v2.json").status, 200);
}

#[test]
fn a_wrong_secret_is_a_503_whose_cause_is_in_the_log_only() {
    put("cold/secret.json", line("line", "1"));
    let function = function("cold/secret.json", "not-the-secret", &[]);
    let response = invoke(&function, "v2.json");
    assert_eq!((response.status, response.code()), (503, "model_unavailable".into()));
    assert!(!response.body.contains(BUCKET) && !response.body.contains("Signature"), "{}", response.body);
    assert_eq!(invoke(&function, "v2-health-live.json").status, 200);
    assert_eq!(invoke(&function, "v2-health-ready.json").status, 503);

    let log = log(&function);
    let request = log.iter().find(|line| line["route"] == "/predict").unwrap();
    assert_eq!((&request["level"], &request["code"]), (&"ERROR".into(), &"model_unavailable".into()));
    assert!(request["cause"].as_str().unwrap().contains("SignatureDoesNotMatch"), "{request}");
    assert!(!function.log().contains("not-the-secret"));
}

#[test]
fn the_same_process_finds_a_missing_model_a_second_after_it_exists() {
    let function = function("cold/late.json", "reader-secret", &[]);
    for _ in 0..2 {
        assert_eq!(invoke(&function, "v2.json").status, 503);
    }
    put("cold/late.json", line("line", "1"));
    // Errors are remembered for a moment.
    std::thread::sleep(FAILURE_MEMORY);
    assert_eq!(invoke(&function, "v2.json").status, 200);
    assert_eq!(processes(&function), 1, "{}", function.log());
}

#[test]
fn an_invalid_setting_is_one_log_line_and_a_503_without_a_restart() {
    let settings = [("MODEL_URI", "ftp://models/line.json"), ("MAX_ROWS", "many"), ("AWS_LAMBDA_LOG_LEVEL", "LOUD")];
    for (variable, value) in settings {
        let function = Emulator::start(&[(variable, value)]);
        for _ in 0..2 {
            let response = invoke(&function, "v2.json");
            assert_eq!((response.status, response.code()), (503, "misconfigured".into()));
            assert!(!response.body.contains(value), "{}", response.body);
        }
        assert_eq!(invoke(&function, "v2-health-live.json").status, 200);
        assert_eq!(processes(&function), 1, "{}", function.log());
        let log = log(&function);
        let lines: Vec<_> = log.iter().filter(|line| line["message"] == "misconfigured").collect();
        assert_eq!(lines.len(), 1, "{log:?}");
        let error = lines[0]["error"].as_str().unwrap();
        assert!(error.contains(variable) && error.contains(value), "{error}");
    }
}

#[test]
fn the_log_has_one_json_line_per_request_with_its_id_and_without_its_body() {
    let function = Emulator::start(&[]);
    invoke(&function, "v2.json");
    invoke(&function, "v2-not-json.json");
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
    // The metric filter in template.yaml reads this field.
    assert_eq!(requests[0]["warnings"], 0);
    // The emulator prints the request id of Lambda.
    let id = requests[0]["request_id"].as_str().unwrap();
    assert!(function.log().contains(&format!("RequestId: {id}")), "{}", function.log());
    assert!(!function.log().contains("[1,2,3,4]"), "{}", function.log());
}
