//! The training data after the first pass: types, levels and statistics are known, the estimator is not.

use std::collections::{BTreeMap, HashSet};

use super::columns::{Terms, columns, without};
use super::preparation::Preparation;
use super::training_table::TrainingTable;
use crate::error::TrainError;
use ordinate_model::artifact::ArtifactError;
use ordinate_model::preprocess::{Design, Preprocess, TargetTransform};
use ordinate_model::scalar::Scalar;
use ordinate_model::signature::{Feature, FeatureType, MissingPolicy, Signature, Target};
use ordinate_model::suggestion::most_similar;
use ordinate_model::wording::{counted, shorten};
use ordinate_table::column::{Column, Role};
use ordinate_table::spool::Spool;
use ordinate_table::statistics::{Statistic, statistics};
use ordinate_table::stored::Stored;
use ordinate_table::survey::{Pace, survey};
use ordinate_table::{DataError, MAX_CLASSES, missing};
use ordinate_table::{Scan, Source};

/// Classes in ascending order, the numbers of numeric classes, and the number of rows of each.
type Classes = (Vec<Scalar>, Vec<f64>, Vec<u64>);

/// A column of as few rows may have a different category in each row by chance.
const FEW_ROWS: u64 = 10;

/// Training data with inferred types, before the estimator is known.
#[derive(Debug)]
pub struct SurveyedTable {
    source: Source,
    scan: Scan,
    spool: Spool,
    /// How the spool stores each feature.
    stored: Vec<Stored>,
    features: Vec<Feature>,
    target: Column,
    target_kind: FeatureType,
    /// The number of missing values of each feature.
    missing: Vec<u64>,
    notes: Vec<String>,
}

impl SurveyedTable {
    /// Reads all rows once and infers types, levels, ranges and imputed values.
    ///
    /// # Errors
    /// [`DataError`] at the first fault.
    pub fn new(source: Source, preparation: &Preparation) -> Result<Self, TrainError> {
        Self::with_pace(Pace::default(), source, preparation)
    }

    pub(super) fn with_pace(pace: Pace, source: Source, preparation: &Preparation) -> Result<Self, TrainError> {
        let mut columns = planned_columns(&source, preparation)?;
        let (scan, spool) = survey(&source, &mut columns, pace)?;
        if source.has_weights {
            columns.pop();
        }
        let mut kinds = Vec::with_capacity(columns.len());
        for column in &columns {
            if column.is_empty() {
                return Err(DataError::NoValues { column: column.name.clone() }.in_data(source.label()).into());
            }
            kinds.push(column.kind(&source)?);
        }
        let policies: Vec<&missing::Policy> = columns.iter().map(|column| &column.policy).collect();
        let statistics = statistics(&spool, &policies, source.has_weights.then_some(columns.len()))?;

        let no_target = || DataError::NoValues { column: String::new() };
        let target = columns.pop().ok_or_else(no_target)?;
        let target_kind = kinds.pop().ok_or_else(no_target)?;
        let mut notes: Vec<String> = source.decisions().into_iter().map(|decision| decision.text).collect();
        let mut features = Vec::with_capacity(columns.len());
        for ((column, kind), statistic) in columns.iter().zip(kinds).zip(&statistics) {
            let made = feature(column, kind, preparation, statistic, &mut notes);
            features.push(made.map_err(|fault| fault.in_data(source.label()))?);
        }
        let missing = columns.iter().map(|column| column.missing).collect();
        let stored = columns.iter().zip(&features).map(|(column, feature)| Stored::new(column, feature)).collect();
        Ok(Self { source, scan, spool, stored, features, target, target_kind, missing, notes })
    }

