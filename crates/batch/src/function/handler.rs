//! From an event to the answer of the function.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ordinate::config::ConfigError;
use ordinate::source::catalog::{Catalog, CatalogError, Known};
use ordinate::source::s3::S3Settings;
use ordinate::source::{Causes, ObjectLocation};
use ordinate_model::Model;
use ordinate_model::wording::{self, NAMED};
use serde_json::{Value, json};
use thiserror::Error;
use tokio::runtime::Handle;

use super::drift::{MetricLines, StandardOutput};
use super::event::{Event, EventError, Message, object};
use super::finish::ItemsFailed;
use super::manifest::{Item, ItemPart};
use super::settings::BatchSettings;
use super::{drift, failed, finish, plan};
use crate::error::BatchError;
use crate::identity::Identity;
use crate::inputs::Place;
use crate::join::part_name;
use crate::kind::{layout_of, layout_of_given};
use crate::run::{Outcome, Part, Source, run, run_part};
use crate::s3::{ObjectVersion, S3};
use crate::score::{Checks, Task};
use crate::store::Prefix;

/// The time that is left for the end of an output, as a fraction of the time of an invocation, and at most.
const MARGIN_FRACTION: u32 = 5;
const MOST_MARGIN: Duration = Duration::from_secs(20);

/// Why an invocation fails. Transient errors are repeated by the caller.
#[derive(Debug, Error)]
pub enum FunctionError {
    /// The event is not understood.
    #[error(transparent)]
    Event(#[from] EventError),
    /// An input or output.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// The catalog does not have exactly one released model, which would be the default one.
    #[error(
        "which model of the catalog scores is not known; its models are {}\n\
         help: name one with DEFAULT_MODEL, the parameter DefaultModel of batch.yaml",
        wording::listed(.0.iter().map(String::as_str), NAMED)
    )]
    NoDefault(Known),
    /// The model.
    #[error("{}", Causes(.0))]
    Model(CatalogError),
    /// The environment.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Items of a manifest.
    #[error(transparent)]
    Items(#[from] ItemsFailed),
}

impl From<CatalogError> for FunctionError {
    fn from(error: CatalogError) -> Self {
        match error {
            CatalogError::NoDefault { known } if !known.is_empty() => Self::NoDefault(known),
            error => Self::Model(error),
        }
    }
}

impl From<ordinate::source::SourceError> for FunctionError {
    fn from(error: ordinate::source::SourceError) -> Self {
        Self::Batch(error.into())
    }
}

impl FunctionError {
    /// The type of the error for retries of a state machine.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Items(_) => "Ordinate.ItemsFailed",
            _ if self.is_transient() => "Ordinate.Transient",
            _ => "Ordinate.Permanent",
        }
    }

    /// Whether another attempt may succeed although nothing was changed.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Batch(error) => error.is_transient(),
            Self::Model(CatalogError::Unavailable(cause)) => cause.is_transient(),
            _ => false,
        }
    }
}

/// The function: its settings, models and client.
#[derive(Debug)]
pub struct Function {
    pub(super) settings: BatchSettings,
    pub(super) catalog: Arc<Catalog>,
    pub(super) s3: S3,
    store: Prefix,
    pub(super) handle: Handle,
    pub(super) metrics: Arc<dyn MetricLines>,
}

/// One invocation.
#[derive(Clone)]
pub(super) struct Call<'f> {
    pub(super) settings: &'f BatchSettings,
    pub(super) store: &'f Prefix,
    pub(super) s3: S3,
    pub(super) task: Task,
    function: &'f Function,
    until: Instant,
}

impl Function {
    /// A function with these settings. `handle` is the runtime that sends requests.
    ///
    /// # Errors
    /// [`FunctionError`] if the settings of S3 are incomplete.
    pub fn new(
        settings: BatchSettings,
        catalog: Arc<Catalog>,
        s3: S3Settings,
        handle: Handle,
    ) -> Result<Self, FunctionError> {
        let s3 = S3::new(&settings.output, s3, handle.clone())?;
        let store = Prefix::new(s3.clone(), settings.output.clone());
        Ok(Self { settings, catalog, s3, store, handle, metrics: Arc::new(StandardOutput) })
    }

