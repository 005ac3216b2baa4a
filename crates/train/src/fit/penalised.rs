//! Ridge, lasso and elastic net.

use super::linear::{Prepared, prepare};
use super::redundant::without_redundant;
use super::{
    KeptRows, centred, centred_moments_of_kept, fixed, in_data, in_kept_rows, kept_side, rule, sides, with_target,
};
use crate::error::TrainError;
use crate::fit::{Fit, Fits};
use crate::holdout::Holdout;
use crate::plan::{DEFAULT_ALPHA, EstimatorKind, Plan};
use crate::solver::cross_validation;
use crate::solver::cross_validation::{CrossValidationResult, PenaltyFamily};
use crate::solver::design_rows::DesignRows;
use crate::solver::error::SolveError;
use crate::solver::moments::{Moments, RedundantColumns, SparseAccumulator, SparseMoments};
use crate::solver::path::{PenalisedFit, PenalisedMoments, Penalty};
use crate::training_rows::TrainingRows;
use crate::training_table::{EncodedRow, TrainingTable};

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
    let (table, fits) = fitting.fit(prepare_sparse(table, holdout)?)?;
    let has_converged =
        [&fits.whole, &fits.evaluated].iter().all(|fit| !matches!(fit, Fit::Penalised { fit, .. } if !fit.converged));
    if has_converged && !table.categories().is_empty() {
        return Ok((table, fits));
    }
    let (table, with_factor) = fitting.with_factor(table)?;
    let decisions = [fits.decisions, with_factor.decisions].concat();
    Ok((table, Fits { decisions, ..with_factor }))
}

