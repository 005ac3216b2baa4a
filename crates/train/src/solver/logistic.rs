//! Logistic regression with two or more classes, by Newton's method.
//!
//! The objective is that of scikit-learn, on standardised features (weighted mean, population standard deviation). The
//! intercepts are not penalised:
//!
//! ```text
//! C · Σ w · −ln p(class) + ½ ‖b‖²        p = sigmoid of one score, or softmax of one score for each class
//! ```
//!
//! Newton's method converges quadratically, whatever the units of the columns; a step that does not reduce the
//! objective is halved. Where the Hessian is small, every iteration is one pass that sums loss, gradient and Hessian
//! (`newton`). For many classes or columns, a quasi-Newton method (`lbfgs`) descends to the gradient at which
//! scikit-learn stops by default; where more digits take little time, Newton's method with conjugate gradients finds
//! them (`truncated_newton`). The rows stay in memory if they fit. For more than two classes, adding a constant to all
//! scores does not change the probabilities: this direction is fixed, and coefficients and intercepts sum to zero over
//! the classes.

mod block_losses;
mod exponential;
mod indicators;
mod information;
pub(super) mod iterate;
mod lbfgs;
mod level_counts;
mod logistic_fit;
mod newton;
pub(super) mod packed;
mod passes;
mod preconditioner;
pub(super) mod products;
mod separation;
mod settings;
mod standardisation;
mod standardised_rows;
mod sums;
mod tiles;
mod truncated_newton;
mod unpenalised;

use super::design_rows::DesignRows;
use super::error::SolveError;
use super::leverage::{LeverageFactor, MOST_COLUMNS};
use super::qr::UpperTriangle;
pub use information::{LogisticInference, NoInference, ScoreInference};
use iterate::Solution;
use lbfgs::Descent;
pub(crate) use logistic_fit::FitLosses;
pub use logistic_fit::LogisticFit;
use ordinate_model::inference::DIAGONAL_INCREMENT;
use packed::packed_index;
use passes::{Pass, TileBlock};
use preconditioner::Preconditioner;
pub use separation::{
    ColumnSeparation, SeparatedClasses, Separation, SeparationProof, penalised_separation, separating_columns,
};
pub use settings::LogisticSettings;
use standardisation::Standardisation;
pub(crate) use standardisation::{StandardisationPass, position};
use standardised_rows::{StandardisedRows, fits_into_memory};
use sums::ColumnBlock;
pub use unpenalised::{UnpenalisedFit, fit_of_part_unpenalised, fit_unpenalised};

/// The usual number of passes of Newton's method, and of products with the Hessian in its truncated form.
const NEWTON_PASSES: f64 = 7.0;
const TRUNCATED_PASSES: f64 = 60.0;

/// The gradient at which a fit of many classes or columns has converged: that of scikit-learn by default.
const NEAR: f64 = 1e-4;

/// The most passes for that, and the operations after which a fit ends that has had
/// [`LogisticSettings::max_iterations`]: some minutes.
const MOST_PASSES: u32 = 3000;
const MOST_OPERATIONS: f64 = 1e12;

/// The operations in which a fit may find more digits: some hundredths of a second.
const FEW_OPERATIONS: f64 = 3e8;

/// As [`FEW_OPERATIONS`], for each of the many fits of a cross-validation.
const FEW_FOR_SCORES: f64 = FEW_OPERATIONS / 32.0;

/// Fits the scores of `classes` classes. The target of a row is the position of its class.
///
/// # Errors
/// [`SolveError`] when a class has no rows, a column is constant or not finite, or the rows cannot be read. A fit that did not
/// converge is not an error: see [`LogisticFit::converged`].
pub fn fit(rows: &impl DesignRows, classes: usize, settings: &LogisticSettings) -> Result<LogisticFit, SolveError> {
    let pass = StandardisationPass::over(rows, classes)?.with_settings(settings).finish(rows.columns())?;
    Problem::new(rows, pass, settings, Purpose::Model)?.fit(settings.c)
}

/// As [`fit()`], for a part of the rows: a column that is constant in the part gets the coefficient 0, and a class
/// without rows the probability of one row among those of the part. `start` is a fit to similar rows.
///
/// # Errors
/// As [`fit()`], except for constant columns and classes without rows.
pub fn fit_of_part(
    rows: &impl DesignRows,
    classes: usize,
    settings: &LogisticSettings,
    start: Option<&LogisticFit>,
) -> Result<LogisticFit, SolveError> {
    let standardisation = StandardisationPass::over(rows, classes)?.with_settings(settings).finish_part();
    let mut problem = Problem::new(rows, standardisation, settings, Purpose::Model)?;
    if let Some(start) = start {
        problem.start_from(start);
    }
    problem.fit(settings.c)
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
    StandardisationPass::over(rows, classes)?.with_settings(settings).constant_columns(rows.columns())
}

