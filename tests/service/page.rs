//! The page at `GET /`: its headers and, with the scripts in `tests/page/`, its behaviour in Chromium.

use std::process::Command;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::Request;
use ordinate::http::{Settings, router};
use ordinate::source::catalog::Catalog;
use ordinate::source::file::LocalFolder;
use ordinate_test_support::catalog_files::alias_file;
use ordinate_test_support::in_process::{Response, application, application_with_model, call, send, settings};
use ordinate_test_support::{ModelDocument, column, line, root, tool};
use rstest::rstest;
use serde_json::json;
use sha2::{Digest, Sha256};

/// The `Accept` header of a browser.
const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

async fn get(accept: &str) -> Response {
    send(&application(settings()), Request::get("/").header("accept", accept).body(Body::empty()).unwrap()).await
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
    let compressed = send(&application(settings()), request.body(Body::empty()).unwrap()).await;
    assert_eq!(compressed.header("content-encoding"), "gzip");
    assert!(compressed.body.len() < 30_000, "{} bytes", compressed.body.len());
    let html = page.text();
    for never in [" src=", "@import", "url(", "innerHTML", "https:", "style=\""] {
        assert!(!html.contains(never), "the page contains {never:?}");
    }
}

#[tokio::test]
async fn the_policy_allows_the_style_and_the_script_of_the_page_only() {
    let page = get(BROWSER).await;
    let policy = page.header("content-security-policy");
    let html = page.text();
    for text in [between(&html, "<style>", "</style>"), between(&html, "<script type=\"module\">", "</script>")] {
        let hash = BASE64_STANDARD.encode(Sha256::digest(text));
        assert!(policy.contains(&format!("'sha256-{hash}'")), "{policy}");
    }
    assert!(policy.starts_with("default-src 'none';") && !policy.contains("unsafe"), "{policy}");
}

/// `KServe`'s client sends `*/*`, and checks here whether the server is live.
#[rstest]
#[case::kserve_and_curl("*/*", true)]
#[case::json("application/json", true)]
#[case::with_weights("text/plain;q=0.5, Application/JSON;q=0.9", true)]
#[case::json_rather_than_html("application/json, text/html;q=0.5", true)]
#[case::without_html("text/html;q=0, */*", true)]
#[case::browser(BROWSER, false)]
#[case::both("application/json, text/html", false)]
#[tokio::test]
async fn the_page_is_for_clients_that_name_html_and_others_read_the_liveness(#[case] accept: &str, #[case] json: bool) {
    let answer = get(accept).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.text() == r#"{"status":"alive"}"#, json, "{accept}");
    assert_eq!(answer.text().starts_with("<!doctype html>"), !json, "{accept}");
    assert!(answer.header("vary").contains("accept"));
}

