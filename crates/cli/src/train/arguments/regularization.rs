//! The options of penalties and of classes.

use clap::{Args, ValueEnum};

use super::Arguments;
use super::values::{alpha, inverse_strength, ratio, threshold};
use ordinate_train::EstimatorKind;
use ordinate_train::plan::{ClassPlan, PenaltyPlan, PenaltyStrength};
use ordinate_train::solver::robust_errors::StandardErrors;

#[derive(Debug, Args)]
pub(super) struct Penalties {
    /// Regularization strength of ridge, lasso and elastic-net: a number above zero, or auto (default); of poisson and
    /// gamma: a number, or 0 for no penalty (default, unless there are fewer rows than columns)
    ///
    /// auto chooses from a regularization path by cross-validation. The strength is the alpha of scikit-learn in the
    /// objectives listed at --estimator. Penalties apply to standardized columns (mean 0, population standard deviation
    /// 1) and not to the intercept. With --weights, squared errors are weighted and n is the sum of the weights.
    #[arg(long, value_name = "NUMBER|auto", value_parser = alpha, allow_negative_numbers = true)]
    alpha: Option<PenaltyStrength>,
    /// L1 ratio of elastic-net, from 0 to 1; by default 0.5
    #[arg(long, value_name = "RATIO", value_parser = ratio, allow_negative_numbers = true)]
    l1_ratio: Option<f64>,
    /// Inverse regularization strength of logistic regression: a number above zero (default 1), auto, or inf for no
    /// penalty
    ///
    /// inf (or none) fits by maximum likelihood, with standard errors, z and p values, confidence intervals and odds
    /// ratios; weights then are frequencies. An error names the columns of classes that are separable. auto chooses
    /// from a regularization path by cross-validation. The value is the C of scikit-learn in the objective listed at
    /// --estimator. Penalties apply to standardized columns (mean 0, population standard deviation 1) and not to the
    /// intercept. With --weights, log losses are weighted.
    #[arg(long, value_name = "NUMBER|auto|inf", value_parser = inverse_strength, allow_negative_numbers = true)]
    c: Option<PenaltyStrength>,
    /// Measure the model by cross-validation, too, in this number of folds
    ///
    /// For each fold, a fit to the other rows is measured on it. The metrics are the means over the folds, with their
    /// standard errors. --alpha auto and --c auto use the same number of folds to select the strength (by default 5),
    /// and select it anew for each fold.
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(2..=100))]
    cross_validate: Option<u32>,
    /// Choose the strongest regularization within one standard error of the lowest cross-validation error
    #[arg(long)]
    one_standard_error: bool,
}

#[derive(Debug, Args)]
pub(super) struct Classes {
    /// Weights of classes in the fit: balanced gives every class the same total weight, as in scikit-learn
    ///
    /// Rows of a class have the weight n/(k·m), for k classes, n rows and m rows of the class, on top of --weights.
    /// Probabilities are then those of data with as many rows of each class, and not of the frequencies in the data.
    /// Metrics do not use these weights.
    #[arg(long, value_enum, value_name = "WEIGHT")]
    class_weight: Option<ClassWeightArgument>,
    /// Probability from which the second of two classes is predicted, above 0 and below 1; by default the more probable
    /// one
    ///
    /// The threshold is stored in the model and applies to the probability that is served, after calibration. Precision
    /// and recall are those at the threshold; the report shows them for all thresholds.
    #[arg(long, value_name = "P", value_parser = threshold, allow_negative_numbers = true)]
    threshold: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ClassWeightArgument {
    /// The same total weight for every class
    Balanced,
}

impl Arguments {
    /// The weights and the threshold of classes.
    pub(in crate::train) fn classes(&self) -> ClassPlan {
        let Classes { class_weight, threshold } = self.classes;
        ClassPlan { balanced: class_weight == Some(ClassWeightArgument::Balanced), threshold }
    }

    /// The regularization that the options request.
    ///
    /// # Errors
    /// A message when an option does not apply to the estimator.
    pub(in crate::train) fn penalty(&self) -> Result<PenaltyPlan, String> {
        let Penalties { alpha, l1_ratio, c, cross_validate, one_standard_error } = &self.penalties;
        let only = |option: &str, given: bool, suits: &dyn Fn(EstimatorKind) -> bool, estimators: &str| match self
            .estimator
        {
            Some(estimator) if given && !suits(estimator) => {
                Err(format!("{option} applies to --estimator {estimators}, got {}", estimator.name()))
            }
            None if given && !suits(EstimatorKind::Logistic) => Err(format!("{option} needs --estimator {estimators}")),
            _ => Ok(()),
        };
        only("--alpha", alpha.is_some(), &EstimatorKind::has_alpha, "ridge, lasso, elastic-net, poisson or gamma")?;
        if let (Some(PenaltyStrength::Auto), Some(family)) = (*alpha, self.estimator.and_then(EstimatorKind::family)) {
            return Err(format!("--alpha of --estimator {} must be a number, got auto", family.name()));
        }
        if *alpha == Some(PenaltyStrength::Fixed(0.0)) && self.estimator.is_none_or(EstimatorKind::selects_alpha) {
            let estimators = "--estimator linear (or poisson, gamma)";
            return Err(format!("--alpha must be above zero, or auto; to fit without regularization use {estimators}"));
        }
        only("--l1-ratio", l1_ratio.is_some(), &|estimator| estimator == EstimatorKind::ElasticNet, "elastic-net")?;
        if let Some(estimator) = self.estimator.filter(|estimator| *estimator != EstimatorKind::Linear)
            && self.standard_errors != StandardErrors::Classical
        {
            return Err(format!("--standard-errors applies to --estimator linear, got {}", estimator.name()));
        }
        only("--c", c.is_some(), &EstimatorKind::classifies, "logistic")?;
        let plan = PenaltyPlan {
            alpha: *alpha,
            l1_ratio: *l1_ratio,
            c: *c,
            folds: *cross_validate,
            one_standard_error: *one_standard_error,
        };
        let chooses = match self.estimator {
            Some(estimator) if estimator.selects_alpha() => alpha.unwrap_or_default() == PenaltyStrength::Auto,
            _ => *c == Some(PenaltyStrength::Auto),
        };
        let is_unpenalised = matches!(c, Some(PenaltyStrength::Fixed(value)) if value.is_infinite());
        if self.classes().balanced && is_unpenalised {
            return Err(
                "--class-weight needs a penalty: the standard errors of --c inf would not be of the data".to_owned()
            );
        }
        if *one_standard_error && !chooses {
            return Err("--one-standard-error needs --alpha auto or --c auto".to_owned());
        }
        Ok(plan)
    }
}
