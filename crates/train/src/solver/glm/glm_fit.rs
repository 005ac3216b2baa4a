//! The result of a fit, and its statistics.

use super::super::error::SolveError;
use super::super::leverage::MOST_COLUMNS;
use super::super::moments::Accumulator;
use super::super::qr::UpperTriangle;
use super::super::unit_errors::UnitErrors;
use super::log_gamma::log_gamma_remainder;
use super::sums::{Curvatures, Pass, StatisticSums, Sums};
use super::{GlmRows, Problem, Solution};
use ordinate_model::family::Family;
use ordinate_model::inference::DIAGONAL_INCREMENT;

/// A standard error that grows by this factor in a step by which the means of separated rows shrink by the factor e is
/// that of a coefficient that only these rows determine: it grows by √e.
const GROWTH: f64 = 1.2;

/// Relative residuals of this size are rounding errors of the mean.
const ROUNDING: f64 = 64.0 * f64::EPSILON;

/// A linear predictor whose mean is below the smallest double.
const LOG_OF_ZERO: f64 = -1000.0;

/// The smallest part of a direction in which a fit is unbounded that names a column, relative to the largest.
const INVOLVED: f64 = 1e-3;

/// A generalised linear model with a log link:
/// `ln μ = intercept + Σ coefficientⱼ · (xⱼ − meanⱼ)/scaleⱼ + offset − offset_mean`.
#[derive(Debug, Clone, PartialEq)]
pub struct GlmFit {
    /// The distribution of the target.
    pub family: Family,
    /// The number of rows.
    pub rows: u64,
    /// The sum of their weights.
    pub weight: f64,
    /// Whether the fit has no intercept. The intercept and all means are then zero.
    pub through_origin: bool,
    /// The regularization strength; 0 without a penalty.
    pub alpha: f64,
    /// The mean of each column.
    pub means: Vec<f64>,
    /// The population standard deviation of each column; without an intercept the root mean square.
    pub scales: Vec<f64>,
    /// The mean of the offset.
    pub offset_mean: f64,
    /// The logarithm of the mean of the target at the means of columns and offset.
    pub intercept: f64,
    /// One for each standardised column.
    pub coefficients: Vec<f64>,
    /// The number of iterations.
    pub iterations: u32,
    /// The largest component of the gradient of the objective at the last evaluation.
    pub gradient: f64,
    /// Whether the iteration ended at the optimum.
    pub converged: bool,
    /// The columns whose coefficients grow for ever, because the targets of some rows are all 0 (separation).
    pub unbounded: Vec<usize>,
    /// Whether the intercept where all columns and the offset are zero falls for ever with them.
    pub has_unbounded_intercept: bool,
    /// The direction of that growth: a number for each standardised column, then for the intercept at their means.
    pub separation: Option<Vec<f64>>,
    /// The statistics of a fit to all rows, or to a part if they are wanted.
    pub statistics: Option<GlmStatistics>,
}

/// The statistics of a fit. Those of a model without columns have an intercept, and the offset.
#[derive(Debug, Clone, PartialEq)]
pub struct GlmStatistics {
    /// The deviance of the fit.
    pub deviance: f64,
    /// The deviance of a model without columns.
    pub null_deviance: f64,
    /// Pearson's χ², `Σ w (y − μ)² / V(μ)`.
    pub pearson: f64,
    /// Sum of the weights − number of parameters.
    pub degrees_of_freedom: f64,
    /// The variance of a target ÷ the variance function: 1 for Poisson regression, Pearson's χ² ÷ degrees of freedom
    /// for gamma.
    pub dispersion: Option<f64>,
    /// The log-likelihood of the fit, for this dispersion.
    pub log_likelihood: Option<f64>,
    /// The log-likelihood of a model without columns, for the same dispersion.
    pub null_log_likelihood: Option<f64>,
    /// The factor `R` of the standardised design, centred at `center`, with the working weights. None for too many
    /// columns, or where rounding makes it singular.
    pub triangle: Option<UpperTriangle>,
    /// The mean of each standardised column by the working weights; zeros without an intercept.
    pub center: Vec<f64>,
    /// The sum of the working weights.
    pub working_weight: f64,
}

