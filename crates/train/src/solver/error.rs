//! Errors of all solvers.

use thiserror::Error;

use super::logistic::SeparationProof;
use ordinate_model::wording::counted;
use ordinate_table::SpoolError;

/// Why a solver found no coefficients or no regularization strength.
///
/// `Display` is one line that says what is wrong; [`help`](Self::help) says what to do about it.
#[derive(Debug, Error, PartialEq)]
pub enum SolveError {
    /// Each coefficient, and the intercept where there is one, needs a row.
    #[error(
        "too few rows for {}{}: expected at least {}, got {rows}",
        if *intercept { "an intercept and " } else { "" },
        counted(*features, "coefficient", "coefficients"),
        features + usize::from(*intercept)
    )]
    TooFewRows {
        /// Rows in the data.
        rows: u64,
        /// Columns of the design.
        features: usize,
        /// Whether there is an intercept.
        intercept: bool,
    },
    /// The target has one value in all rows.
    #[error("the target {name:?} has the same value in every row, so there is nothing to learn")]
    ConstantTarget {
        /// The target's name.
        name: String,
    },
    /// A column has one value in all rows, so its coefficient is not determined.
    #[error("the feature {name:?} has the same value in every row, so its coefficient is not determined")]
    ConstantFeature {
        /// The column's name.
        name: String,
    },
    /// Every column has one value in all rows.
    #[error("no column varies: every column has the same value in every row, so there is nothing to learn from")]
    NoVaryingColumn,
    /// Some columns are a linear combination of each other: infinitely many coefficients fit equally well.
    #[error("{}", dependent(names))]
    Dependent {
        /// The columns of the combination; the last is the one that the others determine.
        names: Vec<String>,
    },
    /// A column contains a number that is not finite, or its coefficient would not be.
    #[error("the column {name:?} contains numbers that are not finite, or too large or too small for double precision")]
    NotFinite {
        /// The column's name.
        name: String,
    },
    /// A setting is outside its range.
    #[error("{name} must be {allowed}, got {value}")]
    InvalidSetting {
        /// The setting, such as `alpha`.
        name: &'static str,
        /// Its value.
        value: f64,
        /// The values that are allowed.
        allowed: &'static str,
    },
    /// A classifier of fewer than two classes.
    #[error("logistic regression needs at least 2 classes, got {0}")]
    TooFewClasses(usize),
    /// A class without rows.
    #[error("class {} of {classes} has no rows", class + 1)]
    MissingClass {
        /// The position of the class, from 0.
        class: usize,
        /// The number of classes.
        classes: usize,
    },
    /// A target that is not the position of a class.
    #[error("row {row}: the target must be the position of one of {classes} classes, got {value}")]
    NotAClass {
        /// The number of the row, from 0.
        row: u64,
        /// The target.
        value: f64,
        /// The number of classes.
        classes: usize,
    },
    /// Cross-validation in fewer than two folds.
    #[error("cross-validation needs at least 2 folds, got {0}")]
    TooFewFolds(u32),
    /// A fold without rows.
    #[error("cross-validation in {folds} folds needs more rows, got {rows}")]
    EmptyFold {
        /// Rows in the data.
        rows: u64,
        /// The number of folds.
        folds: usize,
    },
    /// Without a penalty, separable classes have no finite estimates.
    #[error("the classes are separable, so the coefficients have no finite estimates")]
    Separated(SeparationProof),
    /// Every regularization strength gives the same predictions.
    #[error("no feature is correlated with the target, so every alpha predicts equally well")]
    Uncorrelated,
    /// The rows cannot be read.
    #[error(transparent)]
    Spool(#[from] SpoolError),
}

