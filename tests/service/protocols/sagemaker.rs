//! `SageMaker`: `/invocations` of a container, and the route that SDKs use.

use http::StatusCode;
use rstest::rstest;
use serde_json::{Value, json};

use ordinate_test_support::in_process::{Response, call, post};

use crate::DIABETES;

const LINES: &str = "application/jsonlines";

async fn ask(path: &str, content_type: &str, accept: &str, body: impl Into<axum::body::Body>) -> Response {
    post(path, &[("content-type", content_type), ("accept", accept)], body).await
}

#[rstest]
#[case::wrapped("application/json", r#"{"instances": [{"features": [1]}, {"features": [2]}]}"#)]
#[case::csv("text/csv", "1\n2\n")]
#[case::csv_without_labels("text/csv;label_size=0", "1\n2")]
#[case::csv_without_header("text/csv; header=absent", "1\n2\n")]
#[tokio::test]
async fn both_routes_accept_the_formats_of_sagemaker(#[case] content_type: &str, #[case] body: &'static str) {
    for path in ["/invocations", "/endpoints/line/invocations"] {
        let answer = ask(path, content_type, "*/*", body).await;
        assert_eq!(answer.json(), json!({"predictions": [{"score": 3.0}, {"score": 5.0}]}), "{path}");
        assert_eq!(answer.header("content-type"), "application/json");
    }
}

#[tokio::test]
async fn json_lines_are_answered_with_json_lines() {
    for body in ["{\"features\": [1]}\n{\"features\": [2]}\n", "{\"x\": 1}\n{\"x\": 2}", "[1]\n[2]"] {
        for path in ["/invocations", "/endpoints/line/invocations"] {
            let answer = ask(path, LINES, "*/*", body).await;
            assert_eq!(
                (answer.text().as_str(), answer.header("content-type")),
                ("{\"score\":3.0}\n{\"score\":5.0}\n", LINES)
            );
        }
    }
}

