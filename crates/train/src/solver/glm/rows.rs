//! The rows of a fit in blocks: in memory where they fit, otherwise read again for each pass.

use std::num::NonZero;

use super::super::blocks::{BLOCK_ROWS, MOST_BYTES, blocks_at_a_time, sum_in_order};
use super::super::error::SolveError;
use super::super::logistic::products::Columns;
use super::basis::Basis;
use super::sums::{Curvatures, Pass, Sums};
use super::{GlmRow, GlmRows};
use ordinate_model::family::Family;

/// Up to [`BLOCK_ROWS`] rows in the basis of the fit.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) columns: Columns,
    /// For each row, the place of its level's parameter among those of the levels; empty without levels.
    pub(super) places: Vec<usize>,
    /// Those of a second category, and of the cell of both.
    pub(super) crossed: Vec<(usize, usize)>,
    pub(super) targets: Vec<f64>,
    pub(super) offsets: Vec<f64>,
    pub(super) weights: Vec<f64>,
}

/// Rows that are collected for a block.
#[derive(Debug, Default)]
struct RawBlock {
    /// The dense columns.
    design: Vec<f64>,
    places: Vec<usize>,
    crossed: Vec<(usize, usize)>,
    targets: Vec<f64>,
    offsets: Vec<f64>,
    weights: Vec<f64>,
}

impl RawBlock {
    fn in_basis(self, basis: &Basis) -> Block {
        let Self { design, places, crossed, targets, offsets, weights } = self;
        let columns = Columns::new(basis.columns(&design, &places, &crossed, weights.len()));
        Block { columns, places, crossed, targets, offsets, weights }
    }
}

/// The rows of a fit.
#[derive(Debug)]
pub(super) struct BlockRows<'r, R> {
    pub(super) rows: &'r R,
    pub(super) basis: Basis,
    pub(super) family: Family,
    threads: usize,
    /// Sum of the weights.
    pub(super) weight: f64,
    /// The weighted mean of the offsets.
    pub(super) offset_mean: f64,
    /// The intercept of the best fit without columns; 0 without an intercept.
    pub(super) null_intercept: f64,
    /// The mean curvature of that fit.
    pub(super) null_curvature: f64,
    memory: Option<Vec<Block>>,
}

impl<'r, R: GlmRows> BlockRows<'r, R> {
    /// Reads the rows if they fit into memory.
    pub(super) fn new(rows: &'r R, basis: Basis, family: Family) -> Result<Self, SolveError> {
        let numbers = (basis.dense_size() + 6) as u64;
        let fits = basis.rows.saturating_mul(numbers).saturating_mul(size_of::<f64>() as u64) <= MOST_BYTES;
        let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
        let OffsetSums { weight, mean: offset_mean, null_intercept, null_curvature } = offset_sums(rows, family)?;
        let null_intercept = if basis.intercept { null_intercept } else { 0.0 };
        let memory = None;
        let mut made =
            Self { rows, basis, family, threads, weight, offset_mean, null_intercept, null_curvature, memory };
        if fits {
            let mut raw = Vec::new();
            made.stream(&mut |block| raw.push(block))?;
            made.memory = Some(made.in_basis(raw));
        }
        Ok(made)
    }

    /// Reads the rows again for each pass.
    #[cfg(test)]
    pub(super) fn forget(&mut self) {
        self.memory = None;
    }

    /// The blocks in the basis, by several threads.
    fn in_basis(&self, raw: Vec<RawBlock>) -> Vec<Block> {
        let chunk = raw.len().div_ceil(self.threads).max(1);
        let basis = &self.basis;
        let mut raw = raw.into_iter();
        std::thread::scope(|scope| {
            let mut threads = Vec::new();
            loop {
                let part: Vec<RawBlock> = raw.by_ref().take(chunk).collect();
                if part.is_empty() {
                    break;
                }
                threads
                    .push(scope.spawn(move || part.into_iter().map(|block| block.in_basis(basis)).collect::<Vec<_>>()));
            }
            threads
                .into_iter()
                .flat_map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect()
        })
    }

