//! The items of a plan, as they are in its manifest.

use ordinate_model::identity::Checksum;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::event::ManifestLocation;
use super::handler::Call;
use crate::error::BatchError;
use crate::identity::Identity;
use crate::store::Store;
use std::io::Write;

/// An object, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(expecting = "an object")]
pub struct Item {
    /// The bucket.
    #[serde(alias = "Bucket")]
    pub bucket: String,
    /// The key.
    #[serde(alias = "Key")]
    pub key: String,
    /// The version of an object that was not split.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned: Option<Planned>,
    /// The part, if the object was split.
    #[serde(flatten)]
    pub part: Option<ItemPart>,
}

/// The origin of the output of an item at the time of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(expecting = "an object")]
pub struct Planned {
    /// The tag of the object.
    pub etag: String,
    /// The model, as `name@version`.
    pub model: String,
}

/// A part of a version of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(expecting = "an object")]
pub struct ItemPart {
    /// The version that was split.
    pub etag: String,
    /// The first byte.
    pub start: u64,
    /// The byte after the last.
    pub end: u64,
    /// The line of the first byte.
    pub line: u64,
    /// The number of the part, from 0, and of all parts.
    pub part: u32,
    /// The number of all parts.
    pub parts: u32,
    /// The model that all parts are scored with, and its version and checksum.
    pub model: String,
    /// Its version.
    pub model_version: String,
    /// Its checksum.
    pub model_sha256: String,
}

/// Names below the prefix of outputs that belong to a manifest.
pub(super) struct Names {
    /// That of the manifest without its ending.
    stem: String,
}

impl Names {
    /// The names of a manifest of this stack; of another one, names are below the prefix all the same.
    pub(super) fn new(call: &Call<'_>, manifest: &ManifestLocation) -> Self {
        let name = manifest.key.strip_prefix(call.settings.output.key()).unwrap_or(&manifest.key);
        Self { stem: name.strip_suffix(".json").unwrap_or(name).to_owned() }
    }

    /// The reason why an item was not scored.
    pub(super) fn note(&self, item: &Item) -> String {
        let Item { bucket, key, part, .. } = item;
        let start = part.as_ref().map(|part| part.start);
        let digest = Checksum::compute(format!("{bucket}\n{key}\n{start:?}").as_bytes());
        format!("{}.failed/{}.json", self.stem, digest.as_str())
    }

    /// The outcome of each object.
    pub(super) fn result(&self) -> String {
        format!("{}.result.json", self.stem)
    }
}

/// Writes a small document of an execution.
pub(super) fn write_document(call: &Call<'_>, name: &str, document: &[u8]) -> Result<(), BatchError> {
    let identity = Identity::new(name, Checksum::compute(document).as_str(), &call.task);
    let mut output = call.store.create(name, &identity, None)?;
    output.write_all(document).map_err(|error| BatchError::from_failure(error.into(), &call.store.place(name)))?;
    output.commit()
}

/// The place of a document in an answer.
pub(super) fn place(call: &Call<'_>, name: &str) -> Value {
    let location = call.store.location(name);
    serde_json::json!({"bucket": location.bucket(), "key": location.key()})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_one_flat_object() {
        let part = ItemPart {
            etag: "\"e\"".into(),
            start: 1,
            end: 2,
            line: 3,
            part: 0,
            parts: 2,
            model: "price".into(),
            model_version: "3".into(),
            model_sha256: "00".into(),
        };
        let planned = Planned { etag: "\"e\"".into(), model: "price@3".into() };
        for (part, planned) in [(None, None), (None, Some(planned)), (Some(part), None)] {
            let item = Item { bucket: "data".into(), key: "a.csv".into(), planned, part };
            let text = serde_json::to_string(&item).unwrap();
            assert!(!text.contains("null"), "{text}");
            assert_eq!(serde_json::from_str::<Item>(&text).unwrap(), item);
        }
        let listed = r#"{"Bucket":"data","Key":"a.csv","Size":3,"Etag":"e"}"#;
        assert_eq!(serde_json::from_str::<Item>(listed).unwrap().key, "a.csv");
    }
}
