//! Newton's method without the Hessian: its linear systems are solved by conjugate gradients, as far as each step needs
//! (Dembo and Steihaug, 1983), with the products of the Hessian and a vector. For many classes or columns, whose Hessian is too
//! large.
//!
//! The curvature of the first iteration, where all probabilities are equal, preconditions the systems: only the weights of the
//! rows change later.

// Only code that is inlined into `with_simd` is compiled for the detected instructions.
#![allow(clippy::inline_always)]

use pulp::{Simd, WithSimd};

use super::super::design_rows::DesignRows;
use super::super::error::SolveError;
use super::super::qr::{UpperTriangle, dot};
use super::super::simd::{LANES, Lanes};
use super::iterate::{Iterate, LAST_STEP, LossSums, SHORTEST_STEP, Solution, longest};
use super::packed::packed_index;
use super::settings::LogisticSettings;
use super::standardised_rows::{Block, RowBlock, StandardisedRows};
use super::sums::TwoClasses;
use super::tiles::{Tiles, Vectors, padded};

/// The largest residual of a linear system that is solved, relative to the first: a rough solution far from the minimum.
const ROUGH: f64 = 0.1;

/// The residual of the system of the last step.
const FINE: f64 = 1e-3;

/// The most products with the Hessian in one system, and in all.
const MOST_PRODUCTS: u32 = 300;
const MOST_PRODUCTS_OF_LONG: u32 = 30;
const MOST_PRODUCTS_IN_ALL: u32 = 3000;

/// Operations after which a larger gradient is small enough, and that gradient. The last digits of many coefficients would take
/// minutes; scikit-learn stops at 10⁻⁴ at once.
const LONG: [(f64, f64); 2] = [(2e9, 1e-5), (5e9, 1e-4)];

/// The fraction of a curvature that is added until a preconditioner is positive definite.
const SLACK: [f64; 4] = [1e-13, 1e-10, 1e-7, 1e-4];

/// A block of rows in tiles.
#[derive(Debug)]
pub(super) struct TileBlock {
    tiles: Tiles,
    classes: Vec<usize>,
    /// In tiles; zero for missing rows.
    weights: Vec<Lanes>,
}

impl Block for TileBlock {}

impl From<RowBlock> for TileBlock {
    fn from(block: RowBlock) -> Self {
        let RowBlock { values, columns, intercept, classes, mut weights } = block;
        let tiles = Tiles::new(&values, columns, f64::from(u8::from(intercept)));
        weights.resize(weights.len().next_multiple_of(LANES), 0.0);
        Self { tiles, classes, weights: weights.as_chunks::<LANES>().0.to_vec() }
    }
}

/// The sum of `weight · columnᵢ · columnⱼ` over the rows: a packed upper triangle, with the intercept last.
pub(super) fn gram<R: DesignRows>(
    rows: &StandardisedRows<'_, R, TileBlock>,
    parameters: usize,
) -> Result<Vec<f64>, SolveError> {
    let mut sums = vec![0.0; parameters * (parameters + 1) / 2];
    rows.sum(sums.len(), &|_, block: &TileBlock| block.tiles.gram(&block.weights), |of_block: Vec<f64>| {
        sums.iter_mut().zip(&of_block).for_each(|(sum, product)| *sum += product);
    })?;
    Ok(sums)
}

