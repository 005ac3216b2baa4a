//! The interface between data and solvers: rows of numbers that are read once or several times.

use super::moments::LevelColumns;
use ordinate_table::SpoolError;

/// One row of the design.
#[derive(Debug, Clone, Copy)]
pub struct DesignRow<'a> {
    /// Its number in the data, from 0.
    pub number: u64,
    /// The columns of the design, neither centred nor scaled.
    pub design: &'a [f64],
    /// The target after its transformation, or the position of the class.
    pub target: f64,
    /// The weight, positive; 1 for unweighted data.
    pub weight: f64,
}

/// One row of a design, without the zeros of its [sparse columns](DesignRows::sparse_columns).
#[derive(Debug, Clone, Copy)]
pub struct SparseRow<'a> {
    /// Its number in the data, from 0.
    pub number: u64,
    /// The other columns, neither centred nor scaled.
    pub numbers: &'a [f64],
    /// The places of the ones among the sparse columns, ascending.
    pub ones: &'a [u32],
    /// The target, as in [`DesignRow`].
    pub target: f64,
    /// The weight, positive; 1 for unweighted data.
    pub weight: f64,
}

/// Rows that can be read several times, always in the same order.
pub trait DesignRows {
    /// The names of the design's columns.
    fn columns(&self) -> &[String];

    /// Calls `each` with every row.
    ///
    /// # Errors
    /// [`SpoolError`] when the rows cannot be read, or the error of `each`.
    fn scan<E: From<SpoolError> + Send>(&self, each: &mut dyn FnMut(DesignRow<'_>) -> Result<(), E>) -> Result<(), E>;

    /// The columns of 0 and 1, most of them 0 in a row, that [`scan_sparse`](Self::scan_sparse) has by their ones,
    /// ascending; empty if they are few.
    fn sparse_columns(&self) -> Vec<usize> {
        Vec::new()
    }

    /// As [`scan`](Self::scan), with the sparse columns by their ones.
    ///
    /// # Errors
    /// As [`scan`](Self::scan).
    fn scan_sparse<E: From<SpoolError> + Send>(
        &self,
        each: &mut dyn FnMut(SparseRow<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let sparse = self.sparse_columns();
        let (mut numbers, mut ones) = (Vec::new(), Vec::new());
        self.scan(&mut |DesignRow { number, design, target, weight }| {
            if sparse.is_empty() {
                return each(SparseRow { number, numbers: design, ones: &[], target, weight });
            }
            numbers.clear();
            ones.clear();
            let mut places = sparse.iter().zip(0..).peekable();
            for (column, value) in design.iter().enumerate() {
                match places.next_if(|(sparse, _)| **sparse == column) {
                    Some((_, place)) if *value != 0.0 => ones.push(place),
                    Some(_) => {}
                    None => numbers.push(*value),
                }
            }
            each(SparseRow { number, numbers: &numbers, ones: &ones, target, weight })
        })
    }

    /// The columns of the levels of one category or two, if they are many.
    fn levels(&self) -> LevelColumns {
        LevelColumns::default()
    }

    /// Reports that a fit has done about this fraction of its work, from 0 to 1.
    fn report(&self, _fraction: f64) {}
}
