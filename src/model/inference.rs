//! What intervals and explanations need beside the coefficients.

use serde::{Deserialize, Serialize};

/// The state of a least-squares fit: enough for standard errors, intervals and leverages without the data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inference {
    /// Rows − columns − 1.
    pub degrees_of_freedom: u32,
    /// Residual sum of squares ÷ degrees of freedom, in the target's unit squared.
    pub residual_variance: f64,
    /// The upper-triangular R of the QR decomposition of the centred design, row by row: row i has columns − i numbers.
    pub r: Vec<Vec<f64>>,
}

impl Inference {
    /// Checks shape and finiteness for a design of this many columns.
    pub(super) fn check(&self, columns: usize) -> Result<(), String> {
        let triangular =
            self.r.len() == columns && self.r.iter().enumerate().all(|(row, values)| values.len() == columns - row);
        if !triangular {
            return Err(format!("inference: r is not an upper triangle of {columns} rows"));
        }
        let finite = self.r.iter().flatten().all(|value| value.is_finite());
        if !finite || !self.residual_variance.is_finite() || self.residual_variance < 0.0 {
            return Err("inference: a number is not usable".into());
        }
        Ok(())
    }
}
