//! Columns and rows that are left out.

use std::collections::BTreeMap;

use crate::preparation::Preparation;
use ordinate_model::wording::{NAMED, counted, listed};
use ordinate_table::column::Column;
use ordinate_table::infer::{name_option, shown};
use ordinate_table::missing::{self, Policy};
use ordinate_table::resolve::{LeftOut, RowRules};
use ordinate_table::{Decision, OffsetColumn};

/// Why a column is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reason {
    Empty,
    Constant,
    /// It numbers or names the rows, or hardly any of its values repeats.
    Identifier,
}

impl Reason {
    pub(super) fn describe(self) -> &'static str {
        match self {
            Self::Empty => "columns without values are left out",
            Self::Constant => "columns with one value in all rows are left out",
            Self::Identifier => "columns that number or name the rows are left out",
        }
    }

    /// The action that helps if no column is left.
    pub(super) fn advice(self) -> &'static str {
        match self {
            Self::Empty | Self::Constant => "add a column whose values differ between the rows",
            Self::Identifier => "name columns to use with --features",
        }
    }
}

/// The decision about columns that are left out, one for each reason.
pub(super) fn left_out_columns(columns: &[Column], reasons: &[Option<Reason>]) -> Vec<Decision> {
    let mut by_reason: BTreeMap<Reason, Vec<&str>> = BTreeMap::new();
    for (column, reason) in columns.iter().zip(reasons) {
        if let Some(reason) = reason {
            by_reason.entry(*reason).or_default().push(column.name());
        }
    }
    let decision = |(reason, names): (Reason, Vec<&str>)| {
        let columns = listed(names.iter().map(|name| shown(name)), NAMED);
        let way_back = match (reason, names.len()) {
            (Reason::Identifier, 1) => " (--features includes it)",
            (Reason::Identifier, _) => " (--features includes them)",
            _ => "",
        };
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
        let verb = if left_out.no_target == 1 { "is" } else { "are" };
        let text = format!("{rows} without a value of {} {verb} left out", shown(target));
        decisions.push(Decision::new(text, ["--missing".to_owned(), format!("{target}=drop")]));
    }
    let undecided = offset.filter(|offset| missing::policy(&preparation.missing, &offset.name) == Policy::Auto);
    if let Some(offset) = undecided.filter(|_| left_out.missing > 0) {
        let rows = counted(left_out.missing, "row is", "rows are");
        let (role, name) = (offset.role(), shown(&offset.name));
        let text = format!("{rows} left out because of missing values, such as that of {role} {name}");
        decisions.push(Decision::new(text, ["--missing".to_owned(), format!("{}=drop", offset.name)]));
    }
    decisions
}

/// Notes on rows that are left out because the data or an option say so.
pub(super) fn left_out_notes(left_out: &LeftOut, preparation: &Preparation) -> Vec<String> {
    let mut notes = Vec::new();
    if left_out.no_weight > 0 {
        let rows = counted(left_out.no_weight, "row", "rows");
        notes.push(format!("{rows} of weight 0, or without a weight: left out"));
    }
    if left_out.missing > 0 && preparation.missing.iter().any(|rule| rule.policy == Policy::Drop) {
        let rows = counted(left_out.missing, "row", "rows");
        notes.push(format!("{rows} with missing values left out (--missing drop)"));
    }
    notes
}
