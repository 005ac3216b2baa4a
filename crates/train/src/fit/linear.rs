//! Ordinary least squares.

use super::redundant::without_redundant;
use super::{LowParts, centred_moments, in_data, in_kept_rows, with_target};
use crate::error::TrainError;
use crate::fit::{Fit, Fits};
use crate::holdout::Holdout;
use crate::solver::error::SolveError;
use crate::solver::least_squares::LeastSquaresFit;
use crate::solver::moments::{Moments, RedundantColumns};
use crate::solver::refinement::Refinement;
use crate::training_table::TrainingTable;
use ordinate_table::Decision;

/// Passes of iterative refinement after the QR decomposition: one is enough for ordinary data, ill-conditioned data and
/// exact fits need a second.
const REFINEMENTS: usize = 2;

/// Fits ordinary least squares. The moments of both sides are merged, so that the fit to all rows needs no pass of its
/// own.
pub(super) fn linear(table: TrainingTable, holdout: &Holdout) -> Result<(TrainingTable, Fits), TrainError> {
    let columns = table.names().len() as u64;
    let Prepared { table, kept, held_out, all, decisions } = prepare(table, holdout, true)?;
    let names = with_target(&table);
    let mut notes = Vec::new();
    if all.rows() < columns + all.intercepts() as u64 + 1 {
        notes.push(format!(
            "{} rows for {columns} columns: the fit reproduces the training data whatever they are; --estimator ridge and \
             --estimator lasso keep the coefficients small instead",
            all.rows()
        ));
    }
    let whole = all.solve(&names).map_err(in_data(&table))?;
    let evaluated = if held_out.rows() == 0 {
        None
    } else {
        Some(PartFit::new(&kept, &names).map_err(in_kept_rows(&table, held_out.rows()))?)
    };
    let (whole, evaluated) = refine(&table, holdout, whole, evaluated)?;
    let fits = Fits {
        whole: Fit::LeastSquares(whole),
        evaluated: Fit::LeastSquares(evaluated),
        held_out: held_out.rows(),
        cross_validation: None,
        decisions,
        notes,
    };
    Ok((table, fits))
}

/// A table without redundant columns, with its moments.
pub(super) struct Prepared<M = Moments> {
    pub(super) table: TrainingTable,
    pub(super) kept: M,
    pub(super) held_out: M,
    pub(super) all: M,
    pub(super) decisions: Vec<Decision>,
}

/// Computes the moments, and drops constant columns and, where the fit requires it, dependent columns. The moments are
/// then computed again, so that the model is that of a table without these columns.
pub(super) fn prepare(table: TrainingTable, holdout: &Holdout, independent: bool) -> Result<Prepared, TrainError> {
    let mut decisions = Vec::new();
    let mut table = table;
    loop {
        let (kept, held_out) = centred_moments(&table, holdout)?;
        let all = kept.merge(&held_out);
        let names = with_target(&table);
        all.finite_lengths(&names).map_err(in_data(&table))?;
        all.check_target(&names).map_err(in_data(&table))?;
        let redundant = if independent {
            all.redundant_features()
        } else {
            RedundantColumns { constant: all.constant_features(), dependent: Vec::new() }
        };
        if redundant.is_empty() {
            return Ok(Prepared { table, kept, held_out, all, decisions });
        }
        let decided;
        (table, decided) = without_redundant(table, &redundant)?;
        decisions.extend(decided);
    }
}

/// A fit to the rows that are not held out, possibly without columns that those rows do not determine.
struct PartFit {
    fit: LeastSquaresFit,
    /// The columns without a coefficient, ascending.
    dropped: Vec<usize>,
    /// The means of all columns.
    means: Vec<f64>,
}

impl PartFit {
    fn new(kept: &Moments, names: &[String]) -> Result<Self, SolveError> {
        let (fit, dropped) = kept.solve_part(names)?;
        let mut means = kept.means();
        means.pop();
        Ok(Self { fit, dropped, means })
    }

    fn finish(self) -> LeastSquaresFit {
        if self.dropped.is_empty() { self.fit } else { self.fit.with_zeros(&self.dropped, &self.means) }
    }
}

/// The values of the columns that a fit has.
fn selected(values: &[f64], dropped: &[usize], to: &mut Vec<f64>) {
    to.clear();
    let mut dropped = dropped.iter().peekable();
    to.extend(
        values
            .iter()
            .enumerate()
            .filter(|(at, _)| dropped.next_if(|dropped| *dropped == at).is_none())
            .map(|(_, value)| *value),
    );
}

/// Refines both fits in the same passes. Without held-out rows they are one fit.
fn refine(
    table: &TrainingTable,
    holdout: &Holdout,
    mut whole: LeastSquaresFit,
    mut evaluated: Option<PartFit>,
) -> Result<(LeastSquaresFit, LeastSquaresFit), TrainError> {
    let mut low_parts = LowParts::new(table);
    let (mut design, mut low) = (Vec::new(), Vec::new());
    for _ in 0..REFINEMENTS {
        let mut all = Refinement::new(whole);
        let mut kept = evaluated.as_ref().map(|part| Refinement::new(part.fit.clone()));
        let dropped = evaluated.as_ref().map_or(&[][..], |part| &part.dropped);
        table.scan::<TrainError>(&mut |row| {
            let low_parts = low_parts.row(&row);
            all.push_exact(row.design, row.target, low_parts, row.weight);
            if let Some(kept) = kept.as_mut().filter(|_| !holdout.holds_out(row.number)) {
                if dropped.is_empty() {
                    kept.push_exact(row.design, row.target, low_parts, row.weight);
                } else {
                    selected(row.design, dropped, &mut design);
                    selected(low_parts, dropped, &mut low);
                    kept.push_exact(&design, row.target, &low, row.weight);
                }
            }
            Ok(())
        })?;
        let all_changed;
        let mut kept_changed = false;
        (whole, all_changed) = all.finish();
        if let (Some(part), Some(kept)) = (&mut evaluated, kept) {
            (part.fit, kept_changed) = kept.finish();
        }
        if !all_changed && !kept_changed {
            break;
        }
    }
    let evaluated = evaluated.map_or_else(|| whole.clone(), PartFit::finish);
    Ok((whole, evaluated))
}
