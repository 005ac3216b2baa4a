//! Coordinate descent, and the linear system that ends it.

use super::super::qr::{Triangle, dot};
use super::dependence::{self, Basis};
use super::{Problem, add, diagonal};

/// Sweeps over the coordinates before a fit gives up. Every few of them solve a linear system, so that even strongly
/// correlated features take tens.
const MAX_SWEEPS: u32 = 10_000;

/// Sweeps between two attempts to solve for the coefficients that are not zero.
const SWEEPS_BETWEEN_SOLUTIONS: u32 = 4;

/// The duality gap, as a share of the objective at zero, that counts as converged.
const GAP_TOLERANCE: f64 = 1e-12;

/// What rounding may leave of a correlation that should be zero, as a share of the largest possible.
const ROUNDING: f64 = 1e-13;

/// The slope of a sum of sizes that is none, as a share of the steepest possible.
const FLAT: f64 = 1e-12;

/// `½‖y − Zb‖² + l1 ‖b‖₁ + ½ l2 ‖b‖²`
#[derive(Clone, Copy)]
pub(super) struct Price {
    pub(super) l1: f64,
    pub(super) l2: f64,
}

/// Correlation of a column with a residual that may go on below it.
fn correlation(column: &[f64], residual: &[f64]) -> f64 {
    dot(column, residual.get(..column.len()).unwrap_or_default())
}

/// Coordinate descent on its way.
pub(super) struct Descent<'a> {
    problem: &'a Problem<'a>,
    price: Price,
    pub(super) coefficients: Vec<f64>,
    /// `y − Zb`
    residual: Vec<f64>,
    pub(super) sweeps: u32,
    pub(super) gap: f64,
}

impl<'a> Descent<'a> {
    pub(super) fn new(problem: &'a Problem<'a>, price: Price, start: Option<Vec<f64>>) -> Self {
        let coefficients = start.unwrap_or_else(|| vec![0.0; problem.columns.len()]);
        let residual = problem.residual(&coefficients);
        Self { problem, price, coefficients, residual, sweeps: 0, gap: f64::INFINITY }
    }

    /// Whether it got there.
    pub(super) fn run(&mut self) -> bool {
        while self.sweeps < MAX_SWEEPS {
            let moved = self.sweep();
            if self.sweeps.is_multiple_of(SWEEPS_BETWEEN_SOLUTIONS) || moved == 0.0 {
                let swept = self.coefficients.clone();
                self.finish_the_others();
                self.look();
                let settled = moved <= f64::EPSILON * self.problem.moments.weight().sqrt();
                // A penalty near rounding has a gap near rounding's share of it: optimal is then all there is.
                if self.is_optimal() || (settled && self.gap <= GAP_TOLERANCE) || self.was_optimal(swept) {
                    return true;
                }
            }
        }
        false
    }

    /// Residual and gap anew.
    fn look(&mut self) {
        self.residual = self.problem.residual(&self.coefficients);
        self.gap = self.duality_gap();
    }

    /// Whether there was no need to solve: goes back to where the sweeps had led, if that was the optimum.
    ///
    /// A price of squares far above those of the columns makes sweeps exact, and takes the digits of the linear system, whose
    /// rows are the columns' and that price's.
    fn was_optimal(&mut self, swept: Vec<f64>) -> bool {
        if self.price.l2 <= self.problem.moments.weight() {
            return false;
        }
        let solved = std::mem::replace(&mut self.coefficients, swept);
        self.look();
        if self.is_optimal() {
            return true;
        }
        self.coefficients = solved;
        self.look();
        false
    }

