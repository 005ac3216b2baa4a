use std::collections::BTreeSet;

use serde_json::Value;

use super::*;
use crate::http::error::ErrorCode;
use crate::http::{ROUTES, docs};
use crate::source::catalog::Catalog;

fn document() -> Value {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let models = runtime.block_on(Catalog::bundled(None).unwrap().models()).unwrap();
    serde_json::to_value(describe(&models, Limits { max_rows: 100_000, max_body_bytes: 6_291_456 })).unwrap()
}

/// `/models/line/versions/1/predict` → `/models/*/versions/*/predict`, whatever the parts are called.
fn pattern(path: &str) -> String {
    let mut before = "";
    let parts = path.split('/').map(|part| {
        let (name, verb) =
            part.split_once(':').map_or((part, String::new()), |(name, verb)| (name, format!(":{verb}")));
        let open = matches!(before, "models" | "versions");
        before = part;
        if open && !name.is_empty() { format!("*{verb}") } else { part.to_owned() }
    });
    parts.collect::<Vec<_>>().join("/")
}

#[test]
fn every_route_is_in_the_document_and_nothing_else_is() {
    let document = document();
    let paths = document["paths"].as_object().unwrap();
    let described: BTreeSet<String> = paths.keys().map(|path| pattern(path)).collect();
    // The document does not describe itself, nor the pages that show it.
    let about = [PATH, docs::PAGE, docs::ERRORS];
    let routes = ROUTES.iter().filter(|route| !about.contains(route)).map(|route| pattern(route));
    let status = "/v1/models/*/versions/*".to_owned();
    assert_eq!(described, routes.chain([status]).collect());
}

#[test]
fn every_code_is_in_the_table_the_schema_and_an_operation() {
    let document = document();
    let table = document["info"]["description"].as_str().unwrap();
    let text = document["paths"].to_string();
    for code in ErrorCode::ALL {
        assert!(table.contains(&format!("| [`{}`]", code.as_str())), "{code:?}");
        let anywhere = [ErrorCode::UnknownRoute, ErrorCode::MethodNotAllowed, ErrorCode::Misconfigured];
        assert_eq!(text.contains(&format!("`{}`", code.as_str())), !anywhere.contains(&code), "{code:?}");
    }
    let listed = document["components"]["schemas"]["Problem"]["properties"]["code"]["enum"].as_array().unwrap();
    assert_eq!(listed.len(), ErrorCode::ALL.len());
}

#[test]
fn operations_have_names_of_their_own() {
    let document = document();
    let operations =
        document["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values());
    let names: Vec<_> = operations.map(|operation| operation["operationId"].as_str().unwrap()).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
}
