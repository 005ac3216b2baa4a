//! A prediction in any protocol: load the model, read the body, compute the answer, respond, and measure each stage.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde::Serialize;

use super::model_path::ModelPath;
use super::shadow::Shadow;
use crate::http::application::Application;
use crate::http::decode::json::{Names, Terms};
use crate::http::server::capture::CapturedRows;
use crate::http::server::error::ApiError;
use crate::http::server::headers::WARNINGS;
use crate::http::server::middleware::{ModelOfRequest, Served};
use crate::http::server::observer::{MAX_SAMPLE, ShadowRecord};
use crate::http::server::response::AnswerLimit;
use crate::http::server::statistics::Tally;
use crate::http::server::{body, response};
use ordinate_model::answer::{Warning, WarningCounts, WarningScope, Warnings};
use ordinate_model::frame::Frame;
use ordinate_model::wording::shorten;
use ordinate_model::{Answer, Model, Wanted};

/// The warnings of a response; no keys if there are no warnings.
#[derive(Serialize)]
pub(crate) struct WarningsBody<'m> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    warnings: &'m [Warning<'m>],
    /// The number of warnings, if the list does not have all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    warnings_total: Option<usize>,
    /// The number of rows, from the first, whose leverage was computed, if not all rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    rows_searched_for_leverage: Option<usize>,
}

impl<'m> WarningsBody<'m> {
    pub(crate) fn new(answer: &'m Answer<'m>) -> Self {
        let Warnings { listed, counts, rows_with_leverage } = &answer.warnings;
        let total = counts.total();
        Self {
            warnings_total: (total > listed.len()).then_some(total),
            rows_searched_for_leverage: rows_with_leverage.filter(|searched| *searched < answer.prediction.len()),
            warnings: listed,
        }
    }
}

/// A request for a prediction, with its model and its body.
pub(crate) struct PredictionRequest {
    pub(crate) model: Arc<Model>,
    pub(crate) headers: HeaderMap,
    /// The decoded body.
    pub(crate) body: Bytes,
    /// The maximum number of rows.
    pub(crate) max_rows: usize,
    /// The maximum size of the response.
    limit: AnswerLimit,
    stages: Stages,
    tally: Tally,
    /// The numbers of warnings of the answer.
    warnings: WarningCounts,
    /// A sample of the predictions, for metrics.
    values: Vec<f64>,
    /// The version that the answer is compared with.
    shadow: Option<Shadow>,
    compared: Option<ShadowRecord>,
    /// Whether the rows are captured, and the rows.
    is_captured: bool,
    captured: Option<CapturedRows>,
}

impl PredictionRequest {
    /// Loads the model and reads the body.
    ///
    /// # Errors
    /// 404 for an unknown model, 503 for a model that cannot be loaded, 4xx for an invalid body.
    pub(crate) async fn open(application: &Application, path: &ModelPath, request: Request) -> Result<Self, ApiError> {
        let limit = AnswerLimit::new(&request, application.limits.max_answer_bytes);
        let (parts, body) = request.into_parts();
        let mut stages = Stages::start();
        let of_request = parts.extensions.get::<ModelOfRequest>().cloned().unwrap_or_default();
        of_request.set(path.name().map(shorten).unwrap_or_default());
        let model = path.load(application).await?;
        stages.end("load");
        of_request.set(reference(&model));
        let tally = application.statistics.begin(&model);
        let shadow = if path.is_live() { Shadow::find(application, &model).await } else { None };
        stages.restart();
        let body = body::read(&parts, body, application.limits.max_body_bytes).await?;
        let max_rows = application.limits.max_rows;
        Ok(Self {
            model,
            headers: parts.headers,
            body,
            max_rows,
            limit,
            stages,
            tally,
            warnings: WarningCounts::default(),
            values: Vec::new(),
            shadow,
            compared: None,
            is_captured: of_request.is_captured(),
            captured: None,
        })
    }

