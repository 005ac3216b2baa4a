//! The Model Context Protocol: JSON-RPC, tools, calls.

use std::collections::BTreeSet;

use axum::Router;
use http::StatusCode;
use ordinate::http::{AllowedOrigins, Cors, Settings};
use ordinate_test_support::catalog_files::alias_file;
use ordinate_test_support::in_process::{Response, application, application_with_model, call, post, send, settings};
use ordinate_test_support::{ModelDocument, column, people as people_file};
use rstest::rstest;
use serde_json::{Value, json};

async fn rpc(application: &Router, method: &str, params: Value) -> Value {
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    let request = http::Request::post("/mcp").header("content-type", "application/json").body(body.to_string().into());
    let answer = send(application, request.unwrap()).await;
    assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, "application/json"));
    let answer = answer.json();
    assert_eq!((&answer["jsonrpc"], &answer["id"]), (&json!("2.0"), &json!(1)));
    answer
}

async fn bundled(method: &str, params: Value) -> Value {
    rpc(&application(settings()), method, params).await
}

async fn use_tool(name: &str, arguments: Value) -> Value {
    bundled("tools/call", json!({"name": name, "arguments": arguments})).await["result"].clone()
}

fn text(result: &Value) -> &str {
    assert_eq!((&result["content"][0]["type"], result["content"].as_array().unwrap().len()), (&json!("text"), 1));
    result["content"][0]["text"].as_str().unwrap()
}

/// A body as it is, without the checks of an ordinary answer.
async fn raw(body: &str) -> Response {
    post("/mcp", &[("content-type", "application/json")], body.to_owned()).await
}

/// A folder with the file of the model `people`, and the service with it.
fn people() -> (tempfile::TempDir, Router) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("people.json");
    std::fs::write(&file, people_file()).unwrap();
    (folder, application_with_model(file))
}

