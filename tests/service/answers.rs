//! The parts of an answer next to the prediction: intervals, explanations, probabilities and warnings.

use http::{Request, StatusCode};
use ordinate_model::artifact::Document;
use ordinate_model::scalar::Scalar;
use ordinate_test_support::in_process::{Response, application_with_model, post, send};
use ordinate_test_support::root;
use rstest::rstest;
use serde_json::{Value, json};

use crate::DIABETES;

const IRIS: [f64; 4] = [5.9, 3.0, 4.8, 1.6];

async fn predict(path: &str, body: Value) -> Response {
    post(path, &[("content-type", "application/json")], body.to_string()).await
}

fn close(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-9 * one.abs().max(other.abs()).max(1.0)
}

#[tokio::test]
async fn an_ordinary_row_has_a_prediction_only_by_default() {
    let answer = predict("/models/diabetes/predict", json!({"X": [DIABETES]})).await.json();
    assert_eq!(answer.as_object().unwrap().keys().collect::<Vec<_>>(), ["y"], "{answer}");
    let off = json!({"X": [DIABETES], "explain": false, "probabilities": false});
    assert_eq!(predict("/models/diabetes/predict", off).await.json(), answer);
}

#[tokio::test]
async fn an_interval_lies_around_the_prediction_and_grows_with_its_level() {
    let mut width = 0.0;
    for level in [0.5, 0.8, 0.95, 0.999] {
        let body = json!({"X": [DIABETES, DIABETES], "interval": level});
        let answer = predict("/models/diabetes/predict", body).await.json();
        let (y, ends) = (answer["y"][0].as_f64().unwrap(), &answer["interval"][0]);
        let (low, high) = (ends[0].as_f64().unwrap(), ends[1].as_f64().unwrap());
        assert!(low < y && y < high && high - low > width, "{answer}");
        let mean = &answer["mean_interval"][0];
        assert!(low < mean[0].as_f64().unwrap() && mean[1].as_f64().unwrap() < high, "{answer}");
        assert_eq!(
            (answer["interval"].as_array().unwrap().len(), &answer["interval_method"]),
            (2, &json!("student-t"))
        );
        width = high - low;
    }
}

#[tokio::test]
async fn base_and_contributions_add_up_to_the_prediction() {
    let body = json!({"X": [DIABETES], "explain": true});
    let answer = predict("/models/diabetes/predict", body).await.json();
    let explanation = &answer["explanation"];
    let contributions = explanation["contributions"][0].as_object().unwrap();
    assert_eq!(contributions.len(), 10);
    let sum: f64 = contributions.values().map(|value| value.as_f64().unwrap()).sum();
    assert!(close(explanation["base"].as_f64().unwrap() + sum, answer["y"][0].as_f64().unwrap()), "{answer}");
    assert_eq!(explanation["unit"], "target");
}

#[tokio::test]
async fn each_of_several_classes_has_an_explanation_and_a_probability() {
    let body = json!({"X": [IRIS], "explain": true, "probabilities": true});
    let answer = predict("/models/iris/predict", body).await.json();
    let probabilities = answer["probabilities"][0].as_object().unwrap();
    let labels = ["setosa", "versicolor", "virginica"];
    assert_eq!(probabilities.keys().collect::<Vec<_>>(), labels);
    let explanation = &answer["explanation"];
    assert_eq!(explanation["unit"], "score");
    let score = |label: &str| {
        let contributions = explanation["contributions"][0].as_object().unwrap();
        let sum: f64 = contributions.values().map(|by_class| by_class[label].as_f64().unwrap()).sum();
        (explanation["base"][label].as_f64().unwrap() + sum).exp()
    };
    let total: f64 = labels.iter().map(|label| score(label)).sum();
    for label in labels {
        assert!(close(score(label) / total, probabilities[label].as_f64().unwrap()), "{label}: {answer}");
    }
}

