//! Inner loops over columns, in the widest SIMD instructions of the processor, with the same bits on every processor.
//!
//! A sum always has [`LANES`] partial sums that are added in the same order, Rust neither reorders nor fuses
//! floating-point operations, and `mul_add` is correctly rounded everywhere: wider registers are faster but give the
//! same result.

// Only code that is inlined into `with_simd` is compiled for the detected instructions.
#![allow(clippy::inline_always)]

use pulp::Simd;

/// The number of partial sums: the doubles of the widest register.
pub(crate) const LANES: usize = 8;

/// Columns that are processed together.
pub(crate) const PANEL: usize = 4;

/// The numbers of a column that fit into the widest register.
pub(crate) type Lanes = [f64; LANES];

/// Transposes row-major numbers into columns, each with this capacity.
pub(crate) fn columns(rows: &[f64], columns: usize, capacity: usize) -> Vec<Vec<f64>> {
    let column = |j: usize| {
        let mut column = Vec::with_capacity(capacity);
        column.extend(rows.chunks_exact(columns).map(|row| row.get(j).copied().unwrap_or_default()));
        column
    };
    (0..columns).map(column).collect()
}

/// `Σ left · right`
#[inline(always)]
pub(crate) fn dot<S: Simd>(simd: S, left: &[f64], right: &[f64]) -> f64 {
    let ((left, left_rest), (right, right_rest)) = (left.as_chunks::<LANES>(), right.as_chunks::<LANES>());
    let rest: f64 = left_rest.iter().zip(right_rest).map(|(a, b)| a * b).sum();
    let mut sums = [0.0; LANES];
    for (left, right) in left.iter().zip(right) {
        fused(simd, &mut sums, left, right);
    }
    total(&sums) + rest
}

/// `to += factor · column`
#[inline(always)]
pub(crate) fn add(to: &mut [f64], factor: f64, column: &[f64]) {
    for (value, entry) in to.iter_mut().zip(column) {
        *value = factor.mul_add(*entry, *value);
    }
}

/// Four interleaved columns, so that one pass over another column uses all of them.
#[derive(Debug)]
pub(crate) struct Panel(Vec<[Lanes; PANEL]>);

impl Panel {
    /// Interleaves columns whose length is a multiple of [`LANES`].
    #[inline(always)]
    pub(crate) fn new(columns: [&[f64]; PANEL]) -> Self {
        let [a, b, c, d] = columns.map(|column| column.as_chunks::<LANES>().0);
        Self(a.iter().zip(b).zip(c).zip(d).map(|(((a, b), c), d)| [*a, *b, *c, *d]).collect())
    }

    /// The dot product of each of them with each of two columns.
    #[inline(always)]
    pub(crate) fn dots<S: Simd>(&self, simd: S, left: &[f64], right: &[f64]) -> [[f64; PANEL]; 2] {
        let mut sums = [[[0.0; LANES]; PANEL]; 2];
        let [of_left, of_right] = &mut sums;
        for ((panel, left), right) in self.0.iter().zip(left.as_chunks().0).zip(right.as_chunks().0) {
            for ((column, of_left), of_right) in panel.iter().zip(of_left.iter_mut()).zip(of_right.iter_mut()) {
                fused(simd, of_left, column, left);
                fused(simd, of_right, column, right);
            }
        }
        sums.map(|sums| sums.map(|sums| total(&sums)))
    }

    /// Subtracts a multiple of each of them from each of two columns.
    #[inline(always)]
    pub(crate) fn subtract<S: Simd>(&self, simd: S, weights: [[f64; PANEL]; 2], left: &mut [f64], right: &mut [f64]) {
        let [of_left, of_right] = weights.map(|weights| weights.map(|weight| [-weight; LANES]));
        for ((panel, left), right) in self.0.iter().zip(left.as_chunks_mut().0).zip(right.as_chunks_mut().0) {
            let (mut new_left, mut new_right) = (*left, *right);
            for ((column, of_left), of_right) in panel.iter().zip(&of_left).zip(&of_right) {
                fused(simd, &mut new_left, of_left, column);
                fused(simd, &mut new_right, of_right, column);
            }
            (*left, *right) = (new_left, new_right);
        }
    }
}

/// `sums += left · right`, lane by lane.
#[inline(always)]
pub(crate) fn fused<S: Simd>(simd: S, sums: &mut Lanes, left: &Lanes, right: &Lanes) {
    let (sums, left, right) = (S::as_mut_simd_f64s(sums).0, S::as_simd_f64s(left).0, S::as_simd_f64s(right).0);
    for ((sum, a), b) in sums.iter_mut().zip(left).zip(right) {
        *sum = simd.mul_add_f64s(*a, *b, *sum);
    }
}

#[inline(always)]
pub(crate) fn total(lanes: &Lanes) -> f64 {
    lanes.iter().sum()
}

/// Every instruction set of this processor.
#[cfg(test)]
pub(crate) fn instructions() -> Vec<pulp::Arch> {
    let mut all = vec![pulp::Arch::Scalar, pulp::Arch::new()];
    #[cfg(target_arch = "x86_64")]
    all.extend(pulp::x86::V3::try_new().map(pulp::Arch::V3));
    all
}
