//! The condition number, from the singular values of a triangular matrix.

use crate::solver::least_squares::LeastSquaresFit;
use crate::solver::qr::dot;

/// The most columns for which the condition number is computed: the time grows with the cube.
const MAX_COLUMNS: usize = 500;

/// The most sweeps of rotations; ten are usual.
const MAX_SWEEPS: usize = 60;

/// Largest ÷ smallest singular value of `[1 X]`, whose factor is `[√w √w·meanᵀ; 0 R]` with the total weight `w`, or
/// without an intercept of `X`, whose factor is `R`.
pub(super) fn condition_number(fit: &LeastSquaresFit, weight: f64) -> Option<f64> {
    let means = &fit.means;
    if means.len() > MAX_COLUMNS {
        return None;
    }
    let root = (!fit.through_origin).then(|| weight.sqrt());
    let first = root.map(|root| vec![root]).into_iter();
    let others = means
        .iter()
        .enumerate()
        .map(|(j, mean)| root.map(|root| root * mean).into_iter().chain(fit.triangle.column(j)).collect());
    let mut columns: Vec<Vec<f64>> = first.chain(others).collect();
    for column in &mut columns {
        column.resize(means.len() + 1, 0.0);
    }
    let values = singular_values(columns)?;
    let (smallest, largest) =
        values.iter().fold((f64::INFINITY, 0.0_f64), |(low, high), v| (low.min(*v), high.max(*v)));
    Some(largest / smallest).filter(|value| value.is_finite())
}

/// One-sided Jacobi: rotates pairs of columns until all are orthogonal. Their lengths are then the singular values,
/// each with a small relative error (Demmel and Veselić, 1992). None when a number is not finite.
fn singular_values(mut columns: Vec<Vec<f64>>) -> Option<Vec<f64>> {
    for _ in 0..MAX_SWEEPS {
        let mut rotated = false;
        for second in 1..columns.len() {
            let (before, from) = columns.split_at_mut(second);
            let Some(right) = from.first_mut() else { continue };
            for left in before {
                rotated |= rotate(left, right)?;
            }
        }
        if !rotated {
            return Some(columns.iter().map(|column| dot(column, column).sqrt()).collect());
        }
    }
    None
}

/// Makes two columns orthogonal, and returns whether they were not.
fn rotate(left: &mut [f64], right: &mut [f64]) -> Option<bool> {
    let (a, b, c) = (dot(left, left), dot(right, right), dot(left, right));
    if ![a, b, c].iter().all(|value| value.is_finite()) {
        return None;
    }
    if c.abs() <= f64::EPSILON * a.sqrt() * b.sqrt() {
        return Some(false);
    }
    let cotangent = (b - a) / (2.0 * c);
    let tangent = cotangent.signum() / (cotangent.abs() + libm::hypot(cotangent, 1.0));
    let cosine = 1.0 / libm::hypot(tangent, 1.0);
    let sine = cosine * tangent;
    for (left, right) in left.iter_mut().zip(right) {
        (*left, *right) = (cosine * *left - sine * *right, sine * *left + cosine * *right);
    }
    Some(true)
}
