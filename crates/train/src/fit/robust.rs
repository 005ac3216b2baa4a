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
    Ok(match sums.finish(fit, total) {
        Ok(errors) => (Some(errors), None),
        Err(row) => {
            let note = format!(
                "row {} of the data alone determines a coefficient, so that {} is not defined: standard errors are classical; \
                 --standard-errors hc1 does not divide by leverages",
                row + 1,
                kind.name()
            );
            (None, Some(note))
        }
    })
}
