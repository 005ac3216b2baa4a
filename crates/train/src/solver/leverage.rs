//! The factor R of the standardised design, from which the model computes the leverage of a row.

use super::qr::UpperTriangle;
use ordinate_model::inference;

/// The most columns for which penalised and logistic fits store R: 125,250 numbers, 2.5 MB of the model file.
pub const MOST_COLUMNS: usize = inference::MAX_COLUMNS_FOR_R;

/// The factor for leverages.
#[derive(Debug, Clone, PartialEq)]
pub struct LeverageFactor {
    /// R with `RᵀR = ZᵀWZ + αI`, where `Z` is the standardised design and `W` the weights; α is the regularization
    /// strength of ridge, and 10⁻⁸ of the total weight for other estimators.
    pub triangle: UpperTriangle,
    /// Residual degrees of freedom of ridge: rows − 1 − the trace of the hat matrix, or rows − the trace without an
    /// intercept.
    pub degrees_of_freedom: Option<f64>,
}

/// The information about the coefficients of a fit without a penalty, by working weights: for the hat values of rows.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkingInformation {
    /// R with `RᵀR = (Z − c)ᵀW(Z − c)`, where `Z` is the standardised design.
    pub triangle: UpperTriangle,
    /// The mean c of each standardised column by the working weights; zeros without an intercept.
    pub center: Vec<f64>,
    /// The sum of the working weights.
    pub weight: f64,
}
