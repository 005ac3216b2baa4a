//! Predictions as an array in the format of `numpy.save` (version 1.0,
//! <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>).

use crate::http::decode::tensor::Datatype;
use crate::http::protocols::labels::{Labels, encode};
use crate::http::server::body::NPY;
use ordinate_model::Prediction;
use ordinate_model::scalar::Scalar;

/// One value or label per row: an array of shape (n,), as `SageMaker`'s scikit-learn container answers.
pub(super) fn array(prediction: &Prediction<'_>) -> Vec<u8> {
    match prediction {
        Prediction::Values(values) => {
            let mut file = header("<f8", values.len());
            file.extend(values.iter().flat_map(|value| value.to_le_bytes()));
            file
        }
        Prediction::Classes { classes, chosen } => {
            let Labels { datatype, labels } = Labels::from_classes(classes);
            let (kind, labels) = match datatype {
                Datatype::Bytes => padded(&labels),
                Datatype::Bool => ("|b1".to_owned(), fixed(&labels, datatype)),
                Datatype::Int64 => ("<i8".to_owned(), fixed(&labels, datatype)),
                _ => ("<f8".to_owned(), fixed(&labels, datatype)),
            };
            let mut file = header(&kind, chosen.len());
            file.extend(chosen.iter().filter_map(|class| labels.get(*class)).flatten());
            file
        }
    }
}

fn fixed(labels: &[Scalar], datatype: Datatype) -> Vec<Vec<u8>> {
    labels.iter().map(|label| encode(label, datatype)).collect()
}

/// Texts of four bytes per character, padded with zeros to the longest, and their type.
fn padded(labels: &[Scalar]) -> (String, Vec<Vec<u8>>) {
    let texts: Vec<String> = labels.iter().map(ToString::to_string).collect();
    // numpy has no texts without characters.
    let longest = texts.iter().map(|text| text.chars().count()).max().unwrap_or(0).max(1);
    let pad = |text: &String| {
        let mut bytes: Vec<u8> = text.chars().flat_map(|character| u32::from(character).to_le_bytes()).collect();
        bytes.resize(longest * 4, 0);
        bytes
    };
    (format!("<U{longest}"), texts.iter().map(pad).collect())
}

/// The start of the file: signature, version, length, and a header that ends at a multiple of 64 bytes.
fn header(kind: &str, rows: usize) -> Vec<u8> {
    let before = NPY.len() + 4;
    let mut text = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({rows},), }}");
    let end = (before + text.len() + 1).next_multiple_of(64);
    text.extend(std::iter::repeat_n(' ', end - before - text.len() - 1));
    text.push('\n');
    // At most 192: the numbers have at most 20 digits.
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    [&NPY[..], &[1, 0], &length.to_le_bytes(), text.as_bytes()].concat()
}
