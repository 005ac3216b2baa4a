//! The options of `ordinate train`, read into a plan.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::delimiter;
use ordinate_model::identity::ModelName;
use ordinate_model::preprocess::TargetTransform;
use ordinate_model::signature::{FeatureType, Unknown};
use ordinate_table::{Origin, Rule, Selection};
use ordinate_train::EstimatorKind;
use ordinate_train::holdout::Holdout;
use ordinate_train::plan::{PenaltyPlan, PenaltyStrength};
use ordinate_train::preparation::Preparation;

/// Fit a model to data, measure it on rows it has not seen, and save it
///
/// The metrics are those of a fit without the held-out rows; the model that is saved is then fitted to all rows. With
/// --test they are those of other data, and no row is held out.
///
/// Linear and ridge models have intervals by Student's t. All others make theirs, and classifiers their prediction sets, from the
/// errors on the rows they are measured on (a sample of 100,000 of more). What they promise is exact for the fit that was
/// measured: with --test that is the model itself; without, the model saw more rows, and its intervals tend to be a little
/// wide. Designs of more than 500 columns are stored without what warns of unusual combinations of values, unless linear.
///
/// Types are inferred: a column of numbers is a number, one of true and false a boolean, any other a category. Texts
/// that are blank and the words NA, N/A, NaN, null and none (in any case) are missing values. Categories are kept as they
/// are in the data, with the spaces around them.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The training data: CSV files with a header or Parquet files, patterns such as 'part-*.csv', or - for standard
    /// input. Several files of one kind are read as one
    #[arg(value_name = "DATA", required = true)]
    pub(super) data: Vec<PathBuf>,
    /// The column to predict
    #[arg(long, value_name = "NAME")]
    target: String,
    /// Where to save the model, - for standard output (results then go to standard error); without it, results are only
    /// printed
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// Where to save a report: a page with charts, which a browser shows and prints
    #[arg(long, value_name = "FILE.html")]
    pub(super) report: Option<PathBuf>,
    /// Where to save a model card in Markdown
    #[arg(long, value_name = "FILE.md")]
    pub(super) card: Option<PathBuf>,
    /// The name callers will use; by default the name of the file, without its ending and
    /// with hyphens for what no name can have
    #[arg(long, value_parser = |name: &str| ModelName::try_from(name.to_owned()))]
    pub(super) name: Option<ModelName>,
    /// What to fit; by default linear for a number and logistic for classes
    #[arg(long, value_enum)]
    pub(super) estimator: Option<EstimatorKind>,
    /// Fit no intercept: predictions are 0 where all columns are. Then no column is centred; penalised ones are divided by their
    /// root mean square, not by their standard deviation. The first category keeps all of its levels. Degrees of freedom
    /// are rows − columns, and R² and F of the summary are about zero, not about the mean
    #[arg(long)]
    no_intercept: bool,
    /// What stands between the fields of CSV: one character, or tab; by default the one of , ; tab | that the header has most
    /// of
    #[arg(long, value_name = "CHARACTER", value_parser = delimiter::parse)]
    delimiter: Option<u8>,
    /// Print one JSON object for machines
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten, next_help_heading = "Columns")]
    columns: Columns,
    #[command(flatten, next_help_heading = "Preparation")]
    preparation: Prepare,
    #[command(flatten, next_help_heading = "Penalties")]
    penalties: Penalties,
    #[command(flatten, next_help_heading = "Measuring")]
    pub(super) measuring: Measuring,
}

#[derive(Debug, Args)]
struct Columns {
    /// The columns to predict from, in the order of the model's signature; by default all but the target
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    features: Vec<String>,
    /// Columns to leave out: of the data, or of the model by the name it has there, such as age^2 (a power), colour=red (a
    /// level), age:colour=red (a product)
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    exclude: Vec<String>,
    /// Columns that are categories, whatever they look like
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    categorical: Vec<String>,
    /// Types where they are not to be inferred: double, long (whole numbers), boolean, string (categories)
    #[arg(long, value_name = "NAME=TYPE", value_delimiter = ',', value_parser = typed)]
    types: Vec<(String, FeatureType)>,
    /// A column that says how much each row counts, above zero: to coefficients and metrics, a row of weight 2 is two
    /// rows. Degrees of freedom, and with them standard errors, tests and intervals, count rows and not weights, as
    /// statsmodels' WLS does
    #[arg(long, value_name = "NAME")]
    weights: Option<String>,
}

#[derive(Debug, Args)]
struct Prepare {
    /// What to do about missing values: reject (the default), mean, median, most-frequent or constant=VALUE; for one
    /// column NAME=median and so on. Can be given several times. What stands in is that of all rows, and is stored in
    /// the model: requests are treated alike
    #[arg(long, value_name = "[NAME=]HOW")]
    missing: Vec<Rule>,
    /// What a category means that the training data did not have: reject refuses the request, ignore sets all columns of
    /// the feature to zero (for --estimator linear that is its first category, the reference)
    #[arg(long, value_enum, default_value_t = UnknownArgument::Reject)]
    unknown: UnknownArgument,
    /// Add the powers of every number up to this one
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=32))]
    degree: u32,
    /// Add the products of every two features
    #[arg(long)]
    interactions: bool,
    /// Fit the logarithm of the target, which must be above zero. Predictions are transformed back: they estimate the
    /// median of the target at these features, which lies below its mean when the errors are skewed
    #[arg(long, value_enum, default_value_t = TransformArgument::None)]
    target_transform: TransformArgument,
}

