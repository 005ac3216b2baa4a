//! The options of `ordinate train`, and the plan that they give.

mod values;

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::reading::ReadingArguments;
use ordinate_model::identity::ModelName;
use ordinate_model::preprocess::TargetTransform;
use ordinate_model::signature::UnknownPolicy;
use ordinate_table::{OffsetColumn, Origin, Rule, Selection};
use ordinate_train::EstimatorKind;
use ordinate_train::plan::{ClassPlan, PenaltyPlan, PenaltyStrength};
use ordinate_train::preparation::Preparation;
use ordinate_train::solver::robust_errors::StandardErrors;
use values::{
    Names, Types, alpha, date_format, decimal_mark, flat, fraction, inverse_strength, marker_words, ratio, reference,
    thousands_separator, threshold, typed,
};

/// Fit a model to data, measure it on held-out rows, and save it
///
/// The metrics come from a fit without the held-out rows; the saved model is then fitted to all rows. With --test, the
/// metrics come from other files, and no row is held out.
///
/// Linear and ridge models compute intervals from Student's t distribution. Poisson and gamma models compute confidence
/// intervals of the mean from the normal distribution of its logarithm. All other intervals, and the prediction sets of
/// classifiers, use the errors on the held-out or test rows (a sample of 100,000 if there are more). With --test, their
/// coverage guarantee is exact. Without it, the saved model has also seen the held-out rows, and intervals tend to be
/// slightly wide. Models with more than 500 columns, unless linear, are stored without the data for high-leverage
/// warnings.
///
/// Types and conventions are inferred from all rows: numbers (with decimal commas, thousands separators, currency and
/// percent signs), dates, true and false, categories; missing values are imputed; identifiers, constant and empty
/// columns are left out. Each kind of decision is printed after the results. Options override decisions, and --strict
/// prints the options.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  ordinate train houses.csv --target price --out price.json
  ordinate train houses.csv --target price --estimator ridge --missing median --report price.html
  ordinate train 'part-*.parquet' --target churned --test holdout.parquet --out churn.json")]
pub(crate) struct Arguments {
    /// Training data: CSV or Parquet files, folders, patterns such as 'part-*.csv', or - for standard input
    ///
    /// CSV files may be compressed (.gz, .zst). A folder is all its CSV and Parquet files. Several files with the same
    /// columns are read as one table, and folders named NAME=VALUE add a column NAME.
    #[arg(value_name = "DATA", required = true)]
    pub(super) data: Vec<PathBuf>,
    /// Column to predict
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    target: String,
    /// File to save the model to; - for standard output; a catalog, such as models/, to publish it in
    ///
    /// With -, the results are printed to standard error. Without --out, the results are only printed. A catalog is a
    /// folder or `s3://bucket/prefix/` with a slash at the end: the model becomes its next version there, as with
    /// `ordinate publish`.
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// File to save an HTML report with charts to
    #[arg(long, value_name = "FILE.html")]
    pub(super) report: Option<PathBuf>,
    /// File to save a model card in Markdown to
    #[arg(long, value_name = "FILE.md")]
    pub(super) card: Option<PathBuf>,
    /// Name of the model in requests; by default the file name without its extension
    ///
    /// Characters that a name cannot contain are replaced by hyphens in the default name.
    #[arg(long, value_parser = |name: &str| ModelName::try_from(name.to_owned()))]
    pub(super) name: Option<ModelName>,
    /// Model to fit; by default linear for a numeric target and logistic for classes
    #[arg(long, value_enum)]
    pub(super) estimator: Option<EstimatorKind>,
    /// Fit without an intercept
    ///
    /// Columns are then not centered; penalized columns are divided by their root mean square instead of their standard
    /// deviation. The first category keeps all its levels. Degrees of freedom are rows − columns; R² and F in the
    /// summary are about zero instead of the mean.
    #[arg(long)]
    no_intercept: bool,
    /// Standard errors of least squares
    ///
    /// hc3 allows residuals of different variances and is reliable for few rows (Long and Ervin, 2000). It changes
    /// standard errors, t, p, confidence intervals of coefficients and F. Coefficients and the intervals of predictions
    /// stay as they are: those assume the same variance.
    #[arg(long, value_enum, default_value_t = StandardErrors::Classical)]
    pub(super) standard_errors: StandardErrors,
    /// Print the results as one JSON object
    #[arg(long)]
    pub(super) json: bool,
    /// Turn decisions into errors: list what would be decided, and the command that sets it
    #[arg(long)]
    pub(super) strict: bool,
    #[command(flatten, next_help_heading = "Reading files")]
    reading: ReadingArguments,
    #[command(flatten, next_help_heading = "Columns")]
    columns: Columns,
    #[command(flatten, next_help_heading = "Preparation")]
    preparation: Prepare,
    #[command(flatten, next_help_heading = "Regularization")]
    penalties: Penalties,
    #[command(flatten, next_help_heading = "Classes")]
    classes: Classes,
    #[command(flatten, next_help_heading = "Evaluation")]
    pub(super) measuring: Measuring,
}

