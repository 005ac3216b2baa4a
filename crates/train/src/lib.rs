//! Trains models: reads rows from files, fits an estimator, evaluates it and builds the model file.
//!
//! Files are read once, in bounded memory: their values are stored in a temporary file, which is read once for the fit (again
//! for refinement or for each iteration) and once for the evaluation.

// Rows are counted; a count that a double cannot represent exactly (2⁵³) is not reached.
#![allow(clippy::cast_precision_loss)]

mod columns;
mod cross_measure;
mod distribution;
mod document_builder;
mod error;
pub mod evaluate;
mod fit;
pub mod holdout;
pub mod intercept;
pub mod plan;
pub mod preparation;
pub mod report;
pub mod solver;
pub mod summary;
pub mod surveyed_table;
pub mod test_data;
pub mod text_table;
pub mod training_table;

use std::collections::VecDeque;

use cross_measure::FoldEvaluations;
use document_builder::DocumentBuilder;
use evaluate::{BaselineBuilder, Label, Measured, Measurement, Metrics};
use fit::{Fit, Fits, LowParts};
use holdout::Holdout;
use ordinate_model::artifact::Document;
use ordinate_model::frame::Frame;
use ordinate_model::scalar::Scalar;
use ordinate_model::{AnswerError, Model, Wanted};
use ordinate_table::{Decision, Source};
use report::{RegularizationPath, ReportData, ReportDataCollector};
use solver::cross_validation::CrossValidationResult;
use solver::robust_errors::RobustErrors;
use summary::{Residuals, Summary};
use surveyed_table::SurveyedTable;
use test_data::TestData;
use training_table::{EncodedRow, EncodedRows, TrainingTable};

pub use cross_measure::FoldMetrics;
pub use document_builder::SMARTCORE_VERSION;
pub use error::TrainError;
pub use plan::{EstimatorKind, Plan};

