//! Catalogs of models: bundled, in a folder, in S3. One suite for all of them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use http::Method;
use ordinate::emf::{MetricLines, MetricSettings};
use ordinate::http::server::observer::{Observer as _, RequestRecord};
use ordinate::source::SourceError;
use ordinate::source::bundled::BundledFolder;
use ordinate::source::catalog::{Catalog, CatalogError, CatalogSettings, FAILURE_MEMORY, LoadError};
use ordinate::source::file::LocalFolder;
use ordinate_model::identity::Version;
use ordinate_test_support::line;
use rstest::rstest;
use serde_json::Value;

use crate::BUILD;
use crate::place::Backend::{self, Folder, S3};
use crate::place::{Place, behind_proxy, name, refreshed};
use ordinate_test_support::proxy::{Fault, Proxy};
use ordinate_test_support::s3_server::S3Server;

fn cause(error: &CatalogError) -> &LoadError {
    let CatalogError::Unavailable(cause) = error else { panic!("{error:?}") };
    cause
}

#[rstest]
#[tokio::test]
async fn a_model_is_found_by_alias_and_version(#[values(Folder, S3)] backend: Backend) {
    let place = Place::new(backend, "found");
    for version in [1, 2, 10] {
        place.publish("price", version).await;
    }
    place.point("price", "live", 2).await;
    place.point("price", "shadow", 10).await;
    let catalog = place.catalog();
    for (asked, version, got) in [
        ("price", None, "2"),
        ("price@live", None, "2"),
        ("price@shadow", None, "10"),
        ("price@1", None, "1"),
        ("price", Some("10"), "10"),
    ] {
        let model = catalog.model(asked, version).await.unwrap();
        assert_eq!((model.name(), model.version()), ("price", got), "{asked} {version:?}");
    }
    // The only model is the default model.
    assert_eq!(catalog.default_model().await.unwrap().version(), "2");
    let releases = catalog.releases("price").await.unwrap();
    assert_eq!(releases.versions.iter().map(Version::as_str).collect::<Vec<_>>(), ["1", "2", "10"]);
    assert_eq!(releases.aliases["live"].as_str(), "2");
    assert_eq!(releases.aliases["shadow"].as_str(), "10");
}

#[rstest]
#[case("prize", None, "there is no model \"prize\"; did you mean \"price\"?; the only model is \"price\"")]
#[case("price/../price", None, "there is no model \"price/../price\"; did you mean")]
#[case("a..b", None, "there is no model \"a..b\"; the only model is \"price\"")]
#[case("..", None, "there is no model \"..\"; the only model is \"price\"")]
#[case("price", Some("9"), "the model \"price\" has no version \"9\"; the versions are 1, 2")]
#[case("price", Some("live"), "the model \"price\" has no version \"live\"; the versions are 1, 2")]
#[case("price@9", None, "the model \"price\" has no version \"9\"; the versions are 1, 2")]
#[case(
    "price@lief",
    None,
    "the model \"price\" has no alias \"lief\"; did you mean \"live\"?; the only alias is \"live\""
)]
#[case("price@../x", None, "the model \"price\" has no alias \"../x\"; the only alias is \"live\"")]
#[tokio::test]
async fn what_does_not_exist_is_unknown_and_what_exists_is_listed(
    #[values(Folder, S3)] backend: Backend,
    #[case] asked: &str,
    #[case] version: Option<&str>,
    #[case] message: &str,
) {
    let place = Place::new(backend, "unknown");
    place.publish("price", 1).await;
    place.publish("price", 2).await;
    place.point("price", "live", 1).await;
    let error = place.catalog().model(asked, version).await.unwrap_err();
    assert!(error.to_string().starts_with(message), "{error}");
}

