//! What to make of the columns of a table.

use ordinate_model::preprocess::TargetTransform;
use ordinate_model::signature::{FeatureType, UnknownPolicy};
use ordinate_table::Rule;

/// What to make of the columns.
#[derive(Debug, Clone, Default)]
pub struct Preparation {
    /// Types by the name of their column, where they are not to be inferred.
    pub types: Vec<(String, FeatureType)>,
    /// Columns that are categories, whatever they look like.
    pub categorical: Vec<String>,
    /// What to do about missing values; the last rule that names a column counts, then the last that names none.
    pub missing: Vec<Rule>,
    /// What a category that was not seen will mean.
    pub unknown: UnknownPolicy,
    /// Powers of numbers up to this one; 0 and 1 add none.
    pub degree: u32,
    /// Whether to add the products of every two features.
    pub interactions: bool,
    /// What to do to the target.
    pub target_transform: TargetTransform,
    /// Whether to fit without an intercept.
    pub through_origin: bool,
}
