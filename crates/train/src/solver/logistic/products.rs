//! Matrix products of a Newton step with a block of rows.
//!
//! The operations and their order do not depend on the processor (`simd`).

// Only code that is inlined into `with_simd` is compiled for the detected instructions.
#![allow(clippy::inline_always)]

use pulp::{Arch, Simd, WithSimd};

use super::super::simd;
use super::super::simd::{LANES, PANEL, Panel};
use super::packed::packed_index;

/// The columns of `Z`, padded with zeros to fill the last register.
#[derive(Debug)]
pub(crate) struct Columns {
    columns: Vec<Vec<f64>>,
    instructions: Arch,
}

impl Columns {
    /// Pads columns of the same length.
    pub(crate) fn new(columns: Vec<Vec<f64>>) -> Self {
        Self::with(Arch::new(), columns)
    }

    fn with(instructions: Arch, mut columns: Vec<Vec<f64>>) -> Self {
        columns.iter_mut().for_each(fill);
        Self { columns, instructions }
    }

    /// The number of columns.
    pub(crate) fn len(&self) -> usize {
        self.columns.len()
    }

    /// The columns, including the padding.
    pub(crate) fn all(&self) -> &[Vec<f64>] {
        &self.columns
    }

    /// `Z θ`, including the padding.
    pub(crate) fn scores(&self, parameters: &[f64]) -> Vec<f64> {
        self.instructions.dispatch(Scores { columns: &self.columns, parameters })
    }

    /// `slopes += Zᵀ residuals`
    pub(crate) fn add_slopes(&self, mut residuals: Vec<f64>, slopes: &mut [f64]) {
        fill(&mut residuals);
        self.instructions.dispatch(Slopes { columns: &self.columns, residuals: &residuals, to: slopes });
    }

    /// Adds the diagonal of `Zᵀ diag(weights) Z`.
    pub(crate) fn add_squares(&self, mut weights: Vec<f64>, squares: &mut [f64]) {
        fill(&mut weights);
        self.instructions.dispatch(Squares { columns: &self.columns, weights: &weights, to: squares });
    }

    /// Adds the packed upper triangle of `Zᵀ diag(weights) Z`.
    pub(crate) fn add_gram(&self, mut weights: Vec<f64>, gram: &mut [f64]) {
        fill(&mut weights);
        self.instructions.dispatch(Gram { columns: &self.columns, weights: &weights, to: gram });
    }
}

fn fill(column: &mut Vec<f64>) {
    column.resize(column.len().next_multiple_of(LANES), 0.0);
}

struct Scores<'a> {
    columns: &'a [Vec<f64>],
    parameters: &'a [f64],
}

impl WithSimd for Scores<'_> {
    type Output = Vec<f64>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Vec<f64> {
        let mut scores = vec![0.0; self.columns.first().map_or(0, Vec::len)];
        for (column, parameter) in self.columns.iter().zip(self.parameters) {
            simd::add(&mut scores, *parameter, column);
        }
        scores
    }
}

struct Slopes<'a> {
    columns: &'a [Vec<f64>],
    residuals: &'a [f64],
    to: &'a mut [f64],
}

impl WithSimd for Slopes<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for (slope, column) in self.to.iter_mut().zip(self.columns) {
            *slope += simd::dot(simd, column, self.residuals);
        }
    }
}

struct Squares<'a> {
    columns: &'a [Vec<f64>],
    weights: &'a [f64],
    to: &'a mut [f64],
}

impl WithSimd for Squares<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for (square, column) in self.to.iter_mut().zip(self.columns) {
            *square += simd::dot(simd, &product(column, self.weights), column);
        }
    }
}

struct Gram<'a> {
    columns: &'a [Vec<f64>],
    weights: &'a [f64],
    to: &'a mut [f64],
}

