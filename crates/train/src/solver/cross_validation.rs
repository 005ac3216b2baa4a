//! Cross-validation of the regularization strength.
//!
//! Each candidate is fitted to all folds except one and scored on that one, for every fold in turn. For squared errors,
//! the moments of the folds are enough, so one pass gives the whole path. In logistic regression, each candidate starts
//! from the coefficients of the one before.

use std::num::NonZero;

use super::design_rows::{DesignRow, DesignRows, SparseRow};
use super::error::SolveError;
use super::folds::Folds;
use super::logistic::{FitLosses, LogisticFit, LogisticSettings, Problem, Purpose, StandardisationPass};
use super::moments::{Accumulator, Moments, SparseAccumulator, SparseMoments};
use super::path::{PenalisedFit, PenalisedMoments, Penalty, alphas, geometric, ridge_alphas};
use ordinate_table::SpoolError;

/// The kind of penalty whose strength is selected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PenaltyFamily {
    /// [`Penalty::Ridge`]
    Ridge,
    /// [`Penalty::ElasticNet`]
    ElasticNet {
        /// The fraction of the penalty on absolute values; 1 is the lasso.
        l1_ratio: f64,
    },
}

impl PenaltyFamily {
    fn penalty(self, alpha: f64) -> Penalty {
        match self {
            Self::Ridge => Penalty::Ridge { alpha },
            Self::ElasticNet { l1_ratio } => Penalty::ElasticNet { alpha, l1_ratio },
        }
    }
}

/// The rule that selects a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SelectionRule {
    /// The smallest error.
    Best,
    /// The strongest regularization whose error is within one standard error of the smallest: the simplest model that
    /// is not significantly worse (Breiman, Friedman, Olshen and Stone, 1984).
    OneStandardError,
}

/// A regularization strength and its score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// The regularization strength; 1 / C for logistic regression.
    pub alpha: f64,
    /// The mean error on the left-out folds: squared error or log loss.
    pub score: f64,
    /// The standard error of the score, from the differences between the folds.
    pub standard_error: f64,
    /// The number of coefficients of the fit to all rows that are not zero.
    pub nonzero: usize,
    /// Whether all fits converged.
    pub converged: bool,
}

/// The selected regularization strength, and all candidates.
#[derive(Debug, Clone, PartialEq)]
pub struct CrossValidationResult {
    /// The selected regularization strength; 1 / C for logistic regression.
    pub alpha: f64,
    /// The regularization strength with the smallest error.
    pub best: f64,
    /// All candidates, with the strongest regularization first.
    pub path: Vec<Candidate>,
    /// The rule of the selection.
    pub rule: SelectionRule,
    /// The number of folds.
    pub folds: u32,
}

/// The moments of each fold, in one pass.
///
/// # Errors
/// [`SolveError`] for fewer than two folds, or when the rows cannot be read.
pub fn moments(rows: &impl DesignRows, folds: u32, seed: u64) -> Result<Vec<Moments>, SolveError> {
    let levels = rows.levels();
    let new = |near: &[f64]| Accumulator::with_levels(near.to_vec(), levels.clone());
    let parts = of_folds(rows, folds, seed, new, |part, row| part.push_exact(row.design, row.target, &[], row.weight))?;
    Ok(parts.into_iter().map(Accumulator::finish).collect())
}

/// As [`moments`], for a design of these categories, each with the columns of its levels.
///
/// # Errors
/// As [`moments`].
pub(crate) fn sparse_moments(
    rows: &impl DesignRows,
    categories: &[Vec<usize>],
    folds: u32,
    seed: u64,
) -> Result<Vec<SparseMoments>, SolveError> {
    let new = |near: &[f64]| SparseAccumulator::new(near, categories);
    let parts = of_folds(rows, folds, seed, new, |part, row| part.push_exact(row.design, row.target, &[], row.weight))?;
    Ok(parts.into_iter().map(SparseAccumulator::finish).collect())
}

