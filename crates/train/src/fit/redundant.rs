//! Columns that a fit does not need: they leave the design, with a decision that lists them.

use crate::error::TrainError;
use crate::solver::error::SolveError;
use crate::solver::moments::RedundantColumns;
use crate::training_table::TrainingTable;
use ordinate_model::wording::{NAMED, counted, listed, one_line};
use ordinate_table::Decision;
use ordinate_table::infer::name_option;

/// The table without redundant columns, and the decisions to leave them out.
///
/// # Errors
/// [`SolveError::NoVaryingColumn`] when no column is left.
pub(super) fn without_redundant(
    table: TrainingTable,
    redundant: &RedundantColumns,
) -> Result<(TrainingTable, Vec<Decision>), TrainError> {
    if redundant.is_empty() {
        return Ok((table, Vec::new()));
    }
    if redundant.constant.len() == table.names().len() {
        return Err(TrainError::Solve { data: table.label(), source: SolveError::NoVaryingColumn });
    }
    let name = |column: &usize| table.names().get(*column).cloned().unwrap_or_default();
    let decide = |columns: &[usize], [one, many]: [&str; 2]| {
        let names: Vec<String> = columns.iter().map(name).collect();
        let count = counted(names.len() as u64, "column", "columns");
        let rest = if names.len() == 1 { one } else { many };
        let options = names.iter().flat_map(|name| ["--exclude".to_owned(), name_option(name)]);
        (!names.is_empty()).then(|| {
            Decision::new(
                format!("{count} {rest}: {}", listed(names.iter().map(|name| one_line(name)), NAMED)),
                options,
            )
        })
    };
    let constant = decide(
        &redundant.constant,
        ["has the same value in every row and is left out", "have the same value in every row and are left out"],
    );
    let dependent = decide(
        &redundant.dependent,
        [
            "is a linear combination of the columns before it and has no coefficient",
            "are linear combinations of the columns before them and have no coefficient",
        ],
    );
    let decisions = constant.into_iter().chain(dependent).collect();
    Ok((table.without(&redundant.columns())?, decisions))
}
