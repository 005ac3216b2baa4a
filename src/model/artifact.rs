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
use super::scalar::Scalar;
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
    /// One of several classes.
    Classification,
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
    /// `golden_rows` are rows in positional order as callers would write them; at least one.
    ///
    /// # Errors
    /// [`ArtifactError::Inconsistent`] or [`ArtifactError::GoldenRefused`] when the parts do not make a model.
    pub fn seal(mut self, golden_rows: Vec<Vec<Scalar>>) -> Result<Self, ArtifactError> {
        FORMAT.clone_into(&mut self.format);
        self.golden.x = golden_rows;
        let model = Model::assemble(self)?;
        let (y, probabilities) = predict_golden(&model)?;
        let mut sealed = model.document;
        sealed.golden.y = y;
        sealed.golden.probabilities = probabilities;
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
    let (y, probabilities) = predict_golden(model)?;
    if (y.len(), probabilities.len()) != (golden.y.len(), golden.probabilities.len()) {
        return Err(ArtifactError::Inconsistent("golden: X, y and probabilities have different lengths".into()));
    }
    for (row, (expected, got)) in golden.y.iter().zip(&y).enumerate() {
        let same = match (expected, got) {
            (Scalar::Number(expected), Scalar::Number(got)) => reproduces(*expected, *got),
            // A number without a fraction may have been written so.
            (Scalar::Integer(_), Scalar::Number(got)) => expected.cell() == Cell::Double(*got),
            (expected, got) => expected == got,
        };
        if !same {
            let (expected, got) = (expected.to_string(), got.to_string());
            return Err(ArtifactError::GoldenMismatch { row, expected, got });
        }
    }
    for (row, (expected, got)) in golden.probabilities.iter().zip(&probabilities).enumerate() {
        let same = expected.len() == got.len() && expected.iter().zip(got).all(|(one, other)| reproduces(*one, *other));
        if !same {
            let (expected, got) = (format!("{expected:?}"), format!("{got:?}"));
            return Err(ArtifactError::GoldenMismatch { row, expected, got });
        }
    }
    Ok(())
}

fn reproduces(expected: f64, got: f64) -> bool {
    (got - expected).abs() <= GOLDEN_TOLERANCE * expected.abs().max(f64::MIN_POSITIVE)
}

/// Labels or values, and probabilities (none of a regressor), of the golden rows.
fn predict_golden(model: &Model) -> Result<(Vec<Scalar>, Vec<Vec<f64>>), ArtifactError> {
    let refused = |error: PredictError| ArtifactError::GoldenRefused(error.to_string());
    let frame = golden_frame(model.signature(), &model.document.golden.x).map_err(|faults| {
        let first = faults.told.first().map(|fault| fault.detail.clone());
        ArtifactError::GoldenRefused(first.unwrap_or_default())
    })?;
    let prediction = model.predict(&frame).map_err(refused)?;
    let probabilities = model.probabilities(&frame).map_err(refused)?;
    let by_row = probabilities.map(|all| all.rows().map(<[f64]>::to_vec).collect());
    Ok((prediction.scalars().collect(), by_row.unwrap_or_default()))
}

