//! How models are made: rows from a file, a fit, its measurement, a model file.
//!
//! A file is read several times and never held: once for the fit, up to twice for its last digits, once to measure it.

// Rows are counted; a count that a double cannot hold exactly (2⁵³) would take longer to read than anyone has.
#![allow(clippy::cast_precision_loss)]

mod document;
mod double_double;
pub mod evaluate;
pub mod least_squares;
pub mod path;
pub mod refinement;
pub mod rows;
pub mod smartcore_solver;
pub mod split;
pub mod table;
pub mod triangle;

use std::collections::VecDeque;
use std::path::PathBuf;

use thiserror::Error;

use crate::model::artifact::{ArtifactError, Document};
use crate::model::identity::ModelName;
use crate::model::{Model, PredictError};
use document::Draft;
use evaluate::{Measurement, Metrics};
use least_squares::{Accumulator, LeastSquares, LeastSquaresError, Moments};
use refinement::Refinement;
use split::Split;
use table::{Scan, Selection, Table, TableError};

/// The version of smartcore whose predictions the golden rows hold; a test compares it with `Cargo.lock`.
pub const SMARTCORE_VERSION: &str = "0.7.0";

/// Looks at the rows after the first that bring a fit to its last digit: one corrects, one confirms.
const REFINEMENTS: usize = 2;

/// Rows that the file keeps with their predictions.
const GOLDEN_ROWS: u64 = 5;

/// What to fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
#[non_exhaustive]
pub enum Estimator {
    /// Ordinary least squares
    Linear,
}

impl Estimator {
    /// The name users and files know it by.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Linear => "linear",
        }
    }
}

/// All that decides what comes out: the same plan over the same bytes gives the same model.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The CSV file.
    pub data: PathBuf,
    /// Its columns.
    pub selection: Selection,
    /// The model's name.
    pub name: ModelName,
    /// What to fit.
    pub estimator: Estimator,
    /// The share of rows to measure on, in [0, 1).
    pub test_fraction: f64,
    /// What decides which rows those are.
    pub seed: u64,
    /// The date the file will bear, RFC 3339.
    pub created: String,
}

/// A model, and what is known of it.
#[derive(Debug, Clone)]
pub struct Trained {
    /// The sealed model file, fitted to all rows.
    pub document: Document,
    /// Rows that were held out of the fit that was measured.
    pub held_out: u64,
    /// Metrics on the rows that the measured fit saw.
    pub train: Option<Metrics>,
    /// Metrics on the rows that it did not see; none when none were held out.
    pub test: Option<Metrics>,
}

