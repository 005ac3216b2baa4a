//! From a fit to a model file.

use indexmap::IndexMap;

use super::evaluate::{Calibration, Errors, Metrics, Reliability};
use super::fit::Fitted;
use super::solver::cross_validation::Choice;
use super::solver::least_squares::LeastSquares;
use super::solver::leverage::Spread;
use super::solver::path::Penalised;
use super::table::Table;
use super::{Estimator, Plan, SMARTCORE_VERSION};
use ordinate_model::artifact::{ArtifactError, Document, FORMAT, Golden, Training};
use ordinate_model::estimator::{Coefficients, LinearCoefficients, LogisticCoefficients};
use ordinate_model::identity::Version;
use ordinate_model::inference::Inference;
use ordinate_model::preprocess::{DesignColumn, Preprocess};
use ordinate_model::scalar::Scalar;
use ordinate_model::task::Task;
use ordinate_table::Scan;

/// What a model file holds beside the fit.
pub(super) struct Draft<'a> {
    pub(super) plan: &'a Plan,
    pub(super) table: &'a Table,
    pub(super) choice: Option<&'a Choice>,
    /// The rows of other files that it was measured on.
    pub(super) tested: Option<&'a Scan>,
    /// The weight of all rows, when they have any other than 1.
    pub(super) weight: Option<f64>,
    /// How wrong the measured fit was on the rows it had not seen.
    pub(super) errors: Option<&'a Errors>,
    /// What those rows say of its probabilities, where they are to be calibrated.
    pub(super) calibration: Option<&'a Calibration>,
}

impl Draft<'_> {
    /// The finished file.
    ///
    /// # Errors
    /// [`ArtifactError`] when the parts do not make a model, for instance because a golden row overflows.
    pub(super) fn seal(
        &self,
        fit: &Fitted,
        golden: Vec<Vec<Scalar>>,
        train: Option<&Metrics>,
        test: Option<&Metrics>,
    ) -> Result<Document, ArtifactError> {
        let Self { plan, table, choice, tested, .. } = self;
        let version = Version::try_from("1".to_owned()).map_err(ArtifactError::Inconsistent)?;
        let document = Document {
            format: FORMAT.to_owned(),
            name: plan.name.clone(),
            version,
            created: plan.created.clone(),
            task: if fit.estimator().classifies() { Task::Classification } else { Task::Regression },
            signature: table.signature().clone(),
            preprocess: Preprocess {
                columns: self.columns(fit),
                target_transform: table.target_transform(),
                through_origin: table.through_origin(),
            },
            estimator: self.coefficients(fit),
            inference: self.inference(fit),
            training: Training {
                rows: table.seen().rows,
                data_sha256: table.seen().sha256.clone(),
                parameters: plan.parameters(fit.estimator(), *choice, *tested),
                seed: plan.seed,
                metrics: self.metrics(train, test),
                tool: concat!("ordinate ", env!("CARGO_PKG_VERSION")).to_owned(),
                smartcore: SMARTCORE_VERSION.to_owned(),
            },
            golden: Golden::default(),
            sha256: None,
        };
        document.seal(golden)
    }

    /// Of the fit that was measured, as it is; `calibrated` has what the temperature makes of the rows it was fitted to.
    fn metrics(&self, train: Option<&Metrics>, test: Option<&Metrics>) -> IndexMap<String, IndexMap<String, f64>> {
        let sides = [("train", train), ("test", test)].into_iter();
        let mut sides: IndexMap<_, _> =
            sides.filter_map(|(rows, metrics)| Some((rows.to_owned(), metrics?.by_name()))).collect();
        if let Some(Calibration { before, after, .. }) = self.calibration {
            let named = |Reliability { slope, error }: &Reliability| {
                let slope = slope.map(|slope| ("calibration_slope".to_owned(), slope));
                slope.into_iter().chain([("expected_calibration_error".to_owned(), *error)])
            };
            if let Some(test) = sides.get_mut("test") {
                test.extend(named(before));
            }
            sides.insert("calibrated".to_owned(), named(after).collect());
        }
        sides
    }

    /// The design, centred and scaled as the fit has it.
    fn columns(&self, fit: &Fitted) -> Vec<DesignColumn> {
        let mut columns = self.table.columns().to_vec();
        let (means, scales): (&[f64], &[f64]) = match fit {
            Fitted::Linear(fit) => (&fit.means, &[]),
            Fitted::Penalised { fit, .. } => (&fit.means, &fit.scales),
            Fitted::Logistic(fit) => (&fit.means, &fit.scales),
        };
        columns.iter_mut().zip(means).for_each(|(column, mean)| column.mean = *mean);
        columns.iter_mut().zip(scales).for_each(|(column, scale)| column.scale = *scale);
        columns
    }

    fn coefficients(&self, fit: &Fitted) -> Coefficients {
        let names = || self.table.names().iter().cloned();
        let plane = |intercept, coefficients: &[f64]| LinearCoefficients {
            intercept,
            coefficients: names().zip(coefficients.iter().copied()).collect(),
        };
        match fit {
            Fitted::Linear(fit) => Coefficients::Linear(plane(fit.intercept, &fit.coefficients)),
            Fitted::Penalised { estimator, fit } => {
                let plane = plane(fit.intercept, &fit.coefficients);
                match estimator {
                    Estimator::Ridge => Coefficients::Ridge(plane),
                    Estimator::Lasso => Coefficients::Lasso(plane),
                    _ => Coefficients::ElasticNet(plane),
                }
            }
            Fitted::Logistic(fit) => Coefficients::Logistic(LogisticCoefficients {
                classes: self.table.classes().to_vec(),
                intercepts: fit.intercepts.clone(),
                coefficients: names().zip(fit.coefficients.iter().cloned()).collect(),
            }),
        }
    }

    /// What the fit knows of its noise and of how its rows are spread; where it gives no intervals of its own, they are made from
    /// errors on rows it had not seen.
    fn inference(&self, fit: &Fitted) -> Option<Inference> {
        let rows = self.table.seen().rows;
        let mut inference = match fit {
            Fitted::Linear(fit) => of_least_squares(fit),
            Fitted::Penalised { fit, .. } => of_penalised(fit, rows),
            Fitted::Logistic(fit) => of_spread(fit.spread.as_ref(), rows),
        };
        inference.weight = self.weight.filter(|_| !inference.r.is_empty());
        if inference.residual_variance.is_none() {
            inference.temperature = self.calibration.map(|calibration| calibration.temperature);
            inference.conformal = self.errors.map(|errors| errors.conformal(inference.temperature));
        }
        (inference != Inference::default()).then_some(inference)
    }
}

