//! The summary of a least-squares fit.
//!
//! It follows from the factor `R` of the centred design, the coefficients, the residual sum of squares and, where `R`
//! does not have enough digits for standard errors, [`UnitErrors`].

use serde::Serialize;

use super::format::{cell, dash, relation, significant};
use super::singular::condition_number;
use super::{FitStatistics, INTERCEPT, Statistic, Summary, Term, finite};
use crate::distribution::{fisher_upper, student_two_sided};
use crate::intercept;
use crate::solver::least_squares::LeastSquaresFit;
use crate::solver::robust_errors::{RobustErrors, StandardErrors};
use crate::solver::unit_errors::UnitErrors;
use ordinate_model::double_double::DoubleDouble;
use ordinate_model::quantile::student_quantile;

/// Sums over the residuals in the order of the rows.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Residuals {
    rows: u64,
    weight: f64,
    log_weight: f64,
    previous: Option<f64>,
    squares: f64,
    steps: f64,
}

impl Residuals {
    /// Adds the residual `y − ŷ` and the weight of the next row. A row of weight zero is ignored.
    pub fn push(&mut self, residual: f64, weight: f64) {
        if weight == 0.0 {
            return;
        }
        let residual = weight.sqrt() * residual;
        self.rows += 1;
        self.weight += weight;
        self.log_weight += libm::log(weight);
        self.squares += residual * residual;
        self.steps += self.previous.map_or(0.0, |previous| (residual - previous).powi(2));
        self.previous = Some(residual);
    }

    /// The sum of the weights.
    pub(crate) fn weight(&self) -> f64 {
        self.weight
    }

    /// `Σ(eᵢ − eᵢ₋₁)² / Σeᵢ²` (Durbin and Watson, 1950): near 2 for independent residuals, near 0 for positively
    /// correlated neighbours.
    #[must_use]
    pub fn durbin_watson(&self) -> Option<f64> {
        Some(self.steps / self.squares).filter(|value| value.is_finite())
    }
}

/// Statistics of a least-squares fit. Undefined numbers are none.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LeastSquaresStatistics {
    /// The fraction of the target's variance that the fit explains; without an intercept `1 − Σ(y − ŷ)²/Σy²`.
    pub r2: Option<f64>,
    /// R² adjusted for the number of columns: `1 − (1 − R²)(n − 1)/(n − p − 1)`; without an intercept
    /// `1 − (1 − R²)n/(n − p)`.
    pub adjusted_r2: Option<f64>,
    /// The residual standard deviation, `√(residual sum of squares / degrees of freedom)`.
    pub residual_standard_deviation: Option<f64>,
    /// Explained ÷ unexplained mean square, none for an exact fit; with robust standard errors the Wald statistic of all
    /// coefficients ÷ their number.
    pub f: Option<f64>,
    /// The p-value of F: the probability of at least this F if all true coefficients are zero.
    pub f_p: Option<f64>,
    /// The maximum log-likelihood for normal residuals.
    pub log_likelihood: Option<f64>,
    /// The Akaike information criterion, `2k − 2·log-likelihood` with k = columns + 1; without an intercept k =
    /// columns.
    pub aic: Option<f64>,
    /// The Bayesian information criterion, `k·ln n − 2·log-likelihood`.
    pub bic: Option<f64>,
    /// See [`Residuals::durbin_watson`]; none for an exact fit.
    pub durbin_watson: Option<f64>,
    /// Largest ÷ smallest singular value of `[1 X]`, or of `X` without an intercept, neither centred nor scaled. None
    /// for more than 500 columns.
    pub condition_number: Option<f64>,
}

impl Summary {
    /// Summarises a fit of the named columns. `residuals` are those of the rows of the fit in their order, required for
    /// weighted rows; residuals of a different number of rows are ignored. Robust standard errors replace those that
    /// assume that all residuals have the same variance, also in F.
    #[must_use]
    pub fn from_least_squares(
        fit: &LeastSquaresFit,
        names: &[String],
        target: &str,
        level: f64,
        residuals: Option<&Residuals>,
        robust: Option<&RobustErrors>,
    ) -> Self {
        let residuals = residuals.filter(|residuals| residuals.rows == fit.rows);
        let weight = residuals.map_or(fit.rows as f64, |residuals| residuals.weight);
        let freedom = fit.degrees_of_freedom() as f64;
        let inference = CoefficientInference {
            freedom,
            sd: fit.residual_variance().map(f64::sqrt),
            quantile: student_quantile(f64::midpoint(1.0, level), freedom),
        };
        let unit_errors = fit
            .unit_errors
            .as_ref()
            .or(fit.level_errors.as_ref())
            .cloned()
            .unwrap_or_else(|| UnitErrors::from_triangle(&fit.triangle, &fit.means, weight));
        let spreads = fit.triangle.lengths();
        let terms = names.iter().zip(&fit.coefficients).zip(unit_errors.coefficients.iter().zip(spreads));
        let robust_error = |column: usize| robust.and_then(|robust| robust.coefficients.get(column)).copied();
        let terms = terms.enumerate().map(|(column, ((name, estimate), (error, spread)))| Term {
            vif: finite(Some((error * spread).powi(2))),
            standard_deviation: finite(Some(spread / weight.sqrt())).filter(|_| !fit.through_origin),
            ..inference.term(name, *estimate, *error, robust_error(column))
        });
        let intercept = (!fit.through_origin).then(|| {
            let robust = robust.map(|robust| robust.intercept);
            inference.term(INTERCEPT, at_zero(fit), unit_errors.intercept, robust)
        });
        Self {
            target: target.to_owned(),
            reference: None,
            standard_errors: robust.map_or(StandardErrors::Classical, |robust| robust.kind),
            rows: fit.rows,
            degrees_of_freedom: freedom,
            level,
            intercepts: intercept.into_iter().collect(),
            terms: terms.collect(),
            fit: FitStatistics::LeastSquares(LeastSquaresStatistics::new(fit, residuals, robust)),
        }
    }
}

