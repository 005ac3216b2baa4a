//! Moments of a stream of rows: one pass, in bounded memory, without loss of digits.
//!
//! [`Moments`] are the weight and the mean of the rows, and the factor `R` with `RᵀR = Σ w (x − m)(x − m)ᵀ` of the columns
//! `[X y]`, centred about their mean `m`. Two sets of rows are merged by
//!
//! ```text
//! R = QR([ R₁ ; √w · (rows₂ − mean₂) ; √(W₁W₂/(W₁+W₂)) · (mean₂ − mean₁)ᵀ ])
//! ```
//!
//! where `R₂` may replace the second rows. This is the tall-skinny QR of Demmel, Grigori, Hoemmen and Langou (2012)
//! with the update of the mean of Chan, Golub and `LeVeque` (1983). `XᵀX` is never formed: that would square the
//! condition number, which is what makes the normal equations inaccurate.

mod crossed;
mod dependency;
mod groups;
mod sparse;

use std::ops::RangeInclusive;

use super::error::SolveError;
use super::qr::{UpperTriangle, dot};
use super::simd;
pub(crate) use crossed::CrossedGroups;
pub use crossed::LevelColumns;
pub use dependency::RedundantColumns;
use groups::Groups;
pub(crate) use groups::WithinGroups;
use ordinate_model::double_double::DoubleDouble;
pub(crate) use sparse::{SparseAccumulator, SparseMoments};

/// Rows in a block: few enough for the processor's cache, and one fewer than a multiple of the widest register, for the
/// row that joins the means.
const BLOCK_ROWS: usize = 255;

/// An entry of R ÷ the length of its column that is due to rounding.
const ROUNDING: f64 = 1e-14;

/// The lengths of a target for which the squares of the largest errors do not overflow, and those of rounding errors do
/// not underflow.
const TARGET_LENGTHS: RangeInclusive<f64> = 1e-130..=1e150;

/// Computes the [`Moments`] of rows that are added one by one.
#[derive(Debug, Clone)]
pub struct Accumulator {
    moments: Moments,
    /// Rows that are not added yet, row-major, less the shift.
    block: Vec<f64>,
    /// Their weights.
    weights: Vec<f64>,
    /// The rows, if a category has many levels.
    groups: Option<Groups>,
    /// The columns with the same value in all rows so far.
    constant: Vec<usize>,
}

impl Accumulator {
    /// `shift` is any point near the data, such as the first row: one value for each column, features then target. It
    /// preserves the digits of columns far from zero, such as timestamps.
    #[must_use]
    pub fn new(shift: Vec<f64>) -> Self {
        let constant = (0..shift.len()).collect();
        Self { moments: Moments::empty(shift), block: Vec::new(), weights: Vec::new(), groups: None, constant }
    }

    /// As [`new()`](Self::new), for columns of which these are the levels of one category or two. The time does not
    /// depend on the number of levels of one, and with two it grows with the cube of the second one's, but not with the
    /// rows. Each two levels with a common row take memory, up to a limit, beyond which the rows are in groups of the
    /// category with the most levels.
    #[must_use]
    pub fn with_levels(mut shift: Vec<f64>, levels: LevelColumns) -> Self {
        if levels.groups.is_empty() {
            return Self::new(shift);
        }
        for level in levels.groups.iter().chain(&levels.crossed) {
            shift.get_mut(*level).into_iter().for_each(|shift| *shift = 0.0);
        }
        let groups = Some(Groups::new(levels, shift.len()));
        Self { groups, ..Self::new(shift) }
    }

    /// Keeps so many cells of two categories.
    #[cfg(test)]
    pub(crate) fn with_most_cells(mut self, most_cells: usize) -> Self {
        if let Some(crossed) = self.groups.as_mut().and_then(|groups| groups.crossed.as_mut()) {
            crossed.most_cells = most_cells;
        }
        self
    }

