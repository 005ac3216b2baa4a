//! Send an X, get a y, over HTTPS.
//!
//! A request goes one way: event → [`http`] (bytes to a [`model::frame::Frame`] held against a signature) →
//! [`model::Model::predict`] → prediction → response.
//!
//! | module | what lives there | knows nothing of |
//! |---|---|---|
//! | [`model`] | what a model is: signature, frame, preprocessing, estimator, the file; intervals, explanations, warnings | HTTP, S3, training |
//! | [`source`] | where models come from: bundled, a file, S3; the catalog that loads each once | HTTP |
//! | [`http`] | how callers talk: routes, decoding, errors, Lambda events | S3 |
//! | `train` | how models are made (feature `train`, never in a Lambda binary) | HTTP, S3 |
//! | `cli` | one file a subcommand of `ordinate` (feature `train`) | |
//! | [`config`], [`telemetry`] | the environment, read once by the binaries; JSON logs | |

pub mod config;
pub mod http;
pub mod source;
pub mod telemetry;