#[derive(Debug, Args)]
struct Columns {
    /// Columns to predict from, in the order of the model's signature; by default all except the target
    ///
    /// A name with a comma is quoted as in CSV: '"a,b"'. Columns that are named here are used even if they look like
    /// identifiers.
    #[arg(long, value_name = "A,B")]
    features: Vec<Names>,
    /// Columns to leave out, of the data or of the model
    ///
    /// Columns of the model are named as in its file: age^2 (a power), color=red (a level), age:color=red (a product).
    #[arg(long, value_name = "A,B")]
    exclude: Vec<Names>,
    /// Columns to read as categories, whatever their values
    #[arg(long, value_name = "A,B")]
    categorical: Vec<Names>,
    /// Column types that override inference: double, long (integer), boolean, date or string (category)
    #[arg(long, value_name = "NAME=TYPE", value_parser = typed)]
    types: Vec<Types>,
    /// Column with the weight of each row, zero or more
    ///
    /// A row of weight 2 counts as two rows in coefficients and metrics. Degrees of freedom, standard errors, tests and
    /// intervals count rows instead of weights, as in the WLS of statsmodels; poisson, gamma and logistic --c inf count
    /// weights as frequencies instead, as its GLM does.
    #[arg(long, value_name = "NAME")]
    weights: Option<String>,
    /// Column with the exposure of each row, such as a time or an area, for poisson and gamma; greater than zero
    ///
    /// The mean of the target is proportional to it: its logarithm is added to the logarithm of the mean, without a
    /// coefficient. Requests must have the column.
    #[arg(long, value_name = "NAME", conflicts_with = "offset")]
    exposure: Option<String>,
    /// Column that is added to the logarithm of the mean without a coefficient, for poisson and gamma
    #[arg(long, value_name = "NAME")]
    offset: Option<String>,
}

