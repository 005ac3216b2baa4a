//! Poisson and gamma regression with a log link, by Newton's method.
//!
//! The objective is that of scikit-learn's `PoissonRegressor` and `GammaRegressor`, on standardised features (weighted
//! mean, population standard deviation). The intercept is not penalised, and an offset has no coefficient:
//!
//! ```text
//! Σ w · d(y, μ) / (2 Σ w) + alpha/2 · ‖b‖²        ln μ = intercept + Z b + offset,   d the deviance of a row
//! ```
//!
//! For the log link it is convex in the linear predictor. Newton's method starts from one step of iteratively
//! reweighted least squares (McCullagh and Nelder, 1989, §2.5), or for a part of the rows from the fit to all, and
//! halves steps that do not reduce the objective. The steps of many columns are found by conjugate gradients.
//! Without a penalty the columns are orthonormalised by the factor R of their moments first: the Hessian then is as
//! well conditioned as the working weights are, however dependent the columns.

mod basis;
mod convergence;
mod crossed;
mod glm_fit;
mod iterative;
mod levels;
mod log_gamma;
mod rows;
mod sums;

use super::error::SolveError;
use super::logistic::iterate::{LAST_STEP, SHORTEST_STEP, SUFFICIENT};
use super::moments::{LevelColumns, Moments};
use super::qr::{UpperTriangle, dot};
use basis::Basis;
use crossed::CrossedSystem;
pub use glm_fit::{GlmFit, GlmStatistics};
use iterative::{IterativeSteps, Progress};
use levels::LevelSystem;
use ordinate_model::family::Family;
use ordinate_table::SpoolError;
use rows::BlockRows;
use sums::{Curvatures, Pass, Sums};

/// One row for a generalised linear model.
#[derive(Debug, Clone, Copy)]
pub struct GlmRow<'a> {
    /// The columns of the design, neither centred nor scaled.
    pub design: &'a [f64],
    /// The target.
    pub target: f64,
    /// The term without a coefficient, not centred; 0 without an offset.
    pub offset: f64,
    /// The weight, at least 0.
    pub weight: f64,
}

