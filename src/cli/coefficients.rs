//! The coefficients of a model for people to read, in the units of the columns.

use serde::Serialize;

use super::layout::{Grid, Side};
use super::train::significant;
use crate::model::artifact::Document;
use crate::model::estimator::{Coefficients, Plane, Planes};
use crate::model::preprocess::TargetTransform;
use crate::model::scalar::Scalar;

/// The coefficients in the units of the columns. One score for numbers and for two classes, one a class for more.
#[derive(Serialize)]
pub(super) struct Fitted<'a> {
    /// What each score is.
    scores: Vec<String>,
    /// The scores where all columns are at their means.
    intercepts: Vec<f64>,
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
        let scores = match (&document.estimator, document.preprocess.target_transform) {
            (Coefficients::Logistic(Planes { classes, .. }), _) => match classes.as_slice() {
                [_, second] => vec![format!("log-odds of {second}")],
                many => many.iter().map(Scalar::to_string).collect(),
            },
            (_, TargetTransform::Identity) => vec![target.clone()],
            (_, TargetTransform::Log) => vec![format!("log {target}")],
        };
        let stored = |name: &str| match &document.estimator {
            Coefficients::Linear(plane)
            | Coefficients::Ridge(plane)
            | Coefficients::Lasso(plane)
            | Coefficients::ElasticNet(plane) => plane.coefficients.get(name).map(|value| vec![*value]),
            Coefficients::Logistic(planes) => planes.coefficients.get(name).cloned(),
        };
        let columns = document.preprocess.columns.iter().map(|column| {
            let stored = stored(&column.name).unwrap_or_default();
            let coefficients = stored.into_iter().map(|value| value / column.scale).collect();
            FittedColumn { name: &column.name, coefficients, mean: column.mean, scale: column.scale }
        });
        let intercepts = match &document.estimator {
            Coefficients::Linear(Plane { intercept, .. })
            | Coefficients::Ridge(Plane { intercept, .. })
            | Coefficients::Lasso(Plane { intercept, .. })
            | Coefficients::ElasticNet(Plane { intercept, .. }) => vec![*intercept],
            Coefficients::Logistic(planes) => planes.intercepts.clone(),
        };
        Self { scores, intercepts, columns: columns.collect() }
    }
    /// One line a column, the intercept last.
    pub(super) fn grid(&self) -> Grid {
        let scores = self.scores.iter().map(|score| (score.as_str(), Side::Right));
        let titles = [("column", Side::Left)].into_iter().chain(scores).chain([("centred at", Side::Right)]);
        let mut grid = Grid::new(titles);
        for FittedColumn { name, coefficients, mean, .. } in &self.columns {
            let numbers = coefficients.iter().chain([mean]).map(|value| significant(*value));
            grid.push([(*name).to_owned()].into_iter().chain(numbers));
        }
        let intercepts = self.intercepts.iter().map(|value| significant(*value));
        grid.push(["(intercept)".to_owned()].into_iter().chain(intercepts));
        grid
    }
}
