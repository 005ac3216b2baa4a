//! Responses to recorded requests of clients. `tests/clients/*.py` check the same with the clients.

use ordinate_test_support::in_process::{application, application_with_model, send, settings};
use ordinate_test_support::{people, root};
use serde_json::{Value, json};

use crate::recorded::recorded;

#[test]
fn the_model_for_the_clients_is_the_model_of_the_tests() {
    let file = std::fs::read(root().join("tests/clients/people.json")).unwrap();
    assert_eq!(String::from_utf8(file), String::from_utf8(people()));
}

#[tokio::test]
async fn requests_of_mlflow_have_the_expected_responses() {
    for (name, request) in recorded("mlflow") {
        let application = if name.starts_with("people") {
            application_with_model(root().join("tests/clients/people.json"))
        } else {
            application(settings())
        };
        let answer = send(&application, request).await;
        match name.as_str() {
            "people-inputs" => assert_eq!(answer.json(), json!({"predictions": [223.5, 100.0]})),
            name if name.starts_with("people") => {
                assert_eq!(answer.json(), json!({"predictions": [183.0, 100.0]}), "{name}");
            }
            name if name.starts_with("refused") => {
                let missing_column = name == "refused-column";
                let code = if missing_column { "INVALID_PARAMETER_VALUE" } else { "BAD_REQUEST" };
                assert_eq!((answer.status.as_u16(), &answer.json()["error_code"]), (400, &Value::from(code)), "{name}");
            }
            name => assert_eq!(answer.json(), json!({"predictions": [3.0, 5.0]}), "{name}"),
        }
    }
}

#[tokio::test]
async fn requests_of_sagemaker_core_have_the_expected_responses() {
    for (name, request) in recorded("sagemaker-core") {
        let is_for_npy = request.headers().get("accept").is_some_and(|accept| accept == "application/x-npy");
        let is_iris = request.uri().path().contains("iris");
        let answer = send(&application(settings()), request).await;
        if name.starts_with("refused") {
            let message = answer.json()["Message"].as_str().unwrap().to_owned();
            assert!(answer.status == 400 && !message.contains("dataframe"), "{name}: {message}");
            continue;
        }
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
        if is_for_npy {
            let header = if is_iris { "{'descr': '<U10', 'fortran_order': False, " } else { "{'descr': '<f8', " };
            assert!(answer.body[10..].starts_with(header.as_bytes()), "{name}: {}", answer.text());
        } else if is_iris {
            assert!(answer.text().contains("setosa"), "{name}: {}", answer.text());
        } else {
            assert_eq!(answer.json(), json!({"predictions": [{"score": 3.0}, {"score": 5.0}]}), "{name}");
        }
    }
}

#[tokio::test]
async fn requests_of_boto3_have_the_expected_responses() {
    for (name, request) in recorded("boto3") {
        let answer = send(&application(settings()), request).await;
        match name.as_str() {
            "two-classes" => assert_eq!(answer.json()["predictions"][0]["predicted_label"], "malignant"),
            "three-classes" => {
                assert!(answer.text().contains(r#""predicted_label":"virginica"}"#), "{}", answer.text());
            }
            "csv-for-csv" => assert_eq!(answer.text(), "3.0\n5.0\n"),
            "jsonlines" => assert_eq!(answer.text(), "{\"score\":3.0}\n{\"score\":5.0}\n"),
            name if name.starts_with("refused") => {
                let status = if name == "refused-type" { 415 } else { 400 };
                assert_eq!(
                    (answer.status.as_u16(), answer.header("x-amzn-errortype")),
                    (status, "ValidationError"),
                    "{name}"
                );
                assert!(answer.json()["Message"].is_string(), "{name}");
            }
            name => assert_eq!(answer.json(), json!({"predictions": [{"score": 3.0}, {"score": 5.0}]}), "{name}"),
        }
    }
}
