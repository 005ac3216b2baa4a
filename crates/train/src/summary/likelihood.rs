//! The summary of a fit by maximum likelihood: logistic regression and generalised linear models without a penalty.

use serde::Serialize;

use super::format::{cell, dash, relation, significant};
use super::{FitStatistics, INTERCEPT, Ratio, RatioEstimate, Statistic, Summary, Term, finite};
use crate::distribution::{chi_squared_upper, normal_two_sided};
pub use crate::solver::estimate::Estimate;
use crate::solver::robust_errors::StandardErrors;
use ordinate_model::quantile::normal_quantile;
use ordinate_model::wording::counted;

/// The coefficients of one score.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreEstimates {
    /// The class that the score compares with the reference class, for more than two classes.
    pub class: Option<String>,
    /// The score where all columns are zero.
    pub intercept: Option<Estimate>,
    /// One for each column.
    pub coefficients: Vec<Estimate>,
}

/// A fit by maximum likelihood, in the units of the data.
#[derive(Debug, Clone)]
pub struct LikelihoodFit<'a> {
    /// What a score is, such as `log-odds of yes` or `log rate of claims`.
    pub target: String,
    /// The reference class, for more than two classes.
    pub reference: Option<String>,
    /// The columns of the design.
    pub names: &'a [String],
    /// The rows of the fit with a weight.
    pub rows: u64,
    /// The number of observations: the sum of frequency weights, or the number of rows without weights.
    pub weight: f64,
    /// One score, or one for each class but the reference class.
    pub scores: Vec<ScoreEstimates>,
    /// The exponential of a coefficient, if it has a meaning.
    pub ratio: Option<fn(RatioEstimate) -> Ratio>,
    /// The log-likelihood of the fit.
    pub log_likelihood: f64,
    /// The log-likelihood of a fit of the intercepts only.
    pub null_log_likelihood: f64,
    /// Twice the log-likelihood that the fit lacks to one that reproduces every row, times the dispersion.
    pub deviance: f64,
    /// The deviance of a fit of the intercepts only.
    pub null_deviance: f64,
    /// The estimated dispersion; none where the family fixes it at 1.
    pub dispersion: Option<f64>,
}

/// Statistics of a fit by maximum likelihood. Undefined numbers are none.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LikelihoodStatistics {
    /// The sum of the weights, where rows have weights.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<f64>,
    /// The log-likelihood of the fit.
    pub log_likelihood: Option<f64>,
    /// The log-likelihood of a fit of the intercepts only; without an intercept, of coefficients of zero.
    pub null_log_likelihood: Option<f64>,
    /// Twice the difference of the two.
    pub likelihood_ratio: Option<f64>,
    /// The number of coefficients without the intercepts: the degrees of freedom of `likelihood_ratio`.
    pub likelihood_ratio_degrees_of_freedom: u64,
    /// The probability of at least this likelihood ratio if all true coefficients are zero.
    pub likelihood_ratio_p: Option<f64>,
    /// Twice the log-likelihood that the fit lacks to one that reproduces every row, times the dispersion.
    pub deviance: Option<f64>,
    /// The deviance of a fit of the intercepts only.
    pub null_deviance: Option<f64>,
    /// `1 − log-likelihood / null log-likelihood` (`McFadden`, 1974).
    pub mcfadden_r2: Option<f64>,
    /// The Akaike information criterion, `2k − 2·log-likelihood` with k coefficients and intercepts.
    pub aic: Option<f64>,
    /// The Bayesian information criterion, `k·ln n − 2·log-likelihood`, where n is the sum of the weights.
    pub bic: Option<f64>,
    /// The estimated dispersion; absent where the family fixes it at 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dispersion: Option<f64>,
}

