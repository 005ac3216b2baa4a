//! Decodes bodies into a [`Frame`](ordinate_model::frame::Frame), which validates the values.

pub(super) mod csv;
pub(super) mod json;
pub(super) mod lines;
pub(super) mod npy;
mod pointer;
pub(super) mod tensor;

use super::server::error::{ApiError, Complaint, ErrorCode};
use ordinate_model::frame::{Fault, Faults};
use pointer::Pointer;

/// The layout of the rows in a body, which decides what the pointer to a fault looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// One value per row.
    Flat,
    /// One list per row.
    Positional,
    /// One object per row.
    Named,
    /// One object per row, `{"features": […]}`.
    Wrapped,
    /// The names, then one list per row.
    Split,
    /// One list per feature.
    Columns,
    /// CSV with a header.
    Csv,
    /// JSON Lines, CSV without a header, or an array.
    Lines,
}

/// Faults as complaints, with pointers for this layout below this key of the body; and their total number.
fn complain(faults: Faults, layout: Layout, key: &str) -> (Vec<Complaint>, usize) {
    let complaint = |fault: Fault| Complaint {
        code: ErrorCode::Rows(fault.kind),
        pointer: locate(&fault, layout, key),
        detail: describe(&fault),
    };
    (faults.listed.into_iter().map(complaint).collect(), faults.total)
}

/// The error for faults in a body without keys.
fn refuse(faults: Faults, layout: Layout) -> ApiError {
    let (complaints, total) = complain(faults, layout, "");
    ApiError::complaints(complaints, total)
}

/// `row 3: feature "bmi" expected a number, got the string "high"`.
fn describe(fault: &Fault) -> String {
    let row = fault.place.row.map(|row| format!("row {row}: ")).unwrap_or_default();
    let feature = fault.place.feature.as_ref().map(|name| format!("feature {name:?} ")).unwrap_or_default();
    format!("{row}{feature}{}", fault.detail)
}

fn locate(fault: &Fault, layout: Layout, key: &str) -> Option<String> {
    let place = &fault.place;
    // A body without a key is the rows.
    let pointer = Pointer::root().maybe(Some(key).filter(|key| !key.is_empty()));
    let pointer = match layout {
        Layout::Csv | Layout::Lines => return None,
        Layout::Flat => pointer.maybe(place.row),
        Layout::Positional => pointer.maybe(place.row).maybe(place.position),
        Layout::Wrapped => pointer.maybe(place.row).maybe(place.position.map(|_| "features")).maybe(place.position),
        Layout::Split => pointer.key("data").maybe(place.row),
        Layout::Named => pointer.maybe(place.row).maybe(place.feature.as_ref()),
        Layout::Columns => pointer.maybe(place.feature.as_ref()).maybe(place.row),
    };
    Some(pointer.into())
}

/// The text of a body without a byte order mark, which spreadsheets and some editors write.
///
/// # Errors
/// 400 with the place of the first byte that is not UTF-8.
fn utf8(body: &[u8]) -> Result<&str, ApiError> {
    let text = std::str::from_utf8(body).map_err(|error| {
        let before =
            body.get(..error.valid_up_to()).and_then(|valid| std::str::from_utf8(valid).ok()).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|character| *character != '\n').count() + 1;
        let detail = format!("byte {} (line {line}, column {column}) is not UTF-8", error.valid_up_to());
        ApiError::new(ErrorCode::InvalidUtf8, detail)
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}
