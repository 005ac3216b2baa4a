//! Poisson and gamma regression.

use super::linear::{Prepared, prepare};
use super::notes::OVERDISPERSED;
use super::redundant::one_line;
use super::{in_data, in_kept_rows, with_target};
use crate::error::TrainError;
use crate::fit::{Fit, Fits};
use crate::holdout::Holdout;
use crate::plan::Plan;
use crate::solver::error::SolveError;
use crate::solver::glm;
use crate::solver::glm::{GlmFit, GlmSettings};
use crate::summary::rounded;
use crate::training_rows::TrainingRows;
use crate::training_table::TrainingTable;
use ordinate_model::family::Family;
use ordinate_model::preprocess::DesignColumn;
use ordinate_model::wording::{NAMED, listed};

/// Fits a generalised linear model with a log link. Redundant columns are those of least squares.
pub(super) fn glm(
    table: TrainingTable,
    holdout: &Holdout,
    plan: &Plan,
    family: Family,
) -> Result<(TrainingTable, Fits), TrainError> {
    let settings = GlmSettings { alpha: plan.penalty.fixed_alpha(), ..GlmSettings::new(family) };
    let Prepared { table, kept, held_out, all, decisions } = prepare(table, holdout, settings.alpha == 0.0)?;
    let names = with_target(&table);
    // The columns and the target are finite: a mean that is not has its size from the offset.
    let in_offset = |error| match (error, table.offset()) {
        (SolveError::NotFinite { name }, Some(offset)) if names.last() == Some(&name) => {
            SolveError::NotFinite { name: offset.feature.clone() }
        }
        (error, _) => error,
    };
    let whole = glm::fit(&TrainingRows { table: &table, holdout: None }, &all, &names, &settings);
    let whole = whole.map_err(in_offset).map_err(in_data(&table))?;
    let evaluated = if held_out.rows() == 0 {
        whole.clone()
    } else {
        let rows = TrainingRows { table: &table, holdout: Some(holdout) };
        let part = glm::fit_of_part(&rows, &kept, &names, &settings, &whole);
        part.map_err(in_offset).map_err(in_kept_rows(&table, held_out.rows()))?
    };
    let fits = Fits {
        whole: Fit::Glm(whole),
        evaluated: Fit::Glm(evaluated),
        held_out: held_out.rows(),
        cross_validation: None,
        decisions,
        notes: Vec::new(),
    };
    Ok((table, fits))
}

/// Such as `the coefficients of g=b and g=c separate`.
fn separating(fit: &GlmFit, columns: &[DesignColumn]) -> String {
    let name = |column: &usize| columns.get(*column).map(|column| one_line(&column.name)).unwrap_or_default();
    let mut names: Vec<String> = fit.unbounded.iter().map(name).collect();
    if fit.has_unbounded_intercept {
        names.insert(0, "the intercept".to_owned());
    }
    let (which, verb) =
        if names.len() == 1 { ("the coefficient of", "separates") } else { ("the coefficients of", "separate") };
    format!("{which} {} {verb}", listed(names, NAMED))
}

/// The note on a fit without the held-out rows whose coefficients grow for ever, unlike those of the fit to all rows.
pub(super) fn note_on_part(whole: &GlmFit, part: &GlmFit, columns: &[DesignColumn]) -> Option<String> {
    if part.has_unbounded_intercept && part.unbounded.is_empty() {
        return Some(
            "without the held-out rows, the target is 0 in all rows: the metrics are of a prediction of 0".to_owned(),
        );
    }
    let is_new = part.unbounded.iter().any(|column| !whole.unbounded.contains(column));
    is_new.then(|| {
        format!(
            "without the held-out rows, the target is 0 in all rows that {} from the others: the metrics are of a fit \
             that stopped where their predictions are nearly 0 (--alpha 0.001 keeps coefficients finite)",
            separating(part, columns)
        )
    })
}

/// The notes on a fit to a design of these columns.
pub(super) fn notes(fit: &GlmFit, columns: &[DesignColumn]) -> Vec<String> {
    let mut notes = Vec::new();
    if !fit.unbounded.is_empty() {
        notes.push(format!(
            "the target is 0 in all rows that {} from the others: no finite value fits best, and the fit stopped \
             where their predictions are nearly 0; they have no standard errors, and rows with them no confidence interval of \
             the mean (--alpha 0.001 keeps coefficients finite)",
            separating(fit, columns)
        ));
    }
    let Some(statistics) = &fit.statistics else { return notes };
    let ratio = statistics.pearson / statistics.degrees_of_freedom;
    if fit.family == Family::Poisson && fit.alpha == 0.0 && ratio > OVERDISPERSED && statistics.degrees_of_freedom > 0.0
    {
        notes.push(format!(
            "the counts vary more than a Poisson distribution (Pearson's χ² is {} times its degrees of freedom): standard errors \
             and intervals of the mean are too small by a factor of about {}",
            rounded(ratio, 3),
            rounded(ratio.sqrt(), 3)
        ));
    }
    if fit.family == Family::Gamma && statistics.is_exact(fit.weight) {
        notes.push("the fit is exact: all residuals are zero".to_owned());
    }
    if fit.alpha == 0.0 && statistics.degrees_of_freedom <= 0.0 {
        notes.push("no residual degrees of freedom; standard errors are not available".to_owned());
    }
    notes
}
