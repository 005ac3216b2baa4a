//! Encoded values of a column, decoded to the values of a frame.

use super::column::Column;
use ordinate_model::cell::Cell;
use ordinate_model::signature::{Feature, FeatureType};

/// The decoder of a column.
#[derive(Debug)]
pub struct Stored {
    /// The frame's value for each word, in the order of their first row; `None` for numbers, which need no decoding.
    words: Option<Vec<f64>>,
    /// The frame's value for a missing value.
    missing: f64,
}

impl Stored {
    /// The decoder of a column whose feature was made from it.
    #[must_use]
    pub fn new(column: &Column, feature: &Feature) -> Self {
        // Inferred booleans are encoded as words, declared ones as 1 and 0.
        let is_words = feature.kind == FeatureType::String || column.numbers == 0;
        let accept = |word: &str| match feature.kind {
            FeatureType::String => feature.accept(Cell::Text(word)),
            _ => feature.accept(Cell::Field(word)),
        };
        // The feature was made from this column and accepts all its values.
        let accepted = |word: &str| accept(word).unwrap_or(f64::NAN);
        let words = is_words.then(|| column.words().map(accepted).collect());
        Self { words, missing: feature.accept(Cell::Missing).unwrap_or(f64::NAN) }
    }

    /// The frame's value for an encoded value.
    #[must_use]
    pub fn value(&self, stored: f64) -> f64 {
        match &self.words {
            _ if stored.is_nan() => self.missing,
            None => stored,
            Some(words) => {
                // A position of a word.
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                let position = stored as usize;
                words.get(position).copied().unwrap_or(f64::NAN)
            }
        }
    }
}
