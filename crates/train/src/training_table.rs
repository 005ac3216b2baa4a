//! The rows of the training data, encoded for a fit, with signature and design.

mod categories;
mod encoded_rows;

use std::collections::{BTreeSet, HashSet};

pub use encoded_rows::EncodedRow;
pub(crate) use encoded_rows::{DesignForm, EncodedRows};
use ordinate_model::artifact::ArtifactError;
use ordinate_model::preprocess::{Design, DesignColumn, Offset, Preprocess, TargetTransform};
use ordinate_model::scalar::Scalar;
use ordinate_model::signature::{Feature, Signature};
use ordinate_table::frame_values::FrameValues;
use ordinate_table::parallel::{available_threads, in_order};
use ordinate_table::spool::{Spool, SpoolError};
use ordinate_table::{Decision, Scan, Source};

/// Values in a block of rows, before or after encoding, whichever are more: half a megabyte.
const BLOCK_VALUES: usize = 1 << 16;

/// Training data in a temporary file, ready to be fitted.
#[derive(Debug)]
pub struct TrainingTable {
    pub(super) source: Source,
    pub(super) scan: Scan,
    pub(super) signature: Signature,
    pub(super) preprocess: Preprocess,
    pub(super) design: Design,
    /// The names of the design's columns.
    pub(super) names: Vec<String>,
    /// The position of each feature in a row of the spool, and of the weights, which follow the target.
    pub(super) positions: Vec<usize>,
    pub(super) weights: Option<usize>,
    /// How values of the spool become values of a frame.
    pub(super) stored: Vec<FrameValues>,
    pub(super) stored_target: FrameValues,
    /// The target as a feature, to read it in test data.
    pub(super) target: Feature,
    /// The classes, and the numbers of numeric classes; both are empty for a regression.
    pub(super) classes: Vec<Scalar>,
    pub(super) class_values: Vec<f64>,
    /// The number of missing values of each feature.
    pub(super) missing: Vec<u64>,
    /// The decisions about the data.
    pub(super) decisions: Vec<Decision>,
    pub(super) notes: Vec<String>,
    pub(super) spool: Spool,
}

impl TrainingTable {
    /// The number of missing values of each feature.
    #[must_use]
    pub fn missing(&self) -> &[u64] {
        &self.missing
    }

    /// The signature of the model.
    #[must_use]
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// The design, with means of 0 and scales of 1.
    #[must_use]
    pub fn columns(&self) -> &[DesignColumn] {
        &self.preprocess.columns
    }

    /// The transformation of the target.
    #[must_use]
    pub fn target_transform(&self) -> TargetTransform {
        self.preprocess.target_transform
    }

    /// The term without a coefficient, not centred yet.
    #[must_use]
    pub fn offset(&self) -> Option<&Offset> {
        self.preprocess.offset.as_ref()
    }

    /// Whether the fit has no intercept.
    #[must_use]
    pub fn through_origin(&self) -> bool {
        self.preprocess.through_origin
    }

    /// The names of the design's columns.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The classes in ascending order; empty for a regression.
    #[must_use]
    pub fn classes(&self) -> &[Scalar] {
        &self.classes
    }

    /// The number of rows and the checksum of the data.
    #[must_use]
    pub fn summary(&self) -> &Scan {
        &self.scan
    }

    /// The name of the data in messages.
    #[must_use]
    pub fn label(&self) -> String {
        self.source.label()
    }

    /// The decisions about the data.
    #[must_use]
    pub fn decisions(&self) -> &[Decision] {
        &self.decisions
    }

    /// Notes on the data.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Whether the design has powers or products of numbers, which are rounded.
    pub(crate) fn is_rounded(&self) -> bool {
        self.columns().iter().any(DesignColumn::is_rounded)
    }

    /// The low-order parts of the columns of the design, whose products have more digits than a double.
    pub(crate) fn low_parts<'r>(&'r self, row: &EncodedRow<'r>) -> impl Iterator<Item = f64> + 'r {
        self.design.rounding_errors(row.features)
    }