    /// One round over the coefficients, each set to what is best while the others stand; returns the longest way one
    /// went, relative to the length of the target.
    fn sweep(&mut self) -> f64 {
        // Every standardised column has this squared length.
        let square = self.problem.moments.weight();
        let mut longest = 0.0_f64;
        for (column, coefficient) in self.problem.columns.iter().zip(&mut self.coefficients) {
            let pull = correlation(column, &self.residual) + square * *coefficient;
            let kept = (pull.abs() - self.price.l1).max(0.0);
            let next = if kept == 0.0 { 0.0 } else { kept.copysign(pull) / (square + self.price.l2) };
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

    /// Solves for the coefficients that are not zero until none of them changes its sign on the way. Each time the objective
    /// falls, or stays and a coefficient becomes zero, so no set of signs comes twice.
    fn finish_the_others(&mut self) {
        while self.coefficients.iter().any(|coefficient| *coefficient != 0.0) {
            if self.solve_for_the_others() {
                return;
            }
        }
    }

    /// The features whose coefficients are not zero.
    fn active(&self) -> Vec<usize> {
        let nonzero = |(feature, coefficient): (usize, &f64)| (*coefficient != 0.0).then_some(feature);
        self.coefficients.iter().enumerate().filter_map(nonzero).collect()
    }

    /// A column in all rows.
    fn column(&self, feature: usize) -> Vec<f64> {
        let mut column = self.problem.columns.get(feature).cloned().unwrap_or_default();
        column.resize(self.problem.columns.len(), 0.0);
        column
    }

    /// With signs fixed, the coefficients that are not zero solve `min ½‖y − Zb‖² + l1 sign(b)ᵀb + ½ l2 ‖b‖²`. Goes there, or
    /// as far as the first that would change its sign, which becomes zero; returns whether it arrived.
    ///
    /// The way is found from `R` of `[Z r]`, without the normal equations: with nearly dependent columns the digits that those
    /// lose would send it anywhere.
    fn solve_for_the_others(&mut self) -> bool {
        let active = self.active();
        let count = active.len();
        let current: Vec<f64> = active.iter().filter_map(|feature| self.coefficients.get(*feature)).copied().collect();
        // Solved for the way that is left, so that what is already right stays exactly so.
        let residual = self.problem.residual(&self.coefficients);
        let mut block: Vec<Vec<f64>> = active.iter().map(|feature| self.column(*feature)).collect();
        block.push(residual);
        let mut triangle = Triangle::zeros(count + 1);
        triangle.absorb(&mut block);
        if self.price.l2 > 0.0 {
            let root = self.price.l2.sqrt();
            let mut squares = diagonal(count, count, root);
            squares.push(current.iter().map(|coefficient| -root * coefficient).collect());
            triangle.absorb(&mut squares);
        }
        let own = triangle.rows().iter().take(count).filter_map(|row| row.first()).copied();
        if own.fold(f64::INFINITY, f64::min) <= self.rounding() && self.make_independent() {
            return false;
        }
        let mut projection = triangle.column(count);
        projection.pop();
        let triangle = triangle.leading(count);
        let price: Vec<f64> = current.iter().map(|coefficient| self.price.l1.copysign(*coefficient)).collect();
        add(&mut projection, -1.0, &triangle.solve_transposed(&price));
        self.go(&active, &triangle.solve(&projection), 1.0)
    }

    /// What rounding may leave of a column that others make up.
    fn rounding(&self) -> f64 {
        dependence::ROUNDING * self.problem.moments.weight().sqrt()
    }

    /// Makes coefficients zero until the columns of the others are independent; returns whether there was one to make so.
    ///
    /// Where columns make up another, there is a line of coefficients that explain the same, along which the sum of their sizes
    /// rises to one side, or stays as it is: down that line, or towards zero for the column that is made up, the first that reaches
    /// zero stays there.
    fn make_independent(&mut self) -> bool {
        let mut active = self.active();
        let count = active.len();
        let mut basis = Basis::default();
        while let Some(feature) = active.get(basis.len()).copied() {
            let Some(mut line) = basis.push(self.column(feature), self.rounding()) else { continue };
            line.push(-1.0);
            let of = |feature: &usize| self.coefficients.get(*feature).copied().unwrap_or(0.0);
            let rise: f64 = active.iter().zip(&line).map(|(feature, way)| way * of(feature).signum()).sum();
            let size: f64 = line.iter().map(|way| way.abs()).sum();
            let uphill = if rise.abs() > FLAT * size { rise > 0.0 } else { of(&feature) < 0.0 };
            if uphill {
                for way in &mut line {
                    *way = -*way;
                }
            }
            self.go(&active, &line, f64::MAX);
            let is_zero =
                |feature: &usize| self.coefficients.get(*feature).is_none_or(|coefficient| *coefficient == 0.0);
            // What is not finite never ends there.
            let Some(first) = active.iter().position(is_zero) else { break };
            active.retain(|feature| !is_zero(feature));
            // The columns before it are as they were.
            basis.truncate(first);
        }
        active.len() < count
    }

    /// Goes along a way, `longest` times it at most, as far as the first coefficient that would change its sign, which becomes
    /// zero; returns whether none would.
    fn go(&mut self, active: &[usize], way: &[f64], longest: f64) -> bool {
        let until_zero = |(feature, way): (&usize, &f64)| {
            let coefficient = self.coefficients.get(*feature).copied().unwrap_or(0.0);
            if coefficient.signum() * way < 0.0 { -coefficient / way } else { f64::INFINITY }
        };
        let shares: Vec<f64> = active.iter().zip(way).map(until_zero).collect();
        let share = shares.iter().copied().fold(f64::INFINITY, f64::min);
        let arrives = share > longest;
        for ((feature, way), own) in active.iter().zip(way).zip(&shares) {
            if let Some(coefficient) = self.coefficients.get_mut(*feature) {
                let there = *coefficient + share.min(longest) * way;
                *coefficient = if !arrives && *own <= share { 0.0 } else { there };
            }
        }
        arrives
    }

    /// No feature that was left out asks to come in.
    fn is_optimal(&self) -> bool {
        let problem = self.problem;
        let slack = ROUNDING * problem.moments.weight().sqrt();
        problem.columns.iter().zip(&self.coefficients).all(|(column, coefficient)| {
            let pull = correlation(column, &self.residual) - self.price.l2 * coefficient;
            if *coefficient == 0.0 {
                pull.abs() <= self.price.l1 + slack
            } else {
                (pull - self.price.l1.copysign(*coefficient)).abs() <= slack
            }
        })
    }

    /// How far the objective is above the best value of its dual, as a share of the objective at zero.
    ///
    /// The residual, shrunk until no feature's correlation with it exceeds `l1`, is a point of the dual (Kim, Koh, Lustig, Boyd
    /// and Gorinevsky, 2007); the squares count as further rows.
    fn duality_gap(&self) -> f64 {
        let problem = self.problem;
        let Price { l1, l2 } = self.price;
        let steepest = problem
            .columns
            .iter()
            .zip(&self.coefficients)
            .map(|(column, coefficient)| (correlation(column, &self.residual) - l2 * coefficient).abs())
            .fold(0.0, f64::max);
        let shrink = if steepest > l1 { l1 / steepest } else { 1.0 };
        let residual = dot(&self.residual, &self.residual) + problem.unexplained;
        let with_target = dot(&self.residual, &problem.target) + problem.unexplained;
        let size: f64 = self.coefficients.iter().map(|coefficient| coefficient.abs()).sum();
        let squares = dot(&self.coefficients, &self.coefficients);
        let gap = 0.5 * (1.0 + shrink * shrink) * (residual + l2 * squares) + l1 * size - shrink * with_target;
        // At zero the objective is half the square of the target's length, which is 1; rounding may take the gap a hair below zero.
        (2.0 * gap).max(0.0)
    }
}