/// Intervals need an estimate of the noise: there is none without a degree of freedom.
fn of_least_squares(fit: &LeastSquares) -> Inference {
    let Some(variance) = fit.residual_variance() else { return Inference::default() };
    Inference {
        degrees_of_freedom: Some(u32::try_from(fit.degrees_of_freedom()).unwrap_or(u32::MAX)),
        residual_variance: Some(variance),
        r: fit.triangle.rows().to_vec(),
        ..Inference::default()
    }
}

/// Of ridge as of least squares, with the degrees of freedom that its hat matrix leaves.
fn of_penalised(fit: &Penalised, rows: u64) -> Inference {
    let Some(Spread { triangle, degrees_of_freedom: Some(freedom) }) = &fit.spread else {
        return of_spread(fit.spread.as_ref(), rows);
    };
    let r = triangle.rows().to_vec();
    // A whole number may come out a shade below itself.
    let whole = (freedom + 1e-9).floor();
    if whole < 1.0 {
        return Inference { r, ..Inference::default() };
    }
    // It is at least 1, and less than the rows.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let degrees_of_freedom = Some(whole as u32);
    Inference {
        degrees_of_freedom,
        residual_variance: Some(fit.residual_sum_of_squares / freedom),
        r,
        ..Inference::default()
    }
}

/// Of fewer rows than columns, every new row is unlike them.
fn of_spread(spread: Option<&Spread>, rows: u64) -> Inference {
    let r = spread.map(|spread| spread.triangle.rows().to_vec());
    let r = r.filter(|r| rows > r.len() as u64 + 1).unwrap_or_default();
    Inference { r, ..Inference::default() }
}
