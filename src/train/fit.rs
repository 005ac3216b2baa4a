//! From rows to coefficients: one fit to the rows that are not held out, to be measured, and one to all.

mod notes;

use super::choose::{self, Choice, ChooseError, Family, Rule};
use super::data::{DataError, Encoded, Table, View};
use super::least_squares::{Accumulator, LeastSquares, LeastSquaresError, Moments};
use super::logistic::{self, LogisticError, LogisticFit, LogisticSettings};
use super::path::{self, Penalised, Penalty};
use super::plan::{Solver, Strength};
use super::refinement::Refinement;
use super::smartcore_solver::{self, SmartcoreError};
use super::split::Split;
use super::{Estimator, Plan, TrainError};
pub(super) use notes::nearly_dependent;

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
    if plan.solver == Solver::Smartcore && table.through_origin() {
        return Err(SmartcoreError::Intercept.into());
    }
    let mut fits = match estimator {
        Estimator::Linear => linear(table, split),
        Estimator::Logistic => classes(table, split, plan),
        Estimator::Ridge | Estimator::Lasso | Estimator::ElasticNet => penalised(table, split, plan, estimator),
    }?;
    if plan.solver == Solver::Smartcore {
        let price = fits.choice.as_ref().map(|choice| choice.alpha);
        adopt(&mut fits.whole, &View { table, split: None }, plan, price)?;
        adopt(&mut fits.measured, &View { table, split: Some(split) }, plan, price)?;
    }
    Ok(fits)
}

/// How far from our own coefficients, in standard deviations of the columns, smartcore's may be before it has stopped early.
const EARLY: f64 = 1e-3;

/// Puts smartcore's coefficients in the place of ours, which tell whether it got there.
fn adopt(fitted: &mut Fitted, rows: &View<'_>, plan: &Plan, chosen: Option<f64>) -> Result<(), TrainError> {
    let distance = |ours: &[f64], theirs: &[f64]| {
        ours.iter().zip(theirs).map(|(ours, theirs)| (ours - theirs).abs()).fold(0.0, f64::max)
    };
    let difference = match fitted {
        Fitted::Linear(fit) => {
            let theirs = smartcore_solver::fit(rows, smartcore_solver::Family::Linear)?;
            let standardised: Vec<f64> =
                fit.coefficients.iter().zip(&theirs.scales).map(|(b, scale)| b * scale).collect();
            let coefficients = theirs.coefficients.concat();
            let difference = distance(&standardised, &coefficients) / spread(&coefficients);
            fit.coefficients = coefficients.iter().zip(&theirs.scales).map(|(b, scale)| b / scale).collect();
            let apart = fit
                .means
                .iter()
                .zip(&theirs.means)
                .zip(&fit.coefficients)
                .map(|((ours, theirs), b)| (ours - theirs) * b);
            fit.intercept = theirs.intercepts.iter().sum::<f64>() + apart.sum::<f64>();
            difference
        }
        Fitted::Penalised { estimator: Estimator::Ridge, fit } => {
            let alpha = chosen.unwrap_or_else(|| fixed(plan.penalty.alpha));
            let theirs = smartcore_solver::fit(rows, smartcore_solver::Family::Ridge { alpha })?;
            let coefficients = theirs.coefficients.concat();
            let difference = distance(&fit.coefficients, &coefficients) / spread(&coefficients);
            fit.means = theirs.means;
            fit.scales = theirs.scales;
            fit.intercept = theirs.intercepts.iter().sum();
            fit.coefficients = coefficients;
            difference
        }
        Fitted::Penalised { estimator, .. } => return Err(SmartcoreError::NotOffered(estimator.name()).into()),
        Fitted::Logistic(fit) => {
            let c = chosen.map_or_else(|| fixed(plan.penalty.c), |alpha| 1.0 / alpha);
            let classes = rows.table.classes().len();
            let theirs = smartcore_solver::fit(rows, smartcore_solver::Family::Logistic { c, classes })?;
            let coefficients: Vec<Vec<f64>> = theirs.coefficients.into_iter().map(centred).collect();
            let difference = distance(&fit.coefficients.concat(), &coefficients.concat());
            fit.means = theirs.means;
            fit.scales = theirs.scales;
            fit.intercepts = centred(theirs.intercepts);
            fit.coefficients = coefficients;
            difference
        }
    };
    if difference > EARLY { Err(SmartcoreError::StoppedEarly { difference }.into()) } else { Ok(()) }
}

/// Scores of more than two classes less their mean: adding the same to all changes no probability.
fn centred(mut scores: Vec<f64>) -> Vec<f64> {
    if scores.len() > 1 {
        let mean = scores.iter().sum::<f64>() / scores.len() as f64;
        for score in &mut scores {
            *score -= mean;
        }
    }
    scores
}

fn spread(coefficients: &[f64]) -> f64 {
    coefficients.iter().map(|coefficient| coefficient.abs()).fold(f64::MIN_POSITIVE, f64::max)
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
        let folds = choose::moments(&rows, plan.penalty.folds(), plan.seed)?;
        let folds: Vec<Moments> = folds.into_iter().map(|fold| measured(table, fold)).collect();
        choice = Some(choose::regression(&folds, &names, family, CANDIDATES, rule(plan))?);
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
        logistic::check(&View { table, split: None }, count, &settings).map_err(named(table))?;
        let rows = View { table, split: Some(split) };
        let alphas = choose::logistic_alphas(CLASS_CANDIDATES);
        let folds = plan.penalty.folds();
        let made = choose::classification(&rows, count, folds, plan.seed, &alphas, &settings, rule(plan));
        let made = made.map_err(named(table))?;
        settings.c = 1.0 / made.alpha;
        choice = Some(made);
    }
    let rows = table.seen().rows;
    let held_out = (0..rows).filter(|row| split.holds_out(*row)).count() as u64;
    let whole = logistic::fit(&View { table, split: None }, count, &settings).map_err(named(table))?;
    let measured = if held_out == 0 {
        whole.clone()
    } else {
        logistic::fit_of_part(&View { table, split: Some(split) }, count, &settings).map_err(named(table))?
    };
    Ok(Fits { whole: Fitted::Logistic(whole), measured: Fitted::Logistic(measured), held_out, choice })
}

/// Errors about classes, with the class as it stands in the data.
fn named(table: &Table) -> impl Fn(TrainError) -> TrainError + '_ {
    let rare = |class: usize, what, advice| {
        let class = table.classes().get(class).map(ToString::to_string).unwrap_or_default();
        let column = table.signature().target().name.clone();
        DataError::RareClass { column, class, what, advice }.of(table.label()).into()
    };
    move |error| match error {
        TrainError::Choose(ChooseError::LonelyClass { class, .. }) => {
            rare(class, "cross-validation", "give the price yourself with --c")
        }
        TrainError::Logistic(LogisticError::MissingClass { class, .. }) => {
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
    table.scan(&mut |row| {
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
        table.scan(&mut |row| {
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
