//! Rows that are proven to fit a signature. Only a [`Frame`] can be predicted, and only this module makes one: every protocol
//! hands its values over as [`Cell`]s, so that all of them agree on names, types, missing values and limits.

use super::cell::Cell;
use super::fault::{FaultKind, Faults, Place};
use super::signature::Signature;
use super::unknown_category::UnknownCategories;
use super::wording::shorten;

/// Rows × features, row-major, every value finite and accepted by its feature.
#[derive(Debug)]
pub struct Frame<'s> {
    signature: &'s Signature,
    rows: usize,
    values: Vec<f64>,
    unknown_categories: UnknownCategories,
}

impl<'s> Frame<'s> {
    /// The number of rows, at least one.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The signature the rows were held against.
    #[must_use]
    pub fn signature(&self) -> &'s Signature {
        self.signature
    }

    /// Categories that no row of the training data had, as they were written.
    pub(super) fn unknown_categories(&self) -> &UnknownCategories {
        &self.unknown_categories
    }

    /// Rows of values that the signature's features have accepted before, row-major.
    pub fn from_accepted(signature: &'s Signature, values: Vec<f64>) -> Self {
        Self {
            signature,
            rows: values.len() / signature.width(),
            values,
            unknown_categories: UnknownCategories::default(),
        }
    }

    fn proven(
        signature: &'s Signature,
        rows: usize,
        values: Vec<f64>,
        unknown_categories: UnknownCategories,
        mut faults: Faults,
    ) -> Result<Self, Faults> {
        if rows == 0 && faults.total == 0 {
            faults.add(FaultKind::NoRows, || (Place::default(), "there are no rows to predict".into()));
        }
        if faults.total > 0 {
            return Err(faults);
        }
        Ok(Self { signature, rows, values, unknown_categories })
    }

    /// The values of at most this many rows at a time, row-major.
    pub(super) fn blocks(&self, rows: usize) -> impl Iterator<Item = &[f64]> {
        self.values.chunks(rows.max(1) * self.signature.width())
    }

    /// One slice of `signature.width()` values a row.
    pub fn iter(&self) -> impl Iterator<Item = &[f64]> {
        self.values.chunks_exact(self.signature.width())
    }
}

/// More rows than one request may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more than {limit} rows")]
pub struct TooManyRows {
    /// The most rows a request may have.
    pub limit: usize,
}

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
        self.faults
            .add(kind, || (Place { row, position: None, feature: feature.map(|name| told(kind, name)) }, detail()));
    }
}

/// Makes a [`Frame`] of whole named columns, or tells all that is wrong with them.
#[derive(Debug)]
pub struct ColumnsBuilder<'s> {
    signature: &'s Signature,
    max_rows: usize,
    columns: Vec<Option<Vec<f64>>>,
    /// Columns that were no columns: noted once, not again for their length.
    refused: Vec<usize>,
    ignores_unknown_features: bool,
    unknown_categories: UnknownCategories,
    faults: Faults,
}

impl<'s> ColumnsBuilder<'s> {
    /// Begins a frame of at most `max_rows` rows.
    #[must_use]
    pub fn new(signature: &'s Signature, max_rows: usize) -> Self {
        Self {
            signature,
            max_rows,
            columns: vec![None; signature.width()],
            refused: Vec::new(),
            ignores_unknown_features: false,
            unknown_categories: UnknownCategories::default(),
            faults: Faults::default(),
        }
    }

    /// The same, but names that are no features are passed over instead of refused.
    #[must_use]
    pub fn ignoring_unknown_features(self) -> Self {
        Self { ignores_unknown_features: true, ..self }
    }

