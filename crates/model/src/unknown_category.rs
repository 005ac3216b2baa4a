//! Categories that the training data did not have and the model passes over: what callers wrote, for a warning.

use super::cell::Cell;
use super::signature::{Feature, FeatureType, UNKNOWN_LEVEL};
use super::warning::MAX_LISTED_WARNINGS;
use super::wording::shorten;

/// The unknown_categories categories of a frame: the first ones found, and how many there are.
#[derive(Debug)]
pub(super) struct UnknownCategories {
    /// The first ones, in the order in which the caller wrote them.
    pub(super) listed: Vec<Category>,
    /// All of them, counted.
    pub(super) total: usize,
    /// The most that are told.
    pub(super) limit: usize,
}

impl Default for UnknownCategories {
    fn default() -> Self {
        Self { listed: Vec::new(), total: 0, limit: MAX_LISTED_WARNINGS }
    }
}

/// A category that no row of the training data had.
#[derive(Debug)]
pub(super) struct Category {
    /// The row, from 0.
    pub(super) row: usize,
    /// The position of its feature.
    pub(super) position: usize,
    /// What was written, cut to a readable length.
    pub(super) text: String,
}

impl UnknownCategories {
    /// Notes a cell that its feature accepted as this value, if that is the one of no level. A missing value that was
    /// imputed is none: the caller wrote nothing.
    #[allow(clippy::float_cmp)]
    pub(super) fn note(&mut self, value: f64, feature: &Feature, cell: Cell<'_>, row: usize, position: usize) {
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