impl SolveError {
    /// What the user can do about it, where that is known here.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::TooFewRows { .. } => "add rows, or use fewer features (--features)".to_owned(),
            Self::ConstantTarget { .. } | Self::TooFewClasses(_) => "choose another --target".to_owned(),
            Self::ConstantFeature { name } => format!("leave it out with --exclude {name:?}"),
            Self::NoVaryingColumn => "add columns that differ between the rows".to_owned(),
            Self::Dependent { names } => independent(names),
            Self::NotFinite { .. } => "rescale the column, or the weights if there are any".to_owned(),
            Self::MissingClass { .. } => {
                "hold out fewer rows (--test-fraction), try another --seed, or remove the class from the data"
                    .to_owned()
            }
            Self::TooFewFolds(_) => "use --cross-validate 5".to_owned(),
            Self::EmptyFold { .. } => "use fewer folds (--cross-validate)".to_owned(),
            Self::Uncorrelated => "use other features, or set --alpha to a number".to_owned(),
            Self::Separated(_) => "fit with a penalty: --c 1".to_owned(),
            Self::InvalidSetting { .. } | Self::NotAClass { .. } | Self::Spool(_) => return None,
        })
    }
}

/// How the columns of a combination depend on each other.
fn dependent(names: &[String]) -> String {
    let quoted = quoted(names);
    if are_powers(names) {
        format!(
            "the powers {quoted} of one feature are linearly dependent in double precision: its values are far from zero, \
             or too few of them differ"
        )
    } else if is_product(names) {
        format!(
            "the features {quoted} are linearly dependent in double precision: the factors of the product are far from \
             zero, have few distinct values, or depend on the other features"
        )
    } else {
        format!("the features {quoted} are linearly dependent: infinitely many coefficients fit equally well")
    }
}

/// How to make the columns of a combination independent.
fn independent(names: &[String]) -> String {
    let last = names.last().map_or("", String::as_str);
    if are_powers(names) {
        "subtract its mean from the column, or lower --degree".to_owned()
    } else if is_product(names) {
        format!("subtract the means from the columns, or leave the product out with --exclude {last:?}")
    } else {
        format!("leave one of them out, for example with --exclude {last:?}")
    }
}

/// Whether the last of these is a product, such as `age:height`, and one of its factors is among the others.
fn is_product(names: &[String]) -> bool {
    let Some((last, others)) = names.split_last() else { return false };
    last.contains(':') && last.split(':').any(|factor| others.iter().any(|name| name == factor))
}

/// Whether these are a feature and its powers, such as `age` and `age^2`.
fn are_powers(names: &[String]) -> bool {
    let base = |name: &str| match name.rsplit_once('^') {
        Some((base, exponent)) if exponent.parse::<u32>().is_ok() => Some(base.to_owned()),
        _ => None,
    };
    let Some(feature) = names.last().and_then(|name| base(name)) else { return false };
    names.len() > 1 && names.iter().all(|name| *name == feature || base(name).as_deref() == Some(&feature))
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dependent(names: &[&str]) -> (String, String) {
        let error = SolveError::Dependent { names: names.iter().map(|name| (*name).to_owned()).collect() };
        (error.to_string(), error.help().unwrap())
    }

    #[test]
    fn dependent_columns_have_the_help_for_their_kind() {
        let (message, help) = dependent(&["year", "year^2", "year^3"]);
        assert!(message.starts_with("the powers \"year\", \"year^2\", \"year^3\" of one feature"), "{message}");
        assert_eq!(help, "subtract its mean from the column, or lower --degree");
        let (message, help) = dependent(&["a", "b", "a:b"]);
        assert!(message.contains("\"a\", \"b\", \"a:b\" are linearly dependent in double precision"), "{message}");
        assert!(help.ends_with("or leave the product out with --exclude \"a:b\""), "{help}");
        for names in [&["a", "b", "a^2"][..], &["b", "ratio 1:2"]] {
            let (message, help) = dependent(names);
            assert!(message.ends_with("infinitely many coefficients fit equally well"), "{message}");
            assert_eq!(help, format!("leave one of them out, for example with --exclude {:?}", names[names.len() - 1]));
        }
    }
}
