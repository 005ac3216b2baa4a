//! Data that are understood: a signature, a design, and every row as a frame would hold it.

use std::collections::BTreeSet;

use crate::holdout::Split;
use crate::solver::rows::{Row, Rows};
use ordinate_model::artifact::ArtifactError;
use ordinate_model::preprocess::{Design, DesignColumn, Preprocess, TargetTransform};
use ordinate_model::scalar::Scalar;
use ordinate_model::signature::{Feature, Signature};
use ordinate_table::parallel::{available_threads, in_order};
use ordinate_table::spool;
use ordinate_table::spool::{Spool, SpoolError};
use ordinate_table::stored::Stored;
use ordinate_table::{Scan, Source};

/// Values of a block of rows, as they were read or as the design has them, whichever are more: half a megabyte.
const BLOCK_VALUES: usize = 1 << 16;

/// Rows of one kind, ready to be fitted.
#[derive(Debug)]
pub struct Table {
    pub(super) source: Source,
    pub(super) scan: Scan,
    pub(super) signature: Signature,
    pub(super) preprocess: Preprocess,
    pub(super) design: Design,
    /// The names of the design's columns.
    pub(super) names: Vec<String>,
    /// What the spool holds of each feature and of the target.
    pub(super) stored: Vec<Stored>,
    pub(super) stored_target: Stored,
    /// How the target is read in other files.
    pub(super) target: Feature,
    /// The classes and, of numbers, their values; empty when a number is to be predicted.
    pub(super) classes: Vec<Scalar>,
    pub(super) class_values: Vec<f64>,
    /// Rows without a value, of each feature.
    pub(super) missing: Vec<u64>,
    pub(super) notes: Vec<String>,
    /// All rows.
    pub(super) spool: Spool,
}

/// One row, as it was and as it will be fitted.
#[derive(Debug, Clone, Copy)]
pub struct Encoded<'a> {
    /// Its number in the data, from 0.
    pub number: u64,
    /// The features as a frame holds them.
    pub features: &'a [f64],
    /// The columns of the design, neither centred nor scaled.
    pub design: &'a [f64],
    /// The target in its own unit, or the position of the class.
    pub observed: f64,
    /// The target after its transformation, or the position of the class.
    pub target: f64,
    /// How much it counts.
    pub weight: f64,
}

/// Some rows, one after the other.
#[derive(Debug, Default)]
pub(crate) struct Encodings {
    /// The number of the first in the data.
    first: u64,
    /// Row by row: the features as a frame holds them.
    features: Vec<f64>,
    /// Row by row: the columns of the design; none where they are the features.
    design: Option<Vec<f64>>,
    /// Of each row: the target in its own unit, after its transformation, and how much it counts.
    answers: Vec<[f64; 3]>,
    width: usize,
    columns: usize,
}

impl Encodings {
    /// The features, row by row.
    pub(crate) fn features(&self) -> &[f64] {
        &self.features
    }

    /// One row after the other.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Encoded<'_>> {
        let features = self.features.chunks_exact(self.width);
        let design = self.design.as_ref().unwrap_or(&self.features);
        let rows = features.zip(design.chunks_exact(self.columns)).zip(&self.answers).zip(self.first..);
        rows.map(|(((features, design), &[observed, target, weight]), number)| Encoded {
            number,
            features,
            design,
            observed,
            target,
            weight,
        })
    }
}

impl Table {
    /// Rows without a value, of each feature.
    #[must_use]
    pub fn missing(&self) -> &[u64] {
        &self.missing
    }

    /// What a model asks for.
    #[must_use]
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// The design, with means of 0 and scales of 1.
    #[must_use]
    pub fn columns(&self) -> &[DesignColumn] {
        &self.preprocess.columns
    }

    /// What is done to the target.
    #[must_use]
    pub fn target_transform(&self) -> TargetTransform {
        self.preprocess.target_transform
    }

    /// Whether it is to be fitted without an intercept.
    #[must_use]
    pub fn through_origin(&self) -> bool {
        self.preprocess.through_origin
    }

    /// The names of the design's columns.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The classes in ascending order; none when a number is to be predicted.
    #[must_use]
    pub fn classes(&self) -> &[Scalar] {
        &self.classes
    }

    /// How many rows there are, and the digest of the data.
    #[must_use]
    pub fn seen(&self) -> &Scan {
        &self.scan
    }

    /// What to call the data in a message.
    #[must_use]
    pub fn label(&self) -> String {
        self.source.label()
    }

    /// What a reader should know of the data.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Whether powers or products of numbers are among the columns of the design.
    pub(crate) fn is_rounded(&self) -> bool {
        self.columns().iter().any(DesignColumn::is_rounded)
    }

    /// What each column of a row of the design lacks for being the product of its factors, which has more digits than a double.
    pub(crate) fn rests<'r>(&'r self, row: &Encoded<'r>) -> impl Iterator<Item = f64> + 'r {
        self.design.rounding_errors(row.features)
    }

