//! Ordinary least squares over a stream: one pass, memory that does not grow with the rows, digits that last.
//!
//! What is kept of any number of rows is a [`Moments`]: their weight, their mean, and a triangle `R` with `RᵀR` = the
//! scatter `Σ w (x − m)(x − m)ᵀ` of the columns `[X y]` about that mean. Two sets of rows become one by
//!
//! ```text
//! R = QR([ R₁ ; √w · (rows₂ − mean₂) ; √(W₁W₂/(W₁+W₂)) · (mean₂ − mean₁)ᵀ ])
//! ```
//!
//! where `R₂` stands for the second rows as well as they do themselves, and every weight `w` is 1 unless one is given.
//! This is
//! the tall-skinny QR of Demmel, Grigori, Hoemmen and Langou (2012) with the update of the mean of Chan,
//! Golub and `LeVeque` (1983). `XᵀX` is never formed, so the digits of ill-conditioned data survive: squaring the
//! condition number is what ruins the normal equations. [`Refinement`](super::refinement::Refinement) gives the last
//! digits back.

mod dependency;

use std::ops::RangeInclusive;

use thiserror::Error;

use super::qr::{Triangle, dot};
use super::simd;
use super::unit_errors::UnitErrors;
use ordinate_model::double_double::DoubleDouble;
use ordinate_model::wording::counted;

/// Rows that are reduced together: few enough to stay in the processor's cache, and with the row that bridges the means a
/// multiple of what a register holds.
const BLOCK_ROWS: usize = 255;

/// The lengths of a target of which the squares of the largest errors, and of errors as small as rounding, neither overflow nor
/// vanish.
const TARGET_LENGTHS: RangeInclusive<f64> = 1e-130..=1e150;

/// Why no coefficients can be had.
#[derive(Debug, Error, PartialEq)]
pub enum LeastSquaresError {
    /// An intercept, where there is one, and one coefficient a feature need at least as many rows.
    #[error(
        "{} cannot determine {}{}: at least {} rows are needed. \
         Give more rows or fewer features (--features)",
        counted(*rows, "row", "rows"),
        if *intercept { "an intercept and " } else { "" },
        counted(*features, "coefficient", "coefficients"),
        features + usize::from(*intercept)
    )]
    TooFewRows {
        /// Rows that were there.
        rows: u64,
        /// Features that were to be fitted.
        features: usize,
        /// Whether an intercept was to be fitted too.
        intercept: bool,
    },
    /// The target never changes: there is nothing to explain.
    #[error(
        "the target {name:?} has the same value in every row, so there is nothing to learn. Choose another --target"
    )]
    ConstantTarget {
        /// The target's name.
        name: String,
    },
    /// A feature never changes: its coefficient could be anything.
    #[error(
        "the feature {name:?} has the same value in every row, so it has no coefficient. Leave it out with --exclude {name:?}"
    )]
    ConstantFeature {
        /// The feature's name.
        name: String,
    },
    /// Some features are a combination of each other: infinitely many coefficients fit equally well.
    #[error("{}", dependency::told(names))]
    Dependent {
        /// The features that take part in the combination.
        names: Vec<String>,
    },
    /// A penalty that is none.
    #[error("the {name} is {value}, but it must be {allowed}")]
    InvalidPenalty {
        /// Which number.
        name: &'static str,
        /// What it is.
        value: f64,
        /// What it may be.
        allowed: &'static str,
    },
    /// A number is not finite, or makes the answer so.
    #[error(
        "the column {name:?} holds numbers that are not finite, or too large or too small to be fitted in double precision. Rescale the column, or the weights if there are any"
    )]
    NotFinite {
        /// The column's name.
        name: String,
    },
}

/// Collects rows into blocks and blocks into a [`Moments`].
#[derive(Debug, Clone)]
pub struct Accumulator {
    moments: Moments,
    /// Rows still to be reduced, row-major, the shift already taken off.
    block: Vec<f64>,
    /// Their weights.
    weights: Vec<f64>,
}

