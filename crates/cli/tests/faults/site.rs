//! A catalog with the models `line` and `price`, in S3 or in a folder, whose files a test can damage.

use std::fs;
use std::path::PathBuf;

use ordinate_test_support::s3_server::{BUCKET, S3Server};
use ordinate_test_support::{ModelDocument, column, line};
use serde_json::json;
use tempfile::TempDir;

/// The path of the alias `live` of `price`.
pub(crate) const ALIAS: &str = "price/aliases/live.json";

/// Where the catalog is.
pub(crate) enum Site {
    /// Below this prefix.
    S3(String),
    Folder(TempDir),
}

impl Site {
    /// The catalog's address, for `MODEL_URI`.
    pub(crate) fn uri(&self) -> String {
        match self {
            Site::S3(prefix) => format!("s3://{BUCKET}/{prefix}"),
            Site::Folder(_) => format!("{}/", self.folder().display()),
        }
    }

    /// The folder of a catalog in a folder.
    pub(crate) fn folder(&self) -> PathBuf {
        match self {
            Site::Folder(directory) => directory.path().join("models"),
            Site::S3(prefix) => panic!("{prefix} is in S3"),
        }
    }

    async fn put(&self, path: &str, content: impl Into<Vec<u8>>) {
        match self {
            Site::S3(prefix) => S3Server::shared().put(BUCKET, &format!("{prefix}{path}"), content).await,
            Site::Folder(_) => {
                let file = self.folder().join(path);
                fs::create_dir_all(file.parent().unwrap()).unwrap();
                fs::write(file, content.into()).unwrap();
            }
        }
    }

    /// Writes a file, or deletes it.
    pub(crate) async fn change(&self, path: &str, content: Option<Vec<u8>>) {
        match content {
            Some(content) => self.put(path, content).await,
            None => self.delete(path).await,
        }
    }

    async fn delete(&self, path: &str) {
        match self {
            Site::S3(prefix) => S3Server::shared().delete(BUCKET, &format!("{prefix}{path}")).await,
            Site::Folder(_) => fs::remove_file(self.folder().join(path)).unwrap(),
        }
    }

    /// Writes a version of `price` and makes it live.
    pub(crate) async fn release(&self, version: u32, size: Size) {
        self.put(&model_path(version), price(version, size)).await;
        self.put(ALIAS, alias(version)).await;
    }

    /// Writes the default model, `line`.
    pub(crate) async fn release_default(&self) {
        self.put("line/1.json", line("line", "1")).await;
        self.put("line/aliases/live.json", alias(1)).await;
    }
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

/// The file of an alias.
pub(crate) fn alias(version: u32) -> String {
    format!(r#"{{"version":"{version}","history":[]}}"#)
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
