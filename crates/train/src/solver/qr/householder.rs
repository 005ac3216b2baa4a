//! Householder reflections that add rows to the factor R: one by one within four columns, four at a time beyond.

// Only code that is inlined into `with_simd` is compiled for the detected instructions.
#![allow(clippy::inline_always)]

use pulp::{Simd, WithSimd};

use super::super::simd;
use super::super::simd::{LANES, PANEL, Panel, add};

/// An entry ÷ the largest entry of its column that is due to rounding.
const ROUNDING: f64 = 1e-14;

/// The columns between two searches for entries that are not due to rounding.
const COLUMNS_BETWEEN_SEARCHES: usize = 32;

/// Adds rows, given column by column, to the rows of R.
pub(super) struct AbsorbRows<'a> {
    pub(super) rows: &'a mut Vec<Vec<f64>>,
    pub(super) columns: &'a mut [Vec<f64>],
    /// The most independent rows.
    pub(super) rank: usize,
}

impl WithSimd for AbsorbRows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { rows: all, mut columns, rank } = self;
        let count = columns.len();
        let depths = depths(columns);
        for start in (0..count).step_by(PANEL) {
            if start >= rank && start.is_multiple_of(COLUMNS_BETWEEN_SEARCHES) && are_rounding(all, start, columns) {
                return;
            }
            let end = count.min(start + PANEL);
            all.extend((all.len()..end).map(|row| vec![0.0; count - row]));
            let Some(rows) = all.get_mut(start..end) else { return };
            let Some((pivots, rest)) = columns.split_at_mut_checked(rows.len()) else { return };
            let depth = depths.get(end - 1).copied().unwrap_or_default();
            let mut pivots: Vec<&mut [f64]> = pivots.iter_mut().filter_map(|pivot| pivot.get_mut(..depth)).collect();
            let reflections = reflect(simd, rows, &mut pivots);
            if let (Ok(reflections), [a, b, c, d]) = (reflections.try_into(), pivots.as_slice()) {
                Reflections::new(simd, reflections, [a, b, c, d].map(|pivot| &**pivot)).apply(simd, rows, rest, depth);
            }
            columns = rest;
        }
    }
}

/// For each column, the rows of which a reflection up to it has entries: few for the rows of a triangle. Filled
/// registers.
fn depths(columns: &[Vec<f64>]) -> Vec<usize> {
    let depth = |column: &Vec<f64>| column.iter().rposition(|entry| *entry != 0.0).map_or(0, |last| last + 1);
    let deepest = columns.iter().scan(0, |deepest: &mut usize, column| {
        *deepest = (*deepest).max(depth(column));
        Some(deepest.next_multiple_of(LANES).min(column.len()))
    });
    deepest.collect()
}

/// Whether the columns from `start` contain nothing but the rounding errors of what was eliminated.
fn are_rounding(rows: &[Vec<f64>], start: usize, columns: &[Vec<f64>]) -> bool {
    let mut largest = vec![0.0_f64; columns.len()];
    for (i, row) in rows.iter().take(start).enumerate() {
        let entries = largest.iter_mut().zip(row.iter().skip(start - i));
        entries.for_each(|(largest, entry)| *largest = largest.max(entry.abs()));
    }
    // Also false for NaN.
    columns.iter().zip(&largest).all(|(column, largest)| column.iter().all(|entry| entry.abs() <= ROUNDING * largest))
}

/// A Householder reflection of one row of R and all added rows.
#[derive(Debug, Clone, Copy)]
struct Reflection {
    /// The entry of the reflection's vector in the row of R; the other entries are in the pivot's column.
    head: f64,
    /// Two, divided by the squared length of the vector.
    scale: f64,
    /// A reflection makes the diagonal negative; the sign of the row is then changed.
    sign: f64,
}

impl Reflection {
    /// The identity, for a column of zeros.
    const NONE: Self = Self { head: 0.0, scale: 0.0, sign: 1.0 };

    /// The reflection that makes the entries below the diagonal zero.
    #[inline(always)]
    fn new<S: Simd>(simd: S, diagonal: &mut f64, pivot: &mut [f64]) -> Self {
        // Scaling by a power of two is exact, and squares neither overflow nor underflow. The bits of magnitudes have
        // their order.
        let largest = pivot.iter().fold(diagonal.abs().to_bits(), |largest, value| largest.max(value.abs().to_bits()));
        let unit = power_of_two(f64::from_bits(largest));
        let inverse = 1.0 / unit;
        for value in pivot.iter_mut() {
            *value *= inverse;
        }
        let below = simd::dot(simd, pivot, pivot);
        if below == 0.0 {
            return Self::NONE;
        }
        let top = *diagonal * inverse;
        let length = (top * top + below).sqrt();
        let head = top + length;
        *diagonal = length * unit;
        Self { head, scale: 2.0 / (head * head + below), sign: -1.0 }
    }