fn golden_frame<'s>(signature: &'s Signature, rows: &[Vec<Scalar>]) -> Result<Frame<'s>, Faults> {
    let mut builder = RowsBuilder::new(signature, rows.len());
    for row in rows {
        if builder.start_row().is_err() {
            break;
        }
        for scalar in row {
            builder.push(scalar.cell());
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
            "preprocess": {"columns": [{"name": "x", "product": [{"feature": "x"}], "mean": 2.5, "scale": 1.0}]},
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

    fn rows(x: &[f64]) -> Vec<Vec<Scalar>> {
        x.iter().map(|x| vec![Scalar::Number(*x)]).collect()
    }

    fn sealed() -> String {
        draft().seal(rows(&[1.0, 4.0])).unwrap().to_json().unwrap()
    }

    #[test]
    fn a_sealed_file_loads_and_says_what_it_said() {
        let model = Model::from_json(sealed().as_bytes()).unwrap();
        assert_eq!(model.document().golden.y, [Scalar::Number(3.0), Scalar::Number(9.0)]);
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
        let mut changed = draft().seal(rows(&[1.0])).unwrap();
        changed.golden.y = vec![Scalar::Number(3.000_001)];
        changed.sha256 = Some(changed.checksum().unwrap());
        let error = Model::from_json(changed.to_json().unwrap().as_bytes()).unwrap_err();
        assert!(matches!(error, ArtifactError::GoldenMismatch { row: 0, .. }), "{error}");
    }

    #[test]
    fn a_model_without_golden_rows_is_refused() {
        assert!(matches!(draft().seal(Vec::new()), Err(ArtifactError::GoldenRefused(_))));
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
            broken.map_err(ArtifactError::from).and_then(|draft| draft.seal(rows(&[1.0]))).unwrap_err().to_string()
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

    /// Columns `a` (mean 2, scale 2) and `b`; everything in between is by hand.
    fn draft_of(estimator: Value, task: &str) -> Document {
        let mut draft = serde_json::to_value(draft()).unwrap();
        draft["task"] = json!(task);
        draft["signature"]["features"] = json!([
            {"name": "a", "type": "double", "missing": "reject"},
            {"name": "b", "type": "boolean", "missing": "reject"},
        ]);
        draft["preprocess"]["columns"] = json!([
            {"name": "a", "product": [{"feature": "a"}], "mean": 2.0, "scale": 2.0},
            {"name": "b", "product": [{"feature": "b"}], "mean": 0.0, "scale": 1.0},
        ]);
        draft["estimator"] = estimator;
        draft.as_object_mut().unwrap().remove("inference");
        serde_json::from_value(draft).unwrap()
    }

    fn two_rows() -> Vec<Vec<Scalar>> {
        let row = |a, b| vec![Scalar::Number(a), Scalar::Boolean(b)];
        vec![row(4.0, false), row(0.0, true)]
    }

    #[test]
    fn every_family_of_regression_answers_through_smartcore() {
        for family in ["linear", "ridge", "lasso", "elastic-net"] {
            let estimator = json!({"family": family, "intercept": 10.0, "coefficients": {"b": -1.0, "a": 3.0}});
            let sealed = draft_of(estimator, "regression").seal(two_rows()).unwrap();
            assert_eq!(sealed.estimator.family(), family);
            assert_eq!(sealed.golden.y, [Scalar::Number(13.0), Scalar::Number(6.0)], "{family}");
            assert!(Model::from_json(sealed.to_json().unwrap().as_bytes()).is_ok(), "{family}");
        }
    }

    #[test]
    fn a_logged_target_is_answered_in_its_own_unit() {
        let estimator = json!({"family": "linear", "intercept": 0.0, "coefficients": {"a": 1.0, "b": 1.0}});
        let mut draft = draft_of(estimator, "regression");
        draft.preprocess.target_transform = crate::model::preprocess::TargetTransform::Log;
        let sealed = draft.seal(two_rows()).unwrap();
        assert_eq!(sealed.golden.y, [Scalar::Number(1.0_f64.exp()), Scalar::Number(1.0)]);
    }

    #[test]
    fn two_classes_have_one_score_and_more_have_one_each() {
        let two = json!({
            "family": "logistic", "classes": ["no", "yes"], "intercepts": [0.5], "coefficients": {"a": [2.0], "b": [0.0]},
        });
        let sealed = draft_of(two, "classification").seal(two_rows()).unwrap();
        assert_eq!(sealed.golden.y, [Scalar::Text("yes".into()), Scalar::Text("no".into())]);
        let second = 1.0 / (1.0 + (-2.5_f64).exp());
        assert!((sealed.golden.probabilities[0][1] - second).abs() < 1e-15);
        assert!((sealed.golden.probabilities[0].iter().sum::<f64>() - 1.0).abs() < 1e-15);

        let three = json!({
            "family": "logistic", "classes": [0, 1, 2], "intercepts": [0.0, 0.1, 0.2],
            "coefficients": {"a": [1.0, 0.0, -1.0], "b": [0.0, 0.0, 3.0]},
        });
        let sealed = draft_of(three, "classification").seal(two_rows()).unwrap();
        assert_eq!(sealed.golden.y, [Scalar::Integer(0), Scalar::Integer(2)]);
        let scores = [1.0_f64, 0.1, -0.8].map(f64::exp);
        let total: f64 = scores.iter().sum();
        for (got, score) in sealed.golden.probabilities[0].iter().zip(scores) {
            assert!((got - score / total).abs() < 1e-15);
        }
        let text = sealed.to_json().unwrap();
        assert_eq!(Model::from_json(text.as_bytes()).unwrap().document(), &sealed);
    }

    #[test]
    fn a_classifier_whose_parts_do_not_fit_is_refused() {
        let logistic = |classes: Value, intercepts: Value, a: Value| {
            let estimator = json!({
                "family": "logistic", "classes": classes, "intercepts": intercepts, "coefficients": {"a": a, "b": [0.0]},
            });
            draft_of(estimator, "classification").seal(two_rows())
        };
        assert!(logistic(json!(["no", "yes"]), json!([0.0]), json!([1.0])).is_ok());
        assert!(logistic(json!(["no"]), json!([0.0]), json!([1.0])).is_err());
        assert!(logistic(json!(["no", "no"]), json!([0.0]), json!([1.0])).is_err());
        assert!(logistic(json!(["no", null]), json!([0.0]), json!([1.0])).is_err());
        assert!(logistic(json!(["no", "yes", "maybe"]), json!([0.0]), json!([1.0])).is_err());
        assert!(logistic(json!(["no", "yes"]), json!([0.0]), json!([1.0, 2.0])).is_err());
        let regression = json!({"family": "linear", "intercept": 0.0, "coefficients": {"a": 1.0, "b": 1.0}});
        assert!(draft_of(regression, "classification").seal(two_rows()).is_err());
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
