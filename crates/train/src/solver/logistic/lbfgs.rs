//! The limited-memory BFGS method (Nocedal and Wright, *Numerical Optimization*, 2nd edition, algorithms 7.4 and 7.5),
//! for many classes or columns: one pass over the rows for nearly every step, where a step of Newton's method needs
//! many.
//!
//! The step length satisfies the strong Wolfe conditions (algorithm 3.5), found by secants of the slope.

use std::collections::VecDeque;

use super::super::design_rows::DesignRows;
use super::super::error::SolveError;
use super::super::qr::dot;
use super::iterate::{Iterate, Solution};
use super::passes::Pass;
use super::preconditioner::Preconditioner;

/// The steps that estimate the curvature. More need fewer passes, and more memory.
const PAIRS: usize = 20;

/// The fraction of a slope that may be left after a step.
const LEFT: f64 = 0.9;

/// The most lengths of a step that are tried.
const MOST_TRIALS: u32 = 30;

/// The objective, and the accuracy of its minimum.
#[derive(Debug)]
pub(super) struct Descent<'d> {
    pub(super) penalty: f64,
    pub(super) weight: f64,
    /// The curvature of all columns where all probabilities are equal.
    pub(super) curvature: f64,
    pub(super) preconditioner: Option<&'d Preconditioner>,
    /// The largest component of the gradient at which the point is near enough.
    pub(super) enough: f64,
    pub(super) most_passes: u32,
}

impl Descent<'_> {
    /// Minimises from these parameters.
    ///
    /// # Errors
    /// [`SolveError`] when the rows cannot be read.
    pub(super) fn minimise<R: DesignRows>(
        &self,
        pass: &Pass<'_, '_, R>,
        start: Vec<Vec<f64>>,
    ) -> Result<Solution, SolveError> {
        let (mut point, mut gradient) = self.at(pass, start)?;
        let mut passes = 1;
        let first = point.gradient;
        let mut memory: VecDeque<Pair> = VecDeque::with_capacity(PAIRS);
        while passes < self.most_passes {
            pass.rows.report(point.gradient, first, self.enough);
            if point.gradient <= self.enough || point.is_flat() {
                return Ok(Solution { point, passes, converged: true });
            }
            let direction = self.direction(&memory, &gradient);
            let slope = dot(&direction, &gradient);
            if !(slope < 0.0 && slope.is_finite()) {
                break;
            }
            let found = self.step(pass, &point, &direction, slope)?;
            passes += found.trials;
            let Some((next, next_gradient)) = found.point else { break };
            let step: Vec<f64> = direction.iter().map(|value| found.length * value).collect();
            let change: Vec<f64> = next_gradient.iter().zip(&gradient).map(|(next, now)| next - now).collect();
            memory.truncate(PAIRS - 1);
            // Rounding errors may hide the curvature of a short step.
            if let Some(pair) = self.pair(step, change) {
                memory.push_front(pair);
            }
            (point, gradient) = (next, next_gradient);
        }
        let converged = point.gradient <= self.enough;
        Ok(Solution { point, passes, converged })
    }

    fn at<R: DesignRows>(
        &self,
        pass: &Pass<'_, '_, R>,
        parameters: Vec<Vec<f64>>,
    ) -> Result<(Iterate, Vec<f64>), SolveError> {
        let (sums, _) = pass.losses(&parameters, false)?;
        Ok(Iterate::new(parameters, &sums, self.penalty, self.weight))
    }

    pub(super) fn precondition(&self, vector: &[f64]) -> Vec<f64> {
        match self.preconditioner {
            Some(preconditioner) => preconditioner.times(vector),
            None => vector.iter().map(|value| value / self.curvature).collect(),
        }
    }

    fn pair(&self, step: Vec<f64>, change: Vec<f64>) -> Option<Pair> {
        let product = dot(&step, &change);
        let scale = product / dot(&change, &self.precondition(&change));
        (product > 0.0 && scale > 0.0 && scale.is_finite()).then_some(Pair { step, change, product, scale })
    }

    /// The negative product of the gradient and the estimated inverse of the Hessian.
    fn direction(&self, memory: &VecDeque<Pair>, gradient: &[f64]) -> Vec<f64> {
        let mut direction: Vec<f64> = gradient.iter().map(|value| -value).collect();
        let mut factors = Vec::with_capacity(memory.len());
        for pair in memory {
            let factor = dot(&pair.step, &direction) / pair.product;
            add(&mut direction, -factor, &pair.change);
            factors.push(factor);
        }
        direction = self.precondition(&direction);
        let scale = match (memory.front(), self.preconditioner) {
            (Some(pair), _) => pair.scale,
            (None, Some(_)) => 1.0,
            // Many correlated columns together have more than the curvature of one: the first step has at most the
            // length 1.
            (None, None) => (1.0 / dot(&direction, &direction).sqrt()).min(1.0),
        };
        for value in &mut direction {
            *value *= scale;
        }
        for (pair, factor) in memory.iter().zip(factors).rev() {
            let change = dot(&pair.change, &direction) / pair.product;
            add(&mut direction, factor - change, &pair.step);
        }
        direction
    }

    /// Searches for the length of a step along a direction, from 1.
    fn step<R: DesignRows>(
        &self,
        pass: &Pass<'_, '_, R>,
        point: &Iterate,
        direction: &[f64],
        slope: f64,
    ) -> Result<Step, SolveError> {
        let mut length = 1.0;
        // The minimum is beyond the first length, and before the second.
        let (mut low, mut high): ((f64, f64), Option<(f64, f64)>) = ((0.0, slope), None);
        let mut found = Step { length, point: None, trials: 0 };
        while found.trials < MOST_TRIALS {
            found.trials += 1;
            let (next, gradient) = self.at(pass, point.moved(length, direction))?;
            let slope_there = dot(direction, &gradient);
            let accepted = point.accepts(&next, length, slope);
            let is_last = accepted && slope_there.abs() <= LEFT * slope.abs();
            if accepted {
                found = Step { length, point: Some((next, gradient)), ..found };
            }
            if is_last {
                break;
            }
            if accepted && slope_there < 0.0 {
                low = (length, slope_there);
            } else {
                high = Some((length, slope_there));
            }
            let secant = |(at, slope): (f64, f64), (other, other_slope): (f64, f64)| {
                at - slope * (other - at) / (other_slope - slope)
            };
            length = if let Some(high) = high {
                let (shortest, width) = (low.0, high.0 - low.0);
                let crossing = secant(low, high);
                let crossing = if crossing.is_finite() { crossing } else { shortest + 0.5 * width };
                crossing.clamp(shortest + 0.1 * width, shortest + 0.9 * width)
            } else {
                let crossing = secant((0.0, slope), (length, slope_there));
                let is_beyond = slope_there > slope && crossing.is_finite();
                if is_beyond { crossing.clamp(1.5 * length, 4.0 * length) } else { 4.0 * length }
            };
        }
        Ok(found)
    }
}

/// The result of a search for the length of a step.
struct Step {
    length: f64,
    /// The point at this length, and its gradient; none if no length was accepted.
    point: Option<(Iterate, Vec<f64>)>,
    /// The passes over the rows.
    trials: u32,
}

/// A step and the change of the gradient by it.
struct Pair {
    step: Vec<f64>,
    change: Vec<f64>,
    /// The product of both.
    product: f64,
    /// The factor of the preconditioner that agrees with the change.
    scale: f64,
}

/// `to += factor · other`
fn add(to: &mut [f64], factor: f64, other: &[f64]) {
    to.iter_mut().zip(other).for_each(|(value, other)| *value += factor * other);
}