#[tokio::test]
async fn without_an_accept_header_it_is_the_liveness() {
    let answer = call("GET", "/", "").await;
    assert_eq!((answer.text().as_str(), answer.header("content-type")), (r#"{"status":"alive"}"#, "application/json"));
    assert_eq!(call("HEAD", "/", "").await.status, 200);
    assert_eq!(call("POST", "/", "").await.status, 405);
}

/// Serves the application on a port of loopback and runs a script of `tests/page/` on it.
async fn run(script: &str, application: Router, path: &str) {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let page = format!("http://{}{path}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move { axum::serve(listener, application).await });
    let mut node = Command::new("node");
    node.arg(root().join("tests/page").join(script)).env("PAGE", page).env("PAGE_TOOLS", tool("page/"));
    let output = tokio::task::spawn_blocking(move || node.output()).await.unwrap().expect("Node.js is installed");
    server.abort();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{text}");
}

#[rstest]
#[case::numbers("numbers.mjs")]
#[case::classes("classes.mjs")]
#[case::errors("errors.mjs")]
#[case::tables("tables.mjs")]
#[case::accessibility("accessibility.mjs")]
#[case::start("start.mjs")]
#[case::code("code.mjs")]
#[tokio::test(flavor = "multi_thread")]
async fn the_page_works_in_a_browser(#[case] script: &str) {
    run(script, application(settings()), "/").await;
}

#[rstest]
#[case::without_a_slash("/prod")]
#[case::with_a_slash("/prod/")]
#[tokio::test(flavor = "multi_thread")]
async fn the_page_works_with_a_base_path(#[case] path: &str) {
    let settings = Settings { base_paths: vec!["/prod".into()], ..settings() };
    run("numbers.mjs", application(settings.clone()), path).await;
    run("start.mjs", application(settings.clone()), path).await;
    run("code.mjs", application(settings), path).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documentation_shows_and_sends_requests() {
    run("docs.mjs", application(settings()), "/").await;
}

/// A model with a feature of each type.
fn houses() -> Vec<u8> {
    ModelDocument::regression("houses", 6.0)
        .set("/version", "2")
        .set("/signature/target/name", "price")
        .features(json!([
            {"name": "size <m²>", "type": "double", "missing": {"impute": 42.0}, "range": [20.0, 80.0]},
            {"name": "rooms", "type": "long", "missing": "reject", "range": [1.0, 7.0]},
            {"name": "garden", "type": "boolean", "missing": {"impute": false}},
            {"name": "colour/paint", "type": "string", "missing": "reject", "levels": ["blue", "red"], "unknown": "ignore"},
            {"name": "sold", "type": "date", "missing": {"impute": "2024-07-01"}, "range": ["2024-01-01", "2024-12-31"],
             "reading": {"dates": ["%d.%m.%Y"]}},
            {"name": "deck", "type": "string", "missing": {"category": "(missing)"}, "unknown": "other",
             "levels": ["(missing)", "(other)", "A"]},
            {"name": "year", "type": "double", "missing": "reject", "range": [1900.0, 2020.0], "whole": true,
             "reading": {"decimal": ",", "thousands": "."}},
        ]))
        .set("/training/notes", json!(["1 column has missing values: size <m²> (3, median)"]))
        .column(column("size <m²>", json!({"feature": "size <m²>"}), 50.0, 2.0), 2.0)
        .column(column("rooms", json!({"feature": "rooms"}), 4.2, 2.0), 10.0)
        .column(column("garden", json!({"feature": "garden"}), 0.5, 2.0), 3.0)
        .column(column("colour/paint=red", json!({"feature": "colour/paint", "level": "red"}), 0.5, 2.0), -5.0)
        .column(column("sold days", json!({"feature": "sold", "part": "days"}), 100.0, 1.0), 0.01)
        .column(column("deck=A", json!({"feature": "deck", "level": "A"}), 0.5, 1.0), 1.0)
        .column(column("year", json!({"feature": "year"}), 1990.0, 10.0), 1.0)
        .set("/training/rows", 40)
        .file(json!([[50.0, 4.0, true, "red", "2024-02-01", "A", 1990.0]]))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_type_of_feature_has_a_field() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), houses()).unwrap();
    run("fields.mjs", application_with_model(file.path()), "/").await;
}

/// A model with a long name, dates, and long categories.
fn visits() -> Vec<u8> {
    ModelDocument::regression(&"visits-".repeat(10)[..64], 6.0)
        .features(json!([
            {"name": "sold", "type": "date", "missing": {"impute": "2024-07-01"}, "range": ["2024-01-01", "2024-12-31"]},
            {"name": "seen", "type": "date", "missing": "reject", "range": ["2024-01-01T06:00:00", "2024-12-31T18:00:00"]},
            {"name": "reason_of_the_visit", "type": "string", "missing": "reject",
             "levels": ["category number 001", "category number 050"]},
        ]))
        .column(column("sold days", json!({"feature": "sold", "part": "days"}), 100.0, 1.0), 0.01)
        .column(column("seen days", json!({"feature": "seen", "part": "days"}), 100.0, 1.0), 0.01)
        .set("/training/rows", 40)
        .file(json!([["2024-02-01", "2024-02-01T06:00:00", "category number 001"]]))
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_cut_off_in_narrow_and_wide_windows() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), visits()).unwrap();
    run("narrow.mjs", application_with_model(file.path()), "/").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_models_are_listed_in_pages() {
    let folder = tempfile::tempdir().unwrap();
    for number in 1..=150 {
        let name = format!("model-{number:03}");
        let aliases = folder.path().join(&name).join("aliases");
        std::fs::create_dir_all(&aliases).unwrap();
        std::fs::write(folder.path().join(&name).join("1.json"), line(&name, "1")).unwrap();
        std::fs::write(aliases.join("live.json"), alias_file(1)).unwrap();
    }
    let catalog = Catalog::folder(Arc::new(LocalFolder::new(folder.path())), None);
    run("many.mjs", router(Arc::new(catalog), settings()), "/").await;
}
