//! The documentation of the service matches the service: the `OpenAPI` document, `/docs`, and docs/API.md.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::fs;

use axum::body::Body;
use http::Request;
use serde_json::{Value, json};
use support::in_process::{Answer, application, ask, call, post, settings};
use support::root;

async fn get(path: &str, headers: &[(&str, &str)]) -> Answer {
    let request = headers.iter().fold(Request::get(path), |request, (name, value)| request.header(*name, *value));
    ask(&application(settings()), request.body(Body::empty()).unwrap()).await
}

async fn document() -> Value {
    let answer = call("GET", "/openapi.json", "").await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/json"));
    answer.json()
}

#[tokio::test]
async fn every_example_of_a_request_is_answered_as_its_example_says() {
    let document = document().await;
    assert_eq!(document["openapi"], "3.1.0");
    let mut asked = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (media_type, content) in item["post"]["requestBody"]["content"].as_object().into_iter().flatten() {
            for (name, example) in content["examples"].as_object().into_iter().flatten() {
                let body = example["value"].as_str().map_or_else(|| example["value"].to_string(), str::to_owned);
                let path = path.replace("{version}", "1");
                let answer = post(&path, &[("content-type", media_type)], body).await;
                assert_eq!(answer.status, 200, "{path}, {name}: {}", answer.text());
                let promised = &item["post"]["responses"]["200"]["content"][answer.header("content-type")];
                let promised = &promised["examples"][name]["value"];
                let answered = if promised.is_string() { answer.text().into() } else { answer.json() };
                assert_eq!(promised, &answered, "{path}, {name}");
                asked += 1;
            }
        }
    }
    assert!(asked > 100, "{asked}");
}

/// A golden row is a row of the training data, and may be somebody.
#[tokio::test]
async fn no_example_is_a_row_of_the_training_data() {
    let document = document().await;
    let text = document.to_string();
    for name in ["diabetes", "iris", "breast-cancer"] {
        let file = fs::read(root().join(format!("model/{name}.json"))).unwrap();
        let model: Value = serde_json::from_slice(&file).unwrap();
        for row in model["golden"]["X"].as_array().unwrap() {
            let row = row.to_string();
            assert!(!text.contains(row.trim_matches(['[', ']'])), "{name}: {row}");
        }
    }
    let description = call("GET", "/models/diabetes", "").await.json();
    let body = &document["paths"]["/models/diabetes/predict"]["post"]["requestBody"]["content"]["application/json"];
    assert_eq!(body["examples"]["rows_by_name"]["value"], json!({"X": [description["typical"]]}));
}

#[tokio::test]
async fn an_example_asks_for_all_that_a_model_can_tell() {
    let document = document().await;
    let answer = |model: &str| {
        let content = &document["paths"][format!("/models/{model}/predict")]["post"]["responses"]["200"]["content"];
        content["application/json"]["examples"]["how_sure_and_why"]["value"].clone()
    };
    let keys = |answer: &Value| answer.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&answer("diabetes")), ["explanation", "interval", "interval_method", "mean_interval", "y"]);
    // A classifier says its sureness by prediction sets, as far as its held-out rows reach.
    assert_eq!(keys(&answer("iris")), ["explanation", "interval_method", "prediction_sets", "probabilities", "y"]);
    let asked = &document["paths"]["/models/iris/predict"]["post"]["requestBody"]["content"]["application/json"];
    let level = &asked["schema"]["properties"]["interval"];
    assert!(level["exclusiveMinimum"] == 0 && level["maximum"].as_f64().unwrap() < 1.0, "{level}");
}

#[tokio::test]
async fn a_models_schemas_say_what_its_signature_says() {
    let document = document().await;
    let schemas = &document["components"]["schemas"];
    let row = &schemas["diabetes.row"];
    assert_eq!(
        row["properties"]["age"],
        json!({"type": "number", "description": "from 19 to 79 in the training data"})
    );
    assert_eq!(row["required"].as_array().unwrap().len(), 10);
    assert_eq!(row["additionalProperties"], false);
    let values = &schemas["diabetes.values"];
    assert_eq!((&values["minItems"], &values["maxItems"]), (&json!(10), &json!(10)));
    assert_eq!(schemas["iris.prediction"]["items"]["enum"], json!(["setosa", "versicolor", "virginica"]));
    // Wherever the document was found, stage and all.
    assert_eq!(document["servers"], json!([{"url": ".", "description": "Where this document was found"}]));
}

#[tokio::test]
async fn a_description_is_what_its_schema_says_with_rows_to_begin_with() {
    let document = document().await;
    let schema = &document["components"]["schemas"]["Model"];
    for (name, intervals) in [
        ("line", json!({"method": "student-t"})),
        ("diabetes", json!({"method": "student-t"})),
        ("iris", json!({"method": "conformal", "held_out_rows": 33, "max_level": 33.0 / 34.0})),
    ] {
        let described = get(&format!("/models/{name}"), &[]).await.json();
        for key in schema["required"].as_array().unwrap() {
            assert!(described.get(key.as_str().unwrap()).is_some(), "{name} has no {key}");
        }
        for key in described.as_object().unwrap().keys() {
            assert!(schema["properties"].get(key).is_some(), "{key} of {name} is not in the schema");
        }
        assert_eq!(described["intervals"], intervals, "{name}");
        let examples = described["examples"].as_array().unwrap();
        assert_eq!(examples.len(), 8);
        let answer = post(&format!("/models/{name}/predict"), &[], json!({"X": examples}).to_string()).await.json();
        assert_eq!((answer["y"].as_array().unwrap().len(), answer.get("warnings")), (8, None), "{name}");
    }
}

#[tokio::test]
async fn the_page_loads_nothing_from_elsewhere() {
    let page = get("/docs", &[]).await;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(page.header("content-security-policy").starts_with("default-src 'none'; script-src 'self' 'sha256-"));
    assert!(page.text().contains("<base href=\"./\">") && !page.text().contains("http"), "{}", page.text());
    assert!(get("/docs/", &[]).await.text().contains("<base href=\"./../\">"));
}

#[tokio::test]
async fn the_reader_is_sent_packed_to_whoever_takes_that_and_unpacked_to_others() {
    let page = get("/docs", &[]).await.text();
    let source = page.split_once("type=\"module\" src=\"").unwrap().1.split_once('"').unwrap().0;
    let path = format!("/{source}");
    let packed = get(&path, &[("accept-encoding", "gzip, br")]).await;
    assert_eq!((packed.status.as_u16(), packed.header("content-encoding")), (200, "gzip"));
    let plain = get(&path, &[]).await;
    assert_eq!((plain.status.as_u16(), plain.header("content-encoding")), (200, ""));
    assert_eq!(plain.header("content-type"), "text/javascript; charset=utf-8");
    let mut unpacked = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&packed.body[..]), &mut unpacked).unwrap();
    assert!(unpacked == plain.body && plain.text().contains("rapi-doc"));
}

#[tokio::test]
async fn every_error_has_an_anchor() {
    let refused = call("POST", "/predict", r#"{"X":["high"]}"#).await.json();
    let anchor = refused["type"].as_str().unwrap().split_once('#').unwrap().1.to_owned();
    let page = get("/docs/errors", &[]).await.text();
    assert!(page.contains(&format!("<tr id=\"{anchor}\">")), "{anchor}");
    assert!(page.contains("<a href=\"./../docs\">"));
}
