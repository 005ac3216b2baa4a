//! The method of conjugate gradients, for linear systems whose matrix is known by its products with vectors (Golub and
//! Van Loan, *Matrix Computations*, 4th edition, §11.5).

use super::error::SolveError;
use super::qr::dot;

/// An approximate solution of a linear system.
pub(super) struct SystemSolution {
    pub(super) solution: Vec<f64>,
    /// Whether the residual is small enough.
    pub(super) is_solved: bool,
    /// Products with the matrix.
    pub(super) products: u32,
}

/// Solves `H d = −g` until the residual is this fraction of the first, in the norm of the preconditioner, or `most`
/// products with H were computed.
///
/// # Errors
/// Those of `product`.
pub(super) fn conjugate_gradients(
    gradient: &[f64],
    accuracy: f64,
    most: u32,
    product: impl Fn(&[f64]) -> Result<Vec<f64>, SolveError>,
    precondition: impl Fn(&[f64]) -> Vec<f64>,
) -> Result<SystemSolution, SolveError> {
    let mut solution = vec![0.0; gradient.len()];
    let mut residual: Vec<f64> = gradient.iter().map(|value| -value).collect();
    let mut preconditioned = precondition(&residual);
    let mut direction = preconditioned.clone();
    let mut square = dot(&residual, &preconditioned);
    let enough = accuracy * accuracy * square;
    for used in 1..=most {
        let image = product(&direction)?;
        let curvature = dot(&direction, &image);
        if curvature <= 0.0 || curvature.is_nan() {
            let solution = if used == 1 { direction } else { solution };
            return Ok(SystemSolution { solution, is_solved: false, products: used });
        }
        let length = square / curvature;
        add(&mut solution, length, &direction);
        add(&mut residual, -length, &image);
        preconditioned = precondition(&residual);
        let next = dot(&residual, &preconditioned);
        if next <= enough || next.is_nan() {
            return Ok(SystemSolution { solution, is_solved: true, products: used });
        }
        let factor = next / square;
        direction.iter_mut().zip(&preconditioned).for_each(|(value, new)| *value = factor.mul_add(*value, *new));
        square = next;
    }
    Ok(SystemSolution { solution, is_solved: false, products: most })
}

/// `to += factor · other`
fn add(to: &mut [f64], factor: f64, other: &[f64]) {
    to.iter_mut().zip(other).for_each(|(value, other)| *value = factor.mul_add(*other, *value));
}
