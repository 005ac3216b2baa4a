//! A frame from rows.

use super::faults::{feature_name, unknown_feature};
use super::{FaultKind, Faults, Frame, Origins, Place, TooManyRows, expected_values};
use crate::cell::Cell;
use crate::signature::{Feature, MissingPolicy, Signature};

/// Builds a [`Frame`] from positional or named rows, or lists all their faults.
#[derive(Debug)]
pub struct RowsBuilder<'s> {
    signature: &'s Signature,
    max_rows: usize,
    rows: usize,
    values: Vec<f64>,
    /// For each feature, the last row (from 1; 0 is a header) with its name.
    named_in: Vec<usize>,
    /// The number of features named in the current row so far.
    named: usize,
    /// The number of values in the current positional row so far.
    pushed: usize,
    /// The position after the last name: most callers keep the order of the signature.
    next: usize,
    ignores_unknown_features: bool,
    /// Whether an absent feature counts as missing where missing values are accepted.
    imputes_absent_features: bool,
    /// The number of features that accept missing values, and of those named in the current row so far.
    optional: usize,
    named_optional: usize,
    origins: Origins,
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
            named_in: vec![usize::MAX; signature.width()],
            named: 0,
            pushed: 0,
            next: 0,
            ignores_unknown_features: false,
            imputes_absent_features: false,
            optional: signature.features().iter().filter(|feature| is_optional(feature)).count(),
            named_optional: 0,
            origins: Origins::default(),
            faults: Faults::default(),
        }
    }

    /// Lists all unknown categories instead of the first
    /// [`MAX_LISTED_UNKNOWN_CATEGORIES`](super::MAX_LISTED_UNKNOWN_CATEGORIES).
    #[must_use]
    pub fn listing_all_unknown_categories(mut self) -> Self {
        self.origins.unknown_categories.limit = usize::MAX;
        self
    }

    /// Ignores names that are not features, which are faults otherwise unless the signature ignores them.
    #[must_use]
    pub fn ignoring_unknown_features(self) -> Self {
        Self { ignores_unknown_features: true, ..self }
    }

    /// Counts a feature that is absent from a named row as missing, if missing values of it are accepted. Otherwise its
    /// absence is a fault.
    #[must_use]
    pub fn imputing_absent_features(self) -> Self {
        Self { imputes_absent_features: true, ..self }
    }

    /// The signature that the rows must fit.
    #[must_use]
    pub fn signature(&self) -> &'s Signature {
        self.signature
    }

    /// Begins the next row.
    ///
    /// # Errors
    /// [`TooManyRows`]: stop reading the request.
    pub fn start_row(&mut self) -> Result<(), TooManyRows> {
        if self.rows == self.max_rows {
            return Err(TooManyRows { limit: self.max_rows });
        }
        self.rows += 1;
        self.named = 0;
        self.named_optional = 0;
        self.pushed = 0;
        self.next = 0;
        // After a fault there will be no frame: further rows are checked, but not stored.
        if self.faults.total == 0 {
            self.values.resize(self.rows * self.signature.width(), 0.0);
        }
        Ok(())
    }

    /// Adds the next value of a positional row.
    pub fn push(&mut self, cell: Cell<'_>) {
        let position = self.pushed;
        self.pushed += 1;
        self.set(position, cell);
    }

    /// Adds the next value of a positional row, which does not have the datatype that the request declares. If the
    /// feature does not accept the value, only that is a fault, as in every other protocol.
    pub fn push_with_wrong_datatype(&mut self, cell: Cell<'_>, datatype: &str) {
        let (position, faults) = (self.pushed, self.faults.total);
        self.push(cell);
        if self.faults.total == faults
            && let Some(feature) = self.signature.features().get(position)
        {
            let place = Place { row: self.rows.checked_sub(1), position: Some(position), feature: None };
            self.faults.add_wrong_datatype(feature, cell, place, datatype);
        }
    }

    /// Ends a positional row: its width must be the signature's.
    pub fn end_positional_row(&mut self) {
        let (got, signature) = (self.pushed, self.signature);
        if got != signature.width() {
            let detail = || format!("expected {}, got {got}", expected_values(signature));
            self.add_fault(FaultKind::WrongWidth, None, detail);
        }
    }

    /// The position of a name in the current row, or in a header before the first row. `None` for a name whose value
    /// must be skipped: it is ignored, or its fault was added.
    pub fn position(&mut self, name: &str) -> Option<usize> {
        let position = match self.signature.features().get(self.next) {
            Some(feature) if feature.name == name => Some(self.next),
            _ => self.signature.position(name),
        };
        let Some(position) = position else {
            let signature = self.signature;
            if !self.ignores_unknown_features && !signature.ignores(name) {
                self.add_fault(FaultKind::UnknownFeature, Some(name), || unknown_feature(signature, name));
            }
            return None;
        };
        self.next = position + 1;
        let row = self.rows;
        let named_in = self.named_in.get_mut(position)?;
        if *named_in == row {
            self.add_fault(FaultKind::DuplicateFeature, Some(name), || "appears twice".into());
            return None;
        }
        *named_in = row;
        self.named += 1;
        self.named_optional += usize::from(self.signature.features().get(position).is_some_and(is_optional));
        Some(position)
    }

    /// Sets the value at a position of the current row. A position beyond the width is ignored, because
    /// [`end_positional_row`](Self::end_positional_row) checks the width.
    pub fn set(&mut self, position: usize, cell: Cell<'_>) {
        let (Some(feature), Some(row)) = (self.signature.features().get(position), self.rows.checked_sub(1)) else {
            return;
        };
        let place = Place { row: Some(row), position: Some(position), feature: None };
        let accepted = self.faults.check(feature, cell, place);
        let value = self.origins.add(accepted, cell, [row, position, self.signature.width()]);
        if let Some(slot) = self.values.get_mut(row * self.signature.width() + position) {
            *slot = value;
        }
    }

    /// Ends a named row or a header, which must have all features.
    pub fn end_named_row(&mut self) {
        let signature = self.signature;
        let absent = signature.width().saturating_sub(self.named);
        // A header names all features.
        let imputes = self.imputes_absent_features && self.rows > 0;
        if absent == 0 || self.faults.is_full() {
            // Absent features of further rows are only counted: the time of a row is proportional to its own size.
            let accepted = if imputes { self.optional.saturating_sub(self.named_optional) } else { 0 };
            self.faults.total += absent.saturating_sub(accepted);
            return;
        }
        for (position, feature) in signature.features().iter().enumerate() {
            if self.named_in.get(position) == Some(&self.rows) {
                continue;
            }
            if imputes && is_optional(feature) {
                self.set(position, Cell::Missing);
            } else {
                self.add_fault(FaultKind::MissingFeature, Some(&feature.name), || "is missing".into());
            }
        }
    }

    /// Adds a fault of the current row as a whole.
    pub fn wrong_row(&mut self, kind: FaultKind, detail: impl Into<String>) {
        self.add_fault(kind, None, || detail.into());
    }

    /// Ends the frame.
    ///
    /// # Errors
    /// All [`Faults`]; a request without rows is one too.
    pub fn finish(self) -> Result<Frame<'s>, Faults> {
        Frame::checked(self.signature, self.rows, self.values, self.origins, self.faults)
    }

    fn add_fault(&mut self, kind: FaultKind, feature: Option<&str>, detail: impl FnOnce() -> String) {
        let row = self.rows.checked_sub(1);
        self.faults.add(kind, || {
            (Place { row, position: None, feature: feature.map(|name| feature_name(kind, name)) }, detail())
        });
    }
}

/// Whether a feature accepts missing values.
fn is_optional(feature: &Feature) -> bool {
    feature.missing != MissingPolicy::Reject
}
