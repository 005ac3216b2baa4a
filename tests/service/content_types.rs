//! Content types of requests: the usual ones are read, and the error of others leads to the right one.

use ordinate_test_support::in_process::post;
use rstest::rstest;

#[rstest]
#[case::none(&[])]
#[case::json(&[("content-type", "application/json")])]
#[case::json_with_charset(&[("content-type", "Application/JSON; charset=UTF-8")])]
#[case::default_of_curl(&[("content-type", "application/x-www-form-urlencoded")])]
#[case::string_of_fetch(&[("content-type", "text/plain;charset=UTF-8")])]
#[case::text_json(&[("content-type", "text/json")])]
#[case::json_api(&[("content-type", "application/vnd.api+json")])]
#[case::problem(&[("content-type", "application/problem+json; charset=utf-8")])]
#[case::unknown_bytes(&[("content-type", "application/octet-stream")])]
#[case::identity(&[("content-encoding", "identity")])]
#[tokio::test]
async fn json_is_accepted_with_every_usual_content_type(#[case] headers: &[(&str, &str)]) {
    let answer = post("/predict", headers, r#"{"X":[1]}"#).await;
    assert_eq!(answer.text(), r#"{"y":[3.0]}"#);
}

#[rstest]
#[case::registered("text/csv")]
#[case::common("application/csv")]
#[case::declared("application/csv; header=present")]
#[case::unknown_bytes("application/octet-stream")]
#[tokio::test]
async fn csv_is_accepted_with_every_usual_content_type(#[case] content_type: &str) {
    let answer = post("/predict", &[("content-type", content_type)], "x\n1\n").await;
    assert_eq!(answer.text(), r#"{"y":[3.0]}"#);
}

/// The routes of the other protocols that read JSON.
#[rstest]
#[case("/v1/models/line:predict", r#"{"instances": [1]}"#)]
#[case("/v2/models/line/infer", r#"{"inputs": [{"name": "x", "shape": [1], "datatype": "FP64", "data": [1]}]}"#)]
#[case("/vertex/predict", r#"{"instances": [1]}"#)]
#[case("/invocations", r#"{"inputs": [1]}"#)]
#[case("/endpoints/line/invocations", r#"{"instances": [{"features": [1]}]}"#)]
#[case("/mcp", r#"{"jsonrpc": "2.0", "id": 1, "method": "ping"}"#)]
#[tokio::test]
async fn every_protocol_reads_json_under_these_types(#[case] path: &str, #[case] body: &'static str) {
    for content_type in ["text/plain;charset=UTF-8", "application/vnd.api+json", "application/x-www-form-urlencoded"] {
        let answer = post(path, &[("content-type", content_type)], body).await;
        assert_eq!(answer.status, 200, "{content_type}: {}", answer.text());
    }
}

/// A header and a row of each bundled model's CSV.
#[rstest]
#[case("line", "x", "2")]
#[case("diabetes", "age,sex,bmi,bp,s1,s2,s3,s4,s5,s6", "59,2,32.1,101,157,93.2,38,4,4.8598,87")]
#[case("iris", "sepal_length,sepal_width,petal_length,petal_width", "5.1,3.5,1.4,0.2")]
#[tokio::test]
async fn the_error_of_csv_with_the_wrong_content_type_has_the_right_one(
    #[case] model: &str,
    #[case] header: &str,
    #[case] row: &str,
) {
    let path = format!("/models/{model}/predict");
    let (with_header, without) = (format!("{header}\n{row}\n{row}\n"), format!("{row}\n{row}\n"));
    let curl = Some("application/x-www-form-urlencoded");
    for (sent, body, content_type) in [
        (None, &with_header, "text/csv"),
        (curl, &with_header, "text/csv"),
        (Some("application/json"), &with_header, "text/csv"),
        (curl, &without, "text/csv; header=absent"),
        (Some("text/csv"), &without, "text/csv; header=absent"),
    ] {
        let headers: Vec<_> = sent.into_iter().map(|sent| ("content-type", sent)).collect();
        let problem = post(&path, &headers, body.clone()).await.json();
        let detail = problem["detail"].as_str().unwrap();
        let advised = detail.rsplit_once("send Content-Type: ").expect(detail).1;
        let advised = advised.split(" (and ").next().unwrap();
        assert_eq!(advised, content_type, "{detail}");
        let answer = post(&path, &[("content-type", advised)], body.clone()).await;
        assert_eq!(answer.json()["y"].as_array().map(Vec::len), Some(2), "{detail}");
    }
}

#[rstest]
#[case::json("application/json", r#"{"X": [1,}"#)]
#[case::a_list("application/json", "[1, 2]")]
#[case::a_misspelt_header("text/csv", "X\n1\n")]
#[case::text("application/json", "hello, world")]
#[tokio::test]
async fn the_error_of_other_bodies_has_no_advice_on_the_content_type(#[case] content_type: &str, #[case] body: &str) {
    let problem = post("/predict", &[("content-type", content_type)], body.to_owned()).await.json();
    assert!(!problem["detail"].as_str().unwrap().contains("Content-Type"), "{problem}");
}

#[rstest]
#[case::xml(&[("content-type", "application/xml")], "unsupported_media_type")]
#[case::latin1(&[("content-type", "application/json; charset=iso-8859-1")], "unsupported_media_type")]
#[case::brotli(&[("content-encoding", "br")], "unsupported_encoding")]
#[tokio::test]
async fn an_unsupported_type_or_encoding_is_a_415_that_lists_the_supported_ones(
    #[case] headers: &[(&str, &str)],
    #[case] code: &str,
) {
    let answer = post("/predict", headers, r#"{"X":[1]}"#).await;
    assert_eq!(answer.status, 415);
    assert_eq!(answer.json()["code"], code);
    let detail = answer.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("application/json") || detail.contains("gzip"), "{detail}");
}
