//! From a frame to the matrix that the estimator sees: the columns of the design, centred and scaled.

use serde::{Deserialize, Serialize};
use smartcore::linalg::basic::arrays::Array;
use smartcore::linalg::basic::matrix::DenseMatrix;

use super::frame::Frame;
use super::signature::Signature;

/// The columns of the design matrix, in the estimator's order.
///
/// Means and scales stay here and are never folded into the coefficients: at an offset of 1.7e12 (a time in milliseconds)
/// folding costs 1e-6 standard deviations, `(x − mean)·w` costs 4e-16.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preprocess {
    /// One column of the design each.
    pub columns: Vec<DesignColumn>,
}

/// One column of the design: `(feature − mean) / scale`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DesignColumn {
    /// The coefficient's name.
    pub name: String,
    /// The feature it is made from.
    pub feature: String,
    /// Its mean over the training rows, in the feature's unit.
    pub mean: f64,
    /// What one unit of the column is, in the feature's unit; 1 for ordinary least squares.
    pub scale: f64,
}

/// [`Preprocess`] held against a signature: features by position.
#[derive(Debug)]
pub(super) struct Design {
    columns: Vec<(usize, f64, f64)>,
}

impl Design {
    /// Resolves the features' names.
    ///
    /// # Errors
    /// A sentence when there is no column, a feature is unknown, or a mean or scale is unusable.
    pub(super) fn new(preprocess: &Preprocess, signature: &Signature) -> Result<Self, String> {
        if preprocess.columns.is_empty() {
            return Err("the design has no columns".into());
        }
        let resolve = |column: &DesignColumn| {
            let position = signature
                .position(&column.feature)
                .ok_or_else(|| format!("the column {:?} is made from an unknown feature", column.name))?;
            if !column.mean.is_finite() || !column.scale.is_finite() || column.scale <= 0.0 {
                return Err(format!("the column {:?} has no usable mean and scale", column.name));
            }
            Ok((position, column.mean, column.scale))
        };
        let columns = preprocess.columns.iter().map(resolve).collect::<Result<_, String>>()?;
        Ok(Self { columns })
    }

    /// The design matrix, rows × columns.
    pub(super) fn matrix(&self, frame: &Frame<'_>) -> Option<DenseMatrix<f64>> {
        let mut values = Vec::with_capacity(frame.rows() * self.columns.len());
        for row in frame.iter() {
            for &(position, mean, scale) in &self.columns {
                values.push((row.get(position)? - mean) / scale);
            }
        }
        let matrix = DenseMatrix::new(frame.rows(), self.columns.len(), values, false).ok()?;
        (matrix.shape() == (frame.rows(), self.columns.len())).then_some(matrix)
    }
}
