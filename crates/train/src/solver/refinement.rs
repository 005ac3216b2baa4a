//! Iterative refinement of a least-squares fit.
//!
//! A pass over the rows computes the residuals with about 32 digits. Their correlation with the features is the error
//! of the fit, and the solution of `RᵀR δ = XᵀWr` corrects it (the corrected seminormal equations: Björck, *Numerical
//! Methods for Least Squares Problems*, 1996, §2.9). The intercept is refined in the same way, which also corrects for
//! means that are rounded to doubles. Coefficients are double-doubles: from the rounding of a large one, the next pass
//! would make errors of small ones of nearly dependent columns. Columns may have low parts, because powers of a number
//! have more digits than a double, and a fit of high degree needs them. Of nearly dependent columns, the first pass also
//! computes the unit standard errors.

// Only code that is inlined into `with_simd` is compiled for the detected instructions.
#![allow(clippy::inline_always)]

use pulp::{Arch, Simd, WithSimd};

use super::cross_products::{AddRows, CrossProducts};
use super::double_double_column::{DoubleDoubleColumn, DoubleDoubleSum};
use super::least_squares::LeastSquaresFit;
use super::leverage::MOST_COLUMNS;
use super::simd;
use super::simd::LANES;
use ordinate_model::double_double::DoubleDouble;

/// Rows in a block: few enough for the processor's cache.
const BLOCK_ROWS: usize = 32 * LANES;

/// A relative change that is negligible: a thousandth of the last digit.
const NEGLIGIBLE: f64 = f64::EPSILON / 1024.0;

/// The orthogonal fraction of a column below which standard errors from `R` have fewer than ten digits.
const ILL_CONDITIONED: f64 = 1e-5;

/// One pass of iterative refinement.
#[derive(Debug, Clone)]
pub struct Refinement {
    fit: LeastSquaresFit,
    instructions: Arch,
    sums: Sums,
    /// For ill-conditioned columns.
    cross_products: Option<CrossProducts>,
    /// Rows that are not summed yet, row-major.
    block: Vec<f64>,
    /// The low parts of their features; empty when all features are exact.
    low_parts: Vec<f64>,
    /// Their weights.
    weights: Vec<f64>,
}

/// Sums over the rows.
#[derive(Debug, Clone)]
struct Sums {
    /// `Σ w`
    weight: DoubleDoubleSum,
    /// `Σ w r`
    residuals: DoubleDoubleSum,
    /// `Σ w r²`
    squares: DoubleDoubleSum,
    /// `Σ w (y − intercept)` and `Σ w (y − intercept)²`
    target: (DoubleDoubleSum, DoubleDoubleSum),
    /// For each feature, `Σ w (xⱼ − meanⱼ)` and `Σ w (xⱼ − meanⱼ) r`.
    features: Vec<(DoubleDoubleSum, DoubleDoubleSum)>,
}

impl Refinement {
    /// Starts a pass over the rows that `fit` was fitted to.
    #[must_use]
    pub fn new(fit: LeastSquaresFit) -> Self {
        let zero = DoubleDoubleSum::default();
        let sums = Sums {
            weight: zero,
            residuals: zero,
            squares: zero,
            target: (zero, zero),
            features: vec![(zero, zero); fit.means.len()],
        };
        // One pass is enough. With more columns they would take longer than the fit.
        let needed = fit.unit_errors.is_none()
            && fit.means.len() <= MOST_COLUMNS
            && fit.orthogonal_fractions().any(|fraction| fraction < ILL_CONDITIONED);
        let cross_products = needed.then(|| CrossProducts::new(fit.means.len() + usize::from(!fit.through_origin)));
        let (block, low_parts, weights) = (Vec::new(), Vec::new(), Vec::new());
        Self { fit, instructions: Arch::new(), sums, cross_products, block, low_parts, weights }
    }

    /// Adds a row with the same weight as in the fit. Either all rows have the low parts of their features, or no row
    /// does.
    pub fn push_exact(&mut self, features: &[f64], target: f64, low_parts: &[f64], weight: f64) {
        debug_assert_eq!(features.len(), self.fit.means.len(), "a row has one value for each column");
        self.block.extend_from_slice(features);
        self.block.push(target);
        self.low_parts.extend_from_slice(low_parts);
        self.weights.push(weight);
        if self.weights.len() == BLOCK_ROWS {
            self.add_block();
        }
    }

