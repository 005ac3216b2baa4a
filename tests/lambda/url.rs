//! URLs of events: their parameters, and the prefix of links in responses.

use rstest::rstest;
use serde_json::{Value, json};

use crate::events::{body, captured, respond};

/// Sets the parameters of the URL: the raw query of an HTTP API, or a map with one or with all values.
fn with_query(name: &str, query: Value) -> Value {
    let mut event = captured(name);
    match &query {
        Value::String(raw) => event["rawQueryString"] = json!(raw),
        Value::Object(values) if values.values().all(Value::is_string) => event["queryStringParameters"] = query,
        _ => event["multiValueQueryStringParameters"] = query,
    }
    event
}

/// The event of each service for `?explain=true&interval=0.9`: API Gateway decodes parameters, a load balancer does not.
#[rstest]
#[case("v1.json", json!({"explain": ["true"], "interval": ["0.9"]}))]
#[case("v1-stage.json", json!({"explain": ["true"], "interval": ["0.9"]}))]
#[case("v2.json", json!("explain=true&interval=0.9"))]
#[case("function-url.json", json!("interval=%30.9&explain=true"))]
#[case("alb.json", json!({"explain": "true", "interval": "%30.9"}))]
#[case("alb-multi-value.json", json!({"explain": ["true"], "interval": ["0.9"]}))]
#[case("vpc-lattice.json", json!({"explain": ["true"], "interval": ["0.9"]}))]
#[tokio::test]
async fn every_kind_of_event_passes_on_the_parameters_of_the_url(#[case] name: &str, #[case] query: Value) {
    let mut event = with_query(name, query.clone());
    if name == "vpc-lattice.json" {
        event["queryStringParameters"] = query;
    }
    let response = respond(&event).await;
    assert_eq!(response["statusCode"], 200, "{response}");
    let body = body(&response);
    assert!(body["explanation"].is_object() && body["interval"].is_array(), "{body}");
}

#[rstest]
#[case("v1.json", json!({"explian": ["0.9"]}))]
#[case("v2.json", json!("explian=0.9"))]
#[case("function-url.json", json!("expli%61n=0.9"))]
#[case("alb.json", json!({"explian": "0.9"}))]
#[case("alb-multi-value.json", json!({"explian": ["0.9"]}))]
#[tokio::test]
async fn a_misspelt_parameter_is_a_422_behind_every_service(#[case] name: &str, #[case] query: Value) {
    let response = respond(&with_query(name, query)).await;
    let problem = body(&response);
    assert_eq!((&response["statusCode"], &problem["code"]), (&json!(422), &json!("unknown_key")), "{response}");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.starts_with("unknown URL parameter \"explian\"; the parameters are"), "{detail}");
}

#[tokio::test]
async fn very_long_parameters_are_a_422() {
    let long = "9".repeat(200_000);
    for name in ["v1.json", "v2.json", "alb.json"] {
        let mut event = captured(name);
        event["rawQueryString"] = json!(format!("interval={long}&{long}={long}"));
        event["queryStringParameters"] = json!({"interval": long, long.clone(): long});
        let response = respond(&event).await;
        // The parameters of some events have no order: either is the first.
        let codes = [json!("invalid_option"), json!("unknown_key")];
        assert!(response["statusCode"] == 422 && codes.contains(&body(&response)["code"]), "{name}");
    }
}

#[tokio::test]
async fn very_many_parameters_are_a_422() {
    let query: Vec<String> = (0..20_000).map(|number| format!("{number}={number}")).collect();
    let map: serde_json::Map<_, _> = (0..20_000).map(|number| (number.to_string(), json!("1"))).collect();
    for name in ["v1.json", "v2.json", "alb.json"] {
        let mut event = captured(name);
        event["rawQueryString"] = json!(query.join("&"));
        event["queryStringParameters"] = json!(map);
        let response = respond(&event).await;
        assert_eq!((&response["statusCode"], &body(&response)["code"]), (&json!(422), &json!("unknown_key")), "{name}");
    }
}

/// A REST API removes the stage from the path of its event; the client's URL has it.
#[rstest]
#[case("v1.json", "")]
#[case("v1-stage.json", "/prod")]
#[case("v1-custom-domain.json", "/prod")]
#[case("v1-http-api-stage.json", "/dev")]
#[case("v2.json", "")]
#[case("v2-stage-in-path.json", "/prod")]
#[case("function-url.json", "")]
#[case("alb.json", "")]
#[tokio::test]
async fn the_type_of_a_problem_has_the_prefix_of_the_url_of_the_client(#[case] name: &str, #[case] prefix: &str) {
    let mut event = captured(name);
    event["body"] = json!("{}");
    event["isBase64Encoded"] = json!(false);
    let problem = body(&respond(&event).await);
    assert_eq!(problem["type"], format!("{prefix}/docs/errors#missing-key"));
}

#[tokio::test]
async fn an_array_of_numpy_is_answered_with_bytes() {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    let header = "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 1), }";
    let array = |value: f64, header: &str| {
        let padded = format!("{header:<117}\n");
        [b"\x93NUMPY\x01\x00\x76\x00", padded.as_bytes(), &value.to_le_bytes()[..]].concat()
    };
    for name in ["v1.json", "v2.json", "function-url.json", "alb.json"] {
        let mut event = captured(name);
        let path = if event["rawPath"].is_string() { "rawPath" } else { "path" };
        event[path] = json!("/endpoints/line/invocations");
        event["body"] = json!(STANDARD.encode(array(1.0, header)));
        event["isBase64Encoded"] = json!(true);
        for headers in ["headers", "multiValueHeaders"] {
            if let Some(headers) = event.get_mut(headers).and_then(Value::as_object_mut) {
                headers.retain(|name, _| !name.eq_ignore_ascii_case("content-type"));
            }
        }
        event["headers"]["content-type"] = json!("application/x-npy");
        if event["multiValueHeaders"].is_object() {
            event["multiValueHeaders"]["content-type"] = json!(["application/x-npy"]);
        }
        let response = respond(&event).await;
        assert_eq!((&response["statusCode"], &response["isBase64Encoded"]), (&json!(200), &json!(true)), "{response}");
        let bytes = STANDARD.decode(response["body"].as_str().unwrap()).unwrap();
        assert_eq!(bytes, array(3.0, &header.replace("(1, 1)", "(1,)")));
    }
}
