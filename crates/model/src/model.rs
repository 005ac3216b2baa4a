//! A loaded model.

use crate::answer::LinearScore;
use crate::artifact::{ArtifactError, Document};
use crate::estimator::Estimator;
use crate::preprocess::{Design, TargetTransform};
use crate::scalar::Scalar;
use crate::signature::Signature;

/// A model whose parts fit each other. One that was read by [`Model::from_json`] also reproduces its golden rows.
#[derive(Debug)]
pub struct Model {
    pub(crate) document: Document,
    pub(crate) design: Design,
    pub(crate) estimator: Estimator,
    /// The score of a regression that needs no design.
    pub(crate) linear_score: Option<LinearScore>,
    /// Scores are divided by it before they become probabilities.
    pub(crate) temperature: f64,
    /// The probability from which the second of two classes is predicted, instead of the more probable class.
    pub(crate) threshold: Option<f64>,
    /// The scores at the means of all columns, divided by the temperature: one, or one a class for more than two.
    pub(crate) base: Vec<f64>,
    /// The sum of the leverages of the training rows.
    pub(crate) effective_parameters: f64,
}

impl Model {
    /// Puts the parts of a document together and checks that they fit each other; golden rows are not checked here.
    pub(crate) fn assemble(document: Document) -> Result<Self, ArtifactError> {
        let design = Design::new(&document.preprocess, &document.signature);
        let design = design.map_err(ArtifactError::Inconsistent)?;
        let estimator = Estimator::new(&document.estimator, &document.preprocess);
        let estimator = estimator.map_err(ArtifactError::Inconsistent)?;
        if document.task != document.estimator.task() {
            let (expected, got) = (document.estimator.task(), document.task);
            return Err(ArtifactError::Inconsistent(format!(
                "task: expected {expected} for this estimator, got {got}"
            )));
        }
        check_log_link(&document).map_err(ArtifactError::Inconsistent)?;
        let of_offset = document.preprocess.offset.iter().map(|offset| &offset.mean);
        let mut offsets = document.preprocess.columns.iter().map(|column| &column.mean).chain(of_offset);
        if document.preprocess.through_origin
            && offsets.by_ref().chain(document.estimator.intercepts()).any(|offset| *offset != 0.0)
        {
            let reason = "preprocess.through_origin: expected all means and intercepts to be 0";
            return Err(ArtifactError::Inconsistent(reason.into()));
        }
        let (rows, through_origin) = (document.training.rows.unwrap_or(0), document.preprocess.through_origin);
        let mut effective_parameters = 0.0;
        if let Some(inference) = &document.inference {
            let checked = inference.check(&document.estimator, document.preprocess.columns.len(), rows);
            checked.map_err(ArtifactError::Inconsistent)?;
            effective_parameters = inference.effective_parameters(rows, through_origin);
        }
        let temperature = document.inference.as_ref().and_then(|inference| inference.temperature).unwrap_or(1.0);
        let base = document.estimator.intercepts().iter().map(|score| score / temperature).collect();
        let threshold = document.inference.as_ref().and_then(|inference| inference.threshold);
        document.training.check_baseline(&document.estimator).map_err(ArtifactError::Inconsistent)?;
        if let Some(distribution) = &document.distribution {
            let checked = distribution.check(&document.signature, &document.estimator);
            checked.map_err(ArtifactError::Inconsistent)?;
        }
        let linear_score = LinearScore::new(&document, &design);
        Ok(Self { document, design, estimator, linear_score, temperature, threshold, base, effective_parameters })
    }

    /// The name that callers use.
    #[must_use]
    pub fn name(&self) -> &str {
        self.document.name.as_str()
    }

    /// The version, a whole number from 1.
    #[must_use]
    pub fn version(&self) -> &str {
        self.document.version.as_str()
    }

    /// The SHA-256 of the content, 64 hexadecimal digits.
    #[must_use]
    pub fn checksum(&self) -> &str {
        self.document.sha256.as_ref().map_or("", |sum| sum.as_str())
    }

    /// The features that a row must have, and the target.
    #[must_use]
    pub fn signature(&self) -> &Signature {
        &self.document.signature
    }

    /// The content of the model file.
    #[must_use]
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// The classes of a classifier.
    #[must_use]
    pub fn classes(&self) -> Option<&[Scalar]> {
        self.document.estimator.classes()
    }

    /// The probability from which the second of two classes is predicted, if the model has a threshold.
    #[must_use]
    pub fn threshold(&self) -> Option<f64> {
        self.threshold
    }

    /// The columns of the design matrix.
    #[must_use]
    pub fn design(&self) -> &Design {
        &self.design
    }

    /// The score at the means of all columns, to which contributions are added: one, or one a class for more than two.
    /// Without an intercept it is 0, the score where all columns are zero.
    #[must_use]
    pub fn base(&self) -> &[f64] {
        &self.base
    }
}

/// A log link and an offset belong to generalised linear models, whose target is not transformed.
fn check_log_link(document: &Document) -> Result<(), String> {
    let preprocess = &document.preprocess;
    let family = document.estimator.family();
    match document.estimator.glm_family() {
        None if preprocess.offset.is_some() => {
            Err(format!("preprocess.offset: expected a poisson or gamma estimator, got {family}"))
        }
        Some(_) if preprocess.target_transform != TargetTransform::Identity => {
            Err(format!("preprocess.target_transform: expected no transformation, because {family} has a log link"))
        }
        _ => Ok(()),
    }
}