/// Adds every row to the accumulator of its fold.
fn of_folds<A>(
    rows: &impl DesignRows,
    folds: u32,
    seed: u64,
    new: impl Fn(&[f64]) -> A,
    push: impl Fn(&mut A, DesignRow<'_>),
) -> Result<Vec<A>, SolveError> {
    let mut assignment = Folds::new(folds, 1, seed)?;
    let mut parts: Vec<A> = Vec::new();
    rows.scan::<SolveError>(&mut |row| {
        if row.weight == 0.0 {
            return Ok(());
        }
        if parts.is_empty() {
            // The shift may be any point near the data. It must be the same for all folds, so that constant columns
            // stay constant.
            let near: Vec<f64> = row.design.iter().copied().chain([row.target]).collect();
            parts = (0..folds).map(|_| new(&near)).collect();
        }
        if let Some(part) = parts.get_mut(assignment.assign(0)) {
            push(part, row);
        }
        Ok(())
    })?;
    if parts.is_empty() {
        let folds = usize::try_from(folds).unwrap_or(usize::MAX);
        return Err(SolveError::EmptyFold { rows: 0, folds });
    }
    Ok(parts)
}

/// Selects one of `count` regularization strengths from the moments of the folds. `names`: the features, then the
/// target. `report` is called with the fraction of the work that is done. A feature that is constant in all folds gets
/// the coefficient 0.
///
/// # Errors
/// [`SolveError`] when a fold is empty, no feature is correlated with the target, or a column is not finite.
pub fn regression<M: PenalisedMoments>(
    folds: &[M],
    names: &[String],
    family: PenaltyFamily,
    count: usize,
    rule: SelectionRule,
    report: &dyn Fn(f64),
) -> Result<CrossValidationResult, SolveError> {
    regression_on(available_threads(), folds, names, family, (count, rule), report)
}

fn available_threads() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

fn regression_on<M: PenalisedMoments>(
    threads: usize,
    folds: &[M],
    names: &[String],
    family: PenaltyFamily,
    (count, rule): (usize, SelectionRule),
    report: &dyn Fn(f64),
) -> Result<CrossValidationResult, SolveError> {
    let parts = without_each(folds);
    let Some((whole, parts)) = parts.split_first().filter(|_| folds.len() > 1) else {
        return Err(SolveError::TooFewFolds(u32::try_from(folds.len()).unwrap_or(u32::MAX)));
    };
    if folds.iter().any(|fold| fold.rows() == 0) {
        return Err(SolveError::EmptyFold { rows: whole.rows(), folds: folds.len() });
    }
    let grid = match family {
        PenaltyFamily::Ridge => ridge_alphas(whole, count),
        PenaltyFamily::ElasticNet { l1_ratio } => alphas(whole, l1_ratio, count),
    };
    let penalties: Vec<Penalty> = grid.iter().map(|alpha| family.penalty(*alpha)).collect();
    let batches = folds.len().div_ceil(threads.max(1)) as f64;
    let fits = whole.path_for_scores(names, &penalties, &|fraction| report(fraction / (1.0 + batches)))?;
    if fits.is_empty() {
        return Err(SolveError::Uncorrelated);
    }

    let measure = |fold: &M, others: &M| -> Result<Vec<(f64, bool)>, SolveError> {
        let fits = others.path_for_scores(names, &penalties, &|_| {})?;
        let error = |fit: &PenalisedFit| fold.squared_error(fit) / fold.weight();
        Ok(fits.iter().map(|fit| (error(fit), fit.converged)).collect())
    };
    let pairs: Vec<(&M, &M)> = folds.iter().zip(parts).collect();
    let mut measured = Vec::with_capacity(pairs.len());
    // Every fold is one task, so the result does not depend on the number of threads.
    for (done, batch) in pairs.chunks(threads.max(1)).enumerate() {
        let results: Vec<Result<_, SolveError>> = std::thread::scope(|scope| {
            let tasks: Vec<_> = batch.iter().map(|pair| (pair, scope.spawn(|| measure(pair.0, pair.1)))).collect();
            // The task of a thread that panicked is repeated here, with the same panic.
            tasks.into_iter().map(|(pair, task)| task.join().unwrap_or_else(|_| measure(pair.0, pair.1))).collect()
        });
        for result in results {
            measured.push(result?);
        }
        report((1.0 + done as f64 + 1.0) / (1.0 + batches));
    }
    let weights: Vec<f64> = folds.iter().map(M::weight).collect();
    let candidates = grid.iter().zip(&fits).enumerate().map(|(position, (alpha, fit))| {
        let fold_errors: Vec<(f64, bool)> = measured.iter().filter_map(|fold| fold.get(position)).copied().collect();
        let errors: Vec<f64> = fold_errors.iter().map(|(error, _)| *error).collect();
        let (score, standard_error) = mean(&errors, &weights);
        let converged = fit.converged && fold_errors.iter().all(|(_, converged)| *converged);
        Candidate { alpha: *alpha, score, standard_error, nonzero: fit.coefficients.len() - fit.zero, converged }
    });
    let folds = u32::try_from(folds.len()).unwrap_or(u32::MAX);
    select(candidates.collect(), folds, rule).ok_or(SolveError::Uncorrelated)
}

/// The regularization path of logistic regression, descending: C from 1/10000 to 10000, at equal ratios.
#[must_use]
pub fn logistic_alphas(count: usize) -> Vec<f64> {
    geometric(1e4, 1e-4, count)
}

/// Selects one of these regularization strengths (`alpha` = 1 / C, best in descending order) for logistic regression,
/// in stratified folds: at most as many as the largest class has rows. `settings.c` is ignored.
///
/// # Errors
/// [`SolveError`] when fewer than two folds have rows, or a fit fails.
pub fn classification(
    rows: &impl DesignRows,
    classes: usize,
    folds: u32,
    seed: u64,
    alphas: &[f64],
    settings: &LogisticSettings,
    rule: SelectionRule,
) -> Result<CrossValidationResult, SolveError> {
    if let Some(alpha) =
        alphas.iter().find(|alpha| !(**alpha > 0.0 && (1.0 / **alpha).is_finite() && alpha.is_finite()))
    {
        let allowed = "a positive, finite number";
        return Err(SolveError::InvalidSetting { name: "C", value: 1.0 / alpha, allowed });
    }
    let columns = rows.columns().len();
    let mut counts = vec![0_u64; classes];
    rows.scan_sparse::<SolveError>(&mut |row| {
        if let Some(count) = counts.get_mut(super::logistic::position(row.target)).filter(|_| row.weight > 0.0) {
            *count += 1;
        }
        Ok(())
    })?;
    let most = counts.iter().max().and_then(|most| u32::try_from(*most).ok()).unwrap_or(u32::MAX);
    let folds = folds.min(most.max(2));
    let assignment = Folds::new(folds, classes, seed)?;

    // For each fold with rows: its weight, and for each alpha the mean loss and whether the fit converged.
    let mut measured: Vec<(f64, Vec<(f64, bool)>)> = Vec::new();
    for fold in 0..usize::try_from(folds).unwrap_or(usize::MAX) {
        let others = FoldRows { rows, assignment: &assignment, fold, is_left_out: false };
        let (weight, losses) = others.measure(classes, alphas, settings)?;
        if weight > 0.0 {
            measured.push((weight, losses));
        }
    }
    if measured.len() < 2 {
        return Err(SolveError::EmptyFold { rows: counts.iter().sum(), folds: measured.len() });
    }
    let weights: Vec<f64> = measured.iter().map(|(weight, _)| *weight).collect();
    let candidate = |(position, alpha): (usize, &f64)| {
        let of_folds: Vec<(f64, bool)> = measured.iter().filter_map(|(_, fold)| fold.get(position)).copied().collect();
        let errors: Vec<f64> = of_folds.iter().map(|(error, _)| *error).collect();
        let (score, standard_error) = mean(&errors, &weights);
        let converged = of_folds.iter().all(|(_, converged)| *converged);
        Candidate { alpha: *alpha, score, standard_error, nonzero: columns, converged }
    };
    select(alphas.iter().enumerate().map(candidate).collect(), folds, rule).ok_or(SolveError::Uncorrelated)
}

/// The rows of one fold, or all others.
struct FoldRows<'f, R> {
    rows: &'f R,
    assignment: &'f Folds,
    fold: usize,
    is_left_out: bool,
}

