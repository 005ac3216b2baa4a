//! Errors that cannot be decided: values that contradict an option, rows without a target, weights below zero,
//! targets that a family does not have.

use std::collections::BTreeSet;

use super::RoleOf;
use crate::error::TrainError;
use crate::preparation::Preparation;
use ordinate_model::cell::Cell;
use ordinate_model::family::Family;
use ordinate_model::signature::{CellError, Feature, FeatureType};
use ordinate_model::wording::counted;
use ordinate_table::column::{Column, Role};
use ordinate_table::infer::{Inferred, markers};
use ordinate_table::missing::Policy;
use ordinate_table::resolve::LeftOut;
use ordinate_table::{DataError, Location, RowId, Source};

/// The most problems of one run that are listed.
const LISTED: usize = 20;

/// The most different values of a column that a command counts as missing; with more, the type is wrong.
const MOST_MARKERS: usize = 20;

/// Several errors in the data.
#[derive(Debug)]
pub struct Problems {
    /// The first errors, by column.
    listed: Vec<DataError>,
    /// The number of others.
    more: u64,
    /// The words of the command line that resolve all of them; empty if no option does.
    options: Vec<String>,
}

impl Problems {
    /// The errors, one a line, without what to do about each.
    #[must_use]
    pub fn text(&self) -> String {
        let text = |error: &DataError| {
            let text = error.to_string();
            text.split_once("\nhelp: ").map_or(text.clone(), |(error, _)| error.to_owned())
        };
        let mut lines: Vec<String> = self.listed.iter().map(text).collect();
        if self.more > 0 {
            lines.push(format!("and {}", counted(self.more, "more value", "more values")));
        }
        lines.join("\nerror: ")
    }

    /// The words of the command line that count all of these values as missing; empty if no option does.
    #[must_use]
    pub fn options(&self) -> &[String] {
        &self.options
    }
}

/// A column with values that are not of its type.
struct Suspect<'c> {
    position: usize,
    column: &'c RoleOf,
    feature: Feature,
    first: Vec<(RowId, CellError)>,
    words: BTreeSet<String>,
    rows: u64,
}

impl Suspect<'_> {
    fn push(&mut self, id: RowId, cell: Cell<'_>) {
        if self.feature.is_missing(cell) {
            return;
        }
        let Err(error) = self.feature.accept(cell) else { return };
        self.rows += 1;
        if self.first.len() < LISTED {
            self.first.push((id, error));
        }
        if let (Cell::Field(text) | Cell::Text(text), true) = (cell, self.words.len() <= MOST_MARKERS) {
            self.words.insert(text.trim().to_owned());
        }
    }
}

/// Checks that all values are of the types that options declare, that weights are numbers, and that the target is no
/// date.
pub(super) fn check(source: &Source, roles: &[RoleOf], inferred: &[Inferred]) -> Result<(), TrainError> {
    let mut problems = Vec::new();
    let mut suspects = Vec::new();
    for (position, (column, inferred)) in roles.iter().zip(inferred).enumerate() {
        let name = &*column.named.name;
        let is_date = inferred.feature.kind == FeatureType::Date;
        let feature = match column.role {
            _ if !inferred.unreadable.is_empty() => inferred.feature.clone(),
            Role::Weight | Role::Offset { .. } if inferred.feature.kind != FeatureType::Double => {
                Feature::new(name, FeatureType::Double)
            }
            Role::Target { .. } if is_date => {
                problems.push(DataError::DateTarget { column: name.to_owned() }.in_data(source.label()));
                continue;
            }
            _ => continue,
        };
        let (first, words) = (Vec::new(), BTreeSet::new());
        suspects.push(Suspect { position, column, feature, first, words, rows: 0 });
    }
    if !suspects.is_empty() {
        source.scan::<DataError>(&mut |record| {
            for suspect in &mut suspects {
                suspect.push(record.id(), record.cell(suspect.position));
            }
            Ok(())
        })?;
    }
    result(source, problems, suspects)
}

fn result(source: &Source, mut listed: Vec<DataError>, suspects: Vec<Suspect<'_>>) -> Result<(), TrainError> {
    let can_be_resolved =
        listed.is_empty() && suspects.iter().all(|suspect| (1..=MOST_MARKERS).contains(&suspect.words.len()));
    let of_words =
        |suspect: &Suspect<'_>| markers(&suspect.column.named.name, &suspect.words.iter().cloned().collect::<Vec<_>>());
    let options = if can_be_resolved { suspects.iter().flat_map(of_words).collect() } else { Vec::new() };
    let total: u64 = suspects.iter().map(|suspect| suspect.rows).sum::<u64>() + listed.len() as u64;
    let of_each = (LISTED / suspects.len().max(1)).max(1);
    for Suspect { column, first, .. } in suspects {
        let error = |(id, error)| DataError::Value {
            location: source.location(id),
            column: column.named.clone(),
            source: error,
        };
        listed.extend(first.into_iter().take(of_each).map(error));
    }
    listed.truncate(LISTED);
    match (total, listed.pop()) {
        (_, None) => Ok(()),
        (1, Some(error)) => Err(error.into()),
        (_, Some(last)) => {
            listed.push(last);
            Err(TrainError::Several(Problems { more: total - listed.len() as u64, listed, options }))
        }
    }
}

