//! All that decides what comes out of training.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::error::TrainError;
use super::preparation::Preparation;
use super::solver::cross_validation::Choice;
use super::surveyed::Surveyed;
use ordinate_model::identity::ModelName;
use ordinate_model::preprocess::TargetTransform;
use ordinate_model::signature::{FeatureType, UnknownPolicy};
use ordinate_table::{DataError, Origin, Scan, Selection};

/// What to fit. Penalised features are standardised (mean 0, population standard deviation 1; without an intercept
/// they keep their mean and have a root mean square of 1); intercepts cost nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Estimator {
    /// Ordinary least squares: minimises ‖y − ŷ‖²
    Linear,
    /// Minimises ‖y − ŷ‖² + alpha·‖w‖², w being the coefficients of standardised columns
    Ridge,
    /// Minimises ‖y − ŷ‖²/(2n) + alpha·‖w‖₁; some coefficients become exactly zero
    Lasso,
    /// Minimises ‖y − ŷ‖²/(2n) + alpha·ρ·‖w‖₁ + alpha·(1 − ρ)/2·‖w‖², ρ being --l1-ratio
    ElasticNet,
    /// Classes, two or more: minimises C·Σ log loss + ½‖w‖²
    Logistic,
}

impl Estimator {
    /// The name users and files know it by.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Ridge => "ridge",
            Self::Lasso => "lasso",
            Self::ElasticNet => "elastic-net",
            Self::Logistic => "logistic",
        }
    }

    /// Whether it tells classes apart.
    #[must_use]
    pub fn classifies(self) -> bool {
        matches!(self, Self::Logistic)
    }

    /// Whether large coefficients cost something, so that columns may depend on each other.
    #[must_use]
    pub fn is_penalised(self) -> bool {
        !matches!(self, Self::Linear)
    }

    /// Whether the price is called alpha.
    #[must_use]
    pub fn has_alpha(self) -> bool {
        matches!(self, Self::Ridge | Self::Lasso | Self::ElasticNet)
    }
}

/// The price of large coefficients.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub enum Strength {
    /// The one with which rows are predicted best that a fit has not seen.
    #[default]
    Auto,
    /// This one.
    Fixed(f64),
}

/// How large coefficients are held down, and how much.
#[derive(Debug, Clone, Default)]
pub struct PenaltyPlan {
    /// Of ridge, lasso and elastic net; auto when absent.
    pub alpha: Option<Strength>,
    /// Of an elastic net: the share of absolute values in the penalty; 0.5 when absent.
    pub l1_ratio: Option<f64>,
    /// Of logistic regression: the inverse of the price; 1 when absent.
    pub c: Option<Strength>,
    /// Folds of cross-validation.
    pub folds: Option<u32>,
    /// Whether to take the highest price within one standard error of the best.
    pub one_standard_error: bool,
}

/// Folds of cross-validation, where none are asked for.
const FOLDS: u32 = 5;

impl PenaltyPlan {
    /// Folds of cross-validation.
    pub(super) fn folds(&self) -> u32 {
        self.folds.unwrap_or(FOLDS)
    }

    /// Whether the price is chosen by cross-validation.
    pub(super) fn is_chosen(&self, estimator: Estimator) -> bool {
        match estimator {
            Estimator::Linear => false,
            Estimator::Logistic => self.c == Some(Strength::Auto),
            _ => self.alpha.unwrap_or_default() == Strength::Auto,
        }
    }

    /// The share of absolute values in the penalty.
    pub(super) fn l1_ratio(&self, estimator: Estimator) -> f64 {
        match estimator {
            Estimator::ElasticNet => self.l1_ratio.unwrap_or(0.5),
            _ => 1.0,
        }
    }
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
    /// Whether the probabilities of classes are calibrated by the rows that are measured on.
    pub calibrate: bool,
    /// Other files to measure on; then no row of the data is held out.
    pub test: Option<Origin>,
    /// The share of rows to measure on, in [0, 1).
    pub test_fraction: f64,
    /// What decides which rows those are.
    pub seed: u64,
    /// Whether to keep what a report shows of the rows.
    pub observe: bool,
    /// The date the file will bear, RFC 3339.
    pub created: String,
}

