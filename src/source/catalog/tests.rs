//! Loading once, failures, time limits and concurrent callers.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::source::{BoxFuture, Content, Listing, SourceError, Tag};

/// The outcome of one fetch.
#[derive(Debug)]
enum Step {
    Succeed,
    Fail,
    Hang,
}

/// A source that runs the steps, then returns the bundled `line`; counts its fetches.
#[derive(Debug, Clone, Default)]
struct Scripted {
    steps: Arc<Mutex<VecDeque<Step>>>,
    fetches: Arc<AtomicUsize>,
}

impl Scripted {
    fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        Self { steps: Arc::new(Mutex::new(steps.into_iter().collect())), fetches: Arc::default() }
    }

    fn catalog(&self) -> Arc<Catalog> {
        let catalog = Catalog::single(Box::new(self.clone()), None, None);
        let settings = CatalogSettings { load_timeout: Duration::from_millis(100), ..CatalogSettings::default() };
        Arc::new(catalog.with_settings(settings))
    }

    fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }
}

impl ModelSource for Scripted {
    fn describe(&self) -> String {
        "scripted:line".into()
    }

    fn fetch_changed<'a>(&'a self, known: Option<&'a Tag>) -> BoxFuture<'a, Result<Option<Content>, SourceError>> {
        self.fetches.fetch_add(1, Ordering::SeqCst);
        let step = self.steps.lock().unwrap().pop_front().unwrap_or(Step::Succeed);
        Box::pin(async move {
            // Lets other callers arrive while this fetch is in progress.
            tokio::task::yield_now().await;
            match step {
                Step::Succeed => BundledFolder.file("line/1.json").fetch_changed(known).await,
                Step::Fail => {
                    Err(SourceError::Interrupted { location: self.describe(), source: "injected failure".into() })
                }
                Step::Hang => std::future::pending().await,
            }
        })
    }
}

fn names(models: &[Arc<Model>]) -> Vec<&str> {
    models.iter().map(|model| model.name()).collect()
}

#[tokio::test]
async fn every_bundled_model_is_valid_and_has_the_name_it_is_listed_under() {
    let models = Catalog::bundled(None).unwrap().models(MAX_NAMES).await.unwrap();
    let listed: Vec<_> = bundled::names().collect();
    assert_eq!(names(&models), listed);
    assert_eq!(listed.first(), Some(&"line"));
}

#[tokio::test]
async fn the_default_model_can_be_chosen_and_is_listed_first() {
    let catalog = Catalog::bundled(Some("diabetes")).unwrap();
    assert_eq!(catalog.default_model().await.unwrap().name(), "diabetes");
    assert_eq!(names(&catalog.models(MAX_NAMES).await.unwrap()), ["diabetes", "line", "iris", "breast-cancer"]);
}

#[test]
fn an_unknown_default_model_is_an_error_that_lists_all_models() {
    let error = Catalog::bundled(Some("circle")).unwrap_err();
    assert_eq!(error.to_string(), "there is no model \"circle\"; the models are line, diabetes, iris, breast-cancer");
}

#[tokio::test]
async fn models_are_found_by_name_and_version() {
    let catalog = Catalog::bundled(None).unwrap();
    let line = catalog.model("line", None).await.unwrap();
    assert!(Arc::ptr_eq(&line, &catalog.model("line", Some(line.version())).await.unwrap()));
    let error = catalog.model("Line", None).await.unwrap_err();
    let message =
        "there is no model \"Line\"; did you mean \"line\"?; the models are line, diabetes, iris, breast-cancer";
    assert_eq!(error.to_string(), message);
    let error = catalog.model("line", Some("99")).await.unwrap_err();
    assert_eq!(error.to_string(), "the model \"line\" has no version \"99\"; the only version is \"1\"");
}

#[tokio::test]
async fn a_single_model_is_served_only_under_the_name_in_its_file() {
    let catalog = Scripted::default().catalog();
    assert_eq!(catalog.model("line", None).await.unwrap().name(), "line");
    let error = catalog.model("diabetes", None).await.unwrap_err();
    assert!(matches!(&error, CatalogError::UnknownModel { known, .. } if **known == ["line".to_owned()]), "{error:?}");
}

#[tokio::test]
async fn a_single_model_with_another_name_than_required_is_rejected() {
    let name = ModelName::try_from("circle".to_owned()).unwrap();
    let source = Scripted::default();
    let catalog = Catalog::single(Box::new(source.clone()), None, Some(name));
    // The name is known without loading the model.
    assert!(matches!(catalog.model("line", None).await, Err(CatalogError::UnknownModel { .. })));
    assert_eq!(source.fetches(), 0);
    let error = catalog.default_model().await.unwrap_err();
    assert!(matches!(cause(&error), LoadError::NameMismatch { .. }), "{error:?}");
}

