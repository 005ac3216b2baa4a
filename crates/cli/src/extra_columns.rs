//! Options for the columns that are added to each row.

use clap::Args;

use ordinate_batch::columns::Columns;

/// Output columns in addition to the prediction.
#[derive(Debug, Args)]
pub(super) struct ExtraColumns {
    /// Add a prediction interval of this level, such as 0.95; for classes, a prediction set
    ///
    /// The columns are `prediction_low` and `prediction_high`. A prediction set is one column, `prediction_set`, with its
    /// classes separated by |; a | or \\ in a class is preceded by \\.
    #[arg(long, value_name = "LEVEL", allow_negative_numbers = true)]
    interval: Option<f64>,
    /// Add a confidence interval of the mean of this level, such as 0.95
    ///
    /// The columns are `prediction_mean_low` and `prediction_mean_high`, empty where the training data do not
    /// determine the mean of a row.
    #[arg(long, value_name = "LEVEL", allow_negative_numbers = true)]
    mean_interval: Option<f64>,
    /// Add the probability of each class, in columns `probability_CLASS`
    #[arg(long)]
    probabilities: bool,
    /// Add the contribution of each feature, in columns `contribution_FEATURE`, and `base`
    ///
    /// `base` is the prediction for the average training row. Contributions and base add up to the prediction (with a
    /// logged target to its logarithm, with two classes to the log-odds of the second class). With more classes the
    /// columns are `base_CLASS` and `contribution_CLASS_FEATURE`.
    #[arg(long)]
    explain: bool,
    /// Add the warnings about each row, in column `warnings`
    ///
    /// Warnings are: values outside the training range, unknown categories, high leverage, no interval of the mean.
    #[arg(long)]
    pub(super) warnings: bool,
}

impl ExtraColumns {
    /// All added columns, with this name of the prediction.
    pub(super) fn columns(&self, prediction: &str) -> Columns {
        Columns {
            prediction: prediction.to_owned(),
            interval: self.interval,
            mean_interval: self.mean_interval,
            probabilities: self.probabilities,
            explain: self.explain,
            warnings: self.warnings,
        }
    }
}
