//! The model file: one JSON document of plain data. Nothing in it runs, and nothing in it is believed before it is checked.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use crate::estimator::Coefficients;
use crate::identity::{Checksum, ModelName, Version};
use crate::inference::Inference;
use crate::preprocess::Preprocess;
use crate::pretty_json;
use crate::scalar::Scalar;
use crate::signature::Signature;
use crate::task::Task;

/// What `format` says in files this version writes and reads.
pub const FORMAT: &str = "ordinate.model/1";

/// The most values (numbers, strings, members) a file may hold: what a 64 MiB file of 17-digit numbers can. Beside
/// [`MAX_CONTAINERS`] it bounds what parsing allocates, whatever the file looks like.
const MAX_VALUES: usize = 4 << 20;

/// The most lists and objects a file may hold. Each costs hundreds of bytes, and a model of 20,000 columns has 100,000.
const MAX_CONTAINERS: usize = 1 << 17;

/// The document, field by field as it stands in the file. An unknown field is refused, never ignored: it could be a
/// transformation that this version does not know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// [`FORMAT`].
    pub format: String,
    /// The name callers use.
    pub name: ModelName,
    /// Its version.
    pub version: Version,
    /// When it was trained: RFC 3339, UTC. Not part of the checksum.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub created: String,
    /// What it predicts.
    pub task: Task,
    /// What it asks for.
    pub signature: Signature,
    /// From features to the columns of the design.
    pub preprocess: Preprocess,
    /// The fitted estimator.
    pub estimator: Coefficients,
    /// For intervals and explanations; absent where the theory gives none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub inference: Option<Inference>,
    /// How it was made.
    pub training: Training,
    /// Rows that loading must reproduce.
    pub golden: Golden,
    /// SHA-256 of the canonical form (RFC 8785) of everything but `created` and this.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sha256: Option<Checksum>,
}

/// How a model was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Training {
    /// Rows the saved coefficients were fitted on.
    pub rows: u64,
    /// SHA-256 of the data's bytes.
    pub data_sha256: Checksum,
    /// The parameters of the run, by name.
    pub parameters: BTreeMap<String, Value>,
    /// What decided the split.
    pub seed: u64,
    /// Metrics by the rows they were measured on, then by name.
    pub metrics: IndexMap<String, IndexMap<String, f64>>,
    /// The tool and its version.
    pub tool: String,
    /// The version of smartcore that made the golden predictions.
    pub smartcore: String,
}

/// A few training rows and what the model says to them.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Golden {
    /// Rows in positional order, before preprocessing.
    #[serde(rename = "X")]
    pub x: Vec<Vec<Scalar>>,
    /// One prediction a row.
    pub y: Vec<Scalar>,
    /// Of a classifier: one probability a class, for each row.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub probabilities: Vec<Vec<f64>>,
}

/// Why a file is not a model.
#[derive(Debug, Error)]
pub enum ArtifactError {
    /// Not JSON, or not this document.
    #[error("not a model file: {0}")]
    Malformed(#[from] serde_json::Error),
    /// More values than any model of the permitted size has.
    #[error("the file holds more than {MAX_VALUES} values, or {MAX_CONTAINERS} lists and objects")]
    TooManyValues,
    /// A format that another version reads.
    #[error("the file's format is {found:?}; this version of ordinate reads {FORMAT:?}, use the version that wrote it")]
    UnsupportedFormat {
        /// What the file says.
        found: String,
    },
    /// The content is not what was sealed.
    #[error("the file says sha256 {stated}, its content has {computed}: it was changed or damaged")]
    ChecksumMismatch {
        /// What the file says.
        stated: String,
        /// What the content gives.
        computed: Checksum,
    },
    /// Parts that do not fit each other.
    #[error("the model contradicts itself: {0}")]
    Inconsistent(String),
    /// A golden row that comes out otherwise.
    #[error(
        "golden row {row} should give {expected}, gives {got}: this build would answer otherwise than the one that trained the model"
    )]
    GoldenMismatch {
        /// The row, from 0.
        row: usize,
        /// What the file says.
        expected: String,
        /// What this build gives.
        got: String,
    },
    /// A golden row that cannot be predicted.
    #[error("the golden rows cannot be predicted: {0}")]
    GoldenRefused(String),
}

/// Only the member that says which version reads the rest.
#[derive(Deserialize)]
struct Envelope {
    format: String,
}

impl Document {
    /// Reads a file and checks what can be checked without predicting: format, fields, checksum.
    ///
    /// # Errors
    /// See [`ArtifactError`].
    pub fn from_json(bytes: &[u8]) -> Result<Self, ArtifactError> {
        let (values, containers) = bytes.iter().fold((0, 0), |(values, containers), byte| match byte {
            b',' => (values + 1, containers),
            b'[' | b'{' => (values + 1, containers + 1),
            _ => (values, containers),
        });
        if values > MAX_VALUES || containers > MAX_CONTAINERS {
            return Err(ArtifactError::TooManyValues);
        }
        let mut document: Self = match serde_json::from_slice(bytes) {
            Ok(document) => document,
            Err(error) => {
                return Err(match serde_json::from_slice::<Envelope>(bytes) {
                    Ok(Envelope { format }) if format != FORMAT => ArtifactError::UnsupportedFormat { found: format },
                    _ => ArtifactError::Malformed(error),
                });
            }
        };
        if document.format != FORMAT {
            return Err(ArtifactError::UnsupportedFormat { found: document.format });
        }
        if !looks_like_a_date(&document.created) {
            return Err(ArtifactError::Inconsistent("created is not an RFC 3339 date and time".into()));
        }
        let computed = document.checksum()?;
        if document.sha256.as_ref() != Some(&computed) {
            let stated = document.sha256.map_or_else(|| "nothing".into(), |sum| sum.to_string());
            return Err(ArtifactError::ChecksumMismatch { stated, computed });
        }
        Ok(document)
    }

    /// The file's text: objects line by line, rows of numbers in one line, a newline at the end.
    ///
    /// # Errors
    /// [`ArtifactError::Malformed`] when a number is not finite.
    pub fn to_json(&self) -> Result<String, ArtifactError> {
        Ok(pretty_json::to_string(self)?)
    }

    /// SHA-256 of the canonical form without `created` and `sha256`.
    pub(crate) fn checksum(&mut self) -> Result<Checksum, ArtifactError> {
        let created = std::mem::take(&mut self.created);
        let sha256 = self.sha256.take();
        let canonical = serde_json_canonicalizer::to_vec(self);
        self.created = created;
        self.sha256 = sha256;
        Ok(Checksum::compute(&canonical?))
    }
}

/// It is not part of the checksum, so this is all that keeps it short and plain: `2026-11-23T14:00:00Z`, perhaps with a
/// fraction or an offset.
fn looks_like_a_date(created: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'-' | b':' | b'.' | b'+' | b'T' | b'Z');
    (20..=35).contains(&created.len()) && created.bytes().all(plain)
}

#[cfg(test)]
mod tests;
