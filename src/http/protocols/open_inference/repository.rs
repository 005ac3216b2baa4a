//! The index of models and the statistics of requests: Triton's extensions `model_repository` and `statistics`.

use std::time::UNIX_EPOCH;

use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::super::model_path::ModelPath;
use crate::http::application::{App, MAX_DESCRIBED};
use crate::http::server::error::{ApiError, ErrorCode};
use crate::http::server::response;
use crate::http::server::statistics::{Counts, Times};
use crate::source::catalog::MAX_NAMES;
use ordinate_model::Model;

/// A model of the index. Its version is known when it is loaded.
#[derive(Serialize)]
struct Indexed {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    state: &'static str,
    reason: &'static str,
}

/// The body of a request for the index.
#[derive(Default, Deserialize)]
#[serde(expecting = "an object")]
struct IndexRequest {
    /// Whether only loaded models are listed.
    #[serde(default)]
    ready: bool,
}

#[derive(Serialize)]
struct Statistics<'a> {
    model_stats: Vec<ModelStatistics<'a>>,
}

#[derive(Serialize)]
struct ModelStatistics<'a> {
    name: &'a str,
    version: &'a str,
    /// Milliseconds since 1970; 0 if there was no request.
    last_inference: u64,
    /// Predicted rows.
    inference_count: u64,
    /// Successful requests.
    execution_count: u64,
    inference_stats: InferenceStatistics,
    /// Statistics by batch size, which are not collected.
    batch_stats: [u8; 0],
}

#[derive(Serialize)]
struct InferenceStatistics {
    success: Total,
    fail: Total,
    queue: Total,
    compute_input: Total,
    compute_infer: Total,
    compute_output: Total,
    cache_hit: Total,
    cache_miss: Total,
}

/// A number of requests and their total duration.
#[derive(Default, Serialize)]
struct Total {
    count: u64,
    ns: u64,
}

/// `POST /v2/repository/index`
pub(crate) async fn index(State(application): App, body: Bytes) -> Result<Response, ApiError> {
    // A client may send no body; members other than `ready` have no meaning.
    let IndexRequest { ready } = serde_json::from_slice(&body).unwrap_or_default();
    let described = application.catalog.models(MAX_DESCRIBED).await?;
    let loaded = application.catalog.loaded();
    let others = loaded.iter().filter(|model| !described.iter().any(|known| known.checksum() == model.checksum()));
    let mut indexed: Vec<_> = described.iter().chain(others).map(|model| Indexed::loaded(model)).collect();
    if !ready {
        let names = application.catalog.names(None, MAX_NAMES).await?.names;
        let is_loaded = |name: &String| indexed.iter().any(|model| model.name == *name);
        let others: Vec<_> = names.into_iter().filter(|name| !is_loaded(name)).map(Indexed::not_loaded).collect();
        indexed.extend(others);
    }
    response::respond(&indexed)
}

impl Indexed {
    fn loaded(model: &Model) -> Self {
        let version = Some(model.version().to_owned());
        Self { name: model.name().to_owned(), version, state: "READY", reason: "" }
    }

    fn not_loaded(name: String) -> Self {
        Self { name, version: None, state: "UNAVAILABLE", reason: "loaded at its first request" }
    }
}

/// `POST /v2/repository/models/{model}/load` and `…/unload`
pub(crate) async fn not_supported() -> ApiError {
    let detail = "clients cannot load or unload models: the deployment defines the models, and each is loaded at its first \
                  request";
    ApiError::new(ErrorCode::NotSupported, detail)
}

/// `GET /v2/models/stats`
pub(crate) async fn all_statistics(State(application): App) -> Result<Response, ApiError> {
    let models = application.catalog.loaded();
    let model_stats =
        models.iter().map(|model| ModelStatistics::new(model, &application.statistics.get(model))).collect();
    response::respond(&Statistics { model_stats })
}

/// `GET /v2/models/{model}[/versions/{version}]/stats`
pub(crate) async fn statistics(State(application): App, path: ModelPath) -> Result<Response, ApiError> {
    let model = path.load(&application).await?;
    response::respond(&Statistics {
        model_stats: vec![ModelStatistics::new(&model, &application.statistics.get(&model))],
    })
}

impl<'a> ModelStatistics<'a> {
    fn new(model: &'a Model, counts: &Counts) -> Self {
        let since_1970 = counts.last.and_then(|last| last.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
        let stage = |name: &str| {
            let duration = counts.stages.get(name).copied().unwrap_or_default();
            Total::from(Times { count: counts.success.count, duration })
        };
        Self {
            name: model.name(),
            version: model.version(),
            last_inference: u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX),
            inference_count: counts.rows,
            execution_count: counts.success.count,
            inference_stats: InferenceStatistics {
                success: counts.success.into(),
                fail: counts.fail.into(),
                // Requests wait only for their model.
                queue: stage("load"),
                compute_input: stage("decode"),
                compute_infer: stage("predict"),
                compute_output: stage("encode"),
                cache_hit: Total::default(),
                cache_miss: Total::default(),
            },
            batch_stats: [],
        }
    }
}

impl From<Times> for Total {
    fn from(Times { count, duration }: Times) -> Self {
        Self { count, ns: u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX) }
    }
}
