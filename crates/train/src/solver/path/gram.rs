//! The products of standardised columns of categories and numbers.
//!
//! A standardised level is `z = (e − p) / s`, with the indicator `e`, its mean `p` and its scale `s`. With a centred
//! residual `r`, `zᵀWr` is the sum of the residual over the rows with the level, ÷ s. A change of the level's
//! coefficient changes its own sum, those of the levels of other categories in the same rows, those of the few numbers,
//! and a shift that all rows share.

use super::super::length::length;
use super::super::moments::SparseMoments;
use super::super::qr::dot;

/// A curvature ÷ the largest one of a single column that is due to rounding.
const FLAT: f64 = 1e-13;

/// The most steps of conjugate gradients: for each feature, and with few features.
const STEPS: [usize; 2] = [2, 50];

/// A level of a category.
#[derive(Debug)]
struct Level {
    /// The weight of its rows.
    weight: f64,
    /// The mean of its indicator; 0 about zero.
    mean: f64,
    /// 1 ÷ its scale; 0 if it is constant.
    inverse_scale: f64,
    /// The weight of the rows that have another level, too.
    pairs: Vec<(usize, f64)>,
    /// The sums of the standardised numbers over its rows.
    numbers: Vec<f64>,
}

/// The Gram matrix `ZᵀWZ` of the standardised features and a target of length 1. First the levels, then the numbers.
#[derive(Debug)]
pub(super) struct Gram {
    levels: Vec<Level>,
    /// For each number, its sums over the rows of each level.
    sums: Vec<Vec<f64>>,
    /// The products of the numbers.
    numbers: Vec<Vec<f64>>,
    /// The correlation of each feature with the target.
    pub(super) target: Vec<f64>,
    /// The total weight: the squared length of every column that varies.
    pub(super) weight: f64,
    /// The column of each feature in the design.
    pub(super) columns: Vec<usize>,
    /// The scale of each feature; 1 for a constant one.
    pub(super) scales: Vec<f64>,
    /// The length of the target in its own unit.
    pub(super) unit: f64,
}

/// The residual's sums over the rows of each level, less a multiple of their weights, and its products with the
/// numbers.
#[derive(Debug, Clone)]
pub(super) struct Residual {
    sums: Vec<f64>,
    shift: f64,
    numbers: Vec<f64>,
}

impl Gram {
    pub(super) fn new(moments: &SparseMoments) -> Self {
        let weight = moments.weight();
        let root = weight.sqrt();
        let triangle = moments.numbers().triangle();
        let mut scales: Vec<f64> = triangle.lengths().iter().map(|length| length / root).collect();
        let unit = scales.pop().map(|scale| scale * root).filter(|length| *length > 0.0).unwrap_or(1.0);
        let inverse = |scale: &f64| if *scale > 0.0 { 1.0 / scale } else { 0.0 };
        let inverses: Vec<f64> = scales.iter().map(inverse).chain([1.0 / unit]).collect();
        let mut target = Vec::new();
        let level = |rows| {
            let mean = moments.fraction(rows);
            let is_constant = moments.is_constant_level(rows);
            let inverse_scale = if is_constant { 0.0 } else { root / (rows.weight * (1.0 - mean)).sqrt() };
            let sum = |(apart, inverse): (f64, &f64)| rows.weight * apart * inverse;
            let mut numbers: Vec<f64> = moments.apart(rows).zip(&inverses).map(sum).collect();
            target.push(numbers.pop().unwrap_or_default() * inverse_scale);
            Level { weight: rows.weight, mean, inverse_scale, pairs: Vec::new(), numbers }
        };
        let mut levels: Vec<Level> = moments.each_level().iter().map(level).collect();
        for ((left, right), weight) in moments.pairs() {
            for (own, other) in [(left, right), (right, left)] {
                levels.get_mut(own).into_iter().for_each(|level| level.pairs.push((other, weight)));
            }
        }
        let standardised: Vec<Vec<f64>> = inverses
            .iter()
            .enumerate()
            .map(|(at, inverse)| triangle.column(at).iter().map(|entry| entry * inverse).collect())
            .collect();
        let product = |left: &Vec<f64>, right: &Vec<f64>| {
            let rows = left.len().min(right.len());
            dot(left.get(..rows).unwrap_or_default(), right.get(..rows).unwrap_or_default())
        };
        let (of_target, of_numbers) =
            standardised.split_last().map_or((&[][..], &[][..]), |(last, rest)| (last.as_slice(), rest));
        target.extend(of_numbers.iter().map(|column| dot(column, of_target.get(..column.len()).unwrap_or_default())));
        let sum = |at: usize| levels.iter().filter_map(|level| level.numbers.get(at)).copied().collect();
        let scale = |level: &Level| if level.inverse_scale > 0.0 { 1.0 / level.inverse_scale } else { 1.0 };
        Self {
            sums: (0..of_numbers.len()).map(sum).collect(),
            numbers: of_numbers
                .iter()
                .map(|left| of_numbers.iter().map(|right| product(left, right)).collect())
                .collect(),
            target,
            weight,
            columns: [moments.level_columns(), moments.number_columns()].concat(),
            scales: levels
                .iter()
                .map(scale)
                .chain(scales.iter().map(|scale| if *scale > 0.0 { *scale } else { 1.0 }))
                .collect(),
            levels,
            unit,
        }
    }

