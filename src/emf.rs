//! Metrics for `CloudWatch`: one line of its embedded metric format on standard output for each request that has any.
//! Source: AWS, "Specification: Embedded metric format".

use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::response::Response;

use crate::http::server::observer::{MAX_SAMPLE, Observer, PredictionRecord, RequestRecord, ShadowRecord};
use crate::source::catalog::{Catalog, Loads};

/// The namespace of all metrics.
pub const NAMESPACE: &str = "Ordinate";

/// A metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// Its name in `CloudWatch`.
    pub name: &'static str,
    /// Its unit in `CloudWatch`.
    pub unit: &'static str,
}

const fn count(name: &'static str) -> Metric {
    Metric { name, unit: "Count" }
}

const fn milliseconds(name: &'static str) -> Metric {
    Metric { name, unit: "Milliseconds" }
}

const PREDICTIONS: Metric = count("Predictions");
const ROWS: Metric = count("Rows");
const PREDICTION_LATENCY: Metric = milliseconds("PredictionLatency");
const WARNINGS: Metric = count("Warnings");
const IMPUTED_VALUES: Metric = count("ImputedValues");
const PREDICTION_VALUE: Metric = Metric { name: "PredictionValue", unit: "None" };
const SHADOW_DIFFERENCE: Metric = Metric { name: "ShadowDifference", unit: "None" };
const CAPTURED: Metric = count("Captured");
const CAPTURE_DROPPED: Metric = count("CaptureDropped");
const COLD_START: Metric = count("ColdStart");
const MODEL_LOAD_LATENCY: Metric = milliseconds("ModelLoadLatency");
const MODEL_LOAD_ERRORS: Metric = count("ModelLoadErrors");
const MODEL_REFRESH_ERRORS: Metric = count("ModelRefreshErrors");
const CALLER_ERRORS: Metric = count("CallerErrors");
const SERVER_ERRORS: Metric = count("ServerErrors");

/// All metrics. Those of predictions have the dimensions `service` and `stage`, and again with `model` and `version`;
/// the others have the first two only.
pub const METRICS: [Metric; 15] = [
    PREDICTIONS,
    ROWS,
    PREDICTION_LATENCY,
    WARNINGS,
    IMPUTED_VALUES,
    PREDICTION_VALUE,
    SHADOW_DIFFERENCE,
    CAPTURED,
    CAPTURE_DROPPED,
    COLD_START,
    MODEL_LOAD_LATENCY,
    MODEL_LOAD_ERRORS,
    MODEL_REFRESH_ERRORS,
    CALLER_ERRORS,
    SERVER_ERRORS,
];

const OF_SERVICE: &str = r#"[["service","stage"]]"#;
const OF_MODEL: &str = r#"[["service","stage"],["model","service","stage","version"]]"#;

/// The dimensions of all metrics, and the level of their lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricSettings {
    /// The dimension `service`.
    pub service: String,
    /// The dimension `stage`.
    pub stage: String,
    /// The `level` of the lines: that of Lambda's filter, which would drop lines below it, and at least `INFO`.
    pub level: &'static str,
    /// Whether the process was started before its first request, so that the request does not wait for it.
    pub provisioned: bool,
}

impl Default for MetricSettings {
    fn default() -> Self {
        Self { service: "ordinate".into(), stage: "default".into(), level: "INFO", provisioned: false }
    }
}

/// Writes the metrics of requests.
pub struct MetricLines {
    /// The end of each line: the dimensions and the level, as members of a JSON object.
    dimensions: String,
    catalog: Option<Arc<Catalog>>,
    /// The loads that are in the metrics.
    reported: Mutex<Loads>,
    is_first: AtomicBool,
    write: fn(&[u8]),
}

impl fmt::Debug for MetricLines {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("MetricLines").field("dimensions", &self.dimensions).finish_non_exhaustive()
    }
}

impl MetricLines {
    /// Lines on standard output, with the loads of this catalog if there is one.
    #[must_use]
    pub fn new(settings: &MetricSettings, catalog: Option<Arc<Catalog>>) -> Self {
        Self::with_writer(settings, catalog, print)
    }