/// How the rows are stored, which depends on the solver.
enum Design<'r, R> {
    /// For Newton's method.
    Columns(StandardisedRows<'r, R, ColumnBlock>),
    /// For its truncated form, with the Gram matrix if it is worth its time.
    Tiles(StandardisedRows<'r, R, TileBlock>, Option<Vec<f64>>),
    /// Rows of one class need no solver.
    OneClass,
}

/// The use of a fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A model, with leverages, and with more digits where that takes little time.
    Model,
    /// The score of a candidate of cross-validation, one of many fits.
    Score,
}

/// A fit with several regularization strengths, each from the coefficients of the one before.
pub(crate) struct Problem<'r, R> {
    design: Design<'r, R>,
    standardisation: Standardisation,
    settings: LogisticSettings,
    /// For each score, a coefficient for each column, then the intercept.
    parameters: Vec<Vec<f64>>,
    purpose: Purpose,
    leverage_factor: Option<LeverageFactor>,
}

impl<'r, R: DesignRows> Problem<'r, R> {
    /// Reads the rows if they fit into memory.
    pub(crate) fn new(
        rows: &'r R,
        standardisation: Standardisation,
        settings: &LogisticSettings,
        purpose: Purpose,
    ) -> Result<Self, SolveError> {
        let wants_leverages = purpose == Purpose::Model;
        let scores = match standardisation.present.len() {
            0 | 1 => 0,
            2 => 1,
            classes => classes,
        };
        let columns = standardisation.means.len();
        let mut leverage_factor = None;
        let LogisticSettings { intercept, threads, .. } = *settings;
        let design = if scores == 0 {
            Design::OneClass
        } else if is_small(&standardisation, scores) {
            Design::Columns(StandardisedRows::new(rows, &standardisation, intercept, threads)?)
        } else {
            let tiles = StandardisedRows::new(rows, &standardisation, intercept, threads)?;
            // For a preconditioner alone it may take as long as four passes.
            let is_cheap = columns <= 16 * (scores + 2)
                && standardisation.indicators.is_empty()
                && is_worth_a_preconditioner(&standardisation, scores);
            let gram = if (wants_leverages && columns <= MOST_COLUMNS) || is_cheap {
                Some(passes::gram(&tiles, columns + 1)?)
            } else {
                None
            };
            leverage_factor =
                gram.as_ref().filter(|_| wants_leverages).and_then(|gram| factor(&standardisation, gram, 1.0));
            Design::Tiles(tiles, gram)
        };
        let parameters = vec![vec![0.0; columns + 1]; scores];
        Ok(Self { design, standardisation, settings: *settings, parameters, purpose, leverage_factor })
    }

    /// Starts from the scores of a fit to similar rows, where the start needs no sums.
    fn start_from(&mut self, fit: &LogisticFit) {
        let Standardisation { means, scales, present, classes, .. } = &self.standardisation;
        if !matches!(self.design, Design::Tiles(..)) || present.len() < *classes {
            return;
        }
        for (score, (parameters, intercept)) in self.parameters.iter_mut().zip(&fit.intercepts).enumerate() {
            let mut at_means = *intercept;
            let columns = fit.coefficients.iter().zip(means.iter().zip(scales)).zip(fit.means.iter().zip(&fit.scales));
            for (parameter, ((coefficients, (mean, scale)), (old_mean, old_scale))) in
                parameters.iter_mut().zip(columns)
            {
                let slope = coefficients.get(score).copied().unwrap_or(0.0) / old_scale;
                *parameter = slope * scale;
                at_means += slope * (mean - old_mean);
            }
            if let Some(last) = parameters.last_mut().filter(|_| self.settings.intercept) {
                *last = at_means;
            }
        }
    }

    /// Fits with this inverse regularization strength.
    pub(crate) fn fit(&mut self, c: f64) -> Result<LogisticFit, SolveError> {
        self.settings.c = c;
        // An infinite C is no penalty.
        for (name, value, is_valid) in [
            ("C", c, c > 0.0),
            (
                "tolerance",
                self.settings.tolerance,
                self.settings.tolerance > 0.0 && self.settings.tolerance.is_finite(),
            ),
        ] {
            if !is_valid {
                return Err(SolveError::InvalidSetting { name, value, allowed: "a positive number" });
            }
        }
        let penalty = iterate::penalty(&self.settings, &self.standardisation);
        let weight = self.standardisation.weight;
        let start = self.parameters.clone();
        let solution = match &self.design {
            Design::OneClass => None,
            Design::Columns(rows) => {
                let (solution, gram) = newton::minimise(rows, start, &self.settings, penalty, weight)?;
                if let Some(gram) = gram {
                    let probability = 1.0 / self.standardisation.present.len() as f64;
                    self.leverage_factor = factor(&self.standardisation, &gram, probability * (1.0 - probability));
                }
                Some(solution)
            }
            Design::Tiles(rows, gram) => {
                let columns = self.standardisation.means.len() + 1;
                let pass = Pass { rows, scores: start.len(), parameters: columns };
                Some(self.fit_many(&pass, start, gram.as_deref(), (penalty, weight))?)
            }
        };
        Ok(match solution {
            Some(solution) => {
                self.parameters.clone_from(&solution.point.parameters);
                self.fitted(&solution)
            }
            None => LogisticFit::of_one_class(&self.standardisation),
        })
    }

