//! Rows that fit a signature. Only a [`Frame`] can be predicted, and only this module makes one, from [`Cell`]s: all
//! protocols share one rule for names, types, missing values and limits.
//!
//! [`Cell`]: crate::cell::Cell

mod columns_builder;
mod faults;
mod imputed_cells;
mod rows_builder;
mod sample;
mod translation;
mod unknown_categories;

use crate::cell::Cell;
use crate::signature::{Accepted, Signature};
use unknown_categories::UnknownCategories;

pub use columns_builder::ColumnsBuilder;
pub(crate) use imputed_cells::ImputedCells;
pub(crate) use unknown_categories::Category;

pub use faults::{Fault, FaultKind, Faults, MAX_LISTED_FAULTS, Place};
pub use rows_builder::RowsBuilder;
pub use sample::FrameSample;
pub use translation::Translation;
pub use unknown_categories::MAX_LISTED_UNKNOWN_CATEGORIES;

/// Rows × features, row-major, every value finite and accepted by its feature.
#[derive(Debug)]
pub struct Frame<'s> {
    signature: &'s Signature,
    rows: usize,
    values: Vec<f64>,
    origins: Origins,
}

/// The cells of a frame whose value is not the one in the request.
#[derive(Debug, Default)]
struct Origins {
    unknown_categories: UnknownCategories,
    imputed: ImputedCells,
}

impl Origins {
    /// Adds a cell that its feature accepted, and returns its value; `width` is the number of features.
    fn add(&mut self, accepted: Accepted, cell: Cell<'_>, [row, position, width]: [usize; 3]) -> f64 {
        match accepted {
            Accepted::Given(_) => {}
            Accepted::Imputed(_) => self.imputed.add(row * width + position),
            Accepted::UnknownCategory(_) => self.unknown_categories.add(cell, row, position),
        }
        accepted.value()
    }
}

impl<'s> Frame<'s> {
    /// The number of rows, at least one.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The signature that the rows fit.
    #[must_use]
    pub fn signature(&self) -> &'s Signature {
        self.signature
    }

    /// Categories that are not in the training data, as callers wrote them.
    pub(crate) fn unknown_categories(&self) -> &UnknownCategories {
        &self.origins.unknown_categories
    }

    /// Missing values that were imputed.
    pub(crate) fn imputed(&self) -> &ImputedCells {
        &self.origins.imputed
    }

    /// For each feature, the number of rows in which it was missing and was imputed.
    #[must_use]
    pub fn count_imputed(&self) -> Vec<u64> {
        let width = self.signature.width();
        let mut counts = vec![0; width];
        for index in self.origins.imputed.iter() {
            if let Some(count) = counts.get_mut(index % width) {
                *count += 1;
            }
        }
        counts
    }

    /// A frame of values that the signature's features accepted before, row-major, with indicators of missing values.
    pub fn from_accepted(signature: &'s Signature, values: Vec<f64>) -> Self {
        Self { signature, rows: values.len() / signature.frame_width(), values, origins: Origins::default() }
    }

    fn checked(
        signature: &'s Signature,
        rows: usize,
        values: Vec<f64>,
        origins: Origins,
        mut faults: Faults,
    ) -> Result<Self, Faults> {
        if rows == 0 && faults.total == 0 {
            faults.add(FaultKind::NoRows, || (Place::default(), "there are no rows to predict".into()));
        }
        if faults.total > 0 {
            return Err(faults);
        }
        let values = with_indicators(signature, values, &origins.imputed);
        Ok(Self { signature, rows, values, origins })
    }

    /// The values of at most this many rows at a time, row-major.
    pub(crate) fn blocks(&self, rows: usize) -> impl Iterator<Item = &[f64]> {
        self.values.chunks(rows.max(1) * self.signature.frame_width())
    }

    /// One slice of `signature.frame_width()` values a row.
    pub fn iter(&self) -> impl Iterator<Item = &[f64]> {
        self.values.chunks_exact(self.signature.frame_width())
    }
}

/// The values with an indicator of missing values, 1 or 0, for each feature that has one.
fn with_indicators(signature: &Signature, values: Vec<f64>, imputed: &ImputedCells) -> Vec<f64> {
    let (width, frame_width) = (signature.width(), signature.frame_width());
    if width == frame_width {
        return values;
    }
    let mut wide = Vec::with_capacity(values.len() / width * frame_width);
    for row in values.chunks_exact(width) {
        wide.extend_from_slice(row);
        wide.resize(wide.len() + frame_width - width, 0.0);
    }
    for index in imputed.iter() {
        let slot = signature.indicator(index % width).map(|slot| index / width * frame_width + slot);
        if let Some(value) = slot.and_then(|slot| wide.get_mut(slot)) {
            *value = 1.0;
        }
    }
    wide
}

/// The request has too many rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more than {limit} rows")]
pub struct TooManyRows {
    /// The largest number of rows of a request.
    pub limit: usize,
}

/// `10 values (age, sex, bmi, …)`.
#[must_use]
pub fn expected_values(signature: &Signature) -> String {
    const NAMED: usize = 12;
    let names = signature.features().iter().map(|feature| feature.name.as_str());
    let mut listed = names.take(NAMED).collect::<Vec<_>>().join(", ");
    if signature.width() > NAMED {
        listed.push_str(", …");
    }
    let noun = if signature.width() == 1 { "value" } else { "values" };
    format!("{} {noun} ({})", signature.width(), shorten_list(&listed))
}

fn shorten_list(listed: &str) -> String {
    const SHOWN: usize = 200;
    match listed.char_indices().nth(SHOWN) {
        Some((cut, _)) => format!("{}…", listed.get(..cut).unwrap_or_default()),
        None => listed.to_owned(),
    }
}
