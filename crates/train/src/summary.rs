//! The statistical summary of a fit without a penalty: coefficients with standard errors, and statistics of the fit.
//!
//! There is a constructor for each kind of fit: [`Summary::from_least_squares`], and
//! [`Summary::from_likelihood`] with [`Summary::from_glm`]. The
//! definitions are those of statsmodels 0.15.

mod format;
mod glm;
mod least_squares;
mod likelihood;
mod singular;

use std::fmt;
use std::fmt::Write as _;

use serde::{Serialize, Serializer};

use super::solver::robust_errors::StandardErrors;
use super::text_table::{Align, TextTable};
use format::{dash, significant_short};
pub(crate) use format::{probability, ratio, significant};
pub use least_squares::{LeastSquaresStatistics, Residuals};
pub use likelihood::{Estimate, LikelihoodFit, LikelihoodStatistics, ScoreEstimates};
pub use ordinate_model::wording::rounded;

/// The name of the intercept in a summary.
pub const INTERCEPT: &str = "(intercept)";

/// One coefficient in the units of the data.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Term {
    /// The column of the design, or [`INTERCEPT`].
    pub name: String,
    /// The class whose log-odds against the reference class the coefficient changes; for more than two classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// The change of the target for one unit of the column, or the target where every column is zero.
    pub estimate: f64,
    /// The standard error of the estimate.
    pub standard_error: Option<f64>,
    /// Estimate ÷ standard error.
    #[serde(flatten)]
    pub statistic: Statistic,
    /// The two-sided p-value: the probability of a statistic at least as far from zero if the true coefficient is zero.
    pub p: Option<f64>,
    /// The confidence interval of the estimate.
    pub interval: Option<[f64; 2]>,
    /// The factor by which one unit of the column multiplies odds, a rate or a mean.
    #[serde(flatten)]
    pub ratio: Option<Ratio>,
    /// The variance inflation factor: by how much the correlation with other columns multiplies the variance of the
    /// estimate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vif: Option<f64>,
    /// The standard deviation of the column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standard_deviation: Option<f64>,
}

/// Estimate ÷ standard error, by its distribution if the true coefficient is zero; none for an exact fit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Statistic {
    /// Student's t.
    T(Option<f64>),
    /// Standard normal.
    Z(Option<f64>),
}

impl Statistic {
    /// The number.
    #[must_use]
    pub fn value(self) -> Option<f64> {
        match self {
            Self::T(value) | Self::Z(value) => value,
        }
    }

    /// The letter.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::T(_) => "t",
            Self::Z(_) => "z",
        }
    }
}

/// The exponential of a coefficient.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ratio {
    /// Of the odds of a class.
    OddsRatio(RatioEstimate),
    /// Of the rate of counts.
    RateRatio(RatioEstimate),
    /// Of the mean.
    MeanRatio(RatioEstimate),
}

impl Ratio {
    /// The name in a heading.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::OddsRatio(_) => "odds ratio",
            Self::RateRatio(_) => "rate ratio",
            Self::MeanRatio(_) => "mean ratio",
        }
    }

    /// The ratio and its interval.
    #[must_use]
    pub fn value(&self) -> RatioEstimate {
        match self {
            Self::OddsRatio(value) | Self::RateRatio(value) | Self::MeanRatio(value) => *value,
        }
    }
}

/// A ratio and its confidence interval: the exponentials of an estimate and of the ends of its interval. None beyond
/// the range of doubles.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RatioEstimate {
    /// The ratio.
    pub estimate: Option<f64>,
    /// Its confidence interval.
    pub interval: Option<[f64; 2]>,
}

impl RatioEstimate {
    /// The exponentials of an estimate and the ends of its interval.
    #[must_use]
    pub fn new(estimate: f64, interval: Option<[f64; 2]>) -> Self {
        Self {
            estimate: finite(Some(libm::exp(estimate))),
            interval: interval.map(|ends| ends.map(libm::exp)).filter(|[_, high]| high.is_finite()),
        }
    }
}

/// Statistics of a whole fit. Undefined numbers are none.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum FitStatistics {
    /// Of least squares.
    LeastSquares(LeastSquaresStatistics),
    /// Of maximum likelihood.
    Likelihood(LikelihoodStatistics),
}

/// The summary of a fit. Undefined numbers are none.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// What the coefficients change: the target, after `log ` if its logarithm was fitted, or the log-odds of a class.
    pub target: String,
    /// The class to whose probability those of the other classes are compared; for more than two classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The kind of standard errors.
    #[serde(skip_serializing_if = "is_classical")]
    pub standard_errors: StandardErrors,
    /// The number of rows.
    pub rows: u64,
    /// Residual degrees of freedom: rows − parameters. Rows with frequency weights count as often as their weight.
    #[serde(serialize_with = "whole_number")]
    pub degrees_of_freedom: f64,
    /// The confidence level of the intervals, in (0, 1).
    pub level: f64,
    /// The intercept, if the fit has one; for more than two classes one for each but the reference class.
    #[serde(rename = "intercept", serialize_with = "one_or_many")]
    pub intercepts: Vec<Term>,
    /// One for each column; for more than two classes one for each column of each class but the reference class, by
    /// class.
    pub terms: Vec<Term>,
    /// Statistics of the fit.
    #[serde(flatten)]
    pub fit: FitStatistics,
}

