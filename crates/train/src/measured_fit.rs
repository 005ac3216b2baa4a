//! Measures the evaluated fit, and collects what the model file needs of the rows, in one pass over them.

use super::distribution_sample::DistributionSample;
use super::evaluate::{BaselineBuilder, Measured, Measurement};
use super::fit::{Fit, LowParts};
use super::golden_rows::GoldenRows;
use super::holdout::Holdout;
use super::plan::Plan;
use super::report::{ReportData, ReportDataCollector};
use super::summary::Residuals;
use super::test_data::TestData;
use super::training_table::{DesignForm, EncodedRows, TrainingTable};
use crate::error::TrainError;
use ordinate_model::frame::Frame;
use ordinate_model::scalar::Scalar;
use ordinate_model::{AnswerError, Model, Wanted};
use ordinate_table::Scan;

/// A pass over all rows of a table.
pub(super) struct MeasuringPass<'a> {
    pub(super) plan: &'a Plan,
    pub(super) table: &'a TrainingTable,
    pub(super) holdout: &'a Holdout,
    /// The fit to the rows that are not held out.
    pub(super) model: &'a Model,
    /// The same.
    pub(super) evaluated: &'a Fit,
    /// The fit to all rows.
    pub(super) whole: &'a Fit,
}

/// The results of the pass.
pub(super) struct MeasuredFit {
    pub(super) measured: Measured,
    /// The data of a report, if the plan requests one.
    pub(super) report: Option<ReportData>,
    /// The residuals of the fit to all rows, for least squares.
    pub(super) residuals: Residuals,
    /// The total weight of the rows.
    pub(super) weight: f64,
    /// The prediction without features, of all rows.
    pub(super) baseline: Vec<f64>,
    /// The rows that the model file contains.
    pub(super) golden: Vec<Vec<Scalar>>,
    /// The rows whose distribution it contains.
    pub(super) sample: DistributionSample,
    /// The test data, if there is any.
    pub(super) test_scan: Option<Scan>,
}

impl MeasuringPass<'_> {
    /// Reads the rows of the table, then the test data.
    ///
    /// # Errors
    /// [`TrainError`] when they cannot be read or predicted.
    pub(super) fn run(&self, test_data: Option<&TestData<'_>>) -> Result<MeasuredFit, TrainError> {
        let Self { plan, table, holdout, model, evaluated, whole } = *self;
        let parameters = evaluated.least_squares_parameters();
        let mut measurement = Measurement::new(model).calibrating(plan.calibrate).of_parameters(parameters);
        let new_collector = || {
            let collector = ReportDataCollector::new(model).calibrating(plan.calibrate).of_parameters(parameters);
            collector.of_information(evaluated.working_information())
        };
        let mut collector = plan.report.then(new_collector);
        let mut baseline = BaselineBuilder::from_document(model.document());
        let mut residuals = Residuals::default();
        let mut weight = 0.0;
        let mut golden = GoldenRows::new(table.summary().rows);
        let mut sample = DistributionSample::new(model, table.summary().rows, plan.seed);
        // Residuals are computed from the design, predictions from the features.
        let form = if matches!(whole, Fit::LeastSquares(_)) { DesignForm::Dense } else { DesignForm::Absent };
        let answer = |rows: &EncodedRows| {
            let frame = Frame::from_accepted(model.signature(), rows.features().to_vec());
            Ok::<_, AnswerError>((
                model.answer(&frame, &Wanted::default())?,
                least_squares_residuals(whole, table, rows),
            ))
        };
        table.scan_with::<_, TrainError>(form, answer, |rows, answered| {
            let (answers, of_fit) = answered?;
            rows.rows().zip(of_fit).for_each(|(row, residual)| residuals.push(residual, row.weight));
            for (row, answer) in rows.rows().zip(answers.rows()) {
                let label = row.label(model, holdout.holds_out(row.number));
                match &mut collector {
                    Some(collector) => collector.push_answer(row.features, label, answer),
                    None => measurement.push_answer(&label, answer),
                }
                weight += row.weight;
                baseline.push(&label);
                golden.push(table, &row);
                sample.push(&row);
            }
            Ok(())
        })?;
        let unpredicted = |source| match test_data {
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
        let test_scan = test_data.map(measure).transpose()?;
        let mut report = collector.map(ReportDataCollector::finish).transpose().map_err(unpredicted)?;
        let measured = match &mut report {
            Some(report) => measured_by(report, table),
            None => measurement.finish().map_err(unpredicted)?,
        };
        let (baseline, golden) = (baseline.finish(), golden.rows);
        Ok(MeasuredFit { measured, report, residuals, weight, baseline, golden, sample, test_scan })
    }
}

/// The residuals of rows in a least-squares fit; nothing for other fits.
fn least_squares_residuals(fit: &Fit, table: &TrainingTable, rows: &EncodedRows) -> Vec<f64> {
    let Fit::LeastSquares(fit) = fit else { return Vec::new() };
    let mut low_parts = LowParts::new(table);
    rows.rows().map(|row| fit.residual(row.design, low_parts.row(&row), row.target)).collect()
}

/// The measurement that a report contains, to which the counts of missing values are added: its rows have imputed
/// values.
fn measured_by(report: &mut ReportData, table: &TrainingTable) -> Measured {
    for (column, missing) in report.columns.iter_mut().zip(table.missing()) {
        column.missing = *missing;
    }
    report.measured.clone()
}