#[tokio::test]
async fn the_explanation_of_two_classes_is_in_log_odds_of_the_second() {
    let golden: Value =
        serde_json::from_slice(&std::fs::read(root().join("model/breast-cancer.json")).unwrap()).unwrap();
    let body = json!({"X": [golden["golden"]["X"][0]], "explain": true, "probabilities": true});
    let answer = predict("/models/breast-cancer/predict", body).await.json();
    let explanation = &answer["explanation"];
    let class = explanation["class"].as_str().unwrap();
    let sum: f64 = explanation["contributions"][0].as_object().unwrap().values().map(|v| v.as_f64().unwrap()).sum();
    let log_odds = explanation["base"].as_f64().unwrap() + sum;
    let probability = answer["probabilities"][0][class].as_f64().unwrap();
    assert!(close(1.0 / (1.0 + (-log_odds).exp()), probability), "{answer}");
}

#[tokio::test]
async fn a_value_outside_the_training_range_has_a_warning() {
    let mut far = DIABETES;
    far[2] = 61.0;
    let answer = predict("/models/diabetes/predict", json!({"X": [DIABETES, far]})).await.json();
    assert_eq!(
        answer["warnings"],
        json!([{
            "row": 1, "code": "outside_range", "feature": "bmi", "value": 61.0, "range": [18.0, 42.2],
            "message": "outside the training range"
        }])
    );
    let csv = "x\n1\n70\n";
    let answer = post("/models/line/predict", &[("content-type", "text/csv")], csv).await.json();
    assert_eq!((&answer["warnings"][0]["row"], &answer["warnings"][0]["value"]), (&json!(1), &json!(70.0)));
}

#[tokio::test]
async fn a_header_counts_warnings_in_every_protocol() {
    for (path, body) in [
        ("/predict", json!({"X": [1, 70, 80]})),
        ("/v1/models/line:predict", json!({"instances": [1, 70, 80]})),
        ("/invocations", json!({"instances": [{"features": [1]}, {"features": [70]}, {"features": [80]}]})),
        (
            "/v2/models/line/infer",
            json!({"inputs": [{"name": "x", "shape": [3, 1], "datatype": "FP64", "data": [1, 70, 80]}]}),
        ),
    ] {
        assert_eq!(predict(path, body).await.header("x-ordinate-warnings"), "2", "{path}");
    }
    assert_eq!(predict("/predict", json!({"X": [1, 2]})).await.header("x-ordinate-warnings"), "");
}

#[tokio::test]
async fn an_unusual_combination_of_values_within_their_ranges_has_a_warning() {
    let mut odd = DIABETES;
    // High total cholesterol with low LDL cholesterol: both are in range, but the combination is not in the training
    // data.
    (odd[4], odd[5]) = (290.0, 60.0);
    let answer = predict("/models/diabetes/predict", json!({"X": [odd]})).await.json();
    let warning = &answer["warnings"][0];
    assert_eq!(warning["code"], "leverage", "{answer}");
    assert!(warning["leverage"].as_f64().unwrap() > warning["limit"].as_f64().unwrap());
}

#[tokio::test]
async fn the_first_hundred_warnings_are_listed_and_all_are_counted() {
    let answer = predict("/models/line/predict", json!({"X": vec![1000; 250]})).await.json();
    assert_eq!((answer["warnings"].as_array().unwrap().len(), &answer["warnings_total"]), (100, &json!(250)));
}

#[rstest]
#[case::not_a_level("diabetes", json!({"interval": 95}), "invalid_option", "#/interval")]
#[case::zero("diabetes", json!({"interval": 0}), "invalid_option", "#/interval")]
#[case::text("diabetes", json!({"interval": "0.95"}), "invalid_option", "#/interval")]
#[case::too_high_for_the_held_out_rows("iris", json!({"interval": 0.99}), "no_interval", "#/interval")]
#[case::probabilities_of_a_regression("diabetes", json!({"probabilities": true}), "unknown_output", "#/probabilities")]
#[case::a_number_for_a_boolean("diabetes", json!({"explain": 1}), "invalid_option", "#/explain")]
#[case::unknown_key("diabetes", json!({"explian": true}), "unknown_key", "#/explian")]
#[tokio::test]
async fn an_invalid_option_is_a_422_with_a_pointer(
    #[case] model: &str,
    #[case] options: Value,
    #[case] code: &str,
    #[case] pointer: &str,
) {
    let row = if model == "iris" { json!(IRIS) } else { json!(DIABETES) };
    let mut body = json!({"X": [row]});
    body.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
    let answer = predict(&format!("/models/{model}/predict"), body).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let problem = answer.json();
    assert_eq!((problem["code"].as_str(), problem["errors"][0]["pointer"].as_str()), (Some(code), Some(pointer)));
}

