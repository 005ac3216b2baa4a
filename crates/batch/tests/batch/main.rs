//! The batch function with an S3 server and faults.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod drift;
mod events;
mod faults;
mod split;
mod support;
mod threads;