/// Minimises from these parameters. `gram` is that of [`gram()`], if it is worth its time; `operations` are those of one product
/// with the Hessian.
pub(super) fn minimise<R: DesignRows>(
    rows: &StandardisedRows<'_, R, TileBlock>,
    start: Vec<Vec<f64>>,
    settings: &LogisticSettings,
    penalty: f64,
    weight: f64,
    gram: Option<&[f64]>,
    operations: f64,
) -> Result<Solution, SolveError> {
    let (scores, parameters) = (start.len(), start.first().map_or(0, Vec::len));
    let classes = scores.max(2) as f64;
    let curvature = if scores == 1 { 0.25 } else { 1.0 / classes };
    let preconditioner = gram.and_then(|gram| Preconditioner::new(gram, parameters, curvature / weight, penalty));
    let pass = Pass { rows, scores, parameters };
    let mut candidate = start;
    let mut accepted: Option<(Iterate, Vec<f64>, f64)> = None;
    let (mut step, mut passes, mut products) = (1.0, 0, 0);
    let mut first_gradient = None;
    loop {
        let (sums, curvatures) = pass.losses(&candidate)?;
        passes += 1;
        let (point, gradient) = Iterate::new(candidate, &sums, penalty, weight);
        let is_last = passes >= settings.max_iterations || products >= MOST_PRODUCTS_IN_ALL;
        if let Some((best, direction, slope)) = accepted.take_if(|(best, _, slope)| !best.accepts(&point, step, *slope))
        {
            step /= 2.0;
            if step < SHORTEST_STEP || is_last {
                return Ok(Solution { point: best, passes: passes + products, converged: false });
            }
            candidate = best.moved(step, &direction);
            accepted = Some((best, direction, slope));
            continue;
        }
        if point.is_flat() || is_last {
            let converged = point.is_flat();
            return Ok(Solution { point, passes: passes + products, converged });
        }
        let reference = *first_gradient.get_or_insert(point.gradient);
        let spent = f64::from(passes + products) * operations;
        let enough = LONG.iter().rev().find(|(long, _)| spent > *long).map(|(_, gradient)| *gradient);
        if enough.is_some_and(|enough| point.gradient <= enough) {
            return Ok(Solution { point, passes: passes + products, converged: true });
        }
        let is_near = point.gradient <= settings.tolerance;
        let accuracy = match (is_near, enough) {
            (true, _) => FINE,
            (false, Some(_)) => ROUGH,
            (false, None) => (point.gradient / reference).sqrt().clamp(FINE, ROUGH),
        };
        let product = |vector: &[f64]| -> Result<Vec<f64>, SolveError> {
            let slopes = pass.curvature_times(&point.parameters, curvatures.as_deref(), vector)?;
            let mut parts = Vec::with_capacity(vector.len());
            for (slopes, vector) in slopes.iter().zip(vector.chunks(parameters)) {
                for (j, (slope, value)) in slopes.iter().zip(vector).enumerate() {
                    parts.push(slope / weight + if j + 1 < parameters { penalty * value } else { 0.0 });
                }
            }
            Ok(parts)
        };
        let precondition = |vector: &[f64]| match &preconditioner {
            Some(preconditioner) => preconditioner.times(vector),
            None => vector.to_vec(),
        };
        let most = if enough.is_some() { MOST_PRODUCTS_OF_LONG } else { MOST_PRODUCTS };
        let (direction, used) = conjugate_gradients(&gradient, accuracy, most, product, precondition)?;
        products += used;
        let slope = dot(&direction, &gradient);
        if !(slope < 0.0 && direction.iter().all(|value| value.is_finite())) {
            return Ok(Solution { point, passes: passes + products, converged: false });
        }
        candidate = point.moved(1.0, &direction);
        if is_near && longest(&direction) <= LAST_STEP * point.size() {
            let point = Iterate { parameters: candidate, ..point };
            return Ok(Solution { point, passes: passes + products, converged: true });
        }
        step = 1.0;
        accepted = Some((point, direction, slope));
    }
}

/// Solves `H d = −g` until the residual is this fraction of the first, in the norm of the preconditioner. Returns the number of
/// products with H.
fn conjugate_gradients(
    gradient: &[f64],
    accuracy: f64,
    most: u32,
    product: impl Fn(&[f64]) -> Result<Vec<f64>, SolveError>,
    precondition: impl Fn(&[f64]) -> Vec<f64>,
) -> Result<(Vec<f64>, u32), SolveError> {
    let mut solution = vec![0.0; gradient.len()];
    let mut residual: Vec<f64> = gradient.iter().map(|value| -value).collect();
    let mut preconditioned = precondition(&residual);
    let mut direction = preconditioned.clone();
    let mut square = dot(&residual, &preconditioned);
    let enough = accuracy * accuracy * square;
    for used in 1..=most {
        let image = product(&direction)?;
        let curvature = dot(&direction, &image);
        if curvature <= 0.0 || curvature.is_nan() {
            return Ok((if used == 1 { direction } else { solution }, used));
        }
        let length = square / curvature;
        add(&mut solution, length, &direction);
        add(&mut residual, -length, &image);
        preconditioned = precondition(&residual);
        let next = dot(&residual, &preconditioned);
        if next <= enough || next.is_nan() {
            return Ok((solution, used));
        }
        let factor = next / square;
        direction.iter_mut().zip(&preconditioned).for_each(|(value, new)| *value = factor.mul_add(*value, *new));
        square = next;
    }
    Ok((solution, most))
}

/// `to += factor · other`
fn add(to: &mut [f64], factor: f64, other: &[f64]) {
    to.iter_mut().zip(other).for_each(|(value, other)| *value = factor.mul_add(*other, *value));
}

/// The inverse of the Hessian at zero, the same for each score.
struct Preconditioner {
    inverse: Tiles,
    size: usize,
}

