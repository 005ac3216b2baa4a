//! The step `finish`: one output for each object that was split, and the outcome of every object of a manifest.

use indexmap::IndexMap;
use ordinate::source::ObjectLocation;
use ordinate_table::parallel;
use serde::Serialize;
use serde_json::{Value, json};
use thiserror::Error;

use super::event::{FinishRequest, object};
use super::failed::Reason;
use super::handler::{Call, FunctionError};
use super::manifest::{Item, ItemPart, Names, Planned, place, write_document};
use crate::error::BatchError;
use crate::identity::{IDENTITY, MODEL, SOURCE_VERSION};
use crate::inputs::Place;
use crate::join::join;
use crate::kind::layout_of;
use crate::rejected;
use crate::run::{Outcome, Part};
use crate::store::Store;

/// Objects that are examined at a time.
const AT_A_TIME: usize = 16;

/// Some items of a manifest were not scored; everything else was.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{failed} of {objects} objects were not scored, the others were. The first is {first}\n\
     help: {result} lists them with their reasons; mend or remove them, and start the execution again"
)]
pub struct ItemsFailed {
    failed: usize,
    objects: usize,
    first: String,
    result: String,
}

/// The outcome of an object.
#[derive(Debug, Clone, Serialize)]
struct ObjectOutcome {
    input: String,
    output: String,
    outcome: &'static str,
    /// The number of its items.
    items: usize,
    /// The rows that were rejected, which its side file lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    rejected: Option<u64>,
    /// The items that were not scored.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failed: Vec<FailedItem>,
}

#[derive(Debug, Clone, Serialize)]
struct FailedItem {
    /// The bytes of a part.
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<u64>,
    #[serde(flatten)]
    reason: Reason,
}

/// Joins the parts of the objects of a manifest, and writes the outcome of each object next to it.
pub(super) fn finish(call: &Call<'_>, request: &FinishRequest) -> Result<Value, FunctionError> {
    let names = Names::new(call, &request.manifest);
    let mut objects: IndexMap<(String, String), Vec<Item>> = IndexMap::new();
    let (items, planned_at) = manifest(call, request)?;
    for item in items {
        objects.entry((item.bucket.clone(), item.key.clone())).or_default().push(item);
    }
    let mut outcomes = Vec::new();
    let mut transient = None;
    let mut remaining = objects.into_values();
    parallel::in_order(
        AT_A_TIME,
        || Ok(remaining.next()),
        |items| {
            if call.is_out_of_time() { Err(unfinished(call, &names)) } else { one(call, &names, &items, planned_at) }
        },
        |outcome: Result<ObjectOutcome, FunctionError>| {
            match outcome {
                Ok(outcome) => outcomes.push(outcome),
                // The others are finished before the step is repeated.
                Err(error) if error.is_transient() => transient = Some(error),
                Err(error) => return Err(error),
            }
            Ok(())
        },
    )?;
    if let Some(error) = transient {
        return Err(error);
    }
    report(call, &names, &outcomes)
}

fn unfinished(call: &Call<'_>, names: &Names) -> FunctionError {
    BatchError::Unfinished { place: call.store.place(&names.result()) }.into()
}

/// Writes the outcomes, and fails if an object was not scored.
fn report(call: &Call<'_>, names: &Names, outcomes: &[ObjectOutcome]) -> Result<Value, FunctionError> {
    let name = names.result();
    let mut failed = outcomes.iter().filter(|object| object.outcome == "failed");
    let first = failed.next();
    let count = failed.count() + usize::from(first.is_some());
    let objects = outcomes.len();
    let rejected: u64 = outcomes.iter().filter_map(|object| object.rejected).sum();
    let document = json!({"objects": objects, "failed": count, "rejected": rejected, "outcomes": outcomes}).to_string();
    write_document(call, &name, document.as_bytes())?;
    let result = call.store.place(&name);
    tracing::info!(result, objects, failed = count, rejected, "finished");
    let Some(first) = first else {
        return Ok(json!({"result": place(call, &name), "objects": objects, "failed": 0, "rejected": rejected}));
    };
    let reason = first.failed.first().map_or("", |item| item.reason.message.as_str());
    let first = if reason.contains(&first.input) { reason.to_owned() } else { format!("{}: {reason}", first.input) };
    Err(ItemsFailed { failed: count, objects, first, result }.into())
}

