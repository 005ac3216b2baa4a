//! The digits that QR alone leaves on the table.
//!
//! Another look at every row gives the residuals of a fit with about 32 digits. What of them still correlates with
//! the features is the fit's error, and `RᵀR δ = XᵀWr` (the corrected seminormal equations: Björck, *Numerical Methods
//! for Least Squares Problems*, 1996, §2.9) takes it off. The intercept is refined alike, which also makes good that
//! a mean is rounded to a double. Columns may come with what they lack for being doubles: the powers of a number, of which a fit of
//! high degree needs more digits than a double has. The first look at difficult columns gathers what their standard errors need.

// Only what is inlined into a `with_simd` is compiled for the instructions that were found.
#![allow(clippy::inline_always)]

use pulp::{Arch, Simd, WithSimd};

use super::cross_products::{Addition, Scatter};
use super::double_double::{Twofold, TwofoldSum};
use super::least_squares::LeastSquares;
use super::leverage::MOST_COLUMNS;
use super::simd;
use super::simd::LANES;
use ordinate_model::double_double::DoubleDouble;

/// Rows that are looked at together: few enough to stay in the processor's cache.
const BLOCK_ROWS: usize = 32 * LANES;

/// The share of a number that cannot be seen in it: a thousandth of the last digit.
const NOTHING: f64 = f64::EPSILON / 1024.0;

/// The share of a column that is its own below which `R` does not leave ten digits for standard errors.
const DIFFICULT: f64 = 1e-5;

/// Residuals of a fit, gathered over one pass.
#[derive(Debug, Clone)]
pub struct Refinement {
    fit: LeastSquares,
    instructions: Arch,
    sums: Sums,
    /// Of difficult columns.
    scatter: Option<Scatter>,
    /// Rows still to be looked at, row-major.
    block: Vec<f64>,
    /// What their features lack for being doubles; nothing where they are.
    rests: Vec<f64>,
    /// Their weights.
    weights: Vec<f64>,
}

/// What is added up over the rows.
#[derive(Debug, Clone)]
struct Sums {
    /// `Σ w`
    weight: TwofoldSum,
    /// `Σ w r`
    residuals: TwofoldSum,
    /// `Σ w r²`
    squares: TwofoldSum,
    /// `Σ w (y − intercept)` and `Σ w (y − intercept)²`
    target: (TwofoldSum, TwofoldSum),
    /// For each feature, `Σ w (xⱼ − meanⱼ)` and `Σ w (xⱼ − meanⱼ) r`.
    features: Vec<(TwofoldSum, TwofoldSum)>,
}

impl Refinement {
    /// Starts a pass over the very rows that `fit` was fitted to.
    #[must_use]
    pub fn new(fit: LeastSquares) -> Self {
        let zero = TwofoldSum::default();
        let sums = Sums {
            weight: zero,
            residuals: zero,
            squares: zero,
            target: (zero, zero),
            features: vec![(zero, zero); fit.means.len()],
        };
        // It does not change from look to look. Of more columns it would take longer than the fit.
        let needed =
            fit.unit_errors.is_none() && fit.means.len() <= MOST_COLUMNS && fit.own_shares().any(|own| own < DIFFICULT);
        let scatter = needed.then(|| Scatter::new(fit.means.len() + usize::from(!fit.through_origin)));
        let (block, rests, weights) = (Vec::new(), Vec::new(), Vec::new());
        Self { fit, instructions: Arch::new(), sums, scatter, block, rests, weights }
    }

    /// Takes one row: the features, then the target.
    pub fn push(&mut self, row: &[f64]) {
        self.push_weighted(row, 1.0);
    }

    /// Takes one row that counts `weight` times, the same as in the fit.
    pub fn push_weighted(&mut self, row: &[f64], weight: f64) {
        if let Some((target, features)) = row.split_last() {
            self.push_exact(features, *target, &[], weight);
        }
    }