/// Fits the kept rows, in the same way.
pub(super) fn fit_of_part(
    table: &TrainingTable,
    holdout: &Holdout,
    plan: &Plan,
    estimator: EstimatorKind,
) -> Result<Fit, TrainError> {
    let fitting = Fitting { holdout, plan, estimator };
    let has_sparse_moments = !table.categories().is_empty() && !fitting.has_no_penalty();
    let sparse = has_sparse_moments.then(|| fitting.fit_of_part::<SparseMoments>(table)).transpose()?;
    let fit = match sparse.filter(|fit| fit.converged) {
        Some(fit) => fit,
        None => fitting.fit_of_part::<Moments>(table)?,
    };
    Ok(Fit::Penalised { estimator, fit })
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

    fn with_factor(&self, table: TrainingTable) -> Result<(TrainingTable, Fits), TrainError> {
        self.fit(prepare(table, self.holdout, self.has_no_penalty())?)
    }

    fn fit<M: MomentsOfTable>(&self, prepared: Prepared<M>) -> Result<(TrainingTable, Fits), TrainError> {
        let Prepared { table, kept, held_out, all, decisions } = prepared;
        let kept = KeptRows { kept, held_out: held_out.rows() };
        let Strength { penalty, cross_validation, note } = self.strength(&table, &kept.kept)?;
        let whole = all.fit(&with_target(&table), penalty).map_err(in_data(&table))?;
        let evaluated = if kept.held_out == 0 { whole.clone() } else { part(&table, &kept, penalty)? };
        let fitted = |fit| Fit::Penalised { estimator: self.estimator, fit };
        let fits = Fits {
            whole: fitted(whole),
            evaluated: fitted(evaluated),
            held_out: kept.held_out,
            cross_validation,
            decisions,
            notes: note.into_iter().collect(),
        };
        Ok((table, fits))
    }

    /// Fits the kept rows, with the strength that they select.
    fn fit_of_part<M: MomentsOfTable>(&self, table: &TrainingTable) -> Result<PenalisedFit, TrainError> {
        let kept = M::of_kept(table, self.holdout)?;
        part(table, &kept, self.strength(table, &kept.kept)?.penalty)
    }

    /// The strength of the plan, or that which the kept rows select.
    fn strength<M: MomentsOfTable>(&self, table: &TrainingTable, kept: &M) -> Result<Strength, TrainError> {
        let Self { holdout, plan, estimator } = *self;
        let penalty = |alpha| match estimator {
            EstimatorKind::Ridge => Penalty::Ridge { alpha },
            _ => Penalty::ElasticNet { alpha, l1_ratio: plan.penalty.l1_ratio(estimator) },
        };
        if !self.is_cross_validated() {
            let penalty = penalty(fixed(plan.penalty.alpha));
            return Ok(Strength { penalty, cross_validation: None, note: None });
        }
        let rows = TrainingRows { table, holdout: Some(holdout) };
        let count = plan.penalty.folds().min(u32::try_from(kept.rows()).unwrap_or(u32::MAX));
        let folds = M::of_folds(table, &rows, count, plan.seed);
        let selected = folds.and_then(|folds| self.select(&folds, &with_target(table), &rows));
        match selected {
            Ok(result) => Ok(Strength { penalty: penalty(result.alpha), cross_validation: Some(result), note: None }),
            // Every alpha predicts the mean.
            Err(SolveError::Uncorrelated) => {
                let note = format!(
                    "no column is correlated with the target in the rows of cross-validation: alpha is {DEFAULT_ALPHA}"
                );
                Ok(Strength { penalty: penalty(DEFAULT_ALPHA), cross_validation: None, note: Some(note) })
            }
            Err(error) => Err(in_data(table)(error)),
        }
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

/// A penalty, and how its strength was selected.
struct Strength {
    penalty: Penalty,
    cross_validation: Option<CrossValidationResult>,
    note: Option<String>,
}

fn part(
    table: &TrainingTable,
    KeptRows { kept, held_out }: &KeptRows<impl PenalisedMoments>,
    penalty: Penalty,
) -> Result<PenalisedFit, TrainError> {
    kept.fit_of_part(&with_target(table), penalty).map_err(in_kept_rows(table, *held_out))
}

/// Moments that a table has.
trait MomentsOfTable: PenalisedMoments {
    /// Those of the kept rows.
    fn of_kept(table: &TrainingTable, holdout: &Holdout) -> Result<KeptRows<Self>, TrainError>;

    /// Those of each fold.
    fn of_folds(table: &TrainingTable, rows: &TrainingRows<'_>, folds: u32, seed: u64)
    -> Result<Vec<Self>, SolveError>;
}

/// The factor R of all columns.
impl MomentsOfTable for Moments {
    fn of_kept(table: &TrainingTable, holdout: &Holdout) -> Result<KeptRows<Self>, TrainError> {
        centred_moments_of_kept(table, holdout)
    }

    fn of_folds(
        table: &TrainingTable,
        rows: &TrainingRows<'_>,
        folds: u32,
        seed: u64,
    ) -> Result<Vec<Self>, SolveError> {
        let folds = cross_validation::moments(rows, folds, seed)?;
        Ok(folds.into_iter().map(|fold| centred(table, fold)).collect())
    }
}

/// The products of the levels of categories.
impl MomentsOfTable for SparseMoments {
    fn of_kept(table: &TrainingTable, holdout: &Holdout) -> Result<KeptRows<Self>, TrainError> {
        let kept = kept_side(table, holdout, sparse_accumulator(table), push_sparse)?;
        Ok(kept.map(|kept| centred_sparse(table, kept.finish())))
    }

    fn of_folds(
        table: &TrainingTable,
        rows: &TrainingRows<'_>,
        folds: u32,
        seed: u64,
    ) -> Result<Vec<Self>, SolveError> {
        let folds = cross_validation::sparse_moments(rows, &table.categories(), folds, seed)?;
        Ok(folds.into_iter().map(|fold| centred_sparse(table, fold)).collect())
    }
}

/// As [`prepare`], for a design of categories and a few numbers, of which constant columns leave the table.
fn prepare_sparse(table: TrainingTable, holdout: &Holdout) -> Result<Prepared<SparseMoments>, TrainError> {
    let mut decisions = Vec::new();
    let mut table = table;
    loop {
        let sides = sides(&table, holdout, sparse_accumulator(&table), push_sparse)?;
        let [kept, held_out] = sides.map(|side| centred_sparse(&table, side.finish()));
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

fn sparse_accumulator(table: &TrainingTable) -> impl Fn(&[f64]) -> SparseAccumulator {
    let categories = table.categories();
    move |near| SparseAccumulator::new(near, &categories)
}

fn push_sparse(side: &mut SparseAccumulator, row: &EncodedRow<'_>, low_parts: &[f64]) {
    side.push_exact(row.design, row.target, low_parts, row.weight);
}

fn centred_sparse(table: &TrainingTable, moments: SparseMoments) -> SparseMoments {
    if table.through_origin() { moments.about_zero() } else { moments }
}
