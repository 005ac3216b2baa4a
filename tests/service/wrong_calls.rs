//! Calls that people get wrong first: the error leads to the right call, which then succeeds.

use axum::Router;
use axum::body::Body;
use http::Request;
use ordinate::http::Settings;
use ordinate_test_support::in_process::{Response, application, application_with_model, send, settings};
use ordinate_test_support::{ModelDocument, column};
use rstest::rstest;
use serde_json::{Value, json};

const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

/// A model with the features of the data set palmerpenguins.
fn penguins() -> (tempfile::NamedTempFile, Router) {
    let number = |name: &str| json!({"name": name, "type": "double", "missing": "reject", "range": [10.0, 300.0]});
    let category =
        |name: &str, levels: [&str; 2]| json!({"name": name, "type": "string", "missing": "reject", "levels": levels});
    let document = ModelDocument::regression("penguins", 4200.0)
        .features(json!([
            category("species", ["Adelie", "Gentoo"]),
            category("island", ["Biscoe", "Dream"]),
            number("bill_length_mm"),
            number("bill_depth_mm"),
            number("flipper_length_mm"),
            category("sex", ["female", "male"]),
        ]))
        .column(column("species=Gentoo", json!({"feature": "species", "level": "Gentoo"}), 0.5, 1.0), 500.0)
        .column(column("flipper_length_mm", json!({"feature": "flipper_length_mm"}), 200.0, 10.0), 100.0)
        .set("/training/rows", 333)
        .file(json!([["Gentoo", "Biscoe", 46.1, 13.2, 211.0, "female"]]));
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), document).unwrap();
    let application = application_with_model(file.path());
    (file, application)
}

const ROW: &str = r#"["Gentoo", "Biscoe", 46.1, 13.2, 211, "female"]"#;
const NAMED: &str = r#"{"species": "Gentoo", "island": "Biscoe", "bill_length_mm": 46.1, "bill_depth_mm": 13.2, "flipper_length_mm": 211, "sex": "female"}"#;

async fn predict(application: &Router, content_type: &str, body: &str) -> Response {
    let request = Request::post("/predict").header("content-type", content_type).body(body.to_owned().into()).unwrap();
    send(application, request).await
}

