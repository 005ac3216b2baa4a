//! The function on AWS Lambda: events, the Runtime Interface Emulator, models in S3, `make run`, `template.yaml`, and
//! the crates that the function consists of.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod catalog_service;
mod catalogs;
mod cold_start;
mod emulator;
mod events;
mod function;
mod graph;
mod place;
mod s3;
mod shadow;
mod sources;
mod template;
mod url;
mod watch;

/// Held for writing by the test that builds the function, and for reading by tests with time limits of a fraction of a
/// second: a build on all processors would exceed them.
static BUILD: tokio::sync::RwLock<()> = tokio::sync::RwLock::const_new(());
