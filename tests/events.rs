//! Lambda events in, Lambda responses out, in process: what callers can put into an event must never take the function down.
//! The same events through the real binary in the emulator are in `lambda.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lambda_http::request::LambdaRequest;
use lambda_http::{Context, LambdaEvent};
use ordinate::http::server::lambda;
use ordinate::http::{Limits, Settings, router};
use ordinate::source::catalog::Catalog;
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};
use tower::ServiceExt;

const LINE: &str = r#"{"y":[3.0,5.0,7.0,9.0]}"#;

/// What the function answers to an event, as the JSON that Lambda gets.
async fn answer(event: &Value) -> Value {
    let settings = Settings::new(Limits { max_rows: 100_000, max_body_bytes: 6_291_456 });
    let handler = lambda::handler(router(Arc::new(Catalog::bundled(None).unwrap()), settings));
    let payload: LambdaRequest = serde_json::from_str(&event.to_string()).expect("every JSON is an event");
    let mut context = Context::default();
    context.request_id = "8476a536-e9f4-11e8-9739-2dfe598c3fcd".into();
    serde_json::to_value(handler.oneshot(LambdaEvent { payload, context }).await.unwrap()).unwrap()
}

fn captured(name: &str) -> Value {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("events").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn body(answer: &Value) -> Value {
    serde_json::from_str(answer["body"].as_str().unwrap()).unwrap()
}

#[rstest]
#[case::rest_api("v1.json")]
#[case::rest_api_with_stage("v1-stage.json")]
#[case::http_api("v2.json")]
#[case::http_api_with_stage("v2-stage-in-path.json")]
#[case::http_api_base64("v2-base64.json")]
#[case::function_url("function-url.json")]
#[case::load_balancer("alb.json")]
#[case::load_balancer_with_multi_value_headers("alb-multi-value.json")]
#[tokio::test]
async fn every_front_of_lambda_gets_the_same_answer(#[case] name: &str) {
    let answer = answer(&captured(name)).await;
    assert_eq!((&answer["statusCode"], answer["body"].as_str()), (&json!(200), Some(LINE)), "{answer}");
    assert_eq!(answer["isBase64Encoded"], false);
}

#[tokio::test]
async fn a_direct_invoke_is_the_body_and_gets_the_bare_answer() {
    assert_eq!(answer(&json!({"X": [1, 2, 3, 4]})).await, json!({"y": [3.0, 5.0, 7.0, 9.0]}));
    let refused = answer(&json!({"Records": []})).await;
    assert_eq!((&refused["status"], &refused["code"]), (&json!(422), &json!("unknown_key")), "{refused}");
}

#[tokio::test]
async fn lambdas_request_id_is_the_one_that_is_told() {
    let mut event = captured("v2-not-found.json");
    event["headers"]["x-request-id"] = json!("chosen by the caller");
    let answer = answer(&event).await;
    assert_eq!(body(&answer)["request_id"], "8476a536-e9f4-11e8-9739-2dfe598c3fcd");
    assert_eq!(answer["headers"]["x-request-id"], "8476a536-e9f4-11e8-9739-2dfe598c3fcd");
}

#[tokio::test]
async fn a_stage_is_stripped_once_and_only_as_a_whole_segment() {
    for (stage, path, status) in [
        ("prod", "/prod/predict", 200),
        ("$default", "/predict", 200),
        ("prod", "/production/predict", 404),
        ("prod", "/prod/prod/predict", 404),
        ("models", "/models/models/line/predict", 200),
    ] {
        let mut event = captured("v2.json");
        event["requestContext"]["stage"] = json!(stage);
        event["rawPath"] = json!(path);
        assert_eq!(answer(&event).await["statusCode"], status, "{stage} {path}");
    }
}

#[tokio::test]
async fn a_body_that_is_not_the_base64_it_says_is_a_400() {
    for text in ["%%%", "eyJYIjpbMV19=", "eyJYIjpbMV1", "{\"X\":[1]}", "é"] {
        for name in ["v1.json", "v2.json", "function-url.json", "alb.json"] {
            let mut event = captured(name);
            event["isBase64Encoded"] = json!(true);
            event["body"] = json!(text);
            let answer = answer(&event).await;
            assert_eq!(
                (&answer["statusCode"], &body(&answer)["code"]),
                (&json!(400), &json!("invalid_base64")),
                "{text}"
            );
        }
    }
}

#[tokio::test]
async fn the_mark_of_an_undecodable_body_is_not_the_callers_to_set() {
    let mut event = captured("v2.json");
    event["headers"]["x-ordinate-undecodable-body"] = json!("base64");
    assert_eq!(answer(&event).await["statusCode"], 200);
}

#[tokio::test]
async fn an_event_with_a_header_that_is_none_is_a_400_in_an_envelope() {
    for name in ["v1.json", "v2.json", "function-url.json", "alb.json"] {
        let mut event = captured(name);
        event["headers"]["x-odd"] = json!("a\u{7f}b\nc");
        if event["multiValueHeaders"].is_object() {
            event["multiValueHeaders"]["x-odd"] = json!(["a\u{7f}b\nc"]);
        }
        let answer = answer(&event).await;
        assert_eq!((&answer["statusCode"], &body(&answer)["code"]), (&json!(400), &json!("invalid_event")), "{name}");
    }
    let mut forged = captured("v2.json");
    forged["headers"]["x-ordinate-unreadable-event"] = json!("event");
    assert_eq!(answer(&forged).await["statusCode"], 200);
}

#[tokio::test]
async fn a_load_balancer_is_not_sent_more_than_it_takes() {
    let mut event = captured("alb.json");
    event["body"] = json!(json!({"X": vec![0.123_456_789_012_345; 60_000]}).to_string());
    event["isBase64Encoded"] = json!(false);
    let refused = answer(&event).await;
    assert_eq!((&refused["statusCode"], &body(&refused)["code"]), (&json!(413), &json!("answer_too_large")));
    let mut elsewhere = captured("v2.json");
    elsewhere["body"] = event["body"].clone();
    assert_eq!(answer(&elsewhere).await["statusCode"], 200);
}

#[tokio::test]
async fn a_compressed_answer_leaves_as_base64_where_the_front_decodes_it() {
    use std::io::Read;

    let ask = |name: &str| {
        let mut event = captured(name);
        event["headers"]["accept-encoding"] = json!("gzip");
        event["headers"].as_object_mut().unwrap().remove("Accept-Encoding");
        if event["multiValueHeaders"].is_object() {
            event["multiValueHeaders"]["Accept-Encoding"] = json!(["gzip"]);
        }
        event["body"] = json!(json!({"X": vec![1; 1000]}).to_string());
        event["isBase64Encoded"] = json!(false);
        event
    };
    for name in ["v2.json", "function-url.json", "alb.json"] {
        let answer = answer(&ask(name)).await;
        assert_eq!(
            (&answer["isBase64Encoded"], &answer["headers"]["content-encoding"]),
            (&json!(true), &json!("gzip"))
        );
        let packed = STANDARD.decode(answer["body"].as_str().unwrap()).unwrap();
        let mut text = String::new();
        flate2::read::GzDecoder::new(&packed[..]).read_to_string(&mut text).unwrap();
        assert!(text.starts_with(r#"{"y":[3.0,3.0,"#), "{name}");
    }
    // A REST API hands binary on as base64 unless it was configured, and compresses by itself.
    let answer = answer(&ask("v1.json")).await;
    assert_eq!(answer["isBase64Encoded"], false);
}

/// What tritonclient sends and wants by default: tensors as bytes, both ways.
#[tokio::test]
async fn tensors_arrive_and_leave_as_bytes_behind_every_front_of_lambda() {
    let inference = captured("v2-infer-binary.json");
    for name in ["v2-infer-binary.json", "v1.json", "v2.json", "function-url.json", "alb.json", "alb-multi-value.json"]
    {
        let mut event = captured(name);
        event["body"] = inference["body"].clone();
        event["isBase64Encoded"] = json!(true);
        let path = if event["rawPath"].is_string() { "rawPath" } else { "path" };
        event[path] = inference["rawPath"].clone();
        let length = &inference["headers"]["inference-header-content-length"];
        for headers in ["headers", "multiValueHeaders"] {
            if let Some(headers) = event.get_mut(headers).and_then(Value::as_object_mut) {
                headers.retain(|name, _| !name.eq_ignore_ascii_case("content-type"));
            }
        }
        if event["headers"].is_object() {
            event["headers"]["inference-header-content-length"] = length.clone();
        }
        if event["multiValueHeaders"].is_object() {
            event["multiValueHeaders"]["inference-header-content-length"] = json!([length]);
        }

        let answer = answer(&event).await;
        assert_eq!((&answer["statusCode"], &answer["isBase64Encoded"]), (&json!(200), &json!(true)), "{name} {answer}");
        let header = |name: &str| {
            let single = answer["headers"][name].as_str();
            single.or(answer["multiValueHeaders"][name][0].as_str()).unwrap_or_default().to_owned()
        };
        assert_eq!(header("content-type"), "application/octet-stream", "{name}");
        let body = STANDARD.decode(answer["body"].as_str().unwrap()).unwrap();
        let (told, bytes) = body.split_at(header("inference-header-content-length").parse().unwrap());
        let told: Value = serde_json::from_slice(told).unwrap();
        assert_eq!(told["outputs"][0]["parameters"], json!({"binary_data_size": 16}), "{name}");
        assert_eq!(bytes, [3.0_f64.to_le_bytes(), 5.0_f64.to_le_bytes()].concat(), "{name}");
    }
}

/// What each front of Lambda makes of `?explain=true&interval=0.9&note=a%20b`: API Gateway decodes parameters, a load balancer does not.
#[rstest]
#[case("v1.json", json!({"explain": ["true"], "interval": ["0.9"], "note": ["a b"]}))]
#[case("v1-stage.json", json!({"explain": ["true"], "interval": ["0.9"]}))]
#[case("v2.json", json!("explain=true&interval=0.9&note=a%20b"))]
#[case("function-url.json", json!("note=a%20b&interval=%30.9&explain=true"))]
#[case("alb.json", json!({"explain": "true", "interval": "0.9", "note": "a%20b"}))]
#[case("alb-multi-value.json", json!({"explain": ["true"], "interval": ["0.9"], "note": ["a%20b"]}))]
#[tokio::test]
async fn every_front_of_lambda_hands_on_what_the_url_asks_for(#[case] name: &str, #[case] query: Value) {
    let mut event = captured(name);
    match &query {
        Value::String(raw) => event["rawQueryString"] = json!(raw),
        Value::Object(values) if values["explain"].is_string() => event["queryStringParameters"] = query,
        _ => event["multiValueQueryStringParameters"] = query,
    }
    let answer = answer(&event).await;
    assert_eq!(answer["statusCode"], 200, "{answer}");
    let body = body(&answer);
    assert!(body["explanation"].is_object() && body["interval"].is_array(), "{body}");
}

#[tokio::test]
async fn parameters_beyond_all_measure_do_no_harm() {
    let long = "9".repeat(200_000);
    for name in ["v1.json", "v2.json", "alb.json"] {
        let mut event = captured(name);
        event["rawQueryString"] = json!(format!("interval={long}&{long}={long}"));
        event["queryStringParameters"] = json!({"interval": long, long.clone(): long});
        let answer = answer(&event).await;
        assert_eq!((&answer["statusCode"], &body(&answer)["code"]), (&json!(422), &json!("invalid_option")), "{name}");
    }
}

/// An event with whatever a caller may send in the places that a conversion reads.
fn hostile_event() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        any::<String>(),
        "[ -~]{0,20}",
        // A host but for one character.
        "[a-z]{1,5}[ -~][a-z]{1,5}(:[0-9]{1,6})?",
        Just("[".into()),
        Just("a b:99999999".into()),
        Just("x:99999999/".into()),
        Just("//evil@host:80/predict?x#y".into()),
    ];
    let name = prop::sample::select(vec!["v1.json", "v1-stage.json", "v2.json", "function-url.json", "alb.json"]);
    let scheme = prop::option::of(prop_oneof![Just("http".to_owned()), Just("https".to_owned()), any::<String>()]);
    (name, prop::collection::vec(text, 6), any::<bool>(), scheme).prop_map(|(name, texts, base64, scheme)| {
        let mut event = captured(name);
        let mut headers = json!({"host": texts[0], "content-type": texts[2], "content-encoding": texts[3]});
        if let Some(scheme) = scheme {
            headers["x-forwarded-proto"] = json!(scheme);
        }
        let path = format!("/{}", texts[4]);
        event["headers"] = headers.clone();
        event["path"] = json!(path);
        event["rawPath"] = json!(texts[4]);
        event["rawQueryString"] = json!(format!("{}&interval={}", texts[5], texts[1]));
        event["queryStringParameters"] = json!({texts[5].clone(): texts[4], "interval": texts[1]});
        event["requestContext"]["stage"] = json!(texts[3]);
        event["requestContext"]["domainName"] = json!(texts[0]);
        event["body"] = json!(texts[2]);
        event["isBase64Encoded"] = json!(base64);
        event
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_event_takes_the_function_down(event in hostile_event()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let answer = runtime.block_on(answer(&event));
        // Headers that are none make an event that is no HTTP event: then it is a direct invoke.
        let status = answer.get("statusCode").or(answer.get("status")).and_then(Value::as_u64);
        prop_assert!(status.is_some_and(|status| (200..500).contains(&status)), "{event} {answer}");
    }
}
