//! The plan of a training run: everything that determines the model.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::error::TrainError;
use super::preparation::Preparation;
use super::solver::cross_validation::CrossValidationResult;
use super::solver::robust_errors::StandardErrors;
use super::surveyed_table::SurveyedTable;
use ordinate_model::family::Family;
use ordinate_model::identity::ModelName;
use ordinate_model::preprocess::TargetTransform;
use ordinate_model::signature::{FeatureType, UnknownPolicy};
use ordinate_table::infer::shown;
use ordinate_table::{DataError, Decision, OffsetColumn, Origin, Scan, Selection};

/// The estimators. Penalized features are standardized: mean 0 and population standard deviation 1, or without an
/// intercept a root mean square of 1 around 0. The intercept is not penalized.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum EstimatorKind {
    /// Ordinary least squares: minimizes ‖y − ŷ‖²
    Linear,
    /// Minimizes ‖y − ŷ‖² + alpha·‖w‖², where w are the coefficients of standardized columns
    Ridge,
    /// Minimizes ‖y − ŷ‖²/(2n) + alpha·‖w‖₁; some coefficients become exactly zero
    Lasso,
    /// Minimizes ‖y − ŷ‖²/(2n) + alpha·ρ·‖w‖₁ + alpha·(1 − ρ)/2·‖w‖², where ρ is --l1-ratio
    ElasticNet,
    /// Two classes or more: minimizes C·Σ log loss + ½‖w‖²
    Logistic,
    /// Counts and rates, ln mean is linear: minimizes mean deviance/2 + alpha/2·‖w‖², with alpha 0 by default
    Poisson,
    /// Positive targets with errors in proportion, ln mean is linear: as poisson, with the deviance of the gamma
    /// distribution
    Gamma,
}

impl EstimatorKind {
    /// The name in options and model files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Ridge => "ridge",
            Self::Lasso => "lasso",
            Self::ElasticNet => "elastic-net",
            Self::Logistic => "logistic",
            Self::Poisson => Family::Poisson.name(),
            Self::Gamma => Family::Gamma.name(),
        }
    }

    /// The distribution of the target, for a generalised linear model with a log link.
    #[must_use]
    pub fn family(self) -> Option<Family> {
        match self {
            Self::Poisson => Some(Family::Poisson),
            Self::Gamma => Some(Family::Gamma),
            _ => None,
        }
    }

    /// Whether it predicts classes.
    #[must_use]
    pub fn classifies(self) -> bool {
        matches!(self, Self::Logistic)
    }

    /// Whether the regularization strength is `alpha`.
    #[must_use]
    pub fn has_alpha(self) -> bool {
        self.selects_alpha() || self.family().is_some()
    }

    /// Whether cross-validation can select `alpha`.
    #[must_use]
    pub fn selects_alpha(self) -> bool {
        matches!(self, Self::Ridge | Self::Lasso | Self::ElasticNet)
    }
}

/// A regularization strength.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub enum PenaltyStrength {
    /// Selected by cross-validation.
    #[default]
    Auto,
    /// Set by the user.
    Fixed(f64),
}

/// The penalty on the coefficients.
#[derive(Debug, Clone, Default)]
pub struct PenaltyPlan {
    /// The regularization strength; when absent, automatic for ridge, lasso and elastic net, and none for Poisson and
    /// gamma regression.
    pub alpha: Option<PenaltyStrength>,
    /// The fraction of the elastic net's penalty that is on absolute values; 0.5 when absent.
    pub l1_ratio: Option<f64>,
    /// The inverse regularization strength of logistic regression; 1 when absent, infinite without a penalty.
    pub c: Option<PenaltyStrength>,
    /// The number of folds of cross-validation. When present, the plan is also measured in as many folds of all rows.
    pub folds: Option<u32>,
    /// Whether to select the strongest regularization whose error is within one standard error of the smallest.
    pub one_standard_error: bool,
}

/// How a classifier treats its classes.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ClassPlan {
    /// Whether every class has the same total weight in the fit.
    pub balanced: bool,
    /// The probability from which the second of two classes is predicted; the more probable class when absent.
    pub threshold: Option<f64>,
}

/// The regularization strength where cross-validation cannot select one.
pub(super) const DEFAULT_ALPHA: f64 = 1.0;

/// Folds of cross-validation by default.
const FOLDS: u32 = 5;

impl PenaltyPlan {
    pub(super) fn folds(&self) -> u32 {
        self.folds.unwrap_or(FOLDS)
    }

    /// Whether there is a penalty on the coefficients, so that columns may be linearly dependent.
    pub(super) fn is_penalised(&self, estimator: EstimatorKind) -> bool {
        match estimator {
            EstimatorKind::Linear => false,
            EstimatorKind::Poisson | EstimatorKind::Gamma => self.fixed_alpha() > 0.0,
            EstimatorKind::Logistic => self.c != Some(PenaltyStrength::Fixed(f64::INFINITY)),
            _ => true,
        }
    }

    /// The regularization strength of Poisson and gamma regression.
    pub(super) fn fixed_alpha(&self) -> f64 {
        match self.alpha {
            Some(PenaltyStrength::Fixed(alpha)) => alpha,
            _ => 0.0,
        }
    }

