//! What a model file needs to tell unusual rows: the R of the standardised design.

use super::qr::Triangle;
use ordinate_model::inference;

/// The most columns of which a penalised fit or one of classes keeps R: 125,250 numbers, two and a half megabytes of the file.
pub const MOST_COLUMNS: usize = inference::MAX_COLUMNS_FOR_R;

/// How far from the middle of the data rows are, as a fit measures it.
#[derive(Debug, Clone, PartialEq)]
pub struct Spread {
    /// R with `RᵀR = ZᵀWZ + αI`, `Z` being the standardised design, `W` the rows' weights and α the price of a ridge; of the others,
    /// a hundred-millionth of the weight of all rows.
    pub triangle: Triangle,
    /// Of ridge: rows − 1 − the trace of its hat matrix; without an intercept rows − the trace.
    pub degrees_of_freedom: Option<f64>,
}
