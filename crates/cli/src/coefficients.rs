//! The coefficients of a model for people to read, in the units of the columns.

use serde::Serialize;

use super::text_table::{Grid, Side};
use super::train::significant;
use ordinate_model::artifact::Document;
use ordinate_model::preprocess::{DesignColumn, Preprocess};
use ordinate_model::scalar::Scalar;
use ordinate_train::intercept::intercepts;
use ordinate_train::summary::Summary;

/// The coefficients in the units of the columns. One score for numbers and for two classes, one a class for more.
#[derive(Serialize)]
pub(super) struct Fitted<'a> {
    /// What each score is.
    scores: Vec<String>,
    /// The scores where all columns are zero; none of a fit without an intercept.
    intercepts: Option<Vec<f64>>,
    /// The scores where all columns are at their means, as the file has them.
    at_means: Option<&'a [f64]>,
    columns: Vec<FittedColumn<'a>>,
}

#[derive(Serialize)]
struct FittedColumn<'a> {
    name: &'a str,
    /// The change of each score for one unit of the column.
    coefficients: Vec<f64>,
    mean: f64,
    /// What the file's coefficient is for; one unit is the coefficient divided by it.
    scale: f64,
}

impl<'a> Fitted<'a> {
    /// Those of a model file.
    pub(super) fn of(document: &'a Document) -> Self {
        let target = &document.signature.target().name;
        let Preprocess { columns, target_transform, through_origin } = &document.preprocess;
        let scores = match document.estimator.classes() {
            Some([_, second]) => vec![format!("log-odds of {second}")],
            Some(many) => many.iter().map(Scalar::to_string).collect(),
            None => vec![target_transform.describe(target)],
        };
        let fitted = |column: &'a DesignColumn| {
            let stored = document.estimator.get(&column.name).unwrap_or_default();
            let coefficients = stored.iter().map(|value| value / column.scale).collect();
            FittedColumn { name: &column.name, coefficients, mean: column.mean, scale: column.scale }
        };
        Self {
            scores,
            intercepts: (!through_origin).then(|| intercepts(document)),
            at_means: (!through_origin).then(|| document.estimator.intercepts()),
            columns: columns.iter().map(fitted).collect(),
        }
    }

    /// The same with the intercept of the fit itself, which has digits that the file has not.
    pub(super) fn summarised(mut self, summary: Option<&Summary>) -> Self {
        if let Some(intercept) = summary.and_then(|summary| summary.intercept.as_ref()) {
            self.intercepts = Some(vec![intercept.estimate]);
        }
        self
    }

    /// One line a column, then the scores where all columns are zero and where all are at their means.
    pub(super) fn grid(&self) -> Grid {
        let scores = self.scores.iter().map(|score| (score.as_str(), Side::Right));
        let centred = self.at_means.map(|_| ("centred at", Side::Right));
        let mut grid = Grid::new([("column", Side::Left)].into_iter().chain(scores).chain(centred));
        for FittedColumn { name, coefficients, mean, .. } in &self.columns {
            let numbers = coefficients.iter().chain(centred.map(|_| mean)).map(|value| significant(*value));
            grid.push([(*name).to_owned()].into_iter().chain(numbers));
        }
        for (name, values) in [("(intercept)", self.intercepts.as_deref()), ("(at the means)", self.at_means)] {
            if let Some(values) = values {
                grid.push([name.to_owned()].into_iter().chain(values.iter().map(|value| significant(*value))));
            }
        }
        grid
    }
}
