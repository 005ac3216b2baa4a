//! The statistical summary of a least-squares fit.
//!
//! It follows from the factor `R` of the centred design, the coefficients, the residual sum of squares and, where `R` does not
//! have enough digits for standard errors, [`UnitErrors`]. The definitions are those of statsmodels 0.15.

use std::fmt;

use serde::Serialize;

use super::distribution::{fisher_upper, student_two_sided};
use super::intercept;
use super::solver::least_squares::LeastSquaresFit;
use super::solver::unit_errors::{UnitErrors, length};
use super::text_table::{Align, TextTable};
use ordinate_model::double_double::DoubleDouble;
use ordinate_model::quantile::student_quantile;
use singular::condition_number;

mod singular;

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
        self.log_weight += weight.ln();
        self.squares += residual * residual;
        self.steps += self.previous.map_or(0.0, |previous| (residual - previous).powi(2));
        self.previous = Some(residual);
    }

    /// `Σ(eᵢ − eᵢ₋₁)² / Σeᵢ²` (Durbin and Watson, 1950): near 2 for independent residuals, near 0 for positively
    /// correlated neighbours.
    #[must_use]
    pub fn durbin_watson(&self) -> Option<f64> {
        Some(self.steps / self.squares).filter(|value| value.is_finite())
    }
}

/// One coefficient in the units of the data.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Term {
    /// The column of the design, or `(intercept)`.
    pub name: String,
    /// The change of the target for one unit of the column, or the target where every column is zero.
    pub estimate: f64,
    /// The standard error of the estimate.
    pub standard_error: Option<f64>,
    /// Estimate ÷ standard error; none for an exact fit.
    pub t: Option<f64>,
    /// The two-sided p-value of t: the probability of at least this |t| if the true coefficient is zero.
    pub p: Option<f64>,
    /// The confidence interval of the estimate.
    pub interval: Option<[f64; 2]>,
    /// The variance inflation factor: by how much the correlation with other columns multiplies the variance of the estimate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vif: Option<f64>,
    /// The standard deviation of the column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standard_deviation: Option<f64>,
}

/// The summary of a least-squares fit. Undefined numbers are none.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// The name of the target, after `log ` if its logarithm was fitted.
    pub target: String,
    /// The number of rows.
    pub rows: u64,
    /// Residual degrees of freedom: rows − columns − 1, or rows − columns without an intercept.
    pub degrees_of_freedom: u64,
    /// The confidence level of the intervals, in (0, 1).
    pub level: f64,
    /// The intercept, if the fit has one.
    pub intercept: Option<Term>,
    /// One for each column.
    pub terms: Vec<Term>,
    /// The fraction of the target's variance that the fit explains; without an intercept `1 − Σ(y − ŷ)²/Σy²`.
    pub r2: Option<f64>,
    /// R² adjusted for the number of columns: `1 − (1 − R²)(n − 1)/(n − p − 1)`; without an intercept `1 − (1 − R²)n/(n − p)`.
    pub adjusted_r2: Option<f64>,
    /// The residual standard deviation, `√(residual sum of squares / degrees of freedom)`.
    pub residual_standard_deviation: Option<f64>,
    /// Explained ÷ unexplained mean square.
    pub f: Option<f64>,
    /// The p-value of F: the probability of at least this F if all true coefficients are zero.
    pub f_p: Option<f64>,
    /// The maximum log-likelihood for normal residuals.
    pub log_likelihood: Option<f64>,
    /// The Akaike information criterion, `2k − 2·log-likelihood` with k = columns + 1; without an intercept k = columns.
    pub aic: Option<f64>,
    /// The Bayesian information criterion, `k·ln n − 2·log-likelihood`.
    pub bic: Option<f64>,
    /// See [`Residuals::durbin_watson`]; none for an exact fit.
    pub durbin_watson: Option<f64>,
    /// Largest ÷ smallest singular value of `[1 X]`, or of `X` without an intercept, neither centred nor scaled. None for more
    /// than 500 columns.
    pub condition_number: Option<f64>,
}

