//! The coefficients of a model in the units of the columns.

use serde::Serialize;

use super::train::significant;
use ordinate_model::artifact::Document;
use ordinate_model::preprocess::{DesignColumn, Preprocess};
use ordinate_model::scalar::Scalar;
use ordinate_train::intercept::intercepts;
use ordinate_train::text_table::{Align, TextTable};

/// The name of the row of the scores where all columns are zero.
pub(super) const INTERCEPT: &str = "(intercept)";

/// The coefficients in the units of the columns: one score for numbers and for two classes, one per class for more.
#[derive(Serialize)]
pub(super) struct CoefficientTable<'a> {
    /// The name of each score.
    scores: Vec<String>,
    /// The scores where all columns are zero; `null` for a fit without an intercept.
    intercepts: Option<Vec<f64>>,
    /// The scores where all columns are at their means, as in the file.
    at_means: Option<&'a [f64]>,
    columns: Vec<ColumnCoefficients<'a>>,
}

#[derive(Serialize)]
struct ColumnCoefficients<'a> {
    name: &'a str,
    /// The change of each score for one unit of the column.
    coefficients: Vec<f64>,
    mean: f64,
    /// The unit of the coefficient in the file.
    scale: f64,
}

impl<'a> CoefficientTable<'a> {
    pub(super) fn new(document: &'a Document) -> Self {
        let target = &document.signature.target().name;
        let Preprocess { columns, through_origin, .. } = &document.preprocess;
        let scores = match document.estimator.classes() {
            Some([_, second]) => vec![format!("log-odds of {second}")],
            Some(many) => many.iter().map(Scalar::to_string).collect(),
            None => vec![document.scale().describe(target)],
        };
        let coefficients = |column: &'a DesignColumn| {
            let stored = document.estimator.get(&column.name).unwrap_or_default();
            let coefficients = stored.iter().map(|value| value / column.scale).collect();
            ColumnCoefficients { name: &column.name, coefficients, mean: column.mean, scale: column.scale }
        };
        Self {
            scores,
            intercepts: (!through_origin).then(|| intercepts(document)),
            at_means: (!through_origin).then(|| document.estimator.intercepts()),
            columns: columns.iter().map(coefficients).collect(),
        }
    }

    /// One line per column, then the scores where all columns are zero and where all are at their means.
    pub(super) fn table(&self) -> TextTable {
        let scores = self.scores.iter().map(|score| (score.as_str(), Align::Right));
        let centred = self.at_means.map(|_| ("centered at", Align::Right));
        let mut table = TextTable::new([("column", Align::Left)].into_iter().chain(scores).chain(centred));
        for ColumnCoefficients { name, coefficients, mean, .. } in &self.columns {
            let numbers = coefficients.iter().chain(centred.map(|_| mean)).map(|value| significant(*value));
            table.push([(*name).to_owned()].into_iter().chain(numbers));
        }
        for (name, values) in [(INTERCEPT, self.intercepts.as_deref()), ("(at the means)", self.at_means)] {
            if let Some(values) = values {
                table.push([name.to_owned()].into_iter().chain(values.iter().map(|value| significant(*value))));
            }
        }
        table
    }
}
