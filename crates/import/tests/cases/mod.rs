//! The pipelines of `tests/states`: their objects as Python passes them, with scikit-learn's own predictions.
#![allow(dead_code)]

use std::fs;
use std::path::{Path, PathBuf};

use ordinate_import::{Draft, Facts, ImportError, Value, sklearn};
use ordinate_model::artifact::{Document, Golden};
use serde::Deserialize;

/// A fitted pipeline.
#[derive(Deserialize)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) estimator: serde_json::Value,
    pub(crate) facts: Facts,
    pub(crate) golden: Golden,
    /// A part of the message of a pipeline that is refused.
    pub(crate) error: Option<String>,
}

impl Case {
    pub(crate) fn draft(&self) -> Result<Draft, ImportError> {
        sklearn::draft(&Value::from_json(self.estimator.to_string().as_bytes())?, &self.facts)
    }

    pub(crate) fn import(&self) -> Result<Document, ImportError> {
        self.draft()?.seal(self.golden.clone())
    }
}

/// The files in a folder of `tests`, sorted.
pub(crate) fn paths(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

pub(crate) fn cases(file: &Path) -> Vec<Case> {
    serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
}
