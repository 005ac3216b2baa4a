//! What stands in where a value is missing: decided once, by the training data, and stored in the signature.

use std::str::FromStr;

use super::DataError;
use super::column::Column;
use ordinate_model::field;
use ordinate_model::scalar::Scalar;
use ordinate_model::signature::{Feature, FeatureType, Missing};

/// What is done about missing values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Policy {
    /// They are an error, in training and in requests.
    #[default]
    Reject,
    /// The mean of the column's numbers stands in.
    Mean,
    /// The median of the column's numbers stands in.
    Median,
    /// The value that is there most often stands in; of several, the smallest.
    MostFrequent,
    /// This value stands in. For categories it may be a new one.
    Constant(String),
}

/// A policy, for one column or for all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The column; all when absent.
    pub column: Option<String>,
    /// What is done.
    pub policy: Policy,
}

impl Policy {
    fn named(text: &str) -> Option<Self> {
        Some(match text {
            "reject" => Self::Reject,
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
        // A name may hold a `=` too.
        let named = text.match_indices('=').filter(|(at, _)| *at > 0).find_map(|(at, _)| {
            let (name, policy) = (text.get(..at)?, text.get(at + 1..)?);
            Some(Self { column: Some(name.to_owned()), policy: Policy::named(policy)? })
        });
        named.ok_or_else(|| {
            "expected reject, mean, median, most-frequent or constant=VALUE, for one column NAME=…".into()
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
            Policy::Reject => out.write_str("reject"),
            Policy::Mean => out.write_str("mean"),
            Policy::Median => out.write_str("median"),
            Policy::MostFrequent => out.write_str("most-frequent"),
            Policy::Constant(value) => write!(out, "constant={value}"),
        }
    }
}

/// The policy for a column: its own, or that for all.
pub fn policy(rules: &[Rule], column: &str) -> Policy {
    let rule = |name: Option<&str>| rules.iter().rev().find(|rule| rule.column.as_deref() == name);
    rule(Some(column)).or_else(|| rule(None)).map(|rule| rule.policy.clone()).unwrap_or_default()
}

/// What the signature will say of the feature, whose levels are known; a constant may add one to them.
///
/// # Errors
/// [`DataError`] where no value can be imputed.
pub fn decide(column: &Column, feature: &mut Feature, median: Option<f64>) -> Result<(), DataError> {
    let numeric = matches!(feature.kind, FeatureType::Double | FeatureType::Long);
    let refuse = |reason: String| DataError::Imputation { column: column.name.clone(), reason };
    let value = match &column.policy {
        Policy::Reject => return Ok(()),
        Policy::Mean | Policy::Median if !numeric => Err(format!(
            "only numbers have a mean or a median. Use --missing {0}=most-frequent or --missing {0}=constant=VALUE",
            column.name
        )),
        Policy::Mean if !column.mean().is_finite() => Err(format!(
            "its numbers are too large to be added up. Rescale it, or use --missing {}=median",
            column.name
        )),
        Policy::Mean => Ok(Scalar::Number(column.mean())),
        Policy::Median => Ok(Scalar::Number(median.unwrap_or(f64::NAN))),
        Policy::MostFrequent => most_frequent(column, feature),
        Policy::Constant(text) => constant(column, feature, text),
    };
    let checked = value.and_then(|value| match feature.accept(value.cell()) {
        Ok(_) => Ok(value),
        Err(error) => Err(format!("it {error}. Choose another value with --missing {}=constant=VALUE", column.name)),
    });
    match checked {
        Ok(value) => feature.missing = Missing::Impute(value),
        // A rule for all columns is no error for one that has nothing to impute.
        Err(_) if column.missing == 0 => {}
        Err(reason) => return Err(refuse(reason)),
    }
    Ok(())
}

fn most_frequent(column: &Column, feature: &Feature) -> Result<Scalar, String> {
    fn most<T>(counts: impl Iterator<Item = (T, u64)>) -> Option<T> {
        counts
            .fold(None, |best: Option<(T, u64)>, next| match best {
                Some(best) if best.1 >= next.1 => Some(best),
                _ => Some(next),
            })
            .map(|(value, _)| value)
    }
    let found = match feature.kind {
        FeatureType::String => most(column.levels().into_iter()).map(|level| Scalar::Text(level.to_owned())),
        // Inferred booleans are counted as words, declared ones as 1 and 0.
        FeatureType::Boolean if column.numbers == 0 => most(column.booleans().into_iter()).map(Scalar::Boolean),
        _ => {
            let counts = column
                .values
                .counts()
                .ok_or("it has too many different values for one to be the most frequent. Use median instead")?;
            most(counts).map(|value| feature.tell(value))
        }
    };
    found.ok_or_else(|| "it has no value".into())
}

fn constant(column: &Column, feature: &mut Feature, text: &str) -> Result<Scalar, String> {
    let text = text.trim_ascii();
    if feature.kind != FeatureType::String && field::is_missing(text) {
        return Err(format!("{text:?} stands for no value itself. Use --missing {}=median", column.name));
    }
    if feature.kind == FeatureType::String {
        if let Err(position) = feature.levels.binary_search_by(|level| level.as_str().cmp(text)) {
            if column.missing == 0 {
                return Err("no row needs it".into());
            }
            feature.levels.insert(position, text.to_owned());
        }
        return Ok(Scalar::Text(text.to_owned()));
    }
    let value = feature
        .accept(ordinate_model::cell::Cell::Field(text))
        .map_err(|error| format!("{error}. Give this column its own rule: --missing {}=most-frequent", column.name))?;
    Ok(feature.tell(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_as_they_are_written() {
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
    fn a_rule_for_a_column_goes_before_one_for_all() {
        let rules: Vec<Rule> = ["age=mean", "median", "age=reject"].map(|text| text.parse().unwrap()).to_vec();
        assert_eq!(policy(&rules, "age"), Policy::Reject);
        assert_eq!(policy(&rules, "bmi"), Policy::Median);
        assert_eq!(policy(&[], "bmi"), Policy::Reject);
    }
}
