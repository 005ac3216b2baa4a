use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::*;
use crate::http::docs::reader;
use crate::http::route::Operations;
use crate::http::routes::{PROTOCOLS, routes};
use crate::http::server::error::ErrorCode;
use crate::http::settings::{Limits, Settings};
use crate::source::catalog::Catalog;

fn document() -> Value {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let limits = Limits { max_rows: 100_000, max_body_bytes: 6_291_456, ..Limits::DEFAULT };
    let application = Application::new(Arc::new(Catalog::bundled(None).unwrap()), &Settings::new(limits));
    serde_json::from_slice(&runtime.block_on(make(&application, &PROTOCOLS, routes)).unwrap()).unwrap()
}

#[test]
fn every_route_but_those_of_the_documentation_and_the_plain_server_is_in_the_document() {
    let about = [PATH, reader::PAGE, reader::ERRORS, "/metrics"];
    let routes = PROTOCOLS.iter().flat_map(|protocol| (protocol.routes)());
    let missing = routes.filter(|route| matches!(route.operations, Operations::None)).map(|route| route.path);
    assert_eq!(missing.collect::<BTreeSet<_>>(), BTreeSet::from(about));
}

/// The component that a part of the document refers to, or the part itself.
fn resolve<'a>(document: &'a Value, part: &'a Value) -> &'a Value {
    part["$ref"].as_str().map_or(part, |reference| document.pointer(&reference[1..]).unwrap())
}

fn operations(document: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let items = document["paths"].as_object().unwrap().iter();
    items.flat_map(|(path, item)| item.as_object().unwrap().values().map(move |operation| (path, operation)))
}

#[test]
fn every_operation_has_a_tag_of_the_document() {
    let document = document();
    let tags: BTreeSet<_> = document["tags"].as_array().unwrap().iter().map(|tag| tag["name"].as_str()).collect();
    for (path, operation) in operations(&document) {
        assert!(tags.contains(&operation["tags"][0].as_str()), "{path}");
    }
}

#[test]
fn every_code_is_in_the_schema_and_in_an_operation() {
    let document = document();
    let text = document["components"]["responses"].to_string();
    for code in ErrorCode::ALL {
        // A misconfigured service has no document.
        let documented = *code != ErrorCode::Misconfigured;
        assert_eq!(text.contains(&format!("`{}`", code.as_str())), documented, "{code:?}");
    }
    let listed = document["components"]["schemas"]["ErrorCode"]["enum"].as_array().unwrap();
    assert_eq!(listed.len(), ErrorCode::ALL.len());
}

#[test]
fn every_response_has_its_headers() {
    let document = document();
    let has = |response: &Value, name| resolve(&document, &response["headers"][name]).is_object();
    for (path, operation) in operations(&document) {
        let responses = operation["responses"].as_object().unwrap().iter();
        let responses: BTreeMap<_, _> =
            responses.map(|(status, response)| (status.as_str(), resolve(&document, response))).collect();
        for (status, response) in &responses {
            assert!(has(response, "x-request-id"), "{path} {status}");
        }
        assert!(has(responses["405"], "allow"), "{path}");
        let predicts = operation.get("requestBody").is_some();
        assert_eq!(responses.get("200").is_some_and(|response| has(response, "x-ordinate-warnings")), predicts);
    }
}

#[test]
fn operation_ids_are_unique() {
    let document = document();
    let names: Vec<_> =
        operations(&document).map(|(_, operation)| operation["operationId"].as_str().unwrap()).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
}

#[test]
fn every_example_has_the_answer_of_the_service() {
    let document = document();
    let (mut count, mut without) = (0, Vec::new());
    for (path, operation) in operations(&document) {
        let names = |part: &Value| -> BTreeSet<String> {
            let contents =
                resolve(&document, part)["content"].as_object().into_iter().flat_map(|by_type| by_type.values());
            let examples = contents.filter_map(|content| content["examples"].as_object());
            examples.flat_map(|examples| examples.keys().cloned()).collect()
        };
        let (requests, answers) = (names(&operation["requestBody"]), names(&operation["responses"]["200"]));
        count += answers.len();
        if !requests.is_empty() {
            assert_eq!(answers, requests, "{path}");
        } else if answers.is_empty() {
            without.push(path.as_str());
        }
    }
    assert!(count > 80, "{count}");
    assert_eq!(without, ["/v2/repository/models/{model}/load", "/v2/repository/models/{model}/unload"]);
}
