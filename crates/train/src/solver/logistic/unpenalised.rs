//! Fits without a penalty: inference, and the proof that classes are separable.

use super::super::design_rows::DesignRows;
use super::super::error::SolveError;
use super::information::{Likelihood, LogisticInference, Maximum, NoInference, is_too_large};
use super::separation::{Separation, check_columns};
use super::standardised_rows::StandardisedRows;
use super::{Design, LogisticFit, LogisticSettings, Problem, Purpose, StandardisationPass};

/// A fit without a penalty, and the inference that follows from its likelihood.
#[derive(Debug, Clone, PartialEq)]
pub struct UnpenalisedFit {
    /// The fit.
    pub fit: LogisticFit,
    /// Standard errors and log-likelihoods, or the reason why there are no such statistics.
    pub inference: Result<LogisticInference, NoInference>,
}

/// As [`fit()`](super::fit) without a penalty, whatever `settings.c`.
///
/// # Errors
/// As [`fit()`](super::fit), and [`SolveError::Separated`] when the likelihood has no maximum.
pub fn fit_unpenalised(
    rows: &impl DesignRows,
    classes: usize,
    settings: &LogisticSettings,
) -> Result<UnpenalisedFit, SolveError> {
    let settings = settings.unpenalised();
    let standardisation = StandardisationPass::over(rows, classes)?.with_settings(&settings).finish(rows.columns())?;
    check_columns(rows, classes, settings.intercept)?;
    let mut problem = Problem::new(rows, standardisation, &settings, Purpose::Model)?;
    let fit = problem.fit(settings.c)?;
    let Maximum { parameters, inference } = problem.maximum(rows, &fit)?;
    let fit = match &inference {
        Ok(inference) => fit.with_parameters(&problem.standardisation, &parameters, inference),
        Err(_) => fit,
    };
    Ok(UnpenalisedFit { fit, inference })
}

/// As [`fit_of_part()`](super::fit_of_part) without a penalty, whatever `settings.c`, with the columns that
/// separate the classes of the part.
///
/// # Errors
/// As [`fit_of_part()`](super::fit_of_part).
pub fn fit_of_part_unpenalised(
    rows: &impl DesignRows,
    classes: usize,
    settings: &LogisticSettings,
) -> Result<LogisticFit, SolveError> {
    let settings = settings.unpenalised();
    let standardisation = StandardisationPass::over(rows, classes)?.with_settings(&settings).finish_part();
    let mut problem = Problem::new(rows, standardisation, &settings, Purpose::Model)?;
    let fit = problem.fit(settings.c)?;
    if problem.parameters.is_empty() {
        return Ok(fit);
    }
    let checked = check_columns(rows, classes, settings.intercept);
    match checked.and_then(|()| problem.maximum(rows, &fit)) {
        Ok(Maximum { inference, .. }) => {
            Ok(LogisticFit { working: inference.ok().and_then(|inference| inference.working), ..fit })
        }
        Err(SolveError::Separated(proof)) => Ok(LogisticFit { separation: Some(proof), ..fit }),
        Err(error) => Err(error),
    }
}

impl<'r, R: DesignRows> Problem<'r, R> {
    /// The maximum of the likelihood, near a fit.
    ///
    /// # Errors
    /// [`SolveError::Separated`] and [`SolveError::Spool`].
    fn maximum(&self, rows: &'r R, fit: &LogisticFit) -> Result<Maximum, SolveError> {
        let scores = self.parameters.len();
        let maximum = if is_too_large(&self.standardisation, scores) {
            let parameters = scores * (self.standardisation.means.len() + usize::from(self.settings.intercept));
            Maximum { parameters: Vec::new(), inference: Err(NoInference::TooLarge { parameters }) }
        } else {
            self.likelihood_maximum(rows)?
        };
        if maximum.inference.is_err() && fit.is_free_of_errors() {
            return Err(Separation { columns: fit.columns_by_size(), complete: true }.into());
        }
        Ok(maximum)
    }

    fn likelihood_maximum(&self, rows: &'r R) -> Result<Maximum, SolveError> {
        let read;
        let columns = if let Design::Columns(columns) = &self.design {
            columns
        } else {
            read = StandardisedRows::new(rows, &self.standardisation, self.settings.intercept, self.settings.threads)?;
            &read
        };
        let likelihood =
            Likelihood { rows: columns, standardisation: &self.standardisation, intercept: self.settings.intercept };
        likelihood.maximum(self.parameters.clone())
    }
}
