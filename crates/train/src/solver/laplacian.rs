//! The Cholesky factor of a symmetric matrix whose row sums are at least 0 and whose off-diagonal entries are at most
//! 0, such as the Laplacian of a graph.
//!
//! The matrix is given by its entries without their sign and by the sums of its rows, and elimination only adds,
//! multiplies and divides them: without a difference, every entry of the factor has nearly all digits, however large
//! the condition number is (O'Cinneide, 1996). A part of the graph without any excess has a row of zeros.

// Only code that is inlined into `with_simd` is compiled for the detected instructions.
#![allow(clippy::inline_always)]

use pulp::{Arch, Simd, WithSimd};

use super::simd::{self, PANEL};

/// The matrix: row `i` begins with its sum, followed by the entries to the right of the diagonal, without their sign.
#[derive(Debug, Clone)]
pub(super) struct Laplacian(Vec<Vec<f64>>);

impl Laplacian {
    /// Zeros.
    pub(super) fn zeros(size: usize) -> Self {
        Self((0..size).map(|row| vec![0.0; size - row]).collect())
    }

    /// Adds to the sum of a row.
    pub(super) fn add_excess(&mut self, row: usize, excess: f64) {
        self.add(row, row, excess);
    }

    /// Subtracts from an entry with `row < column`, and adds to the diagonal of both.
    pub(super) fn add(&mut self, row: usize, column: usize, amount: f64) {
        if let Some(entry) = self.0.get_mut(row).and_then(|entries| entries.get_mut(column - row)) {
            *entry += amount;
        }
    }

    /// The rows of the factor R, from the diagonal.
    pub(super) fn factor(self) -> Vec<Vec<f64>> {
        self.factor_with(Arch::new())
    }

    fn factor_with(self, instructions: Arch) -> Vec<Vec<f64>> {
        let Self(mut rows) = self;
        let pivots = instructions.dispatch(Eliminate(&mut rows));
        for (row, pivot) in rows.iter_mut().zip(pivots) {
            let root = pivot.sqrt();
            if let Some((diagonal, entries)) = row.split_first_mut() {
                *diagonal = root;
                for entry in entries {
                    *entry = if root > 0.0 { -*entry / root } else { 0.0 };
                }
            }
        }
        rows
    }
}

/// Sets some diagonals of a factor.
pub(super) fn replace_diagonals(rows: &mut [Vec<f64>], is_replaced: impl Fn(f64) -> bool, other: f64) {
    let diagonals = rows.iter_mut().filter_map(|row| row.first_mut());
    diagonals.filter(|diagonal| is_replaced(**diagonal)).for_each(|diagonal| *diagonal = other);
}

/// Eliminates the rows, several at a time, and returns their pivots.
struct Eliminate<'a>(&'a mut [Vec<f64>]);

impl WithSimd for Eliminate<'_> {
    type Output = Vec<f64>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Vec<f64> {
        let mut pivots = Vec::with_capacity(self.0.len());
        let mut rest = self.0;
        while !rest.is_empty() {
            let (panel, below) = rest.split_at_mut(PANEL.min(rest.len()));
            let first = pivots.len();
            for place in 0..panel.len() {
                let (before, from) = panel.split_at_mut(place);
                let Some(row) = from.first_mut() else { continue };
                for (at, (earlier, pivot)) in before.iter().zip(pivots.iter().skip(first)).enumerate() {
                    let Some([entry, entries @ ..]) = earlier.get(place - at..) else { continue };
                    let factor = ratio(*entry, *pivot);
                    let Some((sum, row)) = row.split_first_mut() else { continue };
                    *sum = factor.mul_add(earlier.first().copied().unwrap_or_default(), *sum);
                    simd::add(row, factor, entries);
                }
                pivots.push(row.iter().sum());
            }
            let pivots = pivots.get(first..).unwrap_or_default();
            if let (Ok([a, b, c, d]), Ok(pivots)) =
                (<&[_; PANEL]>::try_from(&*panel), <&[f64; PANEL]>::try_from(pivots))
            {
                let panel = [a, b, c, d].map(Vec::as_slice);
                for (at, row) in below.iter_mut().enumerate() {
                    subtract(row, panel, pivots, at + PANEL);
                }
            }
            rest = below;
        }
        pivots
    }
}

