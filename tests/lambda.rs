//! The function answers real events as Lambda hands them over: the binary runs inside the Runtime Interface Emulator,
//! and every file of `events/` is posted to it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::PathBuf;
use support::rie::{EVENT_LIMIT_BYTES, Emulator};
use support::root;

/// What a caller gets to see.
#[derive(Clone, Copy)]
enum Expected {
    /// 200 with exactly this JSON text.
    Answer(&'static str),
    /// 200 and one prediction: what the bundled model `diabetes` says by pencil and paper.
    Diabetes,
    /// 200 and JSON in which these words stand.
    Mentions(&'static [&'static str]),
    /// 200 and bytes, as base64: JSON, then these doubles.
    Doubles([f64; 2]),
    /// `application/problem+json` with this status.
    Problem(u16),
}
use Expected::{Answer, Diabetes, Doubles, Mentions, Problem};

/// How the answer travels: each caller of Lambda reads other fields.
#[derive(Clone, Copy)]
enum Envelope {
    /// `statusCode`, `multiValueHeaders`, `body`.
    RestApi,
    /// `statusCode`, `headers`, `body`.
    HttpApi,
    /// `statusCode`, `statusDescription`, `headers`, `body`.
    LoadBalancer,
    /// The same with `multiValueHeaders`, when the target group says so.
    LoadBalancerMultiValue,
    /// The body itself.
    Direct,
}
use Envelope::{Direct, HttpApi, LoadBalancer, LoadBalancerMultiValue, RestApi};

const OCTETS: &str = "application/octet-stream";

