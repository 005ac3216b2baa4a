//! `XᵀWX` with about 32 digits: of columns that are nearly a combination of each other, enough are left for standard errors.
//!
//! Half of the digits go with the square of the condition number, which is why a fit itself rests on QR and not on this. It costs a
//! product of every two columns in compensated arithmetic, so it is made of difficult columns alone.

// Only what is inlined into a `with_simd` is compiled for the instructions that were found.
#![allow(clippy::inline_always)]

use std::ops::RangeInclusive;

use pulp::{Simd, WithSimd};

use super::double_double::{Twofold, TwofoldSum};
use super::least_squares::LeastSquares;
use super::unit_errors::UnitErrors;
use ordinate_model::double_double::DoubleDouble;

/// The squared lengths of columns whose products neither overflow nor lose what they lack for being doubles.
const SQUARES: RangeInclusive<f64> = 1e-200..=1e200;

/// `Σ w aᵢ aⱼ` of the columns of `[1 X − means]`, without the 1 where there is no intercept: rows from the diagonal on.
#[derive(Debug, Clone)]
pub(crate) struct Scatter(Vec<Vec<TwofoldSum>>);

impl Scatter {
    /// Nothing yet, of this many columns.
    pub(crate) fn new(columns: usize) -> Self {
        Self((0..columns).map(|row| vec![TwofoldSum::default(); columns - row]).collect())
    }

    /// What it says of a fit centred where it is; none of columns of extreme size, or where even these digits do not keep it positive
    /// definite.
    pub(crate) fn unit_errors(&self, fit: &LeastSquares) -> Option<UnitErrors> {
        let rows: Vec<Vec<_>> = self.0.iter().map(|row| row.iter().map(TwofoldSum::total).collect()).collect();
        if !rows.iter().filter_map(|row| row.first()).all(|square| SQUARES.contains(&square.to_f64())) {
            return None;
        }
        let factors = Factors::new(rows)?;
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

/// Rows that are added to a scatter.
pub(crate) struct Addition<'a> {
    pub(crate) scatter: &'a mut Scatter,
    /// The columns, features centred, of a number of rows that is a multiple of [`LANES`](super::simd::LANES).
    pub(crate) columns: Vec<Twofold>,
    pub(crate) weights: &'a [f64],
}

impl WithSimd for Addition<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let mut rest = self.columns.as_slice();
        for row in &mut self.scatter.0 {
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

/// A symmetric positive definite matrix as `L D Lᵀ`: the rows of `D Lᵀ` from the diagonal on (Golub and Van Loan, *Matrix
/// Computations*, 4th edition, §4.1.2).
struct Factors(Vec<Vec<DoubleDouble>>);

impl Factors {
    /// Of a matrix that is given by its rows from the diagonal on; none when it is not positive definite.
    fn new(mut rows: Vec<Vec<DoubleDouble>>) -> Option<Self> {
        for i in 0..rows.len() {
            let (row, below) = rows.get_mut(i..)?.split_first_mut()?;
            let diagonal = *row.first()?;
            // Also no for NaN.
            if !(diagonal.to_f64() > 0.0 && diagonal.to_f64().is_finite()) {
                return None;
            }
            for (j, other) in below.iter_mut().enumerate() {
                let rest = row.get(j + 1..)?;
                let share = *rest.first()? / diagonal;
                other.iter_mut().zip(rest).for_each(|(entry, part)| *entry = *entry - share * *part);
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
            let share = *current / *diagonal;
            form = form + share * *current;
            below.iter_mut().zip(rest).for_each(|(value, entry)| *value = *value - share * *entry);
        }
        form
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of the Hilbert matrix of order 8, whose condition number is 1.5·10¹⁰, the inverse is one of whole numbers that add up to 64.
    #[test]
    fn a_hilbert_matrix_is_inverted_to_the_last_digit() {
        let entry = |i: u32, j: u32| DoubleDouble::from(1.0) / DoubleDouble::from(f64::from(i + j + 1));
        let factors = Factors::new((0..8).map(|i| (i..8).map(|j| entry(i, j)).collect()).collect()).unwrap();
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
        assert!(Factors::new(rows([&[1.0, 2.0], &[4.0]])).is_none());
        assert!(Factors::new(rows([&[1.0, f64::NAN], &[4.0]])).is_none());
        assert!(Factors::new(rows([&[1.0, 2.0], &[5.0]])).is_some());
    }
}