/// Rows that can be read several times, always in the same order.
pub trait GlmRows {
    /// Calls `each` with every row.
    ///
    /// # Errors
    /// [`SpoolError`] when the rows cannot be read, or the error of `each`.
    fn scan<E: From<SpoolError> + Send>(&self, each: &mut dyn FnMut(GlmRow<'_>) -> Result<(), E>) -> Result<(), E>;

    /// The columns of the levels of one category or two, if they are many.
    fn levels(&self) -> LevelColumns {
        LevelColumns::default()
    }

    /// Reports that a fit has done about this fraction of its work, from 0 to 1.
    fn report(&self, _fraction: f64) {}
}

/// The model to fit.
#[derive(Debug, Clone, Copy)]
pub struct GlmSettings {
    /// The distribution of the target.
    pub family: Family,
    /// The regularization strength; 0 for no penalty.
    pub alpha: f64,
    /// The most iterations.
    pub most_iterations: u32,
    /// Whether a fit to a part of the rows has statistics, too.
    pub statistics_of_part: bool,
}

impl GlmSettings {
    /// The settings of a family, without a penalty.
    #[must_use]
    pub fn new(family: Family) -> Self {
        Self { family, alpha: 0.0, most_iterations: 100, statistics_of_part: false }
    }
}

/// Fits the rows that have these moments, which are about zero for a fit without an intercept, and computes the
/// statistics of the fit. `names`: the features, then the target.
///
/// # Errors
/// [`SolveError`] when a column or the objective is not finite, or the rows cannot be read. A fit that did not converge is not an
/// error: see [`GlmFit::converged`].
pub fn fit(
    rows: &impl GlmRows,
    moments: &Moments,
    names: &[String],
    settings: &GlmSettings,
) -> Result<GlmFit, SolveError> {
    moments.finite_lengths(names)?;
    let problem = Problem::new(rows, moments, &[], settings)?;
    let solution = problem.minimise(None, names)?;
    problem.finish(&solution, true)
}

/// As [`fit()`], for a part of the rows, and without statistics unless the settings want them: a column that the part does
/// not determine gets the coefficient 0, and there are no statistics then. `start` is a fit to similar rows.
///
/// # Errors
/// As [`fit()`].
pub fn fit_of_part(
    rows: &impl GlmRows,
    moments: &Moments,
    names: &[String],
    settings: &GlmSettings,
    start: &GlmFit,
) -> Result<GlmFit, SolveError> {
    moments.finite_lengths(names)?;
    let redundant = moments.redundant_features();
    let dropped = if settings.alpha == 0.0 { redundant.columns() } else { redundant.constant };
    let problem = Problem::new(rows, moments, &dropped, settings)?;
    if settings.family == Family::Poisson
        && problem.rows.null_intercept == f64::NEG_INFINITY
        && problem.rows.basis.intercept
    {
        return Ok(problem.finish_without_counts());
    }
    let solution = problem.minimise(Some(start), names)?;
    let fit = problem.finish(&solution, false)?;
    let has_statistics = settings.statistics_of_part && dropped.is_empty();
    let statistics = has_statistics.then(|| problem.statistics(&solution.parameters)).transpose()?;
    Ok(GlmFit { statistics, ..fit })
}

/// A fit: the rows in their basis, and the settings.
struct Problem<'r, R> {
    rows: BlockRows<'r, R>,
    settings: GlmSettings,
    /// How the steps are found without the Hessian, if that is faster.
    iterative: Option<IterativeSteps>,
}

/// A point of the iteration.
#[derive(Debug, Clone)]
struct Point {
    /// A coefficient for each column of the basis, then the intercept.
    parameters: Vec<f64>,
    /// Divided by the total weight, without the terms of the target alone.
    objective: f64,
    sums: Sums,
}

/// The last point, and how it was reached.
#[derive(Debug)]
struct Solution {
    parameters: Vec<f64>,
    iterations: u32,
    gradient: f64,
    converged: bool,
    /// The direction in which the objective falls for ever.
    unbounded: Option<Vec<f64>>,
}

impl<'r, R: GlmRows> Problem<'r, R> {
    /// `dropped`: the columns that the rows do not determine.
    fn new(rows: &'r R, moments: &Moments, dropped: &[usize], settings: &GlmSettings) -> Result<Self, SolveError> {
        let basis = Basis::new(rows, moments, dropped, settings.alpha == 0.0)?;
        let rows = BlockRows::new(rows, basis, settings.family)?;
        let iterative = if rows.is_in_memory() {
            IterativeSteps::if_faster(&rows.basis, moments, dropped, rows.null_curvature, settings.alpha)
        } else {
            None
        };
        Ok(Self { rows, settings: *settings, iterative })
    }

    /// The number of parameters.
    fn size(&self) -> usize {
        self.rows.basis.size()
    }

    fn minimise(&self, start: Option<&GlmFit>, names: &[String]) -> Result<Solution, SolveError> {
        let target = || names.last().cloned().unwrap_or_default();
        let mut point = self.start(start)?.ok_or_else(|| SolveError::NotFinite { name: target() })?;
        let mut iterations = 0;
        let (mut first_gradient, mut last_reach, mut is_short) = (None, None, false);
        let result = |point: &Point, gradient: &[f64], iterations, converged, unbounded| Solution {
            parameters: point.parameters.clone(),
            iterations,
            gradient: largest(gradient),
            converged,
            unbounded,
        };
        loop {
            iterations += 1;
            let gradient = self.gradient(&point);
            let first = *first_gradient.get_or_insert(largest(&gradient));
            let reduced = largest(&gradient) / first;
            self.report(reduced);
            let progress = if is_short { Progress::ShortStep } else { Progress::Gradient(reduced) };
            let Some(step) = self.newton_step(&mut point, &gradient, progress)? else {
                return Ok(result(&point, &gradient, iterations, false, None));
            };
            let slope = dot(&gradient, &step);
            let is_small = largest(&step) <= LAST_STEP * largest(&point.parameters).max(1.0);
            if slope >= 0.0 || (is_small && self.is_last(&step, &mut last_reach)?) {
                let moved = if slope < 0.0 { moved(&point.parameters, &step, 1.0) } else { point.parameters.clone() };
                if !is_short && !point.sums.has_products {
                    // The confirming step may move rows that this one has missed.
                    (is_short, last_reach) = (true, None);
                    if let Some(next) = self.evaluate(moved.clone(), Curvatures::Sum)? {
                        point = next;
                        continue;
                    }
                }
                let point = Point { parameters: moved, ..point };
                return Ok(result(&point, &gradient, iterations, true, None));
            }
            if self.is_separated(&point, &step, slope)? {
                return Ok(result(&point, &gradient, iterations, true, Some(step)));
            }
            let next =
                if iterations < self.settings.most_iterations { self.descend(&point, &step, slope)? } else { None };
            match next {
                Some(next) => point = next,
                None => return Ok(result(&point, &gradient, iterations, false, None)),
            }
        }
    }

