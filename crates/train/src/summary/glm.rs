//! The summary of Poisson and gamma regression.

use super::{Estimate, LikelihoodFit, Ratio, ScoreEstimates, Summary};
use crate::intercept;
use crate::solver::glm::GlmFit;
use ordinate_model::double_double::DoubleDouble;
use ordinate_model::family::Family;

impl Summary {
    /// Summarises a fit of the named columns; none for a penalised fit, whose coefficients are biased by an unknown
    /// amount.
    #[must_use]
    pub fn from_glm(fit: &GlmFit, names: &[String], target: &str, level: f64) -> Option<Self> {
        let statistics = fit.statistics.as_ref().filter(|_| fit.alpha == 0.0)?;
        let dispersion = statistics.dispersion;
        let errors = fit.unit_errors();
        let error = |unit: Option<f64>| unit.zip(dispersion).map(|(unit, dispersion)| unit * dispersion.sqrt());
        let slopes = fit.slopes();
        let unit = |column: usize| {
            let unit = errors.as_ref().and_then(|errors| errors.coefficients.get(column)).copied();
            // A coefficient that grows for ever has no standard error.
            unit.filter(|_| !fit.unbounded.contains(&column))
        };
        let coefficients = slopes
            .iter()
            .enumerate()
            .map(|(column, value)| Estimate { value: *value, standard_error: error(unit(column)) });
        let terms = slopes.iter().copied().map(DoubleDouble::from).zip(fit.means.iter().copied());
        let offset = [(DoubleDouble::from(1.0), fit.offset_mean)];
        let intercept = (!fit.through_origin).then(|| Estimate {
            value: intercept::at_zero(DoubleDouble::from(fit.intercept), terms.chain(offset)),
            standard_error: error(errors.as_ref().map(|errors| errors.intercept))
                .filter(|_| !fit.has_unbounded_intercept),
        });
        let fit = LikelihoodFit {
            target: format!("log mean of {target}"),
            reference: None,
            names,
            rows: fit.rows,
            weight: fit.weight,
            scores: vec![ScoreEstimates { class: None, intercept, coefficients: coefficients.collect() }],
            ratio: Some(if fit.family == Family::Poisson { Ratio::RateRatio } else { Ratio::MeanRatio }),
            log_likelihood: statistics.log_likelihood.unwrap_or(f64::NAN),
            null_log_likelihood: statistics.null_log_likelihood.unwrap_or(f64::NAN),
            deviance: statistics.deviance,
            null_deviance: statistics.null_deviance,
            dispersion: dispersion.filter(|_| fit.family == Family::Gamma),
        };
        Some(Self::from_likelihood(fit, level))
    }
}
