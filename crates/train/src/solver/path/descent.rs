//! Coordinate descent with exact solutions for the coefficients that are not zero.
//!
//! Most coefficients of a wide design are zero. Sweeps are therefore over those that may not be (the strong rule of
//! Tibshirani and others, 2012), and the conditions of optimality of all others are checked at the end, as in glmnet.

use pulp::Arch;

use super::super::qr::{UpperTriangle, dot};
use super::basis::{self, Basis};
use super::optimality::{duality_gap, is_balanced};
use super::problem::{Problem, add, diagonal};
use super::sweep::{Correlations, Sweep};

/// The most sweeps over the coordinates. Because a linear system is solved every few sweeps, even strongly correlated
/// features need only tens.
const MAX_SWEEPS: u32 = 10_000;

/// The fewest and the most sweeps before a linear system or a check. The larger a system, the more sweeps precede it.
const SWEEPS_IN_A_ROW: [usize; 2] = [4, 50];

/// The largest change in a sweep ÷ that in the first of a row, at which the row ends.
const SETTLED: f64 = 1e-3;

/// The penalties on the way from zero coefficients to a single fit, each half of the one before.
const APPROACHING: u32 = 10;

/// The duality gap ÷ the objective at zero at which the fit has converged.
const GAP_TOLERANCE: f64 = 1e-12;

/// As [`GAP_TOLERANCE`], for [`Accuracy::Near`]: the errors of predictions are at most a ten-thousandth of the target's
/// length.
pub(super) const NEAR: f64 = 1e-8;

/// The most coefficients that are not zero whose linear system takes no more time than some sweeps.
const FEW: usize = 64;

/// The slope of a sum of absolute values ÷ the largest possible slope below which it is zero.
const FLAT: f64 = 1e-12;

/// How near a fit comes to the minimum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Accuracy {
    /// As near as the arithmetic allows.
    Exact,
    /// As near as the score of a candidate needs: large linear systems are solved only where sweeps are not enough.
    Near,
}

/// `½‖y − Zb‖² + l1 ‖b‖₁ + ½ l2 ‖b‖²`
#[derive(Clone, Copy)]
pub(super) struct PenaltyWeights {
    pub(super) l1: f64,
    pub(super) l2: f64,
}

impl PenaltyWeights {
    /// The weights for a target of length 1 instead of `unit`. An infinite penalty has the same solution as the largest
    /// finite one.
    pub(super) fn in_units(self, unit: f64) -> Self {
        Self { l1: (self.l1 / unit).min(f64::MAX), ..self }
    }
}

/// The state of coordinate descent, with one penalty after the other.
pub(super) struct Descent<'a> {
    problem: &'a Problem<'a>,
    instructions: Arch,
    penalty: PenaltyWeights,
    pub(super) coefficients: Vec<f64>,
    /// `y − Zb`
    residual: Vec<f64>,
    /// The correlation of each column with the residual.
    correlations: Vec<f64>,
    /// With the last penalty.
    pub(super) sweeps: u32,
    pub(super) gap: f64,
    factor: Option<Factor>,
}

/// The factor R of the columns of some features and of the rows of a penalty on squares.
struct Factor {
    features: Vec<usize>,
    l2: f64,
    triangle: UpperTriangle,
}

impl<'a> Descent<'a> {
    /// Starts from zero coefficients, which are the solution for the largest penalty.
    pub(super) fn new(problem: &'a Problem<'a>) -> Self {
        let mut descent = Self {
            problem,
            instructions: Arch::new(),
            penalty: PenaltyWeights { l1: 0.0, l2: 0.0 },
            coefficients: vec![0.0; problem.columns.len()],
            residual: problem.target.clone(),
            correlations: Vec::new(),
            sweeps: 0,
            gap: f64::INFINITY,
            factor: None,
        };
        descent.correlate();
        descent.penalty.l1 = descent.correlations.iter().fold(0.0_f64, |most, pull| most.max(pull.abs()));
        descent
    }

    /// Comes near the solution for a penalty by larger ones, so that few coefficients are not zero on the way.
    pub(super) fn approach(&mut self, penalty: PenaltyWeights) {
        for _ in 0..APPROACHING {
            let l1 = 0.5 * self.penalty.l1;
            if l1 <= penalty.l1 {
                return;
            }
            let working = self.candidates(l1);
            self.penalty = PenaltyWeights { l1, ..penalty };
            self.sweep_until_settled(&working);
            self.correlate();
        }
    }

