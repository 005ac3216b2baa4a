//! `application/x-npy`: an array as `numpy.save` writes it (NEP 1; versions 1, 2 and 3 of the format,
//! <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>).
//!
//! An array of shape (n, p) has n rows of all p features by position. One of shape (n,) is n rows of a model with one
//! feature, or one row of a model with n features. Values are those of a tensor of the same type: floats are widened
//! exactly, and integers stay integers. Nothing of the file is executed: arrays of objects, which are pickles, are errors.

mod header;

use std::borrow::Cow;

use super::json::Terms;
use super::tensor::{Value, WrongType};
use super::{Layout, refuse};
use crate::http::server::error::{ApiError, ErrorCode};
use header::{ByteOrder, Element, Header};
use ordinate_model::cell::Cell;
use ordinate_model::frame::{FaultKind, Frame, expected_values};
use ordinate_model::signature::{FeatureType, Signature};

/// Reads the rows.
///
/// # Errors
/// 400 if it is not an NPY file or has a type of values that is not supported, 413 above the limit of rows, 422 if the
/// rows do not fit the signature.
pub(in crate::http) fn read<'s>(body: &[u8], terms: Terms<'s>) -> Result<Frame<'s>, ApiError> {
    let (header, values) = Header::parse(body)?;
    let width = terms.signature.width();
    let (rows, columns) = match *header.shape.as_slice() {
        [values] if width == 1 => (values, 1),
        [values] => (1, values),
        [rows, columns] => (rows, columns),
        ref other => {
            let detail = format!("expected an array of 2 dimensions, rows × features, got {} dimensions", other.len());
            return Err(ApiError::new(ErrorCode::Rows(FaultKind::Ragged), detail));
        }
    };
    let size = header.element.size();
    let bytes = rows.checked_mul(columns).and_then(|count| count.checked_mul(size));
    if bytes != Some(values.len()) {
        let got = values.len();
        return Err(invalid(format!(
            "expected {rows} × {columns} values of {size} bytes by its header, got {got} bytes"
        )));
    }
    if columns != width && rows > 0 {
        let expected = expected_values(terms.signature);
        let detail = format!("expected {expected} per row, got {columns} by the shape {}", header.shape_text());
        return Err(ApiError::new(ErrorCode::Rows(FaultKind::WrongWidth), detail));
    }
    let values = in_order(values, &header, rows, columns);
    let mut frame = terms.rows();
    let mut position = 0;
    let mut put = |value: Value<'_>| {
        if position == 0 {
            frame.start_row()?;
        }
        match value {
            Ok(cell) => frame.push(cell),
            Err(WrongType { cell, datatype }) => frame.push_with_wrong_datatype(cell, datatype.name()),
        }
        position += 1;
        if position == width {
            frame.end_positional_row();
            position = 0;
        }
        Ok::<(), ApiError>(())
    };
    match header.element {
        Element::Number(datatype) => datatype.read("", &values, rows * columns, put)?,
        Element::Utf32 { .. } => values.chunks(size).try_for_each(|text| put(Ok(Cell::Text(&utf32(text)?))))?,
        Element::Bytes { .. } => values.chunks(size).try_for_each(|text| put(Ok(Cell::Text(utf8(text)?))))?,
    }
    frame.finish().map_err(|faults| {
        let error = refuse(faults, Layout::Lines);
        if is_mixed(terms.signature) { advise(error) } else { error }
    })
}

/// Whether the features have values of several types, which no array can have.
fn is_mixed(signature: &Signature) -> bool {
    let mut kinds = signature.features().iter().map(|feature| match feature.kind {
        FeatureType::Double | FeatureType::Long => 0,
        FeatureType::Boolean => 1,
        FeatureType::String | FeatureType::Date => 2,
    });
    let first = kinds.next();
    kinds.any(|kind| Some(kind) != first)
}

fn advise(error: ApiError) -> ApiError {
    let advice = "the features have several types, and an array has one: send JSON or CSV";
    ApiError { detail: format!("{}; {advice}", error.detail), ..error }
}

/// The values row by row in little-endian bytes.
fn in_order<'b>(values: &'b [u8], header: &Header, rows: usize, columns: usize) -> Cow<'b, [u8]> {
    let (size, unit) = (header.element.size(), header.element.unit());
    let mut values = Cow::Borrowed(values);
    if header.fortran_order && rows > 1 && columns > 1 {
        let mut by_row = Vec::with_capacity(values.len());
        for row in 0..rows {
            for value in values.chunks_exact(size).skip(row).step_by(rows) {
                by_row.extend_from_slice(value);
            }
        }
        values = Cow::Owned(by_row);
    }
    if header.order == ByteOrder::Big && unit > 1 {
        values = Cow::Owned(values.chunks_exact(unit).flat_map(|number| number.iter().rev().copied()).collect());
    }
    values
}

/// A text of four bytes per character, padded with zeros.
fn utf32(value: &[u8]) -> Result<String, ApiError> {
    let codes = value.as_chunks::<4>().0.iter().map(|code| u32::from_le_bytes(*code));
    let characters = codes.map(|code| char::from_u32(code).ok_or(code));
    let text: Result<String, u32> = characters.collect();
    let text = text.map_err(|code| invalid(format!("a string has {code:#x}, which is not a Unicode character")))?;
    Ok(text.trim_end_matches('\0').to_owned())
}

/// A text of bytes, padded with zeros.
fn utf8(value: &[u8]) -> Result<&str, ApiError> {
    let text = std::str::from_utf8(value).map_err(|_| invalid("a byte string is not UTF-8"))?;
    Ok(text.trim_end_matches('\0'))
}

fn invalid(reason: impl std::fmt::Display) -> ApiError {
    ApiError::new(ErrorCode::InvalidNpy, format!("the body is not a valid NPY file: {reason}"))
}

#[cfg(test)]
mod tests;
