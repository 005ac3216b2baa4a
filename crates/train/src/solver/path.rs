//! Ridge, lasso and elastic net from the moments of the data: whole regularization paths without another pass.
//!
//! Features are standardised (weighted mean, population standard deviation), the intercept is not penalised, and the
//! objectives are those of scikit-learn:
//!
//! ```text
//! ridge        Σ w (y − ŷ)²              + alpha · ‖b‖²
//! elastic net  Σ w (y − ŷ)² / (2 Σ w)    + alpha · l1_ratio · ‖b‖₁ + alpha · (1 − l1_ratio) / 2 · ‖b‖²
//! lasso        the elastic net with l1_ratio = 1
//! ```
//!
//! Without an intercept (moments [about zero](Moments::about_zero)), features are not centred, and are divided by their
//! root mean square.
//!
//! The factor `R` is enough, since `‖y − Zb‖² = ‖r_y − R_z b‖²`. Ridge is one more QR decomposition, of
//! `[R; √alpha I]`, and a path of it one bidiagonalisation. The others use coordinate descent (Friedman, Hastie and
//! Tibshirani, 2010) to find the coefficients that are zero. With fixed signs, the other coefficients solve a linear
//! system, which gives all digits at once where descent would converge slowly along correlated features. Linearly
//! dependent columns get a coefficient of exactly zero until the others are independent (`basis`). The duality gap
//! proves optimality.
//!
//! A design of categories with many levels needs no factor `R`: descent is on the products of its columns, most of
//! which are zero (`sparse`). Of identical levels of two categories, more than one may then have a coefficient.

mod basis;
mod bidiagonal;
mod descent;
mod gram;
mod gram_descent;
mod optimality;
mod penalised_moments;
mod problem;
mod ridge_of_levels;
mod sparse;
mod sweep;

use super::error::SolveError;
use super::leverage::{LeverageFactor, MOST_COLUMNS};
use super::moments::Moments;
use super::qr::dot;
use bidiagonal::Bidiagonal;
use descent::{Accuracy, Descent, PenaltyWeights};
pub use penalised_moments::PenalisedMoments;
use problem::{Problem, intercept};

/// The smallest alpha of a path ÷ the largest.
const PATH_LENGTH: f64 = 1e-3;

/// A penalty on the coefficients.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Penalty {
    /// `alpha · ‖b‖²`, added to the sum of squared errors.
    Ridge {
        /// The regularization strength.
        alpha: f64,
    },
    /// Absolute values and squares, added to half the mean squared error.
    ElasticNet {
        /// The regularization strength.
        alpha: f64,
        /// The fraction on absolute values, in [0, 1]; 1 is the lasso.
        l1_ratio: f64,
    },
}

impl Penalty {
    /// The penalty in the units of the sum of squared errors, for rows of this weight.
    fn weights(self, weight: f64) -> Result<PenaltyWeights, SolveError> {
        let (alpha, weights) = match self {
            Self::Ridge { alpha } => (alpha, PenaltyWeights { l1: 0.0, l2: alpha }),
            Self::ElasticNet { alpha, l1_ratio } => {
                if !(0.0..=1.0).contains(&l1_ratio) {
                    let allowed = "between 0 (ridge) and 1 (lasso)";
                    return Err(SolveError::InvalidSetting { name: "l1_ratio", value: l1_ratio, allowed });
                }
                (alpha, PenaltyWeights { l1: alpha * l1_ratio * weight, l2: alpha * (1.0 - l1_ratio) * weight })
            }
        };
        if !(alpha >= 0.0 && (weights.l1 + weights.l2).is_finite()) {
            let allowed = "finite and not negative";
            return Err(SolveError::InvalidSetting { name: "alpha", value: alpha, allowed });
        }
        Ok(weights)
    }
}

/// A penalised fit: `y = intercept + Σ coefficientⱼ · (xⱼ − meanⱼ) / scaleⱼ`.
#[derive(Debug, Clone, PartialEq)]
pub struct PenalisedFit {
    /// The mean of each feature.
    pub means: Vec<f64>,
    /// The population standard deviation of each feature.
    pub scales: Vec<f64>,
    /// The prediction at the means: the mean of the target.
    pub intercept: f64,
    /// One for each standardised feature. The zeros of lasso and elastic net are exact.
    pub coefficients: Vec<f64>,
    /// `Σ w (y − ŷ)²` over the rows of the fit.
    pub residual_sum_of_squares: f64,
    /// Sweeps of coordinate descent; 0 for ridge.
    pub iterations: u32,
    /// The duality gap ÷ the objective with all coefficients zero: an upper bound of the distance to the minimum. 0 for
    /// ridge.
    pub gap: f64,
    /// Whether the gap is as small as the arithmetic allows.
    pub converged: bool,
    /// The number of coefficients that are exactly zero.
    pub zero: usize,
    /// The factor for leverages, from [`fit()`] and for at most [`MOST_COLUMNS`] columns.
    pub leverage_factor: Option<LeverageFactor>,
}

