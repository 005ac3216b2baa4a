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
#[case::long_form(
    "application/json",
    r#"{"instances": [{"data": {"features": {"values": [1]}}}, {"data": {"features": {"shape": [1], "values": [2]}}}]}"#
)]
#[case::bare_lists("application/json", "[[1], [2]]")]
#[case::bare_values("application/json", "[1, 2]")]
#[case::bare_rows_by_name("application/json", r#"[{"x": 1}, {"x": 2}]"#)]
#[case::bare_wrapped_rows("application/json", r#"[{"features": [1]}, {"data": {"features": {"values": [2]}}}]"#)]
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
    let long = "{\"data\": {\"features\": {\"values\": [1]}}}\n{\"data\": {\"features\": {\"values\": [2]}}}\n";
    for body in ["{\"features\": [1]}\n{\"features\": [2]}\n", long, "{\"x\": 1}\n{\"x\": 2}", "[1]\n[2]"] {
        for path in ["/invocations", "/endpoints/line/invocations"] {
            let answer = ask(path, LINES, "*/*", body).await;
            assert_eq!(
                (answer.text().as_str(), answer.header("content-type")),
                ("{\"score\":3.0}\n{\"score\":5.0}\n", LINES)
            );
        }
    }
}

/// One row without a list around it: `JSONSerializer` sends a vector like this, and the long form has such a body.
#[rstest]
#[case("[5.1, 3.5, 1.4, 0.2]")]
#[case("[[5.1, 3.5, 1.4, 0.2]]")]
#[case(r#"{"data": {"features": {"values": [5.1, 3.5, 1.4, 0.2]}}}"#)]
#[tokio::test]
async fn a_single_row_of_several_features_needs_no_list_around_it(#[case] body: &'static str) {
    let answer = ask("/endpoints/iris/invocations", "application/json", "*/*", body).await.json();
    assert_eq!(answer["predictions"].as_array().map(Vec::len), Some(1), "{answer}");
    assert_eq!(answer["predictions"][0]["predicted_label"], "setosa");
}

/// A file as `numpy.save` writes an array of doubles.
fn npy(shape: &str, values: &[f64]) -> Vec<u8> {
    let header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}");
    let padded = format!("{header:<117}\n");
    let values = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    [b"\x93NUMPY\x01\x00\x76\x00".to_vec(), padded.into_bytes(), values].concat()
}

const NPY: &str = "application/x-npy";

#[tokio::test]
async fn an_array_of_numpy_is_answered_with_an_array_of_predictions() {
    for path in ["/invocations", "/endpoints/line/invocations"] {
        for (shape, content_type) in [("(2, 1)", NPY), ("(2,)", NPY), ("(2, 1)", "application/octet-stream")] {
            let answer = ask(path, content_type, "*/*", npy(shape, &[1.0, 2.0])).await;
            assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, NPY), "{}", answer.text());
            // The same bytes as `numpy.save(file, numpy.array([3.0, 5.0]))` of numpy 2.4.
            assert_eq!(answer.body, npy("(2,)", &[3.0, 5.0]));
        }
    }
    let json = ask("/endpoints/line/invocations", NPY, "application/json", npy("(1, 1)", &[1.0])).await;
    assert_eq!(json.json(), json!({"predictions": [{"score": 3.0}]}));
}

#[tokio::test]
async fn an_array_of_labels_has_strings_of_the_longest_label() {
    let rows = npy("(2, 4)", &[5.1, 3.5, 1.4, 0.2, 6.3, 3.3, 6.0, 2.5]);
    let answer = ask("/endpoints/iris/invocations", NPY, NPY, rows).await;
    let header = "{'descr': '<U10', 'fortran_order': False, 'shape': (2,), }";
    assert_eq!(&answer.body[10..10 + header.len()], header.as_bytes());
    assert_eq!((answer.body.len(), answer.body[127]), (128 + 2 * 10 * 4, b'\n'));
    let characters = answer.body[128..].chunks(4).map(|code| char::from(code[0]));
    assert_eq!(characters.collect::<String>(), "setosa\0\0\0\0virginica\0");
}

#[tokio::test]
async fn an_array_can_be_compressed() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, &npy("(1, 1)", &[1.0])).unwrap();
    let headers = [("content-type", NPY), ("content-encoding", "gzip"), ("accept", "text/csv")];
    assert_eq!(post("/invocations", &headers, encoder.finish().unwrap()).await.text(), "3.0\n");
    // A gateway can decompress a body and keep the header.
    assert_eq!(post("/invocations", &headers, npy("(1, 1)", &[1.0])).await.text(), "3.0\n");
}

/// `SageMaker`'s callers know its forms, and not the keys of `MLflow`.
#[rstest]
#[case(
    r#"{"rows": [[1]]}"#,
    "unknown key \"rows\"; the keys are \"instances\", \"data\", \"params\"; send the rows under one of the keys \"instances\", \"data\""
)]
#[case("{}", "missing rows; send them under one of the keys \"instances\", \"data\"")]
#[case("3", "expected an object such as {\"instances\": [{\"features\": […]}]}, got the number 3")]
#[case("", "the body is empty; send an object such as {\"instances\": [{\"features\": […]}]}")]
#[case("x", "send an object such as {\"instances\": [{\"features\": […]}]}")]
#[case(r#"{"data": [[1]]}"#, "\"data\" must be an object such as {\"features\": {\"values\": […]}}, got an array")]
#[case(
    r#"{"data": {"values": [1]}}"#,
    "row 0: unexpected key \"values\"; a row is {\"data\": {\"features\": {\"values\": […]}}}"
)]
#[case(
    r#"{"data": {"features": {"keys": [0], "shape": [1], "values": [1]}}}"#,
    "row 0: sparse rows (\"keys\") are not supported; send the values of all features"
)]
#[case(r#"{"instances": [{"data": {"features": {"values": [1, 2]}}}]}"#, "row 0: expected 1 value (x), got 2")]
#[case("[[1, 2]]", "row 0: expected 1 value (x), got 2")]
#[case("[]", "there are no rows to predict")]
#[tokio::test]
async fn errors_name_the_forms_of_sagemaker(#[case] body: &'static str, #[case] message: &str) {
    let answer = ask("/endpoints/line/invocations", "application/json", "*/*", body).await;
    assert_eq!(answer.status, 400);
    let got = answer.json()["Message"].as_str().unwrap().to_owned();
    assert!(got.contains(message) && !got.contains("dataframe"), "{got}");
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
#[case("text/csv, */*", "text/csv", "3.0\n5.0\n")]
#[case("application/json;q=0, */*;q=0.1", LINES, "{\"score\":3.0}\n{\"score\":5.0}\n")]
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
    let array = post("/predict", &[("content-type", NPY)], npy("(1,)", &[1.0])).await;
    assert_eq!(array.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let read = "\"text/html\" is not supported; send application/json, text/csv, application/jsonlines or application/x-npy \
                in UTF-8";
    let html = post("/invocations", &[("content-type", "text/html")], "x").await;
    assert!(
        html.status == StatusCode::UNSUPPORTED_MEDIA_TYPE && html.json()["message"].as_str().unwrap().ends_with(read),
        "{}",
        html.text()
    );
}
