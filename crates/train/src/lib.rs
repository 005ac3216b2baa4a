//! How models are made: rows from files, a fit, its measurement, a model file.
//!
//! Files are read once and never held: what they hold goes into a temporary file, which is read once for the fit (a few times
//! more for its last digits, or once an iteration) and once to measure it.

// Rows are counted; a count that a double cannot represent exactly (2⁵³) would take longer to read than anyone has.
#![allow(clippy::cast_precision_loss)]

mod columns;
#[cfg(test)]
mod coverage;
mod distribution;
mod document;
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
pub mod surveyed;
pub mod table;
pub mod test_data;
pub mod text_table;

use std::collections::{BTreeSet, VecDeque};

use document::Draft;
use evaluate::{Errors, Label, Measured, Measurement, Metrics};
use fit::{Fits, Fitted, Rests};
use holdout::Split;
use ordinate_model::artifact::Document;
use ordinate_model::frame::Frame;
use ordinate_model::scalar::Scalar;
use ordinate_model::{AnswerError, Model, Wanted};
use ordinate_table::Source;
use report::{Observed, Observer, ValidationPath};
use solver::cross_validation::Choice;
use summary::{Residuals, Summary};
use surveyed::Surveyed;
use table::{Encoded, Encodings, Table};
use test_data::Unseen;

pub use error::TrainError;
pub use plan::{Estimator, Plan};

/// The version of smartcore whose predictions the golden rows hold; a test compares it with `Cargo.lock`.
pub const SMARTCORE_VERSION: &str = "0.7.0";

/// Rows that the file keeps with their predictions.
const GOLDEN_ROWS: u64 = 5;

/// The confidence of a summary's intervals.
const CONFIDENCE: f64 = 0.95;

/// A model, and what is known of it.
#[derive(Debug, Clone)]
pub struct Trained {
    /// The sealed model file, fitted to all rows.
    pub document: Document,
    /// Rows that were held out of the fit that was measured.
    pub held_out: u64,
    /// Rows of other files that it was measured on, where the plan names any.
    pub tested: u64,
    /// Metrics on the rows that the measured fit saw.
    pub train: Option<Metrics>,
    /// Metrics on rows that it did not see; none when there were none.
    pub test: Option<Metrics>,
    /// Rows that it did not see by class, then by predicted class, of a classifier; none when there were none.
    pub confusion: Option<Vec<Vec<f64>>>,
    /// How the price of large coefficients was chosen, by the rows that were not held out; none when it was given.
    pub choice: Option<Choice>,
    /// The same as a report shows it.
    pub path: Option<ValidationPath>,
    /// What a least-squares fit to all rows says of its coefficients.
    pub summary: Option<Summary>,
    /// What a report shows of the rows, when the plan asks for it.
    pub observed: Option<Observed>,
    /// What a reader should know of the data and the fit.
    pub notes: Vec<String>,
}

