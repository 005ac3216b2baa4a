//! The options of `ordinate train`, and the plan that they give.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};

use crate::reading::ReadingArguments;
use ordinate_model::date;
use ordinate_model::identity::ModelName;
use ordinate_model::preprocess::TargetTransform;
use ordinate_model::signature::{FeatureType, UnknownPolicy};
use ordinate_table::{Origin, Rule, Selection, infer};
use ordinate_train::EstimatorKind;
use ordinate_train::holdout::Holdout;
use ordinate_train::plan::{PenaltyPlan, PenaltyStrength};
use ordinate_train::preparation::Preparation;
use ordinate_train::solver::robust_errors::StandardErrors;

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
/// Types and conventions are inferred from all rows: numbers (with decimal commas, thousands separators, currency and
/// percent signs), dates, true and false, categories; missing values are imputed; identifiers, constant and empty columns
/// are left out. Each decision is printed after the results, with the option that sets it otherwise.
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
    /// Columns are then not centered; penalized columns are divided by their root mean square instead of their standard
    /// deviation. The first category keeps all its levels. Degrees of freedom are rows − columns; R² and F in the summary
    /// are about zero instead of the mean.
    #[arg(long)]
    no_intercept: bool,
    /// Standard errors of least squares
    ///
    /// hc3 allows residuals of different variances and is reliable for few rows (Long and Ervin, 2000). It changes
    /// standard errors, t, p, confidence intervals of coefficients and F. Coefficients and the intervals of predictions stay
    /// as they are: those assume the same variance.
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
    /// intervals count rows instead of weights, as in the WLS of statsmodels. With --c inf, weights are frequencies there, too.
    #[arg(long, value_name = "NAME")]
    weights: Option<String>,
}

#[derive(Debug, Args)]
struct Prepare {
    /// Treatment of missing values: auto (default), drop, mean, median, most-frequent, category, constant=VALUE or reject
    ///
    /// auto imputes the median of numbers and dates, and the most frequent category; if more than 5 % of the values of a
    /// category are missing, they are a category of their own. drop leaves rows out of training. For a single column:
    /// NAME=median, and so on. Can be repeated. Imputed values are computed from all rows and stored in the model, which
    /// applies them to requests.
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
    /// Inverse regularization strength of logistic regression: a number above zero (default 1), auto, or inf for no penalty
    ///
    /// inf (or none) fits by maximum likelihood, with standard errors, z and p values, confidence intervals and odds ratios;
    /// weights then are frequencies. An error names the columns of classes that are separable. auto chooses from a regularization path by cross-validation. The value is the C of scikit-learn in the objective
    /// listed at --estimator. Penalties apply to standardized columns (mean 0, population standard deviation 1) and not
    /// to the intercept. With --weights, log losses are weighted.
    #[arg(long, value_name = "NUMBER|auto|inf", value_parser = inverse_strength, allow_negative_numbers = true)]
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
            // Names in headers are read without the spaces around them.
            target: self.target.trim().to_owned(),
            features: flat(&self.columns.features),
            exclude: flat(&self.columns.exclude),
            weights: self.columns.weights.as_ref().map(|name| name.trim().to_owned()),
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

/// An inverse regularization strength; infinite without a penalty.
fn inverse_strength(text: &str) -> Result<PenaltyStrength, String> {
    match text.parse::<f64>() {
        _ if text == "none" => Ok(PenaltyStrength::Fixed(f64::INFINITY)),
        Ok(f64::INFINITY) => Ok(PenaltyStrength::Fixed(f64::INFINITY)),
        _ => strength(text).map_err(|_| "expected a number above zero, auto, or inf".to_owned()),
    }
}

fn ratio(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|value| (0.0..=1.0).contains(value)).ok_or_else(|| "expected a number from 0 to 1".into())
}

fn fraction(text: &str) -> Result<f64, String> {
    let value = text.parse().map_err(|_| "expected a number from 0 to less than 1".to_owned())?;
    Holdout::new(value, 0).map(|_| value).map_err(|error| error.to_string())
}

/// Names in an option: a record of CSV.
#[derive(Debug, Clone)]
struct Names(Vec<String>);

impl FromStr for Names {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match infer::names(text) {
            names if names.is_empty() => Err("expected names, separated by commas".to_owned()),
            names => Ok(Self(names)),
        }
    }
}

fn flat(lists: &[Names]) -> Vec<String> {
    lists.iter().flat_map(|Names(names)| names.iter().map(|name| name.trim().to_owned())).collect()
}

/// Columns with their types.
#[derive(Debug, Clone)]
struct Types(Vec<(String, FeatureType)>);

/// A column before the last `=`, if there is one, and the rest.
fn of_column(text: &str) -> (Option<String>, &str) {
    match text.rsplit_once('=') {
        Some((name, value)) if !name.is_empty() => (Some(name.to_owned()), value),
        _ => (None, text),
    }
}

fn decimal_mark(text: &str) -> Result<(Option<String>, char), String> {
    match of_column(text) {
        (column, ".") => Ok((column, '.')),
        (column, ",") => Ok((column, ',')),
        _ => Err("expected . or , with NAME= before it for one column".to_owned()),
    }
}

fn thousands_separator(text: &str) -> Result<(Option<String>, char), String> {
    let (column, value) = of_column(text);
    let mut characters = value.chars();
    match (characters.next(), characters.next()) {
        (Some(separator), None) if ".,'_ ".contains(separator) => Ok((column, separator)),
        _ => Err("expected one of . , ' _ or a space, with NAME= before it for one column".to_owned()),
    }
}

fn marker_words(text: &str) -> Result<(Option<String>, Names), String> {
    // A marker hardly contains `=`, and a name may.
    let (column, words) = of_column(text);
    Ok((column, words.parse()?))
}

fn date_format(text: &str) -> Result<(Option<String>, String), String> {
    // A name may contain `=`, and a format begins with `%`.
    let (name, format) = match text.rsplit_once("=%") {
        Some((name, format)) => (Some(name.to_owned()), format!("%{format}")),
        None => (None, text.to_owned()),
    };
    if date::is_format(&format) {
        return Ok((name, format));
    }
    Err("expected a format such as %d/%m/%Y with %Y or %y, %m or %b, %d, and perhaps %H %I %M %S %p %z".to_owned())
}

fn reference(text: &str) -> Result<(String, String), String> {
    let (name, level) = text.split_once('=').ok_or("expected NAME=LEVEL")?;
    Ok((name.to_owned(), level.to_owned()))
}

fn typed(text: &str) -> Result<Types, String> {
    infer::names(text).iter().map(|entry| typed_column(entry)).collect::<Result<_, _>>().map(Types)
}

fn typed_column(text: &str) -> Result<(String, FeatureType), String> {
    let expected = || "expected NAME=TYPE with type double, long, boolean, date or string".to_owned();
    let (name, kind) = text.rsplit_once('=').ok_or_else(expected)?;
    let kind = match kind {
        "double" => FeatureType::Double,
        "long" => FeatureType::Long,
        "boolean" => FeatureType::Boolean,
        "date" => FeatureType::Date,
        "string" => FeatureType::String,
        _ => return Err(expected()),
    };
    Ok((name.to_owned(), kind))
}
