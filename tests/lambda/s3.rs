//! Models in S3, with an S3 server and injected network faults.

use std::sync::Arc;
use std::time::Duration;

use ordinate::source::catalog::{Catalog, CatalogError, FAILURE_MEMORY, LoadError};
use ordinate::source::s3::{S3Settings, S3Source, TimeLimits};
use ordinate::source::{Causes, MAX_MODEL_BYTES, ModelSource, ModelUri, ObjectLocation, SourceError};
use ordinate_model::Model;
use ordinate_model::artifact::ArtifactError;
use ordinate_model::identity::Checksum;
use ordinate_test_support::line;
use ordinate_test_support::s3_server::{BUCKET, S3Server, credentials, reader};
use rstest::rstest;

use crate::BUILD;
use ordinate_test_support::proxy::{Fault, Proxy};
fn location(bucket: &str, key: &str) -> ObjectLocation {
    match format!("s3://{bucket}/{key}").parse() {
        Ok(ModelUri::S3(location)) => location,
        other => panic!("{other:?}"),
    }
}

fn object(key: &str, settings: S3Settings) -> S3Source {
    S3Source::new(location(BUCKET, key), settings).unwrap()
}

/// A catalog with the model of this object.
fn catalog(key: &str, settings: S3Settings) -> Catalog {
    Catalog::single(Box::new(object(key, settings)), None, None)
}

/// A proxy in front of the server, with a model file at `key`.
async fn proxy_with(fault: impl Fn(usize) -> Fault + Send + Sync + 'static, key: &str) -> (Proxy, S3Settings) {
    let server = S3Server::shared();
    server.put(BUCKET, key, line("line", "1")).await;
    let proxy = Proxy::start(server.address(), fault).await;
    let settings = reader(proxy.address());
    (proxy, settings)
}

/// Limits short enough for a test. They need [`BUILD`].
fn short(settings: S3Settings) -> S3Settings {
    let milliseconds = Duration::from_millis;
    let limits = TimeLimits {
        connect: milliseconds(1_000),
        read: milliseconds(200),
        attempt: milliseconds(250),
        operation: milliseconds(600),
        total: milliseconds(1_500),
        attempts: 3,
    };
    S3Settings { limits, ..settings }
}

