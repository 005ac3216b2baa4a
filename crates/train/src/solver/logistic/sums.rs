//! The sums of a Newton step over the rows: loss, gradient and Hessian of logistic regression.
//!
//! Rows are summed in blocks of a fixed size, and the sums of the blocks are added in the order of the rows, so that the number of
//! threads does not change a bit.

use super::super::simd;
use super::products::Columns;

/// Rows in a block: few enough for the processor's cache.
pub(super) const BLOCK_ROWS: usize = 256;

/// A block of standardised rows.
#[derive(Debug, Clone)]
pub(super) struct Block {
    columns: usize,
    intercept: bool,
    values: Vec<f64>,
    classes: Vec<usize>,
    weights: Vec<f64>,
}

impl Block {
    /// An empty block of rows with this many columns.
    pub(super) fn new(columns: usize, intercept: bool) -> Self {
        let values = Vec::with_capacity(columns * BLOCK_ROWS);
        Self { columns, intercept, values, classes: Vec::new(), weights: Vec::new() }
    }

    pub(super) fn push(&mut self, standardised: impl Iterator<Item = f64>, class: usize, weight: f64) {
        self.values.extend(standardised);
        self.classes.push(class);
        self.weights.push(weight);
    }

    pub(super) fn rows(&self) -> usize {
        self.weights.len()
    }

    /// The columns; the last is that of the intercept: ones, or zeros without an intercept.
    fn columns(&self) -> Columns {
        let constant = f64::from(u8::from(self.intercept));
        let mut columns = simd::columns(&self.values, self.columns, self.rows());
        columns.push(vec![constant; self.rows()]);
        Columns::new(columns)
    }
}

/// Loss, gradient and Hessian, summed over rows.
#[derive(Debug, Clone)]
pub(super) struct Sums {
    /// `Σ w · −ln p(class)`
    pub(super) loss: f64,
    /// The largest loss of a single row.
    pub(super) worst: f64,
    /// For each score, the gradient by its parameters.
    pub(super) slopes: Vec<Vec<f64>>,
    /// For each pair of scores, the first not after the second: the Hessian, a packed upper triangle.
    pub(super) grams: Vec<Vec<f64>>,
}

impl Sums {
    /// Zeros, for this many scores and parameters of each.
    pub(super) fn zero(scores: usize, parameters: usize) -> Self {
        let triangle = |size: usize| size * (size + 1) / 2;
        Self {
            loss: 0.0,
            worst: 0.0,
            slopes: vec![vec![0.0; parameters]; scores],
            grams: vec![vec![0.0; triangle(parameters)]; triangle(scores)],
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.loss += other.loss;
        self.worst = self.worst.max(other.worst);
        let slopes = self.slopes.iter_mut().zip(&other.slopes);
        for (ours, theirs) in slopes.chain(self.grams.iter_mut().zip(&other.grams)) {
            ours.iter_mut().zip(theirs).for_each(|(ours, theirs)| *ours += theirs);
        }
    }

    /// The sums over a block at these parameters: one list for each score, with the intercept last.
    pub(super) fn from_block(block: &Block, parameters: &[Vec<f64>]) -> Self {
        let columns = block.columns();
        let mut sums = Self::zero(parameters.len(), columns.len());
        let scores: Vec<Vec<f64>> = parameters.iter().map(|parameters| columns.scores(parameters)).collect();
        match scores.as_slice() {
            [score] => sums.two_classes(block, &columns, score),
            _ => sums.several_classes(block, &columns, &scores),
        }
        sums
    }

    /// The score is the log-odds of the second class.
    fn two_classes(&mut self, block: &Block, columns: &Columns, score: &[f64]) {
        let mut residuals = Vec::with_capacity(score.len());
        let mut curvature = Vec::with_capacity(score.len());
        for ((score, class), weight) in score.iter().zip(&block.classes).zip(&block.weights) {
            // From the exponential that cannot overflow, so that neither probability loses its digits.
            let small = libm::exp(-score.abs());
            let (unlikely, likely) = (small / (1.0 + small), 1.0 / (1.0 + small));
            let second = *class == 1;
            let right = second == (*score >= 0.0);
            let miss = if right { unlikely } else { likely };
            let loss = libm::log1p(small) + if right { 0.0 } else { score.abs() };
            self.loss += weight * loss;
            self.worst = self.worst.max(loss);
            residuals.push(weight * if second { -miss } else { miss });
            curvature.push(weight * unlikely * likely);
        }
        for (slopes, residual) in self.slopes.iter_mut().zip([residuals]) {
            columns.add_slopes(residual, slopes);
        }
        for (gram, curvature) in self.grams.iter_mut().zip([curvature]) {
            columns.add_gram(curvature, gram);
        }
    }

    fn several_classes(&mut self, block: &Block, columns: &Columns, scores: &[Vec<f64>]) {
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
                    self.loss += weight * loss;
                    self.worst = self.worst.max(loss);
                }
            }
        }
        for (slopes, residual) in self.slopes.iter_mut().zip(residuals) {
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
