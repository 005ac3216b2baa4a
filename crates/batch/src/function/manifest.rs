//! The items of a plan, as they are in its manifest.

use serde::{Deserialize, Serialize};

/// An object, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// The bucket.
    #[serde(alias = "Bucket")]
    pub bucket: String,
    /// The key.
    #[serde(alias = "Key")]
    pub key: String,
    /// The part, if the object was split.
    #[serde(flatten)]
    pub part: Option<ItemPart>,
}

/// A part of a version of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
        for part in [None, Some(part)] {
            let item = Item { bucket: "data".into(), key: "a.csv".into(), part };
            let text = serde_json::to_string(&item).unwrap();
            assert!(!text.contains("null"), "{text}");
            assert_eq!(serde_json::from_str::<Item>(&text).unwrap(), item);
        }
        let listed = r#"{"Bucket":"data","Key":"a.csv","Size":3,"Etag":"e"}"#;
        assert_eq!(serde_json::from_str::<Item>(listed).unwrap().key, "a.csv");
    }
}
