//! A feature as it is written in the model file and in `GET /models/{name}`.

use serde::{Deserialize, Serialize};

use super::{Feature, FeatureType, MissingPolicy, UnknownPolicy};
use crate::date;
use crate::reading::Reading;
use crate::scalar::Scalar;

/// The same as a [`Feature`], with the range of a date as text in ISO 8601.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct Stored {
    name: String,
    #[serde(rename = "type")]
    kind: FeatureType,
    missing: MissingPolicy,
    #[serde(skip_serializing_if = "Reading::is_default", default)]
    reading: Reading,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    range: Option<[Scalar; 2]>,
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    whole: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    positive: bool,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    minimum: Option<f64>,
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    #[serde(rename = "missing_indicator")]
    indicator: bool,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    levels: Vec<String>,
    #[serde(skip_serializing_if = "UnknownPolicy::is_reject", default)]
    unknown: UnknownPolicy,
}

impl TryFrom<Stored> for Feature {
    type Error = String;

    fn try_from(stored: Stored) -> Result<Self, String> {
        let Stored { name, kind, missing, reading, range, whole, positive, minimum, indicator, levels, unknown } =
            stored;
        let end = |end: &Scalar| match (kind, end) {
            (FeatureType::Date, Scalar::Text(text)) => date::parse_iso(text),
            (FeatureType::Date, _) => None,
            // A whole number may be written without a fraction. A range needs no exact integers.
            #[allow(clippy::cast_precision_loss)]
            (_, Scalar::Integer(value)) => Some(*value as f64),
            (_, Scalar::Number(value)) => Some(*value),
            _ => None,
        };
        let range = range.map(|[low, high]| {
            let ends = end(&low).zip(end(&high)).map(<[f64; 2]>::from);
            let noun = if kind == FeatureType::Date { "dates in ISO 8601" } else { "numbers" };
            ends.ok_or_else(|| format!("feature {name:?}: expected a range of two {noun}, got {low} and {high}"))
        });
        let range = range.transpose()?;
        Ok(Self { name, kind, missing, reading, range, whole, positive, minimum, indicator, levels, unknown })
    }
}

impl From<Feature> for Stored {
    fn from(feature: Feature) -> Self {
        let range = feature.range_ends();
        let Feature { name, kind, missing, reading, range: _, whole, positive, minimum, indicator, levels, unknown } =
            feature;
        Self { name, kind, missing, reading, range, whole, positive, minimum, indicator, levels, unknown }
    }
}

impl Feature {
    /// The range of the training data as it is written: numbers, or dates in ISO 8601.
    #[must_use]
    pub fn range_ends(&self) -> Option<[Scalar; 2]> {
        let end = |end| if self.kind == FeatureType::Date { self.to_scalar(end) } else { Scalar::Number(end) };
        self.range.map(|range| range.map(end))
    }
}
