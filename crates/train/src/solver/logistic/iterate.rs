//! A point of the iteration: parameters, objective and gradient.

use super::settings::LogisticSettings;
use super::standardisation::Standardisation;

/// A step that is shorter than this, relative to the largest parameter, is the last: the remaining error is
/// proportional to its square.
pub(in crate::solver) const LAST_STEP: f64 = 1e-7;

/// The fraction of the predicted descent that a step must achieve (Armijo).
pub(in crate::solver) const SUFFICIENT: f64 = 1e-4;

/// The shortest fraction of a step that is tried.
pub(in crate::solver) const SHORTEST_STEP: f64 = 1e-12;

/// If all losses are below this, the classes are separable.
pub(super) const CERTAIN: f64 = 1e-6;

/// The loss of all rows, and its gradient.
#[derive(Debug, Clone)]
pub(super) struct LossSums {
    /// `Σ w · −ln p(class)`
    pub(super) loss: f64,
    /// The largest loss of a single row.
    pub(super) worst: f64,
    /// For each score, the gradient by its parameters.
    pub(super) slopes: Vec<Vec<f64>>,
}

impl LossSums {
    /// Zeros, for this many scores and parameters of each.
    pub(super) fn zero(scores: usize, parameters: usize) -> Self {
        Self { loss: 0.0, worst: 0.0, slopes: vec![vec![0.0; parameters]; scores] }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.loss += other.loss;
        self.worst = self.worst.max(other.worst);
        for (ours, theirs) in self.slopes.iter_mut().zip(&other.slopes) {
            ours.iter_mut().zip(theirs).for_each(|(ours, theirs)| *ours += theirs);
        }
    }
}

/// Parameters and what the rows make of them.
#[derive(Debug, Clone)]
pub(super) struct Iterate {
    /// For each score, a coefficient for each column, then the intercept.
    pub(super) parameters: Vec<Vec<f64>>,
    /// Divided by C and the total weight.
    pub(super) objective: f64,
    /// The largest component of the gradient of the objective.
    pub(super) gradient: f64,
    pub(super) log_loss: f64,
    pub(super) worst: f64,
}

impl Iterate {
    /// The point and the gradient, both divided by C and the total weight.
    pub(super) fn new(parameters: Vec<Vec<f64>>, sums: &LossSums, penalty: f64, weight: f64) -> (Self, Vec<f64>) {
        let mut squares = 0.0;
        let mut gradient = Vec::new();
        for (parameters, slopes) in parameters.iter().zip(&sums.slopes) {
            let coefficients = parameters.len().saturating_sub(1);
            for (j, (parameter, slope)) in parameters.iter().zip(slopes).enumerate() {
                let penalised = if j < coefficients { penalty * parameter } else { 0.0 };
                squares += penalised * parameter;
                gradient.push(slope / weight + penalised);
            }
        }
        let point = Self {
            parameters,
            objective: sums.loss / weight + 0.5 * squares,
            gradient: gradient.iter().fold(0.0, |largest, slope| f64::max(largest, slope.abs())),
            log_loss: sums.loss / weight,
            worst: sums.worst,
        };
        (point, gradient)
    }

    /// Whether a step of this fraction along a direction of this slope reduced the objective enough.
    pub(super) fn accepts(&self, next: &Self, step: f64, slope: f64) -> bool {
        let noise = 4.0 * f64::EPSILON * self.objective.abs();
        next.objective <= self.objective + SUFFICIENT * step * slope + noise
    }

    /// The largest parameter, at least 1.
    pub(super) fn size(&self) -> f64 {
        self.parameters.iter().flatten().fold(1.0_f64, |longest, value| longest.max(value.abs()))
    }

    /// The parameters after a step.
    pub(super) fn moved(&self, step: f64, direction: &[f64]) -> Vec<Vec<f64>> {
        let mut direction = direction.iter();
        let mut next = |parameter: &f64| parameter + direction.next().map_or(0.0, |direction| step * direction);
        self.parameters.iter().map(|score| score.iter().map(&mut next).collect()).collect()
    }

    /// Whether the gradient is a rounding error. With linearly dependent columns, rounding errors make steps that do
    /// not change the scores. (With separable classes, the gradient is zero however far the optimum is.)
    pub(super) fn is_flat(&self) -> bool {
        self.gradient <= f64::EPSILON && self.worst >= CERTAIN
    }
}

/// The penalty on half the squared coefficients when the objective is divided by C and the total weight.
pub(super) fn penalty(settings: &LogisticSettings, standardisation: &Standardisation) -> f64 {
    1.0 / (settings.c * standardisation.weight)
}

/// The largest absolute value.
pub(super) fn longest(values: &[f64]) -> f64 {
    values.iter().fold(0.0_f64, |longest, value| longest.max(value.abs()))
}

/// The result of a solver.
#[derive(Debug, Clone)]
pub(super) struct Solution {
    pub(super) point: Iterate,
    /// Passes over the rows.
    pub(super) passes: u32,
    pub(super) converged: bool,
}
