//! Unit standard errors of a least-squares fit: the standard errors for residuals of standard deviation 1.
//!
//! They are the square roots of the diagonal of `(XᵀWX)⁻¹`. Computed from `R`, each has a relative error of about ε ÷
//! the fraction of its column that is orthogonal to the others; `cross_products` computes them with all digits.

use super::length::length;
use super::qr::UpperTriangle;

/// Standard errors for residuals of standard deviation 1.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitErrors {
    /// The error of the intercept in the units of the data.
    pub intercept: f64,
    /// One for each feature.
    pub coefficients: Vec<f64>,
}

impl UnitErrors {
    /// From the factor R of columns with these means, of rows with this total weight.
    pub(crate) fn from_triangle(triangle: &UpperTriangle, means: &[f64], weight: f64) -> Self {
        let to_zero = length(&triangle.solve_transposed(means));
        Self { intercept: libm::hypot((1.0 / weight).sqrt(), to_zero), coefficients: inverse_row_lengths(triangle) }
    }
}

/// The length of each row of `R⁻¹`.
fn inverse_row_lengths(triangle: &UpperTriangle) -> Vec<f64> {
    triangle.inverse().iter().map(|row| length(row)).collect()
}
