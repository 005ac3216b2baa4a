//! Ordinary least squares.

use super::redundant::without_redundant;
use super::{KeptRows, LowParts, centred_moments, centred_moments_of_kept, in_data, in_kept_rows, with_target};
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
    let whole = PartFit { fit: whole, part: Part::default() };
    let (whole, evaluated) = if held_out.rows() == 0 {
        let [whole] = refine(&table, [whole])?;
        (whole.clone(), whole)
    } else {
        let part = part(&table, holdout, &KeptRows { kept, held_out: held_out.rows() })?;
        let [whole, part] = refine(&table, [whole, part])?;
        (whole, part)
    };
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

/// Fits the kept rows.
pub(super) fn fit_of_part(table: &TrainingTable, holdout: &Holdout) -> Result<LeastSquaresFit, TrainError> {
    let part = part(table, holdout, &centred_moments_of_kept(table, holdout)?)?;
    let [part] = refine(table, [part])?;
    Ok(part)
}

fn part<'h>(
    table: &TrainingTable,
    holdout: &'h Holdout,
    KeptRows { kept, held_out }: &KeptRows<Moments>,
) -> Result<PartFit<'h>, TrainError> {
    PartFit::new(kept, &with_target(table), holdout).map_err(in_kept_rows(table, *held_out))
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
        let [kept, held_out] = centred_moments(&table, holdout)?;
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

/// A fit, and the rows and columns that it is of.
struct PartFit<'h> {
    fit: LeastSquaresFit,
    part: Part<'h>,
}

/// A part of the rows, possibly without columns that those rows do not determine. By default all rows and columns.
#[derive(Default)]
struct Part<'h> {
    holdout: Option<&'h Holdout>,
    /// The columns without a coefficient, ascending.
    dropped: Vec<usize>,
    /// The means of all columns, if some are dropped.
    means: Vec<f64>,
}

impl<'h> PartFit<'h> {
    fn new(kept: &Moments, names: &[String], holdout: &'h Holdout) -> Result<Self, SolveError> {
        let (fit, dropped) = kept.solve_part(names)?;
        let mut means = kept.means();
        means.pop();
        Ok(Self { fit, part: Part { holdout: Some(holdout), dropped, means } })
    }

    fn finish(self) -> LeastSquaresFit {
        let Self { fit, part: Part { dropped, means, .. } } = self;
        if dropped.is_empty() { fit } else { fit.with_zeros(&dropped, &means) }
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

/// Refines fits in the same passes.
fn refine<const N: usize>(
    table: &TrainingTable,
    mut fits: [PartFit<'_>; N],
) -> Result<[LeastSquaresFit; N], TrainError> {
    let mut low_parts = LowParts::new(table);
    let (mut design, mut low) = (Vec::new(), Vec::new());
    for _ in 0..REFINEMENTS {
        let mut refinements = fits.map(|PartFit { fit, part }| (Refinement::new(fit), part));
        table.scan::<TrainError>(&mut |row| {
            let low_parts = low_parts.row(&row);
            for (refinement, Part { holdout, dropped, .. }) in &mut refinements {
                if holdout.is_some_and(|holdout| holdout.holds_out(row.number)) {
                    continue;
                }
                if dropped.is_empty() {
                    refinement.push_exact(row.design, row.target, low_parts, row.weight);
                } else {
                    selected(row.design, dropped, &mut design);
                    selected(low_parts, dropped, &mut low);
                    refinement.push_exact(&design, row.target, &low, row.weight);
                }
            }
            Ok(())
        })?;
        let mut has_changed = false;
        fits = refinements.map(|(refinement, part)| {
            let (fit, changed) = refinement.finish();
            has_changed |= changed;
            PartFit { fit, part }
        });
        if !has_changed {
            break;
        }
    }
    Ok(fits.map(PartFit::finish))
}
