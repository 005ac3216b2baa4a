//! What real clients sent is answered as when it was recorded: `tests/clients/*.py` assert the same in the clients' own words.

use std::sync::Arc;

use axum::Router;
use ordinate::http::router;
use ordinate::source::catalog::Catalog;
use ordinate::source::file::FileSource;
use serde_json::{Value, json};

use crate::support::in_process::{application, ask, settings};
use crate::support::model_file::people;
use crate::support::root;
use crate::support::wire::recorded;

/// The model of every type that the recorded frames of people were sent to.
fn people_application() -> Router {
    let path = root().join("tests/clients/people.json");
    router(Arc::new(Catalog::single(Box::new(FileSource::new(path)), None, None)), settings())
}

#[test]
fn the_model_that_clients_are_tried_with_is_the_tests_own() {
    let file = std::fs::read(root().join("tests/clients/people.json")).unwrap();
    assert_eq!(String::from_utf8(file), String::from_utf8(people()));
}

#[tokio::test]
async fn mlflows_client_is_understood() {
    for (name, request) in recorded("mlflow") {
        let application = if name.starts_with("people") { people_application() } else { application(settings()) };
        let answer = ask(&application, request).await;
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
async fn boto3_is_understood() {
    for (name, request) in recorded("boto3") {
        let answer = ask(&application(settings()), request).await;
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
