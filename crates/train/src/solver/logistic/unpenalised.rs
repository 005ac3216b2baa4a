//! Fits without a penalty: inference, and the proof that classes are separable.

use super::super::design_rows::DesignRows;
use super::super::error::SolveError;
use super::information::{Likelihood, LogisticInference, Maximum, NoInference, is_too_large};
use super::separation::{Separation, separating_columns};
use super::standardised_rows::StandardisedRows;
use super::{Design, LogisticFit, LogisticSettings, Problem, standardisation};

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
/// As [`fit()`](super::fit).
pub fn fit_unpenalised(
    rows: &impl DesignRows,
    classes: usize,
    settings: &LogisticSettings,
) -> Result<UnpenalisedFit, SolveError> {
    let settings = settings.unpenalised();
    let standardisation = standardisation(rows, classes)?.with_settings(&settings).finish(rows.columns())?;
    let mut problem = Problem::new(rows, standardisation, &settings, true)?;
    let fit = problem.fit(settings.c)?;
    problem.infer(rows, fit)
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
    let standardisation = standardisation(rows, classes)?.with_settings(&settings).finish_part();
    let mut problem = Problem::new(rows, standardisation, &settings, true)?;
    let fit = problem.fit(settings.c)?;
    let separation = problem.separation(rows, &fit)?;
    Ok(LogisticFit { separation, ..fit })
}

impl<'r, R: DesignRows> Problem<'r, R> {
    /// The columns that separate the classes, as far as a fit without a penalty proves it.
    fn separation(&self, rows: &'r R, fit: &LogisticFit) -> Result<Option<Separation>, SolveError> {
        if self.parameters.is_empty() {
            return Ok(None);
        }
        let alone = separating_columns(rows, self.standardisation.classes, self.settings.intercept)?;
        let complete = fit.is_free_of_errors();
        if !alone.is_empty() {
            let columns = alone.into_iter().map(|separation| separation.column).collect();
            return Ok(Some(Separation { columns, complete }));
        }
        Ok(match self.maximum(rows)?.inference {
            Err(NoInference::Separated { columns, complete }) => Some(Separation { columns, complete }),
            _ if complete => Some(Separation { columns: fit.columns_by_size(), complete }),
            _ => None,
        })
    }

    /// The inference at the maximum of the likelihood, which `fit` is near. The fit is moved there.
    fn infer(&self, rows: &'r R, fit: LogisticFit) -> Result<UnpenalisedFit, SolveError> {
        let Maximum { parameters, inference } = self.maximum(rows)?;
        let fit = match &inference {
            Ok(inference) => fit.with_parameters(&self.standardisation, &parameters, inference),
            Err(_) => fit,
        };
        Ok(UnpenalisedFit { fit, inference })
    }

    /// The maximum of the likelihood, near the parameters of a fit.
    fn maximum(&self, rows: &'r R) -> Result<Maximum, SolveError> {
        let scores = self.parameters.len();
        if is_too_large(&self.standardisation, scores) {
            let parameters = scores * (self.standardisation.means.len() + usize::from(self.settings.intercept));
            return Ok(Maximum { parameters: Vec::new(), inference: Err(NoInference::TooLarge { parameters }) });
        }
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
