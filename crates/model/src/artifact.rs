//! The model file: one JSON document of plain data. It has no code, and every member is checked before it is used.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use crate::distribution::TrainingDistribution;
use crate::estimator::Coefficients;
use crate::identity::{Checksum, ModelName, Version};
use crate::inference::Inference;
use crate::preprocess::{Preprocess, TargetTransform};
use crate::pretty_json;
use crate::scalar::Scalar;
use crate::signature::Signature;
use crate::task::Task;

/// The `format` of files that this version writes and reads.
pub const FORMAT: &str = "ordinate.model/1";

/// The most values (numbers, strings, members) of a file: as many as a 64 MiB file of 17-digit numbers has. Together
/// with [`MAX_CONTAINERS`] it limits the memory that parsing allocates, whatever the file contains.
const MAX_VALUES: usize = 4 << 20;

/// The most lists and objects of a file. Each costs hundreds of bytes, and a model of 20,000 columns has 100,000.
const MAX_CONTAINERS: usize = 1 << 17;

/// The content of a model file. An unknown member is an error and never ignored: it could be a transformation that this
/// version does not know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub struct Document {
    /// [`FORMAT`].
    pub format: String,
    /// The name that callers use.
    pub name: ModelName,
    /// The version, a whole number from 1.
    pub version: Version,
    /// The time of training: RFC 3339, UTC. Not part of the checksum.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub created: String,
    /// Regression or classification.
    pub task: Task,
    /// The features that a row must have, and the target.
    pub signature: Signature,
    /// The columns of the design matrix, made from the features.
    pub preprocess: Preprocess,
    /// The fitted estimator.
    pub estimator: Coefficients,
    /// The statistics that intervals and warnings need; absent where the estimator has none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub inference: Option<Inference>,
    /// Data, parameters and metrics of the training run.
    pub training: Training,
    /// The distribution of the training data; absent in an imported model, and in files of earlier versions.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub distribution: Option<TrainingDistribution>,
    /// Rows whose predictions every load must reproduce.
    pub golden: Golden,
    /// SHA-256 of the canonical form (RFC 8785) of everything except `created` and this.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sha256: Option<Checksum>,
}

/// The training run of a model. An imported model lacks the members that only the training program knows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub struct Training {
    /// The number of rows that the coefficients were fitted to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rows: Option<u64>,
    /// SHA-256 of the bytes of the training data.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub data_sha256: Option<Checksum>,
    /// The parameters of the run, by name.
    pub parameters: BTreeMap<String, Value>,
    /// The seed of the random split.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub seed: Option<u64>,
    /// Metrics by the rows they were measured on, then by name; their standard errors and baselines are further sets.
    pub metrics: IndexMap<String, IndexMap<String, f64>>,
    /// The prediction of a model without features: one number, or the frequencies of the classes. Empty if that is not known.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub baseline: Vec<f64>,
    /// Decisions about the data and the fit, and notes on them, one sentence each.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub notes: Vec<String>,
    /// The program and version that wrote the file.
    pub tool: String,
    /// The version of smartcore that made the golden predictions; absent if they are another program's.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub smartcore: Option<String>,
}

/// A few training rows with the model's predictions.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub struct Golden {
    /// Rows in positional order, before preprocessing.
    #[serde(rename = "X")]
    pub x: Vec<Vec<Scalar>>,
    /// One prediction a row.
    pub y: Vec<Scalar>,
    /// For a classifier, one probability a class, for each row.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub probabilities: Vec<Vec<f64>>,
}

/// Why a file is not a model.
#[derive(Debug, Error)]
pub enum ArtifactError {
    /// Not JSON, or not of this structure.
    #[error("not a model file: {0}")]
    Malformed(#[from] serde_json::Error),
    /// More values than a model file of 64 MiB can have.
    #[error("the file has more than {MAX_VALUES} values, or more than {MAX_CONTAINERS} lists and objects")]
    TooManyValues,
    /// A format of another version.
    #[error("format: expected {FORMAT:?}, got {found:?}\nhelp: use the version of ordinate that wrote the file")]
    UnsupportedFormat {
        /// The format in the file.
        found: String,
    },
    /// The content does not have the checksum in the file.
    #[error("sha256: expected {computed}, the checksum of the content, got {stated}; the file was changed or damaged")]
    ChecksumMismatch {
        /// The checksum in the file.
        stated: String,
        /// The checksum of the content.
        computed: Checksum,
    },
    /// Parts that do not fit each other.
    #[error("inconsistent model file: {0}")]
    Inconsistent(String),
    /// A golden row with another prediction than in the file.
    #[error(
        "golden row {row}: expected {expected}, got {got}; this build predicts differently from the one that trained \
         the model"
    )]
    GoldenMismatch {
        /// The row, from 0.
        row: usize,
        /// The prediction in the file.
        expected: String,
        /// The prediction of this build.
        got: String,
    },
    /// Golden rows that cannot be predicted.
    #[error("the golden rows cannot be predicted: {0}")]
    GoldenRefused(String),
}

