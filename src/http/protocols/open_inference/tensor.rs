//! The values of an output as a tensor: a datatype, a shape, and values in JSON or as bytes.

use std::borrow::Cow;

use serde::{Serialize, Serializer};

use super::super::output::Values;
use crate::http::decode::tensor::Datatype;
use ordinate_model::scalar::Scalar;
use ordinate_model::{Prediction, Probabilities};

/// An output with its values in row-major order.
#[derive(Debug)]
pub(crate) struct Tensor<'m> {
    pub(crate) datatype: Datatype,
    pub(crate) shape: Vec<usize>,
    data: Data<'m>,
}

#[derive(Debug)]
enum Data<'m> {
    Numbers(Cow<'m, [f64]>),
    Labels { labels: Labels, chosen: &'m [usize] },
    Probabilities(&'m Probabilities<'m>),
    Booleans(Vec<bool>),
}

/// The classes of a model, all of one datatype.
#[derive(Debug)]
pub(crate) struct Labels {
    pub(crate) datatype: Datatype,
    labels: Vec<Scalar>,
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

impl<'m> Tensor<'m> {
    /// The tensor of an output.
    pub(crate) fn new(values: Values<'m>) -> Self {
        let numbers =
            |shape, values: Cow<'m, [f64]>| Self { datatype: Datatype::Fp64, shape, data: Data::Numbers(values) };
        match values {
            Values::Prediction(Prediction::Values(values)) => numbers(vec![values.len(), 1], values.into()),
            Values::Prediction(Prediction::Classes { classes, chosen }) => {
                let labels = Labels::from_classes(classes);
                Self { datatype: labels.datatype, shape: vec![chosen.len(), 1], data: Data::Labels { labels, chosen } }
            }
            Values::Probabilities(probabilities) => Self {
                datatype: Datatype::Fp64,
                shape: vec![probabilities.rows().count(), probabilities.classes.len()],
                data: Data::Probabilities(probabilities),
            },
            Values::Explanation(explanation) => {
                let (rows, scores, features) =
                    (explanation.rows().count(), explanation.base().len(), explanation.features().len());
                let shape = if scores == 1 { vec![rows, features] } else { vec![rows, scores, features] };
                numbers(shape, explanation.values().into())
            }
            Values::Base { base, rows } => numbers(vec![rows, base.len()], base.repeat(rows).into()),
            Values::Intervals(ends) => numbers(vec![ends.len(), 2], ends.as_flattened().into()),
            Values::PredictionSets { classes, sets } => {
                let shape = vec![sets.len(), classes.len()];
                // The labels of a set have the order of the classes.
                let memberships = sets.iter().flat_map(|set| {
                    let mut set = set.iter().peekable();
                    classes.iter().map(move |class| set.next_if(|member| **member == class).is_some())
                });
                Self { datatype: Datatype::Bool, shape, data: Data::Booleans(memberships.collect()) }
            }
        }
    }

    /// Appends the values as little-endian bytes; strings follow their length.
    pub(crate) fn append_to(&self, bytes: &mut Vec<u8>) {
        let append = |value: &f64| bytes.extend_from_slice(&value.to_le_bytes());
        match &self.data {
            Data::Numbers(values) => values.iter().for_each(append),
            Data::Probabilities(probabilities) => probabilities.rows().flatten().for_each(append),
            Data::Booleans(booleans) => bytes.extend(booleans.iter().map(|value| u8::from(*value))),
            Data::Labels { labels, chosen } => {
                let encoded: Vec<Vec<u8>> = labels.labels.iter().map(|label| encode(label, labels.datatype)).collect();
                bytes.extend(chosen.iter().filter_map(|class| encoded.get(*class)).flatten());
            }
        }
    }
}

fn encode(label: &Scalar, datatype: Datatype) -> Vec<u8> {
    match label {
        Scalar::Boolean(value) => vec![u8::from(*value)],
        // An integer among fractions: it was a double in the training data.
        #[allow(clippy::cast_precision_loss)]
        Scalar::Integer(value) if datatype == Datatype::Fp64 => (*value as f64).to_le_bytes().to_vec(),
        Scalar::Integer(value) => value.to_le_bytes().to_vec(),
        Scalar::Number(value) => value.to_le_bytes().to_vec(),
        Scalar::Text(text) => {
            let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
            [&length.to_le_bytes(), text.as_bytes()].concat()
        }
        Scalar::Missing => Vec::new(),
    }
}

/// Serializes the values as one flat list.
impl Serialize for Tensor<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.data {
            Data::Numbers(values) => values.serialize(serializer),
            Data::Booleans(booleans) => booleans.serialize(serializer),
            Data::Probabilities(probabilities) => serializer.collect_seq(probabilities.rows().flatten()),
            Data::Labels { labels, chosen } => {
                serializer.collect_seq(chosen.iter().filter_map(|class| labels.labels.get(*class)))
            }
        }
    }
}
