//! Frames from rows.

use super::faults::feature_name;
use super::unknown_categories::UnknownCategories;
use super::{FaultKind, Faults, Frame, Place, TooManyRows, expected_values};
use crate::cell::Cell;
use crate::signature::Signature;

/// Makes a [`Frame`] of rows, positional or named, or tells all that is wrong with them.
#[derive(Debug)]
pub struct RowsBuilder<'s> {
    signature: &'s Signature,
    max_rows: usize,
    rows: usize,
    values: Vec<f64>,
    /// For each feature, the number of the row (from 1; 0 is a header) in which its name was last seen.
    seen_in: Vec<usize>,
    /// Features named in the current row so far.
    named: usize,
    /// Values of the current positional row so far.
    pushed: usize,
    /// The position after the last name: callers repeat their order row after row.
    likely: usize,
    ignores_unknown_features: bool,
    unknown_categories: UnknownCategories,
    faults: Faults,
}

impl<'s> RowsBuilder<'s> {
    /// Begins a frame of at most `max_rows` rows.
    #[must_use]
    pub fn new(signature: &'s Signature, max_rows: usize) -> Self {
        Self {
            signature,
            max_rows,
            rows: 0,
            values: Vec::new(),
            seen_in: vec![usize::MAX; signature.width()],
            named: 0,
            pushed: 0,
            likely: 0,
            ignores_unknown_features: false,
            unknown_categories: UnknownCategories::default(),
            faults: Faults::default(),
        }
    }

    /// The same, but all categories that the training data did not have are noted, not the first hundred alone.
    #[must_use]
    pub fn listing_all_unknown_categories(mut self) -> Self {
        self.unknown_categories.limit = usize::MAX;
        self
    }

    /// The same, but names that are no features are passed over instead of refused.
    #[must_use]
    pub fn ignoring_unknown_features(self) -> Self {
        Self { ignores_unknown_features: true, ..self }
    }

    /// The signature the rows are held against.
    #[must_use]
    pub fn signature(&self) -> &'s Signature {
        self.signature
    }

    /// Begins the next row.
    ///
    /// # Errors
    /// [`TooManyRows`]: the request is over; nothing more should be read.
    pub fn start_row(&mut self) -> Result<(), TooManyRows> {
        if self.rows == self.max_rows {
            return Err(TooManyRows { limit: self.max_rows });
        }
        self.rows += 1;
        self.named = 0;
        self.pushed = 0;
        self.likely = 0;
        // After a fault there will be no frame: later rows are looked through, and not kept.
        if self.faults.total == 0 {
            self.values.resize(self.rows * self.signature.width(), 0.0);
        }
        Ok(())
    }

    /// The next value of a positional row.
    pub fn push(&mut self, cell: Cell<'_>) {
        let position = self.pushed;
        self.pushed += 1;
        self.set(position, cell);
    }

    /// The next value of a positional row, which is not of the datatype that its sender said it is. What its feature does not
    /// take is told first, and so alike in every protocol.
    pub fn push_with_wrong_datatype(&mut self, cell: Cell<'_>, datatype: &str) {
        let (position, faults) = (self.pushed, self.faults.total);
        self.push(cell);
        if self.faults.total == faults
            && let Some(feature) = self.signature.features().get(position)
        {
            let place = Place { row: self.rows.checked_sub(1), position: Some(position), feature: None };
            self.faults.mistaken(feature, cell, place, datatype);
        }
    }

    /// Ends a positional row: its width must be the signature's.
    pub fn end_positional_row(&mut self) {
        let (got, signature) = (self.pushed, self.signature);
        if got != signature.width() {
            let detail = || format!("expected {}, got {got}", expected_values(signature));
            self.note(FaultKind::WrongWidth, None, detail);
        }
    }

    /// The position of a named value in the current row, or before the first row of a column in a header; `None` when the name
    /// is not to be used, which has been noted.
    pub fn position(&mut self, name: &str) -> Option<usize> {
        let position = match self.signature.features().get(self.likely) {
            Some(feature) if feature.name == name => Some(self.likely),
            _ => self.signature.position(name),
        };
        let Some(position) = position else {
            if !self.ignores_unknown_features {
                self.note(FaultKind::UnknownFeature, Some(name), || "is not a feature of this model".into());
            }
            return None;
        };
        self.likely = position + 1;
        let row = self.rows;
        let seen_in = self.seen_in.get_mut(position)?;
        if *seen_in == row {
            self.note(FaultKind::DuplicateFeature, Some(name), || "is there twice".into());
            return None;
        }
        *seen_in = row;
        self.named += 1;
        Some(position)
    }

    /// Sets the value at a position of the current row. A position past the width is ignored: the row's width is checked at its end.
    pub fn set(&mut self, position: usize, cell: Cell<'_>) {
        let (Some(feature), Some(row)) = (self.signature.features().get(position), self.rows.checked_sub(1)) else {
            return;
        };
        let place = Place { row: Some(row), position: Some(position), feature: None };
        let value = self.faults.check(feature, cell, place);
        self.unknown_categories.note(value, feature, cell, row, position);
        if let Some(slot) = self.values.get_mut(row * self.signature.width() + position) {
            *slot = value;
        }
    }

    /// Ends a named row, or a header: no feature may be absent.
    pub fn end_named_row(&mut self) {
        let signature = self.signature;
        let absent = signature.width().saturating_sub(self.named);
        if absent == 0 || self.faults.is_full() {
            // A row costs what it holds: a hundred thousand empty ones of a wide model are only counted.
            self.faults.total += absent;
            return;
        }
        for (position, feature) in signature.features().iter().enumerate() {
            if self.seen_in.get(position) != Some(&self.rows) {
                self.note(FaultKind::MissingFeature, Some(&feature.name), || "is missing".into());
            }
        }
    }

    /// Notes that the current row is not of the kind it should be.
    pub fn wrong_row(&mut self, kind: FaultKind, detail: impl Into<String>) {
        self.note(kind, None, || detail.into());
    }

    /// Ends the frame.
    ///
    /// # Errors
    /// All [`Faults`] found on the way; no rows at all is one too.
    pub fn finish(self) -> Result<Frame<'s>, Faults> {
        Frame::proven(self.signature, self.rows, self.values, self.unknown_categories, self.faults)
    }

    fn note(&mut self, kind: FaultKind, feature: Option<&str>, detail: impl FnOnce() -> String) {
        let row = self.rows.checked_sub(1);
        self.faults.add(kind, || {
            (Place { row, position: None, feature: feature.map(|name| feature_name(kind, name)) }, detail())
        });
    }
}
