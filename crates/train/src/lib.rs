//! Trains models: reads rows from files, fits an estimator, evaluates it and builds the model file.
//!
//! Files are read once, in bounded memory: their values are stored in a temporary file, which is read once for the fit
//! (again for refinement or for each iteration) and once for the evaluation.

// Rows are counted; a count that a double cannot represent exactly (2⁵³) is not reached.
#![allow(clippy::cast_precision_loss)]

mod columns;
mod cross_measure;
pub mod distribution;
mod distribution_sample;
mod document_builder;
mod error;
pub mod evaluate;
pub mod feature_count;
mod fit;
mod golden_rows;
pub mod holdout;
pub mod intercept;
mod measured_fit;
pub mod measured_rows;
pub mod plan;
pub mod preparation;
pub mod report;
pub mod solver;
pub mod summary;
pub mod surveyed_table;
pub mod test_data;
pub mod text_table;
pub mod training_rows;
pub mod training_table;

use cross_measure::FoldEvaluations;
use document_builder::DocumentBuilder;
use evaluate::{Measured, Metrics};
use fit::{Fit, Fits};
use golden_rows::first_row;
use holdout::Holdout;
use measured_fit::{MeasuredFit, MeasuringPass};
use ordinate_model::Model;
use ordinate_model::artifact::Document;
use ordinate_model::wording::counted;
use ordinate_table::{Decision, Source};
use report::{RegularizationPath, ReportData};
use solver::cross_validation::CrossValidationResult;
use solver::robust_errors::RobustErrors;
use summary::{Residuals, Summary};
use surveyed_table::SurveyedTable;
use test_data::TestData;
use training_table::TrainingTable;

pub use cross_measure::FoldMetrics;
pub use document_builder::SMARTCORE_VERSION;
pub use error::TrainError;
pub use plan::{EstimatorKind, Plan};

/// The confidence level of the summary's intervals.
const CONFIDENCE: f64 = 0.95;

/// A trained model and its evaluation.
#[derive(Debug, Clone)]
pub struct Trained {
    /// The sealed model file, fitted to all rows.
    pub document: Document,
    /// The number of held-out rows.
    pub held_out: u64,
    /// The number of rows of the test data.
    pub test_rows: u64,
    /// The metrics on the rows of the evaluated fit.
    pub train: Option<Metrics>,
    /// The metrics on held-out rows or test data, if there are any.
    pub test: Option<Metrics>,
    /// The confusion matrix of a classifier on held-out rows or test data: rows by class, then by predicted class.
    pub confusion: Option<Vec<Vec<f64>>>,
    /// The metrics in the folds of a cross-validation, if the plan requests them.
    pub folds: Option<FoldMetrics>,
    /// The cross-validation that selected the regularization strength, without the held-out rows.
    pub cross_validation: Option<CrossValidationResult>,
    /// The same for a report.
    pub path: Option<RegularizationPath>,
    /// The summary of a fit to all rows without a penalty.
    pub summary: Option<Summary>,
    /// The data of a report, if the plan requests one.
    pub report: Option<ReportData>,
    /// The decisions that no option made.
    pub decisions: Vec<Decision>,
    /// Decisions, and notes on the data and the fit.
    pub notes: Vec<String>,
}

/// Fits, evaluates and seals a model.
///
/// The metrics are those of a fit without the held-out rows; the model is then fitted to all rows. Types, levels and
/// imputed values come from all rows in both. With test data, no row is held out, and the metrics are those of the
/// model on the test data.
///
/// # Errors
/// [`TrainError`], with a line on what to do about it.
pub fn train(plan: &Plan) -> Result<Trained, TrainError> {
    let Fitted { plan, table, holdout, estimator, fits, folds, decisions } = fitted(plan)?;
    // Probabilities of 0 and 1 say nothing about those of the model.
    let plan = &Plan { calibrate: plan.calibrate && !fits.evaluates_separation(), ..plan };
    let family = estimator.family();
    let test_data = plan.test.as_ref().map(|origin| TestData::open(origin, &table, family)).transpose()?;
    let mut notes: Vec<String> = decisions.iter().map(|decision| decision.text.clone()).collect();
    notes.extend_from_slice(table.notes());
    notes.extend(fits.notes(table.columns(), table.classes()));
    let Fits { whole, evaluated, held_out, cross_validation, .. } = fits;
    let builder = DocumentBuilder {
        cross_validation: cross_validation.as_ref(),
        ..DocumentBuilder::without_results(plan, &table)
    };
    let MeasuredFit { measured, report, residuals, weight, baseline, golden, sample, test_scan } =
        measure(&builder, &table, &holdout, [&whole, &evaluated], test_data.as_ref())?;
    let calibrated = measured.served_calibration();
    let folds = folds.and_then(|folds| folds.metrics(calibrated.is_some(), plan.classes.threshold));
    let (robust, note) = fit::robust_errors(plan.standard_errors, &whole, &table, &residuals)?;
    notes.extend(note);
    let summary = summary(&whole, &table, &residuals, robust.as_ref());
    notes.extend(summary.iter().flat_map(|summary| fit::high_variance_inflation(summary, table.columns())));
    notes.extend(measuring_notes(plan, estimator, &measured, folds.is_some()));

    let builder = DocumentBuilder {
        test: test_scan.as_ref(),
        notes: &notes,
        weight: plan.selection.weights.as_ref().map(|_| weight),
        errors: measured.errors.as_ref(),
        calibration: calibrated,
        folds: folds.as_ref(),
        baseline: &baseline,
        ..builder
    };
    let document = builder.seal(
        &whole,
        golden,
        |model| sample.distribution(model),
        measured.fitted.as_ref(),
        measured.held_out.as_ref(),
    )?;
    let path =
        cross_validation.as_ref().map(|result| RegularizationPath::new(result, result.folds, estimator.classifies()));
    // Without held-out rows it is the confusion matrix of the fitted rows.
    let confusion = measured.evaluation.confusion().map(<[_]>::to_vec).filter(|_| measured.held_out.is_some());
    Ok(Trained {
        document,
        held_out,
        test_rows: test_scan.map_or(0, |scan| scan.rows),
        train: measured.fitted,
        test: measured.held_out,
        confusion,
        folds,
        cross_validation,
        path,
        summary,
        report,
        decisions,
        notes,
    })
}