    /// Begins the column of this name; `None` when the name is not to be used, which has been noted.
    pub fn start_column(&mut self, name: &str) -> Option<usize> {
        let Some(position) = self.signature.position(name) else {
            if !self.ignores_unknown_features {
                self.note(FaultKind::UnknownFeature, name, || "is not a feature of this model".into());
            }
            return None;
        };
        let column = self.columns.get_mut(position)?;
        if column.is_some() {
            self.note(FaultKind::DuplicateFeature, name, || "is there twice".into());
            return None;
        }
        *column = Some(Vec::new());
        Some(position)
    }

    /// The next value of the column at this position.
    ///
    /// # Errors
    /// [`TooManyRows`]: the request is over; nothing more should be read.
    pub fn push(&mut self, position: usize, cell: Cell<'_>) -> Result<(), TooManyRows> {
        let (Some(feature), Some(Some(column))) =
            (self.signature.features().get(position), self.columns.get_mut(position))
        else {
            return Ok(());
        };
        if column.len() == self.max_rows {
            return Err(TooManyRows { limit: self.max_rows });
        }
        let row = column.len();
        let value = self.faults.check(feature, cell, Place { row: Some(row), ..Place::default() });
        self.unknown_categories.note(value, feature, cell, row, position);
        column.push(value);
        Ok(())
    }

    /// The same of a value that is not of the datatype that its sender said it is. What its feature does not take is told
    /// first, and so alike in every protocol.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn push_with_wrong_datatype(
        &mut self,
        position: usize,
        cell: Cell<'_>,
        datatype: &str,
    ) -> Result<(), TooManyRows> {
        let faults = self.faults.total;
        self.push(position, cell)?;
        if self.faults.total == faults
            && let Some(feature) = self.signature.features().get(position)
            && let Some(Some(column)) = self.columns.get(position)
        {
            let place = Place { row: column.len().checked_sub(1), ..Place::default() };
            self.faults.mistaken(feature, cell, place, datatype);
        }
        Ok(())
    }

    /// Notes that what stands under a feature's name is not a column.
    pub fn wrong_column(&mut self, position: usize, got: Cell<'_>) {
        if let Some(feature) = self.signature.features().get(position) {
            self.refused.push(position);
            self.note(FaultKind::InvalidValue, &feature.name, || format!("expected a list of values, got {got}"));
        }
    }

    /// Ends the frame: every feature has a column, all of one length.
    ///
    /// # Errors
    /// All [`Faults`] found on the way; no rows at all is one too.
    pub fn finish(mut self) -> Result<Frame<'s>, Faults> {
        let (signature, width) = (self.signature, self.signature.width());
        let columns = std::mem::take(&mut self.columns);
        let rows = columns.iter().flatten().map(Vec::len).max().unwrap_or(0);
        for (position, (feature, column)) in signature.features().iter().zip(&columns).enumerate() {
            match column {
                _ if self.refused.contains(&position) => {}
                None => self.note(FaultKind::MissingFeature, &feature.name, || "is missing".into()),
                Some(column) if column.len() != rows => {
                    let got = column.len();
                    self.note(FaultKind::Ragged, &feature.name, || {
                        format!("has {got} values, the longest column has {rows}")
                    });
                }
                Some(_) => {}
            }
        }
        let mut values = Vec::new();
        if self.faults.total == 0 {
            values.resize(rows * width, 0.0);
            for (position, column) in columns.into_iter().flatten().enumerate() {
                for (slot, value) in values.iter_mut().skip(position).step_by(width).zip(column) {
                    *slot = value;
                }
            }
        }
        Frame::proven(signature, rows, values, self.unknown_categories, self.faults)
    }

    fn note(&mut self, kind: FaultKind, feature: &str, detail: impl FnOnce() -> String) {
        self.faults.add(kind, || (Place { feature: Some(told(kind, feature)), ..Place::default() }, detail()));
    }
}

/// A name as it is told: all of one that the model has, the beginning of one that a caller made up.
fn told(kind: FaultKind, name: &str) -> String {
    if kind == FaultKind::UnknownFeature { shorten(name) } else { name.to_owned() }
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
