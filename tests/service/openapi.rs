//! The `OpenAPI` document and `/docs` match the service.

use std::fs;

use axum::body::Body;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::Request;
use ordinate_test_support::in_process::{Response, application, application_with_model, call, post, send, settings};
use ordinate_test_support::root;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

async fn get(path: &str, headers: &[(&str, &str)]) -> Response {
    let request = headers.iter().fold(Request::get(path), |request, (name, value)| request.header(*name, *value));
    send(&application(settings()), request.body(Body::empty()).unwrap()).await
}

async fn document() -> Value {
    let answer = call("GET", "/openapi.json", "").await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/json"));
    answer.json()
}

/// The component that a part of the document refers to, or the part itself.
pub(crate) fn resolve<'a>(document: &'a Value, part: &'a Value) -> &'a Value {
    let Some(reference) = part["$ref"].as_str() else { return part };
    document.pointer(reference.strip_prefix('#').unwrap()).unwrap_or_else(|| panic!("{reference}"))
}

/// All operations with their paths and methods.
fn operations(document: &Value) -> impl Iterator<Item = (&String, &String, &Value)> {
    let items = document["paths"].as_object().unwrap().iter();
    items.flat_map(|(path, item)| item.as_object().unwrap().iter().map(move |(method, each)| (path, method, each)))
}

/// The contents of the request and of the answer 200 of an operation, by media type.
pub(crate) fn contents<'a>(document: &'a Value, operation: &'a Value) -> [&'a Value; 2] {
    [&operation["requestBody"], &operation["responses"]["200"]].map(|part| &resolve(document, part)["content"])
}

#[tokio::test]
async fn every_example_request_has_its_example_response() {
    let document = document().await;
    assert_eq!(document["openapi"], "3.1.0");
    let mut requests = 0;
    for (path, _, operation) in operations(&document) {
        let [request, answers] = contents(&document, operation);
        for (media_type, content) in request.as_object().into_iter().flatten() {
            for (name, example) in content["examples"].as_object().into_iter().flatten() {
                let body = example["value"].as_str().map_or_else(|| example["value"].to_string(), str::to_owned);
                let path = path.replace("{version}", "1").replace("{model}", "line").replace("{name}", "line");
                let answer = post(&path, &[("content-type", media_type)], body).await;
                assert_eq!(answer.status, 200, "{path}, {name}: {}", answer.text());
                let expected = &answers[answer.header("content-type")]["examples"][name]["value"];
                let received = if expected.is_string() { answer.text().into() } else { answer.json() };
                assert_eq!(expected, &received, "{path}, {name}");
                requests += 1;
            }
        }
    }
    assert!(requests > 70, "{requests}");
}

/// Generated clients name their types after the components, and a change of one operation leaves the others alone.
#[tokio::test]
async fn bodies_and_errors_are_named_components() {
    let document = document().await;
    for (path, method, operation) in operations(&document) {
        let [request, answer] = contents(&document, operation);
        for content in [&request["application/json"], &answer["application/json"]] {
            assert!(content.is_null() || content["schema"]["$ref"].is_string(), "{method} {path}: {content}");
        }
        for (status, response) in operation["responses"].as_object().unwrap() {
            let is_error = status.starts_with(['4', '5']);
            assert!(!is_error || response["$ref"].is_string(), "{method} {path} {status}: {response}");
        }
    }
}

/// Clients load it, and people read it: large models and many models must not make it useless.
#[tokio::test]
async fn the_document_of_four_models_is_small() {
    let answer = call("GET", "/openapi.json", "").await;
    assert!(answer.body.len() < 150_000, "{} bytes", answer.body.len());
}

/// Generators of clients fail at enumerations of several types, and at those of booleans.
#[tokio::test]
async fn enumerations_have_one_type_that_generators_support() {
    fn check(schema: &Value, count: &mut usize) {
        if let Some(values) = schema["enum"].as_array() {
            let texts = values.iter().filter(|value| !value.is_null()).all(Value::is_string);
            let integers = values.iter().all(Value::is_i64);
            assert!(texts || integers, "{schema}");
            *count += 1;
        }
        match schema {
            Value::Array(items) => items.iter().for_each(|item| check(item, count)),
            Value::Object(members) => members.values().for_each(|member| check(member, count)),
            _ => {}
        }
    }
    let mut count = 0;
    check(&document().await, &mut count);
    for file in ["typed", "people"] {
        let application = application_with_model(root().join(format!("tests/clients/{file}.json")));
        let request = Request::get("/openapi.json").body(Body::empty()).unwrap();
        check(&send(&application, request).await.json(), &mut count);
    }
    assert!(count > 30, "{count}");
}

