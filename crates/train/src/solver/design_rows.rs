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

/// Rows that can be read several times, always in the same order.
pub trait DesignRows {
    /// The names of the design's columns.
    fn columns(&self) -> &[String];

    /// Calls `each` with every row.
    ///
    /// # Errors
    /// [`SpoolError`] when the rows cannot be read, or the error of `each`.
    fn scan<E: From<SpoolError> + Send>(&self, each: &mut dyn FnMut(DesignRow<'_>) -> Result<(), E>) -> Result<(), E>;

    /// The columns of the levels of one category or two, if they are many.
    fn levels(&self) -> LevelColumns {
        LevelColumns::default()
    }

    /// Reports that a fit has done about this fraction of its work, from 0 to 1.
    fn report(&self, _fraction: f64) {}
}
