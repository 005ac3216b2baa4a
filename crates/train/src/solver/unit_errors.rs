//! Unit standard errors of a least-squares fit: the standard errors for residuals of standard deviation 1.
//!
//! They are the square roots of the diagonal of `(XᵀWX)⁻¹`. Computed from `R`, each has a relative error of about ε ÷ the
//! fraction of its column that is orthogonal to the others; `cross_products` computes them with all digits.

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
        Self { intercept: (1.0 / weight).sqrt().hypot(to_zero), coefficients: inverse_row_lengths(triangle) }
    }
}

/// The length of each row of `R⁻¹`, from its columns: `R v = eᵢ`.
fn inverse_row_lengths(triangle: &UpperTriangle) -> Vec<f64> {
    let columns = triangle.columns();
    let mut lengths = vec![0.0_f64; columns];
    for column in 0..columns {
        let mut unit = vec![0.0; column + 1];
        if let Some(last) = unit.last_mut() {
            *last = 1.0;
        }
        // The entries below the diagonal are zero.
        for (length, value) in lengths.iter_mut().zip(triangle.solve(&unit)) {
            *length = length.hypot(value);
        }
    }
    lengths
}

/// The Euclidean norm of a vector.
pub(crate) fn length(vector: &[f64]) -> f64 {
    vector.iter().fold(0.0, |length: f64, value| length.hypot(*value))
}
