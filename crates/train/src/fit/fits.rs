//! The fits of a plan, whatever the estimator.

use crate::EstimatorKind;
use crate::solver::cross_validation::CrossValidationResult;
use crate::solver::glm::GlmFit;
use crate::solver::least_squares::LeastSquaresFit;
use crate::solver::leverage::WorkingInformation;
use crate::solver::logistic::LogisticFit;
use crate::solver::path::PenalisedFit;
use ordinate_model::family::Family;
use ordinate_table::Decision;

/// The two fits of a plan: to all rows, and to the rows that are not held out.
#[derive(Debug)]
pub(crate) struct Fits {
    /// To all rows: the model.
    pub(crate) whole: Fit,
    /// To the rows that are not held out: the fit that is evaluated. The same as `whole` without held-out rows.
    pub(crate) evaluated: Fit,
    /// The number of held-out rows.
    pub(crate) held_out: u64,
    /// The cross-validation that selected the regularization strength, if one did.
    pub(crate) cross_validation: Option<CrossValidationResult>,
    /// The decisions about columns.
    pub(crate) decisions: Vec<Decision>,
    /// Notes on the data of the fits, before those on the fits.
    pub(crate) notes: Vec<String>,
}

impl Fits {
    /// Whether the kept rows are separable, so that their fit without a penalty was stopped.
    pub(crate) fn evaluates_separation(&self) -> bool {
        let is_separated = |fit: &Fit| matches!(fit, Fit::Logistic(fit) if fit.separation.is_some());
        self.held_out > 0 && is_separated(&self.evaluated)
    }
}

/// One fit.
#[derive(Debug)]
pub(crate) enum Fit {
    LeastSquares(LeastSquaresFit),
    Penalised { estimator: EstimatorKind, fit: PenalisedFit },
    Logistic(LogisticFit),
    Glm(GlmFit),
}

impl Fit {
    pub(crate) fn estimator(&self) -> EstimatorKind {
        match self {
            Self::LeastSquares(_) => EstimatorKind::Linear,
            Self::Penalised { estimator, .. } => *estimator,
            Self::Logistic(_) => EstimatorKind::Logistic,
            Self::Glm(fit) => match fit.family {
                Family::Poisson => EstimatorKind::Poisson,
                Family::Gamma => EstimatorKind::Gamma,
            },
        }
    }

    /// The information about the coefficients of logistic regression of two classes without a penalty.
    pub(crate) fn working_information(&self) -> Option<&WorkingInformation> {
        if let Self::Logistic(fit) = self { fit.working.as_ref() } else { None }
    }

    /// The number of parameters of least squares, each of which uses one degree of freedom; `None` for other fits.
    pub(crate) fn least_squares_parameters(&self) -> Option<u64> {
        if let Self::LeastSquares(fit) = self { Some(fit.parameters()) } else { None }
    }
}
