//! Data that are understood: a signature, a design, and every row encoded by the code that serves requests.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use super::DataError;
use super::source::{Record, Scan, Source};
use super::spool::{Filling, Spool};
use crate::model::preprocess::{Design, DesignColumn, Preprocess, TargetTransform};
use crate::model::scalar::Scalar;
use crate::model::signature::{Feature, FeatureType, Signature};
use crate::train::TrainError;
use crate::train::rows::{Row, Rows};
use crate::train::split::Split;

/// Rows of one kind, ready to be fitted.
#[derive(Debug)]
pub struct Table {
    pub(super) source: Source,
    pub(super) scan: Scan,
    pub(super) has_weights: bool,
    pub(super) signature: Signature,
    pub(super) preprocess: Preprocess,
    pub(super) design: Design,
    /// The names of the design's columns.
    pub(super) names: Vec<String>,
    /// How the target is read.
    pub(super) target: Feature,
    /// The classes and, of numbers, their values; empty when a number is to be predicted.
    pub(super) classes: Vec<Scalar>,
    pub(super) class_values: Vec<f64>,
    /// Rows without a value, of each feature.
    pub(super) missing: Vec<u64>,
    pub(super) notes: Vec<String>,
    /// All rows, once they have been read to the end.
    pub(super) spool: OnceCell<Spool>,
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

/// Makes rows of the design, one after the other.
struct Encoder<'t> {
    table: &'t Table,
    design: Vec<f64>,
    number: u64,
}

impl Encoder<'_> {
    fn encode(
        &mut self,
        features: &[f64],
        observed: f64,
        weight: f64,
        each: &mut dyn FnMut(Encoded<'_>) -> Result<(), TrainError>,
    ) -> Result<(), TrainError> {
        for (value, raw) in self.design.iter_mut().zip(self.table.design.raw(features)) {
            *value = raw;
        }
        let target = match self.table.target_transform() {
            TargetTransform::Log => libm::log(observed),
            _ => observed,
        };
        let number = self.number;
        self.number += 1;
        each(Encoded { number, features, design: &self.design, observed, target, weight })
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

    /// Hands every row to `each`.
    ///
    /// # Errors
    /// [`DataError`] when the data are not what the survey saw. Whatever `each` fails with ends the pass.
    pub fn scan(&self, each: &mut dyn FnMut(Encoded<'_>) -> Result<(), TrainError>) -> Result<(), TrainError> {
        let width = self.signature.width();
        let mut encoder = Encoder { table: self, design: vec![0.0; self.names.len()], number: 0 };
        if let Some(spool) = self.spool.get() {
            // The features, what was observed, and the weight: as they were written below.
            return spool.scan(width + 2, |row| match row.split_at_checked(width) {
                Some((features, [observed, weight])) => encoder.encode(features, *observed, *weight, each),
                _ => Err(self.source.changed().into()),
            });
        }
        let mut features = vec![0.0; width];
        let weight = Feature::new("", FeatureType::Double);
        let mut filling = Filling::new();
        let seen = self.source.scan(&mut |record| {
            for (place, (value, feature)) in features.iter_mut().zip(self.signature.features()).enumerate() {
                *value = self.accept(feature, place, record)?;
            }
            let told = self.accept(&self.target, width, record)?;
            let observed = if self.class_values.is_empty() { told } else { self.class(told)? };
            let weight = if self.has_weights { self.accept(&weight, width + 1, record)? } else { 1.0 };
            filling =
                filling.take().and_then(|filling| filling.push(features.iter().copied().chain([observed, weight])));
            encoder.encode(&features, observed, weight, each)
        })?;
        if seen != self.scan {
            return Err(self.source.changed().into());
        }
        if let Some(spool) = filling.and_then(Filling::finish) {
            // Set once: by the first pass that came to the end.
            let _ = self.spool.set(spool);
        }
        Ok(())
    }

    /// Hands the first row to `each` and reads no further.
    ///
    /// # Errors
    /// Those of reading the data.
    pub(crate) fn first(&self, each: &mut dyn FnMut(Encoded<'_>)) -> Result<(), TrainError> {
        let mut found = false;
        let outcome = self.scan(&mut |row| {
            each(row);
            found = true;
            // Any error ends the pass.
            Err(self.source.changed().into())
        });
        if found { Ok(()) } else { outcome }
    }

    fn accept(&self, feature: &Feature, place: usize, record: &dyn Record) -> Result<f64, TrainError> {
        feature.accept(record.cell(place)).map_err(|source| {
            let location = self.source.location(record.place());
            DataError::Value { location, column: feature.name.clone(), source }.into()
        })
    }

    /// The position of a class that is a number.
    fn class(&self, value: f64) -> Result<f64, TrainError> {
        let position = self.class_values.binary_search_by(|class| class.total_cmp(&(value + 0.0)));
        // At most MAX_CLASSES: exact.
        position.map(|position| position as f64).map_err(|_| self.source.changed().into())
    }

    /// Rows that must take part in every fit: for each column made from a level, the first row in which it is not what it
    /// was before. Without them a column could be constant in what is left. The second answer: columns that never vary.
    ///
    /// # Errors
    /// Those of [`scan`](Self::scan).
    pub(crate) fn indispensable(&self) -> Result<(BTreeSet<u64>, Vec<usize>), TrainError> {
        let of_levels = |column: &DesignColumn| column.product.iter().any(|factor| factor.level.is_some());
        let mut waiting: Vec<usize> =
            self.columns().iter().enumerate().filter(|(_, column)| of_levels(column)).map(|(at, _)| at).collect();
        let mut rows = BTreeSet::new();
        let mut classes = BTreeSet::new();
        if waiting.is_empty() && self.classes.is_empty() {
            return Ok((rows, waiting));
        }
        let mut first: Vec<f64> = Vec::new();
        self.scan(&mut |row| {
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
    /// [`TrainError`] when nothing is left.
    pub(crate) fn without(mut self, dropped: &[usize]) -> Result<Self, TrainError> {
        let dropped: BTreeSet<usize> = dropped.iter().copied().collect();
        let mut at = 0..;
        self.preprocess.columns.retain(|_| at.next().is_some_and(|at| !dropped.contains(&at)));
        let inconsistent = |reason| TrainError::Artifact(crate::model::artifact::ArtifactError::Inconsistent(reason));
        self.design = Design::new(&self.preprocess, &self.signature).map_err(inconsistent)?;
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

    fn scan(&self, each: &mut dyn FnMut(Row<'_>) -> Result<(), TrainError>) -> Result<(), TrainError> {
        self.table.scan(&mut |row| {
            let Encoded { number, design, target, weight, .. } = row;
            if self.split.is_some_and(|split| split.holds_out(number)) {
                return Ok(());
            }
            each(Row { number, design, target, weight })
        })
    }
}