    /// Adds a row with the low parts of its features, which are empty for exact features, and a positive weight. A row
    /// of weight zero is ignored.
    pub fn push_exact(&mut self, features: &[f64], target: f64, low_parts: &[f64], weight: f64) {
        debug_assert_eq!(features.len() + 1, self.moments.shift.len(), "a row has one value for each column");
        if weight == 0.0 {
            return;
        }
        self.moments.compare(features, target, low_parts, &mut self.constant);
        let start = self.block.len();
        let shifted = |(value, shift): (&f64, &f64)| value - shift;
        self.block.extend(features.iter().zip(&self.moments.shift).map(shifted));
        self.block.extend(self.moments.shift.last().map(|shift| target - shift));
        let shifted = self.block.iter_mut().skip(start);
        shifted.zip(low_parts).for_each(|(value, low_part)| *value += low_part);
        if let Some(groups) = &mut self.groups {
            groups.push(features, &self.block, weight);
            self.moments.rows += 1;
            self.block.clear();
            return;
        }
        self.weights.push(weight);
        if self.block.len() >= BLOCK_ROWS * self.moments.shift.len() {
            self.reduce();
        }
    }

    /// The moments of all rows.
    #[must_use]
    pub fn finish(mut self) -> Moments {
        self.reduce();
        match self.groups {
            Some(groups) if self.moments.rows > 0 => self.moments.of_groups(groups),
            _ => self.moments,
        }
    }

    fn reduce(&mut self) {
        let columns = self.moments.shift.len();
        let rows = self.weights.len();
        if rows == 0 {
            return;
        }
        let weight = self.weights.iter().sum::<f64>();
        let roots: Vec<f64> = self.weights.iter().map(|weight| weight.sqrt()).collect();
        // With space for the row that joins the means.
        let mut block = simd::columns(&self.block, columns, BLOCK_ROWS + 1);
        let mut mean = Vec::with_capacity(columns);
        for column in &mut block {
            let centre = dot(column, &self.weights) / weight;
            for (value, root) in column.iter_mut().zip(&roots) {
                *value = root * (*value - centre);
            }
            mean.push(centre);
        }
        self.moments.join((rows as u64, weight), &mean, block, rows);
        self.moments.flatten_constants();
        self.block.clear();
        self.weights.clear();
    }
}

/// The number, weight, mean and factor R of rows `[X y]`: everything that least squares needs of the data.
#[derive(Debug, Clone)]
pub struct Moments {
    rows: u64,
    /// Sum of the rows' weights.
    weight: f64,
    /// A point near the data, subtracted from every row.
    shift: Vec<f64>,
    /// The mean of each column, less the shift.
    mean: Vec<f64>,
    /// `R` with `RᵀR = Σ w (x − m)(x − m)ᵀ`.
    triangle: UpperTriangle,
    /// The first row: each value and its low part.
    first: Vec<(f64, f64)>,
    /// Whether a column has different values. The factor R does not show this, because of rounding.
    varies: Vec<bool>,
    /// Whether the moments are about zero instead of the mean.
    is_about_zero: bool,
    /// The rows in groups of a category with many levels, with which they are merged.
    groups: Option<Groups>,
}

impl Moments {
    fn empty(shift: Vec<f64>) -> Self {
        let columns = shift.len();
        let (mean, triangle) = (vec![0.0; columns], UpperTriangle::zeros(columns));
        let (first, varies) = (Vec::new(), vec![false; columns]);
        Self { rows: 0, weight: 0.0, shift, mean, triangle, first, varies, is_about_zero: false, groups: None }
    }

    /// Records the columns in which a row differs from the first: they are no longer among the constant ones.
    fn compare(&mut self, features: &[f64], target: f64, low_parts: &[f64], constant: &mut Vec<usize>) {
        let of = |values: &[f64], column: usize| values.get(column).copied();
        let value = |column| (of(features, column).unwrap_or(target), of(low_parts, column).unwrap_or_default());
        if self.first.is_empty() {
            self.first = (0..=features.len()).map(value).collect();
        }
        constant.retain(|column| {
            let is_equal = self.first.get(*column) == Some(&value(*column));
            self.varies.get_mut(*column).into_iter().for_each(|varies| *varies |= !is_equal);
            is_equal
        });
    }

    /// Whether a column has the same value in all rows, or for moments about zero, whether all values are zero.
    fn is_constant(&self, column: usize) -> bool {
        self.varies.get(column).is_none_or(|varies| !varies)
    }

