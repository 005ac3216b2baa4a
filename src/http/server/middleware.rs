//! The middleware around all routes: error bodies, content encoding, and one log line per request, without the body.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::ACCEPT_ENCODING;
use http::{HeaderMap, HeaderValue, Method};
use lambda_http::RequestExt;
use tower_http::request_id::{MakeRequestId, RequestId};
use tracing::Level;

use super::accept::Accept;
use super::capture::{Capture, CapturedRows};
use super::envelope::Envelope;
use super::error::{ApiError, ErrorCode};
use super::error_page;
use super::headers::REQUEST_ID;
use super::observer::{Observer, PredictionRecord, RequestRecord, ShadowRecord, ShadowSkip, Started};
use super::path::Prefix;
use crate::http::settings::LogRequests;
use ordinate_model::Model;
use ordinate_model::answer::WarningCounts;
use ordinate_model::wording::shorten;

/// The facts of a prediction for the log, in the extensions of its response.
#[derive(Debug, Clone)]
pub(crate) struct Served {
    /// The model.
    pub(crate) model: Arc<Model>,
    /// Predicted rows.
    pub(crate) rows: usize,
    /// Warnings in the response.
    pub(crate) warnings: WarningCounts,
    /// A sample of the predictions.
    pub(crate) values: Vec<f64>,
    /// The comparison with the version of the alias `shadow`.
    pub(crate) shadow: Option<ShadowRecord>,
    /// The rows, if the request is captured.
    pub(crate) captured: Option<CapturedRows>,
}

/// The model of a request for its log line, in the extensions of the request: `name@version` when it is loaded, before
/// that the name in the path.
#[derive(Debug, Clone, Default)]
pub(crate) struct ModelOfRequest {
    name: Arc<Mutex<String>>,
    is_captured: bool,
}

impl ModelOfRequest {
    fn new(is_captured: bool) -> Self {
        Self { is_captured, ..Self::default() }
    }

    /// Whether the rows of the request are captured.
    pub(crate) fn is_captured(&self) -> bool {
        self.is_captured
    }

    pub(crate) fn set(&self, model: String) {
        *self.name.lock().unwrap_or_else(PoisonError::into_inner) = model;
    }

    fn take(&self) -> Option<String> {
        let model = std::mem::take(&mut *self.name.lock().unwrap_or_else(PoisonError::into_inner));
        Some(model).filter(|model| !model.is_empty())
    }
}

/// The path of the matched route in the extensions of its response, if axum's path lacks the verb.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RoutePath(pub(crate) &'static str);

/// The steps at the end of a request.
#[derive(Debug)]
pub(crate) struct Finish {
    /// The form of errors for a path.
    pub(crate) envelope_of: fn(&str) -> Envelope,
    pub(crate) log: LogRequests,
    pub(crate) observer: Option<Arc<dyn Observer>>,
    pub(crate) capture: Option<Capture>,
}

/// Lambda's request id if there is one, so that the log agrees with Lambda's own lines; otherwise a random id.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RequestIds;

impl MakeRequestId for RequestIds {
    fn make_request_id<B>(&mut self, request: &http::Request<B>) -> Option<RequestId> {
        let of_lambda = request.lambda_context_ref().map(|context| context.request_id.clone());
        let id = of_lambda.and_then(|id| HeaderValue::try_from(id).ok()).filter(is_request_id);
        let id = id.or_else(|| HeaderValue::try_from(uuid::Uuid::new_v4().to_string()).ok());
        id.map(RequestId::new)
    }
}

/// The longest request id of a client.
const MAX_REQUEST_ID: usize = 128;

/// Whether an id is safe in logs and headers: visible ASCII characters.
fn is_request_id(id: &HeaderValue) -> bool {
    (1..=MAX_REQUEST_ID).contains(&id.len()) && id.as_bytes().iter().all(u8::is_ascii_graphic)
}

/// Removes the id of a client unless it is one valid id, so that the request gets another.
pub(crate) fn without_invalid_request_id(mut request: Request) -> Request {
    let mut ids = request.headers().get_all(REQUEST_ID).iter();
    let is_valid = ids.next().is_some_and(is_request_id) && ids.next().is_none();
    if !is_valid {
        request.headers_mut().remove(REQUEST_ID);
    }
    request
}

/// Writes the bodies of errors and the log line.
pub(crate) async fn finish(State(finish): State<Arc<Finish>>, mut request: Request, next: Next) -> Response {
    let started = request.extensions().get().map_or_else(Instant::now, |Started(started)| *started);
    let method = request.method().clone();
    let matched = request.extensions().get::<MatchedPath>().map(|route| route.as_str().to_owned());
    let request_id = request.extensions().get::<RequestId>().and_then(|id| id.header_value().to_str().ok());
    let request_id = request_id.unwrap_or_default().to_owned();

    let envelope = (finish.envelope_of)(request.uri().path());
    let prefix = request.extensions().get::<Prefix>().cloned().unwrap_or_default();
    let shows_page = envelope == Envelope::Problem && is_page(&request);
    if not_compressed(request.uri().path()) {
        request.headers_mut().remove(ACCEPT_ENCODING);
    }
    simplify_accept_encoding(request.headers_mut());
    let path = request.uri().path().to_owned();
    let capture = finish.capture.as_ref().filter(|capture| capture.includes(&request_id));
    let model = ModelOfRequest::new(capture.is_some());
    request.extensions_mut().insert(model.clone());
    let mut response = next.run(request).await;
    let error = response.extensions_mut().remove::<ApiError>();
    if let Some(error) = &error {
        let problem = if shows_page {
            error_page::respond(error, &prefix, &request_id)
        } else {
            envelope.respond(error, &prefix, &request_id)
        };
        response = with_headers_of(problem, &response);
    }

    let route = response.extensions_mut().remove::<RoutePath>().map(|RoutePath(path)| path).or(matched.as_deref());
    let served = response.extensions_mut().remove::<Served>();
    let write = |served: &Served| Some(capture?.write(&request_id, served.rows, served.captured.as_ref()?));
    let captured = served.as_ref().and_then(write);
    let record = RequestRecord {
        method: &method,
        route,
        status: response.status().as_u16(),
        duration: started.elapsed(),
        code: error.as_ref().map(|error| error.code.as_str()),
        prediction: served.as_ref().map(|served| PredictionRecord {
            model: served.model.name(),
            version: served.model.version(),
            rows: served.rows,
            warnings: served.warnings,
            values: &served.values,
            shadow: served.shadow.as_ref(),
            captured,
        }),
    };
    if let Some(observer) = &finish.observer {
        observer.finished(&record);
    }
    if finish.log.include(record.status) {
        log(&record, &request_id, &path, model.take().as_deref(), error.as_ref());
    }
    response
}

