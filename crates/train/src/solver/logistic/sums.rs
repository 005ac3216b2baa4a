//! The sums of a dense Newton step over the rows: loss, gradient and Hessian of logistic regression.

use super::super::simd;
use super::iterate::LossSums;
use super::products::Columns;
use super::standardised_rows::{Block, RowBlock};

/// A block of standardised rows, column by column.
#[derive(Debug)]
pub(super) struct ColumnBlock {
    /// The last is that of the intercept: ones, or zeros without an intercept.
    columns: Columns,
    classes: Vec<usize>,
    weights: Vec<f64>,
}

impl Block for ColumnBlock {
    const SPLITS_INDICATORS: bool = false;
}

impl ColumnBlock {
    pub(super) fn columns(&self) -> &Columns {
        &self.columns
    }

    /// The class of each row, among those that occur.
    pub(super) fn classes(&self) -> &[usize] {
        &self.classes
    }
}

impl From<RowBlock> for ColumnBlock {
    fn from(block: RowBlock) -> Self {
        let RowBlock { values, columns, intercept, classes, weights, .. } = block;
        let constant = f64::from(u8::from(intercept));
        let mut columns = simd::columns(&values, columns, weights.len());
        columns.push(vec![constant; weights.len()]);
        Self { columns: Columns::new(columns), classes, weights }
    }
}

/// Loss, gradient and Hessian, summed over rows.
#[derive(Debug, Clone)]
pub(super) struct Sums {
    pub(super) first: LossSums,
    /// For each pair of scores, the first not after the second: the Hessian, a packed upper triangle.
    pub(super) grams: Vec<Vec<f64>>,
}

impl Sums {
    /// Zeros, for this many scores and parameters of each.
    pub(super) fn zero(scores: usize, parameters: usize) -> Self {
        let triangle = |size: usize| size * (size + 1) / 2;
        Self {
            first: LossSums::zero(scores, parameters),
            grams: vec![vec![0.0; triangle(parameters)]; triangle(scores)],
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.first.add(&other.first);
        for (ours, theirs) in self.grams.iter_mut().zip(&other.grams) {
            ours.iter_mut().zip(theirs).for_each(|(ours, theirs)| *ours += theirs);
        }
    }

    /// The sums over a block at these parameters: one list for each score, with the intercept last.
    pub(super) fn from_block(block: &ColumnBlock, parameters: &[Vec<f64>]) -> Self {
        let columns = &block.columns;
        let mut sums = Self::zero(parameters.len(), columns.len());
        let scores: Vec<Vec<f64>> = parameters.iter().map(|parameters| columns.scores(parameters)).collect();
        match scores.as_slice() {
            [score] => sums.two_classes(block, columns, score),
            _ => sums.several_classes(block, columns, &scores),
        }
        sums
    }

    /// The score is the log-odds of the second class.
    fn two_classes(&mut self, block: &ColumnBlock, columns: &Columns, score: &[f64]) {
        let mut residuals = Vec::with_capacity(score.len());
        let mut curvature = Vec::with_capacity(score.len());
        for ((score, class), weight) in score.iter().zip(&block.classes).zip(&block.weights) {
            let TwoClasses { loss, residual, curvature: of_row } = TwoClasses::new(*score, *class);
            self.first.loss += weight * loss;
            self.first.worst = self.first.worst.max(loss);
            residuals.push(weight * residual);
            curvature.push(weight * of_row);
        }
        for (slopes, residual) in self.first.slopes.iter_mut().zip([residuals]) {
            columns.add_slopes(residual, slopes);
        }
        for (gram, curvature) in self.grams.iter_mut().zip([curvature]) {
            columns.add_gram(curvature, gram);
        }
    }
    fn several_classes(&mut self, block: &ColumnBlock, columns: &Columns, scores: &[Vec<f64>]) {
        let mut likely = scores.to_vec();
        let mut unlikely = scores.to_vec();
        let mut residuals = scores.to_vec();
        for (row, (class, weight)) in block.classes.iter().zip(&block.weights).enumerate() {
            let of_row = || scores.iter().filter_map(|score| score.get(row)).copied();
            let largest = of_row().fold(f64::NEG_INFINITY, f64::max);
            let exponentials: Vec<f64> = of_row().map(|score| libm::exp(score - largest)).collect();
            let total: f64 = exponentials.iter().sum();
            for (score, exponential) in exponentials.iter().enumerate() {
                let others = exponentials.iter().enumerate().filter(|(other, _)| *other != score);
                // `1 − p` would lose its digits where p is close to 1.
                let rest = others.map(|(_, exponential)| exponential).sum::<f64>() / total;
                let residual = if score == *class { -rest } else { exponential / total };
                set(&mut likely, score, row, exponential / total);
                set(&mut unlikely, score, row, rest);
                set(&mut residuals, score, row, weight * residual);
                if score == *class {
                    let behind = of_row().nth(score).map_or(0.0, |score| largest - score);
                    let loss = if rest < 0.5 { -libm::log1p(-rest) } else { libm::log(total) + behind };
                    self.first.loss += weight * loss;
                    self.first.worst = self.first.worst.max(loss);
                }
            }
        }
        for (slopes, residual) in self.first.slopes.iter_mut().zip(residuals) {
            columns.add_slopes(residual, slopes);
        }
        let mut grams = self.grams.iter_mut();
        for (first, first_likely) in likely.iter().enumerate() {
            for (second, second_likely) in likely.iter().enumerate().skip(first) {
                let weighted = block.weights.iter().zip(first_likely);
                let curvature: Vec<f64> = match unlikely.get(second).filter(|_| first == second) {
                    Some(rest) => weighted.zip(rest).map(|((weight, p), rest)| weight * p * rest).collect(),
                    None => weighted.zip(second_likely).map(|((weight, p), q)| -weight * p * q).collect(),
                };
                if let Some(gram) = grams.next() {
                    columns.add_gram(curvature, gram);
                }
            }
        }
    }
}

fn set(table: &mut [Vec<f64>], row: usize, column: usize, value: f64) {
    if let Some(entry) = table.get_mut(row).and_then(|row| row.get_mut(column)) {
        *entry = value;
    }
}

/// A row of two classes.
pub(super) struct TwoClasses {
    /// `−ln p(class)`
    pub(super) loss: f64,
    /// The derivative of the loss by the score.
    pub(super) residual: f64,
    /// The second derivative of the loss by the score.
    pub(super) curvature: f64,
}

impl TwoClasses {
    pub(super) fn new(score: f64, class: usize) -> Self {
        // From the exponential that cannot overflow, so that neither probability loses its digits.
        let small = libm::exp(-score.abs());
        let (unlikely, likely) = (small / (1.0 + small), 1.0 / (1.0 + small));
        let second = class == 1;
        let right = second == (score >= 0.0);
        let miss = if right { unlikely } else { likely };
        Self {
            loss: libm::log1p(small) + if right { 0.0 } else { score.abs() },
            residual: if second { -miss } else { miss },
            curvature: unlikely * likely,
        }
    }
}
