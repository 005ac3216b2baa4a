//! The first pass of a logistic regression: means, standard deviations and classes.

use super::super::design_rows::{DesignRows, SparseRow};
use super::super::error::SolveError;
use super::super::leverage::MOST_COLUMNS;
use super::super::qr::power_of_two;
use super::level_counts::LevelCounts;
use super::settings::LogisticSettings;

/// Columns of 0 and 1 with a smaller fraction of ones are indicators, which are stored by their ones.
const ONES: u64 = 16;

/// Computes means, standard deviations, and the weight of each class.
#[derive(Debug, Clone)]
pub(crate) struct StandardisationPass {
    levels: LevelCounts,
    /// Whether there is an intercept, so that columns are centred.
    is_centred: bool,
    /// The columns that are not sparse. All that follows is about them.
    numbers: Vec<usize>,
    /// The first row, subtracted from all rows to preserve the digits of columns far from zero.
    shift: Vec<f64>,
    /// The mean of each column less the shift, and the sum of squares about it (Welford, 1962; with weights, West,
    /// 1979).
    means: Vec<f64>,
    squares: Vec<Squares>,
    /// Whether a column differs from its first value; the squares of tiny differences may underflow.
    varies: Vec<bool>,
    weight: f64,
    /// The number of rows with a weight.
    rows: u64,
    /// The weight of each class, and whether it has rows of any weight.
    classes: Vec<(f64, bool)>,
    /// The number of ones of a column of 0 and 1; nothing for other columns.
    ones: Vec<Option<u64>>,
}

impl StandardisationPass {
    /// Reads all rows.
    ///
    /// # Errors
    /// [`SolveError::TooFewClasses`], [`SolveError::NotAClass`] and [`SolveError::Spool`].
    pub(crate) fn over(rows: &impl DesignRows, classes: usize) -> Result<Self, SolveError> {
        let mut pass = Self::new(rows.columns().len(), rows.sparse_columns(), classes)?;
        rows.scan_sparse::<SolveError>(&mut |row| pass.push(row))?;
        Ok(pass)
    }

    fn new(columns: usize, sparse: Vec<usize>, classes: usize) -> Result<Self, SolveError> {
        if classes < 2 {
            return Err(SolveError::TooFewClasses(classes));
        }
        let numbers: Vec<usize> = (0..columns).filter(|column| sparse.binary_search(column).is_err()).collect();
        let columns = numbers.len();
        Ok(Self {
            levels: LevelCounts::new(sparse),
            is_centred: true,
            numbers,
            shift: Vec::new(),
            means: vec![0.0; columns],
            squares: vec![Squares::default(); columns],
            varies: vec![false; columns],
            weight: 0.0,
            rows: 0,
            classes: vec![(0.0, false); classes],
            ones: vec![Some(0); columns],
        })
    }

    fn push(&mut self, row: SparseRow<'_>) -> Result<(), SolveError> {
        let classes = self.classes.len();
        let class = position(row.target);
        let exact = (class as f64 - row.target).abs() == 0.0;
        let Some((class_weight, has_rows)) = self.classes.get_mut(class).filter(|_| exact) else {
            return Err(SolveError::NotAClass { row: row.number, value: row.target, classes });
        };
        *has_rows = true;
        if row.weight == 0.0 {
            return Ok(());
        }
        if self.weight == 0.0 {
            self.shift = row.numbers.to_vec();
        }
        *class_weight += row.weight;
        self.weight += row.weight;
        self.rows += 1;
        self.levels.push(row.ones, row.weight);
        for (value, ones) in row.numbers.iter().zip(&mut self.ones) {
            *ones = match *value {
                0.0 => *ones,
                1.0 => ones.map(|ones| ones + 1),
                _ => None,
            };
        }
        let fraction = row.weight / self.weight;
        let shifted = row.numbers.iter().zip(&self.shift).map(|(value, shift)| value - shift);
        let columns = self.means.iter_mut().zip(&mut self.squares).zip(&mut self.varies);
        for (value, ((mean, squares), varies)) in shifted.zip(columns) {
            // The difference of two different doubles is not zero.
            *varies |= value != 0.0;
            let apart = value - *mean;
            *mean += fraction * apart;
            squares.add(row.weight, apart, value - *mean);
        }
        Ok(())
    }

