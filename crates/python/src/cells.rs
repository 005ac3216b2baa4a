//! Columns of Python as cells.

use ordinate_model::cell::Cell;
use ordinate_model::frame::{ColumnsBuilder, Faults, Frame};
use ordinate_model::signature::Signature;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pybacked::{PyBackedBytes, PyBackedStr};
use pyo3::types::{PyBool, PyFloat, PyInt, PyList, PyString};

/// The values of a column.
pub(crate) enum Values {
    /// Doubles in native byte order; NaN is a missing value.
    Doubles(PyBackedBytes),
    /// Days since 1970-01-01 in native byte order; NaN is a missing value.
    Days(PyBackedBytes),
    /// Python objects.
    Cells(Vec<OwnedCell>),
}

/// A value that does not depend on Python's interpreter lock.
pub(crate) enum OwnedCell {
    Missing,
    Boolean(bool),
    Double(f64),
    Integer(i128),
    Text(PyBackedStr),
    Other,
}

/// A column: its name and its values.
pub(crate) struct Column {
    name: String,
    values: Values,
}

impl<'py> FromPyObject<'_, 'py> for Column {
    type Error = PyErr;

    fn extract(column: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let (name, kind, values): (String, String, Bound<'py, PyAny>) = column.extract()?;
        let values = match kind.as_str() {
            "double" => Values::Doubles(values.extract()?),
            "date" => Values::Days(values.extract()?),
            "cells" => {
                Values::Cells(values.cast::<PyList>()?.iter().map(|cell| owned(&cell)).collect::<PyResult<_>>()?)
            }
            other => return Err(PyTypeError::new_err(format!("unknown kind of column {other:?}"))),
        };
        Ok(Self { name, values })
    }
}

fn owned(cell: &Bound<'_, PyAny>) -> PyResult<OwnedCell> {
    Ok(if cell.is_none() {
        OwnedCell::Missing
    } else if cell.is_instance_of::<PyBool>() {
        OwnedCell::Boolean(cell.extract()?)
    } else if cell.is_instance_of::<PyFloat>() {
        // Missing texts of pandas are NaN.
        Some(cell.extract::<f64>()?).filter(|value| !value.is_nan()).map_or(OwnedCell::Missing, OwnedCell::Double)
    } else if cell.is_instance_of::<PyInt>() {
        // An integer beyond 128 bits is beyond the exact integers of a double.
        OwnedCell::Integer(cell.extract::<i64>().map_or(i128::MAX, i128::from))
    } else if cell.is_instance_of::<PyString>() {
        OwnedCell::Text(cell.extract()?)
    } else {
        OwnedCell::Other
    })
}

impl OwnedCell {
    fn cell(&self) -> Cell<'_> {
        match self {
            Self::Missing => Cell::Missing,
            Self::Boolean(value) => Cell::Boolean(*value),
            Self::Double(value) => Cell::Double(*value),
            Self::Integer(value) => Cell::Integer(*value),
            Self::Text(text) => Cell::Text(text),
            Self::Other => Cell::Object,
        }
    }
}

/// The frame of a table. Columns that are not features are ignored, as in `ordinate predict`.
pub(crate) fn frame<'s>(signature: &'s Signature, columns: &[Column]) -> Result<Frame<'s>, Faults> {
    let mut builder = ColumnsBuilder::new(signature, usize::MAX).ignoring_unknown_features();
    for Column { name, values } in columns {
        let Some(position) = builder.start_column(name) else { continue };
        // There is no limit of rows.
        let mut push = |cell: Cell<'_>| builder.push(position, cell).is_ok();
        match values {
            Values::Doubles(bytes) => doubles(bytes).all(|value| push(Cell::Double(value))),
            Values::Days(bytes) => {
                doubles(bytes).all(|days| push(if days.is_nan() { Cell::Missing } else { Cell::Date(days) }))
            }
            Values::Cells(cells) => cells.iter().all(|cell| push(cell.cell())),
        };
    }
    builder.finish()
}

fn doubles(bytes: &[u8]) -> impl Iterator<Item = f64> + '_ {
    bytes.as_chunks().0.iter().map(|bytes| f64::from_ne_bytes(*bytes))
}
