//! What a model is. Knows nothing of HTTP, S3 or training.

pub mod artifact;
pub mod conformal;
pub(crate) mod double_double;
pub mod estimator;
mod examples;
pub mod explanation;
pub mod fault;
pub mod field;
pub mod frame;
pub mod identity;
pub mod inference;
pub mod interval;
pub(crate) mod leverage;
pub mod number;
pub mod preprocess;
pub(crate) mod quantile;
pub(crate) mod random;
mod readable;
pub mod scalar;
pub mod signature;
mod typical;
mod unseen;
pub mod warning;

use serde::{Serialize, Serializer};
use smartcore::linalg::basic::matrix::DenseMatrix;
use thiserror::Error;

use artifact::{ArtifactError, Document, Task};
use estimator::{Answer, Estimator};
use frame::Frame;
use preprocess::{Design, TargetTransform};
use scalar::Scalar;
use signature::Signature;

/// A model that has proven itself: its parts fit each other, and it reproduces its golden rows.
#[derive(Debug)]
pub struct Model {
    document: Document,
    design: Design,
    estimator: Estimator,
    /// What scores are divided by before they become probabilities.
    temperature: f64,
    /// The scores at the means of all columns, so divided.
    base: Vec<f64>,
    /// What the leverages of the training rows sum to.
    parameters: f64,
}

/// What a model says to a frame: one value or one class a row, in row order.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Prediction<'m> {
    /// Finite values, in the target's unit.
    Values(Vec<f64>),
    /// Classes, as they stood in the training data.
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

    /// One answer a row, as callers get it.
    pub fn scalars(&self) -> Box<dyn Iterator<Item = Scalar> + '_> {
        match self {
            Self::Values(values) => Box::new(values.iter().copied().map(Scalar::Number)),
            Self::Classes { classes, chosen } => {
                Box::new(chosen.iter().map(|class| classes.get(*class).cloned().unwrap_or(Scalar::Missing)))
            }
        }
    }
}

/// As callers get it: a list of numbers or of labels.
impl Serialize for Prediction<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Values(values) => values.serialize(serializer),
            Self::Classes { classes, chosen } => serializer.collect_seq(chosen.iter().map(|class| classes.get(*class))),
        }
    }
}

/// The probability of each class in each row.
#[derive(Debug, Clone, PartialEq)]
pub struct Probabilities<'m> {
    /// The classes, in the order of the probabilities.
    pub classes: &'m [Scalar],
    values: Vec<f64>,
}

