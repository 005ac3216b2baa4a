//! Which columns become features, their levels, and what replaces missing values.

use std::collections::BTreeMap;

use super::association::associations;
use super::identifier::identifiers;
use super::similar_levels;
use crate::error::TrainError;
use crate::preparation::Preparation;
use ordinate_model::date::DatePart;
use ordinate_model::signature::{Feature, FeatureType, MissingPolicy, OTHER_LEVEL, UnknownPolicy};
use ordinate_model::wording::{counted, shorten};
use ordinate_table::column::Column;
use ordinate_table::frame_values::FrameValues;
use ordinate_table::infer::{listed, name_option, shown};
use ordinate_table::missing::{self, Policy};
use ordinate_table::resolve::{LeftOut, RowRules};
use ordinate_table::spool::Spool;
use ordinate_table::statistics::statistics;
use ordinate_table::{DataError, Decision, OffsetColumn, Source};

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

/// Why a column is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reason {
    Empty,
    Constant,
    Identifier,
}

impl Reason {
    fn describe(self) -> &'static str {
        match self {
            Self::Empty => "columns without values are left out",
            Self::Constant => "columns with one value in all rows are left out",
            Self::Identifier => "columns that number or name the rows are left out",
        }
    }
}

impl FeatureSet {
    #[allow(clippy::too_many_arguments)]
    pub(super) fn new(
        source: &Source,
        preparation: &Preparation,
        columns: &[Column],
        spool: &Spool,
        target: usize,
        decisions: &mut Vec<Decision>,
        notes: &mut Vec<String>,
    ) -> Result<Self, TrainError> {
        let candidates = columns.get(..target).unwrap_or_default();
        let rows = columns.get(target).map_or(0, |column| column.present + column.missing);
        let associations = associations(spool, columns, target)?;
        let identifiers = identifiers(spool, columns, target, &associations, rows)?;
        let is_offset = |name: &str| source.offset.as_ref().is_some_and(|offset| offset.name == name);
        let reason = |(column, is_identifier): (&Column, bool)| {
            if is_offset(column.name()) {
                return None;
            }
            // Without an intercept, a constant number takes its place; missing values of a category may be a level.
            let may_be_used = match column.feature.kind {
                FeatureType::String => column.missing > 0,
                _ => preparation.through_origin,
            };
            let constant = column.is_constant() && !may_be_used;
            match (column.is_empty(), constant, is_identifier && !source.features_are_given) {
                (true, ..) => Some(Reason::Empty),
                (_, true, _) => Some(Reason::Constant),
                (_, _, true) => Some(Reason::Identifier),
                _ => None,
            }
        };
        let mut reasons: Vec<Option<Reason>> = candidates.iter().zip(identifiers).map(reason).collect();
        if reasons.iter().zip(candidates).all(|(reason, column)| reason.is_some() || is_offset(column.name())) {
            // Better a column that numbers the rows than none.
            let numbers_rows = |(reason, column): (&mut Option<Reason>, &Column)| {
                if *reason == Some(Reason::Identifier) && column.feature.kind != FeatureType::String {
                    *reason = None;
                }
            };
            reasons.iter_mut().zip(candidates).for_each(numbers_rows);
        }
        let mut set = Self::default();
        let mut levels = Levels::default();
        for ((position, column), reason) in candidates.iter().enumerate().zip(&mut reasons) {
            if reason.is_some() {
                continue;
            }
            match levels.feature(column, preparation, source.features_are_given) {
                Some(mut feature) => {
                    let offset = source.offset.as_ref().filter(|offset| offset.name == feature.name);
                    feature.positive = offset.is_some_and(|offset| offset.log);
                    set.features.push(feature);
                    set.positions.push(position);
                }
                None => *reason = Some(Reason::Identifier),
            }
        }
        set.decide_missing(source, preparation, columns, spool, decisions, notes, &mut reasons)?;
        if set.features.iter().all(|feature| is_offset(&feature.name)) {
            let target = columns.get(target).map(|column| column.name().to_owned()).unwrap_or_default();
            let reason = reasons.iter().flatten().next().map_or("", |reason| reason.describe());
            return Err(DataError::NothingToLearn { target, reason }.in_data(source.label()).into());
        }
        decisions.extend(left_out_columns(candidates, &reasons));
        decisions.extend(levels.decision(preparation));
        notes.extend(levels.notes);
        notes.extend(set.leakage(columns, &associations, target));
        set.ignored = source.header.iter().chain(&source.index).cloned().collect();
        Ok(set)
    }

