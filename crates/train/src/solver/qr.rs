//! The factor R of a QR decomposition that is updated by blocks of rows, and its triangular systems.
//!
//! The operations and their order do not depend on the processor (`simd`), so a model file has the same bytes on every
//! machine.

mod householder;
mod inverse;

use pulp::Arch;

use super::simd::LANES;
use householder::AbsorbRows;
pub(super) use householder::power_of_two;
use inverse::Invert;

/// An upper triangular matrix with a non-negative diagonal: row `i` contains the entries from the diagonal. Of fewer
/// rows of data than columns, the last rows are zero and are not stored.
#[derive(Debug, Clone, PartialEq)]
pub struct UpperTriangle {
    columns: usize,
    rows: Vec<Vec<f64>>,
}

impl UpperTriangle {
    /// Zeros, for this many columns.
    pub(crate) fn zeros(columns: usize) -> Self {
        Self { columns, rows: Vec::new() }
    }

    /// From all rows, each from its diagonal, whose signs are arbitrary.
    pub(super) fn from_rows(mut rows: Vec<Vec<f64>>) -> Self {
        for row in rows.iter_mut().filter(|row| row.first().is_some_and(|diagonal| *diagonal < 0.0)) {
            for entry in row {
                *entry = -*entry;
            }
        }
        Self { columns: rows.len(), rows }
    }

    /// The number of columns.
    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// All [`rows()`](Self::rows).
    pub(super) fn into_rows(self) -> Vec<Vec<f64>> {
        self.rows
    }

    /// Row `i`: `p − i` numbers, the diagonal first. Further rows are zero.
    #[must_use]
    pub fn rows(&self) -> &[Vec<f64>] {
        &self.rows
    }

    /// The upper left part of this many columns.
    pub(crate) fn leading(&self, columns: usize) -> Self {
        let part = |(i, row): (usize, &Vec<f64>)| row.iter().take(columns - i).copied().collect();
        Self { columns, rows: self.rows.iter().take(columns).enumerate().map(part).collect() }
    }

    /// Divides the first columns by these numbers.
    pub(crate) fn scaled(&self, divisors: &[f64]) -> Self {
        let mut scaled = self.clone();
        for (i, row) in scaled.rows.iter_mut().enumerate() {
            row.iter_mut().zip(divisors.iter().skip(i)).for_each(|(entry, divisor)| *entry /= divisor);
        }
        scaled
    }

    /// The Cholesky factor `R` with `RᵀR` = a symmetric matrix, given by the rows of its upper triangle. None when the
    /// matrix is not positive definite (Golub and Van Loan, §4.2).
    pub(crate) fn cholesky(mut rows: Vec<Vec<f64>>) -> Option<Self> {
        for i in 0..rows.len() {
            let (row, below) = rows.get_mut(i..)?.split_first_mut()?;
            let diagonal = row.first()?.sqrt();
            // Also false for NaN.
            if !(diagonal > 0.0 && diagonal.is_finite()) {
                return None;
            }
            for entry in row.iter_mut() {
                *entry /= diagonal;
            }
            for (j, other) in below.iter_mut().enumerate() {
                let rest = row.get(j + 1..)?;
                let factor = *rest.first()?;
                other.iter_mut().zip(rest).for_each(|(entry, part)| *entry -= factor * part);
            }
        }
        Some(Self { columns: rows.len(), rows })
    }

    /// Sets a column to zero.
    pub(super) fn clear_column(&mut self, column: usize) {
        for (i, row) in self.rows.iter_mut().take(column + 1).enumerate() {
            if let Some(entry) = row.get_mut(column - i) {
                *entry = 0.0;
            }
        }
    }

    /// The entries of a column down to the diagonal, or to the last row that is stored.
    pub(crate) fn column(&self, column: usize) -> Vec<f64> {
        let mut entries = Vec::with_capacity(self.rows.len().min(column + 1));
        entries.extend(self.rows.iter().take(column + 1).enumerate().filter_map(|(i, row)| row.get(column - i)));
        entries
    }

    /// The length of each column.
    pub(crate) fn lengths(&self) -> Vec<f64> {
        let mut lengths = vec![0.0_f64; self.columns];
        for (i, row) in self.rows.iter().enumerate() {
            let entries = lengths.iter_mut().skip(i).zip(row);
            entries.for_each(|(length, entry)| *length = libm::hypot(*length, *entry));
        }
        lengths
    }

