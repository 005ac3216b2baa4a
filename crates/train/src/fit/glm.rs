//! Poisson and gamma regression.

use super::linear::{Prepared, prepare};
use super::notes::OVERDISPERSED;
use super::{KeptRows, centred_moments_of_kept, in_data, in_kept_rows, with_target};
use crate::error::TrainError;
use crate::fit::{Fit, Fits};
use crate::holdout::Holdout;
use crate::plan::Plan;
use crate::solver::error::SolveError;
use crate::solver::glm;
use crate::solver::glm::{GlmFit, GlmSettings};
use crate::solver::leverage::MOST_COLUMNS;
use crate::solver::moments::Moments;
use crate::summary::{rounded, significant};
use crate::training_rows::TrainingRows;
use crate::training_table::TrainingTable;
use ordinate_model::family::Family;
use ordinate_model::preprocess::DesignColumn;
use ordinate_model::signature::{Feature, FeatureType};
use ordinate_model::wording::{NAMED, listed, one_line};
use ordinate_table::{DataError, NamedColumn, OffsetColumn, RowId, shell_word};

/// Fits a generalised linear model with a log link. Redundant columns are those of least squares.
pub(super) fn glm(
    table: TrainingTable,
    holdout: &Holdout,
    plan: &Plan,
    family: Family,
) -> Result<(TrainingTable, Fits), TrainError> {
    // A report has the influence of each row on the evaluated fit.
    let settings = GlmSettings { statistics_of_part: plan.report, ..settings(plan, family) };
    let Prepared { table, kept, held_out, all, decisions } = prepare(table, holdout, settings.alpha == 0.0)?;
    let names = with_target(&table);
    let whole = glm::fit(&TrainingRows { table: &table, holdout: None }, &all, &names, &settings);
    let whole = whole.map_err(|error| failed(&table, error, in_data(&table)))?;
    let evaluated = if held_out.rows() == 0 {
        whole.clone()
    } else {
        part(&table, holdout, &KeptRows { kept, held_out: held_out.rows() }, &settings, &whole)?
    };
    let notes = if settings.alpha == 0.0 { note_on_fractional_weights(&table)? } else { None };
    let fits = Fits {
        whole: Fit::Glm(whole),
        evaluated: Fit::Glm(evaluated),
        held_out: held_out.rows(),
        cross_validation: None,
        decisions,
        notes: notes.into_iter().collect(),
    };
    Ok((table, fits))
}

/// Fits the kept rows, from the fit to all rows.
pub(super) fn fit_of_part(
    table: &TrainingTable,
    holdout: &Holdout,
    plan: &Plan,
    whole: &GlmFit,
) -> Result<GlmFit, TrainError> {
    part(table, holdout, &centred_moments_of_kept(table, holdout)?, &settings(plan, whole.family), whole)
}

fn settings(plan: &Plan, family: Family) -> GlmSettings {
    GlmSettings { alpha: plan.penalty.fixed_alpha(), ..GlmSettings::new(family) }
}

fn part(
    table: &TrainingTable,
    holdout: &Holdout,
    KeptRows { kept, held_out }: &KeptRows<Moments>,
    settings: &GlmSettings,
    whole: &GlmFit,
) -> Result<GlmFit, TrainError> {
    let rows = TrainingRows { table, holdout: Some(holdout) };
    let part = glm::fit_of_part(&rows, kept, &with_target(table), settings, whole);
    part.map_err(|error| failed(table, error, in_kept_rows(table, *held_out)))
}

/// The error of a fit. The columns and the target are finite: a mean that is not has its size from the offset.
fn failed(table: &TrainingTable, error: SolveError, other: impl Fn(SolveError) -> TrainError) -> TrainError {
    match (&error, &table.source.offset) {
        (SolveError::NotFinite { name }, Some(offset)) if *name == table.signature().target().name => {
            extreme_offset(table, offset).unwrap_or_else(|failed| failed)
        }
        _ => other(error),
    }
}

