//! A whole path of ridge from one decomposition.
//!
//! With the bidiagonalisation `Zᵀ = U B Vᵀ` (Golub and Kahan, 1965), `b = U u` where `u` minimises
//! `‖Vᵀy − Bᵀu‖² + alpha ‖u‖²`: a banded problem that rotations solve in as many operations as there are rows (Eldén,
//! 1977).

// Only code that is inlined into `with_simd` is compiled for the detected instructions.
#![allow(clippy::inline_always)]

use pulp::{Arch, Simd, WithSimd};

use super::super::length::length;
use super::super::simd;

/// A Householder reflection `I − scale · v vᵀ` of the last entries.
struct Reflection {
    vector: Vec<f64>,
    scale: f64,
}

impl Reflection {
    /// The reflection that leaves only the first entry, and this entry.
    fn new(entries: &[f64]) -> (Self, f64) {
        let length = length(entries);
        let mut vector = entries.to_vec();
        let Some(first) = vector.first_mut().filter(|_| length > 0.0) else {
            return (Self { vector, scale: 0.0 }, 0.0);
        };
        let sign = 1.0_f64.copysign(*first);
        // Divided by the length, squares neither overflow nor underflow.
        *first += sign * length;
        for value in &mut vector {
            *value /= length;
        }
        let square: f64 = vector.iter().map(|value| value * value).sum();
        (Self { vector, scale: 2.0 / square }, -sign * length)
    }

    #[inline(always)]
    fn apply<S: Simd>(&self, simd: S, entries: &mut [f64]) {
        let factor = -self.scale * simd::dot(simd, &self.vector, entries);
        simd::add(entries, factor, &self.vector);
    }
}

/// The bidiagonal form of a standardised least-squares problem with at most as many rows as columns.
pub(super) struct Bidiagonal {
    instructions: Arch,
    /// The reflections of `U`.
    left: Vec<Reflection>,
    diagonal: Vec<f64>,
    /// The entries above the diagonal.
    above: Vec<f64>,
    /// `Vᵀy`
    target: Vec<f64>,
    features: usize,
}

impl Bidiagonal {
    /// From the columns of `Z`, which may be shorter than the target.
    pub(super) fn new(columns: &[Vec<f64>], target: &[f64]) -> Self {
        let rows = (0..target.len())
            .map(|row| columns.iter().map(|column| column.get(row).copied().unwrap_or(0.0)).collect())
            .collect();
        let instructions = Arch::new();
        instructions.dispatch(Bidiagonalise { rows, target: target.to_vec(), features: columns.len(), instructions })
    }

    /// The `b` of `min ‖y − Zb‖² + alpha ‖b‖²`.
    pub(super) fn ridge(&self, alpha: f64) -> Vec<f64> {
        let root = alpha.sqrt();
        let mut target = self.target.clone();
        // Row by row of the triangle: its diagonal and the entry to the right.
        let mut rows: Vec<(f64, f64)> = Vec::with_capacity(self.diagonal.len());
        let mut diagonal = self.diagonal.first().copied().unwrap_or(0.0);
        for place in 0..self.diagonal.len() {
            // The row of the penalty, whose target is zero.
            let length = libm::hypot(diagonal, root);
            let (below, next) = (self.above.get(place), self.diagonal.get(place + 1));
            let Some([current, following @ ..]) = target.get_mut(place..) else { break };
            *current *= diagonal / length;
            let (Some(below), Some(next), Some(following)) = (below, next, following.first_mut()) else {
                rows.push((length, 0.0));
                break;
            };
            // The row below.
            let all = libm::hypot(length, *below);
            let (cosine, sine) = (length / all, below / all);
            (*current, *following) = (cosine * *current + sine * *following, cosine * *following - sine * *current);
            rows.push((all, sine * next));
            diagonal = cosine * next;
        }
        let mut after = 0.0;
        for ((diagonal, right), value) in rows.iter().zip(&mut target).rev() {
            *value = (*value - right * after) / diagonal;
            after = *value;
        }
        target.resize(self.features, 0.0);
        self.instructions.dispatch(ApplyAll { reflections: &self.left, to: &mut target });
        target
    }
}

struct Bidiagonalise {
    /// The rows of `Z`, which are the columns of `Zᵀ`.
    rows: Vec<Vec<f64>>,
    target: Vec<f64>,
    features: usize,
    instructions: Arch,
}

impl WithSimd for Bidiagonalise {
    type Output = Bidiagonal;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Bidiagonal {
        let Self { mut rows, mut target, features, instructions } = self;
        let (mut left, mut diagonal, mut above) = (Vec::new(), Vec::new(), Vec::new());
        for place in 0..target.len() {
            let Some([pivot, rest @ ..]) = rows.get_mut(place..) else { break };
            let (reflection, entry) = Reflection::new(pivot.get(place..).unwrap_or_default());
            for row in rest.iter_mut().filter_map(|row| row.get_mut(place..)) {
                reflection.apply(simd, row);
            }
            left.push(reflection);
            diagonal.push(entry);
            let entries: Vec<f64> = rest.iter().filter_map(|row| row.get(place)).copied().collect();
            if entries.is_empty() {
                break;
            }
            let (reflection, entry) = Reflection::new(&entries);
            above.push(entry);
            let mut sum = vec![0.0; features - place - 1];
            for (factor, row) in reflection.vector.iter().zip(rest.iter()) {
                simd::add(&mut sum, *factor, row.get(place + 1..).unwrap_or_default());
            }
            for (factor, row) in reflection.vector.iter().zip(rest) {
                simd::add(row.get_mut(place + 1..).unwrap_or_default(), -reflection.scale * factor, &sum);
            }
            reflection.apply(simd, target.get_mut(place + 1..).unwrap_or_default());
        }
        Bidiagonal { instructions, left, diagonal, above, target, features }
    }
}

/// Applies reflections of the entries from the first, the second, … in reverse order.
struct ApplyAll<'a> {
    reflections: &'a [Reflection],
    to: &'a mut [f64],
}

impl WithSimd for ApplyAll<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for (place, reflection) in self.reflections.iter().enumerate().rev() {
            reflection.apply(simd, self.to.get_mut(place..).unwrap_or_default());
        }
    }
}