impl Preconditioner {
    /// The inverse of `curvature · gram + penalty`; none when it is not positive definite.
    fn new(gram: &[f64], size: usize, curvature: f64, penalty: f64) -> Option<Self> {
        let entry = |i: usize, j: usize| curvature * gram.get(packed_index(i, j, size)).copied().unwrap_or(0.0);
        let largest = (0..size).map(|i| entry(i, i)).fold(0.0, f64::max);
        let factor = SLACK.iter().find_map(|slack| {
            let diagonal = |i: usize| {
                let own = entry(i, i) + if i + 1 < size { penalty } else { 0.0 };
                // Without an intercept, its column is zero.
                if own == 0.0 { 1.0 } else { own + slack * largest }
            };
            let row = |i: usize| (i..size).map(|j| if i == j { diagonal(i) } else { entry(i, j) }).collect();
            UpperTriangle::cholesky((0..size).map(row).collect())
        })?;
        let columns = factor.inverse();
        // Row by row, without the last column, which is the constant of the tiles.
        let mut values = vec![0.0; size * size];
        for (i, row) in columns.iter().enumerate() {
            for (j, other) in columns.iter().enumerate().skip(i) {
                let both = dot(row.get(j - i..).unwrap_or_default(), other);
                for at in [i * size + j, j * size + i] {
                    if let Some(value) = values.get_mut(at) {
                        *value = both;
                    }
                }
            }
        }
        Some(Self { inverse: Tiles::new(&values, size, 0.0), size })
    }

    /// Multiplies the part of each score.
    fn times(&self, vector: &[f64]) -> Vec<f64> {
        let parts: Vec<Vec<f64>> = vector.chunks(self.size).map(|part| [part, &[0.0]].concat()).collect();
        let products = self.inverse.times(&Vectors::new(parts.iter().map(Vec::as_slice)));
        let stride = padded(parts.len());
        let mut result = Vec::with_capacity(vector.len());
        for score in 0..parts.len() {
            let lanes = products.iter().skip(score).step_by(stride).flatten();
            result.extend(lanes.take(self.size));
        }
        result
    }
}

/// The curvatures of each block of rows.
type BlockCurvatures = Vec<Vec<Lanes>>;

/// Passes over the rows.
struct Pass<'p, 'r, R> {
    rows: &'p StandardisedRows<'r, R, TileBlock>,
    scores: usize,
    parameters: usize,
}

impl<R: DesignRows> Pass<'_, '_, R> {
    /// Loss and gradient, and the curvature of each block if the rows are in memory.
    fn losses(&self, parameters: &[Vec<f64>]) -> Result<(LossSums, Option<BlockCurvatures>), SolveError> {
        let vectors = Vectors::new(parameters.iter().map(Vec::as_slice));
        let mut sums = LossSums::zero(self.scores, self.parameters);
        let mut curvatures = self.rows.is_in_memory().then(Vec::new);
        let (is_kept, scores) = (curvatures.is_some(), self.scores);
        let of_block = |_: usize, block: &TileBlock| {
            let losses = BlockLosses::new(block, &block.tiles.times(&vectors), scores);
            let slopes = block.tiles.transposed_times(&losses.residuals, scores);
            let sums = LossSums { loss: losses.loss, worst: losses.worst, slopes };
            (sums, if is_kept { losses.curvatures } else { Vec::new() })
        };
        self.rows.sum(self.scores * self.parameters, &of_block, |(of_block, curvature)| {
            sums.add(&of_block);
            if let Some(curvatures) = &mut curvatures {
                curvatures.push(curvature);
            }
        })?;
        Ok((sums, curvatures))
    }

    /// The Hessian of the loss times a vector. Without `curvatures`, they are computed again.
    fn curvature_times(
        &self,
        parameters: &[Vec<f64>],
        curvatures: Option<&[Vec<Lanes>]>,
        vector: &[f64],
    ) -> Result<Vec<Vec<f64>>, SolveError> {
        let at = Vectors::new(parameters.iter().map(Vec::as_slice));
        let vectors = Vectors::new(vector.chunks(self.parameters));
        let mut sums = LossSums::zero(self.scores, self.parameters);
        let scores = self.scores;
        let of_block = |number: usize, block: &TileBlock| {
            let mut changes = block.tiles.times(&vectors);
            let again;
            let curvatures = if let Some(curvatures) = curvatures.and_then(|curvatures| curvatures.get(number)) {
                curvatures
            } else {
                again = BlockLosses::new(block, &block.tiles.times(&at), scores).curvatures;
                &again
            };
            let weights = &block.weights;
            block.tiles.dispatch(CurvatureTimes { curvatures, weights, changes: &mut changes });
            LossSums { loss: 0.0, worst: 0.0, slopes: block.tiles.transposed_times(&changes, scores) }
        };
        self.rows.sum(self.scores * self.parameters, &of_block, |of_block| sums.add(&of_block))?;
        Ok(sums.slopes)
    }
}