    /// Decides what replaces missing values, and leaves out categories with one level.
    #[allow(clippy::too_many_arguments)]
    fn decide_missing(
        &mut self,
        source: &Source,
        preparation: &Preparation,
        columns: &[Column],
        spool: &Spool,
        decisions: &mut Vec<Decision>,
        notes: &mut Vec<String>,
        reasons: &mut [Option<Reason>],
    ) -> Result<(), TrainError> {
        let asked = |column: &Column| missing::policy(&preparation.missing, column.name());
        let mut policies = vec![Policy::Reject; columns.len()];
        for position in &self.positions {
            if let (Some(policy), Some(column)) = (policies.get_mut(*position), columns.get(*position)) {
                *policy = asked(column).resolved(column);
            }
        }
        let weight = source.has_weights.then(|| columns.len() - 1);
        let statistics = statistics(spool, &policies.iter().collect::<Vec<_>>(), weight)?;
        let (mut kept, mut imputed) = (Self::default(), Imputed::default());
        for (mut feature, position) in
            std::mem::take(&mut self.features).into_iter().zip(std::mem::take(&mut self.positions))
        {
            let (Some(column), Some(policy), Some(statistic)) =
                (columns.get(position), policies.get(position), statistics.get(position))
            else {
                continue;
            };
            if column.missing > 0 && *policy == Policy::Reject && asked(column) == Policy::Reject {
                return Err(DataError::MissingValues { column: column.name().to_owned(), count: column.missing }
                    .in_data(source.label())
                    .into());
            }
            let decided = missing::decide(column, policy, &mut feature, statistic);
            decided.map_err(|fault| fault.in_data(source.label()))?;
            if feature.kind == FeatureType::String && feature.levels.len() < 2 {
                if let Some(reason) = reasons.get_mut(position) {
                    *reason = Some(Reason::Constant);
                }
                continue;
            }
            feature.indicator = preparation.missing_indicator && matches!(feature.missing, MissingPolicy::Impute(_));
            notes.extend(similar_levels(&feature.name, feature.levels.iter().map(String::as_str)));
            imputed.push(column, policy, &feature, asked(column) == Policy::Auto);
            if feature.kind == FeatureType::Date {
                kept.parts.insert(feature.name.clone(), column.date_parts());
            }
            kept.values.push(FrameValues::new(column, &feature));
            kept.features.push(feature);
            kept.positions.push(position);
            kept.missing.push(column.missing);
        }
        decisions.extend(imputed.decision());
        notes.extend(imputed.note());
        *self = kept;
        Ok(())
    }

    /// A note on a feature that explains the target exactly, if there are others.
    fn leakage(
        &self,
        columns: &[Column],
        associations: &[super::association::Association],
        target: usize,
    ) -> Option<String> {
        if self.features.len() < 2 {
            return None;
        }
        let is_exact = |position: &&usize| associations.get(**position).is_some_and(|association| association.is_exact);
        let names: Vec<String> =
            self.positions.iter().filter(is_exact).filter_map(|at| Some(shown(columns.get(*at)?.name()))).collect();
        let target = columns.get(target)?.name();
        (!names.is_empty()).then(|| {
            format!(
                "{} alone determines {} exactly: if it is not known when a prediction is made, leave it out with --exclude",
                listed(names),
                shown(target)
            )
        })
    }
}

