//! Coordinate descent on the products of columns: a sweep costs about as much as there are rows with two levels, and
//! levels × numbers.
//!
//! Where sweeps are not enough, the coefficients that are not zero are solved for by conjugate gradients, with fixed
//! signs.

use super::super::qr::dot;
use super::descent::{self, Accuracy, PenaltyWeights};
use super::gram::{Gram, Residual};
use super::optimality::{duality_gap, is_balanced};

/// The most sweeps for one penalty.
const MAX_SWEEPS: u32 = 10_000;

/// The most sweeps before a check.
const SWEEPS_IN_A_ROW: u32 = 50;

/// The largest change in a sweep ÷ that in the first of a row, at which the row ends.
const SETTLED: f64 = 1e-3;

/// Rows of sweeps before linear systems are solved.
const ROWS_BEFORE_SOLVING: u32 = 2;

/// The error of a linear system ÷ its right side. What is left is solved for after the next check.
const SOLVED: f64 = 1e-6;

/// The state of coordinate descent, with one penalty after the other. The target has a length of 1.
pub(super) struct GramDescent<'a> {
    gram: &'a Gram,
    penalty: PenaltyWeights,
    pub(super) coefficients: Vec<f64>,
    /// The correlation of each feature with the residual.
    pub(super) correlations: Vec<f64>,
    /// With the last penalty.
    pub(super) sweeps: u32,
    pub(super) gap: f64,
}

impl<'a> GramDescent<'a> {
    /// Starts from zero coefficients, which are the solution for the largest penalty.
    pub(super) fn new(gram: &'a Gram) -> Self {
        let correlations = gram.target.clone();
        let l1 = correlations.iter().fold(0.0_f64, |most, pull| most.max(pull.abs()));
        let coefficients = vec![0.0; gram.len()];
        Self {
            gram,
            penalty: PenaltyWeights { l1, l2: 0.0 },
            coefficients,
            correlations,
            sweeps: 0,
            gap: f64::INFINITY,
        }
    }

    /// Minimises from the coefficients of the last penalty, and returns whether it converged.
    pub(super) fn minimise(&mut self, penalty: PenaltyWeights, accuracy: Accuracy) -> bool {
        let mut working = self.candidates(penalty.l1);
        self.penalty = penalty;
        self.sweeps = 0;
        let mut rows = 0;
        while self.sweeps < MAX_SWEEPS {
            self.sweep_until_settled(&working);
            rows += 1;
            let needs_system = self.gap <= descent::NEAR || rows > ROWS_BEFORE_SOLVING;
            if self.has_converged(accuracy) {
                return true;
            }
            if needs_system {
                self.solve_with_fixed_signs();
                if self.has_converged(accuracy) {
                    return true;
                }
            }
            working = self.candidates(self.penalty.l1);
        }
        false
    }

    /// The squares are penalised only: solves one linear system, from the coefficients of the last penalty.
    pub(super) fn ridge(&mut self, l2: f64, accuracy: Accuracy) {
        let all: Vec<usize> = (0..self.gram.len()).collect();
        self.penalty = PenaltyWeights { l1: 0.0, l2 };
        self.sweeps = 0;
        let target = self.gram.target.clone();
        let size = dot(&target, &target).sqrt();
        let (error, repeats) = if accuracy == Accuracy::Near { (1e-10, 1) } else { (1e-15, 3) };
        for _ in 0..repeats {
            // A direction without curvature is due to rounding, because the penalty has some in all directions.
            self.gram.solve(&all, l2, &target, &mut self.coefficients, error * size);
        }
        self.correlations = self.gram.correlations(&self.gram.residual(&self.coefficients));
        self.gap = 0.0;
    }

    /// The features whose coefficients are not zero, and those that a penalty of this size may change, if their
    /// correlations grow by no more than the penalty falls (the strong rule of Tibshirani and others, 2012).
    fn candidates(&self, l1: f64) -> Vec<usize> {
        let least = 2.0 * l1 - self.penalty.l1;
        let all = self.coefficients.iter().zip(&self.correlations).enumerate();
        all.filter(|(_, (coefficient, correlation))| **coefficient != 0.0 || correlation.abs() >= least)
            .map(|(feature, _)| feature)
            .collect()
    }

    /// Computes the correlations with the residual and the gap.
    fn update(&mut self) {
        self.correlations = self.gram.correlations(&self.gram.residual(&self.coefficients));
        self.gap = self.duality_gap();
    }

    fn has_converged(&mut self, accuracy: Accuracy) -> bool {
        self.update();
        match accuracy {
            Accuracy::Near => self.gap <= descent::NEAR,
            Accuracy::Exact => is_balanced(self.penalty, self.gram.weight, &self.correlations, &self.coefficients),
        }
    }

