//! Logistic regression with two or more classes, by Newton's method over a stream of rows.
//!
//! The objective is that of scikit-learn, on standardised features (weighted mean, population standard deviation). The intercepts
//! are not penalised:
//!
//! ```text
//! C · Σ w · −ln p(class) + ½ ‖b‖²        p = sigmoid of one score, or softmax of one score for each class
//! ```
//!
//! Every iteration is one pass that sums loss, gradient and Hessian, in memory that does not depend on the number of rows.
//! Newton's method converges quadratically, whatever the units of the columns; a step that does not reduce the objective is
//! halved. For more than two classes, adding a constant to all scores does not change the probabilities: this direction is fixed,
//! and coefficients and intercepts sum to zero over the classes.

mod logistic_fit;
mod newton;
mod packed;
mod products;
mod settings;
mod standardisation;
mod sums;

use super::design_rows::DesignRows;
use super::error::SolveError;
pub use logistic_fit::LogisticFit;
pub(crate) use newton::Newton;
pub use settings::LogisticSettings;
use standardisation::Standardisation;
pub(crate) use standardisation::{StandardisationPass, position};

/// Fits the scores of `classes` classes. The target of a row is the position of its class.
///
/// # Errors
/// [`SolveError`] when a class has no rows, a column is constant or not finite, or the rows cannot be read. A fit that did not
/// converge is not an error: see [`LogisticFit::converged`].
pub fn fit(rows: &impl DesignRows, classes: usize, settings: &LogisticSettings) -> Result<LogisticFit, SolveError> {
    run(rows, standardisation(rows, classes)?.with_settings(settings).finish(rows.columns())?, settings)
}

/// As [`fit()`], for a part of rows whose columns are not constant: a column that is constant in the part gets the
/// coefficient 0.
///
/// # Errors
/// As [`fit()`], except for constant columns.
pub fn fit_of_part(
    rows: &impl DesignRows,
    classes: usize,
    settings: &LogisticSettings,
) -> Result<LogisticFit, SolveError> {
    run(rows, standardisation(rows, classes)?.with_settings(settings).finish_part()?, settings)
}

/// The columns that have the same value in every row.
///
/// # Errors
/// As [`fit()`], except for constant columns.
pub fn constant_columns(
    rows: &impl DesignRows,
    classes: usize,
    settings: &LogisticSettings,
) -> Result<Vec<usize>, SolveError> {
    standardisation(rows, classes)?.with_settings(settings).constant_columns(rows.columns())
}

fn standardisation(rows: &impl DesignRows, classes: usize) -> Result<StandardisationPass, SolveError> {
    let mut standardisation = StandardisationPass::new(rows.columns().len(), classes)?;
    rows.scan::<SolveError>(&mut |row| standardisation.push(row).map(|_| ()))?;
    Ok(standardisation)
}

fn run(
    rows: &impl DesignRows,
    standardisation: Standardisation,
    settings: &LogisticSettings,
) -> Result<LogisticFit, SolveError> {
    let mut newton = Newton::new(standardisation, settings)?;
    loop {
        rows.scan::<SolveError>(&mut |row| {
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