impl PenalisedFit {
    /// The coefficients for one unit of each feature.
    #[must_use]
    pub fn original_coefficients(&self) -> Vec<f64> {
        self.coefficients.iter().zip(&self.scales).map(|(coefficient, scale)| coefficient / scale).collect()
    }
}

/// Fits one penalty. `names`: the features, then the target. Features may be linearly dependent, and more than the
/// rows, unless alpha is zero.
///
/// # Errors
/// [`SolveError`] with the name of a column that is constant or not finite, or for a penalty outside its range.
pub fn fit(moments: &Moments, names: &[String], penalty: Penalty) -> Result<PenalisedFit, SolveError> {
    let lengths = moments.lengths(names)?;
    if has_no_strength(penalty) {
        moments.check_independence(&lengths, names)?;
    }
    fit_of_part(moments, names, penalty)
}

fn has_no_strength(penalty: Penalty) -> bool {
    matches!(penalty, Penalty::Ridge { alpha } | Penalty::ElasticNet { alpha, .. } if alpha == 0.0)
}

/// As [`fit()`], for a part of the rows: a feature that is constant in the part gets the coefficient 0, as do linear
/// combinations of others without a penalty.
///
/// # Errors
/// As [`fit()`], except for constant and dependent features.
pub fn fit_of_part(moments: &Moments, names: &[String], penalty: Penalty) -> Result<PenalisedFit, SolveError> {
    if has_no_strength(penalty) {
        let dropped = moments.redundant_features().columns();
        if !dropped.is_empty() {
            return without_penalty(moments, names, penalty, &dropped);
        }
    }
    let problem = Problem::new(moments, names, moments.unchecked_lengths());
    let fit = problem.fit(penalty)?;
    let ridge_alpha = if let Penalty::Ridge { alpha } = penalty { Some(alpha) } else { None };
    Ok(PenalisedFit { leverage_factor: problem.leverage_factor(ridge_alpha), ..fit })
}

/// Without a penalty, features that the rows do not determine get the coefficient 0, and there is no leverage factor.
fn without_penalty(
    moments: &Moments,
    names: &[String],
    penalty: Penalty,
    dropped: &[usize],
) -> Result<PenalisedFit, SolveError> {
    let determined = moments.without(dropped);
    let kept: Vec<String> =
        names.iter().enumerate().filter(|(at, _)| !dropped.contains(at)).map(|(_, name)| name.clone()).collect();
    let mut fit = Problem::new(&determined, &kept, determined.unchecked_lengths()).fit(penalty)?;
    let all = Problem::new(moments, names, moments.unchecked_lengths());
    for place in dropped {
        fit.coefficients.insert((*place).min(fit.coefficients.len()), 0.0);
    }
    fit.means = moments.means();
    fit.means.pop();
    fit.scales.clone_from(&all.scales);
    fit.zero += dropped.len();
    Ok(fit)
}

/// Fits several penalties, each starting from the coefficients of the one before: fastest in descending order. A
/// feature that is constant gets the coefficient 0.
///
/// # Errors
/// As [`fit`], except for constant features.
pub fn path(moments: &Moments, names: &[String], penalties: &[Penalty]) -> Result<Vec<PenalisedFit>, SolveError> {
    Problem::new(moments, names, moments.unchecked_lengths()).path(penalties, Accuracy::Exact, &|_| {})
}

/// The regularization path of an elastic net: from the smallest alpha with which all coefficients are zero to a
/// thousandth of it, at equal ratios. Empty if no column varies.
///
/// Ridge has no zero coefficients: for an `l1_ratio` below 0.001, the path starts as for 0.001 (as in glmnet).
#[must_use]
pub fn alphas(moments: &impl PenalisedMoments, l1_ratio: f64, count: usize) -> Vec<f64> {
    let first = moments.largest_correlation() / l1_ratio.max(PATH_LENGTH);
    if first.is_finite() && first > 0.0 { geometric(first, first * PATH_LENGTH, count) } else { Vec::new() }
}

/// The regularization path of ridge, descending: from a thousand times the total weight, where all coefficients are
/// close to zero, to 10⁻⁸ of that, which affects nearly dependent features only.
#[must_use]
pub fn ridge_alphas(moments: &impl PenalisedMoments, count: usize) -> Vec<f64> {
    geometric(1e3 * moments.weight(), 1e-5 * moments.weight(), count)
}

/// A geometric sequence of `count` numbers from the first to the last.
pub(crate) fn geometric(first: f64, last: f64, count: usize) -> Vec<f64> {
    let steps = count.saturating_sub(1).max(1) as f64;
    (0..count).map(|step| first * libm::pow(last / first, step as f64 / steps)).collect()
}

