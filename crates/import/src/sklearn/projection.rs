//! `PCA` and `TruncatedSVD`: weighted sums of the columns.

use super::check_sums;
use super::step::Step;
use crate::error::ImportError;
use crate::expression::Expression;

pub(super) fn project(step: &Step<'_>, inputs: Vec<Expression>) -> Result<Vec<Expression>, ImportError> {
    let width = inputs.len();
    let components = step.matrix("components_", width)?;
    let count = components.len().checked_div(width).unwrap_or(0);
    check_sums(step, count, &inputs)?;
    let (means, scales) = if step.class()? == "PCA" {
        let scales = if step.flag("whiten", false)? {
            let variances = step.vector("explained_variance_", count)?;
            if variances.iter().any(|variance| *variance < 0.0) {
                return Err(step.unreadable("explained_variance_"));
            }
            // scikit-learn clips the root, too.
            variances.iter().map(|variance| variance.sqrt().max(f64::EPSILON)).collect()
        } else {
            vec![1.0; count]
        };
        (step.vector("mean_", width)?, scales)
    } else {
        (vec![0.0; width], vec![1.0; count])
    };
    let centred: Vec<_> = inputs.into_iter().zip(means).map(|(input, mean)| input.scaled(mean, 1.0)).collect();
    let rows = components.chunks(width.max(1)).zip(scales);
    let outputs = rows.map(|(weights, scale)| {
        let sum = Expression::weighted_sum(weights.iter().copied().zip(&centred));
        sum.map(|sum| sum.scaled(0.0, scale)).map_err(|_| step.too_many_columns())
    });
    outputs.collect()
}
