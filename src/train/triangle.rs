//! Upper triangular matrices: the R of a QR factorisation, grown by blocks of rows, and what is solved with it.
//!
//! Plain IEEE arithmetic in a fixed order, so that every machine gets the same bits: a library that picks its SIMD
//! instructions at run time does not give that, and the model file promises it. It is no slower: up to 100 columns it
//! takes a sixth to two thirds of the time of faer 0.24, whose factorisation cannot know that the top is a triangle.

/// Partial sums of a dot product, so that the compiler may use SIMD without changing the order of additions.
const LANES: usize = 8;

/// An upper triangular matrix with a diagonal that is not negative: row `i` holds the entries from the diagonal on.
#[derive(Debug, Clone, PartialEq)]
pub struct Triangle(Vec<Vec<f64>>);

impl Triangle {
    /// Zeros, of this many columns.
    pub(super) fn zeros(columns: usize) -> Self {
        Self((0..columns).map(|row| vec![0.0; columns - row]).collect())
    }

    /// How many columns it has, and rows.
    pub(super) fn columns(&self) -> usize {
        self.0.len()
    }

    /// Row `i`: `p − i` numbers, the diagonal first.
    #[must_use]
    pub fn rows(&self) -> &[Vec<f64>] {
        &self.0
    }

    /// The upper left part of this many columns.
    pub(super) fn leading(&self, columns: usize) -> Self {
        let part = |(i, row): (usize, &Vec<f64>)| row.iter().take(columns - i).copied().collect();
        Self(self.0.iter().take(columns).enumerate().map(part).collect())
    }

    /// The first columns divided by these numbers; the others stay.
    pub(super) fn scaled(&self, divisors: &[f64]) -> Self {
        let mut scaled = self.clone();
        for (i, row) in scaled.0.iter_mut().enumerate() {
            row.iter_mut().zip(divisors.iter().skip(i)).for_each(|(entry, divisor)| *entry /= divisor);
        }
        scaled
    }

    /// `R` with `RᵀR` = a symmetric positive definite matrix, which is given by its rows from the diagonal on; none
    /// when it is not positive definite (Golub and Van Loan, §4.2).
    pub(super) fn cholesky(mut rows: Vec<Vec<f64>>) -> Option<Self> {
        for i in 0..rows.len() {
            let (row, below) = rows.get_mut(i..)?.split_first_mut()?;
            let diagonal = row.first()?.sqrt();
            // Also no for NaN.
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
        Some(Self(rows))
    }

    /// The entries of a column down to the diagonal.
    pub(super) fn column(&self, column: usize) -> Vec<f64> {
        self.0.iter().take(column + 1).enumerate().filter_map(|(i, row)| row.get(column - i).copied()).collect()
    }

    /// `R` becomes the triangle of `[R; rows]`; the rows come column by column and are used up.
    ///
    /// One Householder reflection a column, of its diagonal entry and the rows' entries; the zeros between them stay
    /// (Golub and Van Loan, *Matrix Computations*, 4th edition, §5.1 and §6.5).
    pub(super) fn absorb(&mut self, columns: &mut [Vec<f64>]) {
        for (i, row) in self.0.iter_mut().enumerate() {
            let Some((pivot, rest)) = columns.get_mut(i..).and_then(<[_]>::split_first_mut) else { continue };
            let Some((diagonal, right)) = row.split_first_mut() else { continue };
            // Exact, and squares neither overflow nor vanish.
            let unit = power_of_two(pivot.iter().fold(*diagonal, |largest, value| largest.max(value.abs())));
            for value in pivot.iter_mut() {
                *value /= unit;
            }
            let below = dot(pivot, pivot);
            if below == 0.0 {
                continue;
            }
            let top = *diagonal / unit;
            let length = (top * top + below).sqrt();
            let head = top + length;
            let scale = 2.0 / (head * head + below);
            *diagonal = length * unit;
            for (entry, column) in right.iter_mut().zip(rest) {
                let weight = scale * (head * *entry + dot(pivot, column));
                // The reflection makes the diagonal negative; the row's sign is turned back.
                *entry = weight * head - *entry;
                for (value, part) in column.iter_mut().zip(pivot.iter()) {
                    *value -= weight * part;
                }
            }
        }
    }

    /// `R v`.
    pub(super) fn times(&self, vector: &[f64]) -> Vec<f64> {
        self.0.iter().enumerate().map(|(i, row)| dot(row, vector.get(i..).unwrap_or_default())).collect()
    }

    /// `v` of `R v = right`, from the last row up.
    pub(super) fn solve(&self, right: &[f64]) -> Vec<f64> {
        let mut solution = right.to_vec();
        for (i, row) in self.0.iter().enumerate().rev() {
            let Some((diagonal, rest)) = row.split_first() else { continue };
            let Some((current, known)) = solution.get_mut(i..).and_then(<[f64]>::split_first_mut) else { continue };
            *current = (*current - dot(rest, known)) / diagonal;
        }
        solution
    }

    /// `v` of `Rᵀ v = right`, from the first row down.
    pub(super) fn solve_transposed(&self, right: &[f64]) -> Vec<f64> {
        let mut solution = right.to_vec();
        for (i, row) in self.0.iter().enumerate() {
            let Some((diagonal, rest)) = row.split_first() else { continue };
            let Some((current, unknown)) = solution.get_mut(i..).and_then(<[f64]>::split_first_mut) else { continue };
            *current /= diagonal;
            unknown.iter_mut().zip(rest).for_each(|(value, entry)| *value -= entry * *current);
        }
        solution
    }
}

/// `Σ left · right`, always added in the same order.
pub(super) fn dot(left: &[f64], right: &[f64]) -> f64 {
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

/// The largest power of two that is not larger than a positive number; 1 for zero and what is nearly so.
fn power_of_two(value: f64) -> f64 {
    let exponent = value.to_bits() & 0x7ff0_0000_0000_0000;
    if exponent == 0 { 1.0 } else { f64::from_bits(exponent) }
}