impl Summary {
    /// Summarises a fit by maximum likelihood.
    #[must_use]
    pub fn from_likelihood(fit: LikelihoodFit<'_>, level: f64) -> Self {
        let columns: usize = fit.scores.iter().map(|score| score.coefficients.len()).sum();
        let intercepts = fit.scores.iter().filter(|score| score.intercept.is_some()).count();
        let parameters = (columns + intercepts) as f64;
        let freedom = (fit.weight - parameters).max(0.0);
        let test = Test { level };
        let of_intercepts = fit.scores.iter().filter_map(|score| Some((score, score.intercept?)));
        let intercepts = of_intercepts.map(|(score, estimate)| test.term(INTERCEPT, score, estimate, None)).collect();
        let terms = fit.scores.iter().flat_map(|score| {
            let named = fit.names.iter().zip(&score.coefficients);
            named.map(|(name, estimate)| test.term(name, score, *estimate, fit.ratio))
        });
        let terms = terms.collect();
        let log = finite(Some(fit.log_likelihood));
        let null = finite(Some(fit.null_log_likelihood));
        let ratio = log.zip(null).map(|(log, null)| (2.0 * (log - null)).max(0.0));
        let statistics = LikelihoodStatistics {
            weight: Some(fit.weight).filter(|weight| weight.to_bits() != (fit.rows as f64).to_bits()),
            log_likelihood: log,
            null_log_likelihood: null,
            likelihood_ratio: ratio,
            likelihood_ratio_degrees_of_freedom: columns as u64,
            likelihood_ratio_p: ratio.and_then(|ratio| chi_squared_upper(ratio, columns as f64)),
            deviance: finite(Some(fit.deviance)),
            null_deviance: finite(Some(fit.null_deviance)),
            mcfadden_r2: finite(log.zip(null).map(|(log, null)| 1.0 - log / null)),
            aic: log.map(|log| 2.0 * parameters - 2.0 * log),
            bic: finite(log.map(|log| parameters * libm::log(fit.weight) - 2.0 * log)),
            dispersion: fit.dispersion.filter(|dispersion| dispersion.is_finite()),
        };
        Self {
            target: fit.target,
            reference: fit.reference,
            standard_errors: StandardErrors::Classical,
            rows: fit.rows,
            degrees_of_freedom: freedom,
            level,
            intercepts,
            terms,
            fit: FitStatistics::Likelihood(statistics),
        }
    }
}

/// How an estimate is compared with zero: by the normal distribution.
#[derive(Debug, Clone, Copy)]
struct Test {
    level: f64,
}

impl Test {
    fn term(
        self,
        name: &str,
        score: &ScoreEstimates,
        estimate: Estimate,
        ratio: Option<fn(RatioEstimate) -> Ratio>,
    ) -> Term {
        let standard_error = finite(estimate.standard_error);
        let value = finite(standard_error.map(|error| estimate.value / error));
        let margin = standard_error
            .zip(normal_quantile(f64::midpoint(1.0, self.level)))
            .map(|(error, quantile)| error * quantile);
        let interval = margin.map(|margin| [estimate.value - margin, estimate.value + margin]);
        Term {
            name: name.to_owned(),
            class: score.class.clone(),
            estimate: estimate.value,
            standard_error,
            statistic: Statistic::Z(value),
            p: value.map(normal_two_sided),
            interval,
            ratio: ratio.map(|ratio| ratio(RatioEstimate::new(estimate.value, interval))),
            vif: None,
            standard_deviation: None,
        }
    }
}

impl LikelihoodStatistics {
    /// Name and formatted value of each statistic.
    pub(super) fn lines(&self, summary: &Summary) -> Vec<(&'static str, String)> {
        let freedom = counted(self.likelihood_ratio_degrees_of_freedom, "degree of freedom", "degrees of freedom");
        let ratio = self.likelihood_ratio.zip(self.likelihood_ratio_p).map(|(ratio, p)| (significant(ratio), p));
        let ratio = ratio.map_or_else(dash, |(ratio, p)| format!("{ratio} on {freedom}, p {}", relation(p)));
        let mut lines = vec![("rows", summary.rows.to_string())];
        lines.extend(self.weight.map(|weight| ("sum of weights", significant(weight))));
        lines.extend([
            ("residual degrees of freedom", significant(summary.degrees_of_freedom)),
            ("log-likelihood", cell(self.log_likelihood)),
            ("null log-likelihood", cell(self.null_log_likelihood)),
            ("likelihood ratio (chi²)", ratio),
            ("deviance", cell(self.deviance)),
            ("null deviance", cell(self.null_deviance)),
            ("McFadden's R²", cell(self.mcfadden_r2)),
            ("AIC", cell(self.aic)),
            ("BIC", cell(self.bic)),
        ]);
        lines.extend(self.dispersion.map(|dispersion| ("dispersion", significant(dispersion))));
        lines
    }
}