    fn add_block(&mut self) {
        let features = self.fit.means.len();
        // Rows of weight zero fill the last register.
        let rows = self.weights.len().next_multiple_of(LANES);
        self.weights.resize(rows, 0.0);
        self.block.resize((features + 1) * rows, 0.0);
        let columns = simd::columns(&self.block, features + 1, rows);
        let low_parts = if self.low_parts.is_empty() {
            vec![Vec::new(); features]
        } else {
            self.low_parts.resize(features * rows, 0.0);
            simd::columns(&self.low_parts, features, rows)
        };
        if let Some((target, features)) = columns.split_last() {
            let weights = &self.weights;
            let features = BlockFeatures { columns: features, low_parts: &low_parts, means: &self.fit.means };
            if let Some(cross_products) = &mut self.cross_products {
                let ones = (!self.fit.through_origin).then(|| DoubleDoubleColumn::new(&vec![1.0; rows]));
                let columns = ones.into_iter().chain(features.centred()).collect();
                self.instructions.dispatch(AddRows { cross_products, columns, weights });
            }
            let pass = BlockPass { fit: &self.fit, target, features, weights, sums: &mut self.sums };
            self.instructions.dispatch(pass);
        }
        self.block.clear();
        self.low_parts.clear();
        self.weights.clear();
    }

    /// The corrected fit, and whether another pass could change it.
    #[must_use]
    pub fn finish(mut self) -> (LeastSquaresFit, bool) {
        self.add_block();
        let Self { mut fit, sums, cross_products, .. } = self;
        if let Some(cross_products) = cross_products {
            fit.unit_errors = cross_products.unit_errors(&fit);
        }
        let (weight, sum, squares) = (sums.weight.total(), sums.residuals.total(), sums.squares.total());
        if weight == DoubleDouble::default() {
            return (fit, false);
        }
        let (offsets, products): (Vec<_>, Vec<_>) =
            sums.features.iter().map(|(offset, product)| (offset.total(), product.total())).unzip();
        let inverse_weight = DoubleDouble::from(1.0 / weight.to_f64());
        // Zero without an intercept.
        let with_intercept = |value| if fit.through_origin { DoubleDouble::default() } else { value };
        let mean_residual = with_intercept(sum * inverse_weight);
        let right: Vec<f64> = products
            .iter()
            .zip(&offsets)
            .map(|(product, offset)| (*product - *offset * mean_residual).to_f64())
            .collect();

        let halfway = fit.triangle.solve_transposed(&right);
        let correction = fit.triangle.solve(&halfway);
        let moved = with_intercept(correction.iter().zip(&offsets).fold(mean_residual, |rest, (change, offset)| {
            rest - *offset * inverse_weight * DoubleDouble::from(*change)
        }));

        // A correction larger than the target's spread means that R is not accurate enough: the fit is not changed.
        let explained = norm(&halfway);
        let spread = libm::hypot(norm(&fit.triangle.times(&fit.coefficients)), fit.residual_sum_of_squares.sqrt());
        if !(explained <= spread && moved.to_f64().is_finite()) {
            return (fit, false);
        }

        let before = (fit.intercept, fit.coefficients.clone());
        let low_parts = fit.coefficient_low_parts.iter_mut().zip(&correction);
        for (coefficient, (low_part, change)) in fit.coefficients.iter_mut().zip(low_parts) {
            let before = DoubleDouble::from((*coefficient, *low_part));
            (*coefficient, *low_part) = (before + DoubleDouble::from(*change)).parts();
        }
        (fit.intercept, fit.intercept_low_part) = (DoubleDouble::from(fit.intercept) + moved).parts();
        let gained = DoubleDouble::from(explained * explained) + sum * mean_residual;
        // The rest, which the correction does not account for, may be its own rounding error.
        let is_rounding = (squares - gained).to_f64() <= left_error(&fit) * gained.to_f64();
        let unexplained = if is_rounding { DoubleDouble::default() } else { squares - gained };
        let (target, target_squares) = (sums.target.0.total(), sums.target.1.total());
        // In this order, weights of 1e300 do not overflow.
        let total = target_squares - with_intercept(target * inverse_weight * target);
        // Does not turn NaN or infinity into 0.
        let square = |sum: DoubleDouble| sum.to_f64().clamp(0.0, f64::INFINITY);
        fit.residual_sum_of_squares = square(unexplained);
        fit.explained_sum_of_squares = square(total - unexplained);
        let changed = before != (fit.intercept, fit.coefficients.clone());
        let settled = settled(&fit, &correction, gained.to_f64());
        (fit, changed && !settled)
    }
}

