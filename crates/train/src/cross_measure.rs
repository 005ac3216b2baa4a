//! Measures a plan by cross-validation: for each fold of the rows, a fit to the other folds is evaluated on it.

use indexmap::IndexMap;

use crate::document_builder::DocumentBuilder;
use crate::error::TrainError;
use crate::evaluate::{Evaluation, Metrics, without_fold};
use crate::fit::{self, Fit};
use crate::golden_rows::first_row;
use crate::holdout::Holdout;
use crate::plan::Plan;
use crate::training_table::{DesignForm, EncodedRows, TrainingTable};
use ordinate_model::frame::Frame;
use ordinate_model::{AnswerError, Model, Wanted};

/// The metrics of the folds.
#[derive(Debug, Clone, PartialEq)]
pub struct FoldMetrics {
    /// The means over the folds; without metrics that are not defined in every fold.
    pub means: IndexMap<&'static str, f64>,
    /// Their standard errors: the standard deviation over the folds, divided by the root of their number.
    pub standard_errors: IndexMap<&'static str, f64>,
}

/// The evaluations of the folds, before calibration.
#[derive(Debug)]
pub(super) struct FoldEvaluations(Vec<Evaluation>);

/// Evaluates for each fold a fit to the other rows. Rows that every fit needs are in no fold.
///
/// # Errors
/// [`TrainError`] when a fit has no single finite solution, or cannot predict the rows of its fold.
pub(super) fn evaluate_folds(
    table: &TrainingTable,
    plan: &Plan,
    whole: &Fit,
    folds: u32,
) -> Result<FoldEvaluations, TrainError> {
    let (required, rows) = (table.required_rows()?, table.summary().rows);
    let mut evaluations = Vec::new();
    for position in 0..folds {
        let holdout = Holdout::fold(position, folds, plan.seed).keeping(required.clone()).keeping_some(rows);
        if !(0..rows).any(|row| holdout.holds_out(row)) {
            continue;
        }
        let fit = fit::fit_of_part(table, &holdout, plan, whole)?;
        evaluations.push(evaluate_fold(table, plan, &fit, &holdout)?);
    }
    Ok(FoldEvaluations(evaluations))
}

/// The evaluation of a fit on its held-out rows.
fn evaluate_fold(table: &TrainingTable, plan: &Plan, fit: &Fit, holdout: &Holdout) -> Result<Evaluation, TrainError> {
    let builder = DocumentBuilder::without_results(plan, table);
    let draft = builder.seal(fit, vec![first_row(table)?], |_| None, None, None)?;
    let model = Model::from_json(draft.to_json()?.as_bytes())?;
    let mut evaluation = Evaluation::new(&model);
    let answer = |rows: &EncodedRows| {
        let held_out = || rows.rows().filter(|row| holdout.holds_out(row.number));
        let features: Vec<f64> = held_out().flat_map(|row| row.features.iter().copied()).collect();
        if features.is_empty() {
            return Ok(None);
        }
        model.answer(&Frame::from_accepted(model.signature(), features), &Wanted::default()).map(Some)
    };
    table.scan_with::<_, TrainError>(DesignForm::Absent, answer, |rows, answered: Result<_, AnswerError>| {
        let Some(answers) = answered? else { return Ok(()) };
        for (row, answer) in rows.rows().filter(|row| holdout.holds_out(row.number)).zip(answers.rows()) {
            evaluation.push(&row.label(&model, true), answer);
        }
        Ok(())
    })?;
    Ok(evaluation)
}

impl FoldEvaluations {
    /// The metrics of the probabilities that are served: if they are calibrated, each fold's with a temperature that is
    /// fitted to the other folds.
    pub(super) fn metrics(self, is_calibrated: bool, threshold: Option<f64>) -> Option<FoldMetrics> {
        let Self(folds) = self;
        let rescaled = |(at, fold): (usize, &Evaluation)| {
            let temperature = without_fold(&folds, at).unwrap_or(1.0);
            fold.clone().rescaled(|_| temperature, threshold)
        };
        let served: Vec<Evaluation> =
            if is_calibrated { folds.iter().enumerate().map(rescaled).collect() } else { folds };
        let measured: Vec<Metrics> = served.iter().filter_map(|fold| fold.measure(&[], threshold)).collect();
        FoldMetrics::new(&measured)
    }
}

impl FoldMetrics {
    /// None for fewer than two folds.
    fn new(folds: &[Metrics]) -> Option<Self> {
        let count = folds.len() as f64;
        let first = folds.first().filter(|_| folds.len() > 1)?;
        let (mut means, mut standard_errors) = (IndexMap::new(), IndexMap::new());
        for name in first.values.keys().copied() {
            let Some(values) = folds.iter().map(|fold| fold.get(name)).collect::<Option<Vec<f64>>>() else { continue };
            let mean = values.iter().sum::<f64>() / count;
            let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
            means.insert(name, mean);
            standard_errors.insert(name, (squares / (count - 1.0) / count).sqrt());
        }
        Some(Self { means, standard_errors })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_error_is_of_the_mean_over_the_folds() {
        let fold =
            |values: &[(&'static str, f64)]| Metrics { values: values.iter().copied().collect(), ..Metrics::default() };
        let folds = [
            fold(&[("accuracy", 0.5), ("roc_auc", 0.7)]),
            fold(&[("accuracy", 0.7)]),
            fold(&[("accuracy", 0.9), ("roc_auc", 0.8)]),
        ];
        let metrics = FoldMetrics::new(&folds).unwrap();
        assert!(metrics.means.keys().eq(&["accuracy"]), "{metrics:?}");
        // By hand: the standard deviation is 0.2.
        assert!((metrics.means["accuracy"] - 0.7).abs() < 1e-15);
        assert!((metrics.standard_errors["accuracy"] - 0.2 / 3.0_f64.sqrt()).abs() < 1e-15);
        assert_eq!(FoldMetrics::new(&folds[..1]), None);
    }
}
