//! Open Inference Protocol v2: requests by the specification, and recorded requests of tritonclient and kserve.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use axum::Router;
use http::{Request, StatusCode};
use ordinate_model::Model;
use ordinate_model::identity::ModelName;
use ordinate_table::{Origin, Selection};
use ordinate_train::plan::PenaltyPlan;
use ordinate_train::preparation::Preparation;
use ordinate_train::{EstimatorKind, Plan, train};
use rstest::rstest;
use serde::Serialize;
use serde_json::{Value, json};

use ordinate_test_support::in_process::{Response, application, application_with_model, call, post, send, settings};
use ordinate_test_support::root;

use crate::DIABETES;
use crate::recorded::recorded_as;

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
    let model = Model::from_json(&std::fs::read(root().join("model/diabetes.json")).unwrap()).unwrap();
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
    let interval = parameters.iter().find(|parameter| parameter["name"] == "interval").unwrap();
    assert_eq!(interval["schema"]["maximum"], json!(max_level));
    let examples =
        &document["paths"]["/v2/models/m/infer"]["post"]["requestBody"]["content"]["application/json"]["examples"];
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
        assert!(error.starts_with("the model m has no intervals"), "{error}");
    }
    let metadata = send(&application, Request::get("/v2/models/m").body("".into()).unwrap()).await.json();
    assert!(!metadata.to_string().contains("interval"), "{metadata}");
}

#[rstest]
#[case::unknown_model("/v2/models/none/infer", line(json!([1, 1]), json!([1])), 404, "no model")]
#[case::unknown_version("/v2/models/line/versions/7/infer", line(json!([1, 1]), json!([1])), 404, "no version")]
#[case::wrong_shape(INFER, line(json!([2, 1]), json!([1])), 400, "expected 2 values by the shape, got 1")]
#[case::hostile_shape(INFER, line(json!([i64::MAX, i64::MAX]), json!([1])), 400, "is not possible")]
#[case::not_a_number(INFER, line(json!([1, 1]), json!([true])), 400, "got true")]
#[case::no_inputs(INFER, json!({"id": "42"}), 400, "\"inputs\"")]
#[case::load("/v2/repository/models/line/load", json!({}), 400, "clients cannot load or unload models")]
#[case::unload("/v2/repository/models/line/unload", json!({}), 400, "clients cannot load or unload models")]
#[tokio::test]
async fn errors_have_one_key(#[case] path: &str, #[case] body: Value, #[case] status: u16, #[case] message: &str) {
    let answer = infer(path, body).await;
    assert_eq!(answer.status.as_u16(), status, "{}", answer.text());
    let error = answer.json();
    assert_eq!(error.as_object().unwrap().len(), 1);
    assert!(error["error"].as_str().unwrap().contains(message), "{error}");
}

#[rstest]
#[case::unknown(json!({"name": "explain_all"}), "no output")]
#[case::classification(json!({"name": "predict", "parameters": {"classification": 3}}), "not supported")]
#[case::shared_memory(json!({"name": "predict", "parameters": {"shared_memory_region": "r"}}), "not supported")]
#[tokio::test]
async fn an_unknown_or_unsupported_output_is_rejected(#[case] output: Value, #[case] message: &str) {
    let mut body = line(json!([1, 1]), json!([1]));
    body["outputs"] = json!([output]);
    let answer = infer(INFER, body).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(answer.json()["error"].as_str().unwrap().contains(message));
}

