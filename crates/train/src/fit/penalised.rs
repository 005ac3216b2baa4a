//! Ridge, lasso and elastic net.

use super::linear::{Prepared, prepare};
use super::redundant::without_redundant;
use super::{centred, fixed, in_data, in_kept_rows, rule, sides, with_target};
use crate::error::TrainError;
use crate::fit::{Fit, Fits};
use crate::holdout::Holdout;
use crate::plan::{DEFAULT_ALPHA, EstimatorKind, Plan};
use crate::solver::cross_validation;
use crate::solver::cross_validation::{CrossValidationResult, PenaltyFamily};
use crate::solver::design_rows::DesignRows;
use crate::solver::error::SolveError;
use crate::solver::moments::{RedundantColumns, SparseAccumulator, SparseMoments};
use crate::solver::path::{PenalisedMoments, Penalty};
use crate::training_rows::TrainingRows;
use crate::training_table::TrainingTable;

/// Regularization strengths that cross-validation tries. They need no pass of their own.
const CANDIDATES: usize = 100;

/// Fits ridge, lasso or elastic net, from the same moments as least squares, or for categories of many levels, from
/// sparse moments.
pub(super) fn penalised(
    table: TrainingTable,
    holdout: &Holdout,
    plan: &Plan,
    estimator: EstimatorKind,
) -> Result<(TrainingTable, Fits), TrainError> {
    let fitting = Fitting { holdout, plan, estimator };
    if table.categories().is_empty() || fitting.has_no_penalty() {
        return fitting.with_factor(table);
    }
    let (table, fits) = fitting.with_categories(table)?;
    let has_converged =
        [&fits.whole, &fits.evaluated].iter().all(|fit| !matches!(fit, Fit::Penalised { fit, .. } if !fit.converged));
    if has_converged && !table.categories().is_empty() {
        return Ok((table, fits));
    }
    let (table, with_factor) = fitting.with_factor(table)?;
    let decisions = [fits.decisions, with_factor.decisions].concat();
    Ok((table, Fits { decisions, ..with_factor }))
}

struct Fitting<'a> {
    holdout: &'a Holdout,
    plan: &'a Plan,
    estimator: EstimatorKind,
}

impl Fitting<'_> {
    fn is_cross_validated(&self) -> bool {
        self.plan.penalty.is_cross_validated(self.estimator)
    }

    fn has_no_penalty(&self) -> bool {
        !self.is_cross_validated() && fixed(self.plan.penalty.alpha) == 0.0
    }

    /// From the factor R of all columns.
    fn with_factor(&self, table: TrainingTable) -> Result<(TrainingTable, Fits), TrainError> {
        let prepared = prepare(table, self.holdout, self.has_no_penalty())?;
        self.fit(prepared, |table, rows, folds| {
            let folds = cross_validation::moments(rows, folds, self.plan.seed)?;
            Ok(folds.into_iter().map(|fold| centred(table, fold)).collect())
        })
    }

    /// From the products of the levels of categories.
    fn with_categories(&self, table: TrainingTable) -> Result<(TrainingTable, Fits), TrainError> {
        let prepared = prepare_sparse(table, self.holdout)?;
        self.fit(prepared, |table, rows, folds| {
            let folds = cross_validation::sparse_moments(rows, &table.categories(), folds, self.plan.seed)?;
            Ok(folds.into_iter().map(|fold| centred_sparse(table, fold)).collect())
        })
    }

    /// `folds` computes the moments of a number of folds.
    fn fit<M: PenalisedMoments>(
        &self,
        prepared: Prepared<M>,
        folds: impl Fn(&TrainingTable, &TrainingRows<'_>, u32) -> Result<Vec<M>, SolveError>,
    ) -> Result<(TrainingTable, Fits), TrainError> {
        let Self { holdout, plan, estimator } = *self;
        let Prepared { table, kept, held_out, all, decisions } = prepared;
        let names = with_target(&table);
        let mut notes = Vec::new();
        let result = self.is_cross_validated().then(|| {
            let rows = TrainingRows { table: &table, holdout: Some(holdout) };
            let count = plan.penalty.folds().min(u32::try_from(kept.rows()).unwrap_or(u32::MAX));
            self.select(&folds(&table, &rows, count)?, &names, &rows)
        });
        let cross_validation = match result {
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
        let selected = if self.is_cross_validated() { DEFAULT_ALPHA } else { fixed(plan.penalty.alpha) };
        let alpha = cross_validation.as_ref().map_or(selected, |result| result.alpha);
        let penalty = match estimator {
            EstimatorKind::Ridge => Penalty::Ridge { alpha },
            _ => Penalty::ElasticNet { alpha, l1_ratio: plan.penalty.l1_ratio(estimator) },
        };
        let fitted = |fit| Fit::Penalised { estimator, fit };
        let whole = all.fit(&names, penalty).map_err(in_data(&table))?;
        let evaluated = if held_out.rows() == 0 {
            whole.clone()
        } else {
            kept.fit_of_part(&names, penalty).map_err(in_kept_rows(&table, held_out.rows()))?
        };
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

    /// Selects alpha by cross-validation, without the held-out rows.
    fn select<M: PenalisedMoments>(
        &self,
        folds: &[M],
        names: &[String],
        rows: &TrainingRows<'_>,
    ) -> Result<CrossValidationResult, SolveError> {
        let family = match self.estimator {
            EstimatorKind::Ridge => PenaltyFamily::Ridge,
            _ => PenaltyFamily::ElasticNet { l1_ratio: self.plan.penalty.l1_ratio(self.estimator) },
        };
        cross_validation::regression(folds, names, family, CANDIDATES, rule(self.plan), &|fraction| {
            rows.report(fraction);
        })
    }
}

/// As [`prepare`], for a design of categories and a few numbers, of which constant columns leave the table.
fn prepare_sparse(table: TrainingTable, holdout: &Holdout) -> Result<Prepared<SparseMoments>, TrainError> {
    let mut decisions = Vec::new();
    let mut table = table;
    loop {
        let categories = table.categories();
        let [kept, held_out] = sides(
            &table,
            holdout,
            |near| SparseAccumulator::new(near, &categories),
            |side, row, low_parts| side.push_exact(row.design, row.target, low_parts, row.weight),
        )?
        .map(|side| centred_sparse(&table, side.finish()));
        let all = kept.merge(&held_out);
        all.check(&with_target(&table)).map_err(in_data(&table))?;
        let redundant = RedundantColumns { constant: all.constant_features(), dependent: Vec::new() };
        if redundant.is_empty() {
            return Ok(Prepared { table, kept, held_out, all, decisions });
        }
        let decided;
        (table, decided) = without_redundant(table, &redundant)?;
        decisions.extend(decided);
    }
}

fn centred_sparse(table: &TrainingTable, moments: SparseMoments) -> SparseMoments {
    if table.through_origin() { moments.about_zero() } else { moments }
}