#[rstest]
#[case::oldest("2024-11-05", "2024-11-05")]
#[case::current("2025-06-18", "2025-06-18")]
#[case::unknown("1999-01-01", "2025-11-25")]
#[case::with_batches("2025-03-26", "2024-11-05")]
#[case::newer("2027-01-01", "2025-11-25")]
#[tokio::test]
async fn the_version_of_the_client_is_used_if_it_is_supported(#[case] requested: &str, #[case] expected: &str) {
    let params = json!({"protocolVersion": requested, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    let result = &bundled("initialize", params).await["result"];
    assert_eq!((&result["protocolVersion"], &result["capabilities"]), (&json!(expected), &json!({"tools": {}})));
    assert_eq!(result["serverInfo"]["name"], "ordinate");
    assert!(result["serverInfo"]["version"].is_string());
}

#[tokio::test]
async fn a_ping_is_answered_with_an_empty_object_and_the_same_id() {
    for id in ["7", "\"a\\u0062\"", "-1", "9007199254740993", "1.50"] {
        let answer = raw(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#)).await;
        assert_eq!(answer.text(), format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#));
    }
}

#[tokio::test]
async fn each_model_is_one_tool() {
    let answer = bundled("tools/list", json!({})).await;
    let tools = answer["result"]["tools"].as_array().unwrap();
    let names: Vec<_> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["predict_line", "predict_diabetes", "predict_iris", "predict_breast-cancer"]);
    for tool in tools {
        assert_eq!(tool["annotations"], json!({"readOnlyHint": true, "idempotentHint": true, "openWorldHint": false}));
        assert!(
            !tool["inputSchema"].to_string().contains("$ref") && !tool["outputSchema"].to_string().contains("$ref")
        );
        assert_eq!((&tool["inputSchema"]["type"], &tool["outputSchema"]["type"]), (&json!("object"), &json!("object")));
        assert_eq!(tool["inputSchema"]["required"], json!(["rows"]));
    }
    let diabetes = &tools[1];
    assert_eq!(diabetes["title"], "Predict progression");
    let row = &diabetes["inputSchema"]["properties"]["rows"]["items"];
    assert_eq!((row["required"].as_array().unwrap().len(), &row["additionalProperties"]), (10, &json!(false)));
    assert_eq!(
        row["properties"]["age"],
        json!({"type": "number", "description": "from 19 to 79 in the training data"})
    );
    // Probabilities are an option of classifiers only.
    let options = |tool: &Value| -> BTreeSet<String> {
        tool["inputSchema"]["properties"].as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(options(diabetes), ["explain", "interval", "rows"].map(String::from).into());
    assert_eq!(options(&tools[2]), ["explain", "interval", "probabilities", "rows"].map(String::from).into());
}

#[tokio::test]
async fn features_that_accept_missing_values_are_optional() {
    let (_folder, service) = people();
    let tool = rpc(&service, "tools/list", json!({})).await["result"]["tools"][0].clone();
    let row = &tool["inputSchema"]["properties"]["rows"]["items"];
    assert_eq!(row["required"], json!(["age", "smoker", "city", "bmi"]));
    assert_eq!(row["properties"]["city"]["enum"], json!(["Basel", "Bern"]));
    // y = age + 10·smoker + 100·(city = Bern) + bmi + income, and a missing income is imputed with 50.
    let absent = json!({"age": 30, "smoker": true, "city": "Bern", "bmi": 20.5});
    let mut null = absent.clone();
    null["income"] = Value::Null;
    for row in [absent, null] {
        let params = json!({"name": "predict_people", "arguments": {"rows": [row]}});
        let result = rpc(&service, "tools/call", params).await["result"].clone();
        assert_eq!(result["structuredContent"]["y"], json!([210.5]));
        assert_eq!(result["structuredContent"]["warnings"][0]["code"], "imputed");
        assert!(text(&result).contains("warning: income is missing, replaced by 50"), "{}", text(&result));
    }
    // In other protocols, the key is required.
    let request = http::Request::post("/predict")
        .header("content-type", "application/json")
        .body(json!({"X": [{"age": 30, "smoker": true, "city": "Bern", "bmi": 20.5}]}).to_string().into());
    assert_eq!(send(&service, request.unwrap()).await.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn absent_features_that_reject_missing_values_are_faults_of_the_call() {
    let (_folder, service) = people();
    let rows = json!([{"age": 30, "smoker": true}, {"age": 30, "smoker": true, "city": "Bern", "bmi": 1}]);
    let params = json!({"name": "predict_people", "arguments": {"rows": rows}});
    let result = rpc(&service, "tools/call", params).await["result"].clone();
    assert_eq!(result["isError"], true);
    assert_eq!(text(&result), "row 0: feature \"city\" is missing\nrow 0: feature \"bmi\" is missing");
}

#[tokio::test]
async fn a_call_is_answered_as_predict_answers_with_an_interval() {
    let mut row = json!({"age": 59, "sex": 2, "bmi": 32.1, "bp": 101, "s1": 157, "s2": 93.2, "s3": 38, "s4": 4});
    (row["s5"], row["s6"]) = (json!(4.8598), json!(87));
    let result = use_tool("predict_diabetes", json!({"rows": [row], "explain": true})).await;
    let body = json!({"X": [row], "interval": 0.95, "explain": true});
    let native = call("POST", "/models/diabetes/predict", body.to_string()).await.json();
    assert_eq!((&result["structuredContent"], result.get("isError")), (&native, None));
    let lines: Vec<_> = text(&result).lines().collect();
    assert!(lines[0].starts_with("row 0: progression = ") && lines[0].contains(", 95 % prediction interval "));
    let contributions = lines[1].strip_prefix("  largest contributions to the prediction: ").unwrap();
    let sizes: Vec<f64> =
        contributions.split(", ").map(|part| part.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap().abs()).collect();
    assert!(sizes.len() == 5 && sizes.is_sorted_by(|one, other| one >= other), "{contributions}");
}

#[tokio::test]
async fn the_prediction_of_the_tutorial_is_in_the_text() {
    let result = use_tool("predict_line", json!({"rows": [{"x": 3}]})).await;
    assert_eq!(result["structuredContent"]["y"], json!([7.0]));
    assert!(text(&result).starts_with("row 0: y = 7, 95 % prediction interval "), "{}", text(&result));
}

#[tokio::test]
async fn a_class_has_its_probability_and_a_prediction_set() {
    let row = json!({"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 9});
    let result = use_tool("predict_iris", json!({"rows": [row], "probabilities": true, "explain": true})).await;
    let answer = &result["structuredContent"];
    let probability = answer["probabilities"][0][answer["y"][0].as_str().unwrap()].as_f64().unwrap();
    let text = text(&result);
    let shown = text.split("probability ").nth(1).unwrap().split(',').next().unwrap().parse::<f64>().unwrap();
    assert!((shown - probability).abs() < 1e-5, "{text}");
    assert!(
        text.contains(", 95 % prediction set {") && text.contains("largest contributions to the score of "),
        "{text}"
    );
    assert!(text.contains("warning: petal_width = 9 is outside the training range, 0.1 to 2.5"), "{text}");
}

#[tokio::test]
async fn the_text_has_the_first_twenty_rows() {
    let result = use_tool("predict_line", json!({"rows": vec![json!({"x": 2}); 23]})).await;
    let text = text(&result);
    assert_eq!(text.matches("row ").count(), 20, "{text}");
    assert!(text.contains("\n3 rows more in the structured content\n0 warnings in all"), "{text}");
    assert_eq!(result["structuredContent"]["y"].as_array().unwrap().len(), 23);
}

#[rstest]
#[case::wrong_type(json!({"rows": [{"x": "one"}]}), "row 0: feature \"x\" expected a number")]
#[case::lossy(json!({"rows": [{"x": 9_007_199_254_740_993_i64}]}), "row 0: feature \"x\"")]
#[case::unknown_feature(json!({"rows": [{"z": 1}]}), "feature \"z\" is not a feature")]
#[case::no_rows(json!({"rows": []}), "there are no rows to predict")]
#[case::not_objects(json!({"rows": [1]}), "row 0: expected an object")]
#[case::one_object(json!({"rows": {"x": 1}}), "\"rows\" must be a list of objects")]
#[case::text(json!({"rows": "[{\"x\": 1}]"}), "\"rows\" must be a list of objects")]
#[case::no_key(json!({}), "missing key \"rows\"")]
#[case::unknown_key(json!({"row": [{"x": 1}]}), "did you mean \"rows\"?")]
#[case::list(json!([{"x": 1}]), "expected an object such as {\"rows\": [{…}]}")]
#[case::level(json!({"rows": [{"x": 1}], "interval": 2}), "2")]
#[case::switch(json!({"rows": [{"x": 1}], "explain": "yes"}), "\"explain\" must be true or false")]
#[case::probabilities(json!({"rows": [{"x": 1}], "probabilities": true}), "has no probabilities")]
#[tokio::test]
async fn invalid_arguments_are_the_result_of_the_tool(#[case] arguments: Value, #[case] expected: &str) {
    let result = use_tool("predict_line", arguments).await;
    assert_eq!((&result["isError"], result.get("structuredContent")), (&json!(true), None));
    assert!(text(&result).contains(expected), "{}", text(&result));
}

#[tokio::test]
async fn a_call_without_arguments_lacks_rows() {
    let answer = bundled("tools/call", json!({"name": "predict_line"})).await;
    assert!(text(&answer["result"]).contains("missing key \"rows\""));
}

#[tokio::test]
async fn the_default_interval_does_not_prevent_a_prediction() {
    // y = 2x + 1 is finite, but not the end of its interval.
    let native = call("POST", "/predict", r#"{"X": [1e307], "interval": 0.95}"#).await;
    assert_eq!(native.json()["code"], "interval_overflow");
    let result = use_tool("predict_line", json!({"rows": [{"x": 1e307}]})).await;
    assert_eq!((result.get("isError"), &result["structuredContent"]["y"]), (None, &json!([2e307])), "{result}");
    assert_eq!((result["structuredContent"].get("interval"), text(&result).contains("interval")), (None, false));
    let requested = use_tool("predict_line", json!({"rows": [{"x": 1e307}], "interval": 0.95})).await;
    assert_eq!(requested["isError"], true);
}

#[tokio::test]
async fn absent_values_cannot_exhaust_the_memory() {
    // 4,096 optional features: 2²² values are 1,024 rows, which a body of 3 kB contains.
    let feature = |index: usize| json!({"name": format!("f{index}"), "type": "double", "missing": {"impute": 0.0}});
    let document = ModelDocument::regression("wide", 1.0)
        .features((0..4096).map(feature).collect())
        .column(column("f0", json!({"feature": "f0"}), 0.0, 1.0), 1.0);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wide.json");
    std::fs::write(&file, document.file(json!([vec![0.0; 4096]]))).unwrap();
    let service = application_with_model(file);
    let tool = rpc(&service, "tools/list", json!({})).await["result"]["tools"][0].clone();
    assert_eq!(tool["inputSchema"]["properties"]["rows"]["maxItems"], 1024);
    let params = |rows: usize| json!({"name": "predict_wide", "arguments": {"rows": vec![json!({}); rows]}});
    let accepted = rpc(&service, "tools/call", params(1024)).await["result"].clone();
    assert_eq!(accepted["structuredContent"]["y"], json!(vec![1.0; 1024]));
    let refused = rpc(&service, "tools/call", params(1025)).await["result"].clone();
    assert!(text(&refused).contains("more than 1024 rows"), "{}", text(&refused));
}

#[rstest]
#[case::method("tools/run", json!({}), -32601)]
#[case::other_capability("resources/list", json!({}), -32601)]
#[case::tool("tools/call", json!({"name": "predict_lime", "arguments": {"rows": []}}), -32602)]
#[case::model_name("tools/call", json!({"name": "line", "arguments": {"rows": []}}), -32602)]
#[case::no_name("tools/call", json!({"arguments": {"rows": []}}), -32602)]
#[case::number_as_name("tools/call", json!({"name": 1}), -32602)]
#[case::list("tools/call", json!(["predict_line"]), -32602)]
#[case::cursor("tools/list", json!({"cursor": "2"}), -32602)]
#[tokio::test]
async fn errors_of_the_protocol_have_codes(#[case] method: &str, #[case] params: Value, #[case] code: i32) {
    let answer = bundled(method, params).await;
    assert_eq!((&answer["error"]["code"], answer.get("result")), (&json!(code), None), "{answer}");
    assert!(answer["error"]["message"].as_str().unwrap().len() > 10);
}

#[rstest]
#[case::text("hello", -32700, Value::Null)]
#[case::empty("", -32700, Value::Null)]
#[case::cut(r#"{"jsonrpc":"2.0","id":1"#, -32700, Value::Null)]
#[case::batch(r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, -32600, Value::Null)]
#[case::empty_batch("[]", -32600, Value::Null)]
#[case::number("1", -32600, Value::Null)]
#[case::no_version(r#"{"id":1,"method":"ping"}"#, -32600, json!(1))]
#[case::old_version(r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, -32600, json!(1))]
#[case::no_method(r#"{"jsonrpc":"2.0","id":1}"#, -32600, json!(1))]
#[case::number_as_method(r#"{"jsonrpc":"2.0","id":1,"method":1}"#, -32600, json!(1))]
#[case::null_as_id(r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, -32600, Value::Null)]
#[case::list_as_id(r#"{"jsonrpc":"2.0","id":[1],"method":"ping"}"#, -32600, Value::Null)]
#[case::two_methods(r#"{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/list"}"#, -32600, Value::Null)]
#[tokio::test]
async fn a_body_that_is_not_a_request_is_a_400(#[case] body: &str, #[case] code: i32, #[case] id: Value) {
    let answer = raw(body).await;
    assert_eq!((answer.status, answer.header("content-type")), (StatusCode::BAD_REQUEST, "application/json"));
    let error = answer.json();
    assert_eq!((&error["jsonrpc"], &error["id"], &error["error"]["code"]), (&json!("2.0"), &id, &json!(code)));
}

/// Missing values are the same tokens as in all protocols, and messages have no texts of the parser.
#[rstest]
#[case::missing(r#"{"name":"predict_line","arguments":{"rows":[{"x":NaN}]}}"#, r#"feature "x""#)]
#[case::in_a_string(r#"{"name":"predict_NaN"}"#, r#"unknown tool "predict_NaN""#)]
#[case::after_an_escape(r#"{"name":"\\\"NaN","x":-Infinity}"#, r#"unknown tool "\\\"NaN""#)]
#[case::name(r#"{"name":5}"#, r#""params": "name" must be a string, got 5"#)]
#[tokio::test]
async fn tokens_of_missing_values_are_read(#[case] params: &str, #[case] expected: &str) {
    let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}"#);
    let answer = raw(&body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let answer = answer.json();
    let text = answer["error"]["message"].as_str().or(answer["result"]["content"][0]["text"].as_str()).unwrap();
    assert!(text.contains(expected), "{text}");
}

/// An error of the service has the id of the request, which clients wait for.
#[tokio::test]
async fn the_error_of_a_model_that_cannot_be_loaded_has_the_id() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("damaged/aliases")).unwrap();
    std::fs::write(folder.path().join("damaged/1.json"), "{").unwrap();
    std::fs::write(folder.path().join("damaged/aliases/live.json"), alias_file(1)).unwrap();
    let folder = ordinate::source::file::LocalFolder::new(folder.path());
    let catalog = ordinate::source::catalog::Catalog::folder(std::sync::Arc::new(folder), None);
    let application = ordinate::http::router(std::sync::Arc::new(catalog), settings());
    let body = r#"{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"name":"predict_damaged"}}"#;
    let request = http::Request::post("/mcp").header("content-type", "application/json").body(body.into()).unwrap();
    let answer = send(&application, request).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["id"]), (503, &json!("a")), "{}", answer.text());
}

#[rstest]
#[case::initialized(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#)]
#[case::unknown(r#"{"jsonrpc":"2.0","method":"tools/call","params":[]}"#)]
#[case::result(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#)]
#[case::error(r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"no"}}"#)]
#[tokio::test]
async fn notifications_and_responses_are_accepted_without_a_body(#[case] body: &str) {
    let answer = raw(body).await;
    assert_eq!((answer.status, answer.body.len()), (StatusCode::ACCEPTED, 0));
}

#[rstest]
#[case("GET")]
#[case("DELETE")]
#[tokio::test]
async fn there_are_no_streams_and_no_sessions(#[case] method: &str) {
    let answer = call(method, "/mcp", "").await;
    assert_eq!((answer.status, answer.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, "POST"));
    assert_eq!(answer.json()["jsonrpc"], "2.0");
}

const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;

#[rstest]
#[case("2024-11-05", 200)]
#[case("2025-11-25", 200)]
#[case("2025-03-26", 400)]
#[case("2026-07-28", 400)]
#[case("latest", 400)]
#[case("", 400)]
#[tokio::test]
async fn the_header_of_an_unsupported_version_is_a_400(#[case] version: &str, #[case] status: u16) {
    let answer = post("/mcp", &[("mcp-protocol-version", version)], PING).await;
    assert_eq!(answer.status.as_u16(), status);
    if status == 400 {
        let error = &answer.json()["error"];
        // Clients of the version 2026-07-28 fall back to a version of this list.
        assert_eq!((&error["code"], error["data"]["supported"].as_array().unwrap().len()), (&json!(-32022), 3));
        assert_eq!(answer.json()["id"], 1);
    }
}

#[rstest]
#[case::absent(None, "localhost:9000", 200)]
#[case::own(Some("http://localhost:9000"), "localhost:9000", 200)]
#[case::own_address(Some("http://127.0.0.1:9000"), "127.0.0.1:9000", 200)]
#[case::own_address_of_version_6(Some("http://[::1]:9000"), "[::1]:9000", 200)]
#[case::own_name(Some("https://models.example"), "models.example", 200)]
#[case::own_name_with_the_default_port(Some("https://models.example"), "models.example:443", 200)]
#[case::other_port(Some("http://localhost:9001"), "localhost:9000", 403)]
#[case::other(Some("https://evil.example"), "localhost:9000", 403)]
#[case::a_name_that_any_page_can_point_here(Some("http://evil.example:9000"), "evil.example:9000", 403)]
#[case::opaque(Some("null"), "localhost:9000", 403)]
#[case::allowed(Some("https://app.example"), "localhost:9000", 200)]
#[tokio::test]
async fn an_origin_is_the_own_host_or_allowed(#[case] origin: Option<&str>, #[case] host: &str, #[case] status: u16) {
    let cors = AllowedOrigins::List(vec!["https://app.example".parse().unwrap()]);
    let service = application(Settings { cors: Cors { origins: cors, ..Cors::default() }, ..settings() });
    let mut request = http::Request::post("/mcp").header("host", host);
    if let Some(origin) = origin {
        request = request.header("origin", origin);
    }
    let answer = send(&service, request.body(PING.into()).unwrap()).await;
    assert_eq!(answer.status.as_u16(), status, "{}", answer.text());
    if status == 403 {
        assert_eq!(answer.json()["error"]["data"]["code"], "forbidden_origin");
    }
}

#[tokio::test]
async fn any_origin_is_allowed_with_a_star() {
    let service =
        application(Settings { cors: Cors { origins: AllowedOrigins::Any, ..Cors::default() }, ..settings() });
    let request = http::Request::post("/mcp").header("origin", "https://evil.example").body(PING.into()).unwrap();
    assert_eq!(send(&service, request).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_body_of_another_type_is_a_415_in_the_form_of_the_protocol() {
    let answer = post("/mcp", &[("content-type", "text/csv")], "x\n1\n").await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(answer.json()["error"]["code"], -32600);
}

#[tokio::test]
async fn a_model_that_cannot_be_loaded_is_a_503() {
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).to_string();
    let request = http::Request::post("/mcp").body(body.into()).unwrap();
    let answer = send(&application_with_model("/none/model.json"), request).await;
    assert_eq!((answer.status, answer.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, ""));
    assert_eq!(answer.json()["error"]["code"], -32603);
}

#[tokio::test]
async fn deep_nesting_does_not_exhaust_the_stack() {
    let deep = "[".repeat(1_000_000) + &"]".repeat(1_000_000);
    let call = |params: String| format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}"#);
    let in_rows = raw(&call(format!(r#"{{"name":"predict_line","arguments":{{"rows":[{{"x":{deep}}}]}}}}"#))).await;
    assert!(text(&in_rows.json()["result"]).contains("recursion limit exceeded"), "{}", in_rows.text());
    for body in [call(deep.clone()), call(format!(r#"{{"name":{deep}}}"#)), call(format!(r#"{{"_meta":{deep}}}"#))] {
        assert_eq!(raw(&body).await.json()["error"]["code"], -32602);
    }
    assert_eq!(raw(&deep).await.json()["error"]["code"], -32600);
}
