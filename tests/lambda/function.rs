//! The binary in the Runtime Interface Emulator, which invokes it with the files in `events/`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::PathBuf;

use ordinate_test_support::root;

use crate::emulator::{EVENT_LIMIT_BYTES, Emulator};

/// The expected response.
#[derive(Clone, Copy)]
enum Expected {
    /// 200 with exactly this JSON text.
    Answer(&'static str),
    /// 200 with the prediction of the bundled model `diabetes`, computed from its file.
    Diabetes,
    /// 200 with JSON that contains these texts.
    Contains(&'static [&'static str]),
    /// 200 with base64 of JSON that is followed by these doubles.
    Doubles([f64; 2]),
    /// `application/problem+json` with this status.
    Problem(u16),
    /// A failed invocation with this type of error.
    Failure(&'static str),
}
use Expected::{Answer, Contains, Diabetes, Doubles, Failure, Problem};

/// The form of the response: each service that invokes the function reads other fields.
#[derive(Clone, Copy)]
enum Envelope {
    /// `statusCode`, `multiValueHeaders`, `body`.
    RestApi,
    /// `statusCode`, `headers`, `body`.
    HttpApi,
    /// `statusCode`, `statusDescription`, `headers`, `body`.
    LoadBalancer,
    /// The same with `multiValueHeaders`, an option of the target group.
    LoadBalancerMultiValue,
    /// The body alone.
    Direct,
}
use Envelope::{Direct, HttpApi, LoadBalancer, LoadBalancerMultiValue, RestApi};

const OCTETS: &str = "application/octet-stream";

/// y = 2x + 1 at 1, 2, 3, 4.
const LINE: Expected = Answer(r#"{"y":[3.0,5.0,7.0,9.0]}"#);

/// Every file in `events/` with the expected response.
const CORPUS: &[(&str, Envelope, Expected)] = &[
    ("alb-multi-value", LoadBalancerMultiValue, LINE),
    ("alb", LoadBalancer, LINE),
    ("direct-invoke", Direct, LINE),
    ("function-url", HttpApi, LINE),
    ("sqs", Direct, Failure("UnsupportedEvent.SQS")),
    ("v1-custom-domain", RestApi, LINE),
    ("v1-http-api-stage", RestApi, LINE),
    ("v1-stage", RestApi, LINE),
    ("v1", RestApi, LINE),
    ("v2-bad-base64", HttpApi, Problem(400)),
    // The service does not use the host.
    ("v2-bad-host", HttpApi, LINE),
    ("v2-base64", HttpApi, LINE),
    ("v2-health-live", HttpApi, Contains(&[])),
    ("v2-health-ready", HttpApi, Contains(&[])),
    ("v2-infer-binary", HttpApi, Doubles([3.0, 5.0])),
    ("v2-mcp", HttpApi, Contains(&["{\"y\":[3.0,5.0],", "row 1: y = 5, 95 % prediction interval"])),
    ("v2-models-diabetes", HttpApi, Diabetes),
    ("v2-models", HttpApi, Contains(&["\"line\"", "\"diabetes\""])),
    ("v2-not-found", HttpApi, Problem(404)),
    ("v2-not-json", HttpApi, Problem(400)),
    ("v2-stage-in-path", HttpApi, LINE),
    ("v2-wrong-method", HttpApi, Problem(405)),
    ("v2", HttpApi, LINE),
    ("vpc-lattice", HttpApi, LINE),
];

/// The variables as `template.yaml` sets them by default.
const TEMPLATE_DEFAULTS: &[(&str, &str)] = &[("MODEL_URI", ""), ("MODEL_SHA256", "")];

#[test]
fn every_event_file_has_an_expected_response() {
    let files: BTreeSet<String> = root()
        .join("events")
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.ends_with(".postman_collection.json"))
        .collect();
    let expected: BTreeSet<String> = CORPUS.iter().map(|(name, ..)| format!("{name}.json")).collect();
    assert_eq!(files, expected);
}

#[test]
fn every_event_file_has_the_expected_response() {
    let function = Emulator::start(TEMPLATE_DEFAULTS);
    // Twice and in both orders, since earlier events must not matter.
    for (name, envelope, expected) in CORPUS.iter().chain(CORPUS.iter().rev()) {
        let response = Response::read(&function.invoke(&event(name)), *envelope, name);
        response.check(*expected, name);
    }
}

#[test]
fn rows_by_name_and_by_position_have_the_same_prediction() {
    let function = Emulator::start(TEMPLATE_DEFAULTS);
    let by_name = event("v2-models-diabetes");
    let row = json!({"X": [[59, 2, 32.1, 101, 157, 93.2, 38, 4, 4.8598, 87]]});
    let by_position = with_body("v2-models-diabetes", &row.to_string());
    let [named, positional] =
        [by_name, by_position].map(|event| Response::read(&function.invoke(&event), HttpApi, "diabetes"));
    assert_eq!((named.status, positional.status), (200, 200));
    assert_eq!(named.body, positional.body);
}

#[test]
fn after_an_invalid_event_the_same_process_handles_the_next_one() {
    let function = Emulator::start(TEMPLATE_DEFAULTS);
    // Lambda rejects an event of this length; the emulator sends the first 6 MB, which are not JSON.
    let truncated = with_body("v2", &"1".repeat(7_000_000));
    assert!(truncated.len() > EVENT_LIMIT_BYTES);
    for bad in [event("v2-bad-base64"), event("v2-bad-host"), event("sqs"), b"{}".to_vec(), b"null".to_vec(), truncated]
    {
        function.invoke(&bad);
        let response = Response::read(&function.invoke(&event("v2")), HttpApi, "v2");
        response.check(LINE, "v2, after an invalid event");
    }
    // The emulator starts a new process after a crash.
    assert_eq!(function.log().matches("INIT START").count(), 1, "{}", function.log());
}

#[test]
fn an_unknown_path_is_in_the_log_and_so_is_the_service_of_another_event() {
    let function = Emulator::start(TEMPLATE_DEFAULTS);
    let mut unknown: Value = serde_json::from_slice(&event("v2-not-found")).unwrap();
    unknown["rawPath"] = json!(format!("/nothing/{}", "a".repeat(5000)));
    function.invoke(unknown.to_string().as_bytes());
    function.invoke(&event("sqs"));
    let log: Vec<Value> = function.log().lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let line = log.iter().find(|line| line["code"] == "unknown_route").unwrap();
    let path = line["path"].as_str().unwrap_or_else(|| panic!("{line}"));
    assert!(path.starts_with("/nothing/aaa") && path.len() < 200, "{path}");
    assert!(log.iter().any(|line| line["event_source"] == "SQS"), "{log:?}");
}

#[test]
fn rows_above_the_limit_are_a_413() {
    let function = Emulator::start(TEMPLATE_DEFAULTS);
    let allowed = with_body("v2", &json!({"X": vec![1; 100_000]}).to_string());
    let response = Response::read(&function.invoke(&allowed), HttpApi, "100,000 rows");
    assert_eq!(response.status, 200);

    let too_many = with_body("v2", &json!({"X": vec![1; 100_001]}).to_string());
    Response::read(&function.invoke(&too_many), HttpApi, "100,001 rows").check(Problem(413), "100,001 rows");
}

#[test]
fn a_body_that_is_too_large_after_decompression_is_a_413() {
    // Without gzip, Lambda would reject the event.
    let body = format!(r#"{{"X":[1],"padding":"{}"}}"#, "1".repeat(7_000_000));
    assert!(body.len() > EVENT_LIMIT_BYTES);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(body.as_bytes()).unwrap();

    let mut event: Value = serde_json::from_slice(&event("v2")).unwrap();
    event["headers"]["content-encoding"] = json!("gzip");
    event["body"] = json!(STANDARD.encode(gzip.finish().unwrap()));
    event["isBase64Encoded"] = json!(true);

    let function = Emulator::start(TEMPLATE_DEFAULTS);
    let response = function.invoke(event.to_string().as_bytes());
    Response::read(&response, HttpApi, "7 MB, gzipped").check(Problem(413), "7 MB, gzipped");
}

/// The file `events/{name}.json`.
fn event(name: &str) -> Vec<u8> {
    std::fs::read(path(&format!("events/{name}.json"))).unwrap()
}

/// The event of a file with another body.
fn with_body(name: &str, body: &str) -> Vec<u8> {
    let mut event: Value = serde_json::from_slice(&event(name)).unwrap();
    event["headers"]["content-length"] = json!(body.len().to_string());
    event["body"] = json!(body);
    event.to_string().into_bytes()
}

fn path(relative: &str) -> PathBuf {
    root().join(relative)
}

/// A response without its envelope.
struct Response {
    status: u16,
    content_type: String,
    body: String,
}

impl Response {
    /// Reads the fields that the service in front of the function would read.
    fn read(response: &[u8], envelope: Envelope, name: &str) -> Response {
        let text = String::from_utf8_lossy(response).into_owned();
        let json: Value = serde_json::from_slice(response).unwrap_or_else(|error| panic!("{name}: {error}: {text}"));
        if let Direct = envelope {
            // A direct response is the body alone; an error has the form of the emulator.
            let status = if json["errorType"].is_string() { 500 } else { 200 };
            return Response { status, content_type: "application/json".to_owned(), body: text };
        }
        let content_type = match envelope {
            RestApi | LoadBalancerMultiValue => header(&json["multiValueHeaders"]).map(|values| &values[0]),
            HttpApi | LoadBalancer | Direct => header(&json["headers"]),
        };
        if let LoadBalancer | LoadBalancerMultiValue = envelope {
            assert!(json["statusDescription"].is_string(), "{name}: {text}");
        }
        let bytes = content_type.is_some_and(|content_type| content_type == OCTETS);
        assert_eq!(json["isBase64Encoded"] == json!(true), bytes, "{name}: JSON, and only JSON, is text: {text}");
        Response {
            status: json["statusCode"]
                .as_u64()
                .and_then(|status| status.try_into().ok())
                .unwrap_or_else(|| panic!("{name}: {text}")),
            content_type: content_type.and_then(Value::as_str).unwrap_or_else(|| panic!("{name}: {text}")).to_owned(),
            body: json["body"].as_str().unwrap_or_else(|| panic!("{name}: {text}")).to_owned(),
        }
    }

    fn check(&self, expected: Expected, name: &str) {
        let Response { status, content_type, body } = self;
        let (expected_status, expected_type) = match expected {
            Answer(_) | Diabetes | Contains(_) => (200, "application/json"),
            Doubles(_) => (200, OCTETS),
            Problem(status) => (status, "application/problem+json"),
            Failure(_) => (500, "application/json"),
        };
        assert_eq!(*status, expected_status, "{name}: {body}");
        assert_eq!(content_type, expected_type, "{name}: {body}");
        match expected {
            Answer(text) => assert_eq!(body, text, "{name}"),
            Contains(words) => {
                for word in words {
                    assert!(body.contains(word), "{name}: no {word} in {body}");
                }
            }
            Diabetes => {
                let y = serde_json::from_str::<Value>(body).unwrap()["y"][0].as_f64().unwrap();
                let expected = diabetes_by_hand(&event(name));
                assert!((y - expected).abs() <= 1e-9 * expected.abs(), "{name}: expected {expected}, got {y}");
            }
            Doubles(values) => {
                let bytes = STANDARD.decode(body).unwrap();
                assert!(bytes.ends_with(values.map(f64::to_le_bytes).as_flattened()), "{name}: {bytes:?}");
            }
            Failure(error_type) => {
                let error: Value = serde_json::from_str(body).unwrap();
                assert_eq!(error["errorType"], json!(error_type), "{name}: {body}");
                assert!(error["errorMessage"].as_str().is_some_and(|text| !text.is_empty()), "{name}: {body}");
            }
            Problem(status) => {
                let problem: Value = serde_json::from_str(body).unwrap();
                assert_eq!(problem["status"], json!(status), "{name}: {body}");
                for field in ["type", "title", "detail", "code", "request_id"] {
                    let text = problem[field].as_str().unwrap_or_default();
                    assert!(!text.is_empty(), "{name}: no {field} in {body}");
                }
            }
        }
    }
}

/// The header `content-type` in any case.
fn header(headers: &Value) -> Option<&Value> {
    headers.as_object()?.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type")).map(|(_, value)| value)
}

/// Intercept + Σ coefficient · (x − mean) / scale, from the model file alone.
fn diabetes_by_hand(event: &[u8]) -> f64 {
    let event: Value = serde_json::from_slice(event).unwrap();
    let body: Value = serde_json::from_str(event["body"].as_str().unwrap()).unwrap();
    let row = &body["X"][0];
    let model: Value = serde_json::from_slice(&std::fs::read(path("model/diabetes.json")).unwrap()).unwrap();
    let contributions = model["preprocess"]["columns"].as_array().unwrap().iter().map(|column| {
        let number = |value: &Value| value.as_f64().unwrap();
        let coefficient = &model["estimator"]["coefficients"][column["name"].as_str().unwrap()];
        let x = &row[column["product"][0]["feature"].as_str().unwrap()];
        number(coefficient) * (number(x) - number(&column["mean"])) / number(&column["scale"])
    });
    model["estimator"]["intercept"].as_f64().unwrap() + contributions.sum::<f64>()
}
