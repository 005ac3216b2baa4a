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

use std::iter;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

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

/// Free ports on loopback, each given once in this process.
///
/// They are below the ports that the kernel gives to outgoing connections (from 32768 on, as IANA's dynamic ports from
/// 49152): one of those could take the port before its server, or a client that waits for the server could connect to
/// itself (the simultaneous open of RFC 9293, section 3.5).
pub fn free_ports<const COUNT: usize>() -> [u16; COUNT] {
    /// Processes that run at the same time start at different ports, mostly.
    static NEXT: LazyLock<AtomicU32> = LazyLock::new(|| AtomicU32::new(std::process::id().wrapping_mul(101)));
    let first = 10_000;
    let mut candidates = iter::repeat_with(|| first + NEXT.fetch_add(1, Ordering::Relaxed) % (32_768 - first))
        .map(|port| u16::try_from(port).unwrap())
        .filter(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok());
    [(); COUNT].map(|()| candidates.next().unwrap())
}
