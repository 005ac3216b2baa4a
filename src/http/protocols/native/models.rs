//! The list of models, and the description of a model.

use axum::extract::State;
use axum::response::Response;
use indexmap::IndexMap;
use serde::Serialize;

use crate::http::application::App;
use crate::http::protocols::model_path::ModelPath;
use crate::http::server::error::ApiError;
use crate::http::server::response;
use ordinate_model::Model;
use ordinate_model::answer::AvailableIntervals;
use ordinate_model::artifact::Training;
use ordinate_model::scalar::Scalar;
use ordinate_model::signature::Signature;
use ordinate_model::task::Task;

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
struct Summary<'a> {
    name: &'a str,
    version: &'a str,
    default: bool,
    task: Task,
}

#[derive(Serialize)]
struct List<'a> {
    models: Vec<Summary<'a>>,
}

#[derive(Serialize)]
struct RequestLimits {
    max_rows: usize,
    max_body_bytes: usize,
}

/// `GET /models`
pub(crate) async fn list(State(application): App) -> Result<Response, ApiError> {
    let models = application.catalog.models().await?;
    let default = application.catalog.default_model().await?;
    let summary = |model| {
        let model: &Model = model;
        let document = model.document();
        Summary {
            name: model.name(),
            version: model.version(),
            default: model.name() == default.name(),
            task: document.task,
        }
    };
    response::respond(&List { models: models.iter().map(|model| summary(model)).collect() })
}

/// `GET /models/{name}[/versions/{version}]`
pub(crate) async fn show(State(application): App, path: ModelPath) -> Result<Response, ApiError> {
    let model = path.load(&application).await?;
    let default = application.catalog.default_model().await;
    let document = model.document();
    response::respond(&Description {
        name: model.name(),
        version: model.version(),
        default: default.is_ok_and(|default| default.name() == model.name()),
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
