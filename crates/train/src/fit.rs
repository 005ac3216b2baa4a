//! From rows to coefficients: one fit to the rows that are not held out, to be measured, and one to all.

mod notes;

use super::error::TrainError;
use super::holdout::Split;
use super::plan::Strength;
use super::plan::{Estimator, Plan};
use super::solver::cross_validation;
use super::solver::cross_validation::{Choice, ChooseError, Family, Rule};
use super::solver::least_squares::{Accumulator, LeastSquares, LeastSquaresError, Moments};
use super::solver::logistic;
use super::solver::logistic::{LogisticError, LogisticFit, LogisticSettings};
use super::solver::path;
use super::solver::path::{Penalised, Penalty};
use super::solver::refinement::Refinement;
use super::table::{Encoded, Table, View};
pub(super) use notes::nearly_dependent;
use ordinate_table::DataError;

/// Looks at the rows after the first that bring a fit to its last digit: one for ordinary data, another for difficult or exact
/// ones.
const REFINEMENTS: usize = 2;

/// Prices that are tried for ridge, lasso and elastic net, which cost no pass each.
const CANDIDATES: usize = 100;

/// Prices that are tried for logistic regression, which cost several passes each.
const CLASS_CANDIDATES: usize = 9;

/// The fits of one plan.
#[derive(Debug)]
pub(super) struct Fits {
    /// To all rows.
    pub(super) whole: Fitted,
    /// To those that are not held out.
    pub(super) measured: Fitted,
    /// How many are.
    pub(super) held_out: u64,
    /// How the price of large coefficients was chosen.
    pub(super) choice: Option<Choice>,
}

/// One fit.
#[derive(Debug)]
pub(super) enum Fitted {
    Linear(LeastSquares),
    Penalised { estimator: Estimator, fit: Penalised },
    Logistic(LogisticFit),
}

impl Fitted {
    pub(super) fn estimator(&self) -> Estimator {
        match self {
            Self::Linear(_) => Estimator::Linear,
            Self::Penalised { estimator, .. } => *estimator,
            Self::Logistic(_) => Estimator::Logistic,
        }
    }
}

/// Fits what was planned.
///
/// # Errors
/// [`TrainError`] when there is no single finite answer.
pub(super) fn fit(table: &Table, split: &Split, plan: &Plan, estimator: Estimator) -> Result<Fits, TrainError> {
    match estimator {
        Estimator::Linear => linear(table, split),
        Estimator::Logistic => classes(table, split, plan),
        Estimator::Ridge | Estimator::Lasso | Estimator::ElasticNet => penalised(table, split, plan, estimator),
    }
}

/// Ridge, lasso and elastic net need no more of the data than least squares does.
fn penalised(table: &Table, split: &Split, plan: &Plan, estimator: Estimator) -> Result<Fits, TrainError> {
    let (kept, held_out) = sides(table, split)?;
    let names = with_target(table);
    let penalty = |alpha| match estimator {
        Estimator::Ridge => Penalty::Ridge { alpha },
        _ => Penalty::ElasticNet { alpha, l1_ratio: plan.penalty.l1_ratio(estimator) },
    };
    let all = kept.merge(&held_out);
    let mut choice = None;
    if plan.penalty.is_chosen(estimator) {
        // What varies in held-out rows only is constant in all folds, and in order.
        all.lengths(&names).map_err(failed(table))?;
        let family = match estimator {
            Estimator::Ridge => Family::Ridge,
            _ => Family::ElasticNet { l1_ratio: plan.penalty.l1_ratio(estimator) },
        };
        let rows = View { table, split: Some(split) };
        let folds = cross_validation::moments(&rows, plan.penalty.folds(), plan.seed)?;
        let folds: Vec<Moments> = folds.into_iter().map(|fold| measured(table, fold)).collect();
        choice = Some(cross_validation::regression(&folds, &names, family, CANDIDATES, rule(plan))?);
    }
    let alpha = choice.as_ref().map_or_else(|| fixed(plan.penalty.alpha), |choice| choice.alpha);
    let fitted = |fit| Fitted::Penalised { estimator, fit };
    let whole = path::fit(&all, &names, penalty(alpha)).map_err(failed(table))?;
    let measured = path::fit_of_part(&kept, &names, penalty(alpha)).map_err(failed_without(table, held_out.rows()))?;
    Ok(Fits { whole: fitted(whole), measured: fitted(measured), held_out: held_out.rows(), choice })
}

