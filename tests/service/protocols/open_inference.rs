//! Open Inference Protocol v2: requests by the specification.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use axum::Router;
use http::{Request, StatusCode};
use ordinate_model::Model;
use ordinate_model::identity::ModelName;
use ordinate_table::{Origin, Selection};
use ordinate_train::plan::{ClassPlan, PenaltyPlan};
use ordinate_train::preparation::Preparation;
use ordinate_train::solver::robust_errors::StandardErrors;
use ordinate_train::{EstimatorKind, Plan, train};
use rstest::rstest;
use serde::Serialize;
use serde_json::{Value, json};

use ordinate_test_support::in_process::{Response, application, application_with_model, call, post, send, settings};
use ordinate_test_support::root;

use crate::DIABETES;
use crate::openapi::{contents, resolve};

mod classification;
mod clients;
mod errors;

const INFER: &str = "/v2/models/line/infer";

async fn infer(path: &str, body: Value) -> Response {
    post(path, &[("content-type", "application/json")], body.to_string()).await
}

fn line(shape: impl Serialize, data: impl Serialize) -> Value {
    json!({"inputs": [{"name": "x", "shape": shape, "datatype": "FP64", "data": data}]})
}

/// The JSON of a response, and the bytes of its binary outputs.
fn parts(answer: &Response) -> (Value, HashMap<String, Vec<u8>>) {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let length = answer.header("inference-header-content-length");
    let mut body = answer.body.clone();
    if answer.header("content-encoding") == "gzip" {
        body.clear();
        flate2::read::GzDecoder::new(&answer.body[..]).read_to_end(&mut body).unwrap();
    }
    if length.is_empty() {
        return (serde_json::from_slice(&body).unwrap(), HashMap::new());
    }
    assert_eq!(answer.header("content-type"), "application/octet-stream");
    let (json, mut bytes) = body.split_at(length.parse().unwrap());
    let json: Value = serde_json::from_slice(json).unwrap();
    let mut outputs = HashMap::new();
    for output in json["outputs"].as_array().unwrap() {
        if let Some(size) = output["parameters"]["binary_data_size"].as_u64() {
            let (own, rest) = bytes.split_at(usize::try_from(size).unwrap());
            outputs.insert(output["name"].as_str().unwrap().to_owned(), own.to_vec());
            bytes = rest;
        }
    }
    assert!(bytes.is_empty());
    (json, outputs)
}

fn doubles(bytes: &[u8]) -> Vec<f64> {
    bytes.as_chunks().0.iter().map(|chunk| f64::from_le_bytes(*chunk)).collect()
}

/// The service with a model whose features are numbers, a boolean and a string.
fn typed() -> Router {
    application_with_model(root().join("tests/clients/typed.json"))
}