impl Summary {
    /// Summarises a fit of the named columns. `residuals` are those of the rows of the fit in their order, required for weighted
    /// rows; residuals of a different number of rows are ignored.
    #[must_use]
    pub fn new(
        fit: &LeastSquaresFit,
        names: &[String],
        target: &str,
        level: f64,
        residuals: Option<&Residuals>,
    ) -> Self {
        let (rows, columns) = (fit.rows as f64, fit.means.len() as f64);
        let residuals = residuals.filter(|residuals| residuals.rows == fit.rows);
        let weight = residuals.map_or(rows, |residuals| residuals.weight);
        let freedom = fit.degrees_of_freedom() as f64;
        let variance = fit.residual_variance();
        let sd = variance.map(f64::sqrt);
        let quantile = student_quantile(f64::midpoint(1.0, level), freedom);
        let infer = |name: &str, estimate: f64, unit_error: f64| {
            let standard_error = finite(sd.map(|sd| sd * unit_error));
            let t = finite(standard_error.map(|error| estimate / error));
            let margin = standard_error.zip(quantile).map(|(error, quantile)| error * quantile);
            Term {
                name: name.to_owned(),
                estimate,
                standard_error,
                t,
                p: t.and_then(|t| student_two_sided(t, freedom)),
                interval: margin.map(|margin| [estimate - margin, estimate + margin]),
                vif: None,
                standard_deviation: None,
            }
        };

        let triangle = &fit.triangle;
        let unit_errors =
            fit.unit_errors.clone().unwrap_or_else(|| UnitErrors::from_triangle(&fit.triangle, &fit.means, weight));
        let spreads = (0..fit.means.len()).map(|column| length(&triangle.column(column)));
        let terms = names.iter().zip(&fit.coefficients).zip(unit_errors.coefficients.iter().zip(spreads));
        let terms = terms.map(|((name, estimate), (error, spread))| Term {
            vif: finite(Some((error * spread).powi(2))),
            standard_deviation: finite(Some(spread / weight.sqrt())).filter(|_| !fit.through_origin),
            ..infer(name, *estimate, *error)
        });

        let (explained, unexplained) = (fit.explained_sum_of_squares, fit.residual_sum_of_squares);
        let r2 = finite(Some(explained / (explained + unexplained)));
        let f = finite(variance.map(|variance| explained / columns / variance));
        let log_weight = residuals.map_or(0.0, |residuals| residuals.log_weight);
        let per_row = (std::f64::consts::TAU * unexplained / rows).ln() + 1.0;
        let log_likelihood = finite(Some((log_weight - rows * per_row) / 2.0));
        let parameters = fit.parameters() as f64;
        // The intercept is one of the parameters.
        let total_freedom = rows - (parameters - columns);
        Self {
            target: target.to_owned(),
            rows: fit.rows,
            degrees_of_freedom: fit.degrees_of_freedom(),
            level,
            intercept: (!fit.through_origin).then(|| infer("(intercept)", at_zero(fit), unit_errors.intercept)),
            terms: terms.collect(),
            r2,
            adjusted_r2: r2.filter(|_| freedom > 0.0).map(|r2| 1.0 - (1.0 - r2) * total_freedom / freedom),
            residual_standard_deviation: sd,
            f,
            f_p: f.and_then(|f| fisher_upper(f, columns, freedom)),
            log_likelihood,
            aic: log_likelihood.map(|log| 2.0 * parameters - 2.0 * log),
            bic: log_likelihood.map(|log| parameters * rows.ln() - 2.0 * log),
            // The residuals of an exact fit are rounding errors.
            durbin_watson: residuals.and_then(Residuals::durbin_watson).filter(|_| freedom > 0.0 && !fit.is_exact()),
            condition_number: condition_number(fit, weight),
        }
    }
}

/// The intercept in the units of the data, from the double-double coefficients.
fn at_zero(fit: &LeastSquaresFit) -> f64 {
    let coefficients = fit.coefficients.iter().copied().zip(fit.coefficient_low_parts.iter().copied());
    let terms = coefficients.map(DoubleDouble::from).zip(fit.means.iter().copied());
    intercept::at_zero(DoubleDouble::from((fit.intercept, fit.intercept_low_part)), terms)
}

fn finite(value: Option<f64>) -> Option<f64> {
    value.filter(|value| value.is_finite())
}

