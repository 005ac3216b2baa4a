//! What a least-squares fit says about its coefficients, as a statistician reads it.
//!
//! Everything follows from the triangle `R` of the centred design, the coefficients, the residual sum of squares and, where `R` does
//! not leave enough digits for standard errors, [`UnitErrors`]. Definitions are those of statsmodels 0.15.

use std::fmt;

use serde::Serialize;

use super::distribution::{fisher_upper, student_two_sided};
use super::intercept;
use super::solver::least_squares::LeastSquares;
use super::solver::unit_errors::{UnitErrors, length};
use super::text_table::{Align, TextTable};
use ordinate_model::double_double::DoubleDouble;
use ordinate_model::quantile::student_quantile;
use singular::condition_number;

mod singular;

/// Residuals in the order of the rows, as they stream by.
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
    /// Takes the next row's residual `y − ŷ` and how much the row counts.
    pub fn push(&mut self, residual: f64, weight: f64) {
        let residual = weight.sqrt() * residual;
        self.rows += 1;
        self.weight += weight;
        self.log_weight += weight.ln();
        self.squares += residual * residual;
        self.steps += self.previous.map_or(0.0, |previous| (residual - previous).powi(2));
        self.previous = Some(residual);
    }

    /// `Σ(eᵢ − eᵢ₋₁)² / Σeᵢ²` (Durbin and Watson, 1950): 2 when neighbours are unrelated, near 0 when they are alike.
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
    /// Change of the target for one unit of the column; of the intercept, the target where every column is zero.
    pub estimate: f64,
    /// How far the estimate may be off, one standard deviation.
    pub standard_error: Option<f64>,
    /// Estimate ÷ standard error; none when the fit is perfect.
    pub t: Option<f64>,
    /// The probability of a t at least as large where the true coefficient is zero.
    pub p: Option<f64>,
    /// The confidence interval.
    pub interval: Option<[f64; 2]>,
    /// Variance inflation factor: how many times larger the squared standard error is for the other columns' sake.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vif: Option<f64>,
    /// The column's standard deviation over the rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standard_deviation: Option<f64>,
}

/// The summary of a least-squares fit. Numbers that are not defined are none.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// What is predicted: the target's name, after `log ` where its logarithm was fitted.
    pub target: String,
    /// Rows of the fit.
    pub rows: u64,
    /// Rows − columns − 1; without an intercept rows − columns.
    pub degrees_of_freedom: u64,
    /// The confidence of the intervals, in (0, 1).
    pub level: f64,
    /// The target where every column is zero; none of a fit without an intercept.
    pub intercept: Option<Term>,
    /// One a column.
    pub terms: Vec<Term>,
    /// Share of the target's variance that the fit explains; without an intercept of the target's squares, `1 − Σ(y − ŷ)²/Σy²`.
    pub r2: Option<f64>,
    /// The same, adjusted for the columns: `1 − (1 − R²)(n − 1)/(n − p − 1)`; without an intercept `1 − (1 − R²)n/(n − p)`.
    pub adjusted_r2: Option<f64>,
    /// The residuals' standard deviation, `√(residual sum of squares / degrees of freedom)`.
    pub residual_standard_deviation: Option<f64>,
    /// Explained ÷ unexplained variance (squares, without an intercept), each by its degrees of freedom.
    pub f: Option<f64>,
    /// The probability of an F at least as large where no column matters.
    pub f_p: Option<f64>,
    /// Of normal residuals, at its maximum.
    pub log_likelihood: Option<f64>,
    /// Akaike's criterion, `2k − 2·log-likelihood` with k = columns + 1; without an intercept k = columns.
    pub aic: Option<f64>,
    /// Schwarz's criterion, `k·ln n − 2·log-likelihood`.
    pub bic: Option<f64>,
    /// See [`Residuals::durbin_watson`]; none of an exact fit.
    pub durbin_watson: Option<f64>,
    /// Largest ÷ smallest singular value of `[1 X]` (without an intercept of `X`), as statsmodels has it: neither centred
    /// nor scaled. None for more than 500 columns.
    pub condition_number: Option<f64>,
}

impl Summary {
    /// Summarises a fit of the named columns; `residuals` are those of its rows in their order, when they were
    /// looked at once more (always for weighted rows). Those of other rows, to be told by their number, are left aside.
    #[must_use]
    pub fn new(fit: &LeastSquares, names: &[String], target: &str, level: f64, residuals: Option<&Residuals>) -> Self {
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
        let unit_errors = fit.unit_errors.clone().unwrap_or_else(|| UnitErrors::of_triangle(fit, weight));
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
        // The mean is the first of them.
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
            // What rounding left of an exact fit has no neighbours.
            durbin_watson: residuals.and_then(Residuals::durbin_watson).filter(|_| freedom > 0.0 && !fit.is_exact()),
            condition_number: condition_number(fit, weight),
        }
    }
}

/// The target where every column is zero, from all digits that the fit has.
fn at_zero(fit: &LeastSquares) -> f64 {
    let coefficients = fit.coefficients.iter().copied().zip(fit.coefficient_rests.iter().copied());
    let terms = coefficients.map(DoubleDouble::from).zip(fit.means.iter().copied());
    intercept::at_zero(DoubleDouble::from((fit.intercept, fit.intercept_rest)), terms)
}

fn finite(value: Option<f64>) -> Option<f64> {
    value.filter(|value| value.is_finite())
}

/// An aligned table, then the numbers of the whole fit.
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
        for (name, value) in self.whole() {
            writeln!(out, "  {name:28}  {value}")?;
        }
        Ok(())
    }
}

impl Summary {
    /// The numbers of the whole fit, by their names for people.
    #[must_use]
    pub fn whole(&self) -> Vec<(&'static str, String)> {
        let on = format!("on {} and {} degrees of freedom", self.terms.len(), self.degrees_of_freedom);
        let f = match self.f.zip(self.f_p) {
            Some((f, p)) => format!("{} {on}, p {}", significant(f), relation(p)),
            // Nothing is left to divide by.
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

/// A t for reading: two decimals, unless it is so large that they are noise.
pub(super) fn ratio(t: f64) -> String {
    if t.abs() < 1e5 { format!("{t:.2}") } else { rounded(t, 4) }
}

/// A p-value for reading.
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

/// Six significant digits, for reading; the file has them all.
pub(super) fn significant(value: f64) -> String {
    rounded(value, 6)
}

fn significant_short(value: f64) -> String {
    rounded(value, 4)
}

/// A number with this many significant digits, without zeros that say nothing.
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

#[cfg(test)]
mod tests;
