//! The properties that the fuzz targets check for any bytes, in addition to the absence of panics.
//!
//! `tests/fuzz.rs` calls them with mutations of the files in `corpus/`, or with coverage guidance under libFuzzer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::missing_panics_doc)]

mod artifact;
mod catalog;
mod csv_body;
mod event;
mod import;
mod json_body;
mod npy;
mod service;
mod tensor;

use std::path::Path;

/// A fuzz target.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, and that of the folder of its corpus.
    pub name: &'static str,
    /// Panics if a property does not hold for these bytes. Returns whether they were accepted.
    pub check: fn(&[u8]) -> bool,
}

/// All of them.
pub const TARGETS: [Target; 9] = [
    Target { name: "artifact", check: artifact::check },
    Target { name: "json", check: json_body::check },
    Target { name: "csv", check: csv_body::check },
    Target { name: "tensor", check: tensor::check },
    Target { name: "npy", check: npy::check },
    Target { name: "uri", check: catalog::check_uri },
    Target { name: "event", check: event::check },
    Target { name: "alias", check: catalog::check_alias },
    Target { name: "import", check: import::check },
];

/// The files of a target's corpus, in the order of their names.
pub fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
    let mut files: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}
