//! The standardised design in blocks of rows: in memory where it fits, otherwise read again for each pass.

use super::super::blocks::{BLOCK_ROWS, MOST_BYTES, blocks_at_a_time, sum_in_order};
use super::super::design_rows::DesignRows;
use super::super::error::SolveError;
use super::indicators::{ColumnSplit, Ones};
use super::standardisation::{Standardisation, position};

/// The most rows of a block with indicators, whose sums have a number for each column, however few the ones.
const MOST_BLOCK_ROWS: usize = 16 * BLOCK_ROWS;

/// The most dense numbers of such a block, if it is larger: few enough for the processor's cache.
const BLOCK_NUMBERS: usize = 1 << 16;

/// The numbers of a pass that take as long as starting threads for them.
const FEW_NUMBERS: f64 = 1e5;

/// A block of standardised rows.
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
    /// The means of the dense columns.
    means: Vec<f64>,
    /// Their 1 / scale: multiplication is faster than division.
    precisions: Vec<f64>,
    intercept: bool,
    /// None if all columns are dense.
    pub(super) split: Option<ColumnSplit>,
    threads: usize,
    block_rows: usize,
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
        let split = if B::SPLITS_INDICATORS { ColumnSplit::new(standardisation) } else { None };
        let of_dense = |values: &[f64]| -> Vec<f64> {
            match &split {
                Some(split) => split.dense.iter().filter_map(|column| values.get(*column)).copied().collect(),
                None => values.to_vec(),
            }
        };
        let means = of_dense(&standardisation.means);
        let precisions = of_dense(&standardisation.scales).iter().map(|scale| 1.0 / scale).collect();
        let numbers = standardisation.rows as f64 * standardisation.numbers_per_row();
        let threads = if split.is_some() && numbers < FEW_NUMBERS { 1 } else { threads };
        let block_rows = split.as_ref().map_or(BLOCK_ROWS, |split| {
            (BLOCK_NUMBERS / (split.dense.len() + 1)).clamp(BLOCK_ROWS, MOST_BLOCK_ROWS).next_multiple_of(BLOCK_ROWS)
        });
        let standardisation = standardisation.clone();
        let mut made =
            Self { rows, standardisation, means, precisions, intercept, split, threads, block_rows, memory: None };
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
        let present = &self.standardisation.present;
        let mut block = self.empty_block();
        let mut push = |fill: &dyn Fn(&mut RowBlock), target: f64, weight: f64| {
            if weight == 0.0 {
                return;
            }
            fill(&mut block);
            block.classes.push(present.binary_search(&position(target)).unwrap_or_default());
            block.weights.push(weight);
            if block.weights.len() == self.block_rows {
                each(std::mem::replace(&mut block, self.empty_block()).into());
            }
        };
        match &self.split {
            None => self.rows.scan::<SolveError>(&mut |row| {
                push(&|block| block.values.extend(self.standardised(row.design)), row.target, row.weight);
                Ok(())
            })?,
            Some(split) if self.rows.sparse_columns().is_empty() => self.rows.scan::<SolveError>(&mut |row| {
                let fill = |block: &mut RowBlock| {
                    let dense = split.dense.iter().filter_map(|column| row.design.get(*column));
                    block.values.extend(self.standardised(dense));
                    block.ones.push_dense(split, row.design);
                };
                push(&fill, row.target, row.weight);
                Ok(())
            })?,
            Some(_) => self.rows.scan_sparse::<SolveError>(&mut |row| {
                let fill = |block: &mut RowBlock| {
                    block.values.extend(self.standardised(row.numbers));
                    block.ones.push(row.ones);
                };
                push(&fill, row.target, row.weight);
                Ok(())
            })?,
        }
        each(block.into());
        Ok(())
    }

    /// The dense columns of a row, standardised.
    fn standardised<'v>(&self, values: impl IntoIterator<Item = &'v f64>) -> impl Iterator<Item = f64> {
        let columns = values.into_iter().zip(&self.means).zip(&self.precisions);
        columns.map(|((value, mean), precision)| (value - mean) * precision)
    }

    fn empty_block(&self) -> RowBlock {
        RowBlock {
            values: Vec::with_capacity(self.means.len() * self.block_rows),
            columns: self.means.len(),
            intercept: self.intercept,
            ..RowBlock::default()
        }
    }
}
