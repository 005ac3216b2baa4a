//! Whether later data still come from the distribution that a model was trained on.
//!
//! | module       | subject                                                                        |
//! | ------------ | ------------------------------------------------------------------------------ |
//! | [`observed`] | counts of the rows of a table or of captured requests, in the bins of the model |
//! | [`captured`] | captured requests: the lines that the service writes                           |
//! | `records`    | a stream, split into objects and other lines                                   |
//! | `json_row`   | rows of JSON Lines                                                             |
//! | `errors`     | errors next to those of held-out rows                                          |
//! | `skipped`    | counts of lines, rows and values that cannot be used                           |
//! | [`report`]   | comparisons with the training data, and which of them are drift                |
//! | [`metrics`]  | the report as metrics of `CloudWatch`                                          |
//! | `page`       | the report as an HTML page                                                     |
//! | [`statistics`] | distances between distributions, and their probabilities                     |

// Rows are counted; a count that a double cannot represent exactly (2⁵³) is not reached.
#![allow(clippy::cast_precision_loss)]

pub mod captured;
mod errors;
mod json_row;
pub mod metrics;
pub mod observed;
mod page;
mod records;
pub mod report;
mod skipped;
pub mod statistics;

pub use observed::Observed;
pub use report::{DriftReport, Limits};
pub use skipped::Skipped;
