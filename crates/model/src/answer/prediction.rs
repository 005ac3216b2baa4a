//! Predictions and probabilities, row by row.

use serde::{Serialize, Serializer};
use thiserror::Error;

use crate::artifact::Document;
use crate::preprocess::TargetTransform;
use crate::scalar::Scalar;

/// Predictions: one value or one class a row, in row order.
#[derive(Debug, Clone, PartialEq)]
pub enum Prediction<'m> {
    /// Finite values, in the target's unit.
    Values(Vec<f64>),
    /// Classes, as in the training data.
    Classes {
        /// All classes of the model.
        classes: &'m [Scalar],
        /// The position of each row's class among them.
        chosen: Vec<usize>,
    },
}

impl Prediction<'_> {
    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Values(values) => values.len(),
            Self::Classes { chosen, .. } => chosen.len(),
        }
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One value or label a row.
    pub fn scalars(&self) -> Box<dyn Iterator<Item = Scalar> + '_> {
        match self {
            Self::Values(values) => Box::new(values.iter().copied().map(Scalar::Number)),
            Self::Classes { classes, chosen } => {
                Box::new(chosen.iter().map(|class| classes.get(*class).cloned().unwrap_or(Scalar::Missing)))
            }
        }
    }
}

/// A list of numbers or of labels.
impl Serialize for Prediction<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Values(values) => values.serialize(serializer),
            Self::Classes { classes, chosen } => serializer.collect_seq(chosen.iter().map(|class| classes.get(*class))),
        }
    }
}

/// The position of each row's class: the second where its probability is at least the threshold. `probabilities`: rows × 2.
pub(super) fn by_threshold(probabilities: &[f64], threshold: f64) -> impl Iterator<Item = usize> {
    probabilities.iter().skip(1).step_by(2).map(move |second| usize::from(*second >= threshold))
}

/// The prediction for one row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PredictedRow<'a> {
    /// A value in the target's unit.
    Value(f64),
    /// A class.
    Class {
        /// Its position among the classes.
        class: usize,
        /// The probability of each class.
        probabilities: &'a [f64],
    },
}

/// The probability of each class in each row.
#[derive(Debug, Clone, PartialEq)]
pub struct Probabilities<'m> {
    /// The classes, in the order of the probabilities.
    pub classes: &'m [Scalar],
    pub(super) values: Vec<f64>,
}

impl Probabilities<'_> {
    /// One slice of `classes.len()` probabilities a row; they sum to one.
    pub fn rows(&self) -> impl Iterator<Item = &[f64]> {
        self.values.chunks_exact(self.classes.len().max(1))
    }
}

/// Why a frame cannot be predicted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PredictError {
    /// The prediction for a row exceeds the largest double.
    #[error("the prediction is too large for a double")]
    NotFinite {
        /// The row, from 0.
        row: usize,
    },
    /// The prediction of a logged target for a row is below the smallest normal double, because its predicted logarithm
    /// is far below zero.
    #[error("the prediction is too small for a double")]
    Vanishes {
        /// The row, from 0.
        row: usize,
    },
    /// The frame was built for another model's signature.
    #[error("the frame belongs to another model")]
    ForeignFrame,
    /// The explanation would have more numbers than any answer may have.
    #[error("the explanation would have {values} numbers, more than the limit of {limit}")]
    TooMuchToExplain {
        /// Rows × outputs × features.
        values: usize,
        /// The largest permitted number.
        limit: usize,
    },
    /// The caller stopped the computation.
    #[error("the computation was stopped")]
    Stopped,
    /// smartcore rejected a design whose shape was checked before: a bug.
    #[error("the estimator failed")]
    Estimator,
}

/// Transforms scores to the target's unit. The mean of a generalised linear model that is below the smallest normal
/// double is 0.
pub(super) fn values(mut scores: Vec<f64>, document: &Document) -> Result<Vec<f64>, PredictError> {
    let transform = document.scale();
    for score in &mut scores {
        *score = transform.undo(*score);
    }
    check_finite(&scores, 1)?;
    if document.estimator.glm_family().is_some() {
        scores.iter_mut().filter(|mean| !mean.is_normal()).for_each(|mean| *mean = 0.0);
        return Ok(scores);
    }
    let vanishes = |value: &f64| transform == TargetTransform::Log && !value.is_normal();
    match scores.iter().position(vanishes) {
        Some(row) => Err(PredictError::Vanishes { row }),
        None => Ok(scores),
    }
}

/// Rejects values that are not finite; there are `width` values a row.
pub(super) fn check_finite(values: &[f64], width: usize) -> Result<(), PredictError> {
    match values.iter().position(|value| !value.is_finite()) {
        Some(position) => Err(PredictError::NotFinite { row: position / width.max(1) }),
        None => Ok(()),
    }
}
