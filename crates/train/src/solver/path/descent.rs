//! Coordinate descent with exact solutions for the coefficients that are not zero.

use super::super::qr::{UpperTriangle, dot};
use super::basis::{self, Basis};
use super::problem::{Problem, add, diagonal};

/// The most sweeps over the coordinates. Because a linear system is solved every few sweeps, even strongly correlated features
/// need only tens.
const MAX_SWEEPS: u32 = 10_000;

/// Sweeps between two linear systems for the coefficients that are not zero.
const SWEEPS_BETWEEN_SOLUTIONS: u32 = 4;

/// The duality gap ÷ the objective at zero at which the fit has converged.
const GAP_TOLERANCE: f64 = 1e-12;

/// The rounding error of a correlation that should be zero ÷ the largest possible correlation.
const ROUNDING: f64 = 1e-13;

/// The slope of a sum of absolute values ÷ the largest possible slope below which it is zero.
const FLAT: f64 = 1e-12;

/// `½‖y − Zb‖² + l1 ‖b‖₁ + ½ l2 ‖b‖²`
#[derive(Clone, Copy)]
pub(super) struct PenaltyWeights {
    pub(super) l1: f64,
    pub(super) l2: f64,
}

/// The correlation of a column with a residual, which may be longer.
fn correlation(column: &[f64], residual: &[f64]) -> f64 {
    dot(column, residual.get(..column.len()).unwrap_or_default())
}

/// The state of coordinate descent.
pub(super) struct Descent<'a> {
    problem: &'a Problem<'a>,
    penalty: PenaltyWeights,
    pub(super) coefficients: Vec<f64>,
    /// `y − Zb`
    residual: Vec<f64>,
    pub(super) sweeps: u32,
    pub(super) gap: f64,
}

impl<'a> Descent<'a> {
    pub(super) fn new(problem: &'a Problem<'a>, penalty: PenaltyWeights, start: Option<Vec<f64>>) -> Self {
        let coefficients = start.unwrap_or_else(|| vec![0.0; problem.columns.len()]);
        let residual = problem.residual(&coefficients);
        Self { problem, penalty, coefficients, residual, sweeps: 0, gap: f64::INFINITY }
    }

    /// Runs to convergence, and returns whether it converged.
    pub(super) fn run(&mut self) -> bool {
        while self.sweeps < MAX_SWEEPS {
            let longest_change = self.sweep();
            if self.sweeps.is_multiple_of(SWEEPS_BETWEEN_SOLUTIONS) || longest_change == 0.0 {
                let swept = self.coefficients.clone();
                self.solve_with_fixed_signs();
                self.update_residual_and_gap();
                let settled = longest_change <= f64::EPSILON * self.problem.moments.weight().sqrt();
                // A penalty near the rounding errors has a gap of their size. The conditions of optimality are then the better test.
                if self.is_optimal() || (settled && self.gap <= GAP_TOLERANCE) || self.was_optimal(swept) {
                    return true;
                }
            }
        }
        false
    }

    fn update_residual_and_gap(&mut self) {
        self.residual = self.problem.residual(&self.coefficients);
        self.gap = self.duality_gap();
    }

    /// Restores the coefficients of the last sweep, if they were optimal.
    ///
    /// With a penalty on squares far above those of the columns, sweeps are exact, and the linear system, whose rows are those of
    /// the columns and of the penalty, loses digits.
    fn was_optimal(&mut self, swept: Vec<f64>) -> bool {
        if self.penalty.l2 <= self.problem.moments.weight() {
            return false;
        }
        let solved = std::mem::replace(&mut self.coefficients, swept);
        self.update_residual_and_gap();
        if self.is_optimal() {
            return true;
        }
        self.coefficients = solved;
        self.update_residual_and_gap();
        false
    }

