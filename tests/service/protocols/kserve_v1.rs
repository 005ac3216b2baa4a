//! `KServe` v1, TensorFlow Serving and Vertex AI.

use http::StatusCode;
use ordinate::http::{Alias, VERTEX_HEALTH, VERTEX_PREDICT};
use rstest::rstest;
use serde_json::{Value, json};

use ordinate_test_support::in_process::{Response, application, call, post, send, settings};

async fn predict(path: &str, body: Value) -> Response {
    post(path, &[("content-type", "application/json")], body.to_string()).await
}

#[rstest]
#[case::single_values(json!([1, 2]))]
#[case::lists(json!([[1], [2]]))]
#[case::objects(json!([{"x": 1}, {"x": 2}]))]
#[tokio::test]
async fn instances_are_answered_with_predictions(#[case] instances: Value) {
    for path in ["/v1/models/line:predict", "/v1/models/line/versions/1:predict", "/v1/models/line%3Apredict"] {
        let answer = predict(path, json!({"signature_name": "serving_default", "instances": instances})).await;
        assert_eq!(answer.json(), json!({"predictions": [3.0, 5.0]}), "{path}");
    }
}

#[tokio::test]
async fn inputs_are_answered_with_outputs() {
    for inputs in [json!({"x": [1, 2]}), json!([[1], [2]]), json!([1, 2])] {
        let answer = predict("/v1/models/line:predict", json!({"inputs": inputs})).await;
        assert_eq!(answer.json(), json!({"outputs": [3.0, 5.0]}));
    }
}

#[tokio::test]
async fn probabilities_are_returned_on_request() {
    let row = json!([5.1, 3.5, 1.4, 0.2]);
    let labels = predict("/v1/models/iris:predict", json!({"instances": [row]})).await;
    assert_eq!(labels.json(), json!({"predictions": ["setosa"]}));
    for option in
        [json!({"signature_name": "predict_proba"}), json!({"parameters": {"predict_method": "predict_proba"}})]
    {
        let mut body = json!({"instances": [row]});
        body.as_object_mut().unwrap().extend(option.as_object().unwrap().clone());
        let answer = predict("/v1/models/iris:predict", body).await.json();
        let probabilities: Vec<f64> = serde_json::from_value(answer["predictions"][0].clone()).unwrap();
        assert!(probabilities.len() == 3 && probabilities[0] > 0.9);
        assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }
}

#[tokio::test]
async fn an_explanation_has_the_warnings_of_the_native_route() {
    let usual = predict("/v1/models/iris:explain", json!({"instances": [[5.1, 3.5, 1.4, 0.2]]})).await.json();
    assert_eq!(usual.as_object().unwrap().keys().collect::<Vec<_>>(), ["explanations"]);
    let rows = vec![json!([5.1, 3.5, 1.4, 9]); 101];
    let odd = predict("/v1/models/iris:explain", json!({"instances": rows})).await.json();
    let ours = predict("/models/iris/predict", json!({"X": rows})).await.json();
    assert_eq!((&odd["warnings"], &odd["warnings_total"]), (&ours["warnings"], &ours["warnings_total"]));
    assert_eq!((odd["warnings"].as_array().map(Vec::len), &odd["warnings_total"]), (Some(100), &json!(101)));
}

