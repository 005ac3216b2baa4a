//! Newton's method, with one pass over the rows for each iteration.

use std::num::NonZero;

use super::super::design_rows::DesignRow;
use super::super::error::SolveError;
use super::super::leverage::{LeverageFactor, MOST_COLUMNS};
use super::super::qr::UpperTriangle;
use super::logistic_fit::LogisticFit;
use super::packed::packed_index;
use super::settings::LogisticSettings;
use super::standardisation::{Standardisation, position};
use super::sums::{BLOCK_ROWS, Block, Sums};
use ordinate_model::inference::DIAGONAL_INCREMENT;

/// A step that is shorter than this, relative to the largest parameter, is the last: the remaining error is proportional to its
/// square.
const LAST_STEP: f64 = 1e-7;

/// The fraction of the predicted descent that a step must achieve (Armijo).
const SUFFICIENT: f64 = 1e-4;

/// The shortest fraction of a step that is tried.
const SHORTEST_STEP: f64 = 1e-12;

/// The most numbers in the sums of blocks that threads compute at a time.
const SUMS_AT_A_TIME: usize = 4_000_000;

/// The most blocks that a thread sums at a time.
const BLOCKS_A_THREAD: usize = 32;

/// If all losses are below this, the classes are separable.
const CERTAIN: f64 = 1e-6;

/// A coefficient above this means that the classes are separable: one standard deviation changes the odds by 5·10⁸.
const DECISIVE: f64 = 20.0;

/// The parameters after an accepted step.
#[derive(Debug, Clone)]
struct Iterate {
    /// For each score, a coefficient for each column, then the intercept.
    parameters: Vec<Vec<f64>>,
    objective: f64,
    gradient: f64,
    log_loss: f64,
    worst: f64,
}

/// The state of Newton's method between passes over the rows.
#[derive(Debug)]
pub(crate) struct Newton {
    standardisation: Standardisation,
    /// 1 / scale of each column: multiplication is faster than division.
    precisions: Vec<f64>,
    settings: LogisticSettings,
    threads: usize,
    /// The parameters of the next pass.
    candidate: Vec<Vec<f64>>,
    best: Option<Iterate>,
    /// The Newton direction from the best parameters, and the slope along it.
    direction: Vec<f64>,
    slope: f64,
    step: f64,
    passes: u32,
    converged: bool,
    /// The Gram matrix of the first pass: with all parameters zero, all rows have the same curvature except for their weight.
    first_gram: Option<Vec<f64>>,
    sums: Sums,
    block: Block,
    /// Full blocks that are not summed yet.
    waiting: Vec<Block>,
}

impl Newton {
    pub(crate) fn new(standardisation: Standardisation, settings: &LogisticSettings) -> Result<Self, SolveError> {
        for (name, value) in [("C", settings.c), ("tolerance", settings.tolerance)] {
            if !(value > 0.0 && value.is_finite()) {
                return Err(SolveError::InvalidSetting { name, value, allowed: "a positive, finite number" });
            }
        }
        let scores = if standardisation.classes == 2 { 1 } else { standardisation.classes };
        let columns = standardisation.means.len();
        Ok(Self {
            precisions: standardisation.scales.iter().map(|scale| 1.0 / scale).collect(),
            settings: *settings,
            threads: std::thread::available_parallelism().map_or(1, NonZero::get),
            candidate: vec![vec![0.0; columns + 1]; scores],
            best: None,
            direction: Vec::new(),
            slope: 0.0,
            step: 1.0,
            passes: 0,
            converged: false,
            first_gram: None,
            sums: Sums::zero(scores, columns + 1),
            block: Block::new(columns, settings.intercept),
            waiting: Vec::new(),
            standardisation,
        })
    }

    /// Uses this many threads; the result does not depend on it.
    #[cfg(test)]
    pub(crate) fn on_threads(self, threads: usize) -> Self {
        Self { threads, ..self }
    }

    /// Starts over with another C, from the current parameters.
    pub(crate) fn restart(&mut self, c: f64) {
        if let Some(best) = self.best.take() {
            self.candidate = best.parameters;
        }
        self.settings.c = c;
        (self.passes, self.step, self.converged) = (0, 1.0, false);
    }

