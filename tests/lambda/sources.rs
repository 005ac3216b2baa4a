//! The behaviour that all sources of models have in common, tested with each of them.

use ordinate::source::bundled::BundledFolder;
use ordinate::source::catalog::{Catalog, CatalogError, LoadError};
use ordinate::source::file::FileSource;
use ordinate::source::s3::S3Source;
use ordinate::source::{Causes, MAX_MODEL_BYTES, ModelFolder, ModelSource, ModelUri, SourceError};
use ordinate_model::Model;
use ordinate_model::identity::Checksum;
use ordinate_test_support::s3_server::{BUCKET, S3Server, reader};
use ordinate_test_support::{line, root};
use rstest::rstest;
use tempfile::TempDir;

/// The kinds of sources.
#[derive(Debug, Clone, Copy)]
enum Backend {
    Bundled,
    File,
    S3,
}
use Backend::{Bundled, File, S3};

/// A source with the folder of its file.
struct Location {
    source: Box<dyn ModelSource>,
    uri: String,
    directory: TempDir,
}

impl Backend {
    /// A new location without a model for a test; for the bundled models, the location of `line`.
    fn location(self, test: &str) -> Location {
        let directory = tempfile::tempdir().unwrap();
        let uri = match self {
            Bundled => "bundled:line".to_owned(),
            File => format!("file://{}/line.json", directory.path().display()),
            S3 => format!("s3://{BUCKET}/sources/{test}/line.json"),
        };
        let source: Box<dyn ModelSource> = match (self, uri.parse()) {
            (File, Ok(ModelUri::File(path))) => Box::new(FileSource::new(path)),
            (S3, Ok(ModelUri::S3(object))) => {
                Box::new(S3Source::new(object, reader(S3Server::shared().address())).unwrap())
            }
            _ => BundledFolder.file("line/1.json"),
        };
        Location { source, uri, directory }
    }

    /// Writes a file.
    async fn put(self, location: &Location, content: Vec<u8>) {
        match (self, location.uri.parse()) {
            (File, _) => std::fs::write(location.directory.path().join("line.json"), content).unwrap(),
            (S3, Ok(ModelUri::S3(object))) => S3Server::shared().put(BUCKET, object.key(), content).await,
            other => panic!("cannot write to {other:?}"),
        }
    }
}

#[rstest]
#[tokio::test]
async fn every_fetch_returns_the_complete_file(#[values(Bundled, File, S3)] backend: Backend) {
    let location = backend.location("whole");
    let content = match backend {
        Bundled => std::fs::read(root().join("model/line.json")).unwrap(),
        File | S3 => line("line", "1"),
    };
    if !matches!(backend, Bundled) {
        backend.put(&location, content.clone()).await;
    }
    for _ in 0..2 {
        assert_eq!(location.source.fetch().await.unwrap(), content);
    }
}

#[rstest]
#[tokio::test]
async fn the_model_is_served(#[values(Bundled, File, S3)] backend: Backend) {
    let location = backend.location("served");
    if !matches!(backend, Bundled) {
        backend.put(&location, line("line", "1")).await;
    }
    let catalog = Catalog::single(location.source, None, None);
    assert_eq!(catalog.model("line", Some("1")).await.unwrap().name(), "line");
}

#[rstest]
fn a_source_is_described_by_its_uri(#[values(Bundled, File, S3)] backend: Backend) {
    let location = backend.location("words");
    assert_eq!(location.source.describe(), location.uri);
}

#[rstest]
#[tokio::test]
async fn a_fetch_returns_the_current_content(#[values(File, S3)] backend: Backend) {
    let location = backend.location("now");
    for content in ["before", "after", ""] {
        backend.put(&location, content.into()).await;
        assert_eq!(location.source.fetch().await.unwrap(), content);
    }
}

#[rstest]
#[tokio::test]
async fn a_missing_file_is_not_found_until_it_exists(#[values(File, S3)] backend: Backend) {
    let location = backend.location("missing");
    let error = location.source.fetch().await.unwrap_err();
    assert!(matches!(error, SourceError::NotFound { .. }), "{error:?}");
    assert!(error.to_string().starts_with(&location.uri), "{error}");
    assert!(!error.is_transient());
    backend.put(&location, line("line", "1")).await;
    assert_eq!(location.source.fetch().await.unwrap(), line("line", "1"));
}

#[rstest]
#[tokio::test]
async fn a_file_above_the_size_limit_is_rejected(#[values(File, S3)] backend: Backend) {
    let location = backend.location("large");
    backend.put(&location, vec![b' '; usize::try_from(MAX_MODEL_BYTES).unwrap() + 1]).await;
    let error = location.source.fetch().await.unwrap_err();
    assert!(matches!(error, SourceError::TooLarge { limit: MAX_MODEL_BYTES, .. }), "{error:?}");
    assert!(error.to_string().starts_with(&location.uri), "{error}");
    assert!(!error.is_transient());
}

#[rstest]
#[tokio::test]
async fn the_error_of_a_file_that_is_not_a_model_names_its_location(
    #[values(File, S3)] backend: Backend,
    #[values("", "{}", "not JSON")] content: &str,
) {
    let location = backend.location("no-model");
    backend.put(&location, content.into()).await;
    let error = Catalog::single(location.source, None, None).default_model().await.unwrap_err();
    let CatalogError::Unavailable(cause) = &error else { panic!("{error:?}") };
    let LoadError::Artifact { location: reported, .. } = &**cause else { panic!("{error:?}") };
    assert_eq!(*reported, location.uri);
    assert!(Causes(&error).to_string().contains("not a model file"), "{}", Causes(&error));
}

#[rstest]
#[tokio::test]
async fn a_required_checksum_is_checked(#[values(Bundled, File, S3)] backend: Backend) {
    for (matches, version) in [(true, "1"), (false, "2")] {
        let location = backend.location("pinned");
        if !matches!(backend, Bundled) {
            backend.put(&location, line("line", version)).await;
        }
        let found = Model::from_json(location.source.fetch().await.unwrap()).unwrap().checksum().to_owned();
        let required = if matches { found.clone() } else { "ab".repeat(32) };
        let required = Checksum::try_from(required).unwrap();
        match Catalog::single(location.source, Some(required.clone()), None).default_model().await {
            Ok(model) => assert!(matches && model.checksum() == found),
            Err(CatalogError::Unavailable(cause)) => match &*cause {
                LoadError::ChecksumMismatch { required: reported, .. } => assert!(!matches && *reported == required),
                other => panic!("{other:?}"),
            },
            Err(other) => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_directory_is_rejected() {
    let directory = tempfile::tempdir().unwrap();
    let error = FileSource::new(directory.path()).fetch().await.unwrap_err();
    assert!(matches!(error, SourceError::Io { .. }), "{error:?}");
    assert!(Causes(&error).to_string().contains("directory"), "{}", Causes(&error));
}

#[tokio::test]
async fn a_device_is_rejected() {
    let error = FileSource::new("/dev/zero").fetch().await.unwrap_err();
    assert!(matches!(error, SourceError::Io { .. }), "{error:?}");
    assert!(Causes(&error).to_string().contains("not a regular file"), "{}", Causes(&error));
}
