//! What tests need beside the crate. Each test binary uses its part.
#![allow(dead_code, reason = "each test binary uses its part")]

pub mod model_file;
pub mod proxy;
pub mod s3_server;
