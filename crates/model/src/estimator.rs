//! The linear models of smartcore behind one enum. The model file has named coefficients, from which the estimator is
//! built through smartcore's `Deserialize`: smartcore's own serialised form changes between releases and is not checked
//! when read.

mod coefficients;
mod form;

use indexmap::IndexMap;
use serde::Serialize;
use serde::de::DeserializeOwned;
use smartcore::linalg::basic::arrays::Array;
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::linear::elastic_net::ElasticNet;
use smartcore::linear::lasso::Lasso;
use smartcore::linear::linear_regression::LinearRegression;
use smartcore::linear::logistic_regression::LogisticRegression;
use smartcore::linear::ridge_regression::RidgeRegression;

use crate::family::Family;
use crate::preprocess::Preprocess;
use crate::scalar::Scalar;
use crate::task::Task;
use form::Form;

type Dense = DenseMatrix<f64>;

/// A fitted estimator in the model file: coefficients by the name of their design column.
///
/// An intercept is the score at the means of all columns, a coefficient the change of the score for one unit of a
/// scaled column.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "family", rename_all = "kebab-case")]
pub enum Coefficients {
    /// Ordinary least squares.
    Linear(LinearCoefficients),
    /// Least squares with a penalty on the squares of the coefficients.
    Ridge(LinearCoefficients),
    /// Least squares with a penalty on the absolute values of the coefficients.
    Lasso(LinearCoefficients),
    /// Least squares with both penalties.
    ElasticNet(LinearCoefficients),
    /// Logistic regression: the log-odds of the second of two classes, or one score a class for more classes (softmax).
    Logistic(LogisticCoefficients),
    /// Poisson regression: the logarithm of the mean of a count.
    Poisson(LinearCoefficients),
    /// Gamma regression: the logarithm of the mean of a positive target.
    Gamma(LinearCoefficients),
}

/// The coefficients of a regressor: `intercept + Σ coefficient · column`, the value or its logarithm.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LinearCoefficients {
    /// The score at the means of all columns.
    pub intercept: f64,
    /// One coefficient a column.
    pub coefficients: IndexMap<String, f64>,
}

/// The coefficients of a classifier: one score for two classes, one score a class for more.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LogisticCoefficients {
    /// The classes as in the training data, in the order of scores and probabilities.
    pub classes: Vec<Scalar>,
    /// One intercept a score.
    pub intercepts: Vec<f64>,
    /// For each column, one coefficient a score.
    pub coefficients: IndexMap<String, Vec<f64>>,
}

/// An estimator that predicts.
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
    /// One value a row, before an offset is added, and before the inverse of a transformation or link.
    Values(Vec<f64>),
    /// The position of each row's class, and rows × classes probabilities, row-major.
    Classes { chosen: Vec<usize>, probabilities: Vec<f64> },
}

impl Coefficients {
    /// The name of the family in model files and options.
    #[must_use]
    pub fn family(&self) -> &'static str {
        match self {
            Self::Linear(_) => "linear",
            Self::Ridge(_) => "ridge",
            Self::Lasso(_) => "lasso",
            Self::ElasticNet(_) => "elastic-net",
            Self::Logistic(_) => "logistic",
            Self::Poisson(_) => Family::Poisson.name(),
            Self::Gamma(_) => Family::Gamma.name(),
        }
    }

    /// The distribution of the target, for a generalised linear model with a log link.
    #[must_use]
    pub fn glm_family(&self) -> Option<Family> {
        match self {
            Self::Poisson(_) => Some(Family::Poisson),
            Self::Gamma(_) => Some(Family::Gamma),
            _ => None,
        }
    }

    /// The coefficients of a regressor.
    #[must_use]
    pub fn regressor(&self) -> Option<&LinearCoefficients> {
        match self {
            Self::Linear(regressor)
            | Self::Ridge(regressor)
            | Self::Lasso(regressor)
            | Self::ElasticNet(regressor)
            | Self::Poisson(regressor)
            | Self::Gamma(regressor) => Some(regressor),
            Self::Logistic(_) => None,
        }
    }

    /// The classes of a classifier.
    #[must_use]
    pub fn classes(&self) -> Option<&[Scalar]> {
        match self {
            Self::Logistic(classifier) => Some(&classifier.classes),
            _ => None,
        }
    }

    /// Classification for logistic regression, else regression.
    #[must_use]
    pub fn task(&self) -> Task {
        if self.classes().is_some() { Task::Classification } else { Task::Regression }
    }

    /// One intercept a score.
    #[must_use]
    pub fn intercepts(&self) -> &[f64] {
        match self {
            Self::Logistic(classifier) => &classifier.intercepts,
            _ => self.regressor().map_or(&[], |regressor| std::slice::from_ref(&regressor.intercept)),
        }
    }

    /// The coefficients of a column, one a score.
    #[must_use]
    pub fn get(&self, column: &str) -> Option<&[f64]> {
        match self {
            Self::Logistic(classifier) => classifier.coefficients.get(column).map(Vec::as_slice),
            _ => self.regressor()?.coefficients.get(column).map(std::slice::from_ref),
        }
    }
}

