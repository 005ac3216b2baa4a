//! The step `drift`: the captured requests of a day, compared with the training data of their models.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use jiff::{Timestamp, ToSpan};
use ordinate::config::ConfigError;
use ordinate::source::ObjectLocation;
use ordinate_drift::captured::{Captured, add_models};
use ordinate_drift::metrics::MetricContext;
use ordinate_drift::{DriftReport, Limits, Observed};
use serde_json::{Value, json};

use super::event::DriftRequest;
use super::handler::{Function, FunctionError};
use crate::error::BatchError;

/// The most models and versions that are compared, in the order of their names.
const MAX_MODELS: usize = 20;

/// Compares the requests of a day, and writes the metrics as lines of the log.
pub(super) fn drift(function: &Function, request: &DriftRequest, until: Instant) -> Result<Value, FunctionError> {
    let missing = || ConfigError {
        variable: "BATCH_CAPTURED_URI",
        value: String::new(),
        problem: "expected the prefix of captured requests, such as s3://bucket/captured/".to_owned(),
    };
    let captured = function.settings.captured.as_ref().ok_or_else(missing)?;
    let day = request.day.clone().unwrap_or_else(yesterday);
    let place = captured.join(&format!("{day}/"));
    let day_of = Day { function, objects: objects(function, &place)?, place, until };
    let mut found = BTreeSet::new();
    day_of.read(|stream| add_models(stream, &mut found))?;
    let skipped = found.len().saturating_sub(MAX_MODELS);
    if skipped > 0 {
        tracing::warn!(skipped, "more models have captured requests than are compared");
    }
    let models: Result<Vec<Value>, _> =
        found.iter().take(MAX_MODELS).map(|(name, version)| day_of.compare(name, version)).collect();
    Ok(json!({"captured": day_of.place.to_string(), "objects": day_of.objects.len(), "models": models?,
        "skipped": skipped}))
}

fn yesterday() -> String {
    let day = Timestamp::now().checked_sub(24.hours()).unwrap_or_default();
    day.strftime("%Y-%m-%d").to_string()
}

fn objects(function: &Function, place: &ObjectLocation) -> Result<Vec<ObjectLocation>, FunctionError> {
    let listed = function.s3.list(place)?;
    let name = |key: &str| key.strip_prefix(place.key()).map(str::to_owned);
    Ok(listed.iter().filter_map(|object| Some(place.join(&name(&object.key)?))).collect())
}

/// The captured requests of a day.
struct Day<'f> {
    function: &'f Function,
    objects: Vec<ObjectLocation>,
    place: ObjectLocation,
    until: Instant,
}

impl Day<'_> {
    /// Hands the content of each object to `each`.
    fn read(&self, mut each: impl FnMut(Box<dyn io::Read + Send>) -> io::Result<()>) -> Result<(), FunctionError> {
        for object in &self.objects {
            if Instant::now() >= self.until {
                let reason = format!("{}: the function's time ends before all captured requests are read", self.place);
                return Err(BatchError::Other(format!("{reason}\nhelp: lower CaptureFraction of the service")).into());
            }
            // An object may have been deleted meanwhile.
            let Some(stream) = self.function.s3.open(object)? else { continue };
            each(stream).map_err(|error| BatchError::from_failure(error.into(), &object.to_string()))?;
        }
        Ok(())
    }

    /// Compares the requests of a model, and writes its metrics.
    fn compare(&self, name: &str, version: &str) -> Result<Value, FunctionError> {
        let skipped = |reason: &str| {
            tracing::warn!(model = name, version, reason, "captured requests are not compared");
            Ok(json!({"model": name, "version": version, "skipped": reason}))
        };
        let function = self.function;
        let model = match function.handle.block_on(function.catalog.model(name, Some(version))) {
            Ok(model) => model,
            Err(error) => {
                let error = FunctionError::from(error);
                return if error.is_transient() { Err(error) } else { skipped(&error.to_string()) };
            }
        };
        let Some(mut observed) = Observed::new(&model) else {
            return skipped("the model file does not have the distribution of the training data");
        };
        let mut captured = Captured::default();
        self.read(|stream| captured.read(stream, &mut observed))?;
        let report = DriftReport::new(&observed, self.place.to_string(), Limits::default());
        self.write(&report)?;
        let subjects = report.features.iter().chain(&report.predictions).filter(|subject| subject.drift);
        let features: Vec<&str> = subjects.map(|subject| subject.name.as_str()).collect();
        let (rows, drift) = (report.rows, report.drift);
        tracing::info!(model = name, version, rows, drift, features = features.join(", "), "drift");
        Ok(json!({"model": name, "version": version, "rows": rows, "drift": drift, "features": features}))
    }

    fn write(&self, report: &DriftReport) -> Result<(), FunctionError> {
        let settings = &self.function.settings;
        let timestamp = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let context = MetricContext {
            service: settings.service.clone(),
            level: settings.log_level.clone(),
            timestamp: u64::try_from(timestamp).unwrap_or(u64::MAX),
        };
        let mut out = io::stdout().lock();
        let mut write = |line: &Value| writeln!(out, "{line}");
        let written = report.metric_lines(&context).iter().try_for_each(&mut write);
        written.map_err(|error| BatchError::Other(format!("metrics cannot be written: {error}")).into())
    }
}
