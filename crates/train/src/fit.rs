//! Fits the planned estimator twice: to all rows, and to the rows that are not held out.

mod class_weights;
mod fits;
mod glm;
mod linear;
mod notes;
mod penalised;
mod redundant;
mod robust;
mod separation;
mod unpenalised;

use super::error::TrainError;
use super::holdout::Holdout;
use super::plan::{EstimatorKind, PenaltyPlan, PenaltyStrength, Plan};
use super::solver::cross_validation;
use super::solver::cross_validation::SelectionRule;
use super::solver::error::SolveError;
use super::solver::logistic;
use super::solver::logistic::{LogisticFit, LogisticSettings};
use super::solver::moments::{Accumulator, Moments, RedundantColumns};
use super::surveyed_table::SurveyedTable;
use super::training_rows::TrainingRows;
use super::training_table::{EncodedRow, TrainingTable};
use class_weights::ClassWeighted;
pub(super) use fits::{Fit, Fits};
use linear::{Prepared, prepare};
pub(super) use notes::high_variance_inflation;
use ordinate_model::family::Family;
use ordinate_model::wording::counted;
use ordinate_table::{DataError, Decision};
pub(super) use robust::robust_errors;
pub(super) use unpenalised::likelihood_summary;

/// Regularization strengths that cross-validation tries for logistic regression. Each needs several passes.
const C_CANDIDATES: usize = 9;

/// The rows that a least-squares fit needs in addition to one for each column.
const SPARE_ROWS: u64 = 2;

/// The regularization strength of Poisson and gamma regression with few rows: that of scikit-learn by default.
const ALPHA_OF_FEW_ROWS: f64 = 1.0;

/// The planned estimator and penalty; if the plan leaves the choice and there are too few rows for a fit without a
/// penalty, ridge or a penalty of Poisson and gamma regression.
///
/// # Errors
/// [`TrainError`] when the design has too many columns.
pub(super) fn for_few_rows(
    estimator: EstimatorKind,
    surveyed: &SurveyedTable,
    holdout: &Holdout,
    plan: &Plan,
) -> Result<(EstimatorKind, PenaltyPlan, Option<Decision>), TrainError> {
    let planned = (estimator, plan.penalty.clone(), None);
    let is_open = match estimator.family() {
        Some(_) => plan.penalty.alpha.is_none(),
        None => plan.estimator.is_none() && estimator == EstimatorKind::Linear,
    };
    if !is_open {
        return Ok(planned);
    }
    let columns = surveyed.column_count(&plan.preparation)?;
    let needed = columns as u64 + SPARE_ROWS;
    // Small tables keep rows for the fit.
    let holdout = holdout.clone().keeping_some(surveyed.rows());
    let kept = (0..surveyed.rows()).filter(|row| !holdout.holds_out(*row)).count() as u64;
    if kept >= needed {
        return Ok(planned);
    }
    let few = format!(
        "too few rows for a fit without a penalty ({}, {})",
        counted(kept, "row that is not held out", "rows that are not held out"),
        counted(columns, "column", "columns")
    );
    if estimator.family().is_some() {
        let text = format!("{few}: fitted with a penalty, --alpha {ALPHA_OF_FEW_ROWS}; --alpha 0 fits without one");
        let decision = Decision::new(text, ["--alpha".to_owned(), ALPHA_OF_FEW_ROWS.to_string()]);
        let penalty = PenaltyPlan { alpha: Some(PenaltyStrength::Fixed(ALPHA_OF_FEW_ROWS)), ..plan.penalty.clone() };
        return Ok((estimator, penalty, Some(decision)));
    }
    let text = format!("{few}: fitted by ridge; --estimator linear fits least squares");
    Ok((EstimatorKind::Ridge, plan.penalty.clone(), Some(Decision::new(text, ["--estimator", "ridge"]))))
}

