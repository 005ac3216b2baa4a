//! The standardised design in blocks of rows: in memory where it fits, otherwise read again for each pass.

use super::super::blocks::{BLOCK_ROWS, blocks_at_a_time, sum_in_order};
use super::super::design_rows::DesignRows;
use super::super::error::SolveError;
use super::indicators::{ColumnSplit, Ones};
use super::standardisation::{Standardisation, position};

/// The largest design that is kept in memory, in bytes.
const MOST_BYTES: u64 = 512 << 20;

/// Up to [`BLOCK_ROWS`] standardised rows.
#[derive(Debug, Default)]
pub(super) struct RowBlock {
    /// Row by row: all columns, or the dense ones.
    pub(super) values: Vec<f64>,
    /// The number of these columns.
    pub(super) columns: usize,
    /// The other columns.
    pub(super) ones: Ones,
    /// Whether the scores have an intercept.
    pub(super) intercept: bool,
    /// The class of each row, among those that occur.
    pub(super) classes: Vec<usize>,
    pub(super) weights: Vec<f64>,
}

/// How a solver stores a block.
pub(super) trait Block: From<RowBlock> + Send + Sync {
    /// Whether indicators are stored by their ones.
    const SPLITS_INDICATORS: bool;
}

/// The rows of a fit.
#[derive(Debug)]
pub(super) struct StandardisedRows<'r, R, B> {
    rows: &'r R,
    standardisation: Standardisation,
    /// 1 / scale of each column: multiplication is faster than division.
    precisions: Vec<f64>,
    intercept: bool,
    /// None if all columns are dense.
    pub(super) split: Option<ColumnSplit>,
    threads: usize,
    memory: Option<Vec<B>>,
}

/// Whether the design of these rows is kept in memory, with a number for each class.
pub(super) fn fits_into_memory(standardisation: &Standardisation) -> bool {
    let Standardisation { means, present, indicators, rows, ones, .. } = standardisation;
    let numbers = (means.len() - indicators.len() + present.len() + 1) as u64;
    rows.saturating_mul(numbers).saturating_add(*ones).saturating_mul(size_of::<f64>() as u64) <= MOST_BYTES
}

impl<'r, R: DesignRows, B: Block> StandardisedRows<'r, R, B> {
    /// Reads the rows if they fit into memory.
    pub(super) fn new(
        rows: &'r R,
        standardisation: &Standardisation,
        intercept: bool,
        threads: usize,
    ) -> Result<Self, SolveError> {
        let precisions = standardisation.scales.iter().map(|scale| 1.0 / scale).collect();
        let split = if B::SPLITS_INDICATORS { ColumnSplit::new(standardisation) } else { None };
        let standardisation = standardisation.clone();
        let mut made = Self { rows, standardisation, precisions, intercept, split, threads, memory: None };
        if fits_into_memory(&made.standardisation) {
            let mut blocks = Vec::new();
            made.stream(&mut |block| blocks.push(block))?;
            made.memory = Some(blocks);
        }
        Ok(made)
    }

    /// Whether each pass is over memory.
    pub(super) fn is_in_memory(&self) -> bool {
        self.memory.is_some()
    }

    /// Reports that a fit has reduced its gradient so far, on the way from the first to the last.
    pub(super) fn report(&self, gradient: f64, first: f64, last: f64) {
        let fraction = libm::log(first / gradient) / libm::log(first / last);
        self.rows.report(if fraction.is_finite() { fraction.clamp(0.0, 1.0) } else { 0.0 });
    }

    /// Calls `of_block` with every block and its number, on several threads, and `add` with the results in order. A
    /// result has this many numbers.
    pub(super) fn sum<T: Send>(
        &self,
        numbers: usize,
        of_block: &(impl Fn(usize, &B) -> T + Sync),
        mut add: impl FnMut(T),
    ) -> Result<(), SolveError> {
        let at_a_time = blocks_at_a_time(numbers, self.threads);
        if let Some(blocks) = &self.memory {
            for (batch, first) in blocks.chunks(at_a_time).zip((0..).step_by(at_a_time)) {
                sum_in_order(self.threads, first, batch, of_block, &mut add);
            }
            return Ok(());
        }
        let mut waiting = Vec::new();
        let mut first = 0;
        self.stream(&mut |block| {
            waiting.push(block);
            if waiting.len() >= at_a_time {
                sum_in_order(self.threads, first, &waiting, of_block, &mut add);
                first += waiting.len();
                waiting.clear();
            }
        })?;
        sum_in_order(self.threads, first, &waiting, of_block, &mut add);
        Ok(())
    }

    fn stream(&self, each: &mut dyn FnMut(B)) -> Result<(), SolveError> {
        let Standardisation { means, present, .. } = &self.standardisation;
        let columns = self.split.as_ref().map_or(means.len(), |split| split.dense.len());
        let empty = || RowBlock {
            values: Vec::with_capacity(columns * BLOCK_ROWS),
            columns,
            intercept: self.intercept,
            ..RowBlock::default()
        };
        let mut block = empty();
        self.rows.scan::<SolveError>(&mut |row| {
            if row.weight == 0.0 {
                return Ok(());
            }
            let columns = row.design.iter().zip(means).zip(&self.precisions);
            let standardised = |((value, mean), precision): ((&f64, &f64), &f64)| (value - mean) * precision;
            match &self.split {
                Some(split) => {
                    let dense = split.dense.iter().filter_map(|column| {
                        Some(((row.design.get(*column)?, means.get(*column)?), self.precisions.get(*column)?))
                    });
                    block.values.extend(dense.map(standardised));
                    block.ones.push(split, row.design);
                }
                None => block.values.extend(columns.map(standardised)),
            }
            block.classes.push(present.binary_search(&position(row.target)).unwrap_or_default());
            block.weights.push(row.weight);
            if block.weights.len() == BLOCK_ROWS {
                each(std::mem::replace(&mut block, empty()).into());
            }
            Ok(())
        })?;
        each(block.into());
        Ok(())
    }
}