fn classes(table: &Table, split: &Split, plan: &Plan) -> Result<Fits, TrainError> {
    let count = table.classes().len();
    let mut settings = LogisticSettings {
        c: fixed(plan.penalty.c),
        intercept: !table.through_origin(),
        ..LogisticSettings::default()
    };
    let mut choice = None;
    if plan.penalty.is_chosen(Estimator::Logistic) {
        logistic::check(&View { table, split: None }, count, &settings)
            .map_err(TrainError::from)
            .map_err(named(table))?;
        let rows = View { table, split: Some(split) };
        let alphas = cross_validation::logistic_alphas(CLASS_CANDIDATES);
        let folds = plan.penalty.folds();
        let made = cross_validation::classification(&rows, count, folds, plan.seed, &alphas, &settings, rule(plan));
        let made = made.map_err(TrainError::from).map_err(named(table))?;
        settings.c = 1.0 / made.alpha;
        choice = Some(made);
    }
    let rows = table.seen().rows;
    let held_out = (0..rows).filter(|row| split.holds_out(*row)).count() as u64;
    let whole = logistic::fit(&View { table, split: None }, count, &settings)
        .map_err(TrainError::from)
        .map_err(named(table))?;
    let measured = if held_out == 0 {
        whole.clone()
    } else {
        logistic::fit_of_part(&View { table, split: Some(split) }, count, &settings)
            .map_err(TrainError::from)
            .map_err(named(table))?
    };
    Ok(Fits { whole: Fitted::Logistic(whole), measured: Fitted::Logistic(measured), held_out, choice })
}

/// Errors about classes, with the class as it stands in the data.
fn named(table: &Table) -> impl Fn(TrainError) -> TrainError + '_ {
    let rare = |class: usize, what, advice| {
        let class = table.classes().get(class).map(ToString::to_string).unwrap_or_default();
        let column = table.signature().target().name.clone();
        DataError::RareClass { column, class, what, advice }.in_data(table.label()).into()
    };
    move |error| match error {
        TrainError::Choose(ChooseError::LonelyClass { class, .. }) => {
            rare(class, "cross-validation", "set the regularization with --c")
        }
        TrainError::Logistic(LogisticError::MissingClass { class, .. })
        | TrainError::Choose(ChooseError::Logistic(LogisticError::MissingClass { class, .. })) => {
            rare(class, "holding rows out", "hold out fewer with --test-fraction")
        }
        other => other,
    }
}

/// A price that was given.
fn fixed(strength: Option<Strength>) -> f64 {
    match strength {
        Some(Strength::Fixed(value)) => value,
        _ => 1.0,
    }
}

fn rule(plan: &Plan) -> Rule {
    if plan.penalty.one_standard_error { Rule::OneStandardError } else { Rule::Best }
}

fn failed(table: &Table) -> impl Fn(LeastSquaresError) -> TrainError + '_ {
    |source| TrainError::Fit { data: table.label(), source }
}

fn failed_without(table: &Table, held_out: u64) -> impl Fn(LeastSquaresError) -> TrainError + '_ {
    move |source| TrainError::FitWithoutHeldOut { data: table.label(), held_out, source }
}

