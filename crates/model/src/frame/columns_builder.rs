//! Frames from whole columns.

use super::faults::feature_name;
use super::unknown_categories::UnknownCategories;
use super::{FaultKind, Faults, Frame, Place, TooManyRows};
use crate::cell::Cell;
use crate::signature::Signature;

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
        self.faults.add(kind, || (Place { feature: Some(feature_name(kind, feature)), ..Place::default() }, detail()));
    }
}
