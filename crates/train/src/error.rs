//! Why there is no model.

use thiserror::Error;

use super::holdout::InvalidFraction;
use super::solver::cross_validation::ChooseError;
use super::solver::least_squares::LeastSquaresError;
use super::solver::logistic::LogisticError;
use ordinate_model::AnswerError;
use ordinate_model::artifact::ArtifactError;
use ordinate_table::{DataError, SpoolError};

/// Why there is no model.
#[derive(Debug, Error)]
pub enum TrainError {
    /// The data cannot be read, or do not suit what was asked.
    #[error(transparent)]
    Data(#[from] DataError),
    /// What is kept of the data for further passes cannot be written or read back.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// The rows cannot be split.
    #[error(transparent)]
    Split(#[from] InvalidFraction),
    /// The rows determine no coefficients.
    #[error("{data}: {source}")]
    Fit {
        /// The data.
        data: String,
        /// Why not.
        source: LeastSquaresError,
    },
    /// All rows together could be fitted, but not those left beside the held-out ones.
    #[error(
        "{data}: {source}. This is so once {held_out} rows are held out for testing: \
         try a smaller --test-fraction (0 holds nothing out) or another --seed"
    )]
    FitWithoutHeldOut {
        /// The data.
        data: String,
        /// Rows held out.
        held_out: u64,
        /// Why not.
        source: LeastSquaresError,
    },
    /// The classes cannot be learned to be told apart.
    #[error(transparent)]
    Logistic(#[from] LogisticError),
    /// No penalty can be chosen.
    #[error(transparent)]
    Choose(#[from] ChooseError),
    /// The model says nothing finite to its own training data.
    #[error("the model cannot predict its own training data: {0}. Rescale columns of extreme size")]
    Predict(#[from] AnswerError),
    /// The model says nothing finite to a row that it is to be measured on.
    #[error("{data}: a row cannot be predicted: {source}. Take out rows with values of extreme size")]
    PredictUnseen {
        /// The data.
        data: String,
        /// What it says.
        source: AnswerError,
    },
    /// The parts do not make a model file.
    #[error("no model file can be made of this fit: {0}. Rescale columns of extreme size")]
    Artifact(#[from] ArtifactError),
}