#[rstest]
#[tokio::test]
async fn a_catalog_of_several_models_needs_a_default(#[values(Folder, S3)] backend: Backend) {
    let place = Place::new(backend, "several");
    for model in ["b", "a", "a-b", "a.b"] {
        place.publish(model, 1).await;
        place.point(model, "live", 1).await;
    }
    let error = place.catalog().default_model().await.unwrap_err();
    assert!(matches!(error, CatalogError::NoDefault { .. }), "{error:?}");
    assert!(error.to_string().contains("DEFAULT_MODEL"), "{error}");
    let catalog = Catalog::folder(place.folder(), Some(name("b")));
    assert_eq!(catalog.default_model().await.unwrap().name(), "b");
    let models = catalog.models(3).await.unwrap();
    assert_eq!(models[0].name(), "b", "the default model is the first");
    assert_eq!(models.len(), 3);
}

#[rstest]
#[tokio::test]
async fn a_model_that_is_not_released_yet_is_left_out_of_descriptions(#[values(Folder, S3)] backend: Backend) {
    let place = Place::new(backend, "unreleased");
    place.publish("price", 1).await;
    assert!(place.catalog().models(10).await.unwrap().is_empty());
    assert!(matches!(place.catalog().default_model().await, Err(CatalogError::NotReleased { .. })));
}

#[rstest]
#[tokio::test]
async fn an_empty_catalog_has_no_model(#[values(Folder, S3)] backend: Backend) {
    let place = Place::new(backend, "empty");
    let catalog = place.catalog();
    assert_eq!(catalog.names(None, 10).await.unwrap().names, [""; 0]);
    assert!(matches!(catalog.default_model().await, Err(CatalogError::NoDefault { known }) if known.is_empty()));
    let error = catalog.model("price", None).await.unwrap_err();
    assert_eq!(error.to_string(), "there is no model \"price\"; there are no models");
}

#[rstest]
#[tokio::test]
async fn names_are_listed_in_pages_without_loading_a_model(#[values(Folder, S3)] backend: Backend) {
    let place = Place::new(backend, "pages");
    let mut expected: Vec<String> = (0..7).map(|number| format!("m{number}")).collect();
    expected.extend(["m1-x".to_owned(), "m1.x".to_owned(), "m10".to_owned()]);
    for model in &expected {
        place.publish(model, 1).await;
    }
    expected.sort();
    let catalog = place.catalog();
    for size in [1, 3, 10, 100] {
        let (mut listed, mut after) = (Vec::new(), None::<String>);
        loop {
            let page = catalog.names(after.as_deref(), size).await.unwrap();
            assert!(page.names.len() <= size);
            listed.extend(page.names);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        // S3 orders names as keys, with a slash at the end.
        listed.sort();
        assert_eq!(listed, expected, "in pages of {size}");
    }
    assert_eq!(catalog.loads().succeeded, 0);
}

#[tokio::test]
async fn the_bundled_models_are_a_catalog() {
    let catalog = Catalog::folder(Arc::new(BundledFolder), Some(name("iris")));
    assert_eq!(catalog.default_model().await.unwrap().name(), "iris");
    assert_eq!(catalog.model("line@live", None).await.unwrap().version(), "1");
    assert_eq!(catalog.model("line@1", None).await.unwrap().name(), "line");
    let first = catalog.names(None, 3).await.unwrap();
    assert_eq!(first.names, ["line", "diabetes", "iris"]);
    let last = catalog.names(first.next.as_deref(), 3).await.unwrap();
    assert_eq!((last.names.as_slice(), last.next), (&["breast-cancer".to_owned()][..], None));
    let error = catalog.model("line@2", None).await.unwrap_err();
    assert_eq!(error.to_string(), "the model \"line\" has no version \"2\"; the only version is \"1\"");
}

#[rstest]
#[case::another_name(
    "price/1.json",
    line("prize", "1"),
    "expected a model named \"price\" (its folder), got \"prize\""
)]
#[case::another_version(
    "price/1.json",
    line("price", "3"),
    "expected version 1 of the model, as in the file's name, got version 3"
)]
#[case::no_model("price/1.json", b"{}".to_vec(), "not a model file")]
#[case::no_alias("price/aliases/live.json", b"{\"version\":1}".to_vec(), "not an alias file")]
#[tokio::test]
async fn a_damaged_file_is_an_error_that_names_it(
    #[values(Folder, S3)] backend: Backend,
    #[case] path: &str,
    #[case] content: Vec<u8>,
    #[case] message: &str,
) {
    let place = Place::new(backend, &format!("damaged-{}", message.len()));
    place.publish("price", 1).await;
    place.point("price", "live", 1).await;
    place.put(path, content).await;
    let error = place.catalog().default_model().await.unwrap_err();
    let text = cause(&error).to_string();
    assert!(text.contains(message) && text.contains(path), "{text}");
    assert!(!cause(&error).is_transient());
}