impl Probabilities<'_> {
    /// One slice of `classes.len()` probabilities a row; they sum to one.
    pub fn rows(&self) -> impl Iterator<Item = &[f64]> {
        self.values.chunks_exact(self.classes.len().max(1))
    }
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
    /// The logarithm that is predicted for a row is that of a number nearer to zero than doubles with all their digits.
    #[error("the prediction is too small for a double")]
    Vanishes {
        /// The row, from 0.
        row: usize,
    },
    /// The frame was held against another model's signature.
    #[error("the frame belongs to another model")]
    ForeignFrame,
    /// More contributions than any answer holds.
    #[error("an explanation of {values} numbers is more than {limit}: ask for fewer rows at once")]
    TooMuchToExplain {
        /// Rows × outputs × features.
        values: usize,
        /// The most there may be.
        limit: usize,
    },
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
        if (document.task == Task::Classification) != document.estimator.classes().is_some() {
            return Err(ArtifactError::Inconsistent("the task is not what the estimator does".into()));
        }
        let mut offsets = document.preprocess.columns.iter().map(|column| &column.mean);
        if document.preprocess.through_origin
            && offsets.by_ref().chain(document.estimator.intercepts()).any(|offset| *offset != 0.0)
        {
            let reason = "a fit through the origin has a mean or an intercept that is not zero";
            return Err(ArtifactError::Inconsistent(reason.into()));
        }
        if let Some(inference) = &document.inference {
            inference.check(&document).map_err(ArtifactError::Inconsistent)?;
        }
        let temperature = document.inference.as_ref().and_then(|inference| inference.temperature).unwrap_or(1.0);
        let base = document.estimator.intercepts().iter().map(|score| score / temperature).collect();
        let parameters = leverage::parameters(&document);
        Ok(Self { document, design, estimator, temperature, base, parameters })
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

    /// The classes, of a classifier.
    #[must_use]
    pub fn classes(&self) -> Option<&[Scalar]> {
        self.document.estimator.classes()
    }

    /// The columns its estimator sees, for whoever needs them row by row.
    #[must_use]
    pub fn design(&self) -> &Design {
        &self.design
    }

    /// Predicts every row of a frame that was held against this model's signature.
    ///
    /// # Errors
    /// See [`PredictError`].
    pub fn predict(&self, frame: &Frame<'_>) -> Result<Prediction<'_>, PredictError> {
        match self.classes() {
            None => self.values(frame).map(Prediction::Values),
            Some(classes) => Ok(Prediction::Classes { classes, chosen: self.chosen(frame)? }),
        }
    }

    fn values(&self, frame: &Frame<'_>) -> Result<Vec<f64>, PredictError> {
        let transform = self.document.preprocess.target_transform;
        let mut values = Vec::with_capacity(frame.rows());
        for block in self.blocks(frame)? {
            match self.estimator.predict(&block?).ok_or(PredictError::Estimator)? {
                Answer::Values(block) => values.extend(block.into_iter().map(|value| transform.undo(value))),
                Answer::Classes(_) => return Err(PredictError::Estimator),
            }
        }
        finite(&values, 1, 0)?;
        let vanishes = |value: &f64| transform == TargetTransform::Log && !value.is_normal();
        match values.iter().position(vanishes) {
            Some(row) => Err(PredictError::Vanishes { row }),
            None => Ok(values),
        }
    }

    fn chosen(&self, frame: &Frame<'_>) -> Result<Vec<usize>, PredictError> {
        let classes = self.classes().map_or(1, <[Scalar]>::len);
        let mut chosen = Vec::with_capacity(frame.rows());
        for block in self.blocks(frame)? {
            let block = block?;
            // A class follows from scores; where those are not finite, it would be anybody's guess.
            let probabilities =
                self.estimator.probabilities(&block, self.temperature).ok_or(PredictError::Estimator)?;
            finite(&probabilities, classes, chosen.len())?;
            match self.estimator.predict(&block).ok_or(PredictError::Estimator)? {
                Answer::Classes(block) => chosen.extend(block),
                Answer::Values(_) => return Err(PredictError::Estimator),
            }
        }
        Ok(chosen)
    }

    /// The probability of every class in every row; `None` of a model that predicts numbers.
    ///
    /// # Errors
    /// See [`PredictError`].
    pub fn probabilities(&self, frame: &Frame<'_>) -> Result<Option<Probabilities<'_>>, PredictError> {
        let Some(classes) = self.classes() else { return Ok(None) };
        let mut values = Vec::with_capacity(frame.rows() * classes.len());
        for block in self.blocks(frame)? {
            values.extend(self.estimator.probabilities(&block?, self.temperature).ok_or(PredictError::Estimator)?);
        }
        finite(&values, classes.len(), 0)?;
        Ok(Some(Probabilities { classes, values }))
    }

    fn blocks<'a>(
        &'a self,
        frame: &'a Frame<'_>,
    ) -> Result<impl Iterator<Item = Result<DenseMatrix<f64>, PredictError>> + 'a, PredictError> {
        self.own(frame)?;
        Ok(self.design.blocks(frame).map(|block| block.ok_or(PredictError::Estimator)))
    }

    /// Makes sure that a frame was held against this model's signature.
    fn own(&self, frame: &Frame<'_>) -> Result<(), PredictError> {
        if std::ptr::eq(frame.signature(), self.signature()) { Ok(()) } else { Err(PredictError::ForeignFrame) }
    }
}

/// What a file leaves out.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Refuses what is not finite; the values are those of rows from this one on, so many a row.
fn finite(values: &[f64], width: usize, first_row: usize) -> Result<(), PredictError> {
    match values.iter().position(|value| !value.is_finite()) {
        Some(position) => Err(PredictError::NotFinite { row: first_row + position / width.max(1) }),
        None => Ok(()),
    }
}
