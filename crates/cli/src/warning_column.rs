//! What is unusual about the rows of a table, in words.

use ordinate_model::warning::{Reason, Warnings};
use ordinate_train::summary::rounded;

/// The warnings of each of so many rows in words, with a semicolon between them; nothing for a row without any.
pub(super) fn by_row(warnings: &Warnings<'_>, rows: usize) -> Vec<String> {
    let mut texts = vec![String::new(); rows];
    for warning in &warnings.listed {
        if let Some(text) = texts.get_mut(warning.row) {
            if !text.is_empty() {
                text.push_str("; ");
            }
            text.push_str(&words(&warning.reason));
        }
    }
    texts
}

/// The number of rows that have a warning.
pub(super) fn rows_with_warnings(warnings: &Warnings<'_>) -> usize {
    // They are listed by row.
    warnings.listed.chunk_by(|one, next| one.row == next.row).count()
}

fn words(reason: &Reason<'_>) -> String {
    match reason {
        Reason::OutsideRange { feature, value, range: [low, high] } => {
            format!("{feature}: {value} is outside the training range, {low} to {high}")
        }
        Reason::UnknownCategory { feature, value } => format!("{feature}: {value:?} was not in the training data"),
        Reason::Leverage { leverage, limit } => {
            let [leverage, limit] = [leverage, limit].map(|share| rounded(*share, 3));
            format!("an unusual combination of values (leverage {leverage}, usual up to {limit})")
        }
    }
}
