//! How much large coefficients should cost: the penalty that predicts best what a fit has not seen.
//!
//! The rows are dealt to folds; each candidate is fitted to all folds but one and measured on that one, for every fold
//! in turn. For squared errors the moments of the folds say all of this, after one pass for the whole path.
//! Classes need a pass an iteration, which all folds share, and each candidate starts from the one before.

use std::num::NonZero;

use thiserror::Error;

use super::folds::{Folds, InvalidFolds};
use super::least_squares::{Accumulator, LeastSquaresError, Moments};
use super::logistic::{LogisticError, LogisticFit, LogisticSettings, Newton, Survey};
use super::path::{Penalty, alphas, geometric, path, ridge_alphas};
use super::rows::Rows;
use ordinate_table::SpoolError;

/// Why no penalty can be chosen.
#[derive(Debug, Error, PartialEq)]
pub enum ChooseError {
    /// Not as many folds as that.
    #[error(transparent)]
    Folds(#[from] InvalidFolds),
    /// A fold would be empty.
    #[error("{rows} rows cannot be dealt to {folds} folds. Try fewer with --cross-validate")]
    TooFewRows {
        /// Rows that there are.
        rows: u64,
        /// Folds that there should be.
        folds: usize,
    },
    /// A fold would hold all there is of a class, and the others nothing to learn it from.
    #[error(
        "class {} of {classes} has one row: it cannot be both learned and tested. \
         Leave the class out of the data, or choose --c yourself", class + 1
    )]
    LonelyClass {
        /// Its position among the classes, from 0.
        class: usize,
        /// How many there are.
        classes: usize,
    },
    /// Nothing explains anything.
    #[error(
        "no feature is correlated with the target, so every alpha predicts alike. \
         Give other features, or choose --alpha yourself"
    )]
    Uncorrelated,
    /// A column is constant or not finite.
    #[error(transparent)]
    Column(#[from] LeastSquaresError),
    /// Classes cannot be fitted.
    #[error(transparent)]
    Logistic(#[from] LogisticError),
    /// The rows cannot be read.
    #[error(transparent)]
    Rows(#[from] SpoolError),
}

/// A family of penalties, of which one is chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Family {
    /// [`Penalty::Ridge`]
    Ridge,
    /// [`Penalty::ElasticNet`]
    ElasticNet {
        /// The share of the penalty that sizes have; 1 is the lasso.
        l1_ratio: f64,
    },
}

impl Family {
    fn penalty(self, alpha: f64) -> Penalty {
        match self {
            Self::Ridge => Penalty::Ridge { alpha },
            Self::ElasticNet { l1_ratio } => Penalty::ElasticNet { alpha, l1_ratio },
        }
    }
}

/// Which candidate is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// The one with the smallest error.
    Best,
    /// The one with the largest penalty whose error is within one standard error of the smallest: the simplest that
    /// cannot be told from the best (Breiman, Friedman, Olshen and Stone, 1984).
    OneStandardError,
}

/// A penalty and what it was found to be worth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// The penalty; 1 / C for classes.
    pub alpha: f64,
    /// The mean error of rows that the fits had not seen: squared error, or log loss. Smaller is better.
    pub score: f64,
    /// The standard error of that mean, from how much the folds differ.
    pub standard_error: f64,
    /// Coefficients of the fit to all rows that are not zero.
    pub nonzero: usize,
    /// Whether all its fits converged.
    pub converged: bool,
}

/// What was chosen, and from what.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// The penalty; 1 / C for classes.
    pub alpha: f64,
    /// The one with the smallest error.
    pub best: f64,
    /// All candidates, the largest penalty first.
    pub path: Vec<Candidate>,
    /// How the choice was made.
    pub rule: Rule,
}

