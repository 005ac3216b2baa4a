//! Robust standard errors of least squares.

use super::{Fit, LowParts};
use crate::error::TrainError;
use crate::solver::robust_errors::{OrthogonalRow, RobustErrors, RobustSums, StandardErrors};
use crate::summary::Residuals;
use crate::training_table::{DesignForm, EncodedRows, TrainingTable};

/// Robust standard errors of a least-squares fit, if they are requested, in one pass over the rows; or a note on the
/// reason why not.
///
/// # Errors
/// [`TrainError::Spool`]
pub(crate) fn robust_errors(
    kind: StandardErrors,
    fit: &Fit,
    table: &TrainingTable,
    residuals: &Residuals,
) -> Result<(Option<RobustErrors>, Option<String>), TrainError> {
    if kind == StandardErrors::Classical {
        return Ok((None, None));
    }
    let Fit::LeastSquares(fit) = fit else {
        let note = format!("--standard-errors {} applies to least squares (--estimator linear)", kind.name());
        return Ok((None, Some(note)));
    };
    if fit.degrees_of_freedom() == 0 {
        return Ok((None, None));
    }
    let total = residuals.weight();
    let transformed = |rows: &EncodedRows| -> Vec<OrthogonalRow> {
        let mut low_parts = LowParts::new(table);
        let rows = rows.rows().filter(|row| row.weight > 0.0);
        rows.map(|row| {
            let residual = fit.residual(row.design, low_parts.row(&row), row.target);
            OrthogonalRow::new(fit, total, row.number, row.design, residual, row.weight)
        })
        .collect()
    };
    let mut sums = RobustSums::new(kind, fit.means.len());
    table.scan_with::<_, TrainError>(DesignForm::Dense, transformed, |_, rows| {
        for row in &rows {
            sums.push(row);
        }
        Ok(())
    })?;
    let alone = sums.alone();
    let errors = sums.finish(fit, total);
    let note = alone.map(|row| {
        let (row, kind) = (row + 1, kind.name());
        let what = match errors {
            Some(_) => format!("{kind} is too small for it"),
            None => format!("{kind} is not defined: standard errors are classical"),
        };
        format!("row {row} of the data alone determines a coefficient, and has no residual, so that {what}")
    });
    Ok((errors, note))
}
