//! The values of an output as a tensor: a datatype, a shape, and values in JSON or as bytes.

use std::borrow::Cow;

use serde::{Serialize, Serializer};

use super::super::labels::{Labels, encode, encode_text};
use super::super::output::Values;
use crate::http::decode::tensor::Datatype;
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
    Texts(Vec<String>),
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
            // Not a number, which JSON does not have, is null there.
            Values::MeanIntervals(ends) => {
                let ends: Vec<f64> = ends.iter().flat_map(|ends| ends.unwrap_or([f64::NAN; 2])).collect();
                numbers(vec![ends.len() / 2, 2], ends.into())
            }
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

    /// The most probable classes of each row, at most `count`, as texts `probability:index:label`, the most probable
    /// class first (the classification extension of Triton,
    /// <https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_classification.md>).
    pub(crate) fn top_classes(probabilities: &Probabilities<'_>, count: usize) -> Self {
        let count = count.min(probabilities.classes.len());
        let mut texts = Vec::new();
        let mut rows = 0;
        for row in probabilities.rows() {
            let mut ranked: Vec<_> = row.iter().zip(probabilities.classes).enumerate().collect();
            // Stable: of equal classes the first comes first.
            ranked.sort_by(|(_, (one, _)), (_, (other, _))| other.total_cmp(one));
            let classes = ranked.into_iter().take(count);
            texts.extend(classes.map(|(index, (probability, label))| format!("{probability}:{index}:{label}")));
            rows += 1;
        }
        Self { datatype: Datatype::Bytes, shape: vec![rows, count], data: Data::Texts(texts) }
    }

    /// Appends the values as little-endian bytes; strings follow their length.
    pub(crate) fn append_to(&self, bytes: &mut Vec<u8>) {
        let append = |value: &f64| bytes.extend_from_slice(&value.to_le_bytes());
        match &self.data {
            Data::Numbers(values) => values.iter().for_each(append),
            Data::Probabilities(probabilities) => probabilities.rows().flatten().for_each(append),
            Data::Booleans(booleans) => bytes.extend(booleans.iter().map(|value| u8::from(*value))),
            Data::Texts(texts) => texts.iter().for_each(|text| bytes.extend(encode_text(text))),
            Data::Labels { labels, chosen } => {
                let encoded: Vec<Vec<u8>> = labels.labels.iter().map(|label| encode(label, labels.datatype)).collect();
                bytes.extend(chosen.iter().filter_map(|class| encoded.get(*class)).flatten());
            }
        }
    }
}

/// Serializes the values as one flat list.
impl Serialize for Tensor<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.data {
            Data::Numbers(values) => values.serialize(serializer),
            Data::Booleans(booleans) => booleans.serialize(serializer),
            Data::Texts(texts) => texts.serialize(serializer),
            Data::Probabilities(probabilities) => serializer.collect_seq(probabilities.rows().flatten()),
            Data::Labels { labels, chosen } => {
                serializer.collect_seq(chosen.iter().filter_map(|class| labels.labels.get(*class)))
            }
        }
    }
}