    /// A request for the live version whose body was read before, because the body names the model.
    pub(crate) async fn after_body(
        application: &Application,
        model: Arc<Model>,
        headers: HeaderMap,
        of_request: &ModelOfRequest,
        limit: AnswerLimit,
    ) -> Self {
        of_request.set(reference(&model));
        let shadow = Shadow::find(application, &model).await;
        Self {
            tally: application.statistics.begin(&model),
            model,
            headers,
            body: Bytes::new(),
            max_rows: application.limits.max_rows,
            limit,
            stages: Stages::start(),
            warnings: WarningCounts::default(),
            values: Vec::new(),
            shadow,
            compared: None,
            is_captured: of_request.is_captured(),
            captured: None,
        }
    }

    /// The terms for reading rows: unknown names are errors.
    pub(crate) fn terms<'m>(&self, model: &'m Model) -> Terms<'m> {
        Terms { signature: model.signature(), max_rows: self.max_rows, names: Names::Exact }
    }

    /// Ends a stage, which began when the previous stage ended.
    pub(crate) fn end_stage(&mut self, stage: &'static str) {
        self.stages.end(stage);
    }

    /// Computes the answer of the model. Warnings are counted in all protocols, although some cannot return their text.
    ///
    /// # Errors
    /// 4xx if the model does not have a requested output, or not for these rows.
    pub(crate) fn answer<'m>(
        &mut self,
        model: &'m Model,
        frame: &Frame<'_>,
        wanted: Wanted,
    ) -> Result<Answer<'m>, ApiError> {
        let answer = model.answer(frame, &Wanted { warnings: WarningScope::First, ..wanted })?;
        self.warnings = answer.warnings.counts;
        self.values = answer.sample(MAX_SAMPLE);
        self.stages.end("predict");
        self.captured = self.is_captured.then(|| CapturedRows::new(&self.model, frame, &answer));
        if let Some(shadow) = self.shadow.take() {
            self.compared = Some(shadow.compare(model, frame, &answer));
            self.stages.restart();
        }
        Ok(answer)
    }

    /// A response in JSON.
    ///
    /// # Errors
    /// 413 if it is too large.
    pub(crate) fn json<T: Serialize>(self, rows: usize, value: &T) -> Result<Response, ApiError> {
        let encoded = response::json(value, self.limit)?;
        Ok(self.respond(rows, HeaderValue::from_static("application/json"), encoded))
    }

    /// A response of another media type.
    ///
    /// # Errors
    /// 413 if it is too large.
    pub(crate) fn bytes(self, rows: usize, media_type: &'static str, encoded: Vec<u8>) -> Result<Response, ApiError> {
        response::fits(media_type, &encoded, self.limit)?;
        Ok(self.respond(rows, HeaderValue::from_static(media_type), encoded))
    }

    fn respond(mut self, rows: usize, media_type: HeaderValue, encoded: Vec<u8>) -> Response {
        self.stages.end("encode");
        self.tally.succeed(rows, &self.stages.ended);
        let text = |text: &str| HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""));
        let headers = [
            (header::CONTENT_TYPE, media_type),
            (HeaderName::from_static("x-ordinate-model"), text(&reference(&self.model))),
            (HeaderName::from_static("server-timing"), text(&self.stages.to_string())),
        ];
        let mut response = (headers, encoded).into_response();
        if self.warnings.total() > 0 {
            response.headers_mut().insert(WARNINGS, HeaderValue::from(self.warnings.total()));
        }
        response.extensions_mut().insert(Served {
            model: self.model,
            rows,
            warnings: self.warnings,
            values: self.values,
            shadow: self.compared.take(),
            captured: self.captured.take(),
        });
        response
    }
}

/// A model in logs and headers: `name@version`.
fn reference(model: &Model) -> String {
    format!("{}@{}", model.name(), model.version())
}

/// The time of each stage, for the `server-timing` header (W3C Server Timing).
struct Stages {
    since: Instant,
    ended: Vec<(&'static str, Duration)>,
}

impl Stages {
    fn start() -> Self {
        Self { since: Instant::now(), ended: Vec::with_capacity(4) }
    }

    /// Begins the next stage now; the time since the last one belongs to none.
    fn restart(&mut self) {
        self.since = Instant::now();
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