#[tokio::test]
async fn the_error_of_an_interval_that_exceeds_a_double_names_the_row() {
    let answer = predict("/models/line/predict", json!({"X": [1, 1e307], "interval": 0.95})).await;
    let problem = answer.json();
    assert_eq!((answer.status.as_u16(), problem["code"].as_str()), (422, Some("interval_overflow")), "{problem}");
    assert!(problem["detail"].as_str().unwrap().starts_with("row 1:"), "{problem}");
}

async fn csv(path: &str, body: &str) -> Response {
    post(path, &[("content-type", "text/csv")], body.to_owned()).await
}

#[tokio::test]
async fn options_in_the_url_are_those_of_the_body() {
    let body = json!({"X": [DIABETES], "interval": 0.9, "explain": true});
    let expected = predict("/models/diabetes/predict", body).await.json();
    assert!(expected["interval"].is_array() && expected["explanation"].is_object(), "{expected}");
    let path = "/models/diabetes/predict?interval=0.9&explain=true";
    let rows = "age,sex,bmi,bp,s1,s2,s3,s4,s5,s6\n59,2,32.1,101,157,93.2,38,4,4.8598,87\n";
    assert_eq!(csv(path, rows).await.json(), expected);
    assert_eq!(predict(path, json!({"X": [DIABETES]})).await.json(), expected);
    let row = "sepal_length,sepal_width,petal_length,petal_width\n5.9,3.0,4.8,1.6\n";
    let iris = csv("/models/iris/predict/?probabilities=true&explain=false", row);
    let expected = predict("/models/iris/predict", json!({"X": [IRIS], "probabilities": true})).await.json();
    assert_eq!(iris.await.json(), expected);
}

