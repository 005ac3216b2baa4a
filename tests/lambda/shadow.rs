//! Predictions are compared with the version of the alias `shadow`, without an effect on their answers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response as AxumResponse;
use http::Request;
use ordinate::http::router;
use ordinate::http::server::observer::{Observer, RequestRecord, ShadowRecord, ShadowSkip};
use ordinate::source::catalog::{Catalog, CatalogSettings, FAILURE_MEMORY};
use ordinate_model::identity::ModelName;
use ordinate_test_support::in_process::{Response, send, settings};
use ordinate_test_support::proxy::{self, Fault, Proxy};
use ordinate_test_support::s3_server::S3Server;
use ordinate_test_support::{ModelDocument, column, feature};
use rstest::rstest;
use serde_json::{Value, json};

use crate::place::Backend::{self, Folder, S3};
use crate::place::{Place, refreshed, slope};

/// Keeps the comparison of the last request; `None` for a request without one.
#[derive(Debug, Default)]
struct Last(Mutex<Option<ShadowRecord>>);

impl Observer for Last {
    fn finished(&self, request: &RequestRecord<'_>) {
        let shadow = request.prediction.as_ref().and_then(|prediction| prediction.shadow);
        *self.0.lock().unwrap() = shadow.cloned();
    }

    fn metrics(&self) -> Option<AxumResponse> {
        None
    }
}

/// The service with a catalog.
struct Service {
    application: Router,
    last: Arc<Last>,
}

impl Service {
    fn new(catalog: Catalog, budget: Duration) -> Self {
        let last = Arc::new(Last::default());
        let settings = ordinate::http::Settings { shadow_budget: budget, observer: Some(last.clone()), ..settings() };
        Self { application: router(Arc::new(catalog), settings), last }
    }

    async fn predict(&self, path: &str, body: &Value) -> (Response, Option<ShadowRecord>) {
        let request = Request::post(path).body(Body::from(body.to_string())).unwrap();
        let response = send(&self.application, request).await;
        let record = self.last.0.lock().unwrap().take();
        (response, record)
    }
}

/// Enough time on a busy machine.
const AMPLE: Duration = Duration::from_secs(8);

/// A classifier whose score of the class `yes` is x − limit.
fn classifier(version: u32, limit: f64) -> Vec<u8> {
    ModelDocument::classification("price", &["no", "yes"], &[-limit])
        .set("/version", version.to_string())
        .features(json!([feature("x", "double")]))
        .column(column("x", json!({"feature": "x"}), 0.0, 1.0), vec![1.0])
        .file(json!([[1.0]]))
}

async fn place(backend: Backend, test: &str, live: Vec<u8>, shadow: Vec<u8>) -> Place {
    let place = Place::new(backend, test);
    place.put("price/1.json", live).await;
    place.put("price/2.json", shadow).await;
    place.point("price", "live", 1).await;
    place.point("price", "shadow", 2).await;
    place
}

#[rstest]
#[tokio::test]
async fn the_values_of_the_shadow_are_compared(#[values(Folder, S3)] backend: Backend) {
    let place = place(backend, "shadow-values", slope(1, 2.0), slope(2, 2.5)).await;
    let service = Service::new(place.catalog(), AMPLE);
    for path in ["/predict", "/models/price/predict", "/models/price@live/predict", "/v1/models/price:predict"] {
        let body = if path.starts_with("/v1") { json!({"instances": [1, 2, 4]}) } else { json!({"X": [1, 2, 4]}) };
        let (response, record) = service.predict(path, &body).await;
        assert_eq!(response.status, 200, "{}", response.text());
        assert_eq!(response.header("x-ordinate-model"), "price@1");
        assert!(!response.header("server-timing").contains("shadow"), "{}", response.header("server-timing"));
        let record = record.unwrap();
        assert_eq!((record.version.as_deref(), record.rows, record.skip), (Some("2"), 3, None), "{path}");
        assert_eq!((record.sum, record.largest, record.disagreements), (3.5, 2.0, 0));
    }
    // The callers of a version do not ask for the live one.
    for path in ["/models/price@shadow/predict", "/models/price@1/predict", "/models/price/versions/1/predict"] {
        assert_eq!(service.predict(path, &json!({"X": [1]})).await.1, None, "{path}");
    }
}

