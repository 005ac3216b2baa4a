//! Fits the planned estimator twice: to all rows, and to the rows that are not held out.

mod fits;
mod notes;

use super::error::TrainError;
use super::holdout::Holdout;
use super::plan::{EstimatorKind, PenaltyStrength, Plan};
use super::solver::cross_validation;
use super::solver::cross_validation::{PenaltyFamily, SelectionRule};
use super::solver::error::SolveError;
use super::solver::least_squares::LeastSquaresFit;
use super::solver::logistic;
use super::solver::logistic::LogisticSettings;
use super::solver::moments::{Accumulator, Moments};
use super::solver::path;
use super::solver::path::Penalty;
use super::solver::refinement::Refinement;
use super::training_table::{EncodedRow, TrainingRows, TrainingTable};
pub(super) use fits::{Fit, Fits};
pub(super) use notes::high_variance_inflation;
use ordinate_table::DataError;

/// Passes of iterative refinement after the QR decomposition: one is enough for ordinary data, ill-conditioned data and
/// exact fits need a second.
const REFINEMENTS: usize = 2;

/// Regularization strengths that cross-validation tries for ridge, lasso and elastic net. They need no pass of their own.
const ALPHA_CANDIDATES: usize = 100;

/// Regularization strengths that cross-validation tries for logistic regression. Each needs several passes.
const C_CANDIDATES: usize = 9;

/// Fits the planned estimator.
///
/// # Errors
/// [`TrainError`] when there is no single finite solution.
pub(super) fn fit(
    table: &TrainingTable,
    holdout: &Holdout,
    plan: &Plan,
    estimator: EstimatorKind,
) -> Result<Fits, TrainError> {
    match estimator {
        EstimatorKind::Linear => linear(table, holdout),
        EstimatorKind::Logistic => classes(table, holdout, plan),
        EstimatorKind::Ridge | EstimatorKind::Lasso | EstimatorKind::ElasticNet => {
            penalised(table, holdout, plan, estimator)
        }
    }
}

/// Ordinary least squares. The moments of both sides are merged, so that the fit to all rows needs no pass of its own.
fn linear(table: &TrainingTable, holdout: &Holdout) -> Result<Fits, TrainError> {
    let (kept, held_out) = centred_moments(table, holdout)?;
    let names = with_target(table);
    let whole = kept.merge(&held_out).solve(&names).map_err(in_data(table))?;
    let evaluated = if held_out.rows() == 0 {
        None
    } else {
        Some(kept.solve(&names).map_err(in_kept_rows(table, held_out.rows()))?)
    };
    let (whole, evaluated) = refine(table, holdout, whole, evaluated)?;
    Ok(Fits {
        whole: Fit::LeastSquares(whole),
        evaluated: Fit::LeastSquares(evaluated),
        held_out: held_out.rows(),
        cross_validation: None,
    })
}

/// Ridge, lasso and elastic net, from the same moments as least squares.
fn penalised(
    table: &TrainingTable,
    holdout: &Holdout,
    plan: &Plan,
    estimator: EstimatorKind,
) -> Result<Fits, TrainError> {
    let (kept, held_out) = centred_moments(table, holdout)?;
    let names = with_target(table);
    let penalty = |alpha| match estimator {
        EstimatorKind::Ridge => Penalty::Ridge { alpha },
        _ => Penalty::ElasticNet { alpha, l1_ratio: plan.penalty.l1_ratio(estimator) },
    };
    let all = kept.merge(&held_out);
    let mut cross_validation = None;
    if plan.penalty.is_cross_validated(estimator) {
        // Cross-validation accepts constant columns, because a column may vary in the held-out rows only.
        all.lengths(&names).map_err(in_data(table))?;
        let family = match estimator {
            EstimatorKind::Ridge => PenaltyFamily::Ridge,
            _ => PenaltyFamily::ElasticNet { l1_ratio: plan.penalty.l1_ratio(estimator) },
        };
        let rows = TrainingRows { table, holdout: Some(holdout) };
        let folds = cross_validation::moments(&rows, plan.penalty.folds(), plan.seed).map_err(in_data(table))?;
        let folds: Vec<Moments> = folds.into_iter().map(|fold| centred(table, fold)).collect();
        let result = cross_validation::regression(&folds, &names, family, ALPHA_CANDIDATES, rule(plan));
        cross_validation = Some(result.map_err(in_data(table))?);
    }
    let alpha = cross_validation.as_ref().map_or_else(|| fixed(plan.penalty.alpha), |result| result.alpha);
    let fitted = |fit| Fit::Penalised { estimator, fit };
    let whole = path::fit(&all, &names, penalty(alpha)).map_err(in_data(table))?;
    let evaluated = path::fit_of_part(&kept, &names, penalty(alpha)).map_err(in_kept_rows(table, held_out.rows()))?;
    Ok(Fits { whole: fitted(whole), evaluated: fitted(evaluated), held_out: held_out.rows(), cross_validation })
}

