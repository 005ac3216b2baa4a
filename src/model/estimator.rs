//! The smartcore linear family behind one enum. The file holds named coefficients; the estimator is built from them through
//! smartcore's own `Deserialize`, because its serialised form changes between releases and is not checked when read.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::json;
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::linear::linear_regression::LinearRegression;

use super::preprocess::Preprocess;

/// A fitted estimator as the file holds it: coefficients by the name of their design column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "family", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Coefficients {
    /// Ordinary least squares.
    Linear {
        /// The prediction at the means of all columns: the mean of the target.
        intercept: f64,
        /// The change of the prediction for one unit of each column.
        coefficients: IndexMap<String, f64>,
    },
}

/// An estimator that answers.
#[derive(Debug)]
pub(super) enum Estimator {
    Linear(LinearRegression<f64, f64, DenseMatrix<f64>, Vec<f64>>),
}

impl Estimator {
    /// Builds the estimator whose columns are those of the design, in its order.
    ///
    /// # Errors
    /// A sentence when names do not match one to one, a number is not finite, or smartcore refuses them.
    pub(super) fn new(fitted: &Coefficients, preprocess: &Preprocess) -> Result<Self, String> {
        match fitted {
            Coefficients::Linear { intercept, coefficients } => {
                let columns = &preprocess.columns;
                if coefficients.len() != columns.len() {
                    return Err(format!("{} coefficients for {} columns", coefficients.len(), columns.len()));
                }
                let coefficient = |name: &String| {
                    let value = coefficients.get(name).copied();
                    value
                        .filter(|value| value.is_finite())
                        .ok_or_else(|| format!("the column {name:?} has no usable coefficient"))
                };
                let values = columns.iter().map(|column| coefficient(&column.name)).collect::<Result<Vec<_>, _>>()?;
                if !intercept.is_finite() {
                    return Err("the intercept is not finite".into());
                }
                let matrix =
                    |values: &[f64]| json!({"ncols": 1, "nrows": values.len(), "values": values, "column_major": true});
                let form = json!({
                    "coefficients": matrix(&values),
                    "intercept": matrix(&[*intercept]),
                    "_phantom_tx": null, "_phantom_ty": null, "_phantom_y": null,
                });
                serde_json::from_value(form)
                    .map(Self::Linear)
                    .map_err(|error| format!("smartcore refuses the coefficients: {error}"))
            }
        }
    }

    /// One value a row of the design; `None` when smartcore fails, which a proven shape rules out.
    pub(super) fn predict(&self, design: &DenseMatrix<f64>) -> Option<Vec<f64>> {
        match self {
            Self::Linear(estimator) => estimator.predict(design).ok(),
        }
    }
}