/// Rows that a model file contains with their predictions.
const GOLDEN_ROWS: u64 = 5;

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
/// The metrics are those of a fit without the held-out rows; the model is then fitted to all rows. Types, levels and imputed
/// values come from all rows in both. With test data, no row is held out, and the metrics are those of the model on the test
/// data.
///
/// # Errors
/// [`TrainError`], with a line on what to do about it.
pub fn train(plan: &Plan) -> Result<Trained, TrainError> {
    let Fitted { table, holdout, estimator, fits, folds, decisions } = fitted(plan)?;
    let test_data = plan.test.as_ref().map(|origin| TestData::open(origin, &table)).transpose()?;
    let mut notes = table.notes().to_vec();
    notes.extend(fits.notes(table.columns(), table.classes()));
    let Fits { whole, evaluated, held_out, cross_validation, .. } = fits;
    let builder = DocumentBuilder {
        cross_validation: cross_validation.as_ref(),
        ..DocumentBuilder::without_results(plan, &table)
    };
    // Loading a model file verifies a golden row.
    let model =
        Model::from_json(builder.seal(&evaluated, vec![first_row(&table)?], None, None)?.to_json()?.as_bytes())?;
    let mut measurement = Measurement::new(&model).calibrating(plan.calibrate);
    let mut collector = plan.report.then(|| ReportDataCollector::new(&model).calibrating(plan.calibrate));
    let mut baseline = BaselineBuilder::new(table.classes().len(), table.target_transform());
    let mut residuals = Residuals::default();
    let mut weight = 0.0;
    let mut golden = GoldenRows::new(table.summary().rows);
    let answer = |rows: &EncodedRows| {
        let frame = Frame::from_accepted(model.signature(), rows.features().to_vec());
        Ok::<_, AnswerError>((model.answer(&frame, &Wanted::default())?, least_squares_residuals(&whole, &table, rows)))
    };
    table.scan_with::<_, TrainError>(answer, |rows, answered| {
        let (answers, of_fit) = answered?;
        rows.rows().zip(of_fit).for_each(|(row, residual)| residuals.push(residual, row.weight));
        for (row, answer) in rows.rows().zip(answers.rows()) {
            let label = Label { target: row.observed, weight: row.weight, held_out: holdout.holds_out(row.number) };
            match &mut collector {
                Some(collector) => collector.push_answer(row.features, label, answer),
                None => measurement.push_answer(&label, answer),
            }
            weight += row.weight;
            baseline.push(row.observed, row.weight);
            golden.push(&table, &row);
        }
        Ok(())
    })?;
    let unpredicted = |source| match &test_data {
        Some(test_data) => TrainError::PredictTestRow { data: test_data.label(), source },
        None => TrainError::Predict(source),
    };
    let measure = |test_data: &TestData<'_>| {
        test_data.scan(|cells, label| {
            let pushed = match &mut collector {
                Some(collector) => collector.push_test_row(cells, label),
                None => measurement.push_cells(cells.iter().copied(), label),
            };
            pushed.map_err(unpredicted)
        })
    };
    let test_scan = test_data.as_ref().map(measure).transpose()?;
    let mut report = collector.map(ReportDataCollector::finish).transpose().map_err(unpredicted)?;
    let measured = match &mut report {
        Some(report) => measured_by(report, &table),
        None => measurement.finish().map_err(unpredicted)?,
    };
    let calibrated = measured.served_calibration();
    let folds = folds.and_then(|folds| folds.metrics(calibrated.is_some(), plan.classes.threshold));
    let baseline = baseline.finish();
    let (robust, note) = fit::robust_errors(plan.standard_errors, &whole, &table, &residuals)?;
    notes.extend(note);
    let summary = summary(&whole, &table, &residuals, robust.as_ref());
    notes.extend(summary.iter().flat_map(|summary| fit::high_variance_inflation(summary, table.columns())));

    let weight = plan.selection.weights.as_ref().map(|_| weight);
    if estimator.classifies() && plan.calibrate {
        notes.push(evaluate::calibration_note(measured.calibration.as_ref()));
    }
    if let Some(folds) = plan.penalty.folds.filter(|_| folds.is_none()) {
        notes.push(format!("there are too few rows to measure the model in {folds} folds"));
    }
    notes.splice(0..0, decisions.iter().map(|decision| decision.text.clone()));
    let builder = DocumentBuilder {
        test: test_scan.as_ref(),
        notes: &notes,
        weight,
        errors: measured.errors.as_ref(),
        calibration: calibrated,
        folds: folds.as_ref(),
        baseline: &baseline,
        ..builder
    };
    let document = builder.seal(&whole, golden.rows, measured.fitted.as_ref(), measured.held_out.as_ref())?;
    let path =
        cross_validation.as_ref().map(|result| RegularizationPath::new(result, result.folds, estimator.classifies()));
    let test_rows = test_scan.map_or(0, |scan| scan.rows);
    // Without held-out rows it is the confusion matrix of the fitted rows.
    let confusion = measured.evaluation.confusion().map(<[_]>::to_vec).filter(|_| measured.held_out.is_some());
    Ok(Trained {
        document,
        held_out,
        test_rows,
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

/// The fits of a plan, before they are measured.
struct Fitted {
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
    let (estimator, few_rows) = fit::for_few_rows(estimator, &surveyed, &holdout, plan)?;
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
    let (mut table, mut fits) = fit::fit(table, &holdout, plan, estimator)?;
    let mut decisions = table.decisions().to_vec();
    decisions.extend(chosen.into_iter().chain(few_rows));
    decisions.extend(fits.decisions.iter().cloned());
    let mut folds = None;
    if let Some(count) = plan.penalty.folds {
        let columns = table.names().len();
        let evaluations;
        (table, evaluations) = cross_measure::evaluate_folds(table, plan, estimator, count)?;
        folds = Some(evaluations);
        // A column that is nearly a combination of others may be redundant by the rounding of one fold only.
        if table.names().len() != columns {
            (table, fits) = fit::fit(table, &holdout, plan, estimator)?;
            decisions.extend(fits.decisions.iter().cloned());
        }
    }
    Ok(Fitted { table, holdout, estimator, fits, folds, decisions })
}

/// The residuals of rows in a least-squares fit; nothing for other fits.
fn least_squares_residuals(fit: &Fit, table: &TrainingTable, rows: &EncodedRows) -> Vec<f64> {
    let Fit::LeastSquares(fit) = fit else { return Vec::new() };
    let mut low_parts = LowParts::new(table);
    rows.rows().map(|row| fit.residual(row.design, low_parts.row(&row), row.target)).collect()
}

/// The measurement that a report contains, to which the counts of missing values are added: its rows have imputed values.
fn measured_by(report: &mut ReportData, table: &TrainingTable) -> Measured {
    for (column, missing) in report.columns.iter_mut().zip(table.missing()) {
        column.missing = *missing;
    }
    report.measured.clone()
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

/// The features of a row as values of a request.
fn scalars(table: &TrainingTable, row: &EncodedRow<'_>) -> Vec<Scalar> {
    table.signature().features().iter().zip(row.features).map(|(feature, value)| feature.to_scalar(*value)).collect()
}

/// The features of the first row.
fn first_row(table: &TrainingTable) -> Result<Vec<Scalar>, TrainError> {
    let mut first = Vec::new();
    table.first(|row| first = scalars(table, &row))?;
    Ok(first)
}

/// The features of a few rows at even distances, from the first row to the last.
struct GoldenRows {
    /// The numbers of the remaining rows, ascending.
    remaining: VecDeque<u64>,
    rows: Vec<Vec<Scalar>>,
}

impl GoldenRows {
    fn new(rows: u64) -> Self {
        let count = GOLDEN_ROWS.min(rows);
        Self { remaining: (0..count).map(|i| i * (rows - 1) / (count - 1).max(1)).collect(), rows: Vec::new() }
    }

    fn push(&mut self, table: &TrainingTable, row: &EncodedRow<'_>) {
        if self.remaining.front() == Some(&row.number) {
            self.remaining.pop_front();
            self.rows.push(scalars(table, row));
        }
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