/// The body, what the detail of its error must contain, and the body that follows the advice.
#[rstest]
#[case::lower_case_key(
    r#"{"x": [ROW]}"#,
    r#"unknown key "x"; the keys are "X", "interval", "explain", "probabilities"; did you mean "X"?"#,
    r#"{"X": [ROW]}"#
)]
#[case::another_key(r#"{"data": [ROW]}"#, r#"; send the rows under "X""#, r#"{"X": [ROW]}"#)]
#[case::key_of_another_server(r#"{"instances": [ROW]}"#, r#"; send the rows under "X""#, r#"{"X": [ROW]}"#)]
#[case::rows_without_a_key("[ROW]", r#"expected an object such as {"X": [[…]]}, got an array"#, r#"{"X": [ROW]}"#)]
#[case::one_flat_row(
    r#"{"X": ROW}"#,
    "expected a list of 6 values (species, island, bill_length_mm, bill_depth_mm, flipper_length_mm, sex) per row, got single values; write one row as [[…]]",
    r#"{"X": [ROW]}"#
)]
#[case::one_object(
    r#"{"X": NAMED}"#,
    "expected a list of values per feature, got single values; write one row as [{…}]",
    r#"{"X": [NAMED]}"#
)]
#[case::no_key_at_all(
    "NAMED",
    r#"the features are keys of the body itself; send them as {"X": [{…}]}"#,
    r#"{"X": [NAMED]}"#
)]
#[case::columns_without_a_key(r#"{"species": ["Gentoo"], "sex": ["female"]}"#, r#"the features are keys of the body itself; send them as {"X": {…}}"#, r#"{"X": {"species": ["Gentoo"], "island": ["Biscoe"], "bill_length_mm": [46.1], "bill_depth_mm": [13.2], "flipper_length_mm": [211], "sex": ["female"]}}"#)]
#[case::encoded_twice(
    r#""{\"X\": [[1]]}""#,
    "; the body is JSON within a JSON string: encode it only once",
    r#"{"X": [ROW]}"#
)]
#[case::json_encoded_twice(
    "\"[[1,2]]\"",
    "got the string \"[[1,2]]\"; the body is JSON within a JSON string: encode it only once",
    r#"{"X": [ROW]}"#
)]
#[case::a_form("X=1,2", r#"; send an object such as {"X": [[…]]}"#, r#"{"X": [ROW]}"#)]
#[case::single_quotes("{'X': [ROW]}", "; strings have double quotes in JSON", r#"{"X": [ROW]}"#)]
#[case::python_words(r#"{"X": [ROW], "explain": True}"#, "; write true", r#"{"X": [ROW], "explain": true}"#)]
#[case::no_body("", r#"the body is empty; send an object such as {"X": [[…]]}"#, r#"{"X": [ROW]}"#)]
#[case::case_of_a_category(r#"{"X": [["gentoo", "Biscoe", 46.1, 13.2, 211, "female"]]}"#, r#"row 0: feature "species" expected one of "Adelie", "Gentoo", got the string "gentoo", which is not in the training data; did you mean "Gentoo"?"#, r#"{"X": [ROW]}"#)]
#[case::a_percentage(
    r#"{"X": [ROW], "explain": "yes"}"#,
    r#""explain" must be true or false, got "yes""#,
    r#"{"X": [ROW], "explain": true}"#
)]
#[case::a_number_as_text(
    r#"{"X": [["Gentoo", "Biscoe", "46.1", 13.2, 211, "female"]]}"#,
    r#"feature "bill_length_mm" expected a number, got the string "46.1""#,
    r#"{"X": [ROW]}"#
)]
#[tokio::test]
async fn the_error_of_a_body_leads_to_the_right_one(#[case] wrong: &str, #[case] advice: &str, #[case] right: &str) {
    let (_file, application) = penguins();
    let filled = |body: &str| body.replace("ROW", ROW).replace("NAMED", NAMED);
    let answer = predict(&application, "application/json", &filled(wrong)).await;
    assert!(answer.status.is_client_error(), "{}", answer.text());
    let problem = answer.json();
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains(advice), "{detail}");
    assert!(!detail.contains(" more)"), "one mistake is one fault: {detail}");
    let answer = predict(&application, "application/json", &filled(right)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// The advice is the last part of the detail: no second advice contradicts it.
#[rstest]
#[case::encoded_twice(r#""{\"X\": [[1]]}""#, ": encode it only once")]
#[case::a_form("X=1", r#"; send an object such as {"X": [[…]]}"#)]
#[case::a_value(r#"{"X": 4}"#, "; write a single value as […]")]
#[tokio::test]
async fn an_error_has_one_advice(#[case] body: &str, #[case] advice: &str) {
    let answer = predict(&application(settings()), "application/json", body).await.json();
    let detail = answer["detail"].as_str().unwrap();
    assert!(detail.ends_with(advice), "{detail}");
}

#[rstest]
#[case("/iris/predict", "/models/iris/predict")]
#[case("/ml/line/predict/", "/models/line/predict")]
#[tokio::test]
async fn the_route_of_a_model_without_models_leads_to_its_predictions(#[case] path: &str, #[case] expected: &str) {
    let application = application(Settings { base_paths: vec!["/ml".into()], ..settings() });
    let answer = send(&application, Request::post(path).body("{}".into()).unwrap()).await;
    let detail = answer.json()["detail"].as_str().unwrap().to_owned();
    assert!(answer.status == 404 && detail.contains(&format!("similar routes: {expected}")), "{detail}");
}

/// The command sends the row, not the content of a file.
#[tokio::test]
async fn the_command_sends_a_row_that_begins_with_an_at_sign() {
    let document = ModelDocument::regression("handles", 1.0)
        .features(json!([
            {"name": "handle", "type": "string", "missing": "reject", "levels": ["@home", "@work"]},
            {"name": "x", "type": "double", "missing": "reject", "range": [0.0, 1.0]},
        ]))
        .column(column("x", json!({"feature": "x"}), 0.5, 1.0), 1.0)
        .file(json!([["@home", 0.5]]));
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), document).unwrap();
    let answer = send(&application_with_model(file.path()), open("/predict", "*/*")).await.json();
    let detail = answer["detail"].as_str().unwrap();
    assert!(detail.contains(" --data-raw '@"), "{detail}");
}

