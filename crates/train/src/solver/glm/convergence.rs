//! When the iteration has ended.

use super::super::error::SolveError;
use super::super::logistic::iterate::LAST_STEP;
use super::sums::{Curvatures, Pass};
use super::{GlmRows, Point, Problem};
use ordinate_model::family::Family;

/// A step that changes the expected total by less than this fraction of what it would change with equal means moves
/// rows of nearly zero mean only: their mean has no positive lower bound (separation).
const SEPARATED: f64 = 1e-10;

/// A step of a separated fit changes the rows with a target above zero by less than this fraction of the other changes.
const UNTOUCHED: f64 = 1e-6;

/// A step that changes the linear predictors of all rows by less than this, and by more than half of the last one, is
/// of rounding errors.
const ROUNDING: f64 = 1e-3;

impl<R: GlmRows> Problem<'_, R> {
    /// Whether a short step changes the linear predictor of no row, those of a small weight included: the error that is
    /// left then is about its square. `last_reach`: the largest change of the short step before.
    pub(super) fn is_last(&self, step: &[f64], last_reach: &mut Option<f64>) -> Result<bool, SolveError> {
        let [of_zero, of_others] = self.reach(step)?;
        let reach = of_zero.max(of_others);
        let before = last_reach.replace(reach);
        Ok(reach <= LAST_STEP || (reach <= ROUNDING && before.is_some_and(|before| reach > before / 2.0)))
    }

    /// The largest changes of the linear predictor by a step: of rows whose target is 0, and of others.
    fn reach(&self, step: &[f64]) -> Result<[f64; 2], SolveError> {
        Ok(self.rows.sum(&Pass::Reach { direction: step }, Curvatures::Sum)?.reach)
    }

    /// Whether a step only reduces means that have no positive lower bound: those of rows whose target is 0.
    pub(super) fn is_separated(&self, point: &Point, step: &[f64], slope: f64) -> Result<bool, SolveError> {
        if self.settings.family != Family::Poisson || self.settings.alpha > 0.0 {
            return Ok(false);
        }
        let changes = self.rows.basis.mean_square(step);
        let expected = point.sums.curvature / self.rows.weight;
        if -slope > SEPARATED * expected * changes {
            return Ok(false);
        }
        let [of_zero, of_others] = self.reach(step)?;
        Ok(of_others <= UNTOUCHED * of_zero)
    }
}
