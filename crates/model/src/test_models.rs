//! Models and frames of this crate for its unit tests. Their documents are built by `ordinate_test_support`, which is linked
//! with another build of this crate and therefore returns JSON.

use ordinate_test_support::ModelDocument;
use serde_json::Value;

use crate::artifact::Document;
use crate::frame::{Frame, RowsBuilder};
use crate::model::Model;
use crate::scalar::Scalar;

pub(crate) fn document(draft: ModelDocument) -> Document {
    serde_json::from_value(draft.json()).unwrap()
}

/// The model of a document without golden rows.
pub(crate) fn assembled(draft: Value) -> Model {
    Model::assemble(serde_json::from_value(draft).unwrap()).unwrap()
}

/// The model of a document with one golden row, written to a file and read back.
pub(crate) fn loaded(draft: ModelDocument, golden_row: &Value) -> Model {
    let golden_row = serde_json::from_value(golden_row.clone()).unwrap();
    let sealed = document(draft).seal(vec![golden_row]).unwrap();
    Model::from_json(sealed.to_json().unwrap().as_bytes()).unwrap()
}

/// A frame of positional rows.
pub(crate) fn frame<'m>(model: &'m Model, rows: &[Vec<Scalar>]) -> Frame<'m> {
    let mut builder = RowsBuilder::new(model.signature(), rows.len());
    for row in rows {
        builder.start_row().unwrap();
        for value in row {
            builder.push(value.cell());
        }
        builder.end_positional_row();
    }
    builder.finish().unwrap()
}

/// A frame of rows of numbers.
pub(crate) fn frame_of_numbers<'m>(model: &'m Model, rows: &[&[f64]]) -> Frame<'m> {
    let rows: Vec<Vec<Scalar>> = rows.iter().map(|row| row.iter().copied().map(Scalar::Number).collect()).collect();
    frame(model, &rows)
}
