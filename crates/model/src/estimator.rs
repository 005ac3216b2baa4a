//! The smartcore linear family behind one enum. The file holds named coefficients; the estimator is built from them through
//! smartcore's own `Deserialize`, because its serialised form changes between releases and is not checked when read.

use std::fmt;
use std::marker::PhantomData;

use indexmap::IndexMap;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};
use smartcore::linalg::basic::arrays::Array;
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::linear::elastic_net::ElasticNet;
use smartcore::linear::lasso::Lasso;
use smartcore::linear::linear_regression::LinearRegression;
use smartcore::linear::logistic_regression::LogisticRegression;
use smartcore::linear::ridge_regression::RidgeRegression;

use crate::preprocess::Preprocess;
use crate::scalar::Scalar;
use crate::task::Task;

type Dense = DenseMatrix<f64>;

/// A fitted estimator as the file holds it: coefficients by the name of their design column.
///
/// Intercepts are predictions at the means of all columns, coefficients the change for one unit of a column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "family", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Coefficients {
    /// Ordinary least squares.
    Linear(LinearCoefficients),
    /// Least squares with a penalty on the squares of the coefficients.
    Ridge(LinearCoefficients),
    /// Least squares with a penalty on the absolute values of the coefficients.
    Lasso(LinearCoefficients),
    /// Least squares with both penalties.
    ElasticNet(LinearCoefficients),
    /// Logistic regression: log-odds of the second of two classes, or one score a class for more (softmax).
    Logistic(LogisticCoefficients),
}

/// One value a row: `intercept + Σ coefficient · column`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinearCoefficients {
    /// The value at the means.
    pub intercept: f64,
    /// One a column.
    #[serde(deserialize_with = "each_once")]
    pub coefficients: IndexMap<String, f64>,
}

/// One score a row for each class, or one in all for two classes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogisticCoefficients {
    /// The classes as they stood in the training data, in the order of scores and probabilities.
    pub classes: Vec<Scalar>,
    /// One a score.
    pub intercepts: Vec<f64>,
    /// For each column, one a score.
    #[serde(deserialize_with = "each_once")]
    pub coefficients: IndexMap<String, Vec<f64>>,
}

/// A map in which no name is there twice: JSON would let the last one win.
fn each_once<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<IndexMap<String, T>, D::Error> {
    struct EachOnce<T>(PhantomData<T>);
    impl<'de, T: Deserialize<'de>> Visitor<'de> for EachOnce<T> {
        type Value = IndexMap<String, T>;

        fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
            out.write_str("an object with each name once")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut values = IndexMap::new();
            while let Some((name, value)) = map.next_entry::<String, T>()? {
                if values.contains_key(&name) {
                    return Err(serde::de::Error::custom(format!("{name:?} is there twice")));
                }
                values.insert(name, value);
            }
            Ok(values)
        }
    }
    deserializer.deserialize_map(EachOnce(PhantomData))
}

/// An estimator that answers.
#[derive(Debug)]
pub(crate) enum Estimator {
    Linear(LinearRegression<f64, f64, Dense, Vec<f64>>),
    Ridge(RidgeRegression<f64, f64, Dense, Vec<f64>>),
    Lasso(Lasso<f64, f64, Dense, Vec<f64>>),
    ElasticNet(ElasticNet<f64, f64, Dense, Vec<f64>>),
    Logistic(LogisticRegression<f64, u32, Dense, Vec<u32>>),
}

/// The scores of the rows of a design.
pub(crate) enum Scores {
    /// One value a row, before the target's transformation is undone.
    Values(Vec<f64>),
    /// The position of each row's class, and rows × classes probabilities, row-major.
    Classes { chosen: Vec<usize>, probabilities: Vec<f64> },
}

