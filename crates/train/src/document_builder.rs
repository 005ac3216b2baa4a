//! Builds the model file of a fit.

use indexmap::IndexMap;

use super::cross_measure::FoldMetrics;
use super::evaluate::{Calibration, HeldOutErrors, Metrics, by_name};
use super::fit::Fit;
use super::plan::{EstimatorKind, Plan};
use super::solver::cross_validation::CrossValidationResult;
use super::solver::glm::GlmFit;
use super::solver::least_squares::LeastSquaresFit;
use super::solver::leverage::LeverageFactor;
use super::solver::path::PenalisedFit;
use super::training_table::TrainingTable;
use ordinate_model::Model;
use ordinate_model::artifact::{ArtifactError, Document, FORMAT, Golden, Training};
use ordinate_model::distribution::TrainingDistribution;
use ordinate_model::estimator::{Coefficients, LinearCoefficients, LogisticCoefficients};
use ordinate_model::family::Family;
use ordinate_model::identity::Version;
use ordinate_model::inference::Inference;
use ordinate_model::preprocess::{DesignColumn, Offset, Preprocess};
use ordinate_model::scalar::Scalar;
use ordinate_model::task::Task;
use ordinate_table::Scan;

/// The version of smartcore that computes the golden predictions; a test compares it with `Cargo.lock`.
pub const SMARTCORE_VERSION: &str = "0.7.0";

/// The most columns for which least squares stores R: a million numbers, 20 MB of the model file.
const MOST_COLUMNS_OF_LEAST_SQUARES: usize = 1400;

/// The parts of a model file other than the fit.
pub(super) struct DocumentBuilder<'a> {
    pub(super) plan: &'a Plan,
    pub(super) table: &'a TrainingTable,
    pub(super) cross_validation: Option<&'a CrossValidationResult>,
    /// The test data, if there is any.
    pub(super) test: Option<&'a Scan>,
    /// Decisions, and notes on the data and the fit.
    pub(super) notes: &'a [String],
    /// The total weight of the rows, if the data have weights.
    pub(super) weight: Option<f64>,
    /// The errors of the evaluated fit on held-out rows.
    pub(super) errors: Option<&'a HeldOutErrors>,
    /// The calibration of its probabilities, if they are to be calibrated.
    pub(super) calibration: Option<&'a Calibration>,
    /// The metrics in the folds of a cross-validation.
    pub(super) folds: Option<&'a FoldMetrics>,
    /// The prediction without features, of all rows.
    pub(super) baseline: &'a [f64],
}

impl<'a> DocumentBuilder<'a> {
    /// A builder of a draft, without results of its measurement.
    pub(super) fn without_results(plan: &'a Plan, table: &'a TrainingTable) -> Self {
        Self {
            plan,
            table,
            cross_validation: None,
            test: None,
            notes: &[],
            weight: None,
            errors: None,
            calibration: None,
            folds: None,
            baseline: &[],
        }
    }

