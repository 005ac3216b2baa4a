//! Every protocol that clients of other servers speak, on the same application.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../support/mod.rs"]
mod support;

mod mlflow;
mod open_inference;
mod sagemaker;
mod tensorflow;
mod verdicts;
mod wire;

/// The first row of `model/diabetes.csv`.
const DIABETES: [f64; 10] = [59.0, 2.0, 32.1, 101.0, 157.0, 93.2, 38.0, 4.0, 4.8598, 87.0];
