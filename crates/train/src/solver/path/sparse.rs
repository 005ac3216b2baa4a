//! Penalised fits to categories of many levels and a few numbers.

use super::super::error::SolveError;
use super::super::moments::SparseMoments;
use super::descent::Accuracy;
use super::gram::Gram;
use super::gram_descent::GramDescent;
use super::problem::intercept;
use super::{PenalisedFit, PenalisedMoments, Penalty, check_finite};

/// The penalty on squares ÷ the total weight below which the products of nearly dependent columns have too few digits:
/// the error of coefficients is at most about the rounding error of a double ÷ this.
const LEAST_RIDGE: f64 = 1e-7;

impl PenalisedMoments for SparseMoments {
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
        let gram = Gram::new(self);
        let largest = gram.target.iter().fold(0.0_f64, |most, correlation| most.max(correlation.abs()));
        largest * gram.unit / gram.weight
    }

    fn fit(&self, names: &[String], penalty: Penalty) -> Result<PenalisedFit, SolveError> {
        self.check(names)?;
        match self.constant_features().first() {
            Some(column) => Err(SolveError::ConstantFeature { name: names.get(*column).cloned().unwrap_or_default() }),
            None => self.fit_of_part(names, penalty),
        }
    }

    fn fit_of_part(&self, names: &[String], penalty: Penalty) -> Result<PenalisedFit, SolveError> {
        let mut fits = SparseProblem::new(self, names).path(&[penalty], Accuracy::Exact, &|_| {})?;
        // One fit for each penalty.
        fits.pop().ok_or(SolveError::Uncorrelated)
    }

    fn path_for_scores(
        &self,
        names: &[String],
        penalties: &[Penalty],
        report: &dyn Fn(f64),
    ) -> Result<Vec<PenalisedFit>, SolveError> {
        SparseProblem::new(self, names).path(penalties, Accuracy::Near, report)
    }

    fn squared_error(&self, fit: &PenalisedFit) -> f64 {
        Self::squared_error(self, &fit.means, fit.intercept, &fit.original_coefficients())
    }
}

struct SparseProblem<'a> {
    moments: &'a SparseMoments,
    names: &'a [String],
    gram: Gram,
}

impl<'a> SparseProblem<'a> {
    fn new(moments: &'a SparseMoments, names: &'a [String]) -> Self {
        Self { moments, names, gram: Gram::new(moments) }
    }

    fn path(
        &self,
        penalties: &[Penalty],
        accuracy: Accuracy,
        report: &dyn Fn(f64),
    ) -> Result<Vec<PenalisedFit>, SolveError> {
        let mut descent = GramDescent::new(&self.gram);
        let mut fits = Vec::with_capacity(penalties.len());
        for penalty in penalties {
            let weights = penalty.weights(self.gram.weight)?;
            let converged = if weights.l1 > 0.0 {
                descent.minimise(weights.in_units(self.gram.unit), accuracy)
            } else {
                descent.ridge(weights.l2, accuracy);
                weights.l2 >= LEAST_RIDGE * self.gram.weight
            };
            fits.push(self.fitted(&descent, converged)?);
            report(fits.len() as f64 / penalties.len() as f64);
        }
        Ok(fits)
    }

    /// The fit with the coefficients of a target of length 1.
    fn fitted(&self, descent: &GramDescent<'_>, converged: bool) -> Result<PenalisedFit, SolveError> {
        let Gram { unit, columns, scales: of_features, .. } = &self.gram;
        let (mut coefficients, mut scales) = (vec![0.0; columns.len()], vec![1.0; columns.len()]);
        for ((column, scale), coefficient) in columns.iter().zip(of_features).zip(&descent.coefficients) {
            coefficients.get_mut(*column).into_iter().for_each(|slot| *slot = coefficient * unit);
            scales.get_mut(*column).into_iter().for_each(|slot| *slot = *scale);
        }
        check_finite(&coefficients, self.names)?;
        let means = self.moments.exact_means();
        let intercept = intercept(means.iter().copied(), &coefficients, &scales);
        Ok(PenalisedFit {
            means: means.iter().take(columns.len()).map(|mean| mean.parts().0).collect(),
            scales,
            intercept,
            residual_sum_of_squares: descent.residual_squares() * unit * unit,
            zero: coefficients.iter().filter(|coefficient| **coefficient == 0.0).count(),
            coefficients,
            iterations: descent.sweeps,
            gap: descent.gap,
            converged,
            leverage_factor: None,
        })
    }
}
