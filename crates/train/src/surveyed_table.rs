//! The training data after types, levels and missing values are decided; the estimator is not known yet.

mod association;
mod features;
mod identifier;
mod imputed;
mod left_out;
mod levels;
mod problems;
mod target;

use std::collections::{BTreeMap, HashSet};

use super::columns::{Terms, columns, without};
use super::preparation::Preparation;
use super::training_table::TrainingTable;
use crate::error::TrainError;
use features::{Choice, FeatureSet};
use left_out::{left_out_notes, left_out_rows};
use ordinate_model::artifact::ArtifactError;
use ordinate_model::family::Family;
use ordinate_model::number::parse_double;
use ordinate_model::preprocess::{Design, DesignColumn, Offset, Preprocess, TargetTransform};
use ordinate_model::scalar::Scalar;
use ordinate_model::signature::{Feature, FeatureType, Signature};
use ordinate_model::suggestion::most_similar;
use ordinate_table::column::{Column, Role};
use ordinate_table::contents::{Contents, Reader};
use ordinate_table::frame_values::FrameValues;
use ordinate_table::infer::{self, Inferred, ReadingOptions, Surveyed, infer, shown};
use ordinate_table::missing::{self, Policy};
use ordinate_table::resolve::{RowRules, resolve};
use ordinate_table::spool::Spool;
use ordinate_table::survey::{Pace, survey};
use ordinate_table::{DataError, Decision, NamedColumn, Purpose, Scan, Source};
pub use problems::Problems;

/// Training data with inferred types, before the estimator is known.
#[derive(Debug)]
pub struct SurveyedTable {
    source: Source,
    scan: Scan,
    spool: Spool,
    features: FeatureSet,
    target: Column,
    /// The position of the weights in a row of the spool.
    weights: Option<usize>,
    decisions: Vec<Decision>,
    notes: Vec<String>,
}

impl SurveyedTable {
    /// Reads all rows and decides types, levels, ranges and imputed values.
    ///
    /// # Errors
    /// [`TrainError`] when the files cannot be read, or options do not fit the data.
    pub fn new(source: Source, preparation: &Preparation) -> Result<Self, TrainError> {
        Self::with_pace(Pace::default(), source, preparation)
    }

    pub(super) fn with_pace(pace: Pace, source: Source, preparation: &Preparation) -> Result<Self, TrainError> {
        let read_columns = roles(&source, preparation)?;
        let options = preparation.reading_options();
        let (scan, spool, contents, inferred, mut decisions) = read(&source, &read_columns, &options, pace)?;
        problems::check(&source, &read_columns, &inferred)?;
        let typed = read_columns.iter().zip(inferred).zip(contents);
        let mut columns: Vec<Column> =
            typed.map(|((role, inferred), contents)| Column::new(role.role, inferred.feature, contents)).collect();
        let target = columns.len() - 1 - usize::from(source.has_weights);
        let weights = source.has_weights.then_some(target + 1);
        let rules = RowRules { target, weight: weights, required: required(&source, preparation, target) };
        let (spool, rows, left_out) = resolve(spool, &mut columns, &rules)?;
        problems::check_rows(&source, &columns, &left_out, preparation, rows)?;
        decisions.extend(left_out_rows(&left_out, &columns, &rules, preparation, source.offset.as_ref()));
        let scan = Scan { rows, ..scan };
        let mut notes = left_out_notes(&left_out, preparation);
        let choice = Choice { source: &source, preparation, columns: &columns, spool: &spool, target };
        let (features, remarks) = choice.features()?;
        decisions.extend(remarks.decisions);
        notes.extend(remarks.notes);
        problems::check_positive(&source, &read_columns, &columns)?;
        columns.truncate(target + 1);
        let target = columns.pop().ok_or_else(|| DataError::NoValues { column: String::new() })?;
        Ok(Self { source, scan, spool, features, target, weights, decisions, notes })
    }

    /// Whether the target is not numeric: text, or `true` and `false`.
    #[must_use]
    pub fn has_class_target(&self) -> bool {
        matches!(self.target.feature.kind, FeatureType::String | FeatureType::Boolean)
    }

    /// The two values of a numeric target that has no others, each in more than one row: it is two classes.
    #[must_use]
    pub fn two_values(&self) -> Option<[Scalar; 2]> {
        target::two_values(&self.target)
    }

    /// Checks that all targets are ones that the family has, and notes counts that are not whole.
    ///
    /// # Errors
    /// [`DataError`] with the first row of the smallest target.
    pub(crate) fn check_family(&mut self, family: Family) -> Result<(), TrainError> {
        problems::check_family(&self.source, &self.target, family)?;
        if family == Family::Poisson && !self.target.is_whole {
            self.notes.push(format!(
                "{} has fractions, which Poisson regression takes as counts per unit: if the variance is not proportional to the \
                 mean, standard errors are wrong",
                shown(self.target.name())
            ));
        }
        Ok(())
    }