    /// Whether cross-validation selects the regularization strength.
    pub(super) fn is_cross_validated(&self, estimator: EstimatorKind) -> bool {
        match estimator {
            EstimatorKind::Linear | EstimatorKind::Poisson | EstimatorKind::Gamma => false,
            EstimatorKind::Logistic => self.c == Some(PenaltyStrength::Auto),
            _ => self.alpha.unwrap_or_default() == PenaltyStrength::Auto,
        }
    }

    /// The fraction of the penalty that is on absolute values.
    pub(super) fn l1_ratio(&self, estimator: EstimatorKind) -> f64 {
        match estimator {
            EstimatorKind::ElasticNet => self.l1_ratio.unwrap_or(0.5),
            _ => 1.0,
        }
    }
}

/// A training run. The same plan and the same data give the same model.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The training data.
    pub origin: Origin,
    /// The roles of its columns.
    pub selection: Selection,
    /// Types, missing values, and the columns of the design.
    pub preparation: Preparation,
    /// The model's name.
    pub name: ModelName,
    /// The estimator; when absent, linear for a numeric target and logistic for classes.
    pub estimator: Option<EstimatorKind>,
    /// The penalty on the coefficients.
    pub penalty: PenaltyPlan,
    /// The weights and the threshold of classes.
    pub classes: ClassPlan,
    /// The kind of standard errors of least squares.
    pub standard_errors: StandardErrors,
    /// Whether probabilities are calibrated on the held-out rows or the test data, if that is worth it.
    pub calibrate: bool,
    /// Test data from other files; then no row of the training data is held out.
    pub test: Option<Origin>,
    /// The fraction of rows to hold out for testing, in [0, 1).
    pub test_fraction: f64,
    /// The seed that selects held-out rows and folds.
    pub seed: u64,
    /// Whether to collect the data of a report.
    pub report: bool,
    /// The date and time to store in the model file, RFC 3339.
    pub created: String,
}

/// The training parameter of a model file with the number of rows of the test data.
pub const TEST_ROWS: &str = "test_rows";

impl Plan {
    /// The fraction of the training data that is held out.
    pub(super) fn held_out_fraction(&self) -> f64 {
        if self.test.is_some() { 0.0 } else { self.test_fraction }
    }

    /// The estimator for this data, and the decision for it if it is not obvious.
    ///
    /// # Errors
    /// [`DataError`] when it does not suit the target.
    pub(super) fn estimator(&self, surveyed: &SurveyedTable) -> Result<(EstimatorKind, Option<Decision>), TrainError> {
        let needs_number = self.preparation.target_transform != TargetTransform::Identity
            || self.penalty.alpha.is_some()
            || self.standard_errors != StandardErrors::Classical;
        let two_values = surveyed.two_values().filter(|_| self.estimator.is_none() && !needs_number);
        if let Some([low, high]) = two_values {
            let target = shown(&self.selection.target);
            let [low, high] = [low.label(), high.label()];
            let text = format!(
                "{target} has two values, {low} and {high}, and is predicted as two classes by logistic regression \
                 (--estimator linear predicts a number)"
            );
            return Ok((EstimatorKind::Logistic, Some(Decision::new(text, ["--estimator", "logistic"]))));
        }
        let default = if surveyed.has_class_target() { EstimatorKind::Logistic } else { EstimatorKind::Linear };
        let estimator = self.estimator.unwrap_or(default);
        if surveyed.has_class_target() && !estimator.classifies() {
            let column = self.selection.target.clone();
            return Err(DataError::ClassTarget { column, estimator: estimator.name() }.into());
        }
        self.check_class_options(estimator)?;
        Ok((estimator, None))
    }

    /// Options of classes need a classifier, and robust standard errors a regression.
    fn check_class_options(&self, estimator: EstimatorKind) -> Result<(), TrainError> {
        let ClassPlan { balanced, threshold } = self.classes;
        if estimator.classifies() && self.standard_errors != StandardErrors::Classical {
            return Err(DataError::UnusedByClasses { column: self.selection.target.clone() }.into());
        }
        let options =
            [("--c", self.penalty.c.is_some()), ("--class-weight", balanced), ("--threshold", threshold.is_some())];
        match options.into_iter().find(|(_, given)| *given && !estimator.classifies()) {
            None => Ok(()),
            Some((option, _)) => {
                let column = self.selection.target.clone();
                Err(DataError::UnusedByNumbers { option, column, estimator: estimator.name() }.into())
            }
        }
    }

