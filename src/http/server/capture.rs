//! Captured requests: inputs and outputs of a sample of the predictions, as one JSON line each, written after the
//! response is built. `ordinate drift` compares them with the training data.

use std::collections::HashSet;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};

use indexmap::IndexMap;
use ordinate_model::frame::{Frame, FrameSample};
use ordinate_model::random::mix;
use ordinate_model::scalar::Scalar;
use ordinate_model::suggestion::most_similar;
use ordinate_model::{Answer, Model, PredictedRow};
use serde::Serialize;

use crate::telemetry::timestamp;

/// The most rows of a request in its line, at equal distances.
const MAX_ROWS: usize = 1000;

/// The most values of these rows: copying them takes microseconds.
const MAX_VALUES: usize = 20_000;

/// The most bytes of a line, below the limit of an event of `CloudWatch` Logs.
const MAX_LINE: usize = 200_000;

/// The requests that are captured, and what of them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CaptureSettings {
    /// The fraction of the requests.
    pub fraction: f64,
    /// The names of features that are left out.
    pub redacted: Vec<String>,
    /// The `level` of the lines: that of Lambda's filter, which would drop lines below it, and at least `INFO`.
    pub level: &'static str,
}

/// Where captured requests go.
pub trait CaptureSink: Debug + Send + Sync {
    /// Writes a line that ends with a newline; returns whether it was accepted. This must not block.
    fn write(&self, line: Vec<u8>) -> bool;
}

/// Lines on standard output, next to the log.
#[derive(Debug, Clone, Copy)]
pub struct StandardOutput;

impl CaptureSink for StandardOutput {
    fn write(&self, line: Vec<u8>) -> bool {
        use std::io::Write;
        std::io::stdout().lock().write_all(&line).is_ok()
    }
}

/// Settings and sink of captured requests.
#[derive(Debug, Clone)]
pub struct Capture {
    /// The requests that are captured.
    pub settings: CaptureSettings,
    /// Where it goes.
    pub sink: Arc<dyn CaptureSink>,
    /// The checksums of the models whose features were compared with the redacted names.
    compared: Arc<Mutex<HashSet<String>>>,
}

impl Capture {
    /// Captured requests that go to this sink.
    pub fn new(settings: CaptureSettings, sink: Arc<dyn CaptureSink>) -> Self {
        Self { settings, sink, compared: Arc::default() }
    }

    /// Whether the request of this id is in the sample: always the same for one id.
    pub(crate) fn includes(&self, request_id: &str) -> bool {
        let hash = request_id.bytes().fold(0, |hash, byte| mix(hash ^ u64::from(byte)));
        // The top 53 bits are a double in [0, 1), exactly.
        #[allow(clippy::cast_precision_loss)]
        let uniform = (hash >> 11) as f64 / (1_u64 << 53) as f64;
        uniform < self.settings.fraction
    }

    /// Writes a request; returns whether it was accepted.
    pub(crate) fn write(&self, request_id: &str, rows: usize, captured: &CapturedRows) -> bool {
        self.warn_of_unknown_names(&captured.model);
        let line = captured.line(&self.settings, request_id, rows);
        line.is_some_and(|line| self.sink.write(line))
    }

    /// Warns, once for each model, of redacted names that none of its features has: a misspelt one hides nothing.
    fn warn_of_unknown_names(&self, model: &Model) {
        let mut compared = self.compared.lock().unwrap_or_else(PoisonError::into_inner);
        if self.settings.redacted.is_empty() || !compared.insert(model.checksum().to_owned()) {
            return;
        }
        let signature = model.signature();
        let unknown = self.settings.redacted.iter().filter(|name| signature.position(name).is_none());
        let features = signature.features().iter().map(|feature| &feature.name);
        let with_advice = |name: &String| match most_similar(name, features.clone()) {
            Some(similar) => format!("{name:?} (did you mean {similar:?}?)"),
            None => format!("{name:?}"),
        };
        let names: Vec<String> = unknown.map(with_advice).collect();
        if !names.is_empty() {
            let (model, version, names) = (model.name(), model.version(), names.join(", "));
            tracing::warn!(model, version, names, "CAPTURE_REDACT has names that are not features of the model");
        }
    }
}

/// The rows of a request, copied to be written later.
#[derive(Debug, Clone)]
pub(crate) struct CapturedRows {
    model: Arc<Model>,
    inputs: FrameSample,
    /// Predicted values, or the positions of predicted classes.
    values: Vec<f64>,
    classes: Vec<usize>,
    /// One list for each row of a classifier.
    probabilities: Vec<f64>,
}

impl CapturedRows {
    pub(crate) fn new(model: &Arc<Model>, frame: &Frame<'_>, answer: &Answer<'_>) -> Self {
        let outputs = 1 + model.classes().map_or(0, <[_]>::len);
        let most = MAX_ROWS.min(MAX_VALUES / (model.signature().width() + outputs)).max(1);
        let step = frame.rows().div_ceil(most).max(1);
        let rows: Vec<usize> = (0..frame.rows()).step_by(step).collect();
        let inputs = frame.sample(&rows);
        let mut captured =
            Self { model: model.clone(), inputs, values: Vec::new(), classes: Vec::new(), probabilities: Vec::new() };
        for row in answer.rows().step_by(step) {
            match row {
                PredictedRow::Value(value) => captured.values.push(value),
                PredictedRow::Class { class, probabilities } => {
                    captured.classes.push(class);
                    captured.probabilities.extend(probabilities);
                }
            }
        }
        captured
    }

    /// The line; `None` if one row is longer than a line may be.
    fn line(&self, settings: &CaptureSettings, request_id: &str, rows: usize) -> Option<Vec<u8>> {
        let mut step = 1;
        while step <= self.inputs.rows().max(1) {
            let mut line = serde_json::to_vec(&self.record(settings, request_id, rows, step)).ok()?;
            if line.len() < MAX_LINE {
                line.push(b'\n');
                return Some(line);
            }
            step *= 2;
        }
        None
    }

    fn record<'a>(&'a self, settings: &'a CaptureSettings, request_id: &'a str, rows: usize, step: usize) -> Line<'a> {
        let signature = self.model.signature();
        let features = signature.features().iter().enumerate();
        let features = features.filter(|(_, feature)| !settings.redacted.contains(&feature.name));
        let inputs: IndexMap<&str, Vec<Scalar>> = features
            .map(|(at, feature)| (feature.name.as_str(), self.inputs.scalars(signature, at, step).collect()))
            .collect();
        let classes = self.model.classes().unwrap_or_default();
        let values = self.values.iter().step_by(step).copied().map(Scalar::Number);
        let labels = self.classes.iter().step_by(step).filter_map(|class| classes.get(*class).cloned());
        let probabilities = self.probabilities.chunks(classes.len().max(1)).step_by(step).collect();
        Line {
            timestamp: timestamp(),
            level: settings.level,
            message: "captured",
            request_id,
            model: self.model.name(),
            version: self.model.version(),
            rows,
            captured_rows: self.inputs.rows().div_ceil(step),
            inputs,
            y: values.chain(labels).collect(),
            probabilities,
        }
    }
}

/// The line.
#[derive(Serialize)]
struct Line<'a> {
    timestamp: String,
    level: &'a str,
    message: &'a str,
    request_id: &'a str,
    model: &'a str,
    version: &'a str,
    /// The rows of the request.
    rows: usize,
    /// Those of them in the line.
    captured_rows: usize,
    inputs: IndexMap<&'a str, Vec<Scalar>>,
    y: Vec<Scalar>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    probabilities: Vec<&'a [f64]>,
}
