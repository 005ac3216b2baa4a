//! Requests of the Open Inference Protocol that are rejected.

use http::StatusCode;
use ordinate_test_support::in_process::post;
use rstest::rstest;
use serde_json::{Value, json};

use super::{INFER, infer, line};

#[rstest]
#[case::unknown_model("/v2/models/none/infer", line(json!([1, 1]), json!([1])), 404, "no model")]
#[case::unknown_version("/v2/models/line/versions/7/infer", line(json!([1, 1]), json!([1])), 404, "no version")]
#[case::wrong_shape(INFER, line(json!([2, 1]), json!([1])), 400, "expected 2 values by the shape, got 1")]
#[case::hostile_shape(INFER, line(json!([i64::MAX, i64::MAX]), json!([1])), 400, "is not possible")]
#[case::not_a_number(INFER, line(json!([1, 1]), json!([true])), 400, "got true")]
#[case::no_inputs(INFER, json!({"id": "42"}), 400, "\"inputs\"")]
#[case::load("/v2/repository/models/line/load", json!({}), 400, "clients cannot load or unload models")]
#[case::unload("/v2/repository/models/line/unload", json!({}), 400, "clients cannot load or unload models")]
#[tokio::test]
async fn errors_have_one_key(#[case] path: &str, #[case] body: Value, #[case] status: u16, #[case] message: &str) {
    let answer = infer(path, body).await;
    assert_eq!(answer.status.as_u16(), status, "{}", answer.text());
    let error = answer.json();
    assert_eq!(error.as_object().unwrap().len(), 1);
    assert!(error["error"].as_str().unwrap().contains(message), "{error}");
}

#[rstest]
#[case::unknown(json!({"name": "explain_all"}), "no output")]
#[case::classification(json!({"name": "predict", "parameters": {"classification": 3}}), "is a regressor and has no \"classification\"")]
#[case::classes(json!({"name": "predict", "parameters": {"classification": -1}}), "\"classification\" must be a number of classes such as 3, got -1")]
#[case::shared_memory(json!({"name": "predict", "parameters": {"shared_memory_region": "r"}}), "not supported")]
#[tokio::test]
async fn an_unknown_or_unsupported_output_is_rejected(#[case] output: Value, #[case] message: &str) {
    let mut body = line(json!([1, 1]), json!([1]));
    body["outputs"] = json!([output]);
    let answer = infer(INFER, body).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.json()["error"].as_str().unwrap().contains(message));
}

#[tokio::test]
async fn the_error_of_a_classification_of_labels_names_the_output_that_has_it() {
    let inputs = json!([{"name": "X", "shape": [1, 4], "datatype": "FP64", "data": [5.1, 3.5, 1.4, 0.2]}]);
    let request =
        |name: &str| json!({"inputs": inputs, "outputs": [{"name": name, "parameters": {"classification": 3}}]});
    let path = "/v2/models/iris/infer";
    let error = infer(path, request("predict")).await.json()["error"].as_str().unwrap().to_owned();
    assert!(error.ends_with("request the \"classification\" of \"predict_proba\""), "{error}");
    assert_eq!(infer(path, request("predict_proba")).await.status, StatusCode::OK);
}

#[rstest]
#[case::parameters_that_are_a_list("parameters", json!([true]), "\"parameters\" must be an object such as {\"binary_data_output\": true}, got an array")]
#[case::a_parameter("parameters", json!({"binary_data_output": 1}), "\"binary_data_output\" must be true or false, got 1")]
#[case::outputs_that_are_lists("outputs", json!([["predict", null]]), "expected an output with a \"name\", an object, got an array")]
#[case::outputs_that_are_not_a_list("outputs", json!("predict"), "\"outputs\" must be a list of objects with a \"name\", got the string \"predict\"")]
#[case::an_output_without_a_name("outputs", json!([{}]), "an output has no \"name\"")]
#[case::another_model("model_name", json!("iris"), "\"model_name\" is \"iris\", but the path is that of the model \"line\", version \"1\"")]
#[case::another_version("model_version", json!("2"), "\"model_version\" is \"2\", but the path is that of the model \"line\", version \"1\"")]
#[tokio::test]
async fn the_error_of_an_invalid_member_names_it(#[case] key: &str, #[case] value: Value, #[case] message: &str) {
    let mut body = line(json!([1, 1]), json!([1]));
    body[key] = value;
    let answer = infer(INFER, body).await;
    assert_eq!((answer.status.as_u16(), answer.json()), (400, json!({"error": message})));
}

#[tokio::test]
async fn parameters_of_an_input_are_an_object_of_valid_values() {
    for (parameters, message) in [
        (json!([8, null]), "\"parameters\" must be an object such as {\"binary_data_size\": 8}, got an array"),
        (json!({"binary_data_size": -1}), "\"binary_data_size\" must be a non-negative whole number of bytes, got -1"),
    ] {
        let mut body = line(json!([1, 1]), json!([1]));
        body["inputs"][0]["parameters"] = parameters;
        assert_eq!(infer(INFER, body).await.json(), json!({"error": message}));
    }
}

#[tokio::test]
async fn the_error_of_bytes_without_a_json_length_names_the_header() {
    let body = [br#"{"inputs": []}"#.as_slice(), &1.5_f64.to_le_bytes()].concat();
    let answer = post(INFER, &[], body).await;
    let error = answer.json()["error"].as_str().unwrap().to_owned();
    assert!(error.ends_with("send its length in the header Inference-Header-Content-Length"), "{error}");
}

#[tokio::test]
async fn the_error_of_values_of_another_datatype_names_row_and_feature_and_counts_all() {
    let mut data = vec![json!(1); 40];
    (data[2], data[37]) = (json!(true), json!("x"));
    let inputs = json!([{"name": "X", "shape": [4, 10], "datatype": "FP64", "data": data}]);
    let answer = infer("/v2/models/diabetes/infer", json!({"inputs": inputs})).await;
    let message = "row 0: feature \"bmi\" expected a number, got true (and 1 more)";
    assert_eq!((answer.status.as_u16(), answer.json()), (400, json!({"error": message})));
}

#[tokio::test]
async fn an_invalid_json_length_is_rejected() {
    let body = line(json!([1, 1]), json!([1])).to_string();
    for length in ["x", "-1", "99999"] {
        let answer = post(INFER, &[("inference-header-content-length", length)], body.clone()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text());
        assert!(answer.json()["error"].is_string());
    }
    assert_eq!(post(INFER, &[("content-type", "text/csv")], "x\n1").await.status.as_u16(), 415);
}

#[tokio::test]
async fn the_first_unknown_name_is_reported_and_all_are_counted() {
    let inputs: Vec<Value> = (0..600)
        .map(|feature| json!({"name": format!("f{feature}"), "datatype": "FP64", "shape": [1], "data": [1]}))
        .collect();
    let answer = infer(INFER, json!({"inputs": inputs})).await;
    assert!(answer.json()["error"].as_str().unwrap().contains("(and 600 more)"), "{}", answer.text());
}
