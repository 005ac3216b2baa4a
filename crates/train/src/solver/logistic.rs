//! Logistic regression with two classes or more, by Newton's method over a stream of rows.
//!
//! The objective is scikit-learn's, on standardised features (weighted mean, population standard deviation), the intercepts free:
//!
//! ```text
//! C · Σ w · −ln p(class) + ½ ‖b‖²        p = sigmoid of one score, or softmax of one score a class
//! ```
//!
//! Every iteration is one pass, which adds up loss, slope and curvature; nothing that grows with the rows is kept.
//! Newton's steps double the digits each time, whatever the units of the columns, and a step that does not
//! lower the objective is halved. With more classes than two, adding the same to all scores changes no probability: that direction is
//! pinned, and coefficients and intercepts sum to zero over the classes.

mod newton;
mod products;
mod sums;
mod survey;

use thiserror::Error;

use super::least_squares::LeastSquaresError;
use super::leverage::Spread;
use super::rows::Rows;
pub(crate) use newton::Newton;
use ordinate_table::SpoolError;
use survey::Standard;
pub(crate) use survey::{Survey, position};

/// Why no classes can be told apart.
#[derive(Debug, Error, PartialEq)]
pub enum LogisticError {
    /// Telling apart takes two.
    #[error("there is only {0} class, but there must be at least two to tell apart. Choose another --target")]
    TooFewClasses(usize),
    /// A class has no row.
    #[error(
        "class {} of {classes} has no row to be learned from. \
         Hold out fewer rows, take another --seed, or leave the class out of the data", class + 1
    )]
    MissingClass {
        /// Its position among the classes, from 0.
        class: usize,
        /// How many there are.
        classes: usize,
    },
    /// A target that is no class.
    #[error("row {row}: the target {value} is not the position of one of {classes} classes")]
    NotAClass {
        /// The row's number, from 0.
        row: u64,
        /// Its target.
        value: f64,
        /// How many classes there are.
        classes: usize,
    },
    /// A setting that makes no sense.
    #[error("{name} is {value}, but it must be a positive, finite number")]
    InvalidSetting {
        /// Which.
        name: &'static str,
        /// What it is.
        value: f64,
    },
    /// A column is constant or not finite.
    #[error(transparent)]
    Column(#[from] LeastSquaresError),
    /// The rows cannot be read.
    #[error(transparent)]
    Rows(#[from] SpoolError),
}

/// How to fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogisticSettings {
    /// The price of errors against that of large coefficients: 1 / alpha.
    pub c: f64,
    /// Whether scores have an intercept. Without, features are not centred, and divided by their root mean square.
    pub intercept: bool,
    /// Passes over the rows, at most.
    pub max_iterations: u32,
    /// The largest slope of the mean loss (with its share of the penalty), by any parameter, that counts as none.
    pub tolerance: f64,
}

impl Default for LogisticSettings {
    fn default() -> Self {
        Self { c: 1.0, intercept: true, max_iterations: 100, tolerance: 1e-8 }
    }
}

/// Fitted scores: `scoreₛ = interceptₛ + Σ coefficientⱼₛ · (xⱼ − meanⱼ) / scaleⱼ`.
#[derive(Debug, Clone, PartialEq)]
pub struct LogisticFit {
    /// The mean of each column.
    pub means: Vec<f64>,
    /// The population standard deviation of each column.
    pub scales: Vec<f64>,
    /// One a score: the log-odds of the second class of two, or one a class, which sum to 0.
    pub intercepts: Vec<f64>,
    /// For each standardised column, one a score; for more than two classes they sum to 0.
    pub coefficients: Vec<Vec<f64>>,
    /// Passes over the rows after the one that finds means and scales.
    pub iterations: u32,
    /// The largest slope before the last step; the step leaves about its square.
    pub gradient: f64,
    /// Whether slope and step are as small as was asked. Say so when it is not.
    pub converged: bool,
    /// Whether the classes can be told apart (nearly) without error, so that only the penalty keeps coefficients finite: they
    /// say more of `C` than of the data. Worth a warning.
    pub separated: bool,
    /// `Σ w · −ln p(class) / Σ w` over the rows it was fitted to, before the last step.
    pub log_loss: f64,
    /// How the rows are spread; of no more than [`MOST_COLUMNS`](super::leverage::MOST_COLUMNS).
    pub spread: Option<Spread>,
}

impl LogisticFit {
    /// `−ln p(class)` of a row.
    #[must_use]
    pub fn loss(&self, design: &[f64], class: usize) -> f64 {
        let mut scores = self.intercepts.clone();
        let standardised =
            design.iter().zip(&self.means).zip(&self.scales).map(|((x, mean), scale)| (x - mean) / scale);
        for (value, coefficients) in standardised.zip(&self.coefficients) {
            scores.iter_mut().zip(coefficients).for_each(|(score, coefficient)| *score += coefficient * value);
        }
        if scores.len() == 1 {
            scores.insert(0, 0.0);
        }
        let own = scores.get(class).copied().unwrap_or(f64::NAN);
        // ln Σ exp(scoreⱼ − own), nothing overflowing and nothing lost when the sum is nearly 1.
        let others = scores.iter().enumerate().filter(|(other, _)| *other != class).map(|(_, score)| score - own);
        let largest = others.clone().fold(0.0, f64::max);
        if largest == 0.0 {
            libm::log1p(others.map(libm::exp).sum::<f64>())
        } else {
            largest + libm::log(libm::exp(-largest) + others.map(|other| libm::exp(other - largest)).sum::<f64>())
        }
    }
}

/// Fits scores for `classes` classes; a row's target is the position of its class.
///
/// # Errors
/// [`LogisticError`] when a class has no row or a column is constant or not finite, and whatever reading fails with.
/// Not to converge is no error: it is said in the fit.
pub fn fit(rows: &impl Rows, classes: usize, settings: &LogisticSettings) -> Result<LogisticFit, LogisticError> {
    run(rows, survey(rows, classes)?.about(settings).finish(rows.columns())?, settings)
}

/// As [`fit()`], of a part of the rows of which the whole was found to be in order: a column that happens to be constant in this
/// part gets the coefficient 0.
///
/// # Errors
/// As [`fit()`], but for constant columns.
pub fn fit_of_part(
    rows: &impl Rows,
    classes: usize,
    settings: &LogisticSettings,
) -> Result<LogisticFit, LogisticError> {
    run(rows, survey(rows, classes)?.about(settings).finish_part()?, settings)
}

/// Whether all rows could be fitted, before parts of them are.
///
/// # Errors
/// As [`fit()`].
pub fn check(rows: &impl Rows, classes: usize, settings: &LogisticSettings) -> Result<(), LogisticError> {
    survey(rows, classes)?.about(settings).finish(rows.columns())?;
    Ok(())
}

fn survey(rows: &impl Rows, classes: usize) -> Result<Survey, LogisticError> {
    let mut survey = Survey::new(rows.columns().len(), classes)?;
    rows.scan::<LogisticError>(&mut |row| survey.push(row).map(|_| ()))?;
    Ok(survey)
}

fn run(rows: &impl Rows, standard: Standard, settings: &LogisticSettings) -> Result<LogisticFit, LogisticError> {
    let mut newton = Newton::new(standard, settings)?;
    loop {
        rows.scan::<LogisticError>(&mut |row| {
            newton.push(row);
            Ok(())
        })?;
        if newton.advance() {
            return Ok(newton.finish());
        }
    }
}

#[cfg(test)]
mod tests;
