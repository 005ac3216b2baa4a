//! The models `line` and `price` of a catalog whose files a test can damage.

use ordinate_test_support::catalog_files::CatalogFiles;
use ordinate_test_support::{ModelDocument, column};
use serde_json::json;

/// The path of the alias `live` of `price`.
pub(crate) const ALIAS: &str = "price/aliases/live.json";

/// Writes a file, or deletes it.
pub(crate) async fn change(files: &CatalogFiles, path: &str, content: Option<Vec<u8>>) {
    match content {
        Some(content) => files.put(path, content).await,
        None => files.delete(path).await,
    }
}

/// Writes a version of `price` and makes it live.
pub(crate) async fn release(files: &CatalogFiles, version: u32, size: Size) {
    files.put(&model_path(version), price(version, size)).await;
    files.point("price", "live", version).await;
}

/// Writes the default model, `line`.
pub(crate) async fn release_default(files: &CatalogFiles) {
    files.publish("line", 1).await;
    files.point("line", "live", 1).await;
}

/// The size of a model file.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Size {
    /// 50 kB: more than a slow server sends within the time limits.
    Small,
    /// 2 MB: many reads of the proxy, which can pause between them.
    Large,
}

pub(crate) fn model_path(version: u32) -> String {
    format!("price/{version}.json")
}

/// The file of the model `price`, y = 2x + 1.
pub(crate) fn price(version: u32, size: Size) -> Vec<u8> {
    noted(version, size, "")
}

/// The same with a note.
pub(crate) fn noted(version: u32, size: Size, note: &str) -> Vec<u8> {
    let length = match size {
        Size::Small => 50_000,
        Size::Large => 2_000_000,
    };
    ModelDocument::regression("price", 6.0)
        .set("/version", version.to_string())
        .features(json!([{"name": "x", "type": "double", "missing": "reject", "range": [1.0, 4.0]}]))
        .column(column("x", json!({"feature": "x"}), 2.5, 1.0), 2.0)
        .set("/training/parameters/padding", format!("{note}{}", "0".repeat(length)))
        .file(json!([[1.0], [4.0]]))
}
