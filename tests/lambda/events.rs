//! Lambda events in, Lambda responses out, in process. `function.rs` sends the same events to the binary.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lambda_http::{Context, LambdaEvent};
use lambda_runtime::Diagnostic;
use ordinate::http::Settings;
use ordinate::http::server::lambda;
use ordinate_test_support::in_process::{application, settings};
use ordinate_test_support::root;
use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};
use tower::ServiceExt;

const LINE: &str = r#"{"y":[3.0,5.0,7.0,9.0]}"#;

/// The response of the function to an event, as JSON; or the error of the invocation.
async fn invoke(event: &Value) -> Result<Value, Diagnostic> {
    invoke_with(settings(), event).await
}

async fn invoke_with(settings: Settings, event: &Value) -> Result<Value, Diagnostic> {
    let handler = lambda::handler(application(settings));
    let payload: lambda::Event = serde_json::from_str(&event.to_string()).expect("any JSON is an event");
    let mut context = Context::default();
    context.request_id = "8476a536-e9f4-11e8-9739-2dfe598c3fcd".into();
    let response = handler.oneshot(LambdaEvent { payload, context }).await?;
    Ok(serde_json::to_value(response).unwrap())
}

pub(crate) async fn respond(event: &Value) -> Value {
    invoke(event).await.unwrap()
}

pub(crate) fn captured(name: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(root().join("events").join(name)).unwrap()).unwrap()
}