    /// The same with another place for the lines.
    #[must_use]
    pub fn with_writer(settings: &MetricSettings, catalog: Option<Arc<Catalog>>, write: fn(&[u8])) -> Self {
        let text = |text: &str| serde_json::Value::from(text).to_string();
        let MetricSettings { service, stage, level, provisioned } = settings;
        let dimensions = format!(r#","service":{},"stage":{},"level":{}"#, text(service), text(stage), text(level));
        let is_first = AtomicBool::new(!provisioned);
        Self { dimensions, catalog, reported: Mutex::default(), is_first, write }
    }

    /// The loads since the last call.
    fn new_loads(&self) -> Loads {
        let Some(catalog) = &self.catalog else { return Loads::default() };
        let loads = catalog.loads();
        // Every update is complete, so the numbers are right even after a panic.
        let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        let new = Loads {
            succeeded: loads.succeeded.saturating_sub(reported.succeeded),
            failed: loads.failed.saturating_sub(reported.failed),
            failed_refreshes: loads.failed_refreshes.saturating_sub(reported.failed_refreshes),
            duration: loads.duration.saturating_sub(reported.duration),
        };
        *reported = loads;
        new
    }

    fn of_service(&self, request: &RequestRecord<'_>) -> Group {
        let mut group = Group::default();
        if self.is_first.load(Ordering::Relaxed) && self.is_first.swap(false, Ordering::Relaxed) {
            group.add(COLD_START, 1.0);
        }
        let loads = self.new_loads();
        let number = loads.succeeded + loads.failed;
        if number > 0 {
            group.add(MODEL_LOAD_LATENCY, loads.duration.as_secs_f64() * 1e3 / precise(number));
            group.add(MODEL_LOAD_ERRORS, precise(loads.failed));
        }
        if loads.failed_refreshes > 0 {
            group.add(MODEL_REFRESH_ERRORS, precise(loads.failed_refreshes));
        }
        match request.status {
            400..500 => group.add(CALLER_ERRORS, 1.0),
            500.. => group.add(SERVER_ERRORS, 1.0),
            _ => {}
        }
        group
    }
}

impl Observer for MetricLines {
    fn finished(&self, request: &RequestRecord<'_>) {
        let of_service = self.of_service(request);
        let of_model = request.prediction.map(|prediction| of_model(request, &prediction)).unwrap_or_default();
        if of_service.is_empty() && of_model.is_empty() {
            return;
        }
        let mut line = String::with_capacity(1024);
        let timestamp = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        line.push_str(r#"{"_aws":{"Timestamp":"#);
        let _ = write!(line, "{timestamp}");
        line.push_str(r#","CloudWatchMetrics":["#);
        of_model.directive(OF_MODEL, &mut line);
        if !of_service.is_empty() && !of_model.is_empty() {
            line.push(',');
        }
        of_service.directive(OF_SERVICE, &mut line);
        line.push_str("]}");
        line.push_str(&of_model.members);
        line.push_str(&of_service.members);
        if let Some(prediction) = &request.prediction {
            // Names and versions have no characters that JSON escapes.
            for part in [r#","model":""#, prediction.model, r#"","version":""#, prediction.version, r#"""#] {
                line.push_str(part);
            }
        }
        line.push_str(&self.dimensions);
        line.push_str("}\n");
        (self.write)(line.as_bytes());
    }

    fn metrics(&self) -> Option<Response> {
        None
    }
}

fn of_model(request: &RequestRecord<'_>, prediction: &PredictionRecord<'_>) -> Group {
    let mut group = Group { definitions: String::with_capacity(512), members: String::with_capacity(512) };
    group.add(PREDICTIONS, 1.0);
    group.add(ROWS, precise(prediction.rows));
    group.add(PREDICTION_LATENCY, request.duration.as_secs_f64() * 1e3);
    group.add(WARNINGS, precise(prediction.warnings.total()));
    group.add(IMPUTED_VALUES, precise(prediction.warnings.imputed));
    group.add_all(PREDICTION_VALUE, prediction.values);
    if let Some(difference) = prediction.shadow.and_then(ShadowRecord::mean) {
        group.add(SHADOW_DIFFERENCE, difference);
    }
    match prediction.captured {
        Some(true) => group.add(CAPTURED, 1.0),
        Some(false) => group.add(CAPTURE_DROPPED, 1.0),
        None => {}
    }
    group
}

/// Metrics with the same dimensions.
#[derive(Default)]
struct Group {
    /// Their definitions, separated by commas.
    definitions: String,
    /// Their values as members of a JSON object, each after a comma.
    members: String,
}

impl Group {
    fn is_empty(&self) -> bool {
        self.definitions.is_empty()
    }

    fn add(&mut self, metric: Metric, value: f64) {
        self.add_all(metric, &[value]);
    }

    /// A metric with these values, without those that `CloudWatch` rejects.
    fn add_all(&mut self, metric: Metric, values: &[f64]) {
        /// `CloudWatch` accepts values up to 2³⁶⁰.
        const LARGEST: f64 = 2.3e108;
        let mut valid = values.iter().filter(|value| value.abs() < LARGEST).take(MAX_SAMPLE).peekable();
        if valid.peek().is_none() {
            return;
        }
        let comma = if self.definitions.is_empty() { "" } else { "," };
        for part in [comma, r#"{"Name":""#, metric.name, r#"","Unit":""#, metric.unit, r#""}"#] {
            self.definitions.push_str(part);
        }
        for part in [r#",""#, metric.name, r#"":"#] {
            self.members.push_str(part);
        }
        if values.len() == 1 {
            valid.for_each(|value| push_number(&mut self.members, *value));
            return;
        }
        for (index, value) in valid.enumerate() {
            self.members.push(if index == 0 { '[' } else { ',' });
            push_number(&mut self.members, *value);
        }
        self.members.push(']');
    }

    fn directive(&self, dimensions: &str, line: &mut String) {
        if self.is_empty() {
            return;
        }
        let parts = [r#"{"Namespace":""#, NAMESPACE, r#"","Dimensions":"#, dimensions, r#","Metrics":["#];
        for part in parts.into_iter().chain([self.definitions.as_str(), "]}"]) {
            line.push_str(part);
        }
    }
}

/// The shortest digits of a number, as in JSON.
fn push_number(text: &mut String, value: f64) {
    if let Some(number) = serde_json::Number::from_f64(value) {
        // Writing to a string does not fail.
        let _ = write!(text, "{number}");
    }
}

/// A count as a double.
#[expect(clippy::cast_precision_loss, reason = "counts are below 2⁵³")]
fn precise(count: impl TryInto<u64>) -> f64 {
    count.try_into().unwrap_or(u64::MAX) as f64
}

fn print(line: &[u8]) {
    // Without a log there is no place to report it.
    let _ = std::io::stdout().lock().write_all(line);
}

#[cfg(test)]
mod tests;