/// The line y = 2x + 1 at 1, 2, 3, 4.
const LINE: Expected = Answer(r#"{"y":[3.0,5.0,7.0,9.0]}"#);

/// Every file of `events/` and what it is answered with.
const CORPUS: &[(&str, Envelope, Expected)] = &[
    ("alb-multi-value", LoadBalancerMultiValue, LINE),
    ("alb", LoadBalancer, LINE),
    ("direct-invoke", Direct, LINE),
    ("function-url", HttpApi, LINE),
    // An event for another kind of function: its only key is not ours.
    ("sqs", Direct, Problem(422)),
    ("v1-stage", RestApi, LINE),
    ("v1", RestApi, LINE),
    ("v2-bad-base64", HttpApi, Problem(400)),
    // A host that is none is nothing to us: the model does not depend on it.
    ("v2-bad-host", HttpApi, LINE),
    ("v2-base64", HttpApi, LINE),
    ("v2-health-live", HttpApi, Mentions(&[])),
    ("v2-health-ready", HttpApi, Mentions(&[])),
    ("v2-infer-binary", HttpApi, Doubles([3.0, 5.0])),
    ("v2-models-diabetes", HttpApi, Diabetes),
    ("v2-models", HttpApi, Mentions(&["\"line\"", "\"diabetes\""])),
    ("v2-not-found", HttpApi, Problem(404)),
    ("v2-not-json", HttpApi, Problem(400)),
    ("v2-stage-in-path", HttpApi, LINE),
    ("v2-wrong-method", HttpApi, Problem(405)),
    ("v2", HttpApi, LINE),
];

/// As the template sets them when nobody chooses a model.
const TEMPLATE_DEFAULTS: &[(&str, &str)] = &[("MODEL_URI", ""), ("MODEL_SHA256", "")];

#[test]
fn every_event_of_the_corpus_has_an_expectation() {
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
fn every_event_of_the_corpus_is_answered_as_its_sender_expects() {
    let function = Emulator::start(TEMPLATE_DEFAULTS);
    // Twice, and in both orders: what came before must not matter.
    for (name, envelope, expected) in CORPUS.iter().chain(CORPUS.iter().rev()) {
        let answer = Response::read(&function.invoke(&event(name)), *envelope, name);
        answer.check(*expected, name);
    }
}

#[test]
fn a_row_by_name_and_by_position_is_the_same_prediction() {
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
fn after_a_bad_event_the_same_process_answers_the_next_one() {
    let function = Emulator::start(TEMPLATE_DEFAULTS);
    // Lambda itself refuses an event this long; the emulator hands over the first 6 MB, which is not JSON any more.
    let cut_short = with_body("v2", &"1".repeat(7_000_000));
    assert!(cut_short.len() > EVENT_LIMIT_BYTES);
    for bad in [event("v2-bad-base64"), event("v2-bad-host"), event("sqs"), b"{}".to_vec(), b"null".to_vec(), cut_short]
    {
        function.invoke(&bad);
        let answer = Response::read(&function.invoke(&event("v2")), HttpApi, "v2");
        answer.check(LINE, "v2, after a bad event");
    }
    // The emulator starts a new process when one has died.
    assert_eq!(function.log().matches("INIT START").count(), 1, "{}", function.log());
}

#[test]
fn more_rows_than_allowed_are_413() {
    let function = Emulator::start(TEMPLATE_DEFAULTS);
    let allowed = with_body("v2", &json!({"X": vec![1; 100_000]}).to_string());
    let answer = Response::read(&function.invoke(&allowed), HttpApi, "100,000 rows");
    assert_eq!(answer.status, 200);

    let too_many = with_body("v2", &json!({"X": vec![1; 100_001]}).to_string());
    Response::read(&function.invoke(&too_many), HttpApi, "100,001 rows").check(Problem(413), "100,001 rows");
}

#[test]
fn a_body_that_unpacks_to_more_than_allowed_is_413() {
    // Not gzipped it could not even reach us: Lambda takes events up to 6 MB.
    let body = format!(r#"{{"X":[1],"padding":"{}"}}"#, "1".repeat(7_000_000));
    assert!(body.len() > EVENT_LIMIT_BYTES);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(body.as_bytes()).unwrap();

    let mut event: Value = serde_json::from_slice(&event("v2")).unwrap();
    event["headers"]["content-encoding"] = json!("gzip");
    event["body"] = json!(STANDARD.encode(gzip.finish().unwrap()));
    event["isBase64Encoded"] = json!(true);

    let function = Emulator::start(TEMPLATE_DEFAULTS);
    let answer = function.invoke(event.to_string().as_bytes());
    Response::read(&answer, HttpApi, "7 MB, gzipped").check(Problem(413), "7 MB, gzipped");
}

/// The file `events/{name}.json`.
fn event(name: &str) -> Vec<u8> {
    std::fs::read(path(&format!("events/{name}.json"))).unwrap()
}

/// An event of the corpus with another body.
fn with_body(name: &str, body: &str) -> Vec<u8> {
    let mut event: Value = serde_json::from_slice(&event(name)).unwrap();
    event["headers"]["content-length"] = json!(body.len().to_string());
    event["body"] = json!(body);
    event.to_string().into_bytes()
}

fn path(relative: &str) -> PathBuf {
    root().join(relative)
}

/// An answer, out of its envelope.
struct Response {
    status: u16,
    content_type: String,
    body: String,
}

impl Response {
    /// Reads the fields that the caller of Lambda would read, and no others.
    fn read(answer: &[u8], envelope: Envelope, name: &str) -> Response {
        let text = String::from_utf8_lossy(answer).into_owned();
        let json: Value = serde_json::from_slice(answer).unwrap_or_else(|error| panic!("{name}: {error}: {text}"));
        if let Direct = envelope {
            // A direct caller gets no status beside the body: problems carry their own.
            let status = json["status"].as_u64().map_or(200, |status| u16::try_from(status).unwrap());
            let content_type = if status == 200 { "application/json" } else { "application/problem+json" };
            return Response { status, content_type: content_type.to_owned(), body: text };
        }
        let content_type = match envelope {
            RestApi | LoadBalancerMultiValue => header(&json["multiValueHeaders"]).map(|values| &values[0]),
            HttpApi | LoadBalancer | Direct => header(&json["headers"]),
        };
        if let LoadBalancer | LoadBalancerMultiValue = envelope {
            assert!(json["statusDescription"].is_string(), "{name}: {text}");
        }
        let bytes = content_type.is_some_and(|content_type| content_type == OCTETS);
        assert_eq!(
            json["isBase64Encoded"] == json!(true),
            bytes,
            "{name}: JSON travels as text, and only JSON: {text}"
        );
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
            Answer(_) | Diabetes | Mentions(_) => (200, "application/json"),
            Doubles(_) => (200, OCTETS),
            Problem(status) => (status, "application/problem+json"),
        };
        assert_eq!(*status, expected_status, "{name}: {body}");
        assert_eq!(content_type, expected_type, "{name}: {body}");
        match expected {
            Answer(text) => assert_eq!(body, text, "{name}"),
            Mentions(words) => {
                for word in words {
                    assert!(body.contains(word), "{name}: {word} is not in {body}");
                }
            }
            Diabetes => {
                let y = serde_json::from_str::<Value>(body).unwrap()["y"][0].as_f64().unwrap();
                let expected = diabetes_by_hand(&event(name));
                assert!((y - expected).abs() <= 1e-9 * expected.abs(), "{name}: {y} is not {expected}");
            }
            Doubles(values) => {
                let bytes = STANDARD.decode(body).unwrap();
                assert!(bytes.ends_with(values.map(f64::to_le_bytes).as_flattened()), "{name}: {bytes:?}");
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

/// The header `content-type`, whatever its case.
fn header(headers: &Value) -> Option<&Value> {
    headers.as_object()?.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type")).map(|(_, value)| value)
}

/// Intercept + Σ coefficient · (x − mean) / scale, from the model's file and nothing else.
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
