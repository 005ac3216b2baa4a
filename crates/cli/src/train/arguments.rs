//! The options of `ordinate train`, and the plan that they give.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::reading::ReadingArguments;
use ordinate_model::identity::ModelName;
use ordinate_model::preprocess::TargetTransform;
use ordinate_model::signature::{FeatureType, UnknownPolicy};
use ordinate_table::{Origin, Rule, Selection};
use ordinate_train::EstimatorKind;
use ordinate_train::holdout::Holdout;
use ordinate_train::plan::{PenaltyPlan, PenaltyStrength};
use ordinate_train::preparation::Preparation;

/// Fit a model to data, measure it on held-out rows, and save it
///
/// The metrics come from a fit without the held-out rows; the saved model is then fitted to all rows. With --test, the
/// metrics come from other files, and no row is held out.
///
/// Linear and ridge models compute intervals from Student's t distribution. All other models, and the prediction sets of
/// classifiers, use the errors on the held-out or test rows (a sample of 100,000 if there are more). With --test, their
/// coverage guarantee is exact. Without it, the saved model has also seen the held-out rows, and intervals tend to be
/// slightly wide. Models with more than 500 columns, unless linear, are stored without the data for high-leverage
/// warnings.
///
/// Types are inferred: a column of numbers is numeric, a column of true and false is boolean, any other column is
/// categorical. Blank fields and the words NA, N/A, NaN, null and none (in any case) are missing values. Categories keep
/// leading and trailing spaces.
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
    #[arg(long, value_name = "NAME")]
    target: String,
    /// File to save the model to; - for standard output
    ///
    /// With -, the results are printed to standard error. Without --out, the results are only printed.
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
    /// Columns are then not centred; penalized columns are divided by their root mean square instead of their standard
    /// deviation. The first category keeps all its levels. Degrees of freedom are rows − columns; R² and F in the summary
    /// are about zero instead of the mean.
    #[arg(long)]
    no_intercept: bool,
    /// Print the results as one JSON object
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten, next_help_heading = "Reading files")]
    reading: ReadingArguments,
    #[command(flatten, next_help_heading = "Columns")]
    columns: Columns,
    #[command(flatten, next_help_heading = "Preparation")]
    preparation: Prepare,
    #[command(flatten, next_help_heading = "Regularization")]
    penalties: Penalties,
    #[command(flatten, next_help_heading = "Evaluation")]
    pub(super) measuring: Measuring,
}

#[derive(Debug, Args)]
struct Columns {
    /// Columns to predict from, in the order of the model's signature; by default all except the target
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    features: Vec<String>,
    /// Columns to leave out, of the data or of the model
    ///
    /// Columns of the model are named as in its file: age^2 (a power), colour=red (a level), age:colour=red (a product).
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    exclude: Vec<String>,
    /// Columns to read as categories, whatever their values
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    categorical: Vec<String>,
    /// Column types that override inference: double, long (integer), boolean or string (category)
    #[arg(long, value_name = "NAME=TYPE", value_delimiter = ',', value_parser = typed)]
    types: Vec<(String, FeatureType)>,
    /// Column with the weight of each row, greater than zero
    ///
    /// A row of weight 2 counts as two rows in coefficients and metrics. Degrees of freedom, standard errors, tests and
    /// intervals count rows instead of weights, as in the WLS of statsmodels.
    #[arg(long, value_name = "NAME")]
    weights: Option<String>,
}

