//! Products of a design with many vectors at a time.
//!
//! Eight rows are a tile, which contains one register for each column, so that every product reads memory from the
//! first tile to the last. The operations and their order do not depend on the processor (`simd`).

// Only code that is inlined into `with_simd` is compiled for the detected instructions.
#![allow(clippy::inline_always)]

use pulp::{Arch, Simd, WithSimd};

use super::super::simd::{LANES, Lanes, PANEL, fused, total};
use super::packed::packed_index;

/// Tiles that are multiplied by a single vector at a time.
const AT_A_TIME: usize = 4;

/// Rows in tiles.
#[derive(Debug)]
pub(super) struct Tiles {
    /// The number of columns.
    width: usize,
    /// For each tile, for each column, eight rows.
    values: Vec<Lanes>,
    instructions: Arch,
}

/// Vectors to multiply a design with: four at a time, one number of each after the other. A single vector is alone.
#[derive(Debug, Clone)]
pub(super) struct Vectors {
    count: usize,
    values: Vec<f64>,
}

impl Vectors {
    /// From vectors of the same length.
    pub(super) fn new<'v>(vectors: impl Iterator<Item = &'v [f64]>) -> Self {
        let vectors: Vec<&[f64]> = vectors.collect();
        let mut values = Vec::new();
        if let [only] = vectors.as_slice() {
            return Self { count: 1, values: only.to_vec() };
        }
        let length = vectors.first().map_or(0, |vector| vector.len());
        for panel in vectors.chunks(PANEL) {
            for place in 0..length {
                values.extend(
                    (0..PANEL).map(|of| panel.get(of).and_then(|vector| vector.get(place)).copied().unwrap_or(0.0)),
                );
            }
        }
        Self { count: vectors.len(), values }
    }
}

/// The registers of a tile's products with this many vectors: a multiple of four, or one.
pub(super) fn padded(vectors: usize) -> usize {
    if vectors == 1 { 1 } else { vectors.next_multiple_of(PANEL) }
}

impl Tiles {
    /// From rows of `columns` numbers, to which a column of `constant` is added. Missing rows of the last tile are
    /// zero.
    pub(super) fn new(rows: &[f64], columns: usize, constant: f64) -> Self {
        Self::with(Arch::new(), rows, columns, constant)
    }

    fn with(instructions: Arch, rows: &[f64], columns: usize, constant: f64) -> Self {
        let width = columns + 1;
        let mut values = Vec::with_capacity(width * rows.len().div_ceil(columns.max(1) * LANES));
        for rows in rows.chunks(columns.max(1) * LANES) {
            let count = rows.len() / columns.max(1);
            for column in 0..columns {
                let mut lanes = [0.0; LANES];
                let of_column = rows.iter().skip(column).step_by(columns);
                lanes.iter_mut().zip(of_column).for_each(|(lane, value)| *lane = *value);
                values.push(lanes);
            }
            values.push(std::array::from_fn(|row| if row < count { constant } else { 0.0 }));
        }
        Self { width, values, instructions }
    }

    /// The number of tiles.
    pub(super) fn len(&self) -> usize {
        self.values.len() / self.width
    }

    /// The product of each tile with each vector: [`padded`] registers for each tile.
    pub(super) fn times(&self, vectors: &Vectors) -> Vec<Lanes> {
        let mut products = vec![[0.0; LANES]; self.len() * padded(vectors.count)];
        self.instructions.dispatch(Times { tiles: self, vectors, products: &mut products });
        products
    }

    /// The products of the columns with `count` columns of the same rows, [`padded`] registers for each tile: one list
    /// for each.
    pub(super) fn transposed_times(&self, right: &[Lanes], count: usize) -> Vec<Vec<f64>> {
        let mut products = vec![vec![0.0; self.width]; count];
        self.instructions.dispatch(TransposedTimes { tiles: self, right, products: &mut products });
        products
    }

    /// The packed upper triangle of the products of all columns with all columns, weighted.
    pub(super) fn gram(&self, weights: &[Lanes]) -> Vec<f64> {
        let mut products = vec![0.0; self.width * (self.width + 1) / 2];
        self.instructions.dispatch(Gram { tiles: self, weights, products: &mut products });
        products
    }

    /// Calls a function with the instructions of the processor.
    pub(super) fn dispatch<W: WithSimd>(&self, work: W) -> W::Output {
        self.instructions.dispatch(work)
    }
}

struct Times<'a> {
    tiles: &'a Tiles,
    vectors: &'a Vectors,
    products: &'a mut [Lanes],
}

