//! Categories that are not in the training data and that the model ignores or groups, for warnings.

use crate::cell::Cell;
use crate::wording::shorten;

/// The most unknown categories of a frame that are listed by default; further ones are only counted.
pub const MAX_LISTED_UNKNOWN_CATEGORIES: usize = 100;

/// The unknown categories of a frame.
#[derive(Debug)]
pub(crate) struct UnknownCategories {
    /// The first ones, in the order of the request.
    pub(crate) listed: Vec<Category>,
    /// The number of all of them.
    pub(crate) total: usize,
    /// The largest number that is listed.
    pub(crate) limit: usize,
}

impl Default for UnknownCategories {
    fn default() -> Self {
        Self { listed: Vec::new(), total: 0, limit: MAX_LISTED_UNKNOWN_CATEGORIES }
    }
}

/// A category that is not in the training data.
#[derive(Debug)]
pub(crate) struct Category {
    /// The row, from 0.
    pub(crate) row: usize,
    /// The position of its feature.
    pub(crate) position: usize,
    /// The beginning of the text in the request.
    pub(crate) text: String,
}

impl UnknownCategories {
    /// Adds a cell that its feature accepted as an unknown category. An imputed value that is not a level is not one,
    /// because the request does not have it.
    pub(super) fn add(&mut self, cell: Cell<'_>, row: usize, position: usize) {
        let (Cell::Text(text) | Cell::Field(text)) = cell else { return };
        self.total += 1;
        if self.listed.len() < self.limit {
            self.listed.push(Category { row, position, text: shorten(text) });
        }
    }
}