    /// Sets constant columns of R to zero. Because means are rounded, R has about 10⁻¹⁶ of their values, by which a
    /// solver must not divide.
    fn flatten_constants(&mut self) {
        for column in 0..self.shift.len() {
            if self.is_constant(column) {
                self.triangle.clear_column(column);
            }
        }
    }

    /// The moments about zero, for fits without an intercept: `RᵀR = XᵀWX`. They can be merged with moments about zero
    /// only.
    #[must_use]
    pub fn about_zero(mut self) -> Self {
        let root = self.weight.sqrt();
        let mut offset: Vec<Vec<f64>> = self.means().iter().map(|mean| vec![root * mean]).collect();
        self.triangle.absorb_of_rank(&mut offset, self.most_independent_rows());
        self.shift.fill(0.0);
        self.mean.fill(0.0);
        self.is_about_zero = true;
        self.groups = None;
        // A constant column other than zero has a length about zero.
        self.varies.iter_mut().zip(&self.first).for_each(|(varies, (value, _))| *varies |= *value != 0.0);
        // The mean of a column of zeros that was shifted by another row is rounded, too.
        self.flatten_constants();
        self
    }

    /// Whether the rows are in groups, and those by two categories.
    pub(crate) fn has_groups(&self, are_crossed: bool) -> bool {
        self.groups.as_ref().is_some_and(|groups| groups.crossed.is_some() == are_crossed)
    }