    /// The function with another place for the lines of its metrics than the output of the process.
    #[must_use]
    pub fn with_metrics(self, metrics: Arc<dyn MetricLines>) -> Self {
        Self { metrics, ..self }
    }

    /// Handles an event within this time. Blocks the thread, which must not be one of the runtime.
    ///
    /// # Errors
    /// [`FunctionError`]; those of messages of a queue are in the answer.
    pub fn handle(&self, event: &Value, time: Duration) -> Result<Value, FunctionError> {
        let event = Event::parse(event)?;
        let until = Instant::now() + time.saturating_sub(MOST_MARGIN.min(time / MARGIN_FRACTION));
        let call = || self.call(until);
        match event {
            Event::Objects(objects) => {
                let call = call()?;
                answer(objects.iter().map(|object| call.object(object)).collect())
            }
            Event::Messages(messages) => Ok(call()?.messages(&messages)),
            Event::Plan(request) => plan::plan(&call()?, &request),
            Event::Items(items) => {
                let call = call()?;
                answer(items.iter().map(|item| call.item(item)).collect())
            }
            Event::Failed(request) => failed::note(&call()?, &request),
            Event::Finish(request) => finish::finish(&call()?, &request),
            // It compares all models with captured requests, and there may be no default one.
            Event::Drift(request) => drift::drift(self, &request, until),
        }
    }

    fn call(&self, until: Instant) -> Result<Call<'_>, FunctionError> {
        let model = self.handle.block_on(self.catalog.default_model())?;
        let (settings, store, s3) = (&self.settings, &self.store, self.s3.clone());
        Ok(Call { settings, store, s3, task: self.task(model), function: self, until })
    }

    fn task(&self, model: Arc<Model>) -> Task {
        Task {
            model,
            columns: self.settings.columns.clone(),
            options: self.settings.options.clone(),
            threads: self.settings.threads,
            force: false,
        }
    }
}

/// The answer for objects: what was done with each, or the first error, after all were tried.
fn answer(objects: Vec<Result<Value, FunctionError>>) -> Result<Value, FunctionError> {
    Ok(json!({"objects": objects.into_iter().collect::<Result<Vec<Value>, _>>()?}))
}