impl WithSimd for Times<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { tiles: Tiles { width, values, .. }, vectors: Vectors { count, values: vectors }, products } = self;
        let stride = padded(*count);
        if stride == 1 {
            times_vector(simd, values, *width, vectors, products);
            return;
        }
        // Two tiles at a time keep both multipliers of a processor with the widest registers busy, and need 8 of them.
        let pairs = if S::F64_LANES == LANES { values.len() / (2 * width) } else { 0 };
        let (tiles, rest) = values.split_at(pairs * 2 * width);
        let (to, products) = products.split_at_mut(pairs * 2 * stride);
        for (tiles, products) in tiles.chunks_exact(2 * width).zip(to.chunks_exact_mut(2 * stride)) {
            pair_times(simd, tiles.split_at(*width), vectors, products.split_at_mut(stride));
        }
        for (tile, products) in rest.chunks_exact(*width).zip(products.chunks_exact_mut(stride)) {
            for (vectors, products) in vectors.chunks_exact(width * PANEL).zip(products.chunks_exact_mut(PANEL)) {
                let mut sums = [[0.0; LANES]; PANEL];
                for (factors, column) in vectors.as_chunks::<PANEL>().0.iter().zip(tile) {
                    for (sum, factor) in sums.iter_mut().zip(factors) {
                        fused(simd, sum, &[*factor; LANES], column);
                    }
                }
                products.copy_from_slice(&sums);
            }
        }
    }
}

/// The products of tiles with one vector, several tiles at a time.
#[inline(always)]
fn times_vector<S: Simd>(simd: S, values: &[Lanes], width: usize, vector: &[f64], products: &mut [Lanes]) {
    let mut tiles = values.chunks_exact(width * AT_A_TIME);
    let mut products = products.chunks_exact_mut(AT_A_TIME);
    for (tiles, products) in (&mut tiles).zip(&mut products) {
        let (a, rest) = tiles.split_at(width);
        let (b, rest) = rest.split_at(width);
        let (c, d) = rest.split_at(width);
        let mut sums = [[0.0; LANES]; AT_A_TIME];
        let [of_a, of_b, of_c, of_d] = &mut sums;
        for ((((factor, a), b), c), d) in vector.iter().zip(a).zip(b).zip(c).zip(d) {
            let factor = [*factor; LANES];
            fused(simd, of_a, &factor, a);
            fused(simd, of_b, &factor, b);
            fused(simd, of_c, &factor, c);
            fused(simd, of_d, &factor, d);
        }
        products.copy_from_slice(&sums);
    }
    for (tile, product) in tiles.remainder().chunks_exact(width).zip(products.into_remainder()) {
        for (factor, column) in vector.iter().zip(tile) {
            fused(simd, product, &[*factor; LANES], column);
        }
    }
}

/// The products of two tiles with panels of vectors.
#[inline(always)]
fn pair_times<S: Simd>(
    simd: S,
    (first, second): (&[Lanes], &[Lanes]),
    vectors: &[f64],
    (to_first, to_second): (&mut [Lanes], &mut [Lanes]),
) {
    let products = to_first.chunks_exact_mut(PANEL).zip(to_second.chunks_exact_mut(PANEL));
    for (vectors, (to_first, to_second)) in vectors.chunks_exact(first.len() * PANEL).zip(products) {
        let mut sums = [[[0.0; LANES]; PANEL]; 2];
        let [of_first, of_second] = &mut sums;
        for ((factors, one), other) in vectors.as_chunks::<PANEL>().0.iter().zip(first).zip(second) {
            for ((factor, of_first), of_second) in factors.iter().zip(of_first.iter_mut()).zip(of_second.iter_mut()) {
                let factor = [*factor; LANES];
                fused(simd, of_first, &factor, one);
                fused(simd, of_second, &factor, other);
            }
        }
        to_first.copy_from_slice(of_first);
        to_second.copy_from_slice(of_second);
    }
}

/// The products of `J` columns from `first` with `K` registers from `right`, over all tiles.
#[inline(always)]
fn panel<S: Simd, const J: usize, const K: usize>(
    simd: S,
    (tiles, width, first): (&[Lanes], usize, usize),
    (right, stride, from): (&[Lanes], usize, usize),
) -> [[f64; K]; J] {
    let mut sums = [[[0.0; LANES]; K]; J];
    for (tile, right) in tiles.chunks_exact(width).zip(right.chunks_exact(stride)) {
        let columns = tile.get(first..).and_then(<[Lanes]>::first_chunk::<J>);
        let right = right.get(from..).and_then(<[Lanes]>::first_chunk::<K>);
        let (Some(columns), Some(right)) = (columns, right) else { break };
        for (sums, column) in sums.iter_mut().zip(columns) {
            for (sum, right) in sums.iter_mut().zip(right) {
                fused(simd, sum, column, right);
            }
        }
    }
    sums.map(|sums| sums.map(|sum| total(&sum)))
}

struct TransposedTimes<'a> {
    tiles: &'a Tiles,
    right: &'a [Lanes],
    products: &'a mut [Vec<f64>],
}

impl TransposedTimes<'_> {
    #[inline(always)]
    fn of_panels<S: Simd, const J: usize, const K: usize>(&mut self, simd: S) {
        let Tiles { width, values, .. } = self.tiles;
        let stride = padded(self.products.len());
        let mut first = 0;
        while first < *width {
            let is_full = first + J <= *width;
            let mut from = 0;
            while from < self.products.len() {
                let right = (self.right, stride, from);
                let at = self.products.iter_mut().skip(from).take(K);
                if is_full {
                    let found = panel::<S, J, K>(simd, (values, *width, first), right);
                    for (k, products) in at.enumerate() {
                        let to = products.iter_mut().skip(first);
                        to.zip(&found).for_each(|(to, found)| *to = found.get(k).copied().unwrap_or_default());
                    }
                } else {
                    let [found] = panel::<S, 1, K>(simd, (values, *width, first), right);
                    for (products, found) in at.zip(found) {
                        if let Some(to) = products.get_mut(first) {
                            *to = found;
                        }
                    }
                }
                from += K;
            }
            first += if is_full { J } else { 1 };
        }
    }
}

