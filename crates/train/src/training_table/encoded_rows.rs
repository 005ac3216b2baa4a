//! Blocks of rows, encoded for a fit.

use super::TrainingTable;
use crate::evaluate::Label;
use crate::solver::leverage::MOST_COLUMNS;
use ordinate_model::Model;
use ordinate_model::preprocess::TargetTransform;
use ordinate_table::spool;

/// The part of the design that is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DesignForm {
    /// All columns.
    Dense,
    /// Of the [sparse columns](TrainingTable::sparse_columns) only the ones.
    Sparse,
    /// No column, only the features.
    Absent,
}

/// One row, before and after the design is applied.
#[derive(Debug, Clone, Copy)]
pub struct EncodedRow<'a> {
    /// Its number in the data, from 0.
    pub number: u64,
    /// The features, encoded as in a frame.
    pub features: &'a [f64],
    /// For each feature, whether its value was missing; empty if no value of the data is.
    pub missing: &'a [bool],
    /// The columns of the design, neither centred nor scaled; only those that are not sparse, or none, if the form of the
    /// scan is not dense.
    pub design: &'a [f64],
    /// The places of the ones among the sparse columns, ascending; empty if the form of the scan is not sparse.
    pub ones: &'a [u32],
    /// The target in its own unit, or the position of the class.
    pub observed: f64,
    /// The target after its transformation, or the position of the class.
    pub target: f64,
    /// The weight.
    pub weight: f64,
    /// The term without a coefficient, not centred; 0 without an offset.
    pub offset: f64,
}

impl EncodedRow<'_> {
    /// The label of the row for a measurement of this model.
    pub(crate) fn label(&self, model: &Model, held_out: bool) -> Label {
        let exposure = model.design().exposure(self.features);
        Label { target: self.observed, weight: self.weight, exposure, held_out }
    }
}

/// A block of consecutive rows.
#[derive(Debug, Default)]
pub(crate) struct EncodedRows {
    /// The number of the first row.
    first: u64,
    /// The features, row by row, encoded as in a frame.
    features: Vec<f64>,
    /// Whether each feature was missing, row by row; empty if no value of the data is.
    missing: Vec<bool>,
    /// The columns of the design, row by row; none when they are the features.
    design: Option<Vec<f64>>,
    /// The ones of sparse columns, and for each row their number up to its end.
    ones: Vec<u32>,
    ends: Vec<usize>,
    /// For each row, the target in its own unit, the target after its transformation, the weight, and the offset.
    targets: Vec<[f64; 4]>,
    width: usize,
    columns: usize,
}

impl EncodedRows {
    /// The number of rows.
    pub(super) fn len(&self) -> usize {
        self.targets.len()
    }

    /// The features, row by row.
    pub(crate) fn features(&self) -> &[f64] {
        &self.features
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = EncodedRow<'_>> {
        let has_missing = !self.missing.is_empty();
        let features_of_row = if has_missing { self.missing.len() / self.targets.len().max(1) } else { 0 };
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let mut ones = starts.zip(&self.ends).map(|(start, end)| self.ones.get(start..*end).unwrap_or_default());
        self.targets.iter().enumerate().map(move |(at, &[observed, target, weight, offset])| {
            let features = part(&self.features, self.width, at);
            EncodedRow {
                number: self.first + at as u64,
                features,
                missing: part(&self.missing, features_of_row, at),
                design: self.design.as_ref().map_or(features, |design| part(design, self.columns, at)),
                ones: ones.next().unwrap_or_default(),
                observed,
                target,
                weight,
                offset,
            }
        })
    }
}

/// The values of a row, of rows of this width.
fn part<T>(values: &[T], width: usize, row: usize) -> &[T] {
    values.get(row * width..(row + 1) * width).unwrap_or_default()
}

impl TrainingTable {
    /// The columns of levels, of which a [sparse](DesignForm::Sparse) scan has only the ones, if they are the most of a
    /// large design; empty if they are not.
    pub(crate) fn sparse_columns(&self) -> Vec<usize> {
        let columns = self.columns().len();
        let sparse = if columns > MOST_COLUMNS { self.design.level_columns() } else { Vec::new() };
        if sparse.len() * 2 < columns { Vec::new() } else { sparse }
    }

    /// The numbers of the design of a row in this form.
    pub(super) fn design_width(&self, form: DesignForm) -> usize {
        match form {
            DesignForm::Dense => self.names.len(),
            DesignForm::Sparse => self.names.len() - self.design.level_columns().len(),
            DesignForm::Absent => 0,
        }
    }

    pub(super) fn encode(&self, form: DesignForm, first: u64, bytes: &[u8]) -> EncodedRows {
        let width = self.signature.frame_width();
        let columns = self.design_width(form);
        let mut rows = EncodedRows { first, width, columns, ..EncodedRows::default() };
        let row_bytes = self.spool.width() * size_of::<f64>();
        let count = bytes.len() / row_bytes;
        rows.features.reserve(count * width);
        rows.targets.reserve(count);
        if form != DesignForm::Dense || !self.design.is_identity(width) {
            rows.design = Some(Vec::with_capacity(count * columns));
        }
        let target_place = self.spool.width() - 1 - usize::from(self.weights.is_some());
        let has_missing = self.missing.iter().any(|missing| *missing > 0);
        let mut row: Vec<f64> = Vec::with_capacity(self.spool.width());
        for bytes in bytes.chunks_exact(row_bytes) {
            let start = rows.features.len();
            row.clear();
            row.extend(spool::values(bytes));
            let at = |position: usize| row.get(position).copied().unwrap_or(f64::NAN);
            rows.features
                .extend(self.stored.iter().zip(&self.positions).map(|(column, place)| column.value(at(*place))));
            if has_missing {
                rows.missing.extend(self.positions.iter().map(|place| at(*place).is_nan()));
            }
            let indicated =
                self.signature.features().iter().zip(&self.positions).filter(|(feature, _)| feature.indicator);
            rows.features.extend(indicated.map(|(_, place)| f64::from(u8::from(at(*place).is_nan()))));
            let features = rows.features.get(start..).unwrap_or_default();
            match (form, &mut rows.design) {
                (DesignForm::Dense, Some(design)) => self.design.extend_raw(features, design),
                (DesignForm::Sparse, Some(numbers)) => {
                    self.design.extend_sparse(features, numbers, &mut rows.ones);
                    rows.ends.push(rows.ones.len());
                }
                _ => {}
            }
            let offset = self.design.offset(features).unwrap_or(0.0);
            let observed = self.observed(at(target_place));
            let target = match self.target_transform() {
                TargetTransform::Log => libm::log(observed),
                TargetTransform::Identity => observed,
            };
            rows.targets.push([observed, target, self.weights.map_or(1.0, at), offset]);
        }
        rows
    }

    /// The target in its own unit, or the position of the class.
    fn observed(&self, stored: f64) -> f64 {
        let value = self.stored_target.value(stored);
        if self.class_values.is_empty() {
            return value;
        }
        let position = self.class_values.binary_search_by(|class| class.total_cmp(&(value + 0.0)));
        // Every value is a class, and MAX_CLASSES positions are exact.
        position.map_or(f64::NAN, |position| position as f64)
    }
}