pub(crate) fn body(response: &Value) -> Value {
    serde_json::from_str(response["body"].as_str().unwrap()).unwrap()
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
#[case::http_api_with_payload_1("v1-http-api-stage.json")]
#[case::custom_domain("v1-custom-domain.json")]
#[case::vpc_lattice("vpc-lattice.json")]
#[tokio::test]
async fn every_kind_of_event_has_the_same_answer(#[case] name: &str) {
    let response = respond(&captured(name)).await;
    assert_eq!((&response["statusCode"], response["body"].as_str()), (&json!(200), Some(LINE)), "{response}");
    assert_eq!(response["isBase64Encoded"], false);
}

#[tokio::test]
async fn a_direct_invocation_is_a_body_and_its_response_is_an_answer() {
    assert_eq!(respond(&json!({"X": [1, 2, 3, 4]})).await, json!({"y": [3.0, 5.0, 7.0, 9.0]}));
}

#[rstest]
#[case(json!({"X": ["a"]}), "invalid_value", "row 0: feature \"x\" expected a number, got the string \"a\"")]
#[case(json!({"x": [1]}), "unknown_key", "unknown key \"x\"")]
#[case(json!([[1]]), "invalid_body", "expected an object such as")]
#[case(json!({"X": []}), "no_rows", "")]
#[tokio::test]
async fn an_error_of_a_direct_invocation_fails_it_with_its_code(
    #[case] event: Value,
    #[case] code: &str,
    #[case] detail: &str,
) {
    let error = invoke(&event).await.unwrap_err();
    assert_eq!(error.error_type, code);
    assert!(error.error_message.starts_with(detail), "{error:?}");
}

#[tokio::test]
async fn an_event_of_another_service_fails_the_invocation_and_is_named() {
    for (event, service) in [
        (captured("sqs.json"), "SQS"),
        (json!({"raw_path": "/predict", "method": "POST", "headers": {}, "body": "{}"}), "VPCLatticeV1"),
        (json!({"requestContext": {"connectionId": "a", "routeKey": "$default"}, "body": "{}"}), "WebSocket"),
        (json!({"type": "TOKEN", "authorizationToken": "a", "methodArn": "b"}), "Authorizer"),
        (
            json!({"requestContext": {"functionArn": "a", "condition": "RetriesExhausted"}, "requestPayload": {"a": 1}}),
            "LambdaDestination",
        ),
        (json!({"actionGroup": "a", "apiPath": "/predict", "httpMethod": "POST", "agent": {}}), "BedrockAgent"),
    ] {
        let error = invoke(&event).await.unwrap_err();
        assert_eq!(error.error_type, format!("UnsupportedEvent.{service}"));
        assert!(error.error_message.contains(&format!("not events of {service}")), "{error:?}");
    }
}

/// The same request behind each service, with a path of its own.
fn at(name: &str, path: &str) -> Value {
    let mut event = captured(name);
    let key = if event["rawPath"].is_string() { "rawPath" } else { "path" };
    event[key] = json!(path);
    event
}

#[rstest]
#[case::http_api_with_payload_1_and_a_stage("v1-http-api-stage.json", "dev")]
#[case::rest_api_behind_a_domain_whose_mapping_hides_the_stage("v1-custom-domain.json", "prod")]
#[case::rest_api_behind_a_domain_with_a_mapping("v1-custom-domain.json", "pricing/v2")]
#[case::http_api_with_a_stage("v2-stage-in-path.json", "prod")]
#[tokio::test]
async fn a_stage_and_the_base_path_of_a_domain_are_removed(#[case] name: &str, #[case] prefix: &str) {
    for (route, method) in
        [("predict", "POST"), ("models", "GET"), ("v2/health/live", "GET"), ("models/line/predict", "POST")]
    {
        let mut event = at(name, &format!("/{prefix}/{route}"));
        if event["pathParameters"].is_object() {
            event["pathParameters"]["proxy"] = json!(route);
        }
        if event["httpMethod"].is_string() {
            event["httpMethod"] = json!(method);
        } else {
            event["requestContext"]["http"]["method"] = json!(method);
        }
        assert_eq!(respond(&event).await["statusCode"], 200, "{route}");
    }
}

#[rstest]
#[case::the_root("/", "GET", "/pricing", 200)]
#[case::the_root_with_a_slash("/", "GET", "/pricing/", 200)]
#[case::a_route("/predict", "POST", "/pricing/predict", 200)]
#[case::without_a_mapping("/predict", "POST", "/predict", 200)]
#[case::another_path("/predict", "POST", "/pricing/nothing", 404)]
#[tokio::test]
async fn the_base_path_of_a_domain_is_removed_from_resources_without_parameters(
    #[case] resource: &str,
    #[case] method: &str,
    #[case] path: &str,
    #[case] status: u16,
) {
    let mut rest = at("v1-custom-domain.json", path);
    rest["resource"] = json!(resource);
    rest["pathParameters"] = Value::Null;
    rest["httpMethod"] = json!(method);
    assert_eq!(respond(&rest).await["statusCode"], status, "REST API");
    let mut http = at("v2.json", path);
    http["routeKey"] = json!(format!("{method} {resource}"));
    http["requestContext"]["http"]["method"] = json!(method);
    assert_eq!(respond(&http).await["statusCode"], status, "HTTP API");
}

#[tokio::test]
async fn the_path_of_an_event_can_be_percent_encoded() {
    let mut event = at("v1-custom-domain.json", "/pricing/models/breast%2Dcancer");
    event["pathParameters"]["proxy"] = json!("models/breast-cancer");
    event["httpMethod"] = json!("GET");
    assert_eq!(respond(&event).await["statusCode"], 200);
}

#[tokio::test]
async fn several_base_paths_are_removed_also_after_a_stage() {
    let base_paths = || vec!["/ml".to_owned(), "/ml/v3".to_owned(), "/other".to_owned()];
    for path in ["/ml/predict", "/ml/v3/predict", "/other/predict", "/predict", "/prod/ml/v3/predict"] {
        let mut event = at("v2.json", path);
        event["requestContext"]["stage"] = json!("prod");
        let response = invoke_with(Settings { base_paths: base_paths(), ..settings() }, &event).await.unwrap();
        assert_eq!(response["statusCode"], 200, "{path}");
    }
}

#[tokio::test]
async fn a_stage_with_the_name_of_a_route_does_not_hide_it() {
    for (name, path, stage) in [
        ("v1-http-api-stage.json", "/models/models/line/predict", "models"),
        ("v1-custom-domain.json", "/models/line/predict", "models"),
        ("v2.json", "/models/line/predict", "models"),
        ("v2.json", "/predict/predict", "predict"),
        ("v1.json", "/predict", "predict"),
    ] {
        let mut event = at(name, path);
        event["requestContext"]["stage"] = json!(stage);
        if event["pathParameters"].is_object() {
            let proxy = path.strip_prefix(&format!("/{stage}/")).filter(|rest| rest.contains("predict"));
            let proxy = proxy.filter(|_| name == "v1-http-api-stage.json").unwrap_or(path.trim_start_matches('/'));
            event["pathParameters"]["proxy"] = json!(proxy);
        }
        assert_eq!(respond(&event).await["statusCode"], 200, "{name} {path} {stage}");
    }
}

#[tokio::test]
async fn a_rest_api_that_decompressed_the_body_and_kept_the_header_is_answered() {
    let mut event = captured("v1.json");
    event["headers"]["Content-Encoding"] = json!("gzip");
    event["multiValueHeaders"]["Content-Encoding"] = json!(["gzip"]);
    assert_eq!(respond(&event).await["body"], LINE);
}

#[tokio::test]
async fn the_cause_of_an_unreadable_event_is_in_the_response() {
    let mut null = captured("v2.json");
    null["isBase64Encoded"] = json!(null);
    let mut object = captured("v1.json");
    object["body"] = json!({"X": [1]});
    for (event, cause) in
        [(null, "isBase64Encoded: expected true or false, got null"), (object, "body: expected a string or null")]
    {
        let response = respond(&event).await;
        assert_eq!((&response["statusCode"], &body(&response)["code"]), (&json!(400), &json!("invalid_event")));
        let problem = body(&response);
        assert!(problem["detail"].as_str().unwrap().contains(cause), "{problem}");
    }
}

#[tokio::test]
async fn an_event_that_no_service_sends_fails_the_invocation() {
    for event in [
        json!({"httpMethod": "POST", "path": "/predict", "body": "{}"}),
        json!({"path": "/a", "method": "GET", "value": 3}),
        json!({"requestContext": {"stage": "prod"}}),
    ] {
        let error = invoke(&event).await.unwrap_err();
        assert_eq!(error.error_type, "invalid_event", "{event}");
    }
}

#[tokio::test]
async fn an_event_with_many_headers_or_a_long_url_has_a_response() {
    let mut many = captured("v2.json");
    for name in 0..25_000 {
        many["headers"][format!("h{name}")] = json!("1");
    }
    let mut long = captured("v2.json");
    long["rawPath"] = json!(format!("/{}", "a".repeat(65_533)));
    for event in [many, long] {
        let response = respond(&event).await;
        assert_eq!((&response["statusCode"], &body(&response)["code"]), (&json!(400), &json!("invalid_event")));
    }
    let mut long = captured("v2-models.json");
    let parameters: Vec<_> =
        (0..5).map(|name| format!("{name}={0}&{name}={0}", "%F0%9F%98%80".repeat(1_000))).collect();
    long["rawQueryString"] = json!(parameters.join("&"));
    assert!(respond(&long).await["statusCode"].as_u64().is_some_and(|status| status < 500));
}

#[tokio::test]
async fn the_request_id_is_the_one_of_lambda() {
    let mut event = captured("v2-not-found.json");
    event["headers"]["x-request-id"] = json!("chosen by the caller");
    let response = respond(&event).await;
    assert_eq!(body(&response)["request_id"], "8476a536-e9f4-11e8-9739-2dfe598c3fcd");
    assert_eq!(response["headers"]["x-request-id"], "8476a536-e9f4-11e8-9739-2dfe598c3fcd");
}

#[tokio::test]
async fn the_stage_is_removed_once_and_only_as_a_whole_segment() {
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
        assert_eq!(respond(&event).await["statusCode"], status, "{stage} {path}");
    }
}