    /// Reports the work that is done once the gradient is so many times the first.
    fn report(&self, reduced: f64) {
        let fraction = libm::log(reduced) / libm::log(LAST_STEP);
        self.rows.rows.report(if fraction.is_nan() { 0.0 } else { fraction.clamp(0.0, 1.0) });
    }

    /// The longest step, of halves of the whole, that reduces the objective enough.
    fn descend(&self, point: &Point, step: &[f64], slope: f64) -> Result<Option<Point>, SolveError> {
        let mut length = 1.0;
        let curvatures = if point.sums.has_products { Curvatures::Products } else { Curvatures::Sum };
        while length >= SHORTEST_STEP {
            let noise = 4.0 * f64::EPSILON * point.objective.abs();
            let next = self.evaluate(moved(&point.parameters, step, length), curvatures)?;
            if let Some(next) =
                next.filter(|next| next.objective <= point.objective + SUFFICIENT * length * slope + noise)
            {
                return Ok(Some(next));
            }
            length /= 2.0;
        }
        Ok(None)
    }

    /// The parameters and sums of the first point: of a fit to similar rows, or of one step of reweighted least
    /// squares, if that is better than no column at all.
    fn start(&self, start: Option<&GlmFit>) -> Result<Option<Point>, SolveError> {
        let curvatures = if self.iterative.is_some() { Curvatures::Sum } else { Curvatures::Products };
        let evaluate = |parameters| self.evaluate(parameters, curvatures);
        let flat = self.rows.basis.constant(self.rows.null_intercept);
        let better = match start {
            Some(start) => Some(self.rows.basis.parameters_of(start)),
            None => self.reweighted_step(false)?,
        };
        let better = better.map(evaluate).transpose()?.flatten();
        // From a fit to nearly the same rows, nothing else is worth a pass.
        if start.is_some() && better.is_some() {
            return Ok(better);
        }
        let flat = evaluate(flat)?;
        let best = match (better, flat) {
            (Some(better), Some(flat)) if flat.objective < better.objective => flat,
            (Some(better), _) => return Ok(Some(better)),
            (None, Some(flat)) => flat,
            (None, None) => return Ok(None),
        };
        if self.settings.family == Family::Poisson {
            return Ok(Some(best));
        }
        // Amounts over many decades are far from the means of one step.
        let parameters = self.reweighted_step(true)?;
        let of_logarithms = parameters.map(evaluate).transpose()?.flatten();
        Ok(of_logarithms.filter(|point| point.objective < best.objective).or(Some(best)))
    }

    /// One step of iteratively reweighted least squares from means between the targets and their mean, or from the
    /// targets.
    fn reweighted_step(&self, from_targets: bool) -> Result<Option<Vec<f64>>, SolveError> {
        let pass = Pass::Reweighted { intercept: self.rows.null_intercept, from_targets };
        let right = |sums: &Sums| sums.slopes.iter().map(|slope| slope / self.rows.weight).collect::<Vec<_>>();
        if let Some(steps) = &self.iterative {
            let sums = self.rows.sum(&pass, Curvatures::Sum)?;
            return self.iterative_step(steps, &pass, &right(&sums), Progress::Gradient(1.0));
        }
        let sums = self.rows.sum(&pass, Curvatures::Products)?;
        Ok(self.solve(&sums, &right(&sums)))
    }