impl Coefficients {
    /// The family's name, as users and files know it.
    #[must_use]
    pub fn family(&self) -> &'static str {
        match self {
            Self::Linear(_) => "linear",
            Self::Ridge(_) => "ridge",
            Self::Lasso(_) => "lasso",
            Self::ElasticNet(_) => "elastic-net",
            Self::Logistic(_) => "logistic",
        }
    }

    /// The classes, of a classifier.
    #[must_use]
    pub fn classes(&self) -> Option<&[Scalar]> {
        match self {
            Self::Logistic(planes) => Some(&planes.classes),
            _ => None,
        }
    }

    /// Classification for logistic regression, else regression.
    #[must_use]
    pub fn task(&self) -> Task {
        if self.classes().is_some() { Task::Classification } else { Task::Regression }
    }

    /// The intercepts, one a score.
    #[must_use]
    pub fn intercepts(&self) -> &[f64] {
        match self {
            Self::Linear(plane) | Self::Ridge(plane) | Self::Lasso(plane) | Self::ElasticNet(plane) => {
                std::slice::from_ref(&plane.intercept)
            }
            Self::Logistic(planes) => &planes.intercepts,
        }
    }

    /// The coefficients of the column of this name, one a score.
    #[must_use]
    pub fn get(&self, column: &str) -> Option<&[f64]> {
        match self {
            Self::Linear(plane) | Self::Ridge(plane) | Self::Lasso(plane) | Self::ElasticNet(plane) => {
                plane.coefficients.get(column).map(std::slice::from_ref)
            }
            Self::Logistic(planes) => planes.coefficients.get(column).map(Vec::as_slice),
        }
    }
}

impl Estimator {
    /// Builds the estimator whose columns are those of the design, in its order.
    ///
    /// # Errors
    /// A sentence when names do not match one to one, a number is not finite, or smartcore refuses them.
    pub(crate) fn new(fitted: &Coefficients, preprocess: &Preprocess) -> Result<Self, String> {
        Ok(match fitted {
            Coefficients::Linear(plane) => {
                let intercept = matrix(1, &[plane.intercept]);
                Self::Linear(regressor(plane, preprocess, &intercept)?)
            }
            Coefficients::Ridge(plane) => Self::Ridge(regressor(plane, preprocess, &json!(plane.intercept))?),
            Coefficients::Lasso(plane) => Self::Lasso(regressor(plane, preprocess, &json!(plane.intercept))?),
            Coefficients::ElasticNet(plane) => Self::ElasticNet(regressor(plane, preprocess, &json!(plane.intercept))?),
            Coefficients::Logistic(planes) => Self::Logistic(classifier(planes, preprocess)?),
        })
    }

    /// The scores of a design of so many rows, row-major; `None` when smartcore fails, which a proven shape rules out.
    /// Probabilities are those of the scores divided by the temperature.
    pub(crate) fn scores(&self, rows: usize, design: Vec<f64>, temperature: f64) -> Option<Scores> {
        let columns = design.len().checked_div(rows)?;
        let design = Dense::new(rows, columns, design, false).ok()?;
        match self {
            Self::Linear(estimator) => estimator.predict(&design).ok().map(Scores::Values),
            Self::Ridge(estimator) => estimator.predict(&design).ok().map(Scores::Values),
            Self::Lasso(estimator) => estimator.predict(&design).ok().map(Scores::Values),
            Self::ElasticNet(estimator) => estimator.predict(&design).ok().map(Scores::Values),
            Self::Logistic(estimator) => {
                let classes = estimator.predict(&design).ok()?.into_iter();
                let chosen = classes.map(|class| usize::try_from(class).ok()).collect::<Option<_>>()?;
                Some(Scores::Classes { chosen, probabilities: probabilities(estimator, &design, temperature) })
            }
        }
    }
}

/// The probability of each class, rows × classes, row-major.
///
/// smartcore has no such method: the sigmoid of its score for two classes, the softmax of its scores for more.
fn probabilities(
    estimator: &LogisticRegression<f64, u32, Dense, Vec<u32>>,
    design: &Dense,
    temperature: f64,
) -> Vec<f64> {
    let (coefficients, intercepts) = (estimator.coefficients(), estimator.intercept());
    let (rows, columns) = design.shape();
    let (scores, _) = coefficients.shape();
    let mut probabilities = Vec::with_capacity(rows * scores.max(2));
    for row in 0..rows {
        let score = |score: usize| {
            let terms = (0..columns).map(|column| design.get((row, column)) * coefficients.get((score, column)));
            (terms.sum::<f64>() + intercepts.get((score, 0))) / temperature
        };
        if scores == 1 {
            let second = sigmoid(score(0));
            // Not `1 − p`: the small one of the two keeps its digits.
            probabilities.extend([sigmoid(-score(0)), second]);
        } else {
            let scores: Vec<f64> = (0..scores).map(score).collect();
            softmax(&scores, &mut probabilities);
        }
    }
    probabilities
}

fn sigmoid(score: f64) -> f64 {
    // Where e to the power of −score is no double any more, the answer still is one, if hardly.
    if score < -709.0 {
        return libm::exp(score);
    }
    1.0 / (1.0 + libm::exp(-score))
}

