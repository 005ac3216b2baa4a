//! The inverse of an upper triangle.

// Only code that is inlined into `with_simd` is compiled for the detected instructions.
#![allow(clippy::inline_always)]

use pulp::{Simd, WithSimd};

use super::super::simd::PANEL;

/// Computes the rows of `R⁻¹` from those of R, each from its diagonal.
pub(super) struct Invert<'a>(pub(super) &'a [Vec<f64>]);

impl WithSimd for Invert<'_> {
    type Output = Vec<Vec<f64>>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Self::Output {
        let mut inverse: Vec<Vec<f64>> = vec![Vec::new(); self.0.len()];
        for (at, row) in self.0.iter().enumerate().rev() {
            let Some((diagonal, factors)) = row.split_first() else { continue };
            let mut entries = vec![0.0; row.len()];
            let below = inverse.get(at + 1..).unwrap_or_default();
            let mut rest = entries.get_mut(1..).unwrap_or_default();
            for (factors, below) in factors.chunks(PANEL).zip(below.chunks(PANEL)) {
                rest = subtract(rest, factors, below);
            }
            entries.first_mut().into_iter().for_each(|first| *first = 1.0);
            for entry in &mut entries {
                *entry /= diagonal;
            }
            inverse.get_mut(at).into_iter().for_each(|row| *row = std::mem::take(&mut entries));
        }
        inverse
    }
}

/// Subtracts multiples of rows, the first of which begins with the first entry, and each other one an entry later.
/// Returns the entries after those with which the rows begin.
#[inline(always)]
fn subtract<'a>(entries: &'a mut [f64], factors: &[f64], rows: &[Vec<f64>]) -> &'a mut [f64] {
    let (beginning, rest) = entries.split_at_mut(rows.len().min(entries.len()));
    for (at, (factor, row)) in factors.iter().zip(rows).enumerate() {
        let to = beginning.iter_mut().skip(at);
        to.zip(row).for_each(|(entry, value)| *entry -= factor * value);
    }
    if let ([a, b, c, d], [of_a, of_b, of_c, of_d]) = (rows, factors) {
        // Each entry is read once for four rows, whose operations keep their order.
        let [a, b, c, d] = [(a, 4), (b, 3), (c, 2), (d, 1)].map(|(row, from)| row.get(from..).unwrap_or_default());
        for ((((entry, a), b), c), d) in rest.iter_mut().zip(a).zip(b).zip(c).zip(d) {
            *entry = *entry - of_a * a - of_b * b - of_c * c - of_d * d;
        }
    }
    rest
}
