//! A record of each request, for metrics: of the plain server, and of the function in `CloudWatch`.

use std::fmt::Debug;
use std::time::{Duration, Instant};

use axum::response::Response;
use http::Method;
use ordinate_model::answer::WarningCounts;

/// When the headers of a request were complete, in its extensions, if its body was received before the service is called.
#[derive(Debug, Clone, Copy)]
pub struct Started(pub Instant);

/// The length of the body of a response before it is compressed, in the extensions of the response.
#[derive(Debug, Clone, Copy)]
pub struct UncompressedLength(pub u64);

/// A finished request.
#[derive(Debug, Clone)]
pub struct RequestRecord<'a> {
    /// Its method.
    pub method: &'a Method,
    /// The path of its route, such as `/models/{name}/predict`; `None` if no route has its path.
    pub route: Option<&'a str>,
    /// The status of the response.
    pub status: u16,
    /// The time from the headers until the response was ready.
    pub duration: Duration,
    /// The code of the error.
    pub code: Option<&'static str>,
    /// The prediction, if it is one.
    pub prediction: Option<PredictionRecord<'a>>,
}

/// A successful prediction.
#[derive(Debug, Clone, Copy)]
pub struct PredictionRecord<'a> {
    /// The model, as `name@version`.
    pub model: &'a str,
    /// The number of predicted rows.
    pub rows: usize,
    /// The warnings of the answer by kind.
    pub warnings: WarningCounts,
    /// A sample of the predictions, at most [`MAX_SAMPLE`]: values of a regressor, probabilities of the second of two
    /// classes, or of the predicted one of several.
    pub values: &'a [f64],
    /// How far the predictions of a shadow model differ, if one was asked: the mean absolute difference of values or
    /// probabilities.
    pub shadow_difference: Option<f64>,
}

/// The maximum size of a sample of predictions: the metrics of a request shall take less than 5 µs (docs/performance.md).
pub const MAX_SAMPLE: usize = 10;

/// Keeps metrics of requests.
pub trait Observer: Debug + Send + Sync {
    /// A request was answered. This must not block.
    fn finished(&self, request: &RequestRecord<'_>);

    /// The response of `GET /metrics`, if that is where the metrics are.
    fn metrics(&self) -> Option<Response>;
}