#[tokio::test]
async fn the_route_of_sdks_accepts_the_formats_of_mlflow() {
    for (content_type, body) in [
        ("application/json", r#"{"dataframe_split": {"columns": ["x"], "data": [[1]]}}"#),
        ("application/json", r#"{"instances": [{"x": 1, "id": 7}]}"#),
        ("text/csv", "x\n1\n"),
    ] {
        let answer = ask("/endpoints/line/invocations", content_type, "*/*", body).await;
        assert_eq!(answer.json(), json!({"predictions": [{"score": 3.0}]}), "{body}");
    }
}

#[tokio::test]
async fn the_score_of_two_classes_is_the_probability_of_the_second() {
    let row = include_str!("../../../model/breast-cancer.csv").lines().nth(1).unwrap();
    let (features, label) = row.rsplit_once(',').unwrap();
    let ours =
        post("/models/breast-cancer/predict", &[("content-type", "text/csv; header=absent")], features.to_owned());
    let ours = ours.await.json();
    let answer = ask("/endpoints/breast-cancer/invocations", "text/csv", "*/*", features.to_owned()).await.json();
    let row = &answer["predictions"][0];
    assert_eq!(row.as_object().unwrap().keys().collect::<Vec<_>>(), ["predicted_label", "score"]);
    assert_eq!((row["predicted_label"].as_str(), &row["predicted_label"]), (Some(label), &ours["y"][0]));
    let instances = json!({"instances": [features.split(',').map(|field| field.parse::<f64>().unwrap()).collect::<Vec<_>>()],
        "parameters": {"predict_method": "predict_proba"}});
    let both = post("/v1/models/breast-cancer:predict", &[], instances.to_string()).await.json();
    assert_eq!(row["score"], both["predictions"][0][1]);
}

#[tokio::test]
async fn the_score_of_several_classes_is_a_list_of_probabilities() {
    let path = "/endpoints/iris/invocations";
    let answer = ask(path, "text/csv", "application/jsonlines", "5.1,3.5,1.4,0.2\n6.3,3.3,6.0,2.5\n").await;
    let rows: Vec<Value> = answer.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!([&rows[0]["predicted_label"], &rows[1]["predicted_label"]], ["setosa", "virginica"]);
    let scores: Vec<f64> = serde_json::from_value(rows[0]["score"].clone()).unwrap();
    assert!(scores.len() == 3 && scores[0] > 0.9);

    let csv = ask(path, "text/csv", "text/csv", "5.1,3.5,1.4,0.2\n").await;
    let listed: Vec<String> = scores.iter().map(|score| json!(score).to_string()).collect();
    assert_eq!(csv.text(), format!("{},setosa\n", listed.join(",")));
}

#[rstest]
#[case("text/csv", "text/csv", "3.0\n5.0\n")]
#[case("text/*, application/json;q=0.9", "text/csv", "3.0\n5.0\n")]
#[case("application/*", "application/json", r#"{"predictions":[{"score":3.0},{"score":5.0}]}"#)]
#[case("application/jsonlines", LINES, "{\"score\":3.0}\n{\"score\":5.0}\n")]
#[case("text/csv;q=0.5, application/jsonlines", LINES, "{\"score\":3.0}\n{\"score\":5.0}\n")]
#[case("application/json; verbose=true", "application/json", r#"{"predictions":[{"score":3.0},{"score":5.0}]}"#)]
#[case("application/x-recordio-protobuf", "application/json", r#"{"predictions":[{"score":3.0},{"score":5.0}]}"#)]
#[case("*/*;q=0.1, text/csv;q=0", "application/json", r#"{"predictions":[{"score":3.0},{"score":5.0}]}"#)]
#[tokio::test]
async fn the_accept_header_selects_the_format(#[case] accept: &str, #[case] content_type: &str, #[case] body: &str) {
    let answer = ask("/invocations", "text/csv", accept, "1\n2\n").await;
    assert_eq!((answer.header("content-type"), answer.text().as_str()), (content_type, body));
}

#[tokio::test]
async fn values_are_in_the_order_of_the_signature() {
    let fields = DIABETES.map(|value| value.to_string()).join(",");
    let csv = ask("/endpoints/diabetes/invocations", "text/csv", "text/csv", fields).await.text();
    let ours = post("/models/diabetes/predict", &[], json!({"X": [DIABETES]}).to_string()).await.json();
    assert_eq!(csv, format!("{}\n", ours["y"][0]));
}

#[rstest]
#[case::unknown_model("/endpoints/none/invocations", "text/csv", "1", 400)]
#[case::wrong_type("/endpoints/line/invocations", "text/csv", "one", 400)]
#[case::too_wide("/endpoints/line/invocations", "application/json", r#"{"instances": [{"features": [1, 2]}]}"#, 400)]
#[case::unknown_key(
    "/endpoints/line/invocations",
    "application/json",
    r#"{"instances": [{"features": [1], "x": 2}]}"#,
    400
)]
#[case::not_json("/endpoints/line/invocations", LINES, "[1]\n[", 400)]
#[case::labels("/endpoints/line/invocations", "text/csv;label_size=1", "3,1", 415)]
#[case::records("/endpoints/line/invocations", "application/x-recordio-protobuf", "", 415)]
#[tokio::test]
async fn errors_have_the_form_that_sdks_read(
    #[case] path: &str,
    #[case] content_type: &str,
    #[case] body: &'static str,
    #[case] status: u16,
) {
    let answer = ask(path, content_type, "*/*", body).await;
    assert_eq!((answer.status.as_u16(), answer.header("x-amzn-errortype")), (status, "ValidationError"));
    let error = answer.json();
    assert_eq!(error.as_object().unwrap().keys().collect::<Vec<_>>(), ["Message"], "{error}");
}

#[tokio::test]
async fn ping_is_answered_and_other_routes_have_errors_of_sagemaker() {
    assert_eq!(call("GET", "/ping", "").await.status, StatusCode::OK);
    let wrong_method = call("GET", "/endpoints/line/invocations", "").await;
    assert_eq!((wrong_method.status.as_u16(), wrong_method.header("x-amzn-errortype")), (405, "ValidationError"));
    let unknown = call("POST", "/endpoints/line/invoke", "").await;
    assert_eq!((unknown.status.as_u16(), unknown.header("x-amzn-errortype")), (404, "UnknownOperationException"));
}

#[tokio::test]
async fn the_native_route_accepts_csv_without_header_but_not_json_lines() {
    let answer = post("/predict", &[("content-type", "text/csv; header=absent")], "1\n2\n").await;
    assert_eq!(answer.json(), json!({"y": [3.0, 5.0]}));
    let json_lines = post("/predict", &[("content-type", "application/jsonlines")], "[1]").await;
    assert_eq!(json_lines.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let read = "\"text/plain\" is not supported; send application/json, text/csv or application/jsonlines in UTF-8";
    let plain = post("/invocations", &[("content-type", "text/plain")], "x").await;
    assert!(
        plain.status == StatusCode::UNSUPPORTED_MEDIA_TYPE && plain.json()["message"].as_str().unwrap().ends_with(read)
    );
}