/// The decision about columns that are left out, one for each reason.
fn left_out_columns(columns: &[Column], reasons: &[Option<Reason>]) -> Vec<Decision> {
    let mut by_reason: BTreeMap<Reason, Vec<&str>> = BTreeMap::new();
    for (column, reason) in columns.iter().zip(reasons) {
        if let Some(reason) = reason {
            by_reason.entry(*reason).or_default().push(column.name());
        }
    }
    let decision = |(reason, names): (Reason, Vec<&str>)| {
        let columns = listed(names.iter().map(|name| shown(name)).collect());
        let way_back = if reason == Reason::Identifier { " (--features includes them)" } else { "" };
        let options = names.iter().flat_map(|name| ["--exclude".to_owned(), name_option(name)]);
        Decision::new(format!("{}: {columns}{way_back}", reason.describe()), options.collect::<Vec<_>>())
    };
    by_reason.into_iter().map(decision).collect()
}

/// The decisions about rows without a target or an offset.
pub(super) fn left_out_rows(
    left_out: &LeftOut,
    columns: &[Column],
    rules: &RowRules,
    preparation: &Preparation,
    offset: Option<&OffsetColumn>,
) -> Vec<Decision> {
    let name = |position: Option<usize>| {
        position.and_then(|position| columns.get(position)).map(Column::name).unwrap_or_default()
    };
    let mut decisions = Vec::new();
    let is_asked = missing::policy(&preparation.missing, name(Some(rules.target))) == Policy::Drop;
    if left_out.no_target > 0 && !is_asked {
        let target = name(Some(rules.target));
        let rows = counted(left_out.no_target, "row", "rows");
        let text = format!(
            "{rows} without {} left out",
            if left_out.no_target == 1 {
                format!("a {} is", shown(target))
            } else {
                format!("a {} are", shown(target))
            }
        );
        decisions.push(Decision::new(text, ["--missing".to_owned(), format!("{target}=drop")]));
    }
    let undecided = offset.filter(|offset| missing::policy(&preparation.missing, &offset.name) == Policy::Auto);
    if let Some(offset) = undecided.filter(|_| left_out.missing > 0) {
        let rows = counted(left_out.missing, "row is", "rows are");
        let text = format!("{rows} left out because of missing values, such as that of the offset {}", shown(&offset.name));
        decisions.push(Decision::new(text, ["--missing".to_owned(), format!("{}=drop", offset.name)]));
    }
    decisions
}

/// Notes on rows that are left out because the data or an option say so.
pub(super) fn left_out_notes(left_out: &LeftOut, preparation: &Preparation) -> Vec<String> {
    let mut notes = Vec::new();
    if left_out.no_weight > 0 {
        let rows = counted(left_out.no_weight, "row", "rows");
        notes.push(format!("{rows} of weight 0, or without a weight, left out"));
    }
    if left_out.missing > 0 && preparation.missing.iter().any(|rule| rule.policy == Policy::Drop) {
        let rows = counted(left_out.missing, "row", "rows");
        notes.push(format!("{rows} with missing values left out, as --missing drop says"));
    }
    notes
}

/// Levels of categories, and what was decided about them.
#[derive(Debug, Default)]
struct Levels {
    grouped: Vec<String>,
    notes: Vec<String>,
}

