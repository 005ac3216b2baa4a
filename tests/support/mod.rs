//! What tests need beside the crate. Each test binary uses its part.
#![allow(dead_code, unreachable_pub, reason = "each test binary has its own copy and uses its part")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

pub mod model_file;
pub mod proxy;
pub mod s3_server;