/// Least squares: what is known of both parts is merged, so that the second fit costs no second pass.
fn linear(table: &Table, split: &Split) -> Result<Fits, TrainError> {
    let (kept, held_out) = sides(table, split)?;
    let names = with_target(table);
    let whole = kept.merge(&held_out).solve(&names).map_err(failed(table))?;
    let measured = if held_out.rows() == 0 {
        None
    } else {
        Some(kept.solve(&names).map_err(failed_without(table, held_out.rows()))?)
    };
    let (whole, measured) = refine(table, split, whole, measured)?;
    Ok(Fits {
        whole: Fitted::Linear(whole),
        measured: Fitted::Linear(measured),
        held_out: held_out.rows(),
        choice: None,
    })
}

/// The columns of the design, then the target.
fn with_target(table: &Table) -> Vec<String> {
    table.names().iter().cloned().chain([table.signature().target().name.clone()]).collect()
}

/// What columns of the design lack for being doubles, where powers or products of numbers are among them.
pub(super) struct Rests<'t> {
    table: &'t Table,
    is_rounded: bool,
    values: Vec<f64>,
}

impl<'t> Rests<'t> {
    pub(super) fn new(table: &'t Table) -> Self {
        Self { table, is_rounded: table.is_rounded(), values: Vec::new() }
    }

    /// Of one row, in the place of the one before.
    pub(super) fn of(&mut self, row: &Encoded<'_>) -> &[f64] {
        if self.is_rounded {
            self.values.clear();
            self.values.extend(self.table.rests(row));
        }
        &self.values
    }
}

/// What the fit needs to know of the rows that are kept and of those held out.
fn sides(table: &Table, split: &Split) -> Result<(Moments, Moments), TrainError> {
    let (kept, held_out) = moments(table, split)?;
    Ok((measured(table, kept), measured(table, held_out)))
}

/// About the means, or about zero where there is to be no intercept.
fn measured(table: &Table, moments: Moments) -> Moments {
    if table.through_origin() { moments.about_zero() } else { moments }
}

/// What is known of the rows that are kept and of those held out.
fn moments(table: &Table, split: &Split) -> Result<(Moments, Moments), TrainError> {
    let mut rests = Rests::new(table);
    let mut sides: Option<[Accumulator; 2]> = None;
    table.scan::<TrainError>(&mut |row| {
        // Any point near the data will do to shift them; the first row is one.
        let near = || row.design.iter().copied().chain([row.target]).collect();
        let [kept, held_out] = sides.get_or_insert_with(|| [(); 2].map(|()| Accumulator::new(near())));
        let side = if split.holds_out(row.number) { held_out } else { kept };
        side.push_exact(row.design, row.target, rests.of(&row), row.weight);
        Ok(())
    })?;
    let width = table.names().len() + 1;
    let [kept, held_out] = sides.unwrap_or_else(|| [(); 2].map(|()| Accumulator::new(vec![0.0; width])));
    Ok((kept.finish(), held_out.finish()))
}

/// Both fits to their last digit; the rows are read once for both. Without held-out rows they are one.
fn refine(
    table: &Table,
    split: &Split,
    mut whole: LeastSquares,
    mut measured: Option<LeastSquares>,
) -> Result<(LeastSquares, LeastSquares), TrainError> {
    let mut rests = Rests::new(table);
    for _ in 0..REFINEMENTS {
        let (mut all, mut kept) = (Refinement::new(whole), measured.map(Refinement::new));
        table.scan::<TrainError>(&mut |row| {
            let rests = rests.of(&row);
            all.push_exact(row.design, row.target, rests, row.weight);
            if let Some(kept) = kept.as_mut().filter(|_| !split.holds_out(row.number)) {
                kept.push_exact(row.design, row.target, rests, row.weight);
            }
            Ok(())
        })?;
        let (all_changed, kept_changed);
        (whole, all_changed) = all.finish();
        (measured, kept_changed) = kept.map(Refinement::finish).unzip();
        if !all_changed && kept_changed != Some(true) {
            break;
        }
    }
    let measured = measured.unwrap_or_else(|| whole.clone());
    Ok((whole, measured))
}