/// The parameter of a model file that says how many rows of other files it was measured on.
pub const TEST_ROWS: &str = "test_rows";

impl Plan {
    /// The share of rows that is held out of the data.
    pub(super) fn held_out(&self) -> f64 {
        if self.test.is_some() { 0.0 } else { self.test_fraction }
    }

    /// What is fitted to these data.
    pub(super) fn estimator(&self, surveyed: &Surveyed) -> Result<Estimator, TrainError> {
        let suitable = if surveyed.holds_classes() { Estimator::Logistic } else { Estimator::Linear };
        let estimator = self.estimator.unwrap_or(suitable);
        if surveyed.holds_classes() && !estimator.classifies() {
            let column = self.selection.target.clone();
            return Err(DataError::ClassTarget { column, estimator: estimator.name() }.into());
        }
        if self.penalty.c.is_some() && !estimator.classifies() {
            let column = self.selection.target.clone();
            return Err(DataError::UnusedC { column, estimator: estimator.name() }.into());
        }
        Ok(estimator)
    }

    /// What a model file keeps of it: what was asked for, where it is not the default.
    pub(super) fn parameters(
        &self,
        estimator: Estimator,
        choice: Option<&Choice>,
        tested: Option<&Scan>,
    ) -> BTreeMap<String, Value> {
        let mut parameters = BTreeMap::from([
            ("estimator".to_owned(), json!(estimator.name())),
            ("test_fraction".to_owned(), json!(self.held_out())),
        ]);
        let mut keep = |name: &str, asked: bool, value: Value| {
            if asked {
                parameters.insert(name.to_owned(), value);
            }
        };
        keep(TEST_ROWS, tested.is_some(), json!(tested.map(|scan| scan.rows)));
        keep("test_data_sha256", tested.is_some(), json!(tested.map(|scan| scan.sha256.as_str())));
        let Selection { features, exclude, weights, .. } = &self.selection;
        keep("features", !features.is_empty(), json!(features));
        keep("exclude", !exclude.is_empty(), json!(exclude));
        keep("weights", weights.is_some(), json!(weights));
        let Preparation {
            types,
            categorical,
            missing,
            unknown,
            degree,
            interactions,
            target_transform,
            through_origin,
            ..
        } = &self.preparation;
        let types: BTreeMap<&String, &FeatureType> = types.iter().map(|(name, kind)| (name, kind)).collect();
        keep("types", !types.is_empty(), json!(types));
        keep("categorical", !categorical.is_empty(), json!(categorical));
        let missing: Vec<String> = missing.iter().map(ToString::to_string).collect();
        keep("missing", !missing.is_empty(), json!(missing));
        keep("unknown", *unknown != UnknownPolicy::Reject, json!(unknown));
        keep("degree", *degree > 1, json!(degree));
        keep("interactions", *interactions, json!(interactions));
        keep("target_transform", *target_transform != TargetTransform::Identity, json!(target_transform));
        keep("intercept", *through_origin, json!(false));
        let delimiter = self.origin.delimiter.map(char::from);
        keep("delimiter", delimiter.is_some(), json!(delimiter));
        let PenaltyPlan { one_standard_error, .. } = &self.penalty;
        let chosen = choice.map(|choice| choice.alpha);
        let fixed = |strength: Option<Strength>| match strength {
            Some(Strength::Fixed(value)) => Some(value),
            _ => None,
        };
        keep("alpha", estimator.has_alpha(), json!(fixed(self.penalty.alpha).or(chosen)));
        keep("l1_ratio", estimator == Estimator::ElasticNet, json!(self.penalty.l1_ratio(estimator)));
        let c = fixed(self.penalty.c).or(chosen.map(|alpha| 1.0 / alpha)).unwrap_or(1.0);
        keep("c", estimator == Estimator::Logistic, json!(c));
        // Which of the two was chosen is plain from the estimator.
        keep("cross_validate", choice.is_some(), json!(self.penalty.folds()));
        keep("calibrate", estimator.classifies() && !self.calibrate, json!(false));
        keep("one_standard_error", *one_standard_error, json!(true));
        parameters
    }
}