/// Eliminates the rows of a panel from a row at this place after its first row.
#[inline(always)]
fn subtract(row: &mut [f64], panel: [&[f64]; PANEL], pivots: &[f64; PANEL], place: usize) {
    let mut factors = [0.0; PANEL];
    let mut entries: [&[f64]; PANEL] = [&[]; PANEL];
    let mut excess = row.first().copied().unwrap_or_default();
    for (at, (earlier, pivot)) in panel.iter().zip(pivots).enumerate() {
        let Some([entry, rest @ ..]) = earlier.get(place - at..) else { return };
        let (Some(factor), Some(own)) = (factors.get_mut(at), entries.get_mut(at)) else { return };
        *factor = ratio(*entry, *pivot);
        *own = rest;
        excess = factor.mul_add(earlier.first().copied().unwrap_or_default(), excess);
    }
    if factors.iter().all(|factor| *factor == 0.0) {
        return;
    }
    let Some((sum, row)) = row.split_first_mut() else { return };
    *sum = excess;
    let [a, b, c, d] = entries;
    let [of_a, of_b, of_c, of_d] = factors;
    for ((((value, a), b), c), d) in row.iter_mut().zip(a).zip(b).zip(c).zip(d) {
        *value = of_d.mul_add(*d, of_c.mul_add(*c, of_b.mul_add(*b, of_a.mul_add(*a, *value))));
    }
}

#[inline(always)]
fn ratio(entry: f64, pivot: f64) -> f64 {
    if pivot > 0.0 { entry / pivot } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::super::simd::instructions;
    use super::*;

    /// A graph of so many vertices with some edges, of which vertex 0 is not in the matrix.
    fn graph(size: usize) -> (Laplacian, Vec<Vec<f64>>) {
        let mut laplacian = Laplacian::zeros(size);
        let mut dense = vec![vec![0.0; size]; size];
        for (left, right) in (0..=size).flat_map(|left| (left + 1..=size).map(move |right| (left, right))) {
            if (left * 7 + right * 3) % 4 != 0 {
                continue;
            }
            let amount = 1.0 + ((left * right) % 5) as f64;
            dense[right - 1][right - 1] += amount;
            if left == 0 {
                laplacian.add_excess(right - 1, amount);
                continue;
            }
            laplacian.add(left - 1, right - 1, amount);
            dense[left - 1][left - 1] += amount;
            dense[left - 1][right - 1] -= amount;
            dense[right - 1][left - 1] -= amount;
        }
        (laplacian, dense)
    }

    #[test]
    fn the_square_of_the_factor_is_the_matrix_with_any_instructions() {
        for size in [1, 3, 4, 9, 30] {
            let (laplacian, dense) = graph(size);
            let rows = laplacian.clone().factor();
            let entry = |row: usize, column: usize| if column < row { 0.0 } else { rows[row][column - row] };
            for (i, j) in (0..size).flat_map(|i| (0..size).map(move |j| (i, j))) {
                let product: f64 = (0..size).map(|row| entry(row, i) * entry(row, j)).sum();
                assert!((product - dense[i][j]).abs() < 1e-12, "{size}: {i} {j} {product} {}", dense[i][j]);
            }
            for instructions in instructions() {
                assert_eq!(laplacian.clone().factor_with(instructions), rows);
            }
        }
    }

    /// A path from an excess of 10⁻¹⁵: differences of the entries of the matrix would have no digit of it.
    #[test]
    fn a_small_excess_keeps_its_digits() {
        let mut laplacian = Laplacian::zeros(6);
        laplacian.add_excess(0, 1e-15);
        (0..5).for_each(|row| laplacian.add(row, row + 1, 1.0));
        let last = laplacian.factor()[5][0].powi(2);
        let expected = 1.0 / (1e15 + 5.0);
        assert!((last / expected - 1.0).abs() < 1e-14, "{last} {expected}");
    }

    #[test]
    fn parts_without_an_excess_have_a_row_of_zeros() {
        let mut laplacian = Laplacian::zeros(5);
        laplacian.add_excess(0, 1.0);
        laplacian.add(0, 2, 0.1);
        laplacian.add(1, 3, 0.3);
        laplacian.add(1, 4, 0.7);
        laplacian.add(3, 4, 0.9);
        let zeros: Vec<bool> = laplacian.factor().iter().map(|row| row.iter().all(|entry| *entry == 0.0)).collect();
        assert_eq!(zeros, [false, false, false, false, true]);
    }
}