#[derive(Debug, Args)]
struct Prepare {
    /// Treatment of missing values: auto (default), drop, mean, median, most-frequent, category, constant=VALUE or
    /// reject
    ///
    /// auto imputes the median of numbers and dates, and the most frequent category; if more than 5 % of the values of
    /// a category are missing, they are a category of their own. drop leaves rows out of training. mean, median and
    /// category apply to the columns that have one; the others get auto. For a single column: NAME=median, and so on.
    /// Can be repeated. Imputed values are computed from all rows and stored in the model, which applies them to
    /// requests.
    #[arg(long, value_name = "[NAME=]HOW")]
    missing: Vec<Rule>,
    /// Add a column for each imputed feature that is 1 where the value was missing and 0 elsewhere
    #[arg(long)]
    missing_indicator: bool,
    /// Further missing-value markers, besides blank fields, NA, N/A, NaN, NULL and None
    ///
    /// Markers such as ?, - and #N/A are detected in columns of numbers. For a single column: NAME=WORDS.
    #[arg(long, value_name = "[NAME=]WORDS", allow_hyphen_values = true, value_parser = marker_words)]
    missing_values: Vec<(Option<String>, Names)>,
    /// Decimal mark of numbers: . or , (detected by default); for a single column: NAME=MARK
    #[arg(long, value_name = "[NAME=]MARK", value_parser = decimal_mark)]
    decimal: Vec<(Option<String>, char)>,
    /// Thousands separator of numbers: . , ' _ or a space (detected by default); for a single column: NAME=SEPARATOR
    #[arg(long, value_name = "[NAME=]SEPARATOR", value_parser = thousands_separator)]
    thousands: Vec<(Option<String>, char)>,
    /// Date format, such as %d/%m/%Y (detected by default, if it is clear)
    ///
    /// For a single column: NAME=FORMAT. Can be repeated. ISO 8601 is always read.
    #[arg(long, value_name = "[NAME=]FORMAT", value_parser = date_format)]
    date_format: Vec<(Option<String>, String)>,
    /// Most levels of a category; rarer ones are grouped as (other), which unknown categories in requests belong to
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(2..=5000))]
    max_levels: Option<u64>,
    /// Reference level of a category: the one without a coefficient; by default the first
    ///
    /// Only for fits without a penalty; with a penalty every level has a coefficient. Can be repeated.
    #[arg(long, value_name = "NAME=LEVEL", value_parser = reference)]
    reference: Vec<(String, String)>,
    /// Treatment of unknown categories in requests
    ///
    /// ignore sets all columns of the feature to zero; without a penalty that is its first category, the reference.
    #[arg(long, value_enum, default_value_t = UnknownArgument::Reject)]
    unknown: UnknownArgument,
    /// Add powers of each numeric feature up to N
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=32))]
    degree: u32,
    /// Add the products of all pairs of features
    #[arg(long)]
    interactions: bool,
    /// Transformation of the target before the fit
    ///
    /// log needs a target greater than zero. Predictions are transformed back: they estimate the median of the target,
    /// which is below its mean when errors are skewed to the right.
    #[arg(long, value_enum, default_value_t = TransformArgument::None)]
    target_transform: TransformArgument,
}