    /// The number of intercepts of a fit: 1, or 0 for moments about zero.
    pub(crate) fn intercepts(&self) -> usize {
        usize::from(!self.is_about_zero)
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The sum of the weights: the number of rows for unweighted data.
    #[must_use]
    pub fn weight(&self) -> f64 {
        self.weight
    }

    /// The mean of each column, features then target.
    pub(crate) fn means(&self) -> Vec<f64> {
        self.exact_means().map(|mean| mean.parts().0).collect()
    }

    /// The means as double-doubles: far from zero, a double has too few digits.
    pub(crate) fn exact_means(&self) -> impl Iterator<Item = DoubleDouble> {
        self.mean.iter().zip(&self.shift).map(|(mean, shift)| DoubleDouble::from(*mean) + DoubleDouble::from(*shift))
    }

    /// The factor R of the centred columns, features then target.
    pub(crate) fn triangle(&self) -> &UpperTriangle {
        &self.triangle
    }

    /// `Σ w (y − ŷ)²` over these rows for the coefficients of any fit, without reading the rows.
    pub(crate) fn squared_error(&self, means: &[f64], intercept: f64, coefficients: &[f64]) -> f64 {
        let minus: Vec<f64> = coefficients.iter().map(|coefficient| -coefficient).chain([1.0]).collect();
        let about_mean: f64 = self.triangle.times(&minus).iter().map(|part| part * part).sum();
        // The origin of the fit is subtracted from the shift first, because both are near the data and may be far from
        // zero.
        let origin = means.iter().chain([&intercept]);
        let offsets =
            self.mean.iter().zip(&self.shift).zip(origin).map(|((mean, shift), origin)| mean + (shift - origin));
        let mean_residual: f64 = offsets.zip(&minus).map(|(offset, factor)| offset * factor).sum();
        about_mean + self.weight * mean_residual * mean_residual
    }

    /// The moments of the rows of both.
    #[must_use]
    pub fn merge(&self, other: &Self) -> Self {
        let mut merged = self.clone();
        if other.rows > 0 {
            let shifts = other.shift.iter().zip(&self.shift);
            let mean: Vec<f64> =
                other.mean.iter().zip(shifts).map(|(mean, (theirs, ours))| mean + (theirs - ours)).collect();
            let rows = other.rows_of_factor();
            let padded = |column| {
                let mut entries = other.triangle.column(column);
                // With space for the row that joins the means.
                entries.reserve(rows + simd::LANES);
                entries.resize(rows, 0.0);
                entries
            };
            if merged.first.is_empty() {
                merged.first.clone_from(&other.first);
            }
            let theirs = other.varies.iter().zip(&other.first);
            for ((varies, first), (theirs, their_first)) in merged.varies.iter_mut().zip(&merged.first).zip(theirs) {
                *varies |= *theirs || first != their_first;
            }
            if let (Some(mut groups), Some(theirs)) = (merged.groups.take(), &other.groups)
                && self.shift == other.shift
                && groups.has_levels_of(theirs)
            {
                groups.merge(theirs);
                merged.rows += other.rows;
                return merged.of_groups(groups);
            }
            // Of a large triangle, the row that joins the means is the first, so that columns stay short.
            let bridge_at = if rows > BLOCK_ROWS { 0 } else { rows };
            let columns = (0..other.shift.len()).map(padded).collect();
            merged.join((other.rows, other.weight), &mean, columns, bridge_at);
            merged.flatten_constants();
        }
        merged
    }

    /// The number of rows of R that contain more than rounding errors: as many as columns, or about as many as there
    /// are rows of data if those are fewer.
    pub(crate) fn rows_of_factor(&self) -> usize {
        let columns = self.shift.len();
        let fewest = self.most_independent_rows().min(columns);
        if fewest >= self.triangle.rows().len() {
            return self.triangle.rows().len();
        }
        let lengths = self.unchecked_lengths();
        let is_noise = |(row, entries): (usize, &Vec<f64>)| {
            entries.iter().zip(lengths.iter().skip(row)).all(|(entry, length)| entry.abs() <= ROUNDING * length)
        };
        let noise = self.triangle.rows().iter().enumerate().skip(fewest).rev().take_while(|row| is_noise(*row));
        self.triangle.rows().len() - noise.count()
    }

    fn most_independent_rows(&self) -> usize {
        usize::try_from(self.rows).unwrap_or(usize::MAX)
    }

    /// Merges rows with the given total weight and mean, less the shift. The columns are the centred rows, or their
    /// factor R; the row that joins the means is inserted at `bridge_at`.
    fn join(&mut self, (rows, weight): (u64, f64), mean: &[f64], mut columns: Vec<Vec<f64>>, bridge_at: usize) {
        let total = self.weight + weight;
        let fraction = weight / total;
        let bridge = (self.weight * fraction).sqrt();
        for ((ours, theirs), column) in self.mean.iter_mut().zip(mean).zip(&mut columns) {
            let apart = theirs - *ours;
            column.insert(bridge_at.min(column.len()), bridge * apart);
            *ours += fraction * apart;
        }
        self.rows += rows;
        self.triangle.absorb_of_rank(&mut columns, self.most_independent_rows());
        self.weight = total;
    }

    /// The length of each centred column, features then target.
    ///
    /// # Errors
    /// [`SolveError`] with the name of a column that is constant, not finite, or of extreme size.
    pub(crate) fn lengths(&self, names: &[String]) -> Result<Vec<f64>, SolveError> {
        let lengths = self.finite_lengths(names)?;
        self.check_target(names)?;
        match self.constant_features().first() {
            Some(column) => Err(SolveError::ConstantFeature { name: names.get(*column).cloned().unwrap_or_default() }),
            None => Ok(lengths),
        }
    }

    /// Checks that the target varies.
    ///
    /// # Errors
    /// [`SolveError::ConstantTarget`]
    pub(crate) fn check_target(&self, names: &[String]) -> Result<(), SolveError> {
        let target = self.shift.len().saturating_sub(1);
        let name = || names.get(target).cloned().unwrap_or_default();
        if self.is_constant(target) { Err(SolveError::ConstantTarget { name: name() }) } else { Ok(()) }
    }

    /// The length of each centred column, which is zero for a constant one.
    ///
    /// # Errors
    /// [`SolveError`] with the name of a column that is not finite, or of extreme size.
    pub(crate) fn finite_lengths(&self, names: &[String]) -> Result<Vec<f64>, SolveError> {
        let features = self.shift.len().saturating_sub(1);
        let lengths = self.unchecked_lengths();
        for (column, (length, mean)) in lengths.iter().zip(&self.mean).enumerate() {
            // Coefficients are divided by the length of a feature; the errors of the target are squared.
            let fits = length.is_normal() && (column != features || TARGET_LENGTHS.contains(length));
            if !(mean.is_finite() && (fits || self.is_constant(column))) {
                return Err(SolveError::NotFinite { name: names.get(column).cloned().unwrap_or_default() });
            }
        }
        Ok(lengths)
    }

    /// The length of each centred column, without checks.
    pub(crate) fn unchecked_lengths(&self) -> Vec<f64> {
        self.triangle.lengths()
    }
}
