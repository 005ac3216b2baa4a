//! Standard errors of least squares that do not assume that all residuals have the same variance (White, 1980;
//! `MacKinnon` and White, 1985).
//!
//! The centred design is `Q R`. With a row `q` of `[Q √(w/W)]` (the last column is that of the intercept, `W` is the
//! total weight), the leverage is `qᵀq`, and the covariance of the coefficients is `R⁻¹ (Σ g² q qᵀ) R⁻ᵀ`, where `g` is
//! the residual times `√w`, corrected by the leverage. The sum is stored as its triangular factor, so that it is not
//! squared.

use super::least_squares::LeastSquaresFit;
use super::length::length;
use super::qr::UpperTriangle;

/// Rows whose columns are absorbed at a time.
const BLOCK_ROWS: usize = 64;

/// A row with a smaller complement of its leverage determines a coefficient alone: its residual is zero whatever its
/// target.
const SMALLEST_COMPLEMENT: f64 = 1e-10;

/// The kind of standard errors of least squares.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum StandardErrors {
    /// For residuals of the same variance
    #[default]
    Classical,
    /// Heteroscedasticity-consistent: squared residuals (White)
    Hc0,
    /// As hc0, times rows ÷ degrees of freedom
    Hc1,
    /// Squared residuals ÷ (1 − leverage)
    Hc2,
    /// Squared residuals ÷ (1 − leverage)²
    Hc3,
}

impl StandardErrors {
    /// The name in options and model files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Classical => "classical",
            Self::Hc0 => "hc0",
            Self::Hc1 => "hc1",
            Self::Hc2 => "hc2",
            Self::Hc3 => "hc3",
        }
    }

    /// Whether residuals are divided by one less the leverage, or its root.
    fn divides_by_complement(self) -> bool {
        matches!(self, Self::Hc2 | Self::Hc3)
    }

    /// The factor of a residual.
    fn factor(self, complement: f64) -> f64 {
        match self {
            Self::Classical | Self::Hc0 | Self::Hc1 => 1.0,
            Self::Hc2 => 1.0 / complement.sqrt(),
            Self::Hc3 => 1.0 / complement,
        }
    }
}

/// Robust standard errors of a fit.
#[derive(Debug, Clone, PartialEq)]
pub struct RobustErrors {
    /// Their kind.
    pub kind: StandardErrors,
    /// That of the intercept in the units of the data; zero without one.
    pub intercept: f64,
    /// One for each column.
    pub coefficients: Vec<f64>,
    /// `βᵀ V⁻¹ β` of the coefficients `β` without the intercept and their covariance `V`; none when `V` has no inverse.
    pub wald: Option<f64>,
}

/// One row, transformed for [`RobustSums`].
#[derive(Debug, Clone)]
pub(crate) struct OrthogonalRow {
    number: u64,
    /// The row of `[Q √(w/W)]`.
    q: Vec<f64>,
    /// `√w` times the residual.
    residual: f64,
}

impl OrthogonalRow {
    /// Of a row of a fit to rows of this total weight.
    pub(crate) fn new(
        fit: &LeastSquaresFit,
        total: f64,
        number: u64,
        design: &[f64],
        residual: f64,
        weight: f64,
    ) -> Self {
        let root = weight.sqrt();
        let centred: Vec<f64> = design.iter().zip(&fit.means).map(|(x, mean)| root * (x - mean)).collect();
        let mut q = fit.triangle.solve_transposed(&centred);
        q.push(if fit.through_origin { 0.0 } else { (weight / total).sqrt() });
        Self { number, q, residual: root * residual }
    }
}

/// The sum of `g² q qᵀ` over the rows.
#[derive(Debug)]
pub(crate) struct RobustSums {
    kind: StandardErrors,
    triangle: UpperTriangle,
    /// The rows that are not absorbed yet, column by column.
    waiting: Vec<Vec<f64>>,
    /// The first row that determines a coefficient alone.
    alone: Option<u64>,
}

impl RobustSums {
    /// For a fit of this many columns.
    pub(crate) fn new(kind: StandardErrors, columns: usize) -> Self {
        Self { kind, triangle: UpperTriangle::zeros(columns + 1), waiting: vec![Vec::new(); columns + 1], alone: None }
    }

    /// Adds a row with a weight.
    pub(crate) fn push(&mut self, row: &OrthogonalRow) {
        let complement = 1.0 - row.q.iter().map(|value| value * value).sum::<f64>();
        let factor = self.kind.factor(complement);
        if complement < SMALLEST_COMPLEMENT {
            self.alone.get_or_insert(row.number);
            if self.kind.divides_by_complement() {
                return;
            }
        }
        let score = row.residual * factor;
        self.waiting.iter_mut().zip(&row.q).for_each(|(column, value)| column.push(score * value));
        if self.waiting.first().is_some_and(|column| column.len() >= BLOCK_ROWS) {
            self.absorb();
        }
    }

    fn absorb(&mut self) {
        self.triangle.absorb(&mut self.waiting);
        self.waiting.iter_mut().for_each(Vec::clear);
    }

    /// The number of a row that determines a coefficient alone, so that its residual is zero.
    pub(crate) fn alone(&self) -> Option<u64> {
        self.alone
    }

    /// The standard errors, for rows of this total weight. None if a row determines a coefficient alone, for kinds that
    /// divide by one less its leverage.
    pub(crate) fn finish(mut self, fit: &LeastSquaresFit, total: f64) -> Option<RobustErrors> {
        if self.alone.is_some() && self.kind.divides_by_complement() {
            return None;
        }
        self.absorb();
        let columns = fit.means.len();
        let freedom = fit.degrees_of_freedom() as f64;
        let correction = if self.kind == StandardErrors::Hc1 { (fit.rows as f64 / freedom).sqrt() } else { 1.0 };
        let inverse = fit.triangle.inverse();
        let coefficients = inverse.iter().enumerate().map(|(column, row)| {
            let mut vector = vec![0.0; column];
            vector.extend(row);
            vector.resize(columns + 1, 0.0);
            correction * length(&self.triangle.times(&vector))
        });
        let coefficients = coefficients.collect();
        let mut at_zero: Vec<f64> = fit.triangle.solve_transposed(&fit.means).into_iter().map(|value| -value).collect();
        at_zero.push((1.0 / total).sqrt());
        let intercept = if fit.through_origin { 0.0 } else { correction * length(&self.triangle.times(&at_zero)) };
        let scaled = self.triangle.leading(columns).solve_transposed(&fit.triangle.times(&fit.coefficients));
        let wald = length(&scaled).powi(2) / (correction * correction);
        Some(RobustErrors {
            kind: self.kind,
            intercept,
            coefficients,
            wald: Some(wald).filter(|wald| wald.is_finite()),
        })
    }
}
