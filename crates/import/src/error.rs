//! Why a fitted model cannot be imported.

use ordinate_model::artifact::ArtifactError;
use thiserror::Error;

/// Why a fitted model cannot be imported.
#[derive(Debug, Error)]
pub enum ImportError {
    /// A step that the model file cannot express.
    #[error("{step}: {reason}\nhelp: {help}")]
    Step {
        /// The step as in `set_params`, and its class: `step "columns__number__scale" (StandardScaler)`.
        step: String,
        /// The reason: the part that a model file cannot express.
        reason: String,
        /// The advice.
        help: String,
    },
    /// A step that is not fitted.
    #[error(
        "{step}: it is not fitted: it has no attribute {attribute}\n\
         help: fit the whole estimator, with all of its steps, before the import"
    )]
    Unfitted {
        /// The step, as in [`ImportError::Step`].
        step: String,
        /// The attribute that a fitted step has.
        attribute: String,
    },
    /// A feature that is used in two ways.
    #[error("feature {feature:?}: {reason}\nhelp: {help}")]
    Feature {
        /// The name of the feature.
        feature: String,
        /// The reason: the part that a model file cannot express.
        reason: String,
        /// The advice.
        help: String,
    },
    /// Coefficients of several steps whose products are not finite.
    #[error(
        "the coefficients of the model, multiplied out over the steps, are not finite\n\
         help: fit it again, to features and a target of similar size, for example after StandardScaler"
    )]
    NotFinite,
    /// The parts do not make a model, or it predicts otherwise than the library.
    #[error(transparent)]
    Model(#[from] ArtifactError),
    /// A text that is not the JSON form of a value.
    #[error("not the objects of a fitted model: {0}")]
    Malformed(String),
}