/// Fits, measures and seals a model.
///
/// The metrics are those of a fit to the rows that are not held out; the model that is returned is then fitted to all
/// rows. Types, levels, and what stands in for missing values are those of all rows in both. Where the plan names files
/// to test on, the model is fitted to the data alone and measured on those.
///
/// # Errors
/// [`TrainError`], each saying what to do about it.
pub fn train(plan: &Plan) -> Result<Trained, TrainError> {
    let split = Split::new(plan.held_out(), plan.seed)?;
    let surveyed = Surveyed::new(Source::open(&plan.origin, &plan.selection)?, &plan.preparation)?;
    let estimator = plan.estimator(&surveyed)?;
    let table = surveyed.table(&plan.preparation, estimator.classifies(), estimator.is_penalised())?;
    let (table, needed) = indispensable(table, plan)?;
    let split = split.keeping(needed);
    let unseen = plan.test.as_ref().map(|origin| Unseen::open(origin, &table)).transpose()?;

    let fits = fit::fit(&table, &split, plan, estimator)?;
    let mut notes = table.notes().to_vec();
    notes.extend(fits.notes(table.columns()));
    let Fits { whole, measured, held_out, choice } = fits;
    let draft = Draft {
        plan,
        table: &table,
        choice: choice.as_ref(),
        tested: None,
        weight: None,
        errors: None,
        calibration: None,
    };
    // Proven on the first row, like any model file; then all rows are put to it.
    let model = Model::from_json(draft.seal(&measured, vec![first_row(&table)?], None, None)?.to_json()?.as_bytes())?;
    let mut measurement = Measurement::new(&model);
    let mut watch = plan.observe.then(|| Observer::new(&model));
    let mut residuals = Residuals::default();
    let mut weight = 0.0;
    let mut golden = GoldenRows::new(table.seen().rows);
    let answer = |rows: &Encodings| {
        let residuals = match &whole {
            Fitted::Linear(fit) => {
                let mut rests = Rests::new(&table);
                rows.rows().map(|row| fit.residual(row.design, rests.of(&row), row.target)).collect()
            }
            _ => Vec::new(),
        };
        let frame = Frame::from_accepted(model.signature(), rows.features().to_vec());
        Ok::<_, AnswerError>((model.answer(&frame, &Wanted::default())?, residuals))
    };
    table.scan_with::<_, TrainError>(answer, |rows, answered| {
        let (answers, of_fit) = answered?;
        rows.rows().zip(of_fit).for_each(|(row, residual)| residuals.push(residual, row.weight));
        for (row, answer) in rows.rows().zip(answers.rows()) {
            let label = Label { target: row.observed, weight: row.weight, held_out: split.holds_out(row.number) };
            match &mut watch {
                Some(watch) => watch.push_answer(row.features, label, answer),
                None => measurement.push_answer(&label, answer),
            }
            weight += row.weight;
            golden.push(&table, &row);
        }
        Ok(())
    })?;
    let unpredicted = |source| match &unseen {
        Some(unseen) => TrainError::PredictUnseen { data: unseen.label(), source },
        None => TrainError::Predict(source),
    };
    let measure = |unseen: &Unseen<'_>| {
        unseen.scan(|cells, label| {
            let pushed = match &mut watch {
                Some(watch) => watch.push_unseen(cells, label),
                None => measurement.push_cells(cells.iter().copied(), label),
            };
            pushed.map_err(unpredicted)
        })
    };
    let tested = unseen.as_ref().map(measure).transpose()?;
    let mut observed = watch.map(Observer::finish).transpose().map_err(unpredicted)?;
    if let Some(observed) = &mut observed {
        // The rows come with what stands in for missing values.
        for (column, missing) in observed.columns.iter_mut().zip(table.missing()) {
            column.missing = *missing;
        }
    }
    let Measured { fitted: train, held_out: test, confusion, errors } = match &mut observed {
        Some(observed) => Measured {
            fitted: observed.fitted_metrics.clone(),
            held_out: observed.held_out_metrics.clone(),
            confusion: observed.evaluation.confusion().map(<[_]>::to_vec),
            errors: observed.errors.take(),
        },
        None => measurement.finish().map_err(unpredicted)?,
    };
    let summary = match &whole {
        Fitted::Linear(fit) => {
            let target = table.target_transform().describe(&table.signature().target().name);
            Some(Summary::new(fit, table.names(), &target, CONFIDENCE, Some(&residuals)))
        }
        _ => None,
    };

    notes.extend(summary.as_ref().and_then(fit::nearly_dependent));

    let weight = plan.selection.weights.as_ref().map(|_| weight);
    let calibration = errors.as_ref().filter(|_| plan.calibrate).and_then(Errors::calibration);
    let calibrated = calibration.as_ref();
    let draft = Draft { tested: tested.as_ref(), weight, errors: errors.as_ref(), calibration: calibrated, ..draft };
    let document = draft.seal(&whole, golden.rows, train.as_ref(), test.as_ref())?;
    if estimator.classifies() && plan.calibrate {
        notes.push(evaluate::calibrated(calibrated));
    }
    let path = choice.as_ref().map(|choice| ValidationPath::new(choice, plan.penalty.folds(), estimator.classifies()));
    let tested = tested.map_or(0, |scan| scan.rows);
    // Where no row was held out, it may be that of the rows that were fitted.
    let confusion = confusion.filter(|_| test.is_some());
    Ok(Trained { document, held_out, tested, train, test, confusion, choice, path, summary, observed, notes })
}

/// The table without columns that never vary, and the rows that every fit needs.
fn indispensable(table: Table, plan: &Plan) -> Result<(Table, BTreeSet<u64>), TrainError> {
    if plan.held_out() == 0.0 && !plan.preparation.interactions && plan.penalty.folds.is_none() {
        return Ok((table, BTreeSet::new()));
    }
    let (needed, constant) = table.indispensable()?;
    Ok((if constant.is_empty() { table } else { table.without(&constant)? }, needed))
}

/// The features of a row as a caller would write them.
fn told(table: &Table, row: &Encoded<'_>) -> Vec<Scalar> {
    table.signature().features().iter().zip(row.features).map(|(feature, value)| feature.to_scalar(*value)).collect()
}

/// The features of the first row.
fn first_row(table: &Table) -> Result<Vec<Scalar>, TrainError> {
    let mut first = Vec::new();
    table.first(|row| first = told(table, &row))?;
    Ok(first)
}

/// The features of a few rows, spread evenly over the file from the first to the last.
struct GoldenRows {
    /// Numbers of the rows still to come, ascending.
    wanted: VecDeque<u64>,
    rows: Vec<Vec<Scalar>>,
}

impl GoldenRows {
    fn new(rows: u64) -> Self {
        let count = GOLDEN_ROWS.min(rows);
        Self { wanted: (0..count).map(|i| i * (rows - 1) / (count - 1).max(1)).collect(), rows: Vec::new() }
    }

    fn push(&mut self, table: &Table, row: &Encoded<'_>) {
        if self.wanted.front() == Some(&row.number) {
            self.wanted.pop_front();
            self.rows.push(told(table, row));
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_smartcore_version_is_the_one_that_is_built_in() {
        let lock = include_str!("../../../Cargo.lock").replace('\r', "");
        let entry = format!("name = \"smartcore\"\nversion = \"{}\"\n", super::SMARTCORE_VERSION);
        assert!(lock.contains(&entry), "set SMARTCORE_VERSION to what Cargo.lock says");
    }
}
