//! Recorded requests of tritonclient and kserve.

use http::Request;
use ordinate_test_support::in_process::{application, send, settings};
use rstest::rstest;
use serde_json::json;

use super::{doubles, parts, typed};
use crate::recorded::recorded_as;

#[rstest]
#[tokio::test]
async fn requests_of_clients_have_the_expected_responses(
    #[values("tritonclient", "kserve")] client: &str,
    #[values("line", "typed", "iris")] model: &str,
    #[values("json", "binary")] given: &str,
    #[values("json", "binary", "default")] wanted: &str,
) {
    if client == "kserve" && (model == "iris" || wanted == "default") {
        return;
    }
    let application = if model == "typed" { typed() } else { application(settings()) };
    let answer = send(&application, recorded_as(client, &format!("{model}-{given}-in-{wanted}-out"))).await;
    let (json, bytes) = parts(&answer);
    assert_eq!((&json["id"], &json["model_name"]), (&json!("42"), &json!(model)));
    assert_eq!(bytes.contains_key("predict"), wanted != "json");
    let output = &json["outputs"][0];
    if model == "iris" {
        assert_eq!(output["datatype"], "BYTES");
        match bytes.get("predict") {
            Some(bytes) => assert_eq!(bytes, b"\x06\0\0\0setosa"),
            None => assert_eq!(output["data"], json!(["setosa"])),
        }
        return;
    }
    let values = bytes
        .get("predict")
        .map_or_else(|| serde_json::from_value(output["data"].clone()).unwrap(), |bytes| doubles(bytes));
    let expected = if model == "line" { vec![3.0, 5.0] } else { typed_predictions().await };
    assert_eq!(values, expected);
}

/// The predictions of the native route for the same rows.
async fn typed_predictions() -> Vec<f64> {
    let rows = json!({"X": [[50.5, 2, false, "north"], [62.0, 3, true, "south"], [44.0, 1, false, "west"]]});
    let request = Request::post("/predict").body(rows.to_string().into()).unwrap();
    serde_json::from_value(send(&typed(), request).await.json()["y"].clone()).unwrap()
}

/// The client sends `Accept-Encoding: gzip` with every request, but decompresses responses of `…/infer` only.
#[tokio::test]
async fn the_asynchronous_client_of_triton_can_read_all_responses() {
    let names = ["server-metadata", "model-metadata", "model-config", "statistics", "repository-index"];
    for name in names {
        let request = recorded_as("tritonclient-aio", name);
        assert!(request.headers()["accept-encoding"].to_str().unwrap().contains("gzip"), "{name}");
        let answer = send(&application(settings()), request).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-encoding")), (200, ""), "{name}");
        assert!(answer.body.len() > 100 && !answer.json().is_null(), "{name}");
    }
    let answer = send(&application(settings()), recorded_as("tritonclient-aio", "line-binary-in-binary-out")).await;
    assert_eq!(doubles(&parts(&answer).1["predict"]), [3.0, 5.0]);
}

#[tokio::test]
async fn other_requests_of_tritonclient_have_responses() {
    let application = application(settings());
    let index = send(&application, recorded_as("tritonclient", "repository-index")).await.json();
    assert_eq!(index[0], json!({"name": "line", "version": "1", "state": "READY", "reason": ""}));
    let (_, bytes) = parts(&send(&application, recorded_as("tritonclient", "line-gzip")).await);
    assert_eq!(doubles(&bytes["predict"]), [3.0, 5.0]);
    let probabilities =
        send(&application, recorded_as("tritonclient", "iris-probabilities-binary-in-binary-out")).await;
    assert_eq!(doubles(&parts(&probabilities).1["predict_proba"]).len(), 3);
}
