//! The losses of a block of rows in tiles and their derivatives by the scores.
//!
//! The operations and their order do not depend on the processor (`simd`).

// Only code that is inlined into `with_simd` is compiled for the detected instructions.
#![allow(clippy::inline_always)]

use pulp::{Simd, WithSimd};

use super::super::simd::{LANES, Lanes};
use super::exponential::exponentials;
use super::tiles::padded;

/// The losses of a block and their derivatives by the scores.
#[derive(Debug)]
pub(super) struct BlockLosses {
    pub(super) loss: f64,
    /// The largest loss of a row.
    pub(super) worst: f64,
    /// The scores; [`ComputeLosses`] overwrites them with the weighted derivative by each score.
    pub(super) residuals: Vec<Lanes>,
    /// For two classes the weighted curvature, for more the probabilities; empty if they are not wanted.
    pub(super) curvatures: Vec<Lanes>,
}

/// Computes losses and derivatives from scores.
pub(super) struct ComputeLosses<'a> {
    pub(super) classes: &'a [usize],
    pub(super) weights: &'a [Lanes],
    /// The number of scores.
    pub(super) count: usize,
    pub(super) losses: &'a mut BlockLosses,
}

impl WithSimd for ComputeLosses<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { classes, weights, count, losses } = self;
        let stride = padded(count);
        let mut curvatures = losses.curvatures.chunks_exact_mut(stride);
        let tiles = losses.residuals.chunks_exact_mut(stride).zip(weights).zip(classes.chunks(LANES));
        let (mut sum, mut worst) = (0.0, 0.0_f64);
        for ((scores, weights), classes) in tiles {
            let Some(scores) = scores.get_mut(..count) else { break };
            let curvatures = curvatures.next().and_then(|curvatures| curvatures.get_mut(..count));
            let of_rows = match scores {
                [score] => two_classes(simd, score, classes, weights, curvatures.and_then(<[Lanes]>::first_mut)),
                scores => several_classes(simd, scores, classes, weights, curvatures),
            };
            // Missing rows have no class.
            for ((loss, weight), _) in of_rows.iter().zip(weights).zip(classes) {
                sum += weight * loss;
                worst = worst.max(*loss);
            }
        }
        (losses.loss, losses.worst) = (sum, worst);
    }
}

/// The losses of the rows of a tile, whose score is the log-odds of the second class.
#[inline(always)]
fn two_classes<S: Simd>(
    simd: S,
    score: &mut Lanes,
    classes: &[usize],
    weights: &Lanes,
    curvature: Option<&mut Lanes>,
) -> Lanes {
    let mut losses = [0.0; LANES];
    // From the exponential that cannot overflow, so that neither probability loses its digits.
    let small = exponentials(simd, &score.map(|score| -score.abs()));
    if let Some(curvature) = curvature {
        for ((curvature, small), weight) in curvature.iter_mut().zip(&small).zip(weights) {
            let (unlikely, likely) = (small / (1.0 + small), 1.0 / (1.0 + small));
            *curvature = weight * (unlikely * likely);
        }
    }
    for ((((loss, score), small), class), weight) in losses.iter_mut().zip(score).zip(&small).zip(classes).zip(weights)
    {
        let is_second = *class == 1;
        let is_right = is_second == (*score >= 0.0);
        let miss = (if is_right { *small } else { 1.0 }) / (1.0 + small);
        *loss = libm::log1p(*small) + if is_right { 0.0 } else { score.abs() };
        *score = weight * if is_second { -miss } else { miss };
    }
    losses
}

/// The losses of the rows of a tile with a score for each class.
#[inline(always)]
fn several_classes<S: Simd>(
    simd: S,
    scores: &mut [Lanes],
    classes: &[usize],
    weights: &Lanes,
    mut curvatures: Option<&mut [Lanes]>,
) -> Lanes {
    // Missing rows have no class.
    let mut own = [usize::MAX; LANES];
    own.iter_mut().zip(classes).for_each(|(own, class)| *own = *class);
    let mut largest = [f64::NEG_INFINITY; LANES];
    for scores in &*scores {
        for (largest, score) in largest.iter_mut().zip(scores) {
            *largest = if *score > *largest { *score } else { *largest };
        }
    }
    let mut behind = [0.0; LANES];
    for ((behind, largest), (class, lane)) in behind.iter_mut().zip(&largest).zip(classes.iter().zip(0..)) {
        *behind = scores.get(*class).and_then(|lanes| lanes.get(lane)).map_or(0.0, |score| largest - score);
    }
    // `1 − p` would lose its digits where p is close to 1.
    let (mut total, mut others) = ([0.0; LANES], [0.0; LANES]);
    for (scores, class) in scores.iter_mut().zip(0_usize..) {
        scores.iter_mut().zip(&largest).for_each(|(score, largest)| *score -= largest);
        *scores = exponentials(simd, scores);
        for (((total, others), exponential), own) in total.iter_mut().zip(&mut others).zip(&*scores).zip(&own) {
            *total += exponential;
            *others += if *own == class { 0.0 } else { *exponential };
        }
    }
    let inverse = total.map(|total| 1.0 / total);
    let mut rest = [0.0; LANES];
    rest.iter_mut().zip(others.iter().zip(&inverse)).for_each(|(rest, (others, inverse))| *rest = others * inverse);
    for (scores, class) in scores.iter_mut().zip(0_usize..) {
        scores.iter_mut().zip(&inverse).for_each(|(score, inverse)| *score *= inverse);
        if let Some(to) = curvatures.as_mut().and_then(|curvatures| curvatures.get_mut(class)) {
            *to = *scores;
        }
        for (((score, own), rest), weight) in scores.iter_mut().zip(&own).zip(&rest).zip(weights) {
            *score = weight * if *own == class { -rest } else { *score };
        }
    }
    let mut losses = [0.0; LANES];
    for ((loss, rest), (total, behind)) in losses.iter_mut().zip(&rest).zip(total.iter().zip(&behind)) {
        *loss = if *rest < 0.5 { -libm::log1p(-rest) } else { libm::log(*total) + behind };
    }
    losses
}

/// Multiplies the changes of scores with the second derivatives of each row.
pub(super) struct CurvatureTimes<'a> {
    pub(super) curvatures: &'a [Lanes],
    pub(super) weights: &'a [Lanes],
    pub(super) changes: &'a mut [Lanes],
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