/// Checks the coefficients of the features of these names.
fn check_finite(coefficients: &[f64], names: &[String]) -> Result<(), SolveError> {
    match coefficients.iter().position(|coefficient| !coefficient.is_finite()) {
        Some(column) => Err(SolveError::NotFinite { name: names.get(column).cloned().unwrap_or_default() }),
        None => Ok(()),
    }
}

impl Problem<'_> {
    fn path(
        &self,
        penalties: &[Penalty],
        accuracy: Accuracy,
        report: &dyn Fn(f64),
    ) -> Result<Vec<PenalisedFit>, SolveError> {
        let weights: Vec<PenaltyWeights> =
            penalties.iter().map(|penalty| penalty.weights(self.moments.weight())).collect::<Result<_, _>>()?;
        if penalties.len() > 1 && weights.iter().all(|weights| weights.l1 == 0.0 && weights.l2 > 0.0) {
            if let Some(found) = self.ridges_of_levels(&weights) {
                return found.iter().map(|found| self.fitted(found, 0, 0.0, true)).collect();
            }
            let bidiagonal = Bidiagonal::new(&self.columns, &self.target);
            return weights.iter().map(|weights| self.fitted(&bidiagonal.ridge(weights.l2), 0, 0.0, true)).collect();
        }
        let mut descent = Descent::new(self);
        let mut fits = Vec::with_capacity(penalties.len());
        for (penalty, weights) in penalties.iter().zip(weights) {
            fits.push(match self.without_zeros(*penalty, weights)? {
                Some(fit) => fit,
                None => self.descend(&mut descent, weights, accuracy)?,
            });
            report(fits.len() as f64 / penalties.len() as f64);
        }
        Ok(fits)
    }

    fn fit(&self, penalty: Penalty) -> Result<PenalisedFit, SolveError> {
        let weights = penalty.weights(self.moments.weight())?;
        if let Some(fit) = self.without_zeros(penalty, weights)? {
            return Ok(fit);
        }
        let mut descent = Descent::new(self);
        descent.approach(weights.in_units(self.unit));
        self.descend(&mut descent, weights, Accuracy::Exact)
    }

    /// The fit with a penalty on squares only, or none.
    fn without_zeros(&self, penalty: Penalty, weights: PenaltyWeights) -> Result<Option<PenalisedFit>, SolveError> {
        if has_no_strength(penalty) {
            self.moments.check_independence(&self.lengths, self.names)?;
        }
        if weights.l1 > 0.0 {
            return Ok(None);
        }
        // With fewer rows than columns, the QR of as many further rows as columns would take most of the time.
        let is_wide = self.target.len() < self.columns.len() && weights.l2 > 0.0;
        let of_levels = self.ridges_of_levels(&[weights]).and_then(|mut found| found.pop());
        let found = if let Some(found) = of_levels {
            found
        } else if is_wide {
            Bidiagonal::new(&self.columns, &self.target).ridge(weights.l2)
        } else {
            self.ridge(weights.l2)
        };
        self.fitted(&found, 0, 0.0, true).map(Some)
    }

    /// The fits with penalties on squares only, of a large category.
    fn ridges_of_levels(&self, penalties: &[PenaltyWeights]) -> Option<Vec<Vec<f64>>> {
        let is_large = self.columns.len() > MOST_COLUMNS;
        if is_large { penalties.iter().map(|weights| self.ridge_of_levels(weights.l2)).collect() } else { None }
    }

    fn descend(
        &self,
        descent: &mut Descent<'_>,
        weights: PenaltyWeights,
        accuracy: Accuracy,
    ) -> Result<PenalisedFit, SolveError> {
        let converged = descent.minimise(weights.in_units(self.unit), accuracy);
        self.fitted(&descent.coefficients, descent.sweeps, descent.gap, converged)
    }

    /// The fit with these coefficients of a target of length 1.
    fn fitted(&self, found: &[f64], iterations: u32, gap: f64, converged: bool) -> Result<PenalisedFit, SolveError> {
        let residual = self.residual(found);
        let squares = dot(&residual, &residual) + self.unexplained;
        let coefficients: Vec<f64> = found.iter().map(|coefficient| coefficient * self.unit).collect();
        check_finite(&coefficients, self.names)?;
        let mut means = self.moments.means();
        means.pop();
        Ok(PenalisedFit {
            means,
            scales: self.scales.clone(),
            intercept: intercept(self.moments.exact_means(), &coefficients, &self.scales),
            residual_sum_of_squares: squares * self.unit * self.unit,
            zero: coefficients.iter().filter(|coefficient| **coefficient == 0.0).count(),
            coefficients,
            iterations,
            gap,
            converged,
            leverage_factor: None,
        })
    }
}

#[cfg(test)]
mod tests;
