//! Logistic regression.

use super::class_weights::{self, ClassWeighted};
use super::linear::{Prepared, prepare};
use super::redundant::without_redundant;
use super::{fixed, held_out_rows, in_classes, rule, unpenalised};
use crate::error::TrainError;
use crate::fit::{Fit, Fits};
use crate::holdout::Holdout;
use crate::plan::{EstimatorKind, Plan};
use crate::solver::cross_validation;
use crate::solver::cross_validation::CrossValidationResult;
use crate::solver::error::SolveError;
use crate::solver::logistic;
use crate::solver::logistic::{LogisticFit, LogisticSettings};
use crate::solver::moments::RedundantColumns;
use crate::training_rows::TrainingRows;
use crate::training_table::TrainingTable;
use ordinate_table::DataError;

/// Regularization strengths that cross-validation tries. Each needs several passes.
const C_CANDIDATES: usize = 9;

/// Fits logistic regression of two classes or more, with a penalty or without.
pub(super) fn logistic(
    table: TrainingTable,
    holdout: &Holdout,
    plan: &Plan,
) -> Result<(TrainingTable, Fits), TrainError> {
    let count = table.classes().len();
    if plan.classes.threshold.is_some() && count != 2 {
        let column = table.signature().target().name.clone();
        return Err(DataError::ThresholdOfManyClasses { column, classes: count }.into());
    }
    let settings = settings(&table, plan);
    if !plan.penalty.is_penalised(EstimatorKind::Logistic) {
        let Prepared { table, decisions, .. } = prepare(table, holdout, true)?;
        return unpenalised::unpenalised(table, holdout, &settings, decisions);
    }
    let all = TrainingRows { table: &table, holdout: None };
    let constant = logistic::constant_columns(&all, count, &settings).map_err(in_classes(&table))?;
    let redundant = RedundantColumns { constant, dependent: Vec::new() };
    let (table, decisions) = without_redundant(table, &redundant)?;
    let kept = class_weighted(&table, Some(holdout), plan)?;
    let Strength { settings, cross_validation, note } = strength(&table, &kept, plan, settings)?;
    let all = class_weighted(&table, None, plan)?;
    let whole = logistic::fit(&all, count, &settings).map_err(in_classes(&table))?;
    let separation = logistic::penalised_separation(&all, count, &settings, &whole).map_err(in_classes(&table))?;
    let whole = LogisticFit { separation, ..whole };
    let held_out = held_out_rows(&table, holdout);
    let evaluated = if held_out == 0 {
        whole.clone()
    } else {
        logistic::fit_of_part(&kept, count, &settings, Some(&whole)).map_err(in_classes(&table))?
    };
    let of_weights = plan.classes.balanced.then(|| class_weights::note(plan.classes.threshold.is_some() || count > 2));
    let fits = Fits {
        whole: Fit::Logistic(whole),
        evaluated: Fit::Logistic(evaluated),
        held_out,
        cross_validation,
        decisions,
        notes: note.into_iter().chain(of_weights).collect(),
    };
    Ok((table, fits))
}

/// Fits the kept rows. With a penalty, the fit starts from that to all rows.
pub(super) fn fit_of_part(
    table: &TrainingTable,
    holdout: &Holdout,
    plan: &Plan,
    whole: &LogisticFit,
) -> Result<LogisticFit, TrainError> {
    let settings = settings(table, plan);
    if !plan.penalty.is_penalised(EstimatorKind::Logistic) {
        return unpenalised::fit_of_part(table, holdout, &settings);
    }
    let kept = class_weighted(table, Some(holdout), plan)?;
    let Strength { settings, .. } = strength(table, &kept, plan, settings)?;
    logistic::fit_of_part(&kept, table.classes().len(), &settings, Some(whole)).map_err(in_classes(table))
}

fn settings(table: &TrainingTable, plan: &Plan) -> LogisticSettings {
    LogisticSettings { c: fixed(plan.penalty.c), intercept: !table.through_origin(), ..LogisticSettings::default() }
}

fn class_weighted<'t>(
    table: &'t TrainingTable,
    holdout: Option<&'t Holdout>,
    plan: &Plan,
) -> Result<ClassWeighted<'t>, TrainError> {
    let rows = TrainingRows { table, holdout };
    Ok(ClassWeighted::new(rows, table.classes().len(), plan.classes.balanced)?)
}

/// A regularization strength, and how it was selected.
struct Strength {
    settings: LogisticSettings,
    cross_validation: Option<CrossValidationResult>,
    note: Option<String>,
}

/// That of the plan, or that which these rows select.
fn strength(
    table: &TrainingTable,
    rows: &ClassWeighted<'_>,
    plan: &Plan,
    settings: LogisticSettings,
) -> Result<Strength, TrainError> {
    let mut strength = Strength { settings, cross_validation: None, note: None };
    if !plan.penalty.is_cross_validated(EstimatorKind::Logistic) {
        return Ok(strength);
    }
    let (count, folds) = (table.classes().len(), plan.penalty.folds());
    let alphas = cross_validation::logistic_alphas(C_CANDIDATES);
    match cross_validation::classification(rows, count, folds, plan.seed, &alphas, &settings, rule(plan)) {
        Ok(result) => {
            strength.settings.c = 1.0 / result.alpha;
            strength.cross_validation = Some(result);
        }
        Err(SolveError::EmptyFold { .. }) => {
            strength.note = Some(format!("there are too few rows for cross-validation: C is {}", settings.c));
        }
        Err(error) => return Err(in_classes(table)(error)),
    }
    Ok(strength)
}
