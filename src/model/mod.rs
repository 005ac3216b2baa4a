//! What a model is. Knows nothing of HTTP, S3 or training.

pub mod artifact;
pub mod estimator;
pub mod fault;
pub mod frame;
pub mod identity;
pub mod inference;
pub mod number;
pub mod preprocess;
mod readable;
pub mod signature;

use thiserror::Error;

use artifact::{ArtifactError, Document};
use estimator::Estimator;
use frame::Frame;
use preprocess::Design;
use signature::Signature;

/// A model that has proven itself: its parts fit each other, and it reproduces its golden rows.
#[derive(Debug)]
pub struct Model {
    document: Document,
    design: Design,
    estimator: Estimator,
}

/// What a model says to a frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// One value a row, in row order, each finite; in the target's unit.
    pub y: Vec<f64>,
}

/// Why a frame cannot be predicted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PredictError {
    /// The values of a row are so large that the answer exceeds a double.
    #[error("the prediction is too large for a double")]
    NotFinite {
        /// The row, from 0.
        row: usize,
    },
    /// The frame was held against another model's signature.
    #[error("the frame belongs to another model")]
    ForeignFrame,
    /// smartcore refused a design whose shape is proven: our fault.
    #[error("the estimator failed")]
    Estimator,
}

impl Model {
    /// Reads a model file and proves it: format, checksum, consistency, golden rows.
    ///
    /// # Errors
    /// See [`ArtifactError`].
    pub fn from_json(bytes: &[u8]) -> Result<Self, ArtifactError> {
        let model = Self::assemble(Document::from_json(bytes)?)?;
        artifact::check_golden(&model)?;
        Ok(model)
    }

    fn assemble(document: Document) -> Result<Self, ArtifactError> {
        let design = Design::new(&document.preprocess, &document.signature);
        let design = design.map_err(ArtifactError::Inconsistent)?;
        let estimator = Estimator::new(&document.estimator, &document.preprocess);
        let estimator = estimator.map_err(ArtifactError::Inconsistent)?;
        if let Some(inference) = &document.inference {
            let columns = document.preprocess.columns.len();
            inference.check(columns).map_err(ArtifactError::Inconsistent)?;
        }
        Ok(Self { document, design, estimator })
    }

    /// The name callers use.
    #[must_use]
    pub fn name(&self) -> &str {
        self.document.name.as_str()
    }

    /// Its version.
    #[must_use]
    pub fn version(&self) -> &str {
        self.document.version.as_str()
    }

    /// The SHA-256 of its content, 64 hexadecimal digits.
    #[must_use]
    pub fn checksum(&self) -> &str {
        self.document.sha256.as_ref().map_or("", |sum| sum.as_str())
    }

    /// What it asks for.
    #[must_use]
    pub fn signature(&self) -> &Signature {
        &self.document.signature
    }

    /// All that its file says.
    #[must_use]
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// Predicts every row of a frame that was held against this model's signature.
    ///
    /// # Errors
    /// See [`PredictError`].
    pub fn predict(&self, frame: &Frame<'_>) -> Result<Prediction, PredictError> {
        if !std::ptr::eq(frame.signature(), self.signature()) {
            return Err(PredictError::ForeignFrame);
        }
        let design = self.design.matrix(frame).ok_or(PredictError::Estimator)?;
        let y = self.estimator.predict(&design).ok_or(PredictError::Estimator)?;
        match y.iter().position(|value| !value.is_finite()) {
            Some(row) => Err(PredictError::NotFinite { row }),
            None => Ok(Prediction { y }),
        }
    }
}
