//! What every source of models promises, held against each of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::path::Path;

use ordinate::source::catalog::{Catalog, CatalogError, LoadError};
use ordinate::source::file::FileSource;
use ordinate::source::s3::S3Source;
use ordinate::source::{Causes, MAX_MODEL_BYTES, ModelSource, ModelUri, SourceError, bundled};
use ordinate_model::Model;
use ordinate_model::identity::Checksum;
use rstest::rstest;
use tempfile::TempDir;

use support::model_file::model_file;
use support::s3_server::{BUCKET, S3Server, reader};

/// The sources there are.
#[derive(Debug, Clone, Copy)]
enum Backend {
    Bundled,
    File,
    S3,
}
use Backend::{Bundled, File, S3};

/// A place, and what keeps it.
struct Place {
    source: Box<dyn ModelSource>,
    uri: String,
    directory: TempDir,
}

impl Backend {
    /// A place of its own for a test, with nothing there (but in the bundled gallery, which is never empty).
    fn place(self, test: &str) -> Place {
        let directory = tempfile::tempdir().unwrap();
        let uri = match self {
            Bundled => "bundled:line".to_owned(),
            File => format!("file://{}/line.json", directory.path().display()),
            S3 => format!("s3://{BUCKET}/sources/{test}/line.json"),
        };
        let source: Box<dyn ModelSource> = match (self, uri.parse()) {
            (File, Ok(ModelUri::File(path))) => Box::new(FileSource::new(path)),
            (S3, Ok(ModelUri::S3(location))) => {
                Box::new(S3Source::new(location, reader(S3Server::shared().address())).unwrap())
            }
            _ => Box::new(bundled::gallery().find(|source| source.name() == "line").unwrap()),
        };
        Place { source, uri, directory }
    }

    /// Puts this content there.
    async fn put(self, place: &Place, content: Vec<u8>) {
        match (self, place.uri.parse()) {
            (File, _) => std::fs::write(place.directory.path().join("line.json"), content).unwrap(),
            (S3, Ok(ModelUri::S3(location))) => S3Server::shared().put(BUCKET, location.key(), content).await,
            other => panic!("nothing can be put into {other:?}"),
        }
    }
}

#[rstest]
#[tokio::test]
async fn it_brings_the_whole_file_as_often_as_it_is_asked(#[values(Bundled, File, S3)] backend: Backend) {
    let place = backend.place("whole");
    let content = match backend {
        Bundled => std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("model/line.json")).unwrap(),
        File | S3 => model_file("line", "1"),
    };
    if !matches!(backend, Bundled) {
        backend.put(&place, content.clone()).await;
    }
    for _ in 0..2 {
        assert_eq!(place.source.fetch().await.unwrap(), content);
    }
}

#[rstest]
#[tokio::test]
async fn its_model_is_served(#[values(Bundled, File, S3)] backend: Backend) {
    let place = backend.place("served");
    if !matches!(backend, Bundled) {
        backend.put(&place, model_file("line", "1")).await;
    }
    let catalog = Catalog::single(place.source, None, None);
    assert_eq!(catalog.model("line", Some("1")).await.unwrap().name(), "line");
}

#[rstest]
fn it_says_where_it_is_in_the_words_that_were_used(#[values(Bundled, File, S3)] backend: Backend) {
    let place = backend.place("words");
    assert_eq!(place.source.describe(), place.uri);
}

#[rstest]
#[tokio::test]
async fn it_brings_what_is_there_now(#[values(File, S3)] backend: Backend) {
    let place = backend.place("now");
    for content in ["before", "after", ""] {
        backend.put(&place, content.into()).await;
        assert_eq!(place.source.fetch().await.unwrap(), content);
    }
}

#[rstest]
#[tokio::test]
async fn what_is_not_there_is_not_found_until_it_is(#[values(File, S3)] backend: Backend) {
    let place = backend.place("missing");
    let error = place.source.fetch().await.unwrap_err();
    assert!(matches!(error, SourceError::NotFound { .. }), "{error:?}");
    assert!(error.to_string().starts_with(&place.uri), "{error}");
    assert!(!error.is_transient());
    backend.put(&place, model_file("line", "1")).await;
    assert_eq!(place.source.fetch().await.unwrap(), model_file("line", "1"));
}

#[rstest]
#[tokio::test]
async fn what_is_larger_than_a_model_may_be_is_refused(#[values(File, S3)] backend: Backend) {
    let place = backend.place("large");
    backend.put(&place, vec![b' '; usize::try_from(MAX_MODEL_BYTES).unwrap() + 1]).await;
    let error = place.source.fetch().await.unwrap_err();
    assert!(matches!(error, SourceError::TooLarge { limit: MAX_MODEL_BYTES, .. }), "{error:?}");
    assert!(error.to_string().starts_with(&place.uri), "{error}");
    assert!(!error.is_transient());
}

#[rstest]
#[tokio::test]
async fn what_is_no_model_is_refused_with_its_place(
    #[values(File, S3)] backend: Backend,
    #[values("", "{}", "not JSON")] content: &str,
) {
    let place = backend.place("no-model");
    backend.put(&place, content.into()).await;
    let error = Catalog::single(place.source, None, None).default_model().await.unwrap_err();
    let CatalogError::Unavailable(LoadError::Artifact { location, .. }) = &error else { panic!("{error:?}") };
    assert_eq!(*location, place.uri);
    assert!(Causes(&error).to_string().contains("not a model file"), "{}", Causes(&error));
}

#[rstest]
#[tokio::test]
async fn a_pinned_checksum_admits_one_content(#[values(Bundled, File, S3)] backend: Backend) {
    for (pin_it_rightly, version) in [(true, "1"), (false, "2")] {
        let place = backend.place("pinned");
        if !matches!(backend, Bundled) {
            backend.put(&place, model_file("line", version)).await;
        }
        let found = Model::from_json(&place.source.fetch().await.unwrap()).unwrap().checksum().to_owned();
        let required = if pin_it_rightly { found.clone() } else { "ab".repeat(32) };
        let required = Checksum::try_from(required).unwrap();
        match Catalog::single(place.source, Some(required.clone()), None).default_model().await {
            Ok(model) => assert!(pin_it_rightly && model.checksum() == found),
            Err(CatalogError::Unavailable(LoadError::ChecksumMismatch { required: told, .. })) => {
                assert!(!pin_it_rightly && told == required);
            }
            Err(other) => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_directory_is_no_file() {
    let directory = tempfile::tempdir().unwrap();
    let error = FileSource::new(directory.path()).fetch().await.unwrap_err();
    assert!(matches!(error, SourceError::Io { .. }), "{error:?}");
    assert!(Causes(&error).to_string().contains("directory"), "{}", Causes(&error));
}

#[tokio::test]
async fn a_device_without_end_is_no_file() {
    let error = FileSource::new("/dev/zero").fetch().await.unwrap_err();
    assert!(matches!(error, SourceError::Io { .. }), "{error:?}");
    assert!(Causes(&error).to_string().contains("not a regular file"), "{}", Causes(&error));
}