impl Call<'_> {
    pub(super) fn is_out_of_time(&self) -> bool {
        Instant::now() >= self.until
    }

    /// Whether an object is an output, which must not become an input.
    pub(super) fn is_output(&self, location: &ObjectLocation) -> bool {
        let output = &self.settings.output;
        location.bucket() == output.bucket() && location.key().starts_with(output.key())
    }

    /// The messages that failed, in the form of SQS, which delivers them again.
    fn messages(&self, messages: &[Message]) -> Value {
        let failed = messages.iter().filter_map(|message| {
            let outcome = match &message.objects {
                Ok(objects) => objects.iter().try_for_each(|object| self.object(object).map(drop)),
                Err(error) => Err(error.clone().into()),
            };
            let error = outcome.err()?;
            tracing::error!(message = message.id, kind = error.kind(), %error, "a message failed");
            Some(json!({"itemIdentifier": message.id}))
        });
        json!({"batchItemFailures": failed.collect::<Vec<_>>()})
    }

    /// Scores the current version of an object, whichever version the event is about: then the order of events does not
    /// matter.
    fn object(&self, location: &ObjectLocation) -> Result<Value, FunctionError> {
        let Some(layout) = layout_of(location.key()).filter(|_| !self.is_output(location)) else {
            return Ok(self.report(location, "ignored", None));
        };
        let source = match Place::Object(location.clone()).source(Some(&self.s3), self.settings.spool_bytes) {
            Ok(source) => source,
            // It was deleted meanwhile.
            Err(BatchError::Missing { .. }) => return Ok(self.report(location, "deleted", None)),
            Err(error) => return Err(error.into()),
        };
        let is_out = || self.is_out_of_time();
        let checks = Checks { is_out_of_time: Some(&is_out), place: location.to_string(), watch: None };
        let outcome = run(&self.task, &source, layout, (self.store, location.key()), &checks)?;
        Ok(self.scored(location, outcome))
    }

    fn item(&self, item: &Item) -> Result<Value, FunctionError> {
        let Some(location) = object(&item.bucket, &item.key)? else {
            return Ok(json!({"input": format!("s3://{}/{}", item.bucket, item.key), "outcome": "ignored"}));
        };
        let Some(part) = &item.part else { return self.object(&location) };
        let call = self.with_model_of(part)?;
        let object = call.planned_object(&location, part)?;
        let identity = call.identity(&object)?;
        if crate::store::Store::existing(call.store, location.key())?.is(&identity) {
            return Ok(call.report(&location, "unchanged", None));
        }
        let name = part_name(location.key(), &identity, usize::try_from(part.part).unwrap_or(usize::MAX));
        let range = Part { start: part.start, end: part.end, line: part.line };
        let is_out = || call.is_out_of_time();
        let checks = Checks { is_out_of_time: Some(&is_out), place: location.to_string(), watch: None };
        let layout = layout_of_given(location.key());
        let outcome = run_part(&call.task, (&call.s3, &object), range, layout, (call.store, &name), &checks)?;
        Ok(call.scored(&location, outcome))
    }

    /// The call with the model that a plan was made with.
    pub(super) fn with_model_of(&self, part: &ItemPart) -> Result<Self, FunctionError> {
        if self.task.model.checksum() == part.model_sha256 {
            return Ok(self.clone());
        }
        let function = self.function;
        let found = function.handle.block_on(function.catalog.model(&part.model, Some(&part.model_version)))?;
        if found.checksum() != part.model_sha256 {
            let model = format!("{}@{}", part.model, part.model_version);
            return Err(BatchError::Stale { place: model, what: "model" }.into());
        }
        Ok(Self { task: function.task(found), ..self.clone() })
    }

    /// The object of a plan, if it is still the same.
    pub(super) fn planned_object(
        &self,
        location: &ObjectLocation,
        part: &ItemPart,
    ) -> Result<ObjectVersion, FunctionError> {
        let place = location.to_string();
        let found = self.s3.head(location)?.ok_or_else(|| BatchError::Missing { place: place.clone() })?;
        if found.etag == part.etag { Ok(found) } else { Err(BatchError::Stale { place, what: "object" }.into()) }
    }

    fn identity(&self, object: &ObjectVersion) -> Result<Identity, BatchError> {
        Source::Object { s3: self.s3.clone(), object: object.clone(), spool_limit: 0 }.identity(&self.task)
    }

    fn scored(&self, location: &ObjectLocation, outcome: Outcome) -> Value {
        match outcome {
            Outcome::Written(totals) => self.report(location, "written", Some((totals.predicted(), totals.rejected))),
            Outcome::Joined => self.report(location, "written", None),
            Outcome::Unchanged => self.report(location, "unchanged", None),
        }
    }

    /// Logs what was done with an object, and returns it.
    fn report(&self, location: &ObjectLocation, outcome: &str, counts: Option<(u64, u64)>) -> Value {
        let (input, output) = (location.to_string(), self.store.location(location.key()).to_string());
        let (rows, rejected) = counts.unzip();
        let (model, version) = (self.task.model.name(), self.task.model.version());
        tracing::info!(input, output, outcome, rows, rejected, model, version, "object");
        json!({"input": input, "output": output, "outcome": outcome, "rows": rows, "rejected": rejected})
    }
}
