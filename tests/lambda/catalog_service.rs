//! The service with a catalog: releases under load, pages, readiness, and what requests cost with many models.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use axum::body::Body;
use http::Request;
use ordinate::http::router;
use ordinate::source::bundled::BundledFolder;
use ordinate::source::catalog::{Catalog, CatalogError, LOAD_TIMEOUT, MAX_NAMES};
use ordinate::source::{BoxFuture, ModelFolder};
use ordinate_test_support::in_process::{send, settings};
use ordinate_test_support::proxy::{Fault, Proxy};
use rstest::rstest;
use serde_json::json;

use crate::place::Backend::{self, Folder, S3};
use crate::place::{Place, behind_proxy, name, refreshed, slope};

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_or_mixes_versions_while_releases_change(#[values(Folder, S3)] backend: Backend) {
    const SWAPS: u32 = 100;
    const CALLERS: u32 = 4;
    const REQUESTS: u32 = 10_000;
    let place = Arc::new(Place::new(backend, "swaps"));
    for version in [1, 2] {
        place.put(&format!("price/{version}.json"), slope(version, version.into())).await;
    }
    place.point("price", "live", 1).await;
    let application = router(Arc::new(place.catalog().with_settings(refreshed(1))), settings());
    let swaps = Arc::new(AtomicU32::new(0));
    let call = |_| {
        let (application, swaps) = (application.clone(), swaps.clone());
        tokio::spawn(async move {
            let (mut requests, mut versions) = (0, BTreeSet::new());
            while requests < REQUESTS / CALLERS || swaps.load(Ordering::SeqCst) < SWAPS {
                let body = json!({"X": [requests]}).to_string();
                let response = send(&application, Request::post("/predict").body(body.into()).unwrap()).await;
                assert_eq!(response.status, 200, "{}", response.text());
                let version = response.header("x-ordinate-model").strip_prefix("price@").unwrap().to_owned();
                let factor: f64 = version.parse().unwrap();
                assert_eq!(response.json(), json!({"y": [factor * f64::from(requests)]}), "of version {version}");
                versions.insert(version);
                requests += 1;
                if requests.is_multiple_of(50) {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            }
            versions
        })
    };
    let callers: Vec<_> = (0..CALLERS).map(call).collect();
    for swap in 1..=SWAPS {
        place.point("price", "live", 1 + swap % 2).await;
        tokio::time::sleep(Duration::from_millis(1)).await;
        swaps.store(swap, Ordering::SeqCst);
    }
    let mut versions = BTreeSet::new();
    for caller in callers {
        versions.extend(caller.await.unwrap());
    }
    assert_eq!(versions.len(), 2, "both versions were live");
}

#[rstest]
#[tokio::test]
async fn a_page_after_something_unknown_is_an_error_of_the_caller(#[values(Folder, S3)] backend: Backend) {
    let place = Place::new(backend, "unknown-page");
    for model in ["a", "b"] {
        place.publish(model, 1).await;
    }
    let bundled = Catalog::bundled(None).unwrap();
    let files = Catalog::files(vec![BundledFolder.file("line/1.json")]);
    for catalog in [place.catalog(), bundled, files] {
        let application = router(Arc::new(catalog), settings());
        for after in ["nothing", "..", "a%2Fb", "%00"] {
            let request = Request::get(format!("/models?after={after}")).body(Body::empty()).unwrap();
            let response = send(&application, request).await;
            assert_eq!(response.status, 422, "{after}: {}", response.text());
            let detail = response.json()["detail"].to_string();
            assert!(detail.contains("\\\"after\\\": expected the \\\"next\\\" of a page, got"), "{detail}");
        }
    }
}

#[rstest]
#[case::none(None, "no default model is set (DEFAULT_MODEL); the models are a, b")]
#[case::unknown(Some("c"), "there is no model \"c\"; the models are a, b")]
#[case::not_released(Some("b"), "the model \"b\" has no alias \"live\"; the only version is \"1\"")]
#[tokio::test]
async fn a_service_without_a_default_model_is_not_ready(#[case] default: Option<&str>, #[case] reason: &str) {
    let place = Place::new(Folder, "not-ready");
    for model in ["a", "b"] {
        place.publish(model, 1).await;
    }
    place.point("a", "live", 1).await;
    if default.is_none() {
        // Of several models, the only released one would be the default.
        place.point("b", "live", 1).await;
    }
    let application = router(Arc::new(Catalog::folder(place.folder(), default.map(name))), settings());
    let response = send(&application, Request::get("/health/ready").body(Body::empty()).unwrap()).await;
    assert_eq!((response.status.as_u16(), &response.json()["code"]), (503, &json!("model_unavailable")));
    let detail = response.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.starts_with("not ready: ") && detail.contains(reason), "{detail}");
    let live = send(&application, Request::get("/health/live").body(Body::empty()).unwrap()).await;
    assert_eq!(live.status, 200);
}

/// The requests for a list of names.
fn lists(proxy: &Proxy) -> usize {
    proxy.targets().iter().filter(|target| target.contains("list-type")).count()
}

