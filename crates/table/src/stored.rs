//! What the rows that are kept hold of a column, as a frame holds it.

use super::column::Column;
use ordinate_model::cell::Cell;
use ordinate_model::signature::{Feature, FeatureType};

/// What the spool holds of a column, and what that is in a frame.
#[derive(Debug)]
pub struct Stored {
    /// Of words, given by the order in which they first came: levels, or 1 and 0. None where numbers are as they are.
    words: Option<Vec<f64>>,
    /// What stands in where there is no value.
    missing: f64,
}

impl Stored {
    /// The values of a column as its feature accepts them.
    #[must_use]
    pub fn new(column: &Column, feature: &Feature) -> Self {
        // Inferred booleans are kept as words, declared ones as 1 and 0.
        let is_words = feature.kind == FeatureType::String || column.numbers == 0;
        let accept = |word: &str| match feature.kind {
            FeatureType::String => feature.accept(Cell::Text(word)),
            _ => feature.accept(Cell::Field(word)),
        };
        // The feature was made from this very column: it accepts all of it.
        let accepted = |word: &str| accept(word).unwrap_or(f64::NAN);
        let words = is_words.then(|| column.words().map(accepted).collect());
        Self { words, missing: feature.accept(Cell::Missing).unwrap_or(f64::NAN) }
    }

    /// What a frame holds for a value that is kept.
    #[must_use]
    pub fn value(&self, stored: f64) -> f64 {
        match &self.words {
            _ if stored.is_nan() => self.missing,
            None => stored,
            Some(words) => {
                // A place among the words.
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                let place = stored as usize;
                words.get(place).copied().unwrap_or(f64::NAN)
            }
        }
    }
}