#[tokio::test]
async fn a_body_of_invalid_base64_is_a_400() {
    for text in ["%%%", "eyJYIjpbMV19=", "eyJYIjpbMV1", "{\"X\":[1]}", "é"] {
        for name in ["v1.json", "v2.json", "function-url.json", "alb.json"] {
            let mut event = captured(name);
            event["isBase64Encoded"] = json!(true);
            event["body"] = json!(text);
            let response = respond(&event).await;
            assert_eq!(
                (&response["statusCode"], &body(&response)["code"]),
                (&json!(400), &json!("invalid_base64")),
                "{text}"
            );
        }
    }
}

#[tokio::test]
async fn a_header_of_the_caller_cannot_mark_the_body_as_undecodable() {
    let mut event = captured("v2.json");
    event["headers"]["x-ordinate-undecodable-body"] = json!("base64");
    assert_eq!(respond(&event).await["statusCode"], 200);
}

#[tokio::test]
async fn an_event_with_an_invalid_header_is_a_400_in_an_envelope() {
    for name in ["v1.json", "v2.json", "function-url.json", "alb.json"] {
        let mut event = captured(name);
        event["headers"]["x-odd"] = json!("a\u{7f}b\nc");
        if event["multiValueHeaders"].is_object() {
            event["multiValueHeaders"]["x-odd"] = json!(["a\u{7f}b\nc"]);
        }
        let response = respond(&event).await;
        assert_eq!(
            (&response["statusCode"], &body(&response)["code"]),
            (&json!(400), &json!("invalid_event")),
            "{name}"
        );
    }
    let mut forged = captured("v2.json");
    forged["headers"]["x-ordinate-unreadable-event"] = json!("event");
    assert_eq!(respond(&forged).await["statusCode"], 200);
}

