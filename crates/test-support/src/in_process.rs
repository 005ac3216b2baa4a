//! The service in process: a request in, a response out.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use ordinate::http::{Limits, Settings, router};
use ordinate::source::catalog::Catalog;
use ordinate::source::file::FileSource;
use serde_json::Value;
use tower::ServiceExt;

/// The default settings of the function.
pub fn settings() -> Settings {
    Settings::new(Limits { max_rows: 100_000, max_body_bytes: 6_291_456, ..Limits::DEFAULT })
}

/// The service with the bundled models.
pub fn application(settings: Settings) -> Router {
    router(Arc::new(Catalog::bundled(None).unwrap()), settings)
}

/// The service with the model of a file.
pub fn application_with_model(path: impl Into<std::path::PathBuf>) -> Router {
    router(Arc::new(Catalog::single(Box::new(FileSource::new(path)), None, None)), settings())
}

/// A response with its complete body.
#[derive(Debug)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// All headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {:?}", self.text()))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The value of a header, or an empty text.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// Sends a request to an application.
pub async fn send(application: &Router, request: Request<Body>) -> Response {
    let response = application.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    Response { status: parts.status, headers: parts.headers, body: body.collect().await.unwrap().to_bytes().to_vec() }
}

/// Sends a request to a new application with the bundled models.
pub async fn call(method: &str, path: &str, body: impl Into<Body>) -> Response {
    let request = Request::builder().method(method).uri(path).body(body.into()).unwrap();
    send(&application(settings()), request).await
}

/// Sends a POST request to a new application with the bundled models.
pub async fn post(path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Response {
    let mut request = Request::post(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    send(&application(settings()), request.body(body.into()).unwrap()).await
}
