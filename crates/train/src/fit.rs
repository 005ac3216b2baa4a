//! Fits the planned estimator: to all rows, and to the kept rows, without those of a holdout or of a fold.

mod class_weights;
mod fits;
mod glm;
mod linear;
mod logistic;
mod notes;
mod penalised;
mod redundant;
mod robust;
mod separation;
mod unpenalised;

use super::error::TrainError;
use super::holdout::Holdout;
use super::plan::{EstimatorKind, PenaltyPlan, PenaltyStrength, Plan};
use super::solver::cross_validation::SelectionRule;
use super::solver::error::SolveError;
use super::solver::moments::{Accumulator, Moments};
use super::surveyed_table::SurveyedTable;
use super::training_table::{EncodedRow, TrainingTable};
pub(super) use fits::{Fit, Fits};
pub(super) use notes::high_variance_inflation;
use ordinate_model::family::Family;
use ordinate_model::wording::counted;
use ordinate_table::{DataError, Decision};
pub(super) use robust::robust_errors;
pub(super) use unpenalised::likelihood_summary;

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
        EstimatorKind::Logistic => logistic::logistic(table, holdout, plan),
        EstimatorKind::Poisson => glm::glm(table, holdout, plan, Family::Poisson),
        EstimatorKind::Gamma => glm::glm(table, holdout, plan, Family::Gamma),
        EstimatorKind::Ridge | EstimatorKind::Lasso | EstimatorKind::ElasticNet => {
            penalised::penalised(table, holdout, plan, estimator)
        }
    }
}

/// Fits the kept rows as all rows. Columns that the kept rows do not determine have the coefficient 0. The strength of
/// the penalty, if the plan leaves it open, is selected again.
///
/// # Errors
/// [`TrainError`] when there is no single finite solution.
pub(super) fn fit_of_part(
    table: &TrainingTable,
    holdout: &Holdout,
    plan: &Plan,
    whole: &Fit,
) -> Result<Fit, TrainError> {
    match whole {
        Fit::LeastSquares(_) => linear::fit_of_part(table, holdout).map(Fit::LeastSquares),
        Fit::Logistic(whole) => logistic::fit_of_part(table, holdout, plan, whole).map(Fit::Logistic),
        Fit::Glm(whole) => glm::fit_of_part(table, holdout, plan, whole).map(Fit::Glm),
        Fit::Penalised { estimator, .. } => penalised::fit_of_part(table, holdout, plan, *estimator),
    }
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

/// The moments of the kept and of the held-out rows, in one pass: about the means, or about zero without an intercept.
fn centred_moments(table: &TrainingTable, holdout: &Holdout) -> Result<[Moments; 2], TrainError> {
    let sides = sides(table, holdout, accumulator(table), push)?;
    Ok(sides.map(|side| centred(table, side.finish())))
}

/// As [`centred_moments`], of the kept rows only.
fn centred_moments_of_kept(table: &TrainingTable, holdout: &Holdout) -> Result<KeptRows<Moments>, TrainError> {
    Ok(kept_side(table, holdout, accumulator(table), push)?.map(|kept| centred(table, kept.finish())))
}

fn accumulator(table: &TrainingTable) -> impl Fn(&[f64]) -> Accumulator {
    let levels = table.levels();
    move |near| Accumulator::with_levels(near.to_vec(), levels.clone())
}

fn push(side: &mut Accumulator, row: &EncodedRow<'_>, low_parts: &[f64]) {
    side.push_exact(row.design, row.target, low_parts, row.weight);
}

fn centred(table: &TrainingTable, moments: Moments) -> Moments {
    if table.through_origin() { moments.about_zero() } else { moments }
}

/// The kept rows, and the number of held-out rows of a weight above 0.
struct KeptRows<A> {
    kept: A,
    held_out: u64,
}

impl<A> KeptRows<A> {
    fn map<B>(self, change: impl FnOnce(A) -> B) -> KeptRows<B> {
        KeptRows { kept: change(self.kept), held_out: self.held_out }
    }
}

/// Adds every row, with its low parts, to the accumulator of the kept or of the held-out rows.
fn sides<A: Send>(
    table: &TrainingTable,
    holdout: &Holdout,
    new: impl Fn(&[f64]) -> A,
    push: impl Fn(&mut A, &EncodedRow<'_>, &[f64]) + Sync,
) -> Result<[A; 2], TrainError> {
    accumulated(
        table,
        |near| [(); 2].map(|()| new(near)),
        |[kept, held_out], row, low_parts| {
            let side = if holdout.holds_out(row.number) { held_out } else { kept };
            push(side, row, low_parts);
        },
    )
}

/// As [`sides`], with an accumulator of the kept rows only.
fn kept_side<A: Send>(
    table: &TrainingTable,
    holdout: &Holdout,
    new: impl Fn(&[f64]) -> A,
    push: impl Fn(&mut A, &EncodedRow<'_>, &[f64]) + Sync,
) -> Result<KeptRows<A>, TrainError> {
    accumulated(
        table,
        |near| KeptRows { kept: new(near), held_out: 0 },
        |KeptRows { kept, held_out }, row, low_parts| {
            if !holdout.holds_out(row.number) {
                push(kept, row, low_parts);
            } else if row.weight > 0.0 {
                *held_out += 1;
            }
        },
    )
}

/// Adds every row, with its low parts, to an accumulator. `new` makes it, near a row of columns and target.
fn accumulated<A: Send>(
    table: &TrainingTable,
    new: impl Fn(&[f64]) -> A,
    push: impl Fn(&mut A, &EncodedRow<'_>, &[f64]) + Send,
) -> Result<A, TrainError> {
    let mut low_parts = LowParts::new(table);
    let mut accumulator: Option<A> = None;
    table.scan::<TrainError>(&mut |row| {
        // Any row near the data will do, such as the first.
        let near = || -> Vec<f64> { row.design.iter().copied().chain([row.target]).collect() };
        push(accumulator.get_or_insert_with(|| new(&near())), &row, low_parts.row(&row));
        Ok(())
    })?;
    Ok(accumulator.unwrap_or_else(|| new(&vec![0.0; table.names().len() + 1])))
}
