//! The step `plan`: the items of a manifest, one for each object or part of a large object.

use std::collections::HashSet;

use ordinate::source::ObjectLocation;
use serde_json::{Value, json};

use super::event::{PlanRequest, object};
use super::handler::{Call, FunctionError};
use super::manifest::{Item, ItemPart, Planned, place, write_document};
use crate::cuts::parts;
use crate::error::BatchError;
use crate::identity::model_name;
use crate::inputs::{Input, Place, objects};
use crate::run::Source;
use crate::store::Store;
use ordinate_model::identity::Checksum;

/// The folder of manifests, below the prefix of outputs.
const FOLDER: &str = "_plans";

/// Plans the objects of a request, and returns the place of the manifest and the number of its items.
pub(super) fn plan(call: &Call<'_>, request: &PlanRequest) -> Result<Value, FunctionError> {
    let inputs = inputs(call, request)?;
    let mut items = Vec::new();
    let mut seen = HashSet::new();
    for input in &inputs {
        if let Place::Object(location) = &input.place
            && seen.insert(location)
            && !call.is_output(location)
        {
            items.extend(items_or_whole(call, input, location)?);
        }
    }
    let manifest = serde_json::to_vec(&items).map_err(|error| BatchError::Other(error.to_string()))?;
    let digest = Checksum::compute(&manifest);
    let id = request.id.clone().unwrap_or_else(|| digest.as_str().to_owned());
    let name = format!("{FOLDER}/{id}.json");
    write_document(call, &name, &manifest)?;
    tracing::info!(manifest = %call.store.location(&name), items = items.len(), objects = inputs.len(), "planned");
    Ok(json!({"manifest": place(call, &name), "items": items.len(), "objects": inputs.len()}))
}

fn inputs(call: &Call<'_>, request: &PlanRequest) -> Result<Vec<Input>, FunctionError> {
    let PlanRequest { bucket, key, prefix, .. } = request;
    let location = match (key, prefix) {
        (Some(key), None) => object(bucket, key)?,
        // The input of a state machine has one field for both.
        (None, Some(prefix)) if !prefix.is_empty() && !prefix.ends_with('/') => object(bucket, prefix)?,
        (None, prefix) => {
            let prefix = prefix.as_deref().unwrap_or_default();
            return Ok(objects_below(call, bucket, prefix)?);
        }
        _ => None,
    };
    let expected = || BatchError::Other("a plan has either a key or a prefix, which ends with a slash".to_owned());
    Ok(objects(&call.s3, &location.ok_or_else(expected)?)?)
}

/// The objects with rows below a prefix; no objects are no error, since a schedule may be early.
fn objects_below(call: &Call<'_>, bucket: &str, prefix: &str) -> Result<Vec<Input>, BatchError> {
    use ordinate::source::ModelUri;
    let Ok(ModelUri::S3Folder(location)) = format!("s3://{bucket}/{prefix}").parse() else {
        return Err(BatchError::Other(format!("the prefix of a plan ends with a slash, got {prefix:?}")));
    };
    match objects(&call.s3, &location) {
        Err(BatchError::NoFiles { .. }) => Ok(Vec::new()),
        found => found,
    }
}

/// The items of an object. One that cannot be split is scored as a whole, whose error is reported with its name.
fn items_or_whole(call: &Call<'_>, input: &Input, location: &ObjectLocation) -> Result<Vec<Item>, FunctionError> {
    match items_of(call, input, location) {
        Err(error) if !error.is_transient() && !call.is_out_of_time() => {
            tracing::warn!(input = %location, %error, "an object is not split");
            Ok(vec![whole(call, input, location)])
        }
        items => items,
    }
}

fn whole(call: &Call<'_>, input: &Input, location: &ObjectLocation) -> Item {
    let model = model_name(&call.task.model);
    let planned = input.etag.clone().map(|etag| Planned { etag, model });
    Item { bucket: location.bucket().to_owned(), key: location.key().to_owned(), planned, part: None }
}

fn items_of(call: &Call<'_>, input: &Input, location: &ObjectLocation) -> Result<Vec<Item>, FunctionError> {
    let whole = || vec![whole(call, input, location)];
    // A second part should be worth its start.
    if input.size <= call.settings.part_bytes + call.settings.part_bytes / 2 {
        return Ok(whole());
    }
    let Some(object) = call.s3.head(location)? else { return Ok(Vec::new()) };
    let source = Source::Object { s3: call.s3.clone(), object: object.clone(), spool_limit: 0 };
    if call.store.existing(location.key())?.is(&source.identity(&call.task)?) {
        return Ok(Vec::new());
    }
    let is_out = || call.is_out_of_time();
    let Some(parts) = parts(&call.task, &call.s3, &object, input.layout, call.settings.part_bytes, &is_out)? else {
        return Ok(whole());
    };
    let model = &call.task.model;
    let count = u32::try_from(parts.len()).unwrap_or(u32::MAX);
    let item = |(part, number): (&crate::run::Part, u32)| Item {
        bucket: location.bucket().to_owned(),
        key: location.key().to_owned(),
        planned: None,
        part: Some(ItemPart {
            etag: object.etag.clone(),
            start: part.start,
            end: part.end,
            line: part.line,
            part: number,
            parts: count,
            model: model.name().to_owned(),
            model_version: model.version().to_owned(),
            model_sha256: model.checksum().to_owned(),
        }),
    };
    Ok(parts.iter().zip(0..).map(item).collect())
}