#[tokio::test]
async fn the_status_of_a_model_fits_clients_of_both_servers() {
    let expected = json!({
        "name": "line", "ready": true,
        "model_version_status": [
            {"version": "1", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
        ]
    });
    for path in ["/v1/models/line", "/v1/models/line/versions/1"] {
        assert_eq!(call("GET", path, "").await.json(), expected);
    }
    assert_eq!(
        call("GET", "/v1/models", "").await.json(),
        json!({"models": ["line", "diabetes", "iris", "breast-cancer"]})
    );
}

#[rstest]
#[case::unknown_model("/v1/models/none:predict", json!({"instances": [1]}), 404)]
#[case::unknown_version("/v1/models/line/versions/7:predict", json!({"instances": [1]}), 404)]
#[case::unknown_verb("/v1/models/line:classify", json!({"instances": [1]}), 404)]
#[case::no_verb("/v1/models/line", json!({"instances": [1]}), 405)]
#[case::wrong_shape("/v1/models/line:predict", json!({"instances": [[1, 2]]}), 400)]
#[case::wrong_type("/v1/models/line:predict", json!({"instances": ["one"]}), 400)]
#[case::no_rows("/v1/models/line:predict", json!({"instances": []}), 400)]
#[case::rows_and_columns("/v1/models/line:predict", json!({"instances": [1], "inputs": [1]}), 400)]
#[case::neither("/v1/models/line:predict", json!({"signature_name": ""}), 400)]
#[case::a_signature_that_is_not_a_name("/v1/models/line:explain", json!({"instances": [1], "signature_name": 1}), 400)]
#[case::unknown_signature("/v1/models/line:predict", json!({"instances": [1], "signature_name": "regress"}), 400)]
#[case::probabilities_of_a_regression("/v1/models/line:predict", json!({"instances": [1], "signature_name": "predict_proba"}), 400)]
#[case::unknown_parameter("/v1/models/line:predict", json!({"instances": [1], "parameters": {"depth": 3}}), 400)]
#[case::parameters_that_are_a_list("/v1/models/line:predict", json!({"instances": [1], "parameters": ["predict"]}), 400)]
#[case::parameters_that_are_an_empty_list("/vertex/predict", json!({"instances": [1], "parameters": []}), 400)]
#[case::an_explanation_with_an_unknown_signature("/v1/models/line:explain", json!({"instances": [1], "signature_name": "nonsense"}), 400)]
#[case::a_list("/v1/models/line:predict", json!([1]), 400)]
#[tokio::test]
async fn errors_have_one_key(#[case] path: &str, #[case] body: Value, #[case] status: u16) {
    let answer = predict(path, body).await;
    assert_eq!(answer.status.as_u16(), status, "{}", answer.text());
    let error = answer.json();
    assert_eq!(error.as_object().unwrap().keys().collect::<Vec<_>>(), ["error"], "{error}");
    assert!(error["error"].as_str().unwrap().len() > 10);
}

#[rstest]
#[case::model("POST", "/v1/models/line", "GET,HEAD")]
#[case::version("DELETE", "/v1/models/line/versions/1", "GET,HEAD")]
#[case::prediction("GET", "/v1/models/line:predict", "POST")]
#[case::prediction_of_a_version("HEAD", "/v1/models/line/versions/1:predict", "POST")]
#[tokio::test]
async fn a_wrong_method_is_a_405_in_the_same_form(#[case] method: &str, #[case] path: &str, #[case] allow: &str) {
    let answer = call(method, path, "").await;
    assert_eq!((answer.status, answer.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, allow));
    assert!(method == "HEAD" || answer.json()["error"].is_string());
}

#[tokio::test]
async fn vertex_can_choose_the_paths_of_its_routes() {
    let alias = |path: &str, route| Alias { path: path.into(), route };
    let mut settings = settings();
    settings.aliases =
        vec![alias("/predict", VERTEX_PREDICT), alias("/v1/endpoints/7/deployedModels/8", VERTEX_HEALTH)];
    let application = application(settings);
    let request = |path: &str, body: Value| {
        http::Request::post(path).header("content-type", "application/json").body(body.to_string().into()).unwrap()
    };
    for path in ["/predict", "/vertex/predict"] {
        let body = json!({"instances": [[1], [2]], "parameters": {"predict_method": "predict"}});
        assert_eq!(send(&application, request(path, body)).await.json(), json!({"predictions": [3.0, 5.0]}));
        let error = send(&application, request(path, json!({"instances": [["one"]]}))).await;
        assert_eq!((error.status, error.json()["error"].is_string()), (StatusCode::BAD_REQUEST, true));
    }
    for path in ["/v1/endpoints/7/deployedModels/8", "/vertex/health"] {
        let request = http::Request::get(path).body("".into()).unwrap();
        assert_eq!(send(&application, request).await.status, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn an_unknown_method_is_rejected_with_a_valid_signature_name_too() {
    let body = json!({"instances": [[1]], "signature_name": "predict", "parameters": {"predict_method": "AAA"}});
    let answer = predict("/v1/models/line:predict", body).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text());
}

#[tokio::test]
async fn a_signature_and_a_method_of_different_outputs_are_rejected() {
    let row = json!([5.1, 3.5, 1.4, 0.2]);
    let body = |signature: &str| json!({"instances": [row], "signature_name": signature, "parameters": {"predict_method": "predict_proba"}});
    for verb in ["predict", "explain"] {
        let path = format!("/v1/models/iris:{verb}");
        let error = predict(&path, body("predict")).await;
        let message = r#""signature_name" is "predict", but "predict_method" is "predict_proba"; send one of the two"#;
        assert_eq!((error.status.as_u16(), error.json()), (400, json!({"error": message})));
        for signature in ["predict_proba", "serving_default", ""] {
            assert_eq!(predict(&path, body(signature)).await.status, StatusCode::OK, "{signature}");
        }
    }
}

#[tokio::test]
async fn the_error_of_an_invalid_parameter_names_it() {
    for (parameters, message) in [
        (json!({"depth": 3}), r#"unknown key "depth"; the only parameter is "predict_method""#),
        (json!({"predict_method": 1}), r#""predict_method" must be the name of an output, got 1"#),
        (json!(["predict"]), r#""parameters" must be an object such as {"predict_method": "predict"}, got an array"#),
    ] {
        let answer = predict("/v1/models/line:predict", json!({"instances": [1], "parameters": parameters})).await;
        assert_eq!(answer.json(), json!({"error": message}));
    }
}
