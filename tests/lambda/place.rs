//! A catalog that a test can write, in a folder or in S3.

use std::sync::Arc;
use std::time::Duration;

use ordinate::source::catalog::{Catalog, CatalogSettings};
use ordinate::source::file::LocalFolder;
use ordinate::source::s3::{S3Folder, S3Settings};
use ordinate::source::{ModelFolder, ModelUri};
use ordinate_model::identity::ModelName;
use ordinate_test_support::proxy::{Fault, Proxy};
use ordinate_test_support::s3_server::{BUCKET, S3Server, reader};
use ordinate_test_support::{ModelDocument, column, feature, line};
use serde_json::json;
use tempfile::TempDir;

/// Where the models of a test are.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Backend {
    Folder,
    S3,
}

/// A catalog that a test can write.
pub(crate) struct Place {
    backend: Backend,
    pub(crate) directory: TempDir,
    pub(crate) prefix: String,
}

impl Place {
    pub(crate) fn new(backend: Backend, test: &str) -> Self {
        Self { backend, directory: tempfile::tempdir().unwrap(), prefix: format!("catalogs/{test}/") }
    }

    pub(crate) fn folder(&self) -> Arc<dyn ModelFolder> {
        match self.backend {
            Backend::Folder => Arc::new(LocalFolder::new(self.directory.path())),
            Backend::S3 => s3_folder(&self.prefix, reader(S3Server::shared().address())),
        }
    }

    pub(crate) async fn put(&self, path: &str, content: impl Into<Vec<u8>>) {
        match self.backend {
            Backend::Folder => {
                let file = self.directory.path().join(path);
                std::fs::create_dir_all(file.parent().unwrap()).unwrap();
                // As a whole, as `ordinate publish` writes it.
                let temporary = file.with_extension("new");
                std::fs::write(&temporary, content.into()).unwrap();
                std::fs::rename(temporary, file).unwrap();
            }
            Backend::S3 => S3Server::shared().put(BUCKET, &format!("{}{path}", self.prefix), content).await,
        }
    }

    pub(crate) async fn point(&self, name: &str, alias: &str, version: u32) {
        let content = format!(r#"{{"version":"{version}","history":[]}}"#);
        self.put(&format!("{name}/aliases/{alias}.json"), content).await;
    }

    pub(crate) async fn publish(&self, name: &str, version: u32) {
        self.put(&format!("{name}/{version}.json"), line(name, &version.to_string())).await;
    }

    pub(crate) fn catalog(&self) -> Catalog {
        Catalog::folder(self.folder(), None)
    }
}

pub(crate) fn s3_folder(prefix: &str, settings: S3Settings) -> Arc<dyn ModelFolder> {
    match format!("s3://{BUCKET}/{prefix}").parse() {
        Ok(ModelUri::S3Folder(location)) => Arc::new(S3Folder::new(location, settings).unwrap()),
        other => panic!("{other:?}"),
    }
}

/// The file of the model y = slope · x with the name `price` and this version.
pub(crate) fn slope(version: u32, slope: f64) -> Vec<u8> {
    ModelDocument::regression("price", 0.0)
        .set("/version", version.to_string())
        .features(json!([feature("x", "double")]))
        .column(column("x", json!({"feature": "x"}), 0.0, 1.0), slope)
        .file(json!([[1.0]]))
}

pub(crate) fn name(text: &str) -> ModelName {
    ModelName::try_from(text.to_owned()).unwrap()
}

pub(crate) fn refreshed(milliseconds: u64) -> CatalogSettings {
    CatalogSettings { refresh: Some(Duration::from_millis(milliseconds)), ..CatalogSettings::default() }
}

/// A catalog behind a proxy that counts requests, with the model `price` in three versions, of which 1 is live.
pub(crate) async fn behind_proxy(
    test: &str,
    fault: impl Fn(usize) -> Fault + Send + Sync + 'static,
) -> (Place, Proxy, Catalog) {
    let place = Place::new(Backend::S3, test);
    for version in [1, 2, 3] {
        place.publish("price", version).await;
    }
    place.point("price", "live", 1).await;
    let proxy = Proxy::start(S3Server::shared().address(), fault).await;
    let folder = s3_folder(&place.prefix, reader(proxy.address()));
    let catalog = Catalog::folder(folder, Some(name("price")));
    (place, proxy, catalog)
}
