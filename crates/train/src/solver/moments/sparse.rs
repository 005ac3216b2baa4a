//! Moments of rows with the levels of categories, most of whose columns are zero in a row.
//!
//! The columns of the levels need no factor R: their products are the weights of the rows with a level, or with two
//! levels of two categories. Two categories have at most as many such products as rows, so neither the time nor the
//! memory depends on the number of levels. The other columns, few numbers, have a factor R.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Accumulator, Moments};
use crate::solver::error::SolveError;
use crate::solver::qr::dot;
use ordinate_model::double_double::DoubleDouble;

/// The columns of a design of categories and numbers.
#[derive(Debug)]
struct Layout {
    /// The columns of the levels of each category, ascending, as many as its range of levels.
    categories: Vec<Vec<usize>>,
    /// The column of each level.
    levels: Vec<usize>,
    /// The other columns, ascending, without the target.
    numbers: Vec<usize>,
}

/// The rows with a level.
#[derive(Debug, Clone)]
pub(crate) struct LevelRows {
    rows: u64,
    pub(crate) weight: f64,
    /// The means of the numbers and the target, less the shift.
    means: Vec<f64>,
}

impl LevelRows {
    fn add(&mut self, rows: u64, weight: f64, means: &[f64]) {
        self.rows += rows;
        self.weight += weight;
        let fraction = if self.weight > 0.0 { weight / self.weight } else { 0.0 };
        for (ours, theirs) in self.means.iter_mut().zip(means) {
            *ours += fraction * (theirs - *ours);
        }
    }
}

/// Computes the [`SparseMoments`] of rows that are added one by one.
#[derive(Debug, Clone)]
pub(crate) struct SparseAccumulator {
    numbers: Accumulator,
    sparse: SparseMoments,
    row: Vec<f64>,
    low_parts: Vec<f64>,
    present: Vec<usize>,
}

impl SparseAccumulator {
    /// `near` is any point near the data, such as the first row, as in [`Accumulator::new`]. `categories`: the columns
    /// of the levels of each category, of which at most one is 1 in a row, and the others are 0.
    pub(crate) fn new(near: &[f64], categories: &[Vec<usize>]) -> Self {
        let levels = categories.concat();
        let is_level: Vec<bool> = near.iter().enumerate().map(|(column, _)| levels.contains(&column)).collect();
        let features = near.len().saturating_sub(1);
        let is_number = |column: &usize| is_level.get(*column).is_some_and(|is_level| !is_level);
        let numbers: Vec<usize> = (0..features).filter(is_number).collect();
        let shift: Vec<f64> =
            numbers.iter().chain([&features]).filter_map(|column| near.get(*column)).copied().collect();
        let empty = LevelRows { rows: 0, weight: 0.0, means: vec![0.0; shift.len()] };
        let numbers_of_rows = Accumulator::new(shift.clone());
        let sparse = SparseMoments {
            numbers: Moments::empty(shift),
            each: vec![empty; levels.len()],
            pairs: BTreeMap::new(),
            layout: Arc::new(Layout { categories: categories.to_vec(), levels, numbers }),
        };
        Self { numbers: numbers_of_rows, sparse, row: Vec::new(), low_parts: Vec::new(), present: Vec::new() }
    }

    /// Adds a row, as [`Accumulator::push_exact`].
    pub(crate) fn push_exact(&mut self, features: &[f64], target: f64, low_parts: &[f64], weight: f64) {
        if weight == 0.0 {
            return;
        }
        let SparseMoments { layout, each, pairs, .. } = &mut self.sparse;
        let of_numbers = |values: &[f64], to: &mut Vec<f64>| {
            to.clear();
            to.extend(layout.numbers.iter().filter_map(|column| values.get(*column)));
        };
        of_numbers(features, &mut self.row);
        of_numbers(low_parts, &mut self.low_parts);
        self.numbers.push_exact(&self.row, target, &self.low_parts, weight);
        self.row.push(target);
        let shift = &self.numbers.moments.shift;
        self.row.iter_mut().zip(shift).for_each(|(value, shift)| *value -= shift);
        self.row.iter_mut().zip(&self.low_parts).for_each(|(value, low_part)| *value += low_part);
        self.present.clear();
        let mut first = 0;
        for category in &layout.categories {
            let has = |column: &usize| features.get(*column).is_some_and(|value| *value != 0.0);
            self.present.extend(category.iter().position(has).map(|place| first + place));
            first += category.len();
        }
        for (place, level) in self.present.iter().enumerate() {
            each.get_mut(*level).into_iter().for_each(|rows| rows.add(1, weight, &self.row));
            for other in self.present.iter().skip(place + 1) {
                *pairs.entry((*level, *other)).or_insert(0.0) += weight;
            }
        }
    }

