//! Categories that the training data did not have and the model passes over: what callers wrote, for a warning.

use crate::cell::Cell;
use crate::signature::{Feature, FeatureType, UNKNOWN_LEVEL};
use crate::wording::shorten;

/// The most unknown categories of a frame that are listed by default; further ones are only counted.
pub const MAX_LISTED_UNKNOWN_CATEGORIES: usize = 100;

/// The unknown_categories categories of a frame: the first ones found, and how many there are.
#[derive(Debug)]
pub(crate) struct UnknownCategories {
    /// The first ones, in the order in which the caller wrote them.
    pub(crate) listed: Vec<Category>,
    /// All of them, counted.
    pub(crate) total: usize,
    /// The most that are told.
    pub(crate) limit: usize,
}

impl Default for UnknownCategories {
    fn default() -> Self {
        Self { listed: Vec::new(), total: 0, limit: MAX_LISTED_UNKNOWN_CATEGORIES }
    }
}

/// A category that no row of the training data had.
#[derive(Debug)]
pub(crate) struct Category {
    /// The row, from 0.
    pub(crate) row: usize,
    /// The position of its feature.
    pub(crate) position: usize,
    /// What was written, cut to a readable length.
    pub(crate) text: String,
}

impl UnknownCategories {
    /// Notes a cell that its feature accepted as this value, if that is the one of no level. A missing value that was
    /// imputed is none: the caller wrote nothing.
    #[allow(clippy::float_cmp)]
    pub(crate) fn note(&mut self, value: f64, feature: &Feature, cell: Cell<'_>, row: usize, position: usize) {
        if value != UNKNOWN_LEVEL || feature.kind != FeatureType::String {
            return;
        }
        let text = match cell {
            Cell::Text(text) | Cell::Field(text) if !feature.is_missing(cell) => text,
            _ => return,
        };
        self.total += 1;
        if self.listed.len() < self.limit {
            self.listed.push(Category { row, position, text: shorten(text) });
        }
    }
}