/// The moments of each fold, in one pass.
///
/// # Errors
/// [`ChooseError::Folds`], and whatever reading fails with.
pub fn moments(rows: &impl Rows, folds: u32, seed: u64) -> Result<Vec<Moments>, ChooseError> {
    let mut dealer = Folds::new(folds, 1, seed).map_err(ChooseError::from)?;
    let mut parts: Vec<Accumulator> = Vec::new();
    rows.scan::<ChooseError>(&mut |row| {
        if parts.is_empty() {
            // Any point near the data will do; one for all keeps constant columns exactly so.
            let near: Vec<f64> = row.design.iter().copied().chain([row.target]).collect();
            parts = (0..folds).map(|_| Accumulator::new(near.clone())).collect();
        }
        if let Some(part) = parts.get_mut(dealer.deal(0)) {
            part.push_exact(row.design, row.target, &[], row.weight);
        }
        Ok(())
    })?;
    if parts.is_empty() {
        let folds = usize::try_from(folds).unwrap_or(usize::MAX);
        return Err(ChooseError::TooFewRows { rows: 0, folds });
    }
    Ok(parts.into_iter().map(Accumulator::finish).collect())
}

/// Chooses among `count` penalties of a family by the moments of folds. `names`: the features, then the target. The folds may
/// be a part of the rows: a feature that is constant in them gets the coefficient 0.
///
/// # Errors
/// [`ChooseError`] when a fold is empty, nothing is correlated, or a column is not finite.
pub fn regression(
    folds: &[Moments],
    names: &[String],
    family: Family,
    count: usize,
    rule: Rule,
) -> Result<Choice, ChooseError> {
    regression_on(available_threads(), folds, names, family, count, rule)
}

fn available_threads() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

fn regression_on(
    threads: usize,
    folds: &[Moments],
    names: &[String],
    family: Family,
    count: usize,
    rule: Rule,
) -> Result<Choice, ChooseError> {
    let parts = without_each(folds);
    let Some((whole, parts)) = parts.split_first().filter(|_| folds.len() > 1) else {
        return Err(InvalidFolds(u32::try_from(folds.len()).unwrap_or(u32::MAX)).into());
    };
    if folds.iter().any(|fold| fold.rows() == 0) {
        return Err(ChooseError::TooFewRows { rows: whole.rows(), folds: folds.len() });
    }
    let grid = match family {
        Family::Ridge => ridge_alphas(whole, count),
        Family::ElasticNet { l1_ratio } => alphas(whole, l1_ratio, count),
    };
    let penalties: Vec<Penalty> = grid.iter().map(|alpha| family.penalty(*alpha)).collect();
    let fits = path(whole, names, &penalties)?;
    if fits.is_empty() {
        return Err(ChooseError::Uncorrelated);
    }

    let measure = |fold: &Moments, others: &Moments| -> Result<Vec<(f64, bool)>, LeastSquaresError> {
        let fits = path(others, names, &penalties)?;
        let error = |fit: &super::path::Penalised| {
            fold.squared_error(&fit.means, fit.intercept, &fit.original_coefficients()) / fold.weight()
        };
        Ok(fits.iter().map(|fit| (error(fit), fit.converged)).collect())
    };
    let pairs: Vec<(&Moments, &Moments)> = folds.iter().zip(parts).collect();
    let mut measured = Vec::with_capacity(pairs.len());
    // Every fold is one task, so the number of threads changes nothing.
    for batch in pairs.chunks(threads.max(1)) {
        let results: Vec<Result<_, LeastSquaresError>> = std::thread::scope(|scope| {
            let tasks: Vec<_> = batch.iter().map(|pair| (pair, scope.spawn(|| measure(pair.0, pair.1)))).collect();
            // A thread that died is done over here: the same panic then ends this one.
            tasks.into_iter().map(|(pair, task)| task.join().unwrap_or_else(|_| measure(pair.0, pair.1))).collect()
        });
        for result in results {
            measured.push(result?);
        }
    }
    let weights: Vec<f64> = folds.iter().map(Moments::weight).collect();
    let candidates = grid.iter().zip(&fits).enumerate().map(|(position, (alpha, fit))| {
        let of_folds: Vec<(f64, bool)> = measured.iter().filter_map(|fold| fold.get(position)).copied().collect();
        let errors: Vec<f64> = of_folds.iter().map(|(error, _)| *error).collect();
        let (score, standard_error) = mean(&errors, &weights);
        let converged = fit.converged && of_folds.iter().all(|(_, converged)| *converged);
        Candidate { alpha: *alpha, score, standard_error, nonzero: fit.coefficients.len() - fit.zero, converged }
    });
    choose(candidates.collect(), rule).ok_or(ChooseError::Uncorrelated)
}

