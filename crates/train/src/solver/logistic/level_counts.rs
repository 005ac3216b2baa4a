//! Counts of the ones of sparse columns, from which their means and standard deviations follow.

/// The ones of sparse columns.
#[derive(Debug, Clone)]
pub(super) struct LevelCounts {
    /// The columns in the design, ascending.
    columns: Vec<usize>,
    /// For each column, the weight of its ones.
    weights: Vec<f64>,
    /// For each column, the rows with a one.
    rows: Vec<u64>,
    /// All rows.
    all: u64,
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
    pub(super) fn new(columns: Vec<usize>) -> Self {
        let (weights, rows) = (vec![0.0; columns.len()], vec![0; columns.len()]);
        Self { columns, weights, rows, all: 0 }
    }

    /// The columns in the design, ascending.
    pub(super) fn columns(&self) -> &[usize] {
        &self.columns
    }

    /// Adds a row with ones at these places among the columns.
    pub(super) fn push(&mut self, ones: &[u32], weight: f64) {
        self.all += 1;
        for place in ones {
            let place = *place as usize;
            self.weights.get_mut(place).into_iter().for_each(|sum| *sum += weight);
            self.rows.get_mut(place).into_iter().for_each(|rows| *rows += 1);
        }
    }

    /// The number of ones.
    pub(super) fn ones(&self) -> u64 {
        self.rows.iter().sum()
    }

    /// The columns, of rows of this total weight.
    pub(super) fn moments(&self, weight: f64, is_centred: bool) -> impl Iterator<Item = LevelMoments> {
        let each = self.columns.iter().zip(&self.weights).zip(&self.rows);
        each.map(move |((column, ones), rows)| {
            let fraction = if weight > 0.0 { ones / weight } else { 0.0 };
            let (mean, variance) =
                if is_centred { (fraction, fraction * ((weight - ones) / weight)) } else { (0.0, fraction) };
            let varies = *rows > 0 && (*rows < self.all || !is_centred);
            LevelMoments { column: *column, mean, deviation: variance.sqrt(), varies }
        })
    }
}
