//! The digits that QR alone leaves on the table.
//!
//! One more look at every row gives the residuals of a fit with about 32 digits. What of them still correlates with
//! the features is the fit's error, and `RᵀR δ = XᵀWr` (the corrected seminormal equations: Björck, *Numerical Methods
//! for Least Squares Problems*, 1996, §2.9) takes it off. The intercept is refined alike, which also makes good that
//! a mean is rounded to a double.

use super::double_double::DoubleDouble;
use super::least_squares::LeastSquares;

/// Residuals of a fit, gathered over one pass.
#[derive(Debug, Clone)]
pub struct Refinement {
    fit: LeastSquares,
    /// `Σ w`
    weight: DoubleDouble,
    /// `Σ w r`
    sum: DoubleDouble,
    /// `Σ w r²`
    squares: DoubleDouble,
    /// `Σ w (xⱼ − meanⱼ)`
    offsets: Vec<DoubleDouble>,
    /// `Σ w (xⱼ − meanⱼ) r`
    products: Vec<DoubleDouble>,
}

impl Refinement {
    /// Starts a pass over the very rows that `fit` was fitted to.
    #[must_use]
    pub fn new(fit: LeastSquares) -> Self {
        let zeros = vec![DoubleDouble::default(); fit.means.len()];
        let zero = DoubleDouble::default();
        Self { fit, weight: zero, sum: zero, squares: zero, offsets: zeros.clone(), products: zeros }
    }

    /// Takes one row: the features, then the target.
    pub fn push(&mut self, row: &[f64]) {
        self.push_weighted(row, 1.0);
    }

    /// Takes one row that counts `weight` times, the same as in the fit.
    pub fn push_weighted(&mut self, row: &[f64], weight: f64) {
        let Some((target, features)) = row.split_last() else { return };
        let centred =
            || features.iter().zip(&self.fit.means).map(|(value, mean)| DoubleDouble::difference(*value, *mean));
        let residual = centred()
            .zip(&self.fit.coefficients)
            .fold(DoubleDouble::difference(*target, self.fit.intercept), |rest, (offset, coefficient)| {
                rest - offset * DoubleDouble::from(*coefficient)
            });
        let weight = DoubleDouble::from(weight);
        let weighted = residual * weight;
        self.weight = self.weight + weight;
        self.sum = self.sum + weighted;
        self.squares = self.squares + weighted * residual;
        for ((offset, sum), product) in centred().zip(&mut self.offsets).zip(&mut self.products) {
            *sum = *sum + offset * weight;
            *product = *product + offset * weighted;
        }
    }

    /// The fit with the correction applied, and whether that changed it.
    #[must_use]
    pub fn finish(self) -> (LeastSquares, bool) {
        let Self { mut fit, weight, sum, squares, offsets, products } = self;
        if weight == DoubleDouble::default() {
            return (fit, false);
        }
        let share = DoubleDouble::from(1.0 / weight.to_f64());
        let mean_residual = sum * share;
        let right: Vec<f64> = products
            .iter()
            .zip(&offsets)
            .map(|(product, offset)| (*product - *offset * mean_residual).to_f64())
            .collect();

        let halfway = fit.triangle.solve_transposed(&right);
        let correction = fit.triangle.solve(&halfway);
        let moved = correction
            .iter()
            .zip(&offsets)
            .fold(mean_residual, |rest, (change, offset)| rest - *offset * share * DoubleDouble::from(*change));

        // A correction as large as the target's own spread means that R is no guide here: the fit stays as QR left it.
        let explained = norm(&halfway);
        let spread = norm(&fit.triangle.times(&fit.coefficients)).hypot(fit.residual_sum_of_squares.sqrt());
        if !(explained <= spread && moved.to_f64().is_finite()) {
            return (fit, false);
        }

        let before = (fit.intercept, fit.coefficients.clone());
        fit.coefficients.iter_mut().zip(&correction).for_each(|(coefficient, change)| *coefficient += change);
        fit.intercept = (DoubleDouble::from(fit.intercept) + moved).to_f64();
        let gained = DoubleDouble::from(explained * explained) + sum * mean_residual;
        fit.residual_sum_of_squares = (squares - gained).to_f64().max(0.0);
        let changed = before != (fit.intercept, fit.coefficients.clone());
        (fit, changed)
    }
}

fn norm(vector: &[f64]) -> f64 {
    vector.iter().map(|value| value * value).sum::<f64>().sqrt()
}
