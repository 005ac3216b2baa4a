//! The service: an HTTP API for predictions, which runs as a function on AWS Lambda.
//!
//! A request passes through these modules, in this order:
//!
//! | module | task |
//! |---|---|
//! | [`http::server`] | Lambda events, paths, bodies, limits, errors, log lines |
//! | `http::protocols` | one folder per protocol: its routes, requests, responses and `OpenAPI` entries |
//! | [`source`] | fetches a model from the program, a file or S3, and loads it once |
//! | `http::decode` | JSON, CSV, JSON Lines and tensors to a [`Frame`], rows that fit the model's signature |
//! | [`ordinate_model`] | computes the [`Answer`]: predictions, intervals, explanations, warnings |
//! | `http::protocols` | encodes the answer |
//!
//! [`config`] reads the environment and [`telemetry`] sets up the log, once per process. `http::docs` serves the
//! `OpenAPI` document and its reader, `http::page` the page in `web/`. The binary is `bin/api.rs`.
//!
//! Crates that the function does not need are next to it: `crates/table` reads tables, `crates/train` trains models,
//! `crates/server` serves this API on a socket, `crates/cli` is the command line. `docs/ARCHITECTURE.md` has the map of
//! all of them.
//!
//! [`Frame`]: ordinate_model::frame::Frame
//! [`Answer`]: ordinate_model::Answer

pub mod config;
pub mod emf;
pub mod http;
pub mod source;
pub mod telemetry;