/// The inference of each coefficient.
struct CoefficientInference {
    /// Residual degrees of freedom.
    freedom: f64,
    /// The residual standard deviation.
    sd: Option<f64>,
    /// The quantile of Student's distribution for the intervals.
    quantile: Option<f64>,
}

impl CoefficientInference {
    /// The statistics of an estimate with the standard error for a residual standard deviation of 1, or with a robust
    /// one.
    fn term(&self, name: &str, estimate: f64, unit_error: f64, robust: Option<f64>) -> Term {
        let Self { freedom, sd, quantile } = *self;
        let standard_error = finite(robust.filter(|_| freedom > 0.0).or_else(|| sd.map(|sd| sd * unit_error)));
        let t = finite(standard_error.map(|error| estimate / error));
        let margin = standard_error.zip(quantile).map(|(error, quantile)| error * quantile);
        Term {
            name: name.to_owned(),
            class: None,
            estimate,
            standard_error,
            statistic: Statistic::T(t),
            p: t.and_then(|t| student_two_sided(t, freedom)),
            interval: margin.map(|margin| [estimate - margin, estimate + margin]),
            ratio: None,
            vif: None,
            standard_deviation: None,
        }
    }
}

/// The intercept in the units of the data, from the double-double coefficients.
fn at_zero(fit: &LeastSquaresFit) -> f64 {
    let coefficients = fit.coefficients.iter().copied().zip(fit.coefficient_low_parts.iter().copied());
    let terms = coefficients.map(DoubleDouble::from).zip(fit.means.iter().copied());
    intercept::at_zero(DoubleDouble::from((fit.intercept, fit.intercept_low_part)), terms)
}

impl LeastSquaresStatistics {
    /// From the residuals of all rows of the fit, if they are known.
    fn new(fit: &LeastSquaresFit, residuals: Option<&Residuals>, robust: Option<&RobustErrors>) -> Self {
        let (rows, columns) = (fit.rows as f64, fit.means.len() as f64);
        let freedom = fit.degrees_of_freedom() as f64;
        let variance = fit.residual_variance();
        let (explained, unexplained) = (fit.explained_sum_of_squares, fit.residual_sum_of_squares);
        let r2 = finite(Some(explained / (explained + unexplained)));
        let f = match robust {
            Some(robust) => finite(robust.wald.filter(|_| freedom > 0.0).map(|wald| wald / columns)),
            // The residuals of an exact fit are rounding errors.
            None if fit.is_exact() => None,
            None => finite(variance.map(|variance| explained / columns / variance)),
        };
        let log_weight = residuals.map_or(0.0, |residuals| residuals.log_weight);
        let per_row = libm::log(std::f64::consts::TAU * unexplained / rows) + 1.0;
        let log_likelihood = finite(Some((log_weight - rows * per_row) / 2.0));
        let parameters = fit.parameters() as f64;
        // The intercept is one of the parameters.
        let total_freedom = rows - (parameters - columns);
        Self {
            r2,
            adjusted_r2: r2.filter(|_| freedom > 0.0).map(|r2| 1.0 - (1.0 - r2) * total_freedom / freedom),
            residual_standard_deviation: variance.map(f64::sqrt),
            f,
            f_p: f.and_then(|f| fisher_upper(f, columns, freedom)),
            log_likelihood,
            aic: log_likelihood.map(|log| 2.0 * parameters - 2.0 * log),
            bic: log_likelihood.map(|log| parameters * libm::log(rows) - 2.0 * log),
            durbin_watson: residuals.and_then(Residuals::durbin_watson).filter(|_| freedom > 0.0 && !fit.is_exact()),
            condition_number: condition_number(fit, residuals.map_or(rows, |residuals| residuals.weight)),
        }
    }

    /// Name and formatted value of each statistic.
    pub(super) fn lines(&self, summary: &Summary) -> Vec<(&'static str, String)> {
        let on = format!("on {} and {} degrees of freedom", summary.terms.len(), summary.degrees_of_freedom);
        let is_classical = summary.standard_errors == StandardErrors::Classical;
        let f = match self.f.zip(self.f_p) {
            Some((f, p)) => format!("{} {on}, p {}", significant(f), relation(p)),
            // An exact fit divides by zero, or by rounding errors.
            None if self.r2.is_some()
                && self.residual_standard_deviation.is_some_and(|sd| sd == 0.0 || is_classical) =>
            {
                format!("∞ {on}")
            }
            None => dash(),
        };
        let [r2, adjusted_r2] = match summary.intercepts.as_slice() {
            [_, ..] => ["R²", "adjusted R²"],
            [] => ["R² (about zero)", "adjusted R² (about zero)"],
        };
        let mut lines = vec![("rows", summary.rows.to_string())];
        if !is_classical {
            lines.push(("standard errors", summary.standard_errors.name().to_uppercase()));
        }
        lines.extend([
            (r2, cell(self.r2)),
            (adjusted_r2, cell(self.adjusted_r2)),
            ("residual standard deviation", cell(self.residual_standard_deviation)),
            ("F", f),
            ("log-likelihood", cell(self.log_likelihood)),
            ("AIC", cell(self.aic)),
            ("BIC", cell(self.bic)),
            ("Durbin–Watson", cell(self.durbin_watson)),
            ("condition number", cell(self.condition_number)),
        ]);
        lines
    }
}
