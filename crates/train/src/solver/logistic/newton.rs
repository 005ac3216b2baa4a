//! Newton's method with the whole Hessian, with one pass over the rows for each iteration.

use super::super::design_rows::DesignRows;
use super::super::error::SolveError;
use super::super::qr::UpperTriangle;
use super::iterate::{Iterate, LAST_STEP, SHORTEST_STEP, Solution, longest};
use super::packed::packed_index;
use super::settings::LogisticSettings;
use super::standardised_rows::StandardisedRows;
use super::sums::{ColumnBlock, Sums};

/// Minimises from these parameters. Also returns the Gram matrix of the columns times the curvature of the first score,
/// if all parameters are zero at the start: all rows then have the same curvature except for their weight.
pub(super) fn minimise<R: DesignRows>(
    rows: &StandardisedRows<'_, R, ColumnBlock>,
    start: Vec<Vec<f64>>,
    settings: &LogisticSettings,
    penalty: f64,
    weight: f64,
) -> Result<(Solution, Option<Vec<f64>>), SolveError> {
    let (scores, parameters) = (start.len(), start.first().map_or(0, Vec::len));
    let at_zero = start.iter().flatten().all(|value| *value == 0.0);
    let mut gram = None;
    let mut candidate = start;
    let mut accepted: Option<Accepted> = None;
    let mut step = 1.0;
    let mut passes = 0;
    let mut first = None;
    loop {
        passes += 1;
        let mut sums = Sums::zero(scores, parameters);
        let numbers = sums.grams.iter().map(Vec::len).sum();
        rows.sum(numbers, &|_, block| Sums::from_block(block, &candidate), |block| sums.add(&block))?;
        if passes == 1 && at_zero {
            gram = sums.grams.first().cloned();
        }
        let (point, gradient) = Iterate::new(candidate, &sums.first, penalty, weight);
        let is_last = passes >= settings.max_iterations;
        rows.report(point.gradient, *first.get_or_insert(point.gradient), settings.tolerance);
        if let Some(best) = accepted.take_if(|best| !best.point.accepts(&point, step, best.slope)) {
            step /= 2.0;
            if step < SHORTEST_STEP || is_last {
                return Ok((Solution { point: best.point, passes, converged: false }, gram));
            }
            candidate = best.point.moved(step, &best.direction);
            accepted = Some(best);
            continue;
        }
        let Some(direction) = newton_direction(&sums, &gradient, penalty, weight, settings.intercept) else {
            return Ok((Solution { point, passes, converged: false }, gram));
        };
        candidate = point.moved(1.0, &direction);
        if point.gradient <= settings.tolerance && longest(&direction) <= LAST_STEP * point.size() {
            let point = Iterate { parameters: candidate, ..point };
            return Ok((Solution { point, passes, converged: true }, gram));
        }
        if point.is_flat() || is_last {
            let converged = point.is_flat();
            return Ok((Solution { point, passes, converged }, gram));
        }
        step = 1.0;
        let slope = direction.iter().zip(&gradient).map(|(direction, slope)| direction * slope).sum();
        accepted = Some(Accepted { point, direction, slope });
    }
}

/// A point, the Newton direction from it, and the slope along it.
struct Accepted {
    point: Iterate,
    direction: Vec<f64>,
    slope: f64,
}

/// `−H⁻¹ g`; none when the Hessian is not finite.
fn newton_direction(sums: &Sums, gradient: &[f64], penalty: f64, weight: f64, intercept: bool) -> Option<Vec<f64>> {
    // Without an intercept, its gradient and curvature are zero: this curvature keeps it zero.
    let intercept_curvature = if intercept { 0.0 } else { 1.0 };
    let scores = sums.first.slopes.len();
    let parameters = gradient.len() / scores.max(1);
    let second = |i: usize, j: usize| {
        let (score, parameter) = (i / parameters, i % parameters);
        let (other_score, other_parameter) = (j / parameters, j % parameters);
        let gram = sums.grams.get(packed_index(score, other_score, scores));
        let (first, last) = (parameter.min(other_parameter), parameter.max(other_parameter));
        let entry =
            gram.and_then(|gram| gram.get(packed_index(first, last, parameters))).copied().unwrap_or(0.0) / weight;
        let diagonal = if parameter + 1 < parameters { penalty } else { intercept_curvature };
        let diagonal = if i == j { diagonal } else { 0.0 };
        // Adds curvature to the direction that changes no probability. Its gradient is zero, so the other directions do
        // not change.
        let pinned = if scores > 1 && parameter == other_parameter { 1.0 / scores as f64 } else { 0.0 };
        entry + diagonal + pinned
    };
    let size = gradient.len();
    let rows: Vec<Vec<f64>> = (0..size).map(|i| (i..size).map(|j| second(i, j)).collect()).collect();
    let largest = rows.iter().filter_map(|row| row.first()).copied().fold(0.0, f64::max);
    // Rounding errors may exceed a curvature that is nearly zero; adding some makes the step shorter.
    let triangle = [0.0, 1e-14, 1e-12, 1e-10].iter().find_map(|more| {
        let mut rows = rows.clone();
        rows.iter_mut().filter_map(|row| row.first_mut()).for_each(|diagonal| *diagonal += more * largest);
        UpperTriangle::cholesky(rows)
    })?;
    let direction: Vec<f64> =
        triangle.solve(&triangle.solve_transposed(gradient)).into_iter().map(|value| -value).collect();
    direction.iter().all(|value| value.is_finite()).then_some(direction)
}