    /// The moments of all rows.
    pub(crate) fn finish(self) -> SparseMoments {
        SparseMoments { numbers: self.numbers.finish(), ..self.sparse }
    }
}

/// The number, weight and products of rows of categories, numbers and a target.
#[derive(Debug, Clone)]
pub(crate) struct SparseMoments {
    layout: Arc<Layout>,
    /// Of the columns that are not levels, and the target.
    numbers: Moments,
    each: Vec<LevelRows>,
    /// The weight of the rows with two levels. The first one belongs to the earlier category.
    pairs: BTreeMap<(usize, usize), f64>,
}

impl SparseMoments {
    /// As [`Moments::about_zero`].
    pub(crate) fn about_zero(mut self) -> Self {
        for rows in &mut self.each {
            rows.means.iter_mut().zip(&self.numbers.shift).for_each(|(mean, shift)| *mean += shift);
        }
        self.numbers = self.numbers.about_zero();
        self
    }

    /// The moments of the rows of both, which have the same shift.
    pub(crate) fn merge(&self, other: &Self) -> Self {
        debug_assert_eq!(self.numbers.shift, other.numbers.shift, "the means are relative to one shift");
        let mut merged = self.clone();
        if other.rows() > 0 {
            merged.numbers = self.numbers.merge(&other.numbers);
            for (ours, theirs) in merged.each.iter_mut().zip(&other.each) {
                ours.add(theirs.rows, theirs.weight, &theirs.means);
            }
            for (levels, weight) in &other.pairs {
                *merged.pairs.entry(*levels).or_insert(0.0) += weight;
            }
        }
        merged
    }

    pub(crate) fn rows(&self) -> u64 {
        self.numbers.rows
    }

    pub(crate) fn weight(&self) -> f64 {
        self.numbers.weight
    }

    /// The moments of the numbers and the target.
    pub(crate) fn numbers(&self) -> &Moments {
        &self.numbers
    }

    /// The columns of the numbers.
    pub(crate) fn number_columns(&self) -> &[usize] {
        &self.layout.numbers
    }

    /// The column of each level.
    pub(crate) fn level_columns(&self) -> &[usize] {
        &self.layout.levels
    }

    /// The rows of each level.
    pub(crate) fn each_level(&self) -> &[LevelRows] {
        &self.each
    }