impl<R: DesignRows> FoldRows<'_, R> {
    /// Whether the next row, of this target and weight, is one of these.
    fn membership(&self) -> impl FnMut(f64, f64) -> bool + use<'_, R> {
        let mut assignment = self.assignment.clone();
        move |target, weight| {
            weight != 0.0 && (assignment.assign(super::logistic::position(target)) == self.fold) == self.is_left_out
        }
    }

    /// Fits all other rows with each alpha. Returns the weight of the fold, and the mean loss on it and the convergence
    /// of each fit.
    fn measure(
        self,
        classes: usize,
        alphas: &[f64],
        settings: &LogisticSettings,
    ) -> Result<(f64, Vec<(f64, bool)>), SolveError> {
        let standardisation = StandardisationPass::over(&self, classes)?.with_settings(settings).finish_part();
        let mut problem = Problem::new(&self, standardisation, settings, Purpose::Score)?;
        let fits = alphas.iter().map(|alpha| problem.fit(1.0 / alpha)).collect::<Result<Vec<LogisticFit>, _>>()?;
        drop(problem);
        let mut of_fits = FitLosses::new(&fits, &self.sparse_columns());
        let mut losses = vec![0.0; fits.len()];
        let mut weight = 0.0;
        Self { is_left_out: true, ..self }.scan_sparse::<SolveError>(&mut |row| {
            weight += row.weight;
            let of_row = of_fits.losses(&row, super::logistic::position(row.target));
            losses.iter_mut().zip(of_row).for_each(|(loss, of_row)| *loss += row.weight * of_row);
            Ok(())
        })?;
        Ok((weight, losses.iter().zip(&fits).map(|(loss, fit)| (loss / weight, fit.converged)).collect()))
    }
}