impl GlmStatistics {
    /// Whether the relative residuals of rows of this weight are rounding errors.
    #[must_use]
    pub fn is_exact(&self, weight: f64) -> bool {
        self.pearson <= weight * ROUNDING * ROUNDING
    }
}

impl GlmFit {
    /// The number of parameters.
    #[must_use]
    pub fn parameters(&self) -> u64 {
        self.coefficients.len() as u64 + u64::from(!self.through_origin)
    }

    /// The coefficients for one unit of each column.
    #[must_use]
    pub fn slopes(&self) -> Vec<f64> {
        self.coefficients.iter().zip(&self.scales).map(|(coefficient, scale)| coefficient / scale).collect()
    }

    /// The standard errors of the coefficients in the units of the data, and of the intercept where all columns and the
    /// offset are zero, for a dispersion of 1. None for a penalised fit.
    #[must_use]
    pub fn unit_errors(&self) -> Option<UnitErrors> {
        let statistics = self.statistics.as_ref().filter(|_| self.alpha == 0.0)?;
        let inverses: Vec<f64> = self.scales.iter().map(|scale| 1.0 / scale).collect();
        let triangle = statistics.triangle.as_ref()?.scaled(&inverses);
        let columns = self.means.iter().zip(&self.scales).zip(&statistics.center);
        let centers: Vec<f64> = columns.map(|((mean, scale), center)| mean + scale * center).collect();
        Some(UnitErrors::from_triangle(&triangle, &centers, statistics.working_weight))
    }
}

impl GlmFit {
    /// The fit with all coefficients that the rows do not determine among the unbounded ones: their standard errors
    /// grow in `further`, one step further in the direction of the separation, and the others stay.
    fn with_growing_errors(mut self, further: &Self) -> Self {
        let (Some(here), Some(there)) = (self.unit_errors(), further.unit_errors()) else { return self };
        let grows = |here: f64, there: f64| here.is_nan() || there.is_nan() || there > GROWTH * here;
        let columns = here.coefficients.iter().zip(&there.coefficients).enumerate();
        let growing = columns.filter(|(_, (here, there))| grows(**here, **there)).map(|(column, _)| column);
        self.unbounded.extend(growing);
        self.unbounded.sort_unstable();
        self.unbounded.dedup();
        self.has_unbounded_intercept |= !self.through_origin && grows(here.intercept, there.intercept);
        self
    }
}

