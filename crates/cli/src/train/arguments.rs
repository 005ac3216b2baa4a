//! The options of `ordinate train`, and the plan that they give.

mod preparation;
mod regularization;
mod values;

use std::path::PathBuf;

use clap::Args;

use crate::reading::ReadingArguments;
use ordinate_model::identity::ModelName;
use ordinate_table::{OffsetColumn, Origin, Selection};
use ordinate_train::EstimatorKind;
use ordinate_train::solver::robust_errors::StandardErrors;
use preparation::Prepare;
use regularization::{Classes, Penalties};
use values::{Names, Types, flat, fraction, typed};

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
            Some(family) if self.preparation.transforms_target() => Err(format!(
                "--target-transform log does not apply to --estimator {}, which is linear in the logarithm of the mean",
                family.name()
            )),
            _ => Ok(()),
        }
    }
}
