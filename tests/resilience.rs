//! What callers see while a model cannot be loaded, and that nothing stays broken afterwards.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use ordinate::http::{Limits, Settings, router};
use ordinate::source::catalog::Catalog;
use ordinate::source::{BoxFuture, ModelSource, SourceError};
use serde_json::Value;
use tower::ServiceExt;

/// What a source does instead of bringing a model.
#[derive(Debug, Clone, Copy)]
enum Fault {
    Refuse,
    Garbage,
    Panic,
}

/// A source that fails as many times as it is told, then brings the line.
#[derive(Debug)]
struct Failing {
    fault: Fault,
    times: usize,
    fetched: Arc<AtomicUsize>,
}

impl ModelSource for Failing {
    fn describe(&self) -> String {
        "s3://secret-bucket/line.json".into()
    }

    fn fetch(&self) -> BoxFuture<'_, Result<Bytes, SourceError>> {
        Box::pin(async move {
            if self.fetched.fetch_add(1, Ordering::SeqCst) >= self.times {
                return Ok(Bytes::from_static(include_bytes!("../model/line.json")));
            }
            match self.fault {
                Fault::Refuse => Err(SourceError::Unreachable { location: self.describe(), source: "refused".into() }),
                Fault::Garbage => Ok(Bytes::from_static(b"{\"format\":\"ordinate.model/1\"}")),
                Fault::Panic => panic!("injected"),
            }
        })
    }
}

fn application(fault: Fault, times: usize) -> (Router, Arc<AtomicUsize>) {
    let fetched = Arc::new(AtomicUsize::new(0));
    let source = Failing { fault, times, fetched: fetched.clone() };
    let settings = Settings::new(Limits { max_rows: 100, max_body_bytes: 10_000 });
    (router(Arc::new(Catalog::single(Box::new(source), None, None)), settings), fetched)
}

async fn ask(application: &Router, method: &str, path: &str) -> (StatusCode, Option<String>, String) {
    let body = if method == "POST" { r#"{"X":[1]}"# } else { "" };
    let request = Request::builder().method(method).uri(path).body(Body::from(body)).unwrap();
    let response = application.clone().oneshot(request).await.unwrap();
    let retry_after = response.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, retry_after, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn a_model_that_cannot_be_loaded_is_a_503_without_internals_and_the_next_request_tries_again() {
    for fault in [Fault::Refuse, Fault::Garbage] {
        let (application, fetched) = application(fault, 3);
        for (method, path) in [("POST", "/predict"), ("GET", "/health/ready"), ("GET", "/models")] {
            let (status, retry_after, body) = ask(&application, method, path).await;
            assert_eq!(status, 503, "{path}");
            assert!(retry_after.is_some_and(|seconds| seconds.parse::<u32>().is_ok()));
            let problem: Value = serde_json::from_str(&body).unwrap();
            assert_eq!(problem["code"], "model_unavailable");
            assert!(!body.contains("secret-bucket") && !body.contains("refused"), "{body}");
        }
        let (status, _, body) = ask(&application, "POST", "/predict").await;
        assert_eq!((status.as_u16(), body.as_str()), (200, r#"{"y":[3.0]}"#));
        ask(&application, "POST", "/predict").await;
        assert_eq!(fetched.load(Ordering::SeqCst), 4, "three failures, one success, kept");
    }
}

#[tokio::test]
async fn a_panic_is_a_500_without_internals_and_the_next_request_works() {
    let (application, _) = application(Fault::Panic, 1);
    let (status, _, body) = ask(&application, "POST", "/predict").await;
    assert_eq!(status, 500);
    let problem: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(problem["code"], "internal");
    assert!(!body.contains("injected"), "{body}");
    assert_eq!(ask(&application, "POST", "/predict").await.2, r#"{"y":[3.0]}"#);
}

#[tokio::test]
async fn liveness_never_loads_a_model_and_readiness_does() {
    let (application, fetched) = application(Fault::Refuse, 0);
    assert_eq!(ask(&application, "GET", "/health/live").await.0, 200);
    assert_eq!(fetched.load(Ordering::SeqCst), 0);
    assert_eq!(ask(&application, "GET", "/health/ready").await.0, 200);
    assert_eq!(fetched.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_single_model_is_known_by_the_name_in_its_file() {
    let (application, _) = application(Fault::Refuse, 0);
    assert_eq!(ask(&application, "POST", "/models/line/predict").await.2, r#"{"y":[3.0]}"#);
    let (status, _, body) = ask(&application, "POST", "/models/diabetes/predict").await;
    assert_eq!(status, 404);
    assert!(body.contains("line"), "{body}");
}