/// Penalties worth trying for classes, falling: C from 1/10000 to 10000, evenly in logarithms.
#[must_use]
pub fn logistic_alphas(count: usize) -> Vec<f64> {
    geometric(1e4, 1e-4, count)
}

/// Chooses among penalties (`alpha` = 1 / C, best falling) for classes, in folds in which every class has its share.
/// `settings.c` plays no part.
///
/// # Errors
/// [`ChooseError`] when a class has one row only or a fold would be empty, [`LogisticError`] as for a single fit, and
/// whatever reading fails with.
pub fn classification(
    rows: &impl Rows,
    classes: usize,
    folds: u32,
    seed: u64,
    alphas: &[f64],
    settings: &LogisticSettings,
    rule: Rule,
) -> Result<Choice, ChooseError> {
    let columns = rows.columns().len();
    let dealer = Folds::new(folds, classes, seed).map_err(ChooseError::from)?;
    let folds = usize::try_from(folds).unwrap_or(usize::MAX);

    let mut whole = Survey::new(columns, classes)?;
    let mut surveys = vec![whole.clone(); folds];
    let mut counts = vec![0_u64; classes];
    let mut weights = vec![0.0; folds];
    let mut deal = dealer.clone();
    rows.scan::<ChooseError>(&mut |row| {
        let class = whole.push(row)?;
        let fold = deal.deal(class);
        if let (Some(count), Some(weight)) = (counts.get_mut(class), weights.get_mut(fold)) {
            *count += 1;
            *weight += row.weight;
        }
        for (_, survey) in surveys.iter_mut().enumerate().filter(|(other, _)| *other != fold) {
            survey.push(row)?;
        }
        Ok(())
    })?;
    whole.about(settings).finish_part()?;
    if let Some(class) = counts.iter().position(|count| *count == 1) {
        return Err(ChooseError::LonelyClass { class, classes });
    }
    if weights.contains(&0.0) {
        return Err(ChooseError::TooFewRows { rows: counts.iter().sum(), folds });
    }
    let start = |survey: Survey| -> Result<Newton, LogisticError> {
        Newton::new(survey.about(settings).finish_part()?, settings)
    };
    let mut fits = surveys.into_iter().map(start).collect::<Result<Vec<Newton>, _>>()?;

    let mut candidates = Vec::with_capacity(alphas.len());
    for alpha in alphas {
        let c = 1.0 / alpha;
        if !(c > 0.0 && c.is_finite()) {
            return Err(LogisticError::InvalidSetting { name: "C", value: c }.into());
        }
        for fit in &mut fits {
            fit.restart(c);
        }
        let mut running = vec![true; folds];
        while running.contains(&true) {
            let mut deal = dealer.clone();
            rows.scan::<ChooseError>(&mut |row| {
                let fold = deal.deal(super::logistic::position(row.target));
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
        let mut deal = dealer.clone();
        rows.scan::<ChooseError>(&mut |row| {
            let class = super::logistic::position(row.target);
            let fold = deal.deal(class);
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
    choose(candidates, rule).ok_or(ChooseError::Uncorrelated)
}

/// All folds together, then for each fold all others together; each is merged from what comes before and after, so that
/// three merges a fold are enough.
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

/// The weighted mean of the folds' errors and its standard error.
fn mean(errors: &[f64], weights: &[f64]) -> (f64, f64) {
    let total: f64 = weights.iter().sum();
    let average = |values: &dyn Fn(f64) -> f64| {
        errors.iter().zip(weights).map(|(error, weight)| weight * values(*error)).sum::<f64>() / total
    };
    let mean = average(&|error| error);
    let variance = average(&|error| (error - mean) * (error - mean));
    (mean, (variance / (errors.len().max(2) - 1) as f64).sqrt())
}

fn choose(path: Vec<Candidate>, rule: Rule) -> Option<Choice> {
    let best =
        *path.iter().filter(|candidate| candidate.score.is_finite()).min_by(|a, b| a.score.total_cmp(&b.score))?;
    let alpha = match rule {
        Rule::Best => best.alpha,
        Rule::OneStandardError => path
            .iter()
            .filter(|candidate| candidate.score <= best.score + best.standard_error)
            .fold(best.alpha, |largest, candidate| largest.max(candidate.alpha)),
    };
    Some(Choice { alpha, best: best.alpha, path, rule })
}

#[cfg(test)]
mod tests;
