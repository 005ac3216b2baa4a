//! Our own contract: `POST …/predict`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, header};
use serde::Serialize;

use super::body::{self, MediaType};
use super::error::ApiError;
use super::front::Served;
use super::{App, Application, answer, decode};
use crate::model::{Model, Prediction};

/// The answer.
#[derive(Serialize)]
struct Answer<'a> {
    y: &'a Prediction<'a>,
}

/// With the default model.
pub(super) async fn with_default(State(application): App, request: Request) -> Result<Response, ApiError> {
    predict(&application, None, request).await
}

/// With a model by name.
pub(super) async fn with_named(
    State(application): App,
    name: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, ApiError> {
    let Path(name) = name?;
    predict(&application, Some((&name, None)), request).await
}

/// With a version of a model.
pub(super) async fn with_version(
    State(application): App,
    path: Result<Path<(String, String)>, PathRejection>,
    request: Request,
) -> Result<Response, ApiError> {
    let Path((name, version)) = path?;
    predict(&application, Some((&name, Some(&version))), request).await
}

async fn predict(
    application: &Application,
    wanted: Option<(&str, Option<&str>)>,
    request: Request,
) -> Result<Response, ApiError> {
    let limit = answer::limit(&request);
    let (parts, body) = request.into_parts();
    let mut stages = Stages::start();
    let model = load(application, wanted).await?;
    stages.end("load");
    let (media_type, body) = read(application, &parts.headers, body).await?;
    let signature = model.signature();
    let max_rows = application.limits.max_rows;
    let frame = match media_type {
        MediaType::Json => decode::json::read(&body, signature, max_rows)?,
        MediaType::Csv => decode::csv::read(&body, signature, max_rows)?,
    };
    stages.end("decode");
    let prediction = model.predict(&frame)?;
    stages.end("predict");
    let served = Served { model: format!("{}@{}", model.name(), model.version()), rows: frame.rows() };
    let encoded = answer::json(&Answer { y: &prediction }, limit)?;
    stages.end("encode");

    let headers = [
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (HeaderName::from_static("x-ordinate-model"), served.model.clone()),
        (HeaderName::from_static("server-timing"), stages.to_string()),
    ];
    let mut response = (headers, encoded).into_response();
    response.extensions_mut().insert(served);
    Ok(response)
}

async fn load(application: &Application, wanted: Option<(&str, Option<&str>)>) -> Result<Arc<Model>, ApiError> {
    Ok(match wanted {
        None => application.catalog.default_model().await?,
        Some((name, version)) => application.catalog.model(name, version).await?,
    })
}

async fn read(application: &Application, headers: &HeaderMap, body: Body) -> Result<(MediaType, Bytes), ApiError> {
    let media_type = MediaType::of(headers)?;
    let body = body::read(headers, body, application.limits.max_body_bytes).await?;
    Ok((media_type, body))
}

/// How long each stage took, for the `server-timing` header (W3C Server Timing).
struct Stages {
    since: Instant,
    ended: Vec<(&'static str, Duration)>,
}

impl Stages {
    fn start() -> Self {
        Self { since: Instant::now(), ended: Vec::with_capacity(4) }
    }

    fn end(&mut self, stage: &'static str) {
        let now = Instant::now();
        self.ended.push((stage, now - self.since));
        self.since = now;
    }
}

impl std::fmt::Display for Stages {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, (stage, duration)) in self.ended.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(out, "{comma}{stage};dur={:.3}", duration.as_secs_f64() * 1e3)?;
        }
        Ok(())
    }
}
