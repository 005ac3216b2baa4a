//! An outcome as a tensor: a datatype, a shape, and values in JSON or in bytes.

use serde::{Serialize, Serializer};

use super::super::output::Outcome;
use crate::http::decode::tensor::Datatype;
use ordinate_model::scalar::Scalar;
use ordinate_model::{Prediction, Probabilities};

/// An output, its values in row-major order.
#[derive(Debug)]
pub(crate) struct Tensor<'m> {
    pub(crate) datatype: Datatype,
    pub(crate) shape: Vec<usize>,
    values: Values<'m>,
}

#[derive(Debug)]
enum Values<'m> {
    Numbers(Vec<f64>),
    Labels { labels: Labels, chosen: Vec<usize> },
    Probabilities(Probabilities<'m>),
    Truths(Vec<bool>),
}

/// The classes of a model, all of one datatype.
#[derive(Debug)]
pub(crate) struct Labels {
    pub(crate) datatype: Datatype,
    labels: Vec<Scalar>,
}

impl Labels {
    /// Labels that are all of one kind keep it; others are text.
    pub(crate) fn of(classes: &[Scalar]) -> Self {
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
    /// The tensor of an outcome.
    pub(crate) fn of(outcome: Outcome<'m>) -> Self {
        match outcome {
            Outcome::Prediction(Prediction::Values(values)) => {
                Self { datatype: Datatype::Fp64, shape: vec![values.len(), 1], values: Values::Numbers(values) }
            }
            Outcome::Prediction(Prediction::Classes { classes, chosen }) => {
                let labels = Labels::of(classes);
                Self {
                    datatype: labels.datatype,
                    shape: vec![chosen.len(), 1],
                    values: Values::Labels { labels, chosen },
                }
            }
            Outcome::Probabilities(probabilities) => Self {
                datatype: Datatype::Fp64,
                shape: vec![probabilities.rows().count(), probabilities.classes.len()],
                values: Values::Probabilities(probabilities),
            },
            Outcome::Explanation(explanation) => {
                let (rows, scores, features) =
                    (explanation.rows().count(), explanation.base().len(), explanation.features().len());
                let shape = if scores == 1 { vec![rows, features] } else { vec![rows, scores, features] };
                Self { datatype: Datatype::Fp64, shape, values: Values::Numbers(explanation.into_values()) }
            }
            Outcome::Base { base, rows } => Self {
                datatype: Datatype::Fp64,
                shape: vec![rows, base.len()],
                values: Values::Numbers(base.repeat(rows)),
            },
            Outcome::Ends(ends) => Self {
                datatype: Datatype::Fp64,
                shape: vec![ends.len(), 2],
                values: Values::Numbers(ends.into_flattened()),
            },
            Outcome::LabelSets { classes, sets } => {
                let shape = vec![sets.len(), classes.len()];
                // Both are in the order of the classes.
                let memberships = sets.into_iter().flat_map(|set| {
                    let mut set = set.into_iter().peekable();
                    classes.iter().map(move |class| set.next_if_eq(&class).is_some())
                });
                Self { datatype: Datatype::Bool, shape, values: Values::Truths(memberships.collect()) }
            }
        }
    }

    /// Appends the values, little-endian; strings behind their length.
    pub(crate) fn append_to(&self, bytes: &mut Vec<u8>) {
        let append = |value: &f64| bytes.extend_from_slice(&value.to_le_bytes());
        match &self.values {
            Values::Numbers(values) => values.iter().for_each(append),
            Values::Probabilities(probabilities) => probabilities.rows().flatten().for_each(append),
            Values::Truths(truths) => bytes.extend(truths.iter().map(|truth| u8::from(*truth))),
            Values::Labels { labels, chosen } => {
                let encoded: Vec<Vec<u8>> = labels.labels.iter().map(|label| encode(label, labels.datatype)).collect();
                bytes.extend(chosen.iter().filter_map(|class| encoded.get(*class)).flatten());
            }
        }
    }
}

fn encode(label: &Scalar, datatype: Datatype) -> Vec<u8> {
    match label {
        Scalar::Boolean(value) => vec![u8::from(*value)],
        // Among fractions; labels are small, and were doubles in the training data.
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

/// The values in one flat list.
impl Serialize for Tensor<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.values {
            Values::Numbers(values) => values.serialize(serializer),
            Values::Truths(truths) => truths.serialize(serializer),
            Values::Probabilities(probabilities) => serializer.collect_seq(probabilities.rows().flatten()),
            Values::Labels { labels, chosen } => {
                serializer.collect_seq(chosen.iter().filter_map(|class| labels.labels.get(*class)))
            }
        }
    }
}