    /// The weight of the rows with two levels.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = ((usize, usize), f64)> {
        self.pairs.iter().map(|(levels, weight)| (*levels, *weight))
    }

    /// The distances of the means of the rows with a level from those of all rows, of the numbers and the target.
    pub(crate) fn apart<'m>(&'m self, level: &'m LevelRows) -> impl Iterator<Item = f64> + 'm {
        level.means.iter().zip(&self.numbers.mean).map(|(own, mean)| own - mean)
    }

    /// The mean of a level's column, or 0 about zero.
    pub(crate) fn fraction(&self, level: &LevelRows) -> f64 {
        if self.numbers.is_about_zero { 0.0 } else { level.weight / self.weight() }
    }

    /// Whether a level occurs in no row, or for moments about the mean, in all rows.
    pub(crate) fn is_constant_level(&self, level: &LevelRows) -> bool {
        level.rows == 0 || (!self.numbers.is_about_zero && level.rows == self.rows())
    }

    /// The mean of each column, features then target, as [`Moments::exact_means`].
    pub(crate) fn exact_means(&self) -> Vec<DoubleDouble> {
        let Layout { levels, numbers, .. } = &*self.layout;
        let features = levels.len() + numbers.len();
        let mut means = vec![DoubleDouble::default(); features + 1];
        let mut set = |column: usize, value| means.get_mut(column).into_iter().for_each(|mean| *mean = value);
        numbers.iter().chain([&features]).zip(self.numbers.exact_means()).for_each(|(column, mean)| set(*column, mean));
        levels.iter().zip(&self.each).for_each(|(column, rows)| set(*column, self.fraction(rows).into()));
        means
    }

    /// The features that are constant, ascending.
    pub(crate) fn constant_features(&self) -> Vec<usize> {
        let numbers = self.layout.numbers.iter().enumerate().filter(|(at, _)| self.numbers.is_constant(*at));
        let levels = self.layout.levels.iter().zip(&self.each).filter(|(_, rows)| self.is_constant_level(rows));
        let mut constant: Vec<usize> =
            numbers.map(|(_, column)| *column).chain(levels.map(|(column, _)| *column)).collect();
        constant.sort_unstable();
        constant
    }

    /// Checks the numbers and the target. `names`: the features, then the target.
    ///
    /// # Errors
    /// [`SolveError`] with the name of a column that is not finite or of extreme size, or of a target that is constant.
    pub(crate) fn check(&self, names: &[String]) -> Result<(), SolveError> {
        let target = names.len().saturating_sub(1);
        let columns = self.layout.numbers.iter().chain([&target]);
        let names: Vec<String> = columns.filter_map(|column| names.get(*column)).cloned().collect();
        self.numbers.finite_lengths(&names)?;
        self.numbers.check_target(&names)
    }

    /// As [`Moments::squared_error`].
    pub(crate) fn squared_error(&self, means: &[f64], intercept: f64, coefficients: &[f64]) -> f64 {
        let of = |values: &[f64], columns: &[usize]| -> Vec<f64> {
            columns.iter().filter_map(|column| values.get(*column)).copied().collect()
        };
        let Layout { levels, numbers, .. } = &*self.layout;
        let (of_levels, of_numbers) = (of(coefficients, levels), of(coefficients, numbers));
        let minus: Vec<f64> = of_numbers.iter().map(|coefficient| -coefficient).chain([1.0]).collect();
        let without_levels = self.numbers.triangle.times(&minus);
        // The residual without the levels about its mean, and the part of the levels about its mean.
        let mut squares = dot(&without_levels, &without_levels);
        let mut mean_of_levels = 0.0;
        for (rows, coefficient) in self.each.iter().zip(&of_levels) {
            let residual: f64 = self.apart(rows).zip(&minus).map(|(apart, factor)| apart * factor).sum();
            squares += rows.weight * coefficient * (coefficient - 2.0 * residual);
            mean_of_levels += self.fraction(rows) * coefficient;
        }
        for ((left, right), weight) in self.pairs() {
            let [left, right] = [left, right].map(|level| of_levels.get(level).copied().unwrap_or_default());
            squares += 2.0 * weight * left * right;
        }
        squares -= self.weight() * mean_of_levels * mean_of_levels;
        let origin = of(means, numbers).into_iter().chain([intercept]);
        let centers = self.numbers.mean.iter().zip(&self.numbers.shift).zip(origin);
        let of_others: f64 = centers
            .map(|((mean, shift), origin)| mean + (shift - origin))
            .zip(&minus)
            .map(|(mean, factor)| mean * factor)
            .sum();
        let at_origin = of(means, levels);
        let of_level =
            |((rows, mean), coefficient): ((&LevelRows, &f64), &f64)| (self.fraction(rows) - mean) * coefficient;
        let mean_residual = of_others - self.each.iter().zip(&at_origin).zip(&of_levels).map(of_level).sum::<f64>();
        squares.max(0.0) + self.weight() * mean_residual * mean_residual
    }
}