/// Fits the planned estimator. Columns without a coefficient leave the table.
///
/// # Errors
/// [`TrainError`] when there is no single finite solution.
pub(super) fn fit(
    table: TrainingTable,
    holdout: &Holdout,
    plan: &Plan,
    estimator: EstimatorKind,
) -> Result<(TrainingTable, Fits), TrainError> {
    match estimator {
        EstimatorKind::Linear => linear::linear(table, holdout),
        EstimatorKind::Logistic => classes(table, holdout, plan),
        EstimatorKind::Poisson => glm::glm(table, holdout, plan, Family::Poisson),
        EstimatorKind::Gamma => glm::glm(table, holdout, plan, Family::Gamma),
        EstimatorKind::Ridge | EstimatorKind::Lasso | EstimatorKind::ElasticNet => {
            penalised::penalised(table, holdout, plan, estimator)
        }
    }
}

fn classes(table: TrainingTable, holdout: &Holdout, plan: &Plan) -> Result<(TrainingTable, Fits), TrainError> {
    let count = table.classes().len();
    if plan.classes.threshold.is_some() && count != 2 {
        let column = table.signature().target().name.clone();
        return Err(DataError::ThresholdOfManyClasses { column, classes: count }.into());
    }
    let mut settings = LogisticSettings {
        c: fixed(plan.penalty.c),
        intercept: !table.through_origin(),
        ..LogisticSettings::default()
    };
    if !plan.penalty.is_penalised(EstimatorKind::Logistic) {
        let Prepared { table, decisions, .. } = prepare(table, holdout, true)?;
        return unpenalised::unpenalised(table, holdout, &settings, decisions);
    }
    let all = TrainingRows { table: &table, holdout: None };
    let constant = logistic::constant_columns(&all, count, &settings).map_err(in_classes(&table))?;
    let redundant = RedundantColumns { constant, dependent: Vec::new() };
    let (table, decisions) = redundant::without_redundant(table, &redundant)?;
    let balanced = plan.classes.balanced;
    let all = ClassWeighted::new(TrainingRows { table: &table, holdout: None }, count, balanced)?;
    let kept = ClassWeighted::new(TrainingRows { table: &table, holdout: Some(holdout) }, count, balanced)?;
    let mut cross_validation = None;
    let mut notes = Vec::new();
    if plan.penalty.is_cross_validated(EstimatorKind::Logistic) {
        let alphas = cross_validation::logistic_alphas(C_CANDIDATES);
        let folds = plan.penalty.folds();
        match cross_validation::classification(&kept, count, folds, plan.seed, &alphas, &settings, rule(plan)) {
            Ok(result) => {
                settings.c = 1.0 / result.alpha;
                cross_validation = Some(result);
            }
            Err(SolveError::EmptyFold { .. }) => {
                notes.push(format!("there are too few rows for cross-validation: C is {}", settings.c));
            }
            Err(error) => return Err(in_classes(&table)(error)),
        }
    }
    let held_out = held_out_rows(&table, holdout);
    let whole = logistic::fit(&all, count, &settings).map_err(in_classes(&table))?;
    let separation = logistic::penalised_separation(&all, count, &settings, &whole).map_err(in_classes(&table))?;
    let whole = LogisticFit { separation, ..whole };
    let evaluated = if held_out == 0 {
        whole.clone()
    } else {
        logistic::fit_of_part(&kept, count, &settings, Some(&whole)).map_err(in_classes(&table))?
    };
    if balanced {
        notes.push(class_weights::note(plan.classes.threshold.is_some() || count > 2));
    }
    let fits = Fits {
        whole: Fit::Logistic(whole),
        evaluated: Fit::Logistic(evaluated),
        held_out,
        cross_validation,
        decisions,
        notes,
    };
    Ok((table, fits))
}

/// The number of held-out rows.
fn held_out_rows(table: &TrainingTable, holdout: &Holdout) -> u64 {
    (0..table.summary().rows).filter(|row| holdout.holds_out(*row)).count() as u64
}

fn in_data(table: &TrainingTable) -> impl Fn(SolveError) -> TrainError + '_ {
    |source| match source {
        SolveError::Spool(error) => error.into(),
        source => TrainError::Solve { data: table.label(), source },
    }
}

fn in_kept_rows(table: &TrainingTable, held_out: u64) -> impl Fn(SolveError) -> TrainError + '_ {
    move |source| TrainError::SolveWithoutHeldOut { data: table.label(), held_out, source }
}