#[rstest]
#[tokio::test]
async fn a_new_release_is_served_after_the_refresh_interval(#[values(Folder, S3)] backend: Backend) {
    let place = Place::new(backend, "refresh");
    place.publish("price", 1).await;
    place.publish("price", 2).await;
    place.point("price", "live", 1).await;
    let never = place.catalog();
    let often = place.catalog().with_settings(refreshed(50));
    for catalog in [&never, &often] {
        assert_eq!(catalog.default_model().await.unwrap().version(), "1");
    }
    place.point("price", "live", 2).await;
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert_eq!(often.default_model().await.unwrap().version(), "2");
    assert_eq!(never.default_model().await.unwrap().version(), "1");
}

#[rstest]
#[case::broken(Some(b"{".to_vec()))]
#[case::missing(None)]
#[tokio::test]
async fn a_release_that_cannot_be_loaded_leaves_the_last_good_version(
    #[values(Folder, S3)] backend: Backend,
    #[case] content: Option<Vec<u8>>,
) {
    let place = Place::new(backend, if content.is_some() { "broken" } else { "missing" });
    place.publish("price", 1).await;
    place.point("price", "live", 1).await;
    let catalog = place.catalog().with_settings(refreshed(20));
    assert_eq!(catalog.default_model().await.unwrap().version(), "1");
    if let Some(content) = content {
        place.put("price/2.json", content).await;
    }
    place.point("price", "live", 2).await;
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(30)).await;
        assert_eq!(catalog.default_model().await.unwrap().version(), "1");
    }
    assert!(catalog.loads().failed > 0, "{:?}", catalog.loads());
    // Repaired: the failure of the version is remembered for a second.
    place.publish("price", 2).await;
    tokio::time::sleep(FAILURE_MEMORY).await;
    assert_eq!(catalog.default_model().await.unwrap().version(), "2");
}

#[tokio::test]
async fn least_recently_used_models_are_dropped_but_not_the_default() {
    let place = Place::new(Folder, "dropped");
    for model in ["a", "b", "c", "d"] {
        place.publish(model, 1).await;
        place.point(model, "live", 1).await;
    }
    let bytes = u64::try_from(line("a", "1").len()).unwrap();
    let settings = CatalogSettings { cache_bytes: 3 * bytes, ..CatalogSettings::default() };
    let catalog = Catalog::folder(place.folder(), Some(name("a"))).with_settings(settings);
    catalog.default_model().await.unwrap();
    for model in ["b", "c", "b", "d"] {
        catalog.model(model, None).await.unwrap();
    }
    let loaded: Vec<_> = catalog.loaded().iter().map(|model| model.name().to_owned()).collect();
    assert_eq!(loaded, ["a", "b", "d"], "c was used least recently, and a is the default");
    assert_eq!(catalog.model("c", None).await.unwrap().name(), "c", "it is loaded again");
}

#[tokio::test]
async fn the_default_model_stays_also_if_callers_name_it() {
    let place = Place::new(Folder, "named");
    for model in ["a", "b"] {
        place.publish(model, 1).await;
        place.point(model, "live", 1).await;
    }
    let settings = CatalogSettings { cache_bytes: 1, ..refreshed(20) };
    let catalog = Catalog::folder(place.folder(), Some(name("a"))).with_settings(settings);
    catalog.default_model().await.unwrap();
    place.publish("a", 2).await;
    place.point("a", "live", 2).await;
    tokio::time::sleep(Duration::from_millis(30)).await;
    assert_eq!(catalog.model("a", None).await.unwrap().version(), "2");
    catalog.model("b", None).await.unwrap();
    let loaded: Vec<_> = catalog.loaded().iter().map(|model| format!("{}@{}", model.name(), model.version())).collect();
    assert_eq!(loaded, ["a@2", "b@1"]);
}

