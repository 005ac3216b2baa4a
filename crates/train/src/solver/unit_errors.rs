//! How far the numbers of a fit may be off for noise of standard deviation 1: standard errors before the noise is known.
//!
//! The squares are those of `(XᵀWX)⁻¹`. They follow from `R` but for the digits that its rounding costs: of each coefficient's, about
//! ε over the part of its column that is its own (`scatter` has them all).

use super::least_squares::LeastSquares;

/// Standard errors for noise of standard deviation 1.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitErrors {
    /// Of the target where every column is zero.
    pub intercept: f64,
    /// One a feature.
    pub coefficients: Vec<f64>,
}

impl UnitErrors {
    /// From the triangle of a fit to rows of this weight.
    pub(crate) fn of_triangle(fit: &LeastSquares, weight: f64) -> Self {
        let to_zero = length(&fit.triangle.solve_transposed(&fit.means));
        Self { intercept: (1.0 / weight).sqrt().hypot(to_zero), coefficients: inverse_row_lengths(fit) }
    }
}

/// The length of each row of `R⁻¹`, from its columns: `R v = eᵢ`.
fn inverse_row_lengths(fit: &LeastSquares) -> Vec<f64> {
    let columns = fit.means.len();
    let mut lengths = vec![0.0_f64; columns];
    for column in 0..columns {
        let mut unit = vec![0.0; column + 1];
        if let Some(last) = unit.last_mut() {
            *last = 1.0;
        }
        // Below its diagonal the column of an upper triangle is zero.
        for (length, value) in lengths.iter_mut().zip(fit.triangle.leading(column + 1).solve(&unit)) {
            *length = length.hypot(value);
        }
    }
    lengths
}

/// Of a vector.
pub(crate) fn length(vector: &[f64]) -> f64 {
    vector.iter().fold(0.0, |length: f64, value| length.hypot(*value))
}