    /// The same of features that were rounded to doubles: `rests` is what each of them lacks, in all rows or in none.
    pub fn push_exact(&mut self, features: &[f64], target: f64, rests: &[f64], weight: f64) {
        debug_assert_eq!(features.len(), self.fit.means.len(), "a row has one value a column");
        self.block.extend_from_slice(features);
        self.block.push(target);
        self.rests.extend_from_slice(rests);
        self.weights.push(weight);
        if self.weights.len() == BLOCK_ROWS {
            self.look();
        }
    }

    fn look(&mut self) {
        let features = self.fit.means.len();
        // Rows that count nothing fill the last register.
        let rows = self.weights.len().next_multiple_of(LANES);
        self.weights.resize(rows, 0.0);
        self.block.resize((features + 1) * rows, 0.0);
        let columns = simd::columns(&self.block, features + 1, rows);
        let rests = if self.rests.is_empty() {
            vec![Vec::new(); features]
        } else {
            self.rests.resize(features * rows, 0.0);
            simd::columns(&self.rests, features, rows)
        };
        if let Some((target, features)) = columns.split_last() {
            let weights = &self.weights;
            let features = Features { columns: features, rests: &rests, means: &self.fit.means };
            if let Some(scatter) = &mut self.scatter {
                let ones = (!self.fit.through_origin).then(|| Twofold::new(&vec![1.0; rows]));
                let columns = ones.into_iter().chain(features.centred()).collect();
                self.instructions.dispatch(Addition { scatter, columns, weights });
            }
            let look = Look { fit: &self.fit, target, features, weights, sums: &mut self.sums };
            self.instructions.dispatch(look);
        }
        self.block.clear();
        self.rests.clear();
        self.weights.clear();
    }

    /// The fit with the correction applied, and whether another look could change it.
    #[must_use]
    pub fn finish(mut self) -> (LeastSquares, bool) {
        self.look();
        let Self { mut fit, sums, scatter, .. } = self;
        if let Some(scatter) = scatter {
            fit.unit_errors = scatter.unit_errors(&fit);
        }
        let (weight, sum, squares) = (sums.weight.total(), sums.residuals.total(), sums.squares.total());
        if weight == DoubleDouble::default() {
            return (fit, false);
        }
        let (offsets, products): (Vec<_>, Vec<_>) =
            sums.features.iter().map(|(offset, product)| (offset.total(), product.total())).unzip();
        let share = DoubleDouble::from(1.0 / weight.to_f64());
        // Without an intercept nothing is taken up by it.
        let with_intercept = |value| if fit.through_origin { DoubleDouble::default() } else { value };
        let mean_residual = with_intercept(sum * share);
        let right: Vec<f64> = products
            .iter()
            .zip(&offsets)
            .map(|(product, offset)| (*product - *offset * mean_residual).to_f64())
            .collect();

        let halfway = fit.triangle.solve_transposed(&right);
        let correction = fit.triangle.solve(&halfway);
        let moved = with_intercept(
            correction
                .iter()
                .zip(&offsets)
                .fold(mean_residual, |rest, (change, offset)| rest - *offset * share * DoubleDouble::from(*change)),
        );

        // A correction as large as the target's own spread means that R is no guide here: the fit stays as QR left it.
        let explained = norm(&halfway);
        let spread = norm(&fit.triangle.times(&fit.coefficients)).hypot(fit.residual_sum_of_squares.sqrt());
        if !(explained <= spread && moved.to_f64().is_finite()) {
            return (fit, false);
        }

        let before = (fit.intercept, fit.coefficients.clone());
        let rests = fit.coefficient_rests.iter_mut().zip(&correction);
        for (coefficient, (rest, change)) in fit.coefficients.iter_mut().zip(rests) {
            (*coefficient, *rest) = (DoubleDouble::from(*coefficient) + DoubleDouble::from(*change)).parts();
        }
        (fit.intercept, fit.intercept_rest) = (DoubleDouble::from(fit.intercept) + moved).parts();
        let gained = DoubleDouble::from(explained * explained) + sum * mean_residual;
        let unexplained = squares - gained;
        let (target, target_squares) = (sums.target.0.total(), sums.target.1.total());
        // In this order not even weights of 1e300 overflow.
        let total = target_squares - with_intercept(target * share * target);
        // What is not finite is not hidden as 0.
        let square = |sum: DoubleDouble| sum.to_f64().clamp(0.0, f64::INFINITY);
        fit.residual_sum_of_squares = square(unexplained);
        fit.explained_sum_of_squares = square(total - unexplained);
        let changed = before != (fit.intercept, fit.coefficients.clone());
        let settled = settled(&fit, &correction, gained.to_f64());
        (fit, changed && !settled)
    }
}

