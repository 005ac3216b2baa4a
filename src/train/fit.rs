//! From rows to coefficients: one fit to the rows that are not held out, to be measured, and one to all.

use super::data::Table;
use super::least_squares::{Accumulator, LeastSquares, Moments};
use super::refinement::Refinement;
use super::split::Split;
use super::{Estimator, Plan, TrainError};

/// Looks at the rows after the first that bring a fit to its last digit: one corrects, one confirms.
const REFINEMENTS: usize = 2;

/// The fits of one plan.
#[derive(Debug)]
pub(super) struct Fits {
    /// To all rows.
    pub(super) whole: Fitted,
    /// To those that are not held out.
    pub(super) measured: Fitted,
    /// How many are.
    pub(super) held_out: u64,
}

/// One fit.
#[derive(Debug)]
pub(super) enum Fitted {
    Linear(LeastSquares),
}

impl Fitted {
    /// What a reader should know of it.
    #[allow(clippy::unused_self)]
    pub(super) fn notes(&self) -> Vec<String> {
        Vec::new()
    }

    pub(super) fn estimator(&self) -> Estimator {
        match self {
            Self::Linear(_) => Estimator::Linear,
        }
    }
}

/// Fits what was planned.
///
/// # Errors
/// [`TrainError`] when there is no single finite answer.
pub(super) fn fit(table: &Table, split: &Split, _plan: &Plan, estimator: Estimator) -> Result<Fits, TrainError> {
    match estimator {
        Estimator::Linear => linear(table, split),
    }
}

/// Least squares: what is known of both parts is merged, so that the second fit costs no second pass.
fn linear(table: &Table, split: &Split) -> Result<Fits, TrainError> {
    let (kept, held_out) = moments(table, split)?;
    let names = with_target(table);
    let whole = kept.merge(&held_out).solve(&names);
    let whole = whole.map_err(|source| TrainError::Fit { data: table.label(), source })?;
    let measured = kept.solve(&names).map_err(|source| TrainError::FitWithoutHeldOut {
        data: table.label(),
        held_out: held_out.rows(),
        source,
    })?;
    let (whole, measured) = refine(table, split, whole, measured)?;
    Ok(Fits { whole: Fitted::Linear(whole), measured: Fitted::Linear(measured), held_out: held_out.rows() })
}

/// The columns of the design, then the target.
fn with_target(table: &Table) -> Vec<String> {
    table.names().iter().cloned().chain([table.signature().target().name.clone()]).collect()
}

/// One row as least squares sees it: the columns of the design, then the target.
fn joined<'r>(buffer: &'r mut Vec<f64>, design: &[f64], target: f64) -> &'r [f64] {
    buffer.clear();
    buffer.extend_from_slice(design);
    buffer.push(target);
    buffer
}

/// What is known of the rows that are kept and of those held out.
fn moments(table: &Table, split: &Split) -> Result<(Moments, Moments), TrainError> {
    let mut buffer = Vec::new();
    let mut sides: Option<[Accumulator; 2]> = None;
    table.scan(&mut |row| {
        let values = joined(&mut buffer, row.design, row.target);
        // Any point near the data will do to shift them; the first row is one.
        let [kept, held_out] = sides.get_or_insert_with(|| [(); 2].map(|()| Accumulator::new(values.to_vec())));
        let side = if split.holds_out(row.number) { held_out } else { kept };
        side.push(values);
        Ok(())
    })?;
    let width = table.names().len() + 1;
    let [kept, held_out] = sides.unwrap_or_else(|| [(); 2].map(|()| Accumulator::new(vec![0.0; width])));
    Ok((kept.finish(), held_out.finish()))
}

/// Both fits to their last digit; the rows are read once for both.
fn refine(
    table: &Table,
    split: &Split,
    mut whole: LeastSquares,
    mut measured: LeastSquares,
) -> Result<(LeastSquares, LeastSquares), TrainError> {
    let mut buffer = Vec::new();
    for _ in 0..REFINEMENTS {
        let (mut all, mut kept) = (Refinement::new(whole), Refinement::new(measured));
        table.scan(&mut |row| {
            let values = joined(&mut buffer, row.design, row.target);
            all.push(values);
            if !split.holds_out(row.number) {
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