    /// The number of features.
    pub(super) fn len(&self) -> usize {
        self.columns.len()
    }

    /// The residual of the target, with all coefficients zero.
    fn of_target(&self) -> Residual {
        let sum = |(level, target): (&Level, &f64)| {
            if level.inverse_scale > 0.0 { target / level.inverse_scale } else { 0.0 }
        };
        let numbers = self.target.get(self.levels.len()..).unwrap_or_default().to_vec();
        Residual { sums: self.levels.iter().zip(&self.target).map(sum).collect(), shift: 0.0, numbers }
    }

    /// The residual with these coefficients.
    pub(super) fn residual(&self, coefficients: &[f64]) -> Residual {
        let mut residual = self.of_target();
        self.subtract(&mut residual, coefficients);
        residual
    }

    /// Subtracts the predictions of these coefficients from a residual.
    fn subtract(&self, residual: &mut Residual, coefficients: &[f64]) {
        for (feature, coefficient) in coefficients.iter().enumerate().filter(|(_, coefficient)| **coefficient != 0.0) {
            self.change(residual, feature, *coefficient);
        }
    }

    /// Changes a residual for a change of a coefficient.
    pub(super) fn change(&self, residual: &mut Residual, feature: usize, change: f64) {
        let Some(level) = self.levels.get(feature) else {
            let number = feature - self.levels.len();
            let (Some(sums), Some(products)) = (self.sums.get(number), self.numbers.get(number)) else { return };
            residual.sums.iter_mut().zip(sums).for_each(|(to, sum)| *to -= change * sum);
            residual.numbers.iter_mut().zip(products).for_each(|(to, product)| *to -= change * product);
            return;
        };
        let change = change * level.inverse_scale;
        residual.sums.get_mut(feature).into_iter().for_each(|sum| *sum -= change * level.weight);
        for (other, weight) in &level.pairs {
            residual.sums.get_mut(*other).into_iter().for_each(|sum| *sum -= change * weight);
        }
        residual.shift += change * level.mean;
        residual.numbers.iter_mut().zip(&level.numbers).for_each(|(to, sum)| *to -= change * sum);
    }

    /// The correlation of a feature with a residual.
    pub(super) fn correlation(&self, residual: &Residual, feature: usize) -> f64 {
        match self.levels.get(feature) {
            Some(level) => {
                let sum = residual.sums.get(feature).copied().unwrap_or_default();
                (sum + residual.shift * level.weight) * level.inverse_scale
            }
            None => residual.numbers.get(feature - self.levels.len()).copied().unwrap_or_default(),
        }
    }

    /// The correlation of each feature with a residual.
    pub(super) fn correlations(&self, residual: &Residual) -> Vec<f64> {
        (0..self.len()).map(|feature| self.correlation(residual, feature)).collect()
    }

    /// The Gram matrix times a vector.
    pub(super) fn times(&self, vector: &[f64]) -> Vec<f64> {
        let zeros = |count| vec![0.0; count];
        let mut residual = Residual { sums: zeros(self.levels.len()), shift: 0.0, numbers: zeros(self.numbers.len()) };
        self.subtract(&mut residual, vector);
        let mut products = self.correlations(&residual);
        for product in &mut products {
            *product = -*product;
        }
        products
    }

    /// Solves `(G + l2 I) x = right` in these features, from `x`, by conjugate gradients, to an error of the right side
    /// of this length at most. Returns a direction without curvature along which the right side rises, if there is one.
    pub(super) fn solve(
        &self,
        active: &[usize],
        l2: f64,
        right: &[f64],
        x: &mut [f64],
        error: f64,
    ) -> Option<Vec<f64>> {
        let mut is_active = vec![0.0; self.len()];
        for feature in active {
            is_active.get_mut(*feature).into_iter().for_each(|active| *active = 1.0);
        }
        let apply = |vector: &[f64]| -> Vec<f64> {
            let products = self.times(vector);
            products
                .iter()
                .zip(vector)
                .zip(&is_active)
                .map(|((product, own), active)| active * (product + l2 * own))
                .collect()
        };
        let start = apply(x);
        let mut rest: Vec<f64> =
            right.iter().zip(&start).zip(&is_active).map(|((right, start), active)| active * (right - start)).collect();
        let mut direction = rest.clone();
        let mut squares = dot(&rest, &rest);
        let [for_each, with_few] = STEPS;
        for _ in 0..for_each * active.len() + with_few {
            if squares.sqrt() <= error {
                break;
            }
            let curved = apply(&direction);
            let curvature = dot(&direction, &curved);
            if curvature <= FLAT * self.weight * dot(&direction, &direction) {
                return Some(direction);
            }
            let step = squares / curvature;
            x.iter_mut().zip(&direction).for_each(|(x, direction)| *x += step * direction);
            rest.iter_mut().zip(&curved).for_each(|(rest, curved)| *rest -= step * curved);
            let next = dot(&rest, &rest);
            let ratio = next / squares;
            direction.iter_mut().zip(&rest).for_each(|(direction, rest)| *direction = rest + ratio * *direction);
            squares = next;
        }
        None
    }

    /// The length of a vector of correlations of which all are rounding errors.
    pub(super) fn rounding(&self, coefficients: &[f64]) -> f64 {
        let terms = self.weight.sqrt() * length(coefficients);
        f64::EPSILON * self.weight.sqrt() * (1.0 + terms)
    }
}