fn classes(table: &TrainingTable, holdout: &Holdout, plan: &Plan) -> Result<Fits, TrainError> {
    let count = table.classes().len();
    let mut settings = LogisticSettings {
        c: fixed(plan.penalty.c),
        intercept: !table.through_origin(),
        ..LogisticSettings::default()
    };
    let all = TrainingRows { table, holdout: None };
    let kept = TrainingRows { table, holdout: Some(holdout) };
    let mut cross_validation = None;
    if plan.penalty.is_cross_validated(EstimatorKind::Logistic) {
        logistic::check(&all, count, &settings).map_err(in_classes(table))?;
        let alphas = cross_validation::logistic_alphas(C_CANDIDATES);
        let folds = plan.penalty.folds();
        let result = cross_validation::classification(&kept, count, folds, plan.seed, &alphas, &settings, rule(plan));
        let result = result.map_err(in_classes(table))?;
        settings.c = 1.0 / result.alpha;
        cross_validation = Some(result);
    }
    let held_out = (0..table.summary().rows).filter(|row| holdout.holds_out(*row)).count() as u64;
    let whole = logistic::fit(&all, count, &settings).map_err(in_classes(table))?;
    let evaluated = if held_out == 0 {
        whole.clone()
    } else {
        logistic::fit_of_part(&kept, count, &settings).map_err(in_classes(table))?
    };
    Ok(Fits { whole: Fit::Logistic(whole), evaluated: Fit::Logistic(evaluated), held_out, cross_validation })
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
        SolveError::SingleRowClass { class, .. } => rare(class, "cross-validation", "set --c to a number"),
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
    let mut low_parts = LowParts::new(table);
    let mut sides: Option<[Accumulator; 2]> = None;
    table.scan::<TrainError>(&mut |row| {
        // The shift may be any point near the data, such as the first row.
        let near = || row.design.iter().copied().chain([row.target]).collect();
        let [kept, held_out] = sides.get_or_insert_with(|| [(); 2].map(|()| Accumulator::new(near())));
        let side = if holdout.holds_out(row.number) { held_out } else { kept };
        side.push_exact(row.design, row.target, low_parts.row(&row), row.weight);
        Ok(())
    })?;
    let width = table.names().len() + 1;
    let [kept, held_out] = sides.unwrap_or_else(|| [(); 2].map(|()| Accumulator::new(vec![0.0; width])));
    Ok((kept.finish(), held_out.finish()))
}

/// Refines both fits in the same passes. Without held-out rows they are one fit.
fn refine(
    table: &TrainingTable,
    holdout: &Holdout,
    mut whole: LeastSquaresFit,
    mut evaluated: Option<LeastSquaresFit>,
) -> Result<(LeastSquaresFit, LeastSquaresFit), TrainError> {
    let mut low_parts = LowParts::new(table);
    for _ in 0..REFINEMENTS {
        let (mut all, mut kept) = (Refinement::new(whole), evaluated.map(Refinement::new));
        table.scan::<TrainError>(&mut |row| {
            let low_parts = low_parts.row(&row);
            all.push_exact(row.design, row.target, low_parts, row.weight);
            if let Some(kept) = kept.as_mut().filter(|_| !holdout.holds_out(row.number)) {
                kept.push_exact(row.design, row.target, low_parts, row.weight);
            }
            Ok(())
        })?;
        let (all_changed, kept_changed);
        (whole, all_changed) = all.finish();
        (evaluated, kept_changed) = kept.map(Refinement::finish).unzip();
        if !all_changed && kept_changed != Some(true) {
            break;
        }
    }
    let evaluated = evaluated.unwrap_or_else(|| whole.clone());
    Ok((whole, evaluated))
}