/// As [`in_data`], with the name of a class instead of its position.
fn in_classes(table: &TrainingTable) -> impl Fn(SolveError) -> TrainError + '_ {
    let rare = |class: usize, what, advice| {
        let class = table.classes().get(class).map(ToString::to_string).unwrap_or_default();
        let column = table.signature().target().name.clone();
        DataError::RareClass { column, class, what, advice }.in_data(table.label()).into()
    };
    move |error| match error {
        SolveError::MissingClass { class, .. } => {
            rare(class, "holding rows out", "hold out fewer rows with --test-fraction")
        }
        other => in_data(table)(other),
    }
}

/// A regularization strength that the plan sets.
fn fixed(strength: Option<PenaltyStrength>) -> f64 {
    match strength {
        Some(PenaltyStrength::Fixed(value)) => value,
        _ => 1.0,
    }
}

fn rule(plan: &Plan) -> SelectionRule {
    if plan.penalty.one_standard_error { SelectionRule::OneStandardError } else { SelectionRule::Best }
}

/// The names of the columns of the design, then of the target.
fn with_target(table: &TrainingTable) -> Vec<String> {
    table.names().iter().cloned().chain([table.signature().target().name.clone()]).collect()
}

/// The low-order parts of the design's columns, as double-doubles, where the design has powers or products: those have
/// more digits than a double.
pub(super) struct LowParts<'t> {
    table: &'t TrainingTable,
    is_rounded: bool,
    values: Vec<f64>,
}

impl<'t> LowParts<'t> {
    pub(super) fn new(table: &'t TrainingTable) -> Self {
        Self { table, is_rounded: table.is_rounded(), values: Vec::new() }
    }

    /// The low parts of one row; empty where all columns are exact.
    pub(super) fn row(&mut self, row: &EncodedRow<'_>) -> &[f64] {
        if self.is_rounded {
            self.values.clear();
            self.values.extend(self.table.low_parts(row));
        }
        &self.values
    }
}

/// The moments of the kept and of the held-out rows: about the means, or about zero without an intercept.
fn centred_moments(table: &TrainingTable, holdout: &Holdout) -> Result<(Moments, Moments), TrainError> {
    let (kept, held_out) = moments(table, holdout)?;
    Ok((centred(table, kept), centred(table, held_out)))
}

fn centred(table: &TrainingTable, moments: Moments) -> Moments {
    if table.through_origin() { moments.about_zero() } else { moments }
}

/// The moments of the kept and of the held-out rows, in one pass.
fn moments(table: &TrainingTable, holdout: &Holdout) -> Result<(Moments, Moments), TrainError> {
    let levels = table.levels();
    let [kept, held_out] = sides(
        table,
        holdout,
        |near| Accumulator::with_levels(near.to_vec(), levels.clone()),
        |side, row, low_parts| side.push_exact(row.design, row.target, low_parts, row.weight),
    )?;
    Ok((kept.finish(), held_out.finish()))
}

/// Adds every row, with its low parts, to the accumulator of the kept or of the held-out rows.
fn sides<A>(
    table: &TrainingTable,
    holdout: &Holdout,
    new: impl Fn(&[f64]) -> A,
    push: impl Fn(&mut A, &EncodedRow<'_>, &[f64]) + Send,
) -> Result<[A; 2], TrainError>
where
    A: Send,
{
    let mut low_parts = LowParts::new(table);
    let mut sides: Option<[A; 2]> = None;
    table.scan::<TrainError>(&mut |row| {
        // The shift may be any point near the data, such as the first row.
        let near = || -> Vec<f64> { row.design.iter().copied().chain([row.target]).collect() };
        let [kept, held_out] = sides.get_or_insert_with(|| [(); 2].map(|()| new(&near())));
        let side = if holdout.holds_out(row.number) { held_out } else { kept };
        push(side, &row, low_parts.row(&row));
        Ok(())
    })?;
    let without_rows = vec![0.0; table.names().len() + 1];
    Ok(sides.unwrap_or_else(|| [(); 2].map(|()| new(&without_rows))))
}