    /// The training parameters of the model file: those that are not the default.
    pub(super) fn parameters(
        &self,
        estimator: EstimatorKind,
        cross_validation: Option<&CrossValidationResult>,
        test: Option<&Scan>,
    ) -> BTreeMap<String, Value> {
        let mut parameters = Parameters::default();
        parameters.keep("estimator", true, json!(estimator.name()));
        parameters.keep("test_fraction", true, json!(self.held_out_fraction()));
        parameters.keep(TEST_ROWS, test.is_some(), json!(test.map(|scan| scan.rows)));
        parameters.keep("test_data_sha256", test.is_some(), json!(test.map(|scan| scan.sha256.as_str())));
        parameters.keep_selection(&self.selection);
        parameters.keep_preparation(&self.preparation);
        for (name, value) in self.origin.options.given() {
            parameters.keep(name, true, value);
        }
        parameters.keep_penalty(&self.penalty, estimator, cross_validation);
        parameters.keep("class_weight", self.classes.balanced, json!("balanced"));
        parameters.keep("threshold", self.classes.threshold.is_some(), json!(self.classes.threshold));
        let is_robust = self.standard_errors != StandardErrors::Classical;
        parameters.keep("standard_errors", is_robust, json!(self.standard_errors));
        parameters.keep("calibrate", estimator.classifies() && !self.calibrate, json!(false));
        parameters.0
    }
}

/// Training parameters by name.
#[derive(Default)]
struct Parameters(BTreeMap<String, Value>);

impl Parameters {
    fn keep(&mut self, name: &str, is_set: bool, value: Value) {
        if is_set {
            self.0.insert(name.to_owned(), value);
        }
    }

    fn keep_selection(&mut self, selection: &Selection) {
        let Selection { features, exclude, weights, offset, .. } = selection;
        self.keep("features", !features.is_empty(), json!(features));
        self.keep("exclude", !exclude.is_empty(), json!(exclude));
        self.keep("weights", weights.is_some(), json!(weights));
        if let Some(OffsetColumn { name, log }) = offset {
            self.keep(if *log { "exposure" } else { "offset" }, true, json!(name));
        }
    }

    fn keep_preparation(&mut self, preparation: &Preparation) {
        let Preparation {
            types,
            categorical,
            missing,
            missing_indicator,
            unknown,
            degree,
            interactions,
            target_transform,
            through_origin,
            decimal,
            thousands,
            missing_values,
            dates,
            max_levels,
            reference,
        } = preparation;
        let types: BTreeMap<&String, &FeatureType> = types.iter().map(|(name, kind)| (name, kind)).collect();
        self.keep("types", !types.is_empty(), json!(types));
        self.keep("categorical", !categorical.is_empty(), json!(categorical));
        let missing: Vec<String> = missing.iter().map(ToString::to_string).collect();
        self.keep("missing", !missing.is_empty(), json!(missing));
        self.keep("missing_indicator", *missing_indicator, json!(true));
        self.keep("decimal", !decimal.is_empty(), json!(by_column(decimal)));
        self.keep("thousands", !thousands.is_empty(), json!(by_column(thousands)));
        let words = missing_values.iter().map(|(column, words)| (column.clone(), words.join(",")));
        self.keep("missing_values", !missing_values.is_empty(), json!(by_column(&words.collect::<Vec<_>>())));
        self.keep("date_format", !dates.is_empty(), json!(by_column(dates)));
        self.keep("max_levels", max_levels.is_some(), json!(max_levels));
        self.keep("reference", !reference.is_empty(), json!(reference));
        self.keep("unknown", *unknown != UnknownPolicy::Reject, json!(unknown));
        self.keep("degree", *degree > 1, json!(degree));
        self.keep("interactions", *interactions, json!(interactions));
        self.keep("target_transform", *target_transform != TargetTransform::Identity, json!(target_transform));
        self.keep("intercept", *through_origin, json!(false));
    }

    fn keep_penalty(
        &mut self,
        penalty: &PenaltyPlan,
        estimator: EstimatorKind,
        cross_validation: Option<&CrossValidationResult>,
    ) {
        let selected = cross_validation.map(|result| result.alpha);
        let fixed = |strength: Option<PenaltyStrength>| match strength {
            Some(PenaltyStrength::Fixed(value)) => Some(value),
            _ => None,
        };
        let unselected = estimator.selects_alpha().then_some(DEFAULT_ALPHA);
        let alpha = fixed(penalty.alpha).or(selected).or(unselected);
        self.keep("alpha", estimator.selects_alpha() || (estimator.has_alpha() && alpha.is_some()), json!(alpha));
        self.keep("l1_ratio", estimator == EstimatorKind::ElasticNet, json!(penalty.l1_ratio(estimator)));
        let c = fixed(penalty.c).or(selected.map(|alpha| 1.0 / alpha)).unwrap_or(1.0);
        // JSON has no infinite number.
        let c = if c.is_finite() { json!(c) } else { json!("inf") };
        self.keep("c", estimator == EstimatorKind::Logistic, c);
        let folds = cross_validation.map(|result| result.folds).or(penalty.folds);
        self.keep("cross_validate", folds.is_some(), json!(folds));
        self.keep("one_standard_error", penalty.one_standard_error, json!(true));
    }
}

/// Settings as they are written on the command line: `VALUE`, or `NAME=VALUE` for one column.
fn by_column<T: std::fmt::Display>(settings: &[(Option<String>, T)]) -> Vec<String> {
    let word = |(column, value): &(Option<String>, T)| match column {
        Some(column) => format!("{column}={value}"),
        None => value.to_string(),
    };
    settings.iter().map(word).collect()
}