    /// A note on a target of counts, which least squares can predict below zero.
    pub(crate) fn note_counts(&mut self) {
        if target::is_count(&self.target) {
            self.notes.push(format!(
                "{} looks like a count (whole numbers from 0, most of them small): --estimator poisson fits counts, and never \
                 predicts a negative number",
                shown(self.target.name())
            ));
        }
    }

    /// The number of rows.
    pub(crate) fn rows(&self) -> u64 {
        self.scan.rows
    }

    /// The number of columns of the design for least squares.
    ///
    /// # Errors
    /// [`DataError`] for too many.
    pub(crate) fn column_count(&self, preparation: &Preparation) -> Result<usize, TrainError> {
        Ok(self.columns(preparation, false)?.len())
    }

    /// The columns of the design, with all levels of a category or without the reference level.
    fn columns(&self, preparation: &Preparation, every_level: bool) -> Result<Vec<DesignColumn>, DataError> {
        let Preparation { degree, interactions, through_origin, .. } = *preparation;
        let (reference, parts) = (&preparation.reference, &self.features.parts);
        let terms = Terms { degree, interactions, every_level, through_origin, reference, parts };
        let is_column =
            |feature: &&Feature| self.source.offset.as_ref().is_none_or(|offset| offset.name != feature.name);
        let features: Vec<Feature> = self.features.features.iter().filter(is_column).cloned().collect();
        let columns = columns(&features, terms).map_err(|fault| fault.in_data(self.source.label()))?;
        without(columns, self.source.excluded_terms())
    }

    /// The table for a fit: classification or regression, with all levels of a category or without the reference level.
    ///
    /// # Errors
    /// [`DataError`] when the target does not suit it, or the design has too many columns.
    pub fn table(
        mut self,
        preparation: &Preparation,
        classify: bool,
        every_level: bool,
    ) -> Result<TrainingTable, TrainError> {
        let data = self.source.label();
        let in_data = |fault: DataError| fault.in_data(data.clone());
        if classify && preparation.target_transform != TargetTransform::Identity {
            return Err(in_data(DataError::TransformOfClasses { column: self.target.name().to_owned() }).into());
        }
        let classes = if classify {
            target::classes(&self.target, self.scan.rows).map_err(in_data)?
        } else {
            target::Classes::default()
        };
        self.notes.extend(target::notes(&self.target, &classes));
        let (target, described) = target::described(&self.target, &classes);
        let target::Classes { labels, values, .. } = classes;
        check_reference(&self.features.features, &preparation.reference)?;
        let columns = self.columns(preparation, every_level)?;
        let FeatureSet { features, positions, values: stored, missing, parts: _, ignored } = self.features;
        let Preparation { target_transform, through_origin, .. } = *preparation;
        let inconsistent = |reason: String| TrainError::Artifact(ArtifactError::Inconsistent(reason));
        let signature = Signature::new(features, described).map_err(inconsistent)?.ignoring(ignored);
        let offset = self.source.offset.as_ref();
        let offset = offset.map(|offset| Offset { feature: offset.name.clone(), log: offset.log, mean: 0.0 });
        let preprocess = Preprocess { columns, target_transform, through_origin, offset };
        let design = Design::new(&preprocess, &signature).map_err(inconsistent)?;
        let names = preprocess.columns.iter().map(|column| column.name.clone()).collect();
        let table = TrainingTable {
            source: self.source,
            scan: self.scan,
            signature,
            preprocess,
            design,
            names,
            positions,
            stored,
            stored_target: FrameValues::new(&self.target, &target),
            target,
            classes: labels,
            class_values: values,
            missing,
            spool: self.spool,
            weights: self.weights,
            decisions: self.decisions,
            notes: self.notes,
        };
        // All columns of a feature may be excluded.
        Ok(table.without(&[])?)
    }
}

/// A column to read, and its role.
#[derive(Debug)]
pub(super) struct RoleOf {
    role: Role,
    named: NamedColumn,
}

/// The result of reading all rows, and what was inferred of them.
type ReadTable = (Scan, Spool, Vec<Contents>, Vec<Inferred>, Vec<Decision>);