impl Estimator {
    /// Builds the estimator for the columns of the design, in their order.
    ///
    /// # Errors
    /// A message when names do not match the columns one to one, a number is not finite, or smartcore rejects them.
    pub(crate) fn new(fitted: &Coefficients, preprocess: &Preprocess) -> Result<Self, String> {
        Ok(match fitted {
            // The linear predictor of a generalised linear model is that of least squares.
            Coefficients::Linear(coefficients)
            | Coefficients::Poisson(coefficients)
            | Coefficients::Gamma(coefficients) => {
                let intercept = Form::matrix(1, vec![coefficients.intercept]);
                Self::Linear(regressor(coefficients, preprocess, intercept)?)
            }
            Coefficients::Ridge(coefficients) => {
                Self::Ridge(regressor(coefficients, preprocess, Form::Number(coefficients.intercept))?)
            }
            Coefficients::Lasso(coefficients) => {
                Self::Lasso(regressor(coefficients, preprocess, Form::Number(coefficients.intercept))?)
            }
            Coefficients::ElasticNet(coefficients) => {
                Self::ElasticNet(regressor(coefficients, preprocess, Form::Number(coefficients.intercept))?)
            }
            Coefficients::Logistic(coefficients) => Self::Logistic(classifier(coefficients, preprocess)?),
        })
    }

    /// The scores of a design of so many rows, row-major; `None` when smartcore fails, which the checked shape rules
    /// out. Scores are divided by the temperature before they become probabilities.
    pub(crate) fn scores(&self, rows: usize, design: Vec<f64>, temperature: f64) -> Option<Scores> {
        let columns = design.len().checked_div(rows)?;
        let probabilities = match self {
            Self::Logistic(estimator) => probabilities(estimator, &design, columns, temperature),
            _ => Vec::new(),
        };
        let design = Dense::new(rows, columns, design, false).ok()?;
        match self {
            Self::Linear(estimator) => estimator.predict(&design).ok().map(Scores::Values),
            Self::Ridge(estimator) => estimator.predict(&design).ok().map(Scores::Values),
            Self::Lasso(estimator) => estimator.predict(&design).ok().map(Scores::Values),
            Self::ElasticNet(estimator) => estimator.predict(&design).ok().map(Scores::Values),
            Self::Logistic(estimator) => {
                let classes = estimator.predict(&design).ok()?.into_iter();
                let chosen = classes.map(|class| usize::try_from(class).ok()).collect::<Option<_>>()?;
                Some(Scores::Classes { chosen, probabilities })
            }
        }
    }
}

