//! The classes of a model as values of one datatype, for protocols with typed arrays.

use crate::http::decode::tensor::Datatype;
use ordinate_model::scalar::Scalar;

/// The classes of a model, all of one datatype.
#[derive(Debug)]
pub(crate) struct Labels {
    pub(crate) datatype: Datatype,
    /// In the order of the classes.
    pub(crate) labels: Vec<Scalar>,
}

impl Labels {
    /// The common type of all labels, or text if their types differ.
    pub(crate) fn from_classes(classes: &[Scalar]) -> Self {
        let all = |kind: fn(&Scalar) -> bool| classes.iter().all(kind);
        if all(|label| matches!(label, Scalar::Boolean(_))) {
            return Self { datatype: Datatype::Bool, labels: classes.to_vec() };
        }
        if all(|label| matches!(label, Scalar::Integer(_))) {
            return Self { datatype: Datatype::Int64, labels: classes.to_vec() };
        }
        if all(|label| matches!(label, Scalar::Integer(_) | Scalar::Number(_))) {
            return Self { datatype: Datatype::Fp64, labels: classes.to_vec() };
        }
        let labels = classes.iter().map(|label| Scalar::Text(label.to_string())).collect();
        Self { datatype: Datatype::Bytes, labels }
    }
}

/// The bytes of a label in a tensor of its datatype: little-endian, and text after its length.
pub(crate) fn encode(label: &Scalar, datatype: Datatype) -> Vec<u8> {
    match label {
        Scalar::Boolean(value) => vec![u8::from(*value)],
        // An integer among fractions: it was a double in the training data.
        #[allow(clippy::cast_precision_loss)]
        Scalar::Integer(value) if datatype == Datatype::Fp64 => (*value as f64).to_le_bytes().to_vec(),
        Scalar::Integer(value) => value.to_le_bytes().to_vec(),
        Scalar::Number(value) => value.to_le_bytes().to_vec(),
        Scalar::Text(text) => encode_text(text),
        Scalar::Missing => Vec::new(),
    }
}

/// The bytes of a text in a tensor, after their number.
pub(crate) fn encode_text(text: &str) -> Vec<u8> {
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    [&length.to_le_bytes(), text.as_bytes()].concat()
}
