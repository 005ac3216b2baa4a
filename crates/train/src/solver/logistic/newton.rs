//! Newton's method, a pass over the rows at a time.

use std::num::NonZero;

use super::super::leverage::{MOST_COLUMNS, Spread};
use super::super::qr::Triangle;
use super::super::rows::Row;
use super::sums::{BLOCK_ROWS, Block, Sums, place};
use super::survey::{Standard, position};
use super::{LogisticError, LogisticFit, LogisticSettings};
use ordinate_model::inference::DIAGONAL_INCREMENT;

/// A last step that is shorter than this, relative to the longest parameter, is taken without another look: what it
/// leaves is in proportion to its square.
const LAST_STEP: f64 = 1e-7;

/// The share of the promised descent that a step has to bring (Armijo).
const SUFFICIENT: f64 = 1e-4;

/// A step that was halved as often as this leads nowhere.
const SHORTEST_STEP: f64 = 1e-12;

/// Memory for the sums of the blocks that threads work on at a time, in numbers.
const SUMS_AT_A_TIME: usize = 4_000_000;

/// Blocks that a thread sums before it comes back.
const BLOCKS_A_THREAD: usize = 32;

/// Losses below this mean that every row is as good as certain of its class.
const CERTAIN: f64 = 1e-6;

/// A coefficient beyond which one standard deviation of a feature decides alone: odds of 5·10⁸.
const DECISIVE: f64 = 20.0;

/// Parameters that the last accepted step led to.
#[derive(Debug, Clone)]
struct Point {
    /// One list a score: a coefficient a column, then the intercept.
    parameters: Vec<Vec<f64>>,
    objective: f64,
    gradient: f64,
    log_loss: f64,
    worst: f64,
}

/// Newton's method, waiting for the next pass over the rows.
#[derive(Debug)]
pub(crate) struct Newton {
    standard: Standard,
    /// 1 / scale of each column: a product is cheaper than a quotient, and there is one a value and pass.
    precisions: Vec<f64>,
    settings: LogisticSettings,
    threads: usize,
    /// Where the next pass looks.
    candidate: Vec<Vec<f64>>,
    best: Option<Point>,
    /// From the best point, with the slope along it.
    direction: Vec<f64>,
    slope: f64,
    step: f64,
    passes: u32,
    converged: bool,
    /// From the first pass: where all parameters are zero, all rows have the same curvature but for their weight.
    first_gram: Option<Vec<f64>>,
    sums: Sums,
    block: Block,
    /// Full blocks that wait for the threads.
    waiting: Vec<Block>,
}

impl Newton {
    pub(crate) fn new(standard: Standard, settings: &LogisticSettings) -> Result<Self, LogisticError> {
        for (name, value) in [("C", settings.c), ("the tolerance", settings.tolerance)] {
            if !(value > 0.0 && value.is_finite()) {
                return Err(LogisticError::InvalidSetting { name, value });
            }
        }
        let scores = if standard.classes == 2 { 1 } else { standard.classes };
        let columns = standard.means.len();
        Ok(Self {
            precisions: standard.scales.iter().map(|scale| 1.0 / scale).collect(),
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
            standard,
        })
    }

    /// Uses this many threads; the answer does not depend on it.
    #[cfg(test)]
    pub(crate) fn on_threads(self, threads: usize) -> Self {
        Self { threads, ..self }
    }

    /// Starts over with another price of errors, from the parameters that were found for the last.
    pub(crate) fn restart(&mut self, c: f64) {
        if let Some(best) = self.best.take() {
            self.candidate = best.parameters;
        }
        self.settings.c = c;
        (self.passes, self.step, self.converged) = (0, 1.0, false);
    }

