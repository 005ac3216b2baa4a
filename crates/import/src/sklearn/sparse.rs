//! Sparse matrices of scipy in CSR format, which `sparsify()` makes of coefficients.

use super::MAX_WORK;
use crate::value::Object;

/// Whether an object is a matrix or an array in this format.
pub(super) fn is_rows(object: &Object) -> bool {
    object.module.starts_with("scipy.sparse") && object.name.starts_with("csr_")
}

/// All elements of a matrix with so many columns, row-major; `None` if its parts do not fit together.
pub(super) fn dense(object: &Object, columns: usize) -> Option<Vec<f64>> {
    let positions = |attribute: &str| object.get(attribute)?.positions();
    // A vector has one row.
    let rows = match positions("_shape")?.as_slice() {
        [width] if *width == columns => 1,
        [rows, width] if *width == columns => *rows,
        _ => return None,
    };
    let (values, indices) = (object.get("data")?.floats()?, positions("indices")?);
    let ends = positions("indptr")?;
    let size = rows.checked_mul(columns).filter(|size| *size <= MAX_WORK)?;
    if ends.len() != rows.checked_add(1)? || values.len() != indices.len() || ends.last() != Some(&values.len()) {
        return None;
    }
    let mut elements = vec![0.0; size];
    for (row, range) in ends.windows(2).enumerate() {
        let [start, end] = range else { return None };
        for (column, value) in indices.get(*start..*end)?.iter().zip(values.get(*start..*end)?) {
            // Elements in one place are added, as by scipy.
            let element = elements.get_mut(row * columns..(row + 1) * columns)?.get_mut(*column)?;
            *element += value;
        }
    }
    Some(elements)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Array, Elements, Value};

    fn matrix(shape: &[i64], indptr: &[i64], indices: &[i64], data: &[f64]) -> Object {
        let ints =
            |values: &[i64]| Value::Array(Array { shape: vec![values.len()], data: Elements::Ints(values.to_vec()) });
        let floats = Value::Array(Array { shape: vec![data.len()], data: Elements::Floats(data.to_vec()) });
        let shape = Value::List(shape.iter().copied().map(Value::Int).collect());
        let state = [("_shape", shape), ("indptr", ints(indptr)), ("indices", ints(indices)), ("data", floats)];
        let state = state.map(|(name, value)| (name.to_owned(), value)).into_iter().collect();
        Object { module: "scipy.sparse._csr".to_owned(), name: "csr_matrix".to_owned(), state }
    }

    #[test]
    fn elements_are_in_their_places() {
        let two_rows = matrix(&[2, 3], &[0, 2, 3], &[0, 2, 1], &[1.0, 2.0, 3.0]);
        assert_eq!(dense(&two_rows, 3), Some(vec![1.0, 0.0, 2.0, 0.0, 3.0, 0.0]));
        assert_eq!(dense(&two_rows, 2), None);
        let vector = matrix(&[2], &[0, 1], &[1], &[-0.5]);
        assert_eq!(dense(&vector, 2), Some(vec![0.0, -0.5]));
        let added = matrix(&[1, 2], &[0, 2], &[1, 1], &[1.0, 2.0]);
        assert_eq!(dense(&added, 2), Some(vec![0.0, 3.0]));
    }

    #[test]
    fn parts_that_do_not_fit_together_are_not_read() {
        for (shape, indptr, indices, data) in [
            (&[1, 2][..], &[0, 1][..], &[2][..], &[1.0][..]),
            (&[1, 2], &[0, 1], &[-1], &[1.0]),
            (&[1, 2], &[0, 2], &[0], &[1.0]),
            (&[2, 2], &[0, 1], &[0], &[1.0]),
            (&[2, 2], &[1, 0, 1], &[0], &[1.0]),
            (&[1, 2], &[0, 1], &[0], &[1.0, 2.0]),
            (&[1 << 40, 2], &[0, 1], &[0], &[1.0]),
        ] {
            assert_eq!(dense(&matrix(shape, indptr, indices, data), 2), None, "{shape:?} {indptr:?} {indices:?}");
        }
    }
}
