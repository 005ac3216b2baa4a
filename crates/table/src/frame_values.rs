//! Values of a column, as values of a frame.

use super::column::Column;
use ordinate_model::cell::Cell;
use ordinate_model::signature::{Feature, FeatureType, OTHER_LEVEL};

/// The decoder of a column.
#[derive(Debug)]
pub struct FrameValues {
    /// The frame's value for each word, in the order of their first row, and for all words that were not kept; `None` for
    /// numbers, which need no decoding.
    words: Option<Vec<f64>>,
    /// The frame's value for a missing value.
    missing: f64,
}

impl FrameValues {
    /// The decoder of a column whose feature was made from it.
    #[must_use]
    pub fn new(column: &Column, feature: &Feature) -> Self {
        // The feature was made from this column and accepts all its values.
        let accepted = |word: &str| feature.accept(Cell::Text(word)).unwrap_or(f64::NAN);
        let words =
            (feature.kind == FeatureType::String).then(|| column.words().chain([OTHER_LEVEL]).map(accepted).collect());
        Self { words, missing: feature.accept(Cell::Missing).unwrap_or(f64::NAN) }
    }

    /// The frame's value for a value of the column.
    #[must_use]
    pub fn value(&self, value: f64) -> f64 {
        match &self.words {
            _ if value.is_nan() => self.missing,
            None => value,
            Some(words) => {
                // A position of a word.
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                let position = value as usize;
                words.get(position).copied().unwrap_or(f64::NAN)
            }
        }
    }
}
