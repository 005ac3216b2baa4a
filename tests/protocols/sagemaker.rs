//! `SageMaker`: a container's `/invocations`, and the route its SDKs ask.

use http::StatusCode;
use rstest::rstest;
use serde_json::{Value, json};

use crate::DIABETES;
use crate::support::in_process::{Answer, call, post};

const LINES: &str = "application/jsonlines";

async fn ask(path: &str, content_type: &str, accept: &str, body: impl Into<axum::body::Body>) -> Answer {
    post(path, &[("content-type", content_type), ("accept", accept)], body).await
}

#[rstest]
#[case::wrapped("application/json", r#"{"instances": [{"features": [1]}, {"features": [2]}]}"#)]
#[case::csv("text/csv", "1\n2\n")]
#[case::csv_without_labels("text/csv;label_size=0", "1\n2")]
#[case::csv_that_says_so("text/csv; header=absent", "1\n2\n")]
#[tokio::test]
async fn its_forms_get_its_answer_on_both_routes(#[case] content_type: &str, #[case] body: &'static str) {
    for path in ["/invocations", "/endpoints/line/invocations"] {
        let answer = ask(path, content_type, "*/*", body).await;
        assert_eq!(answer.json(), json!({"predictions": [{"score": 3.0}, {"score": 5.0}]}), "{path}");
        assert_eq!(answer.header("content-type"), "application/json");
    }
}

#[tokio::test]
async fn lines_are_answered_with_lines() {
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
async fn mlflows_forms_get_its_answer_on_its_own_route() {
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
async fn two_classes_have_the_probability_of_the_second() {
    let row = include_str!("../../model/breast-cancer.csv").lines().nth(1).unwrap();
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
async fn more_classes_have_a_list_of_probabilities() {
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
async fn accept_says_how_the_answer_is_written(#[case] accept: &str, #[case] content_type: &str, #[case] body: &str) {
    let answer = ask("/invocations", "text/csv", accept, "1\n2\n").await;
    assert_eq!((answer.header("content-type"), answer.text().as_str()), (content_type, body));
}

#[tokio::test]
async fn a_wide_row_keeps_its_order() {
    let fields = DIABETES.map(|value| value.to_string()).join(",");
    let csv = ask("/endpoints/diabetes/invocations", "text/csv", "text/csv", fields).await.text();
    let ours = post("/models/diabetes/predict", &[], json!({"X": [DIABETES]}).to_string()).await.json();
    assert_eq!(csv, format!("{}\n", ours["y"][0]));
}

#[rstest]
#[case::unknown_model("/endpoints/none/invocations", "text/csv", "1", 400)]
#[case::wrong_type("/endpoints/line/invocations", "text/csv", "one", 400)]
#[case::too_wide("/endpoints/line/invocations", "application/json", r#"{"instances": [{"features": [1, 2]}]}"#, 400)]
#[case::beside_the_features(
    "/endpoints/line/invocations",
    "application/json",
    r#"{"instances": [{"features": [1], "x": 2}]}"#,
    400
)]
#[case::not_json("/endpoints/line/invocations", LINES, "[1]\n[", 400)]
#[case::labels("/endpoints/line/invocations", "text/csv;label_size=1", "3,1", 415)]
#[case::records("/endpoints/line/invocations", "application/x-recordio-protobuf", "", 415)]
#[tokio::test]
async fn errors_are_such_as_its_sdks_read(
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
async fn its_container_is_alive_when_the_model_is_there() {
    assert_eq!(call("GET", "/ping", "").await.status, StatusCode::OK);
    let refused = call("GET", "/endpoints/line/invocations", "").await;
    assert_eq!((refused.status.as_u16(), refused.header("x-amzn-errortype")), (405, "ValidationError"));
    let unknown = call("POST", "/endpoints/line/invoke", "").await;
    assert_eq!((unknown.status.as_u16(), unknown.header("x-amzn-errortype")), (404, "UnknownOperationException"));
}

#[tokio::test]
async fn our_own_route_takes_csv_without_a_header_when_told_so() {
    let answer = post("/predict", &[("content-type", "text/csv; header=absent")], "1\n2\n").await;
    assert_eq!(answer.json(), json!({"y": [3.0, 5.0]}));
    let refused = post("/predict", &[("content-type", "application/jsonlines")], "[1]").await;
    assert_eq!(refused.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let read = "\"text/plain\" is not supported; send application/json, text/csv or application/jsonlines in UTF-8";
    let refused = post("/invocations", &[("content-type", "text/plain")], "x").await;
    assert!(
        refused.status == StatusCode::UNSUPPORTED_MEDIA_TYPE
            && refused.json()["message"].as_str().unwrap().ends_with(read)
    );
}
