//! Which columns become features, their levels, and what replaces missing values.

use std::collections::BTreeMap;

use super::association::{Association, associations};
use super::identifier::is_identifier;
use super::imputed::Imputed;
use super::left_out::{Reason, left_out_columns};
use super::levels::Levels;
use crate::error::TrainError;
use crate::preparation::Preparation;
use ordinate_model::date::DatePart;
use ordinate_model::signature::{Feature, FeatureType, MissingPolicy};
use ordinate_model::wording::{NAMED, listed};
use ordinate_table::column::Column;
use ordinate_table::frame_values::FrameValues;
use ordinate_table::infer::shown;
use ordinate_table::missing::{self, Policy};
use ordinate_table::spool::Spool;
use ordinate_table::statistics::{Statistic, statistics};
use ordinate_table::{DataError, Decision, Source};

/// The features of a table.
#[derive(Debug, Default)]
pub(super) struct FeatureSet {
    pub(super) features: Vec<Feature>,
    /// The position of each in a row of the spool.
    pub(super) positions: Vec<usize>,
    /// How values of the spool become values of a frame.
    pub(super) values: Vec<FrameValues>,
    /// The number of missing values of each.
    pub(super) missing: Vec<u64>,
    /// The parts of dates that vary, by feature.
    pub(super) parts: BTreeMap<String, Vec<DatePart>>,
    /// The other columns of the data.
    pub(super) ignored: Vec<String>,
}

/// Decisions, and notes on what options or the data say.
#[derive(Debug, Default)]
pub(super) struct Remarks {
    pub(super) decisions: Vec<Decision>,
    pub(super) notes: Vec<String>,
}

/// A table whose features are to be chosen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Choice<'t> {
    pub(super) source: &'t Source,
    pub(super) preparation: &'t Preparation,
    /// The columns in a row of the spool: candidates, the target, and perhaps the weights.
    pub(super) columns: &'t [Column],
    pub(super) spool: &'t Spool,
    /// The position of the target.
    pub(super) target: usize,
}

