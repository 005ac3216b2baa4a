//! A catalog that a test can write, in a folder or in S3.

use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use ordinate::source::catalog::{Catalog, CatalogSettings};
use ordinate::source::file::LocalFolder;
use ordinate::source::s3::S3Folder;
use ordinate::source::{ModelFolder, ModelUri};
use ordinate_model::identity::ModelName;
use ordinate_test_support::catalog_files::CatalogFiles;
use ordinate_test_support::proxy::{Fault, Proxy};
use ordinate_test_support::s3_server::{S3Server, reader};
use ordinate_test_support::{ModelDocument, column, feature};
use serde_json::json;

/// Where the models of a test are.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Backend {
    Folder,
    S3,
}

/// A catalog that a test can write, and its models.
pub(crate) struct Place(CatalogFiles);

impl Place {
    pub(crate) fn new(backend: Backend, test: &str) -> Self {
        Self(match backend {
            Backend::Folder => {
                let files = CatalogFiles::in_folder();
                std::fs::create_dir(files.directory()).unwrap();
                files
            }
            Backend::S3 => CatalogFiles::S3(format!("catalogs/{test}/")),
        })
    }

    pub(crate) fn folder(&self) -> Arc<dyn ModelFolder> {
        self.behind(S3Server::shared().address())
    }

    /// Its models by way of the S3 server, or a proxy, at this address.
    pub(crate) fn behind(&self, address: SocketAddr) -> Arc<dyn ModelFolder> {
        match self.uri().parse() {
            Ok(ModelUri::Folder(path)) => Arc::new(LocalFolder::new(path)),
            Ok(ModelUri::S3Folder(location)) => Arc::new(S3Folder::new(location, reader(address)).unwrap()),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn catalog(&self) -> Catalog {
        Catalog::folder(self.folder(), None)
    }
}

impl Deref for Place {
    type Target = CatalogFiles;

    fn deref(&self) -> &CatalogFiles {
        &self.0
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
    let catalog = Catalog::folder(place.behind(proxy.address()), Some(name("price")));
    (place, proxy, catalog)
}
