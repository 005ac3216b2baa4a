//! Ridge, lasso and elastic net from the moments of the data: whole paths of penalties without another pass.
//!
//! Features are standardised (weighted mean, population standard deviation), the intercept is not penalised, and the
//! objectives are scikit-learn's:
//!
//! ```text
//! ridge        Σ w (y − ŷ)²              + alpha · ‖b‖²
//! elastic net  Σ w (y − ŷ)² / (2 Σ w)    + alpha · l1_ratio · ‖b‖₁ + alpha · (1 − l1_ratio) / 2 · ‖b‖²
//! lasso        the elastic net of l1_ratio = 1
//! ```
//!
//! Without an intercept (moments [about zero](Moments::about_zero)) nothing is centred, and features are divided by their root
//! mean square: their standard deviation about zero.
//!
//! All that is needed of the data is `R`, since `‖y − Zb‖² = ‖r_y − R_z b‖²`. Ridge is one more QR, of `[R; √alpha I]`. The others
//! go by coordinate descent (Friedman, Hastie and Tibshirani, 2010), which finds out which coefficients are zero;
//! once their signs stand, the rest is a linear system, and solving it gives all digits at once where descent would
//! creep along correlated features. Where columns depend on each other, coefficients go to exactly zero until they no longer
//! do (`dependence`). Optimality is proven by the duality gap.

mod dependence;
mod descent;

use super::least_squares::{LeastSquaresError, Moments};
use super::leverage::{MOST_COLUMNS, Spread};
use super::qr::{Triangle, dot};
use descent::{Descent, Price};
use ordinate_model::double_double::DoubleDouble;
use ordinate_model::inference::DIAGONAL_INCREMENT;

/// The smallest of the penalties that [`alphas`] proposes, as a share of the largest.
const PATH_LENGTH: f64 = 1e-3;

/// What large coefficients cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Penalty {
    /// The sum of their squares, beside the sum of squared errors.
    Ridge {
        /// The price.
        alpha: f64,
    },
    /// Their sizes and squares, beside half the mean squared error.
    ElasticNet {
        /// The price.
        alpha: f64,
        /// The share of it that sizes have, in [0, 1]; 1 is the lasso.
        l1_ratio: f64,
    },
}

/// A fitted plane: `y = intercept + Σ coefficientⱼ · (xⱼ − meanⱼ) / scaleⱼ`.
#[derive(Debug, Clone, PartialEq)]
pub struct Penalised {
    /// The mean of each feature.
    pub means: Vec<f64>,
    /// The population standard deviation of each feature.
    pub scales: Vec<f64>,
    /// The prediction at the means: the mean of the target.
    pub intercept: f64,
    /// One a standardised feature; the zeros of lasso and elastic net are exact.
    pub coefficients: Vec<f64>,
    /// `Σ w (y − ŷ)²` over the rows it was fitted to.
    pub residual_sum_of_squares: f64,
    /// Sweeps over the coordinates; none where the answer has a formula.
    pub iterations: u32,
    /// The duality gap that was reached, as a share of the objective when all coefficients are zero: the objective is
    /// at most this far above its minimum. Zero where the answer has a formula.
    pub gap: f64,
    /// Whether the gap is as small as arithmetic allows. Say so when it is not.
    pub converged: bool,
    /// How many coefficients are exactly zero.
    pub zero: usize,
    /// How the rows are spread; only of a single [`fit()`], and of no more than [`MOST_COLUMNS`].
    pub spread: Option<Spread>,
}

impl Penalised {
    /// The coefficients for a unit of each feature, not for a standard deviation of it.
    #[must_use]
    pub fn original_coefficients(&self) -> Vec<f64> {
        self.coefficients.iter().zip(&self.scales).map(|(coefficient, scale)| coefficient / scale).collect()
    }
}

/// Fits one penalty. `names`: the features, then the target.
///
/// # Errors
/// [`LeastSquaresError`], naming the column, when one is constant or not finite, or the penalty is none. Dependent
/// features and fewer rows than features are welcome, except with an alpha of zero, which is least squares.
pub fn fit(moments: &Moments, names: &[String], penalty: Penalty) -> Result<Penalised, LeastSquaresError> {
    moments.lengths(names)?;
    fit_of_part(moments, names, penalty)
}

/// As [`fit()`], of a part of the rows of which the whole was found to be in order: a feature that happens to be constant in this
/// part gets the coefficient 0.
///
/// # Errors
/// As [`fit()`], but for constant features.
pub fn fit_of_part(moments: &Moments, names: &[String], penalty: Penalty) -> Result<Penalised, LeastSquaresError> {
    let problem = Problem::new(moments, names, moments.unchecked_lengths());
    let fit = problem.fit(penalty, None)?;
    Ok(Penalised { spread: problem.spread(penalty), ..fit })
}