impl Choice<'_> {
    /// The features, and what was decided about them.
    ///
    /// # Errors
    /// [`TrainError`] when no column is left, options do not fit the data, or the rows cannot be read.
    pub(super) fn features(&self) -> Result<(FeatureSet, Remarks), TrainError> {
        let associations = associations(self.spool, self.columns, self.target)?;
        let mut reasons = self.reasons(&associations);
        let (mut levels, mut remarks) = (Levels::default(), Remarks::default());
        let mut candidates = self.candidates(&mut reasons, &mut levels, self.source.features_are_given);
        if candidates.iter().all(|(feature, _)| self.is_offset(&feature.name)) {
            remarks.notes.extend(self.use_identifiers(&mut reasons));
            candidates = self.candidates(&mut reasons, &mut levels, true);
        }
        let mut imputed = Imputed::default();
        let mut set = self.with_imputed_values(candidates, &mut reasons, &mut levels, &mut imputed)?;
        if set.features.iter().all(|feature| self.is_offset(&feature.name)) {
            // Columns that are left out by choice can be chosen.
            let reason = reasons.iter().flatten().max();
            let (reason, advice) = reason.map_or(("", ""), |reason| (reason.describe(), reason.advice()));
            let target = self.target_name().to_owned();
            return Err(DataError::NothingToLearn { target, reason, advice }.in_data(self.source.label()).into());
        }
        remarks.decisions.extend(imputed.decision());
        remarks.notes.extend(imputed.note());
        remarks.decisions.extend(left_out_columns(self.columns, &reasons));
        remarks.decisions.extend(levels.decision(self.preparation));
        remarks.notes.extend(levels.notes(self.preparation));
        remarks.notes.extend(self.leakage(&set, &associations));
        set.ignored = self.source.header.iter().chain(&self.source.index).cloned().collect();
        Ok((set, remarks))
    }

    /// Whether a column is a term without a coefficient, which is never left out.
    fn is_offset(&self, name: &str) -> bool {
        self.source.offset.as_ref().is_some_and(|offset| offset.name == name)
    }

    fn target_name(&self) -> &str {
        self.columns.get(self.target).map(Column::name).unwrap_or_default()
    }

    /// For each candidate, why it is left out.
    fn reasons(&self, associations: &[Association]) -> Vec<Option<Reason>> {
        let rows = self.columns.get(self.target).map_or(0, |column| column.present + column.missing);
        let reason = |(column, association): (&Column, &Association)| {
            if self.is_offset(column.name()) {
                return None;
            }
            // Without an intercept, a constant number takes its place; missing values of a category may be a level.
            let may_be_used = match column.feature.kind {
                FeatureType::String => column.missing > 0,
                _ => self.preparation.through_origin,
            };
            let is_unwanted = !self.source.features_are_given && is_identifier(column, association, rows);
            match (column.is_empty(), column.is_constant() && !may_be_used, is_unwanted) {
                (true, ..) => Some(Reason::Empty),
                (_, true, _) => Some(Reason::Constant),
                (_, _, true) => Some(Reason::Identifier),
                _ => None,
            }
        };
        self.columns.iter().take(self.target).zip(associations).map(reason).collect()
    }

    /// The features of the columns without a reason to leave them out, each with its position.
    fn candidates(
        &self,
        reasons: &mut [Option<Reason>],
        levels: &mut Levels,
        must_be_used: bool,
    ) -> Vec<(Feature, usize)> {
        let mut candidates = Vec::new();
        for ((position, column), reason) in self.columns.iter().enumerate().zip(reasons) {
            if reason.is_some() {
                continue;
            }
            match levels.feature(column, self.preparation, must_be_used) {
                Some(mut feature) => {
                    let offset = self.source.offset.as_ref().filter(|offset| offset.name == feature.name);
                    feature.positive = offset.is_some_and(|offset| offset.log);
                    candidates.push((feature, position));
                }
                None => *reason = Some(Reason::Identifier),
            }
        }
        candidates
    }

    /// Better a column that numbers the rows than none, and better one that names them than none.
    fn use_identifiers(&self, reasons: &mut [Option<Reason>]) -> Option<String> {
        let is_identifier = |reason: &Option<Reason>| *reason == Some(Reason::Identifier);
        let is_number = |column: &Column| column.feature.kind != FeatureType::String;
        let has_number =
            reasons.iter().zip(self.columns).any(|(reason, column)| is_identifier(reason) && is_number(column));
        let mut used = Vec::new();
        for (reason, column) in reasons.iter_mut().zip(self.columns) {
            if is_identifier(reason) && (is_number(column) || !has_number) {
                *reason = None;
                used.push(shown(column.name()));
            }
        }
        (!used.is_empty()).then(|| {
            let used = listed(used, NAMED);
            format!("columns that number or name the rows are used, because there are no others: {used}")
        })
    }

    /// Decides what replaces missing values, and leaves out categories with one level.
    fn with_imputed_values(
        &self,
        candidates: Vec<(Feature, usize)>,
        reasons: &mut [Option<Reason>],
        levels: &mut Levels,
        imputed: &mut Imputed,
    ) -> Result<FeatureSet, TrainError> {
        let mut policies = vec![Policy::Reject; self.columns.len()];
        for (_, position) in &candidates {
            if let (Some(policy), Some(column)) = (policies.get_mut(*position), self.columns.get(*position)) {
                *policy = self.policy(column).resolved(column);
            }
        }
        let weight = self.source.has_weights.then(|| self.columns.len() - 1);
        let statistics = statistics(self.spool, &policies.iter().collect::<Vec<_>>(), weight)?;
        let mut set = FeatureSet::default();
        for (feature, position) in candidates {
            let (Some(column), Some(policy), Some(statistic)) =
                (self.columns.get(position), policies.get(position), statistics.get(position))
            else {
                continue;
            };
            let feature = self.with_policy(feature, column, policy, statistic)?;
            if feature.kind == FeatureType::String && feature.levels.len() < 2 {
                if let Some(reason) = reasons.get_mut(position) {
                    *reason = Some(Reason::Constant);
                }
                continue;
            }
            levels.compare(&feature);
            imputed.push(column, policy, &feature, self.policy(column) == Policy::Auto);
            set.push(feature, position, column);
        }
        Ok(set)
    }

    /// The rule for the missing values of a column.
    fn policy(&self, column: &Column) -> Policy {
        missing::policy_for(&self.preparation.missing, column)
    }

    fn with_policy(
        &self,
        mut feature: Feature,
        column: &Column,
        policy: &Policy,
        statistic: &Statistic,
    ) -> Result<Feature, TrainError> {
        let in_data = |fault: DataError| fault.in_data(self.source.label());
        if column.missing > 0 && *policy == Policy::Reject && self.policy(column) == Policy::Reject {
            let (column, count) = (column.name().to_owned(), column.missing);
            return Err(in_data(DataError::MissingValues { column, count }).into());
        }
        missing::decide(column, policy, &mut feature, statistic).map_err(in_data)?;
        feature.indicator = self.preparation.missing_indicator && matches!(feature.missing, MissingPolicy::Impute(_));
        Ok(feature)
    }

    /// A note on a feature that explains the target exactly, if there are others.
    fn leakage(&self, set: &FeatureSet, associations: &[Association]) -> Option<String> {
        if set.features.len() < 2 {
            return None;
        }
        let is_exact = |position: &&usize| associations.get(**position).is_some_and(|association| association.is_exact);
        let name = |position: &usize| self.columns.get(*position).map(|column| shown(column.name()));
        let names: Vec<String> = set.positions.iter().filter(is_exact).filter_map(name).collect();
        let (determines, is, it) = match names.len() {
            0 => return None,
            1 => ("alone determines", "it is", "it"),
            _ => ("each determine", "they are", "them"),
        };
        let (names, target) = (listed(names, NAMED), shown(self.target_name()));
        Some(format!(
            "{names} {determines} {target} exactly: if {is} not known when a prediction is made, leave {it} out with --exclude"
        ))
    }
}

impl FeatureSet {
    fn push(&mut self, feature: Feature, position: usize, column: &Column) {
        if feature.kind == FeatureType::Date {
            self.parts.insert(feature.name.clone(), column.date_parts());
        }
        self.values.push(FrameValues::new(column, &feature));
        self.features.push(feature);
        self.positions.push(position);
        self.missing.push(column.missing);
    }
}
