//! The inner loops of coordinate descent.

// Only code that is inlined into `with_simd` is compiled for the detected instructions.
#![allow(clippy::inline_always)]

use pulp::{Simd, WithSimd};

use super::super::simd;
use super::descent::PenaltyWeights;

/// The correlation of each column with a residual, which may be longer.
pub(super) struct Correlations<'a> {
    pub(super) columns: &'a [Vec<f64>],
    pub(super) residual: &'a [f64],
}

impl WithSimd for Correlations<'_> {
    type Output = Vec<f64>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<f64> {
        let Self { columns, residual } = self;
        let mut correlations = Vec::with_capacity(columns.len());
        for column in columns {
            correlations.push(simd::dot(simd, column, residual.get(..column.len()).unwrap_or_default()));
        }
        correlations
    }
}

/// Minimises over each of some coefficients in turn; the output is the largest change, relative to the length of the
/// target.
pub(super) struct Sweep<'a> {
    pub(super) columns: &'a [Vec<f64>],
    /// The squared length of every column.
    pub(super) square: f64,
    pub(super) penalty: PenaltyWeights,
    pub(super) features: &'a [usize],
    pub(super) coefficients: &'a mut [f64],
    pub(super) residual: &'a mut [f64],
}

impl WithSimd for Sweep<'_> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f64 {
        let Self { columns, square, penalty, features, coefficients, residual } = self;
        let mut longest = 0.0_f64;
        for feature in features {
            let (Some(column), Some(coefficient)) = (columns.get(*feature), coefficients.get_mut(*feature)) else {
                continue;
            };
            let Some(residual) = residual.get_mut(..column.len()) else { continue };
            let pull = simd::dot(simd, column, residual) + square * *coefficient;
            let kept = (pull.abs() - penalty.l1).max(0.0);
            let next = if kept == 0.0 { 0.0 } else { kept.copysign(pull) / (square + penalty.l2) };
            let change = next - *coefficient;
            if change != 0.0 {
                simd::add(residual, -change, column);
                *coefficient = next;
                longest = longest.max(change.abs() * square.sqrt());
            }
        }
        longest
    }
}