/// The error that a pass leaves, relative to the error before it.
///
/// `R` is the factor of data with rounding errors, so a pass reduces the error by about ε ÷ the orthogonal fraction of
/// a column. (Björck, §2.9.5. [`Moments::solve`](super::moments::Moments::solve) rejects columns with an orthogonal
/// fraction below 10⁻¹¹, so every pass gains five digits or more.)
fn left_error(fit: &LeastSquaresFit) -> f64 {
    let least = fit.orthogonal_fractions().fold(1.0, f64::min);
    f64::EPSILON * fit.coefficients.len() as f64 / least
}

/// Whether the error that this correction leaves is negligible in every number of the fit. The error was about as large
/// as its correction.
fn settled(fit: &LeastSquaresFit, correction: &[f64], gained: f64) -> bool {
    let left = left_error(fit);
    let is_negligible = |change: f64, number: f64| left * change.abs() <= NEGLIGIBLE * number.abs();
    // The residuals of an exact fit are rounding errors, which every pass can reduce.
    is_negligible(gained, fit.residual_sum_of_squares)
        && correction.iter().zip(&fit.coefficients).all(|(change, coefficient)| is_negligible(*change, *coefficient))
}

/// The features of a block of rows: columns, their low parts (empty for exact columns), and means.
#[derive(Clone, Copy)]
struct BlockFeatures<'a> {
    columns: &'a [Vec<f64>],
    low_parts: &'a [Vec<f64>],
    means: &'a [f64],
}

impl<'a> BlockFeatures<'a> {
    fn each(self) -> impl Iterator<Item = (&'a [f64], &'a [f64], f64)> {
        let columns = self.columns.iter().zip(self.low_parts).zip(self.means);
        columns.map(|((column, low_parts), mean)| (column.as_slice(), low_parts.as_slice(), *mean))
    }

    fn centred(self) -> impl Iterator<Item = DoubleDoubleColumn> {
        self.each().map(|(column, low_parts, mean)| {
            let mut offset = DoubleDoubleColumn::default();
            offset.set_difference(column, low_parts, mean);
            offset
        })
    }
}

/// Adds a block of rows to the sums.
struct BlockPass<'a> {
    fit: &'a LeastSquaresFit,
    target: &'a [f64],
    features: BlockFeatures<'a>,
    weights: &'a [f64],
    sums: &'a mut Sums,
}

impl WithSimd for BlockPass<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { fit, target, features, weights, sums } = self;
        let (mut residual, mut offset) = (DoubleDoubleColumn::default(), DoubleDoubleColumn::default());
        residual.set_difference(target, &[], fit.intercept);
        let mut weighted = residual.clone();
        weighted.multiply(weights);
        let counts = DoubleDoubleColumn::new(weights);
        sums.target.0.add(simd, &counts, &residual);
        sums.target.1.add(simd, &weighted, &residual);
        let coefficients = fit.coefficients.iter().copied().zip(fit.coefficient_low_parts.iter().copied());
        for ((column, low_parts, mean), coefficient) in features.each().zip(coefficients) {
            offset.set_difference(column, low_parts, mean);
            residual.subtract(coefficient, &offset);
        }
        residual.normalise();
        weighted.clone_from(&residual);
        weighted.multiply(weights);
        sums.weight.add(simd, &counts, &DoubleDoubleColumn::new(&vec![1.0; target.len()]));
        sums.residuals.add(simd, &counts, &residual);
        sums.squares.add(simd, &weighted, &residual);
        for ((column, low_parts, mean), (offsets, products)) in features.each().zip(&mut sums.features) {
            offset.set_difference(column, low_parts, mean);
            offsets.add(simd, &offset, &counts);
            products.add(simd, &offset, &weighted);
        }
    }
}

fn norm(vector: &[f64]) -> f64 {
    vector.iter().map(|value| value * value).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests;
