//! The first look at the rows of a logistic regression.

use super::super::least_squares::LeastSquaresError;
use super::super::qr::power_of_two;
use super::super::rows::Row;
use super::{LogisticError, LogisticSettings};

/// The first look at the rows: means, standard deviations, and whether every class is there.
#[derive(Debug, Clone)]
pub(crate) struct Survey {
    /// The first row: constant columns stay exactly so, and columns far from zero keep their digits.
    shift: Vec<f64>,
    /// Mean of each column less the shift, and squares about it (Welford 1962, with West's weights of 1979).
    means: Vec<f64>,
    squares: Vec<Squares>,
    /// Whether a column has other values than that of the first row; squares of tiny differences may vanish.
    varies: Vec<bool>,
    weight: f64,
    /// The weight of each class.
    classes: Vec<f64>,
}

impl Survey {
    pub(crate) fn new(columns: usize, classes: usize) -> Result<Self, LogisticError> {
        if classes < 2 {
            return Err(LogisticError::TooFewClasses(classes));
        }
        Ok(Self {
            shift: Vec::new(),
            means: vec![0.0; columns],
            squares: vec![Squares::default(); columns],
            varies: vec![false; columns],
            weight: 0.0,
            classes: vec![0.0; classes],
        })
    }

    /// Takes one row, and says which class it is of.
    pub(crate) fn push(&mut self, row: Row<'_>) -> Result<usize, LogisticError> {
        let classes = self.classes.len();
        let class = position(row.target);
        let exact = (class as f64 - row.target).abs() == 0.0;
        let Some(of_class) = self.classes.get_mut(class).filter(|_| exact) else {
            return Err(LogisticError::NotAClass { row: row.number, value: row.target, classes });
        };
        if row.weight == 0.0 {
            return Ok(class);
        }
        if self.weight == 0.0 {
            self.shift = row.design.to_vec();
        }
        *of_class += row.weight;
        self.weight += row.weight;
        let share = row.weight / self.weight;
        let shifted = row.design.iter().zip(&self.shift).map(|(value, shift)| value - shift);
        let columns = self.means.iter_mut().zip(&mut self.squares).zip(&mut self.varies);
        for (value, ((mean, squares), varies)) in shifted.zip(columns) {
            // The difference of different doubles is never zero.
            *varies |= value != 0.0;
            let apart = value - *mean;
            *mean += share * apart;
            squares.add(row.weight, apart, value - *mean);
        }
        Ok(class)
    }

    /// The same about the point that these settings measure from: the means, or zero where there is no intercept.
    pub(crate) fn about(mut self, settings: &LogisticSettings) -> Self {
        if !settings.intercept {
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

    /// What was learned of the rows, when every class is there and every column varies.
    pub(crate) fn finish(self, names: &[String]) -> Result<Standard, LogisticError> {
        let columns = self.squares.iter().zip(&self.means).zip(&self.varies);
        for (((squares, mean), varies), name) in columns.zip(names) {
            // What columns are divided by has an inverse.
            if !(mean.is_finite() && (squares.deviation(self.weight).is_normal() || !varies)) {
                return Err(LeastSquaresError::NotFinite { name: name.clone() }.into());
            }
            if !varies {
                return Err(LeastSquaresError::ConstantFeature { name: name.clone() }.into());
            }
        }
        self.finish_part()
    }

    /// The same of a part of rows of which the whole is in order: a column that happens to be constant in this part
    /// gets the coefficient 0.
    pub(crate) fn finish_part(self) -> Result<Standard, LogisticError> {
        let classes = self.classes.len();
        if let Some(class) = self.classes.iter().position(|weight| *weight == 0.0) {
            return Err(LogisticError::MissingClass { class, classes });
        }
        let scale = |squares: &Squares| {
            let deviation = squares.deviation(self.weight);
            if deviation > 0.0 { deviation } else { 1.0 }
        };
        let scales = self.squares.iter().map(scale).collect();
        let means = self.means.iter().zip(&self.shift).map(|(mean, shift)| mean + shift).collect();
        Ok(Standard { means, scales, weight: self.weight, classes })
    }
}

/// A sum of squares that neither overflows nor vanishes: of numbers divided by a power of two near the largest of them.
#[derive(Debug, Clone, Copy, Default)]
struct Squares {
    unit: f64,
    sum: f64,
}

impl Squares {
    /// Adds a product of two numbers of one sign, the first of which is not the smaller.
    fn add(&mut self, weight: f64, larger: f64, smaller: f64) {
        if larger.abs() > self.unit {
            let unit = power_of_two(larger.abs());
            self.sum *= (self.unit / unit) * (self.unit / unit);
            self.unit = unit;
        }
        if self.unit > 0.0 {
            self.sum += weight * (larger / self.unit) * (smaller / self.unit);
        }
    }

    /// The standard deviation of rows of this weight.
    fn deviation(&self, weight: f64) -> f64 {
        (self.sum / weight).sqrt() * self.unit
    }
}

/// The position of a class whose target was found to be one.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Saturates; the caller compares.
pub(crate) fn position(target: f64) -> usize {
    target as usize
}

/// How rows are standardised.
#[derive(Debug, Clone)]
pub(crate) struct Standard {
    pub(crate) means: Vec<f64>,
    pub(crate) scales: Vec<f64>,
    pub(crate) weight: f64,
    pub(crate) classes: usize,
}