    /// Moves the centre to zero if the settings have no intercept.
    pub(crate) fn with_settings(mut self, settings: &LogisticSettings) -> Self {
        if !settings.intercept {
            self.is_centred = false;
            let columns = self.squares.iter_mut().zip(&mut self.varies);
            for ((squares, varies), (mean, shift)) in columns.zip(self.means.iter().zip(&self.shift)) {
                squares.add(self.weight, mean + shift, mean + shift);
                *varies |= *shift != 0.0;
            }
            self.means.fill(0.0);
            self.shift.fill(0.0);
        }
        self
    }

    /// The standardisation of all rows.
    ///
    /// # Errors
    /// [`SolveError`] when a class has no rows, or a column is constant or not finite.
    pub(crate) fn finish(self, names: &[String]) -> Result<Standardisation, SolveError> {
        if let Some(column) = self.constant_columns(names)?.first() {
            return Err(SolveError::ConstantFeature { name: names.get(*column).cloned().unwrap_or_default() });
        }
        self.check_classes()?;
        Ok(self.finish_part())
    }

    /// The columns with the same value in every row.
    ///
    /// # Errors
    /// [`SolveError::NotFinite`]
    pub(crate) fn constant_columns(&self, names: &[String]) -> Result<Vec<usize>, SolveError> {
        let not_finite = |column: usize| SolveError::NotFinite { name: names.get(column).cloned().unwrap_or_default() };
        let mut constant = Vec::new();
        let numbers = self.squares.iter().zip(&self.means).zip(&self.varies);
        for (((squares, mean), varies), column) in numbers.zip(&self.numbers) {
            // Columns are divided by the deviation, so it must have an inverse.
            if !(mean.is_finite() && (squares.deviation(self.weight).is_normal() || !varies)) {
                return Err(not_finite(*column));
            }
            constant.extend((!varies).then_some(*column));
        }
        for level in self.levels.moments(self.weight, self.is_centred) {
            if level.varies && !level.deviation.is_normal() {
                return Err(not_finite(level.column));
            }
            constant.extend((!level.varies).then_some(level.column));
        }
        constant.sort_unstable();
        Ok(constant)
    }

    /// Checks that every class has rows, and that two have a weight.
    fn check_classes(&self) -> Result<(), SolveError> {
        let with_weight = self.classes.iter().filter(|(weight, _)| *weight > 0.0).count();
        let missing = |(weight, has_rows): &(f64, bool)| !has_rows || (with_weight < 2 && *weight == 0.0);
        match self.classes.iter().position(missing) {
            Some(class) => Err(SolveError::MissingClass { class, classes: self.classes.len() }),
            None => Ok(()),
        }
    }

    /// The sparse columns, or of a dense design those that could be.
    fn indicators(&self) -> Vec<usize> {
        if !self.levels.columns().is_empty() {
            return self.levels.columns().to_vec();
        }
        let columns = self.ones.len();
        let is_indicator =
            |(_, ones): &(usize, &Option<u64>)| ones.is_some_and(|ones| ones.saturating_mul(ONES) <= self.rows);
        let found = self.ones.iter().enumerate().filter(is_indicator).map(|(column, _)| column);
        let found: Vec<usize> = if columns > MOST_COLUMNS { found.collect() } else { Vec::new() };
        if found.len() * 2 < columns { Vec::new() } else { found }
    }

    /// The number of ones of the indicators.
    fn ones(&self, indicators: &[usize]) -> u64 {
        if !self.levels.columns().is_empty() {
            return self.levels.ones();
        }
        indicators.iter().filter_map(|column| *self.ones.get(*column)?).sum()
    }

