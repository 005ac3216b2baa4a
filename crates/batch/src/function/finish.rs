//! The step `finish`: one output for each object that was split.

use indexmap::IndexMap;
use serde_json::{Value, json};

use super::event::{FinishRequest, object};
use super::handler::{Call, FunctionError};
use super::manifest::{Item, ItemPart};
use crate::error::BatchError;
use crate::join::join;
use crate::run::{Outcome, Part};

/// Joins the parts of the objects of a manifest.
pub(super) fn finish(call: &Call<'_>, request: &FinishRequest) -> Result<Value, FunctionError> {
    let items = manifest(call, request)?;
    let mut objects: IndexMap<(String, String), Vec<ItemPart>> = IndexMap::new();
    let mut whole = 0;
    for item in items {
        match item.part {
            Some(part) => objects.entry((item.bucket, item.key)).or_default().push(part),
            None => whole += 1,
        }
    }
    let mut outputs = Vec::new();
    for ((bucket, key), mut parts) in objects {
        parts.sort_by_key(|part| part.part);
        let Some(first) = parts.first() else { continue };
        let call = call.with_model_of(first)?;
        let Some(location) = object(&bucket, &key)? else { continue };
        let object = call.planned_object(&location, first)?;
        let ranges: Vec<Part> =
            parts.iter().map(|part| Part { start: part.start, end: part.end, line: part.line }).collect();
        let outcome = join(&call.task, (&call.s3, &object), &ranges, (call.store, &key))?;
        let outcome = if outcome == Outcome::Unchanged { "unchanged" } else { "written" };
        let (input, output) = (location.to_string(), call.store.location(&key).to_string());
        tracing::info!(input, output, outcome, parts = ranges.len(), "joined");
        outputs.push(json!({"input": input, "output": output, "outcome": outcome, "parts": ranges.len()}));
        if call.is_out_of_time() {
            let reason = "the function's time ends before all objects are joined";
            return Err(BatchError::Other(format!("{reason}\nhelp: run the step finish again, which continues")).into());
        }
    }
    Ok(json!({"objects": outputs, "whole": whole}))
}

fn manifest(call: &Call<'_>, request: &FinishRequest) -> Result<Vec<Item>, FunctionError> {
    let missing = |place: &str| BatchError::Missing { place: place.to_owned() };
    let place = format!("s3://{}/{}", request.manifest.bucket, request.manifest.key);
    let location = object(&request.manifest.bucket, &request.manifest.key)?.ok_or_else(|| missing(&place))?;
    let found = call.s3.head(&location)?.ok_or_else(|| missing(&place))?;
    let bytes = call.s3.range(&found, 0, found.size)?;
    let items = serde_json::from_slice(&bytes);
    Ok(items.map_err(|error| BatchError::Other(format!("{place}: expected a manifest of the step plan: {error}")))?)
}
