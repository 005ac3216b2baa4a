//! Cross-validation of the regularization strength.
//!
//! Each candidate is fitted to all folds except one and scored on that one, for every fold in turn. For squared errors, the
//! moments of the folds are enough, so one pass gives the whole path. Logistic regression needs a pass for each iteration, which
//! all folds share, and each candidate starts from the coefficients of the one before.

use std::num::NonZero;

use super::design_rows::DesignRows;
use super::error::SolveError;
use super::folds::Folds;
use super::logistic::{LogisticFit, LogisticSettings, Newton, StandardisationPass};
use super::moments::{Accumulator, Moments};
use super::path::{Penalty, alphas, geometric, path, ridge_alphas};

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
    /// The strongest regularization whose error is within one standard error of the smallest: the simplest model that is not
    /// significantly worse (Breiman, Friedman, Olshen and Stone, 1984).
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
}

/// The moments of each fold, in one pass.
///
/// # Errors
/// [`SolveError`] for fewer than two folds, or when the rows cannot be read.
pub fn moments(rows: &impl DesignRows, folds: u32, seed: u64) -> Result<Vec<Moments>, SolveError> {
    let mut assignment = Folds::new(folds, 1, seed)?;
    let mut parts: Vec<Accumulator> = Vec::new();
    rows.scan::<SolveError>(&mut |row| {
        if parts.is_empty() {
            // The shift may be any point near the data. It must be the same for all folds, so that constant columns stay constant.
            let near: Vec<f64> = row.design.iter().copied().chain([row.target]).collect();
            parts = (0..folds).map(|_| Accumulator::new(near.clone())).collect();
        }
        if let Some(part) = parts.get_mut(assignment.assign(0)) {
            part.push_exact(row.design, row.target, &[], row.weight);
        }
        Ok(())
    })?;
    if parts.is_empty() {
        let folds = usize::try_from(folds).unwrap_or(usize::MAX);
        return Err(SolveError::EmptyFold { rows: 0, folds });
    }
    Ok(parts.into_iter().map(Accumulator::finish).collect())
}

/// Selects one of `count` regularization strengths from the moments of the folds. `names`: the features, then the target. A
/// feature that is constant in all folds gets the coefficient 0.
///
/// # Errors
/// [`SolveError`] when a fold is empty, no feature is correlated with the target, or a column is not finite.
pub fn regression(
    folds: &[Moments],
    names: &[String],
    family: PenaltyFamily,
    count: usize,
    rule: SelectionRule,
) -> Result<CrossValidationResult, SolveError> {
    regression_on(available_threads(), folds, names, family, count, rule)
}

fn available_threads() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

fn regression_on(
    threads: usize,
    folds: &[Moments],
    names: &[String],
    family: PenaltyFamily,
    count: usize,
    rule: SelectionRule,
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
    let fits = path(whole, names, &penalties)?;
    if fits.is_empty() {
        return Err(SolveError::Uncorrelated);
    }

    let measure = |fold: &Moments, others: &Moments| -> Result<Vec<(f64, bool)>, SolveError> {
        let fits = path(others, names, &penalties)?;
        let error = |fit: &super::path::PenalisedFit| {
            fold.squared_error(&fit.means, fit.intercept, &fit.original_coefficients()) / fold.weight()
        };
        Ok(fits.iter().map(|fit| (error(fit), fit.converged)).collect())
    };
    let pairs: Vec<(&Moments, &Moments)> = folds.iter().zip(parts).collect();
    let mut measured = Vec::with_capacity(pairs.len());
    // Every fold is one task, so the result does not depend on the number of threads.
    for batch in pairs.chunks(threads.max(1)) {
        let results: Vec<Result<_, SolveError>> = std::thread::scope(|scope| {
            let tasks: Vec<_> = batch.iter().map(|pair| (pair, scope.spawn(|| measure(pair.0, pair.1)))).collect();
            // The task of a thread that panicked is repeated here, with the same panic.
            tasks.into_iter().map(|(pair, task)| task.join().unwrap_or_else(|_| measure(pair.0, pair.1))).collect()
        });
        for result in results {
            measured.push(result?);
        }
    }
    let weights: Vec<f64> = folds.iter().map(Moments::weight).collect();
    let candidates = grid.iter().zip(&fits).enumerate().map(|(position, (alpha, fit))| {
        let fold_errors: Vec<(f64, bool)> = measured.iter().filter_map(|fold| fold.get(position)).copied().collect();
        let errors: Vec<f64> = fold_errors.iter().map(|(error, _)| *error).collect();
        let (score, standard_error) = mean(&errors, &weights);
        let converged = fit.converged && fold_errors.iter().all(|(_, converged)| *converged);
        Candidate { alpha: *alpha, score, standard_error, nonzero: fit.coefficients.len() - fit.zero, converged }
    });
    select(candidates.collect(), rule).ok_or(SolveError::Uncorrelated)
}

/// The regularization path of logistic regression, descending: C from 1/10000 to 10000, at equal ratios.
#[must_use]
pub fn logistic_alphas(count: usize) -> Vec<f64> {
    geometric(1e4, 1e-4, count)
}

