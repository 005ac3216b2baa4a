//! The columns of a fit: standardised, and without a penalty orthonormalised.

// Only code that is inlined into `with_simd` is compiled for the detected instructions.
#![allow(clippy::inline_always)]

use pulp::{Arch, Simd, WithSimd};

use super::super::moments::Moments;
use super::super::qr::UpperTriangle;
use super::super::simd;
use super::GlmFit;

/// How columns of the design become columns of the fit: `U = Z R⁻¹`, where `Z` is centred and scaled and `RᵀR = ZᵀWZ / ΣW`, or
/// `U = Z`.
#[derive(Debug, Clone)]
pub(super) struct Basis {
    /// The columns that the rows determine, ascending; others have the coefficient 0.
    pub(super) kept: Vec<usize>,
    /// Of all columns.
    pub(super) means: Vec<f64>,
    pub(super) scales: Vec<f64>,
    /// `R` of the kept columns.
    pub(super) factor: Option<UpperTriangle>,
    pub(super) intercept: bool,
    pub(super) rows: u64,
}

impl Basis {
    pub(super) fn new(moments: &Moments, dropped: &[usize], orthonormal: bool) -> Self {
        let features = moments.triangle().columns().saturating_sub(1);
        let root = moments.weight().sqrt();
        let lengths = moments.unchecked_lengths();
        let scale = |length: &f64| if *length > 0.0 { length / root } else { 1.0 };
        let mut means = moments.means();
        means.truncate(features);
        let kept: Vec<usize> = (0..features).filter(|column| !dropped.contains(column)).collect();
        let factor = orthonormal.then(|| {
            let of_kept: Vec<f64> = kept.iter().filter_map(|column| lengths.get(*column)).copied().collect();
            let reduced = (!dropped.is_empty()).then(|| moments.without(dropped));
            let triangle = reduced.as_ref().unwrap_or(moments).triangle();
            triangle.leading(kept.len()).scaled(&of_kept)
        });
        let scales = lengths.iter().take(features).map(scale).collect();
        Self { kept, means, scales, factor, intercept: moments.intercepts() > 0, rows: moments.rows() }
    }

    /// The number of parameters.
    pub(super) fn size(&self) -> usize {
        self.kept.len() + usize::from(self.intercept)
    }

    /// The kept columns of rows of the design, given row by row, as columns of the fit.
    pub(super) fn columns(&self, rows: &[f64], count: usize) -> Vec<Vec<f64>> {
        let width = self.means.len();
        let column = |column: &usize| -> Vec<f64> {
            let at = |values: &[f64]| values.get(*column).copied().unwrap_or_default();
            let (mean, scale) = (at(&self.means), at(&self.scales));
            rows.chunks_exact(width.max(1)).map(|row| (at(row) - mean) / scale).collect()
        };
        let mut columns: Vec<Vec<f64>> = self.kept.iter().map(column).collect();
        if let Some(factor) = &self.factor {
            Arch::new().dispatch(Orthonormalise { factor, columns: &mut columns });
        }
        if self.intercept {
            columns.push(vec![1.0; count]);
        }
        columns
    }

    /// The coefficients of all standardised columns, and the intercept, from parameters.
    pub(super) fn coefficients(&self, parameters: &[f64]) -> (Vec<f64>, f64) {
        let own = parameters.get(..self.kept.len()).unwrap_or_default();
        let intercept = if self.intercept { parameters.last().copied().unwrap_or_default() } else { 0.0 };
        (self.spread(&self.factor.as_ref().map_or_else(|| own.to_vec(), |factor| factor.solve(own))), intercept)
    }

    /// The values of the kept columns among zeros for the others.
    fn spread(&self, of_kept: &[f64]) -> Vec<f64> {
        let mut all = vec![0.0; self.means.len()];
        for (column, value) in self.kept.iter().zip(of_kept) {
            if let Some(slot) = all.get_mut(*column) {
                *slot = *value;
            }
        }
        all
    }

    /// The parameters of a fit to similar rows, whose means and scales are others.
    pub(super) fn parameters_of(&self, fit: &GlmFit) -> Vec<f64> {
        let mut at_means = fit.intercept - fit.offset_mean;
        let columns =
            fit.coefficients.iter().zip(fit.means.iter().zip(&fit.scales)).zip(self.means.iter().zip(&self.scales));
        let mut all = Vec::with_capacity(self.means.len());
        for ((coefficient, (old_mean, old_scale)), (mean, scale)) in columns {
            let slope = coefficient / old_scale;
            all.push(slope * scale);
            at_means += slope * (mean - old_mean);
        }
        let own: Vec<f64> = self.kept.iter().filter_map(|column| all.get(*column)).copied().collect();
        let mut parameters = self.factor.as_ref().map_or_else(|| own.clone(), |factor| factor.times(&own));
        parameters.extend(self.intercept.then_some(at_means));
        parameters
    }
}

/// `Z` becomes `Z R⁻¹`, column by column.
struct Orthonormalise<'a> {
    factor: &'a UpperTriangle,
    columns: &'a mut [Vec<f64>],
}

impl WithSimd for Orthonormalise<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { factor, columns } = self;
        for (i, row) in factor.rows().iter().enumerate() {
            let Some((current, later)) = columns.get_mut(i..).and_then(<[Vec<f64>]>::split_first_mut) else { return };
            let Some((diagonal, entries)) = row.split_first() else { return };
            for value in current.iter_mut() {
                *value /= diagonal;
            }
            for (column, entry) in later.iter_mut().zip(entries) {
                simd::add(column, -entry, current);
            }
        }
    }
}