#[rstest]
#[case::parameters_that_are_a_list("parameters", json!([true]), "\"parameters\" must be an object such as {\"binary_data_output\": true}, got an array")]
#[case::a_parameter("parameters", json!({"binary_data_output": 1}), "\"binary_data_output\" must be true or false, got 1")]
#[case::outputs_that_are_lists("outputs", json!([["predict", null]]), "expected an output with a \"name\", an object, got an array")]
#[case::outputs_that_are_not_a_list("outputs", json!("predict"), "\"outputs\" must be a list of objects with a \"name\", got the string \"predict\"")]
#[case::an_output_without_a_name("outputs", json!([{}]), "an output has no \"name\"")]
#[case::another_model("model_name", json!("iris"), "\"model_name\" is \"iris\", but the path is that of the model \"line\", version \"1\"")]
#[case::another_version("model_version", json!("2"), "\"model_version\" is \"2\", but the path is that of the model \"line\", version \"1\"")]
#[tokio::test]
async fn the_error_of_an_invalid_member_names_it(#[case] key: &str, #[case] value: Value, #[case] message: &str) {
    let mut body = line(json!([1, 1]), json!([1]));
    body[key] = value;
    let answer = infer(INFER, body).await;
    assert_eq!((answer.status.as_u16(), answer.json()), (400, json!({"error": message})));
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
async fn parameters_of_an_input_are_an_object_of_valid_values() {
    for (parameters, message) in [
        (json!([8, null]), "\"parameters\" must be an object such as {\"binary_data_size\": 8}, got an array"),
        (json!({"binary_data_size": -1}), "\"binary_data_size\" must be a non-negative whole number of bytes, got -1"),
    ] {
        let mut body = line(json!([1, 1]), json!([1]));
        body["inputs"][0]["parameters"] = parameters;
        assert_eq!(infer(INFER, body).await.json(), json!({"error": message}));
    }
}

#[tokio::test]
async fn the_error_of_bytes_without_a_json_length_names_the_header() {
    let body = [br#"{"inputs": []}"#.as_slice(), &1.5_f64.to_le_bytes()].concat();
    let answer = post(INFER, &[], body).await;
    let error = answer.json()["error"].as_str().unwrap().to_owned();
    assert!(error.ends_with("send its length in the header Inference-Header-Content-Length"), "{error}");
}

#[tokio::test]
async fn the_error_of_values_of_another_datatype_names_row_and_feature_and_counts_all() {
    let mut data = vec![json!(1); 40];
    (data[2], data[37]) = (json!(true), json!("x"));
    let inputs = json!([{"name": "X", "shape": [4, 10], "datatype": "FP64", "data": data}]);
    let answer = infer("/v2/models/diabetes/infer", json!({"inputs": inputs})).await;
    let message = "row 0: feature \"bmi\" expected a number, got true (and 1 more)";
    assert_eq!((answer.status.as_u16(), answer.json()), (400, json!({"error": message})));
}

#[tokio::test]
async fn the_content_type_of_bytes_may_have_a_charset() {
    let body = line(json!([1, 1]), json!([1])).to_string();
    let answer = post(INFER, &[("content-type", "application/octet-stream; charset=utf-8")], body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
}

#[tokio::test]
async fn an_invalid_json_length_is_rejected() {
    let body = line(json!([1, 1]), json!([1])).to_string();
    for length in ["x", "-1", "99999"] {
        let answer = post(INFER, &[("inference-header-content-length", length)], body.clone()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text());
        assert!(answer.json()["error"].is_string());
    }
    assert_eq!(post(INFER, &[("content-type", "text/csv")], "x\n1").await.status.as_u16(), 415);
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
    assert_eq!(all["model_stats"].as_array().unwrap().len(), 4);
    assert_eq!(all["model_stats"][1]["inference_count"], 0);
}

#[tokio::test]
async fn the_first_unknown_name_is_reported_and_all_are_counted() {
    let inputs: Vec<Value> = (0..600)
        .map(|feature| json!({"name": format!("f{feature}"), "datatype": "FP64", "shape": [1], "data": [1]}))
        .collect();
    let answer = infer(INFER, json!({"inputs": inputs})).await;
    assert!(answer.json()["error"].as_str().unwrap().contains("(and 600 more)"), "{}", answer.text());
}

/// The service with a model whose features are numbers, a boolean and a string.
fn typed() -> Router {
    application_with_model(root().join("tests/clients/typed.json"))
}

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