impl Summary {
    /// All terms by class, each class's intercept before its columns.
    pub fn all_terms(&self) -> impl Iterator<Item = &Term> {
        let scores = self.intercepts.len().max(1);
        let columns = (self.terms.len() / scores).max(1);
        let of_score = self.terms.chunks(columns);
        (0..scores.max(of_score.len())).flat_map(move |score| {
            let terms = self.terms.chunks(columns).nth(score).unwrap_or_default();
            self.intercepts.get(score).into_iter().chain(terms)
        })
    }

    /// The heading of the table's statistic: t or z.
    #[must_use]
    pub fn statistic_name(&self) -> &'static str {
        self.all_terms().next().map_or("t", |term| term.statistic.name())
    }

    /// The heading of the table's ratios, if the exponential of a coefficient has a meaning.
    #[must_use]
    pub fn ratio_name(&self) -> Option<&'static str> {
        self.terms.iter().find_map(|term| Some(term.ratio?.name()))
    }

    /// Whether terms have variance inflation factors.
    #[must_use]
    pub fn has_vif(&self) -> bool {
        matches!(self.fit, FitStatistics::LeastSquares(_))
    }

    /// Statistics of least squares.
    #[must_use]
    pub fn least_squares(&self) -> Option<&LeastSquaresStatistics> {
        match &self.fit {
            FitStatistics::LeastSquares(statistics) => Some(statistics),
            FitStatistics::Likelihood(_) => None,
        }
    }

    /// Statistics of maximum likelihood.
    #[must_use]
    pub fn likelihood(&self) -> Option<&LikelihoodStatistics> {
        match &self.fit {
            FitStatistics::Likelihood(statistics) => Some(statistics),
            FitStatistics::LeastSquares(_) => None,
        }
    }

    /// The statistics of the fit: name and formatted value.
    #[must_use]
    pub fn statistics(&self) -> Vec<(&'static str, String)> {
        match &self.fit {
            FitStatistics::LeastSquares(statistics) => statistics.lines(self),
            FitStatistics::Likelihood(statistics) => statistics.lines(self),
        }
    }
}

/// The text, however wide.
impl fmt::Display for Summary {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text(usize::MAX))
    }
}

impl Summary {
    /// An aligned table of the coefficients, in lines of at most this many characters where its columns allow, then the
    /// statistics of the fit.
    #[must_use]
    pub fn text(&self, most: usize) -> String {
        let from = format!("{} % from", significant(self.level * 100.0));
        let has_classes = self.reference.is_some();
        let classes = has_classes.then_some(("class", Align::Left));
        let titles = ["estimate", "std. error", self.statistic_name(), "p", &from, "to"];
        let ratios = self.ratio_name().map(|name| [name, &from, "to"]);
        let vif = self.has_vif().then_some("VIF");
        let titles = titles.into_iter().chain(ratios.into_iter().flatten()).chain(vif);
        let titles = titles.map(|title| (title, Align::Right));
        let mut table = TextTable::new(classes.into_iter().chain([("", Align::Left)]).chain(titles));
        for term in self.all_terms() {
            let class = has_classes.then(|| term.class.clone().unwrap_or_default());
            let numbers = self.cells(term).into_iter().map(|value| value.unwrap_or_else(dash));
            table.push(class.into_iter().chain([term.name.clone()]).chain(numbers));
        }
        let mut text = table.within(most) + "\n";
        for (name, value) in self.statistics() {
            let _ = writeln!(text, "  {name:28}  {value}");
        }
        text
    }

    /// The numbers of a term as text, under the headings estimate, standard error, statistic, p, the ends of the
    /// interval, then the ratio and the ends of its interval, then the VIF, where the summary has them. A number that
    /// is not known is none, and one that the intercept does not have is empty.
    pub(crate) fn cells(&self, term: &Term) -> Vec<Option<String>> {
        let is_intercept = term.name == INTERCEPT;
        let mut cells = vec![
            Some(significant(term.estimate)),
            term.standard_error.map(significant),
            term.statistic.value().map(ratio),
            term.p.map(probability),
            term.interval.map(|[low, _]| significant(low)),
            term.interval.map(|[_, high]| significant(high)),
        ];
        let empty = || is_intercept.then(String::new);
        if self.ratio_name().is_some() {
            let RatioEstimate { estimate, interval } =
                term.ratio.map_or(RatioEstimate { estimate: None, interval: None }, |ratio| ratio.value());
            let ratios = [estimate, interval.map(|[low, _]| low), interval.map(|[_, high]| high)];
            cells.extend(ratios.map(|value| value.map(significant).or_else(empty)));
        }
        if self.has_vif() {
            cells.push(term.vif.map(significant_short).or_else(empty));
        }
        cells
    }
}

/// A number of rows, with a fraction only where weights have one.
// The number is exact: it is whole and not negative.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::trivially_copy_pass_by_ref)]
fn whole_number<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    if value.fract() == 0.0 && *value >= 0.0 {
        serializer.serialize_u64(*value as u64)
    } else {
        serializer.serialize_f64(*value)
    }
}

#[allow(clippy::trivially_copy_pass_by_ref)] // As serde requires.
fn is_classical(kind: &StandardErrors) -> bool {
    *kind == StandardErrors::Classical
}

/// No term is null, and one is not a list.
fn one_or_many<S: Serializer>(terms: &[Term], serializer: S) -> Result<S::Ok, S::Error> {
    match terms {
        [] => serializer.serialize_none(),
        [term] => term.serialize(serializer),
        terms => terms.serialize(serializer),
    }
}

fn finite(value: Option<f64>) -> Option<f64> {
    value.filter(|value| value.is_finite())
}
