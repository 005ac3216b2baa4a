//! `GET /metrics`: the server's metrics as `OpenMetrics` text, which Prometheus reads.

mod process;
mod shadow;

use std::fmt;
use std::sync::Arc;

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use ordinate::http::server::observer::{Observer, RequestRecord};
use ordinate::source::catalog::Catalog;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use tokio::sync::Semaphore;

use crate::body::BodyMemory;
use crate::connections::Connections;
use crate::response::ResponseMemory;

/// The upper ends of the buckets of durations, in seconds.
const SECONDS: [f64; 13] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// The route of requests that no route has the path of, so that callers cannot add label values.
const UNKNOWN_ROUTE: &str = "unknown";

/// Counts finished requests.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    registry: Arc<Registry>,
    requests: Family<RequestLabels, Counter>,
    durations: Family<RouteLabels, Histogram>,
    errors: Family<CodeLabels, Counter>,
    rows: Family<ModelLabels, Counter>,
    warnings: Family<WarningLabels, Counter>,
    shadows: shadow::Shadows,
    captures: Family<CaptureLabels, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: String,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CodeLabels {
    code: &'static str,
}

/// The labels of a model.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ModelLabels {
    model: String,
    version: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CaptureLabels {
    model: String,
    version: String,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WarningLabels {
    model: String,
    version: String,
    code: &'static str,
}

impl Metrics {
    /// Metrics of the requests, the connections, the models and the process.
    pub(crate) fn new(gauges: Gauges) -> Self {
        let mut all = Registry::default();
        all.register_collector(Box::new(process::Process));
        let registry = all.sub_registry_with_prefix("ordinate");
        let requests = Family::default();
        let durations = Family::new_with_constructor((|| Histogram::new(SECONDS)) as fn() -> Histogram);
        let (errors, rows, warnings) = (Family::default(), Family::default(), Family::default());
        registry.register("requests", "Answered requests", requests.clone());
        registry.register_with_unit(
            "request_duration",
            "Time from the headers of a request to its response",
            Unit::Seconds,
            durations.clone(),
        );
        registry.register("errors", "Responses with an error, by code", errors.clone());
        registry.register("rows", "Predicted rows", rows.clone());
        registry.register("warnings", "Warnings about predicted rows", warnings.clone());
        let shadows = shadow::Shadows::new(registry);
        let captures = Family::default();
        registry.register("captures", "Captured requests, by outcome", captures.clone());
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        registry.register("build", "The version of the server", Info::new(version));
        registry.register_collector(Box::new(gauges));
        Self { registry: Arc::new(all), requests, durations, errors, rows, warnings, shadows, captures }
    }
}

impl Observer for Metrics {
    fn finished(&self, request: &RequestRecord<'_>) {
        let route = request.route.unwrap_or(UNKNOWN_ROUTE).to_owned();
        let labels = RequestLabels { method: method(request), route: route.clone(), status: request.status };
        self.requests.get_or_create(&labels).inc();
        self.durations.get_or_create(&RouteLabels { route }).observe(request.duration.as_secs_f64());
        if let Some(code) = request.code {
            self.errors.get_or_create(&CodeLabels { code }).inc();
        }
        let Some(prediction) = request.prediction else { return };
        let (model, version) = (prediction.model.to_owned(), prediction.version.to_owned());
        if let Some(record) = prediction.shadow {
            self.shadows.add(&model, &version, record);
        }
        if let Some(captured) = prediction.captured {
            let outcome = if captured { "captured" } else { "dropped" };
            let labels = CaptureLabels { model: model.clone(), version: version.clone(), outcome };
            self.captures.get_or_create(&labels).inc();
        }
        let rows = u64::try_from(prediction.rows).unwrap_or(u64::MAX);
        self.rows.get_or_create(&ModelLabels { model: model.clone(), version: version.clone() }).inc_by(rows);
        for (code, count) in prediction.warnings.by_code().into_iter().filter(|(_, count)| *count > 0) {
            let labels = WarningLabels { model: model.clone(), version: version.clone(), code };
            self.warnings.get_or_create(&labels).inc_by(u64::try_from(count).unwrap_or(u64::MAX));
        }
    }

    fn metrics(&self) -> Option<Response> {
        let mut encoded = String::new();
        Some(match text::encode(&mut encoded, &self.registry) {
            Ok(()) => {
                let media_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
                ([(CONTENT_TYPE, media_type)], encoded).into_response()
            }
            Err(error) => {
                tracing::error!(%error, "cannot encode the metrics");
                axum::http::StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        })
    }
}

/// A method of the service, or `other`: a client can send any word.
fn method(request: &RequestRecord<'_>) -> String {
    match request.method.as_str() {
        known @ ("GET" | "HEAD" | "POST" | "OPTIONS" | "PUT" | "PATCH" | "DELETE") => known.to_owned(),
        _ => "other".to_owned(),
    }
}

/// The values that are read when the metrics are requested.
#[derive(Debug)]
pub(crate) struct Gauges {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) connections: Arc<Connections>,
    pub(crate) body_memory: Arc<BodyMemory>,
    pub(crate) response_memory: Arc<ResponseMemory>,
    pub(crate) max_concurrent_requests: usize,
    pub(crate) permits: Arc<Semaphore>,
}

impl Collector for Gauges {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let counts = self.connections.counts();
        let in_flight = self.max_concurrent_requests - self.permits.available_permits();
        gauge(&mut encoder, "requests_in_flight", "Requests that are handled now", in_flight)?;
        gauge(&mut encoder, "connections", "Open connections", counts.open)?;
        gauge(&mut encoder, "connections_idle", "Open connections that wait for a request", counts.idle)?;
        counter(&mut encoder, "connections_accepted", "Accepted connections", counts.accepted)?;
        counter(&mut encoder, "connections_refused", "Connections refused at the limit", counts.refused)?;
        gauge(&mut encoder, "body_memory_bytes", "Memory of the bodies of requests", self.body_memory.bytes())?;
        gauge(&mut encoder, "response_memory_bytes", "Memory of unsent responses", self.response_memory.bytes())?;
        let loads = self.catalog.loads();
        let mut models = encoder.encode_descriptor("model_loads", "Loads of models", None, MetricType::Counter)?;
        for (outcome, count) in [("ok", loads.succeeded), ("failed", loads.failed)] {
            ConstCounter::new(count).encode(models.encode_family(&[("outcome", outcome)])?)?;
        }
        let failed = loads.failed_refreshes;
        counter(&mut encoder, "model_refresh_failures", "Refreshes of models that left the loaded version", failed)?;
        let seconds = loads.duration.as_secs_f64();
        let durations = encoder.encode_descriptor(
            "model_load_duration",
            "Time of all loads of models",
            Some(&Unit::Seconds),
            MetricType::Counter,
        )?;
        ConstCounter::new(seconds).encode(durations)?;
        let mut info = encoder.encode_descriptor("model_info", "The loaded models", None, MetricType::Gauge)?;
        for model in self.catalog.loaded() {
            let labels = [("model", model.name()), ("version", model.version()), ("sha256", model.checksum())];
            ConstGauge::new(1_i64).encode(info.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

fn gauge(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: usize) -> fmt::Result {
    let value = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
    value.encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)
}

fn counter(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: u64) -> fmt::Result {
    ConstCounter::new(value).encode(encoder.encode_descriptor(name, help, None, MetricType::Counter)?)
}