/// Checks that rows are left.
pub(super) fn check_rows(
    source: &Source,
    columns: &[Column],
    left_out: &LeftOut,
    preparation: &Preparation,
    rows: u64,
) -> Result<(), TrainError> {
    if rows > 0 {
        return Ok(());
    }
    let target = columns.iter().find(|column| column.named.purpose == ordinate_table::Purpose::Target);
    let column = target.map(|column| column.name().to_owned()).unwrap_or_default();
    let error = if left_out.no_target > 0 && left_out.no_weight == 0 && left_out.missing == 0 {
        DataError::NoTargets { column }
    } else {
        let drops = preparation.missing.iter().any(|rule| rule.policy == Policy::Drop);
        let advice = match source.offset.as_ref().filter(|_| left_out.missing > 0 && !drops) {
            Some(offset) => format!("name a column of numbers with {}, not {:?}", offset.option(), offset.name),
            None if left_out.missing == 0 => "check the weights, or leave out --weights".to_owned(),
            None => {
                "use --missing median or --missing most-frequent instead of --missing drop".to_owned()
                    + if left_out.no_weight > 0 { ", or check the weights" } else { "" }
            }
        };
        DataError::NoRowsLeft {
            no_target: left_out.no_target,
            no_weight: left_out.no_weight,
            missing: left_out.missing,
            advice,
        }
    };
    Err(error.in_data(source.label()).into())
}

/// Checks that weights are not negative, and that exposures and targets to be logged are positive.
pub(super) fn check_positive(source: &Source, roles: &[RoleOf], columns: &[Column]) -> Result<(), TrainError> {
    for (position, (role, column)) in roles.iter().zip(columns).enumerate() {
        let reason = match role.role {
            Role::Weight => "correct the weight, or remove the row",
            Role::Offset { log: true } => {
                "correct it, or remove the row; if the column is on the scale of the logarithm already, use --offset"
            }
            Role::Target { log: true } => "correct it, or remove --target-transform log, because it has no logarithm",
            _ => continue,
        };
        if column.check_positive().is_err() {
            let expected =
                if role.role == Role::Weight { "a number of at least zero" } else { "a number greater than zero" };
            return Err(too_small(source, position, column, expected, reason)?);
        }
    }
    Ok(())
}

/// Checks that all targets are ones that the family has.
pub(super) fn check_family(source: &Source, target: &Column, family: Family) -> Result<(), TrainError> {
    let [smallest, _] = target.range;
    if target.is_empty() || family.has(smallest) {
        return Ok(());
    }
    let reason = match family {
        Family::Gamma if smallest >= 0.0 => "correct it, or use --estimator poisson or --estimator linear",
        _ => "correct it, or use --estimator linear",
    };
    let position = source.names().iter().position(|name| name == target.name()).unwrap_or_default();
    Err(too_small(source, position, target, family.targets(), reason)?)
}

/// The error of the first row with the smallest value of a column.
fn too_small(
    source: &Source,
    position: usize,
    column: &Column,
    expected: &'static str,
    reason: &'static str,
) -> Result<TrainError, TrainError> {
    let [value, _] = column.range;
    let is_it = |cell: Cell<'_>| column.feature.accept(cell).is_ok_and(|found| found.total_cmp(&value).is_eq());
    let location = locate(source, position, is_it)?;
    Ok(DataError::NotPositive { location, column: column.named.clone(), expected, value, reason }.into())
}

/// The first row with such a cell. Errors are rare, so that rows do not keep their places.
fn locate(source: &Source, position: usize, mut is_it: impl FnMut(Cell<'_>) -> bool) -> Result<Location, TrainError> {
    enum End {
        Found,
        Failed(Box<DataError>),
    }
    impl From<DataError> for End {
        fn from(error: DataError) -> Self {
            Self::Failed(error.into())
        }
    }
    let mut found = RowId::default();
    let outcome = source.scan::<End>(&mut |record| {
        found = record.id();
        if is_it(record.cell(position)) { Err(End::Found) } else { Ok(()) }
    });
    match outcome {
        Err(End::Failed(error)) => Err((*error).into()),
        _ => Ok(source.location(found)),
    }
}
