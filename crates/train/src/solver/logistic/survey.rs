//! The first look at the rows of a logistic regression.

use super::super::least_squares::LeastSquaresError;
use super::super::rows::Row;
use super::{LogisticError, LogisticSettings};

/// The first look at the rows: means, standard deviations, and whether every class is there.
#[derive(Debug, Clone)]
pub(crate) struct Survey {
    /// The first row: constant columns stay exactly so, and columns far from zero keep their digits.
    shift: Vec<f64>,
    /// Mean of each column less the shift, and squares about it (Welford 1962, with West's weights of 1979).
    means: Vec<f64>,
    squares: Vec<f64>,
    weight: f64,
    /// The weight of each class.
    classes: Vec<f64>,
}

impl Survey {
    pub(crate) fn new(columns: usize, classes: usize) -> Result<Self, LogisticError> {
        if classes < 2 {
            return Err(LogisticError::TooFewClasses(classes));
        }
        let zeros = vec![0.0; columns];
        Ok(Self { shift: Vec::new(), means: zeros.clone(), squares: zeros, weight: 0.0, classes: vec![0.0; classes] })
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
        for ((value, mean), squares) in shifted.zip(&mut self.means).zip(&mut self.squares) {
            let apart = value - *mean;
            *mean += share * apart;
            *squares += row.weight * apart * (value - *mean);
        }
        Ok(class)
    }

    /// The same about the point that these settings measure from: the means, or zero where there is no intercept.
    pub(crate) fn about(mut self, settings: &LogisticSettings) -> Self {
        if !settings.intercept {
            for ((squares, mean), shift) in self.squares.iter_mut().zip(&self.means).zip(&self.shift) {
                *squares += self.weight * (mean + shift) * (mean + shift);
            }
            self.means.fill(0.0);
            self.shift.fill(0.0);
        }
        self
    }

    /// What was learned of the rows, when every class is there and every column varies.
    pub(crate) fn finish(self, names: &[String]) -> Result<Standard, LogisticError> {
        for ((squares, mean), name) in self.squares.iter().zip(&self.means).zip(names) {
            if !(squares.is_finite() && mean.is_finite()) {
                return Err(LeastSquaresError::NotFinite { name: name.clone() }.into());
            }
            if *squares == 0.0 {
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
        let scale = |squares: &f64| if *squares > 0.0 { (squares / self.weight).sqrt() } else { 1.0 };
        let scales = self.squares.iter().map(scale).collect();
        let means = self.means.iter().zip(&self.shift).map(|(mean, shift)| mean + shift).collect();
        Ok(Standard { means, scales, weight: self.weight, classes })
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