impl Accumulator {
    /// Nothing yet. `shift` is any point near the data, one value a column (features, then target); a stream uses
    /// its first row. It costs nothing and saves the digits of columns that sit far from zero, such as timestamps.
    #[must_use]
    pub fn new(shift: Vec<f64>) -> Self {
        Self { moments: Moments::empty(shift), block: Vec::new(), weights: Vec::new() }
    }

    /// Takes one row: the features, then the target.
    pub fn push(&mut self, row: &[f64]) {
        self.push_weighted(row, 1.0);
    }

    /// Takes one row that counts `weight` times, a positive number; a row of weight zero is no row at all.
    pub fn push_weighted(&mut self, row: &[f64], weight: f64) {
        if let Some((target, features)) = row.split_last() {
            self.push_exact(features, *target, &[], weight);
        }
    }

    /// The same of features that were rounded to doubles: `rests` is what each of them lacks, or nothing.
    pub fn push_exact(&mut self, features: &[f64], target: f64, rests: &[f64], weight: f64) {
        debug_assert_eq!(features.len() + 1, self.moments.shift.len(), "a row has one value a column");
        if weight == 0.0 {
            return;
        }
        self.weights.push(weight);
        self.moments.compare(features, target, rests);
        let start = self.block.len();
        let shifted = |(value, shift): (&f64, &f64)| value - shift;
        self.block.extend(features.iter().zip(&self.moments.shift).map(shifted));
        self.block.extend(self.moments.shift.last().map(|shift| target - shift));
        let shifted = self.block.iter_mut().skip(start);
        shifted.zip(rests).for_each(|(value, rest)| *value += rest);
        if self.block.len() >= BLOCK_ROWS * self.moments.shift.len() {
            self.reduce();
        }
    }

    /// What is known of all rows so far.
    #[must_use]
    pub fn finish(mut self) -> Moments {
        self.reduce();
        self.moments
    }

    fn reduce(&mut self) {
        let columns = self.moments.shift.len();
        let rows = self.weights.len();
        if rows == 0 {
            return;
        }
        let weight = self.weights.iter().sum::<f64>();
        let roots: Vec<f64> = self.weights.iter().map(|weight| weight.sqrt()).collect();
        // With room for the row that bridges the means.
        let mut block = simd::columns(&self.block, columns, BLOCK_ROWS + 1);
        let mut mean = Vec::with_capacity(columns);
        for column in &mut block {
            let centre = dot(column, &self.weights) / weight;
            for (value, root) in column.iter_mut().zip(&roots) {
                *value = root * (*value - centre);
            }
            mean.push(centre);
        }
        self.moments.join(rows as u64, weight, &mean, block);
        self.moments.flatten_constants();
        self.block.clear();
        self.weights.clear();
    }
}

/// Row count, weight, mean and scatter of the columns `[X y]`: everything least squares needs to know of the data.
#[derive(Debug, Clone)]
pub struct Moments {
    rows: u64,
    /// Sum of the rows' weights.
    weight: f64,
    /// Subtracted from every row before anything else.
    shift: Vec<f64>,
    /// Mean of each column, less the shift.
    mean: Vec<f64>,
    /// `R` with `RᵀR` = the scatter about the mean.
    triangle: Triangle,
    /// The first row, as it was given, and what its values lack for being doubles.
    first: Vec<(f64, f64)>,
    /// Whether a column has another value in any row: rounding hides that from the triangle, and makes it up.
    varies: Vec<bool>,
    /// Whether zero stands for the mean everywhere.
    about_zero: bool,
}

impl Moments {
    fn empty(shift: Vec<f64>) -> Self {
        let columns = shift.len();
        let (mean, triangle) = (vec![0.0; columns], Triangle::zeros(columns));
        let (first, varies) = (Vec::new(), vec![false; columns]);
        Self { rows: 0, weight: 0.0, shift, mean, triangle, first, varies, about_zero: false }
    }

    /// Takes note of the columns in which a row differs from the first.
    fn compare(&mut self, features: &[f64], target: f64, rests: &[f64]) {
        let rests = rests.iter().copied().chain(std::iter::repeat(0.0));
        let row = features.iter().copied().chain([target]).zip(rests);
        if self.first.is_empty() {
            self.first = row.collect();
        } else {
            self.varies
                .iter_mut()
                .zip(row.zip(&self.first))
                .for_each(|(varies, (value, first))| *varies |= value != *first);
        }
    }

