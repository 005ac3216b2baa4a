//! What a model is. Knows nothing of HTTP, S3 or training.

mod answer;
pub mod artifact;
pub mod cell;
pub mod conformal;
pub mod double_double;
pub mod estimator;
mod examples;
pub mod explanation;
pub mod fault;
pub mod field;
pub mod frame;
pub mod identity;
pub mod inference;
pub mod interval;
pub mod leverage;
pub mod number;
pub mod preprocess;
mod pretty_json;
pub mod quantile;
pub mod random;
pub mod scalar;
pub mod signature;
pub mod task;
mod typical;
mod unknown_category;
pub mod warning;
pub mod wording;

pub use answer::{Answer, AnswerError, PredictError, PredictedRow, Prediction, Predictor, Probabilities, Wanted};
use artifact::{ArtifactError, Document};
use estimator::Estimator;
use preprocess::Design;
use scalar::Scalar;
use signature::Signature;
use task::Task;

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
}

/// What a file leaves out.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
