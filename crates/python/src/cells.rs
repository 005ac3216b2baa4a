//! Columns of Python as cells.

use numpy::PyReadonlyArray1;
use ordinate_model::cell::Cell;
use ordinate_model::frame::{ColumnsBuilder, Faults, Frame};
use ordinate_model::signature::Signature;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::types::{PyBool, PyFloat, PyInt, PyList, PyString};

/// A column: its name and its values.
pub(crate) struct Column<'py> {
    name: String,
    values: Values<'py>,
}

enum Values<'py> {
    /// Contiguous doubles; NaN is a missing value.
    Doubles(PyReadonlyArray1<'py, f64>),
    /// Contiguous days since 1970-01-01; NaN is a missing value.
    Days(PyReadonlyArray1<'py, f64>),
    /// Python objects.
    Cells(Vec<OwnedCell>),
}

/// A value that does not depend on Python's interpreter lock.
#[derive(Debug)]
pub(crate) enum OwnedCell {
    Missing,
    Boolean(bool),
    Double(f64),
    Integer(i128),
    Text(PyBackedStr),
    Other,
}

/// A column that is borrowed, so that it does not depend on Python's interpreter lock either.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BorrowedColumn<'c> {
    name: &'c str,
    values: BorrowedValues<'c>,
}

#[derive(Debug, Clone, Copy)]
enum BorrowedValues<'c> {
    Doubles(&'c [f64]),
    Days(&'c [f64]),
    Cells(&'c [OwnedCell]),
}

impl<'py> FromPyObject<'_, 'py> for Column<'py> {
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

impl Column<'_> {
    /// The column without Python's interpreter lock.
    pub(crate) fn borrowed(&self) -> PyResult<BorrowedColumn<'_>> {
        let values = match &self.values {
            Values::Doubles(array) => BorrowedValues::Doubles(array.as_slice()?),
            Values::Days(array) => BorrowedValues::Days(array.as_slice()?),
            Values::Cells(cells) => BorrowedValues::Cells(cells),
        };
        Ok(BorrowedColumn { name: &self.name, values })
    }
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

/// The doubles of each feature, in the order of the features; `None` if a feature has other values or several columns.
pub(crate) fn doubles<'c>(signature: &Signature, columns: &[BorrowedColumn<'c>]) -> Option<Vec<&'c [f64]>> {
    let mut of_feature = vec![None; signature.width()];
    for BorrowedColumn { name, values } in columns {
        let Some(place) = signature.position(name).and_then(|position| of_feature.get_mut(position)) else { continue };
        match values {
            BorrowedValues::Doubles(values) if place.is_none() => *place = Some(*values),
            _ => return None,
        }
    }
    of_feature.into_iter().collect()
}

/// How many cells are added to a frame between two questions whether to stop.
const CELLS_WITHOUT_STOP: usize = 1 << 17;

/// The frame of a table, or `None` if it is stopped. Columns that are not features are ignored, as in
/// `ordinate predict`.
pub(crate) fn frame<'s>(
    signature: &'s Signature,
    columns: &[BorrowedColumn<'_>],
    stop: &dyn Fn() -> bool,
) -> Option<Result<Frame<'s>, Faults>> {
    let mut builder = ColumnsBuilder::new(signature, usize::MAX).ignoring_unknown_features();
    for BorrowedColumn { name, values } in columns {
        let Some(position) = builder.start_column(name) else { continue };
        // There is no limit of rows.
        let mut push = |cell: Cell<'_>| _ = builder.push(position, cell);
        match values {
            BorrowedValues::Doubles(values) => add(values, stop, |value| push(Cell::Double(*value)))?,
            BorrowedValues::Days(days) => {
                add(days, stop, |days| push(if days.is_nan() { Cell::Missing } else { Cell::Date(*days) }))?;
            }
            BorrowedValues::Cells(cells) => add(cells, stop, |cell| push(cell.cell()))?,
        }
    }
    Some(builder.finish())
}

/// Adds all values; `None` if it is stopped.
fn add<T>(values: &[T], stop: &dyn Fn() -> bool, mut push: impl FnMut(&T)) -> Option<()> {
    for values in values.chunks(CELLS_WITHOUT_STOP) {
        if stop() {
            return None;
        }
        values.iter().for_each(&mut push);
    }
    Some(())
}
