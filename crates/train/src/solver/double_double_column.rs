//! Columns of double-doubles (about 32 digits) and sums of their products; [`DoubleDouble`] is one number.
//!
//! The dot product is Dot2 of Ogita, Rump and Oishi, *Accurate Sum and Dot Product* (2005): the rounding errors of
//! products and sums are exact, and are summed in a double. The result is as accurate as with twice the digits, in a
//! third of the operations of double-double arithmetic.

// Only code that is inlined into `with_simd` is compiled for the detected instructions.
#![allow(clippy::inline_always)]

use pulp::Simd;

use super::simd::{LANES, Lanes};
use ordinate_model::double_double::{DoubleDouble, two_product, two_sum};

/// A column of numbers, each the unevaluated sum of two doubles.
#[derive(Debug, Clone, Default)]
pub(crate) struct DoubleDoubleColumn {
    high: Vec<f64>,
    low: Vec<f64>,
}

impl DoubleDoubleColumn {
    /// A column of doubles.
    pub(crate) fn new(column: &[f64]) -> Self {
        Self { high: column.to_vec(), low: vec![0.0; column.len()] }
    }

    /// Becomes `column + low_parts − centre`; the result is exact without low parts.
    #[inline(always)]
    pub(crate) fn set_difference(&mut self, column: &[f64], low_parts: &[f64], centre: f64) {
        self.high.resize(column.len(), 0.0);
        self.low.resize(column.len(), 0.0);
        for ((high, low), value) in self.high.iter_mut().zip(&mut self.low).zip(column) {
            (*high, *low) = two_sum(*value, -centre);
        }
        for ((high, low), low_part) in self.high.iter_mut().zip(&mut self.low).zip(low_parts) {
            (*high, *low) = two_sum(*high, *low + low_part);
        }
    }

    /// `self −= factor · column`, where the factor is the sum of two doubles.
    #[inline(always)]
    pub(crate) fn subtract(&mut self, (factor, factor_low): (f64, f64), column: &Self) {
        let column = column.high.iter().zip(&column.low);
        for ((high, low), (value, low_part)) in self.high.iter_mut().zip(&mut self.low).zip(column) {
            let (product, lost) = two_product(*value, factor);
            let (sum, error) = two_sum(*high, -product);
            *high = sum;
            *low += error - low_part.mul_add(factor, value.mul_add(factor_low, lost));
        }
    }

    /// Rounds the sums to the high parts. Differences of nearly equal numbers leave low parts that are no rounding errors of
    /// the high parts, and products with them are rounded once.
    #[inline(always)]
    pub(crate) fn normalise(&mut self) {
        for (high, low) in self.high.iter_mut().zip(&mut self.low) {
            (*high, *low) = two_sum(*high, *low);
        }
    }

    /// `self *= factors`, element by element.
    #[inline(always)]
    pub(crate) fn multiply(&mut self, factors: &[f64]) {
        for ((high, low), factor) in self.high.iter_mut().zip(&mut self.low).zip(factors) {
            let (product, lost) = two_product(*high, *factor);
            (*high, *low) = (product, low.mul_add(*factor, lost));
        }
    }
}

/// A sum of products as double-doubles, in lanes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct DoubleDoubleSum {
    high: Lanes,
    low: Lanes,
}

impl DoubleDoubleSum {
    /// Adds `Σ left · right` of columns whose length is a multiple of [`LANES`].
    #[inline(always)]
    pub(crate) fn add<S: Simd>(&mut self, simd: S, left: &DoubleDoubleColumn, right: &DoubleDoubleColumn) {
        // Local variables stay in registers.
        let (mut sums, mut errors) = (self.high, self.low);
        let left = left.high.as_chunks::<LANES>().0.iter().zip(left.low.as_chunks::<LANES>().0);
        let right = right.high.as_chunks::<LANES>().0.iter().zip(right.low.as_chunks::<LANES>().0);
        for ((a, a_low), (b, b_low)) in left.zip(right) {
            let left = S::as_simd_f64s(a).0.iter().zip(S::as_simd_f64s(a_low).0);
            let right = S::as_simd_f64s(b).0.iter().zip(S::as_simd_f64s(b_low).0);
            let sums = S::as_mut_simd_f64s(&mut sums).0.iter_mut().zip(S::as_mut_simd_f64s(&mut errors).0);
            for (((sum, errors), (a, a_low)), (b, b_low)) in sums.zip(left).zip(right) {
                let product = simd.mul_f64s(*a, *b);
                let lost = simd.mul_add_f64s(*a, *b, simd.neg_f64s(product));
                let lost = simd.mul_add_f64s(*a, *b_low, simd.mul_add_f64s(*a_low, *b, lost));
                let high = simd.add_f64s(*sum, product);
                let part = simd.sub_f64s(high, *sum);
                let error = simd.add_f64s(simd.sub_f64s(*sum, simd.sub_f64s(high, part)), simd.sub_f64s(product, part));
                *sum = high;
                *errors = simd.add_f64s(*errors, simd.add_f64s(error, lost));
            }
        }
        (self.high, self.low) = (sums, errors);
    }

    /// The sum of the lanes.
    pub(crate) fn total(&self) -> DoubleDouble {
        let lanes = self.high.iter().zip(&self.low);
        lanes.fold(DoubleDouble::default(), |sum, (high, low)| {
            sum + DoubleDouble::from(*high) + DoubleDouble::from(*low)
        })
    }
}