#[tokio::test]
async fn the_server_and_the_models_have_metadata() {
    for path in ["/v2", "/v2/"] {
        let server = call("GET", path, "").await.json();
        assert_eq!((&server["name"], &server["version"]), (&json!("ordinate"), &json!(env!("CARGO_PKG_VERSION"))));
        assert!(server["extensions"].as_array().unwrap().contains(&json!("binary_tensor_data")));
    }
    assert_eq!(call("GET", "/v2/health/live", "").await.json(), json!({"live": true}));
    assert_eq!(call("GET", "/v2/health/ready", "").await.json(), json!({"live": true, "ready": true}));
    let method = &call("GET", "/models/diabetes", "").await.json()["intervals"];
    for model in ["/v2/models/diabetes", "/v2/models/diabetes/versions/1"] {
        let ready = call("GET", &format!("{model}/ready"), "").await.json();
        assert_eq!(ready, json!({"name": "diabetes", "ready": true}));
        assert_eq!(
            call("GET", model, "").await.json(),
            json!({
                "name": "diabetes", "versions": ["1"], "platform": "ordinate_json",
                "inputs": [{"name": "X", "datatype": "FP64", "shape": [-1, 10]}],
                "outputs": [
                    {"name": "predict", "datatype": "FP64", "shape": [-1, 1]},
                    {"name": "explain", "datatype": "FP64", "shape": [-1, 10]},
                    {"name": "explain_base", "datatype": "FP64", "shape": [-1, 1]},
                    {"name": "interval", "datatype": "FP64", "shape": [-1, 2], "parameters": method},
                    {"name": "mean_interval", "datatype": "FP64", "shape": [-1, 2], "parameters": method},
                ],
            })
        );
    }
    let held = &call("GET", "/models/iris", "").await.json()["intervals"];
    let iris = call("GET", "/v2/models/iris", "").await.json();
    assert_eq!(
        iris["outputs"],
        json!([
            {"name": "predict", "datatype": "BYTES", "shape": [-1, 1]},
            {
                "name": "predict_proba", "datatype": "FP64", "shape": [-1, 3],
                "parameters": {"labels": ["setosa", "versicolor", "virginica"]},
            },
            {"name": "explain", "datatype": "FP64", "shape": [-1, 3, 4]},
            {"name": "explain_base", "datatype": "FP64", "shape": [-1, 3]},
            {
                "name": "prediction_sets", "datatype": "BOOL", "shape": [-1, 3],
                "parameters": {
                    "labels": ["setosa", "versicolor", "virginica"],
                    "method": "conformal", "held_out_rows": held["held_out_rows"], "max_level": held["max_level"],
                },
            },
        ])
    );
    let config = call("GET", "/v2/models/iris/config", "").await.json();
    assert_eq!(config["output"][0], json!({"name": "predict", "data_type": "TYPE_STRING", "dims": [-1, 1]}));
    let typed = send(&typed(), Request::get("/v2/models/typed").body("".into()).unwrap()).await.json();
    let datatypes: Vec<_> = typed["inputs"].as_array().unwrap().iter().map(|input| &input["datatype"]).collect();
    assert_eq!(datatypes, ["FP64", "FP64", "BOOL", "BYTES"]);
}

#[tokio::test]
async fn a_request_has_the_response_of_the_specification() {
    let mut body = line(json!([2, 1]), json!([1, 2]));
    body["id"] = json!("42");
    body["outputs"] = json!([{"name": "predict"}]);
    for path in [INFER, "/v2/models/line/versions/1/infer"] {
        assert_eq!(
            infer(path, body.clone()).await.json(),
            json!({
                "model_name": "line", "model_version": "1", "id": "42",
                "outputs": [{"name": "predict", "datatype": "FP64", "shape": [2, 1], "data": [3.0, 5.0]}],
            })
        );
    }
}

#[tokio::test]
async fn one_tensor_and_one_tensor_per_feature_have_the_same_predictions() {
    let model = Model::from_json(std::fs::read(root().join("model/diabetes.json")).unwrap()).unwrap();
    let named: Vec<Value> = model
        .signature()
        .features()
        .iter()
        .zip(DIABETES)
        .rev()
        .map(|(feature, value)| json!({"name": feature.name, "datatype": "FP64", "shape": [1, 1], "data": [value]}))
        .collect();
    let all = json!([{"name": "whatever", "datatype": "FP64", "shape": [1, 10], "data": [DIABETES]}]);
    let [by_name, by_position] =
        [json!(named), all].map(|inputs| infer("/v2/models/diabetes/infer", json!({"inputs": inputs})));
    let (by_name, by_position) = (by_name.await.json(), by_position.await.json());
    assert_eq!(by_name["outputs"], by_position["outputs"]);
    let ours = infer("/models/diabetes/predict", json!({"X": [DIABETES]})).await.json();
    assert_eq!(by_name["outputs"][0]["data"], ours["y"]);
}

