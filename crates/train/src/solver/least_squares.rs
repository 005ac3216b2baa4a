//! Ordinary least squares from the moments of the data. [`Refinement`](super::refinement::Refinement) corrects the last
//! digits.

use super::error::SolveError;
use super::moments::Moments;
use super::qr::{UpperTriangle, dot};
use super::unit_errors::UnitErrors;
use ordinate_model::double_double::DoubleDouble;

impl Moments {
    /// The fit that minimises the sum of squared residuals. `names`: the features, then the target.
    ///
    /// # Errors
    /// [`SolveError`] with the names of columns when there is no single finite solution.
    pub fn solve(&self, names: &[String]) -> Result<LeastSquaresFit, SolveError> {
        let features = self.triangle().columns().saturating_sub(1);
        if self.rows() < (features + self.intercepts()) as u64 {
            return Err(SolveError::TooFewRows { rows: self.rows(), features, intercept: self.intercepts() > 0 });
        }
        let lengths = self.lengths(names)?;
        self.check_independence(&lengths, names)?;
        self.solve_independent(names)
    }

    /// As [`solve`](Self::solve), for a part of the rows: features that the part does not determine, because they are
    /// constant or combinations of others in it, are left out. Returns those, too.
    ///
    /// # Errors
    /// [`SolveError::NotFinite`]
    pub(crate) fn solve_part(&self, names: &[String]) -> Result<(LeastSquaresFit, Vec<usize>), SolveError> {
        self.finite_lengths(names)?;
        let dropped = self.redundant_features().columns();
        if dropped.is_empty() {
            return Ok((self.solve_independent(names)?, dropped));
        }
        let names: Vec<String> = names
            .iter()
            .enumerate()
            .filter(|(column, _)| !dropped.contains(column))
            .map(|(_, name)| name.clone())
            .collect();
        Ok((self.without(&dropped).solve_independent(&names)?, dropped))
    }

    /// Solves for independent features.
    fn solve_independent(&self, names: &[String]) -> Result<LeastSquaresFit, SolveError> {
        let features = self.triangle().columns().saturating_sub(1);
        let name = |column: usize| names.get(column).cloned().unwrap_or_default();
        let design = self.triangle().leading(features);
        let target = self.triangle().column(features);
        let (residual, projection) = target.split_last().map_or((0.0, &[][..]), |(last, rest)| (*last, rest));
        let mean = self.means();
        let (target_mean, means) = mean.split_last().map_or((0.0, &[][..]), |(last, rest)| (*last, rest));
        let coefficients = design.solve(projection);
        if let Some(column) = coefficients.iter().position(|coefficient| !coefficient.is_finite()) {
            return Err(SolveError::NotFinite { name: name(column) });
        }
        Ok(LeastSquaresFit {
            rows: self.rows(),
            weight: self.weight(),
            through_origin: self.intercepts() == 0,
            zeros: 0,
            means: means.to_vec(),
            intercept: target_mean,
            intercept_low_part: 0.0,
            coefficient_low_parts: vec![0.0; coefficients.len()],
            coefficients,
            triangle: design,
            unit_errors: None,
            level_errors: self.level_errors(),
            explained_sum_of_squares: dot(projection, projection),
            residual_sum_of_squares: residual * residual,
        })
    }
}

/// A least-squares fit in centred form: `y = intercept + Σ coefficientⱼ · (xⱼ − meanⱼ)`.
#[derive(Debug, Clone, PartialEq)]
pub struct LeastSquaresFit {
    /// The number of rows.
    pub rows: u64,
    /// The sum of their weights.
    pub weight: f64,
    /// Whether the fit has no intercept. The intercept and the means are then zero, and sums of squares are about zero.
    pub through_origin: bool,
    /// The number of features whose coefficient is 0 because the rows do not determine it.
    pub zeros: usize,
    /// The centre of each feature: its mean, rounded to a double.
    pub means: Vec<f64>,
    /// The prediction at the means.
    pub intercept: f64,
    /// The low part of the intercept as a double-double: far from the means, large terms cancel.
    pub intercept_low_part: f64,
    /// One for each feature: the change of the target for one unit of the feature.
    pub coefficients: Vec<f64>,
    /// The low parts of the coefficients as double-doubles.
    pub coefficient_low_parts: Vec<f64>,
    /// The factor R of the centred features: `RᵀR = (X − mean)ᵀ W (X − mean)`, where `W` are the weights.
    pub triangle: UpperTriangle,
    /// Unit standard errors, where they have more digits than those from `triangle`.
    pub unit_errors: Option<UnitErrors>,
    /// Unit standard errors of a fit with a category of many levels, which takes much less time than from `triangle`.
    pub level_errors: Option<UnitErrors>,
    /// `Σ w (ŷ − mean of y)²` over the rows of the fit.
    pub explained_sum_of_squares: f64,
    /// `Σ w (y − ŷ)²` over the rows of the fit.
    pub residual_sum_of_squares: f64,
}