fn load_error(outcome: Result<Arc<Model>, CatalogError>) -> Arc<LoadError> {
    match outcome {
        Err(CatalogError::Unavailable(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_model_in_s3_is_served() {
    let server = S3Server::shared();
    server.put(BUCKET, "served/line.json", line("line", "3")).await;
    let catalog = catalog("served/line.json", reader(server.address()));
    let model = catalog.default_model().await.unwrap();
    assert_eq!((model.name(), model.version()), ("line", "3"));
    assert!(Arc::ptr_eq(&model, &catalog.model("line", Some("3")).await.unwrap()));
}

#[tokio::test]
async fn a_key_is_not_percent_decoded() {
    let server = S3Server::shared();
    for key in ["keys/with space+plus.json", "keys/%41#é?.json"] {
        server.put(BUCKET, key, key).await;
        assert_eq!(object(key, reader(server.address())).fetch().await.unwrap(), key);
    }
}

#[rstest]
#[case::wrong_secret("reader", "a-wrong-secret", "SignatureDoesNotMatch")]
#[case::unknown_identity("nobody", "a-wrong-secret", "InvalidAccessKeyId")]
#[tokio::test]
async fn wrong_credentials_are_denied_and_not_reported(
    #[case] access_key: &str,
    #[case] secret_key: &str,
    #[case] code: &str,
) {
    let server = S3Server::shared();
    let key = format!("denied/{access_key}.json");
    server.put(BUCKET, &key, line("line", "1")).await;
    let settings = S3Settings { credentials: Some(credentials(access_key, secret_key)), ..reader(server.address()) };
    let error = object(&key, settings).fetch().await.unwrap_err();
    assert!(matches!(error, SourceError::AccessDenied { .. }), "{error:?}");
    assert!(error.to_string().contains(code), "{error}");
    assert!(!error.is_transient());
    let text = format!("{error:?} {}", Causes(&error));
    assert!(!text.contains(secret_key), "{text}");
}

#[tokio::test]
async fn an_identity_without_permission_for_the_bucket_is_denied() {
    let server = S3Server::shared();
    server.put("private", "line.json", line("line", "1")).await;
    let source = S3Source::new(location("private", "line.json"), reader(server.address())).unwrap();
    let error = source.fetch().await.unwrap_err();
    assert!(matches!(error, SourceError::AccessDenied { .. }), "{error:?}");
    assert!(error.to_string().contains("s3:GetObject"), "{error}");
}

#[tokio::test]
async fn a_missing_object_is_not_found_with_one_request() {
    let (proxy, settings) = proxy_with(|_| Fault::None, "there.json").await;
    let error = object("not-there.json", settings).fetch().await.unwrap_err();
    assert!(matches!(error, SourceError::NotFound { .. }), "{error:?}");
    assert!(error.to_string().contains("s3://models/not-there.json: no such object"), "{error}");
    assert_eq!(proxy.requests(), 1);
}

#[tokio::test]
async fn a_missing_bucket_is_not_found() {
    let server = S3Server::shared();
    let settings = S3Settings {
        credentials: Some(credentials("administrator", "administrator-secret")),
        ..reader(server.address())
    };
    let error = S3Source::new(location("no-such-bucket", "line.json"), settings).unwrap().fetch().await.unwrap_err();
    assert!(matches!(error, SourceError::NotFound { .. }), "{error:?}");
    assert!(error.to_string().contains("no such bucket"), "{error}");
}

#[rstest]
#[case::cut(Fault::CutBody(100), 2)]
#[case::cut_at_once(Fault::CutBody(0), 2)]
#[case::corrupted(Fault::CorruptBody(100), 2)]
#[case::stalled(Fault::StallBody(100), 1)]
#[case::reset(Fault::Reset, 2)]
#[case::unanswered(Fault::Stall, 1)]
#[case::busy(Fault::Busy, 2)]
#[tokio::test]
async fn a_fetch_succeeds_after_temporary_network_faults(#[case] fault: Fault, #[case] times: usize) {
    let _quiet = BUILD.read().await;
    let (proxy, settings) =
        proxy_with(move |n| if n < times { fault.clone() } else { Fault::None }, "recovers.json").await;
    let catalog = catalog("recovers.json", short(settings));
    assert_eq!(catalog.default_model().await.unwrap().name(), "line");
    assert_eq!(proxy.requests(), times + 1);
}

#[tokio::test]
async fn a_body_that_is_always_cut_off_is_an_error() {
    let (proxy, settings) = proxy_with(|_| Fault::CutBody(100), "breaks.json").await;
    let error = object("breaks.json", settings).fetch().await.unwrap_err();
    assert!(matches!(error, SourceError::Interrupted { .. }), "{error:?}");
    assert!(error.is_transient());
    assert_eq!(proxy.requests(), 3);
}

#[tokio::test]
async fn a_body_that_is_always_corrupted_is_an_error() {
    let (proxy, settings) = proxy_with(|_| Fault::CorruptBody(100), "damaged.json").await;
    let error = object("damaged.json", settings).fetch().await.unwrap_err();
    assert!(matches!(error, SourceError::Corrupt { .. }), "{error:?}");
    assert_eq!(proxy.requests(), 3);
}

#[tokio::test]
async fn a_server_that_is_always_busy_is_reported_with_its_status() {
    let (proxy, settings) = proxy_with(|_| Fault::Busy, "busy.json").await;
    let error = object("busy.json", settings).fetch().await.unwrap_err();
    assert!(matches!(error, SourceError::Service { status: 503, .. }), "{error:?}");
    assert!(error.is_transient());
    assert_eq!(proxy.requests(), 3);
}

#[rstest]
#[case::before_the_head(Fault::Stall)]
#[case::within_the_body(Fault::DripBody(Duration::from_millis(10)))]
#[tokio::test]
async fn a_server_that_is_too_slow_is_a_timeout(#[case] fault: Fault) {
    let _quiet = BUILD.read().await;
    let (_proxy, settings) = proxy_with(move |_| fault.clone(), "slow.json").await;
    let error = object("slow.json", short(settings)).fetch().await.unwrap_err();
    assert!(matches!(error, SourceError::Timeout { .. }), "{error:?}");
    assert!(error.is_transient());
}

#[tokio::test]
async fn a_closed_port_is_unreachable() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = object("line.json", reader(closed)).fetch().await.unwrap_err();
    assert!(matches!(error, SourceError::Unreachable { .. }), "{error:?}");
    assert!(error.is_transient());
}

#[tokio::test]
async fn an_object_above_the_size_limit_is_rejected_without_reading_it() {
    let server = S3Server::shared();
    let too_many = usize::try_from(MAX_MODEL_BYTES).unwrap() + 1;
    server.put(BUCKET, "large.json", vec![b' '; too_many]).await;
    let proxy = Proxy::start(server.address(), |_| Fault::None).await;
    let error = object("large.json", reader(proxy.address())).fetch().await.unwrap_err();
    assert!(matches!(error, SourceError::TooLarge { limit: MAX_MODEL_BYTES, .. }), "{error:?}");
    // The buffers of sockets may contain a part of the object.
    assert!(proxy.body_bytes() < too_many / 2, "{} bytes were sent", proxy.body_bytes());
    assert_eq!(proxy.requests(), 1);
}

#[tokio::test]
async fn a_corrupted_object_is_not_a_model() {
    let server = S3Server::shared();
    let good = line("line", "1");
    let text = String::from_utf8(good.clone()).unwrap();
    let position = text.find("6.0").unwrap();
    let mut damaged = good;
    damaged[position] = b'7';
    server.put(BUCKET, "rotten.json", damaged).await;
    let error = load_error(catalog("rotten.json", reader(server.address())).default_model().await);
    let LoadError::Artifact { source: ArtifactError::ChecksumMismatch { .. }, .. } = &*error else {
        panic!("{error:?}")
    };

    server.put(BUCKET, "half.json", &text.as_bytes()[..text.len() / 2]).await;
    let error = load_error(catalog("half.json", reader(server.address())).default_model().await);
    assert!(matches!(*error, LoadError::Artifact { source: ArtifactError::Malformed(_), .. }), "{error:?}");
    assert!(error.to_string().contains("s3://models/half.json"), "{error}");
}

#[tokio::test]
async fn a_failed_load_is_forgotten_after_a_second() {
    let server = S3Server::shared();
    let catalog = catalog("later.json", reader(server.address()));
    let error = load_error(catalog.default_model().await);
    assert!(matches!(*error, LoadError::Source(SourceError::NotFound { .. })), "{error:?}");
    server.put(BUCKET, "later.json", line("line", "1")).await;
    tokio::time::sleep(FAILURE_MEMORY).await;
    assert_eq!(catalog.default_model().await.unwrap().name(), "line");
}

#[tokio::test]
async fn an_object_with_another_checksum_than_required_is_rejected() {
    let server = S3Server::shared();
    server.put(BUCKET, "pinned.json", line("line", "1")).await;
    let right = Model::from_json(line("line", "1")).unwrap().checksum().to_owned();
    let requiring = |checksum: String| {
        let required = Checksum::try_from(checksum).unwrap();
        Catalog::single(Box::new(object("pinned.json", reader(server.address()))), Some(required), None)
    };
    assert_eq!(requiring(right.clone()).default_model().await.unwrap().checksum(), right);

    let wrong = "0".repeat(64);
    let error = load_error(requiring(wrong.clone()).default_model().await);
    let LoadError::ChecksumMismatch { found, .. } = &*error else { panic!("{error:?}") };
    assert_eq!(*found, right);
    assert!(error.to_string().contains(&wrong), "{error}");
}

#[rstest]
#[case("localhost:9000")]
#[case("ftp://localhost")]
#[case("http://user:hunter2@localhost:9000")]
fn an_invalid_endpoint_is_rejected_without_repeating_it(#[case] endpoint: &str) {
    let settings = S3Settings { endpoint_url: Some(endpoint.into()), ..reader("127.0.0.1:1".parse().unwrap()) };
    let error = S3Source::new(location(BUCKET, "line.json"), settings).unwrap_err();
    assert!(matches!(error, SourceError::Misconfigured { .. }), "{error:?}");
    assert!(error.to_string().contains("AWS_ENDPOINT_URL_S3"), "{error}");
    assert!(!error.to_string().contains("hunter2"), "{error}");
}
