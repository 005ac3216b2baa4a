//! The application in process: requests in, answers out.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use ordinate::http::{Limits, Settings, router};
use ordinate::source::catalog::Catalog;
use serde_json::Value;
use tower::ServiceExt;

/// As the function has them when nothing is set.
pub(crate) fn settings() -> Settings {
    Settings::new(Limits { max_rows: 100_000, max_body_bytes: 6_291_456 })
}

/// The bundled models.
pub(crate) fn application(settings: Settings) -> Router {
    router(Arc::new(Catalog::bundled(None).unwrap()), settings)
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {:?}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// One request to an application.
pub(crate) async fn ask(application: &Router, request: Request<Body>) -> Answer {
    let response = application.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    Answer { status: parts.status, headers: parts.headers, body: body.collect().await.unwrap().to_bytes().to_vec() }
}

/// One request to an application of its own.
pub(crate) async fn call(method: &str, path: &str, body: impl Into<Body>) -> Answer {
    let request = Request::builder().method(method).uri(path).body(body.into()).unwrap();
    ask(&application(settings()), request).await
}

/// One POST to an application of its own.
pub(crate) async fn post(path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
    let mut request = Request::post(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    ask(&application(settings()), request.body(body.into()).unwrap()).await
}