impl WithSimd for TransposedTimes<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        if self.products.len() == 1 {
            self.of_panels::<S, 8, 1>(simd);
        } else {
            self.of_panels::<S, 4, 2>(simd);
        }
    }
}

struct Gram<'a> {
    tiles: &'a Tiles,
    weights: &'a [Lanes],
    products: &'a mut [f64],
}

impl WithSimd for Gram<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { tiles: Tiles { width, values, .. }, weights, products } = self;
        let mut add = |i: usize, j: usize, product: f64| {
            // A panel also computes products below the diagonal, which are discarded.
            if let Some(entry) = products.get_mut(packed_index(i.min(j), j, *width)).filter(|_| i <= j && j < *width) {
                *entry += product;
            }
        };
        let mut weighted: Vec<Lanes> = Vec::with_capacity(weights.len() * PANEL);
        for first in (0..*width).step_by(PANEL) {
            weighted.clear();
            for (tile, weights) in values.chunks_exact(*width).zip(weights) {
                for place in first..first + PANEL {
                    // Columns beyond the last are zero.
                    let column = tile.get(place).copied().unwrap_or([0.0; LANES]);
                    let mut product = [0.0; LANES];
                    product.iter_mut().zip(column.iter().zip(weights)).for_each(|(to, (a, b))| *to = a * b);
                    weighted.push(product);
                }
            }
            let mut j = first;
            while j < *width {
                if j + 2 <= *width {
                    let found = panel::<S, 2, PANEL>(simd, (values, *width, j), (&weighted, PANEL, 0));
                    for (found, j) in found.iter().zip(j..) {
                        found.iter().zip(first..).for_each(|(product, i)| add(i, j, *product));
                    }
                } else {
                    let [found] = panel::<S, 1, PANEL>(simd, (values, *width, j), (&weighted, PANEL, 0));
                    found.iter().zip(first..).for_each(|(product, i)| add(i, j, *product));
                }
                j += 2;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(rows: usize, columns: usize) -> Vec<f64> {
        let value = |at: usize| ((at * 7919 + columns * 104_729) % 1013) as f64 / 506.5 - 1.0;
        (0..rows * columns).map(value).collect()
    }

    #[test]
    fn products_follow_their_definition_with_the_same_bits_for_every_instruction_set() {
        for (rows, columns, count) in [(1, 1, 1), (8, 3, 2), (40, 7, 1), (100, 21, 5), (256, 46, 8)] {
            let design = noise(rows, columns);
            let row = |row: usize| design[row * columns..][..columns].iter().copied().chain([1.0]).collect::<Vec<_>>();
            let vectors: Vec<Vec<f64>> = (0..count).map(|of| noise(columns + 1, of + 1)[..=columns].to_vec()).collect();
            let right: Vec<Lanes> = (0..rows.div_ceil(LANES) * padded(count))
                .map(|at| std::array::from_fn(|lane| ((at * 31 + lane * 17) % 23) as f64 / 11.0 - 1.0))
                .collect();
            let all = |instructions| {
                let tiles = Tiles::with(instructions, &design, columns, 1.0);
                let products = tiles.times(&Vectors::new(vectors.iter().map(Vec::as_slice)));
                let weights: Vec<Lanes> = (0..tiles.len()).map(|tile| [1.0 / (tile + 3) as f64; LANES]).collect();
                (products, tiles.transposed_times(&right, count), tiles.gram(&weights))
            };
            let expected = all(Arch::Scalar);
            let near = |left: f64, right: f64| assert!((left - right).abs() < 1e-12 * rows as f64, "{left} {right}");
            for at in 0..rows {
                for (of, vector) in vectors.iter().enumerate() {
                    let sum: f64 = row(at).iter().zip(vector).map(|(a, b)| a * b).sum();
                    near(expected.0[at / LANES * padded(count) + of][at % LANES], sum);
                }
            }
            for j in 0..=columns {
                for of in 0..count {
                    let entry = |at: usize| right[at / LANES * padded(count) + of][at % LANES];
                    near(expected.1[of][j], (0..rows).map(|at| row(at)[j] * entry(at)).sum());
                }
                for i in 0..=j {
                    let product = |at: usize| row(at)[i] * row(at)[j] / (at / LANES + 3) as f64;
                    near(expected.2[packed_index(i, j, columns + 1)], (0..rows).map(product).sum());
                }
            }
            for instructions in super::super::super::simd::instructions() {
                let found = all(instructions);
                assert!(format!("{found:?}") == format!("{expected:?}"), "{rows} {columns} {count}");
            }
        }
    }
}
