//! The step `drift`: the captured requests of a day, compared with the training data of their models.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{self, Read, Write};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan};
use ordinate::config::ConfigError;
use ordinate::source::ObjectLocation;
use ordinate_drift::captured::{Captured, CapturedRequest, Found, read_lines};
use ordinate_drift::metrics::MetricContext;
use ordinate_drift::{DriftReport, Limits, Observed};
use ordinate_model::Model;
use serde_json::{Value, json};

use super::event::DriftRequest;
use super::handler::{Function, FunctionError};
use crate::error::BatchError;

/// The most models and versions that are compared: the first in the objects of a day.
const MAX_MODELS: usize = 20;

/// The most models and versions that cannot be loaded, such as deleted ones, after which no others are tried.
const MAX_FAILED_LOADS: usize = 100;

/// Where lines with metrics go.
pub trait MetricLines: fmt::Debug + Send + Sync {
    /// Writes a line.
    ///
    /// # Errors
    /// That of the place.
    fn write(&self, line: &Value) -> io::Result<()>;
}

/// The output of the process, from which Lambda takes the log.
#[derive(Debug, Clone, Copy)]
pub(super) struct StandardOutput;

impl MetricLines for StandardOutput {
    fn write(&self, line: &Value) -> io::Result<()> {
        writeln!(io::stdout().lock(), "{line}")
    }
}

/// Compares the requests of a day, and writes the metrics as lines of the log.
pub(super) fn drift(function: &Function, request: &DriftRequest, until: Instant) -> Result<Value, FunctionError> {
    let missing = || ConfigError {
        variable: "BATCH_CAPTURED_URI",
        value: String::new(),
        problem: "expected the prefix of captured requests, such as s3://bucket/captured/".to_owned(),
    };
    let captured = function.settings.captured.as_ref().ok_or_else(missing)?;
    let day = request.day.unwrap_or_else(yesterday);
    let place = captured.join(&format!("{day}/"));
    let slots: Vec<OnceCell<Arc<Model>>> = (0..MAX_MODELS).map(|_| OnceCell::new()).collect();
    let mut compared = Compared {
        function,
        slots: slots.iter(),
        models: BTreeMap::new(),
        failed_loads: 0,
        skipped: BTreeSet::new(),
        captured: Captured::default(),
    };
    let objects = function.s3.list(&place)?;
    if objects.is_empty() {
        let help = "check CaptureFraction of the service, and CapturedUri";
        return Err(BatchError::Other(format!("{place}: there are no captured requests\nhelp: {help}")).into());
    }
    for object in &objects {
        if Instant::now() >= until {
            let reason = format!("{place}: the function's time ends before all captured requests are read");
            return Err(BatchError::Other(format!("{reason}\nhelp: lower CaptureFraction of the service")).into());
        }
        // An object may have been deleted meanwhile.
        if let Some(stream) = function.s3.open(&object.location)? {
            compared.read(stream, &object.location)?;
        }
    }
    let skipped = compared.skipped.len();
    if skipped > 0 {
        tracing::warn!(skipped, "more models have captured requests than are compared");
    }
    let damaged = compared.captured.damaged;
    if damaged.count > 0 {
        tracing::warn!(lines = damaged.count, first = damaged.first, "captured requests are damaged and not compared");
    }
    let models = compared.models.into_iter().map(|((name, version), requests)| match requests {
        Requests::Compared(observed) => report(function, &name, &version, &observed, &place),
        Requests::Skipped(reason) => {
            tracing::warn!(model = name, version, reason, "captured requests are not compared");
            Ok(json!({"model": name, "version": version, "skipped": reason}))
        }
    });
    let models = models.collect::<Result<Vec<Value>, FunctionError>>()?;
    let (place, objects) = (place.to_string(), objects.len());
    let damaged = damaged.count;
    Ok(json!({"captured": place, "objects": objects, "models": models, "skipped": skipped, "damaged": damaged}))
}

fn yesterday() -> Date {
    Offset::UTC.to_datetime(Timestamp::now().checked_sub(24.hours()).unwrap_or_default()).date()
}

