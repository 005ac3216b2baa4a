//! How near the coefficients of a penalised fit are to the minimum.

use super::super::qr::dot;
use super::descent::PenaltyWeights;

/// The rounding error of a correlation that should be zero ÷ the largest possible correlation.
const ROUNDING: f64 = 1e-13;

/// Whether coefficients satisfy the conditions of optimality, from the correlations of the columns, whose squared
/// length is `weight`, with the residual.
pub(super) fn is_balanced(penalty: PenaltyWeights, weight: f64, correlations: &[f64], coefficients: &[f64]) -> bool {
    let PenaltyWeights { l1, l2 } = penalty;
    let root = weight.sqrt();
    // The residual is a sum of terms of this size, with their rounding errors.
    let terms = root * coefficients.iter().map(|coefficient| coefficient.abs()).sum::<f64>();
    let slack = root * (ROUNDING + f64::EPSILON * terms);
    correlations.iter().zip(coefficients).all(|(correlation, coefficient)| {
        let pull = correlation - l2 * coefficient;
        if *coefficient == 0.0 { pull.abs() <= l1 + slack } else { (pull - l1.copysign(*coefficient)).abs() <= slack }
    })
}

/// The duality gap ÷ the objective at zero, from the correlations of the columns with the residual, its squared length
/// and its product with the target.
///
/// The residual, scaled so that its correlation with any feature is at most `l1`, is a feasible point of the dual (Kim,
/// Koh, Lustig, Boyd and Gorinevsky, 2007). The penalty on squares adds rows.
pub(super) fn duality_gap(
    penalty: PenaltyWeights,
    correlations: &[f64],
    coefficients: &[f64],
    [residual, with_target]: [f64; 2],
) -> f64 {
    let PenaltyWeights { l1, l2 } = penalty;
    let pulls = correlations.iter().zip(coefficients);
    let steepest = pulls.map(|(correlation, coefficient)| (correlation - l2 * coefficient).abs()).fold(0.0, f64::max);
    let scale = if steepest > l1 { l1 / steepest } else { 1.0 };
    let size: f64 = coefficients.iter().map(|coefficient| coefficient.abs()).sum();
    let squares = dot(coefficients, coefficients);
    let gap = 0.5 * (1.0 + scale * scale) * (residual + l2 * squares) + l1 * size - scale * with_target;
    // The objective at zero is half the squared length of the target, which is 1. Rounding may make the gap slightly
    // negative.
    (2.0 * gap).max(0.0)
}