    /// Whether a column has one value in all rows; without an intercept, whether that is zero.
    fn is_constant(&self, column: usize) -> bool {
        self.varies.get(column).is_none_or(|varies| !varies)
    }

    /// A constant column has no length. Its mean is rounded, and so is what is left of a value without its mean: the triangle
    /// would hold 10⁻¹⁶ of it, which a solver must not divide by.
    fn flatten_constants(&mut self) {
        for column in 0..self.shift.len() {
            if self.is_constant(column) {
                self.triangle.clear_column(column);
            }
        }
    }

    /// What fits without an intercept need to know of the same rows: zero takes the place of the mean, and the scatter is
    /// `XᵀWX`. They are merged with their like only.
    #[must_use]
    pub fn about_zero(mut self) -> Self {
        let root = self.weight.sqrt();
        let mut offset: Vec<Vec<f64>> = self.means().iter().map(|mean| vec![root * mean]).collect();
        self.triangle.absorb(&mut offset);
        self.shift.fill(0.0);
        self.mean.fill(0.0);
        self.about_zero = true;
        // It differs from zero then, or there are rows in which it does.
        self.varies.iter_mut().zip(&self.first).for_each(|(varies, (value, _))| *varies |= *value != 0.0);
        // The mean of a column of zeros that was shifted by another row is rounded, too.
        self.flatten_constants();
        self
    }

    /// Numbers that a fit spends beside its coefficients: the intercept, where there is one.
    pub(crate) fn intercepts(&self) -> usize {
        usize::from(!self.about_zero)
    }

    /// Rows seen.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The sum of their weights: the number of rows, when none was given.
    #[must_use]
    pub fn weight(&self) -> f64 {
        self.weight
    }

    /// The mean of each column, features then target.
    pub(crate) fn means(&self) -> Vec<f64> {
        self.exact_means().map(|mean| mean.parts().0).collect()
    }

    /// The same with what they lack for being doubles: of columns far from zero that is more than their neighbours' digits.
    pub(crate) fn exact_means(&self) -> impl Iterator<Item = DoubleDouble> {
        self.mean.iter().zip(&self.shift).map(|(mean, shift)| DoubleDouble::from(*mean) + DoubleDouble::from(*shift))
    }

    /// R of the centred columns, features then target.
    pub(crate) fn triangle(&self) -> &Triangle {
        &self.triangle
    }

    /// `Σ w (y − ŷ)²` over these rows, of a plane that may have been fitted to others: no row is read for it.
    pub(crate) fn squared_error(&self, means: &[f64], intercept: f64, coefficients: &[f64]) -> f64 {
        let minus: Vec<f64> = coefficients.iter().map(|coefficient| -coefficient).chain([1.0]).collect();
        let about_mean: f64 = self.triangle.times(&minus).iter().map(|rest| rest * rest).sum();
        // The origin of the plane is subtracted from the shift first: both are near the data, and far from zero perhaps.
        let origin = means.iter().chain([&intercept]);
        let offsets =
            self.mean.iter().zip(&self.shift).zip(origin).map(|((mean, shift), origin)| mean + (shift - origin));
        let mean_residual: f64 = offsets.zip(&minus).map(|(offset, factor)| offset * factor).sum();
        about_mean + self.weight * mean_residual * mean_residual
    }

    /// What is known of the rows of both, as if they had been one stream.
    #[must_use]
    pub fn merge(&self, other: &Self) -> Self {
        let mut merged = self.clone();
        if other.rows > 0 {
            let shifts = other.shift.iter().zip(&self.shift);
            let mean: Vec<f64> =
                other.mean.iter().zip(shifts).map(|(mean, (theirs, ours))| mean + (theirs - ours)).collect();
            let padded = |column| {
                let mut entries = other.triangle.column(column);
                entries.resize(other.shift.len(), 0.0);
                entries
            };
            if merged.first.is_empty() {
                merged.first.clone_from(&other.first);
            }
            let theirs = other.varies.iter().zip(&other.first);
            for ((varies, first), (theirs, their_first)) in merged.varies.iter_mut().zip(&merged.first).zip(theirs) {
                *varies |= *theirs || first != their_first;
            }
            merged.join(other.rows, other.weight, &mean, (0..other.shift.len()).map(padded).collect());
            merged.flatten_constants();
        }
        merged
    }