    /// Adds a row. Its target must be the position of a class.
    pub(crate) fn push(&mut self, row: DesignRow<'_>) {
        if row.weight == 0.0 {
            return;
        }
        let means = &self.standardisation.means;
        let standardised = row
            .design
            .iter()
            .zip(means)
            .zip(&self.precisions)
            .map(|((value, mean), precision)| (value - mean) * precision);
        self.block.push(standardised, position(row.target), row.weight);
        if self.block.rows() == BLOCK_ROWS {
            let empty = Block::new(self.standardisation.means.len(), self.settings.intercept);
            self.waiting.push(std::mem::replace(&mut self.block, empty));
            let numbers: usize = self.sums.grams.iter().map(Vec::len).sum();
            let at_a_time = (SUMS_AT_A_TIME / numbers.max(1)).clamp(self.threads, self.threads * BLOCKS_A_THREAD);
            if self.waiting.len() >= at_a_time {
                self.sum_waiting();
            }
        }
    }

    fn sum_waiting(&mut self) {
        let candidate = &self.candidate;
        let chunk = self.waiting.len().div_ceil(self.threads).max(1);
        let sum = |blocks: &[Block]| blocks.iter().map(|block| Sums::from_block(block, candidate)).collect::<Vec<_>>();
        let summed: Vec<Vec<Sums>> = if chunk == self.waiting.len() {
            vec![sum(&self.waiting)]
        } else {
            std::thread::scope(|scope| {
                let chunks: Vec<_> =
                    self.waiting.chunks(chunk).map(|blocks| (blocks, scope.spawn(move || sum(blocks)))).collect();
                // The blocks of a thread that panicked are summed here, with the same panic.
                chunks.into_iter().map(|(blocks, thread)| thread.join().unwrap_or_else(|_| sum(blocks))).collect()
            })
        };
        for sums in summed.iter().flatten() {
            self.sums.add(sums);
        }
        self.waiting.clear();
    }

    /// Ends a pass, and returns whether it was the last.
    pub(crate) fn advance(&mut self) -> bool {
        let empty = Block::new(self.standardisation.means.len(), self.settings.intercept);
        self.waiting.push(std::mem::replace(&mut self.block, empty));
        self.sum_waiting();
        let (scores, parameters) = (self.candidate.len(), self.standardisation.means.len() + 1);
        let sums = std::mem::replace(&mut self.sums, Sums::zero(scores, parameters));
        self.passes += 1;
        if self.standardisation.means.len() <= MOST_COLUMNS
            && self.candidate.iter().flatten().all(|value| *value == 0.0)
        {
            self.first_gram = sums.grams.first().cloned();
        }

        let penalty = 1.0 / (self.settings.c * self.standardisation.weight);
        let of_candidate = self.evaluate(&sums, penalty);
        if let Some(best) = &self.best {
            let noise = 4.0 * f64::EPSILON * best.objective.abs();
            let enough = best.objective + SUFFICIENT * self.step * self.slope + noise;
            let lower = of_candidate.0.objective <= enough;
            if !lower {
                self.step /= 2.0;
                self.candidate = moved(&best.parameters, self.step, &self.direction);
                return self.step < SHORTEST_STEP || self.passes >= self.settings.max_iterations;
            }
        }
        let (point, gradient) = of_candidate;
        let Some(direction) =
            newton_direction(&sums, &gradient, penalty, self.standardisation.weight, self.settings.intercept)
        else {
            self.best = Some(point);
            return true;
        };
        let longest = point.parameters.iter().flatten().fold(1.0_f64, |longest, value| longest.max(value.abs()));
        let step = direction.iter().fold(0.0_f64, |longest, value| longest.max(value.abs()));
        self.slope = direction.iter().zip(&gradient).map(|(direction, slope)| direction * slope).sum();
        self.candidate = moved(&point.parameters, 1.0, &direction);
        let arrived = point.gradient <= self.settings.tolerance && step <= LAST_STEP * longest;
        // With linearly dependent columns, rounding errors make steps that do not change the scores. (With separable classes, the
        // gradient is zero however far the optimum is.)
        let flat = !arrived && point.gradient <= f64::EPSILON && point.worst >= CERTAIN;
        self.converged = arrived || flat;
        self.step = 1.0;
        self.direction = direction;
        let parameters = if arrived { self.candidate.clone() } else { point.parameters.clone() };
        self.best = Some(Iterate { parameters, ..point });
        self.converged || self.passes >= self.settings.max_iterations
    }

