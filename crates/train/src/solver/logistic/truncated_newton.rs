//! Newton's method without the Hessian: its linear systems are solved by conjugate gradients, as far as each step needs
//! (Dembo and Steihaug, 1983), with the products of the Hessian and a vector. It finds the last digits of a minimum
//! that is near, where the Hessian of many classes or columns is too large.

use super::super::conjugate_gradients::conjugate_gradients;
use super::super::design_rows::DesignRows;
use super::super::error::SolveError;
use super::super::qr::dot;
use super::iterate::{Iterate, LAST_STEP, SHORTEST_STEP, Solution, longest};
use super::lbfgs::Descent;
use super::passes::Pass;
use super::settings::LogisticSettings;

/// The largest residual of a linear system that is solved, relative to the first: a rough solution far from the
/// minimum.
const ROUGH: f64 = 0.1;

/// The residual of the system of the last step.
const FINE: f64 = 1e-3;

/// The most products with the Hessian in one system.
const MOST_PRODUCTS: u32 = 300;

/// Minimises from these parameters, with at most so many passes over the rows. A minimum that needs more is near enough
/// where it is near enough for the descent.
pub(super) fn minimise<R: DesignRows>(
    pass: &Pass<'_, '_, R>,
    start: Vec<Vec<f64>>,
    settings: &LogisticSettings,
    descent: &Descent<'_>,
    most_passes: u32,
) -> Result<Solution, SolveError> {
    let Descent { penalty, weight, .. } = *descent;
    let ended = |point: Iterate, passes| {
        let converged = point.gradient <= descent.enough || point.is_flat();
        Ok(Solution { point, passes, converged })
    };
    let mut candidate = start;
    let mut accepted: Option<(Iterate, Vec<f64>, f64)> = None;
    let (mut step, mut passes) = (1.0, 0);
    let mut first_gradient = None;
    loop {
        let (sums, curvatures) = pass.losses(&candidate, true)?;
        passes += 1;
        let (point, gradient) = Iterate::new(candidate, &sums, penalty, weight);
        let is_last = passes >= most_passes;
        if let Some((best, direction, slope)) = accepted.take_if(|(best, _, slope)| !best.accepts(&point, step, *slope))
        {
            step /= 2.0;
            if step < SHORTEST_STEP || is_last {
                return ended(best, passes);
            }
            candidate = best.moved(step, &direction);
            accepted = Some((best, direction, slope));
            continue;
        }
        if point.is_flat() || is_last {
            return ended(point, passes);
        }
        let reference = *first_gradient.get_or_insert(point.gradient);
        let is_near = point.gradient <= settings.tolerance;
        let accuracy = if is_near { FINE } else { (point.gradient / reference).sqrt().clamp(FINE, ROUGH) };
        let product = |vector: &[f64]| -> Result<Vec<f64>, SolveError> {
            let slopes = pass.curvature_times(&point.parameters, curvatures.as_deref(), vector)?;
            Ok(hessian_times(&slopes, vector, pass.parameters, descent))
        };
        let most = MOST_PRODUCTS.min(most_passes - passes);
        let system = conjugate_gradients(&gradient, accuracy, most, product, |vector| descent.precondition(vector))?;
        passes += system.products;
        let direction = system.solution;
        let slope = dot(&direction, &gradient);
        if !(slope < 0.0 && direction.iter().all(|value| value.is_finite())) {
            return ended(point, passes);
        }
        candidate = point.moved(1.0, &direction);
        if is_near && system.is_solved && longest(&direction) <= LAST_STEP * point.size() {
            let point = Iterate { parameters: candidate, ..point };
            return Ok(Solution { point, passes, converged: true });
        }
        step = 1.0;
        accepted = Some((point, direction, slope));
    }
}

/// The product of the Hessian and a vector, from that of the losses for each score.
fn hessian_times(slopes: &[Vec<f64>], vector: &[f64], parameters: usize, descent: &Descent<'_>) -> Vec<f64> {
    let Descent { penalty, weight, .. } = *descent;
    let mut parts = Vec::with_capacity(vector.len());
    for (slopes, vector) in slopes.iter().zip(vector.chunks(parameters)) {
        for (j, (slope, value)) in slopes.iter().zip(vector).enumerate() {
            parts.push(slope / weight + if j + 1 < parameters { penalty * value } else { 0.0 });
        }
    }
    parts
}