/// The requests of all models, counted while their objects are read once. Only counts are kept.
struct Compared<'m, 'f> {
    function: &'f Function,
    /// Where models are kept while their requests are counted.
    slots: std::slice::Iter<'m, OnceCell<Arc<Model>>>,
    /// By name and version.
    models: BTreeMap<(String, String), Requests<'m>>,
    /// Of [`MAX_FAILED_LOADS`].
    failed_loads: usize,
    /// Models beyond these limits.
    skipped: BTreeSet<(String, String)>,
    /// Counts of all requests and damaged lines.
    captured: Captured,
}

/// The requests of a model.
enum Requests<'m> {
    Compared(Box<Observed<'m>>),
    /// They cannot be compared, for this reason.
    Skipped(String),
}

impl Compared<'_, '_> {
    /// Adds the requests of an object.
    fn read(&mut self, stream: Box<dyn Read + Send>, object: &ObjectLocation) -> Result<(), FunctionError> {
        let mut failed = None;
        let read = read_lines(stream, &mut |line, found| {
            let place = || format!("{object}: line {line}");
            match found {
                Found::Request(request) => failed = self.add(&request, &place).err(),
                Found::Damaged(reason) => self.captured.damaged.add(|| format!("{}: {reason}", place())),
                Found::Object(_) | Found::Text => {}
            }
            if failed.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        if let Some(error) = failed {
            return Err(error);
        }
        Ok(read.map_err(|error| BatchError::from_failure(error.into(), &object.to_string()))?)
    }

    fn add(&mut self, request: &CapturedRequest, place: &dyn Fn() -> String) -> Result<(), FunctionError> {
        let key = (request.model.clone(), request.version.clone());
        if !self.models.contains_key(&key) {
            if self.skipped.contains(&key) || self.slots.len() == 0 || self.failed_loads >= MAX_FAILED_LOADS {
                self.skipped.insert(key);
                return Ok(());
            }
            let requests = match self.function.load(&key.0, &key.1)? {
                Ok(model) => {
                    let observed = self.slots.next().and_then(|slot| Observed::new(slot.get_or_init(|| model)));
                    let reason = || "the model file does not have the distribution of the training data".to_owned();
                    observed.map_or_else(|| Requests::Skipped(reason()), |observed| Requests::Compared(observed.into()))
                }
                Err(reason) => {
                    self.failed_loads += 1;
                    Requests::Skipped(reason)
                }
            };
            self.models.insert(key.clone(), requests);
        }
        if let Some(Requests::Compared(observed)) = self.models.get_mut(&key) {
            self.captured.add(request, observed, place);
        }
        Ok(())
    }
}

impl Function {
    /// A version of a model, or the reason why it cannot be loaded, if another attempt would fail, too.
    fn load(&self, name: &str, version: &str) -> Result<Result<Arc<Model>, String>, FunctionError> {
        match self.handle.block_on(self.catalog.model(name, Some(version))).map_err(FunctionError::from) {
            Ok(model) => Ok(Ok(model)),
            Err(error) if error.is_transient() => Err(error),
            Err(error) => Ok(Err(error.to_string())),
        }
    }
}

/// Compares the requests of a model with its training data, and writes the metrics.
fn report(
    function: &Function,
    name: &str,
    version: &str,
    observed: &Observed<'_>,
    place: &ObjectLocation,
) -> Result<Value, FunctionError> {
    let report = DriftReport::new(observed, place.to_string(), Limits::default());
    let timestamp = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let context = MetricContext {
        service: function.settings.service.clone(),
        level: function.settings.log_level.clone(),
        timestamp: u64::try_from(timestamp).unwrap_or(u64::MAX),
    };
    for line in report.metric_lines(&context) {
        let written = function.metrics.write(&line);
        written.map_err(|error| BatchError::Other(format!("metrics cannot be written: {error}")))?;
    }
    let subjects = report.features.iter().chain(&report.predictions).filter(|subject| subject.drift);
    let features: Vec<&str> = subjects.map(|subject| subject.name.as_str()).collect();
    let (rows, drift) = (report.rows, report.drift);
    tracing::info!(model = name, version, rows, drift, features = features.join(", "), "drift");
    Ok(json!({"model": name, "version": version, "rows": rows, "drift": drift, "features": features}))
}
