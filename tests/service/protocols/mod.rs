//! The protocols of other prediction servers.

mod decisions;
mod kserve_v1;
mod mcp;
mod mlflow;
mod open_inference;
mod recorded_requests;
mod sagemaker;
mod verdicts;
