//! The scoring server of `MLflow`.

use std::sync::Arc;

use http::StatusCode;
use ordinate::http::router;
use ordinate::source::catalog::Catalog;
use rstest::rstest;
use serde_json::{Value, json};

use ordinate_test_support::in_process::{Response, call, post, send, settings};

use crate::DIABETES;

async fn invoke(body: Value) -> Response {
    post("/invocations", &[("content-type", "application/json")], body.to_string()).await
}

fn error(answer: &Response) -> (u16, String) {
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
#[case::unknown_parameters(json!({"inputs": [1, 2], "params": {"temperature": 0.3}}))]
#[case::parameters_that_are_null(json!({"inputs": [1, 2], "params": null}))]
#[case::columns_that_are_not_features(json!({"dataframe_records": [{"x": 1, "id": 7}, {"id": 8, "x": 2}]}))]
#[case::columns_that_are_not_features_as_inputs(json!({"inputs": {"id": [7, 8], "x": [1, 2]}}))]
#[tokio::test]
async fn every_format_is_answered_with_predictions(#[case] body: Value) {
    let answer = invoke(body).await;
    assert_eq!((answer.status, answer.json()), (StatusCode::OK, json!({"predictions": [3.0, 5.0]})));
    assert_eq!(answer.header("x-ordinate-model"), "line@1");
}

#[tokio::test]
async fn parameters_that_the_response_has_no_place_for_are_rejected() {
    for (name, value) in [("interval", json!(0.9)), ("explain", json!(true)), ("probabilities", json!(true))] {
        let answer = invoke(json!({"inputs": [1], "params": {name: value}})).await;
        assert_eq!(error(&answer), (400, "BAD_REQUEST".into()));
        assert!(
            answer.text().contains(&format!("the parameter \\\"{name}\\\" is not supported here")),
            "{}",
            answer.text()
        );
    }
    let absent = json!({"interval": null, "explain": false, "probabilities": false});
    assert_eq!(invoke(json!({"inputs": [1], "params": absent})).await.json(), json!({"predictions": [3.0]}));
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
async fn a_body_without_content_type_is_json() {
    let answer = post("/invocations", &[], r#"{"inputs": [1]}"#).await;
    assert_eq!(answer.json(), json!({"predictions": [3.0]}));
}

/// Invokes this default model.
async fn invoke_model(model: &str, body: Value) -> Value {
    let application = router(Arc::new(Catalog::bundled(Some(model)).unwrap()), settings());
    send(&application, http::Request::post("/invocations").body(body.to_string().into()).unwrap()).await.json()
}

#[tokio::test]
async fn a_frame_of_several_columns_has_the_predictions_of_the_native_route() {
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
async fn probabilities_are_returned_on_request() {
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
#[case::a_string(json!("[[1]]"), "BAD_REQUEST")]
#[case::no_format(json!({"params": {}}), "BAD_REQUEST")]
#[case::two_formats(json!({"instances": [1], "inputs": [1]}), "BAD_REQUEST")]
#[case::records_that_are_lists(json!({"dataframe_records": [[1]]}), "BAD_REQUEST")]
#[case::parameters_that_are_a_list_of_numbers(json!({"inputs": [1], "params": [1]}), "BAD_REQUEST")]
#[case::parameters_that_are_a_list(json!({"inputs": [1], "params": ["predict"]}), "BAD_REQUEST")]
#[case::probabilities_of_a_regression(json!({"inputs": [1], "params": {"predict_method": "predict_proba"}}), "BAD_REQUEST")]
#[tokio::test]
async fn an_invalid_body_is_a_400_with_an_error_code_of_mlflow(#[case] body: Value, #[case] code: &str) {
    assert_eq!(error(&invoke(body).await), (400, code.to_owned()));
}

#[tokio::test]
async fn errors_of_syntax_and_content_type_have_the_same_form() {
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
async fn health_and_version_have_the_routes_of_mlflow() {
    for path in ["/ping", "/health"] {
        assert_eq!(call("GET", path, "").await.status, StatusCode::OK, "{path}");
    }
    let version = call("GET", "/version", "").await;
    assert!(version.header("content-type").starts_with("text/plain"));
    assert_eq!(version.text(), env!("CARGO_PKG_VERSION"));
}

#[tokio::test]
async fn the_error_of_a_short_row_names_the_row() {
    let answer = invoke(json!({"dataframe_split": {"columns": ["id", "x"], "data": [[7, 1], [8], 9]}})).await;
    let message = answer.json()["message"].as_str().unwrap().to_owned();
    assert_eq!(message, "row 1: expected 2 values, one per column, got 1 (and 1 more)");
}