    /// Fits many classes or columns.
    fn fit_many(
        &self,
        pass: &Pass<'_, '_, R>,
        start: Vec<Vec<f64>>,
        gram: Option<&[f64]>,
        (penalty, weight): (f64, f64),
    ) -> Result<Solution, SolveError> {
        let curvature = if pass.scores == 1 { 0.25 } else { 1.0 / pass.scores as f64 };
        let gram = gram.filter(|_| is_worth_a_preconditioner(&self.standardisation, pass.scores));
        let preconditioner =
            gram.and_then(|gram| Preconditioner::new(gram, pass.parameters, curvature / weight, penalty));
        let preconditioner = preconditioner.as_ref();
        let operations = product_operations(&self.standardisation, pass.scores);
        let most_passes = passes_of(MOST_OPERATIONS, operations).clamp(self.settings.max_iterations, MOST_PASSES);
        let enough = NEAR.max(self.settings.tolerance);
        let descent = Descent { penalty, weight, curvature, preconditioner, enough, most_passes };
        let near = descent.minimise(pass, start)?;
        let few = if self.purpose == Purpose::Model { FEW_OPERATIONS } else { FEW_FOR_SCORES };
        let left = passes_of(few, operations).saturating_sub(near.passes);
        if !near.converged || left == 0 || near.point.is_flat() {
            return Ok(near);
        }
        let passes = near.passes;
        let found = truncated_newton::minimise(pass, near.point.parameters, &self.settings, &descent, left)?;
        Ok(Solution { passes: passes + found.passes, ..found })
    }

    fn fitted(&self, solution: &Solution) -> LogisticFit {
        LogisticFit::new(&self.standardisation, solution, self.leverage_factor.clone())
    }
}

/// The passes of so many operations each.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Saturates.
fn passes_of(operations: f64, each: f64) -> u32 {
    (operations / each) as u32
}

/// The operations of one product of the Hessian and a vector.
fn product_operations(standardisation: &Standardisation, scores: usize) -> f64 {
    let (rows, columns) = (standardisation.rows as f64, standardisation.numbers_per_row());
    // With few scores, the time is that of reading the design twice. Without memory, every product reads the file.
    let reading = if fits_into_memory(standardisation) { 2.0 } else { 20.0 };
    4.0 * rows * columns * (scores as f64 + reading)
}

/// Whether the passes of Newton's method take less time than those of its truncated form.
fn is_small(standardisation: &Standardisation, scores: usize) -> bool {
    let (rows, columns) = (standardisation.rows as f64, standardisation.means.len() as f64 + 1.0);
    let truncated = TRUNCATED_PASSES * product_operations(standardisation, scores);
    let scores = scores as f64;
    let size = scores * columns;
    let whole = NEWTON_PASSES * (rows * scores * (scores + 1.0) / 2.0 * columns * columns + size * size * size);
    whole <= truncated
}

/// Whether the Gram matrix of the columns and its inverse take less time than the passes that they save. With few rows
/// the matrix of the columns says little about their curvature once the classes are nearly separated.
fn is_worth_a_preconditioner(standardisation: &Standardisation, scores: usize) -> bool {
    let (rows, columns) = (standardisation.rows as f64, standardisation.means.len() as f64 + 1.0);
    let inverse = 4.0 * columns * columns * columns;
    rows >= 4.0 * columns && inverse <= 3.0 * product_operations(standardisation, scores)
}

/// The factor for leverages, from the Gram matrix of the columns, times a curvature, with the intercept last.
fn factor(standardisation: &Standardisation, gram: &[f64], curvature: f64) -> Option<LeverageFactor> {
    let columns = standardisation.means.len();
    // With as few rows, every new row has a high leverage.
    if columns > MOST_COLUMNS || standardisation.rows <= columns as u64 + 1 {
        return None;
    }
    let entry = |i: usize, j: usize| {
        let slack = if i == j { DIAGONAL_INCREMENT * standardisation.weight } else { 0.0 };
        gram.get(packed_index(i, j, columns + 1)).map(|entry| entry / curvature + slack)
    };
    let rows = (0..columns).map(|i| (i..columns).map(|j| entry(i, j)).collect());
    let triangle = UpperTriangle::cholesky(rows.collect::<Option<_>>()?)?;
    Some(LeverageFactor { triangle, degrees_of_freedom: None })
}

#[cfg(test)]
mod tests;