#[tokio::test]
async fn the_error_of_csv_without_a_header_has_the_header_and_the_content_type_without_one() {
    let (_file, application) = penguins();
    let row = "Gentoo,Biscoe,46.1,13.2,211,female\n";
    let answer = predict(&application, "text/csv", row).await.json();
    let detail = answer["detail"].as_str().unwrap();
    assert_eq!(
        detail,
        "the first line has no name of a feature; begin with the header species,island,bill_length_mm,bill_depth_mm,\
         flipper_length_mm,sex; for CSV without a header, send Content-Type: text/csv; header=absent"
    );
    let header = detail.split_once("the header ").unwrap().1.split_once(';').unwrap().0;
    let with_header = predict(&application, "text/csv", &format!("{header}\n{row}")).await;
    let without = predict(&application, "text/csv; header=absent", row).await;
    assert_eq!((with_header.status.as_u16(), with_header.text()), (200, without.text()));
}

#[rstest]
#[case("/predict?explian=true", r#"unknown URL parameter "explian"; the parameters are "interval", "explain" and "probabilities"; did you mean "explain"?"#)]
#[case("/models/penguins/predict?Explain=true", r#"; did you mean "explain"?"#)]
#[case("/models/penguins/versions/1/predict?X=1", r#"unknown URL parameter "X"; the parameters are"#)]
#[tokio::test]
async fn an_unknown_parameter_of_the_url_is_an_error(#[case] path: &str, #[case] detail: &str) {
    let (_file, application) = penguins();
    let body = format!("{{\"X\": [{ROW}]}}");
    let answer = send(&application, Request::post(path).body(body.into()).unwrap()).await;
    let problem = answer.json();
    assert_eq!((answer.status.as_u16(), &problem["code"]), (422, &json!("unknown_key")));
    assert!(problem["detail"].as_str().unwrap().contains(detail), "{problem}");
}

/// The protocols ignore parameters that are not theirs; an option of this service would be ignored silently.
#[rstest]
#[case("/v1/models/line:predict", json!({"instances": [1]}), "error")]
#[case("/v1/models/line:explain", json!({"instances": [1]}), "error")]
#[case("/vertex/predict", json!({"instances": [1]}), "error")]
#[case("/v2/models/line/infer", json!({"inputs": [{"name": "x", "shape": [1], "datatype": "FP64", "data": [1]}]}), "error")]
#[case("/invocations", json!({"inputs": [1]}), "message")]
#[case("/endpoints/line/invocations", json!([[1]]), "Message")]
#[tokio::test]
async fn an_option_in_the_url_of_another_protocol_leads_to_the_route_that_has_it(
    #[case] path: &str,
    #[case] body: Value,
    #[case] key: &str,
) {
    let application = application(settings());
    let post = async |query: &str| {
        let request = Request::post(format!("{path}?{query}")).body(body.to_string().into()).unwrap();
        send(&application, request).await
    };
    assert_eq!(post("key=secret&alt=json").await.status, 200);
    let answer = post("interval=0.9").await;
    let expected = "the URL parameter \"interval\" is not supported here; use POST /models/{name}/predict?interval=…";
    assert_eq!((answer.status.as_u16(), &answer.json()[key]), (400, &json!(expected)));
    let request = Request::post("/models/line/predict?interval=0.9").body(r#"{"X": [1]}"#.into()).unwrap();
    assert_eq!(send(&application, request).await.status, 200);
}

fn open(path: &str, accept: &str) -> Request<Body> {
    Request::get(path).header("host", "localhost:9000").header("accept", accept).body(Body::empty()).unwrap()
}

/// The command of an error: its URL, content type and body.
fn command(detail: &str) -> (String, String, String) {
    let command = detail.split_once("curl -s ").expect(detail).1;
    let (url, rest) = command.split_once(" -H 'content-type: ").unwrap();
    let (content_type, body) = rest.split_once("' --data-raw '").unwrap();
    (url.to_owned(), content_type.to_owned(), body.trim_end_matches('\'').to_owned())
}

#[rstest]
#[case("/predict")]
#[case("/predict?X=%5B1%5D")]
#[case("/models/penguins/predict")]
#[case("/models/penguins/versions/1/predict")]
#[tokio::test]
async fn opening_the_route_of_predictions_is_answered_with_a_command_that_works(#[case] path: &str) {
    let (_file, application) = penguins();
    let answer = send(&application, open(path, "*/*")).await;
    assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "POST"));
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let detail = answer.json()["detail"].as_str().unwrap().to_owned();
    let expected =
        "this route does not support GET; send rows with POST, such as {\"X\": [[…]]}, or for example with curl";
    assert!(detail.starts_with(expected), "{detail}");
    let (url, content_type, body) = command(&detail);
    let route = path.split('?').next().unwrap();
    assert_eq!(url, format!("http://localhost:9000{route}"));
    let request = Request::post(route).header("content-type", content_type).body(body.into()).unwrap();
    let answer = send(&application, request).await;
    assert_eq!((answer.status.as_u16(), answer.json()["y"].as_array().map(Vec::len)), (200, Some(1)), "{detail}");
}

