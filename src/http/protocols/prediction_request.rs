//! What every prediction has in common, whatever its protocol: a model, a body, an answer, and how long each took.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde::Serialize;

use super::model_path::ModelPath;
use crate::http::application::Application;
use crate::http::decode::json::Terms;
use crate::http::server::error::ApiError;
use crate::http::server::headers::WARNINGS;
use crate::http::server::middleware::Served;
use crate::http::server::statistics::Tally;
use crate::http::server::{answer, body};
use ordinate_model::answer::{Warning, WarningScope, Warnings};
use ordinate_model::frame::Frame;
use ordinate_model::{Answer, Model, Wanted};

/// Warnings as they stand in an answer: nothing where there are none.
#[derive(Serialize)]
pub(crate) struct WarningsBody<'m> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    warnings: &'m [Warning<'m>],
    /// All of them, where not all are told.
    #[serde(skip_serializing_if = "Option::is_none")]
    warnings_total: Option<usize>,
    /// The rows that were searched for unusual combinations of values, from the first on, where not all were.
    #[serde(skip_serializing_if = "Option::is_none")]
    rows_searched_for_leverage: Option<usize>,
}

impl<'m> WarningsBody<'m> {
    /// Those of an answer.
    pub(crate) fn of(answer: &'m Answer<'m>) -> Self {
        let Warnings { listed, total, rows_with_leverage } = &answer.warnings;
        Self {
            warnings_total: (*total > listed.len()).then_some(*total),
            rows_searched_for_leverage: rows_with_leverage.filter(|searched| *searched < answer.prediction.len()),
            warnings: listed,
        }
    }
}

/// A request that wants a prediction, its body read and its model loaded.
pub(crate) struct PredictionRequest {
    /// The model.
    pub(crate) model: Arc<Model>,
    /// The request's headers.
    pub(crate) headers: HeaderMap,
    /// Its body, decoded.
    pub(crate) body: Bytes,
    /// The most rows it may have.
    pub(crate) max_rows: usize,
    /// The most bytes its sender can be answered with.
    limit: usize,
    stages: Stages,
    tally: Tally,
    /// Warnings that its answer came with.
    warnings: usize,
}

impl PredictionRequest {
    /// Loads the model and reads the body.
    ///
    /// # Errors
    /// 404 for a model that there is not, 503 for one that cannot be loaded, and what is wrong with the body.
    pub(crate) async fn open(application: &Application, path: &ModelPath, request: Request) -> Result<Self, ApiError> {
        let limit = answer::limit(&request);
        let (parts, body) = request.into_parts();
        let mut stages = Stages::start();
        let model = path.load(application).await?;
        stages.end("load");
        let tally = application.statistics.begin(&model);
        let body = body::read(&parts, body, application.limits.max_body_bytes).await?;
        let max_rows = application.limits.max_rows;
        Ok(Self { model, headers: parts.headers, body, max_rows, limit, stages, tally, warnings: 0 })
    }

    /// What rows are read against; names that are no features are refused.
    pub(crate) fn terms<'m>(&self, model: &'m Model) -> Terms<'m> {
        Terms { signature: model.signature(), max_rows: self.max_rows, lenient: false }
    }

    /// Notes that a stage is over: it began where the one before ended.
    pub(crate) fn end(&mut self, stage: &'static str) {
        self.stages.end(stage);
    }

    /// The model's answer. Its warnings are counted in every protocol; not all of them have a place for their text.
    ///
    /// # Errors
    /// A caller's mistake when the model cannot give what is requested, or not for these rows.
    pub(crate) fn answer<'m>(
        &mut self,
        model: &'m Model,
        frame: &Frame<'_>,
        wanted: Wanted,
    ) -> Result<Answer<'m>, ApiError> {
        let answer = model.answer(frame, &Wanted { warnings: WarningScope::First, ..wanted })?;
        self.warnings = answer.warnings.total;
        self.stages.end("predict");
        Ok(answer)
    }

    /// The answer as JSON.
    ///
    /// # Errors
    /// 413 when it is larger than what can be sent.
    pub(crate) fn json<T: Serialize>(self, rows: usize, value: &T) -> Result<Response, ApiError> {
        let encoded = answer::json(value, self.limit)?;
        Ok(self.respond(rows, HeaderValue::from_static("application/json"), encoded))
    }

    /// The answer as bytes of another type.
    ///
    /// # Errors
    /// 413 when it is larger than what can be sent.
    pub(crate) fn bytes(self, rows: usize, media_type: &'static str, encoded: Vec<u8>) -> Result<Response, ApiError> {
        answer::fits(media_type, &encoded, self.limit)?;
        Ok(self.respond(rows, HeaderValue::from_static(media_type), encoded))
    }

    fn respond(mut self, rows: usize, media_type: HeaderValue, encoded: Vec<u8>) -> Response {
        self.stages.end("encode");
        self.tally.answered(rows, &self.stages.ended);
        let model = format!("{}@{}", self.model.name(), self.model.version());
        let served = Served { model, rows, warnings: self.warnings };
        let text = |text: &str| HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""));
        let headers = [
            (header::CONTENT_TYPE, media_type),
            (HeaderName::from_static("x-ordinate-model"), text(&served.model)),
            (HeaderName::from_static("server-timing"), text(&self.stages.to_string())),
        ];
        let mut response = (headers, encoded).into_response();
        if self.warnings > 0 {
            response.headers_mut().insert(WARNINGS, HeaderValue::from(self.warnings));
        }
        response.extensions_mut().insert(served);
        response
    }
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