#[derive(Debug, Args)]
struct Prepare {
    /// Treatment of missing values: reject (default), mean, median, most-frequent or constant=VALUE
    ///
    /// For a single column: NAME=median, and so on. Can be repeated. Imputed values are computed from all rows and stored
    /// in the model, which applies them to requests.
    #[arg(long, value_name = "[NAME=]HOW")]
    missing: Vec<Rule>,
    /// Treatment of unknown categories in requests
    ///
    /// ignore sets all columns of the feature to zero; for --estimator linear that is its first category, the reference.
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
    /// Regularization strength of ridge, lasso and elastic-net: a number above zero, or auto (default)
    ///
    /// auto chooses from a regularization path by cross-validation. The strength is the alpha of scikit-learn in the
    /// objectives listed at --estimator. Penalties apply to standardized columns (mean 0, population standard deviation
    /// 1) and not to the intercept. With --weights, squared errors are weighted and n is the sum of the weights.
    #[arg(long, value_name = "NUMBER|auto", value_parser = alpha, allow_negative_numbers = true)]
    alpha: Option<PenaltyStrength>,
    /// L1 ratio of elastic-net, from 0 to 1; by default 0.5
    #[arg(long, value_name = "RATIO", value_parser = ratio, allow_negative_numbers = true)]
    l1_ratio: Option<f64>,
    /// Inverse regularization strength of logistic regression: a number above zero (default 1), or auto
    ///
    /// auto chooses from a regularization path by cross-validation. The value is the C of scikit-learn in the objective
    /// listed at --estimator. Penalties apply to standardized columns (mean 0, population standard deviation 1) and not
    /// to the intercept. With --weights, log losses are weighted.
    #[arg(long, value_name = "NUMBER|auto", value_parser = strength, allow_negative_numbers = true)]
    c: Option<PenaltyStrength>,
    /// Number of cross-validation folds for --alpha auto and --c auto; by default 5
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(2..=100))]
    cross_validate: Option<u32>,
    /// Choose the strongest regularization within one standard error of the lowest cross-validation error
    #[arg(long)]
    one_standard_error: bool,
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
    /// By default, scores are divided by a temperature (Guo et al., 2017) that is fitted to the held-out or test rows, if
    /// there are at least ten: probabilities then match observed frequencies on new rows. Calibration changes neither
    /// coefficients nor predicted classes.
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
            target: self.target.clone(),
            features: self.columns.features.clone(),
            exclude: self.columns.exclude.clone(),
            weights: self.columns.weights.clone(),
        }
    }

    pub(super) fn preparation(&self) -> Preparation {
        let Prepare { missing, unknown, degree, interactions, target_transform } = &self.preparation;
        Preparation {
            types: self.columns.types.clone(),
            categorical: self.columns.categorical.clone(),
            missing: missing.clone(),
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

impl Arguments {
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
        only("--alpha", alpha.is_some(), &EstimatorKind::has_alpha, "ridge, lasso or elastic-net")?;
        only("--l1-ratio", l1_ratio.is_some(), &|estimator| estimator == EstimatorKind::ElasticNet, "elastic-net")?;
        only("--c", c.is_some(), &EstimatorKind::classifies, "logistic")?;
        let plan = PenaltyPlan {
            alpha: *alpha,
            l1_ratio: *l1_ratio,
            c: *c,
            folds: *cross_validate,
            one_standard_error: *one_standard_error,
        };
        let chooses = match self.estimator {
            Some(estimator) if estimator.has_alpha() => alpha.unwrap_or_default() == PenaltyStrength::Auto,
            _ => *c == Some(PenaltyStrength::Auto),
        };
        if (cross_validate.is_some() || *one_standard_error) && !chooses {
            let option = if *one_standard_error { "--one-standard-error" } else { "--cross-validate" };
            return Err(format!("{option} needs --alpha auto or --c auto"));
        }
        Ok(plan)
    }
}

fn alpha(text: &str) -> Result<PenaltyStrength, String> {
    match text.parse() {
        Ok(0.0) => {
            Err("expected a number above zero, or auto; use --estimator linear to fit without regularization".into())
        }
        _ => strength(text),
    }
}

fn strength(text: &str) -> Result<PenaltyStrength, String> {
    match text.parse::<f64>() {
        _ if text == "auto" => Ok(PenaltyStrength::Auto),
        Ok(value) if value > 0.0 && value.is_finite() => Ok(PenaltyStrength::Fixed(value)),
        _ => Err("expected a number above zero, or auto".into()),
    }
}

fn ratio(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|value| (0.0..=1.0).contains(value)).ok_or_else(|| "expected a number from 0 to 1".into())
}

fn fraction(text: &str) -> Result<f64, String> {
    let value = text.parse().map_err(|_| "expected a number from 0 to less than 1".to_owned())?;
    Holdout::new(value, 0).map(|_| value).map_err(|error| error.to_string())
}

fn typed(text: &str) -> Result<(String, FeatureType), String> {
    let expected = || "expected NAME=TYPE with type double, long, boolean or string".to_owned();
    let (name, kind) = text.rsplit_once('=').ok_or_else(expected)?;
    let kind = match kind {
        "double" => FeatureType::Double,
        "long" => FeatureType::Long,
        "boolean" => FeatureType::Boolean,
        "string" => FeatureType::String,
        _ => return Err(expected()),
    };
    Ok((name.to_owned(), kind))
}