    /// Joins rows of which these columns have the scatter about their mean, which is given less the shift.
    fn join(&mut self, rows: u64, weight: f64, mean: &[f64], mut columns: Vec<Vec<f64>>) {
        let total = self.weight + weight;
        let share = weight / total;
        let bridge = (self.weight * share).sqrt();
        for ((ours, theirs), column) in self.mean.iter_mut().zip(mean).zip(&mut columns) {
            let apart = theirs - *ours;
            column.push(bridge * apart);
            *ours += share * apart;
        }
        self.triangle.absorb(&mut columns);
        self.rows += rows;
        self.weight = total;
    }

    /// The length of each centred column, features then target: none of them zero, all of them of a size to be computed with.
    ///
    /// # Errors
    /// [`LeastSquaresError`], naming the column that is constant, not finite, or of extreme size.
    pub(crate) fn lengths(&self, names: &[String]) -> Result<Vec<f64>, LeastSquaresError> {
        let features = self.shift.len().saturating_sub(1);
        let name = |column: usize| names.get(column).cloned().unwrap_or_default();
        let lengths = self.unchecked_lengths();
        for (column, (length, mean)) in lengths.iter().zip(&self.mean).enumerate() {
            // What coefficients are divided by has an inverse; errors, which are a small part of the target, have squares.
            let fits = length.is_normal() && (column != features || TARGET_LENGTHS.contains(length));
            let is_constant = self.is_constant(column);
            if !(mean.is_finite() && (fits || is_constant)) {
                return Err(LeastSquaresError::NotFinite { name: name(column) });
            }
            if is_constant && column == features {
                return Err(LeastSquaresError::ConstantTarget { name: name(column) });
            }
            if is_constant {
                return Err(LeastSquaresError::ConstantFeature { name: name(column) });
            }
        }
        Ok(lengths)
    }

    /// The length of each centred column, whatever it is.
    pub(crate) fn unchecked_lengths(&self) -> Vec<f64> {
        let length = |column| self.triangle.column(column).into_iter().fold(0.0, f64::hypot);
        (0..self.shift.len()).map(length).collect()
    }

    /// The coefficients that minimise the sum of squared residuals. `names`: the features, then the target.
    ///
    /// # Errors
    /// [`LeastSquaresError`], naming the columns, when there is no single finite answer.
    pub fn solve(&self, names: &[String]) -> Result<LeastSquares, LeastSquaresError> {
        let features = self.shift.len().saturating_sub(1);
        let name = |column: usize| names.get(column).cloned().unwrap_or_default();
        if self.rows < (features + self.intercepts()) as u64 {
            return Err(LeastSquaresError::TooFewRows { rows: self.rows, features, intercept: !self.about_zero });
        }
        let lengths = self.lengths(names)?;
        self.independent(&lengths, names)?;

        let design = self.triangle.leading(features);
        let target = self.triangle.column(features);
        let (residual, projection) = target.split_last().map_or((0.0, &[][..]), |(last, rest)| (*last, rest));
        let mean = self.means();
        let (target_mean, means) = mean.split_last().map_or((0.0, &[][..]), |(last, rest)| (*last, rest));
        let coefficients = design.solve(projection);
        if let Some(column) = coefficients.iter().position(|coefficient| !coefficient.is_finite()) {
            return Err(LeastSquaresError::NotFinite { name: name(column) });
        }
        Ok(LeastSquares {
            rows: self.rows,
            through_origin: self.about_zero,
            means: means.to_vec(),
            intercept: target_mean,
            intercept_rest: 0.0,
            coefficient_rests: vec![0.0; coefficients.len()],
            coefficients,
            triangle: design,
            unit_errors: None,
            explained_sum_of_squares: dot(projection, projection),
            residual_sum_of_squares: residual * residual,
        })
    }
}