/// Measures the evaluated fit, and collects what the model file needs of the rows for the fit to all rows.
fn measure(
    builder: &DocumentBuilder<'_>,
    table: &TrainingTable,
    holdout: &Holdout,
    [whole, evaluated]: [&Fit; 2],
    test_data: Option<&TestData<'_>>,
) -> Result<MeasuredFit, TrainError> {
    // Loading a model file verifies a golden row.
    let draft = builder.seal(evaluated, vec![first_row(table)?], |_| None, None, None)?;
    let model = Model::from_json(draft.to_json()?.as_bytes())?;
    MeasuringPass { plan: builder.plan, table, holdout, model: &model, evaluated, whole }.run(test_data)
}

/// The notes on how a plan is measured.
fn measuring_notes(plan: &Plan, estimator: EstimatorKind, measured: &Measured, has_folds: bool) -> Vec<String> {
    let mut notes = Vec::new();
    if estimator.classifies() && plan.calibrate {
        notes.push(evaluate::calibration_note(measured.calibration.as_ref()));
    }
    if let Some(folds) = plan.penalty.folds.filter(|_| !has_folds) {
        notes.push(format!("there are too few rows to measure the model in {folds} folds"));
    }
    if measured.vanishing > 0 {
        let (rows, has) = (
            counted(measured.vanishing, "held-out row", "held-out rows"),
            if measured.vanishing == 1 { "has" } else { "have" },
        );
        notes.push(format!(
            "{rows} {has} a mean of nearly 0 by the fit to the other rows and {} left out of the errors for prediction \
             intervals: the intervals are those of rows with a larger mean",
            if measured.vanishing == 1 { "is" } else { "are" }
        ));
    }
    if let (Some(_), None) = (&measured.errors, &measured.held_out) {
        notes.push("the errors on held-out rows are too large for a double: they have no metrics".to_owned());
    }
    notes
}

/// The fits of a plan, before they are measured.
struct Fitted {
    /// With the decisions about estimator and penalty.
    plan: Plan,
    table: TrainingTable,
    holdout: Holdout,
    estimator: EstimatorKind,
    fits: Fits,
    /// The evaluations of a cross-validation, if the plan requests one.
    folds: Option<FoldEvaluations>,
    decisions: Vec<Decision>,
}

/// Reads the data, decides what no option does, and fits.
fn fitted(plan: &Plan) -> Result<Fitted, TrainError> {
    let holdout = Holdout::new(plan.held_out_fraction(), plan.seed)?;
    let mut surveyed = SurveyedTable::new(Source::open(&plan.origin, &plan.selection)?, &plan.preparation)?;
    let (estimator, chosen) = plan.estimator(&surveyed)?;
    let (estimator, penalty, few_rows) = fit::for_few_rows(estimator, &surveyed, &holdout, plan)?;
    let plan = &Plan { penalty, ..plan.clone() };
    match estimator.family() {
        Some(family) => surveyed.check_family(family)?,
        None if plan.estimator.is_none() && !estimator.classifies() => surveyed.note_counts(),
        None => {}
    }
    let table = surveyed.table(&plan.preparation, estimator.classifies(), plan.penalty.is_penalised(estimator))?;
    let holdout = if plan.held_out_fraction() > 0.0 {
        holdout.keeping(table.required_rows()?).keeping_some(table.summary().rows)
    } else {
        holdout
    };
    let (table, fits) = fit::fit(table, &holdout, plan, estimator)?;
    let mut decisions = table.decisions().to_vec();
    decisions.extend(chosen.into_iter().chain(few_rows));
    decisions.extend(fits.decisions.iter().cloned());
    let folds = plan.penalty.folds;
    let folds = folds.map(|count| cross_measure::evaluate_folds(&table, plan, &fits.whole, count)).transpose()?;
    Ok(Fitted { plan: plan.clone(), table, holdout, estimator, fits, folds, decisions })
}

/// The statistics of a fit without a penalty; `None` for other fits.
fn summary(fit: &Fit, table: &TrainingTable, residuals: &Residuals, robust: Option<&RobustErrors>) -> Option<Summary> {
    match fit {
        Fit::LeastSquares(fit) => {
            let target = table.target_transform().describe(&table.signature().target().name);
            Some(Summary::from_least_squares(fit, table.names(), &target, CONFIDENCE, Some(residuals), robust))
        }
        Fit::Logistic(fit) => {
            let inference = fit.inference.as_ref()?.as_ref().ok()?;
            Some(fit::likelihood_summary(inference, table, CONFIDENCE))
        }
        Fit::Glm(fit) => Summary::from_glm(fit, table.names(), &table.signature().target().name, CONFIDENCE),
        Fit::Penalised { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_smartcore_version_is_that_of_the_lock_file() {
        let lock = include_str!("../../../Cargo.lock").replace('\r', "");
        let entry = format!("name = \"smartcore\"\nversion = \"{}\"\n", super::SMARTCORE_VERSION);
        assert!(lock.contains(&entry), "set SMARTCORE_VERSION to the version in Cargo.lock");
    }
}