#[tokio::test]
async fn a_first_request_needs_two_gets_and_one_if_it_names_the_version() {
    let (_place, proxy, catalog) = behind_proxy("gets", |_| Fault::None).await;
    catalog.model("price", Some("3")).await.unwrap();
    assert_eq!(proxy.requests(), 1);
    catalog.default_model().await.unwrap();
    assert_eq!(proxy.requests(), 3);
    catalog.default_model().await.unwrap();
    catalog.model("price", Some("1")).await.unwrap();
    assert_eq!(proxy.requests(), 3, "loaded models are kept");
}

#[tokio::test]
async fn a_refresh_of_what_is_unchanged_transfers_no_model() {
    let (_place, proxy, catalog) = behind_proxy("unchanged", |_| Fault::None).await;
    let catalog = catalog.with_settings(refreshed(20));
    catalog.default_model().await.unwrap();
    let (before, bytes) = (proxy.requests(), proxy.body_bytes());
    tokio::time::sleep(Duration::from_millis(30)).await;
    catalog.default_model().await.unwrap();
    assert_eq!(proxy.requests() - before, 2, "the alias and the model");
    assert_eq!(proxy.body_bytes(), bytes);
    assert_eq!(catalog.loads().succeeded, 1);
}

#[tokio::test]
async fn cold_callers_share_one_load_and_its_failure() {
    let (_place, proxy, catalog) = behind_proxy("shared", |_| Fault::Busy).await;
    let catalog = Arc::new(catalog);
    let started = Instant::now();
    let call = |_| {
        let catalog = catalog.clone();
        tokio::spawn(async move { catalog.default_model().await.unwrap_err() })
    };
    for caller in (0..200).map(call).collect::<Vec<_>>() {
        let error = caller.await.unwrap();
        assert!(cause(&error).is_transient(), "{error:?}");
    }
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    assert!(proxy.requests() <= 3, "{} requests: the attempts of one GET", proxy.requests());
    catalog.default_model().await.unwrap_err();
    assert!(proxy.requests() <= 3, "the failure is remembered for a moment");
}

#[tokio::test]
async fn a_model_that_does_not_exist_is_not_looked_for_by_each_caller() {
    let (_place, proxy, catalog) = behind_proxy("absent", |_| Fault::None).await;
    let catalog = Arc::new(catalog);
    for _ in 0..50 {
        let error = catalog.model("prize", None).await.unwrap_err();
        assert!(matches!(error, CatalogError::UnknownModel { .. }), "{error:?}");
    }
    assert!(proxy.requests() <= 4, "{} requests", proxy.requests());
}

#[tokio::test]
async fn a_refresh_from_a_source_that_does_not_answer_delays_one_request_by_a_second() {
    let _quiet = BUILD.read().await;
    let (_place, _proxy, catalog) =
        behind_proxy("silent", |request| if request < 2 { Fault::None } else { Fault::Stall }).await;
    let catalog = Arc::new(catalog.with_settings(refreshed(50)));
    catalog.default_model().await.unwrap();
    tokio::time::sleep(Duration::from_millis(60)).await;
    let timed = |_| {
        let catalog = catalog.clone();
        tokio::spawn(async move {
            let started = Instant::now();
            assert_eq!(catalog.default_model().await.unwrap().version(), "1");
            started.elapsed()
        })
    };
    let mut durations = Vec::new();
    for caller in (0..20).map(timed).collect::<Vec<_>>() {
        durations.push(caller.await.unwrap());
    }
    durations.sort();
    assert!(durations[19] < Duration::from_millis(1_500), "{durations:?}");
    assert!(durations[18] < Duration::from_millis(500), "{durations:?}");
}