#[derive(Debug, Args)]
struct Penalties {
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
struct Classes {
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

#[derive(Debug, Args)]
pub(super) struct Measuring {
    /// Files or patterns to measure on instead of held-out rows, as `ordinate evaluate` does; can be repeated
    ///
    /// The model is fitted to all rows of DATA. Columns are found by name, the column of --weights included.
    #[arg(long, value_name = "FILE", conflicts_with = "test_fraction")]
    pub(super) test: Vec<PathBuf>,
    /// Approximate fraction of rows to hold out for the metrics, from 0 (none) to less than 1
    ///
    /// The first row of each class and of each level of a category is never held out.
    #[arg(long, value_name = "FRACTION", default_value_t = 0.2, value_parser = fraction, allow_negative_numbers = true)]
    pub(super) test_fraction: f64,
    /// Do not calibrate class probabilities
    ///
    /// By default, scores are divided by a temperature (Guo et al., 2017) that is fitted to the held-out or test rows,
    /// if there are at least ten and if that lowers their log loss by more than its standard error (cross-fitted):
    /// probabilities are then closer to observed frequencies on new rows. Calibration changes neither coefficients nor,
    /// unless there is a threshold, predicted classes.
    #[arg(long)]
    pub(super) no_calibration: bool,
    /// Seed of the held-out rows and cross-validation folds
    ///
    /// Each row is assigned by a hash of the seed and the row number.
    #[arg(long, default_value_t = 0, allow_negative_numbers = true, value_parser = clap::value_parser!(u64).range(0..(1 << 53)))]
    pub(super) seed: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum UnknownArgument {
    /// Refuse the request
    Reject,
    /// Predict with all columns of the feature set to zero
    Ignore,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TransformArgument {
    /// Fit the target as it is
    None,
    /// Fit the logarithm of the target
    Log,
}

impl Arguments {
    pub(super) fn origin(&self) -> Origin {
        Origin { paths: self.data.clone(), options: self.reading.options(), watch: None }
    }

    /// The files of --test.
    pub(super) fn test(&self) -> Option<Origin> {
        (!self.measuring.test.is_empty()).then(|| Origin { paths: self.measuring.test.clone(), ..self.origin() })
    }

    pub(super) fn selection(&self) -> Selection {
        Selection {
            // Names in headers are read without the spaces around them.
            target: self.target.trim().to_owned(),
            features: flat(&self.columns.features),
            exclude: flat(&self.columns.exclude),
            weights: self.columns.weights.as_ref().map(|name| name.trim().to_owned()),
            offset: self.columns.offset(),
        }
    }

    pub(super) fn preparation(&self) -> Preparation {
        let Prepare {
            missing,
            missing_indicator,
            missing_values,
            decimal,
            thousands,
            date_format,
            max_levels,
            reference,
            unknown,
            degree,
            interactions,
            target_transform,
        } = &self.preparation;
        Preparation {
            types: self.columns.types.iter().flat_map(|Types(types)| types.clone()).collect(),
            categorical: flat(&self.columns.categorical),
            missing_values: missing_values
                .iter()
                .map(|(column, Names(words))| (column.clone(), words.clone()))
                .collect(),
            decimal: decimal.clone(),
            thousands: thousands.clone(),
            dates: date_format.clone(),
            max_levels: max_levels.and_then(|most| usize::try_from(most).ok()),
            reference: reference.iter().cloned().collect(),
            missing: missing.clone(),
            missing_indicator: *missing_indicator,
            unknown: match unknown {
                UnknownArgument::Reject => UnknownPolicy::Reject,
                UnknownArgument::Ignore => UnknownPolicy::Ignore,
            },
            degree: *degree,
            interactions: *interactions,
            through_origin: self.no_intercept,
            target_transform: match target_transform {
                TransformArgument::None => TargetTransform::Identity,
                TransformArgument::Log => TargetTransform::Log,
            },
        }
    }
}

impl Columns {
    fn offset(&self) -> Option<OffsetColumn> {
        let of =
            |name: &Option<String>, log| name.as_ref().map(|name| OffsetColumn { name: name.trim().to_owned(), log });
        of(&self.exposure, true).or_else(|| of(&self.offset, false))
    }
}

impl Arguments {
    /// Checks options that only generalised linear models have, or do not have.
    ///
    /// # Errors
    /// A message when an option does not apply to the estimator.
    pub(super) fn check_log_link(&self) -> Result<(), String> {
        let family = self.estimator.and_then(EstimatorKind::family);
        if let (Some(offset), None) = (self.columns.offset(), family) {
            let option = offset.option();
            return Err(match self.estimator {
                Some(estimator) => {
                    format!("{option} applies to --estimator poisson or gamma, got {}", estimator.name())
                }
                None => format!("{option} needs --estimator poisson or gamma"),
            });
        }
        match family {
            Some(family) if self.preparation.target_transform != TransformArgument::None => Err(format!(
                "--target-transform log does not apply to --estimator {}, which is linear in the logarithm of the mean",
                family.name()
            )),
            _ => Ok(()),
        }
    }

    /// The weights and the threshold of classes.
    pub(super) fn classes(&self) -> ClassPlan {
        let Classes { class_weight, threshold } = self.classes;
        ClassPlan { balanced: class_weight == Some(ClassWeightArgument::Balanced), threshold }
    }

    /// The regularization that the options request.
    ///
    /// # Errors
    /// A message when an option does not apply to the estimator.
    pub(super) fn penalty(&self) -> Result<PenaltyPlan, String> {
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
