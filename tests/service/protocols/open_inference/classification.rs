//! The classification extension of Triton.

use rstest::rstest;
use serde_json::{Value, json};

use super::{infer, parts};
use crate::recorded::recorded_as;
use ordinate_test_support::in_process::{application, send, settings};

/// Triton's classification extension: `class_count` of its client.
#[rstest]
#[case::all_classes(3, 3)]
#[case::the_most_probable(1, 1)]
#[case::more_than_there_are(9, 3)]
#[tokio::test]
async fn the_most_probable_classes_are_returned_with_index_and_label(
    #[case] requested: usize,
    #[case] returned: usize,
) {
    let flowers = json!([5.1, 3.5, 1.4, 0.2, 6.3, 3.3, 6.0, 2.5]);
    let inputs = json!([{"name": "X", "shape": [2, 4], "datatype": "FP64", "data": flowers}]);
    let ask = async |parameters: Value| {
        let outputs = json!([{"name": "predict_proba", "parameters": parameters}]);
        parts(&infer("/v2/models/iris/infer", json!({"inputs": inputs, "outputs": outputs})).await)
    };
    let (plain, _) = ask(json!({})).await;
    let (json, _) = ask(json!({"classification": requested})).await;
    let output = &json["outputs"][0];
    assert_eq!((&output["name"], &output["datatype"]), (&json!("predict_proba"), &json!("BYTES")));
    assert_eq!(output["shape"], json!([2, returned]));
    let texts: Vec<&str> = output["data"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
    let probabilities: Vec<f64> = serde_json::from_value(plain["outputs"][0]["data"].clone()).unwrap();
    let labels = ["setosa", "versicolor", "virginica"];
    for (row, (texts, probabilities)) in texts.chunks(returned).zip(probabilities.chunks(3)).enumerate() {
        let mut expected: Vec<(f64, usize)> = probabilities.iter().copied().zip(0..).collect();
        expected.sort_by(|one, other| other.0.total_cmp(&one.0));
        let expected: Vec<String> = expected
            .iter()
            .take(returned)
            .map(|(value, index)| format!("{value}:{index}:{}", labels[*index]))
            .collect();
        assert_eq!(texts, expected, "row {row}");
    }
    let (json, mut bytes) = ask(json!({"classification": requested, "binary_data": true})).await;
    assert_eq!(json["outputs"][0]["datatype"], "BYTES");
    let bytes = bytes.remove("predict_proba").unwrap();
    let expected: Vec<u8> = texts
        .iter()
        .flat_map(|text| [&u32::try_from(text.len()).unwrap().to_le_bytes()[..], text.as_bytes()].concat())
        .collect();
    assert_eq!(bytes, expected);
}

#[tokio::test]
async fn no_classes_are_the_values_themselves() {
    let inputs = json!([{"name": "X", "shape": [1, 4], "datatype": "FP64", "data": [5.1, 3.5, 1.4, 0.2]}]);
    let outputs = json!([{"name": "predict", "parameters": {"classification": 0}}]);
    let (json, _) = parts(&infer("/v2/models/iris/infer", json!({"inputs": inputs, "outputs": outputs})).await);
    assert_eq!(json["outputs"][0]["data"], json!(["setosa"]));
}

#[tokio::test]
async fn requests_of_tritonclient_have_its_form() {
    let application = application(settings());
    let (json, _) = parts(&send(&application, recorded_as("tritonclient", "iris-classes-json-out")).await);
    let texts: Vec<String> = serde_json::from_value(json["outputs"][0]["data"].clone()).unwrap();
    let labels: Vec<&str> = texts.iter().map(|text| text.split_once(':').unwrap().1).collect();
    assert_eq!(labels, ["0:setosa", "1:versicolor", "2:virginica", "1:versicolor"]);
    let (_, bytes) = parts(&send(&application, recorded_as("tritonclient", "iris-classes-binary-out")).await);
    let expected =
        texts.iter().flat_map(|text| [&[u8::try_from(text.len()).unwrap(), 0, 0, 0], text.as_bytes()].concat());
    assert_eq!(bytes["predict_proba"], expected.collect::<Vec<u8>>());
}
