//! Designs whose columns are the features themselves.

use super::{Column, Design, Resolved};

/// A column that is one feature, a number, centred and scaled.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Number {
    /// The position of the feature.
    pub(crate) position: usize,
    pub(crate) mean: f64,
    pub(crate) scale: f64,
}

impl Design {
    /// The columns if each is a feature itself, and if there is no offset.
    pub(crate) fn numbers(&self) -> Option<Vec<Number>> {
        let number = |column: &Column| match column.product.as_slice() {
            [Resolved::Power(position, 1)] => {
                Some(Number { position: *position, mean: column.mean, scale: column.scale })
            }
            _ => None,
        };
        if self.offset.is_some() { None } else { self.columns.iter().map(number).collect() }
    }
}