/// Fits several penalties, each starting from the one before: fastest when they fall. The rows may be a part of which the whole was
/// found to be in order: a feature that happens to be constant in this part gets the coefficient 0.
///
/// # Errors
/// As [`fit`], but for constant features.
pub fn path(moments: &Moments, names: &[String], penalties: &[Penalty]) -> Result<Vec<Penalised>, LeastSquaresError> {
    Problem::new(moments, names, moments.unchecked_lengths()).path(penalties)
}

/// Penalties worth trying for an elastic net, from the smallest that leaves no coefficient down to a thousandth of it,
/// evenly in logarithms. Without columns that vary there are none.
///
/// Ridge leaves every coefficient whatever it costs: for a `l1_ratio` below 0.001, that of 0.001 is meant (as in glmnet).
#[must_use]
pub fn alphas(moments: &Moments, l1_ratio: f64, count: usize) -> Vec<f64> {
    let target = moments.triangle().columns().saturating_sub(1);
    let projection = moments.triangle().column(target);
    let correlation = |feature| {
        let column = moments.triangle().column(feature);
        let length = length(&column);
        if length > 0.0 { dot(&column, projection.get(..=feature).unwrap_or_default()).abs() / length } else { 0.0 }
    };
    let largest = (0..target).map(correlation).fold(0.0, f64::max) / moments.weight().sqrt();
    let first = largest / l1_ratio.max(PATH_LENGTH);
    if first.is_finite() && first > 0.0 { geometric(first, first * PATH_LENGTH, count) } else { Vec::new() }
}

/// Penalties worth trying for a ridge, falling: from a thousand times the rows' weight, where hardly anything is left
/// of any coefficient, to a hundred-millionth of that, which only nearly dependent features notice.
#[must_use]
pub fn ridge_alphas(moments: &Moments, count: usize) -> Vec<f64> {
    geometric(1e3 * moments.weight(), 1e-5 * moments.weight(), count)
}

/// `count` numbers from the first to the last, each the same multiple of the one before.
pub(crate) fn geometric(first: f64, last: f64, count: usize) -> Vec<f64> {
    let steps = count.saturating_sub(1).max(1) as f64;
    (0..count).map(|step| first * libm::pow(last / first, step as f64 / steps)).collect()
}

fn length(column: &[f64]) -> f64 {
    column.iter().copied().fold(0.0, f64::hypot)
}

/// Standardised least squares in as many rows as there are columns, of a target of length 1: squares neither overflow nor vanish.
struct Problem<'a> {
    moments: &'a Moments,
    names: &'a [String],
    lengths: Vec<f64>,
    scales: Vec<f64>,
    /// The target's length, in its own unit.
    unit: f64,
    /// `R` of the standardised features and the target.
    triangle: Triangle,
    /// The features' columns of it, down to the diagonal.
    columns: Vec<Vec<f64>>,
    /// What the features can explain of the target, in the same rows.
    target: Vec<f64>,
    /// The square of what they cannot.
    unexplained: f64,
}

impl<'a> Problem<'a> {
    fn new(moments: &'a Moments, names: &'a [String], lengths: Vec<f64>) -> Self {
        let features = lengths.len().saturating_sub(1);
        let root = moments.weight().sqrt();
        let scale = |length: &f64| if *length > 0.0 { length / root } else { 1.0 };
        let scales: Vec<f64> = lengths.iter().take(features).map(scale).collect();
        let unit = lengths.last().copied().filter(|length| *length > 0.0).unwrap_or(1.0);
        let divisors: Vec<f64> = scales.iter().copied().chain([unit]).collect();
        let triangle = moments.triangle().scaled(&divisors);
        let columns = (0..features).map(|feature| triangle.column(feature)).collect();
        let mut target = triangle.column(features);
        let unexplained = target.pop().unwrap_or(0.0).powi(2);
        Self { moments, names, lengths, scales, unit, triangle, columns, target, unexplained }
    }

    fn path(&self, penalties: &[Penalty]) -> Result<Vec<Penalised>, LeastSquaresError> {
        let mut fits: Vec<Penalised> = Vec::with_capacity(penalties.len());
        for penalty in penalties {
            let start = fits.last().map(|fit| fit.coefficients.as_slice());
            fits.push(self.fit(*penalty, start)?);
        }
        Ok(fits)
    }

