//! Shared by the tests of all crates: model documents, files of the repository, free ports, and servers that stop with
//! the test. With the feature `service` also the service in process, an S3 server, and a proxy that injects network faults.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::missing_panics_doc)]
// Tests pass literals of `json!`.
#![allow(clippy::needless_pass_by_value)]

mod model_document;
mod server;

#[cfg(feature = "service")]
pub mod catalog_files;
#[cfg(feature = "service")]
pub mod in_process;
#[cfg(feature = "service")]
pub mod proxy;
#[cfg(feature = "service")]
pub mod s3_server;

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

pub use model_document::{ModelDocument, column, feature, line, people};
pub use server::Server;

/// The root of the repository.
pub fn root() -> &'static Path {
    let ancestors = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    ancestors.into_iter().find(|folder| folder.join("Cargo.lock").exists()).expect("this is a workspace")
}

/// The path of a tool that `make setup` installs into `.venv/`.
///
/// # Panics
/// If the tool is not installed.
pub fn tool(path: &str) -> PathBuf {
    let path = root().join(".venv").join(path);
    assert!(path.exists(), "{} is missing: run `make setup`", path.display());
    path
}

/// Different free ports on loopback.
pub fn free_ports<const COUNT: usize>() -> [u16; COUNT] {
    // All are bound before the first is released, so that they differ.
    let bound = [(); COUNT].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
    bound.each_ref().map(|listener| listener.local_addr().unwrap().port())
}
