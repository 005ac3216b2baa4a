//! `XᵀWX` with about 32 digits, for the standard errors of nearly dependent columns.
//!
//! Squaring the condition number loses half of the digits, so coefficients come from QR and not from here. The products
//! of every two columns in compensated arithmetic are expensive, so they are computed for ill-conditioned designs only.

// Only code that is inlined into `with_simd` is compiled for the detected instructions.
#![allow(clippy::inline_always)]

use std::ops::RangeInclusive;

use pulp::{Simd, WithSimd};

use super::double_double_column::{DoubleDoubleColumn, DoubleDoubleSum};
use super::least_squares::LeastSquaresFit;
use super::unit_errors::UnitErrors;
use ordinate_model::double_double::DoubleDouble;

/// The squared lengths of columns whose products neither overflow nor lose their low parts.
const SQUARES: RangeInclusive<f64> = 1e-200..=1e200;

/// `Σ w aᵢ aⱼ` of the columns of `[1 X − means]`, or of `X` without an intercept: rows of the upper triangle.
#[derive(Debug, Clone)]
pub(crate) struct CrossProducts(Vec<Vec<DoubleDoubleSum>>);

impl CrossProducts {
    /// Zeros, for this many columns.
    pub(crate) fn new(columns: usize) -> Self {
        Self((0..columns).map(|row| vec![DoubleDoubleSum::default(); columns - row]).collect())
    }

    /// The unit standard errors of a fit with the same means. None for columns of extreme size, or if the matrix is not
    /// positive definite even with these digits.
    pub(crate) fn unit_errors(&self, fit: &LeastSquaresFit) -> Option<UnitErrors> {
        let rows: Vec<Vec<_>> = self.0.iter().map(|row| row.iter().map(DoubleDoubleSum::total).collect()).collect();
        if !rows.iter().filter_map(|row| row.first()).all(|square| SQUARES.contains(&square.to_f64())) {
            return None;
        }
        let factors = LdlFactors::new(rows)?;
        let columns = self.0.len();
        let first_feature = columns - fit.means.len();
        let unit = |column| -> Vec<DoubleDouble> {
            (0..columns).map(|place| DoubleDouble::from(f64::from(u8::from(place == column)))).collect()
        };
        let mut at_zero = unit(0);
        for (entry, mean) in at_zero.iter_mut().skip(first_feature).zip(&fit.means) {
            *entry = DoubleDouble::from(-mean);
        }
        let error = |vector| factors.inverse_form(vector).to_f64().sqrt();
        Some(UnitErrors {
            intercept: error(at_zero),
            coefficients: (first_feature..columns).map(|column| error(unit(column))).collect(),
        })
    }
}

/// Adds rows to cross products.
pub(crate) struct AddRows<'a> {
    pub(crate) cross_products: &'a mut CrossProducts,
    /// The columns, with centred features; their length is a multiple of [`LANES`](super::simd::LANES).
    pub(crate) columns: Vec<DoubleDoubleColumn>,
    pub(crate) weights: &'a [f64],
}

impl WithSimd for AddRows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let mut rest = self.columns.as_slice();
        for row in &mut self.cross_products.0 {
            let Some(first) = rest.first() else { return };
            let mut weighted = first.clone();
            weighted.multiply(self.weights);
            for (sum, column) in row.iter_mut().zip(rest) {
                sum.add(simd, &weighted, column);
            }
            rest = rest.get(1..).unwrap_or_default();
        }
    }
}

/// The factorisation `L D Lᵀ` of a symmetric positive definite matrix: the rows of `D Lᵀ`, from the diagonal (Golub and
/// Van Loan, *Matrix Computations*, 4th edition, §4.1.2).
struct LdlFactors(Vec<Vec<DoubleDouble>>);

impl LdlFactors {
    /// Factors a matrix, given by the rows of its upper triangle. None when it is not positive definite.
    fn new(mut rows: Vec<Vec<DoubleDouble>>) -> Option<Self> {
        for i in 0..rows.len() {
            let (row, below) = rows.get_mut(i..)?.split_first_mut()?;
            let diagonal = *row.first()?;
            // Also false for NaN.
            if !(diagonal.to_f64() > 0.0 && diagonal.to_f64().is_finite()) {
                return None;
            }
            for (j, other) in below.iter_mut().enumerate() {
                let rest = row.get(j + 1..)?;
                let factor = *rest.first()? / diagonal;
                other.iter_mut().zip(rest).for_each(|(entry, part)| *entry = *entry - factor * *part);
            }
        }
        Some(Self(rows))
    }

    /// `vᵀ S⁻¹ v` for the matrix `S`.
    fn inverse_form(&self, mut vector: Vec<DoubleDouble>) -> DoubleDouble {
        let zero = DoubleDouble::default();
        let mut form = zero;
        for (i, row) in self.0.iter().enumerate() {
            let Some((diagonal, rest)) = row.split_first() else { continue };
            let Some((current, below)) = vector.get_mut(i..).and_then(<[_]>::split_first_mut) else { continue };
            if *current == zero {
                continue;
            }
            let quotient = *current / *diagonal;
            form = form + quotient * *current;
            below.iter_mut().zip(rest).for_each(|(value, entry)| *value = *value - quotient * *entry);
        }
        form
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The Hilbert matrix of order 8 has a condition number of 1.5·10¹⁰, and an inverse of whole numbers that add up to
    /// 64.
    #[test]
    fn the_inverse_of_a_hilbert_matrix_has_all_digits() {
        let entry = |i: u32, j: u32| DoubleDouble::from(1.0) / DoubleDouble::from(f64::from(i + j + 1));
        let factors = LdlFactors::new((0..8).map(|i| (i..8).map(|j| entry(i, j)).collect()).collect()).unwrap();
        let form = |vector: [f64; 8]| factors.inverse_form(vector.map(DoubleDouble::from).to_vec()).to_f64();
        let diagonal = [64, 84_672, 11_430_720, 304_920_000, 2_134_440_000, 4_249_941_696, 2_175_421_248, 176_679_360];
        for (column, expected) in diagonal.map(|entry: u64| entry as f64).into_iter().enumerate() {
            let mut unit = [0.0; 8];
            unit[column] = 1.0;
            assert!((form(unit) - expected).abs() <= f64::EPSILON * expected, "{column}: {}", form(unit));
        }
        assert!((form([1.0; 8]) - 64.0).abs() < 1e-13);
    }

    #[test]
    fn a_matrix_that_is_not_positive_definite_has_no_factors() {
        let rows = |rows: [&[f64]; 2]| rows.map(|row| row.iter().copied().map(DoubleDouble::from).collect()).to_vec();
        assert!(LdlFactors::new(rows([&[1.0, 2.0], &[4.0]])).is_none());
        assert!(LdlFactors::new(rows([&[1.0, f64::NAN], &[4.0]])).is_none());
        assert!(LdlFactors::new(rows([&[1.0, 2.0], &[5.0]])).is_some());
    }
}