    /// Minimises from the coefficients of the last penalty, and returns whether it converged.
    pub(super) fn minimise(&mut self, penalty: PenaltyWeights, accuracy: Accuracy) -> bool {
        let mut working = self.candidates(penalty.l1);
        self.penalty = penalty;
        self.sweeps = 0;
        let mut is_checked = true;
        while self.sweeps < MAX_SWEEPS {
            let longest_change = self.sweep_until_settled(&working);
            let swept = self.coefficients.clone();
            let solves = accuracy == Accuracy::Exact || self.is_worth_solving();
            if solves {
                self.solve_with_fixed_signs(accuracy);
            }
            // Most features are not candidates: every other check may be of the candidates alone.
            let is_wide = 2 * working.len() <= self.coefficients.len();
            if accuracy == Accuracy::Near && is_wide && is_checked && self.gap_of(&working) > NEAR {
                is_checked = false;
                continue;
            }
            is_checked = true;
            self.update();
            let settled = longest_change <= f64::EPSILON * self.problem.moments.weight().sqrt();
            // A penalty near the rounding errors has a gap of their size. The conditions of optimality are then the
            // better test.
            if (accuracy == Accuracy::Near && self.gap <= NEAR)
                || (solves && self.is_optimal())
                || (settled && self.gap <= GAP_TOLERANCE)
                || (solves && self.was_optimal(swept))
            {
                return true;
            }
            working = self.candidates(self.penalty.l1);
        }
        false
    }

    /// The coefficients that are not zero, and those that a penalty of this size may change, if their correlations grow
    /// by no more than the penalty falls. All of a few: nearly dependent columns change at once.
    fn candidates(&self, l1: f64) -> Vec<usize> {
        if self.coefficients.len() <= FEW {
            return (0..self.coefficients.len()).collect();
        }
        let least = 2.0 * l1 - self.penalty.l1;
        let is_candidate = |(coefficient, correlation): (&f64, &f64)| *coefficient != 0.0 || correlation.abs() >= least;
        let all = self.coefficients.iter().zip(&self.correlations).enumerate();
        all.filter(|(_, feature)| is_candidate(*feature)).map(|(place, _)| place).collect()
    }

    /// Computes the residual, the correlations with it and the gap.
    fn update(&mut self) {
        self.residual = self.problem.residual(&self.coefficients);
        self.correlate();
        self.gap = self.duality_gap();
    }

    /// Computes the residual, and the gap of the problem with these features alone; all others are zero.
    fn gap_of(&mut self, features: &[usize]) -> f64 {
        self.residual = self.problem.residual(&self.coefficients);
        let coefficients: Vec<f64> =
            features.iter().filter_map(|feature| self.coefficients.get(*feature)).copied().collect();
        let columns = features.iter().filter_map(|feature| self.problem.columns.get(*feature));
        let correlations: Vec<f64> =
            columns.map(|column| dot(column, self.residual.get(..column.len()).unwrap_or_default())).collect();
        duality_gap(self.penalty, &correlations, &coefficients, self.products())
    }

    fn correlate(&mut self) {
        self.correlations =
            self.instructions.dispatch(Correlations { columns: &self.problem.columns, residual: &self.residual });
    }

    /// Restores the coefficients of the last sweep, if they were optimal.
    ///
    /// With a penalty on squares far above those of the columns, sweeps are exact, and the linear system, whose rows
    /// are those of the columns and of the penalty, loses digits.
    fn was_optimal(&mut self, swept: Vec<f64>) -> bool {
        if self.penalty.l2 <= self.problem.moments.weight() {
            return false;
        }
        let solved = std::mem::replace(&mut self.coefficients, swept);
        self.update();
        if self.is_optimal() {
            return true;
        }
        self.coefficients = solved;
        self.update();
        false
    }

    /// Sweeps over these coefficients, and returns the largest change in the last sweep, relative to the length of the
    /// target.
    fn sweep_until_settled(&mut self, features: &[usize]) -> f64 {
        let [fewest, most] = SWEEPS_IN_A_ROW;
        let first = self.sweep(features);
        let mut last = first;
        for _ in 1..(features.len() / 8).clamp(fewest, most) {
            if last <= SETTLED * first {
                break;
            }
            last = self.sweep(features);
        }
        last
    }

