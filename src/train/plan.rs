//! All that decides what comes out of training.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::TrainError;
use super::data::{DataError, Origin, Preparation, Selection, Surveyed};
use crate::model::identity::ModelName;
use crate::model::preprocess::TargetTransform;
use crate::model::signature::{FeatureType, Unknown};

/// What to fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
#[non_exhaustive]
pub enum Estimator {
    /// Ordinary least squares
    Linear,
}

impl Estimator {
    /// The name users and files know it by.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Linear => "linear",
        }
    }

    /// Whether it tells classes apart.
    #[must_use]
    pub fn classifies(self) -> bool {
        false
    }

    /// Whether large coefficients cost something, so that columns may depend on each other.
    #[must_use]
    pub fn is_penalised(self) -> bool {
        !matches!(self, Self::Linear)
    }
}

/// How large coefficients are held down, and how much.
#[derive(Debug, Clone, Default)]
pub struct PenaltyPlan {
    /// Folds of cross-validation.
    pub folds: Option<u32>,
}

/// The same plan over the same bytes gives the same model.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The files.
    pub origin: Origin,
    /// Their columns.
    pub selection: Selection,
    /// What is made of them.
    pub preparation: Preparation,
    /// The model's name.
    pub name: ModelName,
    /// What to fit; what suits the target when absent.
    pub estimator: Option<Estimator>,
    /// How large coefficients are held down.
    pub penalty: PenaltyPlan,
    /// The share of rows to measure on, in [0, 1).
    pub test_fraction: f64,
    /// What decides which rows those are.
    pub seed: u64,
    /// The date the file will bear, RFC 3339.
    pub created: String,
}

impl Plan {
    /// What is fitted to these data.
    pub(super) fn estimator(&self, surveyed: &Surveyed) -> Result<Estimator, TrainError> {
        let estimator = self.estimator.unwrap_or(Estimator::Linear);
        if surveyed.holds_classes() && !estimator.classifies() {
            let column = self.selection.target.clone();
            return Err(DataError::TargetIsNoNumber { column, estimator: estimator.name() }.into());
        }
        Ok(estimator)
    }

    /// What a model file keeps of it: what was asked for, where it is not the default.
    pub(super) fn parameters(&self, estimator: Estimator) -> BTreeMap<String, Value> {
        let mut parameters = BTreeMap::from([
            ("estimator".to_owned(), json!(estimator.name())),
            ("test_fraction".to_owned(), json!(self.test_fraction)),
        ]);
        let mut keep = |name: &str, asked: bool, value: Value| {
            if asked {
                parameters.insert(name.to_owned(), value);
            }
        };
        let Selection { features, exclude, weights, .. } = &self.selection;
        keep("features", !features.is_empty(), json!(features));
        keep("exclude", !exclude.is_empty(), json!(exclude));
        keep("weights", weights.is_some(), json!(weights));
        let Preparation { types, categorical, missing, unknown, degree, interactions, target_transform, .. } =
            &self.preparation;
        let types: BTreeMap<&String, &FeatureType> = types.iter().map(|(name, kind)| (name, kind)).collect();
        keep("types", !types.is_empty(), json!(types));
        keep("categorical", !categorical.is_empty(), json!(categorical));
        let missing: Vec<String> = missing.iter().map(ToString::to_string).collect();
        keep("missing", !missing.is_empty(), json!(missing));
        keep("unknown", *unknown != Unknown::Reject, json!(unknown));
        keep("degree", *degree > 1, json!(degree));
        keep("interactions", *interactions, json!(interactions));
        keep("target_transform", *target_transform != TargetTransform::Identity, json!(target_transform));
        let delimiter = self.origin.delimiter.map(char::from);
        keep("delimiter", delimiter.is_some(), json!(delimiter));
        parameters
    }
}
