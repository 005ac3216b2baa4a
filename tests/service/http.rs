//! The HTTP interface: content types, encodings, limits, errors, models, health, base path and CORS.

use std::io::Write;

use axum::body::Body;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::Request;
use ordinate::http::{AllowedOrigins, Cors, Limits, Settings, misconfigured};
use ordinate_test_support::in_process::{application, call, post, send, settings};
use rstest::rstest;
use serde_json::{Value, json};

use crate::DIABETES;

const NAMES: [&str; 10] = ["age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"];

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn the_model_of_the_tutorial_has_exact_predictions() {
    let answer = call("POST", "/predict", r#"{"X":[1,2,3,4]}"#).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.text(), r#"{"y":[3.0,5.0,7.0,9.0]}"#);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("x-ordinate-model"), "line@1");
    let stages: Vec<_> =
        answer.header("server-timing").split(", ").map(|stage| stage.split(';').next().unwrap()).collect();
    assert_eq!(stages, ["load", "decode", "predict", "encode"]);
}

#[tokio::test]
async fn rows_by_name_by_position_in_columns_and_in_csv_have_the_same_prediction() {
    let named: serde_json::Map<_, _> = NAMES.iter().zip(DIABETES).map(|(n, v)| ((*n).to_owned(), json!(v))).collect();
    let columns: serde_json::Map<_, _> =
        NAMES.iter().zip(DIABETES).map(|(n, v)| ((*n).to_owned(), json!([v]))).collect();
    let csv = format!("{}\n{}\n", NAMES.join(","), DIABETES.map(|value| value.to_string()).join(","));
    let mut answers = Vec::new();
    for x in [json!([DIABETES]), json!([named]), json!(columns)] {
        answers.push(call("POST", "/models/diabetes/predict", json!({"X": x}).to_string()).await);
    }
    answers
        .push(post("/models/diabetes/versions/1/predict", &[("content-type", "text/csv; charset=utf-8")], csv).await);
    for answer in &answers {
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.header("x-ordinate-model"), "diabetes@1");
        assert_eq!(answer.text(), answers[0].text());
    }
    let golden: Value = serde_json::from_str(include_str!("../../model/diabetes.json")).unwrap();
    assert_eq!(golden["golden"]["X"][0], json!(DIABETES), "the first golden row is the first row of the data");
    assert_eq!(answers[0].json()["y"], json!([golden["golden"]["y"][0]]));
}