#[derive(Debug, Args)]
struct Penalties {
    /// The price of large coefficients, for ridge, lasso and elastic-net: a number above zero, or auto (the default), which
    /// tries a path of prices by cross-validation
    ///
    /// It is scikit-learn's alpha, in the objectives that stand at --estimator. Penalties act on
    /// standardised columns (mean 0, population standard deviation 1); the intercept is free; with --weights n is the sum of
    /// weights, and squared errors are weighted.
    #[arg(long, value_name = "NUMBER|auto", value_parser = alpha, allow_negative_numbers = true)]
    alpha: Option<PenaltyStrength>,
    /// The share of absolute values in the penalty of elastic-net, from 0 to 1; by default 0.5
    #[arg(long, value_name = "SHARE", value_parser = ratio, allow_negative_numbers = true)]
    l1_ratio: Option<f64>,
    /// What errors cost in logistic regression where large coefficients cost 1: a number above zero (1 by default), or auto
    ///
    /// It is scikit-learn's C, in the objective that stands at --estimator. Penalties act on standardised
    /// columns (mean 0, population standard deviation 1); the intercept is free; with --weights log losses are weighted.
    #[arg(long, value_name = "NUMBER|auto", value_parser = strength, allow_negative_numbers = true)]
    c: Option<PenaltyStrength>,
    /// Parts that the rows are split into for auto: each is predicted by fits to the others; by default 5
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(2..=100))]
    cross_validate: Option<u32>,
    /// Take the highest price whose error is within one standard error of the best: a simpler model
    #[arg(long)]
    one_standard_error: bool,
}

#[derive(Debug, Args)]
pub(super) struct Measuring {
    /// Other data to measure on, as `ordinate evaluate` does: files or patterns, can be given several times. The model is
    /// then fitted to DATA alone, all of it. Columns are found by their names, those with --weights among them
    #[arg(long, value_name = "FILE", conflicts_with = "test_fraction")]
    pub(super) test: Vec<PathBuf>,
    /// About what share of the rows to measure on, from 0 (none) to less than 1. The first row of each class, and of each level
    /// of a category, is never held out
    #[arg(long, value_name = "SHARE", default_value_t = 0.2, value_parser = fraction, allow_negative_numbers = true)]
    pub(super) test_fraction: f64,
    /// Leave the probabilities of classes as they were fitted. By default all scores are divided by one temperature (Guo et al.,
    /// 2017), fitted to the rows that are measured on, where these are ten or more: then probabilities of new rows come true
    /// as often as they say. Coefficients and labels are the same with and without
    #[arg(long)]
    pub(super) no_calibration: bool,
    /// What decides which rows those are, and which fold a row is in: each row is drawn by a hash of this and its number
    #[arg(long, default_value_t = 0, allow_negative_numbers = true, value_parser = clap::value_parser!(u64).range(0..(1 << 53)))]
    pub(super) seed: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum UnknownArgument {
    Reject,
    Ignore,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TransformArgument {
    None,
    Log,
}

impl Arguments {
    /// Where the data are.
    pub(super) fn origin(&self) -> Origin {
        Origin { paths: self.data.clone(), delimiter: self.delimiter, watch: None }
    }

    /// Where the data to measure on are, if they are others.
    pub(super) fn test(&self) -> Option<Origin> {
        (!self.measuring.test.is_empty()).then(|| Origin { paths: self.measuring.test.clone(), ..self.origin() })
    }

    /// Which columns are used.
    pub(super) fn selection(&self) -> Selection {
        Selection {
            target: self.target.clone(),
            features: self.columns.features.clone(),
            exclude: self.columns.exclude.clone(),
            weights: self.columns.weights.clone(),
        }
    }

    /// What is made of them.
    pub(super) fn preparation(&self) -> Preparation {
        let Prepare { missing, unknown, degree, interactions, target_transform } = &self.preparation;
        Preparation {
            types: self.columns.types.clone(),
            categorical: self.columns.categorical.clone(),
            missing: missing.clone(),
            unknown: match unknown {
                UnknownArgument::Reject => Unknown::Reject,
                UnknownArgument::Ignore => Unknown::Ignore,
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
    /// The price of large coefficients.
    ///
    /// # HeldOutErrors
    /// A sentence when an option does not belong to the estimator.
    pub(super) fn penalty(&self) -> Result<PenaltyPlan, String> {
        let Penalties { alpha, l1_ratio, c, cross_validate, one_standard_error } = &self.penalties;
        let only = |option: &str, given: bool, suits: &dyn Fn(EstimatorKind) -> bool, whom: &str| match self.estimator {
            Some(estimator) if given && !suits(estimator) => {
                Err(format!("{option} is for {whom}, not for --estimator {}", estimator.name()))
            }
            None if given && !suits(EstimatorKind::Logistic) => Err(format!("{option} needs --estimator {whom}")),
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
            return Err(format!("{option} chooses between prices: it needs --alpha auto or --c auto"));
        }
        Ok(plan)
    }
}

fn alpha(text: &str) -> Result<PenaltyStrength, String> {
    match text.parse() {
        Ok(0.0) => Err("expected a number above zero, or auto. Without a penalty it is --estimator linear".into()),
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
    let value = text.parse().map_err(|_| "not a number".to_owned())?;
    Holdout::new(value, 0).map(|_| value).map_err(|error| error.to_string())
}

fn typed(text: &str) -> Result<(String, FeatureType), String> {
    let expected = || "expected NAME=TYPE, the type being double, long, boolean or string".to_owned();
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
