//! The model file: one JSON document of plain data. Nothing in it runs, and nothing in it is believed before it is checked.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use super::estimator::Coefficients;
use super::fault::Faults;
use super::frame::{Cell, Frame, RowsBuilder};
use super::identity::{Checksum, ModelName, Version};
use super::inference::Inference;
use super::preprocess::Preprocess;
use super::readable;
use super::signature::Signature;
use super::{Model, PredictError};

/// What `format` says in files this version writes and reads.
pub const FORMAT: &str = "ordinate.model/1";

/// The most values (numbers, strings, members) a file may hold: what a 64 MiB file of 17-digit numbers can. It bounds what
/// parsing allocates, whatever the file looks like.
const MAX_VALUES: usize = 4 << 20;

/// A golden row must be reproduced to this relative accuracy.
const GOLDEN_TOLERANCE: f64 = 1e-9;

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

/// What kind of answer the model gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Task {
    /// A number.
    Regression,
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
    pub y: Vec<f64>,
}

/// One value of a golden row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    /// `true` or `false`.
    Boolean(bool),
    /// A number.
    Number(f64),
    /// A missing value.
    Missing,
}

/// Why a file is not a model.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ArtifactError {
    /// Not JSON, or not this document.
    #[error("not a model file: {0}")]
    Malformed(#[from] serde_json::Error),
    /// More values than any model of the permitted size has.
    #[error("the file holds more than {MAX_VALUES} values")]
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
        expected: f64,
        /// What this build gives.
        got: f64,
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
        let values = bytes.iter().filter(|byte| matches!(byte, b',' | b'[' | b'{')).count();
        if values > MAX_VALUES {
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
        Ok(readable::to_string(self)?)
    }

    /// Makes a draft into a model file: golden predictions from the real estimator, then the checksum.
    ///
    /// `golden_rows` are rows in positional order, before preprocessing; at least one.
    ///
    /// # Errors
    /// [`ArtifactError::Inconsistent`] or [`ArtifactError::GoldenRefused`] when the parts do not make a model.
    pub fn seal(mut self, golden_rows: &[Vec<f64>]) -> Result<Self, ArtifactError> {
        let scalars = |row: &Vec<f64>| row.iter().copied().map(Scalar::Number).collect();
        FORMAT.clone_into(&mut self.format);
        self.golden.x = golden_rows.iter().map(scalars).collect();
        self.golden.y.clear();
        let model = Model::assemble(self)?;
        let y = predict_golden(&model, &model.document.golden.x)?;
        let mut sealed = model.document;
        sealed.golden.y = y;
        sealed.sha256 = Some(sealed.checksum()?);
        Ok(sealed)
    }

    /// SHA-256 of the canonical form without `created` and `sha256`.
    fn checksum(&mut self) -> Result<Checksum, ArtifactError> {
        let created = std::mem::take(&mut self.created);
        let sha256 = self.sha256.take();
        let canonical = serde_json_canonicalizer::to_vec(self);
        self.created = created;
        self.sha256 = sha256;
        Ok(Checksum::of(&canonical?))
    }
}

/// Predicts the golden rows and holds the answers against the file's.
pub(super) fn check_golden(model: &Model) -> Result<(), ArtifactError> {
    let golden = &model.document.golden;
    let got = predict_golden(model, &golden.x)?;
    if got.len() != golden.y.len() {
        return Err(ArtifactError::Inconsistent("golden: X and y have different lengths".into()));
    }
    for (row, (&expected, &got)) in golden.y.iter().zip(&got).enumerate() {
        if (got - expected).abs() > GOLDEN_TOLERANCE * expected.abs().max(f64::MIN_POSITIVE) {
            return Err(ArtifactError::GoldenMismatch { row, expected, got });
        }
    }
    Ok(())
}

fn predict_golden(model: &Model, rows: &[Vec<Scalar>]) -> Result<Vec<f64>, ArtifactError> {
    let frame = golden_frame(model.signature(), rows).map_err(|faults| {
        let first = faults.told.first().map(|fault| fault.detail.clone());
        ArtifactError::GoldenRefused(first.unwrap_or_default())
    })?;
    let prediction =
        model.predict(&frame).map_err(|error: PredictError| ArtifactError::GoldenRefused(error.to_string()))?;
    Ok(prediction.y)
}