/// Reads all rows, once more if numbers have to be read in another way than it seemed.
fn read(source: &Source, roles: &[RoleOf], options: &ReadingOptions, pace: Pace) -> Result<ReadTable, TrainError> {
    let is_text = |name: &str| options.declared(name) == Some(FeatureType::String);
    let first = |column: &RoleOf| {
        let name = &*column.named.name;
        if is_text(name) {
            return Reader::Typed(Feature::new(name, FeatureType::String));
        }
        let markers = options.missing(name);
        Reader::Infer(markers.into_iter().filter(|marker| parse_double(marker).is_ok()).collect())
    };
    let mut readers: Vec<Reader> = roles.iter().map(first).collect();
    let (mut scan, mut spool, mut contents) = survey(source, &readers, pace)?;
    let surveyed: Vec<Surveyed<'_>> =
        roles.iter().zip(&contents).map(|(column, contents)| Surveyed { named: &column.named, contents }).collect();
    let mut inferred = infer(&surveyed, options, source.delimiter());
    let mut must_be_read = inferred.iter().any(|column| column.again);
    while must_be_read {
        for (reader, column) in readers.iter_mut().zip(&inferred).filter(|(_, column)| column.again) {
            *reader = Reader::Typed(column.feature.clone());
        }
        (scan, spool, contents) = survey(source, &readers, pace)?;
        // A column that turns out to be text has no further surprises.
        must_be_read = false;
        for (column, contents) in inferred.iter_mut().zip(&contents).filter(|(column, _)| column.again) {
            must_be_read |= column.check(contents);
        }
    }
    let mut decisions = source.decisions();
    decisions.extend(infer::decisions(&inferred, options));
    Ok((scan, spool, contents, inferred, decisions))
}

/// The positions of columns whose rows without a value are to be dropped.
fn required(source: &Source, preparation: &Preparation, target: usize) -> Vec<usize> {
    // A row without its offset cannot be fitted, and an offset is not invented.
    let is_offset = |name: &String| source.offset.as_ref().is_some_and(|offset| offset.name == *name);
    let drops = |name: &String| match missing::policy(&preparation.missing, name) {
        Policy::Drop => true,
        Policy::Auto => is_offset(name),
        _ => false,
    };
    source.names().iter().take(target).enumerate().filter(|(_, name)| drops(name)).map(|(at, _)| at).collect()
}

/// The columns to read, in order: features, target, weights.
fn roles(source: &Source, preparation: &Preparation) -> Result<Vec<RoleOf>, DataError> {
    let weights = usize::from(source.has_weights);
    let target = source.names().len() - 1 - weights;
    let log = preparation.target_transform == TargetTransform::Log;
    let mut typed = preparation.types.iter().map(|(name, _)| name).chain(&preparation.categorical);
    let mut before = HashSet::new();
    if let Some(column) = typed.find(|name| !before.insert(*name)) {
        return Err(DataError::TwoTypes { column: column.clone() });
    }
    let is_read = |name: &String| source.names().iter().take(target + 1).position(|read| read == name);
    for (option, name, of_features) in preparation.named() {
        match is_read(name) {
            Some(place) if place < target || !of_features => {}
            // A column that is left out may have a type all the same.
            None if source.header.contains(name) => {}
            found => {
                let is_there = source.header.contains(name);
                let features = source.names().get(..target).unwrap_or_default();
                return Err(DataError::UnusedColumn {
                    option,
                    column: name.clone(),
                    is_target: found.is_some(),
                    nearest: most_similar(name, features).filter(|_| !is_there).map(str::to_owned),
                });
            }
        }
    }
    check_declared(source, preparation)?;
    let role = |(place, name): (usize, &String)| {
        let role = match place.cmp(&target) {
            std::cmp::Ordering::Less => match source.offset.as_ref().filter(|offset| offset.name == *name) {
                Some(offset) => Role::Offset { log: offset.log },
                None => Role::Feature,
            },
            std::cmp::Ordering::Equal => Role::Target { log },
            std::cmp::Ordering::Greater => Role::Weight,
        };
        RoleOf { role, named: NamedColumn { name: name.as_str().into(), purpose: role.purpose() } }
    };
    Ok(source.names().iter().enumerate().map(role).collect())
}

/// Checks that no option makes something else than numbers of the weights, the offset or the exposure.
fn check_declared(source: &Source, preparation: &Preparation) -> Result<(), DataError> {
    let weights = source.names().last().filter(|_| source.has_weights).map(|name| (name, Purpose::Weight));
    let offset = source.offset.as_ref().map(|offset| (&offset.name, offset.purpose()));
    for (name, purpose) in weights.into_iter().chain(offset) {
        if let Some((option, kind)) = preparation.other_than_number(name) {
            let column = NamedColumn { name: name.as_str().into(), purpose };
            return Err(DataError::RoleNotNumber { option, column, kind });
        }
    }
    Ok(())
}

/// Checks that reference levels are levels.
fn check_reference(features: &[Feature], reference: &BTreeMap<String, String>) -> Result<(), DataError> {
    for (name, level) in reference {
        let Some(feature) = features.iter().find(|feature| feature.name == *name) else { continue };
        if !feature.levels.contains(level) {
            let nearest = most_similar(level, &feature.levels).map(str::to_owned);
            return Err(DataError::NoSuchLevel { column: name.clone(), level: level.clone(), nearest });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
