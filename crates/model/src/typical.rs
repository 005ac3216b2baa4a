//! The average row of the training data: where one may begin to try a model, without showing a row that somebody is.

use indexmap::IndexMap;

use super::Model;
use super::preprocess::{DesignColumn, Factor};
use super::scalar::Scalar;
use super::signature::{Feature, FeatureType};

impl Model {
    /// For each feature its mean in the training data, of categories and booleans the most frequent one, as a caller would write
    /// it. A feature that is not a column of its own, but only in products or powers, has none, and no feature of a model without an
    /// intercept has: its file holds no means.
    #[must_use]
    pub fn typical(&self) -> IndexMap<&str, Scalar> {
        if self.document.preprocess.through_origin {
            return IndexMap::new();
        }
        let columns = &self.document.preprocess.columns;
        let features = self.signature().features().iter();
        features.filter_map(|feature| Some((feature.name.as_str(), typical(feature, columns)?))).collect()
    }
}

fn typical(feature: &Feature, columns: &[DesignColumn]) -> Option<Scalar> {
    let mean = own_column(feature, None, columns).map(|(_, column)| column.mean);
    match feature.kind {
        FeatureType::Double => mean.map(Scalar::Number),
        FeatureType::Long => mean.map(|mean| Scalar::Number(mean.round())),
        FeatureType::Boolean => mean.map(|mean| Scalar::Boolean(mean >= 0.5)),
        FeatureType::String => {
            let mut most: Option<(&String, f64)> = None;
            for (level, share) in feature.levels.iter().zip(shares(feature, columns)) {
                if most.is_none_or(|(_, least)| share > least) {
                    most = Some((level, share));
                }
            }
            most.map(|(level, _)| Scalar::Text(level.clone()))
        }
    }
}

/// The column that is this feature, or this level of it, and nothing else; and its position.
pub(super) fn own_column<'c>(
    feature: &Feature,
    level: Option<&String>,
    columns: &'c [DesignColumn],
) -> Option<(usize, &'c DesignColumn)> {
    let is_it = |factor: &Factor| {
        factor.feature == feature.name && factor.power.unwrap_or(1) == 1 && factor.level.as_ref() == level
    };
    columns.iter().enumerate().find(|(_, column)| matches!(column.product.as_slice(), [factor] if is_it(factor)))
}

/// How often each level of a string is in the training data. The mean of a level's column is its share; what is left is that of
/// the reference, which has no column.
pub(super) fn shares(feature: &Feature, columns: &[DesignColumn]) -> Vec<f64> {
    let share = |level| own_column(feature, Some(level), columns).map(|(_, column)| column.mean);
    let shares: Vec<Option<f64>> = feature.levels.iter().map(share).collect();
    let rest = 1.0 - shares.iter().flatten().sum::<f64>();
    shares.into_iter().map(|share| share.unwrap_or(rest)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::artifact::Document;

    #[test]
    fn numbers_are_their_mean_and_categories_the_most_frequent_one() {
        let column = |name: &str, product: serde_json::Value, mean: f64| json!({"name": name, "product": product, "mean": mean, "scale": 1.0});
        let document: Document = serde_json::from_value(json!({
            "format": "ordinate.model/1", "name": "m", "version": "1", "task": "regression", "created": "2026-11-23T00:00:00Z",
            "signature": {
                "features": [
                    {"name": "x", "type": "double", "missing": "reject"},
                    {"name": "rooms", "type": "long", "missing": "reject"},
                    {"name": "garden", "type": "boolean", "missing": "reject"},
                    {"name": "colour", "type": "string", "missing": "reject", "levels": ["blue", "green", "red"]},
                    {"name": "side", "type": "string", "missing": "reject", "levels": ["left", "right"]},
                    {"name": "squared", "type": "double", "missing": "reject"}
                ],
                "target": {"name": "y", "type": "double"}
            },
            "preprocess": {"columns": [
                column("x^2", json!([{"feature": "x", "power": 2}]), 9.0),
                column("x", json!([{"feature": "x"}]), 2.25),
                column("rooms", json!([{"feature": "rooms"}]), 3.6),
                column("garden", json!([{"feature": "garden"}]), 0.4),
                column("colour=green", json!([{"feature": "colour", "level": "green"}]), 0.3),
                column("colour=red", json!([{"feature": "colour", "level": "red"}]), 0.2),
                column("side=left", json!([{"feature": "side", "level": "left"}]), 0.4),
                column("side=right", json!([{"feature": "side", "level": "right"}]), 0.6),
                column("squared^2", json!([{"feature": "squared", "power": 2}]), 7.0)
            ]},
            "estimator": {"family": "linear", "intercept": 0.0, "coefficients": {
                "x^2": 1.0, "x": 1.0, "rooms": 1.0, "garden": 1.0, "colour=green": 1.0, "colour=red": 1.0, "side=left": 1.0,
                "side=right": 1.0, "squared^2": 1.0
            }},
            "training": {
                "rows": 40, "data_sha256": "0".repeat(64), "parameters": {}, "seed": 0, "metrics": {},
                "tool": "test", "smartcore": "0.7.0"
            },
            "golden": {"X": [], "y": []}
        }))
        .unwrap();
        let typical = serde_json::to_value(Model::assemble(document).unwrap().typical()).unwrap();
        assert_eq!(typical, json!({"x": 2.25, "rooms": 4.0, "garden": false, "colour": "blue", "side": "right"}));
    }
}