#[tokio::test]
async fn a_response_above_the_limit_of_a_load_balancer_is_a_413() {
    let mut event = captured("alb.json");
    event["body"] = json!(json!({"X": vec![0.123_456_789_012_345; 60_000]}).to_string());
    event["isBase64Encoded"] = json!(false);
    let error = respond(&event).await;
    assert_eq!((&error["statusCode"], &body(&error)["code"]), (&json!(413), &json!("answer_too_large")));
    let mut http_api = captured("v2.json");
    http_api["body"] = event["body"].clone();
    assert_eq!(respond(&http_api).await["statusCode"], 200);
}

#[tokio::test]
async fn a_compressed_response_is_base64_where_the_service_in_front_decodes_it() {
    use std::io::Read;

    let event = |name: &str| {
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
        let response = respond(&event(name)).await;
        assert_eq!(
            (&response["isBase64Encoded"], &response["headers"]["content-encoding"]),
            (&json!(true), &json!("gzip"))
        );
        let packed = STANDARD.decode(response["body"].as_str().unwrap()).unwrap();
        let mut text = String::new();
        flate2::read::GzDecoder::new(&packed[..]).read_to_string(&mut text).unwrap();
        assert!(text.starts_with(r#"{"y":[3.0,3.0,"#), "{name}");
    }
    // Without configuration, a REST API does not decode base64; it can compress responses itself.
    let response = respond(&event("v1.json")).await;
    assert_eq!(response["isBase64Encoded"], false);
}

/// Binary tensors in both directions, the default of tritonclient.
#[tokio::test]
async fn every_kind_of_event_can_carry_binary_tensors() {
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

        let response = respond(&event).await;
        assert_eq!(
            (&response["statusCode"], &response["isBase64Encoded"]),
            (&json!(200), &json!(true)),
            "{name} {response}"
        );
        let header = |name: &str| {
            let single = response["headers"][name].as_str();
            single.or(response["multiValueHeaders"][name][0].as_str()).unwrap_or_default().to_owned()
        };
        assert_eq!(header("content-type"), "application/octet-stream", "{name}");
        let body = STANDARD.decode(response["body"].as_str().unwrap()).unwrap();
        let (json, bytes) = body.split_at(header("inference-header-content-length").parse().unwrap());
        let json: Value = serde_json::from_slice(json).unwrap();
        assert_eq!(json["outputs"][0]["parameters"], json!({"binary_data_size": 16}), "{name}");
        assert_eq!(bytes, [3.0_f64.to_le_bytes(), 5.0_f64.to_le_bytes()].concat(), "{name}");
    }
}

/// An event with arbitrary text in all fields that a caller can set.
fn hostile_event() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        any::<String>(),
        "[ -~]{0,20}",
        // A host with one arbitrary character.
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
    fn every_event_has_a_response(event in hostile_event()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let response = runtime.block_on(respond(&event));
        let status = response.get("statusCode").and_then(Value::as_u64);
        prop_assert!(status.is_some_and(|status| (200..500).contains(&status)), "{event} {response}");
    }
}
