//! Errors that cannot be decided: values that contradict an option, rows without a target, weights below zero, targets that a
//! family does not have.

use super::RoleOf;
use crate::error::TrainError;
use ordinate_model::cell::Cell;
use ordinate_model::family::Family;
use ordinate_model::signature::{CellError, Feature, FeatureType};
use ordinate_table::column::{Column, Role};
use ordinate_table::infer::Inferred;
use ordinate_table::resolve::LeftOut;
use ordinate_table::{DataError, Location, RowId, Source};

/// The most problems of one run that are listed.
const LISTED: usize = 20;

/// Checks that all values are of the types that options declare, that weights are numbers, and that the target is no date.
pub(super) fn check(source: &Source, roles: &[RoleOf], inferred: &[Inferred]) -> Result<(), TrainError> {
    let mut problems = Vec::new();
    for (position, (column, inferred)) in roles.iter().zip(inferred).enumerate() {
        let name = &column.named.name;
        let feature = &inferred.feature;
        match (&inferred.unreadable, column.role) {
            (Some(word), _) => problems.push(unreadable(source, position, column, feature, word)?),
            (None, Role::Weight | Role::Offset { .. }) if feature.kind != FeatureType::Double => {
                problems.push(first_text(source, position, column)?);
            }
            (None, Role::Target { .. }) if feature.kind == FeatureType::Date => {
                problems.push(DataError::DateTarget { column: name.to_string() }.in_data(source.label()));
            }
            _ => {}
        }
    }
    match problems.len() {
        0 => Ok(()),
        1 => Err(problems.remove(0).into()),
        _ => {
            problems.truncate(LISTED);
            Err(TrainError::Several(problems))
        }
    }
}

/// Checks that rows are left.
pub(super) fn check_rows(source: &Source, columns: &[Column], left_out: &LeftOut, rows: u64) -> Result<(), TrainError> {
    if rows > 0 {
        return Ok(());
    }
    let target = columns.iter().find(|column| column.named.purpose == ordinate_table::Purpose::Target);
    let column = target.map(|column| column.name().to_owned()).unwrap_or_default();
    let error = if left_out.no_target > 0 && left_out.no_weight == 0 && left_out.missing == 0 {
        DataError::NoTargets { column }
    } else {
        DataError::NoRowsLeft {
            no_target: left_out.no_target,
            no_weight: left_out.no_weight,
            missing: left_out.missing,
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
            return Err(too_small(source, position, column, "a number greater than zero", reason)?);
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
    let (expected, reason) = match family {
        Family::Poisson => ("a number of at least zero", "correct it, or use --estimator linear"),
        Family::Gamma if smallest < 0.0 => ("a number greater than zero", "correct it, or use --estimator linear"),
        Family::Gamma => ("a number greater than zero", "correct it, or use --estimator poisson or --estimator linear"),
    };
    let position = source.names().iter().position(|name| name == target.name()).unwrap_or_default();
    Err(too_small(source, position, target, expected, reason)?)
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

fn unreadable(
    source: &Source,
    position: usize,
    column: &RoleOf,
    feature: &Feature,
    word: &str,
) -> Result<DataError, TrainError> {
    let location =
        locate(source, position, |cell| matches!(cell, Cell::Field(text) | Cell::Text(text) if text == word))?;
    let error = feature.accept(Cell::Field(word)).err().unwrap_or(CellError::Missing);
    Ok(DataError::Value { location, column: column.named.clone(), source: error })
}

fn first_text(source: &Source, position: usize, column: &RoleOf) -> Result<DataError, TrainError> {
    let number = Feature::new(&*column.named.name, FeatureType::Double);
    let mut found = CellError::Missing;
    let location = locate(source, position, |cell| match number.accept(cell) {
        Err(error) if !number.is_missing(cell) => {
            found = error;
            true
        }
        _ => false,
    })?;
    Ok(DataError::Value { location, column: column.named.clone(), source: found })
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