#[tokio::test]
async fn concurrent_callers_share_one_load() {
    let source = Scripted::default();
    let catalog = source.catalog();
    let callers: Vec<_> = (0..8)
        .map(|_| {
            let catalog = Arc::clone(&catalog);
            tokio::spawn(async move { catalog.default_model().await.unwrap() })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    assert_eq!(source.fetches(), 1);
}

#[tokio::test]
async fn a_loaded_model_is_kept_and_a_failure_for_a_second() {
    let source = Scripted::new([Step::Fail, Step::Succeed]);
    let catalog = source.catalog();
    let error = catalog.default_model().await.unwrap_err();
    assert!(matches!(cause(&error), LoadError::Source(_)), "{error:?}");
    assert!(catalog.default_model().await.is_err());
    assert_eq!(source.fetches(), 1);
    tokio::time::sleep(FAILURE_MEMORY).await;
    for _ in 0..3 {
        assert_eq!(catalog.default_model().await.unwrap().name(), "line");
    }
    assert_eq!(source.fetches(), 2);
}

#[tokio::test]
async fn a_load_that_hangs_times_out_and_the_next_caller_tries_again() {
    let source = Scripted::new([Step::Hang]);
    let catalog = source.catalog();
    let error = catalog.default_model().await.unwrap_err();
    assert!(matches!(cause(&error), LoadError::Timeout { .. }), "{error:?}");
    tokio::time::sleep(FAILURE_MEMORY).await;
    assert_eq!(catalog.default_model().await.unwrap().name(), "line");
}

#[tokio::test]
async fn a_load_goes_on_when_its_caller_leaves() {
    let source = Scripted::new([Step::Succeed]);
    let catalog = source.catalog();
    let leaving = tokio::spawn({
        let catalog = Arc::clone(&catalog);
        async move { catalog.default_model().await }
    });
    while source.fetches() == 0 {
        tokio::task::yield_now().await;
    }
    leaving.abort();
    assert_eq!(catalog.default_model().await.unwrap().name(), "line");
    assert_eq!(source.fetches(), 1);
}

/// A folder with the bundled models whose every list and file takes a while.
#[derive(Debug)]
struct Slow(Duration);

/// A file of it.
#[derive(Debug)]
struct SlowFile(Box<dyn ModelSource>, Duration);

impl ModelFolder for Slow {
    fn describe(&self) -> String {
        "slow:".into()
    }

    fn file(&self, path: &str) -> Box<dyn ModelSource> {
        Box::new(SlowFile(BundledFolder.file(path), self.0))
    }

    fn list<'a>(
        &'a self,
        path: &'a str,
        after: Option<&'a str>,
        most: usize,
    ) -> BoxFuture<'a, Result<Listing, SourceError>> {
        Box::pin(async move {
            tokio::time::sleep(self.0).await;
            let mut listing = BundledFolder.list(path, after, most).await?;
            if path.is_empty() {
                listing.names.truncate(1);
            }
            Ok(listing)
        })
    }
}

impl ModelSource for SlowFile {
    fn describe(&self) -> String {
        self.0.describe()
    }

    fn fetch_changed<'a>(&'a self, known: Option<&'a Tag>) -> BoxFuture<'a, Result<Option<Content>, SourceError>> {
        Box::pin(async move {
            tokio::time::sleep(self.1).await;
            self.0.fetch_changed(known).await
        })
    }
}

#[tokio::test]
async fn names_alias_and_model_have_one_time_limit_together() {
    let settings = CatalogSettings { load_timeout: Duration::from_millis(250), ..CatalogSettings::default() };
    let catalog = |step| Catalog::folder(Arc::new(Slow(step)), None).with_settings(settings);
    // Each of the three steps is within the limit, and together they are not.
    let error = catalog(Duration::from_millis(150)).default_model().await.unwrap_err();
    assert!(matches!(cause(&error), LoadError::Timeout { .. }), "{error:?}");
    assert!(cause(&error).is_transient());
    let fast = Catalog::folder(Arc::new(Slow(Duration::from_millis(1))), None);
    assert_eq!(fast.default_model().await.unwrap().name(), "line");
}

/// The cause of a model that cannot be loaded.
fn cause(error: &CatalogError) -> &LoadError {
    let CatalogError::Unavailable(cause) = error else { panic!("{error:?}") };
    cause
}

#[test]
fn a_catalog_is_shared_between_threads() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Catalog>();
}