    /// The sealed model file.
    ///
    /// # Errors
    /// [`ArtifactError`] when the parts do not make a valid model, for instance because a golden row overflows.
    pub(super) fn seal(
        &self,
        fit: &Fit,
        golden: Vec<Vec<Scalar>>,
        distribution: impl FnOnce(&Model) -> Option<TrainingDistribution>,
        train: Option<&Metrics>,
        test: Option<&Metrics>,
    ) -> Result<Document, ArtifactError> {
        let Self { plan, table, cross_validation, test: test_data, notes, .. } = self;
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
                offset: offset(fit, table),
            },
            estimator: self.coefficients(fit),
            inference: self.inference(fit),
            training: Training {
                rows: Some(table.summary().rows),
                data_sha256: Some(table.summary().sha256.clone()),
                parameters: plan.parameters(fit.estimator(), *cross_validation, *test_data),
                seed: Some(plan.seed),
                metrics: self.metrics(train, test),
                baseline: self.baseline.to_vec(),
                notes: notes.to_vec(),
                tool: concat!("ordinate ", env!("CARGO_PKG_VERSION")).to_owned(),
                smartcore: Some(SMARTCORE_VERSION.to_owned()),
            },
            distribution: None,
            golden: Golden::default(),
            sha256: None,
        };
        document.seal_with_distribution(golden, distribution)
    }

    /// The metrics of the evaluated fit: of the probabilities that are served. Standard errors and baselines are sets
    /// of their own, named after the set that they belong to.
    fn metrics(&self, train: Option<&Metrics>, test: Option<&Metrics>) -> IndexMap<String, IndexMap<String, f64>> {
        let mut sets = IndexMap::new();
        let mut add = |name: &str, values: &IndexMap<&'static str, f64>| {
            if !values.is_empty() {
                sets.insert(name.to_owned(), by_name(values));
            }
        };
        for (name, metrics) in [("train", train), ("test", test)] {
            if let Some(Metrics { values, standard_errors, baseline, .. }) = metrics {
                add(name, values);
                add(&format!("{name}_standard_errors"), standard_errors);
                add(&format!("{name}_baseline"), baseline);
            }
        }
        if let Some(FoldMetrics { means, standard_errors, .. }) = self.folds {
            add("cross_validation", means);
            add("cross_validation_standard_errors", standard_errors);
        }
        sets
    }

    /// The design, with the means and scales of the fit.
    fn columns(&self, fit: &Fit) -> Vec<DesignColumn> {
        let mut columns = self.table.columns().to_vec();
        let (means, scales): (&[f64], &[f64]) = match fit {
            Fit::LeastSquares(fit) => (&fit.means, &[]),
            Fit::Penalised { fit, .. } => (&fit.means, &fit.scales),
            Fit::Logistic(fit) => (&fit.means, &fit.scales),
            Fit::Glm(fit) => (&fit.means, &fit.scales),
        };
        columns.iter_mut().zip(means).for_each(|(column, mean)| column.mean = *mean);
        columns.iter_mut().zip(scales).for_each(|(column, scale)| column.scale = *scale);
        columns
    }

    fn coefficients(&self, fit: &Fit) -> Coefficients {
        let names = || self.table.names().iter().cloned();
        let plane = |intercept, coefficients: &[f64]| LinearCoefficients {
            intercept,
            coefficients: names().zip(coefficients.iter().copied()).collect(),
        };
        match fit {
            Fit::LeastSquares(fit) => Coefficients::Linear(plane(fit.intercept, &fit.coefficients)),
            Fit::Penalised { estimator, fit } => {
                let plane = plane(fit.intercept, &fit.coefficients);
                match estimator {
                    EstimatorKind::Ridge => Coefficients::Ridge(plane),
                    EstimatorKind::Lasso => Coefficients::Lasso(plane),
                    _ => Coefficients::ElasticNet(plane),
                }
            }
            Fit::Logistic(fit) => Coefficients::Logistic(LogisticCoefficients {
                classes: self.table.classes().to_vec(),
                intercepts: fit.intercepts.clone(),
                coefficients: names().zip(fit.coefficients.iter().cloned()).collect(),
            }),
            Fit::Glm(fit) => match fit.family {
                Family::Poisson => Coefficients::Poisson(plane(fit.intercept, &fit.coefficients)),
                Family::Gamma => Coefficients::Gamma(plane(fit.intercept, &fit.coefficients)),
            },
        }
    }

    /// The residual variance and the factor R for intervals and leverage. Estimators without a residual variance have
    /// conformal intervals from the errors on held-out rows.
    fn inference(&self, fit: &Fit) -> Option<Inference> {
        let rows = self.table.summary().rows;
        let mut inference = match fit {
            Fit::LeastSquares(fit) => least_squares(fit),
            Fit::Penalised { fit, .. } => penalised(fit, rows),
            Fit::Logistic(fit) => leverage_only(fit.leverage_factor.as_ref(), rows),
            Fit::Glm(fit) => log_link(fit),
        };
        if inference.weight.is_none() {
            inference.weight = self.weight.filter(|_| !inference.r.is_empty());
        }
        if inference.residual_variance.is_none() {
            inference.temperature = self.calibration.map(|calibration| calibration.temperature);
            inference.threshold = self.plan.classes.threshold.filter(|_| fit.estimator().classifies());
            inference.conformal = self.errors.map(|errors| errors.conformal(inference.temperature));
        }
        (inference != Inference::default()).then_some(inference)
    }
}