    /// Minimises over each coefficient in turn, and returns the largest change, relative to the length of the target.
    fn sweep(&mut self) -> f64 {
        // Every standardised column has this squared length.
        let square = self.problem.moments.weight();
        let mut longest = 0.0_f64;
        for (column, coefficient) in self.problem.columns.iter().zip(&mut self.coefficients) {
            let pull = correlation(column, &self.residual) + square * *coefficient;
            let kept = (pull.abs() - self.penalty.l1).max(0.0);
            let next = if kept == 0.0 { 0.0 } else { kept.copysign(pull) / (square + self.penalty.l2) };
            let change = next - *coefficient;
            if change != 0.0 {
                add(&mut self.residual, -change, column);
                *coefficient = next;
                longest = longest.max(change.abs() * square.sqrt());
            }
        }
        self.sweeps += 1;
        longest
    }

    /// Solves for the coefficients that are not zero until none of them changes its sign. Each step reduces the objective, or keeps
    /// it and makes a coefficient zero, so no set of signs occurs twice.
    fn solve_with_fixed_signs(&mut self) {
        while self.coefficients.iter().any(|coefficient| *coefficient != 0.0) {
            if self.step_to_solution() {
                return;
            }
        }
    }

    /// The features whose coefficients are not zero.
    fn active(&self) -> Vec<usize> {
        let nonzero = |(feature, coefficient): (usize, &f64)| (*coefficient != 0.0).then_some(feature);
        self.coefficients.iter().enumerate().filter_map(nonzero).collect()
    }

    /// A column, padded with zeros to all rows.
    fn column(&self, feature: usize) -> Vec<f64> {
        let mut column = self.problem.columns.get(feature).cloned().unwrap_or_default();
        column.resize(self.problem.target.len(), 0.0);
        column
    }

    /// With fixed signs, the coefficients that are not zero minimise `½‖y − Zb‖² + l1 sign(b)ᵀb + ½ l2 ‖b‖²`. Steps to the
    /// minimum, or to the first coefficient that would change its sign, which becomes zero. Returns whether it reached the minimum.
    ///
    /// The step follows from `R` of `[Z r]`, because the normal equations lose the digits of nearly dependent columns.
    fn step_to_solution(&mut self) -> bool {
        let active = self.active();
        let count = active.len();
        let current: Vec<f64> = active.iter().filter_map(|feature| self.coefficients.get(*feature)).copied().collect();
        // Solves for the step, so that exact coefficients stay exact.
        let residual = self.problem.residual(&self.coefficients);
        let mut block: Vec<Vec<f64>> = active.iter().map(|feature| self.column(*feature)).collect();
        block.push(residual);
        let mut triangle = UpperTriangle::zeros(count + 1);
        triangle.absorb(&mut block);
        if self.penalty.l2 > 0.0 {
            let root = self.penalty.l2.sqrt();
            let mut squares = diagonal(count, count, root);
            squares.push(current.iter().map(|coefficient| -root * coefficient).collect());
            triangle.absorb(&mut squares);
        }
        let orthogonal = triangle.rows().iter().take(count).filter_map(|row| row.first()).copied();
        if orthogonal.fold(f64::INFINITY, f64::min) <= self.rounding() && self.make_independent() {
            return false;
        }
        let mut projection = triangle.column(count);
        projection.pop();
        let triangle = triangle.leading(count);
        let slopes: Vec<f64> = current.iter().map(|coefficient| self.penalty.l1.copysign(*coefficient)).collect();
        add(&mut projection, -1.0, &triangle.solve_transposed(&slopes));
        self.step(&active, &triangle.solve(&projection), 1.0)
    }

    /// The rounding error of a column that is a combination of others.
    fn rounding(&self) -> f64 {
        basis::ROUNDING * self.problem.moments.weight().sqrt()
    }

