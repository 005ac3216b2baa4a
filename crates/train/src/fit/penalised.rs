//! Ridge, lasso and elastic net.

use super::linear::{Prepared, prepare};
use super::{centred, fixed, in_data, in_kept_rows, rule, with_target};
use crate::error::TrainError;
use crate::fit::{Fit, Fits};
use crate::holdout::Holdout;
use crate::plan::{DEFAULT_ALPHA, EstimatorKind, Plan};
use crate::solver::cross_validation;
use crate::solver::cross_validation::{CrossValidationResult, PenaltyFamily};
use crate::solver::design_rows::DesignRows;
use crate::solver::error::SolveError;
use crate::solver::moments::Moments;
use crate::solver::path;
use crate::solver::path::Penalty;
use crate::training_rows::TrainingRows;
use crate::training_table::TrainingTable;

/// Regularization strengths that cross-validation tries. They need no pass of their own.
const CANDIDATES: usize = 100;

/// Fits ridge, lasso or elastic net, from the same moments as least squares.
pub(super) fn penalised(
    table: TrainingTable,
    holdout: &Holdout,
    plan: &Plan,
    estimator: EstimatorKind,
) -> Result<(TrainingTable, Fits), TrainError> {
    let is_cross_validated = plan.penalty.is_cross_validated(estimator);
    let without_penalty = !is_cross_validated && fixed(plan.penalty.alpha) == 0.0;
    let Prepared { table, kept, held_out, all, decisions } = prepare(table, holdout, without_penalty)?;
    let names = with_target(&table);
    let penalty = |alpha| match estimator {
        EstimatorKind::Ridge => Penalty::Ridge { alpha },
        _ => Penalty::ElasticNet { alpha, l1_ratio: plan.penalty.l1_ratio(estimator) },
    };
    let mut notes = Vec::new();
    let cross_validation = match is_cross_validated.then(|| select(&table, holdout, plan, estimator, kept.rows())) {
        Some(Ok(result)) => Some(result),
        // Every alpha predicts the mean.
        Some(Err(SolveError::Uncorrelated)) => {
            notes.push(format!(
                "no column is correlated with the target in the rows of cross-validation: alpha is {DEFAULT_ALPHA}"
            ));
            None
        }
        Some(Err(error)) => return Err(in_data(&table)(error)),
        None => None,
    };
    let selected = if is_cross_validated { DEFAULT_ALPHA } else { fixed(plan.penalty.alpha) };
    let alpha = cross_validation.as_ref().map_or(selected, |result| result.alpha);
    let fitted = |fit| Fit::Penalised { estimator, fit };
    let whole = path::fit(&all, &names, penalty(alpha)).map_err(in_data(&table))?;
    let evaluated = path::fit_of_part(&kept, &names, penalty(alpha)).map_err(in_kept_rows(&table, held_out.rows()))?;
    let fits = Fits {
        whole: fitted(whole),
        evaluated: fitted(evaluated),
        held_out: held_out.rows(),
        cross_validation,
        decisions,
        notes,
    };
    Ok((table, fits))
}

/// Selects alpha by cross-validation in the rows that are not held out, of which `rows` have a weight.
fn select(
    table: &TrainingTable,
    holdout: &Holdout,
    plan: &Plan,
    estimator: EstimatorKind,
    rows: u64,
) -> Result<CrossValidationResult, SolveError> {
    let family = match estimator {
        EstimatorKind::Ridge => PenaltyFamily::Ridge,
        _ => PenaltyFamily::ElasticNet { l1_ratio: plan.penalty.l1_ratio(estimator) },
    };
    let folds = plan.penalty.folds().min(u32::try_from(rows).unwrap_or(u32::MAX));
    let rows = TrainingRows { table, holdout: Some(holdout) };
    let folds = cross_validation::moments(&rows, folds, plan.seed)?;
    let folds: Vec<Moments> = folds.into_iter().map(|fold| centred(table, fold)).collect();
    let report = |fraction| rows.report(fraction);
    cross_validation::regression(&folds, &with_target(table), family, CANDIDATES, rule(plan), &report)
}
