//! Send an X, get a y, over HTTPS: the service.
//!
//! A request goes one way: event → [`http::server`] → `http::decode` (bytes to an [`ordinate_model::frame::Frame`] held against a
//! signature) → [`ordinate_model::Model::predict`] → the protocol's encoder → response.
//!
//! | module or crate | what lives there | imports of ours |
//! |---|---|---|
//! | [`ordinate_model`] (`crates/model`) | what a model is: signature, frame, preprocessing, estimator, the file; intervals, explanations, warnings | nothing |
//! | [`source`] | where models come from: bundled, a file, S3; the catalog that loads each once | the model |
//! | [`http`] | how callers talk: server, decode, protocols, docs | the model, the catalog |
//! | [`config`], [`telemetry`] | the environment, read once by the binaries; JSON logs | |
//! | `crates/table`, `crates/train` | CSV and Parquet files; how models are made | the model |
//! | `crates/server`, `crates/cli` | the plain HTTP server; the command line `ordinate` | the service; all of them |

pub mod config;
pub mod http;
pub mod source;
pub mod telemetry;