/// A fitted plane in centred form: `y = intercept + Σ coefficientⱼ · (xⱼ − meanⱼ)`.
#[derive(Debug, Clone, PartialEq)]
pub struct LeastSquares {
    /// Rows it was fitted to.
    pub rows: u64,
    /// Whether it has no intercept: it and the means are zero then, and whatever is said of deviations from a mean is
    /// meant of those from zero.
    pub through_origin: bool,
    /// Where each feature is centred: its mean, rounded to a double.
    pub means: Vec<f64>,
    /// The prediction at the means.
    pub intercept: f64,
    /// What the intercept lacks for being a double: what is subtracted from it far from the means may leave no more.
    pub intercept_rest: f64,
    /// One a feature, in units of the target for a unit of the feature.
    pub coefficients: Vec<f64>,
    /// What each of them lacks for being a double.
    pub coefficient_rests: Vec<f64>,
    /// R of the centred features: `RᵀR = (X − mean)ᵀ W (X − mean)`, `W` being the weights.
    pub triangle: Triangle,
    /// Standard errors for noise of standard deviation 1, where they are known with more digits than `triangle` leaves.
    pub unit_errors: Option<UnitErrors>,
    /// `Σ w (ŷ − mean of y)²` over the rows it was fitted to.
    pub explained_sum_of_squares: f64,
    /// `Σ w (y − ŷ)²` over the rows it was fitted to.
    pub residual_sum_of_squares: f64,
}

impl LeastSquares {
    /// `y − ŷ` of one row of the design, of which `rests` is what each column lacks for being a double, or nothing.
    ///
    /// Columns that hardly differ, as powers of a number far from zero do, have large coefficients whose terms cancel: what is left
    /// has the digits of a double only where the terms have more.
    pub(crate) fn residual(&self, design: &[f64], rests: &[f64], target: f64) -> f64 {
        if rests.is_empty() && self.unit_errors.is_none() {
            let terms = self.coefficients.iter().zip(design.iter().zip(&self.means));
            return target
                - (self.intercept + terms.map(|(coefficient, (x, mean))| coefficient * (x - mean)).sum::<f64>());
        }
        let coefficients = self.coefficients.iter().copied().zip(self.coefficient_rests.iter().copied());
        let rests = rests.iter().copied().chain(std::iter::repeat(0.0));
        let columns = design.iter().copied().zip(rests).zip(&self.means);
        let start = DoubleDouble::from(target) - DoubleDouble::from((self.intercept, self.intercept_rest));
        let residual = coefficients.zip(columns).fold(start, |residual, (coefficient, (column, mean))| {
            residual - DoubleDouble::from(coefficient) * (DoubleDouble::from(column) - DoubleDouble::from(*mean))
        });
        residual.to_f64()
    }

    /// How many numbers were fitted: a coefficient a feature, and the intercept where there is one.
    #[must_use]
    pub fn parameters(&self) -> u64 {
        self.means.len() as u64 + u64::from(!self.through_origin)
    }

    /// Rows that are left after these have been paid for.
    #[must_use]
    pub fn degrees_of_freedom(&self) -> u64 {
        self.rows.saturating_sub(self.parameters())
    }

    /// Of each column, the share of its length that the columns before it do not make up: what of its digits counts.
    pub fn own_shares(&self) -> impl Iterator<Item = f64> {
        self.triangle.rows().iter().enumerate().map(|(column, row)| {
            let length = self.triangle.column(column).into_iter().fold(0.0, f64::hypot);
            row.first().map_or(0.0, |own| own / length)
        })
    }

    /// Whether the residuals are no more than what the target's own rounding leaves.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        let at_mean = self.rows as f64 * self.intercept * self.intercept;
        let squares = self.explained_sum_of_squares + self.residual_sum_of_squares + at_mean;
        self.residual_sum_of_squares <= f64::EPSILON * f64::EPSILON * squares
    }

    /// The estimate of the noise's variance, `residual sum of squares / degrees of freedom`; none when no degree of
    /// freedom is left.
    #[must_use]
    pub fn residual_variance(&self) -> Option<f64> {
        let freedom = self.degrees_of_freedom();
        (freedom > 0).then(|| self.residual_sum_of_squares / freedom as f64)
    }
}

#[cfg(test)]
pub(crate) mod nist;
#[cfg(test)]
mod tests;