/// The probability of each class, rows × classes, row-major, of a design of so many columns, row-major.
///
/// smartcore does not compute probabilities: they are the sigmoid of the score for two classes, the softmax of the
/// scores for more.
fn probabilities(
    estimator: &LogisticRegression<f64, u32, Dense, Vec<u32>>,
    design: &[f64],
    columns: usize,
    temperature: f64,
) -> Vec<f64> {
    let (coefficients, intercepts) = (estimator.coefficients(), estimator.intercept());
    let (count, _) = coefficients.shape();
    let of_score = |score: usize| {
        let coefficients: Vec<f64> = (0..columns).map(|column| *coefficients.get((score, column))).collect();
        (coefficients, *intercepts.get((score, 0)))
    };
    let of_scores: Vec<(Vec<f64>, f64)> = (0..count).map(of_score).collect();
    let rows = design.chunks_exact(columns.max(1));
    let mut probabilities = Vec::with_capacity(rows.len() * count.max(2));
    for row in rows {
        let score = |(coefficients, intercept): &(Vec<f64>, f64)| {
            let terms = row.iter().zip(coefficients).map(|(value, coefficient)| value * coefficient);
            (terms.sum::<f64>() + intercept) / temperature
        };
        if let [only] = of_scores.as_slice() {
            let score = score(only);
            // Not `1 − p`, which would lose the digits of the smaller probability.
            probabilities.extend([sigmoid(-score), sigmoid(score)]);
        } else {
            let scores: Vec<f64> = of_scores.iter().map(score).collect();
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

/// `exp(s) / Σ exp(s)`; the largest score is subtracted first, so that nothing overflows.
fn softmax(scores: &[f64], probabilities: &mut Vec<f64>) {
    let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let total: f64 = scores.iter().map(|score| libm::exp(score - largest)).sum();
    probabilities.extend(scores.iter().map(|score| libm::exp(score - largest) / total));
}

fn regressor<E: DeserializeOwned>(
    coefficients: &LinearCoefficients,
    preprocess: &Preprocess,
    intercept: Form,
) -> Result<E, String> {
    if !coefficients.intercept.is_finite() {
        return Err("estimator.intercept: expected a finite number".into());
    }
    let values = in_order(&coefficients.coefficients, preprocess, |value| value.is_finite())?;
    let values: Vec<f64> = values.into_iter().copied().collect();
    Form::Object(vec![
        ("coefficients", Form::matrix(values.len(), values)),
        ("intercept", intercept),
        // Each family has some of these members; serde ignores the others.
        ("_phantom_tx", Form::Null),
        ("_phantom_ty", Form::Null),
        ("_phantom_y", Form::Null),
    ])
    .build()
}

fn classifier<E: DeserializeOwned>(coefficients: &LogisticCoefficients, preprocess: &Preprocess) -> Result<E, String> {
    let classes = coefficients.classes.len();
    let scores = coefficients.intercepts.len();
    let distinct = coefficients.classes.iter().enumerate().all(|(position, class)| {
        *class != Scalar::Missing && coefficients.classes.iter().skip(position + 1).all(|other| other != class)
    });
    if classes < 2 || !distinct || scores != (if classes == 2 { 1 } else { classes }) {
        return Err(format!(
            "estimator: expected at least 2 distinct classes with one intercept each, or one intercept for 2 classes, \
             got {scores} intercepts for {classes} classes"
        ));
    }
    if !coefficients.intercepts.iter().all(|intercept| intercept.is_finite()) {
        return Err("estimator.intercepts: expected finite numbers".into());
    }
    let is_usable = |values: &[f64]| values.len() == scores && values.iter().all(|value| value.is_finite());
    let usable = |values: &Vec<f64>| is_usable(values);
    let by_column = in_order(&coefficients.coefficients, preprocess, usable)?;
    // smartcore expects scores × columns, column by column, which is the order in the file.
    let mut values = Vec::with_capacity(by_column.len() * scores);
    for column in &by_column {
        values.extend_from_slice(column);
    }
    Form::Object(vec![
        ("coefficients", Form::matrix(scores, values)),
        ("intercept", Form::matrix(scores, coefficients.intercepts.clone())),
        ("classes", Form::Counts((0..classes).filter_map(|class| u32::try_from(class).ok()).collect())),
        ("num_attributes", Form::Count(by_column.len())),
        ("num_classes", Form::Count(classes)),
        ("_phantom_tx", Form::Null),
        ("_phantom_y", Form::Null),
    ])
    .build()
}

/// The coefficients in the order of the design's columns: exactly one for each column.
fn in_order<'c, T>(
    coefficients: &'c IndexMap<String, T>,
    preprocess: &Preprocess,
    usable: impl Fn(&T) -> bool,
) -> Result<Vec<&'c T>, String> {
    let columns = &preprocess.columns;
    if coefficients.len() != columns.len() {
        return Err(format!(
            "estimator.coefficients: expected {} for as many columns, got {}",
            columns.len(),
            coefficients.len()
        ));
    }
    let coefficient = |name: &String| {
        let value = coefficients.get(name).filter(|value| usable(value));
        value.ok_or_else(|| {
            format!("estimator.coefficients: expected finite numbers, one a score, for the column {name:?}")
        })
    };
    columns.iter().map(|column| coefficient(&column.name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_do_not_overflow_and_small_ones_are_accurate() {
        let mut probabilities = Vec::new();
        softmax(&[1000.0, 0.0, 999.0], &mut probabilities);
        let expected = [1.0 / (1.0 + (-1.0_f64).exp()), 0.0, (-1.0_f64).exp() / (1.0 + (-1.0_f64).exp())];
        assert!(probabilities.iter().zip(expected).all(|(got, expected)| (got - expected).abs() < 1e-15));
        assert!((sigmoid(-40.0) - (-40.0_f64).exp()).abs() < 1e-30);
        assert!((sigmoid(-1000.0), sigmoid(1000.0)) == (0.0, 1.0));
        // 1/(1 + exp(735)) by mpmath: a subnormal number. At -709.5, exp(709.5) is still finite.
        assert_eq!(sigmoid(-735.0).to_bits(), 12_583);
        assert!((sigmoid(-709.5) / (1.0 / (1.0 + 709.5_f64.exp())) - 1.0).abs() < 1e-12);
    }
}
