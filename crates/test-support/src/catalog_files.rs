//! The files of a catalog that a test can write and damage, in a folder or in S3.

use std::path::PathBuf;

use tempfile::TempDir;

use crate::line;
use crate::s3_server::{BUCKET, S3Server};

/// A catalog whose files a test can write and damage.
#[derive(Debug)]
pub enum CatalogFiles {
    /// In the folder `models` of this one.
    Folder(TempDir),
    /// In [`BUCKET`], below this prefix.
    S3(String),
}

impl CatalogFiles {
    /// An empty catalog in a folder.
    pub fn in_folder() -> Self {
        Self::Folder(tempfile::tempdir().unwrap())
    }

    /// The catalog at the address, for `MODEL_URI`.
    pub fn uri(&self) -> String {
        match self {
            Self::Folder(_) => format!("{}/", self.directory().display()),
            Self::S3(prefix) => format!("s3://{BUCKET}/{prefix}"),
        }
    }

    /// The folder of a catalog in a folder.
    ///
    /// # Panics
    /// For a catalog in S3.
    pub fn directory(&self) -> PathBuf {
        match self {
            Self::Folder(directory) => directory.path().join("models"),
            Self::S3(prefix) => panic!("{prefix} is in S3"),
        }
    }

    /// Writes a file as a whole, as `ordinate publish` does.
    pub async fn put(&self, path: &str, content: impl Into<Vec<u8>>) {
        match self {
            Self::Folder(_) => {
                let file = self.directory().join(path);
                std::fs::create_dir_all(file.parent().unwrap()).unwrap();
                let temporary = file.with_extension("new");
                std::fs::write(&temporary, content.into()).unwrap();
                std::fs::rename(temporary, file).unwrap();
            }
            Self::S3(prefix) => S3Server::shared().put(BUCKET, &format!("{prefix}{path}"), content).await,
        }
    }

    /// Deletes a file.
    pub async fn delete(&self, path: &str) {
        match self {
            Self::Folder(_) => std::fs::remove_file(self.directory().join(path)).unwrap(),
            Self::S3(prefix) => S3Server::shared().delete(BUCKET, &format!("{prefix}{path}")).await,
        }
    }

    /// Writes a version of a model, [`line()`].
    pub async fn publish(&self, name: &str, version: u32) {
        self.put(&format!("{name}/{version}.json"), line(name, &version.to_string())).await;
    }

    /// Makes an alias point to a version.
    pub async fn point(&self, name: &str, alias: &str, version: u32) {
        self.put(&format!("{name}/aliases/{alias}.json"), alias_file(version)).await;
    }
}

/// The content of the file of an alias.
pub fn alias_file(version: u32) -> String {
    format!(r#"{{"version":"{version}","history":[{{"version":"{version}","at":"2026-11-01T00:00:00Z"}}]}}"#)
}
