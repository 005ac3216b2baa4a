//! Upper triangular matrices, packed by rows.

/// The index of the entry of a row and a column at or after it.
pub(crate) fn packed_index(row: usize, column: usize, size: usize) -> usize {
    row * size - row * row.saturating_sub(1) / 2 + (column - row)
}
