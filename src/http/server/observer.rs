//! A record of each request, for metrics: of the plain server, and of the function in `CloudWatch`.

use std::fmt::Debug;
use std::time::{Duration, Instant};

use axum::response::Response;
use http::Method;
use ordinate_model::PredictedRow;
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
    /// The name of the model.
    pub model: &'a str,
    /// Its version.
    pub version: &'a str,
    /// The number of predicted rows.
    pub rows: usize,
    /// The warnings of the answer by kind.
    pub warnings: WarningCounts,
    /// A sample of the predictions, at most [`MAX_SAMPLE`]: values of a regressor, probabilities of the second of two
    /// classes, or of the predicted one of several.
    pub values: &'a [f64],
    /// The comparison with the version of the alias `shadow`, if there is one.
    pub shadow: Option<&'a ShadowRecord>,
    /// Whether the request was captured; `false` if it was dropped, `None` if it is not in the sample.
    pub captured: Option<bool>,
}

/// The comparison of a prediction with that of the version of the alias `shadow`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ShadowRecord {
    /// The version of the shadow, if it is known.
    pub version: Option<String>,
    /// The number of compared rows.
    pub rows: usize,
    /// The sum of the absolute differences of these rows: of the predicted values, or for a classifier of the
    /// probabilities, of which each row counts with the largest difference.
    pub sum: f64,
    /// The largest of these differences.
    pub largest: f64,
    /// The number of rows with another class.
    pub disagreements: usize,
    /// Why not all rows of the request were compared.
    pub skip: Option<ShadowSkip>,
}

impl ShadowRecord {
    /// The mean difference; `None` if no row was compared.
    #[must_use]
    // Numbers of rows are exact in a double.
    #[allow(clippy::cast_precision_loss)]
    pub fn mean(&self) -> Option<f64> {
        (self.rows > 0).then(|| self.sum / self.rows as f64)
    }

    /// Adds a row.
    pub(crate) fn add(&mut self, live: PredictedRow<'_>, shadow: PredictedRow<'_>) {
        let difference = match (live, shadow) {
            (PredictedRow::Value(live), PredictedRow::Value(shadow)) => (live - shadow).abs(),
            (
                PredictedRow::Class { class: live, probabilities: of_live },
                PredictedRow::Class { class: shadow, probabilities: of_shadow },
            ) => {
                self.disagreements += usize::from(live != shadow);
                of_live.iter().zip(of_shadow).map(|(live, shadow)| (live - shadow).abs()).fold(0.0, f64::max)
            }
            // The tasks were compared before.
            _ => return,
        };
        self.rows += 1;
        // The difference of finite numbers can overflow, and JSON has no infinity.
        self.sum = (self.sum + difference).min(f64::MAX);
        self.largest = self.largest.max(difference).min(f64::MAX);
    }
}

/// Why rows were not compared with the version of the alias `shadow`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShadowSkip {
    /// The version was not loaded within the time budget.
    Loading,
    /// The version cannot be loaded.
    Unavailable,
    /// It has another task, other classes, or features that requests for the live version do not have.
    Incompatible,
    /// The time budget was over.
    Budget,
    /// It does not accept one of the rows.
    Rejected,
    /// It cannot predict.
    Failed,
}

impl ShadowSkip {
    /// The reason in logs and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Loading => "loading",
            Self::Unavailable => "unavailable",
            Self::Incompatible => "incompatible",
            Self::Budget => "budget",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
        }
    }
}

/// The maximum size of a sample of predictions: the time of a larger one would be most of that of all metrics
/// (docs/performance.md).
pub const MAX_SAMPLE: usize = 10;

/// Keeps metrics of requests.
pub trait Observer: Debug + Send + Sync {
    /// A request was answered. This must not block.
    fn finished(&self, request: &RequestRecord<'_>);

    /// The response of `GET /metrics`, if that is where the metrics are.
    fn metrics(&self) -> Option<Response>;
}