#[tokio::test]
async fn the_classes_and_probabilities_of_the_shadow_are_compared() {
    let place = place(Folder, "shadow-classes", classifier(1, 1.0), classifier(2, 2.0)).await;
    let service = Service::new(place.catalog(), AMPLE);
    let (response, record) = service.predict("/predict", &json!({"X": [0.0, 1.5, 3.0]})).await;
    assert_eq!(response.json(), json!({"y": ["no", "yes", "yes"]}));
    let record = record.unwrap();
    assert_eq!((record.rows, record.disagreements, record.skip), (3, 1, None));
    // 1/(1 + exp(1)) − 1/(1 + exp(2)), 1/(1 + exp(−½)) − 1/(1 + exp(½)), 1/(1 + exp(−2)) − 1/(1 + exp(−1)), by bc.
    let differences = [0.149_738_499_347_877_55, 0.244_918_662_403_709_12, 0.149_738_499_347_877_55];
    assert!((record.sum - differences.iter().sum::<f64>()).abs() < 1e-15, "{record:?}");
    assert!((record.largest - differences[1]).abs() < 1e-15, "{record:?}");
}

#[tokio::test]
async fn without_a_shadow_nothing_is_compared() {
    let place = place(Folder, "no-shadow", slope(1, 2.0), slope(2, 2.5)).await;
    let off = Service::new(place.catalog(), Duration::ZERO);
    assert_eq!(off.predict("/predict", &json!({"X": [1]})).await.1, None);
    // The live version itself.
    place.point("price", "shadow", 1).await;
    let same = Service::new(place.catalog(), AMPLE);
    assert_eq!(same.predict("/predict", &json!({"X": [1]})).await.1, None);
    std::fs::remove_file(place.directory().join("price/aliases/shadow.json")).unwrap();
    let none = Service::new(place.catalog(), AMPLE);
    assert_eq!(none.predict("/predict", &json!({"X": [1]})).await.1, None);
}