/// Golden rows are rows of the training data, which may be personal.
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
    let [request, _] = contents(&document, &document["paths"]["/models/diabetes/predict"]["post"]);
    assert_eq!(request["application/json"]["examples"]["by_name"]["value"], json!({"X": [description["examples"][0]]}));
}

#[tokio::test]
async fn one_example_requests_all_parts_of_an_answer() {
    let document = document().await;
    let answer = |model: &str| {
        let [_, answer] = contents(&document, &document["paths"][format!("/models/{model}/predict")]["post"]);
        answer["application/json"]["examples"]["how_sure_and_why"]["value"].clone()
    };
    let keys = |answer: &Value| answer.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&answer("diabetes")), ["explanation", "interval", "interval_method", "mean_interval", "y"]);
    // A classifier has prediction sets, up to the level that its held-out rows allow.
    assert_eq!(keys(&answer("iris")), ["explanation", "interval_method", "prediction_sets", "probabilities", "y"]);
    let level = &document["components"]["schemas"]["iris.request"]["properties"]["interval"];
    assert!(level["exclusiveMinimum"] == 0 && level["maximum"].as_f64().unwrap() < 1.0, "{level}");
}

#[tokio::test]
async fn the_schemas_of_a_model_match_its_signature() {
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
    assert_eq!(
        schemas["iris.answer"]["properties"]["y"]["items"]["enum"],
        json!(["setosa", "versicolor", "virginica"])
    );
    // Relative, so that it is right with any stage or prefix.
    assert_eq!(document["servers"], json!([{"url": ".", "description": "The server of this document"}]));
}

#[tokio::test]
async fn the_description_of_a_model_matches_its_schema_and_has_example_rows() {
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
async fn the_documentation_is_one_document_and_its_policy_allows_only_its_style_and_script() {
    for (path, way) in [("/docs", "./"), ("/docs/", "./../"), ("/docs/errors", "./../")] {
        let page = get(path, &[]).await;
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        let (policy, html) = (page.header("content-security-policy"), page.text());
        assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe"), "{policy}");
        let script = html.split_once("<script type=\"module\">").and_then(|(_, rest)| rest.split_once("</script>"));
        let style = html.split_once("<style>").and_then(|(_, rest)| rest.split_once("</style>"));
        assert_eq!(script.is_some(), !path.ends_with("errors"));
        for (text, _) in script.into_iter().chain(style) {
            let hash = BASE64_STANDARD.encode(Sha256::digest(text));
            assert!(policy.contains(&format!("'sha256-{hash}'")), "{path}: {policy}");
        }
        for never in [" src=", "@import", " url(", "innerHTML", "http:", "https:", "style=\"", "{root}", "{errors}"] {
            assert!(!html.contains(never), "{path} contains {never:?}");
        }
        assert!(html.contains(&format!("href=\"{way}")), "{path}");
    }
}

/// `type` of a problem leads to the page of the errors; the documentation has the same list.
#[tokio::test]
async fn every_code_has_an_anchor_a_cause_and_a_remedy() {
    let problem = call("POST", "/predict", r#"{"X":["high"]}"#).await.json();
    let anchor = problem["type"].as_str().unwrap().split_once('#').unwrap().1.to_owned();
    let page = get("/docs/errors", &[]).await.text();
    assert!(page.contains(&format!("<article id=\"{anchor}\">")), "{anchor}");
    assert!(page.contains("<a href=\"./../docs\">"));
    let (document, docs) = (document().await, get("/docs", &[]).await.text());
    let codes = document["components"]["schemas"]["ErrorCode"]["enum"].as_array().unwrap();
    for code in codes.iter().filter_map(Value::as_str) {
        let (_, article) = docs.split_once(&format!("<article id=\"error-{code}\">")).expect(code);
        let (article, _) = article.split_once("</article>").unwrap();
        let (_, remedy) = article.split_once("<b>Remedy:</b> ").expect(code);
        assert!(remedy.len() > 14 && article.matches(". ").count() >= 1, "{article}");
    }
    assert_eq!(docs.matches("<article id=\"error-").count(), codes.len());
}
