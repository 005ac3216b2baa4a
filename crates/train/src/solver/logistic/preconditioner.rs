//! The inverse of the curvature where all probabilities are equal, which preconditions the solvers for many classes or
//! columns.

use super::super::qr::{UpperTriangle, dot};
use super::packed::packed_index;
use super::tiles::{Tiles, Vectors, padded};

/// The fraction of a curvature that is added until a preconditioner is positive definite.
const SLACK: [f64; 4] = [1e-13, 1e-10, 1e-7, 1e-4];

/// The inverse of the Hessian at zero, the same for each score.
#[derive(Debug)]
pub(super) struct Preconditioner {
    inverse: Tiles,
    size: usize,
}

impl Preconditioner {
    /// The inverse of `curvature · gram + penalty`; none when it is not positive definite.
    pub(super) fn new(gram: &[f64], size: usize, curvature: f64, penalty: f64) -> Option<Self> {
        let entry = |i: usize, j: usize| curvature * gram.get(packed_index(i, j, size)).copied().unwrap_or(0.0);
        let largest = (0..size).map(|i| entry(i, i)).fold(0.0, f64::max);
        let factor = SLACK.iter().find_map(|slack| {
            let diagonal = |i: usize| {
                let own = entry(i, i) + if i + 1 < size { penalty } else { 0.0 };
                // Without an intercept, its column is zero.
                if own == 0.0 { 1.0 } else { own + slack * largest }
            };
            let row = |i: usize| (i..size).map(|j| if i == j { diagonal(i) } else { entry(i, j) }).collect();
            UpperTriangle::cholesky((0..size).map(row).collect())
        })?;
        let columns = factor.inverse();
        // Row by row, without the last column, which is the constant of the tiles.
        let mut values = vec![0.0; size * size];
        for (i, row) in columns.iter().enumerate() {
            for (j, other) in columns.iter().enumerate().skip(i) {
                let both = dot(row.get(j - i..).unwrap_or_default(), other);
                for at in [i * size + j, j * size + i] {
                    if let Some(value) = values.get_mut(at) {
                        *value = both;
                    }
                }
            }
        }
        Some(Self { inverse: Tiles::new(&values, size, 0.0), size })
    }

    /// Multiplies the part of each score.
    pub(super) fn times(&self, vector: &[f64]) -> Vec<f64> {
        let parts: Vec<Vec<f64>> = vector.chunks(self.size).map(|part| [part, &[0.0]].concat()).collect();
        let products = self.inverse.times(&Vectors::new(parts.iter().map(Vec::as_slice)));
        let stride = padded(parts.len());
        let mut result = Vec::with_capacity(vector.len());
        for score in 0..parts.len() {
            let lanes = products.iter().skip(score).step_by(stride).flatten();
            result.extend(lanes.take(self.size));
        }
        result
    }
}