impl WithSimd for Gram<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { columns, weights, to } = self;
        let mut add = |i: usize, j: usize, product: f64| {
            // A panel also computes products below the diagonal, which are discarded.
            if let Some(entry) = to.get_mut(packed_index(i.min(j), j, columns.len())).filter(|_| i <= j) {
                *entry += product;
            }
        };
        for first in (0..columns.len()).step_by(PANEL) {
            let right = columns.get(first..).unwrap_or_default();
            let weighted: Vec<Vec<f64>> = right.iter().take(PANEL).map(|column| product(column, weights)).collect();
            if let [a, b, c, d] = weighted.as_slice() {
                let panel = Panel::new([a, b, c, d]);
                for (pair, j) in right.chunks(2).zip((first..).step_by(2)) {
                    let (Some(one), Some(other)) = (pair.first(), pair.last()) else { break };
                    for (products, j) in panel.dots(simd, one, other).iter().take(pair.len()).zip(j..) {
                        products.iter().zip(first..).for_each(|(product, i)| add(i, j, *product));
                    }
                }
            } else {
                for (weighted, i) in weighted.iter().zip(first..) {
                    for (column, j) in right.iter().zip(first..) {
                        add(i, j, simd::dot(simd, weighted, column));
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn product(left: &[f64], right: &[f64]) -> Vec<f64> {
    left.iter().zip(right).map(|(left, right)| left * right).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(rows: usize, columns: usize) -> Vec<Vec<f64>> {
        let value = |row: usize, column: usize| ((row * 7919 + column * 104_729) % 1013) as f64 / 506.5 - 1.0;
        (0..columns).map(|column| (0..rows).map(|row| value(row, column)).collect()).collect()
    }

    /// Scores, gradient, Hessian and its diagonal.
    fn all(instructions: Arch, columns: &[Vec<f64>]) -> [Vec<f64>; 4] {
        let (size, rows) = (columns.len(), columns[0].len());
        let weights: Vec<f64> = (0..rows).map(|row| 1.0 / (row + 3) as f64).collect();
        let of = Columns::with(instructions, columns.to_vec());
        let (mut slopes, mut gram) = (vec![0.5; size], vec![0.25; size * (size + 1) / 2]);
        of.add_slopes(weights.clone(), &mut slopes);
        of.add_gram(weights.clone(), &mut gram);
        let mut squares = vec![0.25; size];
        of.add_squares(weights, &mut squares);
        [of.scores(&noise(size, 1)[0]), slopes, gram, squares]
    }

    #[test]
    fn products_follow_their_definition_with_the_same_bits_for_every_instruction_set() {
        for (rows, size) in [(1, 1), (8, 4), (100, 7), (255, 21), (256, 46)] {
            let columns = noise(rows, size);
            let [scores, slopes, gram, squares] = all(Arch::Scalar, &columns);
            let near = |left: f64, right: f64| assert!((left - right).abs() < 1e-13 * rows as f64, "{left} {right}");
            let dot = |left: &[f64], right: &[f64]| left.iter().zip(right).map(|(a, b)| a * b).sum::<f64>();
            let weighted = |column: &[f64]| -> Vec<f64> {
                column.iter().enumerate().map(|(row, value)| value / (row + 3) as f64).collect()
            };
            for (row, score) in scores.iter().take(rows).enumerate() {
                let row: Vec<f64> = columns.iter().map(|column| column[row]).collect();
                near(*score, dot(&row, &noise(size, 1)[0]));
            }
            for i in 0..size {
                near(slopes[i] - 0.5, weighted(&columns[i]).iter().sum());
                near(squares[i] - 0.25, dot(&weighted(&columns[i]), &columns[i]));
                for j in i..size {
                    near(gram[packed_index(i, j, size)] - 0.25, dot(&weighted(&columns[i]), &columns[j]));
                }
            }
            let bits = |lists: [Vec<f64>; 4]| lists.map(|list| list.into_iter().map(f64::to_bits).collect::<Vec<_>>());
            let expected = bits([scores, slopes, gram, squares]);
            for instructions in simd::instructions() {
                assert_eq!(bits(all(instructions, &columns)), expected, "{rows} rows of {size} columns");
            }
        }
    }
}