    /// The objective of the candidate and its gradient, both divided by C and the total weight.
    fn evaluate(&self, sums: &Sums, penalty: f64) -> (Iterate, Vec<f64>) {
        let weight = self.standardisation.weight;
        let mut squares = 0.0;
        let mut gradient = Vec::new();
        for (parameters, slopes) in self.candidate.iter().zip(&sums.slopes) {
            let coefficients = parameters.len().saturating_sub(1);
            for (j, (parameter, slope)) in parameters.iter().zip(slopes).enumerate() {
                let penalised = if j < coefficients { penalty * parameter } else { 0.0 };
                squares += penalised * parameter;
                gradient.push(slope / weight + penalised);
            }
        }
        let point = Iterate {
            parameters: self.candidate.clone(),
            objective: sums.loss / weight + 0.5 * squares,
            gradient: gradient.iter().fold(0.0, |largest, slope| f64::max(largest, slope.abs())),
            log_loss: sums.loss / weight,
            worst: sums.worst,
        };
        (point, gradient)
    }

    /// The current fit.
    pub(crate) fn finish(&self) -> LogisticFit {
        let point = self.best.clone().unwrap_or_else(|| Iterate {
            parameters: self.candidate.clone(),
            objective: f64::INFINITY,
            gradient: f64::INFINITY,
            log_loss: f64::INFINITY,
            worst: f64::INFINITY,
        });
        let columns = self.standardisation.means.len();
        let of = |column: usize| -> Vec<f64> {
            let values: Vec<f64> = point.parameters.iter().filter_map(|score| score.get(column)).copied().collect();
            // Zero except for rounding errors.
            let mean = if values.len() > 1 { values.iter().sum::<f64>() / values.len() as f64 } else { 0.0 };
            values.into_iter().map(|value| value - mean).collect()
        };
        let coefficients: Vec<Vec<f64>> = (0..columns).map(of).collect();
        let decisive = coefficients.iter().flatten().any(|coefficient| coefficient.abs() > DECISIVE);
        LogisticFit {
            intercepts: of(columns),
            coefficients,
            means: self.standardisation.means.clone(),
            scales: self.standardisation.scales.clone(),
            iterations: self.passes,
            gradient: point.gradient,
            converged: self.converged,
            separated: decisive || point.worst < CERTAIN,
            log_loss: point.log_loss,
            leverage_factor: self.leverage_factor(),
        }
    }

    /// The factor for leverages, from the first pass.
    fn leverage_factor(&self) -> Option<LeverageFactor> {
        let gram = self.first_gram.as_ref()?;
        let columns = self.standardisation.means.len();
        let probability = 1.0 / self.standardisation.classes as f64;
        let curvature = probability * (1.0 - probability);
        let entry = |i: usize, j: usize| {
            let slack = if i == j { DIAGONAL_INCREMENT * self.standardisation.weight } else { 0.0 };
            gram.get(packed_index(i, j, columns + 1)).map(|entry| entry / curvature + slack)
        };
        let rows = (0..columns).map(|i| (i..columns).map(|j| entry(i, j)).collect());
        let triangle = UpperTriangle::cholesky(rows.collect::<Option<_>>()?)?;
        Some(LeverageFactor { triangle, degrees_of_freedom: None })
    }
}

fn moved(parameters: &[Vec<f64>], step: f64, direction: &[f64]) -> Vec<Vec<f64>> {
    let mut direction = direction.iter();
    let mut next = |parameter: &f64| parameter + direction.next().map_or(0.0, |direction| step * direction);
    parameters.iter().map(|score| score.iter().map(&mut next).collect()).collect()
}

/// `−H⁻¹ g`; none when the Hessian is not finite.
fn newton_direction(sums: &Sums, gradient: &[f64], penalty: f64, weight: f64, intercept: bool) -> Option<Vec<f64>> {
    // Without an intercept, its gradient and curvature are zero: this curvature keeps it zero.
    let intercept_curvature = if intercept { 0.0 } else { 1.0 };
    let scores = sums.slopes.len();
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
        // Adds curvature to the direction that changes no probability. Its gradient is zero, so the other directions do not change.
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
