//! Columns of 0 and 1 that are mostly 0, such as the levels of a category: only the places of the ones are stored.
//!
//! A standardised indicator is `(x − mean) / scale`, so its products with a vector follow from the ones and a number
//! that is the same for all rows. A category with thousands of levels then takes the time of one column.

use super::super::simd::{LANES, Lanes};
use super::standardisation::Standardisation;
use super::tiles::{Vectors, padded};

/// Which columns are indicators.
#[derive(Debug, Clone)]
pub(super) struct ColumnSplit {
    /// The columns that are not, ascending.
    pub(super) dense: Vec<usize>,
    indicators: Vec<Indicator>,
    /// The number of columns.
    columns: usize,
}

#[derive(Debug, Clone, Copy)]
struct Indicator {
    column: usize,
    /// 1 / scale; 0 if it is constant
    precision: f64,
    /// mean / scale; 0 if it is constant
    centre: f64,
}

impl ColumnSplit {
    /// None if all columns are dense.
    pub(super) fn new(standardisation: &Standardisation) -> Option<Self> {
        let Standardisation { means, scales, varies, indicators, .. } = standardisation;
        if indicators.is_empty() {
            return None;
        }
        let dense = (0..means.len()).filter(|column| indicators.binary_search(column).is_err()).collect();
        let indicator = |column: &usize| {
            let (mean, scale) = (means.get(*column)?, scales.get(*column)?);
            let (precision, centre) = if *varies.get(*column)? { (1.0 / scale, mean / scale) } else { (0.0, 0.0) };
            Some(Indicator { column: *column, precision, centre })
        };
        let indicators = indicators.iter().filter_map(indicator).collect();
        Some(Self { dense, indicators, columns: means.len() })
    }

    /// The parameters of the dense columns and the intercept.
    fn dense_part(&self, parameters: &[f64]) -> Vec<f64> {
        let of_dense = self.dense.iter().filter_map(|column| parameters.get(*column));
        of_dense.chain(parameters.get(self.columns)).copied().collect()
    }
}

/// The ones of a block of rows.
#[derive(Debug, Default)]
pub(super) struct Ones {
    /// For each row, the number of ones up to its end.
    ends: Vec<usize>,
    /// For each one, its place among the indicators.
    places: Vec<u32>,
}

impl Ones {
    /// Adds a row with ones at these places among the indicators.
    pub(super) fn push(&mut self, ones: &[u32]) {
        self.places.extend_from_slice(ones);
        self.ends.push(self.places.len());
    }

    /// Adds a row of all columns.
    pub(super) fn push_dense(&mut self, split: &ColumnSplit, row: &[f64]) {
        for (indicator, place) in split.indicators.iter().zip(0..) {
            if row.get(indicator.column).is_some_and(|value| *value != 0.0) {
                self.places.push(place);
            }
        }
        self.ends.push(self.places.len());
    }

    /// The places of each row.
    fn rows(&self) -> impl Iterator<Item = &[u32]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| self.places.get(start..*end).unwrap_or_default())
    }

    /// Adds the products of the rows with vectors to [`padded`] registers for each tile.
    pub(super) fn add_times(&self, vectors: &IndicatorVectors, products: &mut [Lanes]) {
        let IndicatorVectors { count, factors, constants } = vectors;
        let stride = padded(*count);
        let tiles = products.chunks_exact_mut(stride);
        let mut rows = self.rows();
        for tile in tiles {
            for (lanes, constant) in tile.iter_mut().zip(constants) {
                for value in lanes.iter_mut() {
                    *value += constant;
                }
            }
            for (lane, places) in (0..LANES).zip(&mut rows) {
                for place in places {
                    let Some(factors) = factors.get(*place as usize * count..) else { continue };
                    for (lanes, factor) in tile.iter_mut().zip(factors).take(*count) {
                        lanes.get_mut(lane).into_iter().for_each(|value| *value += factor);
                    }
                }
            }
        }
    }

    /// The products of all columns and the intercept with `count` columns of the same rows, from those of the dense
    /// columns and the intercept.
    pub(super) fn transposed_times(
        &self,
        split: &ColumnSplit,
        right: &[Lanes],
        of_dense: &[Vec<f64>],
    ) -> Vec<Vec<f64>> {
        let count = of_dense.len();
        let stride = padded(count);
        let (mut sums, mut totals) = (vec![0.0; split.indicators.len() * count], vec![0.0; count]);
        let mut rows = self.rows();
        for tile in right.chunks_exact(stride) {
            for (lane, places) in (0..LANES).zip(&mut rows) {
                let values = || tile.iter().take(count).filter_map(|lanes| lanes.get(lane));
                totals.iter_mut().zip(values()).for_each(|(total, value)| *total += value);
                for place in places {
                    let Some(sums) = sums.get_mut(*place as usize * count..) else { continue };
                    sums.iter_mut().zip(values()).for_each(|(sum, value)| *sum += value);
                }
            }
        }
        let product = |score: usize| {
            let mut all = vec![0.0; split.columns + 1];
            let mut set = |column: usize, value: f64| all.get_mut(column).into_iter().for_each(|to| *to = value);
            let dense = of_dense.get(score).map(Vec::as_slice).unwrap_or_default();
            split.dense.iter().chain([&split.columns]).zip(dense).for_each(|(column, value)| set(*column, *value));
            let total = totals.get(score).copied().unwrap_or_default();
            for (Indicator { column, precision, centre }, sums) in
                split.indicators.iter().zip(sums.chunks_exact(count.max(1)))
            {
                let sum = sums.get(score).copied().unwrap_or_default();
                set(*column, precision * sum - centre * total);
            }
            all
        };
        (0..count).map(product).collect()
    }
}

/// The part of vectors that belongs to indicators.
#[derive(Debug)]
pub(super) struct IndicatorVectors {
    count: usize,
    /// For each indicator, the number of each vector for a one.
    factors: Vec<f64>,
    /// For each vector, the number for all rows.
    constants: Vec<f64>,
}

/// Vectors to multiply a split design with.
#[derive(Debug)]
pub(super) struct SplitVectors {
    pub(super) dense: Vectors,
    pub(super) indicators: Option<IndicatorVectors>,
}

impl SplitVectors {
    /// From vectors with one number for each column and the intercept.
    pub(super) fn new<'v>(split: Option<&ColumnSplit>, vectors: impl Iterator<Item = &'v [f64]>) -> Self {
        let Some(split) = split else { return Self { dense: Vectors::new(vectors), indicators: None } };
        let vectors: Vec<&[f64]> = vectors.collect();
        let dense: Vec<Vec<f64>> = vectors.iter().map(|vector| split.dense_part(vector)).collect();
        let at = |vector: &[f64], column: usize| vector.get(column).copied().unwrap_or_default();
        let factors = split.indicators.iter().flat_map(|Indicator { column, precision, .. }| {
            vectors.iter().map(move |vector| precision * at(vector, *column))
        });
        let constant = |vector: &&[f64]| -> f64 {
            -split.indicators.iter().map(|indicator| indicator.centre * at(vector, indicator.column)).sum::<f64>()
        };
        let indicators = IndicatorVectors {
            count: vectors.len(),
            factors: factors.collect(),
            constants: vectors.iter().map(constant).collect(),
        };
        Self { dense: Vectors::new(dense.iter().map(Vec::as_slice)), indicators: Some(indicators) }
    }
}
