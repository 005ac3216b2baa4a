//! The seam between data and solvers: rows of numbers, read as often as a solver needs them and never held.

use ordinate_table::SpoolError;

/// One row, as a solver sees it.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// Its number in the data, from 0.
    pub number: u64,
    /// The columns of the design, neither centred nor scaled.
    pub design: &'a [f64],
    /// The target after its transformation, or the position of the class.
    pub target: f64,
    /// How much it counts; positive, 1 when there are no weights.
    pub weight: f64,
}

/// Data that can be read several times, always in the same order.
pub trait Rows {
    /// The names of the design's columns.
    fn columns(&self) -> &[String];

    /// Hands every row to `each`.
    ///
    /// # Errors
    /// Whatever the data or `each` fails with.
    fn scan<E: From<SpoolError> + Send>(&self, each: &mut dyn FnMut(Row<'_>) -> Result<(), E>) -> Result<(), E>;
}