#[tokio::test]
async fn a_tool_is_found_without_a_list_of_the_models() {
    let (_place, proxy, catalog) = behind_proxy("tools", |_| Fault::None).await;
    let application = router(Arc::new(catalog), settings());
    let call = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": "predict_price", "arguments": {"rows": [{"x": 3}]}},
    });
    let request = Request::post("/mcp").header("content-type", "application/json");
    let response = send(&application, request.body(call.to_string().into()).unwrap()).await;
    assert_eq!(response.json()["result"]["structuredContent"]["y"], json!([7.0]), "{}", response.text());
    assert_eq!(lists(&proxy), 0, "{:?}", proxy.targets());
}

#[tokio::test]
async fn the_costs_of_a_request_do_not_grow_with_the_number_of_models_in_s3() {
    // More than S3 returns at once. To put 10,000 objects takes the server a minute; a folder of that size is next.
    let models = std::env::var("CATALOG_MODELS").map_or(1_200, |models| models.parse().unwrap());
    let (place, proxy, _) = behind_proxy("many", |_| Fault::None).await;
    let place = Arc::new(place);
    let put = |number| {
        let place = place.clone();
        tokio::spawn(async move { place.put(&format!("m{number:05}/1.json"), "{}").await })
    };
    for batch in (0..models).collect::<Vec<_>>().chunks(8) {
        for putting in batch.iter().copied().map(put).collect::<Vec<_>>() {
            putting.await.unwrap();
        }
    }
    let catalog = || Catalog::folder(place.behind(proxy.address()), None);
    let requests_of = async |work: &dyn Fn(Catalog) -> BoxFuture<'static, ()>| {
        let (before, started) = (proxy.requests(), Instant::now());
        work(catalog()).await;
        let elapsed = started.elapsed();
        println!("{:?} of {models} models, {} requests", elapsed, proxy.requests() - before);
        assert!(elapsed < LOAD_TIMEOUT, "{elapsed:?}");
        proxy.requests() - before
    };
    let page = |catalog: Catalog| -> BoxFuture<'static, ()> {
        Box::pin(async move { assert_eq!(catalog.names(None, 100).await.unwrap().names.len(), 100) })
    };
    assert_eq!(requests_of(&page).await, 1, "a page");
    let largest = |catalog: Catalog| -> BoxFuture<'static, ()> {
        Box::pin(async move { assert!(catalog.names(None, usize::MAX).await.unwrap().names.len() <= MAX_NAMES) })
    };
    assert_eq!(requests_of(&largest).await, 1, "the largest page");
    let all = |catalog: Catalog| -> BoxFuture<'static, ()> {
        Box::pin(async move {
            let (mut names, mut after) = (0, None);
            loop {
                let page = catalog.names(after.as_deref(), MAX_NAMES).await.unwrap();
                assert!(page.names.len() <= MAX_NAMES, "{}", page.names.len());
                (names, after) = (names + page.names.len(), page.next);
                if after.is_none() {
                    break;
                }
            }
            // And `price`.
            assert_eq!(names, models + 1);
        })
    };
    assert_eq!(requests_of(&all).await, (models + 1).div_ceil(MAX_NAMES), "all pages");
    let known = |catalog: Catalog| -> BoxFuture<'static, ()> {
        Box::pin(async move { assert_eq!(catalog.model("price", None).await.unwrap().name(), "price") })
    };
    assert_eq!(requests_of(&known).await, 2, "a model: the alias and the file");
    let unknown = |catalog: Catalog| -> BoxFuture<'static, ()> {
        Box::pin(async move {
            let error = catalog.model("m99999", None).await.unwrap_err().to_string();
            assert!(error.len() < 400 && error.contains("and 990 more"), "{error}");
        })
    };
    assert_eq!(requests_of(&unknown).await, 3, "an unknown model: the alias, its versions, and a page of names");
}

#[tokio::test]
async fn a_listing_of_ten_thousand_models_is_bounded() {
    let place = Place::new(Folder, "many");
    for number in 0..10_000 {
        std::fs::create_dir(place.directory().join(format!("m{number:05}"))).unwrap();
    }
    place.publish("m07777", 1).await;
    place.point("m07777", "live", 1).await;
    let catalog = place.catalog();
    let (mut pages, mut names, mut after) = (0, 0, None);
    loop {
        let page = catalog.names(after.as_deref(), MAX_NAMES).await.unwrap();
        assert!(page.names.len() <= MAX_NAMES, "{}", page.names.len());
        (pages, names, after) = (pages + 1, names + page.names.len(), page.next);
        if after.is_none() {
            break;
        }
    }
    assert_eq!((pages, names), (10, 10_000));
    assert_eq!(catalog.model("m07777", None).await.unwrap().name(), "m07777");
    assert_eq!(catalog.loads().succeeded, 1);
    // The errors of any number of callers share one list of names, and their text has a few of them.
    let errors = [catalog.model("m10000", None).await.unwrap_err(), catalog.model("x", None).await.unwrap_err()];
    let [CatalogError::UnknownModel { known, .. }, CatalogError::UnknownModel { known: other, .. }] = &errors else {
        panic!("{errors:?}")
    };
    assert!(known.len() <= MAX_NAMES && Arc::ptr_eq(known, other));
    let text = errors[0].to_string();
    assert!(text.len() < 400 && text.contains("and 990 more"), "{text}");
}
