//! The standardised least-squares problem of a penalised fit.

use super::super::leverage::{LeverageFactor, MOST_COLUMNS};
use super::super::moments::Moments;
use super::super::qr::{UpperTriangle, dot};
use ordinate_model::double_double::DoubleDouble;
use ordinate_model::inference::DIAGONAL_INCREMENT;

/// Standardised least squares, reduced to as many rows as columns, with a target of length 1, so that squares neither
/// overflow nor underflow.
pub(super) struct Problem<'a> {
    pub(super) moments: &'a Moments,
    pub(super) names: &'a [String],
    pub(super) lengths: Vec<f64>,
    pub(super) scales: Vec<f64>,
    /// The length of the target in its own unit.
    pub(super) unit: f64,
    /// The factor R of the standardised features and the target.
    pub(super) triangle: UpperTriangle,
    /// Its columns of the features, down to the diagonal.
    pub(super) columns: Vec<Vec<f64>>,
    /// The projection of the target onto the features, in the same rows.
    pub(super) target: Vec<f64>,
    /// The squared length of the rest of the target.
    pub(super) unexplained: f64,
}

impl<'a> Problem<'a> {
    pub(super) fn new(moments: &'a Moments, names: &'a [String], lengths: Vec<f64>) -> Self {
        let features = lengths.len().saturating_sub(1);
        let root = moments.weight().sqrt();
        let scale = |length: &f64| if *length > 0.0 { length / root } else { 1.0 };
        let scales: Vec<f64> = lengths.iter().take(features).map(scale).collect();
        let unit = lengths.last().copied().filter(|length| *length > 0.0).unwrap_or(1.0);
        let divisors: Vec<f64> = scales.iter().copied().chain([unit]).collect();
        let triangle = moments.triangle().scaled(&divisors);
        let rows = moments.rows_of_factor();
        let column = |feature| {
            let mut column = triangle.column(feature);
            column.truncate(rows);
            column
        };
        let columns = (0..features).map(column).collect();
        let mut target = column(features);
        let unexplained = if rows > features { target.pop().unwrap_or(0.0).powi(2) } else { 0.0 };
        Self { moments, names, lengths, scales, unit, triangle, columns, target, unexplained }
    }

    /// The `b` of `min ‖y − Zb‖² + alpha ‖b‖²`: least squares with an additional row `√alpha · eⱼ` of target 0 for each
    /// feature.
    pub(super) fn ridge(&self, alpha: f64) -> Vec<f64> {
        let features = self.columns.len();
        let triangle = self.augmented(alpha);
        let mut projection = triangle.column(features);
        projection.pop();
        triangle.leading(features).solve(&projection)
    }

    /// The factor R with an additional row `√alpha · eⱼ` for each feature.
    fn augmented(&self, alpha: f64) -> UpperTriangle {
        let features = self.columns.len();
        let mut triangle = self.triangle.clone();
        if alpha > 0.0 {
            triangle.absorb(&mut diagonal(features, features + 1, alpha.sqrt()));
        }
        triangle
    }

    /// The factor for leverages: of ridge with this alpha, or of another penalty.
    pub(super) fn leverage_factor(&self, ridge_alpha: Option<f64>) -> Option<LeverageFactor> {
        let features = self.columns.len();
        if features > MOST_COLUMNS {
            return None;
        }
        let Some(alpha) = ridge_alpha else {
            let triangle = self.augmented(DIAGONAL_INCREMENT * self.moments.weight()).leading(features);
            return Some(LeverageFactor { triangle, degrees_of_freedom: None });
        };
        let triangle = self.augmented(alpha).leading(features);
        // tr(H) is the sum of all leverages, and the rows of R may replace those of the design.
        let leverage = |(i, row): (usize, &Vec<f64>)| {
            let row: Vec<f64> = std::iter::repeat_n(0.0, i).chain(row.iter().take(features - i).copied()).collect();
            let part = triangle.solve_transposed(&row);
            dot(&part, &part)
        };
        let rows = self.moments.rows() as f64 - self.moments.intercepts() as f64;
        let trace: f64 = self.triangle.rows().iter().take(features).enumerate().map(leverage).sum();
        Some(LeverageFactor { degrees_of_freedom: Some(rows - trace), triangle })
    }

    /// `y − Zb`, in as many rows as features.
    pub(super) fn residual(&self, coefficients: &[f64]) -> Vec<f64> {
        let mut residual = self.target.clone();
        for (column, coefficient) in self.columns.iter().zip(coefficients).filter(|(_, factor)| **factor != 0.0) {
            add(&mut residual, -coefficient, column);
        }
        residual
    }
}

/// The prediction where every feature is at its mean, rounded to a double. `means`: those of the features, then of the
/// target.
pub(super) fn intercept(means: impl Iterator<Item = DoubleDouble>, coefficients: &[f64], scales: &[f64]) -> f64 {
    let mut means: Vec<DoubleDouble> = means.collect();
    let at_means = means.pop().unwrap_or_default();
    let terms = means.iter().zip(coefficients).zip(scales);
    let moved = terms.fold(at_means, |sum, ((mean, coefficient), scale)| {
        sum - DoubleDouble::from(mean.parts().1) * DoubleDouble::from(coefficient / scale)
    });
    moved.to_f64()
}

/// A diagonal matrix, column by column, with columns of zeros at the end.
pub(super) fn diagonal(rows: usize, columns: usize, value: f64) -> Vec<Vec<f64>> {
    let entry = |row, column| if row == column { value } else { 0.0 };
    (0..columns).map(|column| (0..rows).map(|row| entry(row, column)).collect()).collect()
}

/// `to += factor · column`, where the column may be shorter.
pub(super) fn add(to: &mut [f64], factor: f64, column: &[f64]) {
    to.iter_mut().zip(column).for_each(|(value, entry)| *value += factor * entry);
}