/// Without residual degrees of freedom there is no residual variance, and without the factor R of all columns there are
/// no leverages: intervals then are conformal.
fn least_squares(fit: &LeastSquaresFit) -> Inference {
    let columns = fit.means.len();
    let has_factor = fit.triangle.rows().len() == columns && columns <= MOST_COLUMNS_OF_LEAST_SQUARES;
    let Some(variance) = fit.residual_variance().filter(|_| has_factor) else { return Inference::default() };
    Inference {
        degrees_of_freedom: Some(u32::try_from(fit.degrees_of_freedom()).unwrap_or(u32::MAX)),
        residual_variance: Some(variance),
        r: fit.triangle.rows().to_vec(),
        ..Inference::default()
    }
}

/// Ridge has the residual degrees of freedom of its hat matrix; lasso and elastic net have none.
fn penalised(fit: &PenalisedFit, rows: u64) -> Inference {
    let Some(LeverageFactor { triangle, degrees_of_freedom: Some(freedom) }) = &fit.leverage_factor else {
        return leverage_only(fit.leverage_factor.as_ref(), rows);
    };
    let r = triangle.rows().to_vec();
    // Rounding may leave a whole number slightly below itself.
    let whole = (freedom + 1e-9).floor();
    if whole < 1.0 {
        return Inference { r, ..Inference::default() };
    }
    // At least 1 and less than the number of rows.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let degrees_of_freedom = Some(whole as u32);
    Inference {
        degrees_of_freedom,
        residual_variance: Some(fit.residual_sum_of_squares / freedom),
        r,
        ..Inference::default()
    }
}

/// The factor R alone, for leverage. With fewer rows than columns, every new row has a high leverage.
fn leverage_only(leverage_factor: Option<&LeverageFactor>, rows: u64) -> Inference {
    let r = leverage_factor.map(|leverage_factor| leverage_factor.triangle.rows().to_vec());
    let r = r.filter(|r| rows > r.len() as u64 + 1).unwrap_or_default();
    Inference { r, ..Inference::default() }
}

/// The information about the coefficients by the working weights. With fewer rows than columns, every new row has a
/// high leverage.
fn log_link(fit: &GlmFit) -> Inference {
    let Some(statistics) = fit.statistics.as_ref().filter(|_| fit.rows > fit.parameters()) else {
        return Inference::default();
    };
    let r = statistics.triangle.as_ref().map(|triangle| triangle.rows().to_vec()).unwrap_or_default();
    if r.is_empty() {
        return Inference::default();
    }
    let has_center = statistics.center.iter().any(|mean| *mean != 0.0);
    Inference {
        r,
        weight: Some(statistics.working_weight),
        center: if has_center { statistics.center.clone() } else { Vec::new() },
        dispersion: statistics.dispersion.filter(|_| fit.alpha == 0.0),
        separation: fit.separation.clone().unwrap_or_default(),
        ..Inference::default()
    }
}

/// The offset, centred at its mean in the fit.
fn offset(fit: &Fit, table: &TrainingTable) -> Option<Offset> {
    let mean = if let Fit::Glm(fit) = fit { fit.offset_mean } else { 0.0 };
    table.offset().map(|offset| Offset { mean, ..offset.clone() })
}
