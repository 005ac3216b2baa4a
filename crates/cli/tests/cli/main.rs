//! The command line as a user runs it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod command_line;
mod commands;
mod digits;
mod documentation;
mod files;
mod intervals;
mod no_intercept;
mod outputs;
mod parquet;
mod preparation;
mod report;
mod serve;
mod serve_models;
mod spaces;
mod tables;
mod test_data;
mod train;
