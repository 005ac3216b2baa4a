//! Bodies of the Open Inference Protocol: named tensors as JSON, or as bytes after the JSON.
//!
//! One tensor of shape [n, p] has n rows of all p features by position. A tensor of shape [n] or [n, 1] has one
//! feature, by name. Values are read directly into the frame's builders.

mod datatype;
mod request;

use std::fmt::Display;

use jiter::Peek;

use super::json::{Reader, Terms};
use super::{Layout, complain};
use crate::http::server::error::{ApiError, ErrorCode};
pub(in crate::http) use datatype::Datatype;
use datatype::Sink;
pub(super) use datatype::{Value, WrongType};
use ordinate_model::frame::{FaultKind, Faults};
use ordinate_model::frame::{Frame, expected_values};
use ordinate_model::wording::shorten;
pub(in crate::http) use request::{InferRequest, read};

/// The key of the tensors.
const INPUTS: &str = "inputs";

/// A tensor whose values are not decoded yet.
#[derive(Debug)]
struct Input<'j> {
    name: String,
    shape: Vec<i64>,
    datatype: Datatype,
    data: Data<'j>,
}

/// The values of a tensor.
#[derive(Debug)]
enum Data<'j> {
    /// A JSON list.
    Json(&'j str),
    /// Bytes after the JSON.
    Binary(&'j [u8]),
}

/// The rows of tensors. Tensors that the model ignores may have any shape and values.
///
/// # Errors
/// 400 if a tensor does not match its shape and datatype, 413 above the limit of rows, 422 if the rows do not fit the
/// signature.
fn frame<'s>(inputs: &[Input<'_>], terms: Terms<'s>) -> Result<Frame<'s>, ApiError> {
    let used: Vec<_> = inputs.iter().filter(|input| !terms.signature.ignores(&input.name)).collect();
    // The only tensor has the features, whatever its name.
    let used = if inputs.len() == 1 { inputs.iter().collect() } else { used };
    if let [only] = *used {
        let (_, values) = only.rows()?;
        let is_feature = terms.signature.position(&only.name).is_some();
        if values == terms.signature.width() {
            return rows(only, values, terms);
        }
        if values != 1 || !is_feature {
            let expected = expected_values(terms.signature);
            let detail = format!("expected {expected} per row, got {values} by the shape {:?}", only.shape);
            return Err(reject_rows(FaultKind::WrongWidth, &only.name, detail));
        }
    }
    columns(&used, terms)
}

/// The rows of one tensor with all features.
fn rows<'s>(input: &Input<'_>, width: usize, terms: Terms<'s>) -> Result<Frame<'s>, ApiError> {
    let mut rows = terms.rows();
    let mut position = 0;
    input.each(|value| {
        if position == 0 {
            rows.start_row()?;
        }
        match value {
            Ok(cell) => rows.push(cell),
            Err(WrongType { cell, datatype }) => rows.push_with_wrong_datatype(cell, datatype.name()),
        }
        position += 1;
        if position == width {
            rows.end_positional_row();
            position = 0;
        }
        Ok(())
    })?;
    rows.finish().map_err(|faults| reject_faults(faults, Layout::Positional))
}

/// The rows of tensors with one feature each.
fn columns<'s>(inputs: &[&Input<'_>], terms: Terms<'s>) -> Result<Frame<'s>, ApiError> {
    let mut columns = terms.columns();
    for input in inputs {
        let (_, values) = input.rows()?;
        if values != 1 {
            let detail = format!("expected the shape [n] or [n, 1] of one feature, got {:?}", input.shape);
            return Err(reject_rows(FaultKind::Ragged, &input.name, detail));
        }
        if let Some(position) = columns.start_column(&input.name) {
            input.each(|value| {
                match value {
                    Ok(cell) => columns.push(position, cell)?,
                    Err(WrongType { cell, datatype }) => {
                        columns.push_with_wrong_datatype(position, cell, datatype.name())?;
                    }
                }
                Ok(())
            })?;
        }
    }
    columns.finish().map_err(|faults| reject_faults(faults, Layout::Columns))
}

impl Input<'_> {
    /// The number of rows, and of values per row.
    fn rows(&self) -> Result<(usize, usize), ApiError> {
        let (rows, values) = match *self.shape.as_slice() {
            [rows] => (rows, 1),
            [rows, values] => (rows, values),
            ref other => {
                let detail = format!("expected a shape [n, p], [n] or [n, 1], got {} dimensions", other.len());
                return Err(reject(&self.name, detail));
            }
        };
        match (usize::try_from(rows), usize::try_from(values)) {
            (Ok(rows), Ok(values)) if rows.checked_mul(values).is_some() => Ok((rows, values)),
            _ => Err(reject(&self.name, format!("the shape {:?} is not possible", self.shape))),
        }
    }

    /// Passes the values to `sink`, row by row.
    ///
    /// # Errors
    /// 400 if their number does not match the shape; errors of `sink`.
    fn each(&self, sink: impl Sink) -> Result<(), ApiError> {
        let (rows, values) = self.rows()?;
        match self.data {
            Data::Json(text) => self.each_of_json(text, rows, values, sink),
            Data::Binary(bytes) => self.datatype.read(&self.name, bytes, rows * values, sink),
        }
    }

    /// Values in a list, which is flat or has one list per row.
    fn each_of_json(&self, text: &str, rows: usize, values: usize, mut sink: impl Sink) -> Result<(), ApiError> {
        let mut count = 0;
        let mut value = |reader: &mut Reader<'_>| {
            count += 1;
            sink(self.datatype.check_json(reader.cell()?))
        };
        let mut reader = Reader::new(text);
        let mut lists = 0;
        let nested = text.get(1..).is_some_and(|elements| elements.trim_ascii_start().starts_with('['));
        if nested && self.shape.len() == 2 {
            reader.each(|reader| {
                if reader.peek()? != Peek::Array {
                    let got = reader.cell()?.to_string();
                    return Err(reject(&self.name, format!("row {lists}: expected a list as in row 0, got {got}")));
                }
                let mut length = 0;
                reader.each(|reader| {
                    length += 1;
                    value(reader)
                })?;
                lists += 1;
                if length == values {
                    Ok(())
                } else {
                    let row = lists - 1;
                    let detail =
                        format!("row {row}: expected {values} values by the shape {:?}, got {length}", self.shape);
                    Err(reject(&self.name, detail))
                }
            })?;
            if lists != rows {
                let detail = format!("expected {rows} rows by the shape {:?}, got {lists}", self.shape);
                return Err(reject(&self.name, detail));
            }
            return Ok(());
        }
        reader.each(value)?;
        check_count(&self.name, count, rows * values)
    }
}

/// Checks the number of values against the shape.
fn check_count(name: &str, got: usize, expected: usize) -> Result<(), ApiError> {
    if got == expected {
        return Ok(());
    }
    Err(reject(name, format!("expected {expected} values by the shape, got {got}")))
}

/// The error for a tensor that does not match its shape or datatype.
fn reject(name: &str, detail: impl Display) -> ApiError {
    reject_rows(FaultKind::Ragged, name, detail)
}

fn reject_rows(kind: FaultKind, name: &str, detail: impl Display) -> ApiError {
    ApiError::new(ErrorCode::Rows(kind), format!("input {:?}: {detail}", shorten(name)))
}

fn reject_faults(faults: Faults, layout: Layout) -> ApiError {
    let (complaints, total) = complain(faults, layout, INPUTS);
    ApiError::complaints(complaints, total)
}

#[cfg(test)]
mod tests;
