//! The protocols, one folder each, with routes, request and response types, and `OpenAPI` entries.

pub(crate) mod kserve_v1;
mod labels;
pub(crate) mod mcp;
pub(crate) mod mlflow;
mod model_path;
pub(crate) mod native;
pub(crate) mod open_inference;
mod output;
mod predicted;
pub(crate) mod prediction_request;
pub(crate) mod sagemaker;
mod shadow;
pub(crate) mod vertex;
