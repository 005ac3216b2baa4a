//! The command line as a user runs it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod digits;
mod documentation;
mod evaluate;
mod files;
mod fits_of_any_table;
mod help;
mod inference;
mod inspect;
mod intervals;
mod log_link;
mod measures;
mod no_intercept;
mod outputs;
mod parquet;
mod predict;
mod predict_columns;
mod predict_errors;
mod predict_parquet;
mod preparation;
mod releases;
mod report;
mod serve;
mod serve_clients;
mod serve_container;
mod serve_http2;
mod serve_limits;
mod serve_models;
mod serve_stop;
mod serve_wire;
mod spaces;
mod support;
mod tables;
mod test_data;
mod train;
mod train_errors;