    /// Makes coefficients zero until the columns of the others are independent, and returns whether it made any zero.
    ///
    /// If a column is a combination of others, there is a line of coefficients with the same predictions, along which the sum of
    /// absolute values is linear as long as no sign changes. Steps along this line in the direction in which the sum falls, or if it
    /// is constant, in which the coefficient of the combination approaches zero. The first coefficient to reach zero stays zero.
    fn make_independent(&mut self) -> bool {
        let mut active = self.active();
        let count = active.len();
        let mut basis = Basis::default();
        while let Some(feature) = active.get(basis.len()).copied() {
            let Some(mut line) = basis.push(self.column(feature), self.rounding()) else { continue };
            line.push(-1.0);
            let of = |feature: &usize| self.coefficients.get(*feature).copied().unwrap_or(0.0);
            let rise: f64 = active.iter().zip(&line).map(|(feature, change)| change * of(feature).signum()).sum();
            let size: f64 = line.iter().map(|change| change.abs()).sum();
            let uphill = if rise.abs() > FLAT * size { rise > 0.0 } else { of(&feature) < 0.0 };
            if uphill {
                for change in &mut line {
                    *change = -*change;
                }
            }
            self.step(&active, &line, f64::MAX);
            let is_zero =
                |feature: &usize| self.coefficients.get(*feature).is_none_or(|coefficient| *coefficient == 0.0);
            // No coefficient reaches zero if one is not finite.
            let Some(first) = active.iter().position(is_zero) else { break };
            active.retain(|feature| !is_zero(feature));
            // The columns before it are unchanged.
            basis.truncate(first);
        }
        active.len() < count
    }

    /// Adds a multiple of a direction, at most `longest`, up to the first coefficient that would change its sign, which becomes
    /// zero. Returns whether no coefficient would.
    fn step(&mut self, active: &[usize], direction: &[f64], longest: f64) -> bool {
        let until_zero = |(feature, change): (&usize, &f64)| {
            let coefficient = self.coefficients.get(*feature).copied().unwrap_or(0.0);
            if coefficient.signum() * change < 0.0 { -coefficient / change } else { f64::INFINITY }
        };
        let multiples: Vec<f64> = active.iter().zip(direction).map(until_zero).collect();
        let multiple = multiples.iter().copied().fold(f64::INFINITY, f64::min);
        let arrives = multiple > longest;
        for ((feature, change), own) in active.iter().zip(direction).zip(&multiples) {
            if let Some(coefficient) = self.coefficients.get_mut(*feature) {
                let new = *coefficient + multiple.min(longest) * change;
                *coefficient = if !arrives && *own <= multiple { 0.0 } else { new };
            }
        }
        arrives
    }

    /// Whether the coefficients satisfy the conditions of optimality.
    fn is_optimal(&self) -> bool {
        let problem = self.problem;
        let slack = ROUNDING * problem.moments.weight().sqrt();
        problem.columns.iter().zip(&self.coefficients).all(|(column, coefficient)| {
            let pull = correlation(column, &self.residual) - self.penalty.l2 * coefficient;
            if *coefficient == 0.0 {
                pull.abs() <= self.penalty.l1 + slack
            } else {
                (pull - self.penalty.l1.copysign(*coefficient)).abs() <= slack
            }
        })
    }

    /// The duality gap ÷ the objective at zero.
    ///
    /// The residual, scaled so that its correlation with any feature is at most `l1`, is a feasible point of the dual (Kim, Koh,
    /// Lustig, Boyd and Gorinevsky, 2007). The penalty on squares adds rows.
    fn duality_gap(&self) -> f64 {
        let problem = self.problem;
        let PenaltyWeights { l1, l2 } = self.penalty;
        let steepest = problem
            .columns
            .iter()
            .zip(&self.coefficients)
            .map(|(column, coefficient)| (correlation(column, &self.residual) - l2 * coefficient).abs())
            .fold(0.0, f64::max);
        let scale = if steepest > l1 { l1 / steepest } else { 1.0 };
        let residual = dot(&self.residual, &self.residual) + problem.unexplained;
        let with_target = dot(&self.residual, &problem.target) + problem.unexplained;
        let size: f64 = self.coefficients.iter().map(|coefficient| coefficient.abs()).sum();
        let squares = dot(&self.coefficients, &self.coefficients);
        let gap = 0.5 * (1.0 + scale * scale) * (residual + l2 * squares) + l1 * size - scale * with_target;
        // The objective at zero is half the squared length of the target, which is 1. Rounding may make the gap slightly negative.
        (2.0 * gap).max(0.0)
    }
}