fn golden_frame<'s>(signature: &'s Signature, rows: &[Vec<Scalar>]) -> Result<Frame<'s>, Faults> {
    let mut builder = RowsBuilder::new(signature, rows.len());
    for row in rows {
        if builder.start_row().is_err() {
            break;
        }
        for scalar in row {
            builder.push(match scalar {
                Scalar::Boolean(value) => Cell::Boolean(*value),
                Scalar::Number(value) => Cell::Double(*value),
                Scalar::Missing => Cell::Missing,
            });
        }
        builder.end_positional_row();
    }
    builder.finish()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::model::Model;

    fn draft() -> Document {
        let draft = json!({
            "format": FORMAT, "name": "line", "version": "1", "created": "2026-11-23T00:00:00Z", "task": "regression",
            "signature": {
                "features": [{"name": "x", "type": "double", "missing": "reject", "range": [1.0, 4.0]}],
                "target": {"name": "y", "type": "double"},
            },
            "preprocess": {"columns": [{"name": "x", "feature": "x", "mean": 2.5, "scale": 1.0}]},
            "estimator": {"family": "linear", "intercept": 6.0, "coefficients": {"x": 2.0}},
            "inference": {"degrees_of_freedom": 2, "residual_variance": 0.0, "r": [[2.5]]},
            "training": {
                "rows": 4, "data_sha256": "0".repeat(64), "parameters": {"estimator": "linear"}, "seed": 0,
                "metrics": {}, "tool": "ordinate 0.1.0", "smartcore": "0.7.0",
            },
            "golden": {"X": [], "y": []},
        });
        serde_json::from_value(draft).unwrap()
    }

    fn sealed() -> String {
        draft().seal(&[vec![1.0], vec![4.0]]).unwrap().to_json().unwrap()
    }

    #[test]
    fn a_sealed_file_loads_and_says_what_it_said() {
        let model = Model::from_json(sealed().as_bytes()).unwrap();
        assert_eq!(model.document().golden.y, [3.0, 9.0]);
        assert_eq!(model.document().to_json().unwrap(), sealed());
    }

    #[test]
    fn the_checksum_covers_the_content_and_neither_layout_nor_date() {
        let text = sealed();
        let value: Value = serde_json::from_str(&text).unwrap();
        let other_layout = serde_json::to_string(&value).unwrap();
        let other_date = text.replace("2026-11-23", "2031-01-01");
        for same in [other_layout, other_date] {
            assert!(Model::from_json(same.as_bytes()).is_ok());
        }
        let changed = text.replace("\"name\": \"line\"", "\"name\": \"lime\"");
        let error = Model::from_json(changed.as_bytes()).unwrap_err();
        assert!(matches!(error, ArtifactError::ChecksumMismatch { .. }), "{error}");
    }

    #[test]
    fn a_model_that_answers_otherwise_than_its_golden_rows_is_refused() {
        let mut changed = draft().seal(&[vec![1.0]]).unwrap();
        changed.golden.y = vec![3.000_001];
        changed.sha256 = Some(changed.checksum().unwrap());
        let error = Model::from_json(changed.to_json().unwrap().as_bytes()).unwrap_err();
        assert!(matches!(error, ArtifactError::GoldenMismatch { row: 0, .. }), "{error}");
    }

    #[test]
    fn a_model_without_golden_rows_is_refused() {
        assert!(matches!(draft().seal(&[]), Err(ArtifactError::GoldenRefused(_))));
    }

    #[test]
    fn a_format_of_another_major_is_refused_by_name() {
        for text in [sealed().replace(FORMAT, "ordinate.model/2"), r#"{"format":"ordinate.model/2"}"#.into()] {
            let error = Model::from_json(text.as_bytes()).unwrap_err();
            assert!(error.to_string().contains("ordinate.model/2"), "{error}");
        }
    }

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        let break_it = |from: &str, to: &str| {
            let text = serde_json::to_string(&draft()).unwrap();
            assert!(text.contains(from), "{from}");
            let broken: Result<Document, _> = serde_json::from_str(&text.replace(from, to));
            broken.map_err(ArtifactError::from).and_then(|draft| draft.seal(&[vec![1.0]])).unwrap_err().to_string()
        };
        assert!(
            break_it(r#""coefficients":{"x":2.0}"#, r#""coefficients":{}"#).contains("0 coefficients for 1 columns")
        );
        assert!(break_it(r#""coefficients":{"x":2.0}"#, r#""coefficients":{"z":2.0}"#).contains("\"x\""));
        assert!(break_it(r#""feature":"x""#, r#""feature":"z""#).contains("unknown feature"));
        assert!(break_it(r#""scale":1.0"#, r#""scale":0.0"#).contains("mean and scale"));
        assert!(break_it(r#""r":[[2.5]]"#, r#""r":[[1.0,2.0]]"#).contains("upper triangle"));
        assert!(break_it(r#""family":"linear""#, r#""family":"forest""#).contains("forest"));
        assert!(break_it(r#""mean":2.5"#, r#""mean":2.5,"median":2.0"#).contains("median"));
    }

    #[test]
    fn hostile_files_end_in_an_error() {
        let deep = "[".repeat(100_000);
        let many = format!("[{}0]", "0,".repeat(MAX_VALUES + 1));
        for hostile in ["", "{", "null", "[]", "NaN", &deep, &many] {
            assert!(Model::from_json(hostile.as_bytes()).is_err());
        }
        assert!(Model::from_json(b"\xff\xfe").is_err());
        assert!(Model::from_json(sealed().replace("2.5", "1e999").as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn a_damaged_file_never_panics_and_never_answers_wrongly(position: prop::sample::Index, byte: u8) {
            let mut bytes = sealed().into_bytes();
            let position = position.index(bytes.len());
            bytes[position] = byte;
            if let Ok(model) = Model::from_json(&bytes) {
                // Layout or date: everything the checksum covers is what it was.
                let original = Model::from_json(sealed().as_bytes()).unwrap();
                prop_assert_eq!(model.checksum(), original.checksum());
            }
        }
    }
}
