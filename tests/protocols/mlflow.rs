//! `MLflow`'s scoring server.

use std::sync::Arc;

use http::StatusCode;
use ordinate::http::router;
use ordinate::source::catalog::Catalog;
use rstest::rstest;
use serde_json::{Value, json};

use crate::DIABETES;
use crate::support::in_process::{Answer, ask, call, post, settings};

async fn invoke(body: Value) -> Answer {
    post("/invocations", &[("content-type", "application/json")], body.to_string()).await
}

fn error(answer: &Answer) -> (u16, String) {
    let error = answer.json();
    assert_eq!(error.as_object().unwrap().keys().collect::<Vec<_>>(), ["error_code", "message"], "{error}");
    assert!(error["message"].as_str().unwrap().len() > 10, "{error}");
    (answer.status.as_u16(), error["error_code"].as_str().unwrap().to_owned())
}

#[rstest]
#[case::split(json!({"dataframe_split": {"columns": ["x"], "data": [[1], [2]], "index": [0, 1]}}))]
#[case::split_in_another_order(json!({"dataframe_split": {"index": ["a", "b"], "data": [["?", 1], ["?", 2]], "columns": ["id", "x"]}}))]
#[case::split_tight(json!({"dataframe_split": {"index": [0, 1], "columns": ["x"], "data": [[1], [2]], "index_names": [null], "column_names": [null]}}))]
#[case::records(json!({"dataframe_records": [{"x": 1}, {"x": 2.0}]}))]
#[case::instances(json!({"instances": [{"x": 1}, {"x": 2}]}))]
#[case::instances_by_position(json!({"instances": [[1], [2]]}))]
#[case::inputs(json!({"inputs": {"x": [1, 2]}}))]
#[case::inputs_by_position(json!({"inputs": [[1], [2]]}))]
#[case::parameters_without_a_meaning(json!({"inputs": [1, 2], "params": {"temperature": 0.3}}))]
#[case::parameters_that_are_null(json!({"inputs": [1, 2], "params": null}))]
#[case::columns_that_are_no_features(json!({"dataframe_records": [{"x": 1, "id": 7}, {"id": 8, "x": 2}]}))]
#[case::columns_that_are_no_features_as_inputs(json!({"inputs": {"id": [7, 8], "x": [1, 2]}}))]
#[tokio::test]
async fn every_form_is_answered_with_predictions(#[case] body: Value) {
    let answer = invoke(body).await;
    assert_eq!((answer.status, answer.json()), (StatusCode::OK, json!({"predictions": [3.0, 5.0]})));
    assert_eq!(answer.header("x-ordinate-model"), "line@1");
}

#[tokio::test]
async fn parameters_that_ask_for_what_has_no_place_in_the_answer_are_refused() {
    for (name, value) in [("interval", json!(0.9)), ("explain", json!(true)), ("probabilities", json!(true))] {
        let answer = invoke(json!({"inputs": [1], "params": {name: value}})).await;
        assert_eq!(error(&answer), (400, "BAD_REQUEST".into()));
        assert!(
            answer.text().contains(&format!("the parameter \\\"{name}\\\" is not served here")),
            "{}",
            answer.text()
        );
    }
    let unwanted = json!({"interval": null, "explain": false, "probabilities": false});
    assert_eq!(invoke(json!({"inputs": [1], "params": unwanted})).await.json(), json!({"predictions": [3.0]}));
}

#[tokio::test]
async fn csv_has_a_header() {
    let csv = [("content-type", "text/csv; charset=utf-8")];
    for body in ["x\n1\n2\n", "id,x\n7,1\n8,2\n"] {
        let answer = post("/invocations", &csv, body).await;
        assert_eq!(answer.json(), json!({"predictions": [3.0, 5.0]}), "{body}");
    }
}

