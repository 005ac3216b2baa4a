//! Counts of the ones of sparse columns, from which their means and standard deviations follow.

use super::standardisation::{FEWEST_ROWS, OneClassValue};

/// The ones of sparse columns.
#[derive(Debug, Clone)]
pub(super) struct LevelCounts {
    /// The columns in the design, ascending.
    columns: Vec<usize>,
    /// For each column, the weight of its ones.
    weights: Vec<f64>,
    /// For each column and each class, the rows with a one.
    rows: Vec<u64>,
    /// For each class, all rows.
    class_rows: Vec<u64>,
}

/// A sparse column.
#[derive(Debug, Clone, Copy)]
pub(super) struct LevelMoments {
    /// Its column in the design.
    pub(super) column: usize,
    pub(super) mean: f64,
    /// About the mean, or about zero without an intercept.
    pub(super) deviation: f64,
    /// Whether it has zeros and ones, or without an intercept any ones.
    pub(super) varies: bool,
}

impl LevelCounts {
    pub(super) fn new(columns: Vec<usize>, classes: usize) -> Self {
        let (weights, rows) = (vec![0.0; columns.len()], vec![0; columns.len() * classes]);
        Self { columns, weights, rows, class_rows: vec![0; classes] }
    }

    /// The columns in the design, ascending.
    pub(super) fn columns(&self) -> &[usize] {
        &self.columns
    }

    /// Adds a row of this class with ones at these places among the columns.
    pub(super) fn push(&mut self, ones: &[u32], class: usize, weight: f64) {
        let classes = self.class_rows.len();
        self.class_rows.get_mut(class).into_iter().for_each(|rows| *rows += 1);
        for place in ones {
            let place = *place as usize;
            self.weights.get_mut(place).into_iter().for_each(|sum| *sum += weight);
            self.rows.get_mut(place * classes + class).into_iter().for_each(|rows| *rows += 1);
        }
    }

    /// The number of ones.
    pub(super) fn ones(&self) -> u64 {
        self.rows.iter().sum()
    }

    /// The columns, of rows of this total weight.
    pub(super) fn moments(&self, weight: f64, is_centred: bool) -> impl Iterator<Item = LevelMoments> {
        let all: u64 = self.class_rows.iter().sum();
        let each = self.columns.iter().zip(&self.weights).zip(self.of_columns());
        each.map(move |((column, ones), rows)| {
            let fraction = if weight > 0.0 { ones / weight } else { 0.0 };
            let rows: u64 = rows.iter().sum();
            let (mean, variance) =
                if is_centred { (fraction, fraction * ((weight - ones) / weight)) } else { (0.0, fraction) };
            let varies = rows > 0 && (rows < all || !is_centred);
            LevelMoments { column: *column, mean, deviation: variance.sqrt(), varies }
        })
    }

    /// The values whose rows all have one class.
    pub(super) fn one_class_values(&self) -> impl Iterator<Item = OneClassValue> {
        let each = self.columns.iter().zip(self.of_columns());
        each.flat_map(|(column, ones)| {
            let zeros: Vec<u64> = self.class_rows.iter().zip(ones).map(|(all, ones)| all - ones).collect();
            let of = |is_one: bool, counts: &[u64]| {
                let mut present = counts.iter().enumerate().filter(|(_, rows)| **rows > 0);
                let (class, rows) = present.next()?;
                let has_others = present.next().is_some() || *rows < FEWEST_ROWS;
                (!has_others).then_some(OneClassValue { column: *column, is_one, class, rows: *rows })
            };
            [of(false, &zeros), of(true, ones)].into_iter().flatten()
        })
    }

    /// For each column, its ones in each class.
    fn of_columns(&self) -> impl Iterator<Item = &[u64]> {
        self.rows.chunks_exact(self.class_rows.len().max(1))
    }
}