    fn evaluate(&self, parameters: Vec<f64>, curvatures: Curvatures<'_>) -> Result<Option<Point>, SolveError> {
        let sums = self.rows.sum(&Pass::Newton { parameters: &parameters }, curvatures)?;
        let intercept = self.rows.basis.intercept_place();
        let penalised = parameters.iter().enumerate().filter(|(at, _)| Some(*at) != intercept);
        let squares: f64 = penalised.map(|(_, parameter)| parameter * parameter).sum();
        let objective = sums.loss / self.rows.weight + 0.5 * self.settings.alpha * squares;
        let is_finite = objective.is_finite()
            && sums.crossed.are_finite()
            && sums.slopes.iter().chain(&sums.gram).all(|value| value.is_finite());
        Ok(is_finite.then_some(Point { parameters, objective, sums }))
    }

    fn gradient(&self, point: &Point) -> Vec<f64> {
        let slopes = point.sums.slopes.iter().zip(&point.parameters).enumerate();
        slopes.map(|(j, (slope, parameter))| slope / self.rows.weight + self.penalty(j) * parameter).collect()
    }

    fn penalty(&self, parameter: usize) -> f64 {
        if self.rows.basis.intercept_place() == Some(parameter) { 0.0 } else { self.settings.alpha }
    }

    /// Solves for the Hessian of these sums. Where rounding makes it singular, the diagonal is increased.
    fn solve(&self, sums: &Sums, right: &[f64]) -> Option<Vec<f64>> {
        let weight = self.rows.weight;
        let basis = &self.rows.basis;
        let dense = basis.dense_size();
        let system =
            |levels| CrossedSystem::new(&sums.crossed, levels, basis.level_factors(), weight, self.settings.alpha);
        let crossed = basis.crossed().map(system);
        let solved = |increase: f64| {
            let raised = |entry: f64, at| entry * (1.0 + increase) + increase * 1e-300 + self.penalty(at);
            let levels = LevelSystem::new(&sums.levels, weight, |entry, level| raised(entry, dense + level));
            let entry = |i: usize, j: usize| {
                let entry = sums.entry(i, j) / weight;
                if i == j { raised(entry, i) } else { entry }
            };
            let mut hessian: Vec<Vec<f64>> = (0..dense).map(|i| (i..dense).map(|j| entry(i, j)).collect()).collect();
            levels.eliminate(&mut hessian);
            let (right, of_levels) = right.split_at_checked(dense)?;
            let (of_levels, of_crossed) = of_levels.split_at_checked(self.rows.basis.level_factors().len())?;
            let mut reduced = levels.reduced(right, of_levels);
            let Some(crossed) = &crossed else {
                let factor = UpperTriangle::cholesky(hessian)?;
                let solution = factor.solve(&factor.solve_transposed(&reduced));
                return Some(levels.completed(solution, of_levels));
            };
            let of_crossed = levels.reduced_crossed(crossed, of_levels, of_crossed);
            let coupling = levels.coupling(crossed, &sums.crossed.products(weight, dense));
            let explained: Vec<Vec<f64>> = coupling.iter().map(|column| crossed.solve(column)).collect();
            for (i, (row, column)) in hessian.iter_mut().zip(&coupling).enumerate() {
                row.iter_mut().zip(explained.iter().skip(i)).for_each(|(entry, other)| *entry -= dot(column, other));
            }
            reduced.iter_mut().zip(&explained).for_each(|(value, column)| *value -= dot(column, &of_crossed));
            let factor = UpperTriangle::cholesky(hessian)?;
            let solution = factor.solve(&factor.solve_transposed(&reduced));
            let mut rest = of_crossed;
            for (column, value) in coupling.iter().zip(&solution) {
                rest.iter_mut().zip(column).for_each(|(rest, entry)| *rest -= value * entry);
            }
            let of_second = crossed.solve(&rest);
            let of_pairs = crossed.of_levels(&of_second);
            let of_levels: Vec<f64> = of_levels.iter().zip(&of_pairs).map(|(value, sum)| value - sum).collect();
            let mut solution = levels.completed(solution, &of_levels);
            solution.extend(of_second);
            Some(solution)
        };
        let solution = [0.0, 1e-14, 1e-11, 1e-8].into_iter().find_map(solved)?;
        solution.iter().all(|value| value.is_finite()).then_some(solution)
    }
}

fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |largest, value| largest.max(value.abs()))
}

fn moved(parameters: &[f64], step: &[f64], length: f64) -> Vec<f64> {
    parameters.iter().zip(step).map(|(parameter, change)| parameter + length * change).collect()
}

#[cfg(test)]
mod tests;
