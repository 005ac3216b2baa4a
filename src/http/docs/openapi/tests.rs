use std::collections::BTreeSet;

use serde_json::Value;

use super::*;
use crate::http::docs::reader;
use crate::http::route::Operations;
use crate::http::routes::{PROTOCOLS, routes};
use crate::http::server::error::ErrorCode;
use crate::http::settings::{AllowedOrigins, Limits};
use crate::source::catalog::Catalog;

fn document() -> Value {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let limits = Limits { max_rows: 100_000, max_body_bytes: 6_291_456, ..Limits::DEFAULT };
    let application = Application::new(Arc::new(Catalog::bundled(None).unwrap()), limits, AllowedOrigins::Off);
    serde_json::from_slice(&runtime.block_on(make(&application, &PROTOCOLS, routes)).unwrap()).unwrap()
}

#[test]
fn every_route_but_those_of_the_documentation_is_in_the_document() {
    let about = [PATH, reader::PAGE, reader::ERRORS, reader::READER];
    let routes = PROTOCOLS.iter().flat_map(|protocol| (protocol.routes)());
    let missing = routes.filter(|route| matches!(route.operations, Operations::None)).map(|route| route.path);
    assert_eq!(missing.collect::<BTreeSet<_>>(), BTreeSet::from(about));
}

#[test]
fn every_operation_has_a_tag_of_the_document() {
    let document = document();
    let tags: BTreeSet<_> = document["tags"].as_array().unwrap().iter().map(|tag| tag["name"].as_str()).collect();
    let paths = document["paths"].as_object().unwrap().values();
    for operation in paths.flat_map(|item| item.as_object().unwrap().values()) {
        assert!(tags.contains(&operation["tags"][0].as_str()), "{operation}");
    }
}

#[test]
fn every_code_is_in_the_list_the_schema_and_an_operation() {
    let document = document();
    let list = document["info"]["description"].as_str().unwrap();
    let text = document["paths"].to_string();
    for code in ErrorCode::ALL {
        assert!(list.contains(&format!("- [`{}`]", code.as_str())), "{code:?}");
        // A misconfigured service has no document.
        let documented = *code != ErrorCode::Misconfigured;
        assert_eq!(text.contains(&format!("`{}`", code.as_str())), documented, "{code:?}");
    }
    let listed = document["components"]["schemas"]["Problem"]["properties"]["code"]["enum"].as_array().unwrap();
    assert_eq!(listed.len(), ErrorCode::ALL.len());
}

#[test]
fn every_response_has_its_headers() {
    let document = document();
    let operations =
        document["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values());
    for operation in operations {
        let responses = operation["responses"].as_object().unwrap();
        for (status, response) in responses {
            assert!(response["headers"]["x-request-id"].is_object(), "{status}: {operation}");
        }
        assert!(responses["405"]["headers"]["allow"].is_object(), "{operation}");
        let predicts = operation.get("requestBody").is_some();
        assert_eq!(
            responses.get("200").is_some_and(|response| response["headers"]["x-ordinate-warnings"].is_object()),
            predicts
        );
    }
}

#[test]
fn operation_ids_are_unique() {
    let document = document();
    let operations =
        document["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values());
    let names: Vec<_> = operations.map(|operation| operation["operationId"].as_str().unwrap()).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
}

#[test]
fn every_example_has_the_answer_of_the_service() {
    let document = document();
    let (mut count, mut without) = (0, Vec::new());
    for (path, item) in document["paths"].as_object().unwrap() {
        for operation in item.as_object().unwrap().values() {
            let answers = operation["responses"]["200"]["content"].as_object();
            let answers: BTreeSet<&String> = answers
                .into_iter()
                .flat_map(|contents| contents.values())
                .filter_map(|content| content["examples"].as_object())
                .flat_map(|examples| examples.keys())
                .collect();
            let contents = operation["requestBody"]["content"].as_object();
            let named = contents.into_iter().flat_map(|contents| contents.values());
            let named: BTreeSet<&String> = named
                .filter_map(|content| content["examples"].as_object())
                .flat_map(|examples| examples.keys())
                .collect();
            count += answers.len();
            if named.is_empty() {
                if answers.is_empty() {
                    without.push(path.as_str());
                }
            } else {
                assert_eq!(answers, named, "{path}");
            }
        }
    }
    assert!(count > 150, "{count}");
    assert_eq!(without, ["/v2/repository/models/{model}/load", "/v2/repository/models/{model}/unload"]);
}