    /// Whether each pass is over memory.
    pub(super) fn is_in_memory(&self) -> bool {
        self.memory.is_some()
    }

    /// The sums of a pass over all rows.
    pub(super) fn sum(&self, pass: &Pass<'_>, curvatures: Curvatures<'_>) -> Result<Sums, SolveError> {
        let pass = (pass, curvatures);
        let mut total = Sums::zero(&self.basis, curvatures);
        let at_a_time = blocks_at_a_time(total.numbers(), self.threads);
        if let Some(blocks) = &self.memory {
            for batch in blocks.chunks(at_a_time) {
                self.sum_batch(batch, pass, &mut total);
            }
            return Ok(total);
        }
        let mut waiting = Vec::new();
        self.stream(&mut |block| {
            waiting.push(block);
            if waiting.len() >= at_a_time {
                self.sum_batch(&self.in_basis(std::mem::take(&mut waiting)), pass, &mut total);
            }
        })?;
        self.sum_batch(&self.in_basis(waiting), pass, &mut total);
        Ok(total)
    }

    fn sum_batch(&self, blocks: &[Block], pass: (&Pass<'_>, Curvatures<'_>), total: &mut Sums) {
        let Self { basis, family, .. } = self;
        let of_block = |_: usize, block: &Block| Sums::from_block(block, basis, pass, *family);
        sum_in_order(self.threads, 0, blocks, &of_block, &mut |sums: Sums| total.add(&sums));
    }

    fn stream(&self, each: &mut dyn FnMut(RawBlock)) -> Result<(), SolveError> {
        let mut block = RawBlock::default();
        self.rows.scan::<SolveError>(&mut |row: GlmRow<'_>| {
            if row.weight == 0.0 {
                return Ok(());
            }
            block.design.extend(self.basis.dense.iter().filter_map(|column| row.design.get(*column)));
            if let Some(levels) = &self.basis.levels {
                let place = levels.place(row.design);
                block.places.push(place);
                block.crossed.extend(levels.crossed.as_ref().map(|crossed| crossed.place(place, row.design)));
            }
            block.targets.push(row.target);
            block.offsets.push(row.offset);
            block.weights.push(row.weight);
            if block.weights.len() == BLOCK_ROWS {
                each(std::mem::take(&mut block));
            }
            Ok(())
        })?;
        each(block);
        Ok(())
    }
}

/// Sums over the offsets of the rows.
struct OffsetSums {
    /// The total weight.
    weight: f64,
    /// The weighted mean of the offsets.
    mean: f64,
    /// The intercept of the best fit without columns.
    null_intercept: f64,
    /// The mean curvature of that fit.
    null_curvature: f64,
}

fn offset_sums(rows: &impl GlmRows, family: Family) -> Result<OffsetSums, SolveError> {
    let mut first = None;
    let (mut weight, mut offsets, mut targets, mut means) = (0.0, 0.0, 0.0, 0.0);
    rows.scan::<SolveError>(&mut |row| {
        // Near the data, so that large offsets neither overflow nor cancel.
        let offset = row.offset - *first.get_or_insert(row.offset);
        weight += row.weight;
        offsets += row.weight * offset;
        let [of_target, of_offset] = match family {
            Family::Poisson => [row.target, libm::exp(offset)],
            Family::Gamma => [row.target * libm::exp(-offset), 1.0],
        };
        targets += row.weight * of_target;
        means += row.weight * of_offset;
        Ok(())
    })?;
    let first = first.unwrap_or(0.0);
    let null_curvature = match family {
        Family::Poisson => targets / weight,
        Family::Gamma => 1.0,
    };
    let null_intercept = libm::log(targets) - libm::log(means) - first;
    Ok(OffsetSums { weight, mean: first + offsets / weight, null_intercept, null_curvature })
}