    /// Whether the target is not numeric: text, or `true` and `false`.
    #[must_use]
    pub fn has_class_target(&self) -> bool {
        matches!(self.target_kind, FeatureType::String | FeatureType::Boolean)
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
        let (classes, class_values, counts) =
            if classify { self.classes().map_err(in_data)? } else { Default::default() };
        let single = classes.iter().zip(&counts).filter(|(_, count)| **count == 1).map(|(class, _)| class.to_string());
        if let Some(single) = first_and_count(single.collect()) {
            self.notes.push(format!("{}: the class {single} has only one row", self.target.name));
        }
        if self.target_kind == FeatureType::String {
            self.notes.extend(similar_levels(&self.target.name, self.target.levels().into_keys()));
        }
        if classify && preparation.target_transform != TargetTransform::Identity {
            return Err(in_data(DataError::TransformOfClasses { column: self.target.name }).into());
        }
        let kind = match self.target_kind {
            FeatureType::Double if classes.iter().any(|class| matches!(class, Scalar::Integer(_))) => FeatureType::Long,
            kind => kind,
        };
        let Preparation { degree, interactions, target_transform, through_origin, .. } = *preparation;
        let terms = Terms { degree, interactions, every_level, through_origin };
        let columns = columns(&self.features, terms).map_err(in_data)?;
        if columns.is_empty() {
            return Err(in_data(constant_feature(&self.features)).into());
        }
        let columns = without(columns, self.source.excluded_terms())?;
        let mut target = Feature::new(&self.target.name, self.target_kind);
        if self.target_kind == FeatureType::String {
            target.levels = self.target.levels().into_keys().map(str::to_owned).collect();
        }
        let inconsistent = |reason: String| TrainError::Artifact(ArtifactError::Inconsistent(reason));
        let signature = Signature::new(std::mem::take(&mut self.features), Target::new(target.name.clone(), kind));
        let signature = signature.map_err(inconsistent)?;
        let preprocess = Preprocess { columns, target_transform, through_origin };
        let design = Design::new(&preprocess, &signature).map_err(inconsistent)?;
        let names = preprocess.columns.iter().map(|column| column.name.clone()).collect();
        Ok(TrainingTable {
            source: self.source,
            scan: self.scan,
            signature,
            preprocess,
            design,
            names,
            stored: self.stored,
            stored_target: Stored::new(&self.target, &target),
            target,
            classes,
            class_values,
            missing: self.missing,
            spool: self.spool,
            notes: self.notes,
        })
    }

    fn classes(&self) -> Result<Classes, DataError> {
        let column = &self.target;
        let too_many = || DataError::TooManyClasses { column: column.name.clone() };
        let (classes, values, counts): Classes = match self.target_kind {
            FeatureType::String => {
                let (classes, counts) =
                    column.levels().into_iter().map(|(level, count)| (Scalar::Text(level.to_owned()), count)).unzip();
                (classes, Vec::new(), counts)
            }
            FeatureType::Boolean => {
                // Inferred booleans are counted as text, declared ones as 1 and 0.
                let counts = match column.values.counts() {
                    Some(counts) if column.numbers > 0 => counts.map(|(_, count)| count).collect(),
                    _ => column.booleans().map(|(_, count)| count).to_vec(),
                };
                ([false, true].map(Scalar::Boolean).to_vec(), vec![0.0, 1.0], counts)
            }
            _ => {
                let (values, counts): (Vec<f64>, Vec<u64>) = column.values.counts().ok_or_else(too_many)?.unzip();
                let whole = values.iter().all(|value| value.fract() == 0.0 && value.abs() <= 9_007_199_254_740_992.0);
                // Whole and at most 2^53: exact.
                #[allow(clippy::cast_possible_truncation)]
                let class = |value: &f64| if whole { Scalar::Integer(*value as i64) } else { Scalar::Number(*value) };
                (values.iter().map(class).collect(), values, counts)
            }
        };
        if classes.len() > MAX_CLASSES {
            return Err(too_many());
        }
        let rows = self.scan.rows;
        let fractions = classes.iter().any(|class| matches!(class, Scalar::Number(_)));
        let distinct = classes.len() as u64;
        if (fractions && 2 * distinct > rows) || (distinct == rows && rows > 2) {
            return Err(DataError::NotClasses { column: column.name.clone(), classes: classes.len(), rows });
        }
        let seen = if self.target_kind == FeatureType::Boolean { column.distinct_booleans() } else { classes.len() };
        if seen < 2 {
            let advice = "choose another --target".to_owned();
            return Err(DataError::Constant { role: "target", column: column.name.clone(), advice });
        }
        Ok((classes, values, counts))
    }
}

