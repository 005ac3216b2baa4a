//! What is wrong with a request's rows: where, of which kind, in words.

use crate::cell::Cell;
use crate::signature::{CellError, Feature};
use crate::wording::shorten;

/// How many faults of one request are told; the rest are counted.
pub const MAX_LISTED_FAULTS: usize = 20;

/// Where in the request a fault is. The protocol turns it into its own notation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// The row, from 0.
    pub row: Option<usize>,
    /// The position of the value in a row without names, from 0.
    pub position: Option<usize>,
    /// The feature's name, or the unknown one the caller used.
    pub feature: Option<String>,
}

/// What is wrong, by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// A value of another type than the feature's.
    InvalidValue,
    /// A number that would change on the way.
    LossyNumber,
    /// A category that was not in the training data.
    UnknownCategory,
    /// No value where the feature needs one.
    MissingValue,
    /// A feature that is not in the row.
    MissingFeature,
    /// A name that is not a feature.
    UnknownFeature,
    /// A name that is there twice.
    DuplicateFeature,
    /// A positional row that is shorter or longer than the signature.
    WrongWidth,
    /// Columns of different lengths, or rows of different kinds.
    Ragged,
    /// Nothing to predict.
    NoRows,
}

/// One thing that is wrong with a request's rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Its kind.
    pub kind: FaultKind,
    /// Where it is.
    pub place: Place,
    /// What is wrong, without the place: after a feature's name it goes on as a sentence, `expected a number, got null`.
    pub detail: String,
}

/// All that is wrong: the first [`MAX_LISTED_FAULTS`], and how many there are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Faults {
    /// The first faults, in the order they were found.
    pub listed: Vec<Fault>,
    /// All of them, counted.
    pub total: usize,
}

impl Faults {
    /// Notes a fault; its words are only made when they will be told.
    pub(super) fn add(&mut self, kind: FaultKind, tell: impl FnOnce() -> (Place, String)) {
        self.total += 1;
        if !self.is_full() {
            let (place, detail) = tell();
            self.listed.push(Fault { kind, place, detail });
        }
    }

    /// Whether further faults are only counted.
    pub(super) fn is_full(&self) -> bool {
        self.listed.len() >= MAX_LISTED_FAULTS
    }

    /// Notes a value that its feature would take, and that is not of the datatype that its sender said it is.
    pub(super) fn mistaken(&mut self, feature: &Feature, cell: Cell<'_>, mut place: Place, datatype: &str) {
        self.add(FaultKind::InvalidValue, || {
            place.feature = Some(feature.name.clone());
            (place, format!("expected a value of the datatype {datatype}, got {cell}"))
        });
    }

    /// Holds a cell against its feature; what does not fit is noted, and 0 stands in.
    pub(super) fn check(&mut self, feature: &Feature, cell: Cell<'_>, mut place: Place) -> f64 {
        feature.accept(cell).unwrap_or_else(|error| {
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
            0.0
        })
    }
}

/// The name of a feature in a fault: in full if the model has it, shortened if the caller made it up.
pub(super) fn feature_name(kind: FaultKind, name: &str) -> String {
    if kind == FaultKind::UnknownFeature { shorten(name) } else { name.to_owned() }
}
