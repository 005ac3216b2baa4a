//! The decision about missing values.

use ordinate_model::scalar::Scalar;
use ordinate_model::signature::{Feature, MissingPolicy};
use ordinate_model::wording::{NAMED, counted, listed, shorten};
use ordinate_table::Decision;
use ordinate_table::column::Column;
use ordinate_table::infer::shown;
use ordinate_table::missing::{self, Policy};

/// Columns with missing values.
#[derive(Debug, Default)]
pub(super) struct Imputed {
    decided: Vec<String>,
    asked: Vec<String>,
    options: Vec<String>,
}

impl Imputed {
    pub(super) fn push(&mut self, column: &Column, policy: &Policy, feature: &Feature, is_decided: bool) {
        if column.missing == 0 {
            return;
        }
        let how = match (&feature.missing, policy) {
            (MissingPolicy::Category(_), _) => "own category".to_owned(),
            (MissingPolicy::Impute(value), Policy::Median) => format!("median {}", plain(value)),
            (MissingPolicy::Impute(value), Policy::Mean) => format!("mean {}", plain(value)),
            (MissingPolicy::Impute(value), Policy::MostFrequent) => {
                format!("most frequent {:?}", shorten(&value.to_string()))
            }
            (MissingPolicy::Impute(value), _) => format!("{value}"),
            (MissingPolicy::Reject, _) => return,
        };
        let described = format!("{} ({}, {how})", shown(column.name()), column.missing);
        if is_decided {
            let rule = missing::Rule { column: Some(column.name().to_owned()), policy: policy.clone() };
            self.options.extend(["--missing".to_owned(), rule.to_string()]);
            self.decided.push(described);
        } else {
            self.asked.push(described);
        }
    }

    fn text(columns: &[String]) -> String {
        let verb = if columns.len() == 1 { "has" } else { "have" };
        format!("{} {verb} missing values: {}", counted(columns.len(), "column", "columns"), listed(columns, NAMED))
    }

    pub(super) fn decision(&mut self) -> Option<Decision> {
        let options = std::mem::take(&mut self.options);
        (!self.decided.is_empty()).then(|| Decision::new(Self::text(&self.decided), options))
    }

    pub(super) fn note(&self) -> Option<String> {
        (!self.asked.is_empty()).then(|| Self::text(&self.asked))
    }
}

/// A number without hundreds of zeros: `28`, `1e-300`.
fn plain(value: &Scalar) -> String {
    let text = value.label();
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}