    /// `R` becomes the factor of `[R; rows]`. The rows are given column by column and overwritten.
    ///
    /// One Householder reflection for each column acts on its diagonal entry and the new rows; the zeros in between are
    /// kept (Golub and Van Loan, *Matrix Computations*, 4th edition, §5.1 and §6.5). Four reflections at a time are
    /// applied to the columns to their right (compact WY, §5.1.7), so that each column is read once for four
    /// reflections.
    pub(crate) fn absorb(&mut self, columns: &mut [Vec<f64>]) {
        self.absorb_with(Arch::new(), columns, usize::MAX);
    }

    /// As [`absorb()`](Self::absorb), where all rows together are combinations of at most `rank` rows. Once as many
    /// columns are eliminated, only rounding errors are left, unless columns depend on others. They are then not
    /// stored: of 200 rows of 5,000 columns, 200 reflections are enough instead of 5,000.
    pub(crate) fn absorb_of_rank(&mut self, columns: &mut [Vec<f64>], rank: usize) {
        self.absorb_with(Arch::new(), columns, rank);
    }

    fn absorb_with(&mut self, instructions: Arch, columns: &mut [Vec<f64>], rank: usize) {
        // Padding with rows of zeros does not change R.
        let rows = columns.iter().map(Vec::len).max().unwrap_or(0).next_multiple_of(LANES);
        for column in columns.iter_mut() {
            column.resize(rows, 0.0);
        }
        instructions.dispatch(AbsorbRows { rows: &mut self.rows, columns, rank });
    }

    /// `R S`, with another upper triangle of the same size.
    pub(crate) fn product(&self, other: &Self) -> Self {
        let row = |(i, row): (usize, &Vec<f64>)| {
            let mut entries = vec![0.0; row.len()];
            for (place, (factor, below)) in row.iter().zip(other.rows.iter().skip(i)).enumerate() {
                let to = entries.iter_mut().skip(place);
                to.zip(below).for_each(|(entry, value)| *entry += factor * value);
            }
            entries
        };
        Self { columns: self.columns, rows: self.rows.iter().enumerate().map(row).collect() }
    }

    /// `R v`.
    pub(crate) fn times(&self, vector: &[f64]) -> Vec<f64> {
        self.rows.iter().enumerate().map(|(i, row)| dot(row, vector.get(i..).unwrap_or_default())).collect()
    }

    /// The rows of `R⁻¹`, from the diagonal.
    pub(crate) fn inverse(&self) -> Vec<Vec<f64>> {
        Arch::new().dispatch(Invert(&self.rows))
    }

    /// Solves `R v = right`, from the last row, for as many of the first columns as `right` has numbers.
    pub(crate) fn solve(&self, right: &[f64]) -> Vec<f64> {
        let mut solution = right.to_vec();
        for (i, row) in self.rows.iter().enumerate().rev() {
            let Some((diagonal, rest)) = row.split_first() else { continue };
            let Some((current, known)) = solution.get_mut(i..).and_then(<[f64]>::split_first_mut) else { continue };
            *current = (*current - dot(rest.get(..known.len()).unwrap_or_default(), known)) / diagonal;
        }
        solution
    }

    /// Solves `Rᵀ v = right`, from the first row.
    pub(crate) fn solve_transposed(&self, right: &[f64]) -> Vec<f64> {
        let mut solution = right.to_vec();
        for (i, row) in self.rows.iter().enumerate() {
            let Some((diagonal, rest)) = row.split_first() else { continue };
            let Some((current, unknown)) = solution.get_mut(i..).and_then(<[f64]>::split_first_mut) else { continue };
            *current /= diagonal;
            unknown.iter_mut().zip(rest).for_each(|(value, entry)| *value -= entry * *current);
        }
        solution
    }
}

/// `Σ left · right`, always summed in the same order.
pub(crate) fn dot(left: &[f64], right: &[f64]) -> f64 {
    let (left, right) = (left.chunks_exact(LANES), right.chunks_exact(LANES));
    let rest: f64 = left.remainder().iter().zip(right.remainder()).map(|(a, b)| a * b).sum();
    let mut sums = [0.0; LANES];
    for (left, right) in left.zip(right) {
        for ((sum, a), b) in sums.iter_mut().zip(left).zip(right) {
            *sum += a * b;
        }
    }
    sums.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests;