/// Why there is no model.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The data cannot be read.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The rows cannot be split.
    #[error(transparent)]
    Split(#[from] split::InvalidFraction),
    /// The rows determine no coefficients.
    #[error("{}: {source}", data.display())]
    Fit {
        /// The file.
        data: PathBuf,
        /// Why not.
        source: LeastSquaresError,
    },
    /// All rows together could be fitted, but not those left beside the held-out ones.
    #[error(
        "{}: {source}. This is so once {held_out} rows are held out for testing: \
         try a smaller --test-fraction (0 holds nothing out) or another --seed", data.display()
    )]
    FitWithoutHeldOut {
        /// The file.
        data: PathBuf,
        /// Rows held out.
        held_out: u64,
        /// Why not.
        source: LeastSquaresError,
    },
    /// The model says nothing finite to its own training data.
    #[error("the model cannot predict its own training data: {0}. Rescale columns of extreme size")]
    Predict(#[from] PredictError),
    /// The parts do not make a model file.
    #[error("no model file can be made of this fit: {0}. Rescale columns of extreme size")]
    Artifact(#[from] ArtifactError),
}

/// Fits, measures and seals a model.
///
/// The metrics are those of a fit to the rows that are not held out; the model that is returned is then fitted to all
/// rows, which costs no second pass, since what is known of both parts can be merged.
///
/// # Errors
/// [`TrainError`], each saying what to do about it.
pub fn train(plan: &Plan) -> Result<Trained, TrainError> {
    let split = Split::new(plan.test_fraction, plan.seed)?;
    let table = Table::open(&plan.data, &plan.selection)?;
    let Survey { scan, first, kept, held_out, ranges } = survey(&table, split)?;
    let held_out_rows = held_out.rows();

    let data = || plan.data.clone();
    let whole = kept.merge(&held_out).solve(table.names());
    let whole = whole.map_err(|source| TrainError::Fit { data: data(), source })?;
    let measured = kept.solve(table.names()).map_err(|source| TrainError::FitWithoutHeldOut {
        data: data(),
        held_out: held_out_rows,
        source,
    })?;
    let (whole, measured) = refine(&table, &scan, split, whole, measured)?;

    let draft = Draft { plan, scan: &scan, names: table.names(), ranges: &ranges };
    // Proven on the first row, like any model file; then the whole file is put to it.
    let model = Model::from_json(draft.seal(&measured, &[first], None, None)?.to_json()?.as_bytes())?;
    let mut measurement = Measurement::new(&model);
    let mut golden = GoldenRows::new(scan.rows);
    reread(&table, &scan, |row, values| {
        golden.push(row, values);
        Ok(measurement.push(values, split.holds_out(row))?)
    })?;
    let (train, test) = measurement.finish()?;

    let document = draft.seal(&whole, &golden.rows, train, test)?;
    Ok(Trained { document, held_out: held_out_rows, train, test })
}

/// What the first pass learns.
struct Survey {
    scan: Scan,
    /// The features of the first row.
    first: Vec<f64>,
    kept: Moments,
    held_out: Moments,
    /// Smallest and largest value of each column.
    ranges: Vec<[f64; 2]>,
}

fn survey(table: &Table, split: Split) -> Result<Survey, TrainError> {
    let width = table.names().len();
    let mut ranges = vec![[f64::INFINITY, f64::NEG_INFINITY]; width];
    let mut first = vec![0.0; width];
    let mut sides: Option<[Accumulator; 2]> = None;
    let scan = table.scan::<TrainError>(|row, values| {
        let [kept, held_out] = sides.get_or_insert_with(|| {
            first = values.to_vec();
            [values, values].map(|shift| Accumulator::new(shift.to_vec()))
        });
        if split.holds_out(row) {
            held_out.push(values);
        } else {
            kept.push(values);
        }
        for ([low, high], value) in ranges.iter_mut().zip(values) {
            *low = low.min(*value);
            *high = high.max(*value);
        }
        Ok(())
    })?;
    let sides = sides.unwrap_or_else(|| [(); 2].map(|()| Accumulator::new(first.clone())));
    first.truncate(width.saturating_sub(1));
    let [kept, held_out] = sides.map(Accumulator::finish);
    Ok(Survey { scan, first, kept, held_out, ranges })
}

/// Both fits to their last digit; the rows are read once for both.
fn refine(
    table: &Table,
    scan: &Scan,
    split: Split,
    mut whole: LeastSquares,
    mut measured: LeastSquares,
) -> Result<(LeastSquares, LeastSquares), TrainError> {
    for _ in 0..REFINEMENTS {
        let (mut all, mut kept) = (Refinement::new(whole), Refinement::new(measured));
        reread(table, scan, |row, values| {
            all.push(values);
            if !split.holds_out(row) {
                kept.push(values);
            }
            Ok(())
        })?;
        let (all_changed, kept_changed);
        (whole, all_changed) = all.finish();
        (measured, kept_changed) = kept.finish();
        if !all_changed && !kept_changed {
            break;
        }
    }
    Ok((whole, measured))
}

/// The features of a few rows, spread evenly over the file from the first to the last.
struct GoldenRows {
    /// Numbers of the rows still to come, ascending.
    wanted: VecDeque<u64>,
    rows: Vec<Vec<f64>>,
}

impl GoldenRows {
    fn new(rows: u64) -> Self {
        let count = GOLDEN_ROWS.min(rows);
        Self { wanted: (0..count).map(|i| i * (rows - 1) / (count - 1).max(1)).collect(), rows: Vec::new() }
    }

    fn push(&mut self, row: u64, values: &[f64]) {
        if self.wanted.front() == Some(&row) {
            self.wanted.pop_front();
            self.rows.extend(values.split_last().map(|(_, features)| features.to_vec()));
        }
    }
}

/// Another pass over the rows, which must be the same rows.
fn reread(
    table: &Table,
    first: &Scan,
    each: impl FnMut(u64, &[f64]) -> Result<(), TrainError>,
) -> Result<(), TrainError> {
    if table.scan(each)? == *first { Ok(()) } else { Err(table.changed().into()) }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_smartcore_version_is_the_one_that_is_built_in() {
        let lock = include_str!("../../Cargo.lock").replace('\r', "");
        let entry = format!("name = \"smartcore\"\nversion = \"{}\"\n", super::SMARTCORE_VERSION);
        assert!(lock.contains(&entry), "set SMARTCORE_VERSION to what Cargo.lock says");
    }
}