#[rstest]
#[case::broken_model(Some(b"{".to_vec()), ShadowSkip::Unavailable)]
#[case::missing_model(None, ShadowSkip::Unavailable)]
#[case::other_task(Some(classifier(2, 1.0)), ShadowSkip::Incompatible)]
#[case::new_feature(
    Some(
        ModelDocument::regression("price", 0.0)
            .set("/version", "2")
            .features(json!([feature("x", "double"), feature("z", "double")]))
            .column(column("x", json!({"feature": "x"}), 0.0, 1.0), 2.0)
            .file(json!([[1.0, 1.0]]))
    ),
    ShadowSkip::Incompatible
)]
#[tokio::test]
async fn a_shadow_that_cannot_be_compared_has_no_effect(#[case] shadow: Option<Vec<u8>>, #[case] reason: ShadowSkip) {
    let place = place(Folder, "unfit-shadow", slope(1, 2.0), slope(2, 2.5)).await;
    match shadow {
        Some(content) => place.put("price/2.json", content).await,
        None => std::fs::remove_file(place.directory().join("price/2.json")).unwrap(),
    }
    let service = Service::new(place.catalog(), AMPLE);
    for _ in 0..2 {
        let (response, record) = service.predict("/predict", &json!({"X": [3]})).await;
        assert_eq!((response.status.as_u16(), response.text().as_str()), (200, r#"{"y":[6.0]}"#));
        let record = record.unwrap();
        assert_eq!((record.rows, record.skip), (0, Some(reason)));
    }
}

#[rstest]
#[case::first(None)]
#[case::after_another(Some(2))]
#[tokio::test]
async fn a_new_shadow_that_cannot_be_loaded_is_counted_until_it_is_repaired(
    #[values(Folder, S3)] backend: Backend,
    #[case] before: Option<u32>,
    #[values(Some("{"), None)] broken: Option<&str>,
) {
    let test = format!("new-shadow-{}-{}", before.is_some(), broken.is_some());
    let place = place(backend, &test, slope(1, 2.0), slope(2, 2.5)).await;
    if before.is_none() {
        place.delete("price/aliases/shadow.json").await;
    }
    let catalog = Arc::new(place.catalog().with_settings(refreshed(20)));
    let last = Arc::new(Last::default());
    let settings = ordinate::http::Settings { shadow_budget: AMPLE, observer: Some(last.clone()), ..settings() };
    let service = Service { application: router(catalog.clone(), settings), last };
    let compared = async || {
        tokio::time::sleep(Duration::from_millis(30)).await;
        let (response, record) = service.predict("/predict", &json!({"X": [3]})).await;
        assert_eq!((response.status.as_u16(), response.text().as_str()), (200, r#"{"y":[6.0]}"#));
        record.map(|record| (record.version, record.skip))
    };
    let version = |version: u32| Some((Some(version.to_string()), None));
    assert_eq!(compared().await, before.and_then(version));
    if let Some(broken) = broken {
        place.put("price/3.json", broken).await;
    }
    place.point("price", "shadow", 3).await;
    for _ in 0..3 {
        assert_eq!(compared().await, Some((None, Some(ShadowSkip::Unavailable))));
    }
    assert!(catalog.loads().failed_refreshes > 0);
    // Repaired: the failure of the version is remembered for a second.
    place.put("price/3.json", slope(3, 2.5)).await;
    tokio::time::sleep(FAILURE_MEMORY).await;
    assert_eq!(compared().await, version(3));
    // A damaged alias.
    place.put("price/aliases/shadow.json", "{").await;
    assert_eq!(compared().await, Some((None, Some(ShadowSkip::Unavailable))));
    place.point("price", "shadow", 2).await;
    assert_eq!(compared().await, version(2));
}

#[tokio::test]
async fn rows_that_the_shadow_rejects_are_left_out() {
    let city = |levels: &[&str]| json!([{"name": "city", "type": "string", "missing": "reject", "levels": levels}]);
    let model = |version: &str, levels: &[&str]| {
        let basel = column("city=Basel", json!({"feature": "city", "level": "Basel"}), 0.0, 1.0);
        let document = ModelDocument::regression("price", 1.0).set("/version", version).features(city(levels));
        document.column(basel, 1.0).file(json!([["Basel"]]))
    };
    let place = place(Folder, "rejected", model("1", &["Basel", "Bern"]), model("2", &["Basel"])).await;
    let service = Service::new(place.catalog(), AMPLE);
    let (response, record) = service.predict("/predict", &json!({"X": ["Basel", "Bern", "Basel"]})).await;
    assert_eq!(response.status, 200);
    let record = record.unwrap();
    assert_eq!((record.rows, record.largest, record.skip), (2, 0.0, Some(ShadowSkip::Rejected)));
}

#[tokio::test]
async fn a_request_waits_for_the_shadow_no_longer_than_the_budget() {
    let place = place(S3, "slow-shadow", slope(1, 2.0), slope(2, 2.5)).await;
    let fault = |request: &proxy::Request| {
        if request.target.contains("/aliases/shadow.json") { Fault::Stall } else { Fault::None }
    };
    let proxy = Proxy::start_with(S3Server::shared().address(), fault).await;
    let catalog = Catalog::folder(place.behind(proxy.address()), None);
    let catalog = catalog.with_settings(CatalogSettings { refresh: None, ..CatalogSettings::default() });
    let service = Service::new(catalog, Duration::from_millis(20));
    let (response, record) = service.predict("/predict", &json!({"X": [3]})).await;
    assert_eq!((response.status.as_u16(), response.text().as_str()), (200, r#"{"y":[6.0]}"#));
    assert_eq!(record.unwrap().skip, Some(ShadowSkip::Loading));
}

#[tokio::test]
async fn rows_beyond_the_budget_are_left_out() {
    let place = place(Folder, "many-rows", slope(1, 2.0), slope(2, 2.5)).await;
    let catalog = Arc::new(place.catalog());
    let name = ModelName::try_from("price".to_owned()).unwrap();
    assert!(catalog.shadow(&name).await.unwrap().is_some());
    let last = Arc::new(Last::default());
    let budget = Duration::from_nanos(1);
    let settings = ordinate::http::Settings { shadow_budget: budget, observer: Some(last.clone()), ..settings() };
    let service = Service { application: router(catalog, settings), last };
    let (response, record) = service.predict("/predict", &json!({"X": [1, 2, 3]})).await;
    assert_eq!(response.status, 200);
    let record = record.unwrap();
    assert_eq!((record.rows, record.skip), (0, Some(ShadowSkip::Budget)));
}