impl<R: DesignRows> DesignRows for FoldRows<'_, R> {
    fn columns(&self) -> &[String] {
        self.rows.columns()
    }

    fn scan<E: From<SpoolError> + Send>(&self, each: &mut dyn FnMut(DesignRow<'_>) -> Result<(), E>) -> Result<(), E> {
        let mut has = self.membership();
        self.rows.scan(&mut |row| if has(row.target, row.weight) { each(row) } else { Ok(()) })
    }

    fn sparse_columns(&self) -> Vec<usize> {
        self.rows.sparse_columns()
    }

    fn scan_sparse<E: From<SpoolError> + Send>(
        &self,
        each: &mut dyn FnMut(SparseRow<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut has = self.membership();
        self.rows.scan_sparse(&mut |row| if has(row.target, row.weight) { each(row) } else { Ok(()) })
    }

    fn report(&self, fraction: f64) {
        self.rows.report(fraction);
    }
}

/// The moments of all folds, then for each fold the moments of all others. These are merged from the moments of the
/// folds before and after it, so that three merges for each fold are enough.
fn without_each<M: PenalisedMoments>(folds: &[M]) -> Vec<M> {
    fn running<'m, M: PenalisedMoments + 'm>(folds: impl Iterator<Item = &'m M>) -> Vec<Option<M>> {
        let mut so_far: Option<M> = None;
        let mut all = vec![None];
        for fold in folds {
            so_far = Some(so_far.map_or_else(|| fold.clone(), |before| before.merge(fold)));
            all.push(so_far.clone());
        }
        all
    }
    let before = running(folds.iter());
    let after = running(folds.iter().rev());
    let whole = before.last().cloned().flatten();
    let others = before.iter().zip(after.iter().rev().skip(1)).filter_map(|pair| match pair {
        // The time of a merge grows with the rows of the second.
        (Some(before), Some(after)) if before.rows() < after.rows() => Some(after.merge(before)),
        (Some(before), Some(after)) => Some(before.merge(after)),
        (Some(only), None) | (None, Some(only)) => Some(only.clone()),
        (None, None) => None,
    });
    whole.into_iter().chain(others).collect()
}

/// The weighted mean of the errors of the folds and its standard error.
fn mean(errors: &[f64], weights: &[f64]) -> (f64, f64) {
    let total: f64 = weights.iter().sum();
    let average = |values: &dyn Fn(f64) -> f64| {
        errors.iter().zip(weights).map(|(error, weight)| weight * values(*error)).sum::<f64>() / total
    };
    let mean = average(&|error| error);
    let variance = average(&|error| (error - mean) * (error - mean));
    (mean, (variance / (errors.len().max(2) - 1) as f64).sqrt())
}

fn select(path: Vec<Candidate>, folds: u32, rule: SelectionRule) -> Option<CrossValidationResult> {
    let best =
        *path.iter().filter(|candidate| candidate.score.is_finite()).min_by(|a, b| a.score.total_cmp(&b.score))?;
    let alpha = match rule {
        SelectionRule::Best => best.alpha,
        SelectionRule::OneStandardError => path
            .iter()
            .filter(|candidate| candidate.score <= best.score + best.standard_error)
            .fold(best.alpha, |largest, candidate| largest.max(candidate.alpha)),
    };
    Some(CrossValidationResult { alpha, best: best.alpha, path, rule, folds })
}

#[cfg(test)]
mod tests;
