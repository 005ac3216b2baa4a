//! The front of the stack: what every answer has, and the one log line of a request. Never the body.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderValue;
use lambda_http::RequestExt;
use tower_http::request_id::{MakeRequestId, RequestId};

use super::error::ApiError;

/// What a prediction tells the log.
#[derive(Debug, Clone)]
pub(super) struct Served {
    /// `name@version`.
    pub(super) model: String,
    /// Rows predicted.
    pub(super) rows: usize,
}

/// Lambda's request id where there is one, so that the log and Lambda's own lines agree; else a random one.
#[derive(Debug, Clone, Copy)]
pub(super) struct RequestIds;

impl MakeRequestId for RequestIds {
    fn make_request_id<B>(&mut self, request: &http::Request<B>) -> Option<RequestId> {
        let id = match request.lambda_context_ref() {
            Some(context) => context.request_id.clone(),
            None => uuid::Uuid::new_v4().to_string(),
        };
        HeaderValue::try_from(id).ok().map(RequestId::new)
    }
}

/// Gives errors their body and writes the log line.
pub(super) async fn answer(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map(|route| route.as_str().to_owned());
    let request_id = request.extensions().get::<RequestId>().and_then(|id| id.header_value().to_str().ok());
    let request_id = request_id.unwrap_or_default().to_owned();

    let mut response = next.run(request).await;
    let error = response.extensions_mut().remove::<ApiError>();
    if let Some(error) = &error {
        // Headers that were set on the way, such as Allow, stay.
        let mut problem = error.to_problem(&request_id);
        for (name, value) in response.headers() {
            if !problem.headers().contains_key(name) && name != http::header::CONTENT_LENGTH {
                problem.headers_mut().insert(name, value.clone());
            }
        }
        response = problem;
    }

    let served = response.extensions_mut().remove::<Served>();
    let status = response.status().as_u16();
    let duration_ms = started.elapsed().as_secs_f64() * 1e3;
    let code = error.as_ref().map(|error| error.code.as_str());
    let cause = error.as_ref().and_then(|error| error.cause.as_deref());
    let model = served.as_ref().map(|served| served.model.as_str());
    let rows = served.as_ref().map(|served| served.rows);
    let (method, route) = (method.as_str(), route.as_deref());
    // One line a request, at the level of what it means to whoever is on call.
    if let 500.. = status {
        tracing::error!(request_id, method, route, status, duration_ms, model, rows, code, cause, "request");
    } else {
        tracing::info!(request_id, method, route, status, duration_ms, model, rows, code, "request");
    }
    response
}