/// The outcome of the object of these items. Only errors that another attempt may mend are returned.
fn one(call: &Call<'_>, names: &Names, items: &[Item], planned_at: i64) -> Result<ObjectOutcome, FunctionError> {
    let Some(item) = items.first() else { return Err(unfinished(call, names)) };
    let (input, output) = (format!("s3://{}/{}", item.bucket, item.key), call.store.place(&item.key));
    let mut parts: Vec<&ItemPart> = items.iter().filter_map(|item| item.part.as_ref()).collect();
    parts.sort_by_key(|part| part.part);
    let done = object(&item.bucket, &item.key).map_err(FunctionError::from).and_then(|location| match location {
        None => Ok("ignored"),
        Some(location) if parts.is_empty() => whole(call, names, item, (&location, planned_at)),
        Some(location) => joined(call, &location, &parts),
    });
    let error = match done {
        Ok(outcome) => {
            let has_output = matches!(outcome, "written" | "unchanged");
            let rejected = has_output.then(|| rejected::count(call.store, &item.key)).transpose()?;
            tracing::info!(input, output, outcome, parts = parts.len(), rejected, "finished an object");
            return Ok(ObjectOutcome { input, output, outcome, items: items.len(), rejected, failed: Vec::new() });
        }
        Err(error) if error.is_transient() => return Err(error),
        Err(error) => error,
    };
    let mut failed = Vec::new();
    for item in items {
        if let Some(reason) = Reason::noted(call, names, item)? {
            let (start, end) = item.part.as_ref().map(|part| (part.start, part.end)).unzip();
            failed.push(FailedItem { start, end, reason });
        }
    }
    if failed.is_empty() {
        let reason = Reason { kind: error.kind().to_owned(), message: error.to_string() };
        failed.push(FailedItem { start: None, end: None, reason });
    }
    tracing::error!(input, output, %error, "an object failed");
    Ok(ObjectOutcome { input, output, outcome: "failed", items: items.len(), rejected: None, failed })
}

/// The outcome of an object that was not split, of a manifest that was written at a time.
fn whole(
    call: &Call<'_>,
    names: &Names,
    item: &Item,
    (location, planned_at): (&ObjectLocation, i64),
) -> Result<&'static str, FunctionError> {
    if call.is_output(location) || layout_of(location.key()).is_none() {
        return Ok("ignored");
    }
    let source = match Place::Object(location.clone()).source(Some(&call.s3), call.settings.spool_bytes) {
        Err(BatchError::Missing { .. }) => return Ok("deleted"),
        source => source?,
    };
    let identity = source.identity(&call.task)?;
    let output = call.s3.head(&call.store.location(location.key()))?;
    let written_at = output.as_ref().map(|output| output.written);
    let metadata = output.map(|output| output.metadata).unwrap_or_default();
    let is = |key: &str, expected: &str| metadata.get(key).is_some_and(|found| found == expected);
    if is(IDENTITY, identity.as_str()) {
        let is_earlier = written_at.is_some_and(|written_at| written_at < planned_at);
        return Ok(if is_earlier { "unchanged" } else { "written" });
    }
    // The object, or the model, was replaced after the object was scored: the output is that of the planned ones, or of
    // later ones that were current when it was written. Times of S3 have whole seconds: an output of the second of the
    // manifest may be older.
    let is_after_plan = written_at.is_some_and(|written_at| written_at > planned_at);
    let is_planned = |planned: &Planned| {
        let version = metadata.get(SOURCE_VERSION).and_then(|version| version.split(' ').next());
        version == Some(&planned.etag) && is(MODEL, &planned.model)
    };
    if (is_after_plan || item.planned.as_ref().is_some_and(is_planned)) && Reason::noted(call, names, item)?.is_none() {
        return Ok("written");
    }
    Err(BatchError::NotScored { place: location.to_string() }.into())
}

/// Joins the parts of an object.
fn joined(call: &Call<'_>, location: &ObjectLocation, parts: &[&ItemPart]) -> Result<&'static str, FunctionError> {
    let Some(first) = parts.first() else { return Ok("ignored") };
    let call = call.with_model_of(first)?;
    let object = call.planned_object(location, first)?;
    let ranges: Vec<Part> =
        parts.iter().map(|part| Part { start: part.start, end: part.end, line: part.line }).collect();
    let outcome = join(&call.task, (&call.s3, &object), &ranges, (call.store, location.key()))?;
    Ok(if outcome == Outcome::Unchanged { "unchanged" } else { "written" })
}

/// The items of a manifest, and when it was written.
fn manifest(call: &Call<'_>, request: &FinishRequest) -> Result<(Vec<Item>, i64), FunctionError> {
    let place = format!("s3://{}/{}", request.manifest.bucket, request.manifest.key);
    let location = object(&request.manifest.bucket, &request.manifest.key)?;
    let found = location.map(|location| call.s3.head(&location)).transpose().map_err(BatchError::from)?.flatten();
    let found = found.ok_or_else(|| BatchError::Missing { place: place.clone() })?;
    let bytes = call.s3.range(&found, 0, found.size)?;
    let items = serde_json::from_slice(&bytes)
        .map_err(|error| BatchError::Other(format!("{place}: expected a manifest of the step plan: {error}")))?;
    Ok((items, found.written))
}