    fn fit(&self, penalty: Penalty, start: Option<&[f64]>) -> Result<Penalised, LeastSquaresError> {
        let weight = self.moments.weight();
        let (alpha, price) = match penalty {
            Penalty::Ridge { alpha } => (alpha, Price { l1: 0.0, l2: alpha }),
            Penalty::ElasticNet { alpha, l1_ratio } => {
                if !(0.0..=1.0).contains(&l1_ratio) {
                    let allowed = "between 0 (squares only) and 1 (the lasso)";
                    return Err(LeastSquaresError::InvalidPenalty { name: "l1 ratio", value: l1_ratio, allowed });
                }
                (alpha, Price { l1: alpha * l1_ratio * weight, l2: alpha * (1.0 - l1_ratio) * weight })
            }
        };
        if !(alpha >= 0.0 && (price.l1 + price.l2).is_finite()) {
            let allowed = "a finite number that is not negative";
            return Err(LeastSquaresError::InvalidPenalty { name: "alpha", value: alpha, allowed });
        }
        if alpha == 0.0 {
            self.moments.independent(&self.lengths, self.names)?;
        }
        let (found, iterations, gap, converged) = if price.l1 == 0.0 {
            (self.ridge(price.l2), 0, 0.0, true)
        } else {
            // A price beyond all numbers leaves no more than the highest of them does.
            let price = Price { l1: (price.l1 / self.unit).min(f64::MAX), ..price };
            let start = start.map(|start| start.iter().map(|coefficient| coefficient / self.unit).collect());
            let mut descent = Descent::new(self, price, start);
            let converged = descent.run();
            (descent.coefficients, descent.sweeps, descent.gap, converged)
        };
        let residual = self.residual(&found);
        let squares = dot(&residual, &residual) + self.unexplained;
        let coefficients: Vec<f64> = found.iter().map(|coefficient| coefficient * self.unit).collect();
        if let Some(column) = coefficients.iter().position(|coefficient| !coefficient.is_finite()) {
            return Err(LeastSquaresError::NotFinite { name: self.names.get(column).cloned().unwrap_or_default() });
        }
        let mut means = self.moments.means();
        means.pop();
        Ok(Penalised {
            means,
            scales: self.scales.clone(),
            intercept: self.intercept(&coefficients),
            residual_sum_of_squares: squares * self.unit * self.unit,
            zero: coefficients.iter().filter(|coefficient| **coefficient == 0.0).count(),
            coefficients,
            iterations,
            gap,
            converged,
            spread: None,
        })
    }

    /// The prediction where every feature is at its mean as a double, which is not quite its mean.
    fn intercept(&self, coefficients: &[f64]) -> f64 {
        let mut means: Vec<DoubleDouble> = self.moments.exact_means().collect();
        let at_means = means.pop().unwrap_or_default();
        let terms = means.iter().zip(coefficients).zip(&self.scales);
        let moved = terms.fold(at_means, |sum, ((mean, coefficient), scale)| {
            sum - DoubleDouble::from(mean.parts().1) * DoubleDouble::from(coefficient / scale)
        });
        moved.to_f64()
    }

    /// `b` of `min ‖y − Zb‖² + alpha ‖b‖²`: least squares with a row `√alpha · eⱼ` a feature, whose target is 0.
    fn ridge(&self, alpha: f64) -> Vec<f64> {
        let features = self.columns.len();
        let triangle = self.priced(alpha);
        let mut projection = triangle.column(features);
        projection.pop();
        triangle.leading(features).solve(&projection)
    }

    /// `R` of the standardised features and the target with a row `√alpha · eⱼ` a feature.
    fn priced(&self, alpha: f64) -> Triangle {
        let features = self.columns.len();
        let mut triangle = self.triangle.clone();
        if alpha > 0.0 {
            triangle.absorb(&mut diagonal(features, features + 1, alpha.sqrt()));
        }
        triangle
    }

    /// How the rows are spread, as this penalty sees it.
    fn spread(&self, penalty: Penalty) -> Option<Spread> {
        let features = self.columns.len();
        if features > MOST_COLUMNS {
            return None;
        }
        let Penalty::Ridge { alpha } = penalty else {
            let triangle = self.priced(DIAGONAL_INCREMENT * self.moments.weight()).leading(features);
            return Some(Spread { triangle, degrees_of_freedom: None });
        };
        let triangle = self.priced(alpha).leading(features);
        // tr(H) is the sum of all leverages, and the rows of R stand for those of the design.
        let leverage = |(i, row): (usize, &Vec<f64>)| {
            let row: Vec<f64> = std::iter::repeat_n(0.0, i).chain(row.iter().take(features - i).copied()).collect();
            let part = triangle.solve_transposed(&row);
            dot(&part, &part)
        };
        let left = self.moments.rows() as f64 - self.moments.intercepts() as f64;
        let trace: f64 = self.triangle.rows().iter().take(features).enumerate().map(leverage).sum();
        Some(Spread { degrees_of_freedom: Some(left - trace), triangle })
    }

    /// `y − Zb`, in as many rows as there are features.
    fn residual(&self, coefficients: &[f64]) -> Vec<f64> {
        let mut residual = self.target.clone();
        for (column, coefficient) in self.columns.iter().zip(coefficients).filter(|(_, factor)| **factor != 0.0) {
            add(&mut residual, -coefficient, column);
        }
        residual
    }
}

/// `rows` rows of which each has `value` in its own column, column by column; the last columns are zero.
fn diagonal(rows: usize, columns: usize, value: f64) -> Vec<Vec<f64>> {
    let entry = |row, column| if row == column { value } else { 0.0 };
    (0..columns).map(|column| (0..rows).map(|row| entry(row, column)).collect()).collect()
}

/// `to += factor · column`, where the column may end earlier.
fn add(to: &mut [f64], factor: f64, column: &[f64]) {
    to.iter_mut().zip(column).for_each(|(value, entry)| *value += factor * entry);
}

#[cfg(test)]
mod tests;