    /// Hands every row to `each`.
    ///
    /// # Errors
    /// Those of reading the temporary file. Whatever `each` fails with ends the pass.
    pub fn scan<E: From<SpoolError> + Send>(
        &self,
        each: &mut dyn FnMut(Encoded<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.scan_with(|_| (), |rows, ()| rows.rows().try_for_each(&mut *each))
    }

    /// Hands all rows, some at a time, to `work`, on several threads, and then to `take` with what came of it, in order.
    ///
    /// # Errors
    /// Those of reading the temporary file. Whatever `take` fails with ends the pass.
    pub(crate) fn scan_with<R: Send, E: From<SpoolError> + Send>(
        &self,
        work: impl Fn(&Encodings) -> R + Sync,
        mut take: impl FnMut(&Encodings, R) -> Result<(), E>,
    ) -> Result<(), E> {
        let rows = (BLOCK_VALUES / self.spool.width().max(self.names.len())).max(1);
        let mut first = 0;
        let next = || {
            let bytes = self.spool.bytes(first, rows)?;
            let number = first;
            first += rows as u64;
            Ok((!bytes.is_empty()).then_some((number, bytes)))
        };
        let encode = |(first, bytes): (u64, Vec<u8>)| {
            let rows = self.encode(first, &bytes);
            let result = work(&rows);
            (rows, result)
        };
        in_order(available_threads(), next, encode, |(rows, result)| take(&rows, result))
    }

    fn encode(&self, first: u64, bytes: &[u8]) -> Encodings {
        let (width, columns) = (self.signature.width(), self.names.len());
        let mut rows = Encodings { first, width, columns, ..Encodings::default() };
        let row_bytes = self.spool.width() * size_of::<f64>();
        let count = bytes.len() / row_bytes;
        rows.features.reserve(count * width);
        rows.answers.reserve(count);
        if !self.design.is_identity(width) {
            rows.design = Some(Vec::with_capacity(count * columns));
        }
        for row in bytes.chunks_exact(row_bytes) {
            let start = rows.features.len();
            let mut row = spool::values(row);
            rows.features.extend(self.stored.iter().zip(&mut row).map(|(column, stored)| column.value(stored)));
            if let Some(design) = &mut rows.design {
                design.extend(self.design.raw(rows.features.get(start..).unwrap_or_default()));
            }
            let observed = self.observed(row.next().unwrap_or(f64::NAN));
            let target = match self.target_transform() {
                TargetTransform::Log => libm::log(observed),
                TargetTransform::Identity => observed,
            };
            // Where there are no weights, there is nothing behind the target.
            rows.answers.push([observed, target, row.next().unwrap_or(1.0)]);
        }
        rows
    }

    /// The target in its own unit, or the position of the class.
    fn observed(&self, stored: f64) -> f64 {
        let told = self.stored_target.value(stored);
        if self.class_values.is_empty() {
            return told;
        }
        let position = self.class_values.binary_search_by(|class| class.total_cmp(&(told + 0.0)));
        // The classes are all values that there are; at most MAX_CLASSES are exact.
        position.map_or(f64::NAN, |position| position as f64)
    }

    /// Hands the first row to `each` and reads no further.
    ///
    /// # Errors
    /// Those of reading the temporary file.
    pub(crate) fn first(&self, each: impl FnOnce(Encoded<'_>)) -> Result<(), SpoolError> {
        self.encode(0, &self.spool.bytes(0, 1)?).rows().next().map(each);
        Ok(())
    }

    /// Rows that must take part in every fit: for each column made from a level, the first row in which it is not what it
    /// was before. Without them a column could be constant in what is left. The second answer: columns that never vary.
    ///
    /// # Errors
    /// Those of [`scan`](Self::scan).
    pub(crate) fn indispensable(&self) -> Result<(BTreeSet<u64>, Vec<usize>), SpoolError> {
        let of_levels = |column: &DesignColumn| column.product.iter().any(|factor| factor.level.is_some());
        let mut waiting: Vec<usize> =
            self.columns().iter().enumerate().filter(|(_, column)| of_levels(column)).map(|(at, _)| at).collect();
        let mut rows = BTreeSet::new();
        let mut classes = BTreeSet::new();
        if waiting.is_empty() && self.classes.is_empty() {
            return Ok((rows, waiting));
        }
        let mut first: Vec<f64> = Vec::new();
        self.scan::<SpoolError>(&mut |row| {
            if first.is_empty() {
                first = row.design.to_vec();
            }
            let before = waiting.len();
            waiting.retain(|at| row.design.get(*at) == first.get(*at));
            let new_class = !self.classes.is_empty() && classes.insert(row.target.to_bits());
            if row.number == 0 || waiting.len() < before || new_class {
                rows.insert(row.number);
            }
            Ok(())
        })?;
        Ok((rows, waiting))
    }

    /// The table without some columns of its design.
    ///
    /// # Errors
    /// [`ArtifactError`] when nothing is left.
    pub(crate) fn without(mut self, dropped: &[usize]) -> Result<Self, ArtifactError> {
        let dropped: BTreeSet<usize> = dropped.iter().copied().collect();
        let mut at = 0..;
        self.preprocess.columns.retain(|_| at.next().is_some_and(|at| !dropped.contains(&at)));
        self.design = Design::new(&self.preprocess, &self.signature).map_err(ArtifactError::Inconsistent)?;
        self.names = self.preprocess.columns.iter().map(|column| column.name.clone()).collect();
        let columns = if dropped.len() == 1 { "column is" } else { "columns are" };
        self.notes.push(format!("{} {columns} left out: no row has that combination of categories", dropped.len()));
        Ok(self)
    }
}

/// The rows of a table that a solver may see.
#[derive(Debug, Clone, Copy)]
pub struct View<'t> {
    /// All rows.
    pub table: &'t Table,
    /// Without those that this holds out.
    pub split: Option<&'t Split>,
}

impl Rows for View<'_> {
    fn columns(&self) -> &[String] {
        self.table.names()
    }

    fn scan<E: From<SpoolError> + Send>(&self, each: &mut dyn FnMut(Row<'_>) -> Result<(), E>) -> Result<(), E> {
        self.table.scan(&mut |row| {
            let Encoded { number, design, target, weight, .. } = row;
            if self.split.is_some_and(|split| split.holds_out(number)) {
                return Ok(());
            }
            each(Row { number, design, target, weight })
        })
    }
}
