//! The moments of rows to which penalties are fitted.

use super::super::error::SolveError;
use super::super::length::length;
use super::super::moments::Moments;
use super::super::qr::dot;
use super::descent::Accuracy;
use super::problem::Problem;
use super::{PenalisedFit, Penalty};

/// Moments of rows to which penalties are fitted. `names`: the features, then the target.
pub trait PenalisedMoments: Clone + Send + Sync {
    /// The number of rows.
    fn rows(&self) -> u64;

    /// The sum of the weights.
    fn weight(&self) -> f64;

    /// The moments of the rows of both.
    #[must_use]
    fn merge(&self, other: &Self) -> Self;

    /// The largest mean product of a standardised feature and the target about its mean.
    fn largest_correlation(&self) -> f64;

    /// As [`fit()`](super::fit()).
    ///
    /// # Errors
    /// As [`fit()`](super::fit()).
    fn fit(&self, names: &[String], penalty: Penalty) -> Result<PenalisedFit, SolveError>;

    /// As [`fit_of_part`](super::fit_of_part).
    ///
    /// # Errors
    /// As [`fit_of_part`](super::fit_of_part).
    fn fit_of_part(&self, names: &[String], penalty: Penalty) -> Result<PenalisedFit, SolveError>;

    /// As [`path`](super::path()), with as many digits as the scores of cross-validation need. Reports the fraction of
    /// the penalties that are done.
    ///
    /// # Errors
    /// As [`path`](super::path()).
    fn path_for_scores(
        &self,
        names: &[String],
        penalties: &[Penalty],
        report: &dyn Fn(f64),
    ) -> Result<Vec<PenalisedFit>, SolveError>;

    /// `Σ w (y − ŷ)²` over these rows for a fit to any rows.
    fn squared_error(&self, fit: &PenalisedFit) -> f64;
}

impl PenalisedMoments for Moments {
    fn rows(&self) -> u64 {
        Self::rows(self)
    }

    fn weight(&self) -> f64 {
        Self::weight(self)
    }

    fn merge(&self, other: &Self) -> Self {
        Self::merge(self, other)
    }

    fn largest_correlation(&self) -> f64 {
        let target = self.triangle().columns().saturating_sub(1);
        let projection = self.triangle().column(target);
        let correlation = |feature| {
            let column = self.triangle().column(feature);
            let length = length(&column);
            let product = dot(&column, projection.get(..column.len()).unwrap_or_default()).abs();
            if length > 0.0 { product / length } else { 0.0 }
        };
        (0..target).map(correlation).fold(0.0, f64::max) / Self::weight(self).sqrt()
    }

    fn fit(&self, names: &[String], penalty: Penalty) -> Result<PenalisedFit, SolveError> {
        super::fit(self, names, penalty)
    }

    fn fit_of_part(&self, names: &[String], penalty: Penalty) -> Result<PenalisedFit, SolveError> {
        super::fit_of_part(self, names, penalty)
    }

    fn path_for_scores(
        &self,
        names: &[String],
        penalties: &[Penalty],
        report: &dyn Fn(f64),
    ) -> Result<Vec<PenalisedFit>, SolveError> {
        Problem::new(self, names, self.unchecked_lengths()).path(penalties, Accuracy::Near, report)
    }

    fn squared_error(&self, fit: &PenalisedFit) -> f64 {
        Self::squared_error(self, &fit.means, fit.intercept, &fit.original_coefficients())
    }
}