#[rstest]
#[case::percent("interval=95", "invalid_option", "got 95; did you mean 0.95?")]
#[case::not_a_number("interval=wide", "invalid_option", r#"URL parameter "interval": expected a level"#)]
#[case::empty("interval=", "invalid_option", r#"got """#)]
#[case::not_finite("interval=NaN", "invalid_option", r#"got "NaN""#)]
#[case::not_a_boolean("explain=1", "invalid_option", r#"URL parameter "explain": expected true or false, got "1""#)]
#[case::without_a_value(
    "probabilities",
    "invalid_option",
    r#"URL parameter "probabilities": expected true or false, got """#
)]
#[case::twice("interval=0.9&interval=0.95", "duplicate_key", r#"URL parameter "interval": given more than once"#)]
#[case::not_of_this_model("probabilities=true", "unknown_output", "is a regressor")]
#[tokio::test]
async fn an_invalid_parameter_is_a_422(#[case] query: &str, #[case] code: &str, #[case] detail: &str) {
    let problem = csv(&format!("/predict?{query}"), "x\n1\n").await.json();
    assert_eq!((&problem["status"], problem["code"].as_str()), (&json!(422), Some(code)), "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains(detail), "{problem}");
    assert!(problem["errors"].as_array().is_none_or(|errors| errors.iter().all(|error| error["pointer"].is_null())));
}

#[tokio::test]
async fn an_option_in_both_body_and_url_is_rejected() {
    let problem = predict("/predict?interval=0.9", json!({"X": [1], "interval": 0.95})).await.json();
    assert_eq!(
        (problem["code"].as_str(), problem["errors"][0]["pointer"].as_str()),
        (Some("duplicate_key"), Some("#/interval"))
    );
    assert_eq!(
        predict("/predict?explain=false", json!({"X": [1], "interval": null})).await.json(),
        json!({"y": [3.0]})
    );
}

#[tokio::test]
async fn the_explanation_is_the_same_in_every_protocol() {
    let own = predict("/models/diabetes/predict", json!({"X": [DIABETES], "explain": true})).await.json();
    let v1 = predict("/v1/models/diabetes:explain", json!({"instances": [DIABETES]})).await.json();
    assert_eq!(v1, json!({"explanations": own["explanation"]}));

    let infer = json!({
        "inputs": [{"name": "X", "shape": [1, 10], "datatype": "FP64", "data": DIABETES}],
        "outputs": [{"name": "explain"}, {"name": "explain_base"}, {"name": "predict"}]
    });
    let v2 = predict("/v2/models/diabetes/infer", infer).await.json();
    let names = ["age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"];
    let contributions: Vec<&Value> = names.iter().map(|name| &own["explanation"]["contributions"][0][name]).collect();
    assert_eq!((&v2["outputs"][0]["shape"], &v2["outputs"][0]["data"]), (&json!([1, 10]), &json!(contributions)));
    assert_eq!(v2["outputs"][1]["data"], json!([own["explanation"]["base"]]));
    assert_eq!(v2["outputs"][2]["data"], own["y"]);

    let infer = json!({
        "inputs": [{"name": "X", "shape": [1, 4], "datatype": "FP64", "data": IRIS}],
        "outputs": [{"name": "explain"}, {"name": "explain_base"}]
    });
    let v2 = predict("/v2/models/iris/infer", infer).await.json();
    assert_eq!((&v2["outputs"][0]["shape"], &v2["outputs"][1]["shape"]), (&json!([1, 3, 4]), &json!([1, 3])));
}

#[tokio::test]
async fn an_option_that_is_null_counts_as_absent_in_every_protocol() {
    let ours = json!({"X": [1], "interval": null, "explain": null, "probabilities": null});
    assert_eq!(predict("/predict", ours).await.json(), json!({"y": [3.0]}));
    let v1 = json!({"instances": [1], "parameters": null, "signature_name": null});
    assert_eq!(predict("/v1/models/line:predict", v1).await.json(), json!({"predictions": [3.0]}));
    let v2 = json!({
        "id": null, "parameters": null, "outputs": null,
        "inputs": [{"name": "x", "shape": [1], "datatype": "FP64", "data": [1], "parameters": null}]
    });
    assert_eq!(predict("/v2/models/line/infer", v2).await.json()["outputs"][0]["data"], json!([3.0]));
    assert_eq!(
        predict("/invocations", json!({"inputs": [1], "params": null})).await.json(),
        json!({"predictions": [3.0]})
    );
}

#[tokio::test]
async fn the_answer_has_the_number_of_rows_whose_leverage_was_computed() {
    const COLUMNS: usize = 600;
    let mut document: Value = serde_json::from_str(include_str!("../../model/line.json")).unwrap();
    let column =
        |place: usize| json!({"name": place.to_string(), "product": [{"feature": "x"}], "mean": 2.5, "scale": 1});
    document["preprocess"]["columns"] = (0..COLUMNS).map(column).collect();
    document["estimator"]["coefficients"] = (0..COLUMNS).map(|place| (place.to_string(), json!(0.01))).collect();
    let identity = |row: usize| (row..COLUMNS).map(|place| u8::from(place == row)).collect();
    document["inference"] = json!({"r": (0..COLUMNS).map(identity).collect::<Vec<Vec<u8>>>()});
    let document: Document = serde_json::from_value(document).unwrap();
    let sealed = document.seal(vec![vec![Scalar::Number(1.0)]]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wide.json");
    std::fs::write(&file, sealed.to_json().unwrap()).unwrap();
    let application = application_with_model(file);
    // 186 · 600² is just below 2²⁶, and 187 · 600² is above.
    for (rows, searched) in [(186, Value::Null), (187, json!(186))] {
        let body = json!({"X": vec![2.5; rows]}).to_string();
        let answer = send(&application, Request::post("/predict").body(body.into()).unwrap()).await.json();
        assert_eq!((answer["y"].as_array().unwrap().len(), &answer["rows_searched_for_leverage"]), (rows, &searched));
    }
}