#[tokio::test]
async fn a_body_without_a_type_is_json() {
    let answer = post("/invocations", &[], r#"{"inputs": [1]}"#).await;
    assert_eq!(answer.json(), json!({"predictions": [3.0]}));
}

/// An application whose default model is another than `line`.
async fn invoke_model(model: &str, body: Value) -> Value {
    let application = router(Arc::new(Catalog::bundled(Some(model)).unwrap()), settings());
    ask(&application, http::Request::post("/invocations").body(body.to_string().into()).unwrap()).await.json()
}

#[tokio::test]
async fn a_wide_frame_is_answered_as_on_our_own_route() {
    let ours = post("/models/diabetes/predict", &[], json!({"X": [DIABETES]}).to_string()).await.json();
    let columns = ["age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"];
    let split = |columns: &[&str], row: &[f64]| json!({"dataframe_split": {"columns": columns, "data": [row]}});
    let answer = invoke_model("diabetes", split(&columns, &DIABETES)).await;
    assert_eq!(answer["predictions"], ours["y"]);
    let (mut columns, mut row) = (columns, DIABETES);
    columns.reverse();
    row.reverse();
    assert_eq!(invoke_model("diabetes", split(&columns, &row)).await["predictions"], ours["y"]);
}

#[tokio::test]
async fn probabilities_come_when_asked_for() {
    let inputs = json!([[5.1, 3.5, 1.4, 0.2]]);
    let labels = invoke_model("iris", json!({"inputs": inputs})).await;
    assert_eq!(labels, json!({"predictions": ["setosa"]}));
    let params = json!({"predict_method": "predict_proba"});
    let answer = invoke_model("iris", json!({"inputs": inputs, "params": params})).await;
    let probabilities: Vec<f64> = serde_json::from_value(answer["predictions"][0].clone()).unwrap();
    assert!(probabilities.len() == 3 && probabilities[0] > 0.9, "{answer}");
}

#[rstest]
#[case::missing_column(json!({"dataframe_split": {"columns": ["y"], "data": [[1]]}}), "INVALID_PARAMETER_VALUE")]
#[case::missing_column_of_records(json!({"dataframe_records": [{}]}), "INVALID_PARAMETER_VALUE")]
#[case::too_wide(json!({"instances": [[1, 2]]}), "INVALID_PARAMETER_VALUE")]
#[case::a_string_for_a_double(json!({"instances": [["1"]]}), "BAD_REQUEST")]
#[case::a_list(json!([[1]]), "BAD_REQUEST")]
#[case::no_format(json!({"params": {}}), "BAD_REQUEST")]
#[case::two_formats(json!({"instances": [1], "inputs": [1]}), "BAD_REQUEST")]
#[case::records_that_are_lists(json!({"dataframe_records": [[1]]}), "BAD_REQUEST")]
#[case::parameters_that_are_no_object(json!({"inputs": [1], "params": [1]}), "BAD_REQUEST")]
#[case::parameters_that_are_a_list(json!({"inputs": [1], "params": ["predict"]}), "BAD_REQUEST")]
#[case::probabilities_of_a_number(json!({"inputs": [1], "params": {"predict_method": "predict_proba"}}), "BAD_REQUEST")]
#[tokio::test]
async fn a_wrong_body_is_a_400_with_mlflows_code(#[case] body: Value, #[case] code: &str) {
    assert_eq!(error(&invoke(body).await), (400, code.to_owned()));
}

#[tokio::test]
async fn what_is_no_json_or_another_type_is_told_in_the_same_form() {
    let json = "application/json";
    for (content_type, body, status) in [
        (json, &b"{"[..], 400),
        (json, b"{\"inputs\": [\"\xff\"]}", 400),
        ("application/json; charset=latin-1", b"{\"inputs\": [1]}", 415),
        ("text/csv; header=perhaps", b"x\n1", 415),
        ("application/vnd.apache.parquet", b"PAR1", 415),
    ] {
        let answer = post("/invocations", &[("content-type", content_type)], body.to_vec()).await;
        assert_eq!(error(&answer), (status, "BAD_REQUEST".into()), "{content_type}");
    }
    assert_eq!(error(&call("GET", "/invocations", "").await), (405, "BAD_REQUEST".into()));
}

#[tokio::test]
async fn health_and_version_are_where_its_client_looks() {
    for path in ["/ping", "/health"] {
        assert_eq!(call("GET", path, "").await.status, StatusCode::OK, "{path}");
    }
    let version = call("GET", "/version", "").await;
    assert!(version.header("content-type").starts_with("text/plain"));
    assert_eq!(version.text(), env!("CARGO_PKG_VERSION"));
}

#[tokio::test]
async fn a_row_that_is_too_short_is_told_by_its_own_number() {
    let answer = invoke(json!({"dataframe_split": {"columns": ["id", "x"], "data": [[7, 1], [8], 9]}})).await;
    let message = answer.json()["message"].as_str().unwrap().to_owned();
    assert_eq!(message, "row 1: expected 2 values, one a column, got 1 (and 1 more)");
}
