//! A frame from columns.

use super::faults::{feature_name, unknown_feature};
use super::{FaultKind, Faults, Frame, Origins, Place, TooManyRows};
use crate::cell::Cell;
use crate::signature::Signature;

/// Builds a [`Frame`] from named columns, or lists all their faults.
#[derive(Debug)]
pub struct ColumnsBuilder<'s> {
    signature: &'s Signature,
    max_rows: usize,
    columns: Vec<Option<Vec<f64>>>,
    /// The positions of columns that are not lists: their length is not checked.
    rejected: Vec<usize>,
    ignores_unknown_features: bool,
    origins: Origins,
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
            rejected: Vec::new(),
            ignores_unknown_features: false,
            origins: Origins::default(),
            faults: Faults::default(),
        }
    }

    /// Ignores names that are not features, which are faults otherwise unless the signature ignores them.
    #[must_use]
    pub fn ignoring_unknown_features(self) -> Self {
        Self { ignores_unknown_features: true, ..self }
    }

    /// Begins the column of this name. `None` for a name whose values must be skipped: it is ignored, or its fault was
    /// added.
    pub fn start_column(&mut self, name: &str) -> Option<usize> {
        let Some(position) = self.signature.position(name) else {
            let signature = self.signature;
            if !self.ignores_unknown_features && !signature.ignores(name) {
                self.add_fault(FaultKind::UnknownFeature, name, || unknown_feature(signature, name));
            }
            return None;
        };
        let column = self.columns.get_mut(position)?;
        if column.is_some() {
            self.add_fault(FaultKind::DuplicateFeature, name, || "appears twice".into());
            return None;
        }
        *column = Some(Vec::new());
        Some(position)
    }

    /// Adds the next value of the column at this position.
    ///
    /// # Errors
    /// [`TooManyRows`]: stop reading the request.
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
        let accepted = self.faults.check(feature, cell, Place { row: Some(row), ..Place::default() });
        let value = self.origins.add(accepted, cell, [row, position, self.signature.width()]);
        column.push(value);
        Ok(())
    }

    /// Adds the next value of the column at this position, which does not have the datatype that the request declares.
    /// If the feature does not accept the value, only that is a fault, as in every other protocol.
    ///
    /// # Errors
    /// [`TooManyRows`]: stop reading the request.
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
            self.faults.add_wrong_datatype(feature, cell, place, datatype);
        }
        Ok(())
    }

    /// Adds the fault of a feature whose value is not a list.
    pub fn wrong_column(&mut self, position: usize, got: Cell<'_>) {
        if let Some(feature) = self.signature.features().get(position) {
            self.rejected.push(position);
            self.add_fault(FaultKind::InvalidValue, &feature.name, || format!("expected a list of values, got {got}"));
        }
    }

    /// Ends the frame: every feature must have a column, all of the same length.
    ///
    /// # Errors
    /// All [`Faults`]; a request without rows is one too.
    pub fn finish(mut self) -> Result<Frame<'s>, Faults> {
        let (signature, width) = (self.signature, self.signature.width());
        let columns = std::mem::take(&mut self.columns);
        let rows = columns.iter().flatten().map(Vec::len).max().unwrap_or(0);
        for (position, (feature, column)) in signature.features().iter().zip(&columns).enumerate() {
            match column {
                _ if self.rejected.contains(&position) => {}
                None => self.add_fault(FaultKind::MissingFeature, &feature.name, || "is missing".into()),
                Some(column) if column.len() != rows => {
                    let got = column.len();
                    self.add_fault(FaultKind::Ragged, &feature.name, || {
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
        Frame::checked(signature, rows, values, self.origins, self.faults)
    }

    fn add_fault(&mut self, kind: FaultKind, feature: &str, detail: impl FnOnce() -> String) {
        self.faults.add(kind, || (Place { feature: Some(feature_name(kind, feature)), ..Place::default() }, detail()));
    }
}