/// Selects one of these regularization strengths (`alpha` = 1 / C, best in descending order) for logistic regression, in
/// stratified folds. `settings.c` is ignored.
///
/// # Errors
/// [`SolveError`] when a class has only one row, a fold is empty, or a fit fails.
pub fn classification(
    rows: &impl DesignRows,
    classes: usize,
    folds: u32,
    seed: u64,
    alphas: &[f64],
    settings: &LogisticSettings,
    rule: SelectionRule,
) -> Result<CrossValidationResult, SolveError> {
    let columns = rows.columns().len();
    let assignment = Folds::new(folds, classes, seed)?;
    let folds = usize::try_from(folds).unwrap_or(usize::MAX);

    let mut whole = StandardisationPass::new(columns, classes)?;
    let mut fold_passes = vec![whole.clone(); folds];
    let mut counts = vec![0_u64; classes];
    let mut weights = vec![0.0; folds];
    let mut folds_of_rows = assignment.clone();
    rows.scan::<SolveError>(&mut |row| {
        let class = whole.push(row)?;
        let fold = folds_of_rows.assign(class);
        if let (Some(count), Some(weight)) = (counts.get_mut(class), weights.get_mut(fold)) {
            *count += 1;
            *weight += row.weight;
        }
        for (_, standardisation) in fold_passes.iter_mut().enumerate().filter(|(other, _)| *other != fold) {
            standardisation.push(row)?;
        }
        Ok(())
    })?;
    whole.with_settings(settings).finish_part()?;
    if let Some(class) = counts.iter().position(|count| *count == 1) {
        return Err(SolveError::SingleRowClass { class, classes });
    }
    if weights.contains(&0.0) {
        return Err(SolveError::EmptyFold { rows: counts.iter().sum(), folds });
    }
    let start = |standardisation: StandardisationPass| -> Result<Newton, SolveError> {
        Newton::new(standardisation.with_settings(settings).finish_part()?, settings)
    };
    let mut fits = fold_passes.into_iter().map(start).collect::<Result<Vec<Newton>, _>>()?;

    let mut candidates = Vec::with_capacity(alphas.len());
    for alpha in alphas {
        let c = 1.0 / alpha;
        if !(c > 0.0 && c.is_finite()) {
            return Err(SolveError::InvalidSetting { name: "C", value: c, allowed: "a positive, finite number" });
        }
        for fit in &mut fits {
            fit.restart(c);
        }
        let mut running = vec![true; folds];
        while running.contains(&true) {
            let mut folds_of_rows = assignment.clone();
            rows.scan::<SolveError>(&mut |row| {
                let fold = folds_of_rows.assign(super::logistic::position(row.target));
                for (other, (fit, runs)) in fits.iter_mut().zip(&running).enumerate() {
                    if *runs && other != fold {
                        fit.push(row);
                    }
                }
                Ok(())
            })?;
            for (fit, runs) in fits.iter_mut().zip(&mut running) {
                *runs = *runs && !fit.advance();
            }
        }
        let done: Vec<LogisticFit> = fits.iter().map(Newton::finish).collect();
        let mut losses = vec![0.0; folds];
        let mut folds_of_rows = assignment.clone();
        rows.scan::<SolveError>(&mut |row| {
            let class = super::logistic::position(row.target);
            let fold = folds_of_rows.assign(class);
            if let (Some(loss), Some(fit)) = (losses.get_mut(fold), done.get(fold)) {
                *loss += row.weight * fit.loss(row.design, class);
            }
            Ok(())
        })?;
        let errors: Vec<f64> = losses.iter().zip(&weights).map(|(loss, weight)| loss / weight).collect();
        let (score, standard_error) = mean(&errors, &weights);
        let converged = done.iter().all(|fit| fit.converged);
        candidates.push(Candidate { alpha: *alpha, score, standard_error, nonzero: columns, converged });
    }
    select(candidates, rule).ok_or(SolveError::Uncorrelated)
}

/// The moments of all folds, then for each fold the moments of all others. These are merged from the moments of the folds before
/// and after it, so that three merges for each fold are enough.
fn without_each(folds: &[Moments]) -> Vec<Moments> {
    fn running<'m>(folds: impl Iterator<Item = &'m Moments>) -> Vec<Option<Moments>> {
        let mut so_far: Option<Moments> = None;
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

fn select(path: Vec<Candidate>, rule: SelectionRule) -> Option<CrossValidationResult> {
    let best =
        *path.iter().filter(|candidate| candidate.score.is_finite()).min_by(|a, b| a.score.total_cmp(&b.score))?;
    let alpha = match rule {
        SelectionRule::Best => best.alpha,
        SelectionRule::OneStandardError => path
            .iter()
            .filter(|candidate| candidate.score <= best.score + best.standard_error)
            .fold(best.alpha, |largest, candidate| largest.max(candidate.alpha)),
    };
    Some(CrossValidationResult { alpha, best: best.alpha, path, rule })
}

#[cfg(test)]
mod tests;
