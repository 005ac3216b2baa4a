//! Bytes → [`Frame`](ordinate_model::frame::Frame). What a value may be is the frame's affair; here is only how it is written.

pub(super) mod csv;
pub(super) mod json;
pub(super) mod lines;
mod pointer;
pub(super) mod tensor;

use super::server::error::{ApiError, Complaint, ErrorCode};
use ordinate_model::frame::{Fault, Faults};
use pointer::Pointer;

/// How a body is laid out: the same fault stands at another place in each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// One value a row.
    Flat,
    /// One list a row.
    Positional,
    /// One object a row.
    Named,
    /// One object with a list a row.
    Wrapped,
    /// Names once, then one list a row.
    Split,
    /// One list a feature.
    Columns,
    /// Text with a header row.
    Csv,
    /// Text, a row a line.
    Lines,
}

/// Puts faults into words and places of this layout, under this key of the body.
fn complain(faults: Faults, layout: Layout, key: &str) -> (Vec<Complaint>, usize) {
    let complaint = |fault: Fault| Complaint {
        code: ErrorCode::Rows(fault.kind),
        pointer: locate(&fault, layout, key),
        detail: describe(&fault),
    };
    (faults.listed.into_iter().map(complaint).collect(), faults.total)
}

/// The answer to faults in a body that has no keys.
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
    let pointer = Pointer::root().key(key);
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

/// Text of a body, or where it stops being text. A byte order mark is passed over: spreadsheets and some editors write one.
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