/// Whether a browser opens the route, and shows a page.
fn is_page(request: &Request) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD) && Accept::from_headers(request.headers()).prefers_html()
}

/// An error with the headers that inner layers set, such as Allow.
fn with_headers_of(mut problem: Response, response: &Response) -> Response {
    for (name, value) in response.headers() {
        if !problem.headers().contains_key(name) && name != http::header::CONTENT_LENGTH {
            problem.headers_mut().insert(name, value.clone());
        }
    }
    problem
}

/// One line per request.
fn log(record: &RequestRecord<'_>, request_id: &str, path: &str, model: Option<&str>, error: Option<&ApiError>) {
    let &RequestRecord { method, route, status, code, ref prediction, .. } = record;
    let method = shorten(method.as_str());
    let duration_ms = record.duration.as_secs_f64() * 1e3;
    // The route of a known path is enough; an unknown one has no route.
    let path = (status == 404 || route.is_none()).then(|| shorten(path));
    let cause = error.and_then(cause);
    let shadow = prediction.and_then(|prediction| prediction.shadow);
    let shadow_version = shadow.and_then(|shadow| shadow.version.as_deref());
    let shadow_rows = shadow.map(|shadow| shadow.rows);
    let shadow_mean_difference = shadow.and_then(ShadowRecord::mean);
    let shadow_largest_difference = shadow_mean_difference.and(shadow.map(|shadow| shadow.largest));
    let shadow_disagreements = shadow_mean_difference.and(shadow.map(|shadow| shadow.disagreements));
    let shadow_skipped = shadow.and_then(|shadow| shadow.skip).map(ShadowSkip::as_str);
    let rows = prediction.map(|prediction| prediction.rows);
    let warnings = prediction.map(|prediction| prediction.warnings.total());
    macro_rules! line {
        ($level:ident) => {
            tracing::$level!(
                request_id,
                method,
                route,
                path,
                status,
                duration_ms,
                model,
                rows,
                warnings,
                shadow_version,
                shadow_rows,
                shadow_mean_difference,
                shadow_largest_difference,
                shadow_disagreements,
                shadow_skipped,
                code,
                cause,
                "request"
            )
        };
    }
    match error.map_or(Level::INFO, |error| error.code.log_level()) {
        Level::ERROR => line!(error),
        Level::WARN => line!(warn),
        _ => line!(info),
    }
}

/// The cause of an error, for the log. The details of most errors of callers can contain their data.
fn cause(error: &ApiError) -> Option<&str> {
    let is_about_the_transport = matches!(
        error.code,
        ErrorCode::InvalidEvent
            | ErrorCode::IncompleteBody
            | ErrorCode::RequestTimeout
            | ErrorCode::InvalidRequest
            | ErrorCode::Overloaded
            | ErrorCode::UnsupportedTransferCoding
    );
    error.cause.as_deref().or_else(|| is_about_the_transport.then_some(error.detail.as_str()))
}

/// Triton's asynchronous client always accepts gzip but decompresses only the responses of `…/infer`.
fn not_compressed(path: &str) -> bool {
    path.strip_prefix("/v2").is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) && !path.ends_with("/infer")
}

/// Reduces `Accept-Encoding` to gzip or nothing. A request never fails because of it: RFC 9110 §12.5.3 allows an
/// unencoded response whatever the header contains.
fn simplify_accept_encoding(headers: &mut HeaderMap) {
    let accepts_gzip = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok()).any(|value| {
        value.split(',').any(|member| {
            let mut parts = member.split(';').map(str::trim);
            let is_gzip = parts.next().is_some_and(|coding| coding.eq_ignore_ascii_case("gzip"));
            let quality = parts.find_map(|part| part.strip_prefix("q=")).unwrap_or("1").parse::<f32>();
            is_gzip && quality.is_ok_and(|quality| quality > 0.0)
        })
    });
    headers.remove(ACCEPT_ENCODING);
    if accepts_gzip {
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_predictions_of_open_inference_are_compressed() {
        for path in ["/v2", "/v2/models/line", "/v2/models/infer/config", "/v2/repository/index"] {
            assert!(not_compressed(path), "{path}");
        }
        for path in ["/v2/models/line/infer", "/v2/models/line/versions/1/infer", "/v2x", "/predict"] {
            assert!(!not_compressed(path), "{path}");
        }
    }
}
