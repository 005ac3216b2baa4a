//! Metadata of the server and its models, from which clients build requests.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;

use super::super::labels::Labels;
use super::super::model_path::ModelPath;
use super::super::output::Output;
use crate::http::application::App;
use crate::http::decode::tensor::Datatype;
use crate::http::server::error::ApiError;
use crate::http::server::response;
use ordinate_model::Model;
use ordinate_model::answer::AvailableIntervals;
use ordinate_model::scalar::Scalar;
use ordinate_model::signature::{Feature, FeatureType};

/// Supported extensions, with Triton's names.
const EXTENSIONS: [&str; 5] =
    ["binary_tensor_data", "classification", "model_configuration", "model_repository", "statistics"];

/// `<framework>_<format>`, as the protocol requires.
const PLATFORM: &str = "ordinate_json";

/// The name of the single input tensor of a model whose features are all numeric; requests can use any name.
const ALL_FEATURES: &str = "X";

#[derive(Serialize)]
struct Server {
    name: &'static str,
    version: &'static str,
    extensions: [&'static str; 5],
}

#[derive(Serialize)]
struct Metadata<'m> {
    name: &'m str,
    versions: [&'m str; 1],
    platform: &'static str,
    inputs: Vec<Tensor<'m>>,
    outputs: Vec<Tensor<'m>>,
}

#[derive(Serialize)]
struct Tensor<'m> {
    name: &'m str,
    datatype: &'static str,
    /// −1 for any number of rows.
    shape: Vec<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<Parameters<'m>>,
}

#[derive(Serialize)]
struct Parameters<'m> {
    /// The classes, in the order of a row's values.
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<&'m [Scalar]>,
    /// The method of intervals or prediction sets, and the highest level.
    #[serde(flatten)]
    certainty: Option<AvailableIntervals>,
}

/// The part of Triton's `ModelConfig` that applies to this service.
#[derive(Serialize)]
struct Config<'m> {
    name: &'m str,
    platform: &'static str,
    backend: &'static str,
    /// 0: the shapes include the dimension of the rows.
    max_batch_size: u8,
    input: Vec<ConfigTensor<'m>>,
    output: Vec<ConfigTensor<'m>>,
}

#[derive(Serialize)]
struct ConfigTensor<'m> {
    name: &'m str,
    data_type: String,
    dims: Vec<i64>,
}

/// `GET /v2`
pub(crate) async fn server() -> Result<Response, ApiError> {
    response::respond(&Server {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        extensions: EXTENSIONS,
    })
}

/// `GET /v2/models/{model}[/versions/{version}]`
pub(crate) async fn model(State(application): App, path: ModelPath) -> Result<Response, ApiError> {
    let model = path.load(&application).await?;
    response::respond(&Metadata {
        name: model.name(),
        versions: [model.version()],
        platform: PLATFORM,
        inputs: inputs(&model),
        outputs: outputs(&model),
    })
}

/// `GET /v2/models/{model}[/versions/{version}]/config`
pub(crate) async fn config(State(application): App, path: ModelPath) -> Result<Response, ApiError> {
    let model = path.load(&application).await?;
    response::respond(&Config {
        name: model.name(),
        platform: PLATFORM,
        backend: env!("CARGO_PKG_NAME"),
        max_batch_size: 0,
        input: inputs(&model).into_iter().map(ConfigTensor::from).collect(),
        output: outputs(&model).into_iter().map(ConfigTensor::from).collect(),
    })
}

/// One tensor of all features if all are numeric, otherwise one tensor per feature. Requests can use either.
fn inputs(model: &Model) -> Vec<Tensor<'_>> {
    let features = model.signature().features();
    if features.iter().all(|feature| matches!(feature.kind, FeatureType::Double | FeatureType::Long)) {
        return vec![Tensor::new(ALL_FEATURES, Datatype::Fp64, &[features.len()])];
    }
    features.iter().map(|feature| Tensor::new(&feature.name, datatype(feature), &[1])).collect()
}

fn datatype(feature: &Feature) -> Datatype {
    match feature.kind {
        FeatureType::Double => Datatype::Fp64,
        FeatureType::Long => Datatype::Int64,
        FeatureType::Boolean => Datatype::Bool,
        FeatureType::String | FeatureType::Date => Datatype::Bytes,
    }
}

fn outputs(model: &Model) -> Vec<Tensor<'_>> {
    let classes = model.classes();
    let features = model.signature().width();
    let scores = model.base().len();
    let described = |output: &Output| {
        let (datatype, shape) = match output {
            Output::Predict => {
                (classes.map_or(Datatype::Fp64, |classes| Labels::from_classes(classes).datatype), vec![1])
            }
            Output::PredictProba => (Datatype::Fp64, vec![classes.map_or(0, <[_]>::len)]),
            Output::Explain if scores == 1 => (Datatype::Fp64, vec![features]),
            Output::Explain => (Datatype::Fp64, vec![scores, features]),
            Output::ExplainBase => (Datatype::Fp64, vec![scores]),
            Output::Interval { .. } | Output::MeanInterval { .. } => (Datatype::Fp64, vec![2]),
            Output::PredictionSets { .. } => (Datatype::Bool, vec![classes.map_or(0, <[_]>::len)]),
        };
        let labels = classes.filter(|_| matches!(output, Output::PredictProba | Output::PredictionSets { .. }));
        let certainty = match output {
            Output::MeanInterval { .. } => model.available_mean_intervals(),
            _ => model.available_intervals().filter(|_| output.level().is_some()),
        };
        let parameters = (labels.is_some() || certainty.is_some()).then_some(Parameters { labels, certainty });
        Tensor { parameters, ..Tensor::new(output.name(), datatype, &shape) }
    };
    Output::all(model).iter().map(described).collect()
}

impl<'m> Tensor<'m> {
    /// A tensor of any number of rows of this shape.
    fn new(name: &'m str, datatype: Datatype, row: &[usize]) -> Self {
        let row = row.iter().map(|size| i64::try_from(*size).unwrap_or(i64::MAX));
        Self { name, datatype: datatype.name(), shape: std::iter::once(-1).chain(row).collect(), parameters: None }
    }
}

impl<'m> From<Tensor<'m>> for ConfigTensor<'m> {
    fn from(Tensor { name, datatype, shape, .. }: Tensor<'m>) -> Self {
        // The only name that differs.
        let datatype = if datatype == Datatype::Bytes.name() { "STRING" } else { datatype };
        Self { name, data_type: format!("TYPE_{datatype}"), dims: shape }
    }
}