    /// Takes one row, whose target is a class.
    pub(crate) fn push(&mut self, row: Row<'_>) {
        if row.weight == 0.0 {
            return;
        }
        let means = &self.standard.means;
        let standardised = row
            .design
            .iter()
            .zip(means)
            .zip(&self.precisions)
            .map(|((value, mean), precision)| (value - mean) * precision);
        self.block.push(standardised, position(row.target), row.weight);
        if self.block.rows() == BLOCK_ROWS {
            let empty = Block::new(self.standard.means.len(), self.settings.intercept);
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
        let share = self.waiting.len().div_ceil(self.threads).max(1);
        let sum = |blocks: &[Block]| blocks.iter().map(|block| Sums::of(block, candidate)).collect::<Vec<_>>();
        let summed: Vec<Vec<Sums>> = if share == self.waiting.len() {
            vec![sum(&self.waiting)]
        } else {
            std::thread::scope(|scope| {
                let shares: Vec<_> =
                    self.waiting.chunks(share).map(|blocks| (blocks, scope.spawn(move || sum(blocks)))).collect();
                // A thread that died has its blocks summed here: the same panic then ends this one.
                shares.into_iter().map(|(blocks, thread)| thread.join().unwrap_or_else(|_| sum(blocks))).collect()
            })
        };
        for sums in summed.iter().flatten() {
            self.sums.add(sums);
        }
        self.waiting.clear();
    }

    /// Ends a pass. True when no other is needed.
    pub(crate) fn advance(&mut self) -> bool {
        let empty = Block::new(self.standard.means.len(), self.settings.intercept);
        self.waiting.push(std::mem::replace(&mut self.block, empty));
        self.sum_waiting();
        let (scores, parameters) = (self.candidate.len(), self.standard.means.len() + 1);
        let sums = std::mem::replace(&mut self.sums, Sums::zero(scores, parameters));
        self.passes += 1;
        if self.standard.means.len() <= MOST_COLUMNS && self.candidate.iter().flatten().all(|value| *value == 0.0) {
            self.first_gram = sums.grams.first().cloned();
        }

        let penalty = 1.0 / (self.settings.c * self.standard.weight);
        let of_candidate = self.look(&sums, penalty);
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
            newton_direction(&sums, &gradient, penalty, self.standard.weight, self.settings.intercept)
        else {
            self.best = Some(point);
            return true;
        };
        let longest = point.parameters.iter().flatten().fold(1.0_f64, |longest, value| longest.max(value.abs()));
        let step = direction.iter().fold(0.0_f64, |longest, value| longest.max(value.abs()));
        self.slope = direction.iter().zip(&gradient).map(|(direction, slope)| direction * slope).sum();
        self.candidate = moved(&point.parameters, 1.0, &direction);
        let arrived = point.gradient <= self.settings.tolerance && step <= LAST_STEP * longest;
        // Where columns depend on each other, rounding alone makes steps along what they add up to nothing with. (Where rows are
        // certain of their classes a slope is nothing however far the optimum is.)
        let flat = !arrived && point.gradient <= f64::EPSILON && point.worst >= CERTAIN;
        self.converged = arrived || flat;
        self.step = 1.0;
        self.direction = direction;
        let parameters = if arrived { self.candidate.clone() } else { point.parameters.clone() };
        self.best = Some(Point { parameters, ..point });
        self.converged || self.passes >= self.settings.max_iterations
    }

    /// The candidate's objective and its gradient, both divided by C and the rows' weight.
    fn look(&self, sums: &Sums, penalty: f64) -> (Point, Vec<f64>) {
        let weight = self.standard.weight;
        let mut squares = 0.0;
        let mut gradient = Vec::new();
        for (parameters, slopes) in self.candidate.iter().zip(&sums.slopes) {
            let coefficients = parameters.len().saturating_sub(1);
            for (j, (parameter, slope)) in parameters.iter().zip(slopes).enumerate() {
                let priced = if j < coefficients { penalty * parameter } else { 0.0 };
                squares += priced * parameter;
                gradient.push(slope / weight + priced);
            }
        }
        let point = Point {
            parameters: self.candidate.clone(),
            objective: sums.loss / weight + 0.5 * squares,
            gradient: gradient.iter().fold(0.0, |largest, slope| f64::max(largest, slope.abs())),
            log_loss: sums.loss / weight,
            worst: sums.worst,
        };
        (point, gradient)
    }

    /// The fit, as far as it came.
    pub(crate) fn finish(&self) -> LogisticFit {
        let point = self.best.clone().unwrap_or_else(|| Point {
            parameters: self.candidate.clone(),
            objective: f64::INFINITY,
            gradient: f64::INFINITY,
            log_loss: f64::INFINITY,
            worst: f64::INFINITY,
        });
        let columns = self.standard.means.len();
        let of = |column: usize| -> Vec<f64> {
            let values: Vec<f64> = point.parameters.iter().filter_map(|score| score.get(column)).copied().collect();
            // Zero already but for rounding.
            let mean = if values.len() > 1 { values.iter().sum::<f64>() / values.len() as f64 } else { 0.0 };
            values.into_iter().map(|value| value - mean).collect()
        };
        let coefficients: Vec<Vec<f64>> = (0..columns).map(of).collect();
        let decisive = coefficients.iter().flatten().any(|coefficient| coefficient.abs() > DECISIVE);
        LogisticFit {
            intercepts: of(columns),
            coefficients,
            means: self.standard.means.clone(),
            scales: self.standard.scales.clone(),
            iterations: self.passes,
            gradient: point.gradient,
            converged: self.converged,
            separated: decisive || point.worst < CERTAIN,
            log_loss: point.log_loss,
            spread: self.spread(),
        }
    }

    /// How the rows are spread, by the first pass.
    fn spread(&self) -> Option<Spread> {
        let gram = self.first_gram.as_ref()?;
        let columns = self.standard.means.len();
        let share = 1.0 / self.standard.classes as f64;
        let curvature = share * (1.0 - share);
        let entry = |i: usize, j: usize| {
            let slack = if i == j { DIAGONAL_INCREMENT * self.standard.weight } else { 0.0 };
            gram.get(place(i, j, columns + 1)).map(|entry| entry / curvature + slack)
        };
        let rows = (0..columns).map(|i| (i..columns).map(|j| entry(i, j)).collect());
        let triangle = Triangle::cholesky(rows.collect::<Option<_>>()?)?;
        Some(Spread { triangle, degrees_of_freedom: None })
    }
}

fn moved(parameters: &[Vec<f64>], step: f64, direction: &[f64]) -> Vec<Vec<f64>> {
    let mut direction = direction.iter();
    let mut next = |parameter: &f64| parameter + direction.next().map_or(0.0, |direction| step * direction);
    parameters.iter().map(|score| score.iter().map(&mut next).collect()).collect()
}

/// `−H⁻¹ g`; none when the curvature is not finite.
fn newton_direction(sums: &Sums, gradient: &[f64], penalty: f64, weight: f64, intercept: bool) -> Option<Vec<f64>> {
    // An intercept that is not to be has neither slope nor curvature: with this one it stays zero.
    let of_intercept = if intercept { 0.0 } else { 1.0 };
    let scores = sums.slopes.len();
    let parameters = gradient.len() / scores.max(1);
    let second = |i: usize, j: usize| {
        let (score, parameter) = (i / parameters, i % parameters);
        let (other_score, other_parameter) = (j / parameters, j % parameters);
        let gram = sums.grams.get(place(score, other_score, scores));
        let (first, last) = (parameter.min(other_parameter), parameter.max(other_parameter));
        let entry = gram.and_then(|gram| gram.get(place(first, last, parameters))).copied().unwrap_or(0.0) / weight;
        let priced = if parameter + 1 < parameters { penalty } else { of_intercept };
        let priced = if i == j { priced } else { 0.0 };
        // Gives the direction that changes no probability a curvature; its slope is zero, so nothing else changes.
        let pinned = if scores > 1 && parameter == other_parameter { 1.0 / scores as f64 } else { 0.0 };
        entry + priced + pinned
    };
    let size = gradient.len();
    let rows: Vec<Vec<f64>> = (0..size).map(|i| (i..size).map(|j| second(i, j)).collect()).collect();
    let largest = rows.iter().filter_map(|row| row.first()).copied().fold(0.0, f64::max);
    // Rounding may take away the last of a curvature that is nearly nothing; a little more makes the step shorter.
    let triangle = [0.0, 1e-14, 1e-12, 1e-10].iter().find_map(|more| {
        let mut rows = rows.clone();
        rows.iter_mut().filter_map(|row| row.first_mut()).for_each(|diagonal| *diagonal += more * largest);
        Triangle::cholesky(rows)
    })?;
    let direction: Vec<f64> =
        triangle.solve(&triangle.solve_transposed(gradient)).into_iter().map(|value| -value).collect();
    direction.iter().all(|value| value.is_finite()).then_some(direction)
}
