//! Faults of a request's rows: kind, place and description.

use crate::cell::Cell;
use crate::signature::{Accepted, CellError, Feature, Signature};
use crate::suggestion::did_you_mean;
use crate::wording::shorten;

/// The most faults of a request that are listed; further ones are only counted.
pub const MAX_LISTED_FAULTS: usize = 20;

/// The place of a fault in a request, which each protocol writes in its own notation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// The row, from 0.
    pub row: Option<usize>,
    /// The position of the value in a row without names, from 0.
    pub position: Option<usize>,
    /// The name of the feature, or the unknown name in the request.
    pub feature: Option<String>,
}

/// The kind of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// A value of another type than the feature's.
    InvalidValue,
    /// A number that a double cannot represent.
    LossyNumber,
    /// A category that is not in the training data.
    UnknownCategory,
    /// No value for a feature that requires one.
    MissingValue,
    /// A feature that is not in the row.
    MissingFeature,
    /// A name that is not a feature.
    UnknownFeature,
    /// A name that appears twice.
    DuplicateFeature,
    /// A positional row with fewer or more values than features.
    WrongWidth,
    /// Columns of different lengths, or rows of different kinds.
    Ragged,
    /// A request without rows.
    NoRows,
}

/// One fault of a request's rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Its kind, from which the code of the error follows.
    pub kind: FaultKind,
    /// Its place in the request.
    pub place: Place,
    /// The description without the place. It continues a sentence that begins with the feature: `is missing`,
    /// `expected a number, got null`.
    pub detail: String,
}

/// The faults of a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Faults {
    /// The first [`MAX_LISTED_FAULTS`], in the order of the request.
    pub listed: Vec<Fault>,
    /// The number of all of them.
    pub total: usize,
}

impl Faults {
    /// Adds a fault; it is described only if it is listed.
    pub(super) fn add(&mut self, kind: FaultKind, describe: impl FnOnce() -> (Place, String)) {
        self.total += 1;
        if !self.is_full() {
            let (place, detail) = describe();
            self.listed.push(Fault { kind, place, detail });
        }
    }

    /// Whether further faults are not listed.
    pub(super) fn is_full(&self) -> bool {
        self.listed.len() >= MAX_LISTED_FAULTS
    }

    /// Adds a value that its feature accepts, but that does not have the datatype that the request declares.
    pub(super) fn add_wrong_datatype(&mut self, feature: &Feature, cell: Cell<'_>, mut place: Place, datatype: &str) {
        self.add(FaultKind::InvalidValue, || {
            place.feature = Some(feature.name.clone());
            (place, format!("expected a value of the datatype {datatype}, got {cell}"))
        });
    }

    /// The value of a cell for its feature, or 0 after adding the fault of a cell that the feature does not accept.
    pub(super) fn check(&mut self, feature: &Feature, cell: Cell<'_>, mut place: Place) -> Accepted {
        feature.resolve(cell).unwrap_or_else(|error| {
            let kind = match error {
                CellError::Type { .. } => FaultKind::InvalidValue,
                CellError::Lossy { .. } => FaultKind::LossyNumber,
                CellError::UnknownCategory { .. } => FaultKind::UnknownCategory,
                CellError::Missing => FaultKind::MissingValue,
            };
            self.add(kind, || {
                place.feature = Some(feature.name.clone());
                (place, feature.explain(&error, cell))
            });
            Accepted::Given(0.0)
        })
    }
}

/// The name of a feature in a fault: in full if the model has it, shortened if the caller made it up.
pub(super) fn feature_name(kind: FaultKind, name: &str) -> String {
    if kind == FaultKind::UnknownFeature { shorten(name) } else { name.to_owned() }
}

/// The description of a name that is not a feature.
pub(super) fn unknown_feature(signature: &Signature, name: &str) -> String {
    let names = signature.features().iter().map(|feature| feature.name.as_str());
    format!("is not a feature of this model{}", did_you_mean(name, names))
}
