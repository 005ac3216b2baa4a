//! Warnings about rows, as text.

use ordinate_model::answer::{WarningReason, Warnings};
use ordinate_model::wording::rounded;

/// The warnings of each row, separated by semicolons; empty for a row without warnings.
pub(crate) fn by_row(warnings: &Warnings<'_>, rows: usize) -> Vec<String> {
    let mut texts = vec![String::new(); rows];
    for warning in &warnings.listed {
        if let Some(text) = texts.get_mut(warning.row) {
            if !text.is_empty() {
                text.push_str("; ");
            }
            text.push_str(&message(&warning.reason));
        }
    }
    texts
}

/// The number of rows with warnings.
#[must_use]
pub fn rows_with_warnings(warnings: &Warnings<'_>) -> usize {
    // Warnings are in the order of the rows.
    warnings.listed.chunk_by(|one, next| one.row == next.row).count()
}

fn message(reason: &WarningReason<'_>) -> String {
    match reason {
        WarningReason::OutsideRange { feature, value, range: [low, high] } => {
            format!("{feature}: {value} is outside the training range, {low} to {high}")
        }
        WarningReason::Imputed { feature, value } => format!("{feature}: missing, replaced by {value}"),
        WarningReason::UnknownCategory { feature, value } => {
            format!("{feature}: {value:?} was not in the training data")
        }
        WarningReason::NoMeanInterval => reason.to_string(),
        WarningReason::Leverage { leverage, limit } => {
            let [leverage, limit] = [leverage, limit].map(|value| rounded(*value, 3));
            format!("high leverage: the values are unusual together (leverage {leverage}, usual up to {limit})")
        }
    }
}