/// The columns to read, in order: features, target, weights.
fn planned_columns(source: &Source, preparation: &Preparation) -> Result<Vec<Column>, DataError> {
    let weights = usize::from(source.has_weights);
    let target = source.names().len() - 1 - weights;
    let log = preparation.target_transform == TargetTransform::Log;
    let declared = |name: &str| {
        let listed = preparation.categorical.iter().any(|column| column == name).then_some(FeatureType::String);
        listed.or_else(|| preparation.types.iter().find(|(column, _)| column == name).map(|(_, kind)| *kind))
    };
    let mut typed = preparation.types.iter().map(|(name, _)| name).chain(&preparation.categorical);
    let mut before = HashSet::new();
    if let Some(column) = typed.find(|name| !before.insert(*name)) {
        return Err(DataError::TwoTypes { column: column.clone() });
    }
    let is_read = |name: &String| source.names().iter().take(target + 1).position(|read| read == name);
    for (option, name, of_features) in preparation.named() {
        match is_read(name) {
            Some(place) if place < target || !of_features => {}
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
    let column = |(place, name): (usize, &String)| {
        let (role, kind, policy) = match place.cmp(&target) {
            std::cmp::Ordering::Less => (Role::Feature, declared(name), missing::policy(&preparation.missing, name)),
            std::cmp::Ordering::Equal => (Role::Target { log }, declared(name), missing::Policy::Reject),
            std::cmp::Ordering::Greater => (Role::Weight, Some(FeatureType::Double), missing::Policy::Reject),
        };
        Column::new(name, role, kind, policy)
    };
    Ok(source.names().iter().enumerate().map(column).collect())
}

fn feature(
    column: &Column,
    kind: FeatureType,
    preparation: &Preparation,
    statistic: &Statistic,
    notes: &mut Vec<String>,
) -> Result<Feature, DataError> {
    let mut feature = Feature::new(&column.name, kind);
    match kind {
        FeatureType::String => {
            let levels = column.levels();
            feature.levels = levels.keys().map(|level| (*level).to_owned()).collect();
            feature.unknown = preparation.unknown;
            let rows: u64 = levels.values().sum();
            if rows > FEW_ROWS && rows == levels.len() as u64 {
                return Err(DataError::Identifier { column: column.name.clone() });
            }
            let single = levels.iter().filter(|(_, count)| **count == 1).map(|(level, _)| format!("{level:?}"));
            if let Some(value) = column.decimal_comma().filter(|_| column.declared.is_none()) {
                notes.push(format!(
                    "{}: {value} looks like a number with a decimal comma, but other values are text, so all are categories. \
                     Numbers need a decimal point",
                    column.name
                ));
            }
            if let Some(single) = first_and_count(single.collect()) {
                notes.push(format!("{}: the category {single} has only one row", column.name));
            }
        }
        FeatureType::Boolean => {}
        // Turns −0 into 0, so that the range does not depend on the order of the rows.
        _ => feature.range = Some(column.range.map(|end| end + 0.0)),
    }
    missing::decide(column, &mut feature, statistic)?;
    notes.extend(similar_levels(&column.name, feature.levels.iter().map(String::as_str)));
    if column.missing > 0
        && let MissingPolicy::Impute(value) = &feature.missing
    {
        let values = counted(column.missing, "missing value", "missing values");
        notes.push(format!("{}: {values} imputed with {value}", column.name));
    }
    if kind == FeatureType::String && feature.levels.len() < 2 {
        return Err(constant_feature(&[feature]));
    }
    Ok(feature)
}

/// A note on levels of a column that differ only in leading or trailing spaces, if there are any.
fn similar_levels<'l>(column: &str, levels: impl Iterator<Item = &'l str>) -> Option<String> {
    let mut groups: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for level in levels {
        groups.entry(level.trim()).or_default().push(format!("{:?}", shorten(level)));
    }
    let mut similar = groups.into_values().filter(|group| group.len() > 1);
    let first = similar.next()?.join(" and ");
    let more = match similar.count() {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    };
    Some(format!(
        "{column}: {first}{more} differ only in leading or trailing spaces and are separate categories. If they are the \
         same, remove the spaces from the data"
    ))
}

/// The first of some names, and the number of others.
fn first_and_count(names: Vec<String>) -> Option<String> {
    let others = names.len().saturating_sub(1);
    let first = names.into_iter().next()?;
    Some(if others > 0 { format!("{first} and {others} more") } else { first })
}

fn constant_feature(features: &[Feature]) -> DataError {
    let column = features.first().map(|feature| feature.name.clone()).unwrap_or_default();
    DataError::Constant { role: "feature", advice: format!("leave it out with --exclude {column:?}"), column }
}

impl Preparation {
    /// The columns that options name, with the option, and whether it applies to features only.
    fn named(&self) -> impl Iterator<Item = (&'static str, &String, bool)> {
        let types = self.types.iter().map(|(column, _)| ("--types", column, false));
        let categorical = self.categorical.iter().map(|column| ("--categorical", column, false));
        let missing = self.missing.iter().filter_map(|rule| Some(("--missing", rule.column.as_ref()?, true)));
        types.chain(categorical).chain(missing)
    }
}

#[cfg(test)]
mod tests;
