//! Detects features that are linear combinations of others.

use super::Moments;
use crate::solver::error::SolveError;

/// A column is a combination of others when a smaller fraction of its length is orthogonal to them: well above the rounding
/// errors of an exact combination, far below any measurement. Or when the orthogonal part is no longer than the rounding
/// errors of the values, its own and the others', which are larger for numbers far from zero.
const RANK_TOLERANCE: f64 = 1e-11;

/// A column with a larger orthogonal fraction is not a combination, however far its values are from zero.
const SUSPECT: f64 = 1e-3;

/// The smallest coefficient, for columns of unit length, of a column that belongs to the combination.
const INVOLVED: f64 = 1e-6;

impl Moments {
    /// Checks that no feature is a combination of others.
    ///
    /// # Errors
    /// [`SolveError::Dependent`], with the columns of the combination.
    pub(crate) fn check_independence(&self, lengths: &[f64], names: &[String]) -> Result<(), SolveError> {
        let name = |column: usize| names.get(column).cloned().unwrap_or_default();
        match self.dependency(lengths) {
            Some(involved) => Err(SolveError::Dependent { names: involved.into_iter().map(name).collect() }),
            None => Ok(()),
        }
    }

    /// The first feature that is a combination of the features before it, preceded by those. Columns are compared at unit
    /// length, so the units of measurement do not matter.
    fn dependency(&self, lengths: &[f64]) -> Option<Vec<usize>> {
        let features = lengths.len().saturating_sub(1);
        let means = self.means();
        // The squared length of a relative error of 1 in every value.
        let spread = |mean: &f64, length: &f64| self.weight * mean * mean + length * length;
        let spreads: Vec<f64> = means.iter().zip(lengths).map(|(mean, length)| spread(mean, length)).collect();
        self.triangle.rows().iter().zip(lengths).take(features).enumerate().find_map(|(column, (row, length))| {
            let own = row.first().copied().unwrap_or(0.0);
            if own > SUSPECT * length {
                return None;
            }
            let parts = self.triangle.leading(column).solve(self.triangle.column(column).get(..column)?);
            let others: f64 = parts.iter().zip(&spreads).map(|(part, spread)| part * part * spread).sum();
            let rounding = f64::EPSILON * (others + spreads.get(column)?).sqrt();
            if own > f64::max(RANK_TOLERANCE * length, rounding) {
                return None;
            }
            let involved = parts.iter().zip(lengths).enumerate();
            let involved = involved.filter(|(_, (part, of))| (*part * **of).abs() > INVOLVED * length);
            Some(involved.map(|(other, _)| other).chain([column]).collect())
        })
    }
}