#[tokio::test]
async fn a_classifier_predicts_labels_of_its_training_data() {
    let rows = json!({"X": [[5.1, 3.5, 1.4, 0.2], [7.0, 3.2, 4.7, 1.4], [6.3, 3.3, 6.0, 2.5]]}).to_string();
    let answer = call("POST", "/models/iris/predict", rows).await;
    assert_eq!(answer.text(), r#"{"y":["setosa","versicolor","virginica"]}"#);
    let iris = call("GET", "/models/iris", "").await.json();
    assert_eq!(
        (&iris["task"], &iris["classes"]),
        (&json!("classification"), &json!(["setosa", "versicolor", "virginica"]))
    );
    assert_eq!(call("GET", "/models/breast-cancer", "").await.json()["classes"], json!(["benign", "malignant"]));
}

#[tokio::test]
async fn gzip_is_accepted_up_to_the_limit_after_decompression() {
    let encoding = [("content-encoding", "gzip")];
    let answer = post("/predict", &encoding, gzip(br#"{"X":[1]}"#)).await;
    assert_eq!(answer.text(), r#"{"y":[3.0]}"#);

    let bomb = gzip(&vec![b' '; 100 << 20]);
    assert!(bomb.len() < 200_000);
    let answer = post("/predict", &encoding, bomb).await;
    assert_eq!((answer.status.as_u16(), answer.json()["code"].as_str()), (413, Some("body_too_large")));

    let mut cut = gzip(br#"{"X":[1,2,3,4,5,6,7,8,9]}"#);
    cut.truncate(20);
    for broken in [cut, b"not gzip at all".to_vec()] {
        let answer = post("/predict", &encoding, broken).await;
        assert_eq!((answer.status.as_u16(), answer.json()["code"].as_str()), (400, Some("invalid_gzip")));
    }
}

#[tokio::test]
async fn deflate_is_accepted_if_it_is_complete_and_nothing_follows() {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(br#"{"X":[1]}"#).unwrap();
    let packed = encoder.finish().unwrap();
    let encoding = [("content-encoding", "deflate")];
    assert_eq!(post("/predict", &encoding, packed.clone()).await.text(), r#"{"y":[3.0]}"#);
    for broken in [[&packed[..], b"junk"].concat(), packed[..packed.len() - 5].to_vec(), gzip(b"{}")] {
        let answer = post("/predict", &encoding, broken).await;
        assert_eq!((answer.status.as_u16(), answer.json()["code"].as_str()), (400, Some("invalid_gzip")));
    }
}

#[tokio::test]
async fn all_members_of_a_gzip_body_are_read_and_other_bytes_are_rejected() {
    let headers = [("content-encoding", "GZIP"), ("content-type", "text/csv")];
    let members = [gzip(b"x\n1\n"), gzip(b"2\n3\n")].concat();
    assert_eq!(post("/predict", &headers, members.clone()).await.text(), r#"{"y":[3.0,5.0,7.0]}"#);
    let answer = post("/predict", &headers, [members, b"junk".to_vec()].concat()).await;
    assert_eq!((answer.status.as_u16(), answer.json()["code"].as_str()), (400, Some("invalid_gzip")));
}

#[tokio::test]
async fn no_value_of_accept_encoding_is_an_error() {
    for accept in ["identity;q=0", "*;q=0", "br, identity;q=0", "gzip;q=0", ""] {
        let answer = post("/predict", &[("accept-encoding", accept)], r#"{"X":[1]}"#).await;
        assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, r#"{"y":[3.0]}"#), "{accept}");
    }
}

#[tokio::test]
async fn large_responses_are_compressed_on_request() {
    let body = json!({"X": vec![1.5; 1000]}).to_string();
    let plain = post("/predict", &[], body.clone()).await;
    let packed = post("/predict", &[("accept-encoding", "gzip")], body).await;
    assert_eq!(plain.header("content-encoding"), "");
    assert_eq!(packed.header("content-encoding"), "gzip");
    assert!(packed.body.len() < plain.body.len() / 10);
}

#[tokio::test]
async fn errors_above_a_limit_contain_the_limit() {
    let rows = format!("{{\"X\":[{}]}}", vec!["1"; 100_001].join(","));
    let answer = call("POST", "/predict", rows).await;
    assert_eq!((answer.status.as_u16(), answer.json()["code"].as_str()), (413, Some("too_many_rows")));
    assert!(answer.json()["detail"].as_str().unwrap().contains("100000"));

    let all = format!("{{\"X\":[{}]}}", vec!["1"; 100_000].join(","));
    assert_eq!(call("POST", "/predict", all).await.json()["y"].as_array().unwrap().len(), 100_000);

    let answer = call("POST", "/predict", vec![b' '; 7 << 20]).await;
    assert_eq!((answer.status.as_u16(), answer.json()["code"].as_str()), (413, Some("body_too_large")));
    assert!(answer.json()["detail"].as_str().unwrap().contains("6291456"));
}

#[tokio::test]
async fn a_response_above_the_limit_of_lambda_is_a_413() {
    let limits = Limits { max_rows: usize::MAX, max_body_bytes: usize::MAX, ..Limits::DEFAULT };
    let application = application(Settings { limits, ..settings() });
    let body = json!({"X": vec![0.123_456_789_012_345_67; 400_000]}).to_string();
    let answer = send(&application, Request::post("/predict").body(body.into()).unwrap()).await;
    assert_eq!((answer.status.as_u16(), answer.json()["code"].as_str()), (413, Some("answer_too_large")));
}

#[tokio::test]
async fn a_prediction_that_exceeds_a_double_is_an_error_and_not_null() {
    let answer = call("POST", "/predict", r#"{"X":[1, 1.7e308]}"#).await;
    assert_eq!((answer.status.as_u16(), answer.json()["code"].as_str()), (422, Some("prediction_overflow")));
    assert!(answer.json()["detail"].as_str().unwrap().starts_with("row 1:"));
}

#[tokio::test]
async fn an_error_is_a_problem_document_with_a_request_id() {
    let answer = post("/models/diabetes/predict", &[("x-request-id", "abc-123")], r#"{"X":[{"bmi":"high"}]}"#).await;
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(answer.header("x-request-id"), "abc-123");
    insta::assert_json_snapshot!(answer.json());
}

#[tokio::test]
async fn an_unknown_route_is_a_404_that_names_similar_routes() {
    for path in ["/predcit", "/home", "/models/../../etc/passwd", "/models/line/predict/more", "/predict//more"] {
        let answer = call("POST", path, r#"{"X":[1]}"#).await;
        assert_eq!((answer.status.as_u16(), answer.json()["code"].as_str()), (404, Some("unknown_route")), "{path}");
    }
    let detail = call("GET", "/predcit", "").await.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("similar routes: /predict,"), "{detail}");
}

#[tokio::test]
async fn an_unknown_model_or_version_is_a_404_that_lists_the_known_ones() {
    let answer = call("POST", "/models/lime/predict", r#"{"X":[1]}"#).await;
    assert_eq!((answer.status.as_u16(), answer.json()["code"].as_str()), (404, Some("unknown_model")));
    let detail = answer.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("lime") && detail.contains("line") && detail.contains("diabetes"), "{detail}");

    let answer = call("GET", "/models/line/versions/7", "").await;
    assert_eq!((answer.status.as_u16(), answer.json()["code"].as_str()), (404, Some("unknown_version")));

    for (method, path) in
        [("GET", "/models/%FF"), ("POST", "/models/%FF/predict"), ("GET", "/models/line/versions/%FF")]
    {
        let answer = call(method, path, "").await;
        assert_eq!((answer.status.as_u16(), answer.json()["code"].as_str()), (404, Some("unknown_model")), "{path}");
    }
    let long = call("GET", &format!("/models/{}", "x".repeat(3_000)), "").await;
    assert!(long.body.len() < 1_000, "{}", long.text());
}

#[rstest]
#[case("GET", "/predict", "POST")]
#[case("DELETE", "/models", "GET,HEAD")]
#[case("PUT", "/models/line/predict", "POST")]
#[tokio::test]
async fn a_wrong_method_is_a_405_with_allow(#[case] method: &str, #[case] path: &str, #[case] allow: &str) {
    let answer = call(method, path, "").await;
    assert_eq!(answer.status, 405);
    assert_eq!(answer.header("allow"), allow);
    assert_eq!(answer.json()["code"], "method_not_allowed");
}

#[tokio::test]
async fn models_describe_themselves() {
    let list = call("GET", "/models", "").await.json();
    let names: Vec<_> =
        list["models"].as_array().unwrap().iter().map(|model| model["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["line", "diabetes", "iris", "breast-cancer"]);
    assert_eq!(list["models"][0], json!({"name": "line", "default": true}));
    let page = call("GET", "/models?limit=3", "").await.json();
    assert_eq!((page["models"].as_array().unwrap().len(), &page["next"]), (3, &json!("iris/")));
    let rest = call("GET", "/models?limit=3&after=iris%2F", "").await.json();
    assert_eq!(rest, json!({"models": [{"name": "breast-cancer", "default": false}]}));
    let versions = call("GET", "/models/iris/versions", "").await.json();
    assert_eq!(versions, json!({"name": "iris", "versions": ["1"], "aliases": {"live": "1"}}));

    let model = call("GET", "/models/diabetes/", "").await.json();
    assert_eq!(model["signature"]["features"][2]["name"], "bmi");
    assert_eq!(model["signature"]["target"]["name"], "progression");
    assert_eq!(model["training"]["rows"], 442);
    assert_eq!(model["limits"], json!({"max_rows": 100_000, "max_body_bytes": 6_291_456}));
    assert_eq!(model["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(call("GET", "/models/diabetes/versions/1", "").await.json(), model);
}

#[rstest]
#[case("limit=0", "invalid_option", "URL parameter \"limit\": expected a whole number from 1 to 1000, got \"0\"")]
#[case("limit=x", "invalid_option", "URL parameter \"limit\": expected a whole number from 1 to 1000, got \"x\"")]
#[case("limit=1&limit=2", "duplicate_key", "URL parameter \"limit\": given more than once")]
#[case("after=a&after=b", "duplicate_key", "URL parameter \"after\": given more than once")]
#[case(
    "after=a",
    "invalid_option",
    "URL parameter \"after\": expected the \"next\" of a page, got \"a\"; the first page has no \"after\""
)]
#[case(
    "limits=3",
    "unknown_key",
    "unknown URL parameter \"limits\"; the parameters are \"after\" and \"limit\"; did you mean \"limit\"?"
)]
#[tokio::test]
async fn an_invalid_page_of_models_is_an_error(#[case] query: &str, #[case] code: &str, #[case] detail: &str) {
    let answer = call("GET", &format!("/models?{query}"), "").await;
    assert_eq!((answer.status.as_u16(), answer.json()["code"].as_str()), (422, Some(code)));
    assert_eq!(answer.json()["detail"], detail);
}

#[rstest]
#[case(
    "/models/iris?version=1",
    "\"version\"; this route has no parameters; versions are in the path: /models/{name}/versions/{version}"
)]
#[case(
    "/models/iris?alias=live",
    "\"alias\"; this route has no parameters; aliases are in the path: /models/{name}@{alias}"
)]
#[case("/models/iris/versions?limit=3", "\"limit\"; this route has no parameters")]
#[case("/models/iris/versions/1?x=y", "\"x\"; this route has no parameters")]
#[tokio::test]
async fn an_unknown_parameter_of_a_description_is_an_error(#[case] path: &str, #[case] detail: &str) {
    let answer = call("GET", path, "").await;
    assert_eq!((answer.status.as_u16(), answer.json()["code"].as_str()), (422, Some("unknown_key")));
    assert_eq!(answer.json()["detail"], format!("unknown URL parameter {detail}"));
}

#[rstest]
#[case("/models/iris@live/predict", 200, "")]
#[case("/models/iris@1/predict", 200, "")]
#[case("/v1/models/iris@live/versions/1:predict", 404, "")]
#[case("/models/iris@2/predict", 404, "unknown_version")]
#[case("/models/iris@next/predict", 404, "unknown_alias")]
#[tokio::test]
async fn a_model_is_named_with_its_alias_or_version(#[case] path: &str, #[case] status: u16, #[case] code: &str) {
    let answer = call("POST", path, r#"{"X":[[5.1, 3.5, 1.4, 0.2]]}"#).await;
    assert_eq!(answer.status.as_u16(), status, "{}", answer.text());
    if !code.is_empty() {
        assert_eq!(answer.json()["code"], code);
    }
}

#[tokio::test]
async fn liveness_and_readiness_are_reported() {
    assert_eq!(call("GET", "/health/live", "").await.text(), r#"{"live":true}"#);
    assert_eq!(call("GET", "/health/ready", "").await.text(), r#"{"ready":true}"#);
}

#[tokio::test]
async fn the_base_path_is_removed() {
    let application = application(Settings { base_paths: vec!["/api".into()], ..settings() });
    for path in ["/api/predict", "/predict", "/api/predict/", "/api/%70redict", "/%61pi/predict"] {
        let answer = send(&application, Request::post(path).body(r#"{"X":[1]}"#.into()).unwrap()).await;
        assert_eq!(answer.text(), r#"{"y":[3.0]}"#, "{path}");
    }
}

fn preflight(path: &str, method: &str, headers: &str) -> Request<Body> {
    Request::builder()
        .method("OPTIONS")
        .uri(path)
        .header("origin", "https://example.com")
        .header("access-control-request-method", method)
        .header("access-control-request-headers", headers)
        .body(Body::empty())
        .unwrap()
}

fn with_cors(cors: Cors) -> axum::Router {
    application(Settings { cors, base_paths: vec!["/ml".into()], ..settings() })
}

#[tokio::test]
async fn cors_is_off_unless_an_origin_is_allowed() {
    let allow = |origins| with_cors(Cors { origins, ..Cors::default() });
    let preflight = || preflight("/predict", "POST", "content-type");
    let header = "access-control-allow-origin";
    let plain = send(&allow(AllowedOrigins::Off), Request::get("/models").body(Body::empty()).unwrap()).await;
    assert_eq!((plain.header(header), plain.header("vary")), ("", "accept-encoding"));
    assert_eq!(send(&allow(AllowedOrigins::Off), preflight()).await.header(header), "");
    assert_eq!(send(&allow(AllowedOrigins::Any), preflight()).await.header(header), "*");
    let list = |origin: &'static str| AllowedOrigins::List(vec![origin.parse().unwrap()]);
    let answer = send(&allow(list("https://example.com")), preflight()).await;
    assert_eq!((answer.status.as_u16(), answer.header(header)), (200, "https://example.com"));
    assert_eq!(send(&allow(list("https://example.org")), preflight()).await.header(header), "");
}

#[tokio::test]
async fn a_preflight_request_has_the_headers_credentials_and_age_of_the_settings() {
    let origins = || AllowedOrigins::List(vec!["https://example.com".parse().unwrap()]);
    let answer = send(
        &with_cors(Cors { origins: origins(), ..Cors::default() }),
        preflight("/predict", "POST", "content-type,x-api-key"),
    )
    .await;
    let allowed: Vec<_> = answer.header("access-control-allow-headers").split(',').collect();
    for name in ["content-type", "x-api-key", "x-request-id", "authorization", "traceparent", "x-amz-date"] {
        assert!(allowed.contains(&name), "{name}: {allowed:?}");
    }
    assert_eq!(answer.header("access-control-max-age"), "600");
    assert_eq!(answer.header("access-control-allow-credentials"), "");
    let max_age = std::time::Duration::from_secs(5);
    let cors = Cors { origins: origins(), headers: None, credentials: true, max_age };
    let answer = send(&with_cors(cors), preflight("/predict", "POST", "x-own")).await;
    assert_eq!(answer.header("access-control-allow-headers"), "x-own");
    assert_eq!(answer.header("access-control-max-age"), "5");
    assert_eq!(answer.header("access-control-allow-credentials"), "true");
}

#[rstest]
#[case("/predict", "POST", 200)]
#[case("/ml/predict", "POST", 200)]
#[case("/models/iris", "GET", 200)]
#[case("/models/iris/versions/1/predict", "POST", 200)]
#[case("/v1/models/line:predict", "POST", 200)]
#[case("/v1/models/line%3Apredict", "POST", 200)]
#[case("/", "GET", 200)]
#[case("/predict", "GET", 405)]
#[case("/models/iris", "DELETE", 405)]
#[case("/nothing", "POST", 404)]
#[case("/models/iris/nothing", "POST", 404)]
#[tokio::test]
async fn a_preflight_request_is_answered_for_the_methods_of_existing_routes(
    #[case] path: &str,
    #[case] method: &str,
    #[case] status: u16,
) {
    let cors = Cors { origins: AllowedOrigins::Any, ..Cors::default() };
    let answer = send(&with_cors(cors), preflight(path, method, "content-type")).await;
    assert_eq!(answer.status, status, "{}", answer.text());
    assert_eq!(answer.header("access-control-allow-methods").contains("POST"), status == 200);
}

#[rstest]
#[case("/predict", 405, "POST")]
#[case("/models", 405, "GET,HEAD")]
#[case("/v1/models/line", 405, "GET,HEAD")]
#[case("/v1/models/line:predict", 405, "POST")]
#[case("/v1/models/line%3Aexplain", 405, "POST")]
#[case("/v1/models/line:other", 405, "GET,HEAD")]
#[case("/nothing", 404, "")]
#[tokio::test]
async fn options_without_a_method_is_no_preflight_request(
    #[case] path: &str,
    #[case] status: u16,
    #[case] allow: &str,
) {
    for origins in [AllowedOrigins::Off, AllowedOrigins::Any] {
        let request = Request::builder().method("OPTIONS").uri(path).body(Body::empty()).unwrap();
        let answer = send(&with_cors(Cors { origins, ..Cors::default() }), request).await;
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (status, allow), "{}", answer.text());
    }
}

#[tokio::test]
async fn the_limit_of_a_response_applies_to_descriptions_of_models() {
    let limits = Limits { max_answer_bytes: 100, ..Limits::DEFAULT };
    let answer = send(&application(Settings::new(limits)), Request::get("/models").body(Body::empty()).unwrap()).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (413, &json!("answer_too_large")));
    assert_eq!(answer.json()["detail"], "the response would be larger than 100 bytes (MAX_ANSWER_BYTES)");
}

#[rstest]
#[case::empty("", false)]
#[case::blank(" ", false)]
#[case::not_ascii("é", false)]
#[case::with_a_space("a b", false)]
#[case::long(&"a".repeat(129), false)]
#[case::very_long(&"a".repeat(60_000), false)]
#[case::longest(&"a".repeat(128), true)]
#[case::uuid("8476a536-e9f4-11e8-9739-2dfe598c3fcd", true)]
#[tokio::test]
async fn a_request_id_is_kept_if_it_is_safe(#[case] id: &str, #[case] is_kept: bool) {
    let request = Request::get("/nothing").header("x-request-id", id.as_bytes()).body(Body::empty()).unwrap();
    let answer = send(&application(settings()), request).await;
    let found = answer.header("x-request-id").to_owned();
    assert_eq!(answer.json()["request_id"], found);
    assert_eq!(found == id, is_kept);
    assert!((1..=128).contains(&found.len()), "{found}");
}

#[rstest]
#[case::gzip_of_json("gzip", "application/json", br#"{"X":[1]}"#)]
#[case::deflate_of_json("deflate", "application/json", br#"{"X":[1]}"#)]
#[case::gzip_of_csv("gzip", "text/csv", b"x\n1\n")]
#[case::deflate_of_csv("deflate", "text/csv", b"x\n1\n")]
#[case::gzip_of_csv_as_bytes("gzip", "application/octet-stream", b"x\n1\n")]
#[case::gzip_of_json_as_bytes("gzip", "application/octet-stream", b"\xef\xbb\xbf{\"X\":[1]}")]
#[tokio::test]
async fn a_body_that_a_gateway_decompressed_is_read_as_it_is(
    #[case] encoding: &str,
    #[case] content_type: &str,
    #[case] body: &[u8],
) {
    let headers = [("content-encoding", encoding), ("content-type", content_type)];
    assert_eq!(post("/predict", &headers, body.to_vec()).await.text(), r#"{"y":[3.0]}"#);
}

#[rstest]
#[case(br#"{"X":[1]}"#)]
#[case(b" \n{\"X\":[1]}")]
#[case(b"x\n1\n")]
#[tokio::test]
async fn a_compressed_body_of_unknown_type_is_read_by_its_content(#[case] body: &[u8]) {
    let headers = [("content-encoding", "gzip"), ("content-type", "application/octet-stream")];
    assert_eq!(post("/predict", &headers, gzip(body)).await.text(), r#"{"y":[3.0]}"#);
    let answer = post("/invocations", &headers, gzip(br#"{"instances": [1]}"#)).await;
    assert_eq!(answer.text(), r#"{"predictions":[3.0]}"#);
}

#[tokio::test]
async fn a_compressed_body_that_a_gateway_converted_to_text_is_named_with_a_remedy() {
    let body = gzip(br#"{"X":[1]}"#);
    let converted = String::from_utf8_lossy(&body).into_owned().into_bytes();
    let encoding = ("content-encoding", "gzip");
    for content_type in ["application/json", "text/csv"] {
        let answer = post("/predict", &[encoding, ("content-type", content_type)], converted.clone()).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (400, &json!("invalid_gzip")));
        let detail = answer.json()["detail"].to_string();
        assert!(detail.contains("a gateway has changed its bytes"), "{detail}");
        assert!(detail.contains("send it as application/octet-stream"), "{detail}");
    }
    let answer = post("/predict", &[encoding, ("content-type", "application/octet-stream")], body).await;
    assert_eq!(answer.status, 200);
}

#[rstest]
#[case(&["identity", "gzip"], 200)]
#[case(&["identity, gzip"], 200)]
#[case(&["gzip", "identity"], 200)]
#[case(&["gzip", "gzip"], 415)]
#[case(&["gzip, gzip"], 415)]
#[tokio::test]
async fn content_encodings_are_a_list_in_any_number_of_lines(#[case] lines: &[&str], #[case] status: u16) {
    let headers: Vec<_> = lines.iter().map(|line| ("content-encoding", *line)).collect();
    assert_eq!(post("/predict", &headers, gzip(br#"{"X":[1]}"#)).await.status, status);
}

#[tokio::test]
async fn a_misconfigured_service_is_live_but_not_ready() {
    let get = |path| Request::get(path).body(Body::empty()).unwrap();
    assert_eq!(send(&misconfigured(None), get("/health/live")).await.status, 200);
    for path in ["/health/ready", "/models"] {
        let answer = send(&misconfigured(None), get(path)).await;
        assert_eq!((answer.status.as_u16(), answer.json()["code"].as_str()), (503, Some("misconfigured")));
        assert_eq!(answer.header("retry-after"), "", "it cannot succeed soon");
    }
    let answer = send(&misconfigured(None), Request::post("/health/live").body(Body::empty()).unwrap()).await;
    assert_eq!((answer.status.as_u16(), answer.json()["code"].as_str()), (405, Some("method_not_allowed")));
}