/// An aligned table of the coefficients, then the statistics of the fit.
impl fmt::Display for Summary {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = significant(self.level * 100.0);
        let level = format!("{percent} % from");
        let titles = ["estimate", "std. error", "t", "p", &level, "to", "VIF"].map(|title| (title, Align::Right));
        let mut table = TextTable::new([("", Align::Left)].into_iter().chain(titles));
        for term in self.intercept.iter().chain(&self.terms) {
            let no_vif = || if self.intercept.as_ref() == Some(term) { String::new() } else { dash() };
            table.push([
                term.name.clone(),
                significant(term.estimate),
                cell(term.standard_error),
                term.t.map_or_else(dash, ratio),
                term.p.map_or_else(dash, probability),
                cell(term.interval.map(|[low, _]| low)),
                cell(term.interval.map(|[_, high]| high)),
                term.vif.map_or_else(no_vif, significant_short),
            ]);
        }
        write!(out, "{table}")?;
        writeln!(out)?;
        for (name, value) in self.statistics() {
            writeln!(out, "  {name:28}  {value}")?;
        }
        Ok(())
    }
}

impl Summary {
    /// The statistics of the fit: name and formatted value.
    #[must_use]
    pub fn statistics(&self) -> Vec<(&'static str, String)> {
        let on = format!("on {} and {} degrees of freedom", self.terms.len(), self.degrees_of_freedom);
        let f = match self.f.zip(self.f_p) {
            Some((f, p)) => format!("{} {on}, p {}", significant(f), relation(p)),
            // An exact fit divides by zero.
            None if self.residual_standard_deviation == Some(0.0) && self.r2.is_some() => format!("∞ {on}"),
            None => dash(),
        };
        let [r2, adjusted_r2] = match self.intercept {
            Some(_) => ["R²", "adjusted R²"],
            None => ["R² (about zero)", "adjusted R² (about zero)"],
        };
        vec![
            ("rows", self.rows.to_string()),
            (r2, cell(self.r2)),
            (adjusted_r2, cell(self.adjusted_r2)),
            ("residual standard deviation", cell(self.residual_standard_deviation)),
            ("F", f),
            ("log-likelihood", cell(self.log_likelihood)),
            ("AIC", cell(self.aic)),
            ("BIC", cell(self.bic)),
            ("Durbin–Watson", cell(self.durbin_watson)),
            ("condition number", cell(self.condition_number)),
        ]
    }
}

fn dash() -> String {
    "–".to_owned()
}

fn cell(value: Option<f64>) -> String {
    value.map_or_else(dash, significant)
}

/// Formats t with two decimals, or four significant digits if it is large.
pub(super) fn ratio(t: f64) -> String {
    if t.abs() < 1e5 { format!("{t:.2}") } else { rounded(t, 4) }
}

/// Formats a p-value.
pub(super) fn probability(p: f64) -> String {
    if p < 1e-16 {
        "<1e-16".to_owned()
    } else if p < 1e-4 {
        format!("{p:.1e}")
    } else {
        format!("{p:.4}")
    }
}

fn relation(p: f64) -> String {
    let text = probability(p);
    text.strip_prefix('<').map_or_else(|| format!("= {text}"), |bound| format!("< {bound}"))
}

/// Formats a number with six significant digits.
pub(super) fn significant(value: f64) -> String {
    rounded(value, 6)
}

fn significant_short(value: f64) -> String {
    rounded(value, 4)
}

/// Formats a number with this many significant digits, without trailing zeros.
pub fn rounded(value: f64, digits: usize) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let scientific = format!("{value:.*e}", digits.saturating_sub(1));
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    let places = i32::try_from(digits).unwrap_or(i32::MAX);
    match exponent.parse::<i32>() {
        Ok(exponent) if (-5..9).contains(&exponent) => {
            let decimals = usize::try_from(places - 1 - exponent).unwrap_or(0);
            trimmed(&format!("{value:.decimals$}"))
        }
        _ => format!("{}e{exponent}", trimmed(mantissa)),
    }
}

fn trimmed(number: &str) -> String {
    if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.').to_owned() } else { number.to_owned() }
}