    /// Minimises over each of these coefficients in turn, and returns the largest change, relative to the length of the
    /// target.
    fn sweep(&mut self, features: &[usize]) -> f64 {
        self.sweeps += 1;
        self.instructions.dispatch(Sweep {
            columns: &self.problem.columns,
            // Every standardised column has this squared length.
            square: self.problem.moments.weight(),
            penalty: self.penalty,
            features,
            coefficients: &mut self.coefficients,
            residual: &mut self.residual,
        })
    }

    /// Whether the linear system of the coefficients that are not zero takes no more time than the sweeps that did not
    /// suffice.
    fn is_worth_solving(&self) -> bool {
        let count = self.coefficients.iter().filter(|coefficient| **coefficient != 0.0).count();
        count <= FEW || self.sweeps as usize >= 2 * count
    }

    /// Solves for the coefficients that are not zero until none of them changes its sign. Each step reduces the
    /// objective, or keeps it and makes a coefficient zero, so no set of signs occurs twice.
    fn solve_with_fixed_signs(&mut self, accuracy: Accuracy) {
        while self.coefficients.iter().any(|coefficient| *coefficient != 0.0) {
            let active = self.active();
            let by_last_factor = if accuracy == Accuracy::Near { self.direction_by_last_factor(&active) } else { None };
            let is_solved = match by_last_factor {
                Some(direction) => self.step(&active, &direction, 1.0),
                None => self.step_to_solution(&active),
            };
            if is_solved {
                return;
            }
        }
    }

    /// The step to the minimum with fixed signs, if the last linear system had the same matrix: by its factor and the
    /// correlations with the residual (the seminormal equations, Björck, 1987). Each step leaves more digits than the
    /// one before.
    fn direction_by_last_factor(&self, active: &[usize]) -> Option<Vec<f64>> {
        let PenaltyWeights { l1, l2 } = self.penalty;
        let factor = self.factor.as_ref()?;
        if factor.features != active || factor.l2.to_bits() != l2.to_bits() {
            return None;
        }
        let residual = self.problem.residual(&self.coefficients);
        let uphill = |feature: &usize| {
            let (column, coefficient) = (self.problem.columns.get(*feature)?, self.coefficients.get(*feature)?);
            Some(dot(column, residual.get(..column.len())?) - l2 * coefficient - l1.copysign(*coefficient))
        };
        let right: Vec<f64> = active.iter().map(uphill).collect::<Option<_>>()?;
        Some(factor.triangle.solve(&factor.triangle.solve_transposed(&right)))
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

    /// With fixed signs, the coefficients that are not zero minimise `½‖y − Zb‖² + l1 sign(b)ᵀb + ½ l2 ‖b‖²`. Steps to
    /// the minimum, or to the first coefficient that would change its sign, which becomes zero. Returns whether it
    /// reached the minimum.
    ///
    /// The step follows from `R` of `[Z r]`, because the normal equations lose the digits of nearly dependent columns.
    fn step_to_solution(&mut self, active: &[usize]) -> bool {
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
        let direction = triangle.solve(&projection);
        self.factor = Some(Factor { features: active.to_vec(), l2: self.penalty.l2, triangle });
        self.step(active, &direction, 1.0)
    }

    /// The rounding error of a column that is a combination of others.
    fn rounding(&self) -> f64 {
        basis::ROUNDING * self.problem.moments.weight().sqrt()
    }

    /// Makes coefficients zero until the columns of the others are independent, and returns whether it made any zero.
    ///
    /// If a column is a combination of others, there is a line of coefficients with the same predictions, along which
    /// the sum of absolute values is linear as long as no sign changes. Steps along this line in the direction in which
    /// the sum falls, or if it is constant, in which the coefficient of the combination approaches zero. The first
    /// coefficient to reach zero stays zero.
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

    /// Adds a multiple of a direction, at most `longest`, up to the first coefficient that would change its sign, which
    /// becomes zero. Returns whether no coefficient would.
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
        is_balanced(self.penalty, self.problem.moments.weight(), &self.correlations, &self.coefficients)
    }

    fn duality_gap(&self) -> f64 {
        duality_gap(self.penalty, &self.correlations, &self.coefficients, self.products())
    }

    /// The squared length of the residual, and its product with the target.
    fn products(&self) -> [f64; 2] {
        let Problem { target, unexplained, .. } = self.problem;
        [dot(&self.residual, &self.residual) + unexplained, dot(&self.residual, target) + unexplained]
    }
}