    fn sweep_until_settled(&mut self, features: &[usize]) {
        let mut residual = self.gram.residual(&self.coefficients);
        let first = self.sweep(&mut residual, features);
        for _ in 1..SWEEPS_IN_A_ROW {
            if self.sweep(&mut residual, features) <= SETTLED * first {
                break;
            }
        }
    }

    /// Minimises over each of these coefficients in turn, and returns the largest change.
    fn sweep(&mut self, residual: &mut Residual, features: &[usize]) -> f64 {
        self.sweeps += 1;
        let PenaltyWeights { l1, l2 } = self.penalty;
        let square = self.gram.weight;
        let mut largest = 0.0_f64;
        for feature in features {
            let Some(coefficient) = self.coefficients.get_mut(*feature) else { continue };
            let pull = self.gram.correlation(residual, *feature) + square * *coefficient;
            let kept = (pull.abs() - l1).max(0.0);
            let next = if kept == 0.0 { 0.0 } else { kept.copysign(pull) / (square + l2) };
            let change = next - *coefficient;
            if change != 0.0 {
                self.gram.change(residual, *feature, change);
                *coefficient = next;
                largest = largest.max(change.abs());
            }
        }
        largest
    }

    /// Solves for the coefficients that are not zero until none of them changes its sign. Each step reduces the
    /// objective, or makes a coefficient zero.
    fn solve_with_fixed_signs(&mut self) {
        while self.coefficients.iter().any(|coefficient| *coefficient != 0.0) {
            if self.step_to_solution() {
                return;
            }
        }
    }

    /// With fixed signs, the coefficients that are not zero minimise `½‖y − Zb‖² + l1 sign(b)ᵀb + ½ l2 ‖b‖²`. Steps to
    /// the minimum, or to the first coefficient that would change its sign, which becomes zero. Returns whether it
    /// reached the minimum.
    fn step_to_solution(&mut self) -> bool {
        let PenaltyWeights { l1, l2 } = self.penalty;
        let nonzero = |(feature, coefficient): (usize, &f64)| (*coefficient != 0.0).then_some(feature);
        let active: Vec<usize> = self.coefficients.iter().enumerate().filter_map(nonzero).collect();
        self.correlations = self.gram.correlations(&self.gram.residual(&self.coefficients));
        let uphill = |(correlation, coefficient): (&f64, &f64)| {
            if *coefficient == 0.0 { 0.0 } else { correlation - l2 * coefficient - l1.copysign(*coefficient) }
        };
        let right: Vec<f64> = self.correlations.iter().zip(&self.coefficients).map(uphill).collect();
        let error = f64::max(SOLVED * dot(&right, &right).sqrt(), self.gram.rounding(&self.coefficients));
        let mut direction = vec![0.0; self.coefficients.len()];
        match self.gram.solve(&active, l2, &right, &mut direction, error) {
            None => self.step(&active, &direction, 1.0),
            // Predictions are the same along a flat direction, and the penalty falls until a coefficient is zero.
            Some(flat) => {
                let reaches_zero = active.iter().any(|feature| {
                    let of = |values: &[f64]| values.get(*feature).copied().unwrap_or_default();
                    of(&self.coefficients) * of(&flat) < 0.0
                });
                self.step(&active, &direction, 1.0) && (!reaches_zero || self.step(&active, &flat, f64::MAX))
            }
        }
    }

    /// Adds a multiple of a direction, at most `longest`, up to the first coefficient that would change its sign, which
    /// becomes zero. Returns whether no coefficient would.
    fn step(&mut self, active: &[usize], direction: &[f64], longest: f64) -> bool {
        let until_zero = |feature: &usize| {
            let of = |values: &[f64]| values.get(*feature).copied().unwrap_or_default();
            let (coefficient, change) = (of(&self.coefficients), of(direction));
            if coefficient.signum() * change < 0.0 { -coefficient / change } else { f64::INFINITY }
        };
        let multiples: Vec<f64> = active.iter().map(until_zero).collect();
        let multiple = multiples.iter().copied().fold(f64::INFINITY, f64::min);
        let arrives = multiple > longest;
        for (feature, own) in active.iter().zip(&multiples) {
            let change = direction.get(*feature).copied().unwrap_or_default();
            if let Some(coefficient) = self.coefficients.get_mut(*feature) {
                let new = *coefficient + multiple.min(longest) * change;
                *coefficient = if !arrives && *own <= multiple { 0.0 } else { new };
            }
        }
        arrives
    }

    /// The squared length of the residual.
    pub(super) fn residual_squares(&self) -> f64 {
        (1.0 - dot(&self.coefficients, &self.gram.target) - dot(&self.coefficients, &self.correlations)).max(0.0)
    }

    /// The duality gap ÷ the objective at zero.
    fn duality_gap(&self) -> f64 {
        let with_target = 1.0 - dot(&self.coefficients, &self.gram.target);
        duality_gap(self.penalty, &self.correlations, &self.coefficients, [self.residual_squares(), with_target])
    }
}