/// `exp(s) / Σ exp(s)`, the largest score taken off first: nothing overflows.
fn softmax(scores: &[f64], probabilities: &mut Vec<f64>) {
    let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let total: f64 = scores.iter().map(|score| libm::exp(score - largest)).sum();
    probabilities.extend(scores.iter().map(|score| libm::exp(score - largest) / total));
}

fn regressor<E: DeserializeOwned>(
    plane: &LinearCoefficients,
    preprocess: &Preprocess,
    intercept: &Value,
) -> Result<E, String> {
    if !plane.intercept.is_finite() {
        return Err("the intercept is not finite".into());
    }
    let values = in_order(&plane.coefficients, preprocess, |value| value.is_finite().then_some(*value))?;
    build(json!({
        "coefficients": matrix(values.len(), &values),
        "intercept": intercept,
        // Which of these a form has depends on the family; the others are passed over.
        "_phantom_tx": null, "_phantom_ty": null, "_phantom_y": null,
    }))
}

fn classifier<E: DeserializeOwned>(planes: &LogisticCoefficients, preprocess: &Preprocess) -> Result<E, String> {
    let classes = planes.classes.len();
    let scores = planes.intercepts.len();
    let distinct = planes.classes.iter().enumerate().all(|(position, class)| {
        *class != Scalar::Missing && planes.classes.iter().skip(position + 1).all(|other| other != class)
    });
    if classes < 2 || !distinct || scores != (if classes == 2 { 1 } else { classes }) {
        return Err(format!("{scores} intercepts for {classes} classes, which must be different"));
    }
    if !planes.intercepts.iter().all(|intercept| intercept.is_finite()) {
        return Err("an intercept is not finite".into());
    }
    let usable = |values: &Vec<f64>| {
        (values.len() == scores && values.iter().all(|value| value.is_finite())).then(|| values.clone())
    };
    let by_column = in_order(&planes.coefficients, preprocess, usable)?;
    // smartcore wants scores × columns, column by column: just as they are.
    let values: Vec<f64> = by_column.iter().flatten().copied().collect();
    build(json!({
        "coefficients": matrix(scores, &values),
        "intercept": matrix(scores, &planes.intercepts),
        "classes": (0..classes).collect::<Vec<_>>(),
        "num_attributes": by_column.len(),
        "num_classes": classes,
        "_phantom_tx": null, "_phantom_y": null,
    }))
}

/// The columns' coefficients in the design's order: one for each column and none beside.
fn in_order<T, U>(
    coefficients: &IndexMap<String, T>,
    preprocess: &Preprocess,
    usable: impl Fn(&T) -> Option<U>,
) -> Result<Vec<U>, String> {
    let columns = &preprocess.columns;
    if coefficients.len() != columns.len() {
        return Err(format!("{} coefficients for {} columns", coefficients.len(), columns.len()));
    }
    let coefficient = |name: &String| {
        let value = coefficients.get(name).and_then(&usable);
        value.ok_or_else(|| format!("the column {name:?} has no usable coefficient"))
    };
    columns.iter().map(|column| coefficient(&column.name)).collect()
}

/// A matrix in smartcore's form, given column by column.
fn matrix(rows: usize, values: &[f64]) -> Value {
    let columns = values.len().checked_div(rows).unwrap_or(0);
    json!({"ncols": columns, "nrows": rows, "values": values, "column_major": true})
}

fn build<E: DeserializeOwned>(form: Value) -> Result<E, String> {
    serde_json::from_value(form).map_err(|error| format!("smartcore refuses the coefficients: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_neither_overflow_nor_lose_the_small_ones() {
        let mut probabilities = Vec::new();
        softmax(&[1000.0, 0.0, 999.0], &mut probabilities);
        let expected = [1.0 / (1.0 + (-1.0_f64).exp()), 0.0, (-1.0_f64).exp() / (1.0 + (-1.0_f64).exp())];
        assert!(probabilities.iter().zip(expected).all(|(got, expected)| (got - expected).abs() < 1e-15));
        assert!((sigmoid(-40.0) - (-40.0_f64).exp()).abs() < 1e-30);
        assert!((sigmoid(-1000.0), sigmoid(1000.0)) == (0.0, 1.0));
        // mpmath: 1/(1 + exp(735)), a few of the smallest doubles; exp(-709) and what follows from it next to it.
        assert_eq!(sigmoid(-735.0).to_bits(), 12_583);
        assert!((sigmoid(-709.5) / (1.0 / (1.0 + 709.5_f64.exp())) - 1.0).abs() < 1e-12);
    }
}
