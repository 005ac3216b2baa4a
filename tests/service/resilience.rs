//! Requests while the model cannot be loaded, and afterwards.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use bytes::Bytes;
use http::Request;
use ordinate::http::{Limits, Settings, router};
use ordinate::source::catalog::{Catalog, FAILURE_MEMORY};
use ordinate::source::{BoxFuture, Content, ModelSource, SourceError, Tag};
use ordinate_test_support::in_process::{Response, send};

/// A failure of a source.
#[derive(Debug, Clone, Copy)]
enum Fault {
    Refuse,
    Garbage,
    Panic,
}

/// A source whose first fetches fail, and which then returns the model `line`.
#[derive(Debug)]
struct Failing {
    fault: Fault,
    failures: usize,
    fetched: Arc<AtomicUsize>,
}

impl ModelSource for Failing {
    fn describe(&self) -> String {
        "s3://secret-bucket/line.json".into()
    }

    fn fetch_changed<'a>(&'a self, _: Option<&'a Tag>) -> BoxFuture<'a, Result<Option<Content>, SourceError>> {
        let content = |bytes| Ok(Some(Content { bytes: Bytes::from_static(bytes), tag: Tag("1".into()) }));
        Box::pin(async move {
            if self.fetched.fetch_add(1, Ordering::SeqCst) >= self.failures {
                return content(include_bytes!("../../model/line.json"));
            }
            match self.fault {
                Fault::Refuse => Err(SourceError::Unreachable { location: self.describe(), source: "refused".into() }),
                Fault::Garbage => content(b"{\"format\":\"ordinate.model/1\"}"),
                Fault::Panic => panic!("injected"),
            }
        })
    }
}

fn application(fault: Fault, failures: usize) -> (Router, Arc<AtomicUsize>) {
    let fetched = Arc::new(AtomicUsize::new(0));
    let source = Failing { fault, failures, fetched: fetched.clone() };
    let settings = Settings::new(Limits { max_rows: 100, max_body_bytes: 10_000, ..Limits::DEFAULT });
    (router(Arc::new(Catalog::single(Box::new(source), None, None)), settings), fetched)
}

async fn ask(application: &Router, method: &str, path: &str) -> Response {
    let body = if method == "POST" { r#"{"X":[1]}"# } else { "" };
    send(application, Request::builder().method(method).uri(path).body(body.into()).unwrap()).await
}

#[tokio::test]
async fn a_failed_load_is_a_503_without_internals_and_is_forgotten_after_a_second() {
    for (fault, is_transient) in [(Fault::Refuse, true), (Fault::Garbage, false)] {
        let (application, fetched) = application(fault, 1);
        for (method, path) in [("POST", "/predict"), ("GET", "/health/ready"), ("GET", "/models")] {
            let response = ask(&application, method, path).await;
            assert_eq!(response.status, 503, "{path}");
            // A file that is not a model does not become one.
            assert_eq!(response.header("retry-after").parse::<u32>().is_ok(), is_transient);
            assert_eq!(response.text().contains("try again shortly"), is_transient);
            assert_eq!(response.json()["code"], "model_unavailable");
            let body = response.text();
            assert!(!body.contains("secret-bucket") && !body.contains("refused"), "{body}");
        }
        tokio::time::sleep(FAILURE_MEMORY).await;
        let response = ask(&application, "POST", "/predict").await;
        assert_eq!((response.status.as_u16(), response.text().as_str()), (200, r#"{"y":[3.0]}"#));
        ask(&application, "POST", "/predict").await;
        assert_eq!(fetched.load(Ordering::SeqCst), 2, "one failure, and one success that is kept");
    }
}

#[tokio::test]
async fn a_panic_is_a_500_without_internals_and_the_next_request_succeeds() {
    let (application, _) = application(Fault::Panic, 1);
    let response = ask(&application, "POST", "/predict").await;
    assert_eq!(response.status, 500);
    assert_eq!(response.json()["code"], "internal");
    assert!(!response.text().contains("injected"), "{}", response.text());
    assert_eq!(ask(&application, "POST", "/predict").await.text(), r#"{"y":[3.0]}"#);
}

#[tokio::test]
async fn readiness_loads_the_model_and_liveness_does_not() {
    let (application, fetched) = application(Fault::Refuse, 0);
    assert_eq!(ask(&application, "GET", "/health/live").await.status, 200);
    assert_eq!(fetched.load(Ordering::SeqCst), 0);
    assert_eq!(ask(&application, "GET", "/health/ready").await.status, 200);
    assert_eq!(fetched.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_single_model_has_the_name_in_its_file() {
    let (application, _) = application(Fault::Refuse, 0);
    assert_eq!(ask(&application, "POST", "/models/line/predict").await.text(), r#"{"y":[3.0]}"#);
    let response = ask(&application, "POST", "/models/diabetes/predict").await;
    assert_eq!(response.status, 404);
    assert!(response.text().contains("line"), "{}", response.text());
}