#[tokio::test]
async fn each_output_can_choose_between_json_and_bytes() {
    let body = json!({
        "inputs": [{"name": "X", "datatype": "FP64", "shape": [1, 4], "data": [5.1, 3.5, 1.4, 0.2]}],
        "parameters": {"binary_data_output": true},
        "outputs": [{"name": "predict_proba"}, {"name": "predict", "parameters": {"binary_data": false}}],
    });
    let (json, bytes) = parts(&infer("/v2/models/iris/infer", body).await);
    assert_eq!(json["outputs"][1]["data"], json!(["setosa"]));
    assert_eq!(bytes.len(), 1);
    let probabilities = doubles(&bytes["predict_proba"]);
    assert!(probabilities.len() == 3 && (probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-12);
}

fn diabetes() -> Value {
    json!({"inputs": [{"name": "X", "datatype": "FP64", "shape": [2, 10], "data": [DIABETES, DIABETES]}]})
}

#[tokio::test]
async fn intervals_are_those_of_the_native_route_as_json_and_as_bytes() {
    let ours = |level: f64| infer("/models/diabetes/predict", json!({"X": [DIABETES, DIABETES], "interval": level}));
    let (usual, surer) = (ours(0.95).await.json(), ours(0.99).await.json());
    let flat = |ends: &Value| -> Vec<f64> { serde_json::from_value::<Vec<[f64; 2]>>(ends.clone()).unwrap().concat() };
    let mut body = diabetes();
    body["outputs"] = json!([{"name": "interval"}, {"name": "mean_interval", "parameters": {"level": 0.99}}]);
    let answer = infer("/v2/models/diabetes/infer", body.clone()).await.json();
    assert_eq!(
        answer["outputs"],
        json!([
            {
                "name": "interval", "datatype": "FP64", "shape": [2, 2], "parameters": {"level": 0.95},
                "data": flat(&usual["interval"]),
            },
            {
                "name": "mean_interval", "datatype": "FP64", "shape": [2, 2], "parameters": {"level": 0.99},
                "data": flat(&surer["mean_interval"]),
            },
        ])
    );
    // The level of the request is the default of its outputs.
    body["parameters"] = json!({"binary_data_output": true, "interval": 0.99});
    body["outputs"][1]["parameters"]["level"] = json!(0.95);
    let (json, bytes) = parts(&infer("/v2/models/diabetes/infer", body).await);
    assert_eq!(json["outputs"][0]["parameters"], json!({"level": 0.99, "binary_data_size": 32}));
    assert_eq!(doubles(&bytes["interval"]), flat(&surer["interval"]));
    assert_eq!(doubles(&bytes["mean_interval"]), flat(&usual["mean_interval"]));
}

#[tokio::test]
async fn prediction_sets_have_a_boolean_per_class() {
    let rows = json!([[5.1, 3.5, 1.4, 0.2], [6.0, 2.7, 5.1, 1.6]]);
    let ours = infer("/models/iris/predict", json!({"X": rows, "interval": 0.9})).await.json();
    let classes = ["setosa", "versicolor", "virginica"];
    let sets = ours["prediction_sets"].as_array().unwrap();
    let expected: Vec<bool> =
        sets.iter().flat_map(|set| classes.map(|class| set.as_array().unwrap().contains(&json!(class)))).collect();
    let mut body = json!({
        "inputs": [{"name": "X", "datatype": "FP64", "shape": [2, 4], "data": rows}],
        "outputs": [{"name": "prediction_sets", "parameters": {"level": 0.9}}],
    });
    let answer = infer("/v2/models/iris/infer", body.clone()).await.json();
    assert_eq!((&answer["outputs"][0]["datatype"], &answer["outputs"][0]["shape"]), (&json!("BOOL"), &json!([2, 3])));
    assert_eq!(answer["outputs"][0]["data"], json!(expected));
    body["outputs"][0]["parameters"]["binary_data"] = json!(true);
    let (_, bytes) = parts(&infer("/v2/models/iris/infer", body).await);
    assert_eq!(bytes["prediction_sets"], expected.iter().map(|truth| u8::from(*truth)).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_level_of_the_request_adds_the_interval_to_the_outputs() {
    let names = |answer: &Value| -> Vec<String> {
        answer["outputs"].as_array().unwrap().iter().map(|output| output["name"].as_str().unwrap().into()).collect()
    };
    let mut body = diabetes();
    body["parameters"] = json!({"interval": 0.9});
    let answer = infer("/v2/models/diabetes/infer", body.clone()).await.json();
    assert_eq!(names(&answer), ["predict", "interval"]);
    assert_eq!(answer["outputs"][1]["parameters"], json!({"level": 0.9}));
    body["outputs"] = json!([{"name": "explain"}]);
    assert_eq!(names(&infer("/v2/models/diabetes/infer", body.clone()).await.json()), ["explain", "interval"]);
    body["outputs"] = json!([{"name": "mean_interval"}]);
    assert_eq!(names(&infer("/v2/models/diabetes/infer", body).await.json()), ["mean_interval"]);
}

#[rstest]
#[case::level(json!({"outputs": [{"name": "interval", "parameters": {"level": 1}}]}), "between 0 and 1")]
#[case::level_that_is_text(json!({"outputs": [{"name": "interval", "parameters": {"level": "high"}}]}), "\"level\" must be a level")]
#[case::level_of_a_prediction(json!({"outputs": [{"name": "predict", "parameters": {"level": 0.9}}]}), "\"predict\" does not have a \"level\"")]
#[case::level_of_the_request(json!({"parameters": {"interval": -1}}), "between 0 and 1")]
#[case::classes(json!({"outputs": [{"name": "prediction_sets"}]}), "no output \"prediction_sets\"")]
#[case::explanation_as_a_parameter(json!({"parameters": {"explain": true}}), "request the output \"explain\"")]
#[case::level_as_a_parameter(json!({"parameters": {"level": 0.9}}), "is the parameter \"interval\"")]
#[case::interval_of_an_output(json!({"outputs": [{"name": "interval", "parameters": {"interval": 0.9}}]}), "is the parameter \"level\"")]
#[tokio::test]
async fn an_invalid_request_for_an_interval_is_rejected(#[case] request: Value, #[case] message: &str) {
    let mut body = diabetes();
    body.as_object_mut().unwrap().extend(request.as_object().unwrap().clone());
    let answer = infer("/v2/models/diabetes/infer", body).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.json()["error"].as_str().unwrap().contains(message), "{}", answer.text());
}

/// The service with a lasso `m` of the data `diabetes`, with this fraction of held-out rows.
fn lasso(folder: &Path, test_fraction: f64) -> Router {
    let file = folder.join("m.json");
    let trained = train(&Plan {
        origin: Origin { paths: vec![root().join("model/diabetes.csv")], ..Origin::default() },
        selection: Selection { target: "progression".into(), ..Selection::default() },
        preparation: Preparation::default(),
        name: ModelName::try_from("m".to_owned()).unwrap(),
        estimator: Some(EstimatorKind::Lasso),
        penalty: PenaltyPlan::default(),
        classes: ClassPlan::default(),
        standard_errors: StandardErrors::Classical,
        calibrate: true,
        test: None,
        test_fraction,
        seed: 0,
        report: false,
        created: "2026-11-23T00:00:00Z".to_owned(),
    });
    std::fs::write(&file, trained.unwrap().document.to_json().unwrap()).unwrap();
    application_with_model(file)
}

/// A request for all outputs of the metadata succeeds: the default level is at most the maximum of the model.
#[tokio::test]
async fn the_default_level_is_at_most_the_maximum_of_the_model() {
    let folder = tempfile::tempdir().unwrap();
    let application = lasso(folder.path(), 0.02);
    let metadata = send(&application, Request::get("/v2/models/m").body("".into()).unwrap()).await.json();
    let listed = metadata["outputs"].as_array().unwrap().iter().find(|output| output["name"] == "interval").unwrap();
    let max_level = listed["parameters"]["max_level"].as_f64().unwrap();
    assert!(max_level < 0.95, "{metadata}");
    let mut body = diabetes();
    body["outputs"] = json!([{"name": "interval"}]);
    let request = Request::post("/v2/models/m/infer").body(body.to_string().into()).unwrap();
    let answer = send(&application, request).await.json();
    assert_eq!(answer["outputs"][0]["parameters"], json!({"level": max_level}), "{answer}");
    let document = send(&application, Request::get("/openapi.json").body("".into()).unwrap()).await.json();
    let parameters = document["paths"]["/models/m/predict"]["post"]["parameters"].as_array().unwrap();
    let mut parameters = parameters.iter().map(|parameter| resolve(&document, parameter));
    let interval = parameters.find(|parameter| parameter["name"] == "interval").unwrap();
    assert_eq!(interval["schema"]["maximum"], json!(max_level));
    let [request, _] = contents(&document, &document["paths"]["/v2/models/{model}/infer"]["post"]);
    let examples = &request["application/json"]["examples"];
    assert!(examples["all_outputs"].is_object(), "{examples}");
}

#[tokio::test]
async fn a_model_without_intervals_rejects_requests_for_them() {
    let folder = tempfile::tempdir().unwrap();
    let application = lasso(folder.path(), 0.0);
    let request = |path: &str, body: &Value| Request::post(path).body(body.to_string().into()).unwrap();
    for requested in [json!({"outputs": [{"name": "interval"}]}), json!({"parameters": {"interval": 0.9}})] {
        let mut body = diabetes();
        body.as_object_mut().unwrap().extend(requested.as_object().unwrap().clone());
        let answer = send(&application, request("/v2/models/m/infer", &body)).await;
        let error = answer.json()["error"].as_str().unwrap_or_default().to_owned();
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text());
        assert!(error.starts_with("the model m has no prediction intervals"), "{error}");
    }
    let metadata = send(&application, Request::get("/v2/models/m").body("".into()).unwrap()).await.json();
    assert!(!metadata.to_string().contains("interval"), "{metadata}");
}

#[tokio::test]
async fn a_body_may_repeat_the_name_and_the_version_of_the_path() {
    for (name, version) in [(json!("line"), json!("1")), (json!("line"), json!("")), (json!(null), json!(null))] {
        let mut body = line(json!([1, 1]), json!([1]));
        (body["model_name"], body["model_version"]) = (name, version);
        assert_eq!(infer(INFER, body).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn the_content_type_of_bytes_may_have_a_charset() {
    let body = line(json!([1, 1]), json!([1])).to_string();
    let answer = post(INFER, &[("content-type", "application/octet-stream; charset=utf-8")], body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
}

#[tokio::test]
async fn an_id_is_repeated_up_to_its_maximum_length() {
    let with_id = |length: usize| {
        let mut body = line(json!([1, 1]), json!([1]));
        body["id"] = json!("i".repeat(length));
        infer(INFER, body)
    };
    assert_eq!(with_id(1024).await.json()["id"].as_str().map(str::len), Some(1024));
    let error = with_id(1025).await;
    assert_eq!(error.status, StatusCode::BAD_REQUEST);
    assert_eq!(error.json()["error"], "\"id\" must have at most 1024 bytes, got 1025");
}

#[tokio::test]
async fn statistics_count_the_requests_of_this_process() {
    let application = application(settings());
    let request = |path: &str, body: Value| Request::post(path).body(body.to_string().into()).unwrap();
    for body in [line(json!([2, 1]), json!([1, 2])), line(json!([2, 1]), json!([1]))] {
        send(&application, request(INFER, body)).await;
    }
    // Requests of other protocols are counted too.
    send(&application, request("/predict", json!({"X": [1]}))).await;
    let stats = send(&application, Request::get("/v2/models/line/stats").body("".into()).unwrap()).await.json();
    let stats = &stats["model_stats"][0];
    assert_eq!((&stats["inference_count"], &stats["execution_count"]), (&json!(3), &json!(2)));
    let counted = |part: &str| stats["inference_stats"][part]["count"].as_u64().unwrap();
    assert_eq!((counted("success"), counted("fail"), counted("compute_infer")), (2, 1, 2));
    assert!(stats["last_inference"].as_u64().unwrap() > 1_700_000_000_000);
    let all = send(&application, Request::get("/v2/models/stats").body("".into()).unwrap()).await.json();
    assert_eq!(all["model_stats"].as_array().unwrap().len(), 1, "the loaded models");
}