impl Levels {
    /// The feature of a column; `None` for text in which hardly any value repeats.
    fn feature(&mut self, column: &Column, preparation: &Preparation, is_named: bool) -> Option<Feature> {
        let mut feature = column.feature.clone();
        if feature.kind != FeatureType::String {
            if feature.kind != FeatureType::Boolean {
                // Turns −0 into 0, so that the range does not depend on the order of the rows.
                feature.range = Some(column.range.map(|end| end + 0.0));
                feature.whole = feature.kind == FeatureType::Double && column.is_whole;
            }
            return Some(feature);
        }
        let levels = column.levels();
        feature.unknown = preparation.unknown;
        let most = preparation.max_levels();
        if levels.len() <= most {
            feature.levels = levels.keys().map(|level| (*level).to_owned()).collect();
            let single =
                levels.iter().filter(|(_, count)| **count == 1).map(|(level, _)| format!("{:?}", shorten(level)));
            if let Some(single) = super::first_and_count(single.collect()) {
                self.notes.push(format!("{}: the category {single} has only one row", shown(column.name())));
            }
            return Some(feature);
        }
        // Of text in which hardly any value repeats, only a few rows would have a level.
        if column.has_more_words || (!is_named && 2 * levels.len() as u64 > column.present + column.missing) {
            return None;
        }
        let mut by_count: Vec<(&str, u64)> = levels.into_iter().filter(|(_, count)| *count > 1 || is_named).collect();
        by_count.sort_by(|(name, count), (other, others)| others.cmp(count).then(name.cmp(other)));
        by_count.truncate(most.saturating_sub(1).max(1));
        if by_count.is_empty() {
            return None;
        }
        let mut kept: Vec<String> = by_count.into_iter().map(|(level, _)| level.to_owned()).collect();
        kept.push(OTHER_LEVEL.to_owned());
        kept.sort_unstable();
        kept.dedup();
        let of = column.levels().len();
        self.grouped.push(format!("{} ({} of {of} kept)", shown(column.name()), kept.len() - 1));
        feature.levels = kept;
        feature.unknown = UnknownPolicy::Other;
        Some(feature)
    }

    fn decision(&mut self, preparation: &Preparation) -> Option<Decision> {
        if self.grouped.is_empty() {
            return None;
        }
        let columns = listed(std::mem::take(&mut self.grouped));
        let text = format!("rare categories are grouped as {OTHER_LEVEL}, and unknown ones belong to them: {columns}");
        if preparation.max_levels.is_some() {
            self.notes.push(text);
            return None;
        }
        Some(Decision::new(text, ["--max-levels".to_owned(), preparation.max_levels().to_string()]))
    }
}

/// Columns with missing values.
#[derive(Debug, Default)]
struct Imputed {
    decided: Vec<String>,
    asked: Vec<String>,
    options: Vec<String>,
}

impl Imputed {
    fn push(&mut self, column: &Column, policy: &Policy, feature: &Feature, is_decided: bool) {
        if column.missing == 0 {
            return;
        }
        let how = match (&feature.missing, policy) {
            (MissingPolicy::Category(_), _) => "own category".to_owned(),
            (MissingPolicy::Impute(value), Policy::Median) => format!("median {value}"),
            (MissingPolicy::Impute(value), Policy::Mean) => format!("mean {value}"),
            (MissingPolicy::Impute(value), Policy::MostFrequent) => {
                format!("most frequent {:?}", shorten(&value.to_string()))
            }
            (MissingPolicy::Impute(value), _) => format!("{value}"),
            (MissingPolicy::Reject, _) => return,
        };
        let described = format!("{} ({}, {how})", shown(column.name()), column.missing);
        if is_decided {
            let rule = missing::Rule { column: Some(column.name().to_owned()), policy: policy.clone() };
            self.options.extend(["--missing".to_owned(), rule.to_string()]);
            self.decided.push(described);
        } else {
            self.asked.push(described);
        }
    }

    fn text(columns: &[String]) -> String {
        let verb = if columns.len() == 1 { "has" } else { "have" };
        format!("{} {verb} missing values: {}", counted(columns.len(), "column", "columns"), listed(columns.to_vec()))
    }

    fn decision(&mut self) -> Option<Decision> {
        let options = std::mem::take(&mut self.options);
        (!self.decided.is_empty()).then(|| Decision::new(Self::text(&self.decided), options))
    }

    fn note(&self) -> Option<String> {
        (!self.asked.is_empty()).then(|| Self::text(&self.asked))
    }
}
