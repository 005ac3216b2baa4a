//! Coordinate descent, and the linear system that ends it.

use super::super::triangle::{Triangle, dot};
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
    pub(super) fn new(problem: &'a Problem<'a>, price: Price, start: Option<&[f64]>) -> Self {
        let coefficients = start.map_or_else(|| vec![0.0; problem.columns.len()], <[f64]>::to_vec);
        let residual = problem.residual(&coefficients);
        Self { problem, price, coefficients, residual, sweeps: 0, gap: f64::INFINITY }
    }

    /// Whether it got there.
    pub(super) fn run(&mut self) -> bool {
        while self.sweeps < MAX_SWEEPS {
            let moved = self.sweep();
            let signs_stand = self.sweeps.is_multiple_of(SWEEPS_BETWEEN_SOLUTIONS) || moved == 0.0;
            if signs_stand {
                let solved = self.finish_the_others();
                self.residual = self.problem.residual(&self.coefficients);
                self.gap = self.duality_gap();
                let settled = moved <= f64::EPSILON * self.problem.moments.weight().sqrt();
                // A penalty near rounding has a gap near rounding's share of it: optimal is then all there is.
                if (solved && self.is_optimal()) || (settled && self.gap <= GAP_TOLERANCE) {
                    return true;
                }
                if moved == 0.0 && !solved {
                    return self.gap <= GAP_TOLERANCE;
                }
            }
        }
        self.gap = self.duality_gap();
        false
    }

    /// One round over the coefficients, each set to what is best while the others stand; returns the longest way one
    /// went, relative to the length of the target.
    fn sweep(&mut self) -> f64 {
        // Every standardised column has this squared length.
        let square = self.problem.moments.weight();
        let target = (dot(&self.problem.target, &self.problem.target) + self.problem.unexplained).sqrt();
        let mut longest = 0.0_f64;
        for (column, coefficient) in self.problem.columns.iter().zip(&mut self.coefficients) {
            let pull = correlation(column, &self.residual) + square * *coefficient;
            let kept = (pull.abs() - self.price.l1).max(0.0);
            let next = if kept == 0.0 { 0.0 } else { kept.copysign(pull) / (square + self.price.l2) };
            let change = next - *coefficient;
            if change != 0.0 {
                add(&mut self.residual, -change, column);
                *coefficient = next;
                longest = longest.max(change.abs() * square.sqrt() / target);
            }
        }
        self.sweeps += 1;
        longest
    }

    /// Solves for the coefficients that are not zero until none of them changes its sign on the way; false when they
    /// depend on each other. The objective falls each time, so no set of signs comes twice.
    fn finish_the_others(&mut self) -> bool {
        while self.coefficients.iter().any(|coefficient| *coefficient != 0.0) {
            match self.solve_for_the_others() {
                Some(true) => return true,
                Some(false) => {}
                None => return false,
            }
        }
        true
    }

    /// With signs fixed, the coefficients that are not zero solve `(ZᵀZ + l2 I) b = Zᵀy − l1 sign(b)`. Goes there, or as
    /// far as the first that would change its sign, which becomes zero; returns whether it arrived, or nothing when there
    /// is no way.
    fn solve_for_the_others(&mut self) -> Option<bool> {
        let active: Vec<usize> = (0..self.coefficients.len())
            .filter(|feature| self.coefficients.get(*feature).is_some_and(|coefficient| *coefficient != 0.0))
            .collect();
        let rows = self.problem.columns.len();
        let mut block: Vec<Vec<f64>> = Vec::with_capacity(active.len());
        for feature in &active {
            let mut column = self.problem.columns.get(*feature).cloned().unwrap_or_default();
            column.resize(rows, 0.0);
            block.push(column);
        }
        let mut triangle = Triangle::zeros(active.len());
        triangle.absorb(&mut block);
        if self.price.l2 > 0.0 {
            triangle.absorb(&mut diagonal(active.len(), active.len(), self.price.l2.sqrt()));
        }
        let shortest = triangle.rows().iter().filter_map(|row| row.first()).copied().fold(f64::INFINITY, f64::min);
        if shortest <= 1e-10 * self.problem.moments.weight().sqrt() {
            return None;
        }
        // Solved for the way that is left, so that what is already right stays exactly so.
        let current: Vec<f64> = active.iter().filter_map(|feature| self.coefficients.get(*feature)).copied().collect();
        let residual = self.problem.residual(&self.coefficients);
        let slope: Vec<f64> = active
            .iter()
            .zip(&current)
            .map(|(feature, coefficient)| {
                let column = self.problem.columns.get(*feature).map_or(&[][..], Vec::as_slice);
                correlation(column, &residual) - self.price.l1.copysign(*coefficient) - self.price.l2 * coefficient
            })
            .collect();
        let way = triangle.solve(&triangle.solve_transposed(&slope));
        let until_zero = |(coefficient, way): (&f64, &f64)| {
            if coefficient * (coefficient + way) <= 0.0 { (-coefficient / way).clamp(0.0, 1.0) } else { 1.0 }
        };
        let shares: Vec<f64> = current.iter().zip(&way).map(until_zero).collect();
        let share = shares.iter().copied().fold(1.0, f64::min);
        for (((feature, coefficient), way), own) in active.iter().zip(&current).zip(&way).zip(&shares) {
            if let Some(place) = self.coefficients.get_mut(*feature) {
                *place = if *own <= share && share < 1.0 { 0.0 } else { coefficient + share * way };
            }
        }
        Some(share >= 1.0)
    }

    /// No feature that was left out asks to come in.
    fn is_optimal(&self) -> bool {
        let problem = self.problem;
        let target = (dot(&problem.target, &problem.target) + problem.unexplained).sqrt();
        let slack = ROUNDING * problem.moments.weight().sqrt() * target;
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
        let at_zero = 0.5 * (dot(&problem.target, &problem.target) + problem.unexplained);
        // Rounding may take it a hair below zero.
        (gap / at_zero).max(0.0)
    }
}
