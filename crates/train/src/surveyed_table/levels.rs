//! The levels of categories: which are kept, and text that has none worth keeping.

use std::collections::BTreeMap;

use crate::preparation::Preparation;
use ordinate_model::signature::{Feature, FeatureType, OTHER_LEVEL, UnknownPolicy};
use ordinate_model::wording::{NAMED, listed, shorten};
use ordinate_table::Decision;
use ordinate_table::column::Column;
use ordinate_table::infer::shown;

/// In fewer rows many levels may have one row by chance.
const FEW_ROWS: u64 = 20;

/// The smallest fraction of rows that the frequent levels of a category must have, if the others are grouped.
const LEAST_KEPT: f64 = 0.1;

/// Levels of categories, and what was decided about them.
#[derive(Debug, Default)]
pub(super) struct Levels {
    grouped: Vec<String>,
    single: Vec<String>,
    similar: Vec<String>,
}

impl Levels {
    /// The feature of a column; `None` for text in which hardly any value repeats, unless it must be used.
    pub(super) fn feature(
        &mut self,
        column: &Column,
        preparation: &Preparation,
        must_be_used: bool,
    ) -> Option<Feature> {
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
        let (most, rows) = (preparation.max_levels(), column.present + column.missing);
        if levels.len() <= most && column.other_words == 0 {
            let single = levels.iter().filter(|(_, count)| **count == 1).map(|(level, _)| *level);
            // Most rows would have a category of their own.
            if !must_be_used && rows > FEW_ROWS && 2 * single.clone().count() as u64 > rows {
                return None;
            }
            self.note_single(column.name(), single.collect());
            feature.levels = levels.into_keys().map(str::to_owned).collect();
            return Some(feature);
        }
        // Of text in which hardly any value repeats, only a few rows would have a level.
        if !must_be_used && 2 * (levels.len() as u64 + column.other_words) > rows {
            return None;
        }
        let of = levels.len();
        let is_kept = |(_, count): &(&str, u64)| *count > 1 || must_be_used;
        let mut by_count: Vec<(&str, u64)> = levels.into_iter().filter(is_kept).collect();
        by_count.sort_by(|(name, count), (other, others)| others.cmp(count).then(name.cmp(other)));
        by_count.truncate(most.saturating_sub(1).max(1));
        let kept_rows: u64 = by_count.iter().map(|(_, count)| count).sum();
        if by_count.is_empty() || (!must_be_used && (kept_rows as f64) < LEAST_KEPT * column.present as f64) {
            return None;
        }
        let mut kept: Vec<String> = by_count.into_iter().map(|(level, _)| level.to_owned()).collect();
        kept.push(OTHER_LEVEL.to_owned());
        kept.sort_unstable();
        kept.dedup();
        let of = if column.other_words > 0 { format!("more than {of}") } else { of.to_string() };
        self.grouped.push(format!("{} ({} of {of} kept)", shown(column.name()), kept.len() - 1));
        feature.levels = kept;
        feature.unknown = UnknownPolicy::Other;
        Some(feature)
    }

    fn note_single(&mut self, name: &str, single: Vec<&str>) {
        if !single.is_empty() {
            let levels = listed(single.into_iter().map(|level| format!("{:?}", shorten(level))), 1);
            self.single.push(format!("{} ({levels})", shown(name)));
        }
    }

    /// Notes levels of a feature that differ only in spaces.
    pub(super) fn compare(&mut self, feature: &Feature) {
        let similar = similar_levels(feature.levels.iter().map(String::as_str));
        self.similar.extend(similar.map(|levels| format!("{} ({levels})", shown(&feature.name))));
    }

    /// The decision to group rare levels, unless an option made it.
    pub(super) fn decision(&self, preparation: &Preparation) -> Option<Decision> {
        let is_open = !self.grouped.is_empty() && preparation.max_levels.is_none();
        let options = ["--max-levels".to_owned(), preparation.max_levels().to_string()];
        is_open.then(|| Decision::new(self.grouped(), options))
    }

    fn grouped(&self) -> String {
        let columns = listed(&self.grouped, NAMED);
        format!("rare categories are grouped as {OTHER_LEVEL}, and unknown ones belong to them: {columns}")
    }

    /// The notes, one for each kind.
    pub(super) fn notes(&self, preparation: &Preparation) -> Vec<String> {
        let mut notes = Vec::new();
        if !self.grouped.is_empty() && preparation.max_levels.is_some() {
            notes.push(self.grouped());
        }
        if !self.single.is_empty() {
            notes.push(format!("categories with only one row: {}", listed(&self.single, NAMED)));
        }
        if !self.similar.is_empty() {
            notes.push(note_on_spaces(&listed(&self.similar, NAMED)));
        }
        notes
    }
}

/// The note on columns whose categories differ only in spaces.
pub(super) fn note_on_spaces(columns: &str) -> String {
    format!(
        "categories that differ only in leading or trailing spaces are separate: {columns}. If they are the same, remove the \
         spaces from the data"
    )
}

/// The first levels that differ only in leading or trailing spaces, if there are any: `"a" and " a" and 2 more`.
pub(super) fn similar_levels<'l>(levels: impl Iterator<Item = &'l str>) -> Option<String> {
    let mut groups: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for level in levels {
        groups.entry(level.trim()).or_default().push(format!("{:?}", shorten(level)));
    }
    let similar: Vec<String> =
        groups.into_values().filter(|group| group.len() > 1).map(|group| group.join(" and ")).collect();
    (!similar.is_empty()).then(|| listed(similar, 1))
}
