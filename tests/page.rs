//! The page at `GET /`: its headers here, and the rest in Chromium, against the application itself (`page/*.mjs`).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::process::Command;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::Request;
use ordinate::http::{Settings, router};
use ordinate::source::catalog::Catalog;
use ordinate::source::file::FileSource;
use ordinate_model::artifact::Document;
use ordinate_model::scalar::Scalar;
use rstest::rstest;
use serde_json::json;
use sha2::{Digest, Sha256};
use support::in_process::{Answer, application, ask, call, settings};
use support::{root, tool};

/// What a browser asks for.
const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

async fn get(accept: &str) -> Answer {
    ask(&application(settings()), Request::get("/").header("accept", accept).body(Body::empty()).unwrap()).await
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    text.split_once(start).unwrap().1.split_once(end).unwrap().0
}

#[tokio::test]
async fn the_page_is_one_small_document() {
    let page = get(BROWSER).await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (200, "text/html; charset=utf-8"));
    // The size that a browser receives: the files of `web/` are served with their comments, compressed.
    let request = Request::get("/").header("accept", BROWSER).header("accept-encoding", "gzip");
    let compressed = ask(&application(settings()), request.body(Body::empty()).unwrap()).await;
    assert_eq!(compressed.header("content-encoding"), "gzip");
    assert!(compressed.body.len() < 30_000, "{} bytes", compressed.body.len());
    let html = page.text();
    for never in [" src=", "@import", "url(", "innerHTML", "https:", "style=\""] {
        assert!(!html.contains(never), "the page has {never:?}");
    }
}

#[tokio::test]
async fn only_the_pages_own_style_and_script_may_run() {
    let page = get(BROWSER).await;
    let policy = page.header("content-security-policy");
    let html = page.text();
    for text in [between(&html, "<style>", "</style>"), between(&html, "<script type=\"module\">", "</script>")] {
        let hash = BASE64_STANDARD.encode(Sha256::digest(text));
        assert!(policy.contains(&format!("'sha256-{hash}'")), "{policy}");
    }
    assert!(policy.starts_with("default-src 'none';") && !policy.contains("unsafe"), "{policy}");
}

#[rstest]
#[case::kserve("application/json", true)]
#[case::with_quality("text/plain;q=0.5, Application/JSON;q=0.9", true)]
#[case::browser(BROWSER, false)]
#[case::both("application/json, text/html", false)]
#[case::curl("*/*", false)]
#[tokio::test]
async fn programs_that_ask_for_json_are_told_that_the_server_is_alive(#[case] accept: &str, #[case] json: bool) {
    let answer = get(accept).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.text() == r#"{"status":"alive"}"#, json, "{accept}");
    assert!(answer.header("vary").contains("accept"));
}

#[tokio::test]
async fn without_an_accept_header_it_is_the_page() {
    assert!(call("GET", "/", "").await.text().starts_with("<!doctype html>"));
    assert_eq!(call("HEAD", "/", "").await.status, 200);
    assert_eq!(call("POST", "/", "").await.status, 405);
}

/// Serves the application on a loopback port for as long as a script of `tests/page/` looks at it.
async fn look(script: &str, application: Router, path: &str) {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let page = format!("http://{}{path}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move { axum::serve(listener, application).await });
    let mut node = Command::new("node");
    node.arg(root().join("tests/page").join(script)).env("PAGE", page).env("PAGE_TOOLS", tool("page/"));
    let output = tokio::task::spawn_blocking(move || node.output()).await.unwrap().expect("Node.js is installed");
    server.abort();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
}

#[rstest]
#[case::numbers("numbers.mjs")]
#[case::classes("classes.mjs")]
#[case::errors("errors.mjs")]
#[case::tables("tables.mjs")]
#[case::accessibility("accessibility.mjs")]
#[tokio::test(flavor = "multi_thread")]
async fn in_a_browser(#[case] script: &str) {
    look(script, application(settings()), "/").await;
}

#[rstest]
#[case::without_a_slash("/prod")]
#[case::with_a_slash("/prod/")]
#[tokio::test(flavor = "multi_thread")]
async fn under_a_prefix(#[case] path: &str) {
    let settings = Settings { base_path: Some("/prod".into()), ..settings() };
    look("numbers.mjs", application(settings), path).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_on_a_telephone() {
    look("docs.mjs", application(settings()), "/").await;
}

/// A model with a feature of every type.
fn houses() -> Vec<u8> {
    let column = |name: &str, mean: f64, factor: serde_json::Value| json!({"name": name, "product": [factor], "mean": mean, "scale": 2.0});
    let draft: Document = serde_json::from_value(json!({
        "format": "ordinate.model/1", "name": "houses", "version": "2", "created": "2026-11-23T00:00:00Z",
        "task": "regression",
        "signature": {
            "features": [
                {"name": "size <m²>", "type": "double", "missing": {"impute": 42.0}, "range": [20.0, 80.0]},
                {"name": "rooms", "type": "long", "missing": "reject", "range": [1.0, 7.0]},
                {"name": "garden", "type": "boolean", "missing": {"impute": false}},
                {"name": "colour/paint", "type": "string", "missing": "reject", "levels": ["blue", "red"], "unknown": "ignore"},
            ],
            "target": {"name": "price", "type": "double"},
        },
        "preprocess": {"columns": [
            column("size <m²>", 50.0, json!({"feature": "size <m²>"})),
            column("rooms", 4.2, json!({"feature": "rooms"})),
            column("garden", 0.5, json!({"feature": "garden"})),
            column("colour/paint=red", 0.5, json!({"feature": "colour/paint", "level": "red"})),
        ]},
        "estimator": {
            "family": "linear", "intercept": 6.0,
            "coefficients": {"size <m²>": 2.0, "rooms": 10.0, "garden": 3.0, "colour/paint=red": -5.0},
        },
        "training": {
            "rows": 40, "data_sha256": "0".repeat(64), "parameters": {}, "seed": 0, "metrics": {},
            "tool": "ordinate 0.1.0", "smartcore": "0.7.0",
        },
        "golden": {"X": [], "y": []},
    }))
    .unwrap();
    let golden = vec![Scalar::Number(50.0), Scalar::Number(4.0), Scalar::Boolean(true), Scalar::Text("red".into())];
    draft.seal(vec![golden]).unwrap().to_json().unwrap().into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_type_of_feature_has_its_field() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), houses()).unwrap();
    let catalog = Catalog::single(Box::new(FileSource::new(file.path().to_owned())), None, None);
    look("fields.mjs", router(Arc::new(catalog), settings()), "/").await;
}