#[rstest]
#[case("/", "/predict")]
#[case("/models/line", "/models/line/predict")]
#[case("/models/line/versions/1/", "/models/line/versions/1/predict")]
#[case("/ml/models/line", "/ml/models/line/predict")]
#[tokio::test]
async fn rows_that_are_sent_to_the_description_of_a_model_lead_to_its_predictions(
    #[case] path: &str,
    #[case] right: &str,
) {
    let application = application(Settings { base_paths: vec!["/ml".into()], ..settings() });
    let post = async |path: &str| send(&application, Request::post(path).body(r#"{"X": [1]}"#.into()).unwrap()).await;
    let answer = post(path).await;
    let detail = format!("this route does not support POST; send rows to {right}");
    assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "GET,HEAD"));
    assert_eq!(answer.json()["detail"], detail);
    assert_eq!(post(right).await.text(), r#"{"y":[3.0]}"#);
}

#[tokio::test]
async fn a_browser_is_shown_errors_as_a_page_with_links() {
    let application = application(Settings { base_paths: vec!["/ml".into()], ..settings() });
    for (path, status, text) in [
        (
            "/ml/predict",
            405,
            "curl -s http://localhost:9000/ml/predict -H &#39;content-type: text/csv; header=absent&#39;",
        ),
        ("/ml/models/lime", 404, "no model &quot;lime&quot;"),
        ("/ml/predcit", 404, "similar routes: /predict"),
        ("/ml/%3Cscript%3Ealert(1)", 404, "unknown route"),
    ] {
        let page = send(&application, open(path, BROWSER)).await;
        assert_eq!((page.status.as_u16(), page.header("content-type")), (status, "text/html; charset=utf-8"), "{path}");
        let html = page.text();
        assert!(html.contains(text) && !html.contains("<script"), "{html}");
        assert!(page.header("content-security-policy").starts_with("default-src 'none';"));
        for link in html.split("href=\"/").skip(1).map(|rest| rest.split('"').next().unwrap()) {
            let answer = send(&application, open(&format!("/{link}"), BROWSER)).await;
            assert_eq!(answer.status, 200, "{link}");
        }
        assert_eq!(html.matches("href=\"/ml/").count(), 3, "{html}");
    }
    // Other protocols and other clients read JSON.
    assert_eq!(send(&application, open("/ml/v2/none", BROWSER)).await.header("content-type"), "application/json");
    let fetched = send(&application, open("/ml/models/lime", "*/*")).await;
    assert_eq!(fetched.header("content-type"), "application/problem+json");
}

/// The type of a problem (RFC 9457 §3.1.1) is a path of the same server, with the prefix of the request.
#[rstest]
#[case("/predict", "/docs/errors#missing-key")]
#[case("//predict/", "/docs/errors#missing-key")]
#[case("/ml/predict", "/ml/docs/errors#missing-key")]
#[case("/ml/v7/models/line/predict", "/ml/v7/docs/errors#missing-key")]
#[case("/ml/nothing", "/ml/docs/errors#unknown-route")]
#[tokio::test]
async fn the_type_of_a_problem_is_the_place_of_its_description(#[case] path: &str, #[case] expected: &str) {
    let application = application(Settings { base_paths: vec!["/ml".into(), "/ml/v7".into()], ..settings() });
    let problem = send(&application, Request::post(path).body("{}".into()).unwrap()).await.json();
    assert_eq!(problem["type"], expected);
    let (page, anchor) = expected.split_once('#').unwrap();
    let html = send(&application, open(page, BROWSER)).await.text();
    assert!(html.contains(&format!(" id=\"{anchor}\"")), "{html}");
}