/// The losses of a block and their derivatives by the scores.
struct BlockLosses {
    loss: f64,
    worst: f64,
    /// The weighted derivative by each score.
    residuals: Vec<Lanes>,
    /// For two classes the weighted curvature, for more the probabilities.
    curvatures: Vec<Lanes>,
}

impl BlockLosses {
    fn new(block: &TileBlock, scores: &[Lanes], count: usize) -> Self {
        let stride = padded(count);
        let empty = || vec![[0.0; LANES]; scores.len()];
        let mut losses = Self { loss: 0.0, worst: 0.0, residuals: empty(), curvatures: empty() };
        let tiles = scores.chunks_exact(stride).zip(&block.weights).zip(block.classes.chunks(LANES));
        let to = losses.residuals.chunks_exact_mut(stride).zip(losses.curvatures.chunks_exact_mut(stride));
        let (mut sum, mut worst) = (0.0, 0.0_f64);
        let mut exponentials = Vec::with_capacity(count);
        for (((scores, weights), classes), (residuals, curvatures)) in tiles.zip(to) {
            for (lane, (class, weight)) in classes.iter().zip(weights).enumerate() {
                let of_row = || scores.iter().take(count).filter_map(|lanes| lanes.get(lane)).copied();
                let mut set = |score: usize, residual: f64, curvature: f64| {
                    let entries = [(&mut *residuals, residual), (&mut *curvatures, curvature)];
                    for (lanes, value) in entries {
                        if let Some(entry) = lanes.get_mut(score).and_then(|lanes| lanes.get_mut(lane)) {
                            *entry = value;
                        }
                    }
                };
                let loss = if count == 1 {
                    let row = TwoClasses::new(of_row().next().unwrap_or_default(), *class);
                    set(0, weight * row.residual, weight * row.curvature);
                    row.loss
                } else {
                    let largest = of_row().fold(f64::NEG_INFINITY, f64::max);
                    exponentials.clear();
                    exponentials.extend(of_row().map(|score| libm::exp(score - largest)));
                    let total: f64 = exponentials.iter().sum();
                    // `1 − p` would lose its digits where p is close to 1.
                    let others = exponentials.iter().enumerate().filter(|(score, _)| score != class);
                    let rest = others.map(|(_, exponential)| exponential).sum::<f64>() / total;
                    for (score, exponential) in exponentials.iter().enumerate() {
                        let probability = exponential / total;
                        set(score, weight * if score == *class { -rest } else { probability }, probability);
                    }
                    let behind = of_row().nth(*class).map_or(0.0, |score| largest - score);
                    if rest < 0.5 { -libm::log1p(-rest) } else { libm::log(total) + behind }
                };
                sum += weight * loss;
                worst = worst.max(loss);
            }
        }
        (losses.loss, losses.worst) = (sum, worst);
        losses
    }
}

/// Multiplies the changes of scores with the second derivatives of each row.
struct CurvatureTimes<'a> {
    curvatures: &'a [Lanes],
    weights: &'a [Lanes],
    changes: &'a mut [Lanes],
}

impl WithSimd for CurvatureTimes<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { curvatures, weights, changes } = self;
        let stride = changes.len() / weights.len().max(1);
        if stride <= 1 {
            for (changes, curvatures) in changes.iter_mut().zip(curvatures) {
                changes.iter_mut().zip(curvatures).for_each(|(change, curvature)| *change *= curvature);
            }
            return;
        }
        let tiles = changes.chunks_exact_mut(stride).zip(curvatures.chunks_exact(stride)).zip(weights);
        for ((changes, probabilities), weights) in tiles {
            let mut mean = [0.0; LANES];
            for (change, probability) in changes.iter().zip(probabilities) {
                for (mean, (change, probability)) in mean.iter_mut().zip(change.iter().zip(probability)) {
                    *mean = change.mul_add(*probability, *mean);
                }
            }
            for (change, probability) in changes.iter_mut().zip(probabilities) {
                let others = probability.iter().zip(&mean).zip(weights);
                for (change, ((probability, mean), weight)) in change.iter_mut().zip(others) {
                    *change = weight * (probability * (*change - mean));
                }
            }
        }
    }
}
