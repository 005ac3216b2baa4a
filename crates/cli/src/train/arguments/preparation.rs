//! The options of how the columns are prepared.

use clap::{Args, ValueEnum};

use super::Arguments;
use super::values::{Names, Types, date_format, decimal_mark, flat, marker_words, reference, thousands_separator};
use ordinate_model::preprocess::TargetTransform;
use ordinate_model::signature::UnknownPolicy;
use ordinate_table::Rule;
use ordinate_train::preparation::Preparation;

#[derive(Debug, Args)]
pub(super) struct Prepare {
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

impl Prepare {
    /// Whether the target is transformed before the fit.
    pub(super) fn transforms_target(&self) -> bool {
        self.target_transform != TransformArgument::None
    }
}

impl Arguments {
    /// The preparation that the options request.
    pub(in crate::train) fn preparation(&self) -> Preparation {
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
