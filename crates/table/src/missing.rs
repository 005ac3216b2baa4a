//! Imputation of missing values: computed from the training data and stored in the signature.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::DataError;
use super::column::Column;
use super::error::shell_word;
use super::frame_values::FrameValues;
use super::statistics::Statistic;
use super::tally::{ordered, unordered};
use ordinate_model::double_double::DoubleDouble;
use ordinate_model::field;
use ordinate_model::scalar::Scalar;
use ordinate_model::signature::{Feature, FeatureType, MISSING_LEVEL, MissingPolicy};

/// The treatment of missing values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Policy {
    /// As the column suggests, if values are missing: the median of numbers and dates; the most frequent value of booleans and
    /// categories, or a category of their own if more than 5 % are missing.
    #[default]
    Auto,
    /// They are an error, in training and in requests.
    Reject,
    /// Rows with a missing value are left out of training; in requests it is an error.
    Drop,
    /// They are a category of their own.
    Category,
    /// Impute the mean of the column.
    Mean,
    /// Impute the median of the column.
    Median,
    /// Impute the most frequent value; of several, the smallest.
    MostFrequent,
    /// Impute this value. For a category it may be a new level.
    Constant(String),
}

/// A policy for one column or for all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The column; all columns when absent.
    pub column: Option<String>,
    /// The policy.
    pub policy: Policy,
}

impl Policy {
    fn named(text: &str) -> Option<Self> {
        Some(match text {
            "auto" => Self::Auto,
            "reject" => Self::Reject,
            "drop" => Self::Drop,
            "category" => Self::Category,
            "mean" => Self::Mean,
            "median" => Self::Median,
            "most-frequent" => Self::MostFrequent,
            _ => Self::Constant(text.strip_prefix("constant=").filter(|value| !value.is_empty())?.to_owned()),
        })
    }
}

/// `median`, `constant=0`, `age=median`, `colour=constant=none`.
impl FromStr for Rule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(policy) = Policy::named(text) {
            return Ok(Self { column: None, policy });
        }
        // A name may contain `=`.
        let named = text.match_indices('=').filter(|(at, _)| *at > 0).find_map(|(at, _)| {
            let (name, policy) = (text.get(..at)?, text.get(at + 1..)?);
            Some(Self { column: Some(name.to_owned()), policy: Policy::named(policy)? })
        });
        named.ok_or_else(|| {
            "expected auto, drop, mean, median, most-frequent, category, constant=VALUE or reject, with NAME= before it for one \
             column"
                .into()
        })
    }
}

/// As it is written on the command line.
impl std::fmt::Display for Rule {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(column) = &self.column {
            write!(out, "{column}=")?;
        }
        match &self.policy {
            Policy::Auto => out.write_str("auto"),
            Policy::Reject => out.write_str("reject"),
            Policy::Drop => out.write_str("drop"),
            Policy::Category => out.write_str("category"),
            Policy::Mean => out.write_str("mean"),
            Policy::Median => out.write_str("median"),
            Policy::MostFrequent => out.write_str("most-frequent"),
            Policy::Constant(value) => write!(out, "constant={value}"),
        }
    }
}

/// The policy for a column: its own, or the one for all columns.
pub fn policy(rules: &[Rule], column: &str) -> Policy {
    let rule = |name: Option<&str>| rules.iter().rev().find(|rule| rule.column.as_deref() == name);
    rule(Some(column)).or_else(|| rule(None)).map(|rule| rule.policy.clone()).unwrap_or_default()
}

/// The policy for a column of this type: a rule for all columns that does not suit the type is [`Policy::Auto`].
#[must_use]
pub fn policy_for(rules: &[Rule], column: &Column) -> Policy {
    let has_own = rules.iter().any(|rule| rule.column.as_deref() == Some(column.name()));
    let policy = policy(rules, column.name());
    let is_text = column.feature.kind == FeatureType::String;
    let suits = match policy {
        Policy::Mean | Policy::Median => !is_text && column.feature.kind != FeatureType::Boolean,
        Policy::Category => is_text,
        _ => true,
    };
    if suits || has_own { policy } else { Policy::Auto }
}

/// The fraction of missing values above which they are a category of their own.
const OWN_CATEGORY: f64 = 0.05;

impl Policy {
    /// The policy for a column: what [`Policy::Auto`] means for it.
    #[must_use]
    pub fn resolved(&self, column: &Column) -> Self {
        if *self != Self::Auto {
            return self.clone();
        }
        match column.feature.kind {
            _ if column.missing == 0 => Self::Reject,
            FeatureType::Double | FeatureType::Long | FeatureType::Date => Self::Median,
            FeatureType::String if column.missing as f64 > OWN_CATEGORY * (column.missing + column.present) as f64 => {
                Self::Category
            }
            FeatureType::String | FeatureType::Boolean => Self::MostFrequent,
        }
    }
}