impl Training {
    /// The program that wrote the file: `ordinate 0.1.0, smartcore 0.7.0`.
    #[must_use]
    pub fn made_by(&self) -> String {
        match &self.smartcore {
            Some(smartcore) => format!("{}, smartcore {smartcore}", self.tool),
            None => self.tool.clone(),
        }
    }

    /// Checks that the baseline is one finite number, or one frequency a class.
    pub(crate) fn check_baseline(&self, estimator: &Coefficients) -> Result<(), String> {
        let fits = match estimator.classes() {
            _ if self.baseline.is_empty() => true,
            Some(classes) => {
                self.baseline.len() == classes.len() && self.baseline.iter().all(|p| (0.0..=1.0).contains(p))
            }
            None => self.baseline.len() == 1 && self.baseline.iter().all(|value| value.is_finite()),
        };
        let expected = "training.baseline: expected one finite number, or for each class a frequency from 0 to 1";
        if fits { Ok(()) } else { Err(expected.to_owned()) }
    }
}

/// The one member that every version of the format has.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct FormatOnly {
    format: String,
}

impl Document {
    /// How scores become values in the target's unit: by the inverse of the target's transformation, or of the log link
    /// of a generalised linear model.
    #[must_use]
    pub fn scale(&self) -> TargetTransform {
        if self.estimator.glm_family().is_some() { TargetTransform::Log } else { self.preprocess.target_transform }
    }

    /// Reads a file and checks format, members and checksum, but predicts nothing. Bytes that are owned are dropped as
    /// soon as they are parsed.
    ///
    /// # Errors
    /// See [`ArtifactError`].
    pub fn from_json(bytes: impl AsRef<[u8]>) -> Result<Self, ArtifactError> {
        let document = Self::parse(bytes.as_ref())?;
        drop(bytes);
        document.verified()
    }

    fn parse(bytes: &[u8]) -> Result<Self, ArtifactError> {
        let (values, containers) = bytes.iter().fold((0, 0), |(values, containers), byte| match byte {
            b',' => (values + 1, containers),
            b'[' | b'{' => (values + 1, containers + 1),
            _ => (values, containers),
        });
        if values > MAX_VALUES || containers > MAX_CONTAINERS {
            return Err(ArtifactError::TooManyValues);
        }
        serde_json::from_slice(bytes).map_err(|error| match serde_json::from_slice::<FormatOnly>(bytes) {
            Ok(FormatOnly { format }) if format != FORMAT => ArtifactError::UnsupportedFormat { found: format },
            _ => ArtifactError::Malformed(error),
        })
    }

    fn verified(mut self) -> Result<Self, ArtifactError> {
        if self.format != FORMAT {
            return Err(ArtifactError::UnsupportedFormat { found: self.format });
        }
        if !may_be_rfc3339(&self.created) {
            return Err(ArtifactError::Inconsistent("created: expected an RFC 3339 date and time".into()));
        }
        let computed = self.checksum()?;
        if self.sha256.as_ref() != Some(&computed) {
            let stated = self.sha256.map_or_else(|| "none".into(), |sum| sum.to_string());
            return Err(ArtifactError::ChecksumMismatch { stated, computed });
        }
        Ok(self)
    }

    /// The same model as another version, with the checksum of that.
    ///
    /// # Errors
    /// [`ArtifactError::Malformed`] when a number is not finite.
    pub fn with_version(mut self, version: Version) -> Result<Self, ArtifactError> {
        self.version = version;
        self.sha256 = Some(self.checksum()?);
        Ok(self)
    }

    /// The text of the file: one member a line, one row of numbers a line, a newline at the end.
    ///
    /// # Errors
    /// [`ArtifactError::Malformed`] when a number is not finite.
    pub fn to_json(&self) -> Result<String, ArtifactError> {
        Ok(pretty_json::to_string(self)?)
    }
}

/// Whether a text has the characters and the length of a date such as `2026-11-23T14:00:00Z`, with an optional fraction
/// or offset. The checksum does not cover it.
fn may_be_rfc3339(created: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'-' | b':' | b'.' | b'+' | b'T' | b'Z');
    (20..=35).contains(&created.len()) && created.bytes().all(plain)
}

#[cfg(test)]
mod tests;