/// The error of the row with the largest offset or exposure.
fn extreme_offset(table: &TrainingTable, offset: &OffsetColumn) -> Result<TrainError, TrainError> {
    let source = &table.source;
    let position = source.names().iter().position(|name| *name == offset.name).unwrap_or_default();
    let feature = Feature::new(&offset.name, FeatureType::Double);
    let (mut value, mut row) = (0.0_f64, RowId::default());
    source.scan::<DataError>(&mut |record| {
        if let Some(found) = feature.accept(record.cell(position)).ok().filter(|found| found.abs() > value.abs()) {
            (value, row) = (found, record.id());
        }
        Ok(())
    })?;
    let column = NamedColumn { name: offset.name.as_str().into(), purpose: offset.purpose() };
    Ok(DataError::ExtremeOffset { location: source.location(row), column, value }.into())
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

/// The advice where the rows without counts are those of the reference level of a category: the intercept falls for
/// ever, and the coefficients of all other levels grow by as much.
fn without_reference(fit: &GlmFit, columns: &[DesignColumn]) -> Option<String> {
    let level_of = |column: &DesignColumn| match column.product.as_slice() {
        [factor] if factor.level.is_some() => Some(factor.feature.clone()),
        _ => None,
    };
    let mut involved = fit.unbounded.iter().map(|column| columns.get(*column).and_then(level_of));
    let feature = involved.next()??;
    let has_one = fit.has_unbounded_intercept && involved.all(|other| other.as_ref() == Some(&feature));
    let levels = columns.iter().filter(|column| level_of(column).as_ref() == Some(&feature)).count();
    (has_one && levels == fit.unbounded.len()).then(|| {
        let option = shell_word(&format!("{feature}=LEVEL"));
        format!(
            "; the reference level of {:?} has no count above 0: choose another with --reference {option}",
            one_line(&feature)
        )
    })
}

/// The note on weights that are not whole numbers, where they count observations.
///
/// # Errors
/// [`TrainError`] when the rows cannot be read.
pub(super) fn note_on_fractional_weights(table: &TrainingTable) -> Result<Option<String>, TrainError> {
    if table.weights.is_none() {
        return Ok(None);
    }
    let (mut sum, mut are_whole) = (0.0, true);
    table.scan::<TrainError>(&mut |row| {
        sum += row.weight;
        are_whole &= row.weight.fract() == 0.0;
        Ok(())
    })?;
    Ok((!are_whole).then(|| {
        format!(
            "some weights are not whole numbers: standard errors, degrees of freedom and BIC take their sum, {}, for \
             the number of observations",
            significant(sum)
        )
    }))
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
             the mean (--alpha 0.001 keeps coefficients finite{})",
            separating(fit, columns),
            without_reference(fit, columns).unwrap_or_default()
        ));
    }
    let Some(statistics) = &fit.statistics else { return notes };
    if fit.alpha == 0.0 && statistics.triangle.is_none() {
        let why = if columns.len() > MOST_COLUMNS {
            format!("there are more than {MOST_COLUMNS} columns")
        } else {
            "the columns are nearly linearly dependent in rows with a mean above zero".to_owned()
        };
        notes.push(format!("standard errors and intervals of the mean are not available: {why}"));
    }
    let ratio = statistics.pearson / statistics.degrees_of_freedom;
    if fit.family == Family::Poisson && fit.alpha == 0.0 && ratio > OVERDISPERSED && statistics.degrees_of_freedom > 0.0
    {
        notes.push(format!(
            "the counts vary more than a Poisson distribution (Pearson's χ² {}): standard errors \
             and intervals of the mean are too small{}",
            if ratio.is_finite() {
                format!("is {} times its degrees of freedom", rounded(ratio, 3))
            } else {
                "is too large for a double".to_owned()
            },
            if ratio.is_finite() {
                format!(" by a factor of about {}", rounded(ratio.sqrt(), 3))
            } else {
                String::new()
            }
        ));
    }
    if fit.family == Family::Gamma && statistics.is_exact(fit.weight) {
        notes.push("the fit is exact: all residuals are zero".to_owned());
    }
    // The dispersion of a Poisson distribution is known.
    if fit.family == Family::Gamma && fit.alpha == 0.0 && statistics.degrees_of_freedom <= 0.0 {
        notes.push("no residual degrees of freedom; standard errors are not available".to_owned());
    }
    notes
}
