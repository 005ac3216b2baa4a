//! The list of models, and the description of a model.

use axum::extract::State;
use axum::response::Response;
use http::Uri;
use indexmap::IndexMap;
use serde::Serialize;
use url::form_urlencoded;

use crate::http::application::App;
use crate::http::protocols::model_path::ModelPath;
use crate::http::server::error::{ApiError, ErrorCode};
use crate::http::server::query::{self, LIST_PARAMETERS};
use crate::http::server::response;
use crate::source::catalog::MAX_NAMES;
use crate::source::catalog::layout::Releases;
use ordinate_model::answer::AvailableIntervals;
use ordinate_model::artifact::Training;
use ordinate_model::identity::Version;
use ordinate_model::scalar::Scalar;
use ordinate_model::signature::Signature;
use ordinate_model::task::Task;
use ordinate_model::wording::shorten;

/// The names of a page without the parameter `limit`.
const DEFAULT_LIMIT: usize = 100;

/// The description of a model, without its coefficients.
#[derive(Serialize)]
struct Description<'a> {
    name: &'a str,
    version: &'a str,
    default: bool,
    task: Task,
    #[serde(skip_serializing_if = "Option::is_none")]
    classes: Option<&'a [Scalar]>,
    /// The probability from which the second of two classes is predicted, if it is not the more probable class.
    #[serde(skip_serializing_if = "Option::is_none")]
    threshold: Option<f64>,
    signature: &'a Signature,
    typical: IndexMap<&'a str, Scalar>,
    examples: Vec<IndexMap<&'a str, Scalar>>,
    /// How intervals, or prediction sets, are made; `null` of a model that has none.
    intervals: Option<AvailableIntervals>,
    training: &'a Training,
    created: &'a str,
    sha256: &'a str,
    limits: RequestLimits,
}

#[derive(Serialize)]
struct Listed {
    name: String,
    default: bool,
}

#[derive(Serialize)]
struct List {
    models: Vec<Listed>,
    /// The `after` of the next page, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// The parameters of the list.
struct Page {
    /// The `next` of the page before.
    after: Option<String>,
    limit: usize,
}

impl Page {
    fn from_query(query: &str) -> Result<Self, ApiError> {
        let [after, limit] = LIST_PARAMETERS;
        let (mut start, mut most) = (None, None);
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            if key == after {
                query::put(&mut start, &key, value.into_owned())?;
            } else if key == limit {
                let parsed = value.parse().ok().filter(|limit| (1..=MAX_NAMES).contains(limit));
                let parsed = parsed.ok_or_else(|| {
                    let detail = format!(
                        "URL parameter {key:?}: expected a whole number from 1 to {MAX_NAMES}, got {:?}",
                        shorten(&value)
                    );
                    ApiError::new(ErrorCode::InvalidOption, detail)
                })?;
                query::put(&mut most, &key, parsed)?;
            } else {
                return Err(query::unknown(&key, LIST_PARAMETERS));
            }
        }
        Ok(Self { after: start.filter(|after| !after.is_empty()), limit: most.unwrap_or(DEFAULT_LIMIT) })
    }
}

#[derive(Serialize)]
struct ReleaseList<'a> {
    name: &'a str,
    versions: Vec<String>,
    /// The version that each alias points to.
    aliases: &'a IndexMap<String, Version>,
    /// The aliases whose files are damaged.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    damaged: &'a [String],
}

#[derive(Serialize)]
struct RequestLimits {
    max_rows: usize,
    max_body_bytes: usize,
}

/// `GET /models`: the names, in pages. Loads no model.
pub(crate) async fn list(State(application): App, uri: Uri) -> Result<Response, ApiError> {
    let Page { after, limit } = Page::from_query(uri.query().unwrap_or_default())?;
    let page = application.catalog.names(after.as_deref(), limit).await?;
    let default = application.catalog.known_default().await;
    let is_default = |name: &str| default.as_ref().is_some_and(|default| default.as_str() == name);
    let models = page.names.into_iter().map(|name| Listed { default: is_default(&name), name }).collect();
    response::respond(&List { models, next: page.next })
}

/// `GET /models/{name}/versions`
pub(crate) async fn versions(State(application): App, uri: Uri, path: ModelPath) -> Result<Response, ApiError> {
    query::expect_none(&uri)?;
    let name = path.name().unwrap_or_default();
    let Releases { versions, aliases, damaged } = application.catalog.releases(name).await?;
    let versions = versions.into_iter().map(String::from).collect();
    response::respond(&ReleaseList { name, versions, aliases: &aliases, damaged: &damaged })
}

/// `GET /models/{name}[/versions/{version}]`
pub(crate) async fn show(State(application): App, uri: Uri, path: ModelPath) -> Result<Response, ApiError> {
    query::expect_none(&uri)?;
    let model = path.load(&application).await?;
    let default = application.catalog.known_default().await;
    let document = model.document();
    response::respond(&Description {
        name: model.name(),
        version: model.version(),
        default: default.is_some_and(|default| default.as_str() == model.name()),
        task: document.task,
        classes: model.classes(),
        threshold: model.threshold(),
        signature: model.signature(),
        typical: model.typical(),
        examples: model.examples(),
        intervals: model.available_intervals(),
        training: &document.training,
        created: &document.created,
        sha256: model.checksum(),
        limits: RequestLimits {
            max_rows: application.limits.max_rows,
            max_body_bytes: application.limits.max_body_bytes,
        },
    })
}
