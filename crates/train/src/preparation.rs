//! How the columns of the data become features.

use ordinate_model::preprocess::TargetTransform;
use ordinate_model::signature::{FeatureType, UnknownPolicy};
use ordinate_table::Rule;

/// Types, missing values, unknown categories, and the columns of the design.
#[derive(Debug, Clone, Default)]
pub struct Preparation {
    /// Types by column name, instead of the inferred ones.
    pub types: Vec<(String, FeatureType)>,
    /// Columns that are categories, whatever their values.
    pub categorical: Vec<String>,
    /// Rules for missing values: the last rule for a column applies, else the last rule for all columns.
    pub missing: Vec<Rule>,
    /// How the model handles unknown categories.
    pub unknown: UnknownPolicy,
    /// The highest power of numeric features; 0 and 1 add no columns.
    pub degree: u32,
    /// Whether to add the product of every two features.
    pub interactions: bool,
    /// The transformation of the target.
    pub target_transform: TargetTransform,
    /// Whether to fit without an intercept.
    pub through_origin: bool,
}