    /// Reflects an entry of the row, and returns the multiple of the pivot's column to subtract from the column of the
    /// entry.
    #[inline(always)]
    fn turn(self, entry: &mut f64, product: f64) -> f64 {
        let weight = self.scale * (self.head * *entry + product);
        *entry = self.sign * (*entry - weight * self.head);
        weight
    }
}

/// Eliminates the pivots' columns, which then contain the vectors of the reflections. Columns to their right are
/// unchanged.
#[inline(always)]
fn reflect<S: Simd>(simd: S, rows: &mut [Vec<f64>], mut pivots: &mut [&mut [f64]]) -> Vec<Reflection> {
    let mut reflections = Vec::with_capacity(PANEL);
    for row in rows {
        let (Some((pivot, rest)), Some((diagonal, right))) = (pivots.split_first_mut(), row.split_first_mut()) else {
            break;
        };
        let reflection = Reflection::new(simd, diagonal, pivot);
        for (entry, column) in right.iter_mut().zip(rest.iter_mut()) {
            let weight = reflection.turn(entry, simd::dot(simd, pivot, column));
            add(column, -weight, pivot);
        }
        reflections.push(reflection);
        pivots = rest;
    }
    reflections
}

/// Four consecutive reflections, applied in one step.
struct Reflections {
    each: [Reflection; PANEL],
    vectors: Panel,
    /// The products of each vector with all vectors; those with earlier vectors are used.
    products: [[f64; PANEL]; PANEL],
}

impl Reflections {
    #[inline(always)]
    fn new<S: Simd>(simd: S, each: [Reflection; PANEL], vectors: [&[f64]; PANEL]) -> Self {
        let panel = Panel::new(vectors);
        let [a, b, c, d] = vectors;
        let [of_a, of_b] = panel.dots(simd, a, b);
        let [of_c, of_d] = panel.dots(simd, c, d);
        Self { each, vectors: panel, products: [of_a, of_b, of_c, of_d] }
    }

    /// Reflects columns, down to a depth, together with their entries in the rows of R, which are at the end of these
    /// rows.
    #[inline(always)]
    fn apply<S: Simd>(&self, simd: S, rows: &mut [Vec<f64>], columns: &mut [Vec<f64>], depth: usize) {
        let [a, b, c, d] = rows else { return };
        let mut spare = columns.first().cloned().unwrap_or_default();
        let above = a.iter_mut().skip(4).zip(b.iter_mut().skip(3)).zip(c.iter_mut().skip(2)).zip(d.iter_mut().skip(1));
        let mut above = above.map(|(((a, b), c), d)| [a, b, c, d]);
        for pair in columns.chunks_mut(2) {
            let (left, right) = match pair {
                [left, right] => (left, right),
                // A single last column is paired with a copy that is discarded.
                [left] => (left, &mut spare),
                _ => return,
            };
            let (Some(left), Some(right)) = (left.get_mut(..depth), right.get_mut(..depth)) else { return };
            let [of_left, of_right] = self.vectors.dots(simd, left, right);
            let weights = [self.turn(above.next(), of_left), self.turn(above.next(), of_right)];
            self.vectors.subtract(simd, weights, left, right);
        }
    }

    /// As [`Reflection::turn`], for four reflections: each takes the earlier ones into account.
    #[inline(always)]
    fn turn(&self, entries: Option<[&mut f64; PANEL]>, [dot_a, dot_b, dot_c, dot_d]: [f64; PANEL]) -> [f64; PANEL] {
        let [a, b, c, d] = self.each;
        let [_, [ab, ..], [ac, bc, ..], [ad, bd, cd, _]] = self.products;
        let Some([entry_a, entry_b, entry_c, entry_d]) = entries else { return [0.0; PANEL] };
        let of_a = a.turn(entry_a, dot_a);
        let of_b = b.turn(entry_b, dot_b - of_a * ab);
        let of_c = c.turn(entry_c, dot_c - of_a * ac - of_b * bc);
        let of_d = d.turn(entry_d, dot_d - of_a * ad - of_b * bd - of_c * cd);
        [of_a, of_b, of_c, of_d]
    }
}

/// The largest power of two that is at most a positive number, and at least the smallest normal double; 1 for zero.
pub(crate) fn power_of_two(value: f64) -> f64 {
    let exponent = f64::from_bits(value.to_bits() & 0x7ff0_0000_0000_0000);
    if value == 0.0 { 1.0 } else { exponent.max(f64::MIN_POSITIVE) }
}
