//! What is unusual about the rows of a table, in words.

use ordinate_model::frame::Frame;
use ordinate_model::warning::Reason;
use ordinate_model::{Model, PredictError};
use ordinate_train::summary::rounded;

/// For each row of a frame all its warnings, with a semicolon between them; nothing for a row that is usual.
///
/// # Errors
/// [`PredictError::ForeignFrame`].
pub(super) fn warned(model: &Model, frame: &Frame<'_>) -> Result<Vec<String>, PredictError> {
    let mut rows = vec![String::new(); frame.rows()];
    for warning in model.all_warnings(frame)?.told {
        if let Some(row) = rows.get_mut(warning.row) {
            if !row.is_empty() {
                row.push_str("; ");
            }
            row.push_str(&words(&warning.reason));
        }
    }
    Ok(rows)
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