    /// Calls `each` with every row, in order.
    ///
    /// # Errors
    /// [`SpoolError`] when the temporary file cannot be read, or the error of `each`, which ends the pass.
    pub fn scan<E: From<SpoolError> + Send>(
        &self,
        each: &mut dyn FnMut(EncodedRow<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.scan_with(DesignForm::Dense, |_| (), |rows, ()| rows.rows().try_for_each(&mut *each))
    }

    /// As [`scan`](Self::scan), with the [sparse columns](Self::sparse_columns), if there are any, by their ones.
    ///
    /// # Errors
    /// As [`scan`](Self::scan).
    pub(crate) fn scan_sparse<E: From<SpoolError> + Send>(
        &self,
        each: &mut dyn FnMut(EncodedRow<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let form = if self.sparse_columns().is_empty() { DesignForm::Dense } else { DesignForm::Sparse };
        self.scan_with(form, |_| (), |rows, ()| rows.rows().try_for_each(&mut *each))
    }

    /// Calls `work` with blocks of rows on several threads, then `take` with each block and its result, in order.
    ///
    /// # Errors
    /// [`SpoolError`] when the temporary file cannot be read, or the error of `take`, which ends the pass.
    pub(crate) fn scan_with<R: Send, E: From<SpoolError> + Send>(
        &self,
        form: DesignForm,
        work: impl Fn(&EncodedRows) -> R + Sync,
        mut take: impl FnMut(&EncodedRows, R) -> Result<(), E>,
    ) -> Result<(), E> {
        let rows = (BLOCK_VALUES / self.spool.width().max(self.design_width(form))).max(1);
        let watch = self.source.watch();
        if let Some(watch) = watch {
            watch.stage("computing", self.scan.rows);
        }
        let mut first = 0;
        let next = || {
            let bytes = self.spool.bytes(first, rows)?;
            let number = first;
            first += rows as u64;
            Ok((!bytes.is_empty()).then_some((number, bytes)))
        };
        let encode = |(first, bytes): (u64, Vec<u8>)| {
            let rows = self.encode(form, first, &bytes);
            let result = work(&rows);
            (rows, result)
        };
        in_order(available_threads(), next, encode, |(rows, result)| {
            if let Some(watch) = watch {
                watch.report(rows.len() as u64);
            }
            take(&rows, result)
        })
    }

    /// Calls `each` with the first row only.
    ///
    /// # Errors
    /// [`SpoolError`] when the temporary file cannot be read.
    pub(crate) fn first(&self, each: impl FnOnce(EncodedRow<'_>)) -> Result<(), SpoolError> {
        self.encode(DesignForm::Dense, 0, &self.spool.bytes(0, 1)?).rows().next().map(each);
        Ok(())
    }

    /// The rows that every fit needs.
    ///
    /// The required rows are the first row of each class and, for each column of a level, the first row in which it
    /// differs from the first row of the data. Without them a column could be constant in the rows that are not held
    /// out.
    ///
    /// # Errors
    /// [`SpoolError`] when the temporary file cannot be read.
    pub(crate) fn required_rows(&self) -> Result<BTreeSet<u64>, SpoolError> {
        let has_level = |column: &DesignColumn| column.product.iter().any(|factor| factor.level.is_some());
        let mut waiting: Vec<usize> =
            self.columns().iter().enumerate().filter(|(_, column)| has_level(column)).map(|(at, _)| at).collect();
        let mut rows = BTreeSet::new();
        let mut classes = BTreeSet::new();
        if waiting.is_empty() && self.classes.is_empty() {
            return Ok(rows);
        }
        let mut first: Vec<f64> = Vec::new();
        self.scan::<SpoolError>(&mut |row| {
            if row.weight == 0.0 {
                return Ok(());
            }
            if first.is_empty() {
                first = row.design.to_vec();
            }
            let before = waiting.len();
            waiting.retain(|at| row.design.get(*at) == first.get(*at));
            let new_class = !self.classes.is_empty() && classes.insert(row.target.to_bits());
            if rows.is_empty() || waiting.len() < before || new_class {
                rows.insert(row.number);
            }
            Ok(())
        })?;
        Ok(rows)
    }

    /// The table without some columns of its design.
    ///
    /// # Errors
    /// [`ArtifactError`] when no column is left.
    pub(crate) fn without(mut self, dropped: &[usize]) -> Result<Self, ArtifactError> {
        let dropped: BTreeSet<usize> = dropped.iter().copied().collect();
        let mut at = 0..;
        self.preprocess.columns.retain(|_| at.next().is_some_and(|at| !dropped.contains(&at)));
        self.ignore_unused_features()?;
        self.design = Design::new(&self.preprocess, &self.signature).map_err(ArtifactError::Inconsistent)?;
        self.names = self.preprocess.columns.iter().map(|column| column.name.clone()).collect();
        Ok(self)
    }

    /// Features of which no column is left are accepted in requests and not used.
    fn ignore_unused_features(&mut self) -> Result<(), ArtifactError> {
        let factors = self.preprocess.columns.iter().flat_map(|column| &column.product);
        let offset = self.preprocess.offset.iter().map(|offset| offset.feature.as_str());
        let used: HashSet<&str> = factors.map(|factor| factor.feature.as_str()).chain(offset).collect();
        let is_used: Vec<bool> =
            self.signature.features().iter().map(|feature| used.contains(feature.name.as_str())).collect();
        if is_used.iter().all(|used| *used) {
            return Ok(());
        }
        let features = self.signature.features().iter().zip(&is_used).filter(|(_, used)| **used);
        let features: Vec<Feature> = features.map(|(feature, _)| feature.clone()).collect();
        let others = self.signature.features().iter().zip(&is_used).filter(|(_, used)| !**used);
        let ignored: Vec<String> =
            others.map(|(feature, _)| feature.name.clone()).chain(self.signature.ignored().iter().cloned()).collect();
        let signature = Signature::new(features, self.signature.target().clone());
        self.signature = signature.map_err(ArtifactError::Inconsistent)?.ignoring(ignored);
        retain(&mut self.positions, &is_used);
        retain(&mut self.stored, &is_used);
        retain(&mut self.missing, &is_used);
        Ok(())
    }
}

/// Keeps the items whose flag is set.
fn retain<T>(items: &mut Vec<T>, kept: &[bool]) {
    let mut kept = kept.iter();
    items.retain(|_| kept.next().is_some_and(|kept| *kept));
}