/// Sets the treatment of missing values of a feature whose levels are known. A constant and a category of its own may add a
/// level.
///
/// # Errors
/// [`DataError::Imputation`] when no value can be imputed.
pub fn decide(column: &Column, policy: &Policy, feature: &mut Feature, statistic: &Statistic) -> Result<(), DataError> {
    let numeric = !matches!(feature.kind, FeatureType::Boolean | FeatureType::String);
    let error = |reason: String| DataError::Imputation { column: column.name().to_owned(), reason };
    let value = match (policy, statistic) {
        (Policy::Auto | Policy::Reject | Policy::Drop, _) => return Ok(()),
        (Policy::Category, _) if feature.kind == FeatureType::String => {
            if column.missing > 0 {
                add_level(feature, MISSING_LEVEL);
                feature.missing = MissingPolicy::Category(MISSING_LEVEL.to_owned());
            }
            return Ok(());
        }
        (Policy::Category, _) => Err("only text has categories".to_owned()),
        (Policy::Constant(text), _) => constant(column, feature, text),
        (_, Statistic::Counts(counts)) => most_frequent(column, feature, counts.as_deref()),
        _ if !numeric => Err(format!(
            "only numbers have a mean or a median\nhelp: use --missing {}",
            shell_word(&format!("{}=most-frequent", column.name()))
        )),
        (_, Statistic::Mean(mean)) if !mean.is_finite() => Err(format!(
            "the sum of its numbers is too large for a double\nhelp: rescale the column, or use --missing {}",
            shell_word(&format!("{}=median", column.name()))
        )),
        (_, Statistic::Mean(value) | Statistic::Median(value)) => Ok(feature.to_scalar(*value)),
        (_, Statistic::None) => return Ok(()),
    };
    let checked = value.and_then(|value| match feature.accept(value.cell()) {
        Ok(_) => Ok(value),
        Err(error) => Err(format!("the imputed value {error}")),
    });
    match checked {
        Ok(value) => feature.missing = MissingPolicy::Impute(value),
        // A rule for all columns may fail for a column without missing values.
        Err(_) if column.missing == 0 => {}
        Err(reason) => return Err(error(reason)),
    }
    Ok(())
}

fn add_level(feature: &mut Feature, level: &str) {
    if let Err(position) = feature.levels.binary_search_by(|other| other.as_str().cmp(level)) {
        feature.levels.insert(position, level.to_owned());
    }
}

/// The value with the largest total weight; of several, the smallest. `counts` are the weights of the encoded values.
fn most_frequent(column: &Column, feature: &Feature, counts: Option<&[(f64, DoubleDouble)]>) -> Result<Scalar, String> {
    let counts =
        counts.ok_or("it has too many different values to count\nhelp: use median instead of most-frequent")?;
    // Rare levels may be grouped.
    let decoder = FrameValues::new(column, feature);
    let mut values: BTreeMap<u64, DoubleDouble> = BTreeMap::new();
    for (value, weight) in counts {
        let sum = values.entry(ordered(decoder.value(*value))).or_default();
        *sum = *sum + *weight;
    }
    let most = values.into_iter().reduce(|most, next| if next.1 > most.1 { next } else { most });
    most.map(|(bits, _)| feature.to_scalar(unordered(bits))).ok_or_else(|| "it has no value".into())
}

fn constant(column: &Column, feature: &mut Feature, text: &str) -> Result<Scalar, String> {
    if feature.kind != FeatureType::String && field::is_missing(text) {
        let median = shell_word(&format!("{}=median", column.name()));
        return Err(format!("{text:?} means a missing value itself\nhelp: use --missing {median}"));
    }
    if feature.kind == FeatureType::String {
        if column.missing == 0 && !feature.levels.iter().any(|level| level == text) {
            return Err("no value is missing".into());
        }
        add_level(feature, text);
        return Ok(Scalar::Text(text.to_owned()));
    }
    let value = feature.accept(ordinate_model::cell::Cell::Field(text)).map_err(|error| {
        let rule = shell_word(&format!("{}=most-frequent", column.name()));
        format!("{error}\nhelp: give this column its own rule, for example --missing {rule}")
    })?;
    Ok(feature.to_scalar(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_parsed_as_they_are_printed() {
        let rule = |column: Option<&str>, policy| Rule { column: column.map(str::to_owned), policy };
        let constant = |text: &str| Policy::Constant(text.into());
        for (text, expected) in [
            ("median", rule(None, Policy::Median)),
            ("constant=0", rule(None, constant("0"))),
            ("age=mean", rule(Some("age"), Policy::Mean)),
            ("colour=constant=none given", rule(Some("colour"), constant("none given"))),
            ("a=b=most-frequent", rule(Some("a=b"), Policy::MostFrequent)),
        ] {
            assert_eq!(text.parse::<Rule>().unwrap(), expected, "{text}");
            assert_eq!(expected.to_string(), text);
        }
        for text in ["", "mode", "age=mode", "=mean", "constant="] {
            assert!(text.parse::<Rule>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_rule_for_a_column_precedes_one_for_all() {
        let rules: Vec<Rule> = ["age=mean", "median", "age=reject"].map(|text| text.parse().unwrap()).to_vec();
        assert_eq!(policy(&rules, "age"), Policy::Reject);
        assert_eq!(policy(&rules, "bmi"), Policy::Median);
        assert_eq!(policy(&[], "bmi"), Policy::Auto);
    }
}
