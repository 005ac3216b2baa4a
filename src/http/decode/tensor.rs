//! Bodies of the Open Inference Protocol: named tensors, as JSON or as bytes behind it.
//!
//! Values go from the body to the frame's builders without a tree between. One tensor of shape [n, p] is n rows of all p
//! features by position; tensors of shape [n] or [n, 1] are a feature each, by name.

mod datatype;
mod request;

use std::fmt::Display;

use jiter::Peek;

use super::json::{Reader, Terms};
use super::{Layout, complain};
use crate::http::server::error::{ApiError, ErrorCode};
pub(in crate::http) use datatype::Datatype;
use datatype::{Mistaken, Sink};
use ordinate_model::frame::{FaultKind, Faults};
use ordinate_model::frame::{Frame, expected_values};
use ordinate_model::wording::shorten;
pub(in crate::http) use request::{InferRequest, read};

/// The key that tensors stand under.
const INPUTS: &str = "inputs";

/// A tensor, not looked into yet.
#[derive(Debug)]
struct Input<'j> {
    name: String,
    shape: Vec<i64>,
    datatype: Datatype,
    data: Data<'j>,
}

/// Where a tensor's values are.
#[derive(Debug)]
enum Data<'j> {
    /// In a list of JSON.
    Json(&'j str),
    /// In bytes of their own.
    Binary(&'j [u8]),
}

/// The rows of tensors.
///
/// # Errors
/// 400 when a tensor is not what its shape and datatype say, 413 past the limit of rows, 422 when the rows do not fit the signature.
fn frame<'s>(inputs: &[Input<'_>], terms: Terms<'s>) -> Result<Frame<'s>, ApiError> {
    if let [only] = inputs {
        let (_, values) = only.rows()?;
        let is_feature = terms.signature.position(&only.name).is_some();
        if values == terms.signature.width() {
            return rows(only, values, terms);
        }
        if values != 1 || !is_feature {
            let wanted = expected_values(terms.signature);
            let detail = format!("the shape {:?} has {values} values a row, the model needs {wanted}", only.shape);
            return Err(refuse_rows(FaultKind::WrongWidth, &only.name, detail));
        }
    }
    columns(inputs, terms)
}

/// One tensor of all features.
fn rows<'s>(input: &Input<'_>, width: usize, terms: Terms<'s>) -> Result<Frame<'s>, ApiError> {
    let mut rows = terms.rows();
    let mut position = 0;
    input.each(|value| {
        if position == 0 {
            rows.start_row()?;
        }
        match value {
            Ok(cell) => rows.push(cell),
            Err(Mistaken { cell, datatype }) => rows.push_with_wrong_datatype(cell, datatype.name()),
        }
        position += 1;
        if position == width {
            rows.end_positional_row();
            position = 0;
        }
        Ok(())
    })?;
    rows.finish().map_err(|faults| refuse_faults(faults, Layout::Positional))
}

/// One tensor a feature.
fn columns<'s>(inputs: &[Input<'_>], terms: Terms<'s>) -> Result<Frame<'s>, ApiError> {
    let mut columns = terms.columns();
    for input in inputs {
        let (_, values) = input.rows()?;
        if values != 1 {
            let detail = format!("the shape {:?} is not that of one feature, [n] or [n, 1]", input.shape);
            return Err(refuse_rows(FaultKind::Ragged, &input.name, detail));
        }
        if let Some(position) = columns.start_column(&input.name) {
            input.each(|value| {
                match value {
                    Ok(cell) => columns.push(position, cell)?,
                    Err(Mistaken { cell, datatype }) => {
                        columns.push_with_wrong_datatype(position, cell, datatype.name())?
                    }
                }
                Ok(())
            })?;
        }
    }
    columns.finish().map_err(|faults| refuse_faults(faults, Layout::Columns))
}

impl Input<'_> {
    /// The number of rows, and of values in each.
    fn rows(&self) -> Result<(usize, usize), ApiError> {
        let (rows, values) = match *self.shape.as_slice() {
            [rows] => (rows, 1),
            [rows, values] => (rows, values),
            ref other => {
                let detail = format!("the shape has {} dimensions; expected [n, p], [n] or [n, 1]", other.len());
                return Err(refuse(&self.name, detail));
            }
        };
        match (usize::try_from(rows), usize::try_from(values)) {
            (Ok(rows), Ok(values)) if rows.checked_mul(values).is_some() => Ok((rows, values)),
            _ => Err(refuse(&self.name, format!("the shape {:?} has a dimension that no tensor has", self.shape))),
        }
    }

    /// Hands over the values, row by row: as many as the shape says.
    fn each(&self, sink: impl Sink) -> Result<(), ApiError> {
        let (rows, values) = self.rows()?;
        match self.data {
            Data::Json(text) => self.each_of_json(text, rows, values, sink),
            Data::Binary(bytes) => self.datatype.read(&self.name, bytes, rows * values, sink),
        }
    }

    /// Values in a list, flat or nested as the shape is.
    fn each_of_json(&self, text: &str, rows: usize, values: usize, mut sink: impl Sink) -> Result<(), ApiError> {
        let mut count = 0;
        let mut value = |reader: &mut Reader<'_>| {
            count += 1;
            sink(self.datatype.of_json(reader.cell()?))
        };
        let mut reader = Reader::new(text);
        let mut lists = 0;
        let nested = text.get(1..).is_some_and(|elements| elements.trim_ascii_start().starts_with('['));
        if nested && self.shape.len() == 2 {
            reader.each(|reader| {
                if reader.peek()? != Peek::Array {
                    let got = reader.cell()?.to_string();
                    return Err(refuse(&self.name, format!("row {lists}: expected a list as in row 0, got {got}")));
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
                    let detail = format!("row {row} has {length} values, the shape {:?} says {values}", self.shape);
                    Err(refuse(&self.name, detail))
                }
            })?;
            if lists != rows {
                let detail = format!("the data have {lists} rows, the shape {:?} says {rows}", self.shape);
                return Err(refuse(&self.name, detail));
            }
            return Ok(());
        }
        reader.each(value)?;
        counted(&self.name, count, rows * values)
    }
}

/// Whether there were as many values as the shape says.
fn counted(name: &str, got: usize, expected: usize) -> Result<(), ApiError> {
    if got == expected {
        return Ok(());
    }
    Err(refuse(name, format!("{got} values came, the shape says {expected}")))
}

/// A tensor that is not what it says.
fn refuse(name: &str, detail: impl Display) -> ApiError {
    refuse_rows(FaultKind::Ragged, name, detail)
}

fn refuse_rows(kind: FaultKind, name: &str, detail: impl Display) -> ApiError {
    ApiError::new(ErrorCode::Rows(kind), format!("input {:?}: {detail}", shorten(name)))
}

fn refuse_faults(faults: Faults, layout: Layout) -> ApiError {
    let (complaints, total) = complain(faults, layout, INPUTS);
    ApiError::complaints(complaints, total)
}

#[cfg(test)]
mod tests;