impl<R: GlmRows> Problem<'_, R> {
    /// The fit of a solution, with its statistics if they are wanted.
    pub(super) fn finish(&self, solution: &Solution, with_statistics: bool) -> Result<GlmFit, SolveError> {
        let basis = &self.rows.basis;
        let (coefficients, intercept) = basis.coefficients(&solution.parameters);
        let offset_mean = if basis.intercept { self.rows.offset_mean } else { 0.0 };
        let statistics = with_statistics.then(|| self.statistics(&solution.parameters)).transpose()?;
        let (unbounded, has_unbounded_intercept) =
            solution.unbounded.as_deref().map(|step| self.involved(step)).unwrap_or_default();
        let separation = solution.unbounded.as_deref().map(|step| {
            let (mut columns, intercept) = basis.coefficients(step);
            columns.push(intercept);
            columns
        });
        let fit = GlmFit {
            family: self.settings.family,
            rows: basis.rows,
            weight: self.rows.weight,
            through_origin: !basis.intercept,
            alpha: self.settings.alpha,
            means: basis.means.clone(),
            scales: basis.scales.clone(),
            offset_mean,
            intercept: if basis.intercept { intercept + offset_mean } else { 0.0 },
            coefficients,
            iterations: solution.iterations,
            gradient: solution.gradient,
            converged: solution.converged,
            unbounded,
            has_unbounded_intercept,
            separation,
            statistics,
        };
        let Some(direction) = solution.unbounded.as_deref().filter(|_| with_statistics) else { return Ok(fit) };
        let further = self.statistics(&super::moved(&solution.parameters, direction, 1.0))?;
        let further = GlmFit { statistics: Some(further), ..fit.clone() };
        Ok(fit.with_growing_errors(&further))
    }

    /// The fit with an intercept to rows whose targets are all 0: the mean of every row is 0, too.
    pub(super) fn finish_without_counts(&self) -> GlmFit {
        let basis = &self.rows.basis;
        GlmFit {
            family: self.settings.family,
            rows: basis.rows,
            weight: self.rows.weight,
            through_origin: false,
            alpha: self.settings.alpha,
            means: basis.means.clone(),
            scales: basis.scales.clone(),
            offset_mean: self.rows.offset_mean,
            intercept: self.rows.offset_mean + LOG_OF_ZERO,
            coefficients: vec![0.0; basis.means.len()],
            iterations: 0,
            gradient: 0.0,
            converged: true,
            unbounded: Vec::new(),
            has_unbounded_intercept: true,
            separation: None,
            statistics: None,
        }
    }

    /// The columns that a direction moves, and whether it moves the intercept where all columns are zero.
    fn involved(&self, direction: &[f64]) -> (Vec<usize>, bool) {
        let basis = &self.rows.basis;
        let (coefficients, at_means) = basis.coefficients(direction);
        let terms = || {
            let columns = coefficients.iter().zip(basis.means.iter().zip(&basis.scales));
            columns.map(|(coefficient, (mean, scale))| coefficient * mean / scale)
        };
        let size = at_means.abs() + terms().map(f64::abs).sum::<f64>();
        let moves_intercept = basis.intercept && (at_means - terms().sum::<f64>()).abs() > INVOLVED * size;
        let largest = coefficients.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
        let moved = coefficients.iter().enumerate().filter(|(_, value)| value.abs() > INVOLVED * largest);
        (moved.map(|(column, _)| column).collect(), moves_intercept)
    }

    pub(super) fn statistics(&self, parameters: &[f64]) -> Result<GlmStatistics, SolveError> {
        let family = self.settings.family;
        let basis = &self.rows.basis;
        // The information of levels is not from these products.
        let has_products = basis.levels.is_none() && basis.dense.len() <= MOST_COLUMNS;
        let curvatures = if has_products { Curvatures::Products } else { Curvatures::Sum };
        let sums = self.rows.sum(&Pass::Statistics { parameters, null: self.rows.null_intercept }, curvatures)?;
        let StatisticSums { deviance: [deviance, null_deviance], pearson, of_targets } = sums.statistics;
        let degrees_of_freedom = self.rows.weight - self.size() as f64;
        let dispersion = match family {
            Family::Poisson => Some(1.0),
            Family::Gamma => Some(pearson / degrees_of_freedom).filter(|_| degrees_of_freedom > 0.0),
        };
        let dispersion = dispersion.filter(|value| value.is_finite() && *value >= 0.0);
        // That of a perfect fit, less half of the scaled deviance: the other terms of large targets cancel.
        let log_likelihood = |deviance: f64| {
            let value = match family {
                Family::Poisson => -0.5 * deviance - of_targets,
                // The density of a gamma distribution with shape k = 1/φ and mean μ.
                // That of an exact fit is not bounded.
                Family::Gamma if pearson <= self.rows.weight * ROUNDING * ROUNDING => return None,
                Family::Gamma => {
                    let shape = 1.0 / dispersion?;
                    let weight = self.rows.weight;
                    -0.5 * shape * deviance - weight * log_gamma_remainder(shape) - of_targets
                }
            };
            Some(value).filter(|value| value.is_finite())
        };
        let [of_fit, of_null] = [deviance, null_deviance].map(log_likelihood);
        let (triangle, center) = if self.rows.basis.levels.is_some() {
            self.information_of_levels(parameters)?
        } else {
            self.information(&sums)
        };
        Ok(GlmStatistics {
            deviance,
            null_deviance,
            pearson,
            degrees_of_freedom,
            dispersion,
            log_likelihood: of_fit,
            null_log_likelihood: of_null,
            triangle,
            center,
            working_weight: sums.curvature,
        })
    }

    /// As [`information()`](Self::information), from the rows: the other columns are not those of the fit.
    fn information_of_levels(&self, parameters: &[f64]) -> Result<(Option<UpperTriangle>, Vec<f64>), SolveError> {
        let (basis, settings) = (&self.rows.basis, &self.settings);
        let columns = basis.means.len();
        if columns > MOST_COLUMNS {
            return Ok((None, vec![0.0; columns]));
        }
        let (coefficients, intercept) = basis.coefficients(parameters);
        let levels = self.rows.rows.levels();
        let mut accumulator: Option<Accumulator> = None;
        self.rows.rows.scan::<SolveError>(&mut |row| {
            let standardised = row.design.iter().zip(basis.means.iter().zip(&basis.scales));
            let terms = standardised.map(|(value, (mean, scale))| (value - mean) / scale).zip(&coefficients);
            let predictor = intercept + row.offset + terms.map(|(value, coefficient)| value * coefficient).sum::<f64>();
            let near = || row.design.iter().copied().chain([0.0]).collect();
            let accumulator = accumulator.get_or_insert_with(|| Accumulator::with_levels(near(), levels.clone()));
            let weight = row.weight * settings.family.working_weight(libm::exp(predictor));
            accumulator.push_exact(row.design, 0.0, &[], weight);
            Ok(())
        })?;
        let Some(moments) = accumulator.map(Accumulator::finish) else { return Ok((None, vec![0.0; columns])) };
        let moments = if basis.intercept { moments } else { moments.about_zero() };
        let mut triangle = moments.triangle().leading(columns).scaled(&basis.scales);
        if settings.alpha > 0.0 {
            let root = DIAGONAL_INCREMENT.sqrt();
            let lengths = triangle.lengths();
            let entries =
                |at: usize, length: f64| (0..columns).map(|row| if row == at { root * length } else { 0.0 }).collect();
            let mut increments: Vec<Vec<f64>> =
                lengths.iter().enumerate().map(|(at, length)| entries(at, *length)).collect();
            triangle.absorb(&mut increments);
        }
        let is_regular = |row: &Vec<f64>| row.first().is_some_and(|diagonal| *diagonal > 0.0 && diagonal.is_finite());
        let is_regular = triangle.rows().len() == columns && triangle.rows().iter().all(is_regular);
        let means = moments.means().into_iter().zip(basis.means.iter().zip(&basis.scales));
        let center = means.map(|(own, (mean, scale))| (own - mean) / scale).collect();
        Ok((Some(triangle).filter(|_| is_regular), center))
    }

    /// The factor of the information about the coefficients, and the centre of the rows by their working weights.
    fn information(&self, sums: &Sums) -> (Option<UpperTriangle>, Vec<f64>) {
        let basis = &self.rows.basis;
        let columns = basis.dense.len();
        if !sums.has_products {
            return (None, vec![0.0; columns]);
        }
        let mean = |j: usize| if basis.intercept { sums.entry(j, columns) / sums.curvature } else { 0.0 };
        let means: Vec<f64> = (0..columns).map(mean).collect();
        // `z = Rᵀu`
        let center = match &basis.factor {
            Some(factor) => {
                (0..columns).map(|j| super::dot(&factor.column(j), means.get(..=j).unwrap_or_default())).collect()
            }
            None => means.clone(),
        };
        let increment = if self.settings.alpha > 0.0 { DIAGONAL_INCREMENT } else { 0.0 };
        let at = |j: usize| means.get(j).copied().unwrap_or_default();
        let entry = |i: usize, j: usize| {
            let slack = if i == j { 1.0 + increment } else { 1.0 };
            (sums.entry(i, j) - sums.curvature * at(i) * at(j)) * slack
        };
        let rows = (0..columns).map(|i| (i..columns).map(|j| entry(i, j)).collect()).collect();
        let triangle = UpperTriangle::cholesky(rows);
        (triangle.map(|own| basis.factor.as_ref().map_or_else(|| own.clone(), |factor| own.product(factor))), center)
    }
}