impl LeastSquaresFit {
    /// `y − ŷ` of one row of the design with the low parts of its columns, which may be empty.
    ///
    /// Nearly dependent columns, such as powers of a number far from zero, have large coefficients whose terms cancel.
    /// Double-doubles preserve the digits of the difference.
    pub(crate) fn residual(&self, design: &[f64], low_parts: &[f64], target: f64) -> f64 {
        if low_parts.is_empty() && self.unit_errors.is_none() {
            let terms = self.coefficients.iter().zip(design.iter().zip(&self.means));
            return target
                - (self.intercept + terms.map(|(coefficient, (x, mean))| coefficient * (x - mean)).sum::<f64>());
        }
        let coefficients = self.coefficients.iter().copied().zip(self.coefficient_low_parts.iter().copied());
        let low_parts = low_parts.iter().copied().chain(std::iter::repeat(0.0));
        let columns = design.iter().copied().zip(low_parts).zip(&self.means);
        let start = DoubleDouble::from(target) - DoubleDouble::from((self.intercept, self.intercept_low_part));
        let residual = coefficients.zip(columns).fold(start, |residual, (coefficient, (column, mean))| {
            residual - DoubleDouble::from(coefficient) * (DoubleDouble::from(column) - DoubleDouble::from(*mean))
        });
        residual.to_f64()
    }

    /// The fit with coefficients of 0 for further features at these ascending places, which have these means. It has no
    /// factor R.
    pub(crate) fn with_zeros(mut self, places: &[usize], means: &[f64]) -> Self {
        for place in places {
            let place = (*place).min(self.coefficients.len());
            self.coefficients.insert(place, 0.0);
            self.coefficient_low_parts.insert(place, 0.0);
        }
        self.zeros += places.len();
        means.clone_into(&mut self.means);
        self.triangle = UpperTriangle::zeros(0);
        (self.unit_errors, self.level_errors) = (None, None);
        self
    }

    /// The number of parameters: one for each feature that the rows determine, and the intercept if there is one.
    #[must_use]
    pub fn parameters(&self) -> u64 {
        (self.means.len() - self.zeros) as u64 + u64::from(!self.through_origin)
    }

    /// The residual degrees of freedom: rows − parameters.
    #[must_use]
    pub fn degrees_of_freedom(&self) -> u64 {
        self.rows.saturating_sub(self.parameters())
    }

    /// For each column, the fraction of its length that is orthogonal to the columns before it.
    pub fn orthogonal_fractions(&self) -> impl Iterator<Item = f64> {
        let lengths = self.triangle.lengths().into_iter();
        self.triangle.rows().iter().zip(lengths).map(|(row, length)| row.first().map_or(0.0, |own| own / length))
    }

    /// Whether all residuals are rounding errors of the target.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        let mean_length = self.weight.sqrt() * self.intercept;
        let length = (self.explained_sum_of_squares + self.residual_sum_of_squares).sqrt();
        // Roots, because squares of small weights underflow.
        self.residual_sum_of_squares.sqrt() <= f64::EPSILON * libm::hypot(length, mean_length)
    }

    /// The residual variance, `residual sum of squares / degrees of freedom`; none without degrees of freedom.
    #[must_use]
    pub fn residual_variance(&self) -> Option<f64> {
        let freedom = self.degrees_of_freedom();
        (freedom > 0).then(|| self.residual_sum_of_squares / freedom as f64)
    }
}

#[cfg(test)]
mod tests;
