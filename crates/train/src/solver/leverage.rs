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