/// Whether what this correction leaves is too little to be seen in any number of the fit.
///
/// `R` is the triangle of data that differ from the real ones by rounding, so a look leaves of the error about the share
/// by which rounding can turn a column towards those before it: ε over the part of the column that is its own. The
/// error was about as large as its correction. (Björck, §2.9.5; [`Moments::solve`](super::least_squares::Moments::solve)
/// refuses columns with less than 10⁻¹¹ of their own, so every look brings five digits or more.)
fn settled(fit: &LeastSquares, correction: &[f64], gained: f64) -> bool {
    let least = fit.own_shares().fold(1.0, f64::min);
    let left = f64::EPSILON * correction.len() as f64 / least;
    let is_nothing = |change: f64, number: f64| left * change.abs() <= NOTHING * number.abs();
    // Of an exact fit the residuals are all rounding: there is always more to gain.
    is_nothing(gained, fit.residual_sum_of_squares)
        && correction.iter().zip(&fit.coefficients).all(|(change, coefficient)| is_nothing(*change, *coefficient))
}

/// The features of a block of rows: columns, what they lack for being doubles (empty columns, where they are), where they are centred.
#[derive(Clone, Copy)]
struct Features<'a> {
    columns: &'a [Vec<f64>],
    rests: &'a [Vec<f64>],
    means: &'a [f64],
}

impl<'a> Features<'a> {
    fn each(self) -> impl Iterator<Item = (&'a [f64], &'a [f64], f64)> {
        let columns = self.columns.iter().zip(self.rests).zip(self.means);
        columns.map(|((column, rests), mean)| (column.as_slice(), rests.as_slice(), *mean))
    }

    fn centred(self) -> impl Iterator<Item = Twofold> {
        self.each().map(|(column, rests, mean)| {
            let mut offset = Twofold::default();
            offset.set_difference(column, rests, mean);
            offset
        })
    }
}

/// A look at a block of rows.
struct Look<'a> {
    fit: &'a LeastSquares,
    target: &'a [f64],
    features: Features<'a>,
    weights: &'a [f64],
    sums: &'a mut Sums,
}

impl WithSimd for Look<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { fit, target, features, weights, sums } = self;
        let (mut residual, mut offset) = (Twofold::default(), Twofold::default());
        residual.set_difference(target, &[], fit.intercept);
        let mut weighted = residual.clone();
        weighted.multiply(weights);
        let counts = Twofold::new(weights);
        sums.target.0.add(simd, &counts, &residual);
        sums.target.1.add(simd, &weighted, &residual);
        for ((column, rests, mean), coefficient) in features.each().zip(&fit.coefficients) {
            offset.set_difference(column, rests, mean);
            residual.subtract(*coefficient, &offset);
        }
        weighted.clone_from(&residual);
        weighted.multiply(weights);
        sums.weight.add(simd, &counts, &Twofold::new(&vec![1.0; target.len()]));
        sums.residuals.add(simd, &counts, &residual);
        sums.squares.add(simd, &weighted, &residual);
        for ((column, rests, mean), (offsets, products)) in features.each().zip(&mut sums.features) {
            offset.set_difference(column, rests, mean);
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