    /// The standardisation of a part of the rows. A column that is constant in the part gets the coefficient 0.
    pub(crate) fn finish_part(self) -> Standardisation {
        let columns = self.numbers.len() + self.levels.columns().len();
        let (mut means, mut scales, mut varies) = (vec![0.0; columns], vec![1.0; columns], vec![false; columns]);
        let mut set = |column: usize, mean: f64, deviation: f64, does_vary: bool| {
            means.get_mut(column).into_iter().for_each(|to| *to = mean);
            scales.get_mut(column).into_iter().for_each(|to| *to = if deviation > 0.0 { deviation } else { 1.0 });
            varies.get_mut(column).into_iter().for_each(|to| *to = does_vary);
        };
        // Without rows, there is no shift.
        let shifts = self.shift.iter().copied().chain(std::iter::repeat(0.0));
        let numbers = self.means.iter().zip(shifts).zip(&self.squares).zip(&self.varies);
        for ((((mean, shift), squares), varies), column) in numbers.zip(&self.numbers) {
            set(*column, mean + shift, squares.deviation(self.weight), *varies);
        }
        for level in self.levels.moments(self.weight, self.is_centred) {
            set(level.column, level.mean, level.deviation, level.varies);
        }
        let indicators = self.indicators();
        let ones = self.ones(&indicators);
        let present = self.classes.iter().enumerate().filter(|(_, (weight, _))| *weight > 0.0);
        Standardisation {
            means,
            scales,
            varies,
            weight: self.weight,
            rows: self.rows,
            class_weights: present.clone().map(|(_, (weight, _))| *weight).collect(),
            present: present.map(|(class, _)| class).collect(),
            classes: self.classes.len(),
            indicators,
            ones,
        }
    }
}

/// A sum of squares without overflow and underflow: of numbers divided by a power of two near the largest.
#[derive(Debug, Clone, Copy, Default)]
struct Squares {
    unit: f64,
    inverse: f64,
    sum: f64,
}

impl Squares {
    /// Adds the product of two numbers of the same sign, the larger one first.
    fn add(&mut self, weight: f64, larger: f64, smaller: f64) {
        if larger.abs() > self.unit {
            let unit = power_of_two(larger.abs());
            self.sum *= (self.unit / unit) * (self.unit / unit);
            self.unit = unit;
            // Exact, and faster than division by the unit.
            self.inverse = 1.0 / unit;
        }
        self.sum += weight * (larger * self.inverse) * (smaller * self.inverse);
    }

    /// The standard deviation for this total weight.
    fn deviation(&self, weight: f64) -> f64 {
        (self.sum / weight).sqrt() * self.unit
    }
}

/// The position of a class, from the target of a row.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Saturates; the pass compares.
pub(crate) fn position(target: f64) -> usize {
    target as usize
}

/// Means and scales of the columns.
#[derive(Debug, Clone)]
pub(crate) struct Standardisation {
    pub(crate) means: Vec<f64>,
    pub(crate) scales: Vec<f64>,
    /// Whether a column has several values.
    pub(super) varies: Vec<bool>,
    pub(crate) weight: f64,
    /// The number of rows with a weight.
    pub(crate) rows: u64,
    /// The classes of those rows, ascending.
    pub(crate) present: Vec<usize>,
    /// Their weights.
    pub(crate) class_weights: Vec<f64>,
    /// The number of classes.
    pub(crate) classes: usize,
    /// The columns of 0 and 1 that are mostly 0, ascending. Empty for designs that need their Gram matrix, or whose
    /// other columns are the most.
    pub(super) indicators: Vec<usize>,
    /// The number of their ones.
    pub(super) ones: u64,
}

impl Standardisation {
    /// The numbers that are stored of a row with an intercept, on average.
    pub(super) fn numbers_per_row(&self) -> f64 {
        let dense = self.means.len() - self.indicators.len() + 1;
        dense as f64 + self.ones as f64 / self.rows.max(1) as f64
    }
}
