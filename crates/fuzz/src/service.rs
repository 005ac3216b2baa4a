//! The service in process, and what holds for each of its responses.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::{Request, StatusCode};
use ordinate::http::router;
use ordinate::source::catalog::Catalog;
use ordinate::source::{BoxFuture, Content, ModelSource, SourceError, Tag};
use ordinate_model::Model;
use ordinate_test_support::in_process::{Response, send, settings};
use ordinate_test_support::{ModelDocument, column, people};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

thread_local! {
    static RUNTIME: Runtime = Builder::new_current_thread().enable_time().build().unwrap();
    static SERVICE: Router = application(vec![people(), identity()]);
}

/// A model whose prediction is its feature, exactly.
fn identity() -> Vec<u8> {
    ModelDocument::regression("identity", 0.0)
        .features(json!([{"name": "x", "type": "double", "missing": "reject"}]))
        .column(column("x", json!({"feature": "x"}), 0.0, 1.0), 1.0)
        .file(json!([[1.0], [4.0]]))
}

/// A file in memory, with its number.
#[derive(Debug)]
struct Memory(usize, Bytes);

impl ModelSource for Memory {
    fn describe(&self) -> String {
        format!("memory:{}", self.0)
    }

    fn fetch_changed<'a>(&'a self, _: Option<&'a Tag>) -> BoxFuture<'a, Result<Option<Content>, SourceError>> {
        let content = Content { bytes: self.1.clone(), tag: Tag(String::new()) };
        Box::pin(std::future::ready(Ok(Some(content))))
    }
}

/// The service with the models in these files.
pub(crate) fn application(files: Vec<Vec<u8>>) -> Router {
    let names = files.iter().map(|file| Model::from_json(file).unwrap().document().name.clone()).collect();
    let source = |(number, file): (usize, Vec<u8>)| -> Box<dyn ModelSource> { Box::new(Memory(number, file.into())) };
    let catalog = Catalog::files(files.into_iter().enumerate().map(source).collect()).with_names(names, None).unwrap();
    router(Arc::new(catalog), settings())
}

/// Runs a future to its end.
pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    RUNTIME.with(|runtime| runtime.block_on(future))
}

/// Sends a POST request to the service with the models `people` and `identity`.
pub(crate) fn post(path: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
    SERVICE.with(|service| post_to(service, path, headers, body))
}

/// Sends a POST request, and checks the response.
pub(crate) fn post_to(service: &Router, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
    let mut request = Request::post(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = wait(send(service, request.body(Body::from(body.to_vec())).unwrap()));
    check(&response);
    response
}

/// Whether the status is 200; otherwise it is an error of the caller, with a reason.
fn check(response: &Response) {
    if response.status == StatusCode::OK {
        return;
    }
    let text = response.text();
    assert!(response.status.is_client_error(), "{}: {text}", response.status);
    let body = response.json();
    // The names of the member in a problem document, and in the errors of other protocols.
    let reason = ["detail", "error", "Message"].into_iter().find_map(|name| body[name].as_str());
    assert!(reason.is_some_and(|reason| !reason.is_empty()), "{text}");
    // A message never repeats a large part of the body.
    assert!(text.len() < 40_000, "{} bytes: {}", text.len(), &text[..1_000]);
}

/// The predictions of a response.
pub(crate) fn predictions(response: &Response) -> Vec<Value> {
    let body = response.json();
    let list = body["y"].as_array().or(body["predictions"].as_array()).unwrap_or_else(|| panic!("{body}"));
    // SageMaker's responses have an object for each row.
    let values = list.iter().map(|value| value.get("score").unwrap_or(value).clone()).collect::<Vec<_>>();
    assert!(values.iter().all(|value| !value.is_null()), "{body}");
    values
}

/// Checks that the pointers of an error lead to a value of the body, or to the place where one is missing.
pub(crate) fn check_pointers(response: &Response, body: &Value) {
    let error = response.json();
    // All values of a duplicate key are checked, and `body` has the last of them.
    let of_duplicates = error["errors"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|complaint| complaint["code"] == "duplicate_key")
        .filter_map(|complaint| Some(format!("{}/", complaint["pointer"].as_str()?)))
        .collect::<Vec<_>>();
    for complaint in error["errors"].as_array().into_iter().flatten() {
        assert!(complaint["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{error}");
        let Some(pointer) = complaint["pointer"].as_str() else { continue };
        if of_duplicates.iter().any(|key| pointer.starts_with(key)) {
            continue;
        }
        let encoded = pointer.strip_prefix('#').unwrap_or_else(|| panic!("{error}"));
        let decoded = percent_encoding::percent_decode_str(encoded).decode_utf8().unwrap();
        let is_absent = matches!(complaint["code"].as_str(), Some("missing_feature" | "missing_key"));
        let place = if is_absent { decoded.rsplit_once('/').map_or("", |(parent, _)| parent) } else { &*decoded };
        // Long names are shortened.
        assert!(
            pointer.contains('…') || encoded.contains("%E2%80%A6") || body.pointer(place).is_some(),
            "{error}\n{body}"
        );
    }
}
