//! From the survey to typed values: words become numbers, dates or positions of levels, and rows that cannot be used are
//! left out.

use super::column::Column;
use super::spool::{Filling, Spool, SpoolError};

/// Which rows are left out, and how many for each reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Rows without a target.
    pub no_target: u64,
    /// Rows of weight zero, or without a weight.
    pub no_weight: u64,
    /// Rows with a missing value in a column whose rows are to be dropped.
    pub missing: u64,
}

/// The columns of a row that decide whether it is used.
#[derive(Debug, Clone, Default)]
pub struct RowRules {
    /// The position of the target.
    pub target: usize,
    /// The position of the weights.
    pub weight: Option<usize>,
    /// The positions of columns that must have a value.
    pub required: Vec<usize>,
}

/// Decodes all rows, adds their values to the columns, and leaves out the rows that cannot be used. Returns the rows, their
/// number, and how many were left out.
///
/// # Errors
/// [`SpoolError`] when the rows cannot be read or written.
pub fn resolve(rows: Spool, columns: &mut [Column], rules: &RowRules) -> Result<(Spool, u64, LeftOut), SpoolError> {
    // Numbers are stored as they are: unless rows are left out, there is nothing to write.
    let are_numbers = columns.iter().all(Column::has_no_words);
    let mut filling = (!are_numbers).then(|| Filling::new(columns.len()));
    let (count, left_out) = pass(&rows, columns, rules, filling.as_mut(), Column::push)?;
    if are_numbers && left_out != LeftOut::default() {
        filling = Some(Filling::new(columns.len()));
        pass(&rows, columns, rules, filling.as_mut(), |_, _| ())?;
    }
    let rows = filling.map_or(Ok(rows), Filling::finish)?;
    Ok((rows, count, left_out))
}

/// Hands the values of the rows that are used to the columns, and writes them. Returns their number, and how many were left out.
fn pass(
    rows: &Spool,
    columns: &mut [Column],
    rules: &RowRules,
    mut filling: Option<&mut Filling>,
    push: impl Fn(&mut Column, f64),
) -> Result<(u64, LeftOut), SpoolError> {
    let (mut count, mut left_out) = (0, LeftOut::default());
    let mut values = Vec::with_capacity(columns.len());
    let mut outcome = Ok(());
    rows.scan(|row| {
        values.clear();
        values.extend(columns.iter().zip(row).map(|(column, stored)| column.decode(*stored)));
        let is_missing = |position: &usize| values.get(*position).is_none_or(|value| value.is_nan());
        let weight = rules.weight.map_or(Some(1.0), |position| values.get(position).copied());
        if is_missing(&rules.target) {
            left_out.no_target += 1;
        } else if weight.is_none_or(|weight| weight == 0.0 || weight.is_nan()) {
            left_out.no_weight += 1;
        } else if rules.required.iter().any(is_missing) {
            left_out.missing += 1;
        } else {
            count += 1;
            columns.iter_mut().zip(&values).for_each(|(column, value)| push(column, *value));
            if let (Some(filling), true) = (filling.as_mut(), outcome.is_ok()) {
                outcome = filling.push(&values);
            }
        }
    })?;
    outcome?;
    Ok((count, left_out))
}
