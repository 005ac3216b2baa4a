//! How the columns of the data become features.

use std::collections::BTreeMap;

use ordinate_model::preprocess::TargetTransform;
use ordinate_model::signature::{FeatureType, UnknownPolicy};
use ordinate_table::infer::ReadingOptions;
use ordinate_table::{Policy, Rule};

/// Types, missing values, unknown categories, and the columns of the design.
#[derive(Debug, Clone, Default)]
pub struct Preparation {
    /// Types by column name, instead of the inferred ones.
    pub types: Vec<(String, FeatureType)>,
    /// Columns that are categories, whatever their values.
    pub categorical: Vec<String>,
    /// Decimal marks, of one column or of all.
    pub decimal: Vec<(Option<String>, char)>,
    /// Separators of thousands, of one column or of all.
    pub thousands: Vec<(Option<String>, char)>,
    /// Missing-value markers, in addition to the common ones.
    pub missing_values: Vec<(Option<String>, Vec<String>)>,
    /// Date formats, of one column or of all.
    pub dates: Vec<(Option<String>, String)>,
    /// The most levels of a category; rarer ones are grouped. 100 if absent.
    pub max_levels: Option<usize>,
    /// The reference level of categories, by column name; the first level of others.
    pub reference: BTreeMap<String, String>,
    /// Rules for missing values: the last rule for a column applies, else the last rule for all columns.
    pub missing: Vec<Rule>,
    /// Whether imputed features have a further column that is 1 where the value was missing.
    pub missing_indicator: bool,
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

/// The most levels of a category by default.
const MAX_LEVELS: usize = 100;

impl Preparation {
    pub(crate) fn max_levels(&self) -> usize {
        self.max_levels.unwrap_or(MAX_LEVELS)
    }

    pub(crate) fn reading_options(&self) -> ReadingOptions {
        let categories = self.categorical.iter().map(|name| (name.clone(), FeatureType::String));
        ReadingOptions {
            types: self.types.iter().cloned().chain(categories).collect(),
            decimal: self.decimal.clone(),
            thousands: self.thousands.clone(),
            missing: self.missing_values.clone(),
            dates: self.dates.clone(),
        }
    }

    /// The option that gives a column a type other than a number, and the type.
    pub(crate) fn other_than_number(&self, name: &str) -> Option<(&'static str, FeatureType)> {
        let types = self.types.iter().map(|(column, kind)| ("--types", Some(column), *kind));
        let categorical = self.categorical.iter().map(|column| ("--categorical", Some(column), FeatureType::String));
        let dates = self.dates.iter().map(|(column, _)| ("--date-format", column.as_ref(), FeatureType::Date));
        let is_number = |kind| matches!(kind, FeatureType::Double | FeatureType::Long);
        let mut given = types.chain(categorical).chain(dates);
        given
            .find(|(_, column, kind)| column.is_some_and(|column| column == name) && !is_number(*kind))
            .map(|(option, _, kind)| (option, kind))
    }

    /// The columns that options name, with the option, and whether it applies to features only.
    pub(crate) fn named(&self) -> impl Iterator<Item = (&'static str, &String, bool)> {
        let types = self.types.iter().map(|(column, _)| ("--types", column, false));
        let categorical = self.categorical.iter().map(|column| ("--categorical", column, false));
        let missing = self
            .missing
            .iter()
            .filter_map(|rule| Some(("--missing", rule.column.as_ref()?, rule.policy != Policy::Drop)));
        let dates = self.dates.iter().filter_map(|(column, _)| Some(("--date-format", column.as_ref()?, true)));
        let reference = self.reference.keys().map(|column| ("--reference", column, true));
        types.chain(categorical).chain(missing).chain(dates).chain(reference)
    }
}
