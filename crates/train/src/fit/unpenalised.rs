//! Logistic regression without a penalty, with its inference.

use super::glm::note_on_fractional_weights;
use super::separation::in_separated_classes;
use super::{held_out_rows, in_classes};
use crate::error::TrainError;
use crate::fit::{Fit, Fits};
use crate::holdout::Holdout;
use crate::solver::logistic;
use crate::solver::logistic::{LogisticFit, LogisticInference, LogisticSettings, NoInference, UnpenalisedFit};
use crate::summary::{LikelihoodFit, Ratio, ScoreEstimates, Summary};
use crate::training_rows::TrainingRows;
use crate::training_table::TrainingTable;
use ordinate_model::wording::one_line;
use ordinate_table::Decision;

/// Fits without a penalty. The columns of the table are linearly independent.
///
/// # Errors
/// [`TrainError::Separated`] when the likelihood has no maximum.
pub(super) fn unpenalised(
    table: TrainingTable,
    holdout: &Holdout,
    settings: &LogisticSettings,
    decisions: Vec<Decision>,
) -> Result<(TrainingTable, Fits), TrainError> {
    let count = table.classes().len();
    let all = TrainingRows { table: &table, holdout: None };
    let UnpenalisedFit { fit: whole, inference } =
        logistic::fit_unpenalised(&all, count, settings).map_err(in_separated_classes(&table))?;
    let mut notes =
        inference.as_ref().err().map(|reason| without_inference(reason, &whole, &table)).unwrap_or_default();
    if inference.is_ok() {
        notes.extend(note_on_fractional_weights(&table)?);
    }
    let held_out = held_out_rows(&table, holdout);
    let evaluated = if held_out == 0 {
        whole.clone()
    } else {
        let part = fit_of_part(&table, holdout, settings)?;
        if part.separation.is_some() {
            notes.push(
                "without the held-out rows, the coefficients have no finite estimates (separation): the metrics are of a fit \
                 that was stopped, and the probabilities are not calibrated; --c 1 fits with a penalty"
                    .to_owned(),
            );
        }
        part
    };
    let fits = Fits {
        whole: Fit::Logistic(LogisticFit { inference: Some(inference), ..whole }),
        evaluated: Fit::Logistic(evaluated),
        held_out,
        cross_validation: None,
        decisions,
        notes,
    };
    Ok((table, fits))
}

/// Fits the kept rows.
pub(super) fn fit_of_part(
    table: &TrainingTable,
    holdout: &Holdout,
    settings: &LogisticSettings,
) -> Result<LogisticFit, TrainError> {
    let kept = TrainingRows { table, holdout: Some(holdout) };
    // Not from the fit to all rows: if the kept rows are separable, every fit that separates them is a solution, and
    // that one has seen the held-out rows.
    logistic::fit_of_part_unpenalised(&kept, table.classes().len(), settings).map_err(in_classes(table))
}

/// The notes on a fit without standard errors.
fn without_inference(reason: &NoInference, fit: &LogisticFit, table: &TrainingTable) -> Vec<String> {
    let why = match reason {
        NoInference::TooLarge { parameters } => {
            format!("the information matrix of {parameters} coefficients is too large")
        }
        NoInference::Undetermined { column } => {
            let name = table.names().get(*column).map(|name| one_line(name)).unwrap_or_default();
            format!(
                "values of {name:?} far from all others leave its coefficient undetermined in double precision; check \
                 them, or fit with a penalty: --c 1"
            )
        }
        NoInference::Imprecise => {
            "the columns are nearly linearly dependent, or the classes nearly separable; --c 1 fits \
                                   with a penalty"
                .to_owned()
        }
    };
    let mut notes = vec![format!("standard errors are not available: {why}")];
    if matches!(reason, NoInference::TooLarge { .. }) && fit.may_be_separated() {
        notes.push(
            "some coefficients are so large that they may have no finite estimates (separation); --c 1 fits with a \
             penalty"
                .to_owned(),
        );
    }
    notes
}

/// The summary of a fit without a penalty.
pub(crate) fn likelihood_summary(inference: &LogisticInference, table: &TrainingTable, level: f64) -> Summary {
    let label = |class: usize| table.classes().get(class).map(ToString::to_string).unwrap_or_default();
    let is_binary = table.classes().len() == 2;
    let scores = inference.scores.iter().map(|score| ScoreEstimates {
        class: (!is_binary).then(|| label(score.class)),
        intercept: score.intercept,
        coefficients: score.coefficients.clone(),
    });
    let target = match inference.scores.first().filter(|_| is_binary) {
        Some(score) => format!("log-odds of {}", label(score.class)),
        None => format!("log-odds of each class against {}", label(inference.reference)),
    };
    let fit = LikelihoodFit {
        target,
        reference: (!is_binary).then(|| label(inference.reference)),
        names: table.names(),
        rows: inference.rows,
        weight: inference.weight,
        scores: scores.collect(),
        ratio: Some(Ratio::OddsRatio),
        log_likelihood: inference.log_likelihood,
        null_log_likelihood: inference.null_log_likelihood,
        // Each row is one trial, whose own likelihood is at most 1.
        deviance: -2.0 * inference.log_likelihood,
        null_deviance: -2.0 * inference.null_log_likelihood,
        dispersion: None,
    };
    Summary::from_likelihood(fit, level)
}