#[tokio::test]
async fn a_missing_folder_is_an_error() {
    let place = Place::new(Folder, "no-folder");
    let catalog = Catalog::folder(Arc::new(LocalFolder::new(place.directory().join("absent"))), None);
    let error = catalog.default_model().await.unwrap_err();
    assert!(matches!(cause(&error), LoadError::Source(SourceError::NotFound { .. })), "{error:?}");
}

#[rstest]
#[tokio::test]
async fn the_only_released_model_is_the_default_and_stays_it(#[values(Folder, S3)] backend: Backend) {
    let place = Place::new(backend, "drafts");
    for model in ["draft-a", "price", "draft-b"] {
        place.publish(model, 1).await;
    }
    place.point("price", "live", 1).await;
    let catalog = place.catalog();
    assert_eq!(catalog.default_model().await.unwrap().name(), "price");
    place.point("draft-a", "live", 1).await;
    assert!(
        matches!(place.catalog().default_model().await, Err(CatalogError::NoDefault { known }) if known.len() == 3)
    );
    assert_eq!(catalog.default_name().await.unwrap().as_str(), "price");
}

#[tokio::test]
async fn names_that_are_not_listed_in_time_delay_only_the_search_for_a_default_model() {
    let place = Place::new(S3, "slow-list");
    place.publish("price", 1).await;
    place.point("price", "live", 1).await;
    let stalls = Arc::new(AtomicBool::new(false));
    let proxy = Proxy::start_with(S3Server::shared().address(), {
        let stalls = stalls.clone();
        move |request| {
            let is_list = request.target.contains("list-type");
            if is_list && stalls.load(Ordering::SeqCst) { Fault::Stall } else { Fault::None }
        }
    });
    let proxy = proxy.await;
    let catalog = || Catalog::folder(place.behind(proxy.address()), None);
    let (warm, cold) = (catalog(), catalog());
    warm.default_model().await.unwrap();
    stalls.store(true, Ordering::SeqCst);
    let started = Instant::now();
    let error = cold.default_model().await.unwrap_err();
    assert!(cause(&error).is_transient() && started.elapsed() < Duration::from_secs(9), "{error:?}");
    assert_eq!(cold.model("price", None).await.unwrap().version(), "1");
    // Longer than names are kept.
    tokio::time::sleep(Duration::from_secs(11).saturating_sub(started.elapsed())).await;
    let started = Instant::now();
    assert_eq!(warm.default_model().await.unwrap().version(), "1");
    assert!(started.elapsed() < Duration::from_millis(500), "{:?}", started.elapsed());
}

#[tokio::test]
async fn failed_refreshes_are_counted() {
    static LINES: Mutex<Vec<Value>> = Mutex::new(Vec::new());
    let keep = |line: &[u8]| LINES.lock().unwrap().push(serde_json::from_slice(line).unwrap());
    let place = Place::new(Folder, "counted");
    place.publish("price", 1).await;
    place.point("price", "live", 1).await;
    let catalog = Arc::new(place.catalog().with_settings(refreshed(20)));
    let metrics = MetricLines::with_writer(&MetricSettings::default(), Some(catalog.clone()), keep);
    // The `ModelRefreshErrors` of a request.
    let request = async || {
        catalog.default_model().await.unwrap();
        let (method, route) = (&Method::POST, Some("/predict"));
        let duration = Duration::from_millis(1);
        metrics.finished(&RequestRecord { method, route, status: 200, duration, code: None, prediction: None });
        let lines = std::mem::take(&mut *LINES.lock().unwrap());
        lines.first().and_then(|line| line["ModelRefreshErrors"].as_f64())
    };
    assert_eq!(request().await, None);
    tokio::time::sleep(Duration::from_millis(30)).await;
    assert_eq!(request().await, None);
    assert_eq!(catalog.loads().failed_refreshes, 0);
    place.put("price/aliases/live.json", "{").await;
    for expected in 1..=2 {
        tokio::time::sleep(Duration::from_millis(30)).await;
        assert_eq!(request().await, Some(1.0));
        assert_eq!(catalog.loads().failed_refreshes, expected);
    }
}
