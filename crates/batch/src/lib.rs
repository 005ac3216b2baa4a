//! Files and objects in S3 with the predictions of a model: the code of `ordinate predict`, `ordinate batch` and the
//! batch function.
//!
//! [`scoring`] predicts the rows of a table in batches, [`table_output`] writes them with the added [`columns`];
//! [`score()`](score::score) does both for any file, and [`run()`](run::run) does it once for each version of an input,
//! with all or nothing written to a [`store`].

pub mod columns;
pub mod csv_output;
pub mod cuts;
mod encoder;
pub mod error;
pub mod failure;
pub mod function;
pub mod identity;
pub mod inputs;
pub mod join;
mod json_lines;
pub mod kind;
pub mod output_file;
pub mod parquet_output;
pub mod rejected;
pub mod run;
pub mod s3;
pub mod score;
pub mod scoring;
pub mod skipped;
pub mod store;
pub mod table_output;
pub mod warning_column;
